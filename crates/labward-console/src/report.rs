//! A message as a laboratory report: the patient, the orders, and each result with its range.
//!
//! It must never guess: what a message does not say stays empty, and a value is shown as it came.
//! Reads the view that the API gives of an HL7 v2 message (PID, OBR, OBX of chapters 3, 4 and 7)
//! or of an ASTM message (P, O, R of LIS2-A2).

use serde_json::Value;

/// A laboratory report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The patient's name.
    pub patient: String,
    /// The birth date, as `YYYY-MM-DD` where it came as a date.
    pub birth: String,
    /// The sex as it came: `F`, `M`, `U` and others.
    pub sex: String,
    /// The first identifier.
    pub identifier: String,
    /// The orders, in the order of the message.
    pub orders: Vec<Order>,
}

/// One order and its results.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// What was ordered.
    pub name: String,
    /// The results, in the order of the message.
    pub results: Vec<LabResult>,
}

/// One result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabResult {
    /// What was measured.
    pub name: String,
    /// The value as it came.
    pub value: String,
    /// Its unit.
    pub unit: String,
    /// The reference range.
    pub range: String,
    /// The abnormal flags, such as `H`.
    pub flag: String,
    /// The result's status, such as `F` for final.
    pub status: String,
    /// When it was observed, as it came.
    pub observed: String,
}

/// One segment or record of a message, field by field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// `OBX` or `R`.
    pub id: String,
    /// The fields that say something.
    pub fields: Vec<Field>,
}

/// One field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its number, from 1.
    pub number: usize,
    /// Its text: components by `^`, repetitions by `~`.
    pub text: String,
}

impl LabResult {
    /// Whether a flag says that it is out of its range (HL7 table 0078); `N` says that it is not.
    pub fn is_abnormal(&self) -> bool {
        !self.flag.is_empty() && self.flag != "N"
    }
}

impl Report {
    /// The report in this view; none if there is no result in it.
    pub fn read(view: &Value) -> Option<Self> {
        let report = match (view.get("segments"), view.get("records")) {
            (Some(Value::Array(segments)), _) => hl7(segments),
            (_, Some(Value::Array(records))) => astm(records),
            _ => return None,
        };
        let has_results = report.orders.iter().any(|order| !order.results.is_empty());
        has_results.then_some(report)
    }
}

/// Every segment of this view, with the fields that say something.
pub fn segments(view: &Value) -> Vec<Segment> {
    let (list, id) = match (view.get("segments"), view.get("records")) {
        (Some(Value::Array(list)), _) => (list, "id"),
        (_, Some(Value::Array(list))) => (list, "type"),
        _ => return Vec::new(),
    };
    let segment = |one: &Value| Segment {
        id: one
            .get(id)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        fields: (1..)
            .zip(fields(one))
            .map(|(number, field)| Field {
                number,
                text: whole(field),
            })
            .filter(|field| !field.text.is_empty())
            .collect(),
    };
    list.iter().map(segment).collect()
}

fn hl7(segments: &[Value]) -> Report {
    let mut report = Report::default();
    for segment in segments {
        let field = |number: usize| field(segment, number);
        match segment.get("id").and_then(Value::as_str) {
            Some("PID") => {
                report.patient = name(field(5));
                report.birth = date(&first(field(7)));
                report.sex = first(field(8));
                report.identifier = first(field(3));
            }
            Some("OBR") => report.orders.push(Order {
                name: coded(field(4)),
                results: Vec::new(),
            }),
            Some("OBX") => {
                let result = LabResult {
                    name: coded(field(3)),
                    value: whole(field(5)),
                    unit: first(field(6)),
                    range: whole(field(7)),
                    flag: whole(field(8)),
                    status: first(field(11)),
                    observed: date(&first(field(14))),
                };
                add(&mut report, result);
            }
            _ => {}
        }
    }
    report
}

fn astm(records: &[Value]) -> Report {
    let mut report = Report::default();
    for record in records {
        // The record's letter is its first field.
        let text = |number: usize| first(field(record, number));
        match record.get("type").and_then(Value::as_str) {
            Some("P") => {
                report.patient = text(6).replace('^', " ").trim().to_owned();
                report.birth = date(&text(8));
                report.sex = text(9);
                report.identifier = [text(3), text(4), text(5)]
                    .into_iter()
                    .find(|id| !id.is_empty())
                    .unwrap_or_default();
            }
            Some("O") => report.orders.push(Order {
                name: last_part(&text(5)),
                results: Vec::new(),
            }),
            Some("R") => {
                let result = LabResult {
                    name: last_part(&text(3)),
                    value: text(4),
                    unit: text(5),
                    range: text(6),
                    flag: text(7),
                    status: text(9),
                    observed: date(&text(13)),
                };
                add(&mut report, result);
            }
            _ => {}
        }
    }
    report
}

/// Adds a result to the last order; one without an order has one without a name.
fn add(report: &mut Report, result: LabResult) {
    if report.orders.is_empty() {
        report.orders.push(Order::default());
    }
    if let Some(order) = report.orders.last_mut() {
        order.results.push(result);
    }
}

