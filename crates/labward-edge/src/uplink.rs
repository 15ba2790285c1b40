//! The way to the server: connect, prove the ledger, deliver in order, let go what was taken.
//!
//! It must never let an item go before the server said that it has it durably, send to a server that
//! the edge's authority did not certify under the expected name, or stop trying. Tries back off with
//! jitter, so that the edges of a site do not come back all at once.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use labward_base::{Clock, Problem, Timestamp, problem};
use labward_gateway::edge::wire::{
    Continued, FromEdge, FromServer, Hello, OVERHEAD_BYTES, State, VERSION, read_frame, write_frame,
};
use labward_identity::{ExpectedServer, Peers, TlsTime, server_verifier};
use labward_ledger::tile::TileFolder;
use labward_ledger::{Checkpoint, ConsistencyProof, Publisher};
use labward_os::Stopwatch;
use labward_seal::random_bytes;
use labward_seal::sign::SigningKey;
use labward_store::Store;
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, Error as TlsFault};
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::config::EdgeConfig;
use crate::error::{EdgeError, problem_of};
use crate::folder::Identity;
use crate::queue::{Batch, Queue};
use crate::renewal::Renewal;

/// How long a connection and its handshake may take.
const DIAL: Duration = Duration::from_secs(15);

/// How long the server may take to answer: it keeps a batch meanwhile.
const ANSWER: Duration = Duration::from_secs(60);

/// The way to the server of one edge.
pub(crate) struct Uplink {
    pub(crate) config: EdgeConfig,
    pub(crate) identity: Identity,
    pub(crate) queue: Queue,
    pub(crate) renewal: Renewal,
    pub(crate) ledger: EdgeLedger,
    pub(crate) peers: Peers,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) wake: Arc<Notify>,
    pub(crate) stop: watch::Receiver<bool>,
    /// Is told how it stands after every step.
    pub(crate) report: Box<dyn Fn(&Standing) + Send + Sync>,
}

/// How the uplink stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    pub(crate) connected: bool,
    pub(crate) answered: Option<Timestamp>,
    pub(crate) state: State,
    pub(crate) sent: u64,
    pub(crate) ledger_size: u64,
    pub(crate) fault: Option<&'static Problem>,
    pub(crate) certificate_until: Option<Timestamp>,
    pub(crate) renewal_fault: Option<&'static Problem>,
}

/// The edge's ledger as others see it.
pub(crate) struct EdgeLedger {
    pub(crate) publisher: Publisher,
    pub(crate) key: SigningKey,
    pub(crate) folder: std::path::PathBuf,
    pub(crate) store: Store,
}

