//! Searching, showing, exporting: recorded before they answer, and masked.

use super::*;
use crate::Recorded;
use labward_ledger::{Fact, Subject};

fn lab_with_two() -> (Lab, Open, Kept) {
    let lab = Lab::new();
    let open = lab.start();
    let kept = open.keep(&result("4711^^^A^MR", "Gusikowski"));
    open.keep(&result("4712^^^A^MR", "Smith"));
    (lab, open, kept)
}

#[test]
fn a_search_is_recorded_before_it_answers_and_shows_no_name() {
    let (lab, open, kept) = lab_with_two();
    let found = open.records.find(&by_name("Gusikovsky"), ME, WHY).unwrap();
    let [hit] = found.patients.as_slice() else {
        panic!("one hit")
    };
    assert_eq!(Some(hit.patient), kept.patient);
    assert_eq!(
        (hit.name.as_str(), hit.birth_year.as_deref()),
        ("E••• G•••", Some("1980"))
    );
    assert_eq!((hit.record_count, hit.records[0].record), (1, kept.record));
    assert!(!found.loading);
    let leaf = open.leaves().pop().unwrap();
    assert_eq!(
        (Recorded::Entry(leaf.index), leaf.action),
        (found.recorded, Action::RecordSearched)
    );
    assert_eq!(
        (leaf.actor, leaf.subject),
        (Actor::Person(ME), Subject::Records)
    );
    let patients = Fact::List(vec![Fact::Number(hit.patient.get().try_into().unwrap())]);
    assert_eq!(leaf.facts.get("patients"), Some(&patients));
    assert_eq!(leaf.facts.get_text("query").map(str::len), Some(32));
    assert!(leaf.detail.is_some());
    open.store.close().unwrap();
    assert!(!lab.holds(WHY.as_bytes()), "the reason rests sealed");
}

#[test]
fn a_search_does_a_bounded_part_of_what_the_indexes_are_behind_and_says_so() {
    let lab = Lab::new();
    let open = lab.start();
    open.records.catch_up().unwrap();
    let (send, kept) = mpsc::channel();
    for number in 0..1_001 {
        let bytes = result(&format!("{number}^^^A^MR"), "Smith");
        let send = send.clone();
        let tell = move |kept: Result<Kept, RecordsError>| send.send(kept.is_ok()).unwrap();
        open.records
            .keep(intake(RecordKind::Hl7V2, &bytes), Box::new(tell));
    }
    drop(send);
    assert!(kept.iter().all(|kept| kept));
    assert_eq!(open.records.entries_behind().unwrap(), 1_001);
    assert!(!open.records.come_nearer(1).unwrap());
    assert_eq!(open.records.entries_behind().unwrap(), 1);
    assert!(open.records.finds_all().unwrap());
    let found = open.records.find(&by_mrn("1000"), ME, WHY).unwrap();
    assert!(!found.loading);
    assert_eq!(found.patients[0].record_count, 1);
}

#[test]
fn a_search_that_cannot_be_recorded_is_not_answered() {
    let (_lab, open, _) = lab_with_two();
    open.store.close().unwrap();
    assert!(open.records.find(&by_name("Smith"), ME, WHY).is_err());
}

#[test]
fn a_birth_date_that_cannot_be_read_is_refused_and_lets_nobody_in() {
    let (_lab, open, _) = lab_with_two();
    for wrong in ["31 February", "23/02/1980", "02-23-1980", "80"] {
        let criteria = Criteria {
            birth_date: Some(wrong.to_owned()),
            ..by_name("Smith")
        };
        let error = open.records.find(&criteria, ME, WHY).unwrap_err();
        assert_eq!(error.problem().code, "records.bad-criterion", "{wrong}");
    }
}

#[test]
fn every_criterion_narrows() {
    let (_lab, open, kept) = lab_with_two();
    let patient = kept.patient.unwrap();
    let all = Criteria {
        birth_date: Some("1980-02".to_owned()),
        ..Criteria::default()
    };
    assert_eq!(open.find(&all).len(), 2);
    let accession = Criteria {
        accession: Some("F-Gusikowski".to_owned()),
        ..all.clone()
    };
    assert_eq!(open.find(&accession), [patient]);
    let placer = Criteria {
        accession: Some("P-77".to_owned()),
        ..Criteria::default()
    };
    assert_eq!(
        open.find(&placer).len(),
        2,
        "the orderer's number is found too"
    );
    let named = Criteria {
        authority: Some("a".to_owned()),
        ..by_mrn("4711")
    };
    assert_eq!(open.find(&named), [patient]);
    let other = Criteria {
        authority: Some("B".to_owned()),
        ..by_mrn("4711")
    };
    assert!(open.find(&other).is_empty());
    let both = Criteria {
        name: Some("Smith".to_owned()),
        ..by_mrn("4711")
    };
    assert!(open.find(&both).is_empty());
    let one = Criteria {
        limit: Some(1),
        ..all
    };
    assert_eq!(open.find(&one).len(), 1);
    let none = Criteria {
        mrn: Some("  ".to_owned()),
        ..Criteria::default()
    };
    let refused = open.records.find(&none, ME, WHY);
    assert!(matches!(refused, Err(RecordsError::NoCriteria)));
}

