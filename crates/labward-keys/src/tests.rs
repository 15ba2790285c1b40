//! The claims this crate makes, on a real store with a real ledger.

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

#[test]
fn every_kind_of_slot_opens_alone_and_each_change_has_its_entry() {
    let lab = Lab::new();
    let (store, keys) = lab.start();
    assert!(!keys.exists());
    let added = keys.create(&[lab.file(), phrase(), paper()], BY).unwrap();
    let patient = add_patient(&store, &keys, 7);
    let shares = &added[2].shares;
    assert_eq!(shares.len(), 3);
    let entries = actions(&store);
    assert_eq!(
        entries,
        [
            "key.slot-added slot:1 success",
            "key.slot-added slot:2 success",
            "key.slot-added slot:3 success"
        ]
    );
    stop(&store);

    let openers = [
        (lab.file_opener(), 1),
        (phrase_opener(PHRASE), 2),
        (shares_opener(&shares[..2]), 3),
        (shares_opener([&shares[2], &shares[0]]), 3),
        (shares_opener(shares), 3),
    ];
    for (opener, slot) in openers {
        let (store, keys) = lab.start();
        assert!(keys.exists() && !keys.is_open());
        assert!(matches!(key_of(&keys, 7), Err(KeysError::Sealed)));
        assert_eq!(keys.unseal(&opener, BY).unwrap(), SlotId::new(slot));
        assert_eq!(key_of(&keys, 7).unwrap(), patient);
        assert_eq!(
            actions(&store).last().unwrap(),
            &format!("server.unsealed slot:{slot} success")
        );
        let info = keys.slots();
        let tested = info.iter().find(|info| info.id.get() == slot).unwrap();
        assert!(tested.last_tested.is_some());
        stop(&store);
    }
}

#[test]
fn what_does_not_fit_is_refused_each_by_its_own_error() {
    let lab = Lab::new();
    let (store, keys) = lab.start();
    let shares = {
        let mut added = keys.create(&[lab.file(), phrase(), paper()], BY).unwrap();
        added.remove(2).shares
    };
    let foreign = keys.add_slot(&paper(), BY).unwrap().shares;
    keys.remove_slot(SlotId::new(4), BY).unwrap();
    stop(&store);
    let (_store, keys) = lab.start();
    let refused = |opener: SlotOpener| keys.unseal(&opener, BY).unwrap_err();

    assert!(matches!(
        refused(phrase_opener("twelve tubes on a thursday")),
        KeysError::Wrong {
            kind: SlotKind::Passphrase
        }
    ));
    assert!(matches!(
        refused(phrase_opener("")),
        KeysError::Wrong {
            kind: SlotKind::Passphrase
        }
    ));
    let shares_error = |opener| match refused(opener) {
        KeysError::BadShares(error) => error,
        other => panic!("{other}"),
    };
    assert_eq!(
        shares_error(shares_opener(&shares[..1])),
        ShareError::TooFew {
            given: 1,
            needed: 2
        }
    );
    let mistyped = shares[1].expose().replace(&shares[1].expose()[3..4], "#");
    assert_eq!(
        shares_error(shares_opener([&shares[0], &Secret::new(mistyped)])),
        ShareError::Mistyped { position: 2 }
    );
    assert_eq!(
        shares_error(shares_opener([&shares[0], &shares[0]])),
        ShareError::Duplicate { number: 1 }
    );
    assert!(matches!(
        shares_error(shares_opener([&shares[0], &foreign[1]])),
        ShareError::ForeignSet { .. }
    ));
    assert!(
        matches!(
            refused(shares_opener(&foreign)),
            KeysError::Wrong {
                kind: SlotKind::Shares
            }
        ),
        "a whole set, of a slot that was removed"
    );
    assert!(!keys.is_open());
}

#[test]
fn a_wrong_or_missing_key_file_is_refused() {
    let lab = Lab::new();
    let (_store, keys) = lab.start();
    keys.create(&[lab.file()], BY).unwrap();
    let other = Lab::new();
    let (_other_store, other_keys) = other.start();
    other_keys.create(&[other.file()], BY).unwrap();
    let wrong = keys.unseal(&other.file_opener(), BY).unwrap_err();
    assert!(matches!(
        wrong,
        KeysError::Wrong {
            kind: SlotKind::KeyFile
        }
    ));
    assert_eq!(wrong.problem().code, "keys.wrong-slot");
    let missing = keys.unseal(&SlotOpener::KeyFile(lab.stick.join("none")), BY);
    assert!(matches!(missing, Err(KeysError::KeyFile(_))));
}