fn fields(segment: &Value) -> impl Iterator<Item = &Value> {
    segment
        .get("fields")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// The field of this number, from 1.
fn field(segment: &Value, number: usize) -> &Value {
    fields(segment)
        .nth(number.saturating_sub(1))
        .unwrap_or(&Value::Null)
}

/// The components of the first repetition.
fn components(field: &Value) -> Vec<&str> {
    match field {
        Value::String(text) => vec![text],
        Value::Array(repetitions) => {
            let first = repetitions.first().and_then(Value::as_array);
            first
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect()
        }
        _ => Vec::new(),
    }
}

fn first(field: &Value) -> String {
    components(field)
        .first()
        .map(|text| (*text).to_owned())
        .unwrap_or_default()
}

/// Family and given name.
fn name(field: &Value) -> String {
    let parts = components(field)
        .into_iter()
        .take(2)
        .filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(", ")
}

/// The words of a coded element; its code where there are none.
fn coded(field: &Value) -> String {
    let parts = components(field);
    let words = parts
        .get(1)
        .or(parts.first())
        .filter(|text| !text.is_empty());
    words
        .or(parts.first())
        .map(|text| (*text).to_owned())
        .unwrap_or_default()
}

/// All of a field.
fn whole(field: &Value) -> String {
    match field {
        Value::String(text) => text.clone(),
        Value::Array(repetitions) => {
            let repetition = |one: &Value| {
                let parts = one
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str);
                parts.collect::<Vec<_>>().join("^")
            };
            repetitions
                .iter()
                .map(repetition)
                .collect::<Vec<_>>()
                .join("~")
        }
        _ => String::new(),
    }
}

/// The last part of an ASTM universal test id that says something.
fn last_part(text: &str) -> String {
    let mut parts = text.split('^').filter(|part| !part.is_empty());
    parts.next_back().unwrap_or_default().to_owned()
}

/// `YYYYMMDD…` as `YYYY-MM-DD`, with its time of day if it has one; anything else as it came.
fn date(text: &str) -> String {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    match digits {
        8..=11 => format!("{}-{}-{}", part(0, 4), part(4, 6), part(6, 8)),
        12.. => format!(
            "{}-{}-{} {}:{}",
            part(0, 4),
            part(4, 6),
            part(6, 8),
            part(8, 10),
            part(10, 12)
        ),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_oru_becomes_a_report() {
        let view = json!({ "segments": [
            { "id": "MSH", "fields": ["|", "^~\\&", "XN"] },
            { "id": "PID", "fields": ["1", "", [["4711", "", "", "LAB"], ["12"]], "", [["Muster", "Eva"]], "", "19700102", "F"] },
            { "id": "OBR", "fields": ["1", "", "", [["58410-2", "CBC panel", "LN"]]] },
            { "id": "OBX", "fields": ["1", "NM", [["6690-2", "Leukocytes", "LN"]], "", "12.4", [["10*3/uL", "", "UCUM"]], "4.0-10.0", "H", "", "", "F", "", "", "202611220930"] },
            { "id": "OBX", "fields": ["2", "NM", [["718-7", ""]], "", "14.1", "g/dL", "", "N", "", "", "F"] },
        ]});
        let report = Report::read(&view).unwrap();
        assert_eq!(report.patient, "Muster, Eva");
        assert_eq!(
            (report.birth.as_str(), report.sex.as_str()),
            ("1970-01-02", "F")
        );
        assert_eq!(report.identifier, "4711");
        let [order] = report.orders.as_slice() else {
            panic!("{report:?}")
        };
        assert_eq!(order.name, "CBC panel");
        let [high, normal] = order.results.as_slice() else {
            panic!("{order:?}")
        };
        assert_eq!(
            (high.value.as_str(), high.unit.as_str()),
            ("12.4", "10*3/uL")
        );
        assert_eq!(high.observed, "2026-11-22 09:30");
        assert!(high.is_abnormal() && !normal.is_abnormal());
        assert_eq!(normal.name, "718-7");
        let parts = segments(&view);
        assert_eq!(parts[1].fields[1].text, "4711^^^LAB~12");
        assert_eq!(parts[1].fields[1].number, 3);
    }

    #[test]
    fn an_astm_message_becomes_a_report() {
        let view = json!({ "records": [
            { "type": "H", "fields": ["H", "\\^&"] },
            { "type": "P", "fields": ["P", "1", "PID1", "", "", "Muster^Eva", "", "19700102", "F"] },
            { "type": "O", "fields": ["O", "1", "S1", "", "^^^GLU"] },
            { "type": "R", "fields": ["R", "1", "^^^GLU", "5.4", "mmol/L", "3.9 to 5.5", "N", "", "F", "", "", "", "20261122"] },
        ]});
        let report = Report::read(&view).unwrap();
        assert_eq!(report.patient, "Muster Eva");
        assert_eq!(report.orders[0].results[0].name, "GLU");
        assert_eq!(report.orders[0].results[0].observed, "2026-11-22");
    }

    #[test]
    fn what_holds_no_result_is_no_report_and_nothing_panics() {
        for view in [
            json!(null),
            json!({ "text": "x" }),
            json!({ "segments": [{ "id": "PID" }, { "id": 3, "fields": 4 }] }),
            json!({ "segments": [{ "id": "OBR", "fields": [[], [[]], [[1]], {}] }] }),
            json!({ "records": 5 }),
        ] {
            assert_eq!(Report::read(&view), None, "{view}");
            segments(&view);
        }
        assert_eq!(date("1970-é"), "1970-é");
    }
}
