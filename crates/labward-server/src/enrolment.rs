//! The door at which an edge shows its one-time code: open only while a code holds.
//!
//! It must never issue twice for one code, tell a stranger more than that it is refused, or stay open
//! longer than the last code. Codes live in memory: a restart closes the door. Guessing is slow,
//! recorded, and ends all codes after [`MAX_WRONG`] tries; the secret of a code has 80 random bits.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use labward_api::edge::{ENROL_MAX_BYTES, EnrolAnswer, EnrolRequest};
use labward_base::{Clock, Problem, Timestamp, problem};
use labward_gateway::config::Framing;
use labward_gateway::edge::Edges;
use labward_identity::{CodeDigest, Enrolled, NewPeer, PeerKind, PeerRules, TlsTime};
use labward_ledger::{
    Action, Actor, Facts, LedgerError, NewEntry, Outcome, Subject, VerifierKey, append,
};
use rustls::crypto::aws_lc_rs;
use rustls::server::NoServerSessionStorage;
use rustls::version::{TLS12, TLS13};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::app::Core;
use crate::app::ground::server_identity;
use crate::error::ServerError;
use crate::folder::SITE;
use crate::http::chain;

/// Wrong codes after which every open one ends.
pub(crate) const MAX_WRONG: u32 = 10;

/// How long whoever showed a wrong code waits for the answer.
const WRONG_REST: Duration = Duration::from_secs(1);

/// How long the whole exchange may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// How often the door looks whether its codes still hold.
const LOOK: Duration = Duration::from_secs(1);

/// Connections at the door at once.
const MAX_GUESTS: usize = 8;

/// A code that holds, and what an edge gets for it.
pub(crate) struct Offer {
    pub(crate) code: CodeDigest,
    pub(crate) name: String,
    pub(crate) rules: PeerRules,
    pub(crate) authority: Option<String>,
    pub(crate) days: u32,
    pub(crate) expires: Timestamp,
    /// The person who made the code.
    pub(crate) actor: Actor,
}

/// The codes that hold, and the door while there are any.
#[derive(Default)]
pub(crate) struct Enrolments(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    offers: Vec<Offer>,
    wrong: u32,
    door: Option<Door>,
}

struct Door {
    port: u16,
    stop: watch::Sender<bool>,
    thread: JoinHandle<()>,
}

impl Enrolments {
    /// Lets a code hold, opens the door if it is closed, and gives its port. An earlier code for the
    /// same name ends.
    pub(crate) fn offer(
        &self,
        core: &Arc<Core>,
        listen: SocketAddr,
        offer: Offer,
    ) -> Result<u16, ServerError> {
        let mut inner = self.lock();
        if inner
            .door
            .as_ref()
            .is_none_or(|door| door.thread.is_finished())
        {
            inner.door = Some(open_door(core, listen)?);
            inner.wrong = 0;
        }
        inner.offers.retain(|other| other.name != offer.name);
        inner.offers.push(offer);
        Ok(inner.door.as_ref().map_or(0, |door| door.port))
    }

    /// Closes the door, whatever holds.
    pub(crate) fn stop(&self) {
        let door = {
            let mut inner = self.lock();
            inner.offers.clear();
            inner.door.take()
        };
        if let Some(door) = door {
            door.stop.send_replace(true);
            if door.thread.join().is_err() {
                tracing::error!("the thread of the enrolment door panicked");
            }
        }
    }

    /// Whether a code still holds at `now`; if none does, the door counts as closed from here on.
    fn holds(&self, now: Timestamp) -> bool {
        let mut inner = self.lock();
        inner.offers.retain(|offer| now < offer.expires);
        let holds = !inner.offers.is_empty();
        if !holds {
            inner.door = None;
        }
        holds
    }

    /// Takes the offer of this code: it holds no longer, whatever comes of it. `Err` is whether this
    /// was one wrong code too many.
    fn take(&self, shown: &CodeDigest, now: Timestamp) -> Result<Offer, bool> {
        let mut inner = self.lock();
        inner.offers.retain(|offer| now < offer.expires);
        if let Some(place) = inner.offers.iter().position(|offer| offer.code.fits(shown)) {
            return Ok(inner.offers.swap_remove(place));
        }
        inner.wrong = inner.wrong.saturating_add(1);
        let too_many = inner.wrong >= MAX_WRONG;
        if too_many {
            inner.offers.clear();
        }
        Err(too_many)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open_door(core: &Arc<Core>, listen: SocketAddr) -> Result<Door, ServerError> {
    let tls = tls(core)?;
    let bound = TcpListener::bind(listen).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok((listener.local_addr()?.port(), listener))
    });
    let (port, listener) = bound.map_err(ServerError::file(format!("tcp {listen}")))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(ServerError::Threads)?;
    let (stop, stopped) = watch::channel(false);
    let core = Arc::clone(core);
    let thread = std::thread::Builder::new()
        .name("enrolment".to_owned())
        .spawn(move || runtime.block_on(attend(&core, listener, &tls, stopped)))
        .map_err(ServerError::Threads)?;
    tracing::info!(port, "edges can enrol on port {port} while a code holds");
    Ok(Door { port, stop, thread })
}