/// Why a connection ended.
#[derive(Debug)]
pub(crate) struct Ended(pub(crate) &'static Problem);

impl From<io::Error> for Ended {
    fn from(error: io::Error) -> Self {
        Self(line_fault(&error))
    }
}

impl From<EdgeError> for Ended {
    fn from(error: EdgeError) -> Self {
        tracing::error!(error = %error, "the edge's queue or ledger failed");
        Self(error.problem())
    }
}

impl EdgeLedger {
    /// The newest checkpoint, published, and the proof that it continues the tree of `seen` entries;
    /// an empty one if there is none.
    pub(crate) fn continued(
        &self,
        seen: u64,
    ) -> Result<(Checkpoint, String, Vec<labward_ledger::Digest>), EdgeError> {
        let checkpoint = self.publisher.publish(&self.store, &self.key)?;
        let note = checkpoint
            .sign(&self.key)
            .map_err(labward_ledger::LedgerError::from)?
            .to_string();
        let mut tiles = TileFolder::new(&self.folder, checkpoint.size);
        let proof = ConsistencyProof::compute(seen, checkpoint.size, &mut tiles);
        let proof = proof.map_err(labward_ledger::LedgerError::from)?;
        let path = proof.map_or_else(Vec::new, |proof| proof.path);
        Ok((checkpoint, note, path))
    }
}

impl Uplink {
    /// Connects and delivers until the edge stops.
    pub(crate) async fn run(mut self) {
        let mut standing = Standing::default();
        let mut wait = self.config.uplink.reconnect_seconds;
        let mut stop = self.stop.clone();
        loop {
            let ended = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return self.rest(&mut standing),
                ended = self.connection(&mut standing) => ended,
            };
            let Err(ended) = ended.map_err(|ended| self.name(ended, &standing)) else {
                continue;
            };
            if standing.connected {
                wait = self.config.uplink.reconnect_seconds;
            }
            if standing.connected || standing.fault != Some(ended.0) {
                tracing::warn!(
                    code = ended.0.code,
                    server = %self.config.server,
                    "not connected to the server: {}",
                    ended.0.what
                );
            }
            standing.connected = false;
            standing.fault = Some(ended.0);
            if let Ok(state) = self.queue.state() {
                standing.state = state;
            }
            self.say(&mut standing);
            tokio::select! {
                () = sleep(jittered(wait)) => {}
                _ = stop.wait_for(|stop| *stop) => return self.rest(&mut standing),
            }
            wait = (wait * 2).min(self.config.uplink.reconnect_max_seconds);
        }
    }

    fn rest(&mut self, standing: &mut Standing) {
        standing.connected = false;
        if let Ok(state) = self.queue.state() {
            standing.state = state;
        }
        self.say(standing);
    }

    fn say(&self, standing: &mut Standing) {
        standing.certificate_until = self.certificate_until();
        standing.renewal_fault = self.renewal.fault();
        (self.report)(standing);
    }

    fn certificate_until(&self) -> Option<Timestamp> {
        let certificate = self.identity.certificate().ok();
        certificate.map(|certificate| certificate.not_after)
    }

    /// Why it ended, as a person can do something about it: whose certificate has ended is often
    /// cut off before the server's word for it comes.
    fn name(&self, ended: Ended, standing: &Standing) -> Ended {
        let until = self.certificate_until();
        let has_ended = until.is_some_and(|until| until <= self.clock.now());
        let is_let_in = standing.connected;
        match has_ended && !is_let_in && ended.0 == &problem::EDGE_UNREACHABLE {
            true => Ended(&problem::EDGE_CERTIFICATE_ENDED),
            false => ended,
        }
    }

    /// One connection, until it ends; `Ok` if the next one is to begin at once, with another
    /// certificate.
    async fn connection(&mut self, standing: &mut Standing) -> Result<(), Ended> {
        let mut stream = self.dial().await?;
        let hello = FromEdge::Hello(Hello {
            speaks: VERSION,
            queue: self.identity.roots.queue,
            key: self.identity.key_id(),
            sent: self.queue.sent(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ledger: self
                .ledger
                .publisher
                .verifier(&self.ledger.key)
                .map_err(EdgeError::from)?
                .to_string(),
        });
        let FromServer::Welcome { cursor, mut size } = ask(&mut stream, &hello).await? else {
            return Err(Ended(&problem::EDGE_NOT_SPOKEN));
        };
        self.queue.catch_up(cursor).map_err(EdgeError::from)?;
        self.prove(&mut stream, cursor, &mut size, standing).await?;
        tracing::info!(server = %self.config.server, "connected to the server");
        standing.connected = true;
        standing.fault = None;
        let mut proved = Stopwatch::start();
        loop {
            if self.renew(&mut stream).await? {
                return Ok(());
            }
            let sent_all = self.deliver(&mut stream, standing).await?;
            let due = Duration::from_secs(self.config.uplink.checkpoint_seconds);
            if proved.elapsed() >= due {
                let sent = self.queue.sent();
                self.prove(&mut stream, sent, &mut size, standing).await?;
                proved = Stopwatch::start();
            }
            if sent_all {
                let heartbeat = self.config.uplink.heartbeat();
                // Nothing in this time is as well: the server then hears that it is so.
                let _ = timeout(heartbeat, self.wake.notified()).await;
            }
        }
    }

    /// Sends one batch, and lets go what was taken; whether nothing waits any more.
    async fn deliver(
        &mut self,
        stream: &mut TlsStream<TcpStream>,
        standing: &mut Standing,
    ) -> Result<bool, Ended> {
        let batch = self.queue.next_batch().map_err(EdgeError::from)?;
        let mut before = self.queue.sent();
        for item in &batch.items {
            send(stream, &item.frame(before)).await?;
            before = item.number();
        }
        let state = self.queue.state().map_err(EdgeError::from)?;
        let asked = ask(stream, &FromEdge::State(state)).await?;
        let FromServer::Taken { cursor, .. } = asked else {
            return Err(Ended(&problem::EDGE_NOT_SPOKEN));
        };
        let sent_all = batch.items.is_empty();
        if cursor < before {
            // It said nothing of a refusal, so it does not speak as we do.
            return Err(Ended(&problem::EDGE_NOT_SPOKEN));
        }
        self.settle(batch, cursor)?;
        standing.answered = Some(self.clock.now());
        standing.sent = self.queue.sent();
        standing.state = self.queue.state().map_err(EdgeError::from)?;
        self.say(standing);
        Ok(sent_all)
    }

    /// Asks for the next certificate if it is time; whether it is in force from the next connection
    /// on. What stands in the way of it does not stand in the way of results.
    async fn renew(&mut self, stream: &mut TlsStream<TcpStream>) -> Result<bool, Ended> {
        let now = self.clock.now();
        let request = match self.renewal.request(&self.identity, now) {
            Ok(Some(request)) => request,
            Ok(None) => return Ok(false),
            Err(error) => return Ok(self.put_off(&error)),
        };
        match ask(stream, &FromEdge::Renew(request)).await? {
            FromServer::Renewed { certificate } => {
                match self.renewal.take(&mut self.identity, certificate, now) {
                    Ok(()) => {
                        tracing::info!("the edge's certificate was renewed");
                        Ok(true)
                    }
                    Err(error) => Ok(self.put_off(&error)),
                }
            }
            FromServer::NotRenewed { code } => {
                self.renewal.put_off(problem_of(&code));
                Ok(false)
            }
            _ => Err(Ended(&problem::EDGE_NOT_SPOKEN)),
        }
    }

    /// Says why nothing is renewed: false.
    fn put_off(&mut self, error: &EdgeError) -> bool {
        tracing::error!(error = %error, "the edge's certificate could not be renewed");
        self.renewal.put_off(error.problem());
        false
    }

    fn settle(&mut self, batch: Batch, cursor: u64) -> Result<(), Ended> {
        if batch.items.is_empty() {
            return Ok(());
        }
        let settled = self.queue.settle(batch, cursor);
        Ok(settled.map_err(EdgeError::from)?)
    }

    /// Shows the newest checkpoint and that it continues the one of `size` entries.
    async fn prove(
        &mut self,
        stream: &mut TlsStream<TcpStream>,
        cursor: u64,
        size: &mut u64,
        standing: &mut Standing,
    ) -> Result<(), Ended> {
        let (checkpoint, note, path) = self.ledger.continued(*size)?;
        let last = self.queue.digest_of(cursor).map_err(EdgeError::from)?;
        let frame = FromEdge::Checkpoint(Continued { note, path, last });
        let FromServer::Taken { .. } = ask(stream, &frame).await? else {
            return Err(Ended(&problem::EDGE_NOT_SPOKEN));
        };
        *size = checkpoint.size;
        standing.ledger_size = checkpoint.size;
        Ok(())
    }

    pub(crate) async fn dial(&self) -> Result<TlsStream<TcpStream>, Ended> {
        let unreachable = Ended(&problem::EDGE_UNREACHABLE);
        let config = self.tls()?;
        let name = ServerName::try_from(self.config.name().to_owned());
        let name = name.map_err(|_| Ended(&problem::EDGE_WRONG_NAME))?;
        let connect = async {
            let tcp = TcpStream::connect(&self.config.server).await?;
            tcp.set_nodelay(true)?;
            TlsConnector::from(Arc::new(config))
                .connect(name, tcp)
                .await
        };
        match timeout(DIAL, connect).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(Ended(line_fault(&error))),
            Err(_) => Err(unreachable),
        }
    }

    fn tls(&self) -> Result<ClientConfig, EdgeError> {
        let parts = self.identity.tls()?;
        let expected = ExpectedServer::Authorities(vec![parts.authority.clone()]);
        let verifier = server_verifier(expected, &self.peers, &parts.authority)?;
        let bad = |_| labward_identity::IdentityError::BadCertificate {
            why: "the edge's certificate and key do not belong together",
        };
        let provider = Arc::new(aws_lc_rs::default_provider());
        let time = Arc::new(TlsTime(Arc::clone(&self.clock)));
        let mut config = ClientConfig::builder_with_details(provider, time)
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(bad)?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_client_auth_cert(parts.chain, parts.key)
            .map_err(bad)?;
        config.resumption = Resumption::disabled();
        Ok(config)
    }
}

