//! ASTM E1394 / LIS02-A2: P, O and R records.
//!
//! It must never take a result that stands below another patient's P record.

use labward_astm::record::{Field, Message, Record, RecordType};
use labward_hl7::Charset;

use crate::moment::Moment;
use crate::report::{
    LabResult, Order, Patient, RESULTS_MAX, Report, Test, bounded, is_loinc, name_of,
};

/// The report in a message.
pub(crate) fn read(bytes: &[u8]) -> Option<Report> {
    let message = Message::parse(bytes).ok()?;
    let mut report = Report {
        sender: component(&message.header().sender(), 1),
        ..Report::default()
    };
    let mut owner: Option<[&[u8]; 3]> = None;
    let mut is_other = false;
    let mut collected = String::new();
    let mut count = 0;
    for record in message.records() {
        match record.record_type() {
            RecordType::Patient => {
                // P-3, P-4 and P-5 name the patient.
                let identifiers = [3, 4, 5].map(|n| record.field(n).bytes());
                match owner {
                    Some(owner) => is_other = owner != identifiers,
                    None => {
                        owner = Some(identifiers);
                        report.patient = patient(record);
                    }
                }
            }
            RecordType::Order if !is_other => {
                collected = component(&record.field(8), 1);
                report.orders.push(order(record));
            }
            RecordType::LabResult if !is_other && count < RESULTS_MAX => {
                count += 1;
                if report.orders.is_empty() {
                    report.orders.push(Order::default());
                }
                if let Some(order) = report.orders.last_mut() {
                    order.results.push(result(record, &collected));
                }
            }
            _ => {}
        }
    }
    Some(report)
}

fn patient(record: &Record<'_>) -> Patient {
    let name = record.field(6);
    let identifiers = [3, 4, 5].map(|n| component(&record.field(n), 1));
    Patient {
        name: name_of(&component(&name, 1), &component(&name, 2)),
        birth: Moment::day_of(&component(&record.field(8), 1)),
        sex: component(&record.field(9), 1),
        identifier: identifiers
            .into_iter()
            .find(|one| !one.is_empty())
            .unwrap_or_default(),
    }
}

fn order(record: &Record<'_>) -> Order {
    let specimen = record.field(3);
    let number = match component(&specimen, 1) {
        // Some devices put position and rack first.
        number if number.is_empty() => whole(&record.field(4)),
        number => number,
    };
    Order {
        name: test(&record.field(5)).name,
        number,
        results: Vec::new(),
    }
}

fn result(record: &Record<'_>, collected: &str) -> LabResult {
    let text = |n| component(&record.field(n), 1);
    // Collected, completed, begun: the first that was said.
    let times = [collected.to_owned(), text(13), text(12)];
    LabResult {
        test: test(&record.field(3)),
        sub_id: String::new(),
        value: whole(&record.field(4)),
        unit: text(5),
        range: whole(&record.field(6)),
        flag: whole(&record.field(7)),
        status: text(9),
        observed: times
            .into_iter()
            .find(|time| Moment::read(time).is_some())
            .unwrap_or_default(),
    }
}

/// The universal test id: code, words, kind of code, and the device's own code (LIS02-A2, 6.6.1).
fn test(field: &Field<'_>) -> Test {
    let [code, name, system, own] = [1, 2, 3, 4].map(|n| component(field, n));
    if is_loinc(&system) && !code.is_empty() {
        return Test::new(code, &system, name);
    }
    let any = || {
        let parts = field.components().map(|part| text(&part.unescape()));
        parts.into_iter().find(|part| !part.is_empty())
    };
    let code = match (own.is_empty(), code.is_empty()) {
        (false, _) => own,
        (true, false) => code,
        (true, true) => any().unwrap_or_default(),
    };
    Test::new(code, "", name)
}

fn component(field: &Field<'_>, n: usize) -> String {
    text(&field.component(n).unescape())
}

/// What is said in a field, the empty components left out.
fn whole(field: &Field<'_>) -> String {
    let parts = field.components().map(|part| text(&part.unescape()));
    let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
    bounded(&parts.join(" "))
}

fn text(bytes: &[u8]) -> String {
    bounded(&Charset::Unknown.decode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Format;

    fn report(lines: &[&str]) -> Report {
        let text = format!("H|\\^&|||XN-550^1\r{}\rL|1|N\r", lines.join("\r"));
        Report::read(Format::Astm, text.as_bytes()).unwrap()
    }

    #[test]
    fn an_astm_message_becomes_a_report() {
        let report = report(&[
            "P|1|PID1|||Muster^Eva||19700102|F",
            "O|1|S1||^^^GLU",
            "R|1|^^^GLU|5.4|mmol/L|3.9 to 5.5|N||F||||20261122",
        ]);
        assert_eq!(
            (report.patient.name.as_str(), report.sender.as_str()),
            ("Muster, Eva", "XN-550")
        );
        assert_eq!(
            (
                report.patient.identifier.as_str(),
                report.patient.birth.as_str()
            ),
            ("PID1", "1970-01-02")
        );
        let order = &report.orders[0];
        assert_eq!((order.name.as_str(), order.number.as_str()), ("GLU", "S1"));
        let result = &order.results[0];
        assert_eq!(
            (result.test.name.as_str(), result.value.as_str()),
            ("GLU", "5.4")
        );
        assert_eq!(
            (result.range.as_str(), result.status.as_str()),
            ("3.9 to 5.5", "F")
        );
        assert_eq!(result.observed, "20261122");
    }

    #[test]
    fn devices_write_the_test_in_many_places() {
        for (id, code) in [
            ("^^^WBC^804-5^1", "WBC"),
            ("^^^^RBC^1", "RBC"),
            ("^^^413", "413"),
            ("^MTB-RIF^^Xpert^^^rpoB1^Ct", "Xpert"),
            ("GLU", "GLU"),
        ] {
            let report = report(&[&format!("R|1|{id}|1")]);
            assert_eq!(report.orders[0].results[0].test.code, code, "{id}");
        }
        let report = report(&["R|1|718-7^Hemoglobin^LN|^13.1"]);
        let result = &report.orders[0].results[0];
        assert!(result.test.is_shared());
        assert_eq!(
            (result.test.name.as_str(), result.value.as_str()),
            ("Hemoglobin", "13.1")
        );
    }

    #[test]
    fn results_of_another_patient_of_the_message_are_not_taken() {
        let report = report(&[
            "P|1|A|||One",
            "O|1|S1",
            "R|1|^^^GLU|1",
            "P|2|B|||Two",
            "O|1|S2",
            "R|1|^^^GLU|2",
        ]);
        assert_eq!((report.patient.name.as_str(), report.results()), ("One", 1));
    }
}
