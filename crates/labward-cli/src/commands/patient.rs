//! `patient`: all results, who looked at them, legal hold, disposal.

use labward_api::record::{Access, Accesses, AskedAccesses, Dispose, Disposed, Results};
use labward_api::{Done, Why};
use labward_report::Measured;

use super::Context;
use super::record::place;
use crate::args::PatientCommand;
use crate::failure::Failure;
use crate::output::{or_dash, show, table};
use crate::prompt;

/// Accesses asked for at once.
const PAGE: u32 = 1_000;

/// `labward patient …`
pub(super) fn run(context: &Context, command: &PatientCommand) -> Result<(), Failure> {
    match command {
        PatientCommand::Accesses {
            patient,
            why,
            since,
            until,
        } => {
            let asked = AskedAccesses {
                why: prompt::why(why.as_deref())?,
                since: since.clone(),
                until: until.clone(),
                before: None,
                limit: Some(PAGE),
            };
            accesses(context, *patient, asked)
        }
        PatientCommand::Dispose {
            patient,
            why,
            override_retention,
        } => {
            let request = Dispose {
                why: prompt::why(why.as_deref())?,
                override_retention: override_retention.clone(),
            };
            let path = format!("patients/{patient}/dispose");
            let disposed: Disposed = context.client.post(&path, &request)?;
            show(context.json, &disposed.proof, |out| {
                writeln!(out, "{:#}", disposed.proof)
            })
        }
        PatientCommand::Hold { patient, why } => hold(
            context,
            *patient,
            why.as_deref(),
            "hold",
            "is under legal hold",
        ),
        PatientCommand::Lift { patient, why } => hold(
            context,
            *patient,
            why.as_deref(),
            "lift",
            "is no longer under legal hold",
        ),
        PatientCommand::Results {
            patient,
            why,
            break_glass,
        } => results(context, *patient, why.as_deref(), *break_glass),
    }
}

/// Asks for page after page: each is an entry of its own.
fn accesses(context: &Context, patient: u64, mut asked: AskedAccesses) -> Result<(), Failure> {
    let path = format!("patients/{patient}/accesses");
    let mut all: Accesses = context.client.post(&path, &asked)?;
    // The span of the first page holds for all of them.
    (asked.since, asked.until) = (Some(all.since.clone()), Some(all.until.clone()));
    while let Some(next) = all.next {
        asked.before = Some(next);
        let page: Accesses = context.client.post(&path, &asked)?;
        all.accesses.extend(page.accesses);
        (all.next, all.entry) = (page.next, page.entry);
    }
    show(context.json, &all, |out| {
        let rows: Vec<Vec<String>> = all.accesses.iter().map(row).collect();
        let head = ["entry", "time", "who", "what", "from or to", "why"];
        table(out, &head, &rows)?;
        let (count, since, until) = (all.accesses.len(), &all.since, &all.until);
        writeln!(
            out,
            "{count} times from {since} to {until}; that this was asked is entry {}",
            all.entry
        )
    })
}

fn row(access: &Access) -> Vec<String> {
    let what = match (access.break_glass, access.outcome.as_str()) {
        (false, "success") => access.action.clone(),
        (true, "success") => format!("{}, break-glass", access.action),
        (_, outcome) => format!("{}: {outcome}", access.action),
    };
    let place = access.to.as_deref().or(access.from.as_deref());
    vec![
        access.entry.to_string(),
        access.time.clone(),
        access.name.clone().unwrap_or_else(|| access.actor.clone()),
        what,
        or_dash(place),
        or_dash(access.why.as_deref()),
    ]
}

fn results(
    context: &Context,
    patient: u64,
    why: Option<&str>,
    break_glass: bool,
) -> Result<(), Failure> {
    let why = Why {
        why: prompt::why(why)?,
    };
    let path = match break_glass {
        true => format!("break-glass/patients/{patient}/results"),
        false => format!("patients/{patient}/results"),
    };
    let results: Results = context.client.post(&path, &why)?;
    show(context.json, &results, |out| {
        writeln!(
            out,
            "patient {}: {}, born {}",
            results.patient,
            or_dash(results.names.first().map(String::as_str)),
            or_dash(results.birth_date.as_deref())
        )?;
        for line in &results.tests {
            writeln!(out, "{} {} {}", line.test.name, line.test.code, line.unit)?;
            let rows: Vec<Vec<String>> = line.values.iter().map(value).collect();
            let head = [
                "time", "value", "flag", "range", "status", "record", "before",
            ];
            table(out, &head, &rows)?;
        }
        for record in &results.unopened {
            writeln!(
                out,
                "record {record} could not be opened: what is in it is missing here"
            )?;
        }
        writeln!(
            out,
            "{} of {} records were read; this reading is {}",
            results.read,
            results.record_count,
            place(results.entry, results.reserve)
        )
    })
}

fn value(one: &Measured) -> Vec<String> {
    let before = one.replaced.iter().map(|old| old.value.as_str());
    vec![
        one.time.clone(),
        match one.is_withdrawn() {
            true => format!("{} (taken back)", one.value),
            false => one.value.clone(),
        },
        one.flag.clone(),
        one.range.clone(),
        one.status.clone(),
        one.record.to_string(),
        before.collect::<Vec<_>>().join(", "),
    ]
}

fn hold(
    context: &Context,
    patient: u64,
    why: Option<&str>,
    verb: &str,
    done_as: &str,
) -> Result<(), Failure> {
    let why = Why {
        why: prompt::why(why)?,
    };
    let done: Done = context
        .client
        .post(&format!("patients/{patient}/{verb}"), &why)?;
    show(context.json, &done, |out| {
        writeln!(out, "patient {patient} {done_as}")
    })
}
