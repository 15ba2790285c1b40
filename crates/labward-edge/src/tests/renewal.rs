//! The edge's next certificate over a real line: asked for in time, once, and through kills and a cut
//! line without a result lost or doubled.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use labward_base::{Clock, Problem, problem};
use labward_gateway::edge::wire::{Continued, FromEdge, FromServer, Hello, State};
use labward_identity::KeyRequest;
use labward_ledger::{Actor, Leaf, entries};
use labward_os::Stopwatch;
use labward_store::{Store, StoreError};
use labward_testkit::{FakeClock, TempDir};
use tokio::sync::{Notify, watch};

use super::server::{DAYS, Server, run};
use super::{PATIENCE, id, keep_of, result};
use crate::folder::{EdgeFolder, Identity};
use crate::keep::EdgeKeep;
use crate::run::tests::{keep_message, open_store};
use crate::uplink::{Standing, ask};

const DAY: Duration = Duration::from_secs(86_400);

/// An edge with a certificate for 30 days and a server, at a clock that the test moves.
struct Life {
    fake: FakeClock,
    clock: Arc<dyn Clock>,
    server: Server,
    store: Store,
    folder: TempDir,
    wake: Arc<Notify>,
    keep: EdgeKeep,
    sent: u32,
    _disk: TempDir,
}

/// The running uplink of an edge.
struct Running {
    stop: watch::Sender<bool>,
    uplink: JoinHandle<()>,
    said: mpsc::Receiver<Standing>,
}

impl Life {
    fn begin() -> Self {
        let fake = FakeClock::default();
        let clock = Arc::new(fake.clone()) as Arc<dyn Clock>;
        let server = Server::start(&clock);
        let (disk, folder) = (TempDir::new(), TempDir::new());
        let store = open_store(&disk, &Arc::new(fake.clone()));
        let wake = Arc::new(Notify::new());
        let keep = keep_of(&server, &store, &clock, &wake);
        Self {
            fake,
            clock,
            server,
            store,
            folder,
            wake,
            keep,
            sent: 0,
            _disk: disk,
        }
    }

    fn start(&self) -> Running {
        let (send, said) = mpsc::channel();
        let report = move |standing: &Standing| {
            // Nobody may listen any more.
            let _ = send.send(standing.clone());
        };
        let (uplink, stop) =
            self.server
                .uplink(&self.store, &self.folder, &self.clock, &self.wake, report);
        Running {
            stop,
            uplink: run(uplink),
            said,
        }
    }

    /// A device sends one more result.
    fn send(&mut self) {
        self.sent += 1;
        keep_message(&self.keep, &result(1, self.sent)).unwrap();
    }

    /// Time passes, and the edge looks.
    fn pass(&self, time: Duration) {
        self.fake.advance(time);
        self.wake.notify_one();
    }

    fn edge(&self) -> EdgeFolder {
        EdgeFolder::new(self.folder.path())
    }

    /// The key that the server knows the edge by, and the one that the edge has on disk.
    #[track_caller]
    fn both_know_the_next_key(&self) {
        let peer = self.server.peers.by_name("bench-1").unwrap();
        let identity = Identity::load(&self.edge()).unwrap().unwrap();
        let next = identity.certificate().unwrap();
        let first = self.server.identity.certificate().unwrap();
        assert_eq!(next.spki_sha256, peer.spki_sha256);
        assert_ne!(next.spki_sha256, first.spki_sha256);
        assert_eq!(next.days(), DAYS, "as many days as when it enrolled");
        // The key before is good for a while.
        assert_eq!(peer.previous.unwrap().spki_sha256, first.spki_sha256);
        assert!(!self.edge().renewal().exists());
    }

    /// The outcomes of the entries that say of the edge that it was renewed, in the server's ledger.
    fn renewals(&self) -> Vec<String> {
        let first = labward_base::id::EntryIndex::new(0);
        let rows = self
            .server
            .store
            .read(|snapshot| entries(snapshot, first, 10_000));
        let rows = Result::<_, StoreError>::unwrap(rows).into_iter();
        let leaves = rows.map(|row| Leaf::parse(&row.leaf).unwrap());
        let mine = leaves.filter(|leaf| leaf.action.name() == "peer.renewed");
        mine.map(|leaf| {
            assert!(matches!(leaf.actor, Actor::Peer(_)), "{leaf:?}");
            format!("{:?}", leaf.outcome)
        })
        .collect()
    }

