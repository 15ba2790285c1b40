//! What CVSS vectors and the notes of an advisory say of a vulnerability.
//!
//! It must never read more out of a note than its sentence says, or let an older version of CVSS speak where
//! a newer one does.

use labward_advisory::csaf::Advisory;
use labward_advisory::{CvssVersion, Scored};

use crate::known::{Known, Said, Source};
use crate::rubric::{self, Adjusted};
use crate::ssvc::Exploitation;

/// What a publisher says of public exploits in the notes of an advisory; `None` if it says nothing of them.
///
/// CISA writes a sentence of this kind into nearly each of its advisories. Its word is of the day of the
/// release.
pub fn exploitation_said(advisory: &Advisory) -> Option<Said> {
    const NONE: &str = "no known public exploit";
    const PUBLIC: &[&str] = &[
        "public exploits are available",
        "public exploits specifically target",
        "known public exploit",
    ];
    let mut value = None;
    for note in &advisory.notes {
        let text = note.text.to_ascii_lowercase();
        let without = text.replace(NONE, "");
        let is_public = PUBLIC.iter().any(|phrase| without.contains(phrase))
            || without.contains("exploits that target") && without.contains("publicly available");
        let said = if is_public {
            Some(Exploitation::PublicPoc)
        } else {
            (without != text).then_some(Exploitation::None)
        };
        value = value.max(said);
    }
    Some(Said {
        value: value?,
        source: Source::Publisher,
        day: advisory
            .tracking
            .current_release
            .map(|time| time.to_offset().date()),
    })
}

/// How much of integrity, availability or confidentiality an attack takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Loss {
    None,
    Low,
    High,
}

impl Loss {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::High => "high",
        }
    }

    fn read(letter: &str) -> Self {
        match letter {
            "N" => Self::None,
            "L" | "P" => Self::Low,
            // `H`, `C` of version 2, `S` (safety) of version 4.
            _ => Self::High,
        }
    }
}

/// One vector that counts.
pub(crate) struct Vector {
    scored: Scored,
    /// As it counts: after the rubric, where that was answered.
    pub(crate) text: String,
    pub(crate) tenths: u8,
    pub(crate) base_tenths: u8,
    pub(crate) adjusted: Option<Adjusted>,
}

impl Vector {
    fn new(text: &str, scored: Scored, known: &Known) -> Self {
        let adjusted = match known.rubric.is_empty() {
            true => None,
            false => rubric::adjust(&scored, &known.rubric),
        };
        let counts = adjusted.as_ref();
        Self {
            text: counts.map_or_else(|| text.to_owned(), |one| one.vector.clone()),
            tenths: counts.map_or_else(|| scored.base_tenths(), |one| one.tenths),
            base_tenths: scored.base_tenths(),
            scored: counts
                .and_then(|one| Scored::parse(&one.vector))
                .unwrap_or(scored),
            adjusted,
        }
    }

    /// A metric, modified if it was.
    pub(crate) fn metric(&self, name: &str) -> Option<String> {
        let modified = self.scored.metric(&format!("M{name}"));
        let modified = modified.filter(|value| value != "X" && value != "ND");
        modified.or_else(|| self.scored.metric(name))
    }

    fn loss_of(&self, names: &[&str]) -> Loss {
        let values = names.iter().filter_map(|name| self.metric(name));
        values
            .map(|value| Loss::read(&value))
            .max()
            .unwrap_or(Loss::None)
    }

    /// What is lost of integrity or availability, whichever is more.
    pub(crate) fn loss_of_work(&self) -> Loss {
        match self.scored.version() {
            CvssVersion::V40 => self.loss_of(&["VI", "VA", "SI", "SA"]),
            _ => self.loss_of(&["I", "A"]),
        }
    }

    /// What is lost of confidentiality.
    pub(crate) fn loss_of_secrecy(&self) -> Loss {
        match self.scored.version() {
            CvssVersion::V40 => self.loss_of(&["VC", "SC"]),
            _ => self.loss_of(&["C"]),
        }
    }

