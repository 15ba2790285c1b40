//! HTTPS to the machines of one source: each request within a time and a size.
//!
//! It must never speak without TLS, ask a machine that [`Reach`] does not admit, or trust a certificate from an
//! authority that neither the machine nor the configuration names. The times of certificates are held against our
//! clock (**Invariant:** time is a parameter).

use std::io::{self, ErrorKind};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use labward_base::{Clock, Timestamp};
use labward_identity::TlsTime;
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use ureq::http::Response;
use ureq::unversioned::transport::{ConnectionDetails, Connector};
use ureq::{Agent, Body, Error};
use url::Url;

use super::reach::Reach;
use crate::config::AdvisorySourceConfig;
use crate::outbound::{Line, LineTransport, NoResolver};

/// Redirections that are followed one after the other.
const REDIRECTIONS: usize = 5;
/// How long one address of a machine is tried.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of an answer without a document that are read, so that its line may be used again.
const NOTHING_MAX_BYTES: u64 = 16 << 10;

/// Why there is no file, in words for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoFile {
    /// The machine says that there is none.
    #[error("answered {0}: it is not there")]
    Absent(u16),
    /// It is for others only.
    #[error("answered {0}: it is not for everybody")]
    Closed(u16),
    /// The machine answered otherwise, or leads where we may not go.
    #[error("{0}")]
    Refused(String),
    /// There was no answer, or it broke off.
    #[error("{0}")]
    Unanswered(String),
}

/// The way to the machines of one source.
pub(super) struct SourceClient {
    agent: Agent,
    pub(super) reach: Reach,
    patience: Duration,
}

impl SourceClient {
    /// The way as the configuration describes it.
    ///
    /// # Errors
    /// Why nobody could be trusted, such as a `ca_file` that is not there.
    pub(super) fn new(
        config: &AdvisorySourceConfig,
        url: &Url,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, String> {
        let time = Arc::new(TlsTime(Arc::clone(clock)));
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut tls = ClientConfig::builder_with_details(provider, time)
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|error| format!("TLS cannot be set up: {error}"))?
            .with_root_certificates(roots(config.ca_file.as_deref())?)
            .with_no_client_auth();
        tls.resumption = Resumption::in_memory_sessions(4);
        let settings = Agent::config_builder()
            .http_status_as_error(false)
            .https_only(true)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("Labward/", env!("CARGO_PKG_VERSION")))
            .proxy(None)
            .build();
        let patience = Duration::from_secs(config.timeout_seconds);
        let dialler = Dialler {
            tls: Arc::new(tls),
            clock: Arc::clone(clock),
            patience,
        };
        Ok(Self {
            agent: Agent::with_parts(settings, dialler, NoResolver),
            reach: Reach::of(config, url),
            patience,
        })
    }

    /// The file at this address, of at most so many bytes.
    ///
    /// # Errors
    /// [`NoFile`].
    pub(super) fn get(&self, url: &Url, max_bytes: u64) -> Result<Vec<u8>, NoFile> {
        let mut url = url.clone();
        for _ in 0..=REDIRECTIONS {
            let mut answer = self.ask(&url)?;
            let status = answer.status().as_u16();
            let limit = match status {
                200 => max_bytes,
                _ => NOTHING_MAX_BYTES,
            };
            let body = answer.body_mut().with_config().limit(limit).read_to_vec();
            match status {
                200 => return body.map_err(|error| broken_off(&error, max_bytes)),
                404 | 410 => return Err(NoFile::Absent(status)),
                401 | 403 => return Err(NoFile::Closed(status)),
                301 | 302 | 303 | 307 | 308 => {
                    let place = answer.headers().get("location");
                    let place = place.and_then(|place| place.to_str().ok());
                    let place =
                        place.ok_or_else(|| NoFile::Refused(format!("answered {status}")))?;
                    url = self
                        .reach
                        .resolve(&url, place)
                        .map_err(|why| NoFile::Refused(format!("answered {status}: {why}")))?;
                }
                _ => return Err(NoFile::Refused(format!("answered {status}"))),
            }
        }
        let why = format!("led on more than {REDIRECTIONS} times");
        Err(NoFile::Refused(why))
    }

    fn ask(&self, url: &Url) -> Result<Response<Body>, NoFile> {
        let ask = || {
            let request = self.agent.get(url.as_str()).config();
            request.timeout_global(Some(self.patience)).build().call()
        };
        let asked = match ask() {
            // A line that was kept may have been closed by the other side while it was not used.
            Err(error) if is_closed(&error) => ask(),
            asked => asked,
        };
        asked.map_err(|error| match error {
            error if is_timeout(&error) => no_time(),
            error => NoFile::Unanswered(format!("no answer: {}", said(&error))),
        })
    }
}

