//! The claims of this crate, on a real store with a real ledger and real keys.

mod accesses;
mod disposal;
mod documents;
mod imports;
mod keeping;
mod openings;
mod reserve;
mod results;
mod searching;

use std::path::Path;
use std::sync::{Arc, mpsc};

use labward_base::Timestamp;
use labward_base::id::{EntryIndex, NodeId, PatientId, PeerId, PersonId, SiteId};
use labward_keys::{Keys, NewSlot, SlotOpener};
use labward_ledger::{Action, Actor, Facts, Leaf, LedgerJournal, RecordIds, entries};
use labward_store::{Migration, Options, Query, Store};
use labward_testkit::{FakeClock, TempDir};

use crate::{
    Criteria, Format, Intake, Kept, RecordKind, Records, RecordsError, Retention, Setup, What,
};

const SITE: SiteId = SiteId::new(1);
const NODE: NodeId = NodeId::new(1);
const ME: PersonId = PersonId::new(7);
const WHY: &str = "a question of the ward";

/// A data folder, the folder of a second volume, and the clock.
struct Lab {
    data: TempDir,
    stick: TempDir,
    clock: FakeClock,
}

/// A started server's records and what they stand on.
struct Open {
    store: Store,
    keys: Keys,
    records: Records,
}

impl Lab {
    fn new() -> Self {
        Self {
            data: TempDir::new(),
            stick: TempDir::new(),
            clock: FakeClock::new(Timestamp::from_seconds(1_795_000_000)),
        }
    }

    fn start(&self) -> Open {
        self.start_on(None)
    }

    /// As `start`, on the file layer of this name.
    fn start_on(&self, file_layer: Option<&str>) -> Open {
        let all = [
            labward_ledger::MIGRATIONS,
            labward_keys::MIGRATIONS,
            crate::MIGRATIONS,
            labward_keys::ARCHIVE_MIGRATIONS,
            crate::reserve::MIGRATIONS,
            crate::ACCESS_MIGRATIONS,
            crate::reserve::OPENING_MIGRATIONS,
        ];
        let migrations: Vec<Migration> = all.into_iter().flatten().copied().collect();
        let clock = Arc::new(self.clock.clone());
        let journal = LedgerJournal::new(NODE, clock.clone());
        let options = Options {
            vfs: file_layer.map(str::to_owned),
            ..Options::new(self.data.join("labward.sqlite"))
        };
        let store = Store::open(options, &migrations, Box::new(journal)).unwrap();
        let keys = Keys::load(store.clone(), SITE, self.data.path(), clock.clone()).unwrap();
        let path = self.stick.join("root.key");
        if keys.exists() {
            keys.unseal(&SlotOpener::KeyFile(path), Actor::System)
                .unwrap();
        } else {
            let label = "stick".to_owned();
            keys.create(&[NewSlot::KeyFile { label, path }], Actor::System)
                .unwrap();
        }
        let records = Records::load(Setup {
            store: store.clone(),
            keys: keys.clone(),
            ids: store.read(|snapshot| RecordIds::load(snapshot)).unwrap(),
            clock,
            site: SITE,
            node: NODE,
            blobs: self.data.join("blob"),
            retention: Retention::DEFAULT,
        })
        .unwrap();
        while records.is_loading() {
            std::thread::yield_now();
        }
        Open {
            store,
            keys,
            records,
        }
    }

    /// Whether these bytes stand anywhere in a file of the data folder, in either case.
    fn holds(&self, bytes: &[u8]) -> bool {
        holds(self.data.path(), &bytes.to_ascii_lowercase())
    }
}

impl Open {
    fn keep(&self, bytes: &[u8]) -> Kept {
        self.try_keep(intake(RecordKind::Hl7V2, bytes)).unwrap()
    }

    fn try_keep(&self, intake: Intake) -> Result<Kept, RecordsError> {
        let (send, receive) = mpsc::sync_channel(1);
        self.records
            .keep(intake, Box::new(move |kept| send.send(kept).unwrap()));
        receive.recv().unwrap()
    }

    fn find(&self, criteria: &Criteria) -> Vec<PatientId> {
        let found = self.records.find(criteria, ME, WHY).unwrap();
        found.patients.iter().map(|hit| hit.patient).collect()
    }

    fn leaves(&self) -> Vec<Leaf> {
        let all = self
            .store
            .read(|snapshot| entries(snapshot, EntryIndex::new(0), 100_000));
        let all = all.unwrap();
        all.iter()
            .map(|stored| Leaf::parse(&stored.leaf).unwrap())
            .collect()
    }

    fn count(&self, table: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        let count = self
            .store
            .read(|snapshot| snapshot.query_one(&sql, &[], |row| row.int(0)));
        count.unwrap()
    }
}

fn holds(folder: &Path, bytes: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, bytes);
        }
        let content = std::fs::read(&path).unwrap().to_ascii_lowercase();
        content.windows(bytes.len()).any(|window| window == bytes)
    })
}

fn intake(kind: RecordKind, bytes: &[u8]) -> Intake {
    Intake {
        kind,
        action: Action::MessageReceived,
        actor: Actor::Peer(PeerId::new(3)),
        site: SITE,
        authority: Some("LAB".to_owned()),
        device: Some("xn550".to_owned()),
        facts: Facts::new().text("link", "main"),
        hints: Some(b"window".to_vec()),
        bytes: bytes.to_vec(),
        also: None,
    }
}

/// A result of the patient with these identifiers (`value^^^authority^type`, apart by `~`).
fn result(ids: &str, family: &str) -> Vec<u8> {
    format!(
        "MSH|^~\\&|A|B|C|D|2026||ORU^R01|1|P|2.5.1\rPID|1||{ids}||{family}^Eva||19800223\r\
         OBR|1|P-77|F-{family}|2345-7^GLUCOSE^LN\rOBX|1|NM|2345-7||5.1|mmol/L\r"
    )
    .into_bytes()
}

fn by_name(name: &str) -> Criteria {
    Criteria {
        name: Some(name.to_owned()),
        ..Criteria::default()
    }
}

fn by_mrn(mrn: &str) -> Criteria {
    Criteria {
        mrn: Some(mrn.to_owned()),
        ..Criteria::default()
    }
}

/// How many records an export holds, and its bytes.
fn export(open: &Open, what: What, format: Format) -> Result<(u64, Vec<u8>), RecordsError> {
    let exported = open.records.export(what, format, ME, WHY)?;
    let (records, mut bytes) = (exported.records, Vec::new());
    exported.write_to(&mut bytes).map_err(RecordsError::Blob)?;
    Ok((records, bytes))
}
