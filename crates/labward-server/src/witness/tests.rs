//! Tests of the witness process: what its folder survives, how it may listen, what it answers.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use labward_base::{Clock, Timestamp};
use labward_gateway::config::PlainException;
use labward_ledger::tree::{Digest, Frontier, leaf_digest};
use labward_ledger::{Answer, Checkpoint, VerifierKey, Witness};
use labward_seal::sign::SigningKey;
use labward_testkit::{FakeClock, TempDir};
use tokio::sync::oneshot;

use super::folder::WitnessFolder;
use super::listener::{Protection, WitnessListener};
use super::service::{Service, serve};
use super::*;

const ORIGIN: &str = "labward.local/test";

/// A witness that really serves, on a thread of its own, until it is dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) key: WitnessKey,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Running {
    /// Serves the witness in `folder` on a free port of loopback.
    pub(crate) fn start(folder: &Path, tls: Option<&Path>) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(FakeClock::default());
        let mut options = options(folder, "127.0.0.1:0");
        options.tls = tls.map(Path::to_owned);
        let protection = Protection::of(&options, &clock).unwrap();
        let folder = WitnessFolder::open(folder).unwrap();
        let key = folder.key().clone();
        let service = Service::new(folder, clock).unwrap();
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = std::sync::mpsc::channel();
        let run = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = WitnessListener::bind(options.listen, protection).unwrap();
                tell.send(listener.address()).unwrap();
                let stop = async {
                    let _ = stopped.await;
                };
                serve(listener, service, stop).await.unwrap();
            });
        };
        let thread = std::thread::spawn(run);
        Self {
            address: told.recv().unwrap(),
            key,
            stop: Some(stop),
            thread: Some(thread),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn options(folder: &Path, listen: &str) -> ServeWitness {
    ServeWitness {
        folder: folder.to_owned(),
        listen: listen.parse().unwrap(),
        tls: None,
        clients: None,
        any_client: false,
        plain: None,
    }
}

/// A witness in a folder, and a log that it knows.
struct Bench {
    folder: TempDir,
    log: SigningKey,
}

impl Bench {
    fn new() -> Self {
        let folder = TempDir::new();
        init(&folder.join("w"), "witness.example/w1").unwrap();
        let log = SigningKey::generate().unwrap();
        let bench = Self { folder, log };
        assert!(add_log(&bench.path(), &bench.key()).unwrap());
        bench
    }

    fn path(&self) -> PathBuf {
        self.folder.join("w")
    }

    fn key(&self) -> VerifierKey {
        VerifierKey::new(ORIGIN, *self.log.public()).unwrap()
    }

    fn checkpoint_file(&self) -> PathBuf {
        let hash = Digest::of(ORIGIN.as_bytes()).to_string();
        self.path().join("log").join(hash).join("checkpoint")
    }

    /// A call from nothing to a tree of one leaf.
    fn call(&self, leaf: &[u8]) -> String {
        let mut tree = Frontier::new();
        tree.push(leaf_digest(leaf));
        let checkpoint = Checkpoint {
            origin: ORIGIN.to_owned(),
            size: 1,
            root: tree.root(),
        };
        format!("old 0\n\n{}", checkpoint.sign(&self.log).unwrap())
    }

    /// Asks as a process that has just started would.
    fn ask(&self, call: &str) -> Result<Answer, WitnessError> {
        let folder = WitnessFolder::open(&self.path())?;
        let mut witness = Witness::new(folder.cosigner()?, folder);
        witness.add_checkpoint(call.as_bytes(), Timestamp::from_seconds(1_800_000_000))
    }
}

#[test]
fn what_was_cosigned_is_known_after_every_restart() {
    let bench = Bench::new();
    assert_eq!(bench.ask(&bench.call(b"one")).unwrap().status(), 200);
    assert_eq!(
        bench.ask(&bench.call(b"two")).unwrap(),
        Answer::OtherSize(1)
    );
    let shown = show(&bench.path()).unwrap();
    assert_eq!(shown.logs[0].origin, ORIGIN);
    let cosigned = (1, Timestamp::from_seconds(1_800_000_000));
    assert_eq!(shown.logs[0].latest, Some(cosigned));
}

#[test]
fn a_checkpoint_that_was_removed_is_damage_and_no_beginning() {
    let bench = Bench::new();
    assert_eq!(bench.ask(&bench.call(b"one")).unwrap().status(), 200);
    fs::remove_file(bench.checkpoint_file()).unwrap();
    let damaged = bench.ask(&bench.call(b"two"));
    assert!(
        matches!(damaged, Err(WitnessError::Damaged(_))),
        "{damaged:?}"
    );
    // A further key for the log does not make it a new one.
    let other = SigningKey::generate().unwrap();
    let other = VerifierKey::new(ORIGIN, *other.public()).unwrap();
    add_log(&bench.path(), &other).unwrap();
    let damaged = bench.ask(&bench.call(b"two"));
    assert!(
        matches!(damaged, Err(WitnessError::Damaged(_))),
        "{damaged:?}"
    );
    assert!(matches!(show(&bench.path()), Err(WitnessError::Damaged(_))));
}

#[test]
fn a_checkpoint_with_any_byte_changed_is_damage() {
    let bench = Bench::new();
    bench.ask(&bench.call(b"one")).unwrap();
    let whole = fs::read(bench.checkpoint_file()).unwrap();
    for at in (0..whole.len()).step_by(7) {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(bench.checkpoint_file(), changed).unwrap();
        let answer = bench.ask(&bench.call(b"two"));
        assert!(
            matches!(answer, Err(WitnessError::Damaged(_))),
            "{at}: {answer:?}"
        );
    }
}

#[test]
fn a_disk_that_refuses_leaves_nothing_cosigned() {
    let bench = Bench::new();
    let folder = bench.checkpoint_file().parent().unwrap().to_owned();
    // Even for root the name cannot be taken: a folder stands where the new file is put.
    fs::remove_file(bench.checkpoint_file()).unwrap();
    fs::create_dir(bench.checkpoint_file()).unwrap();
    assert!(bench.ask(&bench.call(b"one")).is_err());
    fs::remove_dir(bench.checkpoint_file()).unwrap();
    fs::write(bench.checkpoint_file(), b"").unwrap();
    assert_eq!(bench.ask(&bench.call(b"two")).unwrap().status(), 200);
    assert_eq!(
        fs::read_dir(folder).unwrap().count(),
        2,
        "nothing half written stays"
    );
}

#[test]
fn a_log_is_added_once_and_its_further_keys_beside_the_first() {
    let bench = Bench::new();
    assert!(!add_log(&bench.path(), &bench.key()).unwrap());
    let rotated = Bench::new();
    assert!(add_log(&bench.path(), &rotated.key()).unwrap());
    assert_eq!(show(&bench.path()).unwrap().logs[0].keys.len(), 2);
    assert_eq!(bench.ask(&rotated.call(b"one")).unwrap().status(), 200);
}

#[test]
fn the_private_key_is_its_owners_alone_and_a_folder_is_never_taken_over() {
    let bench = Bench::new();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&bench.path()), 0o700);
    assert_eq!(mode(&bench.path().join("key")), 0o600);
    let again = init(&bench.path(), "witness.example/w2");
    assert!(matches!(again, Err(WitnessError::Exists(_))), "{again:?}");
    let nowhere = show(bench.folder.path());
    assert!(
        matches!(nowhere, Err(WitnessError::NoWitness(_))),
        "{nowhere:?}"
    );
    for name in ["", "with space", "with+plus"] {
        let refused = init(&bench.folder.join("other"), name);
        assert!(matches!(refused, Err(WitnessError::Note(_))), "{name}");
    }
}

