//! CSAF 2.0: security advisories and VEX documents of publishers (OASIS, JSON).
//!
//! [`Document`] is the file; [`Document::advisory`] reads it leniently, [`Document::validate`] tests it
//! as clause 6 of the standard asks. Reading must never fail because a test does.
//!
//! Who found what and who was told (acknowledgments, involvements), the generator, the aggregate
//! severity and the language of a translation's source say nothing about products, and are not read.

mod model;
mod read;
mod tree;
pub mod validate;

pub use model::{
    Advisory, Branch, FileHash, Flag, Helper, Note, Product, ProductIndex, ProductScore, Publisher,
    Reference, Relation, RelationKind, Remediation, RemediationKind, Revision, Status, StatusEntry,
    Threat, Tlp, Tracking, VersionKind, VersionText, Vulnerability,
};

use crate::flaw::Flaws;
use crate::json::{self, Value};
use crate::{Error, Limits};

/// A CSAF document whose bytes could be read.
#[derive(Debug)]
pub struct Document<'a> {
    json: json::Document<'a>,
    limits: Limits,
}

impl<'a> Document<'a> {
    /// Reads the text of a file; see [`json::to_text`] for its bytes.
    ///
    /// # Errors
    /// If it is no JSON, passes a limit, or is no CSAF at all: a CSAF document is an object whose
    /// `document` holds `csaf_version` or `tracking`.
    pub fn parse(text: &'a str, limits: &Limits) -> Result<Self, Error> {
        let json = json::Document::parse(text, limits)?;
        let document = json.root().get("document");
        let is_csaf = document.is_some_and(|document| {
            document.get("csaf_version").is_some() || document.get("tracking").is_some()
        });
        if !is_csaf {
            return Err(Error::NotA("CSAF"));
        }
        Ok(Self {
            json,
            limits: *limits,
        })
    }

    /// The value of the whole file.
    pub fn root(&self) -> Value<'_> {
        self.json.root()
    }

    /// What the document says; what could not be read stands in [`Advisory::flaws`].
    pub fn advisory(&self) -> Advisory {
        read::read(self.root(), &self.limits)
    }

    /// What the tests of the standard find, those of [`validate::TESTS`] and the schema.
    pub fn validate(&self) -> Flaws {
        validate::validate(self.root(), &self.limits)
    }
}

impl Advisory {
    /// Reads the bytes of a file; bytes that are no UTF-8 are replaced, and a flaw.
    ///
    /// # Errors
    /// As [`Document::parse`].
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        // Replacing may make a text longer; what is too large is refused before.
        if bytes.len() > limits.max_bytes {
            return Err(Error::TooLarge {
                bytes: bytes.len(),
                limit: limits.max_bytes,
            });
        }
        let (text, replaced) = json::to_text(bytes);
        let mut advisory = Document::parse(&text, limits)?.advisory();
        if replaced {
            advisory.flaws.add_at(
                "text",
                "",
                "bytes that are no UTF-8 were replaced by U+FFFD",
            );
        }
        Ok(advisory)
    }
}

#[cfg(test)]
mod tests;
