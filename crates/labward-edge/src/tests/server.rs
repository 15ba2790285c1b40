//! A server for the tests of the edge: the gateway's own session of an edge behind a line that can be
//! cut, and everything that came through.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use labward_base::id::{RecordId, SiteId};
use labward_base::{Clock, Problem, Secret, Timestamp};
use labward_gateway::config::{Framing, LinkConfig};
use labward_gateway::delivery::{Dispatch, Outgoing};
use labward_gateway::edge::{Edges, OpenEnvelope, RenewCertificate};
use labward_gateway::events::Events;
use labward_gateway::keep::{Intake, Keep, KeepDone, KeepError, Kept, Opened, Recalled};
use labward_gateway::tls::ServerIdentity;
use labward_gateway::{Gateway, GatewayConfig, GatewayParts};
use labward_hl7::Message;
use labward_identity::{
    Authority, KeyRequest, NewPeer, PeerKind, PeerRules, Peers, RenewalRequest,
};
use labward_ledger::{
    Actor, Appended, LedgerError, LedgerJournal, NewEntry, Publisher, RecordIds, Subject,
    VerifierKey, append_timed,
};
use labward_seal::envelope::open_envelope;
use labward_seal::slot::SlotKeyPair;
use labward_seal::{IndexKey, sha256};
use labward_store::{Options, Store};
use labward_testkit::TempDir;
use rustix::net::{self, AddressFamily, SocketType};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::sync::{Notify, watch};

use crate::config::EdgeConfig;
use crate::folder::{EdgeFolder, Identity, Roots};
use crate::queue::Queue;
use crate::renewal::Renewal;
use crate::run::{NODE, SITE};
use crate::store::migrations;
use crate::uplink::{EdgeLedger, Standing, Uplink};

/// How long the edge's certificate holds.
pub(crate) const DAYS: u32 = 30;
/// How long the server's does.
const SERVER_DAYS: u32 = 397;

/// A server with one edge, in a folder of its own.
pub(crate) struct Server {
    pub(crate) line: Line,
    pub(crate) identity: Identity,
    pub(crate) pair: Arc<SlotKeyPair>,
    pub(crate) edges: Edges,
    pub(crate) renewer: Arc<Renewer>,
    pub(crate) peers: Peers,
    pub(crate) store: Store,
    received: Arc<Mutex<Vec<Vec<u8>>>>,
    gateway: Gateway,
    _folder: TempDir,
}

impl Server {
    /// A server that has enrolled the edge `bench-1`, and a line to it that is not open yet.
    pub(crate) fn start(clock: &Arc<dyn Clock>) -> Self {
        let folder = TempDir::new();
        let now = clock.now();
        let migrations = [migrations(), labward_gateway::edge::MIGRATIONS.to_vec()].concat();
        let journal = LedgerJournal::new(NODE, Arc::clone(clock));
        let options = Options::new(folder.join("server.sqlite"));
        let store = Store::open(options, &migrations, Box::new(journal)).unwrap();
        let authority = Authority::create("Lab", now).unwrap().authority;
        let peers = Peers::load(store.clone()).unwrap();
        let pair = Arc::new(SlotKeyPair::generate().unwrap());
        let identity = enrol(&store, &peers, &authority, pair.public(), now);
        let renewer = Arc::new(Renewer {
            authority,
            peers: peers.clone(),
            clock: Arc::clone(clock),
            asked: Mutex::default(),
            before: Mutex::default(),
            after: Mutex::default(),
            refuses: Mutex::default(),
        });
        let edges = Edges::new(
            store.clone(),
            Arc::new(Opener(Arc::clone(&pair))),
            renewer.clone(),
        );
        let received = Arc::default();
        let names = ["localhost".to_owned()];
        let issued = renewer.authority.issue_server(&names, now, SERVER_DAYS);
        let shown = issued.unwrap().bundle;
        let shown = shown.to_pem();
        let shown = shown.expose().as_bytes();
        let mut link = LinkConfig::new("edges".parse().unwrap(), "127.0.0.1:0".parse().unwrap());
        link.framing = Framing::Edge;
        let config = GatewayConfig {
            links: vec![link],
            ..GatewayConfig::default()
        };
        let parts = GatewayParts {
            watch: None,
            inspect: None,
            keep: Arc::new(Sink {
                store: store.clone(),
                ids: Mutex::new(store.read(|snapshot| RecordIds::load(snapshot)).unwrap()),
                received: Arc::clone(&received),
            }),
            store: store.clone(),
            peers: peers.clone(),
            index_key: Arc::new(IndexKey::from_bytes([4; 32])),
            clock: Arc::clone(clock),
            dispatch: Arc::new(Nowhere),
            identity: Some(ServerIdentity {
                chain: vec![CertificateDer::from_pem_slice(shown).unwrap()],
                key: PrivateKeyDer::from_pem_slice(shown).unwrap(),
                authority: renewer.authority.certificate().clone(),
            }),
            events: Events::default(),
            edges: Some(edges.clone()),
            notice: None,
            site: SITE,
        };
        let gateway = Gateway::start(config, parts).unwrap();
        let [(_, address)] = gateway.local_addresses()[..] else {
            panic!("one link")
        };
        Self {
            line: Line::to(address),
            identity,
            pair,
            edges,
            renewer,
            peers,
            store,
            received,
            gateway,
            _folder: folder,
        }
    }

