//! `safeguard`: the requirements of the Security Rule, their states, and decisions about them.

use std::io::{self, Write};

use clap::ValueEnum as _;
use labward_api::Done;
use labward_api::safeguard::{
    DecideSafeguard, Figure, Safeguard, SafeguardDecision, SafeguardFact, Safeguards,
    WithdrawSafeguard,
};
use labward_base::problem;

use super::Context;
use crate::args::{DecisionKind, Profile, SafeguardCommand};
use crate::failure::Failure;
use crate::output::{show, table};
use crate::prompt;

/// `labward safeguard …`
pub(super) fn run(context: &Context, command: &SafeguardCommand) -> Result<(), Failure> {
    match command {
        SafeguardCommand::List { profile } => {
            let all = get(context, *profile)?;
            show(context.json, &all, |out| list(out, &all))
        }
        SafeguardCommand::Show { citation } => {
            let all = get(context, Profile::Law)?;
            let is_it = |one: &&Safeguard| one.citation == citation.trim();
            let found = all.requirements.iter().find(is_it);
            let unknown = || Failure::new(&problem::SAFEGUARD_NO_REQUIREMENT, citation.clone());
            let one = found.ok_or_else(unknown)?;
            show(context.json, one, |out| detail(out, one))
        }
        SafeguardCommand::Decide {
            citation,
            kind,
            until,
            why,
        } => {
            let request = DecideSafeguard {
                citation: citation.trim().to_owned(),
                kind: name(*kind),
                until: until.clone(),
                why: prompt::why(why.as_deref())?,
            };
            let done: Done = context.client.post("safeguards/decide", &request)?;
            show(context.json, &done, |out| {
                let (citation, kind) = (&request.citation, &request.kind);
                let entry = entry(&done);
                writeln!(
                    out,
                    "{citation} is decided as {kind} until {until} ({entry})"
                )
            })
        }
        SafeguardCommand::Withdraw { citation, why } => {
            let request = WithdrawSafeguard {
                citation: citation.trim().to_owned(),
                why: prompt::why(why.as_deref())?,
            };
            let done: Done = context.client.post("safeguards/withdraw", &request)?;
            show(context.json, &done, |out| {
                let (citation, entry) = (&request.citation, entry(&done));
                writeln!(out, "the decision about {citation} is withdrawn ({entry})")
            })
        }
    }
}

fn get(context: &Context, profile: Profile) -> Result<Safeguards, Failure> {
    let profile = match profile {
        Profile::Law => "law",
        Profile::Proposed2025 => "proposed-2025",
    };
    context
        .client
        .get("safeguards", &[("profile", profile.to_owned())])
}

/// The name that the server knows a kind by, which is the one in argv.
fn name(kind: DecisionKind) -> String {
    let value = kind.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}

fn entry(done: &Done) -> String {
    let entry = done.entry.map(|entry| format!("entry {entry}"));
    entry.unwrap_or_else(|| "no entry".to_owned())
}

fn list(out: &mut dyn Write, all: &Safeguards) -> io::Result<()> {
    if !all.is_law {
        writeln!(
            out,
            "PROPOSED, NOT LAW: 90 FR 898 of 6 January 2025, as far as it could be measured."
        )?;
    }
    let counts = &all.counts;
    writeln!(
        out,
        "{} not met, {} not measured, {} decided otherwise, {} met",
        counts.not_met, counts.not_measured, counts.decided_otherwise, counts.met
    )?;
    let row = |one: &Safeguard| {
        let decision = one.decision.as_ref().map(decided).unwrap_or_default();
        vec![
            one.citation.clone(),
            one.kind.clone(),
            one.state.clone(),
            one.title.clone(),
            decision,
        ]
    };
    let rows: Vec<Vec<String>> = all.requirements.iter().map(row).collect();
    table(
        out,
        &["citation", "kind", "state", "requirement", "decision"],
        &rows,
    )
}

fn decided(decision: &SafeguardDecision) -> String {
    let expired = if decision.expired { "EXPIRED " } else { "" };
    format!("{expired}{} until {}", decision.kind, decision.until)
}

