//! FHIR R4: an Observation and its components.
//!
//! It must never write a number anew: JSON's own digits are the value.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::report::{LabResult, Order, RESULTS_MAX, Report, Test, bounded, is_loinc};

/// What an Observation says of itself, apart from what was measured.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Observation {
    resource_type: String,
    #[serde(default)]
    id: String,
    #[serde(default)]
    identifier: Vec<Identifier>,
    #[serde(default)]
    status: String,
    effective_date_time: Option<String>,
    effective_instant: Option<String>,
    effective_period: Option<Period>,
    issued: Option<String>,
}

/// What was measured: of an Observation or of one of its components. It is read by itself, since the
/// digits of a number are kept only where nothing is flattened.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Measurement<'a> {
    #[serde(default)]
    code: Concept,
    #[serde(borrow)]
    value_quantity: Option<Quantity<'a>>,
    value_string: Option<String>,
    value_codeable_concept: Option<Concept>,
    value_integer: Option<i64>,
    value_boolean: Option<bool>,
    value_date_time: Option<String>,
    #[serde(default)]
    interpretation: Vec<Concept>,
    #[serde(default, borrow)]
    reference_range: Vec<ReferenceRange<'a>>,
    #[serde(default, borrow)]
    component: Vec<Measurement<'a>>,
}

#[derive(Deserialize)]
struct Identifier {
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
struct Period {
    start: Option<String>,
}

#[derive(Default, Deserialize)]
struct Concept {
    #[serde(default)]
    coding: Vec<Coding>,
    #[serde(default)]
    text: String,
}

#[derive(Deserialize)]
struct Coding {
    #[serde(default)]
    system: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    display: String,
}

#[derive(Deserialize)]
struct Quantity<'a> {
    #[serde(borrow)]
    value: Option<&'a RawValue>,
    #[serde(default)]
    comparator: String,
    #[serde(default)]
    unit: String,
    #[serde(default)]
    code: String,
}

#[derive(Deserialize)]
struct ReferenceRange<'a> {
    #[serde(borrow)]
    low: Option<Quantity<'a>>,
    #[serde(borrow)]
    high: Option<Quantity<'a>>,
    #[serde(default)]
    text: String,
}

/// The report in a resource.
pub(crate) fn read(bytes: &[u8]) -> Option<Report> {
    let about: Observation = serde_json::from_slice(bytes).ok()?;
    if about.resource_type != "Observation" {
        return None;
    }
    let own: Measurement<'_> = serde_json::from_slice(bytes).ok()?;
    let period = about.effective_period.and_then(|period| period.start);
    let observed = about
        .effective_date_time
        .or(about.effective_instant)
        .or(period)
        .or(about.issued)
        .unwrap_or_default();
    let number = about.identifier.into_iter().map(|one| one.value);
    let (observed, status) = (bounded(&observed), status(&about.status));
    let measurements = std::iter::once(&own).chain(&own.component);
    let results = measurements
        .map(|one| one.result(&observed, &status))
        .filter(|one| !one.value.is_empty())
        .take(RESULTS_MAX);
    Some(Report {
        orders: vec![Order {
            name: own.code.words(),
            number: number
                .chain([about.id])
                .map(|number| bounded(&number))
                .find(|number| !number.is_empty())
                .unwrap_or_default(),
            results: results.collect(),
        }],
        ..Report::default()
    })
}

impl Measurement<'_> {
    fn result(&self, observed: &str, status: &str) -> LabResult {
        let range = self.reference_range.first();
        let flags = self.interpretation.iter().map(Concept::code);
        LabResult {
            test: self.code.test(),
            sub_id: String::new(),
            value: self.value(),
            unit: self
                .value_quantity
                .as_ref()
                .map(Quantity::unit)
                .unwrap_or_default(),
            range: range.map(ReferenceRange::words).unwrap_or_default(),
            flag: bounded(&flags.collect::<Vec<_>>().join(" ")),
            status: status.to_owned(),
            observed: observed.to_owned(),
        }
    }

    fn value(&self) -> String {
        let quantity = self.value_quantity.as_ref().map(Quantity::number);
        let concept = self.value_codeable_concept.as_ref().map(Concept::words);
        let value = quantity
            .or(self.value_string.clone())
            .or(concept)
            .or(self.value_integer.map(|number| number.to_string()))
            .or(self.value_boolean.map(|is_true| is_true.to_string()))
            .or(self.value_date_time.clone());
        bounded(&value.unwrap_or_default())
    }
}

impl Concept {
    /// The coding in LOINC, else the first.
    fn coding(&self) -> Option<&Coding> {
        let loinc = self.coding.iter().find(|one| is_loinc(&one.system));
        loinc.or(self.coding.first())
    }

