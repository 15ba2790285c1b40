//! The PKCS #7 `SignedData` of a program, taken apart (RFC 2315 as Windows writes it).
//!
//! It must never judge anything, or look deeper than what is needed for that.

use x509_parser::asn1_rs::oid;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

use crate::der::{Element, Elements, INTEGER, OCTETS, OID, SEQUENCE, SET};
use crate::signature::Unread;

/// The most certificates that a signature may bring along.
const CERTIFICATES_MAX: usize = 32;

const SIGNED_DATA: &[u8] = &oid!(raw 1.2.840.113549.1.7.2);
/// `SPC_INDIRECT_DATA_OBJID`: the content is the hash of a file.
pub(crate) const INDIRECT_DATA: &[u8] = &oid!(raw 1.3.6.1.4.1.311.2.1.4);
const CONTENT_TYPE: &[u8] = &oid!(raw 1.2.840.113549.1.9.3);
const MESSAGE_DIGEST: &[u8] = &oid!(raw 1.2.840.113549.1.9.4);

/// What was signed, by whom, and with what.
pub(crate) struct SignedData<'a> {
    /// The bytes that `message_digest` is the hash of.
    pub(crate) content: &'a [u8],
    /// The hash of the file, and its algorithm's object identifier.
    pub(crate) file_digest: &'a [u8],
    pub(crate) file_algorithm: &'a [u8],
    /// Those that could be read.
    pub(crate) certificates: Vec<Certificate<'a>>,
    pub(crate) signer: SignerInfo<'a>,
}

/// A certificate and its bytes.
pub(crate) struct Certificate<'a> {
    pub(crate) parsed: X509Certificate<'a>,
    pub(crate) whole: &'a [u8],
}

/// Who signed, and what of it.
pub(crate) struct SignerInfo<'a> {
    /// The issuer's name and the serial number, by which the certificate is found.
    pub(crate) issuer: &'a [u8],
    pub(crate) serial: &'a [u8],
    pub(crate) algorithm: &'a [u8],
    /// The content of the set of signed attributes.
    pub(crate) attributes: &'a [u8],
    pub(crate) content_type: &'a [u8],
    pub(crate) message_digest: &'a [u8],
    pub(crate) signature: &'a [u8],
}

impl<'a> SignedData<'a> {
    /// Takes it apart; what stands behind it is given back.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Unread> {
        let mut outer = Elements::of(bytes);
        let info = outer.take(SEQUENCE).ok_or(Unread::Damaged)?;
        let mut info = info.inside();
        let kind = info.take(OID).ok_or(Unread::Damaged)?;
        if kind.content != SIGNED_DATA {
            return Err(Unread::Kind);
        }
        let signed = info.take_tagged(0).ok_or(Unread::Damaged)?;
        let signed = signed.inside().take(SEQUENCE).ok_or(Unread::Damaged)?;
        Ok((Self::inside(signed.inside())?, outer.rest()))
    }

    fn inside(mut parts: Elements<'a>) -> Result<Self, Unread> {
        let content = (|| {
            parts.take(INTEGER)?;
            parts.take(SET)?;
            parts.take(SEQUENCE)
        })();
        let mut content = content.ok_or(Unread::Damaged)?.inside();
        let kind = content.take(OID).ok_or(Unread::Damaged)?;
        if kind.content != INDIRECT_DATA {
            return Err(Unread::Kind);
        }
        let content = content
            .take_tagged(0)
            .and_then(|content| content.inside().take(SEQUENCE))
            .ok_or(Unread::Damaged)?;
        let (file_algorithm, file_digest) = file_digest(&content).ok_or(Unread::Damaged)?;
        let certificates = parts.take_tagged(0).ok_or(Unread::NoCertificate)?;
        parts.take_tagged(1);
        let mut signers = parts.take(SET).ok_or(Unread::Damaged)?.inside();
        let signer = signers.take(SEQUENCE).ok_or(Unread::Damaged)?;
        // Windows knows one signer a signature.
        if !signers.rest().is_empty() {
            return Err(Unread::Kind);
        }
        Ok(Self {
            content: content.content,
            file_digest,
            file_algorithm,
            certificates: certificates_of(certificates.inside())?,
            signer: SignerInfo::parse(signer.inside()).ok_or(Unread::Damaged)?,
        })
    }
}

/// The algorithm and the hash out of `SpcIndirectDataContent`.
fn file_digest<'a>(content: &Element<'a>) -> Option<(&'a [u8], &'a [u8])> {
    let mut parts = content.inside();
    parts.take(SEQUENCE)?;
    let mut digest = parts.take(SEQUENCE)?.inside();
    let algorithm = digest.take(SEQUENCE)?.inside().take(OID)?;
    Some((algorithm.content, digest.take(OCTETS)?.content))
}

fn certificates_of(set: Elements<'_>) -> Result<Vec<Certificate<'_>>, Unread> {
    let mut certificates = Vec::new();
    for (number, element) in set.each().enumerate() {
        if number >= CERTIFICATES_MAX {
            return Err(Unread::TooLarge);
        }
        // One that cannot be read may belong to something else, such as a time stamp.
        if let Ok((_, parsed)) = X509Certificate::from_der(element.whole) {
            certificates.push(Certificate {
                parsed,
                whole: element.whole,
            });
        }
    }
    Ok(certificates)
}

impl<'a> SignerInfo<'a> {
    fn parse(mut parts: Elements<'a>) -> Option<Self> {
        parts.take(INTEGER)?;
        let mut named = parts.take(SEQUENCE)?.inside();
        let (issuer, serial) = (named.take(SEQUENCE)?, named.take(INTEGER)?);
        let algorithm = parts.take(SEQUENCE)?.inside().take(OID)?;
        let attributes = parts.take_tagged(0)?;
        parts.take(SEQUENCE)?;
        let signature = parts.take(OCTETS)?;
        let content_type = attribute(&attributes, CONTENT_TYPE)?;
        let message_digest = attribute(&attributes, MESSAGE_DIGEST)?;
        Some(Self {
            issuer: issuer.whole,
            serial: serial.content,
            algorithm: algorithm.content,
            attributes: attributes.content,
            content_type: only(content_type, OID)?.content,
            message_digest: only(message_digest, OCTETS)?.content,
            signature: signature.content,
        })
    }
}

/// The value of the attribute of this kind, if there is one only.
fn attribute<'a>(attributes: &Element<'a>, kind: &[u8]) -> Option<Elements<'a>> {
    let mut found = None;
    for element in attributes.inside().each() {
        let mut parts = element.inside();
        if parts.take(OID)?.content == kind && found.replace(parts.take(SET)?.inside()).is_some() {
            return None;
        }
    }
    found
}

/// The one element of a set.
fn only(mut set: Elements<'_>, tag: u32) -> Option<Element<'_>> {
    let element = set.take(tag)?;
    set.rest().is_empty().then_some(element)
}
