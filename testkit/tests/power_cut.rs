//! The power is cut at random moments while many threads commit: what was acknowledged is on the
//! disk, what was not is there whole or not at all.
//!
//! **Invariant:** no acknowledgement before durability. The same test with syncs switched off must
//! find a loss; otherwise it proves nothing.

#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

use std::any::Any;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, RwLock, mpsc};
use std::thread;

use labward_store::{
    Durability, Journal, Migration, NoJournal, Options, Query, Store, StoreError, Tx,
};
use labward_testkit::vfs::{Fault, FaultVfs, Survivors};
use labward_testkit::{Random, TempDir};

const SCHEMA: &[Migration] = &[Migration {
    name: "two tables that change together, and a head that counts",
    sql: "CREATE TABLE entry (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
          CREATE TABLE state (id INTEGER PRIMARY KEY, entry_id INTEGER NOT NULL);
          CREATE TABLE head (id INTEGER PRIMARY KEY, entries INTEGER NOT NULL);
          INSERT INTO head (id, entries) VALUES (1, 0);",
}];
const THREADS: u64 = 8;

/// Counts entries in memory as the ledger counts leaves, and writes the count once a batch.
#[derive(Default)]
struct Counter {
    entries: i64,
    committed: i64,
}

impl Journal for Counter {
    fn load(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        self.entries = tx.query_one("SELECT entries FROM head", &[], |row| row.int(0))?;
        self.committed = self.entries;
        Ok(())
    }

    fn mark(&self) -> u64 {
        self.entries.unsigned_abs()
    }

    fn rewind(&mut self, mark: u64) {
        self.entries = mark.try_into().unwrap();
    }

    fn before_commit(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        tx.execute("UPDATE head SET entries = $1", &[self.entries.into()])?;
        Ok(())
    }

    fn committed(&mut self) {
        self.committed = self.entries;
    }