#[test]
fn a_key_file_in_the_data_folder_is_refused_and_leaves_nothing_behind() {
    let lab = Lab::new();
    let (_store, keys) = lab.start();
    let beside = NewSlot::KeyFile {
        label: "beside".to_owned(),
        path: lab.data.join("root.key"),
    };
    let refused = keys.create(&[lab.file(), beside], BY);
    assert!(matches!(refused.err(), Some(KeysError::BesideData)));
    assert!(!keys.exists());
    assert!(!lab.data.join("root.key").exists());
    assert!(
        !lab.stick.join("root.key").exists(),
        "the first one's file is gone again"
    );
    keys.create(&[lab.file()], BY).unwrap();
}

#[test]
fn where_the_slots_live_is_a_fact() {
    let lab = Lab::new();
    let (_store, keys) = lab.start();
    keys.create(&[lab.file(), phrase()], BY).unwrap();
    let places = keys.whereabouts();
    assert_eq!(
        places[0].same_device,
        Some(true),
        "both test folders share a disk"
    );
    assert_eq!(places[0].owner_only, Some(true));
    assert_eq!(
        (places[1].kind, places[1].same_device),
        (SlotKind::Passphrase, None)
    );
    std::fs::remove_file(lab.stick.join("root.key")).unwrap();
    assert_eq!(
        keys.whereabouts()[0].same_device,
        None,
        "not seen is not known"
    );
}

#[test]
fn the_last_slot_cannot_be_removed() {
    let lab = Lab::new();
    let (store, keys) = lab.start();
    keys.create(&[lab.file(), phrase()], BY).unwrap();
    assert!(matches!(
        keys.create(&[phrase()], BY).err(),
        Some(KeysError::Exists)
    ));
    keys.remove_slot(SlotId::new(1), BY).unwrap();
    assert!(matches!(
        keys.remove_slot(SlotId::new(2), BY),
        Err(KeysError::LastSlot(_))
    ));
    assert!(matches!(
        keys.remove_slot(SlotId::new(1), BY),
        Err(KeysError::NoSlot(_))
    ));
    assert_eq!(
        actions(&store).last().unwrap(),
        "key.slot-removed slot:1 success"
    );
    stop(&store);
    let (_store, keys) = lab.start();
    assert!(
        keys.unseal(&lab.file_opener(), BY).is_err(),
        "a removed slot opens no more"
    );
    keys.unseal(&phrase_opener(PHRASE), BY).unwrap();
    std::fs::remove_file(lab.stick.join("root.key")).unwrap();
    assert_eq!(
        keys.add_slot(&lab.file(), BY).unwrap().id,
        SlotId::new(3),
        "numbers go on"
    );
}

#[test]
fn slots_that_break_a_rule_are_refused() {
    let lab = Lab::new();
    let (_store, keys) = lab.start();
    let short = NewSlot::Passphrase {
        label: "safe".to_owned(),
        passphrase: Secret::new("too short".to_owned()),
        stretch: Stretch::default(),
    };
    let shares = |threshold, count| NewSlot::Shares {
        label: "paper".to_owned(),
        threshold,
        count,
    };
    let unnamed = NewSlot::Shares {
        label: String::new(),
        threshold: 2,
        count: 3,
    };
    for bad in [
        short,
        shares(1, 3),
        shares(4, 3),
        shares(2, 17),
        shares(0, 0),
        unnamed,
    ] {
        let refused = keys.create(&[bad], BY).err().unwrap();
        assert_eq!(refused.problem().code, "keys.bad-slot");
    }
    assert!(keys.create(&[], BY).is_err());
    assert!(!keys.exists());
}

#[test]
fn a_test_proves_a_slot_without_opening_and_records_what_it_found() {
    let lab = Lab::new();
    let (store, keys) = lab.start();
    keys.create(&[lab.file(), phrase()], BY).unwrap();
    stop(&store);
    let (store, keys) = lab.start();
    let test = |slot, opener: SlotOpener| keys.test_slot(SlotId::new(slot), &opener, BY);
    assert!(test(2, phrase_opener(PHRASE)).unwrap().opens());
    assert!(!keys.is_open(), "a test opens nothing");
    assert!(
        !test(2, phrase_opener("twelve tubes on a thursday"))
            .unwrap()
            .opens()
    );
    assert!(
        !test(2, lab.file_opener()).unwrap().opens(),
        "another slot's file"
    );
    assert!(test(1, lab.file_opener()).unwrap().opens());
    assert!(matches!(
        test(9, lab.file_opener()),
        Err(KeysError::NoSlot(_))
    ));
    let entries = actions(&store);
    assert_eq!(
        entries[2..],
        [
            "key.slot-tested slot:2 success",
            "key.slot-tested slot:2 failed:keys.wrong-slot",
            "key.slot-tested slot:2 failed:keys.wrong-slot",
            "key.slot-tested slot:1 success"
        ]
    );
}

