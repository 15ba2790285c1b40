//! A laboratory report as a record holds it: the patient, the orders, and each result with its range.
//!
//! It must never guess: what a record does not say stays empty, and a value is what was sent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Results taken from one record at most; no panel comes near it.
pub const RESULTS_MAX: usize = 10_000;
/// Characters of one text at most; a longer one ends with `…` and is whole in its record.
const TEXT_MAX_CHARS: usize = 2_000;

/// What the bytes of a record are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// ASTM E1394 / LIS02-A2 records.
    Astm,
    /// A FHIR R4 resource.
    Fhir,
    /// An HL7 v2 message.
    Hl7V2,
}

/// A laboratory report.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Report {
    /// Whose it is, as the record says.
    pub patient: Patient,
    /// Who reports: the sending facility or application (HL7), the device (ASTM); empty for FHIR.
    pub sender: String,
    /// The orders, in the order of the record.
    pub orders: Vec<Order>,
}

/// Whose report it is, as the record says.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Patient {
    /// Family and given name.
    pub name: String,
    /// The birth date, `YYYY-MM-DD` where it came as a date.
    pub birth: String,
    /// The sex as it came: `F`, `M`, `U` and others.
    pub sex: String,
    /// The first identifier.
    pub identifier: String,
}

/// One order and its results.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Order {
    /// What was ordered.
    pub name: String,
    /// The laboratory's number of the order or specimen, else the orderer's; empty if there is none.
    pub number: String,
    /// The results, in the order of the record.
    pub results: Vec<LabResult>,
}

/// What was measured.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Test {
    /// Its code; empty if it has only a name.
    pub code: String,
    /// The coding system: `LN` for LOINC however it was written, else as it came; empty for a device's
    /// own codes.
    pub system: String,
    /// Its words; the code where there are none.
    pub name: String,
}

/// One result.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct LabResult {
    /// What was measured.
    pub test: Test,
    /// What tells it from other results of the same test in its order (OBX-4).
    pub sub_id: String,
    /// The value as it came; of a coded value its words.
    pub value: String,
    /// Its unit.
    pub unit: String,
    /// The reference range.
    pub range: String,
    /// The abnormal flags, such as `H`.
    pub flag: String,
    /// The result's status by HL7 table 0085, such as `F` for final or `C` for corrected.
    pub status: String,
    /// When it was observed, as it came; empty if the record does not say.
    pub observed: String,
}

impl Report {
    /// The report in these bytes; none if there is no result in them.
    pub fn read(format: Format, bytes: &[u8]) -> Option<Self> {
        let report = match format {
            Format::Astm => crate::astm::read(bytes),
            Format::Fhir => crate::fhir::read(bytes),
            Format::Hl7V2 => crate::hl7::read(bytes),
        }?;
        (report.results() > 0).then_some(report)
    }

    /// How many results it has.
    pub fn results(&self) -> usize {
        self.orders.iter().map(|order| order.results.len()).sum()
    }
}

impl LabResult {
    /// Whether a flag says that it is out of its range (HL7 table 0078); `N` says that it is not.
    pub fn is_abnormal(&self) -> bool {
        is_abnormal(&self.flag)
    }
}

/// Whether flags say that a value is out of its range.
pub(crate) fn is_abnormal(flag: &str) -> bool {
    !flag.is_empty() && flag != "N"
}

impl Test {
    /// A test by its code, coding system and words.
    pub(crate) fn new(code: String, system: &str, name: String) -> Self {
        let system = match is_loinc(system) {
            true => "LN".to_owned(),
            false => system.to_owned(),
        };
        let name = match name.is_empty() {
            true => code.clone(),
            false => name,
        };
        Self { code, system, name }
    }

    /// Whether the code means the same whoever sends it; a laboratory's or a device's own does not
    /// (HL7 table 0396: `L`, `99…`).
    pub fn is_shared(&self) -> bool {
        let system = self.system.as_str();
        !self.code.is_empty()
            && !system.is_empty()
            && !system.starts_with("99")
            && !matches!(system, "L" | "LOCAL" | "LB")
    }
}

/// Whether this names LOINC, in any of the ways in which that is written.
pub(crate) fn is_loinc(system: &str) -> bool {
    matches!(
        system,
        "LN" | "LOINC"
            | "http://loinc.org"
            | "2.16.840.1.113883.6.1"
            | "urn:oid:2.16.840.1.113883.6.1"
    )
}

/// A text trimmed and bounded.
pub(crate) fn bounded(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(TEXT_MAX_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Family and given name, as far as there are.
pub(crate) fn name_of(family: &str, given: &str) -> String {
    let parts = [family.trim(), given.trim()];
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    bounded(&parts.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_without_end_is_cut_between_its_characters() {
        let cut = bounded(&"é".repeat(5_000));
        assert_eq!(cut.chars().count(), TEXT_MAX_CHARS + 1);
        assert!(cut.ends_with('…'));
        assert_eq!(bounded(" 5.4 "), "5.4");
    }

    #[test]
    fn a_laboratorys_own_code_is_not_shared() {
        let test = |code: &str, system: &str| Test::new(code.to_owned(), system, String::new());
        for system in ["LN", "LOINC", "http://loinc.org", "SCT"] {
            assert!(test("718-7", system).is_shared(), "{system}");
        }
        for system in ["", "L", "99LAB", "LOCAL"] {
            assert!(!test("718-7", system).is_shared(), "{system}");
        }
        assert_eq!(test("718-7", "http://loinc.org").system, "LN");
        assert_eq!(test("718-7", "LN").name, "718-7");
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_report_or_none_within_bounds(
            noise: Vec<u8>,
            lines in "(PID|OBR|OBX|SPM|P|O|R)[|^~&\\\\<>0-9A-Z\r]{0,60}",
        ) {
            let hl7 = format!("MSH|^~\\&|A|B|||20260101||ORU^R01|1|P|2.5.1\r{lines}");
            let astm = format!("H|\\^&|||X\r{lines}");
            let fhir = format!("{{\"resourceType\":\"Observation\",\"valueString\":\"{}\"}}", noise.len());
            for (format, bytes) in [
                (Format::Hl7V2, hl7.as_bytes()),
                (Format::Astm, astm.as_bytes()),
                (Format::Fhir, fhir.as_bytes()),
                (Format::Hl7V2, &noise[..]),
                (Format::Astm, &noise[..]),
                (Format::Fhir, &noise[..]),
            ] {
                if let Some(report) = Report::read(format, bytes) {
                    prop_assert!((1..=RESULTS_MAX).contains(&report.results()));
                }
            }
        }
    }
}
