//! Reading the facts of a certificate that Labward goes by: its public key, serial number, dates.
//!
//! It must never decide whether to trust one.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use labward_base::{Timestamp, hex};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::ParsedCertificate;

use crate::authority::MAX_DAYS;
use crate::{IdentityError, Origin};

const DAY: Duration = Duration::from_secs(86_400);

/// Less than this gained is no renewal: near the authority's end there is nothing to gain.
const LEAST_GAIN: Duration = DAY;

/// How a certificate identifies a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identification {
    /// SHA-256 of the SubjectPublicKeyInfo.
    pub spki_sha256: [u8; 32],
    /// The serial number in hex.
    pub serial: String,
    /// From when it is valid.
    pub not_before: Timestamp,
    /// Until when it is valid.
    pub not_after: Timestamp,
    /// Who issued it.
    pub origin: Origin,
}

impl Identification {
    /// Reads a foreign certificate, the first in `pem`.
    ///
    /// # Errors
    ///
    /// [`IdentityError::BadCertificate`] if there is none, or TLS could not use it.
    pub fn from_pem(pem: &[u8]) -> Result<Self, IdentityError> {
        let der =
            CertificateDer::from_pem_slice(pem).map_err(|_| IdentityError::BadCertificate {
                why: "there is no certificate in PEM form",
            })?;
        Self::from_der(&der, Origin::Foreign)
    }

    /// Reads a certificate in DER form.
    ///
    /// # Errors
    ///
    /// [`IdentityError::BadCertificate`] if it is malformed or TLS could not use it.
    pub fn from_der(der: &CertificateDer<'_>, origin: Origin) -> Result<Self, IdentityError> {
        let malformed = IdentityError::BadCertificate {
            why: "it is malformed",
        };
        // What the TLS library itself cannot parse would be bound but never be able to connect.
        if ParsedCertificate::try_from(der).is_err() {
            return Err(malformed);
        }
        let Ok(([], certificate)) = x509_parser::parse_x509_certificate(der) else {
            return Err(malformed);
        };
        let validity = certificate.validity();
        Ok(Self {
            spki_sha256: sha256(certificate.public_key().raw),
            serial: hex::encode(certificate.raw_serial()),
            not_before: Timestamp::from_seconds(validity.not_before.timestamp()),
            not_after: Timestamp::from_seconds(validity.not_after.timestamp()),
            origin,
        })
    }

    /// Whether it is to be renewed at `now`: a third of its life or less is left, and another one,
    /// which cannot outlive the authority, would last longer.
    pub fn is_due(&self, authority_until: Timestamp, now: Timestamp) -> bool {
        let would_gain = self.not_after.plus(LEAST_GAIN) < authority_until;
        would_gain && now >= self.not_after.minus(self.life() / 3)
    }

    /// The days for which our authority issued it, 1 to [`MAX_DAYS`]: the day that it is dated back
    /// is none of them.
    pub fn days(&self) -> u32 {
        let days = self.life().saturating_sub(DAY).as_secs() / DAY.as_secs();
        u32::try_from(days).unwrap_or(MAX_DAYS).clamp(1, MAX_DAYS)
    }

    fn life(&self) -> Duration {
        self.not_after.since(self.not_before)
    }
}

/// SHA-256 of the SubjectPublicKeyInfo of a certificate in DER form.
///
/// # Errors
///
/// [`IdentityError::BadCertificate`] if it is malformed or TLS could not use it.
pub fn spki_sha256(der: &CertificateDer<'_>) -> Result<[u8; 32], IdentityError> {
    Ok(Identification::from_der(der, Origin::Foreign)?.spki_sha256)
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lasting(days: i64) -> Identification {
        Identification {
            spki_sha256: [0; 32],
            serial: String::new(),
            not_before: Timestamp::from_seconds(-86_400),
            not_after: Timestamp::from_seconds(days * 86_400),
            origin: Origin::OwnCa,
        }
    }

    #[test]
    fn a_certificate_is_due_when_a_third_of_its_life_is_left_and_another_would_last_longer() {
        let at = |days: i64| Timestamp::from_seconds(days * 86_400);
        let one = lasting(29);
        assert!(!one.is_due(at(1_000), at(18)));
        assert!(one.is_due(at(1_000), at(19)));
        assert!(one.is_due(at(1_000), at(40)), "also when it has ended");
        assert!(!one.is_due(at(30), at(28)), "a day is no gain");
    }

    #[test]
    fn the_days_of_a_certificate_are_those_it_was_issued_for() {
        for days in [1, 30, 397, 825] {
            assert_eq!(lasting(days.into()).days(), days);
        }
        assert_eq!((lasting(0).days(), lasting(9_999).days()), (1, MAX_DAYS));
    }

    #[test]
    fn text_without_a_certificate_is_refused() {
        for pem in [
            &b""[..],
            b"hello",
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        ] {
            assert!(Identification::from_pem(pem).is_err());
        }
    }

    #[test]
    fn bytes_after_the_certificate_are_refused() {
        let pair = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(["x".to_owned()]).unwrap();
        let der = params.self_signed(&pair).unwrap().der().to_vec();
        let whole = CertificateDer::from(der.clone());
        let read = Identification::from_der(&whole, Origin::Foreign).unwrap();
        let spki = rcgen::PublicKeyData::subject_public_key_info(&pair);
        assert_eq!(
            read.spki_sha256,
            sha256(&spki),
            "the hash is of the whole SPKI"
        );
        let longer = CertificateDer::from([der, vec![0]].concat());
        assert!(Identification::from_der(&longer, Origin::Foreign).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_reading_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = Identification::from_der(&CertificateDer::from(bytes.clone()), Origin::Foreign);
            let _ = Identification::from_pem(&bytes);
        }
    }
}
