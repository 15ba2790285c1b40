//! A ledger on a real store in a folder of its own, for this crate's tests.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use labward_base::id::{NodeId, PeerId, RecordId, SiteId};
use labward_base::{Clock, Timestamp};
use labward_seal::sign::SigningKey;
use labward_store::{Options, Store};

use crate::{
    ACT_MIGRATIONS, Action, Actor, Facts, LedgerError, LedgerJournal, MIGRATIONS, NewEntry,
    Publisher, Subject, VerifierKey, VerifyReport, append, verify,
};

pub(crate) const NODE: NodeId = NodeId::new(1);
pub(crate) const SITE: SiteId = SiteId::new(1);

/// A clock that stands still until it is moved.
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn set(&self, micros: i64) {
        self.0.store(micros, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// Folder, store, clock and key; the folder is removed at the end.
pub(crate) struct TestLedger {
    pub(crate) folder: PathBuf,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) key: SigningKey,
    store: Option<Store>,
}

impl TestLedger {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let name = format!("labward-ledger-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let clock = Arc::new(TestClock(AtomicI64::new(1_000_000_000_000_000)));
        let key = SigningKey::generate().unwrap();
        let mut ledger = Self {
            folder,
            clock,
            key,
            store: None,
        };
        ledger.open();
        ledger
    }

    fn open(&mut self) {
        let journal = LedgerJournal::new(NODE, self.clock.clone());
        let options = Options::new(self.folder.join("db.sqlite"));
        let migrations = [MIGRATIONS, ACT_MIGRATIONS].concat();
        self.store = Some(Store::open(options, &migrations, Box::new(journal)).unwrap());
    }

    pub(crate) fn restart(&mut self) {
        self.store().close().unwrap();
        self.store = None;
        self.open();
    }

    pub(crate) fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.folder.join("ledger")
    }

    pub(crate) fn publisher(&self) -> Publisher {
        Publisher::new(self.dir(), NODE, "labward.local/test")
    }

    pub(crate) fn verifier(&self) -> VerifierKey {
        self.publisher().verifier(&self.key).unwrap()
    }

    /// Appends the entries `from..to`; each keeps a record.
    pub(crate) fn fill(&self, from: u64, to: u64) {
        self.store()
            .write(move |tx| {
                for number in from..to {
                    append(tx, &message(number))?;
                }
                Ok::<_, LedgerError>(())
            })
            .unwrap();
    }

    pub(crate) fn publish(&self) -> crate::Checkpoint {
        self.publisher().publish(self.store(), &self.key).unwrap()
    }

    pub(crate) fn verify(&self) -> VerifyReport {
        verify(self.store(), NODE, Some((&self.dir(), &self.verifier()))).unwrap()
    }

    /// Changes the database behind the ledger's back.
    pub(crate) fn tamper(&self, sql: &'static str, params: Vec<labward_store::Value<'static>>) {
        let changed = self
            .store()
            .write(move |tx| tx.execute(sql, &params))
            .unwrap();
        assert_eq!(changed, 1, "{sql}");
    }
}

impl Drop for TestLedger {
    fn drop(&mut self) {
        self.store = None;
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The entry of the message `number`, which keeps the record `number + 1`.
pub(crate) fn message(number: u64) -> NewEntry {
    let record = RecordId::new(number + 1);
    let subject = Subject::Record(record);
    let actor = Actor::Peer(PeerId::new(7));
    let mut entry = NewEntry::new(SITE, actor, Action::MessageReceived, subject)
        .facts(Facts::new().text("type", "ORU^R01").number("bytes", 505))
        .patient(labward_base::id::PatientId::new(number % 5 + 1));
    entry.record = Some(record);
    entry.kind = 1;
    entry.payload = Some(format!("sealed {number}").into_bytes());
    entry
}
