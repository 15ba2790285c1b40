//! The reader against the gold set: every version string of CISA's medical advisories of 2017 to 2023, labelled by hand.
//!
//! `LABWARD_WRITE_DOCS` writes the table of `docs/ref/matching.md` instead of comparing it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly, outside of its own function too"
)]

use std::fmt::Write as _;
use std::path::Path;

use labward_product::Version;
use labward_product::range::{self, Bound, ConditionKind, Holds, Interval, Unit};

mod documented;
use documented::documented;

/// One line of `data/gold.csv`.
struct Label {
    text: String,
    reading: String,
    unit: String,
    conditions: String,
    yes: Vec<String>,
    no: Vec<String>,
    cannot_tell: Vec<String>,
}

/// The lines of a file of labels.
fn labels(name: &str) -> Vec<Label> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("data")
        .join(name);
    let mut reader = csv::Reader::from_path(file).unwrap();
    let heading = reader.headers().unwrap().clone();
    reader
        .records()
        .map(|record| {
            let record = record.unwrap();
            let field = |name: &str| {
                let at = heading.iter().position(|column| column == name);
                at.and_then(|at| record.get(at)).unwrap_or("").to_owned()
            };
            let probes = |name: &str| {
                field(name)
                    .split(';')
                    .filter(|p| !p.is_empty())
                    .map(str::to_owned)
                    .collect()
            };
            Label {
                text: field("text"),
                reading: field("reading"),
                unit: field("unit"),
                conditions: field("conditions"),
                yes: probes("yes"),
                no: probes("no"),
                cannot_tell: probes("cannot_tell"),
            }
        })
        .collect()
}

/// A reading in the notation of the gold set.
fn notation(alternatives: &[Interval]) -> String {
    let show = |operator: &str, bound: &Bound| {
        let text = bound.version.text();
        // `<3.x` is `<3`; a month is whole by nature; `C.0x` keeps its x.
        let whole = bound.whole
            && (bound.inclusive || operator == "=")
            && !text.ends_with('x')
            && !text.contains(' ');
        format!("{operator}{text}{}", if whole { ".*" } else { "" })
    };
    alternatives
        .iter()
        .map(|interval| match (&interval.low, &interval.high) {
            (None, None) => "*".to_owned(),
            (Some(low), Some(high)) if low == high => show("=", low),
            (low, high) => {
                let low = low
                    .as_ref()
                    .map(|b| show(if b.inclusive { ">=" } else { ">" }, b));
                let high = high
                    .as_ref()
                    .map(|b| show(if b.inclusive { "<=" } else { "<" }, b));
                [low, high]
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>()
                    .join(" ")
            }
        })
        .collect::<Vec<_>>()
        .join(" || ")
}

fn plain(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    // `v6.x` and `6.x` are one.
    text.to_lowercase().replace("=v", "=")
}

fn unit(alternatives: &[Interval]) -> &'static str {
    match alternatives.first().map(|interval| interval.unit) {
        Some(Unit::Date(_)) => "date",
        Some(Unit::Mark) => "mark",
        Some(Unit::Model) => "model",
        Some(Unit::Part) => "part",
        Some(Unit::Serial(_)) => "serial",
        Some(Unit::Version) | None => "version",
    }
}

/// The kinds of conditions, in the words of the gold set.
fn conditions(reading: &range::Reading) -> String {
    let mut kinds: Vec<&str> = reading
        .conditions
        .iter()
        .map(|condition| match condition.kind {
            ConditionKind::Cve => "cve",
            ConditionKind::Model => "model",
            ConditionKind::OperatingSystem => "os",
            ConditionKind::Option => "option",
            ConditionKind::OtherPart => "part",
            ConditionKind::Remark => "remark",
            ConditionKind::Shipped => "shipped",
        })
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds.join(",")
}

#[derive(Default)]
struct Score {
    /// Alternatives and unit as labelled.
    same: usize,
    /// Alternatives as labelled, but whether they are versions or models is left open.
    open: usize,
    different: Vec<String>,
    /// What must hold besides is of the kinds that are labelled.
    conditions: usize,
    other_conditions: Vec<String>,
    unread: Vec<String>,
    /// Cannot be read, by the label and by the reader.
    both_unread: usize,
    /// By what is right: yes, no, cannot tell; and what was answered.
    answers: [[usize; 3]; 3],
    wrong: Vec<String>,
}

fn score(labels: &[Label]) -> Score {
    let mut score = Score::default();
    for label in labels {
        let reading = range::read(&label.text);
        let labelled_unread = label.reading == "unreadable";
        match &reading {
            Err(_) if labelled_unread => score.both_unread += 1,
            Err(why) => score
                .unread
                .push(format!("{:?}: {:?}", label.text, why.why)),
            Ok(reading) => {
                let kinds = conditions(reading);
                if kinds == label.conditions {
                    score.conditions += 1;
                } else {
                    score.other_conditions.push(format!(
                        "{:?}: {kinds} and not {}",
                        label.text, label.conditions
                    ));
                }
                let read = notation(&reading.alternatives);
                let unit = unit(&reading.alternatives);
                if plain(&read) != plain(&label.reading) {
                    score.different.push(format!(
                        "{:?}: {} and not {}",
                        label.text, read, label.reading
                    ));
                } else if unit == label.unit {
                    score.same += 1;
                } else if unit == "mark" {
                    score.open += 1;
                } else {
                    score
                        .different
                        .push(format!("{:?}: {} and not {}", label.text, unit, label.unit));
                }
            }
        }
        for (right, probes) in [&label.yes, &label.no, &label.cannot_tell]
            .into_iter()
            .enumerate()
        {
            for probe in probes {
                let answer = match reading.as_ref().map(|r| r.holds(&Version::read(probe))) {
                    Ok(Holds::Yes(_)) => 0,
                    Ok(Holds::No(_)) => 1,
                    Ok(Holds::CannotTell(..)) | Err(_) => 2,
                };
                score.answers[right][answer] += 1;
                if answer != right {
                    score.wrong.push(format!(
                        "{:?} and {probe:?}: {answer} and not {right}",
                        label.text
                    ));
                }
            }
        }
    }
    score
}

