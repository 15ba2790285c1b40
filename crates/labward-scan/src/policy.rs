//! Which facts of the structure count, by where the bytes are: a table, not code.
//!
//! It must never make a sign malicious: what a structure says is a reason to look, not a proof.

use labward_carrier::Sign;
use serde::{Deserialize, Serialize};

/// Where the bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Setting {
    /// A clinical message or document on its way.
    Message,
    /// A mail on its way.
    Mail,
    /// A file at rest.
    File,
}

impl Setting {
    /// Every setting.
    pub const ALL: &[Self] = &[Self::Message, Self::Mail, Self::File];

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Mail => "mail",
            Self::File => "file",
        }
    }
}

/// How much a sign counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// It is told, and changes no verdict.
    Noted,
    /// It makes the bytes suspicious.
    Suspicious,
}

/// Which signs make bytes suspicious, in which setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    rows: Vec<(Sign, [Weight; 3])>,
}

use Weight::{Noted as N, Suspicious as S};

/// Message, mail, file. A message has no business with programs and scripts; a folder of a laboratory holds
/// workbooks with macros and programs in two formats that are as they should be.
const DEFAULT: &[(Sign, [Weight; 3])] = &[
    (Sign::ProgramInClinical, [S, S, S]),
    (Sign::TypeMismatch, [N, N, N]),
    (Sign::Polyglot, [S, S, N]),
    (Sign::DicomPreamble, [S, S, S]),
    (Sign::Macro, [S, S, N]),
    (Sign::MacroAutoRun, [S, S, S]),
    (Sign::Xlm, [S, S, S]),
    (Sign::Dde, [S, S, S]),
    (Sign::ExternalLink, [S, S, N]),
    (Sign::EmbeddedObject, [S, S, N]),
    (Sign::PdfScript, [S, S, N]),
    (Sign::PdfAction, [S, S, N]),
    (Sign::HtmlSmuggling, [S, S, S]),
    (Sign::ShortcutCommand, [S, S, S]),
    (Sign::DeceptiveName, [S, S, S]),
    (Sign::NameEscapes, [S, S, S]),
    (Sign::TrailingData, [N, N, N]),
];

impl Default for Policy {
    fn default() -> Self {
        Self {
            rows: DEFAULT.to_vec(),
        }
    }
}

impl Policy {
    /// How much `sign` counts in `setting`; a sign that has no row is noted.
    #[must_use]
    pub fn weight(&self, sign: Sign, setting: Setting) -> Weight {
        let column = |row: [Weight; 3]| {
            let [message, mail, file] = row;
            match setting {
                Setting::Message => message,
                Setting::Mail => mail,
                Setting::File => file,
            }
        };
        self.rows
            .iter()
            .find(|(one, _)| *one == sign)
            .map_or(Weight::Noted, |(_, row)| column(*row))
    }

    /// Says how much `sign` counts in `setting` from now on.
    pub fn set(&mut self, sign: Sign, setting: Setting, weight: Weight) {
        let mut row = Setting::ALL.iter().map(|one| self.weight(sign, *one));
        let mut next = || row.next().unwrap_or(Weight::Noted);
        let mut row = [next(), next(), next()];
        for (one, cell) in Setting::ALL.iter().zip(&mut row) {
            if *one == setting {
                *cell = weight;
            }
        }
        self.rows.retain(|(one, _)| *one != sign);
        self.rows.push((sign, row));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sign_has_a_row() {
        let policy = Policy::default();
        for sign in Sign::ALL {
            assert!(policy.rows.iter().any(|(one, _)| one == sign), "{sign:?}");
        }
    }

    #[test]
    fn a_macro_is_suspicious_on_its_way_and_noted_in_a_folder() {
        let mut policy = Policy::default();
        assert_eq!(
            policy.weight(Sign::Macro, Setting::Mail),
            Weight::Suspicious
        );
        assert_eq!(policy.weight(Sign::Macro, Setting::File), Weight::Noted);
        policy.set(Sign::Macro, Setting::File, Weight::Suspicious);
        assert_eq!(
            policy.weight(Sign::Macro, Setting::File),
            Weight::Suspicious
        );
        assert_eq!(
            policy.weight(Sign::Macro, Setting::Mail),
            Weight::Suspicious
        );
    }
}
