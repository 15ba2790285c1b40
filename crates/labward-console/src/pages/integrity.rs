//! The baselines of files: which are otherwise than they were, who signed what replaced them, and what people said of it.
//!
//! It must never show the name of a file, which the server is not told, or call a signer trusted.

use std::borrow::Cow;

use askama::Template;
use labward_api::ProblemBody;
use labward_api::integrity::{IntegrityBaseline, IntegrityCounts, IntegritySigner};
use labward_identity::Permission;

use super::devices::entry_text;
use super::{When, in_address};
use crate::RenderError;
use crate::frame::{Frame, Place};
use crate::language::Texts as _;

/// What may be said of open changes.
const ANSWERS: &[&str] = &["update", "expected", "unexpected", "malware"];

/// Files that are otherwise.
fn otherwise(counts: IntegrityCounts) -> u64 {
    let all = [
        counts.added,
        counts.changed,
        counts.moved,
        counts.removed,
        counts.rights,
    ];
    all.into_iter().fold(0, u64::saturating_add)
}

/// How it stands; what was never compared is not as it was.
fn state(one: &IntegrityBaseline) -> &str {
    match one.state.as_str() {
        "unchanged" if one.compared.is_none() => "uncompared",
        state => state,
    }
}

/// The class of the edge: how much it presses.
fn edge(one: &IntegrityBaseline) -> &'static str {
    match state(one) {
        "open" | "malware" => "harm-high-edge",
        "uncompared" | "unexpected" => "harm-medium-edge",
        _ => "good-edge",
    }
}

/// The class of what became of a signature.
fn signing_class(one: &IntegritySigner) -> &'static str {
    match one.how.as_str() {
        "same-signer" => "state-met",
        "new" | "unknown-before" => "",
        _ => "state-bad",
    }
}

#[derive(Template)]
#[template(path = "integrity.html")]
struct BaselinesPage<'a> {
    f: &'a Frame,
    all: &'a [IntegrityBaseline],
}

/// The baselines that the server was told of, those that wait for a person first.
///
/// # Errors
///
/// [`RenderError`].
pub fn integrity(f: &Frame, all: &mut [IntegrityBaseline]) -> Result<String, RenderError> {
    all.sort_by_key(|one| one.state != "open");
    BaselinesPage { f, all }.render()
}

#[derive(Template)]
#[template(path = "integrity_baseline.html")]
struct BaselinePage<'a> {
    f: &'a Frame,
    one: &'a IntegrityBaseline,
    fault: Option<&'a ProblemBody>,
}

impl BaselinePage<'_> {
    fn may_decide(&self) -> bool {
        self.one.state == "open" && self.f.may(Permission::MalwareDecide)
    }

    /// What is otherwise, with its number of files.
    fn kinds(&self) -> Vec<Cow<'static, str>> {
        let counts = &self.one.counts;
        let all = [
            ("integrity-added", counts.added),
            ("integrity-changed", counts.changed),
            ("integrity-moved", counts.moved),
            ("integrity-removed", counts.removed),
            ("integrity-rights", counts.rights),
            ("integrity-unread", counts.unread),
            ("integrity-updates", counts.updates),
        ];
        let there = all.into_iter().filter(|(_, count)| *count > 0);
        there.map(|(key, count)| self.f.n(key, count)).collect()
    }
}

/// One baseline: what is otherwise, what alarms, who signed, and the form to say what it is.
///
/// # Errors
///
/// [`RenderError`].
pub fn integrity_baseline(
    f: &Frame,
    one: &IntegrityBaseline,
    fault: Option<&ProblemBody>,
) -> Result<String, RenderError> {
    BaselinePage { f, one, fault }.render()
}

#[cfg(test)]
mod tests {
    use labward_api::integrity::IntegrityAlarm;
    use labward_identity::{Language, Role};

    use super::super::hits::tests::frame;
    use super::*;

