//! What a certificate says of who signed, and whether two signers are the same as far as that can be seen.
//!
//! It must never take the same name for the same signer: anybody can write any name into a certificate.

use aws_lc_rs::digest::{SHA256, digest};
use labward_base::hex;
use serde::{Deserialize, Serialize};
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

use crate::signed_data::Certificate;

/// The longest name that is kept, in characters.
const NAME_MAX: usize = 200;
/// The longest serial number that is kept, in bytes (RFC 5280 allows 20).
const SERIAL_MAX: usize = 40;

/// Who signed, as the certificate says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signer {
    /// The subject's common name, or else its organisation; at most 200 characters, none of which changes how text is shown.
    pub name: String,
    /// The subject's organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// The subject's country, two letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// The issuer's common name, or else its organisation.
    pub issuer: String,
    /// The serial number in hexadecimal digits.
    pub serial: String,
    /// The SHA-256 of the certificate in hexadecimal digits.
    pub certificate: String,
    /// The SHA-256 of the issuer's public key in hexadecimal digits, if the signature brought a certificate along whose key signed this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer_key: Option<String>,
}

/// How a signer goes with another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Continuity {
    /// Other names.
    Another,
    /// The same names, but nothing shows that the same issuer gave both certificates.
    SameName,
    /// The same names, and the same issuer's key signed both certificates.
    SameSigner,
    /// The same certificate.
    SameCertificate,
}

impl Signer {
    /// Reads a certificate; `brought` are those among which its issuer may be.
    pub(crate) fn of(certificate: &Certificate<'_>, brought: &[Certificate<'_>]) -> Self {
        let parsed = &certificate.parsed;
        let subject = parsed.subject();
        let serial = parsed.raw_serial();
        let serial = serial.get(..SERIAL_MAX).unwrap_or(serial);
        Self {
            name: name(subject),
            organisation: first(subject.iter_organization()),
            country: first(subject.iter_country()),
            issuer: name(parsed.issuer()),
            serial: hex::encode(serial),
            certificate: sha256(certificate.whole),
            issuer_key: issuer_key(certificate, brought),
        }
    }

    /// The name, with the organisation where that says more.
    #[must_use]
    pub fn shown(&self) -> String {
        match &self.organisation {
            Some(organisation) if *organisation != self.name => {
                format!("{} ({organisation})", self.name)
            }
            _ => self.name.clone(),
        }
    }

    /// How this one goes with who signed `before`.
    #[must_use]
    pub fn continuity(&self, before: &Self) -> Continuity {
        let names = |one: &Self| {
            (
                one.name.clone(),
                one.organisation.clone(),
                one.country.clone(),
            )
        };
        if self.certificate == before.certificate {
            Continuity::SameCertificate
        } else if names(self) != names(before) {
            Continuity::Another
        } else if self.issuer_key.is_some() && self.issuer_key == before.issuer_key {
            Continuity::SameSigner
        } else {
            Continuity::SameName
        }
    }
}

impl Continuity {
    /// Whether it is shown, and not only said, that both are the same.
    #[must_use]
    pub const fn is_same(self) -> bool {
        matches!(self, Self::SameCertificate | Self::SameSigner)
    }
}

fn issuer_key(certificate: &Certificate<'_>, brought: &[Certificate<'_>]) -> Option<String> {
    let is_issuer = |one: &&Certificate<'_>| {
        let key = one.parsed.public_key();
        one.parsed.subject().as_raw() == certificate.parsed.issuer().as_raw()
            && certificate.parsed.verify_signature(Some(key)).is_ok()
    };
    let issuer = brought.iter().find(is_issuer)?;
    Some(sha256(issuer.parsed.public_key().raw))
}

fn name(of: &X509Name<'_>) -> String {
    let name = first(of.iter_common_name()).or_else(|| first(of.iter_organization()));
    name.unwrap_or_else(|| "?".to_owned())
}

fn first<'a, 'b: 'a>(
    mut values: impl Iterator<Item = &'a AttributeTypeAndValue<'b>>,
) -> Option<String> {
    let value = values.next()?;
    let bytes = value.as_slice();
    let text = match value.attr_value().tag().0 {
        // T61String, which is written as Latin-1.
        20 => bytes.iter().map(|byte| char::from(*byte)).collect(),
        // BMPString
        30 => {
            let pairs = bytes.chunks_exact(2);
            let units: Vec<u16> = pairs
                .filter_map(|pair| Some(u16::from_be_bytes(*pair.first_chunk()?)))
                .collect();
            String::from_utf16_lossy(&units)
        }
        _ => String::from_utf8_lossy(bytes).into_owned(),
    };
    let kept: String = text.trim().chars().take(NAME_MAX).map(plain).collect();
    (!kept.is_empty()).then_some(kept)
}

/// A character that shows itself and changes nothing of what stands beside it.
fn plain(one: char) -> char {
    let is_hidden = matches!(one, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    if one.is_control() || is_hidden {
        char::REPLACEMENT_CHARACTER
    } else {
        one
    }
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes).as_ref())
}