    fn code(&self) -> String {
        match self.coding() {
            Some(coding) => bounded(&coding.code),
            None => bounded(&self.text),
        }
    }

    fn words(&self) -> String {
        let coding = self.coding();
        let display = coding.map(|one| one.display.as_str()).unwrap_or_default();
        let code = coding.map(|one| one.code.as_str()).unwrap_or_default();
        let mut words = [display, self.text.as_str(), code].into_iter();
        bounded(words.find(|words| !words.is_empty()).unwrap_or_default())
    }

    fn test(&self) -> Test {
        let (code, system) = match self.coding() {
            Some(coding) => (bounded(&coding.code), bounded(&coding.system)),
            None => (String::new(), String::new()),
        };
        Test::new(code, &system, self.words())
    }
}

impl Quantity<'_> {
    fn number(&self) -> String {
        let digits = self.value.map(RawValue::get).unwrap_or_default();
        // Quotes would be another's mistake, and no number.
        format!("{}{}", self.comparator, digits.trim_matches('"'))
    }

    fn unit(&self) -> String {
        match self.code.is_empty() {
            true => bounded(&self.unit),
            false => bounded(&self.code),
        }
    }
}

impl ReferenceRange<'_> {
    fn words(&self) -> String {
        let end = |quantity: &Option<Quantity<'_>>| quantity.as_ref().map(Quantity::number);
        match (end(&self.low), end(&self.high)) {
            _ if !self.text.is_empty() => bounded(&self.text),
            (Some(low), Some(high)) => format!("{low}-{high}"),
            (Some(low), None) => format!(">={low}"),
            (None, Some(high)) => format!("<={high}"),
            (None, None) => String::new(),
        }
    }
}

/// The status by HL7 table 0085, as the mapping of FHIR's observation-status to v2 has it.
fn status(status: &str) -> String {
    match status {
        "amended" | "corrected" => "C",
        "cancelled" => "X",
        "entered-in-error" => "W",
        "final" => "F",
        "preliminary" => "P",
        "registered" => "I",
        other => other,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Format;

    fn result(json: &str) -> LabResult {
        let report = Report::read(Format::Fhir, json.as_bytes()).unwrap();
        report.orders[0].results[0].clone()
    }

    #[test]
    fn an_observation_becomes_a_report_with_its_own_digits() {
        let found = result(
            r#"{"resourceType":"Observation","id":"o1","status":"corrected","code":{"coding":[
            {"system":"urn:x","code":"GLU"},{"system":"http://loinc.org","code":"2345-7","display":"Glucose"}]},
            "effectiveDateTime":"2026-11-22T09:30:00+01:00","valueQuantity":{"value":5.40,"comparator":"<",
            "unit":"mmol per L","code":"mmol/L"},"interpretation":[{"coding":[{"code":"H"}]}],
            "referenceRange":[{"low":{"value":3.90},"high":{"value":5.5}}]}"#,
        );
        assert_eq!(
            (found.test.code.as_str(), found.test.system.as_str()),
            ("2345-7", "LN")
        );
        assert_eq!(
            (found.value.as_str(), found.unit.as_str()),
            ("<5.40", "mmol/L")
        );
        assert_eq!(
            (found.range.as_str(), found.flag.as_str()),
            ("3.90-5.5", "H")
        );
        assert_eq!(
            (found.status.as_str(), found.observed.as_str()),
            ("C", "2026-11-22T09:30:00+01:00")
        );
    }

    #[test]
    fn components_are_results_of_their_own() {
        let report = Report::read(
            Format::Fhir,
            br#"{"resourceType":"Observation","status":"final","code":{"text":"Blood pressure"},"component":[
            {"code":{"text":"Systolic"},"valueQuantity":{"value":120}},
            {"code":{"text":"Diastolic"},"valueString":"80"}]}"#,
        );
        let order = report.unwrap().orders.remove(0);
        assert_eq!(order.name, "Blood pressure");
        let told: Vec<_> = order
            .results
            .iter()
            .map(|one| (one.test.name.as_str(), one.value.as_str()))
            .collect();
        assert_eq!(told, [("Systolic", "120"), ("Diastolic", "80")]);
    }

    #[test]
    fn other_resources_and_empty_ones_are_no_report() {
        for json in [
            r#"{"resourceType":"Patient"}"#,
            r#"{"resourceType":"Observation","code":{"text":"x"}}"#,
            r#"{"resourceType":"Observation","valueQuantity":{}}"#,
            "[]",
            "",
        ] {
            assert_eq!(Report::read(Format::Fhir, json.as_bytes()), None, "{json}");
        }
    }
}