/// What a person is told about a line that broke, or a handshake that failed.
pub(crate) fn line_fault(error: &io::Error) -> &'static Problem {
    use rustls::{AlertDescription as A, CertificateError as C};
    let fault = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<TlsFault>());
    match fault {
        Some(TlsFault::InvalidCertificate(
            C::NotValidForName | C::NotValidForNameContext { .. },
        )) => &problem::EDGE_WRONG_NAME,
        Some(TlsFault::InvalidCertificate(_)) => &problem::EDGE_WRONG_AUTHORITY,
        Some(TlsFault::AlertReceived(A::CertificateExpired)) => &problem::EDGE_CERTIFICATE_ENDED,
        Some(TlsFault::AlertReceived(A::CertificateRevoked)) => &problem::IDENTITY_PEER_REVOKED,
        None if error.kind() == io::ErrorKind::InvalidData => &problem::EDGE_NOT_SPOKEN,
        _ => &problem::EDGE_UNREACHABLE,
    }
}

async fn send(stream: &mut TlsStream<TcpStream>, frame: &FromEdge) -> Result<(), Ended> {
    match timeout(ANSWER, write_frame(stream, frame)).await {
        Ok(Ok(())) => Ok(()),
        // The server may have said why before it closed.
        Ok(Err(error)) => Err(said(stream).await.unwrap_or_else(|| error.into())),
        Err(_) => Err(Ended(&problem::EDGE_UNREACHABLE)),
    }
}

