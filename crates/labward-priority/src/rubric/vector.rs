//! What the answers make of a CVSS 3 vector: its environmental vector, and the score of that.

use labward_advisory::{CvssVersion, Scored};

use super::answers::{Answer, Answers};
use super::questions::{Kind, Metric, QUESTIONS};

/// A vector after the rubric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjusted {
    /// The vector with the metrics that the answers modified.
    pub vector: String,
    /// Its environmental score in tenths, with the temporal metrics that the vector has.
    pub tenths: u8,
    /// The metrics of which the answers say something else than the vector did.
    pub changed: Vec<Metric>,
}

/// Applies answers to a vector; `None` if it is no CVSS 3 vector.
///
/// A metric of which the questions that lead to a value are not all answered stays as it is.
pub fn adjust(scored: &Scored, answers: &Answers) -> Option<Adjusted> {
    if !matches!(scored.version(), CvssVersion::V30 | CvssVersion::V31) {
        return None;
    }
    let mut text = format!("CVSS:{}", scored.version().as_str());
    let base = Metric::ALL.iter().map(|metric| metric.name());
    for name in base.chain(["E", "RL", "RC", "CR", "IR", "AR"]) {
        if let Some(value) = scored.metric(name) {
            text.push_str(&format!("/{name}:{value}"));
        }
    }
    let mut changed = Vec::new();
    for metric in Metric::ALL {
        let base = scored.metric(metric.name())?;
        let modified = scored.metric(metric.modified());
        let stands = modified.as_deref().filter(|value| *value != "X");
        let stands = stands.unwrap_or(&base);
        let value = answered(*metric, stands, answers).unwrap_or(stands);
        if value != stands {
            changed.push(*metric);
        }
        if value != base {
            text.push_str(&format!("/{}:{value}", metric.modified()));
        }
    }
    let tenths = Scored::parse(&text)?.environmental_tenths()?;
    Some(Adjusted {
        vector: text,
        tenths,
        changed,
    })
}

/// The value to which the answers lead; `None` if they lead to none.
fn answered(metric: Metric, stands: &str, answers: &Answers) -> Option<&'static str> {
    match metric {
        Metric::AttackVector => attack_vector(answers),
        Metric::AttackComplexity => yes_no(answers, "XACL", "L", "H", "L"),
        Metric::PrivilegesRequired => privileges(answers),
        Metric::UserInteraction => yes_no(answers, "XUI", "R", "N", "N"),
        Metric::Scope => yes_no(answers, "XS", "C", "U", "C"),
        Metric::Confidentiality | Metric::Integrity | Metric::Availability => {
            impact(metric, stands, answers)
        }
    }
}

fn yes_no(
    answers: &Answers,
    code: &str,
    yes: &'static str,
    no: &'static str,
    unknown: &'static str,
) -> Option<&'static str> {
    Some(match answers.get(code)? {
        Answer::Yes => yes,
        Answer::No => no,
        _ => unknown,
    })
}

fn attack_vector(answers: &Answers) -> Option<&'static str> {
    match answers.get("XAVN")? {
        Answer::No => yes_no(answers, "XAVP", "P", "L", "L"),
        Answer::Yes => match answers.get("XAVT")? {
            Answer::No => match answers.get("XAVW")? {
                Answer::Yes => yes_no(answers, "XAVR", "L", "A", "A"),
                _ => Some("A"),
            },
            _ => Some("N"),
        },
        _ => Some("N"),
    }
}

fn privileges(answers: &Answers) -> Option<&'static str> {
    match answers.get("XPRL")? {
        Answer::Yes => match answers.get("XPRZ")? {
            Answer::Yes => yes_no(answers, "XPRS", "H", "L", "L"),
            _ => Some("N"),
        },
        _ => Some("N"),
    }
}

fn level_of(value: &str) -> u8 {
    match value {
        "N" => 0,
        "L" => 1,
        _ => 2,
    }
}

