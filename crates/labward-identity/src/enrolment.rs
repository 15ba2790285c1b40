//! Enrolment by a one-time code: a machine makes its own key, and the code tells it whom to trust.
//!
//! A code is `secret 10 ‖ authority 16 ‖ check 4`, written in base 32 as eight groups of six. The
//! secret opens the door once; `authority` is the beginning of the SHA-256 of the authority's public
//! key, so that the machine knows the right server before it has any certificate; `check` catches
//! typing errors. It must never send the secret before the server has shown that authority
//! (45 CFR 164.312(d)), and the machine's private key never leaves the machine.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use labward_base::{Secret, Timestamp};
use labward_seal::{base32, constant_time_eq, random_bytes, sha256};
use rcgen::{CertificateParams, CertificateSigningRequestParams, DistinguishedName, KeyPair};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, aws_lc_rs};
use rustls::pki_types::{CertificateDer, CertificateSigningRequestDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use zeroize::{Zeroize as _, Zeroizing};

use crate::{Identification, IdentityError, spki_sha256};

const SECRET_BYTES: usize = 10;
const AUTHORITY_BYTES: usize = 16;
const CHECK_BYTES: usize = 4;
const CODE_BYTES: usize = SECRET_BYTES + AUTHORITY_BYTES + CHECK_BYTES;
const GROUP_CHARS: usize = 6;

/// A one-time enrolment code.
#[derive(Clone)]
pub struct EnrolmentCode {
    secret: Secret<[u8; SECRET_BYTES]>,
    authority: [u8; AUTHORITY_BYTES],
}

/// The part of a code that the server remembers; it says nothing about the code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CodeDigest([u8; 32]);

impl EnrolmentCode {
    /// A new random code for machines that are to trust `authority`.
    ///
    /// # Errors
    /// [`IdentityError::Signing`] without random bytes, [`IdentityError::BadCertificate`].
    pub fn generate(authority: &CertificateDer<'_>) -> Result<Self, IdentityError> {
        let secret = random_bytes().map_err(|error| IdentityError::Signing(Box::new(error)))?;
        Ok(Self {
            secret: Secret::new(secret),
            authority: beginning_of(&spki_sha256(authority)?),
        })
    }

    /// What is shown to the server, once it has shown its authority.
    pub const fn secret(&self) -> &Secret<[u8; SECRET_BYTES]> {
        &self.secret
    }

    /// What the server remembers of the code.
    pub fn digest(&self) -> CodeDigest {
        CodeDigest::of(self.secret.expose())
    }

    /// The whole code, to be read out or typed.
    pub fn to_text(&self) -> Secret<String> {
        let mut bytes = Zeroizing::new([0; CODE_BYTES]);
        let parts = [&self.secret.expose()[..], &self.authority];
        let check = check_of(&parts.concat());
        let whole = parts.into_iter().flatten().chain(&check);
        bytes
            .iter_mut()
            .zip(whole)
            .for_each(|(to, from)| *to = *from);
        let mut text = String::with_capacity(CODE_BYTES * 2);
        for (place, symbol) in base32::symbols(bytes.as_slice()).enumerate() {
            if place > 0 && place % GROUP_CHARS == 0 {
                text.push('-');
            }
            text.push(symbol);
        }
        Secret::new(text)
    }
}

impl FromStr for EnrolmentCode {
    type Err = IdentityError;

    fn from_str(text: &str) -> Result<Self, IdentityError> {
        let wrong = || IdentityError::NotAName {
            what: "enrolment code",
        };
        let bytes = base32::decode::<CODE_BYTES>(text).ok_or_else(wrong)?;
        let (body, check) = bytes.split_at(SECRET_BYTES + AUTHORITY_BYTES);
        if !constant_time_eq(&check_of(body), check) {
            return Err(wrong());
        }
        let (secret, authority) = body.split_first_chunk().ok_or_else(wrong)?;
        Ok(Self {
            secret: Secret::new(*secret),
            authority: *authority.first_chunk().ok_or_else(wrong)?,
        })
    }
}

impl CodeDigest {
    /// The digest of a code's secret, as it was shown; of whatever else was, too.
    pub fn of(secret: &[u8]) -> Self {
        Self(sha256(&[b"labward/enrolment1", secret].concat()))
    }

    /// Whether both are of one code, without telling how much of it fits.
    pub fn fits(&self, other: &Self) -> bool {
        constant_time_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for EnrolmentCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnrolmentCode")
    }
}

impl fmt::Debug for CodeDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeDigest")
    }
}

