//! What a publisher says, and where it came from.

use std::fmt;
use std::str::FromStr;

use labward_base::Timestamp;
use labward_base::id::{DocumentId, EntryIndex};

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DocumentKind {
    /// A security advisory or VEX document of the Common Security Advisory Framework 2.0.
    Csaf,
    /// Statements of VEX in a CycloneDX document.
    CycloneDx,
    /// Scores of the Exploit Prediction Scoring System.
    Epss,
    /// The catalog of known exploited vulnerabilities of CISA.
    Kev,
    /// Statements of VEX in an OpenVEX document.
    OpenVex,
    /// Vulnerabilities of the packages of an ecosystem (OSV); its version says how many.
    Osv,
}

impl DocumentKind {
    /// The name in commands, JSON and the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csaf => "csaf",
            Self::CycloneDx => "cyclonedx",
            Self::Epss => "epss",
            Self::Kev => "kev",
            Self::OpenVex => "openvex",
            Self::Osv => "osv",
        }
    }
}

impl fmt::Display for DocumentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for DocumentKind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(match text {
            "csaf" => Self::Csaf,
            "cyclonedx" => Self::CycloneDx,
            "epss" => Self::Epss,
            "kev" => Self::Kev,
            "openvex" => Self::OpenVex,
            "osv" => Self::Osv,
            _ => return Err(()),
        })
    }
}

/// What was found out of the bytes of a document by what lay beside them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Integrity {
    /// Whether its hash is good; `None` where none lay beside it.
    pub hash: Option<bool>,
    /// The fingerprint of the key by which it is signed, or why the signature is bad; `None` where it was
    /// not checked, since there is none or no key is known for the source.
    pub signature: Option<Result<String, &'static str>>,
}

/// A document that the lab holds.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its number.
    pub id: DocumentId,
    /// What it is.
    pub kind: DocumentKind,
    /// The publisher's namespace.
    pub publisher: String,
    /// The publisher's id of it.
    pub name: String,
    /// The release.
    pub version: String,
    /// When the release was made, as it says itself.
    pub released: Option<Timestamp>,
    /// The source that it came from.
    pub source: String,
    /// The file.
    pub file: String,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// Whether a hash beside it was good; `false` where none lay there.
    pub has_hash: bool,
    /// The fingerprint of the key by which it is signed, if that was checked.
    pub signer: Option<String>,
    /// When it was taken over.
    pub imported: Timestamp,
    /// The entry that recorded it.
    pub entry: EntryIndex,
}

/// Where documents come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// When it was looked into last.
    pub checked: Timestamp,
    /// When it brought anything new last.
    pub changed: Timestamp,
    /// Documents that could not be taken over when it was looked into last.
    pub refused: u64,
    /// The entry of the last import.
    pub entry: EntryIndex,
}

impl Source {
    /// Whether it may be called so: 1 to 40 letters, digits, hyphens and dots.
    pub fn is_name(name: &str) -> bool {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        (1..=40).contains(&name.len()) && name.chars().all(fits)
    }
}