fn detail(out: &mut dyn Write, one: &Safeguard) -> io::Result<()> {
    writeln!(out, "{} ({}): {}", one.citation, one.kind, one.title)?;
    writeln!(out, "state: {}", one.state)?;
    for fact in &one.facts {
        writeln!(out, "{}", line(fact))?;
    }
    if one.facts.is_empty() {
        writeln!(out, "Labward measures nothing about it by itself.")?;
    } else if one.in_part {
        writeln!(out, "These facts show only a part of it.")?;
    }
    let Some(decision) = &one.decision else {
        return Ok(());
    };
    let nameless = || format!("person {}", decision.approver);
    let who = decision.approver_name.clone().unwrap_or_else(nameless);
    let (what, entry) = (decided(decision), decision.entry);
    writeln!(out, "decision: {what}, by {who} (entry {entry})")?;
    if decision.contradicted {
        writeln!(out, "A measured fact stands against it.")?;
    }
    match &decision.rationale {
        Some(rationale) => writeln!(out, "rationale: {rationale}"),
        None => writeln!(out, "The rationale is sealed until the root key is open."),
    }
}

fn line(fact: &SafeguardFact) -> String {
    // The title says what is so if the fact is good.
    let value = match fact.value.as_str() {
        "bad" => "FAILS",
        "good" => "holds",
        other => other,
    };
    let mut line = format!("{value:<7}  {}", fact.title);
    let figure = fact.figure.as_ref().map(figure);
    let age = (fact.age_seconds > 0).then(|| format!("{} ago", span(fact.age_seconds)));
    let entry = fact.entry.map(|entry| format!("entry {entry}"));
    let said: Vec<String> = [figure, age, entry].into_iter().flatten().collect();
    if !said.is_empty() {
        line.push_str(&format!(" ({})", said.join(", ")));
    }
    if let Some(note) = &fact.note {
        line.push_str(&format!(": {note}"));
    }
    line
}

fn figure(figure: &Figure) -> String {
    match figure {
        Figure::Count { count } => count.to_string(),
        Figure::Never => "never".to_owned(),
        Figure::Seconds { seconds } => span(*seconds),
        Figure::Share { of, all } => format!("{of} of {all}"),
        Figure::Time { time } => time.get(..16).unwrap_or(time).replace('T', " "),
    }
}

fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requirement_is_shown_with_its_facts_their_age_and_the_decision() {
        let one = Safeguard {
            citation: "164.312(c)(2)".to_owned(),
            title: "Proof".to_owned(),
            kind: "addressable".to_owned(),
            state: "not-met".to_owned(),
            facts: vec![SafeguardFact {
                title: "Verified".to_owned(),
                value: "bad".to_owned(),
                figure: Some(Figure::Time {
                    time: "2026-06-15T12:00:00.000000Z".to_owned(),
                }),
                age_seconds: 3_000_000,
                entry: Some(17),
                note: Some("faults".to_owned()),
                ..SafeguardFact::default()
            }],
            decision: Some(SafeguardDecision {
                kind: "alternative".to_owned(),
                until: "2027-01-31".to_owned(),
                approver: 3,
                entry: 20,
                expired: true,
                contradicted: true,
                ..SafeguardDecision::default()
            }),
            ..Safeguard::default()
        };
        let mut out = Vec::new();
        detail(&mut out, &one).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "164.312(c)(2) (addressable): Proof\n\
             state: not-met\n\
             FAILS    Verified (2026-06-15 12:00, 34 days ago, entry 17): faults\n\
             decision: EXPIRED alternative until 2027-01-31, by person 3 (entry 20)\n\
             A measured fact stands against it.\n\
             The rationale is sealed until the root key is open.\n"
        );
    }

    #[test]
    fn what_is_only_proposed_says_so_first() {
        let mut out = Vec::new();
        list(&mut out, &Safeguards::default()).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("PROPOSED, NOT LAW"), "{text}");
        assert_eq!(name(DecisionKind::DoesNotApply), "does-not-apply");
    }

    #[test]
    fn times_have_a_unit() {
        let spans = [1, 120, 7_199, 7_200, 172_800].map(span);
        assert_eq!(spans, ["1 s", "2 min", "119 min", "2 h", "2 days"]);
    }
}