    const ALARMS: &[&str] = &[
        "baseline-replaced",
        "changed-unseen",
        "malware",
        "many-changes",
        "not-scanned",
        "older-version",
        "signature-lost",
        "signature-unread",
        "signature-wrong",
        "signer-changed",
        "signer-unproven",
        "unread",
        "unsigned-program",
    ];
    const SIGNINGS: &[&str] = &[
        "lost",
        "new",
        "other-signer",
        "same-name",
        "same-signer",
        "unknown-before",
        "unread",
        "wrong",
    ];

    fn baseline(state: &str) -> IntegrityBaseline {
        let alarms = ALARMS.iter().map(|code| IntegrityAlarm {
            code: (*code).to_owned(),
            count: 2,
        });
        let signers = SIGNINGS.iter().map(|how| IntegritySigner {
            how: (*how).to_owned(),
            was: Some("Maker <b>".to_owned()),
            is: Some("Other <b>".to_owned()),
            count: 1_234,
        });
        IntegrityBaseline {
            name: "xn/550 <i>".to_owned(),
            baseline: "ab".repeat(32),
            since: "2026-11-01T06:00:00Z".to_owned(),
            compared: Some("2026-11-28T06:00:00Z".to_owned()),
            counts: IntegrityCounts {
                files: 900,
                added: 1,
                changed: 2,
                moved: 3,
                removed: 4,
                rights: 5,
                unread: 6,
                updates: 7,
            },
            alarms: alarms.collect(),
            signers: signers.collect(),
            state: state.to_owned(),
            entry: 8,
        }
    }

    #[test]
    fn every_alarm_and_signing_is_said_in_every_language() {
        for language in [Language::En, Language::Es] {
            let f = frame(Role::LabManager, language);
            for state in [
                "open",
                "unchanged",
                "expected",
                "unexpected",
                "update",
                "malware",
            ] {
                let it = integrity_baseline(&f, &baseline(state), None).unwrap();
                // A text that is missing is shown as its key.
                let text = it.replace("/malware/integrity", "");
                assert!(!text.contains("integrity-"), "{text}");
                assert!(!it.contains("<i>") && !it.contains("<b>"));
                let mut all = vec![baseline("unchanged"), baseline(state)];
                let list = integrity(&f, &mut all).unwrap();
                assert!(list.contains("href=\"/malware/integrity/xn%2F550%20%3Ci%3E\""));
                let text = list.replace("/malware/integrity", "");
                assert!(!text.replace("/export/integrity", "").contains("integrity-"));
            }
        }
    }

    #[test]
    fn only_what_is_open_is_decided_and_only_by_who_may() {
        let decide = "/decide\"";
        let shown = |role, state: &str| {
            let f = frame(role, Language::En);
            integrity_baseline(&f, &baseline(state), None).unwrap()
        };
        for role in [Role::LabManager, Role::SecurityOfficer, Role::It] {
            assert!(shown(role, "open").contains(decide), "{role}");
            assert!(!shown(role, "expected").contains(decide), "{role}");
        }
        assert!(!shown(Role::Expert, "open").contains(decide));
    }

    #[test]
    fn what_was_never_compared_is_not_said_to_be_as_it_was() {
        let f = frame(Role::LabManager, Language::En);
        let never = IntegrityBaseline {
            compared: None,
            ..baseline("unchanged")
        };
        let one = integrity_baseline(&f, &never, None).unwrap();
        let list = integrity(&f, &mut [never]).unwrap();
        for it in [one, list] {
            assert!(it.contains("Not compared yet") && !it.contains("As in its baseline"));
        }
    }

    #[test]
    fn what_waits_for_a_person_stands_first() {
        let f = frame(Role::LabManager, Language::En);
        let named = |name: &str, state| IntegrityBaseline {
            name: name.to_owned(),
            ..baseline(state)
        };
        let mut all = vec![named("calm-pc", "unchanged"), named("loud-pc", "open")];
        let it = integrity(&f, &mut all).unwrap();
        assert!(it.find("loud-pc").unwrap() < it.find("calm-pc").unwrap());
        let none = integrity(&f, &mut []).unwrap();
        assert!(none.contains("labward integrity baseline"), "{none}");
    }
}
