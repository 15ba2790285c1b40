//! What becomes of a mail, by what was found in it and what the lab wishes.
//!
//! It must never let a mail vanish that does not lie in quarantine, let a malicious one pass, or tell a stranger which rule it
//! was found by.

use labward_api::malware::Inspected;
use labward_base::problem;
use labward_milter::Reply;

use super::mail::{Mail, SCAN_HEADER, Unheld};
use super::notice;
use crate::args::{MaliciousMail, UnseenMail};

/// So many headers of strangers that claim to be the filter's are removed; a mail with more is refused.
const STRANGERS_MAX: u32 = 100;
/// How many rules are named, and how much of each.
const RULES_MAX: usize = 3;
const RULE_MAX_CHARS: usize = 64;

const REJECTED: &str = "550 5.7.1 This mail is not accepted because of its content";
const LATER: &str = "451 4.7.1 This mail cannot be looked at now, try again later";

/// What the lab wishes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Policy {
    pub(super) malicious: MaliciousMail,
    pub(super) unwell: UnseenMail,
}

/// What is known of a mail.
#[derive(Debug)]
pub(super) enum Known {
    /// What the server found.
    Inspected(Inspected),
    /// It was not held, so nobody looked.
    Unheld(Unheld),
    /// The code of the problem with which the server answered, or did not.
    Unanswered(String),
}

impl Known {
    /// In one word.
    pub(super) fn word(&self) -> &str {
        match self {
            Self::Inspected(found) => &found.verdict,
            Self::Unheld(Unheld::TooLarge) => "too-large",
            Self::Unheld(Unheld::NoMemory) => "no-memory",
            Self::Unanswered(code) => code,
        }
    }
}

/// What becomes of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// It goes nowhere and lies in quarantine as this item.
    Discard(u64),
    /// A notice goes in its place; it lies in quarantine as this item.
    Notice(u64),
    /// It passes, marked with these words if there are any.
    Pass(Option<String>),
    /// It is refused for good.
    Reject,
    /// It is refused for now.
    TempFail,
}

impl Decision {
    /// In one word.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Discard(_) => "discarded",
            Self::Notice(_) => "replaced",
            Self::Pass(None) => "passed",
            Self::Pass(Some(_)) => "marked",
            Self::Reject => "rejected",
            Self::TempFail => "put-off",
        }
    }

    /// What lies in quarantine.
    pub(super) fn item(&self) -> Option<u64> {
        match self {
            Self::Discard(item) | Self::Notice(item) => Some(*item),
            _ => None,
        }
    }
}

/// What becomes of a mail of which this is known.
pub(super) fn decide(policy: Policy, known: &Known, mail: &Mail) -> Decision {
    if mail.strangers() > STRANGERS_MAX {
        return Decision::Reject;
    }
    let unseen = match policy.unwell {
        UnseenMail::Accept => Decision::Pass(Some("not-scanned".to_owned())),
        UnseenMail::Tempfail => Decision::TempFail,
    };
    match known {
        Known::Inspected(found) => match found.verdict.as_str() {
            "clean" => Decision::Pass(None),
            "malicious" => malicious(policy, found.item),
            word @ ("suspicious" | "unscannable") => Decision::Pass(Some(marked(word, found))),
            _ => unseen,
        },
        Known::Unheld(Unheld::TooLarge) => too_large(),
        // Only this moment lacks memory.
        Known::Unheld(Unheld::NoMemory) => Decision::TempFail,
        Known::Unanswered(code) if *code == problem::SERVER_TOO_LARGE.code => too_large(),
        // It is malicious, and nothing holds it: whoever sent it still has it.
        Known::Unanswered(code) if *code == problem::QUARANTINE_TOO_LARGE.code => Decision::Reject,
        Known::Unanswered(code) if *code == problem::QUARANTINE_UNWRITABLE.code => {
            Decision::TempFail
        }
        Known::Unanswered(_) => unseen,
    }
}

fn too_large() -> Decision {
    Decision::Pass(Some("unscannable (too-large)".to_owned()))
}

/// A mail that is taken from its recipients lies in quarantine before.
fn malicious(policy: Policy, item: Option<u64>) -> Decision {
    match (policy.malicious, item) {
        (MaliciousMail::Reject, _) => Decision::Reject,
        (MaliciousMail::Notice, Some(item)) => Decision::Notice(item),
        (MaliciousMail::Discard, Some(item)) => Decision::Discard(item),
        (_, None) => Decision::TempFail,
    }
}

/// The verdict and by which rules.
fn marked(word: &str, found: &Inspected) -> String {
    let mut rules: Vec<String> = Vec::new();
    for finding in &found.findings {
        let rule = plain(&finding.rule);
        if !rule.is_empty() && !rules.contains(&rule) && rules.len() < RULES_MAX {
            rules.push(rule);
        }
    }
    match rules.is_empty() {
        true => word.to_owned(),
        false => format!("{word} ({})", rules.join(", ")),
    }
}

