//! HL7 v2: PID, OBR and OBX (chapters 3, 4 and 7).
//!
//! It must never take a result that stands behind another patient's PID.

use labward_hl7::{Charset, Field, Message, Repetition, Segment};

use crate::moment::Moment;
use crate::report::{
    LabResult, Order, Patient, RESULTS_MAX, Report, Test, bounded, is_loinc, name_of,
};

/// The report in a message.
pub(crate) fn read(bytes: &[u8]) -> Option<Report> {
    let message = Message::parse(bytes).ok()?;
    let header = message.header();
    let charset = header.charset();
    let facility = first(&header.sending_facility(), charset);
    let mut reader = Reader {
        charset,
        report: Report {
            sender: match facility.is_empty() {
                true => first(&header.sending_application(), charset),
                false => facility,
            },
            ..Report::default()
        },
        owner: None,
        is_other: false,
        collected: String::new(),
        count: 0,
    };
    for segment in message.segments() {
        match segment.id() {
            b"PID" => reader.patient(segment),
            b"OBR" if !reader.is_other => reader.order(segment),
            b"OBX" if !reader.is_other => reader.result(segment),
            _ => {}
        }
    }
    Some(reader.report)
}

struct Reader<'a> {
    charset: Charset,
    report: Report,
    /// PID-3 of the first patient: a message may go on with another one.
    owner: Option<&'a [u8]>,
    is_other: bool,
    /// OBR-7 of the order.
    collected: String,
    count: usize,
}

impl<'a> Reader<'a> {
    fn patient(&mut self, pid: Segment<'a>) {
        let identifiers = pid.field(3).raw();
        if let Some(owner) = self.owner {
            self.is_other = owner != identifiers;
            return;
        }
        self.owner = Some(identifiers);
        let text = |n| first(&pid.field(n), self.charset);
        let name = pid.field(5);
        let family = name.component(1).subcomponent(1).text(self.charset);
        self.report.patient = Patient {
            name: name_of(&family, &name.component(2).text(self.charset)),
            birth: Moment::day_of(&text(7)),
            sex: text(8),
            identifier: text(3),
        };
    }

    fn order(&mut self, obr: Segment<'_>) {
        let number = |n| {
            let field = obr.field(n);
            let parts = [1, 2].map(|part| field.component(part).text(self.charset));
            bounded(parts.join("^").trim_end_matches('^'))
        };
        let filler = number(3);
        self.collected = first(&obr.field(7), self.charset);
        self.report.orders.push(Order {
            name: test(&obr.field(4), self.charset).name,
            number: match filler.is_empty() {
                true => number(2),
                false => filler,
            },
            results: Vec::new(),
        });
    }

    fn result(&mut self, obx: Segment<'_>) {
        let text = |n| first(&obx.field(n), self.charset);
        let result = LabResult {
            test: test(&obx.field(3), self.charset),
            sub_id: text(4),
            value: value(&text(2), &obx.field(5), self.charset),
            unit: unit(&obx.field(6), self.charset),
            range: whole(&obx.field(7), self.charset),
            flag: flags(&obx.field(8), self.charset),
            status: text(11),
            observed: match text(14) {
                observed if observed.is_empty() => self.collected.clone(),
                observed => observed,
            },
        };
        let says_nothing = result.test.name.is_empty() && result.value.is_empty();
        if says_nothing || self.count >= RESULTS_MAX {
            return;
        }
        self.count += 1;
        // A result without an order has one without a name.
        if self.report.orders.is_empty() {
            self.report.orders.push(Order::default());
        }
        if let Some(order) = self.report.orders.last_mut() {
            order.results.push(result);
        }
    }
}

/// The first component, or nothing for the HL7 null.
fn first(field: &Field<'_>, charset: Charset) -> String {
    let component = field.component(1);
    match component.is_null() {
        true => String::new(),
        false => bounded(&component.text(charset)),
    }
}

/// A coded test: LOINC where it is one of the two codings, else the first.
fn test(field: &Field<'_>, charset: Charset) -> Test {
    let text = |n| bounded(&field.component(n).text(charset));
    let [first, second] = [[1, 2, 3], [4, 5, 6]].map(|numbers| numbers.map(&text));
    let prefers_second = first.iter().take(2).all(String::is_empty)
        || is_loinc(&second[2]) && !is_loinc(&first[2]) && !second[0].is_empty();
    let ([code, name, system], [_, other, _]) = match prefers_second {
        true => (second, first),
        false => (first, second),
    };
    let name = match name.is_empty() {
        true => other,
        false => name,
    };
    Test::new(code, &system, name)
}

