//! All results of a patient: of the whole merge group, recorded before they are answered, and bounded.

use super::*;
use crate::Recorded;
use labward_base::id::RecordId;
use labward_ledger::{Fact, Subject};

/// A glucose of a day, with an order number and a status.
fn glucose(ids: &str, order: &str, day: &str, value: &str, status: &str) -> Vec<u8> {
    format!(
        "MSH|^~\\&|A|B|C|D|2026||ORU^R01|1|P|2.5.1\rPID|1||{ids}||Gusikowski^Eva||19800223|F\r\
         OBR|1||{order}|2345-7^Glucose^LN|||{day}\r\
         OBX|1|NM|2345-7^Glucose^LN||{value}|mmol/L|3.9-5.5|||{status}\r"
    )
    .into_bytes()
}

fn numbers(list: &[u64]) -> Fact {
    let number = |number: &u64| Fact::Number((*number).try_into().unwrap());
    Fact::List(list.iter().map(number).collect())
}

#[test]
fn a_report_has_the_values_before_it_beside_it_and_its_entry_names_each_record_read() {
    let open = Lab::new().start();
    let before = open.keep(&glucose("4711^^^A^MR", "F1", "20261101", "5.4", "F"));
    open.keep(&glucose("4712^^^A^MR", "F9", "20261102", "99", "F"));
    let this = open.keep(&glucose("4711^^^A^MR", "F2", "20261103", "6.1", "F"));
    open.keep(&glucose("4711^^^A^MR", "F3", "20261104", "7.0", "F"));

    let shown = open
        .records
        .show_with_earlier(this.record, ME, WHY)
        .unwrap();
    let earlier = shown.earlier.unwrap();
    let [line] = earlier.tests.as_slice() else {
        panic!("{:?}", earlier.tests)
    };
    let values: Vec<_> = line.values.iter().map(|one| one.value.as_str()).collect();
    assert_eq!(
        values,
        ["6.1", "5.4"],
        "nothing of later, nothing of others"
    );
    assert_eq!((earlier.read, earlier.unopened), (1, Vec::new()));
    let leaf = open.leaves().pop().unwrap();
    assert_eq!(leaf.subject, Subject::Record(this.record));
    assert_eq!(
        leaf.facts.get("records"),
        Some(&numbers(&[before.record.get()]))
    );

    let first = open
        .records
        .show_with_earlier(before.record, ME, WHY)
        .unwrap();
    assert!(first.earlier.unwrap().tests.is_empty());
    assert_eq!(open.leaves().pop().unwrap().facts.get("records"), None);
    let plain = open.records.show(this.record, ME, WHY).unwrap();
    assert!(plain.earlier.is_none(), "only when it is asked for");
}

#[test]
fn the_results_of_a_merge_group_cumulate_and_one_entry_says_who_looked_at_which_records() {
    let open = Lab::new().start();
    let first = open.keep(&glucose("4711^^^A^MR", "F1", "20261101", "5.4", "F"));
    let second = open.keep(&glucose("9^^^B^MR", "F2", "20261103", "6.1", "F"));
    let fixed = open.keep(&glucose("4711^^^A^MR", "F1", "20261101", "4.5", "C"));
    open.keep(&glucose("4712^^^A^MR", "F9", "20261102", "99", "F"));
    let (one, other) = (first.patient.unwrap(), second.patient.unwrap());
    open.records.merge(other, one, ME, WHY).unwrap();

    let results = open.records.results(other, ME, "the ward called").unwrap();
    let [line] = results.tests.as_slice() else {
        panic!("{:?}", results.tests)
    };
    let values: Vec<_> = line.values.iter().map(|one| one.value.as_str()).collect();
    assert_eq!(
        values,
        ["6.1", "4.5"],
        "of this patient alone, the newest first"
    );
    assert_eq!(line.values[1].replaced[0].value, "5.4");
    assert_eq!(results.patient, one);
    assert_eq!((results.read, results.record_count), (3, 3));
    assert_eq!(results.demographics.names[0].family, "Gusikowski");
    assert_eq!(results.demographics.identifiers.len(), 2);
    assert_eq!(results.sex, "F");

    let leaf = open.leaves().pop().unwrap();
    assert_eq!(Recorded::Entry(leaf.index), results.recorded);
    assert_eq!(
        (leaf.actor, leaf.action),
        (Actor::Person(ME), Action::RecordShown)
    );
    assert_eq!(
        (leaf.subject.clone(), leaf.patient),
        (Subject::Patient(one), Some(one))
    );
    let records = [fixed.record, second.record, first.record].map(RecordId::get);
    assert_eq!(leaf.facts.get("records"), Some(&numbers(&records)));
    assert_eq!(
        leaf.facts.get("patients"),
        Some(&numbers(&[one.get(), other.get()]))
    );
    assert!(leaf.detail.is_some());
}

#[test]
fn nothing_is_shown_of_nobody_and_nothing_is_recorded_then() {
    let open = Lab::new().start();
    open.keep(&result("4711^^^A^MR", "Gusikowski"));
    let before = open.leaves().len();
    let nobody = open.records.results(PatientId::new(99), ME, WHY);
    assert!(matches!(nobody, Err(RecordsError::NoPatient)));
    assert_eq!(open.leaves().len(), before);
}

#[test]
fn the_newest_two_hundred_records_are_read_and_the_others_are_counted() {
    let open = Lab::new().start();
    let mut patient = None;
    for number in 0..203 {
        let order = format!("F{number}");
        patient = open
            .keep(&glucose(
                "4711^^^A^MR",
                &order,
                "20261101",
                &number.to_string(),
                "F",
            ))
            .patient;
    }
    let results = open.records.results(patient.unwrap(), ME, WHY).unwrap();
    assert_eq!((results.read, results.record_count), (200, 203));
    let values = &results.tests[0].values;
    assert_eq!(
        (values.len(), values.last().unwrap().value.as_str()),
        (200, "3")
    );
}

#[test]
fn a_record_that_does_not_open_hides_no_other_and_is_named() {
    let open = Lab::new().start();
    let good = open.keep(&glucose("4711^^^A^MR", "F1", "20261101", "5.4", "F"));
    let bad = open.keep(&glucose("4711^^^A^MR", "F2", "20261102", "6.1", "F"));
    let record = bad.record.as_sql();
    let damaged: Result<(), RecordsError> = open.store.write(move |tx| {
        let sql = "UPDATE entry SET payload = zeroblob(200) WHERE record = $1";
        tx.execute(sql, &[record.into()])?;
        Ok(())
    });
    damaged.unwrap();
    let results = open
        .records
        .results(good.patient.unwrap(), ME, WHY)
        .unwrap();
    assert_eq!(results.unopened, [bad.record]);
    assert_eq!((results.read, results.tests[0].values.len()), (1, 1));
}