    /// Every result that a device sent came once and in order.
    #[track_caller]
    fn all_came_once_in_order(&self) {
        let sent: Vec<String> = (1..=self.sent).map(|number| id(1, number)).collect();
        assert_eq!(self.server.received(), sent);
        assert_eq!(self.server.fault(), None);
    }
}

impl Running {
    /// Waits until the edge says this of itself.
    #[track_caller]
    fn until(&self, is_so: impl Fn(&Standing) -> bool) -> Standing {
        let watch = Stopwatch::start();
        loop {
            let left = PATIENCE.saturating_sub(watch.elapsed());
            let standing = self.said.recv_timeout(left).expect("the edge to say it");
            if is_so(&standing) {
                return standing;
            }
        }
    }

    fn until_all_is_taken(&self, life: &Life) {
        let last = u64::from(life.sent);
        self.until(|now| now.connected && now.state.waiting == 0 && now.sent == last);
    }

    fn until_renewed(&self, life: &Life) {
        let day = life.fake.now().plus(DAY * (DAYS - 1));
        self.until(|now| now.connected && now.certificate_until >= Some(day));
    }

    /// Nothing is finished: what stands on the disk is what the next start finds.
    fn end(self) {
        self.stop.send_replace(true);
        self.uplink.join().unwrap();
    }
}

#[test]
fn an_edge_renews_when_a_third_of_its_certificates_life_is_left_and_goes_on_with_the_next() {
    let mut life = Life::begin();
    life.server.line.open();
    life.send();
    let running = life.start();
    running.until_all_is_taken(&life);
    life.pass(DAY * 19);
    life.send();
    running.until_all_is_taken(&life);
    assert_eq!(life.renewals(), [""; 0], "11 of 31 days are left");
    life.pass(DAY);
    running.until_renewed(&life);
    life.send();
    running.until_all_is_taken(&life);
    life.both_know_the_next_key();
    assert_eq!(life.renewals(), ["Success"]);
    // The one before has ended; the next one opens the line.
    life.pass(DAY * 15);
    running.end();
    life.send();
    let running = life.start();
    running.until_all_is_taken(&life);
    running.end();
    life.all_came_once_in_order();
}

#[test]
fn a_key_that_was_asked_for_is_asked_for_again_after_a_lost_answer_and_a_kill() {
    let mut life = Life::begin();
    life.server.line.open();
    life.send();
    let running = life.start();
    running.until_all_is_taken(&life);
    // Before the server knows of the key, it is on the edge's disk, for its owner alone.
    let (pending, before) = (life.edge().renewal(), Arc::new(Mutex::new(Vec::new())));
    let seen = Arc::clone(&before);
    *life.server.renewer.before.lock().unwrap() = Some(Box::new(move || {
        let mode = fs::metadata(&pending).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        *seen.lock().unwrap() = fs::read(&pending).unwrap();
    }));
    // The server commits, and the answer never comes.
    *life.server.renewer.after.lock().unwrap() = Some(Box::new(life.server.line.cutter()));
    life.pass(DAY * 20);
    running.until(|now| !now.connected);
    running.end();
    let before = before.lock().unwrap().clone();
    assert_eq!(fs::read(life.edge().renewal()).unwrap(), before);
    assert!(Identity::load(&life.edge()).unwrap().is_none(), "the first");
    assert_eq!(life.renewals(), ["Success"]);
    // It sends more with the key before, and is given the same certificate.
    life.send();
    life.server.line.mend();
    let running = life.start();
    running.until_renewed(&life);
    running.until_all_is_taken(&life);
    running.end();
    let asked = life.server.renewer.asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0], asked[1]);
    assert_eq!(life.renewals(), ["Success"], "it was given once");
    life.both_know_the_next_key();
    life.all_came_once_in_order();
}

#[test]
fn a_refused_renewal_holds_up_no_result_and_is_tried_again_after_a_while() {
    let mut life = Life::begin();
    life.server.line.open();
    let running = life.start();
    running.until(|now| now.connected);
    *life.server.renewer.refuses.lock().unwrap() = Some(&problem::EDGE_RENEWAL_EARLY);
    life.pass(DAY * 20);
    let early: &Problem = &problem::EDGE_RENEWAL_EARLY;
    let standing = running.until(|now| now.renewal_fault == Some(early));
    assert!(standing.connected && standing.fault.is_none());
    life.send();
    running.until_all_is_taken(&life);
    life.pass(Duration::from_secs(30));
    life.send();
    running.until_all_is_taken(&life);
    assert_eq!(life.server.renewer.asked.lock().unwrap().len(), 1);
    life.pass(Duration::from_secs(31));
    running.until_renewed(&life);
    running.end();
    life.both_know_the_next_key();
    assert_eq!(
        life.renewals(),
        ["Refused(\"edge.renewal-early\")", "Success"]
    );
    life.all_came_once_in_order();
}