    /// Whether it needs no more than a network: `AV:N`, `AC:L`, no privileges, nobody else's action. Version 4
    /// may say so itself (`AU`) and has attack requirements (`AT`); version 2 knows no action of others.
    pub(crate) fn is_automatable(&self) -> bool {
        let is = |name: &str, value: &str| self.metric(name).as_deref() == Some(value);
        match self.metric("AU").as_deref() {
            Some("Y") => return true,
            Some("N") if self.scored.version() == CvssVersion::V40 => return false,
            _ => {}
        }
        let by_network = is("AV", "N") && is("AC", "L");
        by_network
            && match self.scored.version() {
                CvssVersion::V2 => is("Au", "N"),
                CvssVersion::V40 => is("AT", "N") && is("PR", "N") && is("UI", "N"),
                CvssVersion::V30 | CvssVersion::V31 => is("PR", "N") && is("UI", "N"),
            }
    }

    /// What it says of exploitation (`E`), with the metric.
    pub(crate) fn exploitation(&self) -> Option<(Exploitation, String)> {
        let value = self.scored.metric("E")?;
        let said = match (self.scored.version(), value.as_str()) {
            (CvssVersion::V40, "A") => Exploitation::Active,
            (_, "U") => Exploitation::None,
            (_, "P" | "POC" | "F" | "H") => Exploitation::PublicPoc,
            _ => return None,
        };
        Some((said, format!("E:{value}")))
    }

    /// Whether an attacker must touch the device.
    pub(crate) fn is_physical(&self) -> bool {
        self.metric("AV").as_deref() == Some("P")
    }
}

/// The vectors that count: those of the newest version, or with answers to the rubric those of version 3; the
/// highest score first.
pub(crate) fn vectors(known: &Known) -> Vec<Vector> {
    let mut read: Vec<(&str, Scored)> = known
        .vectors
        .iter()
        .filter_map(|text| Some((&**text, Scored::parse(text)?)))
        .collect();
    let is_asked = |version| {
        !known.rubric.is_empty() && matches!(version, CvssVersion::V30 | CvssVersion::V31)
    };
    let place = |scored: &Scored| (is_asked(scored.version()), scored.version());
    let newest = read.iter().map(|(_, scored)| place(scored)).max();
    read.retain(|(_, scored)| Some(place(scored)) == newest);
    let mut vectors: Vec<Vector> = read
        .into_iter()
        .map(|(text, scored)| Vector::new(text, scored, known))
        .collect();
    vectors.sort_by(|a, b| b.tenths.cmp(&a.tenths).then_with(|| a.text.cmp(&b.text)));
    vectors
}

#[cfg(test)]
mod tests {
    use labward_advisory::Limits;

    use super::*;

    /// Sentences as CISA wrote them.
    #[track_caller]
    fn check(notes: &[&str], expect: Option<Exploitation>) {
        let notes: Vec<_> = notes
            .iter()
            .map(|text| format!(r#"{{"category":"general","text":"{text}"}}"#))
            .collect();
        let text = format!(
            r#"{{"document":{{"category":"csaf_security_advisory","csaf_version":"2.0","title":"T","notes":[{}],
            "publisher":{{"category":"coordinator","name":"P","namespace":"https://example.org"}},
            "tracking":{{"id":"A-1","status":"final","version":"1","current_release_date":"2023-04-27T06:00:00Z"}}}}}}"#,
            notes.join(",")
        );
        let advisory = Advisory::parse(text.as_bytes(), &Limits::default()).unwrap();
        let said = exploitation_said(&advisory);
        assert_eq!(said.map(|said| said.value), expect, "{notes:?}");
        if let Some(said) = said {
            assert_eq!(said.day, Some(time::macros::date!(2023 - 04 - 27)));
        }
    }

    #[test]
    fn a_note_says_of_exploits_what_its_sentence_says() {
        let none = "High skill level is needed to exploit. No known public exploits specifically target these vulnerabilities.";
        check(&[none], Some(Exploitation::None));
        check(
            &[
                "No known public exploitation specifically targeting this vulnerability has been reported to CISA at this time.",
            ],
            Some(Exploitation::None),
        );
        for public in [
            "ATTENTION: Remotely exploitable/low skill level to exploit. Public exploits are available.",
            "Exploits that target these vulnerabilities are publicly available.",
            "Known public exploits specifically target these vulnerabilities.",
        ] {
            check(&[none, public], Some(Exploitation::PublicPoc));
        }
        for silent in [
            "These vulnerabilities are not exploitable remotely.",
            "CISA recommends users take defensive measures to minimize the risk of exploitation of this vulnerability.",
        ] {
            check(&[silent], None);
        }
    }
}