/// The unit's code, else its words.
fn unit(field: &Field<'_>, charset: Charset) -> String {
    let texts = [1, 2, 4].map(|n| bounded(&field.component(n).text(charset)));
    let unit = texts
        .into_iter()
        .find(|text| !text.is_empty() && text != "\"\"");
    unit.unwrap_or_default()
}

/// OBX-5 for the eye, by its type in OBX-2.
fn value(kind: &str, field: &Field<'_>, charset: Charset) -> String {
    if field.is_null() {
        return String::new();
    }
    let text = |one: &Repetition<'_>, n: usize| one.component(n).text(charset).trim().to_owned();
    let repetition = |one: Repetition<'_>| match kind {
        "CE" | "CF" | "CNE" | "CWE" => [2, 1, 9, 5, 4]
            .map(|n| text(&one, n))
            .into_iter()
            .find(|words| !words.is_empty())
            .unwrap_or_default(),
        // A comparator, a number, and perhaps what stands between it and a second one.
        "SN" => [1, 2, 3, 4].map(|n| text(&one, n)).concat(),
        // What is packed in base64 or lies elsewhere says nothing here but what it is.
        "ED" | "RP" => [2, 3].map(|n| text(&one, n)).join(" ").trim().to_owned(),
        _ => joined(&one, charset),
    };
    let repetitions = field.repetitions().map(repetition);
    bounded(&repetitions.collect::<Vec<_>>().join(" ~ "))
}

/// All of a field.
fn whole(field: &Field<'_>, charset: Charset) -> String {
    if field.is_null() {
        return String::new();
    }
    let repetitions = field.repetitions().map(|one| joined(&one, charset));
    bounded(&repetitions.collect::<Vec<_>>().join(" ~ "))
}

fn joined(repetition: &Repetition<'_>, charset: Charset) -> String {
    let parts = repetition.components().map(|part| part.text(charset));
    let joined = parts.collect::<Vec<_>>().join("^");
    joined.trim_end_matches('^').to_owned()
}