    /// The control ids of what came, in its order.
    pub(crate) fn received(&self) -> Vec<String> {
        let received = self.received.lock().unwrap();
        received.iter().map(|bytes| control_id(bytes)).collect()
    }

    /// The edge's way to this server over the line, and what stops it.
    pub(crate) fn uplink(
        &self,
        store: &Store,
        ledger: &TempDir,
        clock: &Arc<dyn Clock>,
        wake: &Arc<Notify>,
        report: impl Fn(&Standing) + Send + Sync + 'static,
    ) -> (Uplink, watch::Sender<bool>) {
        let (stop, stopped) = watch::channel(false);
        let text = format!(
            "version = 1\nserver = \"{}\"\nserver_name = \"localhost\"\n",
            self.line.address
        );
        let folder = EdgeFolder::new(ledger.path());
        let renewed = Identity::load(&folder).unwrap();
        let identity = renewed.unwrap_or_else(|| self.identity.clone());
        let origin = identity.roots.origin();
        let uplink = Uplink {
            config: EdgeConfig::parse(&text).unwrap(),
            queue: Queue::load(store.clone(), SITE).unwrap(),
            renewal: Renewal::new(folder, store.clone()),
            ledger: EdgeLedger {
                publisher: Publisher::new(ledger.path().to_owned(), NODE, origin),
                key: identity.roots.signing_key().unwrap(),
                folder: ledger.path().to_owned(),
                store: store.clone(),
            },
            identity,
            peers: Peers::load(store.clone()).unwrap(),
            clock: Arc::clone(clock),
            wake: Arc::clone(wake),
            stop: stopped,
            report: Box::new(report),
        };
        (uplink, stop)
    }

    /// What the server says against the edge, as a code.
    pub(crate) fn fault(&self) -> Option<String> {
        let status = self.edges.status().unwrap();
        status.into_iter().find_map(|edge| edge.fault)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.line.cutter()();
        self.gateway.shutdown();
    }
}

/// Runs an uplink on a thread of its own.
pub(crate) fn run(uplink: Uplink) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_all().build().unwrap().block_on(uplink.run());
    })
}

/// MSH-10 of a message.
pub(crate) fn control_id(bytes: &[u8]) -> String {
    let message = Message::parse(bytes).unwrap();
    String::from_utf8_lossy(message.header().control_id()).into_owned()
}

fn enrol(
    store: &Store,
    peers: &Peers,
    authority: &Authority,
    seal_key: &[u8],
    now: Timestamp,
) -> Identity {
    let made = KeyRequest::generate().unwrap();
    let issued = authority
        .issue_for_request("bench-1", PeerKind::Edge, &made.request, now, DAYS)
        .unwrap();
    let new = NewPeer {
        name: "bench-1".to_owned(),
        kind: PeerKind::Edge,
        site: SITE,
        rules: PeerRules::admit_all(),
        authority: None,
        addresses: Vec::new(),
        identification: issued.identification,
    };
    let peer = peers.add(new, Actor::System).unwrap().id;
    let roots = Roots::generate().unwrap();
    let key = VerifierKey::new(&roots.origin(), *roots.signing_key().unwrap().public()).unwrap();
    let queue = roots.queue;
    store
        .write(move |tx| Edges::enrol(tx, SITE, peer, queue, &key))
        .unwrap();
    Identity {
        name: "bench-1".to_owned(),
        roots,
        certificate_pem: issued.cert_pem,
        key_pem: made.key_pem,
        authority_pem: issued.ca_pem,
        seal_key: seal_key.to_vec(),
    }
}

struct Opener(Arc<SlotKeyPair>);

impl OpenEnvelope for Opener {
    fn key_id(&self) -> [u8; 8] {
        *sha256(self.0.public()).first_chunk().unwrap()
    }

    fn open(&self, place: &[u8], envelope: &[u8]) -> Option<Secret<Vec<u8>>> {
        open_envelope(self.0.private(), place, envelope).ok()
    }
}

type Hook = Mutex<Option<Box<dyn FnOnce() + Send>>>;

/// Issues as the server does, and lets something happen before or after it once.
pub(crate) struct Renewer {
    authority: Authority,
    peers: Peers,
    clock: Arc<dyn Clock>,
    /// The requests that came.
    pub(crate) asked: Mutex<Vec<Vec<u8>>>,
    pub(crate) before: Hook,
    pub(crate) after: Hook,
    /// Why the next request is refused.
    pub(crate) refuses: Mutex<Option<&'static Problem>>,
}

