//! `break-glass`: emergency access, and its review by a second person.

use labward_api::Done;
use labward_api::glass::{OpenGlass, OpenedGlass, Opening, OpeningShown, ReadUnder, ReviewOpening};

use super::Context;
use crate::args::BreakGlassCommand;
use crate::failure::Failure;
use crate::output::{or_dash, show, table};
use crate::prompt;

/// Emergency accesses asked for at once.
const PAGE: u32 = 1_000;

/// `labward break-glass …`
pub(super) fn run(context: &Context, command: &BreakGlassCommand) -> Result<(), Failure> {
    match command {
        BreakGlassCommand::Open { why, minutes } => open(context, why.as_deref(), *minutes),
        BreakGlassCommand::End => {
            let done: Done = context.client.post("break-glass/end", &())?;
            show(context.json, &done, |out| {
                writeln!(out, "the emergency access has ended")
            })
        }
        BreakGlassCommand::List { waiting } => list(context, *waiting),
        BreakGlassCommand::Show { number } => shown(context, *number),
        BreakGlassCommand::Review {
            number,
            verdict,
            note,
        } => {
            let request = ReviewOpening {
                verdict: verdict.clone(),
                note: prompt::why(note.as_deref())?,
            };
            let path = format!("break-glass/{number}/review");
            let done: Done = context.client.post(&path, &request)?;
            let entry = done.entry.map(|entry| entry.to_string());
            show(context.json, &done, |out| {
                writeln!(
                    out,
                    "emergency access {number} was found {verdict}: entry {}",
                    or_dash(entry.as_deref())
                )
            })
        }
    }
}

fn open(context: &Context, why: Option<&str>, minutes: Option<u64>) -> Result<(), Failure> {
    let request = OpenGlass {
        why: prompt::why(why)?,
        minutes,
    };
    let opened: OpenedGlass = context.client.post("break-glass/open", &request)?;
    show(context.json, &opened, |out| {
        writeln!(
            out,
            "emergency access is open until {}; read with --break-glass, end it with labward \
             break-glass end",
            opened.until
        )
    })
}

fn list(context: &Context, waiting: bool) -> Result<(), Failure> {
    let mut query = vec![("limit", PAGE.to_string())];
    if waiting {
        query.push(("state", "waiting".to_owned()));
    }
    let all: Vec<Opening> = context.client.get("break-glass", &query)?;
    show(context.json, &all, |out| {
        let rows: Vec<Vec<String>> = all.iter().map(row).collect();
        let head = ["number", "who", "opened", "until", "state"];
        table(out, &head, &rows)
    })
}

fn shown(context: &Context, number: u64) -> Result<(), Failure> {
    let shown: OpeningShown = context.client.get(&format!("break-glass/{number}"), &[])?;
    show(context.json, &shown, |out| {
        let head = ["number", "who", "opened", "until", "state"];
        table(out, &head, &[row(&shown.opening)])?;
        writeln!(out, "why: {}", or_dash(shown.why.as_deref()))?;
        let rows: Vec<Vec<String>> = shown.readings.iter().map(reading).collect();
        let head = ["entry", "time", "what", "patient", "record"];
        table(out, &head, &rows)?;
        match &shown.opening.review {
            None => Ok(()),
            Some(review) => writeln!(
                out,
                "found {} by {} at {}: {}",
                review.verdict,
                who(review.name.as_deref(), review.person),
                review.time,
                or_dash(shown.note.as_deref())
            ),
        }
    })
}

fn row(one: &Opening) -> Vec<String> {
    let state = match (&one.review, one.is_over, one.is_overdue) {
        (Some(review), ..) => review.verdict.clone(),
        (None, false, _) => "open".to_owned(),
        (None, true, false) => "waits for a review".to_owned(),
        (None, true, true) => "review overdue".to_owned(),
    };
    vec![
        one.number.to_string(),
        who(one.name.as_deref(), one.person),
        one.opened.clone(),
        one.until.clone(),
        state,
    ]
}

fn reading(one: &ReadUnder) -> Vec<String> {
    let number = |number: Option<u64>| number.map(|number| number.to_string());
    vec![
        one.entry.to_string(),
        one.time.clone(),
        one.action.clone(),
        or_dash(number(one.patient).as_deref()),
        or_dash(number(one.record).as_deref()),
    ]
}

fn who(name: Option<&str>, person: u64) -> String {
    name.map_or_else(|| format!("person:{person}"), str::to_owned)
}
