//! Working keys, secrets and disposal, down to the bytes on the disk.

use super::*;

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
    assert_eq!(keys.damaged_secrets().unwrap(), ["log"]);
    let unit = keys.clone();
    store.write(move |tx| unit.drop_secret(tx, "ca")).unwrap();
    assert!(keys.secret("ca").unwrap().is_none());
}

#[test]
fn a_secret_whose_row_has_changed_is_named_before_it_is_needed() {
    let lab = Lab::new();
    let (store, keys) = lab.start();
    keys.create(&[lab.file()], BY).unwrap();
    assert!(keys.damaged_secrets().unwrap().is_empty());
    for (change, named) in [
        ("sealed = CAST(sealed AS TEXT)", "ca"),
        ("sealed = x''", "ca"),
        ("name = 'cb'", "cb"),
        ("name = CAST(name AS BLOB)", ""),
        ("site = site + 1", "ca"),
    ] {
        let unit = keys.clone();
        store
            .write(move |tx| {
                tx.execute("DELETE FROM secret", &[])?;
                unit.put_secret(tx, "ca", b"one")?;
                tx.execute(&format!("UPDATE secret SET {change}"), &[])?;
                Ok::<_, KeysError>(())
            })
            .unwrap();
        assert_eq!(keys.damaged_secrets().unwrap(), [named], "{change}");
    }
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
