//! Snapshots, rows, copies and the truncated log.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use labward_store::{NoJournal, Options, Query, Row, Store, StoreError, Value};
use labward_testkit::TempDir;

use crate::{SCHEMA, bodies, open_new};

fn read_row<T>(
    store: &Store,
    value: Value<'_>,
    map: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    store.read(|snapshot| snapshot.query_one("SELECT $1", &[value], map))
}

#[test]
fn a_value_is_read_back_as_it_was_given_and_as_nothing_else() {
    let opened = open_new();
    let store = &opened.store;
    assert_eq!(read_row(store, (-5_i64).into(), |r| r.int(0)).unwrap(), -5);
    let text = read_row(store, "Käse".into(), |r| Ok(r.text(0)?.to_owned()));
    assert_eq!(text.unwrap(), "Käse");
    let bytes = read_row(store, (&[0_u8, 255]).into(), |r| Ok(r.bytes(0)?.to_owned()));
    assert_eq!(bytes.unwrap(), [0, 255]);
    let none = None::<i64>;
    assert_eq!(
        read_row(store, none.into(), |r| r.opt_int(0)).unwrap(),
        None
    );
    let some = Some(7_u32);
    assert_eq!(
        read_row(store, some.into(), |r| r.opt_int(0)).unwrap(),
        Some(7)
    );
    for wrong in [
        read_row(store, "7".into(), |r| r.int(0).map(drop)),
        read_row(store, 7.into(), |r| r.text(0).map(drop)),
        read_row(store, "7".into(), |r| r.bytes(0).map(drop)),
        read_row(store, Value::Null, |r| r.int(0).map(drop)),
        read_row(store, 7.into(), |r| r.int(1).map(drop)),
    ] {
        assert!(matches!(wrong, Err(StoreError::Statement { .. })));
    }
}

#[test]
fn one_row_means_one_row() {
    let opened = open_new();
    let sql = "SELECT id FROM note";
    let one = || {
        let read = opened.store.read(|s| s.query_one(sql, &[], |r| r.int(0)));
        read.map_err(|error: StoreError| error)
    };
    let opt = || opened.store.read(|s| s.query_opt(sql, &[], |r| r.int(0)));
    assert!(matches!(one(), Err(StoreError::Statement { .. })));
    assert_eq!(opt().unwrap(), None);
    opened.add("a").unwrap();
    assert_eq!((one().unwrap(), opt().unwrap()), (1, Some(1)));
    opened.add("b").unwrap();
    assert!(matches!(one(), Err(StoreError::Statement { .. })));
    assert!(matches!(opt(), Err(StoreError::Statement { .. })));
}

#[test]
fn a_snapshot_stays_what_it_was_while_the_writer_goes_on() {
    let opened = open_new();
    opened.add("a").unwrap();
    let count = "SELECT count(*) FROM note";
    let counts = opened.store.read(|snapshot| {
        let before = snapshot.query_one(count, &[], |row| row.int(0))?;
        opened.add("b")?;
        let after = snapshot.query_one(count, &[], |row| row.int(0))?;
        Ok::<_, StoreError>((before, after))
    });
    assert_eq!(counts.unwrap(), (1, 1));
    assert_eq!(opened.bodies(), ["a", "b"]);
}

#[test]
fn a_snapshot_cannot_write() {
    let opened = open_new();
    let sql = "INSERT INTO note (body) VALUES ('x') RETURNING id";
    let written = opened.store.read(|s| s.query_one(sql, &[], |r| r.int(0)));
    assert!(matches!(written, Err(StoreError::Unwritable { .. })));
    assert!(opened.bodies().is_empty());
}

#[test]
fn a_reader_that_panics_gives_its_connection_back() {
    let folder = TempDir::new();
    let mut options = Options::new(folder.join("db.sqlite"));
    options.readers = 1;
    let store = Store::open(options, SCHEMA, Box::new(NoJournal)).unwrap();
    for _ in 0..3 {
        let read = || store.read(|_| -> Result<(), StoreError> { panic!("a fault of a reader") });
        assert!(catch_unwind(AssertUnwindSafe(read)).is_err());
    }
    assert!(bodies(&store).is_empty());
    store.close().unwrap();
}

#[test]
fn what_was_deleted_is_gone_from_the_file_and_the_log() {
    const TRACE: &str = "a trace that disposal must not leave behind";
    let opened = open_new();
    opened.add(TRACE).unwrap();
    let (file, log) = (opened.path(), opened.folder.join("db.sqlite-wal"));
    let traces = || {
        let bytes = [fs::read(&file).unwrap(), fs::read(&log).unwrap()].concat();
        let found = bytes.windows(TRACE.len());
        found.filter(|window| *window == TRACE.as_bytes()).count()
    };
    assert!(traces() > 0);
    let delete = "DELETE FROM note";
    opened.store.write(|tx| tx.execute(delete, &[])).unwrap();
    assert!(opened.store.checkpoint_truncate().unwrap());
    assert_eq!(fs::metadata(&log).unwrap().len(), 0);
    assert_eq!(traces(), 0);
}

#[test]
fn a_reader_that_needs_the_log_does_not_hold_the_writer_up() {
    let opened = open_new();
    opened.add("a").unwrap();
    let emptied = opened.store.read(|snapshot| {
        snapshot.query("SELECT body FROM note", &[], &mut |_| Ok(()))?;
        opened.add("b")?;
        opened.store.checkpoint_truncate()
    });
    assert!(!emptied.unwrap());
    assert!(opened.store.checkpoint_truncate().unwrap());
    assert_eq!(opened.bodies(), ["a", "b"]);
}

#[test]
fn the_log_is_overwritten_in_place_instead_of_growing() {
    const LIMIT: u64 = 256 << 10;
    let folder = TempDir::new();
    let mut options = Options::new(folder.join("db.sqlite"));
    options.autocheckpoint_bytes = LIMIT;
    let store = Store::open(options, SCHEMA, Box::new(NoJournal)).unwrap();
    let mut largest = 0;
    for i in 0..100 {
        let body = format!("{i:0>20000}");
        store.write(move |tx| crate::add(tx, &body)).unwrap();
        let log = fs::metadata(folder.join("db.sqlite-wal")).unwrap();
        largest = largest.max(log.len());
    }
    assert!((LIMIT..LIMIT * 3 / 2).contains(&largest), "{largest}");
    assert!(fs::metadata(folder.join("db.sqlite")).unwrap().len() > 4 * LIMIT);
}

#[test]
fn a_copy_is_whole_and_private_and_opens_as_a_database() {
    let opened = open_new();
    opened.add("a").unwrap();
    let copy = opened.folder.join("copy.sqlite");
    opened.store.copy_into(&copy).unwrap();
    opened.add("b").unwrap();
    crate::opening::check_private(&copy);
    let copied = Store::open(Options::new(copy), SCHEMA, Box::new(NoJournal)).unwrap();
    assert_eq!(bodies(&copied), ["a"]);
}
