//! Who may complete a TLS handshake: active peers, and nobody else.
//!
//! The verifiers must never read a clock: they take the time that TLS gives them, which the server
//! sets from its own `Clock` ([`TlsTime`]; **Invariant:** time is a parameter). Strangers are refused in
//! the handshake, before a byte of a message is read. Person or entity authentication is
//! 45 CFR 164.312(d).
//!
//! A resumed TLS session is not verified again, so whoever accepts a connection also asks
//! [`Peers::authenticate`] after each handshake.

use std::fmt;
use std::sync::Arc;

use labward_base::id::PeerId;
use labward_base::{Clock, Timestamp};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::time_provider::TimeProvider;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
};

use crate::{Identification, IdentityError, Origin, Peer, Peers};

/// Why whoever connects is not a peer; a reason for the ledger, never told to the stranger in
/// more than TLS' own alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stranger {
    /// The certificate or its signature is malformed or wrong.
    BadCertificate,
    /// The certificate's time is over.
    Expired,
    /// No certificate was presented.
    NoCertificate,
    /// The certificate's time has not begun.
    NotYetValid,
    /// The peer was revoked.
    Revoked,
    /// The public key belongs to no peer.
    UnknownKey,
    /// The public key is a peer's, but our authority did not issue the certificate.
    WrongIssuer,
}

/// Whom a connection that goes out expects to reach.
#[derive(Clone, Debug)]
pub enum ExpectedServer {
    /// Whoever holds a certificate from one of these authorities for the name dialled.
    Authorities(Vec<CertificateDer<'static>>),
    /// This active peer, by its public key; the name dialled does not matter.
    Peer(PeerId),
}

/// The time of TLS, from our clock.
pub struct TlsTime(pub Arc<dyn Clock>);

/// The verifier of a listener: admits active peers and nobody else.
///
/// `authority` is the certificate of the built-in authority, whose peers must chain to it; foreign
/// ones are pinned by public key. Both must be in date.
///
/// # Errors
///
/// [`IdentityError::BadCertificate`] if the authority's certificate cannot anchor trust.
pub fn client_verifier(
    peers: &Peers,
    authority: &CertificateDer<'static>,
) -> Result<Arc<dyn ClientCertVerifier>, IdentityError> {
    Ok(Arc::new(PeerCheck::new(peers, authority, None)?))
}

/// The verifier of a connection that goes out.
///
/// # Errors
///
/// [`IdentityError::BadCertificate`] if an authority's certificate cannot anchor trust.
pub fn server_verifier(
    expected: ExpectedServer,
    peers: &Peers,
    authority: &CertificateDer<'static>,
) -> Result<Arc<dyn ServerCertVerifier>, IdentityError> {
    match expected {
        ExpectedServer::Peer(id) => Ok(Arc::new(PeerCheck::new(peers, authority, Some(id))?)),
        ExpectedServer::Authorities(roots) => {
            let roots = anchors(&roots)?;
            let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider()).build();
            Ok(verifier.map_err(|_| NO_ANCHOR)?)
        }
    }
}

impl Stranger {
    /// Why a handshake failed, if it failed over the other side's certificate.
    pub fn from_tls(error: &Error) -> Option<Self> {
        use CertificateError as C;
        match error {
            Error::NoCertificatesPresented => Some(Self::NoCertificate),
            Error::InvalidCertificate(cause) => Some(match cause {
                C::ApplicationVerificationFailure => Self::UnknownKey,
                C::Expired | C::ExpiredContext { .. } => Self::Expired,
                C::NotValidYet | C::NotValidYetContext { .. } => Self::NotYetValid,
                C::Revoked => Self::Revoked,
                C::UnknownIssuer => Self::WrongIssuer,
                _ => Self::BadCertificate,
            }),
            _ => None,
        }
    }

    /// The reason's stable name in facts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadCertificate => "bad-certificate",
            Self::Expired => "expired",
            Self::NoCertificate => "no-certificate",
            Self::NotYetValid => "not-yet-valid",
            Self::Revoked => "revoked",
            Self::UnknownKey => "unknown-key",
            Self::WrongIssuer => "wrong-issuer",
        }
    }
}

