//! The order in which the journal is called, and that it never runs ahead of the disk.

use std::any::Any;
use std::sync::{Arc, Mutex};

use labward_store::{Journal, Migration, NoJournal, Options, Query, Store, StoreError, Tx};
use labward_testkit::TempDir;

use crate::{add, hold_writer, submit_all};

const SCHEMA: &[Migration] = &[Migration {
    name: "notes and a head",
    sql: "CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT NOT NULL UNIQUE);
          CREATE TABLE head (size INTEGER NOT NULL);
          INSERT INTO head (size) VALUES (0);",
}];

/// Writes down every call and counts as the ledger does.
#[derive(Default)]
struct Recorder {
    calls: Arc<Mutex<Vec<String>>>,
    size: u64,
    durable: u64,
    fails: bool,
}

impl Recorder {
    fn note(&self, call: impl Into<String>) {
        self.calls.lock().unwrap().push(call.into());
    }
}

impl Journal for Recorder {
    fn load(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let size = tx.query_one("SELECT size FROM head", &[], |row| row.int(0))?;
        self.note(format!("load {size}"));
        self.size = size.unsigned_abs();
        self.durable = self.size;
        Ok(())
    }

    fn mark(&self) -> u64 {
        self.size
    }

    fn rewind(&mut self, mark: u64) {
        self.note(format!("rewind {} to {mark}", self.size));
        self.size = mark;
    }

    fn before_commit(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        self.note(format!("before_commit {}", self.size));
        if self.fails {
            return Err(StoreError::Overloaded);
        }
        let size = i64::try_from(self.size).unwrap();
        tx.execute("UPDATE head SET size = $1", &[size.into()])?;
        Ok(())
    }

    fn committed(&mut self) {
        self.note(format!("committed {}", self.size));
        self.durable = self.size;
    }

    fn aborted(&mut self) {
        self.note(format!("aborted {}", self.size));
        self.size = self.durable;
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

/// A unit that appends one entry and refuses if told to.
fn append(tx: &mut Tx<'_>, body: &str, refuse: bool) -> Result<u64, StoreError> {
    add(tx, body)?;
    let recorder = tx.journal::<Recorder>().unwrap();
    recorder.size += 1;
    recorder.note(format!("append {body}"));
    let size = recorder.size;
    if refuse {
        Err(StoreError::Overloaded)
    } else {
        Ok(size)
    }
}

fn open(fails: bool) -> (Store, Arc<Mutex<Vec<String>>>, TempDir) {
    let folder = TempDir::new();
    let recorder = Recorder {
        fails,
        ..Recorder::default()
    };
    let calls = Arc::clone(&recorder.calls);
    let options = Options::new(folder.join("db.sqlite"));
    let store = Store::open(options, SCHEMA, Box::new(recorder)).unwrap();
    (store, calls, folder)
}

#[test]
fn the_journal_follows_the_transaction_call_by_call() {
    let (store, calls, folder) = open(false);
    let release = hold_writer(&store);
    for (body, refuse) in [("a", false), ("b", true), ("c", false)] {
        let calls = Arc::clone(&calls);
        let done = move |result: Result<u64, _>| {
            let outcome = result.map_or("refused".to_owned(), |size| size.to_string());
            calls.lock().unwrap().push(format!("done {body} {outcome}"));
        };
        store.submit(move |tx| append(tx, body, refuse), done);
    }
    drop(release);
    store.close().unwrap();
    assert_eq!(
        *calls.lock().unwrap(),
        [
            "load 0",
            // The unit that held the writer changed nothing, so no head is written.
            "committed 0",
            "append a",
            "append b",
            // It was refused after it wrote: the batch is run again, each unit apart.
            "aborted 2",
            "append a",
            "append b",
            "rewind 2 to 1",
            "before_commit 1",
            "committed 1",
            "done a 1",
            "done b refused",
            "append c",
            "before_commit 2",
            "committed 2",
            "done c 2",
        ]
    );
    let recorder = Recorder::default();
    let calls = Arc::clone(&recorder.calls);
    let options = Options::new(folder.join("db.sqlite"));
    Store::open(options, SCHEMA, Box::new(recorder)).unwrap();
    assert_eq!(calls.lock().unwrap()[0], "load 2");
}

#[test]
fn a_journal_that_fails_before_the_commit_gives_the_whole_batch_up() {
    let (store, calls, _folder) = open(true);
    let release = hold_writer(&store);
    let answers = submit_all(&store, &["a", "b"]);
    drop(release);
    for _ in 0..2 {
        let answer = answers.recv().unwrap();
        assert!(matches!(answer, Err(StoreError::Overloaded)));
    }
    assert!(crate::bodies(&store).is_empty());
    let calls = calls.lock().unwrap();
    assert_eq!(calls[2..], ["before_commit 0", "aborted 0"]);
}

#[test]
fn a_journal_of_another_type_is_not_handed_out() {
    let folder = TempDir::new();
    let options = Options::new(folder.join("db.sqlite"));
    let store = Store::open(options, SCHEMA, Box::new(NoJournal)).unwrap();
    let found = store.write(|tx| Ok::<_, StoreError>(tx.journal::<Recorder>().is_some()));
    assert!(!found.unwrap());
}
