//! [`read`]: whether a program's signature fits it, and whose it is.
//!
//! It must never say that a signature fits where a step of checking it was left out.

use std::io::{self, Read, Seek};

use aws_lc_rs::digest::{self, Algorithm, digest};
use aws_lc_rs::signature::{self as keys, UnparsedPublicKey, VerificationAlgorithm};
use serde::{Deserialize, Serialize};
use x509_parser::asn1_rs::oid;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::image::{Image, first_entry};
use crate::signed_data::{Certificate, INDIRECT_DATA, SignedData};
use crate::signer::Signer;

const SHA1: &[u8] = &oid!(raw 1.3.14.3.2.26);
const SHA256: &[u8] = &oid!(raw 2.16.840.1.101.3.4.2.1);
const SHA384: &[u8] = &oid!(raw 2.16.840.1.101.3.4.2.2);
const SHA512: &[u8] = &oid!(raw 2.16.840.1.101.3.4.2.3);
const RSA: &[u8] = &oid!(raw 1.2.840.113549.1.1.1);
const EC: &[u8] = &oid!(raw 1.2.840.10045.2.1);
const P256: &[u8] = &oid!(raw 1.2.840.10045.3.1.7);
const P384: &[u8] = &oid!(raw 1.3.132.0.34);

/// What is known of a program's signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// Whether it fits the file.
    pub fit: Fit,
    /// Whose it is, or says it is where it does not fit; none if the certificate could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<Signer>,
    /// The algorithm of the file's hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<Hash>,
}

/// The algorithms of hashes that are known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hash {
    /// Two files with the same one can be made; programs of old devices have nothing else.
    Sha1,
    /// SHA-256
    Sha256,
    /// SHA-384
    Sha384,
    /// SHA-512
    Sha512,
}

/// Whether a signature fits its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum Fit {
    /// It was made over this very file with the signer's key; nothing is said of the signer.
    Fits,
    /// It was not.
    Misfits(Misfit),
    /// It could not be looked at.
    Unread(Unread),
}

/// Why a signature does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// Bytes were put behind it that it does not cover.
    Appended,
    /// What was signed is not what stands beside the signature.
    Content,
    /// It was made over another file: this one was changed, or the signature came from elsewhere.
    File,
    /// It was not made with the key of the certificate that it names.
    Key,
    /// Its table lies in what Windows loads, or not in the file.
    Place,
}

/// Why a signature could not be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// A hash or key of a kind that is not known here, or too weak.
    Algorithm,
    /// It is not what it should be.
    Damaged,
    /// It is no signature of a program, or has more than one signer.
    Kind,
    /// The signer's certificate is not in it.
    NoCertificate,
    /// The table is larger than [`crate::TABLE_MAX`], or brings too many certificates.
    TooLarge,
}

/// Every way to fit or not, with its stable code.
const CODES: [(Fit, &str); 11] = [
    (Fit::Fits, "fits"),
    (Fit::Misfits(Misfit::Appended), "misfits-appended"),
    (Fit::Misfits(Misfit::Content), "misfits-content"),
    (Fit::Misfits(Misfit::File), "misfits-file"),
    (Fit::Misfits(Misfit::Key), "misfits-key"),
    (Fit::Misfits(Misfit::Place), "misfits-place"),
    (Fit::Unread(Unread::Algorithm), "unread-algorithm"),
    (Fit::Unread(Unread::Damaged), "unread-damaged"),
    (Fit::Unread(Unread::Kind), "unread-kind"),
    (Fit::Unread(Unread::NoCertificate), "unread-no-certificate"),
    (Fit::Unread(Unread::TooLarge), "unread-too-large"),
];

impl Fit {
    /// Its stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        let mut codes = CODES.iter().filter(|(fit, _)| *fit == self);
        codes.next().map_or("unread-damaged", |(_, code)| code)
    }
}

impl From<Fit> for &'static str {
    fn from(fit: Fit) -> Self {
        fit.code()
    }
}

impl TryFrom<String> for Fit {
    type Error = &'static str;

    fn try_from(code: String) -> Result<Self, Self::Error> {
        let mut fits = CODES.iter().filter(|(_, one)| *one == code);
        fits.next()
            .map(|(fit, _)| *fit)
            .ok_or("no signature fits or misfits like this")
    }
}

/// Reads the signature of a program of Windows; none if it is no such program, or bears none.
///
/// # Errors
/// If the file cannot be read.
pub fn read(file: &mut (impl Read + Seek)) -> io::Result<Option<Signature>> {
    let Some(image) = Image::read(file)? else {
        return Ok(None);
    };
    let unread = |why| {
        Ok(Some(Signature {
            fit: Fit::Unread(why),
            signer: None,
            hash: None,
        }))
    };
    let Some(table) = image.table(file)? else {
        return unread(Unread::TooLarge);
    };
    let Some(entry) = first_entry(&table) else {
        return unread(Unread::Damaged);
    };
    if !entry.is_pkcs7 {
        return unread(Unread::Kind);
    }
    match SignedData::parse(entry.bytes) {
        Ok((signed, rest)) => judge(file, &image, &signed, rest).map(Some),
        Err(why) => unread(why),
    }
}