fn broken_off(error: &Error, max_bytes: u64) -> NoFile {
    match error {
        Error::BodyExceedsLimit(_) => {
            NoFile::Refused(format!("it is larger than {} MiB", max_bytes >> 20))
        }
        error if is_timeout(error) => no_time(),
        error => NoFile::Unanswered(format!("the answer broke off: {}", said(error))),
    }
}

fn no_time() -> NoFile {
    NoFile::Unanswered("it was not there in time (timeout_seconds)".to_owned())
}

fn said(error: &Error) -> String {
    match error {
        Error::Io(error) => error.to_string(),
        error => error.to_string(),
    }
}

fn is_timeout(error: &Error) -> bool {
    match error {
        Error::Timeout(_) => true,
        Error::Io(error) => matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock),
        _ => false,
    }
}

fn is_closed(error: &Error) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let gone = |kind| {
        matches!(
            kind,
            BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof
        )
    };
    matches!(error, Error::Io(error) if gone(error.kind()))
}

/// Whom a certificate may be from: the authorities that the machine trusts, and those of the file.
fn roots(ca_file: Option<&Path>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(file) = ca_file {
        let at = |why: &str| format!("ca_file {}: {why}", file.display());
        let bytes = std::fs::read(file).map_err(|error| at(&error.to_string()))?;
        let certificates: Result<Vec<CertificateDer<'static>>, _> =
            CertificateDer::pem_slice_iter(&bytes).collect();
        let certificates = certificates.map_err(|_| at("it is no PEM"))?;
        let (added, _) = roots.add_parsable_certificates(certificates);
        if added == 0 {
            return Err(at("there is no certificate in it"));
        }
    }
    match roots.is_empty() {
        true => Err("no authority is known to trust".to_owned()),
        false => Ok(roots),
    }
}

struct Dialler {
    tls: Arc<ClientConfig>,
    clock: Arc<dyn Clock>,
    patience: Duration,
}

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
        let other = |error: String| Error::Io(io::Error::other(error));
        let host = details.uri.host().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(bare.to_owned());
        let name = name.map_err(|error| other(error.to_string()))?;
        let port = details.uri.port_u16().unwrap_or(443);
        let until = self.clock.now().plus(self.patience);
        let stream = dial(bare, port)?;
        stream.set_nodelay(true)?;
        let connection = ClientConnection::new(Arc::clone(&self.tls), name);
        let connection = connection.map_err(|error| other(error.to_string()))?;
        let mut stream = StreamOwned::new(connection, stream);
        shake_hands(&mut stream, &*self.clock, until)?;
        let line = Line::Tls(Box::new(stream));
        Ok(Some(LineTransport::kept(line, details)))
    }
}

/// The handshake within its time, however few bytes come at once.
fn shake_hands(
    stream: &mut StreamOwned<ClientConnection, TcpStream>,
    clock: &dyn Clock,
    until: Timestamp,
) -> io::Result<()> {
    let StreamOwned { conn, sock } = stream;
    while conn.is_handshaking() {
        let left = until.since(clock.now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        sock.set_read_timeout(Some(left))?;
        sock.set_write_timeout(Some(left))?;
        if conn.wants_write() {
            conn.write_tls(sock)?;
        } else if conn.read_tls(sock)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        } else if let Err(error) = conn.process_new_packets() {
            // The other side is told why, if it still listens.
            let _ = conn.write_tls(sock);
            return Err(io::Error::other(error));
        }
    }
    Ok(())
}

/// A connection to the first address that takes one, each within a time.
fn dial(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut last = io::Error::from(ErrorKind::NotFound);
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}