/// A key pair made where it is used, and the request that proves it is held.
pub struct KeyRequest {
    /// The private key (PKCS #8, PEM), which stays on this machine.
    pub key_pem: Secret<String>,
    /// The request (PKCS #10, DER), to be sent.
    pub request: Vec<u8>,
}

impl KeyRequest {
    /// A new key pair and its request.
    ///
    /// # Errors
    /// [`IdentityError::Signing`].
    pub fn generate() -> Result<Self, IdentityError> {
        let signing = |error: rcgen::Error| IdentityError::Signing(Box::new(error));
        let mut pair = KeyPair::generate().map_err(signing)?;
        let mut params = CertificateParams::default();
        // The server decides what the certificate says.
        params.distinguished_name = DistinguishedName::new();
        let request = params.serialize_request(&pair).map_err(signing)?;
        let key_pem = Secret::new(pair.serialize_pem());
        pair.zeroize();
        Ok(Self {
            key_pem,
            request: request.der().to_vec(),
        })
    }
}

/// The public key of a request whose signature proves that its sender holds the private one.
pub(crate) fn requested_key(request: &[u8]) -> Result<rcgen::PublicKey, IdentityError> {
    let request = CertificateSigningRequestDer::from(request);
    let request = CertificateSigningRequestParams::from_der(&request).map_err(|_| {
        IdentityError::BadCertificate {
            why: "the request for it is malformed or not signed by its own key",
        }
    })?;
    Ok(request.public_key)
}

/// What was issued for a key that its holder made itself.
pub struct Enrolled {
    /// The certificate, PEM.
    pub cert_pem: String,
    /// The authority that the holder checks Labward's own certificate against, PEM.
    pub ca_pem: String,
    /// How Labward knows the holder again.
    pub identification: Identification,
}

/// The verifier of a machine that enrols: trusts the one authority that the code names.
///
/// The server shows the authority's certificate behind its own.
pub fn enrolment_verifier(code: &EnrolmentCode) -> Arc<dyn ServerCertVerifier> {
    let provider = aws_lc_rs::default_provider();
    Arc::new(PinnedAuthority {
        authority: code.authority,
        algorithms: provider.signature_verification_algorithms,
    })
}

/// The certificate of the authority that `code` names, if it is among `shown` and in date at `now`.
pub fn pinned_authority<'a>(
    code: &EnrolmentCode,
    shown: &'a [CertificateDer<'static>],
    now: Timestamp,
) -> Option<&'a CertificateDer<'static>> {
    let authority = find(&code.authority, shown)?;
    let facts = Identification::from_der(authority, crate::Origin::OwnCa).ok()?;
    (facts.not_before <= now && now <= facts.not_after).then_some(authority)
}

struct PinnedAuthority {
    authority: [u8; AUTHORITY_BYTES],
    algorithms: WebPkiSupportedAlgorithms,
}

impl fmt::Debug for PinnedAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PinnedAuthority")
    }
}

impl ServerCertVerifier for PinnedAuthority {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let unknown = || Error::from(CertificateError::UnknownIssuer);
        let authority = find(&self.authority, intermediates).ok_or_else(unknown)?;
        let mut roots = RootCertStore::empty();
        roots
            .add(authority.clone().into_owned())
            .map_err(|_| unknown())?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|_| unknown())?
            .verify_server_cert(end_entity, &[], server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn find<'a, 'b>(
    authority: &[u8; AUTHORITY_BYTES],
    shown: &'a [CertificateDer<'b>],
) -> Option<&'a CertificateDer<'b>> {
    let is_it = |shown: &&CertificateDer<'_>| {
        spki_sha256(shown).is_ok_and(|spki| beginning_of(&spki) == *authority)
    };
    shown.iter().find(is_it)
}

fn beginning_of(digest: &[u8; 32]) -> [u8; AUTHORITY_BYTES] {
    digest.first_chunk().copied().unwrap_or_default()
}

