//! HTTP to one witness: mutual TLS, one request a connection, every step with a limit.
//!
//! It must never follow a redirection, send anything but checkpoints and digests, or dial after the
//! exception for a plain line has ended. That what comes back is a cosignature is for the caller to
//! verify: TLS only keeps others from hindering it.

use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;

use labward_base::{Clock, Remark, remark};
use labward_gateway::config::{Expiry, OutboundTransport};
use labward_gateway::delivery::OutboundTls;
use labward_gateway::tls::ServerIdentity;
use labward_identity::Peers;
use labward_ledger::tree::Digest;
use labward_ledger::witness::ANSWER_MAX_BYTES;
use rustls::{ClientConnection, StreamOwned};
use ureq::unversioned::transport::{ConnectionDetails, Connector};
use ureq::{Agent, Body, Error, http::Response};

use crate::config::WitnessConfig;
use crate::outbound::{Line, LineTransport, NoResolver};

/// The way to one witness.
pub(super) struct WitnessClient {
    agent: Agent,
    base: String,
    way: Arc<Way>,
}

/// What a witness answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) kind: String,
    pub(super) body: Vec<u8>,
}

/// Where it is and how the line is protected.
struct Way {
    address: String,
    tls: Option<OutboundTls>,
    expires: Option<Expiry>,
    timeout: Duration,
    clock: Arc<dyn Clock>,
}

impl WitnessClient {
    /// The way that the configuration describes; refuses what could never work.
    pub(super) fn new(
        config: &WitnessConfig,
        identity: Option<&ServerIdentity>,
        peers: &Peers,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, &'static str> {
        let (tls, expires) = match &config.transport {
            OutboundTransport::Plain { expires, .. } => (None, *expires),
            transport => {
                let tls = OutboundTls::of(&config.address, transport, identity, peers, clock)?;
                (Some(tls), None)
            }
        };
        let timeout = Duration::from_secs(config.timeout_seconds);
        let way = Arc::new(Way {
            address: config.address.clone(),
            tls,
            expires,
            timeout,
            clock: Arc::clone(clock),
        });
        let settings = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(timeout))
            .proxy(None)
            .build();
        let connector = WayConnector(Arc::clone(&way));
        Ok(Self {
            agent: Agent::with_parts(settings, connector, NoResolver),
            // TLS is the connector's; for the HTTP library all of it is plain.
            base: format!("http://{}{}", config.address, config.path),
            way,
        })
    }

    /// `POST add-checkpoint`; the reason in words if there is no answer.
    pub(super) fn add_checkpoint(&self, call: &str) -> Result<Reply, Remark> {
        self.check()?;
        let url = format!("{}/add-checkpoint", self.base);
        let request = self
            .agent
            .post(url)
            .content_type("text/plain; charset=utf-8");
        read(request.send(call))
    }

    /// `GET <origin hash>/checkpoint`.
    pub(super) fn latest(&self, origin: &str) -> Result<Reply, Remark> {
        self.check()?;
        let hash = Digest::of(origin.as_bytes());
        read(
            self.agent
                .get(format!("{}/{hash}/checkpoint", self.base))
                .call(),
        )
    }

    fn check(&self) -> Result<(), Remark> {
        let ended = |last: Expiry| last.end() <= self.way.clock.now();
        match self.way.expires {
            Some(last) if ended(last) => Err(remark::exception_ended()),
            _ => Ok(()),
        }
    }
}

impl Reply {
    /// The size that an answer 409 names, if it has the form that the specification demands.
    pub(super) fn size(&self) -> Option<u64> {
        let text = std::str::from_utf8(&self.body).ok()?.strip_suffix('\n')?;
        let canonical = text == "0" || !text.starts_with(['0', '+']);
        (canonical && self.kind == "text/x.tlog.size").then(|| text.parse().ok())?
    }
}

fn read(result: Result<Response<Body>, Error>) -> Result<Reply, Remark> {
    let mut response = result.map_err(|error| remark::witness_silent(error.to_string()))?;
    let most = u64::try_from(ANSWER_MAX_BYTES).unwrap_or(u64::MAX);
    let body = response.body_mut().with_config().limit(most).read_to_vec();
    let kind = response.headers().get("content-type");
    Ok(Reply {
        status: response.status().as_u16(),
        kind: kind
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or_default()
            .to_owned(),
        body: body.map_err(|error| remark::witness_broke_off(error.to_string()))?,
    })
}

impl Way {
    fn connect(&self) -> Result<Line, Error> {
        let mut last = std::io::Error::from(std::io::ErrorKind::NotFound);
        for address in self.address.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, self.timeout) {
                Ok(stream) => return self.protect(stream),
                Err(error) => last = error,
            }
        }
        Err(last.into())
    }

    fn protect(&self, stream: TcpStream) -> Result<Line, Error> {
        stream.set_nodelay(true)?;
        let Some(tls) = &self.tls else {
            return Ok(Line::Plain(stream));
        };
        let unknown = || Error::Io(std::io::Error::other("the witness is no known peer"));
        let config = tls.config().ok_or_else(unknown)?;
        let connection = ClientConnection::new(Arc::new(config), tls.name());
        let connection = connection.map_err(|error| Error::Io(std::io::Error::other(error)))?;
        Ok(Line::Tls(Box::new(StreamOwned::new(connection, stream))))
    }
}

struct WayConnector(Arc<Way>);

impl std::fmt::Debug for WayConnector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.address)
    }
}

impl Connector for WayConnector {
    type Out = LineTransport;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _chained: Option<()>,
    ) -> Result<Option<Self::Out>, Error> {
        Ok(Some(LineTransport::new(self.0.connect()?, details)))
    }
}
