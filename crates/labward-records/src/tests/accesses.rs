//! Who received a patient's records, saw them and was given them, and why.

use super::*;
use crate::{Access, AskedAccesses};
use labward_ledger::{NewEntry, Subject, append};
use std::time::Duration;

fn always() -> AskedAccesses {
    AskedAccesses {
        since: Timestamp::from_seconds(0),
        until: Timestamp::from_seconds(4_000_000_000),
        before: None,
        limit: None,
    }
}

fn told(accesses: &[Access]) -> Vec<(Action, String, Option<&str>)> {
    let told = accesses
        .iter()
        .map(|one| (one.action, one.actor.to_string(), one.why.as_deref()));
    told.collect()
}

/// What a destination acknowledged.
fn deliver(open: &Open, record: labward_base::id::RecordId, to: &str) {
    let action = Action::MessageDelivered;
    let entry = NewEntry::new(SITE, Actor::System, action, Subject::Record(record));
    let entry = entry.facts(Facts::new().text("destination", to).number("message", 0));
    let done: Result<EntryIndex, labward_ledger::LedgerError> =
        open.store.write(move |tx| append(tx, &entry));
    done.unwrap();
}

#[test]
fn the_accounting_names_who_received_saw_and_was_given_records_and_why() {
    let open = Lab::new().start();
    let kept = open.keep(&result("4711^^^A^MR", "Gusikowski"));
    let other = open.keep(&result("4712^^^A^MR", "Smith"));
    deliver(&open, kept.record, "EHR");
    deliver(&open, other.record, "EHR");
    open.records
        .find(&by_name("Smith"), ME, "the other one")
        .unwrap();
    open.records.find(&by_name("Gusikowski"), ME, WHY).unwrap();
    let (they, patient) = (PersonId::new(8), kept.patient.unwrap());
    open.records
        .show(kept.record, they, "the ward called")
        .unwrap();
    open.records.results(patient, they, "all of it").unwrap();
    export(&open, What::Patient(patient), Format::Json).unwrap();

    let asked = "asked by the patient";
    let page = open
        .records
        .accounting(patient, &always(), ME, asked)
        .unwrap();
    assert_eq!(
        told(&page.accesses),
        [
            (Action::RecordExported, "person:7".to_owned(), Some(WHY)),
            (
                Action::RecordShown,
                "person:8".to_owned(),
                Some("all of it")
            ),
            (
                Action::RecordShown,
                "person:8".to_owned(),
                Some("the ward called")
            ),
            (Action::RecordSearched, "person:7".to_owned(), Some(WHY)),
            (Action::MessageDelivered, "system".to_owned(), None),
            (Action::MessageReceived, "peer:3".to_owned(), None),
        ]
    );
    assert_eq!(page.next, None);
    let [.., delivered, received] = page.accesses.as_slice() else {
        panic!("{page:?}")
    };
    assert_eq!(
        (delivered.to.as_deref(), received.from.as_deref()),
        (Some("EHR"), Some("main"))
    );
    assert!(
        page.accesses
            .iter()
            .all(|one| one.records.is_empty() || one.records == [kept.record])
    );
    assert_eq!(page.accesses[1].records, [kept.record]);
    // That it was asked is an entry, and the next list has it.
    let leaf = open.leaves().pop().unwrap();
    assert_eq!(
        (leaf.index, leaf.action),
        (page.entry, Action::PatientAccounted)
    );
    let again = open
        .records
        .accounting(patient, &always(), ME, WHY)
        .unwrap();
    assert_eq!(
        told(&again.accesses)[0],
        (Action::PatientAccounted, "person:7".to_owned(), Some(asked))
    );
}

#[test]
fn pages_follow_each_other_without_a_gap_and_say_where_they_end() {
    let open = Lab::new().start();
    let kept = open.keep(&result("4711^^^A^MR", "Gusikowski"));
    let patient = kept.patient.unwrap();
    for number in 0..7 {
        open.records
            .show(kept.record, ME, &number.to_string())
            .unwrap();
    }
    let mut asked = AskedAccesses {
        limit: Some(3),
        ..always()
    };
    let mut seen = Vec::new();
    loop {
        let page = open.records.accounting(patient, &asked, ME, WHY).unwrap();
        assert!(page.accesses.len() <= 3);
        seen.extend(
            page.accesses
                .iter()
                .filter(|one| one.action == Action::RecordShown)
                .map(|one| one.why.clone().unwrap()),
        );
        match page.next {
            Some(next) => asked.before = Some(next),
            None => break,
        }
    }
    assert_eq!(seen, ["6", "5", "4", "3", "2", "1", "0"]);
}

