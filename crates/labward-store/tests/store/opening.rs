//! Opening: one at a time, the right schema, a sound file, a copy before a migration.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use labward_base::problem::{self, Problem};
use labward_store::{Migration, NoJournal, Options, Store, StoreError};
use labward_testkit::TempDir;

use crate::{SCHEMA, add, bodies, open_new};

const SECOND: Migration = Migration {
    name: "upper-case bodies",
    sql: "UPDATE note SET body = upper(body);",
};
const BROKEN: Migration = Migration {
    name: "a step that fails half-way",
    sql: "DELETE FROM note; INSERT INTO no_such_table VALUES (1);",
};

fn open(path: &Path, migrations: &[Migration]) -> Result<Store, StoreError> {
    Store::open(Options::new(path), migrations, Box::new(NoJournal))
}

fn check_refused(path: &Path, expect: &Problem) {
    let before = fs::read(path).unwrap();
    let error = open(path, SCHEMA).err().unwrap();
    assert_eq!(error.problem(), expect, "{error}");
    assert_eq!(fs::read(path).unwrap(), before, "the file was touched");
}

pub(crate) fn check_private(path: &Path) {
    let mode = fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{}", path.display());
}

#[test]
fn a_second_open_is_refused_until_the_first_is_closed() {
    let opened = open_new();
    let error = open(&opened.path(), SCHEMA).err().unwrap();
    assert_eq!(error.problem(), &problem::STORE_BUSY);
    opened.store.close().unwrap();
    assert!(open(&opened.path(), SCHEMA).is_ok());
}

#[test]
fn every_file_is_private() {
    let opened = open_new();
    opened.add("a").unwrap();
    for name in [
        "db.sqlite",
        "db.sqlite-wal",
        "db.sqlite-shm",
        "db.sqlite.lock",
    ] {
        check_private(&opened.folder.join(name));
    }
}

#[test]
fn the_header_says_whose_file_it_is_and_of_which_version() {
    let opened = open_new();
    opened.store.close().unwrap();
    let header = fs::read(opened.path()).unwrap();
    assert_eq!(&header[68..72], b"Labw");
    assert_eq!(header[60..64], 1_u32.to_be_bytes());
    assert_eq!(header[16..18], 4096_u16.to_be_bytes());
}

#[test]
fn a_newer_schema_is_refused() {
    let folder = TempDir::new();
    let path = folder.join("db.sqlite");
    open(&path, &[SCHEMA[0], SECOND]).unwrap().close().unwrap();
    check_refused(&path, &problem::STORE_NEWER);
}

#[test]
fn an_older_database_is_copied_aside_and_then_migrated() {
    let opened = open_new();
    opened.add("a").unwrap();
    opened.store.close().unwrap();
    let migrated = open(&opened.path(), &[SCHEMA[0], SECOND]).unwrap();
    assert_eq!(bodies(&migrated), ["A"]);
    migrated.close().unwrap();
    let copy = opened.folder.join("db.sqlite.before-v2");
    check_private(&copy);
    assert_eq!(bodies(&open(&copy, SCHEMA).unwrap()), ["a"]);
    // The next start finds nothing to do.
    fs::remove_file(&copy).unwrap();
    open(&opened.path(), &[SCHEMA[0], SECOND]).unwrap();
    assert!(!copy.exists());
}

#[test]
fn a_new_database_is_not_copied() {
    let opened = open_new();
    assert!(!opened.folder.join("db.sqlite.before-v1").exists());
}

#[test]
fn a_migration_that_fails_leaves_the_old_database() {
    let opened = open_new();
    opened.add("a").unwrap();
    opened.store.close().unwrap();
    let error = open(&opened.path(), &[SCHEMA[0], SECOND, BROKEN]).err();
    assert!(matches!(error, Some(StoreError::Statement { .. })));
    assert_eq!(bodies(&open(&opened.path(), SCHEMA).unwrap()), ["a"]);
}

#[test]
fn a_database_of_another_program_is_refused_untouched() {
    let folder = TempDir::new();
    let path = folder.join("db.sqlite");
    open(&path, SCHEMA).unwrap().close().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    // The application id stands at byte 68 of the header.
    bytes[68..72].copy_from_slice(b"Othr");
    fs::write(&path, bytes).unwrap();
    check_refused(&path, &problem::STORE_FOREIGN);
}

#[test]
fn a_file_that_is_no_database_is_refused_untouched() {
    let folder = TempDir::new();
    let path = folder.join("db.sqlite");
    fs::write(&path, [b'x'; 4096]).unwrap();
    check_refused(&path, &problem::STORE_DAMAGED);
}