/// The worst of the six kinds; while one is open, the metric can become worse and not better.
fn impact(metric: Metric, stands: &str, answers: &Answers) -> Option<&'static str> {
    let mut worst = None;
    let mut is_open = false;
    for question in QUESTIONS
        .iter()
        .filter(|question| question.metric == metric)
    {
        let level = match (question.code, answers.get(question.code)) {
            ("XCPM", _) => continue,
            ("XCP", Some(Answer::Yes)) => match answers.get("XCPM") {
                Some(Answer::No) => Some(1),
                Some(_) => Some(2),
                None => {
                    is_open = true;
                    Some(1)
                }
            },
            (_, answer) => answer.map(|answer| level_of_answer(question.kind, answer)),
        };
        is_open |= level.is_none();
        worst = worst.max(level);
    }
    let mut level = worst?;
    if is_open {
        level = level.max(level_of(stands));
    }
    Some(match level {
        0 => "N",
        1 => "L",
        _ => "H",
    })
}

const fn level_of_answer(kind: Kind, answer: Answer) -> u8 {
    match (kind, answer) {
        (_, Answer::No | Answer::None) => 0,
        (_, Answer::Low) => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";

    #[track_caller]
    fn check(base: &str, answers: &str, vector: &str, tenths: u8) {
        let scored = Scored::parse(base).unwrap();
        let adjusted = adjust(&scored, &answers.parse().unwrap()).unwrap();
        assert_eq!(
            (adjusted.vector.as_str(), adjusted.tenths),
            (vector, tenths)
        );
    }

    #[test]
    fn what_is_not_answered_stays_as_it_is() {
        check(BASE, "", BASE, 98);
        check(BASE, "XAVN:Y", BASE, 98);
        check(BASE, "XAVN:Y/XAVT:N", BASE, 98);
        check(BASE, "XCD:N/XID:N", BASE, 98);
        check(BASE, "XAVPA:Y", BASE, 98);
    }

    #[test]
    fn answers_lead_to_modified_metrics_and_their_score() {
        let near = format!("{BASE}/MAV:L");
        check(BASE, "XAVN:Y/XAVT:N/XAVW:Y/XAVR:Y", &near, 84);
        check(BASE, "XAVN:Y/XAVT:N/XAVW:N", &format!("{BASE}/MAV:A"), 88);
        check(BASE, "XAVN:N/XAVP:Y", &format!("{BASE}/MAV:P"), 68);
        check(BASE, "XAVN:U", BASE, 98);
        check(BASE, "XPRL:Y/XPRZ:Y/XPRS:Y", &format!("{BASE}/MPR:H"), 72);
        check(BASE, "XPRL:N", BASE, 98);
        check(BASE, "XUI:Y", &format!("{BASE}/MUI:R"), 88);
        check(BASE, "XS:Y", &format!("{BASE}/MS:C"), 100);
        check(BASE, "XACL:N", &format!("{BASE}/MAC:H"), 81);
    }

    #[test]
    fn an_impact_gets_better_only_when_every_kind_is_answered() {
        let low = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N";
        check(low, "XCP:Y/XCPM:Y", &format!("{low}/MC:H"), 75);
        check(low, "XCP:Y/XCPM:N", low, 53);
        check(low, "XID:H", &format!("{low}/MI:H"), 82);
        let none = "XCP:N/XCD:N/XCT:N/XCW:N/XCS:N/XCO:N";
        check(low, none, &format!("{low}/MC:N"), 0);
        check(low, "XCP:N/XCD:N/XCT:N/XCW:N/XCS:N", low, 53);
    }

    #[test]
    fn what_the_publisher_modified_stands_until_an_answer_says_otherwise() {
        let modified = format!("{BASE}/E:P/MAV:A");
        check(&modified, "", &modified, 83);
        check(&modified, "XAVN:Y/XAVT:Y", &format!("{BASE}/E:P"), 93);
    }

    #[test]
    fn only_version_3_is_adjusted() {
        for other in [
            "AV:N/AC:L/Au:N/C:P/I:P/A:P",
            "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
        ] {
            let answers = "XUI:Y".parse().unwrap();
            assert_eq!(adjust(&Scored::parse(other).unwrap(), &answers), None);
        }
    }
}
