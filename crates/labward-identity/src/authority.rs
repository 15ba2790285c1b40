//! The built-in certificate authority: ECDSA P-256, for this installation's peers and server only.
//!
//! It must never write a private key anywhere: keys are handed to the caller once, the authority's
//! own to be sealed, a peer's to be put into its bundle. Transmission security is
//! 45 CFR 164.312(e)(1), person or entity authentication 164.312(d).

use std::time::Duration;

use labward_base::{Secret, Timestamp};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SerialNumber,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use zeroize::Zeroize;

use crate::certificate::sha256;
use crate::enrolment::{Enrolled, requested_key};
use crate::peer::check_name;
use crate::{Identification, IdentityError, Origin, PeerKind};

const DAY: Duration = Duration::from_secs(86_400);
const AUTHORITY_DAYS: u32 = 3_653;

/// How long a peer's certificate lasts if nothing else is asked for, in days.
pub const DEFAULT_PEER_DAYS: u32 = 397;

/// The longest a peer's or server's certificate may last, in days.
pub const MAX_DAYS: u32 = 825;

/// The authority of this installation, able to issue; keep it no longer than issuing takes.
pub struct Authority {
    certificate: CertificateDer<'static>,
    certificate_pem: String,
    not_after: Timestamp,
    key: Secret<Vec<u8>>,
}

/// A new authority and the private key that the caller seals.
pub struct NewAuthority {
    /// The authority, ready to issue.
    pub authority: Authority,
    /// Its private key (PKCS #8, DER), to be kept sealed and given to [`Authority::load`] again.
    pub key: Secret<Vec<u8>>,
}

/// A certificate with its private key and its authority, each in PEM form.
pub struct Bundle {
    /// The certificate.
    pub cert_pem: String,
    /// Its private key (PKCS #8).
    pub key_pem: Secret<String>,
    /// The authority that the holder checks Labward's own certificate against.
    pub ca_pem: String,
}

/// What was issued.
pub struct Issued {
    /// What the holder gets.
    pub bundle: Bundle,
    /// How Labward knows the holder again.
    pub identification: Identification,
}

/// A certificate that vouches for nobody but itself, and its key: for the time before there is an
/// authority. Whoever trusts it compares its fingerprint.
pub struct SelfSigned {
    /// The certificate.
    pub certificate: CertificateDer<'static>,
    /// Its private key (PKCS #8, DER).
    pub key: Secret<Vec<u8>>,
}

impl SelfSigned {
    /// Makes one for these DNS names and addresses, for `days`.
    ///
    /// # Errors
    ///
    /// [`IdentityError::NotAName`] if there is no name or one does not fit; [`IdentityError::Signing`].
    pub fn create(names: &[String], now: Timestamp, days: u32) -> Result<Self, IdentityError> {
        let unfit = IdentityError::NotAName { what: "host name" };
        let Some(first) = names.first() else {
            return Err(unfit);
        };
        let mut params = base_params(first, now, days)?;
        params.subject_alt_names = CertificateParams::new(names)
            .map_err(|_| unfit)?
            .subject_alt_names;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let mut pair = KeyPair::generate().map_err(signing)?;
        let certificate = params.self_signed(&pair).map_err(signing)?;
        let key = Secret::new(pair.serialize_der());
        pair.zeroize();
        Ok(Self {
            certificate: certificate.der().clone(),
            key,
        })
    }
}