#[test]
fn a_start_after_a_crash_is_noticed_and_loses_nothing() {
    let opened = open_new();
    opened.add("a").unwrap();
    assert!(!opened.store.started_after_crash());
    // What a killed process leaves: the file and its log, never checkpointed.
    let crashed = TempDir::new();
    for name in ["db.sqlite", "db.sqlite-wal"] {
        fs::copy(opened.folder.join(name), crashed.join(name)).unwrap();
    }
    let path = crashed.join("db.sqlite");
    let store = open(&path, SCHEMA).unwrap();
    assert!(store.started_after_crash());
    assert_eq!(bodies(&store), ["a"]);
    store.close().unwrap();
    assert!(!open(&path, SCHEMA).unwrap().started_after_crash());
}

#[test]
fn damage_is_found_at_the_start_after_a_crash_and_its_place_is_named() {
    let opened = open_new();
    opened
        .store
        .write(|tx| (0..2_000).try_for_each(|i| add(tx, &format!("Doe^Jane {i:0>50}"))))
        .unwrap();
    opened.store.close().unwrap();
    let path = opened.path();
    let mut bytes = fs::read(&path).unwrap();
    let page = 4096 * (bytes.len() / 4096 / 2);
    bytes[page..page + 64].fill(0xa5);
    fs::write(&path, bytes).unwrap();
    fs::write(opened.folder.join("db.sqlite-wal"), b"").unwrap();
    let error = open(&path, SCHEMA).err().unwrap();
    let StoreError::Damaged { place } = &error else {
        panic!("{error}");
    };
    assert!(place.contains("page"), "{place}");
    assert!(!place.contains("Doe"));
    assert_eq!(error.problem(), &problem::STORE_DAMAGED);
}

#[test]
fn an_index_that_lost_a_row_is_named_while_the_store_is_open() {
    const INDEXED: &[Migration] = &[Migration {
        name: "indexed",
        sql: "CREATE TABLE item (id INTEGER PRIMARY KEY, tag TEXT NOT NULL);\
              CREATE INDEX item_tag ON item (tag);",
    }];
    let folder = TempDir::new();
    let path = folder.join("db.sqlite");
    let store = open(&path, INDEXED).unwrap();
    store
        .write(|tx| {
            (0..50).try_for_each(|i| {
                let tag = format!("Doe^Jane {i}");
                tx.execute("INSERT INTO item (tag) VALUES ($1)", &[tag.as_str().into()])?;
                Ok::<_, StoreError>(())
            })
        })
        .unwrap();
    assert_eq!(store.unsound_places().unwrap(), Vec::<String>::new());
    store.close().unwrap();
    // The last copy of a value stands in the index, which was made after the table.
    let mut bytes = fs::read(&path).unwrap();
    let place = bytes.windows(11).rposition(|part| part == b"Doe^Jane 42");
    bytes[place.unwrap()] ^= 1;
    fs::write(&path, bytes).unwrap();
    let store = open(&path, INDEXED).unwrap();
    let places = store.unsound_places().unwrap();
    assert!(
        places.iter().any(|place| place.contains("item_tag")),
        "{places:?}"
    );
    assert!(!places.concat().contains("Doe"));
}

#[test]
fn a_table_whose_definition_changed_is_named_while_the_store_is_open() {
    const TWO: &[Migration] = &[
        Migration {
            name: "one",
            sql: "CREATE TABLE item (id INTEGER PRIMARY KEY, tag TEXT NOT NULL);",
        },
        Migration {
            name: "two",
            sql: "ALTER TABLE item ADD COLUMN weight INTEGER;",
        },
    ];
    let folder = TempDir::new();
    let path = folder.join("db.sqlite");
    open(&path, &TWO[..1]).unwrap().close().unwrap();
    let store = open(&path, TWO).unwrap();
    assert_eq!(store.unsound_places().unwrap(), Vec::<String>::new());
    store.close().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let place = bytes.windows(8).position(|part| part == b"tag TEXT");
    bytes[place.unwrap()] ^= 0x80;
    fs::write(&path, bytes).unwrap();
    let store = open(&path, TWO).unwrap();
    let places = store.unsound_places().unwrap();
    assert!(
        places
            .iter()
            .any(|place| place.starts_with("schema, item:")),
        "{places:?}"
    );
}

#[test]
fn a_folder_that_does_not_exist_is_an_error_that_names_no_content() {
    let folder = TempDir::new();
    let error = open(&folder.join("missing/db.sqlite"), SCHEMA)
        .err()
        .unwrap();
    assert_eq!(error.problem(), &problem::STORE_UNWRITABLE);
    assert_eq!(error.to_string(), "write the database");
}