/// The codes of every flag.
fn flags(field: &Field<'_>, charset: Charset) -> String {
    let codes = field
        .repetitions()
        .map(|one| one.component(1).text(charset).trim().to_owned());
    let codes: Vec<String> = codes
        .filter(|code| !code.is_empty() && code != "\"\"")
        .collect();
    bounded(&codes.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Format;

    fn report(lines: &[&str]) -> Option<Report> {
        let text = format!(
            "MSH|^~\\&|XN|Lab North|||20261122||ORU^R01|1|P|2.5.1\r{}\r",
            lines.join("\r")
        );
        Report::read(Format::Hl7V2, text.as_bytes())
    }

    #[test]
    fn an_oru_becomes_a_report() {
        let report = report(&[
            "PID|1||4711^^^LAB~12||Muster^Eva||19700102|F",
            "OBR|1|P1|F1^LAB|58410-2^CBC panel^LN|||202611220900",
            "OBX|1|NM|6690-2^Leukocytes^LN||12.4|10*3/uL^^UCUM|4.0-10.0|H|||F|||202611220930",
            "OBX|2|NM|718-7^||14.1|g/dL||N|||F",
        ])
        .unwrap();
        let patient = &report.patient;
        assert_eq!(patient.name, "Muster, Eva");
        assert_eq!(
            (patient.birth.as_str(), patient.sex.as_str()),
            ("1970-01-02", "F")
        );
        assert_eq!(patient.identifier, "4711");
        assert_eq!(report.sender, "Lab North");
        let [order] = report.orders.as_slice() else {
            panic!("{report:?}")
        };
        assert_eq!(
            (order.name.as_str(), order.number.as_str()),
            ("CBC panel", "F1^LAB")
        );
        let [high, normal] = order.results.as_slice() else {
            panic!("{order:?}")
        };
        assert_eq!(
            (high.value.as_str(), high.unit.as_str()),
            ("12.4", "10*3/uL")
        );
        assert_eq!((high.range.as_str(), high.flag.as_str()), ("4.0-10.0", "H"));
        assert_eq!(high.observed, "202611220930");
        assert!(high.is_abnormal() && !normal.is_abnormal());
        assert_eq!(normal.test.name, "718-7");
        assert_eq!(normal.observed, "202611220900", "the order's");
    }

    #[test]
    fn a_value_is_read_by_its_type() {
        let check = |obx: &str, expect: &str| {
            let report = report(&[obx]).unwrap();
            assert_eq!(report.orders[0].results[0].value, expect, "{obx}");
        };
        check("OBX|1|SN|1^A^LN||<^0.1", "<0.1");
        check("OBX|1|SN|1^A^LN||^1^:^128", "1:128");
        check("OBX|1|SN|1^A^LN||^40", "40");
        check("OBX|1|CWE|1^A^LN||260373001^Detected^SCT", "Detected");
        check("OBX|1|CE|1^A^LN||POS", "POS");
        check(
            "OBX|1|CWE|1^A^LN||^^^^^^^^in its own words",
            "in its own words",
        );
        check("OBX|1|ST|1^A^LN||>1000", ">1000");
        check("OBX|1|TX|1^A^LN||first~second", "first ~ second");
        check(
            "OBX|1|ED|1^A^LN||^application^pdf^Base64^JVBERi0",
            "application pdf",
        );
        check("OBX|1|NM|1^A^LN||\"\"", "");
        check("OBX|1||1^A^LN||a\\T\\b", "a&b");
    }

    #[test]
    fn a_loinc_code_is_taken_wherever_it_stands() {
        let check = |obx3: &str, code: &str, system: &str, name: &str| {
            let report = report(&[&format!("OBX|1|NM|{obx3}||1")]).unwrap();
            let test = &report.orders[0].results[0].test;
            let found = (test.code.as_str(), test.system.as_str(), test.name.as_str());
            assert_eq!(found, (code, system, name), "{obx3}");
        };
        check(
            "GLU^Glucose^L^2345-7^Glucose SerPl^LN",
            "2345-7",
            "LN",
            "Glucose SerPl",
        );
        check("2345-7^Glucose^LN^GLU^^L", "2345-7", "LN", "Glucose");
        check("GLU^Glucose^L", "GLU", "L", "Glucose");
        check("^^^GLU^Glucose^L", "GLU", "L", "Glucose");
        check("^Glucose", "", "", "Glucose");
    }

    #[test]
    fn results_of_another_patient_of_the_message_are_not_taken() {
        let report = report(&[
            "PID|1||1^^^A||One",
            "OBX|1|NM|1^A^LN||1",
            "PID|2||2^^^A||Two",
            "OBR|1||F2|9^Other^LN",
            "OBX|1|NM|1^A^LN||2",
            "PID|3||1^^^A||One",
            "OBX|1|NM|1^A^LN||3",
        ])
        .unwrap();
        assert_eq!(report.patient.name, "One");
        let values = report.orders.iter().flat_map(|order| &order.results);
        let values: Vec<_> = values.map(|one| one.value.as_str()).collect();
        assert_eq!(values, ["1", "3"]);
    }

    #[test]
    fn a_message_without_a_result_is_no_report() {
        assert_eq!(
            report(&["PID|1||1||One", "OBR|1||F|1^A^LN", "OBX|1|NM"]),
            None
        );
        assert_eq!(Report::read(Format::Hl7V2, b"noise"), None);
        let many = vec!["OBX|1|NM|1^A^LN||1"; RESULTS_MAX + 5];
        assert_eq!(report(&many).unwrap().results(), RESULTS_MAX);
    }

    #[test]
    fn real_messages_give_reports_and_none_panics() {
        let Some(data) = std::env::var_os("LABWARD_TEST_DATA") else {
            eprintln!("labward-skip: reports of real files: LABWARD_TEST_DATA is not set");
            return;
        };
        let (mut reports, mut results) = (0, 0);
        for file in std::fs::read_dir(std::path::Path::new(&data).join("hl7")).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            if let Some(report) = Report::read(Format::Hl7V2, &bytes) {
                reports += 1;
                results += report.results();
                let all = report.orders.iter().flat_map(|order| &order.results);
                assert!(
                    all.into_iter()
                        .all(|one| !one.test.name.is_empty() || !one.value.is_empty())
                );
            }
        }
        eprintln!("{reports} reports with {results} results");
        assert!(reports >= 70 && results >= 350, "{reports} {results}");
    }
}
