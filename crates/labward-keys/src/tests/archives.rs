//! Key archives: opened by any slot, believed only whole, and gone when their time is over.

use super::*;
use crate::{ArchiveError, OpenArchive, archives_in, open_archive};
use std::fs;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

/// A new patient with a durable key.
fn patient(store: &Store, keys: &Keys, number: u64) -> PatientId {
    let new = keys.new_patient_key(PatientId::new(number)).unwrap();
    let (writer, key) = (keys.clone(), Arc::new(new));
    let written = Arc::clone(&key);
    store
        .write(move |tx| writer.write_patient_key(tx, &written))
        .unwrap();
    keys.settle(&key, true);
    PatientId::new(number)
}

fn made(lab: &Lab) -> (Store, Keys, TempDir) {
    let (store, keys) = lab.start();
    keys.create(&[lab.file(), phrase()], BY).unwrap();
    for number in 1..=3 {
        patient(&store, &keys, number);
    }
    (store, keys, TempDir::new())
}

fn archive(keys: &Keys, folder: &TempDir) -> crate::ArchiveInfo {
    keys.archive(folder.path(), 35 * DAY, BY, Vec::new())
        .unwrap()
}

fn code(opened: Result<OpenArchive, ArchiveError>) -> &'static str {
    opened.err().unwrap().problem().code
}

#[test]
fn any_slot_opens_an_archive_and_its_keys_are_the_living_ones() {
    let lab = Lab::new();
    let (store, keys, folder) = made(&lab);
    let disposed = keys.clone();
    store
        .write(move |tx| disposed.dispose(tx, &[PatientId::new(2)]))
        .unwrap();
    let info = archive(&keys, &folder);
    assert_eq!(info.id, 1);
    let passphrase = SlotOpener::Passphrase(Secret::new(PHRASE.to_owned()));
    for opener in [lab.file_opener(), passphrase] {
        let opened = open_archive(folder.path(), &opener).unwrap();
        let (secret, epoch) = opened.secret_key().unwrap();
        let (living, _) = keys.site_key(Scope::Secret).unwrap();
        assert_eq!((secret.expose(), epoch), (living.expose(), 1));
        assert_eq!(opened.destroyed(), [PatientId::new(2)]);
        assert!(opened.knows(PatientId::new(3)) && !opened.knows(PatientId::new(4)));
        assert_eq!(opened.info().expires, info.expires);
    }
    let listed = archives_in(folder.path()).unwrap();
    assert_eq!(listed.len(), 1);
    // Into a database without keys; the patient it does not know stays out.
    let other = Lab::new();
    let (empty, _) = other.start();
    let opened = open_archive(folder.path(), &lab.file_opener()).unwrap();
    let put = empty.write(move |tx| opened.put(tx, 2)).unwrap();
    assert_eq!((put.keys, put.left_out), (4 + 2, 1));
    let clock = Arc::new(other.clock.clone());
    let restored = Keys::load(empty.clone(), SITE, other.data.path(), clock).unwrap();
    restored.unseal(&lab.file_opener(), BY).unwrap();
    let (one, _) = restored.patient_key(PatientId::new(1)).unwrap();
    let (living, _) = keys.patient_key(PatientId::new(1)).unwrap();
    assert_eq!(one.expose(), living.expose());
    let gone = restored.patient_key(PatientId::new(2));
    assert!(matches!(gone, Err(KeysError::Disposed(_))));
    let unknown = restored.patient_key(PatientId::new(3));
    assert!(matches!(unknown, Err(KeysError::NoKey(_))));
    let again = open_archive(folder.path(), &lab.file_opener()).unwrap();
    let again = empty.write(move |tx| again.put(tx, 2));
    assert!(matches!(again, Err(KeysError::Exists)));
}

#[test]
fn an_archive_in_the_middle_of_a_rotation_opens_old_keys_and_new() {
    let lab = Lab::new();
    let (store, keys, folder) = made(&lab);
    keys.rotate_steps(BY, 1).unwrap();
    archive(&keys, &folder);
    let opened = open_archive(folder.path(), &lab.file_opener()).unwrap();
    let other = Lab::new();
    let (empty, _) = other.start();
    empty.write(move |tx| opened.put(tx, 9)).unwrap();
    let clock = Arc::new(other.clock.clone());
    let restored = Keys::load(empty, SITE, other.data.path(), clock).unwrap();
    restored.unseal(&lab.file_opener(), BY).unwrap();
    for number in 1..=3 {
        let (one, _) = restored.patient_key(PatientId::new(number)).unwrap();
        let (living, _) = keys.patient_key(PatientId::new(number)).unwrap();
        assert_eq!(one.expose(), living.expose());
    }
    store.close().unwrap();
}

