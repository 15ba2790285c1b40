//! What one recipient is told today: the counts in the subject, the rest in plain text.
//!
//! It must never hold anything about a patient, a secret, or a text of somebody else that is more than one
//! line. It is made of values that were gathered; it looks at nothing itself.

use labward_api::status::CheckFinding;
use labward_console::language::Texts as _;
use labward_console::said::finding_lines;
use labward_identity::Language;

/// Lines of one kind at most; the rest is counted.
const LINES: usize = 40;
/// Characters of one word of somebody else at most.
const WORD_MAX_CHARS: usize = 120;

/// What one recipient is told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Digest {
    /// What the lab is called.
    pub(crate) lab: String,
    /// What the recipient is called.
    pub(crate) recipient: String,
    /// The moment, by the machine's time zone.
    pub(crate) written: String,
    /// Where the console is, if there is one.
    pub(crate) console: Option<String>,
    /// Whether more than counts is told.
    pub(crate) details: bool,
    /// So many days ahead is looked.
    pub(crate) within_days: u32,
    pub(crate) overdue: Vec<Work>,
    pub(crate) soon: Vec<Work>,
    /// What was found since the last reminder and has time left.
    pub(crate) new: Vec<Work>,
    /// Findings since the last reminder.
    pub(crate) raised: Vec<CheckFinding>,
    /// Findings of high harm that were told before.
    pub(crate) standing: Vec<CheckFinding>,
    /// What was found before and is so no longer.
    pub(crate) cleared: Vec<CheckFinding>,
    /// Other findings that were told before.
    pub(crate) others: u64,
    /// Devices that talk to somebody, in a few words each.
    pub(crate) alerts: Vec<String>,
}

/// One document that concerns one device, and the hit of it that is due first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Work {
    pub(crate) device: String,
    pub(crate) vulnerability: String,
    /// Further vulnerabilities of the document in the device.
    pub(crate) more: usize,
    pub(crate) advisory: String,
    pub(crate) band: &'static str,
    pub(crate) decision: &'static str,
    /// The last day, YYYY-MM-DD.
    pub(crate) due: String,
    /// Negative once it has passed.
    pub(crate) days_left: i64,
    pub(crate) hit: u64,
}