    fn aborted(&mut self) {
        self.entries = self.committed;
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

/// What one power cut left, compared with what had been acknowledged before it.
#[derive(Debug, Default)]
struct Found {
    cuts: u32,
    lost_units: usize,
    unopenable: u32,
}

fn insert(tx: &mut Tx<'_>, id: i64) -> Result<(), StoreError> {
    let body = vec![id.to_le_bytes()[0]; 300];
    let values = [id.into(), (&body).into()];
    tx.execute("INSERT INTO entry (id, body) VALUES ($1, $2)", &values)?;
    let values = [id.into()];
    tx.execute("INSERT INTO state (id, entry_id) VALUES ($1, $1)", &values)?;
    if let Some(counter) = tx.journal::<Counter>() {
        counter.entries += 1;
    }
    // One in eight is refused after its writes: it must leave no trace.
    if id % 8 == 0 {
        return Err(StoreError::Overloaded);
    }
    Ok(())
}

fn options(path: PathBuf, vfs: &FaultVfs, durability: Durability) -> Options {
    Options {
        page_size: 4096,
        // Small, so that cuts also hit the move from the log into the database.
        autocheckpoint_bytes: 256 << 10,
        durability,
        vfs: Some(vfs.name().to_owned()),
        ..Options::new(path)
    }
}

/// Opens what a cut left in `folder`; the number of acknowledged units that are gone.
fn reopen(folder: &Path, acknowledged: &[i64]) -> Result<usize, StoreError> {
    let options = Options::new(folder.join("db.sqlite"));
    let store = Store::open(options, SCHEMA, Box::new(Counter::default()))?;
    let (entries, states, head) = store.read(|snapshot| {
        let ids = |sql| move |s: &mut dyn Query| read_ids(s, sql);
        let entries = ids("SELECT id FROM entry ORDER BY id")(snapshot)?;
        let states = ids("SELECT entry_id FROM state ORDER BY id")(snapshot)?;
        let head = snapshot.query_one("SELECT entries FROM head", &[], |row| row.int(0))?;
        Ok::<_, StoreError>((entries, states, head))
    })?;
    assert_eq!(entries, states, "half a unit was stored");
    assert_eq!(entries.len(), usize::try_from(head).unwrap());
    assert!(entries.iter().all(|id| id % 8 != 0), "a refused unit stays");
    // It goes on from there.
    store.write(|tx| insert(tx, i64::MAX))?;
    store.close()?;
    let stored: HashSet<_> = entries.into_iter().collect();
    let lost = acknowledged.iter().filter(|id| !stored.contains(id));
    Ok(lost.count())
}

fn read_ids(mut from: &mut dyn Query, sql: &str) -> Result<Vec<i64>, StoreError> {
    (&mut from).query_all(sql, &[], |row| row.int(0))
}

/// Cuts the power `cuts` times under a store that many threads write to.
fn cut_the_power(vfs_name: &str, durability: Durability, cuts: u32) -> Found {
    let vfs = FaultVfs::register(vfs_name);
    let folder = TempDir::new();
    let options = options(folder.join("db.sqlite"), &vfs, durability);
    let store = Store::open(options, SCHEMA, Box::new(Counter::default())).unwrap();
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let (next, stop) = (AtomicI64::new(1), AtomicBool::new(false));
    // The writers pause while a cut is looked at, or the database would grow without end.
    let gate = RwLock::new(());
    let mut found = Found::default();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let _open = gate.read().unwrap();
                    write_one(&store, next.fetch_add(1, Ordering::Relaxed), &acknowledged);
                }
            });
        }
        let mut random = Random::new(2026);
        for _ in 0..cuts {
            let disk = TempDir::new();
            let before = arm(&vfs, &mut random, &acknowledged);
            // Some cuts shall hit the log's truncation, which disposal asks for.
            if random.below(4) == 0 {
                store.checkpoint_truncate().unwrap();
            }
            let before = before.recv().unwrap();
            let _closed = gate.write().unwrap();
            assert!(vfs.take_cut(folder.path(), disk.path()).unwrap());
            found.cuts += 1;
            match reopen(disk.path(), &before) {
                Ok(lost) => found.lost_units += lost,
                Err(_) => found.unopenable += 1,
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(store.stats().batches < store.stats().units, "no grouping");
    store.close().unwrap();
    found
}

/// Writes one unit and notes it at the moment of its acknowledgement.
fn write_one(store: &Store, id: i64, acknowledged: &Arc<Mutex<Vec<i64>>>) {
    let (send, answered) = mpsc::channel();
    let acknowledged = Arc::clone(acknowledged);
    let done = move |result: Result<(), StoreError>| {
        if result.is_ok() {
            acknowledged.lock().unwrap().push(id);
        }
        send.send(()).unwrap();
    };
    store.submit(move |tx| insert(tx, id), done);
    answered.recv().unwrap();
}

/// Arms a cut at some change soon; the answer is what had been acknowledged at that very moment.
fn arm(
    vfs: &FaultVfs,
    random: &mut Random,
    acknowledged: &Arc<Mutex<Vec<i64>>>,
) -> mpsc::Receiver<Vec<i64>> {
    let survivors = match random.below(3) {
        0 => Survivors::None,
        _ => Survivors::Some(random.next_u64()),
    };
    let (send, before) = mpsc::channel();
    let acknowledged = Arc::clone(acknowledged);
    vfs.arm_power_cut(1 + random.below(400), survivors, move || {
        send.send(acknowledged.lock().unwrap().clone()).unwrap();
    });
    before
}

#[test]
fn what_was_acknowledged_survives_every_power_cut() {
    let found = cut_the_power("cut-full", Durability::Full, 60);
    assert_eq!(found.cuts, 60);
    assert_eq!((found.lost_units, found.unopenable), (0, 0), "{found:?}");
}

#[test]
fn the_power_cut_test_finds_the_loss_when_syncs_are_off() {
    let found = cut_the_power("cut-off", Durability::UnsafeOff, 10);
    assert!(found.lost_units > 0, "{found:?}");
}

#[test]
fn a_power_cut_while_the_database_is_created_leaves_one_that_opens() {
    let vfs = FaultVfs::register("cut-create");
    let mut cuts = 0;
    for operation in 1..1_000 {
        let (folder, disk) = (TempDir::new(), TempDir::new());
        vfs.arm_power_cut(operation, Survivors::Some(operation), || ());
        let options = options(folder.join("db.sqlite"), &vfs, Durability::Full);
        let store = Store::open(options, SCHEMA, Box::new(Counter::default())).unwrap();
        store.close().unwrap();
        if !vfs.take_cut(folder.path(), disk.path()).unwrap() {
            break;
        }
        cuts += 1;
        assert_eq!(reopen(disk.path(), &[]).unwrap(), 0, "{operation}");
    }
    assert!((5..900).contains(&cuts), "{cuts}");
}

#[test]
fn a_power_cut_during_a_migration_leaves_the_old_rows_or_the_new_ones() {
    const NEXT: Migration = Migration {
        name: "larger ids",
        sql: "CREATE TABLE next (id INTEGER PRIMARY KEY);
              UPDATE state SET entry_id = entry_id + 1000; UPDATE entry SET id = id + 1000;",
    };
    let vfs = FaultVfs::register("cut-migrate");
    let (mut old, mut new) = (0, 0);
    for operation in 1..1_000 {
        let (folder, disk) = (TempDir::new(), TempDir::new());
        let (path, cut) = (folder.join("db.sqlite"), disk.join("db.sqlite"));
        let open = |path: PathBuf, schema: &[Migration]| {
            let options = options(path, &vfs, Durability::Full);
            Store::open(options, schema, Box::new(Counter::default())).unwrap()
        };
        let store = open(path.clone(), SCHEMA);
        store.write(|tx| insert(tx, 1)).unwrap();
        store.close().unwrap();
        vfs.arm_power_cut(operation, Survivors::Some(operation), || ());
        open(path, &[SCHEMA[0], NEXT]).close().unwrap();
        if !vfs.take_cut(folder.path(), disk.path()).unwrap() {
            break;
        }
        match Store::open(Options::new(&cut), SCHEMA, Box::new(NoJournal)) {
            Ok(store) => {
                store.close().unwrap();
                assert_eq!(stored(&cut), [1]);
                old += 1;
            }
            Err(StoreError::NewerSchema { .. }) => new += 1,
            Err(error) => panic!("{operation}: {error}"),
        }
        let migrated = open(cut.clone(), &[SCHEMA[0], NEXT]);
        let ids = migrated.read(|snapshot| read_ids(snapshot, "SELECT id FROM entry"));
        assert_eq!(ids.unwrap(), [1001], "{operation}");
    }
    assert!(old > 5 && new > 0, "{old} old, {new} new");
}

#[test]
fn a_full_disk_refuses_every_waiting_unit_whole_and_works_again_when_there_is_room() {
    for (fault, name) in [(Fault::NoSpace, "full-disk"), (Fault::Io, "broken-disk")] {
        let vfs = FaultVfs::register(name);
        let folder = TempDir::new();
        let options = options(folder.join("db.sqlite"), &vfs, Durability::Full);
        let store = Store::open(options, SCHEMA, Box::new(Counter::default())).unwrap();
        store.write(|tx| insert(tx, 1)).unwrap();
        // Enough for a part of the log's frames of the next batch, not for all.
        vfs.fail_writes_after(6_000, Some(fault));
        let (send, answers) = mpsc::channel();
        for id in [2, 3, 4, 5] {
            let send = send.clone();
            let done = move |result: Result<(), StoreError>| send.send(result).unwrap();
            store.submit(move |tx| insert(tx, id), done);
        }
        drop(send);
        for answer in answers {
            assert!(matches!(answer, Err(StoreError::Unwritable { .. })));
        }
        assert!(store.stats().failed_batches > 0);
        vfs.fail_writes_with(None);
        store.write(|tx| insert(tx, 6)).unwrap();
        let disk = TempDir::new();
        vfs.power_cut(folder.path(), disk.path(), Survivors::None)
            .unwrap();
        store.close().unwrap();
        assert_eq!(stored(&folder.join("db.sqlite")), [1, 6], "{name}");
        assert_eq!(stored(&disk.join("db.sqlite")), [1, 6], "{name}");
    }
}

fn stored(path: &Path) -> Vec<i64> {
    let store = Store::open(Options::new(path), SCHEMA, Box::new(NoJournal)).unwrap();
    let ids = store.read(|snapshot| read_ids(snapshot, "SELECT id FROM entry ORDER BY id"));
    ids.unwrap()
}