impl Peers {
    /// The peer that presented `chain`, if it is one and active at `now`.
    ///
    /// It repeats what the verifier decided, without the issuer's signature: a resumed session
    /// skips the verifier, and a peer may have been revoked since.
    ///
    /// # Errors
    ///
    /// Why it is a stranger.
    pub fn authenticate(
        &self,
        chain: &[CertificateDer<'_>],
        now: Timestamp,
    ) -> Result<Arc<Peer>, Stranger> {
        let end_entity = chain.first().ok_or(Stranger::NoCertificate)?;
        let facts = Identification::from_der(end_entity, Origin::Foreign)
            .map_err(|_| Stranger::BadCertificate)?;
        self.identify(&facts, now)
    }

    fn identify(&self, facts: &Identification, now: Timestamp) -> Result<Arc<Peer>, Stranger> {
        let peer = self
            .by_spki(&facts.spki_sha256)
            .ok_or(Stranger::UnknownKey)?;
        if !peer.is_active() {
            return Err(Stranger::Revoked);
        }
        if now < facts.not_before {
            return Err(Stranger::NotYetValid);
        }
        if now > facts.not_after || !peer.holds_key(&facts.spki_sha256, now) {
            return Err(Stranger::Expired);
        }
        Ok(peer)
    }
}

impl fmt::Debug for TlsTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsTime")
    }
}

impl TimeProvider for TlsTime {
    fn current_time(&self) -> Option<UnixTime> {
        // A clock before 1970 is no time that any certificate could be valid at.
        let micros = u64::try_from(self.0.now().as_micros()).ok()?;
        Some(UnixTime::since_unix_epoch(
            std::time::Duration::from_micros(micros),
        ))
    }
}

/// One check for both directions; `only` is the peer that an outgoing connection expects.
struct PeerCheck {
    peers: Peers,
    own: Arc<dyn ClientCertVerifier>,
    only: Option<PeerId>,
    algorithms: WebPkiSupportedAlgorithms,
}

const NO_ANCHOR: IdentityError = IdentityError::BadCertificate {
    why: "it cannot be an authority",
};

impl PeerCheck {
    fn new(
        peers: &Peers,
        authority: &CertificateDer<'static>,
        only: Option<PeerId>,
    ) -> Result<Self, IdentityError> {
        let provider = provider();
        let roots = anchors(std::slice::from_ref(authority))?;
        let algorithms = provider.signature_verification_algorithms;
        let own = WebPkiClientVerifier::builder_with_provider(roots, provider)
            .build()
            .map_err(|_| NO_ANCHOR)?;
        Ok(Self {
            peers: peers.clone(),
            own,
            only,
            algorithms,
        })
    }

    fn check(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        let facts = Identification::from_der(end_entity, Origin::Foreign)
            .map_err(|_| Error::from(CertificateError::BadEncoding))?;
        let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let peer = self
            .peers
            .identify(&facts, Timestamp::from_seconds(seconds))
            .map_err(alert)?;
        if self.only.is_some_and(|only| only != peer.id) {
            return Err(alert(Stranger::UnknownKey));
        }
        if peer.origin == Origin::OwnCa {
            // Every certificate that our authority gives a peer is a client's, a receiver's too.
            self.own
                .verify_client_cert(end_entity, intermediates, now)?;
        }
        Ok(())
    }

    fn signature12(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn signature13(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.algorithms)
    }
}

impl fmt::Debug for PeerCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerCheck")
            .field("only", &self.only)
            .finish_non_exhaustive()
    }
}

impl ClientCertVerifier for PeerCheck {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        // No hint: a foreign peer would take it as a sign not to present its certificate.
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(end_entity, intermediates, now)
            .map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature12(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature13(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl ServerCertVerifier for PeerCheck {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(end_entity, intermediates, now)
            .map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature12(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature13(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// The error whose TLS alert says no more than the standard's word for it.
fn alert(stranger: Stranger) -> Error {
    match stranger {
        Stranger::BadCertificate => CertificateError::BadEncoding.into(),
        Stranger::Expired => CertificateError::Expired.into(),
        Stranger::NoCertificate => Error::NoCertificatesPresented,
        Stranger::NotYetValid => CertificateError::NotValidYet.into(),
        Stranger::Revoked => CertificateError::Revoked.into(),
        Stranger::UnknownKey => CertificateError::ApplicationVerificationFailure.into(),
        Stranger::WrongIssuer => CertificateError::UnknownIssuer.into(),
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn anchors(certificates: &[CertificateDer<'static>]) -> Result<Arc<RootCertStore>, IdentityError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate.clone()).map_err(|_| NO_ANCHOR)?;
    }
    Ok(Arc::new(roots))
}
