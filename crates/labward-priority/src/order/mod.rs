//! What is to be done: an order in which to do it, a work order for one hit, and a calendar of all.
//!
//! Everything that is said is a [`Saying`], so that the reader gets it in their language. It must never hold
//! anything of a patient: what goes in are names of devices, ids of vulnerabilities and advisories, and what
//! this room decided of them; notes about a device do not belong here.

mod calendar;

use std::cmp::Reverse;

use labward_base::Saying;

use crate::clocks::{Due, Rule};
use crate::known::Certainty;
use crate::priority::Priority;
use crate::reason::{ExposureFrom, Reason};
use crate::ssvc::SystemExposure;
use crate::standing::{Standing, State};

pub use calendar::{Head, calendar};

/// What is to be done about one hit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// A key of the hit that stays the same for its whole life and is its own.
    pub hit: String,
    /// What the laboratory calls the device.
    pub device: String,
    /// The id of the vulnerability, for example a CVE.
    pub vulnerability: String,
    /// The id of the advisory.
    pub advisory: String,
    /// How urgent it is.
    pub priority: Priority,
    /// By which day.
    pub due: Due,
    /// Where it stands.
    pub standing: Standing,
}

/// Sorts a due list: the earliest day first, on one day the most urgent, and without ties by the hit's key.
pub fn sort_by_due(work: &mut [Work]) {
    work.sort_by(|a, b| {
        let place = |one: &Work| (one.due.day, Reverse(one.priority.rank()));
        place(a).cmp(&place(b)).then_with(|| a.hit.cmp(&b.hit))
    });
}

/// A work order, to be printed or handed to a vendor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkOrder {
    /// What it is about.
    pub title: Saying,
    /// Its parts in order: a heading, and what stands under it.
    pub parts: Vec<(Saying, Vec<Saying>)>,
}

/// A text without a place.
const fn plain(code: &'static str, text: &'static str) -> Saying {
    Saying {
        code,
        text,
        values: Vec::new(),
    }
}

impl Work {
    /// What it is about.
    fn title(&self) -> Saying {
        Saying::new(
            "work",
            "{device}: {vulnerability} ({band}, {state})",
            vec![
                ("device", self.device.clone()),
                ("vulnerability", self.vulnerability.clone()),
                ("band", self.priority.band.name().to_owned()),
                ("state", self.standing.state.name().to_owned()),
            ],
        )
    }

    fn published(&self) -> Saying {
        Saying::new(
            "work-advisory",
            "Published in {advisory}.",
            vec![("advisory", self.advisory.clone())],
        )
    }

    fn due_day(&self) -> Saying {
        Saying::new(
            "work-due",
            "Due on {day}.",
            vec![("day", self.due.day.to_string())],
        )
    }

    /// The work order of a hit.
    pub fn order(&self) -> WorkOrder {
        let why = self.priority.reasons.iter().map(Reason::saying).collect();
        let mut when = vec![self.due_day(), self.due.rule.saying()];
        when.extend(self.standing.notes.iter().map(|note| note.saying()));
        WorkOrder {
            title: self.title(),
            parts: vec![
                (plain("order-what", "What"), vec![self.published()]),
                (plain("order-why", "Why"), why),
                (plain("order-when", "By when"), when),
                (plain("order-steps", "What to do"), self.steps()),
                (plain("order-done", "Done"), done()),
            ],
        }
    }

    /// What to do, in order; nothing of it stops the device.
    fn steps(&self) -> Vec<Saying> {
        let reasons = &self.priority.reasons;
        let is_exposed = reasons.iter().any(
            |reason| matches!(reason, Reason::Exposure(value, _) if *value > SystemExposure::Small),
        );
        let is_unmeasured = reasons
            .iter()
            .any(|reason| matches!(reason, Reason::Exposure(_, ExposureFrom::Unknown)));
        let has_ended = reasons
            .iter()
            .any(|reason| matches!(reason, Reason::SupportEnded(_)));
        let has_patch = matches!(self.due.rule, Rule::Found { .. } | Rule::Patch { .. });
        let is_doubtful = self.priority.certainty == Certainty::CannotTell;
        let is_treated = self.standing.state == State::Treated;
        let all = [
            (
                is_doubtful,
                plain(
                    "step-look",
                    "Look at the device: model, software and version. Note what you find; the hit may be none.",
                ),
            ),
            (
                true,
                plain(
                    "step-care",
                    "Agree with those who run the device when it may be touched; patient care goes first.",
                ),
            ),
            (
                !has_ended,
                plain(
                    "step-ask",
                    "Ask the vendor whether a patch exists and is approved for this device, and note the answer.",
                ),
            ),
            (
                has_patch,
                plain(
                    "step-patch",
                    "Apply the approved patch, then run quality control before patients' results are released.",
                ),
            ),
            (
                is_unmeasured,
                plain("step-measure", "Have it measured who reaches the device."),
            ),
            (
                is_exposed,
                plain(
                    "step-control",
                    "Separate the device from whatever it need not talk to; that counts while it is measured.",
                ),
            ),
            (
                has_ended,
                plain("step-replace", "Plan its replacement with a day."),
            ),
            (
                !is_treated,
                plain(
                    "step-accept",
                    "If none of this can be done by the day, have the risk accepted until a day, with the reason and by whom.",
                ),
            ),
        ];
        let needed = all.into_iter().filter(|(needed, _)| *needed);
        needed.map(|(_, step)| step).collect()
    }
}

fn done() -> Vec<Saying> {
    vec![
        plain("done-what", "What was done: ____________________"),
        plain(
            "done-who",
            "By whom, and on which day: ____________________",
        ),
        plain(
            "done-control",
            "Quality control passed (yes, no, not needed): ____________________",
        ),
    ]
}

impl WorkOrder {
    /// The work order as plain text, in the words of `say`; `Saying::to_string` says it in English.
    pub fn to_text(&self, say: impl Fn(&Saying) -> String) -> String {
        let mut text = one_line(&say(&self.title));
        text.push('\n');
        for (heading, lines) in &self.parts {
            text.push_str(&format!("\n{}\n", one_line(&say(heading))));
            for line in lines {
                text.push_str(&format!("- {}\n", one_line(&say(line))));
            }
        }
        text
    }
}

/// A name may hold what breaks a line; here it stands for a space.
fn one_line(text: &str) -> String {
    let is_break = |letter: char| letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}');
    text.replace(is_break, " ")
}

#[cfg(test)]
mod tests;