fn judge(
    file: &mut (impl Read + Seek),
    image: &Image,
    signed: &SignedData<'_>,
    rest: &[u8],
) -> io::Result<Signature> {
    let certificate = leaf(signed);
    let algorithm = algorithm(signed.file_algorithm);
    let fit = match (certificate, algorithm) {
        (None, _) => Fit::Unread(Unread::NoCertificate),
        (_, None) => Fit::Unread(Unread::Algorithm),
        // A table that reaches into the program was not hashed, but is loaded.
        _ if !image.is_apart => Fit::Misfits(Misfit::Place),
        (Some(certificate), Some((hash, _))) => match of_signer(signed, certificate) {
            Fit::Fits if image.hash(file, hash)?.as_ref() != signed.file_digest => {
                Fit::Misfits(Misfit::File)
            }
            // The table is padded with zeros to a multiple of eight bytes.
            Fit::Fits if rest.iter().any(|byte| *byte != 0) => Fit::Misfits(Misfit::Appended),
            other => other,
        },
    };
    Ok(Signature {
        fit,
        signer: certificate.map(|leaf| Signer::of(leaf, &signed.certificates)),
        hash: algorithm.map(|(_, hash)| hash),
    })
}

/// The certificate that the signer names.
fn leaf<'s, 'a>(signed: &'s SignedData<'a>) -> Option<&'s Certificate<'a>> {
    let is_meant = |one: &&Certificate<'_>| {
        one.parsed.issuer().as_raw() == signed.signer.issuer
            && one.parsed.raw_serial() == signed.signer.serial
    };
    signed.certificates.iter().find(is_meant)
}

/// Whether the signer signed the content, with the certificate's key.
fn of_signer(signed: &SignedData<'_>, certificate: &Certificate<'_>) -> Fit {
    let signer = &signed.signer;
    let key = certificate.parsed.public_key();
    let Some((hash, kind)) = algorithm(signer.algorithm) else {
        return Fit::Unread(Unread::Algorithm);
    };
    let Some(verification) = verification(key, kind) else {
        return Fit::Unread(Unread::Algorithm);
    };
    if signer.content_type != INDIRECT_DATA
        || digest(hash, signed.content).as_ref() != signer.message_digest
    {
        return Fit::Misfits(Misfit::Content);
    }
    let key = UnparsedPublicKey::new(verification, &key.subject_public_key.data);
    match key.verify(&as_set(signer.attributes), signer.signature) {
        Ok(()) => Fit::Fits,
        Err(_) => Fit::Misfits(Misfit::Key),
    }
}

/// The attributes as the set that was signed: in the file they bear another tag (RFC 5652 5.4).
fn as_set(content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let zeros = length.iter().take_while(|byte| **byte == 0).count();
    let length = length.get(zeros..).unwrap_or_default();
    let mut set = vec![0x31];
    match length {
        [] => set.push(0),
        [short] if *short < 0x80 => set.push(*short),
        // At most eight of them.
        _ => {
            set.push(0x80 | u8::try_from(length.len()).unwrap_or_default());
            set.extend_from_slice(length);
        }
    }
    set.extend_from_slice(content);
    set
}

fn algorithm(oid: &[u8]) -> Option<(&'static Algorithm, Hash)> {
    match oid {
        SHA1 => Some((&digest::SHA1_FOR_LEGACY_USE_ONLY, Hash::Sha1)),
        SHA256 => Some((&digest::SHA256, Hash::Sha256)),
        SHA384 => Some((&digest::SHA384, Hash::Sha384)),
        SHA512 => Some((&digest::SHA512, Hash::Sha512)),
        _ => None,
    }
}

/// How a signature with this key over this hash is checked.
fn verification(
    key: &SubjectPublicKeyInfo<'_>,
    hash: Hash,
) -> Option<&'static dyn VerificationAlgorithm> {
    let parameters = key.algorithm.parameters.as_ref();
    let curve = parameters.map_or(&[][..], |any| any.data);
    match (key.algorithm.algorithm.as_bytes(), curve, hash) {
        (RSA, _, Hash::Sha1) => Some(&keys::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY),
        (RSA, _, Hash::Sha256) => Some(&keys::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY),
        (RSA, _, Hash::Sha384) => Some(&keys::RSA_PKCS1_2048_8192_SHA384),
        (RSA, _, Hash::Sha512) => Some(&keys::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY),
        (EC, P256, Hash::Sha256) => Some(&keys::ECDSA_P256_SHA256_ASN1),
        (EC, P256, Hash::Sha384) => Some(&keys::ECDSA_P256_SHA384_ASN1),
        (EC, P384, Hash::Sha256) => Some(&keys::ECDSA_P384_SHA256_ASN1),
        (EC, P384, Hash::Sha384) => Some(&keys::ECDSA_P384_SHA384_ASN1),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