fn check_of(body: &[u8]) -> [u8; CHECK_BYTES] {
    let digest = sha256(&[b"labward/enrolment-check1", body].concat());
    digest.first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Authority, PeerKind};
    use proptest::prelude::*;

    fn now() -> Timestamp {
        Timestamp::from_seconds(1_795_000_000)
    }

    fn authority(lab: &str) -> Authority {
        Authority::create(lab, now()).unwrap().authority
    }

    fn verify(code: &EnrolmentCode, by: &Authority, name: &str) -> Result<(), Error> {
        let issued = by.issue_server(&["lab.example".to_owned()], now(), 30);
        let pem = issued.unwrap().bundle.cert_pem;
        let leaf: CertificateDer<'_> =
            rustls::pki_types::pem::PemObject::from_pem_slice(pem.as_bytes()).unwrap();
        let shown = [by.certificate().clone()];
        let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_795_000_000));
        let name = ServerName::try_from(name.to_owned()).unwrap();
        enrolment_verifier(code)
            .verify_server_cert(&leaf, &shown, &name, &[], at)
            .map(|_| ())
    }

    #[test]
    fn a_code_is_read_as_it_was_written_however_it_was_typed() {
        let code = EnrolmentCode::generate(authority("A").certificate()).unwrap();
        let text = code.to_text().expose().clone();
        assert_eq!((text.len(), text.split('-').count()), (55, 8));
        for typed in [
            text.clone(),
            text.to_lowercase(),
            text.replace('-', " "),
            format!(" {text}\n"),
        ] {
            let read: EnrolmentCode = typed.parse().unwrap();
            assert!(read.digest().fits(&code.digest()));
            assert_eq!(read.authority, code.authority);
        }
    }

    #[test]
    fn a_mistyped_code_is_noticed_before_anything_is_sent() {
        let code = EnrolmentCode::generate(authority("A").certificate()).unwrap();
        let text = code.to_text().expose().clone();
        for place in text.char_indices().filter(|(_, c)| *c != '-') {
            let other = if place.1 == '7' { "8" } else { "7" };
            let mut typed = text.clone();
            typed.replace_range(place.0..=place.0, other);
            assert!(typed.parse::<EnrolmentCode>().is_err(), "{typed}");
        }
        for typed in ["", "1", &text[1..], &format!("{text}0")] {
            assert!(typed.parse::<EnrolmentCode>().is_err(), "{typed}");
        }
    }

    #[test]
    fn a_server_of_another_authority_or_name_is_refused_for_its_own_reason() {
        let (right, wrong) = (authority("A"), authority("B"));
        let code = EnrolmentCode::generate(right.certificate()).unwrap();
        assert_eq!(verify(&code, &right, "lab.example"), Ok(()));
        assert_eq!(
            verify(&code, &wrong, "lab.example"),
            Err(CertificateError::UnknownIssuer.into())
        );
        let other_name = verify(&code, &right, "other.example").unwrap_err();
        assert!(matches!(
            other_name,
            Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
            )
        ));
    }

    #[test]
    fn the_pinned_authority_is_found_among_what_was_shown_while_it_lasts() {
        let (right, wrong) = (authority("A"), authority("B"));
        let code = EnrolmentCode::generate(right.certificate()).unwrap();
        let shown = [wrong.certificate().clone(), right.certificate().clone()];
        let found = pinned_authority(&code, &shown, now());
        assert_eq!(found, Some(right.certificate()));
        assert_eq!(pinned_authority(&code, &shown[..1], now()), None);
        let later = now().plus(std::time::Duration::from_secs(11 * 365 * 86_400));
        assert_eq!(pinned_authority(&code, &shown, later), None);
    }

    #[test]
    fn a_certificate_is_issued_for_the_key_that_the_request_holds() {
        let authority = authority("A");
        let made = KeyRequest::generate().unwrap();
        let enrolled = authority
            .issue_for_request("bench-1", PeerKind::Edge, &made.request, now(), 30)
            .unwrap();
        let pair = KeyPair::from_pem(made.key_pem.expose()).unwrap();
        let spki = rcgen::PublicKeyData::subject_public_key_info(&pair);
        assert_eq!(enrolled.identification.spki_sha256, sha256(&spki));
        assert!(!enrolled.cert_pem.contains("PRIVATE"));
        assert_eq!(enrolled.ca_pem, authority.certificate_pem());
    }

    #[test]
    fn a_request_that_its_key_did_not_sign_gets_nothing() {
        let authority = authority("A");
        let made = KeyRequest::generate().unwrap();
        for place in [made.request.len() - 1, made.request.len() / 2, 40] {
            let mut changed = made.request.clone();
            changed[place] ^= 1;
            let refused =
                authority.issue_for_request("bench-1", PeerKind::Edge, &changed, now(), 30);
            assert!(refused.is_err(), "{place}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_reading_a_request_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..400)
        ) {
            prop_assert!(requested_key(&bytes).is_err());
        }
    }
}
