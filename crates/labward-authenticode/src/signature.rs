//! [`read`]: whether a program's signature fits it, and whose it is.
//!
//! It must never say that a signature fits where a step of checking it was left out.

use std::io::{self, Read, Seek};

use aws_lc_rs::digest::{self, Algorithm, digest};
use aws_lc_rs::signature::{self as keys, UnparsedPublicKey, VerificationAlgorithm};
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Whether it fits the file.
    pub fit: Fit,
    /// Whose it is, or says it is where it does not fit; none if the certificate could not be read.
    pub signer: Option<Signer>,
    /// The algorithm of the file's hash: `sha1`, `sha256`, `sha384` or `sha512`.
    pub algorithm: Option<&'static str>,
}

/// Whether a signature fits its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

impl Fit {
    /// Its stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Fits => "fits",
            Self::Misfits(Misfit::Appended) => "misfits-appended",
            Self::Misfits(Misfit::Content) => "misfits-content",
            Self::Misfits(Misfit::File) => "misfits-file",
            Self::Misfits(Misfit::Key) => "misfits-key",
            Self::Misfits(Misfit::Place) => "misfits-place",
            Self::Unread(Unread::Algorithm) => "unread-algorithm",
            Self::Unread(Unread::Damaged) => "unread-damaged",
            Self::Unread(Unread::Kind) => "unread-kind",
            Self::Unread(Unread::NoCertificate) => "unread-no-certificate",
            Self::Unread(Unread::TooLarge) => "unread-too-large",
        }
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
            algorithm: None,
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
        algorithm: algorithm.map(|(_, name)| name),
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
    let Some((hash, name)) = algorithm(signer.algorithm) else {
        return Fit::Unread(Unread::Algorithm);
    };
    let Some(verification) = verification(key, name) else {
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

fn algorithm(oid: &[u8]) -> Option<(&'static Algorithm, &'static str)> {
    match oid {
        SHA1 => Some((&digest::SHA1_FOR_LEGACY_USE_ONLY, "sha1")),
        SHA256 => Some((&digest::SHA256, "sha256")),
        SHA384 => Some((&digest::SHA384, "sha384")),
        SHA512 => Some((&digest::SHA512, "sha512")),
        _ => None,
    }
}

/// How a signature with this key over this hash is checked.
fn verification(
    key: &SubjectPublicKeyInfo<'_>,
    hash: &str,
) -> Option<&'static dyn VerificationAlgorithm> {
    let parameters = key.algorithm.parameters.as_ref();
    let curve = parameters.map_or(&[][..], |any| any.data);
    match (key.algorithm.algorithm.as_bytes(), curve, hash) {
        (RSA, _, "sha1") => Some(&keys::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY),
        (RSA, _, "sha256") => Some(&keys::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY),
        (RSA, _, "sha384") => Some(&keys::RSA_PKCS1_2048_8192_SHA384),
        (RSA, _, "sha512") => Some(&keys::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY),
        (EC, P256, "sha256") => Some(&keys::ECDSA_P256_SHA256_ASN1),
        (EC, P256, "sha384") => Some(&keys::ECDSA_P256_SHA384_ASN1),
        (EC, P384, "sha256") => Some(&keys::ECDSA_P384_SHA256_ASN1),
        (EC, P384, "sha384") => Some(&keys::ECDSA_P384_SHA384_ASN1),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
