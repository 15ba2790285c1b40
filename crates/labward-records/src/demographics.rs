//! What is known of who a patient is; it exists in memory and sealed, never otherwise at rest.
//!
//! It must never be logged, shown unmasked in a search, or used as an index on disk.

use serde::{Deserialize, Serialize};

/// Names kept of one patient: the newest first, former ones behind.
const NAMES_MAX: usize = 8;
/// Identifiers kept for display; more are still found by their tags.
const IDENTIFIERS_MAX: usize = 64;

/// An identifier of a patient as its assigning authority gave it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Identifier {
    /// Who assigned it; empty if neither message nor link says so.
    pub authority: String,
    /// The identifier itself.
    pub value: String,
    /// Its type by HL7 table 0203 (`MR`, `SS`, …); empty if not given.
    pub kind: String,
}

/// One name of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PersonName {
    /// The family name.
    pub family: String,
    /// Given and middle names, apart by spaces.
    pub given: String,
}

/// Names, birth date and identifiers of one patient.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Demographics {
    /// The names, the newest first.
    pub names: Vec<PersonName>,
    /// The birth date: `YYYY-MM-DD`, `YYYY-MM` or `YYYY`.
    pub birth_date: Option<String>,
    /// The identifiers, in the order in which they were met.
    pub identifiers: Vec<Identifier>,
}

impl Identifier {
    /// Whether the value can stand for a person at all, and not for "unknown".
    pub(crate) fn is_meaningful(&self) -> bool {
        let value = self.value.trim();
        let same_digit = value.len() > 3
            && value.bytes().any(|b| b.is_ascii_digit())
            && repeats_one_digit(value);
        let word = value.to_ascii_uppercase();
        let placeholder = [
            "", "\"\"", "0", "-", "NA", "N/A", "NONE", "NULL", "UNK", "UNKNOWN",
        ];
        !same_digit && !placeholder.contains(&word.as_str())
    }

    /// Whether it may join two messages when stronger identifiers are there: a social security
    /// number is shared, mistyped and made up too often for that.
    pub(crate) fn is_weak(&self) -> bool {
        matches!(self.kind.as_str(), "SS" | "SB")
    }

    /// The rank by which one of several matches is taken: medical record number, patient-internal
    /// numbers, everything else.
    pub(crate) fn rank(&self) -> u8 {
        match self.kind.as_str() {
            "MR" | "MRN" => 0,
            "PI" | "PT" => 1,
            "" => 2,
            _ => 3,
        }
    }
}

/// `999-99-9999` and `000000000` are what people type when a field insists on a number.
fn repeats_one_digit(value: &str) -> bool {
    let mut digits = value.bytes().filter(|b| *b != b'-' && *b != b' ');
    let first = digits.next();
    digits.all(|b| Some(b) == first)
}

impl Demographics {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && self.birth_date.is_none() && self.identifiers.is_empty()
    }

    /// Takes up what a newer message says; nothing that was known is forgotten.
    pub(crate) fn absorb(&mut self, newer: &Self) {
        for name in newer.names.iter().rev() {
            self.names.retain(|known| known != name);
            self.names.insert(0, name.clone());
        }
        self.names.truncate(NAMES_MAX);
        if newer.birth_date.is_some() {
            self.birth_date.clone_from(&newer.birth_date);
        }
        for identifier in &newer.identifiers {
            if !self.identifiers.contains(identifier) {
                self.identifiers.push(identifier.clone());
            }
        }
        self.identifiers.truncate(IDENTIFIERS_MAX);
    }
}

/// `YYYY-MM-DD`, `YYYY-MM` or `YYYY` from HL7's `YYYYMMDD…` or FHIR's form; `None` if it is neither.
pub(crate) fn birth_date(text: &str) -> Option<String> {
    let digits: String = text
        .trim()
        .split(['T', ' ', '+'])
        .next()
        .unwrap_or_default()
        .chars()
        .filter(|c| *c != '-')
        .collect();
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (year, month, day) = (digits.get(..4)?, digits.get(4..6), digits.get(6..8));
    if year == "0000" || !in_range(month, 1..=12) || !in_range(day, 1..=31) {
        return None;
    }
    Some(match (month, day) {
        (Some(month), Some(day)) => format!("{year}-{month}-{day}"),
        (Some(month), None) => format!("{year}-{month}"),
        _ => year.to_owned(),
    })
}

fn in_range(text: Option<&str>, range: std::ops::RangeInclusive<u8>) -> bool {
    text.is_none_or(|text| text.parse().is_ok_and(|number| range.contains(&number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(family: &str) -> PersonName {
        PersonName {
            family: family.to_owned(),
            given: "Ann".to_owned(),
        }
    }

    #[test]
    fn birth_dates_of_both_standards_read_alike() {
        for (text, date) in [
            ("19800223", Some("1980-02-23")),
            ("1980-02-23", Some("1980-02-23")),
            ("20230504131023-0500", Some("2023-05-04")),
            ("198002", Some("1980-02")),
            ("1980", Some("1980")),
            ("19801323", None),
            ("", None),
            ("unknown", None),
            ("0000", None),
        ] {
            assert_eq!(birth_date(text).as_deref(), date, "{text}");
        }
    }

    #[test]
    fn a_placeholder_identifies_nobody() {
        for (value, meaningful) in [
            ("000-00-0000", false),
            ("999999999", false),
            ("unknown", false),
            (" ", false),
            ("100001", true),
            ("11", true),
        ] {
            let identifier = Identifier {
                value: value.to_owned(),
                ..Identifier::default()
            };
            assert_eq!(identifier.is_meaningful(), meaningful, "{value:?}");
        }
    }

    #[test]
    fn a_newer_message_forgets_nothing() {
        let mut known = Demographics {
            names: vec![name("Beier")],
            birth_date: Some("1980-02-23".to_owned()),
            ..Demographics::default()
        };
        known.absorb(&Demographics {
            names: vec![name("Smith")],
            ..Demographics::default()
        });
        assert_eq!(known.names, [name("Smith"), name("Beier")]);
        assert_eq!(known.birth_date.as_deref(), Some("1980-02-23"));
        let before = known.clone();
        known.absorb(&before.clone());
        assert_eq!(known, before, "absorbing what is known changes nothing");
    }
}
