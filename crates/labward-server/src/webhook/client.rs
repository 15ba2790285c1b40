//! HTTPS to one receiver: one request a connection, each within a time.
//!
//! It must never follow a redirection, send in clear to another machine, or trust a certificate from
//! an authority that neither the machine nor the configuration names. What comes back is read to a
//! limit and looked at by its status alone. The times of certificates are held against our clock
//! (**Invariant:** time is a parameter).

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
use ureq::unversioned::transport::{ConnectionDetails, Connector};
use ureq::{Agent, Error};

use super::event::Event;
use super::secret::{WebhookSecret, signatures};
use crate::config::{WebhookConfig, WebhookPlace};
use crate::outbound::{Line, LineTransport, NoResolver};

/// Bytes of an answer that are read, so that its sender may finish.
const ANSWER_MAX_BYTES: u64 = 16 << 10;
/// The receiver wants no more of them, for good.
const GONE: u16 = 410;

/// What came of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Attempt {
    /// The receiver has it.
    Taken(u16),
    /// The receiver wants no more.
    Gone,
    /// The receiver answered otherwise.
    Refused(u16),
    /// There was no answer; why, in words.
    Unanswered(String),
}

impl Attempt {
    /// The status of the answer, if there was one.
    pub(super) const fn status(&self) -> Option<u16> {
        match self {
            Self::Taken(status) | Self::Refused(status) => Some(*status),
            Self::Gone => Some(GONE),
            Self::Unanswered(_) => None,
        }
    }

    /// Why it was not taken, in words.
    pub(super) fn failure(&self) -> Option<String> {
        match self {
            Self::Taken(_) => None,
            Self::Gone => Some("answered 410: it wants no more events".to_owned()),
            Self::Refused(status @ 300..400) => {
                Some(format!("answered {status}: redirections are not followed"))
            }
            Self::Refused(status) => Some(format!("answered {status}")),
            Self::Unanswered(why) => Some(why.clone()),
        }
    }
}

/// Sends one event, signed at `now`.
pub(super) fn send(
    config: &WebhookConfig,
    secrets: &[WebhookSecret],
    event: &Event,
    clock: &Arc<dyn Clock>,
) -> Attempt {
    let agent = match agent(config, clock) {
        Ok(agent) => agent,
        Err(why) => return Attempt::Unanswered(why),
    };
    let now = clock.now();
    let answered = agent
        .post(url(config))
        .header("content-type", "application/json")
        .header("user-agent", concat!("Labward/", env!("CARGO_PKG_VERSION")))
        .header("webhook-id", &event.id)
        .header("webhook-timestamp", Timestamp::as_seconds(now).to_string())
        .header(
            "webhook-signature",
            signatures(secrets, &event.id, now, &event.body),
        )
        .send(event.body.as_bytes());
    match answered {
        Ok(mut answer) => {
            let body = answer.body_mut().with_config().limit(ANSWER_MAX_BYTES);
            // What it says beside its status is of no interest.
            drop(body.read_to_vec());
            match answer.status().as_u16() {
                status @ 200..300 => Attempt::Taken(status),
                GONE => Attempt::Gone,
                status => Attempt::Refused(status),
            }
        }
        Err(Error::Timeout(_)) => Attempt::Unanswered("no answer in time".to_owned()),
        Err(Error::Io(error)) if is_timeout(&error) => {
            Attempt::Unanswered("no answer in time".to_owned())
        }
        Err(error) => Attempt::Unanswered(format!("no answer: {error}")),
    }
}

fn is_timeout(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{TimedOut, WouldBlock};
    matches!(error.kind(), TimedOut | WouldBlock)
}

/// The URL as the HTTP library takes it: TLS is the connector's, for it all of it is plain.
fn url(config: &WebhookConfig) -> String {
    match config.url.split_once("://") {
        Some((_, rest)) => format!("http://{rest}"),
        None => config.url.clone(),
    }
}

fn agent(config: &WebhookConfig, clock: &Arc<dyn Clock>) -> Result<Agent, String> {
    let place = config.place().map_err(str::to_owned)?;
    let tls = match place.is_tls {
        true => Some(tls(config.ca_file.as_deref(), clock)?),
        false => None,
    };
    let settings = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_global(Some(config.timeout()))
        .proxy(None)
        .build();
    let dialler = Dialler {
        place,
        tls,
        timeout: config.timeout(),
    };
    Ok(Agent::with_parts(settings, dialler, NoResolver))
}

/// TLS, read anew for each attempt, so that a file of authorities is replaced without a reload.
pub(crate) fn tls(
    ca_file: Option<&Path>,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<ClientConfig>, String> {
    let time = Arc::new(TlsTime(Arc::clone(clock)));
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_details(provider, time)
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|error| format!("TLS cannot be set up: {error}"))?
        .with_root_certificates(roots(ca_file)?)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// Whom the receiver's certificate may be from.
fn roots(ca_file: Option<&Path>) -> Result<RootCertStore, String> {
    let certificates: Vec<CertificateDer<'static>> = match ca_file {
        Some(file) => CertificateDer::pem_file_iter(file)
            .and_then(Iterator::collect)
            .map_err(|error| format!("ca_file cannot be read: {error}"))?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(certificates);
    match added {
        0 => Err("no authority is known to trust".to_owned()),
        _ => Ok(roots),
    }
}

struct Dialler {
    place: WebhookPlace,
    tls: Option<Arc<ClientConfig>>,
    timeout: Duration,
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
        let other = |error: String| Error::Io(std::io::Error::other(error));
        let stream = self.dial()?;
        stream.set_nodelay(true)?;
        let line = match &self.tls {
            None => Line::Plain(stream),
            Some(tls) => {
                let name = ServerName::try_from(self.place.host.clone());
                let name = name.map_err(|error| other(error.to_string()))?;
                let connection = ClientConnection::new(Arc::clone(tls), name);
                let connection = connection.map_err(|error| other(error.to_string()))?;
                Line::Tls(Box::new(StreamOwned::new(connection, stream)))
            }
        };
        Ok(Some(LineTransport::new(line, details)))
    }
}

impl Dialler {
    /// A connection to the first address that takes one.
    fn dial(&self) -> std::io::Result<TcpStream> {
        let mut last = std::io::Error::from(std::io::ErrorKind::NotFound);
        let all = (self.place.host.as_str(), self.place.port).to_socket_addrs()?;
        // A name that stands for this machine may be made to stand for another.
        let fits =
            |address: &std::net::SocketAddr| self.tls.is_some() || address.ip().is_loopback();
        for address in all.filter(fits) {
            match TcpStream::connect_timeout(&address, self.timeout) {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}
