//! A store with its ledger, something that keeps messages, and delivery over both.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use labward_base::id::{EntryIndex, NodeId, PatientId, PersonId, RecordId, SiteId};
use labward_base::{Clock, Secret, Timestamp};
use labward_identity::{Authority, Peers};
use labward_ledger::{Action, Actor, Facts, Leaf, LedgerJournal, NewEntry, Subject, append};
use labward_store::{Migration, Options, Store, StoreError};
use labward_testkit::{FakeClock, TempDir};

use crate::config::{DestinationConfig, DestinationName};
use crate::delivery::{
    Delivery, DeliveryError, DeliveryParts, DestinationStatus, Dispatch, Outgoing,
};
use crate::events::Events;
use crate::keep::{Intake, Keep, KeepDone, KeepError, MessageKind, Opened, Recalled};
use crate::messages::{HeldMessage, HeldState, Messages};
use crate::testing::bundle_of;
use crate::tls::ServerIdentity;

pub(super) const SITE: SiteId = SiteId::new(1);

pub(super) struct Bench {
    pub(super) folder: TempDir,
    pub(super) clock: Arc<FakeClock>,
    pub(super) store: Store,
    pub(super) peers: Peers,
    pub(super) authority: Authority,
    pub(super) keep: Arc<BenchKeep>,
    pub(super) delivery: Option<Arc<Delivery>>,
    slot: Arc<Mutex<Option<Arc<Delivery>>>>,
    config: String,
    next: u64,
}

impl Bench {
    /// A bench whose destinations this TOML describes.
    pub(super) fn new(config: impl Into<String>) -> Self {
        let clock = Arc::new(FakeClock::new(Timestamp::from_seconds(1_800_000_000)));
        let folder = TempDir::new();
        let migrations: Vec<Migration> = [
            labward_ledger::MIGRATIONS,
            labward_identity::MIGRATIONS,
            labward_identity::RENEWAL_MIGRATIONS,
            crate::MIGRATIONS,
            crate::delivery::MIGRATIONS,
        ]
        .concat();
        let journal = LedgerJournal::new(NodeId::new(1), Arc::clone(&clock) as Arc<dyn Clock>);
        let options = Options::new(folder.join("db.sqlite"));
        let store = Store::open(options, &migrations, Box::new(journal)).unwrap();
        Self {
            peers: Peers::load(store.clone()).unwrap(),
            authority: Authority::create("Lab", clock.now()).unwrap().authority,
            keep: Arc::new(BenchKeep {
                store: store.clone(),
                merges: Mutex::default(),
            }),
            delivery: None,
            slot: Arc::default(),
            folder,
            clock,
            store,
            config: config.into(),
            next: 0,
        }
    }

    /// The same bench with other destinations.
    pub(super) fn with_config(mut self, config: String) -> Self {
        self.config = config;
        self
    }

    pub(super) fn start(&mut self) {
        self.try_start().unwrap();
    }

    pub(super) fn try_start(&mut self) -> Result<(), DeliveryError> {
        let destinations = destinations_of(&self.config);
        let delivery = Arc::new(Delivery::start(destinations, self.parts())?);
        *self.slot.lock().unwrap() = Some(Arc::clone(&delivery));
        self.delivery = Some(delivery);
        Ok(())
    }

    /// Puts other destinations in the place of the present ones.
    pub(super) fn reload(&self, config: &str) -> Result<(), DeliveryError> {
        let destinations = destinations_of(config);
        let identity = self.parts().identity;
        let prepared = self.delivery().prepare(&destinations, identity)?;
        self.delivery().apply(prepared);
        Ok(())
    }

    fn parts(&self) -> DeliveryParts {
        let names = ["localhost".to_owned()];
        let server = self
            .authority
            .issue_server(&names, self.clock.now(), 30)
            .unwrap()
            .bundle;
        let (chain, key) = bundle_of(&server);
        DeliveryParts {
            store: self.store.clone(),
            keep: Arc::clone(&self.keep) as Arc<dyn Keep>,
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            identity: Some(ServerIdentity {
                chain,
                key,
                authority: self.authority.certificate().clone(),
            }),
            peers: self.peers.clone(),
            events: Events::default(),
            site: SITE,
        }
    }

    /// Ends delivery at once, as a killed process would.
    pub(super) fn kill(&mut self) {
        *self.slot.lock().unwrap() = None;
        let delivery = self.delivery.take().unwrap();
        // What the writer still hands over holds it for a moment.
        self.store.write(|_| Ok::<_, StoreError>(())).unwrap();
        drop(Arc::into_inner(delivery).expect("nobody else holds it"));
    }

