//! Rotation survives crashes, company and intruders.

use super::*;

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
