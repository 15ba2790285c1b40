//! What the patient map promises, with keys that are plain numbers.

use super::*;
use proptest::prelude::*;

const SITE: SiteId = SiteId::new(1);

fn tag(n: u8) -> IdentifierTag {
    IdentifierTag {
        tag: [n; 16],
        value_tag: Some([n | 0x80; 16]),
        is_weak: false,
    }
}

fn resolve(map: &PatientMap<u64>, tags: &[u8]) -> Claim<u64> {
    let tags: Vec<_> = tags.iter().map(|n| tag(*n)).collect();
    let made = map.resolve(&tags, SITE, false, |patient| Ok::<_, ()>(patient.get()));
    made.unwrap()
}

#[test]
fn a_pending_patient_is_carried_by_everyone_and_evicted_by_the_last() {
    let map = PatientMap::new();
    let (first, second) = (resolve(&map, &[1, 2]), resolve(&map, &[2, 3]));
    assert_eq!(first.patient, second.patient);
    assert!(first.is_new && !second.is_new && second.key.is_some());
    assert_eq!(second.identifiers.len(), 2, "the pending one and its own");
    assert!(matches!(map.settle(&first, false, None), Settled::Same));
    assert!(
        map.find(&[2; 16]).is_empty(),
        "not found before it is committed"
    );
    assert!(matches!(
        map.settle(&second, false, None),
        Settled::Evicted(_)
    ));
    let third = resolve(&map, &[2]);
    assert!(third.is_new && third.patient != first.patient);
}

#[test]
fn an_identifier_rolled_back_is_unknown_again_while_its_patient_stays() {
    let map = PatientMap::new();
    let first = resolve(&map, &[1]);
    assert!(matches!(
        map.settle(&first, true, None),
        Settled::Committed(_)
    ));
    let second = resolve(&map, &[1, 2]);
    assert!(second.key.is_none());
    map.settle(&second, false, None);
    assert!(resolve(&map, &[2]).is_new);
    assert_eq!(map.find(&[0x81; 16]), [first.patient], "by value too");
}

#[test]
fn demographics_are_absorbed_once() {
    let map = PatientMap::new();
    let claim = resolve(&map, &[1]);
    let (patient, new) = (claim.patient, Demographics::default());
    assert!(matches!(map.known(patient, 5, 50), Known::Fresh));
    let (version, _, absorbed) = map.absorb(patient, &new, 5, None).unwrap();
    assert_eq!((version, absorbed), (1, 5u64.to_be_bytes().to_vec()));
    map.settle(&claim, true, Some(5));
    assert!(!map.has_met(patient, 50), "its digest was not compared yet");
    assert!(matches!(map.known(patient, 5, 50), Known::Absorbed));
    assert!(map.has_met(patient, 50));
    assert!(matches!(map.known(patient, 6, 60), Known::Stored));
    let again = resolve(&map, &[1]);
    let (version, ..) = map
        .absorb(patient, &new, 6, Some((7, new.clone())))
        .unwrap();
    assert_eq!(version, 8);
    map.settle(&again, false, Some(6));
    assert!(
        matches!(map.known(patient, 6, 60), Known::Stored),
        "rolled back: not absorbed"
    );
    assert!(!map.has_met(patient, 60));
    map.set_disposed(&[patient]);
    assert!(!map.has_met(patient, 50));
}

#[test]
fn withdrawing_waits_for_messages_in_flight() {
    let map = Arc::new(PatientMap::new());
    let claim = resolve(&map, &[1]);
    map.settle(&claim, true, None);
    let (patient, in_flight) = (claim.patient, resolve(&map, &[1]));
    let (other, (send, receive)) = (Arc::clone(&map), std::sync::mpsc::channel());
    let waiting = std::thread::spawn(move || {
        other.withdraw(&[patient]);
        send.send(()).unwrap();
    });
    while !map.lock().tags.is_empty() {
        std::thread::yield_now();
    }
    assert!(receive.try_recv().is_err());
    map.settle(&in_flight, true, None);
    waiting.join().unwrap();
    assert!(receive.try_recv().is_ok());
    assert!(resolve(&map, &[1]).is_new);
}

proptest! {
    /// Messages of people with separate numbers begin and end in any order, committed or not: no
    /// patient is ever two people, and what was committed stays known.
    #[test]
    fn no_order_of_commits_and_rollbacks_mixes_people(
        steps in proptest::collection::vec((0u8..4, 1u8..8, any::<bool>(), any::<bool>()), 1..60)
    ) {
        let map = PatientMap::new();
        let (mut open, mut owner) = (Vec::new(), HashMap::new());
        let mut committed: HashMap<u8, PatientId> = HashMap::new();
        for (person, subset, commit, end_oldest) in steps {
            let numbers: Vec<u8> = (0..3).filter(|n| subset & (1 << n) != 0).map(|n| person * 8 + n).collect();
            let claim = resolve(&map, &numbers);
            let before = owner.insert(claim.patient, person);
            prop_assert!(before.is_none_or(|before| before == person));
            open.push((claim, commit));
            if end_oldest {
                let (claim, commit) = open.remove(0);
                map.settle(&claim, commit, None);
                if commit {
                    let tags = claim.identifiers.iter().map(|row| row.tag[0]);
                    committed.extend(tags.map(|tag| (tag, claim.patient)));
                }
            }
        }
        for (claim, _) in open {
            map.settle(&claim, false, None);
        }
        for (tag, patient) in committed {
            prop_assert_eq!(resolve(&map, &[tag]).patient, patient);
        }
        let inner = map.lock();
        prop_assert!(inner.tags.values().all(|state| state.users <= 1));
    }
}
