//! The claims this crate makes, on a real store with a real ledger.

mod archives;
mod rotation;
mod slots;
mod working;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use labward_base::id::{NodeId, PatientId, SiteId, SlotId};
use labward_base::{ErrorKind, Secret, Timestamp};
use labward_ledger::{Actor, LedgerJournal};
use labward_seal::Scope;
use labward_seal::shares::ShareError;
use labward_store::{Migration, Options, Query, Store};
use labward_testkit::{FakeClock, TempDir};

use crate::{Keys, KeysError, NewSlot, SlotKind, SlotOpener, Stretch};

const SITE: SiteId = SiteId::new(1);
const BY: Actor = Actor::System;
const PHRASE: &str = "twelve tubes on a tuesday";

/// A data folder, a second volume's folder, and the clock.
struct Lab {
    data: TempDir,
    stick: TempDir,
    clock: FakeClock,
}

impl Lab {
    fn new() -> Self {
        Self {
            data: TempDir::new(),
            stick: TempDir::new(),
            clock: FakeClock::new(Timestamp::from_seconds(1_795_000_000)),
        }
    }

    fn database(&self) -> PathBuf {
        self.data.join("labward.sqlite")
    }

    fn start(&self) -> (Store, Keys) {
        let migrations: Vec<Migration> = labward_ledger::MIGRATIONS
            .iter()
            .chain(crate::MIGRATIONS)
            .chain(crate::ARCHIVE_MIGRATIONS)
            .copied()
            .collect();
        let clock = Arc::new(self.clock.clone());
        let journal = LedgerJournal::new(NodeId::new(1), clock.clone());
        let options = Options::new(self.database());
        let store = Store::open(options, &migrations, Box::new(journal)).unwrap();
        let keys = Keys::load(store.clone(), SITE, self.data.path(), clock).unwrap();
        (store, keys)
    }

    fn file(&self) -> NewSlot {
        NewSlot::KeyFile {
            label: "stick".to_owned(),
            path: self.stick.join("root.key"),
        }
    }

    fn file_opener(&self) -> SlotOpener {
        SlotOpener::KeyFile(self.stick.join("root.key"))
    }
}

fn phrase() -> NewSlot {
    NewSlot::Passphrase {
        label: "safe".to_owned(),
        passphrase: Secret::new(PHRASE.to_owned()),
        stretch: Stretch {
            memory_kib: 19 * 1_024,
            passes: 2,
            lanes: 1,
        },
    }
}

fn paper() -> NewSlot {
    NewSlot::Shares {
        label: "paper".to_owned(),
        threshold: 2,
        count: 3,
    }
}

fn phrase_opener(text: &str) -> SlotOpener {
    SlotOpener::Passphrase(Secret::new(text.to_owned()))
}

fn shares_opener<'a>(texts: impl IntoIterator<Item = &'a Secret<String>>) -> SlotOpener {
    SlotOpener::Shares(texts.into_iter().cloned().collect())
}

/// Ends the server. Dropping alone does not say when the database is free: a unit's clone of the
/// keys may still be held by the writer's thread.
fn stop(store: &Store) {
    store.close().unwrap();
}

/// Makes a patient's key durable and answers its bytes.
fn add_patient(store: &Store, keys: &Keys, number: u64) -> [u8; 32] {
    let new = Arc::new(keys.new_patient_key(PatientId::new(number)).unwrap());
    let (writer, written) = (keys.clone(), new.clone());
    store
        .write(move |tx| writer.write_patient_key(tx, &written))
        .unwrap();
    keys.settle(&new, true);
    *new.key().expose()
}

/// Makes the keys of patients 1 to `count` durable in one unit.
fn add_patients(store: &Store, keys: &Keys, count: u64) -> Vec<[u8; 32]> {
    let new = |number| keys.new_patient_key(PatientId::new(number)).unwrap();
    let all: Arc<Vec<_>> = Arc::new((1..=count).map(new).collect());
    let (writer, written) = (keys.clone(), all.clone());
    store
        .write(move |tx| {
            written
                .iter()
                .try_for_each(|new| writer.write_patient_key(tx, new))
        })
        .unwrap();
    all.iter().for_each(|new| keys.settle(new, true));
    all.iter().map(|new| *new.key().expose()).collect()
}

fn key_of(keys: &Keys, number: u64) -> Result<[u8; 32], KeysError> {
    let (key, epoch) = keys.patient_key(PatientId::new(number))?;
    assert_eq!(epoch, 1);
    Ok(*key.expose())
}

fn actions(store: &Store) -> Vec<String> {
    let leaves: Vec<Vec<u8>> = store
        .read(|snapshot| {
            snapshot.query_all("SELECT leaf FROM entry ORDER BY idx", &[], |row| {
                Ok(row.bytes(0)?.to_vec())
            })
        })
        .unwrap_or_default();
    leaves
        .iter()
        .map(|leaf| {
            let json: serde_json::Value = serde_json::from_slice(leaf).unwrap();
            format!(
                "{} {} {}",
                json["action"].as_str().unwrap(),
                json["subject"].as_str().unwrap(),
                json["outcome"].as_str().unwrap()
            )
        })
        .collect()
}

fn dispose(store: &Store, keys: &Keys, number: u64) -> u64 {
    let (unit, patients) = (keys.clone(), [PatientId::new(number)]);
    let destroyed = store.write(move |tx| unit.dispose(tx, &patients)).unwrap();
    keys.forget(&patients);
    destroyed
}

fn contains(bytes: &[u8], secret: &[u8]) -> bool {
    let starts = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == secret[0]);
    starts
        .into_iter()
        .any(|(at, _)| bytes[at..].starts_with(secret))
}

/// Looks for each secret in every file of the folder; `logs` says whether a log may be there.
fn check_absent(folder: &Path, secrets: &[Vec<u8>], logs: &[usize]) {
    let mut searched = 0;
    let mut in_logs = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        searched += bytes.len();
        in_logs += usize::from(path.to_string_lossy().ends_with("-wal") && !bytes.is_empty());
        for (number, secret) in secrets.iter().enumerate() {
            let found = contains(&bytes, secret);
            assert!(!found, "secret {number} stands in {path:?}");
        }
    }
    assert!(searched > 4_096, "the database was searched");
    assert!(logs.contains(&in_logs));
}
