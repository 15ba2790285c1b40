//! HTTPS to the identity provider: one request a connection, each within a time and a size.
//!
//! It must never speak without TLS, follow a redirection, or trust a certificate from an authority
//! that neither the machine nor the configuration names. The times of certificates are held against
//! our clock (**Invariant:** time is a parameter).

use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use labward_base::Clock;
use labward_identity::TlsTime;
use openidconnect::{HttpRequest, HttpResponse};
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use ureq::unversioned::transport::{ConnectionDetails, Connector};
use ureq::{Agent, Error};

use crate::outbound::{Line, LineTransport, NoResolver};

/// How long one request may take altogether.
const TIMEOUT: Duration = Duration::from_secs(8);
/// How long one address is tried.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
/// Bytes that an answer may have: a document, keys or a token are a few KiB.
const ANSWER_MAX_BYTES: u64 = 256 << 10;

/// Why there is no answer, in words for the log.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct NoAnswer(String);

/// The way to the provider.
pub(super) struct ProviderClient(Agent);

impl ProviderClient {
    /// The way as the configuration describes it; `ca_file` instead of the machine's authorities.
    pub(super) fn new(ca_file: Option<&Path>, clock: &Arc<dyn Clock>) -> Result<Self, NoAnswer> {
        let time = Arc::new(TlsTime(Arc::clone(clock)));
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_details(provider, time)
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|error| NoAnswer(format!("TLS cannot be set up: {error}")))?
            .with_root_certificates(roots(ca_file)?)
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        let settings = Agent::config_builder()
            .http_status_as_error(false)
            .https_only(true)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(TIMEOUT))
            .proxy(None)
            .build();
        let dialler = Dialler(Arc::new(config));
        Ok(Self(Agent::with_parts(settings, dialler, NoResolver)))
    }

    /// One request and its answer.
    pub(super) fn call(&self, request: HttpRequest) -> Result<HttpResponse, NoAnswer> {
        let answered = self.0.run(request);
        let mut answer =
            answered.map_err(|error| NoAnswer(format!("it does not answer: {error}")))?;
        let body = answer.body_mut().with_config().limit(ANSWER_MAX_BYTES);
        let body = body
            .read_to_vec()
            .map_err(|error| NoAnswer(format!("its answer broke off: {error}")))?;
        let (parts, _) = answer.into_parts();
        Ok(HttpResponse::from_parts(parts, body))
    }
}

/// Whom the provider's certificate may be from.
fn roots(ca_file: Option<&Path>) -> Result<RootCertStore, NoAnswer> {
    let certificates: Vec<CertificateDer<'static>> = match ca_file {
        Some(file) => CertificateDer::pem_file_iter(file)
            .and_then(Iterator::collect)
            .map_err(|error| NoAnswer(format!("ca_file cannot be read: {error}")))?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(certificates);
    match added {
        0 => Err(NoAnswer("no authority is known to trust".to_owned())),
        _ => Ok(roots),
    }
}

struct Dialler(Arc<ClientConfig>);

impl std::fmt::Debug for Dialler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dialler")
    }
}

impl Connector for Dialler {
    type Out = LineTransport;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _chained: Option<()>,
    ) -> Result<Option<Self::Out>, Error> {
        let other = |error| Error::Io(std::io::Error::other(error));
        if details.uri.scheme_str() != Some("https") {
            return Err(other("it is no address of HTTPS".to_owned()));
        }
        let host = details.uri.host().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(bare.to_owned());
        let name = name.map_err(|error| other(error.to_string()))?;
        let port = details.uri.port_u16().unwrap_or(443);
        let stream = dial(bare, port)?;
        stream.set_nodelay(true)?;
        let connection = ClientConnection::new(Arc::clone(&self.0), name);
        let connection = connection.map_err(|error| other(error.to_string()))?;
        let line = Line::Tls(Box::new(StreamOwned::new(connection, stream)));
        Ok(Some(LineTransport::new(line, details)))
    }
}

/// A connection to the first address that takes one, each within a time.
fn dial(host: &str, port: u16) -> std::io::Result<TcpStream> {
    let mut last = std::io::Error::from(std::io::ErrorKind::NotFound);
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}