impl RenewCertificate for Renewer {
    fn renew(&self, asked: &RenewalRequest) -> Result<String, &'static Problem> {
        let happens = |hook: &Hook| hook.lock().unwrap().take().map(|hook| hook());
        self.asked.lock().unwrap().push(asked.request.clone());
        happens(&self.before);
        if let Some(problem) = self.refuses.lock().unwrap().take() {
            return Err(problem);
        }
        let now = self.clock.now();
        let renewed = self.peers.renew_by_request(&self.authority, asked, now);
        happens(&self.after);
        renewed.map_err(|error| error.problem())
    }
}

struct Nowhere;

impl Dispatch for Nowhere {
    fn committed(&self, _: Outgoing) {}
}

/// Keeps what comes, in memory too, in the order of its commits.
struct Sink {
    store: Store,
    ids: Mutex<RecordIds>,
    received: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Keep for Sink {
    fn keep(&self, intake: Intake, done: KeepDone) {
        let ids = self.ids.lock().unwrap();
        let record = ids.next();
        let subject = Subject::Record(record);
        let mut entry =
            NewEntry::new(intake.site, intake.actor, intake.action, subject).facts(intake.facts);
        entry.record = Some(record);
        entry.payload = Some(intake.bytes.clone());
        let (received, bytes) = (Arc::clone(&self.received), intake.bytes);
        self.store.submit(
            move |tx| append_timed(tx, &entry),
            move |written: Result<Appended, LedgerError>| {
                let Appended { index, time } = written.unwrap();
                received.lock().unwrap().push(bytes.clone());
                done(Ok(Kept {
                    record,
                    entry: index,
                    time,
                    patient: None,
                    ordering: Vec::new(),
                    bytes,
                }));
            },
        );
        drop(ids);
    }

    fn open(&self, _: RecordId) -> Result<Opened, KeepError> {
        Err(KeepError::NotFound)
    }

    fn seal_detail(&self, _: SiteId, _: &[u8]) -> Result<Vec<u8>, KeepError> {
        Err(KeepError::Internal)
    }

    fn recall(
        &self,
        _: Timestamp,
        _: &mut dyn FnMut(Recalled<'_>) -> ControlFlow<()>,
    ) -> Result<(), KeepError> {
        Ok(())
    }

    fn is_ready(&self) -> bool {
        true
    }
}

/// The line to the server: nobody answers until it is open, and what has not gone through when it is
/// cut never does.
pub(crate) struct Line {
    pub(crate) address: SocketAddr,
    target: SocketAddr,
    socket: OwnedFd,
    wire: Arc<Mutex<Wire>>,
}

#[derive(Default)]
struct Wire {
    is_cut: bool,
    open: Vec<TcpStream>,
}

impl Line {
    /// A port that is taken, and refuses whoever comes.
    fn to(target: SocketAddr) -> Self {
        let socket = net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        net::bind(&socket, &SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = net::getsockname(&socket).unwrap().try_into().unwrap();
        Self {
            address,
            target,
            socket,
            wire: Arc::default(),
        }
    }

    /// From now on somebody answers.
    #[expect(
        clippy::disallowed_methods,
        reason = "a line of these tests, not a connection of the program"
    )]
    pub(crate) fn open(&self) {
        net::listen(&self.socket, 16).unwrap();
        let listener = TcpListener::from(self.socket.try_clone().unwrap());
        let (target, shared) = (self.target, Arc::clone(&self.wire));
        thread::spawn(move || {
            for near in listener.incoming() {
                let mut wire = shared.lock().unwrap();
                let (Ok(near), false) = (near, wire.is_cut) else {
                    continue;
                };
                // The server may have ended.
                let Ok(far) = TcpStream::connect(target) else {
                    return;
                };
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    wire.open.push(from.try_clone().unwrap());
                    let shared = Arc::clone(&shared);
                    thread::spawn(move || carry(from, to, &shared));
                }
            }
        });
    }

    /// What cuts the line at the moment when it is called.
    pub(crate) fn cutter(&self) -> impl FnOnce() + Send + 'static {
        let wire = Arc::clone(&self.wire);
        move || {
            let mut wire = wire.lock().unwrap();
            wire.is_cut = true;
            for stream in wire.open.drain(..) {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
    }

    /// Joins it again.
    pub(crate) fn mend(&self) {
        self.wire.lock().unwrap().is_cut = false;
    }
}

/// Carries bytes until an end closes or the line is cut.
fn carry(mut from: TcpStream, mut to: TcpStream, wire: &Mutex<Wire>) {
    let mut buffer = [0; 8_192];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        // What is read after the cut was perhaps written after it.
        let wire = wire.lock().unwrap();
        if wire.is_cut || to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
