//! An edge's certificate near its end: real programs, killed where it hurts, and one that is revoked.
//!
//! The edge gets a certificate that was issued 300 of its 397 days ago. The line between the two can
//! stop carrying a direction at the moment when something is so, which is where the kills come.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use labward_base::Clock as _;
use labward_base::id::EntryIndex;
use labward_identity::{Authority, KeyRequest, PeerKind, Peers};
use labward_ledger::{Action, Actor, Leaf, Outcome, entries};
use labward_os::SystemClock;
use labward_server::folder::AUTHORITY_KEY;
use labward_store::StoreError;
use serde_json::Value;

use super::bench::{Bench, Device, free_port};
use super::{numbered, received};
use crate::support::{Opened, eventually, program, run};

const DAYS: u32 = 397;
const AGE: Duration = Duration::from_secs(300 * 86_400);

/// Whether a direction is carried no further, asked before each piece of it.
type Holds = Box<dyn Fn() -> bool + Send>;

/// A line that goes deaf in one direction when something is so.
struct Line {
    address: SocketAddr,
    /// Towards the server, and back.
    ways: [Arc<Way>; 2],
}

#[derive(Default)]
struct Way {
    holds: Mutex<Option<Holds>>,
    held: AtomicBool,
}

impl Line {
    fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let ways: [Arc<Way>; 2] = Default::default();
        let both = ways.clone();
        thread::spawn(move || {
            for near in listener.incoming() {
                let Ok(near) = near else { return };
                // The server may be down.
                let Ok(far) = TcpStream::connect(target) else {
                    continue;
                };
                let ends = [(&near, &far), (&far, &near)];
                for ((from, to), way) in ends.into_iter().zip(&both) {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let way = Arc::clone(way);
                    thread::spawn(move || carry(from, to, &way));
                }
            }
        });
        Self { address, ways }
    }

    fn hold_requests(&self, when: impl Fn() -> bool + Send + 'static) {
        *self.ways[0].holds.lock().unwrap() = Some(Box::new(when));
    }

    fn hold_answers(&self, when: impl Fn() -> bool + Send + 'static) {
        *self.ways[1].holds.lock().unwrap() = Some(Box::new(when));
    }

    /// Carries everything from now on.
    fn open(&self) {
        for way in &self.ways {
            *way.holds.lock().unwrap() = None;
            way.held.store(false, Ordering::SeqCst);
        }
    }

    fn wait_until_held(&self, what: &str) {
        eventually(what, || {
            let held = |way: &Arc<Way>| way.held.load(Ordering::SeqCst);
            self.ways.iter().any(held).then_some(())
        });
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, way: &Way) {
    let mut buffer = [0; 8_192];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let held = way.holds.lock().unwrap().as_ref().is_some_and(|is| is());
        if held {
            way.held.store(true, Ordering::SeqCst);
            // What was read is lost, as on a line that was cut behind it.
            continue;
        }
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

/// An enrolled edge whose certificate is due, and the line to its server.
struct Old {
    bench: Bench,
    line: Line,
}

impl Old {
    fn new() -> Self {
        let link = free_port();
        let line = Line::to(link);
        let server = format!("server = \"localhost:{}\"\n", line.address.port());
        let mut bench = Bench::reached(link, server);
        let server = bench.lab.serve();
        bench.enrol();
        server.stop();
        age(&bench);
        Self { bench, line }
    }

    fn send(&self, numbers: std::ops::RangeInclusive<u32>) {
        let mut device = Device::connect(self.bench.device(1));
        for number in numbers {
            device.exchange(numbered(1, number));
        }
    }

    fn pending(&self) -> PathBuf {
        self.bench.folder.join("renewal.json")
    }

    fn identity(&self) -> Value {
        let text = fs::read(self.bench.folder.join("identity.json")).unwrap();
        serde_json::from_slice(&text).unwrap()
    }
}

/// The key that the server knows the edge by; null while it does not answer.
fn key_at_server(data: &Path) -> Value {
    let mut list = Command::new(program());
    list.env_clear()
        .arg("--data")
        .arg(data)
        .args(["--json", "peer", "list"]);
    let peers = run(&mut list, b"");
    match peers.code {
        Some(0) => peers.json()[0]["spki_sha256"].clone(),
        _ => Value::Null,
    }
}

/// Gives the edge a certificate that was issued 300 days ago, as it would have it by now. The server
/// must have ended.
fn age(bench: &Bench) {
    let opened = bench.lab.open();
    let now = SystemClock.now();
    let pem = fs::read_to_string(bench.lab.data().join("tls/authority.pem")).unwrap();
    let key = opened.keys.secret(AUTHORITY_KEY).unwrap().unwrap();
    let authority = Authority::load(&pem, key).unwrap();
    let made = KeyRequest::generate().unwrap();
    let issued = authority.issue_for_request(
        "bench-1",
        PeerKind::Edge,
        &made.request,
        now.minus(AGE),
        DAYS,
    );
    let issued = issued.unwrap();
    let peers = Peers::load(opened.store.clone()).unwrap();
    let peer = peers.by_name("bench-1").unwrap();
    let renewed = peers.renew(peer.id, issued.identification, Actor::System, now);
    renewed.unwrap();
    opened.store.close().unwrap();
    let path = bench.folder.join("identity.json");
    let mut identity: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    identity["certificate"] = issued.cert_pem.into();
    identity["key"] = made.key_pem.expose().as_str().into();
    fs::write(&path, identity.to_string()).unwrap();
}

/// The outcomes of the renewals that the edge itself asked for.
fn renewals(opened: &Opened) -> Vec<Outcome<String>> {
    let first = EntryIndex::new(0);
    let rows = opened
        .store
        .read(|snapshot| entries(snapshot, first, 10_000));
    let rows = rows.map_err(|error: StoreError| error).unwrap();
    let leaves = rows.iter().map(|row| Leaf::parse(&row.leaf).unwrap());
    let by_itself = |leaf: &Leaf| matches!(leaf.actor, Actor::Peer(_));
    leaves
        .filter(|leaf| leaf.action == Action::PeerRenewed && by_itself(leaf))
        .map(|leaf| leaf.outcome)
        .collect()
}

#[test]
fn an_edge_killed_between_any_steps_of_its_renewal_has_a_pair_that_works_and_loses_no_result() {
    let old = Old::new();
    let (bench, line) = (&old.bench, &old.line);
    let first = old.identity();
    let server = bench.lab.serve();
    let data = bench.lab.data().to_owned();
    let known = key_at_server(&data);

    // Killed behind the key on disk, before the server hears of it.
    let pending = old.pending();
    line.hold_requests(move || pending.exists());
    let edge = bench.start();
    old.send(1..=5);
    line.wait_until_held("the edge to ask for its next certificate");
    edge.kill();
    let pending = fs::read(old.pending()).unwrap();
    assert_eq!(key_at_server(&data), known);
    assert_eq!(old.identity(), first);

    // Both killed behind the server's commit, before the edge hears of it.
    line.open();
    let (place, before) = (data.clone(), known.clone());
    line.hold_answers(move || {
        let now = key_at_server(&place);
        now != before && !now.is_null()
    });
    let edge = bench.start();
    old.send(6..=10);
    line.wait_until_held("the server to answer");
    edge.kill();
    server.kill();
    assert_eq!(fs::read(old.pending()).unwrap(), pending);
    assert_eq!(old.identity(), first);

    // What it has still opens the line, and it gets what it asked for.
    line.open();
    let server = bench.lab.serve();
    let next = key_at_server(&data);
    assert_ne!(next, known);
    let edge = bench.start();
    old.send(11..=15);
    eventually("the edge to have its next certificate", || {
        let renewed = old.identity()["certificate"] != first["certificate"];
        (renewed && !old.pending().exists()).then_some(())
    });
    assert_eq!(key_at_server(&data), next, "it asked for the same key");
    bench.wait_for_taken(15);

    // Killed behind the change, and once more.
    edge.kill();
    let edge = bench.start();
    old.send(16..=20);
    bench.wait_connected();
    bench.wait_for_taken(20);
    let status = bench.status();
    assert_eq!(status["renewal_fault"], Value::Null, "{status}");
    let year = SystemClock.now().plus(AGE).to_rfc3339();
    let until = status["certificate_until"].as_str().unwrap().to_owned();
    assert!(until > year, "{until}");
    let check = bench.lab.run(&["--json", "check"]).out;
    assert!(!check.contains("check.edge-certificate"), "{check}");
    edge.stop();
    server.stop();
    let opened = bench.lab.open();
    assert_eq!(renewals(&opened), [Outcome::Success]);
    let numbers: Vec<u32> = received(&opened).iter().map(|one| one.number).collect();
    assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
}

#[test]
fn an_edge_that_is_revoked_is_not_renewed_and_what_it_tries_is_recorded() {
    let old = Old::new();
    let (bench, line) = (&old.bench, &old.line);
    let server = bench.lab.serve();
    let data = bench.lab.data().to_owned();
    let known = key_at_server(&data);
    let check = bench.lab.run(&["--json", "check"]).out;
    let late = "check.edge-certificate-not-renewed";
    assert!(check.contains(late), "97 of 398 days are left: {check}");
    let pending = old.pending();
    line.hold_requests(move || pending.exists());
    let edge = bench.start();
    line.wait_until_held("the edge to ask for its next certificate");
    bench.lab.run(&["peer", "revoke", "bench-1"]).ok();
    edge.kill();
    line.open();
    let edge = bench.start();
    eventually("the edge to say why it is refused", || {
        (bench.status()["fault"] == "identity.peer-revoked").then_some(())
    });
    assert_eq!(key_at_server(&data), known);
    edge.stop();
    // Strangers are recorded once a minute, and when the server stops.
    server.stop();
    let opened = bench.lab.open();
    assert!(renewals(&opened).is_empty());
    let rows = opened
        .store
        .read(|snapshot| entries(snapshot, EntryIndex::new(0), 10_000));
    let rows = rows.map_err(|error: StoreError| error).unwrap();
    let leaves = rows.iter().map(|row| Leaf::parse(&row.leaf).unwrap());
    let refused: Vec<Leaf> = leaves
        .filter(|leaf| leaf.action == Action::StrangerRefused)
        .collect();
    let revoked = |leaf: &Leaf| leaf.facts.get_number("revoked") > Some(0);
    assert!(refused.iter().any(revoked), "{refused:?}");
}
