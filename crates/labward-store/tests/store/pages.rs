//! The pages of one moment: whole, without the tables that are left out, and the same where nothing
//! changed.

use std::fs;
use std::path::Path;

use labward_store::{Migration, NoJournal, Options, Query, Store, StoreError};
use labward_testkit::TempDir;
use rusqlite::Connection;

const SCHEMA: &[Migration] = &[Migration {
    name: "notes and secrets",
    sql: "CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT NOT NULL); \
          CREATE TABLE hidden (site INTEGER NOT NULL, owner INTEGER NOT NULL, body TEXT NOT NULL, \
          PRIMARY KEY (site, owner)); \
          CREATE TABLE other (id INTEGER PRIMARY KEY, body TEXT NOT NULL);",
}];
const TRACE: &str = "never-to-be-seen";

fn open(folder: &TempDir) -> Store {
    let mut options = Options::new(folder.join("db.sqlite"));
    options.page_size = 4096;
    Store::open(options, SCHEMA, Box::new(NoJournal)).unwrap()
}

fn fill(store: &Store, from: u32, to: u32) {
    store
        .write(move |tx| {
            for number in from..to {
                let body = format!("note {number} {}", "x".repeat(700));
                tx.execute(
                    "INSERT INTO note (body) VALUES ($1)",
                    &[body.as_str().into()],
                )?;
                // Every tenth is longer than a page and spills over.
                let times = if number % 10 == 0 { 800 } else { 9 };
                let body = TRACE.repeat(times);
                tx.execute(
                    "INSERT INTO hidden (site, owner, body) VALUES (1, $1, $2)",
                    &[number.into(), body.as_str().into()],
                )?;
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
}

fn bytes(store: &Store, emptied: &[&str]) -> Vec<u8> {
    store
        .read_apart(|snapshot| {
            let pages = snapshot.pages(emptied)?;
            let mut bytes = Vec::new();
            pages.each(|page| {
                bytes.extend_from_slice(page);
                Ok::<_, StoreError>(())
            })?;
            let pages = usize::try_from(pages.count()).unwrap() * pages.page_bytes();
            assert_eq!(bytes.len(), pages);
            Ok::<_, StoreError>(bytes)
        })
        .unwrap()
}

fn ask(path: &Path, sql: &str) -> String {
    let connection = Connection::open(path).unwrap();
    let value: rusqlite::types::Value = connection.query_row(sql, [], |row| row.get(0)).unwrap();
    match value {
        rusqlite::types::Value::Integer(number) => number.to_string(),
        rusqlite::types::Value::Text(text) => text,
        other => format!("{other:?}"),
    }
}

fn count(bytes: &[u8], what: &str) -> usize {
    let windows = bytes.windows(what.len());
    windows.filter(|window| *window == what.as_bytes()).count()
}

#[test]
fn the_pages_are_a_sound_database_in_which_the_tables_left_out_have_no_trace() {
    let folder = TempDir::new();
    let store = open(&folder);
    fill(&store, 0, 400);
    // Pages that change their owner, and a free list that is not empty.
    store
        .write(|tx| tx.execute("DELETE FROM hidden WHERE owner % 3 = 0", &[]))
        .unwrap();
    store
        .write(|tx| tx.execute("DELETE FROM note WHERE id % 5 = 0", &[]))
        .unwrap();
    fill(&store, 400, 900);
    assert!(
        count(&bytes(&store, &["other"]), TRACE) > 1_000,
        "the trace can be found"
    );
    let copy = folder.join("copy.sqlite");
    let pages = bytes(&store, &["hidden"]);
    assert_eq!(count(&pages, TRACE), 0);
    fs::write(&copy, &pages).unwrap();
    assert_eq!(ask(&copy, "PRAGMA integrity_check"), "ok");
    assert_eq!(ask(&copy, "SELECT count(*) FROM hidden"), "0");
    assert_eq!(ask(&copy, "SELECT count(*) FROM note"), "820");
    // What was left out is room again.
    let before = ask(&copy, "PRAGMA page_count");
    let connection = Connection::open(&copy).unwrap();
    connection
        .execute_batch(
            "INSERT INTO hidden SELECT 1, id, body FROM note; \
             CREATE TABLE more (a); INSERT INTO more SELECT body FROM note WHERE id < 200;",
        )
        .unwrap();
    drop(connection);
    assert_eq!(ask(&copy, "PRAGMA integrity_check"), "ok");
    assert_eq!(ask(&copy, "PRAGMA page_count"), before);
    store.close().unwrap();
}

#[test]
fn the_pages_are_those_of_one_moment_while_the_writer_goes_on() {
    let folder = TempDir::new();
    let store = open(&folder);
    fill(&store, 0, 50);
    let before = bytes(&store, &["hidden", "other"]);
    let mut during = Vec::new();
    store
        .read_apart(|snapshot| {
            let pages = snapshot.pages(&["hidden", "other"])?;
            pages.each(|page| {
                during.extend_from_slice(page);
                let body = "while it is read";
                store.write(move |tx| {
                    tx.execute("INSERT INTO note (body) VALUES ($1)", &[body.into()])?;
                    Ok::<_, StoreError>(())
                })
            })
        })
        .unwrap();
    assert!(during == before, "one moment");
    let after = bytes(&store, &["hidden", "other"]);
    assert!(after != before && after.len() >= before.len());
    let name = "no such table";
    let refused = store.read_apart(|snapshot| snapshot.pages(&[name]).map(|pages| pages.count()));
    assert!(matches!(refused, Err(StoreError::Statement { .. })));
    store.close().unwrap();
    let closed = store.read_apart(|snapshot| snapshot.query_all("SELECT 1", &[], |row| row.int(0)));
    assert!(matches!(closed, Err(StoreError::Closed)));
}

#[test]
fn what_did_not_change_is_the_same_page() {
    let folder = TempDir::new();
    let store = open(&folder);
    fill(&store, 0, 500);
    let before = bytes(&store, &["hidden"]);
    store
        .write(|tx| {
            tx.execute("INSERT INTO note (body) VALUES ('one more')", &[])?;
            tx.execute("UPDATE hidden SET body = 'changed' WHERE owner = 7", &[])
        })
        .unwrap();
    let after = bytes(&store, &["hidden"]);
    let changed = before
        .chunks(4096)
        .zip(after.chunks(4096))
        .filter(|(before, after)| before != after)
        .count();
    // The head and the last page of the table that grew; nothing shows of the one left out.
    assert!(changed <= 3, "{changed} pages changed");
    store.close().unwrap();
}