    pub(super) fn delivery(&self) -> &Delivery {
        self.delivery.as_ref().unwrap()
    }

    pub(super) fn status(&self) -> DestinationStatus {
        self.delivery().status().remove(0)
    }

    /// Keeps an ORU of this patient (0: of none) for the first destination; its control id is the
    /// record's number.
    pub(super) fn send(&mut self, patient: u64) -> RecordId {
        let record = self.next + 1;
        let message = hl7(record, "ORU^R01", "", "");
        self.send_bytes(&[patient], "ORU^R01", message)
    }

    pub(super) fn send_merge(&mut self, one: u64, other: u64) -> RecordId {
        let message = hl7(self.next + 1, "ADT^A40", "", "");
        self.send_bytes(&[one, other], "ADT^A40", message)
    }

    pub(super) fn send_bytes(
        &mut self,
        patients: &[u64],
        message_type: &str,
        bytes: Vec<u8>,
    ) -> RecordId {
        self.next += 1;
        let record = RecordId::new(self.next);
        let to: DestinationName = "ehr".parse().unwrap();
        let ordering: Vec<u64> = patients.iter().copied().filter(|id| *id > 0).collect();
        if ordering.len() > 1 {
            let mut merges = self.keep.merges.lock().unwrap();
            merges.push((record, ordering.clone()));
        }
        let facts = Facts::new()
            .text("type", message_type)
            .text("link", "hl7")
            .texts("to", [to.as_str()]);
        let action = Action::MessageReceived;
        let mut entry = NewEntry::new(SITE, Actor::System, action, Subject::Record(record));
        entry = entry.facts(facts);
        entry.record = Some(record);
        entry.kind = 1;
        entry.patient = ordering.first().map(|id| PatientId::new(*id));
        entry.payload = Some(bytes.clone());
        let slot = Arc::clone(&self.slot);
        let done = move |result: Result<EntryIndex, labward_ledger::LedgerError>| {
            let entry = result.unwrap();
            if let Some(delivery) = &*slot.lock().unwrap() {
                delivery.committed(Outgoing {
                    entry,
                    record,
                    destinations: vec![to],
                    ordering,
                    bytes: Some(Arc::new(Secret::new(bytes))),
                });
            }
        };
        self.store.submit(move |tx| append(tx, &entry), done);
        record
    }

    /// Keeps an ORU of this patient that waits for a person before it goes to the destination.
    pub(super) fn hold(&mut self, patient: u64) -> RecordId {
        let record = self.next + 1;
        self.hold_bytes(&[patient], "ORU^R01", hl7(record, "ORU^R01", "", ""))
    }

    /// Keeps a merge that waits for a person.
    pub(super) fn hold_merge(&mut self, one: u64, other: u64) -> RecordId {
        let message = hl7(self.next + 1, "ADT^A40", "", "");
        self.hold_bytes(&[one, other], "ADT^A40", message)
    }