/// How much there is of each kind, by the name of the count.
pub(crate) type Counts = [(&'static str, u64); 6];

impl Digest {
    pub(crate) fn counts(&self) -> Counts {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        [
            ("overdue", count(self.overdue.len())),
            ("soon", count(self.soon.len())),
            ("new", count(self.new.len())),
            (
                "findings",
                count(self.raised.len()).saturating_add(count(self.standing.len())),
            ),
            ("cleared", count(self.cleared.len())),
            ("alerts", count(self.alerts.len())),
        ]
    }

    /// Whether there is nothing to remind of.
    pub(crate) fn is_empty(&self) -> bool {
        self.counts().iter().all(|(_, count)| *count == 0)
    }

    /// The subject: the lab and the counts.
    pub(crate) fn subject(&self, language: Language) -> String {
        let counts = self.counts();
        let some = counts.iter().filter(|(_, count)| *count > 0);
        let words =
            some.map(|(name, count)| language.counted(&format!("mail-count-{name}"), *count));
        let mut words: Vec<String> = words.map(String::from).collect();
        if words.is_empty() {
            words.push(language.text("mail-subject-nothing").into_owned());
        }
        format!("Labward, {}: {}", clean(&self.lab), words.join(", "))
    }

    /// The text.
    pub(crate) fn text(&self, language: Language) -> String {
        let lead = if self.is_empty() {
            "mail-nothing"
        } else {
            "mail-lead"
        };
        let lab = clean(&self.lab);
        let words = [("lab", lab.as_str()), ("time", self.written.as_str())];
        let mut text = format!("{}\n", language.with(lead, &words));
        match self.details {
            true => self.sections(language, &mut text),
            false => self.sums(language, &mut text),
        }
        text.push_str(&self.foot(language));
        text
    }

    fn sums(&self, language: Language, text: &mut String) {
        for (name, count) in self.counts().iter().filter(|(_, count)| *count > 0) {
            let line = language.counted(&format!("mail-count-{name}"), *count);
            text.push_str(&format!("\n- {line}"));
        }
        text.push('\n');
    }

    fn sections(&self, language: Language, text: &mut String) {
        let heading = |key: &str| language.text(key).into_owned();
        let within = self.within_days.to_string();
        let soon = language.with("mail-soon", &[("days", &within)]);
        let work = |one: &Work| self.work(language, one);
        let found = |one: &CheckFinding| finding(language, one);
        let gone = |one: &CheckFinding| clean(&finding_lines(language, one).0);
        let alert = |one: &String| clean(one);
        section(
            language,
            text,
            &heading("mail-overdue"),
            &self.overdue,
            work,
        );
        section(language, text, &soon, &self.soon, work);
        section(language, text, &heading("mail-new"), &self.new, work);
        section(language, text, &heading("mail-alerts"), &self.alerts, alert);
        section(language, text, &heading("mail-raised"), &self.raised, found);
        section(
            language,
            text,
            &heading("mail-standing"),
            &self.standing,
            found,
        );
        section(
            language,
            text,
            &heading("mail-cleared"),
            &self.cleared,
            gone,
        );
        if self.others > 0 {
            text.push_str(&format!(
                "\n{}\n",
                language.counted("mail-others", self.others)
            ));
        }
    }

    fn work(&self, language: Language, one: &Work) -> String {
        let mut vulnerability = clean(&one.vulnerability);
        if one.more > 0 {
            vulnerability.push_str(&format!(" +{}", one.more));
        }
        let (device, advisory) = (clean(&one.device), clean(&one.advisory));
        let band = language.text(&format!("hit-band-{}", one.band));
        let decision = language.text(&format!("mail-decision-{}", one.decision));
        let words = [
            ("device", device.as_str()),
            ("vulnerability", vulnerability.as_str()),
            ("advisory", advisory.as_str()),
            ("band", &*band),
            ("decision", &*decision),
        ];
        let what = language.with("mail-work", &words);
        let days = one.days_left.unsigned_abs();
        let left = match one.days_left {
            ..0 => language.counted("mail-late", days),
            0 => language.text("mail-today"),
            1.. => language.counted("mail-left", days),
        };
        let due = language.with("mail-due", &[("day", &one.due), ("left", &left)]);
        let mut line = format!("{what}\n  {due}");
        if let Some(console) = &self.console {
            line.push_str(&format!("\n  {console}/hits/{}", one.hit));
        }
        line
    }

    fn foot(&self, language: Language) -> String {
        let look = match &self.console {
            Some(url) => language.with("mail-look", &[("url", url)]),
            None => language.text("mail-look-here"),
        };
        let foot = language.with("mail-foot", &[("name", &self.recipient)]);
        format!("\n{look}\n\n-- \n{foot}\n")
    }
}

/// A test mail: its subject and its text.
pub(super) fn test_mail(language: Language, lab: &str, recipient: &str) -> (String, String) {
    let lab = clean(lab);
    let subject = format!("Labward, {lab}: {}", language.text("mail-test-subject"));
    let text = language.with("mail-test", &[("lab", &lab), ("name", recipient)]);
    (subject, format!("{text}\n"))
}

fn finding(language: Language, one: &CheckFinding) -> String {
    let (what, todo) = finding_lines(language, one);
    let code = &one.code;
    format!("{} ({code})\n  {}", clean_long(&what), clean_long(&todo))
}

/// A heading and its lines, if there are any.
fn section<T>(
    language: Language,
    text: &mut String,
    heading: &str,
    all: &[T],
    line: impl Fn(&T) -> String,
) {
    if all.is_empty() {
        return;
    }
    text.push_str(&format!("\n{heading} ({})\n", all.len()));
    for one in all.iter().take(LINES) {
        text.push_str(&format!("- {}\n", line(one)));
    }
    let more = all.len().saturating_sub(LINES);
    if more > 0 {
        let more = u64::try_from(more).unwrap_or(u64::MAX);
        text.push_str(&format!("- {}\n", language.counted("mail-more", more)));
    }
}

/// A word of somebody else: one line, of printing characters, not too long.
fn clean(text: &str) -> String {
    cut(text, WORD_MAX_CHARS)
}

/// The same of a sentence with places.
fn clean_long(text: &str) -> String {
    cut(text, 8 * WORD_MAX_CHARS)
}

fn cut(text: &str, most: usize) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let shown = text.chars().map(|c| if hidden(c) { ' ' } else { c });
    let mut cut: String = shown.take(most).collect();
    if text.chars().nth(most).is_some() {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn work(device: &str, days_left: i64) -> Work {
        Work {
            device: device.to_owned(),
            vulnerability: "CVE-2023-1968".to_owned(),
            more: 1,
            advisory: "ICSMA-23-117-01".to_owned(),
            band: "critical",
            decision: "out-of-cycle",
            due: "2026-11-27".to_owned(),
            days_left,
            hit: 7,
        }
    }

    fn found(code: &str, what: &str, todo: &str) -> CheckFinding {
        CheckFinding {
            code: code.to_owned(),
            harm: "high".to_owned(),
            what: what.to_owned(),
            todo: todo.to_owned(),
            places: Vec::new(),
        }
    }

    fn digest() -> Digest {
        let no_backup = found(
            "check.no-backup",
            "no backup was ever made, so a broken disk loses everything",
            "make one with labward backup create, on another volume, and then daily",
        );
        let no_witness = found(
            "check.no-witness",
            "no witness cosigns the checkpoints, so a second history could be hidden from outsiders",
            "ask a partner or the outside expert to run labward ledger witness (docs/guide/witness.md)",
        );
        let verified = found(
            "check.ledger-not-verified",
            "the ledger was not verified for 30 days",
            "run labward ledger verify",
        );
        Digest {
            lab: "Labor Nord".to_owned(),
            recipient: "manager".to_owned(),
            written: "2026-11-28 07:00 +01:00".to_owned(),
            console: Some("https://lab.example:8443".to_owned()),
            details: true,
            within_days: 7,
            overdue: vec![
                work("MiSeqDx 1", -1),
                work("MiSeqDx\r\nBcc: x@y.example", -30),
            ],
            soon: vec![work("Sequenzierer ñ", 0), work("XN-550", 3)],
            new: vec![work("Kiestra", 60)],
            raised: vec![no_backup],
            standing: vec![no_witness],
            cleared: vec![verified],
            others: 3,
            alerts: vec!["CMS8000 202.114.4.119 tcp/515".to_owned()],
        }
    }

    fn golden(name: &str, digest: &Digest) {
        for (tag, language) in [("en", Language::En), ("es", Language::Es)] {
            let text = format!("{}\n\n{}", digest.subject(language), digest.text(language));
            let path = format!("src/mail/golden/{name}.{tag}.txt");
            if std::env::var_os("UPDATE_GOLDEN").is_some() {
                fs::write(&path, &text).unwrap();
            }
            let kept = fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(kept, text, "{path}");
        }
    }

    #[test]
    fn a_digest_says_in_both_languages_what_is_due_where_and_what_changed() {
        golden("digest", &digest());
    }

    #[test]
    fn without_details_there_are_only_counts() {
        let digest = Digest {
            details: false,
            ..digest()
        };
        golden("counts", &digest);
        let text = digest.text(Language::En);
        for word in ["MiSeqDx", "CVE-", "ICSMA", "CMS8000", "backup"] {
            assert!(!text.contains(word), "{word}");
        }
    }

    #[test]
    fn nothing_due_is_said_as_such() {
        let digest = Digest {
            lab: "Lab".to_owned(),
            recipient: "manager".to_owned(),
            written: "2026-11-28 07:00 +00:00".to_owned(),
            details: true,
            ..Digest::default()
        };
        assert!(digest.is_empty());
        golden("nothing", &digest);
    }

    #[test]
    fn a_device_name_makes_no_line_of_its_own_and_many_lines_are_counted() {
        let mut digest = digest();
        let text = digest.text(Language::En);
        assert!(!text.lines().any(|line| line.starts_with("Bcc")), "{text}");
        digest.lab = "a\r\nBcc: b".to_owned();
        assert!(!digest.subject(Language::En).contains(['\r', '\n']));
        digest.overdue = vec![work("d", -1); 5_000];
        let text = digest.text(Language::En);
        assert!(text.contains("and 4960 more"), "{text}");
        assert!(text.len() < 20_000);
    }
}