impl Authority {
    /// Makes a new authority for ten years; `lab` is shown as its organization.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Signing`] if the random source or the signing fails.
    pub fn create(lab: &str, now: Timestamp) -> Result<NewAuthority, IdentityError> {
        let mut pair = KeyPair::generate().map_err(signing)?;
        let mut params = base_params("Labward authority", now, AUTHORITY_DAYS)?;
        params
            .distinguished_name
            .push(DnType::OrganizationName, lab);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&pair).map_err(signing)?;
        let key = Secret::new(pair.serialize_der());
        pair.zeroize();
        let authority = Self::load(&certificate.pem(), key.clone())?;
        Ok(NewAuthority { authority, key })
    }

    /// The authority of this certificate, with the private key the caller has unsealed.
    ///
    /// # Errors
    ///
    /// [`IdentityError::BadCertificate`] if either cannot be read or the two do not belong together.
    pub fn load(certificate_pem: &str, key: Secret<Vec<u8>>) -> Result<Self, IdentityError> {
        let certificate =
            CertificateDer::from_pem_slice(certificate_pem.as_bytes()).map_err(|_| {
                IdentityError::BadCertificate {
                    why: "the authority's own is not in PEM form",
                }
            })?;
        let facts = Identification::from_der(&certificate, Origin::OwnCa)?;
        let mut pair = key_pair(&key)?;
        let belongs = sha256(&pair.subject_public_key_info()) == facts.spki_sha256;
        pair.zeroize();
        if !belongs {
            return Err(IdentityError::BadCertificate {
                why: "the authority's certificate and key do not belong together",
            });
        }
        Ok(Self {
            certificate,
            certificate_pem: certificate_pem.to_owned(),
            not_after: facts.not_after,
            key,
        })
    }

    /// The authority's certificate in DER form, as the verifiers take it.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// The authority's certificate in PEM form.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// Issues a peer's certificate for `days` (1 to [`MAX_DAYS`]).
    ///
    /// # Errors
    ///
    /// [`IdentityError::NotAName`] if name or days do not fit; [`IdentityError::Signing`].
    pub fn issue_peer(
        &self,
        name: &str,
        kind: PeerKind,
        now: Timestamp,
        days: u32,
    ) -> Result<Issued, IdentityError> {
        self.issue(&self.peer_params(name, kind, now, days)?)
    }

    /// Issues a peer's certificate for the key that `request` (PKCS #10, DER) proves to be held;
    /// what else the request says counts for nothing.
    ///
    /// # Errors
    ///
    /// As [`Authority::issue_peer`]; [`IdentityError::BadCertificate`] if the request is not sound.
    pub fn issue_for_request(
        &self,
        name: &str,
        kind: PeerKind,
        request: &[u8],
        now: Timestamp,
        days: u32,
    ) -> Result<Enrolled, IdentityError> {
        let key = requested_key(request)?;
        let certificate = self.sign(&self.peer_params(name, kind, now, days)?, &key)?;
        Ok(Enrolled {
            identification: Identification::from_der(certificate.der(), Origin::OwnCa)?,
            cert_pem: certificate.pem(),
            ca_pem: self.certificate_pem.clone(),
        })
    }

    /// Issues the server's own certificate for these DNS names and addresses, for `days`.
    ///
    /// It is good for connecting out, too: destinations may ask for it.
    ///
    /// # Errors
    ///
    /// [`IdentityError::NotAName`] if there is no name or one does not fit; [`IdentityError::Signing`].
    pub fn issue_server(
        &self,
        names: &[String],
        now: Timestamp,
        days: u32,
    ) -> Result<Issued, IdentityError> {
        let Some(first) = names.first() else {
            return Err(IdentityError::NotAName { what: "host name" });
        };
        let mut params = self.leaf_params(first, names, now, days)?;
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        self.issue(&params)
    }

    fn peer_params(
        &self,
        name: &str,
        kind: PeerKind,
        now: Timestamp,
        days: u32,
    ) -> Result<CertificateParams, IdentityError> {
        check_name(name)?;
        let mut params = self.leaf_params(name, &[name.to_owned()], now, days)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        if receives(kind) {
            params
                .extended_key_usages
                .push(ExtendedKeyUsagePurpose::ServerAuth);
        }
        Ok(params)
    }

    fn leaf_params(
        &self,
        name: &str,
        alternatives: &[String],
        now: Timestamp,
        days: u32,
    ) -> Result<CertificateParams, IdentityError> {
        if !(1..=MAX_DAYS).contains(&days) {
            return Err(IdentityError::NotAName { what: "validity" });
        }
        let fits = |name: &String| {
            name.parse::<std::net::IpAddr>().is_ok()
                || rustls::pki_types::DnsName::try_from(name.as_str()).is_ok()
                || check_name(name).is_ok()
        };
        if !alternatives.iter().all(fits) {
            return Err(IdentityError::NotAName { what: "host name" });
        }
        let mut params = base_params(name, now, days)?;
        params.subject_alt_names = CertificateParams::new(alternatives)
            .map_err(|_| IdentityError::NotAName { what: "host name" })?
            .subject_alt_names;
        params.not_after = params.not_after.min(self.not_after.to_offset());
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        Ok(params)
    }

    fn issue(&self, params: &CertificateParams) -> Result<Issued, IdentityError> {
        let mut pair = KeyPair::generate().map_err(signing)?;
        let certificate = self.sign(params, &pair)?;
        let key_pem = Secret::new(pair.serialize_pem());
        pair.zeroize();
        Ok(Issued {
            identification: Identification::from_der(certificate.der(), Origin::OwnCa)?,
            bundle: Bundle {
                cert_pem: certificate.pem(),
                key_pem,
                ca_pem: self.certificate_pem.clone(),
            },
        })
    }
}