#[test]
fn an_edge_that_is_revoked_while_it_asks_is_refused_and_that_is_recorded() {
    let life = Life::begin();
    life.server.line.open();
    let running = life.start();
    running.until(|now| now.connected);
    let peers = life.server.peers.clone();
    *life.server.renewer.before.lock().unwrap() = Some(Box::new(move || {
        let id = peers.by_name("bench-1").unwrap().id;
        peers.revoke(id, Actor::System).unwrap();
    }));
    life.pass(DAY * 20);
    let revoked: &Problem = &problem::IDENTITY_PEER_REVOKED;
    running.until(|now| now.fault == Some(revoked));
    running.end();
    assert_eq!(life.renewals(), ["Refused(\"identity.peer-revoked\")"]);
    assert!(Identity::load(&life.edge()).unwrap().is_none());
    let peer = life.server.peers.by_name("bench-1").unwrap();
    let first = life.server.identity.certificate().unwrap();
    assert_eq!(peer.spki_sha256, first.spki_sha256);
}

#[test]
fn an_edge_whose_certificate_has_ended_says_so_and_keeps_what_it_has() {
    let mut life = Life::begin();
    life.server.line.open();
    life.pass(DAY * (DAYS + 1));
    life.send();
    let running = life.start();
    let ended: &Problem = &problem::EDGE_CERTIFICATE_ENDED;
    let standing = running.until(|now| now.fault == Some(ended));
    assert!(!standing.connected);
    assert_eq!(standing.state.waiting, 1);
    running.end();
    assert!(life.server.received().is_empty());
}

/// Says hello in this version of the protocol, and what comes of the frames behind it.
async fn says(life: &Life, speaks: u8, prove: bool, frames: &[FromEdge]) -> Vec<&'static str> {
    let (uplink, _stop) =
        life.server
            .uplink(&life.store, &life.folder, &life.clock, &life.wake, |_| {});
    let mut stream = uplink.dial().await.unwrap();
    let key = uplink.ledger.publisher.verifier(&uplink.ledger.key);
    let hello = FromEdge::Hello(Hello {
        speaks,
        queue: uplink.identity.roots.queue,
        key: uplink.identity.key_id(),
        sent: uplink.queue.sent(),
        version: "0.1.0".to_owned(),
        ledger: key.unwrap().to_string(),
    });
    let welcome = ask(&mut stream, &hello).await.unwrap();
    let FromServer::Welcome { size, .. } = welcome else {
        panic!("{welcome:?}")
    };
    if prove {
        let (_, note, path) = uplink.ledger.continued(size).unwrap();
        let last = [0; 32];
        let checkpoint = FromEdge::Checkpoint(Continued { note, path, last });
        ask(&mut stream, &checkpoint).await.unwrap();
    }
    let mut answers = Vec::new();
    for frame in frames {
        answers.push(match ask(&mut stream, frame).await {
            Ok(FromServer::Taken { .. }) => "taken",
            Ok(FromServer::Renewed { .. }) => "renewed",
            Ok(FromServer::NotRenewed { .. }) => "not renewed",
            Ok(FromServer::Welcome { .. } | FromServer::Refused { .. }) => "another",
            Err(ended) => ended.0.code,
        });
    }
    answers
}

#[tokio::test]
async fn an_edge_of_the_version_before_is_served_and_one_asks_behind_its_proof_and_not_without_end()
{
    let mut life = Life::begin();
    life.server.line.open();
    life.send();
    life.fake.advance(DAY * 20);
    let made = KeyRequest::generate().unwrap();
    let (state, renew) = (
        FromEdge::State(State::default()),
        FromEdge::Renew(made.request),
    );
    let frames = [state.clone(), renew.clone()];
    assert_eq!(
        says(&life, 1, true, &frames).await,
        ["taken", "edge.not-spoken"]
    );
    let first = std::slice::from_ref(&renew);
    assert_eq!(says(&life, 2, false, first).await, ["edge.not-spoken"]);
    assert_eq!(life.renewals(), [""; 0]);
    let mut frames = vec![renew; 8];
    frames.push(state);
    let mut expect = vec!["renewed"; 6];
    expect.extend(["not renewed", "not renewed", "taken"]);
    assert_eq!(says(&life, 2, true, &frames).await, expect);
    assert_eq!(life.renewals(), ["Success"], "the same one each time");
}