#[test]
fn any_byte_changed_removed_or_added_is_found() {
    let lab = Lab::new();
    let (_store, keys, folder) = made(&lab);
    archive(&keys, &folder);
    let path = folder.join("000001.labward-keys");
    let bytes = fs::read(&path).unwrap();
    let opener = lab.file_opener();
    let step = (bytes.len() / 150).max(1);
    for place in (0..bytes.len()).step_by(step) {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        fs::write(&path, &changed).unwrap();
        let found = code(open_archive(folder.path(), &opener));
        let named = [
            "keys.archive-damaged",
            "keys.archive-newer",
            "keys.wrong-slot",
            "keys.damaged",
        ];
        assert!(named.contains(&found), "byte {place}: {found}");
    }
    for cut in [0, 10, 40, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&path, &bytes[..cut]).unwrap();
        assert_eq!(
            code(open_archive(folder.path(), &opener)),
            "keys.archive-damaged"
        );
    }
    fs::write(&path, [&bytes[..], &[0; 57]].concat()).unwrap();
    assert_eq!(
        code(open_archive(folder.path(), &opener)),
        "keys.archive-damaged"
    );
    fs::write(&path, &bytes).unwrap();
    assert!(
        open_archive(&path, &opener).is_ok(),
        "the file itself is named too"
    );
}

#[test]
fn what_opens_no_archive_is_told_apart() {
    let lab = Lab::new();
    let (_store, keys, folder) = made(&lab);
    let opener = lab.file_opener();
    assert_eq!(
        code(open_archive(folder.path(), &opener)),
        "keys.archive-missing"
    );
    let nowhere = folder.join("nowhere");
    assert_eq!(
        code(open_archive(&nowhere, &opener)),
        "keys.archive-missing"
    );
    archive(&keys, &folder);
    let wrong = SlotOpener::Passphrase(Secret::new("a passphrase of nobody".to_owned()));
    assert_eq!(code(open_archive(folder.path(), &wrong)), "keys.wrong-slot");
    let path = folder.join("000001.labward-keys");
    let mut bytes = fs::read(&path).unwrap();
    bytes["labward key archive ".len()] = b'2';
    fs::write(&path, &bytes).unwrap();
    assert_eq!(
        code(open_archive(folder.path(), &opener)),
        "keys.archive-newer"
    );
    let inside = keys.archive(&lab.data.join("keys/here"), DAY, BY, Vec::new());
    assert_eq!(inside.unwrap_err().problem().code, "keys.beside-data");
    assert!(!lab.data.join("keys").exists());
}

#[test]
fn an_archive_goes_when_its_time_is_over_and_the_ledger_says_so() {
    let lab = Lab::new();
    let (store, keys, folder) = made(&lab);
    let first = archive(&keys, &folder);
    lab.clock.advance(20 * DAY);
    let second = archive(&keys, &folder);
    assert_eq!((first.id, second.id), (1, 2));
    lab.clock.advance(16 * DAY);
    assert!(keys.archives().unwrap().iter().all(|info| info.may_exist));
    let third = archive(&keys, &folder);
    assert!(
        !folder.join("000001.labward-keys").exists(),
        "deleted by the next run"
    );
    assert!(folder.join("000002.labward-keys").exists());
    let known = keys.archives().unwrap();
    let exists: Vec<bool> = known.iter().map(|info| info.may_exist).collect();
    assert_eq!((known[0].id, exists), (third.id, vec![true, true, false]));
    let count = |action: &str| {
        let sql = "SELECT count(*) FROM entry WHERE action = $1";
        let count = store.read(|s| s.query_one(sql, &[action.into()], |row| row.int(0)));
        count
            .map_err(|error: labward_store::StoreError| error)
            .unwrap()
    };
    assert_eq!(count("key.archive-expired"), 1);
    assert_eq!(count("key.archived"), 3);
    // A volume that is away may still hold its archive: it stays known, and overdue.
    lab.clock.advance(100 * DAY);
    let away = folder.path().with_extension("away");
    fs::rename(folder.path(), &away).unwrap();
    let expired = keys.expire_archives(BY).unwrap();
    assert_eq!((expired.deleted.len(), expired.overdue.len()), (0, 2));
    fs::rename(&away, folder.path()).unwrap();
    assert_eq!(keys.expire_archives(BY).unwrap().deleted.len(), 2);
    assert!(archives_in(folder.path()).unwrap().is_empty());
}

#[test]
fn a_place_that_is_no_folder_gets_no_archive() {
    let lab = Lab::new();
    let (_store, keys, folder) = made(&lab);
    let blocked = folder.join("file");
    fs::write(&blocked, "x").unwrap();
    let failed = keys.archive(&blocked, DAY, BY, Vec::new());
    assert_eq!(failed.unwrap_err().problem().code, "keys.archive-file");
    assert!(keys.archives().unwrap().is_empty());
}