/// A rule's name without what could end a header or a comment.
fn plain(rule: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let chars = rule.chars().take(RULE_MAX_CHARS);
    chars.map(|c| if is_plain(c) { c } else { '_' }).collect()
}

/// What the mail server is told; a mail that cannot become a notice is refused, so that its sender knows.
pub(super) fn replies(
    decision: &Decision,
    mail: &Mail,
    leading_space: bool,
) -> (Vec<Reply>, &'static str) {
    let say = |line: &str| vec![Reply::ReplyCode(line.as_bytes().to_vec())];
    let replies = match decision {
        Decision::Discard(_) => vec![Reply::Discard],
        Decision::Notice(item) => match notice::replies(mail, *item, leading_space) {
            Some(mut replies) => {
                replies.push(Reply::Continue);
                replies
            }
            None => return (say(REJECTED), Decision::Reject.word()),
        },
        Decision::Pass(mark) => pass(mark.as_deref(), mail, leading_space),
        Decision::Reject => say(REJECTED),
        Decision::TempFail => say(LATER),
    };
    (replies, decision.word())
}

fn pass(mark: Option<&str>, mail: &Mail, leading_space: bool) -> Vec<Reply> {
    let name = SCAN_HEADER.as_bytes();
    let removed = (1..=mail.strangers()).rev();
    let mut replies: Vec<Reply> = removed
        .map(|number| Reply::ChangeHeader(number, name.to_vec(), Vec::new()))
        .collect();
    if let Some(mark) = mark {
        let space = if leading_space { " " } else { "" };
        let value = format!("{space}{mark}").into_bytes();
        replies.push(Reply::AddHeader(name.to_vec(), value));
    }
    replies.push(Reply::Continue);
    replies
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::mail_filter::mail::Memory;
    use labward_api::malware::DetectionFinding;

    const POLICY: Policy = Policy {
        malicious: MaliciousMail::Notice,
        unwell: UnseenMail::Tempfail,
    };

    fn mail(strangers: usize) -> Mail {
        let mut mail = Mail::new(&Memory::of(1 << 20), 1 << 20);
        (0..strangers).for_each(|_| mail.add_header(b"X-LABWARD-scan".to_vec(), b" clean"));
        mail
    }

    fn found(verdict: &str, rule: &str, item: Option<u64>) -> Known {
        let finding = DetectionFinding {
            rule: rule.to_owned(),
            ..DetectionFinding::default()
        };
        Known::Inspected(Inspected {
            verdict: verdict.to_owned(),
            findings: vec![finding],
            item,
            ..Inspected::default()
        })
    }

    fn check(known: Known, expect: Decision) {
        assert_eq!(decide(POLICY, &known, &mail(0)), expect, "{known:?}");
    }

    #[test]
    fn each_verdict_has_its_consequence() {
        let marked = |words: &str| Decision::Pass(Some(words.to_owned()));
        check(found("clean", "", None), Decision::Pass(None));
        check(found("malicious", "R", Some(7)), Decision::Notice(7));
        check(
            found("suspicious", "Macro", None),
            marked("suspicious (Macro)"),
        );
        check(
            found("unscannable", "encrypted", None),
            marked("unscannable (encrypted)"),
        );
        check(found("scanner-error", "", None), Decision::TempFail);
        check(found("brand-new", "", None), Decision::TempFail);
        let unanswered = |code: &str| Known::Unanswered(code.to_owned());
        check(unanswered("server.not-running"), Decision::TempFail);
        check(unanswered("quarantine.too-large"), Decision::Reject);
        check(Known::Unheld(Unheld::NoMemory), Decision::TempFail);
        for large in [
            Known::Unheld(Unheld::TooLarge),
            unanswered("server.too-large"),
        ] {
            check(large, marked("unscannable (too-large)"));
        }
    }

    #[test]
    fn a_mail_that_lies_nowhere_never_vanishes_and_never_passes() {
        for malicious in [MaliciousMail::Discard, MaliciousMail::Notice] {
            for unwell in [UnseenMail::Accept, UnseenMail::Tempfail] {
                let policy = Policy { malicious, unwell };
                for known in [
                    found("malicious", "R", None),
                    Known::Unanswered("quarantine.unwritable".to_owned()),
                ] {
                    assert_eq!(decide(policy, &known, &mail(0)), Decision::TempFail);
                }
            }
        }
    }

    #[test]
    fn a_rules_name_cannot_end_the_header() {
        let known = found("suspicious", "a\r\nBcc: b) x", None);
        check(
            known,
            Decision::Pass(Some("suspicious (a__Bcc__b__x)".to_owned())),
        );
    }

    #[test]
    fn what_strangers_claim_is_removed_from_the_last_to_the_first() {
        let (replies, _) = replies(&Decision::Pass(None), &mail(2), true);
        let removed = |number| Reply::ChangeHeader(number, SCAN_HEADER.into(), Vec::new());
        assert_eq!(replies, [removed(2), removed(1), Reply::Continue]);
        let known = found("clean", "", None);
        assert_eq!(decide(POLICY, &known, &mail(101)), Decision::Reject);
    }
}
