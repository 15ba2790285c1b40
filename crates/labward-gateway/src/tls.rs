//! TLS of a listener: 1.3 preferred, 1.2 with ECDHE and AEAD at least, a certificate on both sides.
//!
//! After BCP 195 (RFC 9325). It must never resume a session (which would skip the peer's
//! certificate), take early data (which can be replayed), or read a clock of its own.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use labward_base::{Clock, Problem, problem};
use labward_identity::{Peers, TlsTime, client_verifier};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::NoServerSessionStorage;
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, ServerConnection};

/// What a listener shows to its peers, and the authority that issued theirs.
pub struct ServerIdentity {
    /// The server's certificate, followed by those that lead to its authority.
    pub chain: Vec<CertificateDer<'static>>,
    /// The private key of the first of them.
    pub key: PrivateKeyDer<'static>,
    /// The certificate of the built-in authority.
    pub authority: CertificateDer<'static>,
}

/// Why a listener's TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The server's certificate and key do not fit together, or are malformed.
    #[error("set up TLS with the server's certificate")]
    Certificate(#[source] rustls::Error),
    /// The authority's certificate cannot anchor trust.
    #[error("set up TLS with the authority's certificate")]
    Authority(#[source] labward_identity::IdentityError),
}

impl TlsError {
    /// What a person sees.
    pub const fn problem(&self) -> &'static Problem {
        &problem::IDENTITY_BAD_CERTIFICATE
    }
}

/// The TLS of every listener: whom it admits says `peers`.
pub fn server_config(
    identity: &ServerIdentity,
    peers: &Peers,
    clock: Arc<dyn Clock>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let verifier = client_verifier(peers, &identity.authority).map_err(TlsError::Authority)?;
    // The library's own suites are ECDHE with AEAD only; X25519MLKEM768 stands first.
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_details(provider, Arc::new(TlsTime(clock)))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(TlsError::Certificate)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(identity.chain.clone(), identity.key.clone_key())
        .map_err(TlsError::Certificate)?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    Ok(Arc::new(config))
}

/// The TLS that the listeners show now; another certificate holds for the next handshake.
pub(crate) struct ListenerTls(RwLock<Arc<ServerConfig>>);

impl ListenerTls {
    /// This TLS until it is replaced.
    pub(crate) fn new(config: Arc<ServerConfig>) -> Arc<Self> {
        Arc::new(Self(RwLock::new(config)))
    }

    /// What the next handshake shows.
    pub(crate) fn present(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Shows this from the next handshake on; what is open goes on as it is.
    pub(crate) fn replace(&self, config: Arc<ServerConfig>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = config;
    }
}

/// How a connection is protected, for facts: `TLSv1_3 TLS13_AES_256_GCM_SHA384 X25519MLKEM768`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Protection(String);

impl Protection {
    /// The version, suite and key exchange that a handshake agreed on.
    pub(crate) fn of(connection: &ServerConnection) -> Self {
        let version = connection
            .protocol_version()
            .and_then(|version| version.as_str());
        let suite = connection
            .negotiated_cipher_suite()
            .map(|suite| suite.suite());
        let group = connection
            .negotiated_key_exchange_group()
            .map(|group| group.name());
        let suite = suite
            .as_ref()
            .and_then(|suite| suite.as_str())
            .unwrap_or("?");
        let group = group
            .as_ref()
            .and_then(|group| group.as_str())
            .unwrap_or("?");
        Self(format!("{} {suite} {group}", version.unwrap_or("?")))
    }

    /// An unencrypted line; every entry of it says so.
    pub(crate) fn none() -> Self {
        Self("UNENCRYPTED".into())
    }

    /// The text that stands in facts.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