impl Authority {
    fn sign(
        &self,
        params: &CertificateParams,
        key: &impl PublicKeyData,
    ) -> Result<Certificate, IdentityError> {
        let issuer =
            Issuer::from_ca_cert_der(&self.certificate, key_pair(&self.key)?).map_err(signing)?;
        params.signed_by(key, &issuer).map_err(signing)
    }
}

impl Bundle {
    /// Certificate, private key and authority in one PEM text.
    pub fn to_pem(&self) -> Secret<String> {
        let parts = [&self.cert_pem, self.key_pem.expose(), &self.ca_pem];
        // Room for all of it at once: growing would leave copies of the key behind.
        let mut whole = String::with_capacity(parts.iter().map(|part| part.len() + 1).sum());
        for part in parts {
            whole.push_str(part);
            if !part.ends_with('\n') {
                whole.push('\n');
            }
        }
        Secret::new(whole)
    }
}

/// Whether peers of this kind also take connections from Labward.
fn receives(kind: PeerKind) -> bool {
    !matches!(kind, PeerKind::Analyzer | PeerKind::Edge)
}

fn base_params(name: &str, now: Timestamp, days: u32) -> Result<CertificateParams, IdentityError> {
    let mut params = CertificateParams::default();
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    params.distinguished_name = subject;
    // A day back: clocks of instruments run behind.
    params.not_before = now.minus(DAY).to_offset();
    params.not_after = now.plus(DAY.saturating_mul(days)).to_offset();
    params.serial_number = Some(random_serial()?);
    Ok(params)
}