#[test]
fn only_what_was_recorded_within_the_time_is_listed() {
    let lab = Lab::new();
    let open = lab.start();
    let kept = open.keep(&result("4711^^^A^MR", "Gusikowski"));
    let mut days = Vec::new();
    for day in ["one", "two", "three"] {
        lab.clock.advance(Duration::from_secs(86_400));
        days.push(labward_base::Clock::now(&lab.clock));
        open.records.show(kept.record, ME, day).unwrap();
    }
    let asked = AskedAccesses {
        since: days[1],
        until: days[2],
        ..always()
    };
    let page = open
        .records
        .accounting(kept.patient.unwrap(), &asked, ME, WHY)
        .unwrap();
    assert_eq!(
        told(&page.accesses),
        [(Action::RecordShown, "person:7".to_owned(), Some("two"))]
    );
    assert_eq!(page.next, None);
}

#[test]
fn a_patient_who_was_disposed_of_is_still_accounted_for() {
    let open = Lab::new().start();
    let kept = open.keep(&result("4711^^^A^MR", "Gusikowski"));
    let patient = kept.patient.unwrap();
    open.records.show(kept.record, ME, WHY).unwrap();
    let decision = crate::Override {
        reason: "a court".to_owned(),
    };
    open.records
        .dispose(patient, ME, "asked to", Some(&decision))
        .unwrap();
    let page = open
        .records
        .accounting(patient, &always(), ME, WHY)
        .unwrap();
    let actions: Vec<_> = page.accesses.iter().map(|one| one.action).collect();
    assert_eq!(
        actions,
        [
            Action::PatientDisposed,
            Action::RecordShown,
            Action::MessageReceived
        ]
    );
    let nobody = open
        .records
        .accounting(PatientId::new(99), &always(), ME, WHY);
    assert!(matches!(nobody, Err(RecordsError::NoPatient)));
}

#[test]
fn the_accounting_is_whole_after_a_restart_and_when_the_indexes_are_built_again() {
    let lab = Lab::new();
    let open = lab.start();
    let kept = open.keep(&result("4711^^^A^MR", "Gusikowski"));
    let patient = kept.patient.unwrap();
    deliver(&open, kept.record, "EHR");
    open.records.show(kept.record, ME, WHY).unwrap();
    let list = |open: &Open| open.records.every_access(&[patient]).unwrap();
    let before = list(&open);
    assert_eq!(before.len(), 3);
    // What waited in memory for the next record was lost with it.
    open.store.close().unwrap();
    let open = lab.start();
    assert_eq!(list(&open), before);
    open.keep(&result("4712^^^A^MR", "Smith"));
    assert_eq!(list(&open), before);
    let forget = open.store.write(|tx| {
        tx.execute("DELETE FROM access_index", &[])?;
        tx.execute("DELETE FROM record_cursor", &[])
    });
    forget
        .map_err(|error: labward_store::StoreError| error)
        .unwrap();
    assert_eq!(list(&open), before);
    let behind = open.records.entries_about(patient, before[0].entry, 10);
    let behind = behind.unwrap().unwrap();
    let behind: Vec<&str> = behind.iter().map(|one| one.action.as_str()).collect();
    assert_eq!(behind, ["record.shown", "message.delivered"]);
    let few = open.records.entries_about(patient, before[0].entry, 1);
    assert_eq!(few.unwrap(), None, "more than one");
}

#[test]
fn more_accesses_than_a_page_of_the_index_are_all_listed_in_order() {
    let open = Lab::new().start();
    let kept = open.keep(&result("4711^^^A^MR", "Gusikowski"));
    let patient = kept.patient.unwrap();
    let record = kept.record;
    for _ in 0..21 {
        let done = open.store.write(move |tx| {
            for _ in 0..100 {
                let action = Action::MessageDelivered;
                let entry = NewEntry::new(SITE, Actor::System, action, Subject::Record(record));
                append(tx, &entry)?;
            }
            Ok::<_, labward_ledger::LedgerError>(())
        });
        done.unwrap();
    }
    let all = open.records.every_access(&[patient]).unwrap();
    assert_eq!(all.len(), 2_101);
    assert!(all.is_sorted_by(|a, b| a.entry < b.entry));
    let mut asked = always();
    asked.limit = Some(1_000);
    let mut seen = 0;
    loop {
        let page = open.records.accounting(patient, &asked, ME, WHY).unwrap();
        // Each asking is listed by the next one, which begins in front of it.
        let told = page
            .accesses
            .iter()
            .filter(|one| one.action != Action::PatientAccounted);
        seen += told.count();
        match page.next {
            Some(next) => asked.before = Some(next),
            None => break,
        }
    }
    assert_eq!(seen, 2_101);
}