/// TLS with the server's certificate, and the authority behind it: that is what the code names.
fn tls(core: &Core) -> Result<TlsAcceptor, ServerError> {
    let bad = |why| ServerError::Identity(labward_identity::IdentityError::BadCertificate { why });
    let identity = server_identity(core)?.ok_or_else(|| bad("there is none of the server"))?;
    let mut shown = identity.chain;
    shown.push(identity.authority);
    let provider = Arc::new(aws_lc_rs::default_provider());
    let time = Arc::new(TlsTime(Arc::clone(&core.clock)));
    let mut config = rustls::ServerConfig::builder_with_details(provider, time)
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|_| bad("TLS could not be set up"))?
        .with_no_client_auth()
        .with_single_cert(shown, identity.key)
        .map_err(|_| bad("the server's and its key do not belong together"))?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Answers guests until no code holds or the server stops.
async fn attend(
    core: &Arc<Core>,
    listener: TcpListener,
    tls: &TlsAcceptor,
    mut stop: watch::Receiver<bool>,
) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    let mut guests = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if guests.len() < MAX_GUESTS => {
                if let Ok((stream, source)) = accepted {
                    let (core, tls) = (Arc::clone(core), tls.clone());
                    let source = source.ip().to_canonical();
                    guests.spawn(async move {
                        let served = serve(&core, &tls, stream, source);
                        // Whoever breaks off or is too slow has nothing.
                        let _ = timeout(PATIENCE, served).await;
                    });
                }
            }
            Some(_) = guests.join_next() => {}
            () = sleep(LOOK) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        if !core.enrolments.holds(core.clock.now()) {
            break;
        }
    }
    drop(listener);
    while guests.join_next().await.is_some() {}
    tracing::info!("the enrolment door is closed: no code holds any more");
}

async fn serve(
    core: &Core,
    tls: &TlsAcceptor,
    stream: TcpStream,
    source: IpAddr,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = tls.accept(stream).await?;
    let length = usize::try_from(stream.read_u32().await?).unwrap_or(usize::MAX);
    if length > ENROL_MAX_BYTES {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut text = vec![0; length];
    stream.read_exact(&mut text).await?;
    let answer = match answer(core, &text, source) {
        Ok(answer) => answer,
        Err(problem) => {
            sleep(WRONG_REST).await;
            EnrolAnswer::Refused {
                code: problem.code.to_owned(),
            }
        }
    };
    let answer = serde_json::to_vec(&answer)?;
    let length = u32::try_from(answer.len()).map_err(io::Error::other)?;
    stream.write_all(&length.to_be_bytes()).await?;
    stream.write_all(&answer).await?;
    stream.shutdown().await
}

/// What the edge gets; the refusal is recorded before it is said.
fn answer(core: &Core, text: &[u8], source: IpAddr) -> Result<EnrolAnswer, &'static Problem> {
    let refuse = |problem: &'static Problem, too_many: bool| {
        record_refusal(core, source, problem, too_many);
        problem
    };
    let request = Request::read(text).ok_or_else(|| {
        // A form that nobody of ours sends is a guess like any other.
        let too_many = core
            .enrolments
            .take(&CodeDigest::of(text), core.clock.now());
        refuse(&problem::EDGE_BAD_CODE, too_many.is_err_and(|many| many))
    })?;
    let offer = core
        .enrolments
        .take(&request.code, core.clock.now())
        .map_err(|too_many| refuse(&problem::EDGE_BAD_CODE, too_many))?;
    enrol(core, offer, &request).map_err(|problem| refuse(problem, false))
}

/// A request that was read.
struct Request {
    code: CodeDigest,
    certificate: Vec<u8>,
    queue: [u8; 16],
    ledger: VerifierKey,
}

impl Request {
    fn read(text: &[u8]) -> Option<Self> {
        let request: EnrolRequest = serde_json::from_slice(text).ok()?;
        if request.version != 1 {
            return None;
        }
        Some(Self {
            code: CodeDigest::of(&decode(&request.secret)?),
            certificate: decode(&request.request)?,
            queue: decode(&request.queue)?.try_into().ok()?,
            ledger: request.ledger_key.parse().ok()?,
        })
    }
}