#[test]
fn a_yes_of_the_gold_set_is_right_and_nothing_is_dropped() {
    let labels = labels("gold.csv");
    assert_eq!(labels.len(), 275, "every distinct string is labelled");
    let score = score(&labels);
    println!("different:\n{}", score.different.join("\n"));
    println!("conditions:\n{}", score.other_conditions.join("\n"));
    println!("unread:\n{}", score.unread.join("\n"));
    println!("answers:\n{}", score.wrong.join("\n"));
    documented("gold", &table(&labels, &score));
    score.assert_precise();
    let counted =
        score.same + score.open + score.different.len() + score.unread.len() + score.both_unread;
    assert_eq!(counted, labels.len(), "nothing is dropped");
    assert!(
        score.same * 100 >= labels.len() * 85,
        "{} are read as labelled",
        score.same
    );
}

fn table(labels: &[Label], score: &Score) -> String {
    let read = score.same + score.open + score.different.len();
    let readable = labels.len() - score.both_unread;
    let mut out = String::from("| Measure | Figure |\n|---|---|\n");
    let mut line = |name: &str, figure: String| writeln!(out, "| {name} | {figure} |").unwrap();
    line("strings, each labelled by hand", labels.len().to_string());
    line(
        "read as labelled (bounds and unit)",
        share(score.same, readable),
    );
    line(
        "read as labelled, version or model left open",
        score.open.to_string(),
    );
    line(
        "read otherwise than labelled",
        score.different.len().to_string(),
    );
    line(
        "conditions of the kinds that are labelled",
        share(score.conditions, read),
    );
    line("labelled, and not read", score.unread.len().to_string());
    line(
        "cannot be read, by label and reader",
        score.both_unread.to_string(),
    );
    line(
        "precision of a reading (left open counts as wrong)",
        share(score.same, read),
    );
    out + &score.claims()
}

impl Score {
    /// How often an answer was given.
    fn given(&self, answer: usize) -> usize {
        (0..3).map(|right| self.answers[right][answer]).sum()
    }

    /// The lines of a table about the answers.
    fn claims(&self) -> String {
        let of = |right: usize| self.answers[right].iter().sum::<usize>();
        let right = |answer: usize| self.answers[answer][answer];
        let lines = [
            (
                "probes: versions asked of these strings",
                (of(0) + of(1) + of(2)).to_string(),
            ),
            ("precision of \"yes\"", share(right(0), self.given(0))),
            ("precision of \"no\"", share(right(1), self.given(1))),
            ("\"yes\" found where it is right", share(right(0), of(0))),
            ("\"no\" found where it is right", share(right(1), of(1))),
            ("\"cannot tell\" where it is right", share(right(2), of(2))),
        ];
        lines
            .iter()
            .map(|(name, figure)| format!("| {name} | {figure} |\n"))
            .collect()
    }

    /// Both claims are right in at least 99 of 100 cases.
    fn assert_precise(&self) {
        for (answer, name) in [(0, "yes"), (1, "no")] {
            assert!(
                self.answers[answer][answer] * 100 >= self.given(answer) * 99,
                "precision of {name}"
            );
        }
    }
}

fn share(part: usize, whole: usize) -> String {
    let tenths = (part * 1000).checked_div(whole).unwrap_or(1000);
    format!("{part} of {whole} ({}.{} %)", tenths / 10, tenths % 10)
}

/// Strings of other advisories of many shapes, labelled after the rules were written and before the reader saw them.
#[test]
fn a_claim_about_the_second_set_is_right() {
    let labels = labels("second.csv");
    assert_eq!(labels.len(), 260);
    let score = score(&labels);
    println!("answers:\n{}", score.wrong.join("\n"));
    let mut table = String::from("| Measure | Figure |\n|---|---|\n");
    writeln!(table, "| strings | {} |", labels.len()).unwrap();
    table.push_str(&score.claims());
    documented("second", &table);
    score.assert_precise();
}

/// A sample drawn by chance of what the others leave, half by string and half by shape, labelled before the reader saw it.
#[test]
fn a_claim_about_the_third_set_is_right() {
    let labels = labels("third.csv");
    assert_eq!(labels.len(), 160);
    let score = score(&labels);
    println!("answers:\n{}", score.wrong.join("\n"));
    let mut table = String::from("| Measure | Figure |\n|---|---|\n");
    writeln!(table, "| strings | {} |", labels.len()).unwrap();
    table.push_str(&score.claims());
    documented("third", &table);
    score.assert_precise();
}