/// 126 random bits (RFC 5280 4.1.2.2: positive, at most 20 bytes; CA/B Forum: at least 64 random).
fn random_serial() -> Result<SerialNumber, IdentityError> {
    let mut bytes = [0u8; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(signing)?;
    let [first, ..] = &mut bytes;
    *first = (*first & 0x7f) | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

fn key_pair(key: &Secret<Vec<u8>>) -> Result<KeyPair, IdentityError> {
    let der = PrivatePkcs8KeyDer::from(key.expose().as_slice());
    KeyPair::from_pkcs8_der_and_sign_algo(&der, &rcgen::PKCS_ECDSA_P256_SHA256).map_err(|_| {
        IdentityError::BadCertificate {
            why: "the authority's key is malformed",
        }
    })
}

fn signing(error: impl std::error::Error + Send + Sync + 'static) -> IdentityError {
    IdentityError::Signing(Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use x509_parser::prelude::*;

    fn now() -> Timestamp {
        Timestamp::from_seconds(1_795_000_000)
    }

    fn with_certificate(pem: &str, check: impl FnOnce(&X509Certificate<'_>)) {
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        check(&parse_x509_certificate(&der).unwrap().1);
    }

    #[test]
    fn an_analyzer_may_only_be_a_client_and_is_no_authority() {
        let authority = Authority::create("Test lab", now()).unwrap().authority;
        let issued = authority
            .issue_peer("cobas-1", PeerKind::Analyzer, now(), 397)
            .unwrap();
        with_certificate(&issued.bundle.cert_pem, |certificate| {
            let usage = certificate.extended_key_usage().unwrap().unwrap().value;
            assert!(usage.client_auth && !usage.server_auth && !usage.any);
            assert!(!certificate.is_ca());
            assert_eq!(certificate.raw_serial().len(), 16);
            let days = certificate.validity().not_after.timestamp() - now().as_seconds();
            assert_eq!(days, 397 * 86_400);
        });
        let ehr = authority
            .issue_peer("ehr", PeerKind::Ehr, now(), 1)
            .unwrap();
        with_certificate(&ehr.bundle.cert_pem, |certificate| {
            let usage = certificate.extended_key_usage().unwrap().unwrap().value;
            assert!(usage.client_auth && usage.server_auth);
        });
    }

    #[test]
    fn the_authority_signs_leaves_only() {
        let authority = Authority::create("Test lab", now()).unwrap().authority;
        with_certificate(authority.certificate_pem(), |certificate| {
            let constraints = certificate.basic_constraints().unwrap().unwrap().value;
            assert!(constraints.ca);
            assert_eq!(constraints.path_len_constraint, Some(0));
        });
    }

    #[test]
    fn a_loaded_authority_issues_under_the_same_certificate() {
        let new = Authority::create("Test lab", now()).unwrap();
        let loaded = Authority::load(new.authority.certificate_pem(), new.key).unwrap();
        let issued = loaded
            .issue_server(
                &["lab.example".to_owned(), "10.0.0.5".to_owned()],
                now(),
                397,
            )
            .unwrap();
        let ca = new.authority.certificate().clone();
        let (_, ca) = parse_x509_certificate(&ca).unwrap();
        with_certificate(&issued.bundle.cert_pem, |certificate| {
            certificate.verify_signature(Some(ca.public_key())).unwrap();
            let names = certificate.subject_alternative_name().unwrap().unwrap();
            assert_eq!(names.value.general_names.len(), 2);
        });
    }

    #[test]
    fn another_authoritys_key_is_refused() {
        let one = Authority::create("One", now()).unwrap();
        let other = Authority::create("Other", now()).unwrap();
        assert!(Authority::load(one.authority.certificate_pem(), other.key).is_err());
        assert!(Authority::load("", one.key).is_err());
    }

    #[test]
    fn no_certificate_outlives_its_authority() {
        let new = Authority::create("Test lab", now()).unwrap();
        let late = now().plus(DAY * 3_600);
        let issued = new
            .authority
            .issue_peer("late", PeerKind::Lis, late, 825)
            .unwrap();
        assert_eq!(issued.identification.not_after, new.authority.not_after);
    }

    #[test]
    fn names_and_validities_that_do_not_fit_are_refused() {
        let authority = Authority::create("Test lab", now()).unwrap().authority;
        for (name, days) in [("a b", 1), ("", 1), ("x", 0), ("x", 826)] {
            let issued = authority.issue_peer(name, PeerKind::Analyzer, now(), days);
            assert!(issued.is_err(), "{name:?} {days}");
        }
        assert!(authority.issue_server(&[], now(), 1).is_err());
        assert!(
            authority
                .issue_server(&["a b".to_owned()], now(), 1)
                .is_err()
        );
    }

    #[test]
    fn a_bundle_holds_certificate_key_and_authority_in_this_order() {
        let authority = Authority::create("Test lab", now()).unwrap().authority;
        let issued = authority.issue_peer("x", PeerKind::Lis, now(), 1).unwrap();
        let pem = issued.bundle.to_pem();
        let labels: Vec<_> = pem
            .expose()
            .lines()
            .filter(|line| line.starts_with("-----BEGIN"))
            .collect();
        assert_eq!(
            labels,
            [
                "-----BEGIN CERTIFICATE-----",
                "-----BEGIN PRIVATE KEY-----",
                "-----BEGIN CERTIFICATE-----"
            ]
        );
    }

    #[test]
    fn a_self_signed_certificate_vouches_for_itself_and_its_names_alone() {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = SelfSigned::create(&names, now(), 7).unwrap();
        let (_, certificate) = parse_x509_certificate(&made.certificate).unwrap();
        assert_eq!(certificate.issuer(), certificate.subject());
        assert!(certificate.verify_signature(None).is_ok() && !certificate.is_ca());
        let alternatives = certificate.subject_alternative_name().unwrap().unwrap();
        assert_eq!(alternatives.value.general_names.len(), 2);
        assert!(SelfSigned::create(&[], now(), 7).is_err());
        assert!(SelfSigned::create(&["laboratorio-ñ".to_owned()], now(), 7).is_err());
        let other = SelfSigned::create(&names, now(), 7).unwrap();
        assert_ne!(*made.key.expose(), *other.key.expose());
    }
}
