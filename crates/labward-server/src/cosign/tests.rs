//! Tests of asking: a real witness on loopback, real ledgers on disk, copies of them that go on.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use labward_gateway::config::OutboundTransport;
use labward_identity::{Authority, PeerKind};
use labward_ledger::{
    Action, Actor, LedgerJournal, NewEntry, Subject, VerifierKey, append, verify_bundle_with,
};
use labward_seal::sign::SigningKey;
use labward_store::Options;
use labward_testkit::{FakeClock, TempDir};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::ask::Refusal;
use super::*;
use crate::folder::NODE;
use crate::migrations::migrations;
use crate::witness::tests::Running;
use crate::witness::{add_log, init, show};

const ORIGIN: &str = "labward.local/test";
const HOUR: Duration = Duration::from_secs(3_600);

/// A ledger in a folder, as a server would hold it.
struct Node {
    folder: TempDir,
    publishing: Arc<Publishing>,
    store: Store,
    peers: Peers,
    clock: Arc<dyn Clock>,
}

impl Node {
    fn new(key: &SigningKey) -> Self {
        Self::open(TempDir::new(), key)
    }

    fn open(folder: TempDir, key: &SigningKey) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(FakeClock::default());
        let journal = LedgerJournal::new(NODE, Arc::clone(&clock));
        let options = Options::new(folder.join("db"));
        let store = Store::open(options, &migrations(), Box::new(journal)).unwrap();
        let key = SigningKey::from_seed(key.seed()).unwrap();
        let dir = folder.join("ledger");
        let publishing = Publishing::new(store.clone(), NODE, dir, ORIGIN, key).unwrap();
        Self {
            publishing: Arc::new(publishing),
            peers: Peers::load(store.clone()).unwrap(),
            store,
            clock,
            folder,
        }
    }

    /// The ledger as it is now, in a folder of its own, under the same key.
    fn copy(self, key: &SigningKey) -> (Self, Self) {
        self.store.close().unwrap();
        let Self { folder, .. } = self;
        let other = TempDir::new();
        copy_folder(folder.path(), other.path());
        (Self::open(folder, key), Self::open(other, key))
    }

    /// Appends so many entries about this slot and publishes.
    fn grow(&self, entries: u64, slot: u32) {
        let subject = Subject::Slot(labward_base::id::SlotId::new(slot));
        let entry = NewEntry::new(SITE, Actor::System, Action::KeySlotTested, subject);
        self.store
            .write(move |tx| -> Result<_, LedgerError> {
                (0..entries).try_for_each(|_| append(tx, &entry).map(|_| ()))
            })
            .unwrap();
        self.publishing.publish().unwrap();
    }

    fn parts(&self) -> Arc<WitnessParts> {
        Arc::new(WitnessParts {
            store: self.store.clone(),
            publishing: Arc::clone(&self.publishing),
            peers: self.peers.clone(),
            clock: Arc::clone(&self.clock),
            evidence: self.folder.join("evidence"),
        })
    }

    fn questioner(&self, config: &WitnessConfig, identity: Option<&ServerIdentity>) -> Questioner {
        let client = WitnessClient::new(config, identity, &self.peers, &self.clock).unwrap();
        Questioner::new(config, client, Arc::clone(&self.publishing))
    }

    fn ask(&self, config: &WitnessConfig) -> Outcome {
        self.questioner(config, None).ask(false)
    }

    fn findings(&self) -> Vec<Finding> {
        self.store
            .read(|snapshot| findings::all_that_hold(snapshot, SITE))
            .unwrap()
    }

    fn entries(&self) -> u64 {
        let head = self.store.read(|one| labward_ledger::tree_head(one, NODE));
        head.unwrap().unwrap().frontier.size()
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// A witness in a folder of its own that knows the ledger of `key`.
struct Partner {
    folder: TempDir,
    running: Running,
}

impl Partner {
    fn new(key: &SigningKey) -> Self {
        Self::over(key, None)
    }

    fn over(key: &SigningKey, tls: Option<&Path>) -> Self {
        let folder = TempDir::new();
        let path = folder.join("w");
        init(&path, "witness.example/w1").unwrap();
        add_log(&path, &VerifierKey::new(ORIGIN, *key.public()).unwrap()).unwrap();
        Self {
            running: Running::start(&path, tls),
            folder,
        }
    }

    fn config(&self) -> WitnessConfig {
        config(self.running.address, &self.running.key)
    }
}

fn config(address: SocketAddr, key: &labward_ledger::WitnessKey) -> WitnessConfig {
    WitnessConfig {
        name: "partner".to_owned(),
        key: key.clone(),
        address: address.to_string(),
        path: String::new(),
        timeout_seconds: 20,
        transport: OutboundTransport::Plain {
            reason: None,
            owner: None,
            expires: None,
        },
    }
}

fn key() -> SigningKey {
    SigningKey::generate().unwrap()
}

fn size_of(outcome: &Outcome) -> u64 {
    match outcome {
        Outcome::Cosigned(size, _) => *size,
        other => panic!("not cosigned: {other:?}"),
    }
}

fn refused(outcome: Outcome) -> Refusal {
    match outcome {
        Outcome::Refused(refusal) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_ledger_that_grows_is_cosigned_and_export_and_proof_carry_it() {
    let key = key();
    let (node, partner) = (Node::new(&key), Partner::new(&key));
    assert_eq!(
        node.ask(&partner.config()),
        Outcome::Nothing,
        "nothing is published"
    );
    node.grow(3, 1);
    assert_eq!(size_of(&node.ask(&partner.config())), 3);
    assert_eq!(node.ask(&partner.config()), Outcome::Nothing);
    node.grow(300, 1);
    assert_eq!(size_of(&node.ask(&partner.config())), 303);
    node.grow(1, 1);
    let mut bundle = Vec::new();
    node.publishing.export(&mut bundle).unwrap();
    let witnesses = [partner.running.key.clone()];
    let trust = labward_ledger::Trust {
        key: node.publishing.verifier(),
        witnesses: &witnesses,
        known: &[],
    };
    let report = verify_bundle_with(bundle.as_slice(), &trust).unwrap();
    assert_eq!((report.entries, report.witnessed_size(1)), (304, Some(303)));
    assert_eq!(report.witnessed_size(2), None);
    let proof = node
        .publishing
        .prove(labward_base::id::EntryIndex::new(7))
        .unwrap();
    let cosigned = proof
        .to_string()
        .parse::<labward_ledger::EntryProof>()
        .unwrap();
    let found = cosigned.cosignatures(&witnesses).unwrap();
    assert_eq!(found[0].witness, "witness.example/w1");
    // The newest entry is proved under the newest checkpoint, which nobody cosigned yet.
    let proof = node
        .publishing
        .prove(labward_base::id::EntryIndex::new(303))
        .unwrap();
    assert_eq!(proof.cosignatures(&witnesses).unwrap(), []);
}

#[test]
fn a_lost_answer_is_no_second_history() {
    let key = key();
    let (node, partner) = (Node::new(&key), Partner::new(&key));
    node.grow(5, 1);
    assert_eq!(size_of(&node.ask(&partner.config())), 5);
    // The witness saved it, and the answer never came.
    fs::remove_dir_all(node.folder.join("ledger/cosigned")).unwrap();
    assert_eq!(size_of(&node.ask(&partner.config())), 5);
    fs::remove_dir_all(node.folder.join("ledger/cosigned")).unwrap();
    node.grow(6, 1);
    assert_eq!(size_of(&node.ask(&partner.config())), 11);
}

#[test]
fn a_forked_copy_is_refused_and_both_checkpoints_are_evidence() {
    let key = key();
    let partner = Partner::new(&key);
    let node = Node::new(&key);
    node.grow(10, 1);
    node.ask(&partner.config());
    let (node, copy) = node.copy(&key);
    node.grow(4, 1);
    copy.grow(9, 2);
    assert_eq!(size_of(&node.ask(&partner.config())), 14);
    let refusal = refused(copy.ask(&partner.config()));
    assert!(
        refusal.what.to_string().contains("second history"),
        "{}",
        refusal.what
    );
    for side in [&node, &copy] {
        let (note, _) = side.publishing.newest().unwrap().unwrap();
        let text = note.to_string();
        let signed = text.lines().nth(2).unwrap();
        assert!(refusal.evidence.contains(signed), "{}", refusal.evidence);
    }
    assert_eq!(show(&partner.folder.join("w")).unwrap().evidence.len(), 1);
    // The true one goes on.
    node.grow(1, 1);
    assert_eq!(size_of(&node.ask(&partner.config())), 15);
}

#[test]
fn a_rewound_ledger_is_refused_at_its_first_question_after_the_start() {
    let key = key();
    let partner = Partner::new(&key);
    let node = Node::new(&key);
    node.grow(10, 1);
    node.ask(&partner.config());
    let (node, old) = node.copy(&key);
    node.grow(4, 1);
    node.ask(&partner.config());
    // What is kept says that there is nothing new; a start asks all the same.
    assert_eq!(old.ask(&partner.config()), Outcome::Nothing);
    let refusal = refused(old.questioner(&partner.config(), None).ask(true));
    assert!(
        refusal
            .what
            .to_string()
            .contains("cosigned 14 entries and this ledger holds 10")
    );
}

#[test]
fn verifying_holds_what_a_witness_says_against_the_rows() {
    let key = key();
    let partner = Partner::new(&key);
    let node = Node::new(&key);
    node.grow(10, 1);
    node.ask(&partner.config());
    let (node, copy) = node.copy(&key);
    node.grow(4, 1);
    copy.grow(9, 2);
    node.ask(&partner.config());
    for (side, sound) in [(&node, true), (&copy, false)] {
        let parts = side.parts();
        let witnesses = Witnesses::start(&[partner.config()], HOUR, None, &parts).unwrap();
        let (known, said) = witnesses.known();
        assert!(
            said[0].to_string().contains("cosigned 14 entries"),
            "{said:?}"
        );
        let report = side.publishing.verify(known).unwrap();
        assert_eq!(
            (report.is_sound(), report.evidence.is_empty()),
            (sound, sound),
            "{report:?}"
        );
    }
}

#[test]
fn a_refusal_is_one_entry_and_one_when_it_ends() {
    let key = key();
    let partner = Partner::new(&key);
    let node = Node::new(&key);
    node.grow(10, 1);
    let (node, copy) = node.copy(&key);
    node.grow(4, 1);
    copy.grow(9, 2);
    node.ask(&partner.config());
    let (state, parts) = (Mutex::new(State::default()), copy.parts());
    let questioner = copy.questioner(&partner.config(), None);
    let before = copy.entries();
    for _ in 0..3 {
        ask(&questioner, &state, &parts);
        copy.publishing.publish().unwrap();
    }
    assert_eq!(
        copy.entries(),
        before + 1,
        "an entry a change, not one a question"
    );
    assert_eq!(copy.findings()[0].key, "second-history:partner");
    let evidence = fs::read_to_string(copy.folder.join("evidence/partner.txt")).unwrap();
    assert!(
        evidence.contains("cosigned by witness partner"),
        "{evidence}"
    );
    // Another witness, that has seen nothing yet, under the same name.
    let other = Partner::new(&key);
    ask(&copy.questioner(&other.config(), None), &state, &parts);
    assert_eq!((copy.entries(), copy.findings().len()), (before + 2, 0));
}

#[test]
fn a_witness_that_never_answers_holds_up_neither_publishing_nor_waking_nor_stopping() {
    let key = key();
    let node = Node::new(&key);
    node.grow(1, 1);
    // It accepts by the kernel's queue, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let partner = Partner::new(&key);
    let config = WitnessConfig {
        timeout_seconds: 120,
        ..config(silent.local_addr().unwrap(), &partner.running.key)
    };
    let witnesses = Witnesses::start(&[config], HOUR, None, &node.parts()).unwrap();
    let _asked = silent.accept().unwrap();
    for slot in 0..50 {
        node.grow(1, slot);
        witnesses.wake();
    }
    assert_eq!(node.publishing.newest().unwrap().unwrap().1, 51);
    assert_eq!(witnesses.status()[0].state, "not-asked");
    // Far below its 120 seconds, or this test would not end.
    drop(witnesses);
}

#[test]
fn who_is_no_witness_of_this_ledger_is_said_in_words() {
    let key = key();
    let node = Node::new(&key);
    node.grow(2, 1);
    let failed = |outcome: Outcome| match outcome {
        Outcome::Failed(why) => why,
        other => panic!("{other:?}"),
    };
    let stranger = Partner::new(&self::key());
    let why = failed(node.ask(&stranger.config()));
    assert!(why.to_string().contains("does not trust"), "{why}");
    let partner = Partner::new(&key);
    let swapped = config(partner.running.address, &stranger.running.key);
    let why = failed(node.ask(&swapped));
    assert!(
        why.to_string().contains("no cosignature by its key"),
        "{why}"
    );
    let gone = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let why = failed(node.ask(&config(gone, &partner.running.key)));
    assert!(why.to_string().contains("does not answer"), "{why}");
    let other_path = WitnessConfig {
        path: "/w1".to_owned(),
        ..partner.config()
    };
    let why = failed(node.ask(&other_path));
    assert!(
        why.to_string().contains("does not know this ledger"),
        "{why}"
    );
}

#[test]
fn a_witness_is_asked_over_mutual_tls_and_lets_nobody_else_in() {
    let key = key();
    let node = Node::new(&key);
    node.grow(2, 1);
    let lab = Authority::create("A lab", node.clock.now())
        .unwrap()
        .authority;
    let bundle = lab
        .issue_peer("partner", PeerKind::Ehr, node.clock.now(), 30)
        .unwrap()
        .bundle;
    let file = node.folder.join("partner.pem");
    let pem = format!(
        "{}{}{}",
        bundle.cert_pem,
        bundle.key_pem.expose(),
        bundle.ca_pem
    );
    fs::write(&file, pem).unwrap();
    let partner = Partner::over(&key, Some(&file));
    let over_tls = |name: &str| WitnessConfig {
        transport: OutboundTransport::MutualTls {
            server_name: Some(name.to_owned()),
            spki_sha256: None,
            peer: None,
            ca: None,
        },
        ..partner.config()
    };
    let identity = |authority: &Authority| {
        let issued = authority.issue_server(&["localhost".to_owned()], node.clock.now(), 30);
        let bundle = issued.unwrap().bundle;
        ServerIdentity {
            chain: vec![CertificateDer::from_pem_slice(bundle.cert_pem.as_bytes()).unwrap()],
            key: PrivateKeyDer::from_pem_slice(bundle.key_pem.expose().as_bytes()).unwrap(),
            authority: lab.certificate().clone(),
        }
    };
    let ours = identity(&lab);
    let outcome = node.questioner(&over_tls("partner"), Some(&ours)).ask(true);
    assert_eq!(size_of(&outcome), 2);
    let elsewhere = Authority::create("Another lab", node.clock.now())
        .unwrap()
        .authority;
    for (config, identity) in [
        (over_tls("partner"), identity(&elsewhere)),
        (over_tls("somebody-else"), identity(&lab)),
        (partner.config(), identity(&lab)),
    ] {
        let outcome = node.questioner(&config, Some(&identity)).ask(true);
        assert!(
            matches!(&outcome, Outcome::Failed(why) if why.to_string().contains("does not answer")),
            "{outcome:?}"
        );
    }
}