/// Sends a frame and waits for its answer; a refusal ends the connection.
pub(crate) async fn ask(
    stream: &mut TlsStream<TcpStream>,
    frame: &FromEdge,
) -> Result<FromServer, Ended> {
    send(stream, frame).await?;
    match timeout(ANSWER, read_frame(stream, OVERHEAD_BYTES)).await {
        Ok(Ok(Some(FromServer::Refused { code }))) => Err(Ended(problem_of(&code))),
        Ok(Ok(Some(answer))) => Ok(answer),
        Ok(Ok(None)) | Err(_) => Err(Ended(&problem::EDGE_UNREACHABLE)),
        Ok(Err(error)) => Err(error.into()),
    }
}

async fn said(stream: &mut TlsStream<TcpStream>) -> Option<Ended> {
    let read = timeout(Duration::from_secs(1), read_frame(stream, OVERHEAD_BYTES));
    match read.await {
        Ok(Ok(Some(FromServer::Refused { code }))) => Some(Ended(problem_of(&code))),
        // An alert of TLS, for example.
        Ok(Err(error)) => Some(error.into()),
        _ => None,
    }
}

/// A half to the whole of `seconds`.
fn jittered(seconds: u64) -> Duration {
    let whole = Duration::from_secs(seconds.max(1));
    let random = random_bytes::<2>().map_or(u16::MAX, u16::from_be_bytes);
    let half = whole / 2;
    half + half.mul_f64(f64::from(random) / f64::from(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_try_waits_a_half_to_the_whole_of_its_time() {
        for _ in 0..100 {
            let wait = jittered(4);
            assert!(wait >= Duration::from_secs(2) && wait <= Duration::from_secs(4));
        }
    }
}
