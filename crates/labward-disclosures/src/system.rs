//! Which operating system a disclosure statement names: the form asks only whether there is one, so that it stands in a
//! note, if at all.
//!
//! It must never choose between two operating systems, or take a sentence about one for its name.

use labward_mds2::{Answer, Answered, Mds2, QuestionId};
use labward_product::OperatingSystem;

/// What may stand in front of the name of an operating system, before a colon.
const SYSTEM_LABELS: [&str; 2] = ["operating system", "os"];

/// Words that names of operating systems do not have and sentences do.
const SENTENCE: [&str; 22] = [
    "a",
    "and",
    "are",
    "before",
    "by",
    "from",
    "installed",
    "is",
    "needs",
    "need",
    "no",
    "not",
    "of",
    "on",
    "or",
    "patches",
    "the",
    "to",
    "until",
    "updates",
    "upgrade",
    "with",
];

/// Where `wanted` stands as whole words.
fn word_at(text: &str, wanted: &str) -> Option<usize> {
    let is_edge = |c: Option<char>| !c.is_some_and(|c| c.is_ascii_alphanumeric());
    let found = text.match_indices(wanted).find(|(at, _)| {
        let before = text.get(..*at).and_then(|text| text.chars().next_back());
        let after = text.get(at + wanted.len()..);
        is_edge(before) && is_edge(after.and_then(|text| text.chars().next()))
    });
    found.map(|(at, _)| at)
}

/// The operating system, where the note of the question whether there is one (CSUP-2, answered with yes) names one.
pub fn operating_system(mds2: &Mds2) -> Option<String> {
    let asked = QuestionId::parse("CSUP-2")?;
    let answered = mds2.answers.get(&asked)?;
    if answered.answer != Answer::Yes || answered.contradicted {
        return None;
    }
    system_in(answered)
}

fn system_in(answered: &Answered) -> Option<String> {
    let parts = answered.note.as_deref()?.split(['\n', ';', ',', '(', ')']);
    let parts = parts.map(|part| without_label(part.trim().trim_end_matches('.')));
    let mut named = parts.filter(|part| OperatingSystem::read(part, "").is_ok());
    let (Some(name), None) = (named.next(), named.next()) else {
        return None;
    };
    let small = name.to_ascii_lowercase();
    let is_sentence = small.contains('/')
        || small.contains(". ")
        || SENTENCE.iter().any(|word| word_at(&small, word).is_some());
    // The name begins with the first word if nothing is named without it.
    let bare = small.strip_prefix("microsoft ").unwrap_or(&small);
    let rest = bare.split_once(' ').map_or("", |(_, rest)| rest);
    let begins = bare.starts_with("windows") || OperatingSystem::read(rest, "").is_err();
    (begins && !is_sentence).then(|| name.to_owned())
}

/// Without `Operating system:` in front.
fn without_label(part: &str) -> &str {
    match part.split_once(':') {
        Some((label, rest)) if SYSTEM_LABELS.contains(&&*label.trim().to_ascii_lowercase()) => {
            rest.trim()
        }
        _ => part,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn statement(csup: (Answer, &str)) -> Mds2 {
        let answered = Answered {
            question: "Does the device contain an operating system?".into(),
            answer: csup.0,
            note: Some(csup.1.into()),
            contradicted: false,
            sheet: "MDS2".into(),
            cell: "A1".to_owned(),
        };
        Mds2 {
            manufacturer: None,
            description: None,
            model: None,
            document: None,
            released: None,
            released_on: None,
            answers: BTreeMap::from([(QuestionId::parse("CSUP-2").unwrap(), answered)]),
            flaws: Vec::new(),
        }
    }

    #[test]
    fn an_operating_system_is_taken_where_the_note_is_its_name() {
        for (note, expect) in [
            (
                "Windows 10 IoT Enterprise LTSC 2019",
                "Windows 10 IoT Enterprise LTSC 2019",
            ),
            (
                "Microsoft Windows 7 Professional SP1",
                "Microsoft Windows 7 Professional SP1",
            ),
            ("OS: Ubuntu 22.04 LTS.", "Ubuntu 22.04 LTS"),
            (
                "Windows Server 2019; patched by the vendor",
                "Windows Server 2019",
            ),
        ] {
            let said = operating_system(&statement((Answer::Yes, note)));
            assert_eq!(said.as_deref(), Some(expect), "{note}");
            let denied = operating_system(&statement((Answer::No, note)));
            assert_eq!(denied, None, "{note}");
        }
    }

    #[test]
    fn a_sentence_or_two_operating_systems_are_none() {
        for note in [
            "",
            "See the service manual",
            "Windows 7 or Windows 10",
            "Windows 7, Windows 10",
            "Windows 7/10",
            "Upgrade to Windows 10 is possible",
            "Updates of Windows 10 need a service visit",
            "Windows 10 updates need a service visit",
            "Embedded in the analyzer, Windows 10 or later",
            "not Windows 10",
            "Proprietary, based on Android with all unnecessary components removed",
        ] {
            let said = operating_system(&statement((Answer::Yes, note)));
            assert_eq!(said, None, "{note}");
        }
    }

    #[test]
    fn two_answers_say_nothing() {
        let mut statement = statement((Answer::Yes, "Windows 10 Pro"));
        let asked = QuestionId::parse("CSUP-2").unwrap();
        statement.answers.get_mut(&asked).unwrap().contradicted = true;
        assert_eq!(operating_system(&statement), None);
    }
}