#[test]
fn two_processes_never_serve_one_folder() {
    let bench = Bench::new();
    let folder = WitnessFolder::open(&bench.path()).unwrap();
    let held = folder.lock().unwrap();
    assert!(matches!(folder.lock(), Err(WitnessError::Busy(_))));
    drop(held);
    assert!(folder.lock().is_ok());
}

#[test]
fn it_listens_in_clear_only_on_loopback_or_as_a_named_exception_that_has_not_ended() {
    let folder = TempDir::new();
    let clock: Arc<dyn Clock> = Arc::new(FakeClock::default());
    let today = clock.now().to_rfc3339()[..10].to_owned();
    let refused = |change: &dyn Fn(&mut ServeWitness)| {
        let mut options = options(folder.path(), "192.0.2.1:8443");
        change(&mut options);
        matches!(
            Protection::of(&options, &clock),
            Err(WitnessError::Unsafe { .. })
        )
    };
    let plain = |owner: &str, day: &str| {
        Some(PlainException {
            place: "witness".to_owned(),
            loopback: false,
            reason: Some("no certificate yet".to_owned()),
            owner: Some(owner.to_owned()),
            expires: Some(day.parse().unwrap()),
        })
    };
    assert!(refused(&|_| {}));
    assert!(refused(
        &|options| options.listen = "0.0.0.0:1".parse().unwrap()
    ));
    assert!(!refused(
        &|options| options.listen = "127.0.0.1:1".parse().unwrap()
    ));
    assert!(refused(&|options| options.plain = plain(" ", &today)));
    assert!(refused(
        &|options| options.plain = plain("the owner", "1999-12-31")
    ));
    assert!(!refused(
        &|options| options.plain = plain("the owner", &today)
    ));
}

#[test]
fn tls_without_a_word_on_who_may_connect_is_refused() {
    let folder = TempDir::new();
    let file = folder.join("tls.pem");
    let now = FakeClock::default().now();
    let made = labward_identity::Authority::create("A lab", now).unwrap();
    let issued = made
        .authority
        .issue_server(&["localhost".to_owned()], now, 30);
    let bundle = issued.unwrap().bundle;
    let alone = format!("{}{}", bundle.cert_pem, bundle.key_pem.expose());
    fs::write(&file, &alone).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(FakeClock::default());
    let mut options = options(folder.path(), "192.0.2.1:8443");
    options.tls = Some(file.clone());
    assert!(matches!(
        Protection::of(&options, &clock),
        Err(WitnessError::Tls(_))
    ));
    options.any_client = true;
    assert!(matches!(
        Protection::of(&options, &clock),
        Ok(Protection::Tls(_))
    ));
    options.any_client = false;
    fs::write(&file, format!("{alone}{}", bundle.ca_pem)).unwrap();
    assert!(matches!(
        Protection::of(&options, &clock),
        Ok(Protection::Tls(_))
    ));
    fs::write(&file, "no PEM").unwrap();
    assert!(matches!(
        Protection::of(&options, &clock),
        Err(WitnessError::Tls(_))
    ));
}

#[test]
fn the_same_two_checkpoints_are_kept_as_evidence_once() {
    let bench = Bench::new();
    bench.ask(&bench.call(b"one")).unwrap();
    let fork = bench.call(b"two").replace("old 0", "old 1");
    let Ok(Answer::Inconsistent(found)) = bench.ask(&fork) else {
        panic!("a fork was not refused");
    };
    let folder = WitnessFolder::open(&bench.path()).unwrap();
    let path = folder.keep_evidence(&found).unwrap();
    assert_eq!(folder.keep_evidence(&found).unwrap(), path);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(show(&bench.path()).unwrap().evidence, [path]);
    assert_eq!(
        text.matches(ORIGIN).count(),
        4,
        "two origins, two signatures: {text}"
    );
}