#[test]
fn after_a_rotation_every_slot_opens_and_the_old_root_key_opens_nothing() {
    let lab = Lab::new();
    let (store, keys) = lab.start();
    let added = keys.create(&[lab.file(), phrase(), paper()], BY).unwrap();
    let before = add_patients(&store, &keys, 2_500);
    let (site, _) = keys.site_key(Scope::Site).unwrap();
    let tag = keys.index_key().unwrap().tag("mrn", &[b"4711"]);
    let old_root = *keys.state().open.as_ref().unwrap().root.expose();
    let report = keys.rotate(BY).unwrap();
    assert_eq!(
        (report.generation, report.rewrapped),
        (2, 2_504),
        "with the site's four"
    );
    assert!(!keys.rotation_pending());
    assert_eq!(key_of(&keys, 1).unwrap(), before[0]);
    assert_eq!(
        actions(&store).last().unwrap(),
        "key.rotated installation success"
    );
    stop(&store);

    for opener in [
        lab.file_opener(),
        phrase_opener(PHRASE),
        shares_opener(&added[2].shares[1..]),
    ] {
        let (store, keys) = lab.start();
        keys.unseal(&opener, BY).unwrap();
        for (number, key) in (1..).zip(&before) {
            assert_eq!(key_of(&keys, number).unwrap(), *key);
        }
        assert_eq!(
            keys.site_key(Scope::Site).unwrap().0.expose(),
            site.expose()
        );
        assert_eq!(keys.index_key().unwrap().tag("mrn", &[b"4711"]), tag);
        let root = *keys.state().open.as_ref().unwrap().root.expose();
        assert_ne!(root, old_root);
        stop(&store);
    }
}

#[test]
fn a_rotation_interrupted_between_any_two_transactions_goes_on_at_the_next_unsealing() {
    // 4,500 patients: begin, three chunks, finish.
    for steps in 1..=5 {
        let lab = Lab::new();
        let (store, keys) = lab.start();
        keys.create(&[lab.file(), phrase()], BY).unwrap();
        let before = add_patients(&store, &keys, 4_500);
        let report = keys.rotate_steps(BY, steps).unwrap();
        assert_eq!(report.is_some(), steps == 5, "{steps}");
        assert_eq!(
            key_of(&keys, 4_500).unwrap(),
            before[4_499],
            "usable meanwhile"
        );
        let added = add_patient(&store, &keys, 5_000);
        stop(&store);

        let (store, keys) = lab.start();
        keys.open_root(&phrase_opener(PHRASE), BY).unwrap();
        assert_eq!(keys.rotation_pending(), steps < 5);
        for (number, key) in (1..).zip(&before) {
            assert_eq!(
                key_of(&keys, number).unwrap(),
                *key,
                "{steps}: before resuming"
            );
        }
        let resumed = keys.resume_rotation(BY).unwrap();
        assert_eq!(resumed.is_some(), steps < 5);
        assert!(!keys.rotation_pending());
        stop(&store);

        let (store, keys) = lab.start();
        keys.unseal(&lab.file_opener(), BY).unwrap();
        assert!(!keys.rotation_pending());
        for (number, key) in (1..).zip(&before) {
            assert_eq!(
                key_of(&keys, number).unwrap(),
                *key,
                "{steps}: after resuming"
            );
        }
        assert_eq!(key_of(&keys, 5_000).unwrap(), added);
        let generations: Vec<i64> = store
            .read(|snapshot| {
                snapshot.query_all("SELECT DISTINCT generation FROM wrapped_key", &[], |row| {
                    row.int(0)
                })
            })
            .unwrap();
        assert_eq!(
            generations,
            [2],
            "{steps}: nothing is left under the old root key"
        );
    }
}

