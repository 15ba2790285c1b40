//! Slots: every one opens alone, and nothing else does.

use super::*;

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