#[test]
fn names_and_accessions_are_found_after_a_restart() {
    let (lab, open, kept) = lab_with_two();
    open.store.close().unwrap();
    let open = lab.start();
    assert_eq!(
        open.find(&by_name("gusikowski eva")),
        [kept.patient.unwrap()]
    );
    let accession = Some("F-Gusikowski".to_owned());
    let by_accession = Criteria {
        accession,
        ..Criteria::default()
    };
    assert_eq!(open.find(&by_accession), [kept.patient.unwrap()]);
}

#[test]
fn a_record_shown_is_an_entry_of_its_own() {
    let (_lab, open, kept) = lab_with_two();
    let shown = open.records.show(kept.record, ME, WHY).unwrap();
    assert_eq!(shown.view["segments"][1]["fields"][4][0][0], "Gusikowski");
    assert_eq!((shown.time, shown.patient), (kept.time, kept.patient));
    let leaf = open.leaves().pop().unwrap();
    assert_eq!(
        (Recorded::Entry(leaf.index), leaf.action),
        (shown.recorded, Action::RecordShown)
    );
    assert_eq!(leaf.patient, kept.patient);
}

#[test]
fn an_export_holds_every_record_of_the_patient_as_it_came() {
    let (_lab, open, kept) = lab_with_two();
    let second = result("4711^^^A^MR", "Gusikowsky");
    open.keep(&second);
    let what = What::Patient(kept.patient.unwrap());
    let (_, original) = export(&open, what, Format::Original).unwrap();
    assert_eq!(original, [kept.bytes.clone(), second].concat());
    let (records, json) = export(&open, what, Format::Json).unwrap();
    let text = String::from_utf8(json).unwrap();
    assert_eq!((text.lines().count(), records), (2, 2));
    let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(first["record"], kept.record.get());
    let one = open
        .records
        .export(What::Record(kept.record), Format::Original, ME, WHY)
        .unwrap();
    let leaf = open.leaves().pop().unwrap();
    assert_eq!(
        (leaf.index, leaf.action),
        (one.entry, Action::RecordExported)
    );
    let mut bytes = Vec::new();
    one.write_to(&mut bytes).unwrap();
    assert_eq!(bytes, kept.bytes);
}

#[test]
fn an_export_of_more_records_than_one_snapshot_holds_has_each_of_them_once_and_in_order() {
    let open = Lab::new().start();
    let messages: Vec<Vec<u8>> = (0..150)
        .map(|number| result("4711^^^A^MR", &format!("Gusikowski{number}")))
        .collect();
    let kept: Vec<Kept> = messages.iter().map(|bytes| open.keep(bytes)).collect();
    let what = What::Patient(kept[0].patient.unwrap());
    let (records, original) = export(&open, what, Format::Original).unwrap();
    assert_eq!(records, 150);
    assert!(original == messages.concat());
}

#[test]
fn a_record_kept_after_many_searches_is_found_by_the_next_one() {
    let (lab, open, kept) = lab_with_two();
    for _ in 0..5 {
        assert_eq!(open.find(&by_mrn("4711")), [kept.patient.unwrap()]);
    }
    let count = |open: &Open| {
        let found = open.records.find(&by_mrn("4711"), ME, WHY).unwrap();
        found.patients[0].record_count
    };
    assert_eq!(count(&open), 1);
    open.keep(&result("4711^^^A^MR", "Gusikowski"));
    assert_eq!(count(&open), 2);
    // What was passed in memory only is looked at again.
    drop(open);
    assert_eq!(count(&lab.start()), 2);
}

#[test]
fn a_record_without_a_last_line_end_leaves_as_it_came_and_stands_apart_from_the_next() {
    let (_lab, open, _) = lab_with_two();
    let cut = |name| {
        let mut bytes = result("0815^^^A^MR", name);
        while bytes.pop_if(|byte| *byte == b'\r').is_some() {}
        bytes
    };
    let (first, second) = (open.keep(&cut("Smith")), open.keep(&cut("Smythe")));
    let exported = |what| export(&open, what, Format::Original).unwrap().1;
    assert_eq!(exported(What::Record(first.record)), cut("Smith"));
    assert_eq!(
        exported(What::Patient(second.patient.unwrap())),
        [cut("Smith"), b"\n".to_vec(), cut("Smythe")].concat()
    );
}
