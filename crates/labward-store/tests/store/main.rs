//! The store as its callers see it.

#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

mod journal;
mod opening;
mod pages;
mod reading;
mod units;

use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, Sender};

use labward_store::{Migration, NoJournal, Options, Query, Store, StoreError, Tx};
use labward_testkit::TempDir;

const SCHEMA: &[Migration] = &[Migration {
    name: "notes",
    sql: "CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT NOT NULL UNIQUE);",
}];

/// An open store in a folder of its own.
struct Opened {
    store: Store,
    folder: TempDir,
}

fn open_new() -> Opened {
    let folder = TempDir::new();
    let options = Options::new(folder.join("db.sqlite"));
    let store = Store::open(options, SCHEMA, Box::new(NoJournal)).unwrap();
    Opened { store, folder }
}

impl Opened {
    fn path(&self) -> PathBuf {
        self.folder.join("db.sqlite")
    }

    fn add(&self, body: &'static str) -> Result<(), StoreError> {
        self.store.write(move |tx| add(tx, body))
    }

    fn bodies(&self) -> Vec<String> {
        bodies(&self.store)
    }
}

fn add(tx: &mut Tx<'_>, body: &str) -> Result<(), StoreError> {
    let added = tx.execute("INSERT INTO note (body) VALUES ($1)", &[body.into()])?;
    assert_eq!(added, 1);
    Ok(())
}

fn bodies(store: &Store) -> Vec<String> {
    let all = store.read(|snapshot| {
        let sql = "SELECT body FROM note ORDER BY id";
        snapshot.query_all(sql, &[], |row| Ok(row.text(0)?.to_owned()))
    });
    all.map_err(|error: StoreError| error).unwrap()
}

/// Holds the writer inside a unit until the answer is used or dropped, so that units pile up.
fn hold_writer(store: &Store) -> Sender<()> {
    let (release, wait) = mpsc::channel::<()>();
    let (entered, inside) = mpsc::channel();
    let unit = move |_: &mut Tx<'_>| {
        entered.send(()).unwrap();
        // It ends when the other side is dropped.
        let _ = wait.recv();
        Ok::<_, StoreError>(())
    };
    store.submit(unit, |result| result.unwrap());
    inside.recv().unwrap();
    release
}

/// Submits one unit per body; the answers come in order.
fn submit_all(store: &Store, all: &[&'static str]) -> Receiver<Result<(), StoreError>> {
    let (send, answers) = mpsc::channel();
    for body in all.iter().copied() {
        let send = send.clone();
        let done = move |result| send.send(result).unwrap();
        store.submit(move |tx: &mut Tx<'_>| add(tx, body), done);
    }
    answers
}
