//! The questions of the form of 2019, by the labels of its sections.

use std::fmt;

/// The sections, and the numbers of their questions; `2.1-9` is `2.1` to `2.9`.
const FORM: [(&str, &str); 24] = [
    ("DOC", "1-11 11.1-4"),
    ("MPII", "1-3 2.1-9 3.1-10"),
    ("ALOF", "1-2"),
    ("AUDT", "1-8 1.1-2 2.1-11 2.8.1-2 4.1 4.1.1 5.1-4 7.1"),
    ("AUTH", "1-5 1.1-3"),
    ("CSUP", "1-11 2.1-4 3.1-4 4.1-4 5.1-4 6.1-4 10.1 11.1-2"),
    ("DIDT", "1 1.1"),
    ("DTBK", "1-6"),
    ("EMRG", "1"),
    ("IGAU", "1-2"),
    ("MLDP", "1-5 2.1-8 5.1-2"),
    ("NAUT", "1-3 2.1"),
    ("CONN", "1-8 1.1-2 1.1.1-4 1.2.1-4 7.1"),
    ("PAUT", "1-14 1.1 14.1"),
    ("PLOK", "1-4"),
    ("RDMP", "1-4"),
    ("SBOM", "1-4 2.1-4"),
    ("SAHD", "1-16 3.1-2 5.1 6.1-2 14.1"),
    ("SGUD", "1-4 3.1"),
    ("STCF", "1-4 1.1-3"),
    ("TXCF", "1-5 2.1"),
    ("TXIG", "1-2"),
    ("RMOT", "1-3 1.1-3"),
    ("OTHR", ""),
];

/// The labels of the sections; `DOC` is the head of the form, and `OTHR` has no questions of its own.
pub fn sections() -> impl Iterator<Item = &'static str> {
    FORM.into_iter().map(|(label, _)| label)
}

/// The id of a question, such as `MLDP-2.1`: a label and up to four numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuestionId {
    section: &'static str,
    numbers: [u16; 4],
}

impl QuestionId {
    /// Reads an id as people type it: `MLDP-2.1`, `mldp 2.1`, `SBoM-1`; `SHAD` is a misprint of `SAHD`.
    ///
    /// Whether the form has that question is another matter: [`QuestionId::is_in_form`].
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_end_matches(['.', ':']);
        let end = text.find(|c: char| !c.is_ascii_alphabetic())?;
        let (label, rest) = text.split_at_checked(end)?;
        let label = match label.to_ascii_uppercase().as_str() {
            "SHAD" => "SAHD".to_owned(),
            label => label.to_owned(),
        };
        let section = sections().find(|one| *one == label)?;
        let rest = rest
            .trim_start()
            .trim_start_matches(['-', '\u{2010}', '\u{2011}', '\u{2013}']);
        let mut numbers = [0; 4];
        let mut slots = numbers.iter_mut();
        for number in rest.trim_start().split('.') {
            let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            let number = number.parse().ok().filter(|one| is_number && *one > 0)?;
            *slots.next()? = number;
        }
        Some(Self { section, numbers })
    }

    /// The label of its section, such as `MLDP`.
    pub const fn section(self) -> &'static str {
        self.section
    }

    /// Whether the form of 2019 has this question.
    pub fn is_in_form(self) -> bool {
        of_form().any(|one| one == self)
    }
}

impl fmt::Display for QuestionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-", self.section)?;
        let numbers = self.numbers.iter().take_while(|one| **one > 0);
        for (at, number) in numbers.enumerate() {
            let point = if at > 0 { "." } else { "" };
            write!(f, "{point}{number}")?;
        }
        Ok(())
    }
}

/// Every question of the form.
pub(crate) fn of_form() -> impl Iterator<Item = QuestionId> {
    FORM.into_iter().flat_map(|(section, numbers)| {
        numbers.split_whitespace().flat_map(move |range| {
            let (first, last) = range.split_once('-').unwrap_or((range, ""));
            let (before, start) = first.rsplit_once('.').unwrap_or(("", first));
            let start: u16 = start.parse().unwrap_or_default();
            let last: u16 = last.parse().unwrap_or(start);
            (start..=last).filter_map(move |number| match before {
                "" => QuestionId::parse(&format!("{section}-{number}")),
                _ => QuestionId::parse(&format!("{section}-{before}.{number}")),
            })
        })
    })
}