#[test]
fn patients_come_and_go_while_the_root_key_rotates() {
    let lab = Lab::new();
    let (store, keys) = lab.start();
    keys.create(&[lab.file()], BY).unwrap();
    add_patients(&store, &keys, 3_000);
    let done = Arc::new(AtomicBool::new(false));
    let (worker_store, worker_keys, ended) = (store.clone(), keys.clone(), done.clone());
    let worker = std::thread::spawn(move || {
        let mut added = Vec::new();
        let mut number = 10_000;
        while !ended.load(Ordering::Acquire) {
            number += 1;
            added.push((number, add_patient(&worker_store, &worker_keys, number)));
            dispose(&worker_store, &worker_keys, number - 10_000);
        }
        added
    });
    for _ in 0..3 {
        keys.rotate(BY).unwrap();
    }
    done.store(true, Ordering::Release);
    let added = worker.join().unwrap();
    assert!(!added.is_empty());
    stop(&store);
    let (_store, keys) = lab.start();
    keys.unseal(&lab.file_opener(), BY).unwrap();
    for (number, key) in added {
        assert_eq!(key_of(&keys, number).unwrap(), key);
        assert!(matches!(
            key_of(&keys, number - 10_000),
            Err(KeysError::Disposed(_))
        ));
    }
}

#[test]
fn a_public_half_that_was_put_in_place_gets_no_root_key() {
    let lab = Lab::new();
    let (store, keys) = lab.start();
    keys.create(&[lab.file(), phrase()], BY).unwrap();
    stop(&store);
    let (store, _keys) = lab.start();
    let intruder = labward_seal::slot::SlotKeyPair::generate().unwrap();
    let public = *intruder.public();
    store
        .write(move |tx| {
            tx.execute(
                "UPDATE slot SET public = $1 WHERE id = 2",
                &[(&public).into()],
            )
        })
        .unwrap();
    stop(&store);
    let (_store, keys) = lab.start();
    keys.unseal(&lab.file_opener(), BY).unwrap();
    let refused = keys.rotate(BY).unwrap_err();
    assert_eq!(refused.problem().kind, ErrorKind::Damaged);
    assert!(!keys.rotation_pending());
}

fn dispose(store: &Store, keys: &Keys, number: u64) -> u64 {
    let (unit, patients) = (keys.clone(), [PatientId::new(number)]);
    let destroyed = store.write(move |tx| unit.dispose(tx, &patients)).unwrap();
    keys.forget(&patients);
    destroyed
}

#[test]
fn a_disposed_patient_is_told_from_an_unknown_one_for_good() {
    let lab = Lab::new();
    let (store, keys) = lab.start();
    keys.create(&[lab.file()], BY).unwrap();
    add_patient(&store, &keys, 1);
    let kept = add_patient(&store, &keys, 2);
    assert_eq!(dispose(&store, &keys, 1), 1);
    assert_eq!(dispose(&store, &keys, 1), 0, "once is enough");
    for round in 0..2 {
        assert!(
            matches!(key_of(&keys, 1), Err(KeysError::Disposed(_))),
            "{round}"
        );
        assert!(matches!(key_of(&keys, 9), Err(KeysError::NoKey(_))));
        assert_eq!(key_of(&keys, 2).unwrap(), kept);
        assert!(
            keys.new_patient_key(PatientId::new(1)).is_err(),
            "no second key"
        );
        keys.rotate(BY).unwrap();
    }
    stop(&store);
    let (_store, keys) = lab.start();
    keys.unseal(&lab.file_opener(), BY).unwrap();
    assert!(matches!(key_of(&keys, 1), Err(KeysError::Disposed(_))));
    assert!(matches!(key_of(&keys, 9), Err(KeysError::NoKey(_))));
    assert_eq!(key_of(&keys, 2).unwrap(), kept);
}

#[test]
fn a_new_key_is_usable_at_once_and_gone_when_its_unit_fails() {
    let lab = Lab::new();
    let (store, keys) = lab.start();
    keys.create(&[lab.file()], BY).unwrap();
    let patient = PatientId::new(5);
    let first = keys.new_patient_key(patient).unwrap();
    let second = keys.new_patient_key(patient).unwrap();
    assert_eq!(
        first.key().expose(),
        second.key().expose(),
        "one key while it is pending"
    );
    assert!(keys.patient_key(patient).is_ok());
    keys.settle(&first, false);
    assert!(
        keys.patient_key(patient).is_ok(),
        "another unit is still to write it"
    );
    keys.settle(&second, false);
    assert!(matches!(
        keys.patient_key(patient),
        Err(KeysError::NoKey(_))
    ));

    let third = Arc::new(keys.new_patient_key(patient).unwrap());
    assert_ne!(third.key().expose(), first.key().expose());
    let (writer, written) = (keys.clone(), third.clone());
    store
        .write(move |tx| {
            writer.write_patient_key(tx, &written)?;
            writer.write_patient_key(tx, &written)
        })
        .unwrap();
    let (writer, other) = (keys.clone(), first);
    let refused = store.write(move |tx| writer.write_patient_key(tx, &other));
    assert!(
        matches!(refused, Err(KeysError::Damaged { .. })),
        "never a second key in its place"
    );
}