    fn hold_bytes(&mut self, patients: &[u64], message_type: &str, bytes: Vec<u8>) -> RecordId {
        self.next += 1;
        let record = RecordId::new(self.next);
        if patients.len() > 1 {
            let mut merges = self.keep.merges.lock().unwrap();
            merges.push((record, patients.to_vec()));
        }
        let facts = Facts::new().text("type", message_type).text("link", "hl7");
        let size_bytes = bytes.len() as u64;
        let action = Action::MessageHeld;
        let mut entry = NewEntry::new(SITE, Actor::System, action, Subject::Record(record));
        entry = entry.facts(facts);
        entry.record = Some(record);
        entry.kind = 1;
        entry.patient = patients.first().map(|id| PatientId::new(*id));
        entry.payload = Some(bytes);
        let held = HeldMessage {
            record,
            entry: EntryIndex::new(0),
            reason: "gateway.not-allowed".to_owned(),
            link: "hl7".to_owned(),
            peer: "chem-1".to_owned(),
            message_type: message_type.to_owned(),
            size_bytes,
            destinations: vec!["ehr".parse().unwrap()],
            since: self.clock.now(),
            state: HeldState::Held,
            decided: None,
        };
        let unit = move |tx: &mut labward_store::Tx<'_>| {
            let entry = append(tx, &entry)?;
            let held = HeldMessage {
                entry,
                ..held.clone()
            };
            Ok::<_, labward_ledger::LedgerError>(crate::store::insert_held(tx, SITE, &held)?)
        };
        self.store.write(unit).unwrap();
        record
    }

    /// Has a person release a held message.
    pub(super) fn release(&self, record: RecordId) {
        let keep = Arc::clone(&self.keep) as Arc<dyn Keep>;
        let dispatch = Arc::clone(self.delivery.as_ref().unwrap()) as Arc<dyn Dispatch>;
        let windows = Arc::default();
        let messages = Messages::new(self.store.clone(), keep, dispatch, SITE, windows);
        messages
            .release(record, PersonId::new(1), "looks right")
            .unwrap();
    }

    /// Waits until this holds.
    pub(super) fn wait(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let pause = std::sync::Condvar::new();
        let lock = Mutex::new(());
        for _ in 0..6_000 {
            if holds(self) {
                return;
            }
            let guard = lock.lock().unwrap();
            drop(
                pause
                    .wait_timeout(guard, Duration::from_millis(10))
                    .unwrap(),
            );
        }
        let actions = self.actions();
        let tail = &actions[actions.len().saturating_sub(30)..];
        panic!("{what} did not come: {:?} {tail:?}", self.status());
    }

    pub(super) fn leaves(&self) -> Vec<Leaf> {
        let entries = self
            .store
            .read(|snapshot| labward_ledger::entries(snapshot, EntryIndex::new(0), 50_000));
        let entries: Vec<_> = Result::<_, StoreError>::unwrap(entries);
        entries
            .iter()
            .map(|entry| Leaf::parse(&entry.leaf).unwrap())
            .collect()
    }

    /// The names of what was recorded about delivery.
    pub(super) fn actions(&self) -> Vec<&'static str> {
        self.leaves()
            .iter()
            .map(|leaf| leaf.action.name())
            .filter(|name| *name != "message.received")
            .collect()
    }
}

fn destinations_of(config: &str) -> Vec<DestinationConfig> {
    #[derive(serde::Deserialize)]
    struct Destinations {
        #[serde(default)]
        destinations: Vec<DestinationConfig>,
    }
    let Destinations { destinations } = toml::from_str(config).unwrap();
    destinations
}

/// An HL7 message; `id` also tells a receiver's list which one it is.
pub(super) fn hl7(id: u64, message_type: &str, accept: &str, application: &str) -> Vec<u8> {
    format!(
        "MSH|^~\\&|LAB|A|EHR|B|20260101||{message_type}|{id}|P|2.5|||{accept}|{application}\r\
         PID|||4711\r"
    )
    .into_bytes()
}

/// Opens messages from the real ledger.
pub(super) struct BenchKeep {
    store: Store,
    merges: Mutex<Vec<(RecordId, Vec<u64>)>>,
}

impl BenchKeep {
    fn patient_of(&self, record: RecordId) -> Option<PatientId> {
        let entry = self
            .store
            .read(|snapshot| labward_ledger::entry_of_record(snapshot, record));
        Result::<_, StoreError>::unwrap(entry).and_then(|entry| entry.patient)
    }
}

impl Keep for BenchKeep {
    fn keep(&self, _intake: Intake, done: KeepDone) {
        done(Err(KeepError::Sealed));
    }

    fn open(&self, record: RecordId) -> Result<Opened, KeepError> {
        let payload = self
            .store
            .read(|snapshot| labward_ledger::store::payload_of(snapshot, record));
        let payload = Result::<_, StoreError>::map_err(payload, |_| KeepError::Unwritable)?;
        Ok(Opened {
            kind: MessageKind::Hl7V2,
            patient: self.patient_of(record),
            bytes: Secret::new(payload.ok_or(KeepError::NotFound)?),
        })
    }

    fn ordering(&self, record: RecordId) -> Vec<u64> {
        let merges = self.merges.lock().unwrap();
        let found = merges.iter().find(|(known, _)| *known == record);
        found.map(|(_, keys)| keys.clone()).unwrap_or_default()
    }

    fn seal_detail(&self, _site: SiteId, detail: &[u8]) -> Result<Vec<u8>, KeepError> {
        Ok(detail.iter().map(|byte| byte ^ 0x5a).collect())
    }

    fn recall(
        &self,
        _oldest: Timestamp,
        _each: &mut dyn FnMut(Recalled<'_>) -> ControlFlow<()>,
    ) -> Result<(), KeepError> {
        Ok(())
    }

    fn is_ready(&self) -> bool {
        true
    }
}