/// Makes the edge a peer, or gives the one that it is another key, and knows its queue from now on.
fn enrol(core: &Core, offer: Offer, request: &Request) -> Result<EnrolAnswer, &'static Problem> {
    let opened = core.opened().ok_or(&problem::KEYS_SEALED)?;
    let (_, opener) = opened.edges.as_ref().ok_or(&problem::EDGE_NO_DOOR)?;
    let port = edge_port(core).ok_or(&problem::EDGE_NO_DOOR)?;
    let now = core.clock.now();
    let Enrolled {
        cert_pem,
        ca_pem,
        identification,
    } = core
        .authority()
        .map_err(|failure| failure.problem())?
        .issue_for_request(
            &offer.name,
            PeerKind::Edge,
            &request.certificate,
            now,
            offer.days,
        )
        .map_err(|error| error.problem())?;
    let peers = &core.peers;
    let peer = match peers.by_name(&offer.name) {
        Some(known) => peers.renew(known.id, identification, offer.actor, now),
        None => {
            let new = NewPeer {
                name: offer.name.clone(),
                kind: PeerKind::Edge,
                site: SITE,
                rules: offer.rules,
                authority: offer.authority,
                addresses: Vec::new(),
                identification,
            };
            peers.add(new, offer.actor)
        }
    };
    let peer = peer.map_err(|error| error.problem())?;
    let facts = Facts::new()
        .text("name", offer.name.as_str())
        .hex("queue", &request.queue)
        .text("ledger", request.ledger.to_string());
    let subject = Subject::Peer(peer.id);
    let entry = NewEntry::new(SITE, offer.actor, Action::EdgeEnrolled, subject).facts(facts);
    let (queue, ledger) = (request.queue, request.ledger.clone());
    let written = core.store.write(move |tx| -> Result<(), LedgerError> {
        append(tx, &entry)?;
        Ok(Edges::enrol(tx, SITE, peer.id, queue, &ledger)?)
    });
    written.map_err(|error| error.problem())?;
    tracing::info!(name = %offer.name, "edge {} has enrolled", offer.name);
    Ok(EnrolAnswer::Enrolled {
        name: offer.name,
        certificate: cert_pem,
        authority: ca_pem,
        seal_key: encode(opener.public()),
        port,
    })
}

/// Where the first link for edges really listens.
fn edge_port(core: &Core) -> Option<u16> {
    let links = core.config();
    let mut links = links.gateway.links.iter();
    let link = links.find(|link| link.framing == Framing::Edge)?;
    let addresses = core.opened()?.gateway.local_addresses();
    let mut named = addresses.iter().filter(|(name, _)| *name == link.name);
    named.next().map(|(_, address)| address.port())
}

/// At most [`MAX_WRONG`] of these come of one open door, and one more for each code that was right.
fn record_refusal(core: &Core, source: IpAddr, problem: &'static Problem, too_many: bool) {
    let facts = Facts::new().number("codes_ended", i64::from(too_many));
    let entry = NewEntry::new(
        SITE,
        Actor::System,
        Action::EnrolmentRefused,
        Subject::Source(source.to_string().into()),
    )
    .outcome(Outcome::Refused(problem.code))
    .facts(facts);
    tracing::warn!(source = %source, code = problem.code, "an enrolment was refused");
    if let Err(error) = core.store.write(move |tx| append(tx, &entry)) {
        tracing::error!(error = %chain(&error), "a refused enrolment was not recorded");
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}

fn encode(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(secret: &[u8], name: &str, expires: i64) -> Offer {
        Offer {
            code: CodeDigest::of(secret),
            name: name.to_owned(),
            rules: PeerRules::default(),
            authority: None,
            days: 30,
            expires: Timestamp::from_seconds(expires),
            actor: Actor::System,
        }
    }

    fn open(offers: Vec<Offer>) -> Enrolments {
        Enrolments(Mutex::new(Inner {
            offers,
            ..Inner::default()
        }))
    }

    #[test]
    fn a_code_opens_once_and_not_after_its_end() {
        let at = Timestamp::from_seconds;
        let codes = open(vec![offer(b"a", "one", 100), offer(b"b", "two", 200)]);
        let taken = codes.take(&CodeDigest::of(b"a"), at(99)).ok();
        assert_eq!(taken.unwrap().name, "one");
        assert!(codes.take(&CodeDigest::of(b"a"), at(99)).is_err(), "twice");
        assert!(codes.holds(at(199)));
        assert!(codes.take(&CodeDigest::of(b"b"), at(200)).is_err(), "late");
        assert!(!codes.holds(at(200)));
    }

    #[test]
    fn guessing_ends_every_code() {
        let now = Timestamp::from_seconds(1);
        let codes = open(vec![offer(b"a", "one", 100)]);
        for number in 1..MAX_WRONG {
            let refused = codes.take(&CodeDigest::of(&number.to_be_bytes()), now);
            assert_eq!(refused.err(), Some(false), "{number}");
        }
        let last = codes.take(&CodeDigest::of(b"z"), now);
        assert_eq!(last.err(), Some(true));
        assert!(codes.take(&CodeDigest::of(b"a"), now).is_err(), "too late");
        assert!(!codes.holds(now));
    }

    #[test]
    fn what_is_no_request_is_not_read() {
        for text in [&b""[..], b"{}", b"null", b"{\"version\":2}", &[0xff; 40]] {
            assert!(Request::read(text).is_none());
        }
    }
}