#[test]
fn secrets_come_back_under_their_own_name_only() {
    let lab = Lab::new();
    let (store, keys) = lab.start();
    keys.create(&[lab.file()], BY).unwrap();
    for (name, value) in [("ca", &b"one"[..]), ("log", b"two"), ("ca", b"three")] {
        let unit = keys.clone();
        store
            .write(move |tx| unit.put_secret(tx, name, value))
            .unwrap();
    }
    assert_eq!(keys.secret("ca").unwrap().unwrap().expose(), b"three");
    assert!(keys.secret("other").unwrap().is_none());
    store
        .write(|tx| {
            let sealed =
                tx.query_one("SELECT sealed FROM secret WHERE name = 'ca'", &[], |row| {
                    Ok(row.bytes(0)?.to_vec())
                })?;
            tx.execute(
                "UPDATE secret SET sealed = $1 WHERE name = 'log'",
                &[(&sealed).into()],
            )
        })
        .unwrap();
    assert!(matches!(keys.secret("log"), Err(KeysError::Damaged { .. })));
}

#[test]
fn a_wrapped_key_in_another_patients_place_does_not_open() {
    let lab = Lab::new();
    let (store, keys) = lab.start();
    keys.create(&[lab.file()], BY).unwrap();
    add_patient(&store, &keys, 1);
    add_patient(&store, &keys, 2);
    store
        .write(|tx| {
            let row = tx.query_one(
                "SELECT wrapped FROM wrapped_key WHERE scope = 1 AND owner = 1",
                &[],
                |row| Ok(row.bytes(0)?.to_vec()),
            )?;
            tx.execute(
                "UPDATE wrapped_key SET wrapped = $1 WHERE owner = 2",
                &[(&row).into()],
            )
        })
        .unwrap();
    stop(&store);
    let (_store, keys) = lab.start();
    keys.unseal(&lab.file_opener(), BY).unwrap();
    assert!(matches!(key_of(&keys, 2), Err(KeysError::Damaged { .. })));
    assert!(key_of(&keys, 1).is_ok());
}

#[test]
fn the_data_folder_holds_no_key_and_nothing_prints_one() {
    let lab = Lab::new();
    let (store, keys) = lab.start();
    let added = keys.create(&[lab.file(), phrase(), paper()], BY).unwrap();
    let root = keys.state().open.as_ref().unwrap().root.expose().to_vec();
    let mut secrets: Vec<Vec<u8>> = vec![
        PHRASE.into(),
        root,
        add_patient(&store, &keys, 1).to_vec(),
        keys.site_key(Scope::Site).unwrap().0.expose().to_vec(),
        b"a secret of this very test".to_vec(),
    ];
    let text = std::fs::read_to_string(lab.stick.join("root.key")).unwrap();
    let private = text.lines().last().unwrap().to_owned();
    let bytes = private
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
    secrets.push(bytes.collect());
    secrets.push(private.into_bytes());
    secrets.extend(
        added[2]
            .shares
            .iter()
            .map(|share| share.expose().clone().into_bytes()),
    );
    let unit = keys.clone();
    store
        .write(move |tx| unit.put_secret(tx, "ca", b"a secret of this very test"))
        .unwrap();
    let shown = format!("{keys:?} {:?} {:?}", keys.slots(), keys.whereabouts());
    assert!(!shown.contains(PHRASE));
    keys.rotate(BY).unwrap();
    secrets.push(keys.state().open.as_ref().unwrap().root.expose().to_vec());
    assert_eq!(keys.root_is_locked().is_some(), keys.is_open());
    check_absent(lab.data.path(), &secrets, &[0, 1]);
    assert!(store.checkpoint_truncate().unwrap());
    store.close().unwrap();
    check_absent(lab.data.path(), &secrets, &[0]);
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

#[test]
fn the_wrapped_bytes_of_a_disposed_patient_are_gone_from_the_disk() {
    let lab = Lab::new();
    let (store, keys) = lab.start();
    keys.create(&[lab.file()], BY).unwrap();
    add_patients(&store, &keys, 200);
    let wrapped: Vec<u8> = store
        .read(|snapshot| {
            snapshot.query_one(
                "SELECT wrapped FROM wrapped_key WHERE scope = 1 AND owner = 100",
                &[],
                |row| Ok(row.bytes(0)?.to_vec()),
            )
        })
        .unwrap();
    dispose(&store, &keys, 100);
    assert!(store.checkpoint_truncate().unwrap());
    check_absent(lab.data.path(), &[wrapped], &[0, 1]);
}
