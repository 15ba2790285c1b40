//! `hit`: which published vulnerabilities concern which devices, and what is done about it.

use std::io::{Result, Write};

use labward_api::Why;
use labward_api::hit::{
    AcceptHits, Hit, HitShown, HitStatement, HitStatements, Hits, StateProducts,
    StateVulnerability, TreatHits, TreatedHits,
};

use super::Context;
use super::advisory::plain;
use crate::args::{HitCommand, HitProductArgs, HitStateArgs, YesNo};
use crate::failure::Failure;
use crate::output::{or_dash, show, table};
use crate::prompt;

/// `labward hit …`
pub(super) fn run(context: &Context, command: &HitCommand) -> std::result::Result<(), Failure> {
    match command {
        HitCommand::List {
            find,
            device,
            state,
        } => list(context, find.as_deref(), *device, state.name()),
        HitCommand::Show { id } => {
            let one: HitShown = context.client.get(&format!("hits/{id}"), &[])?;
            show(context.json, &one, |out| shown(out, &one))
        }
        HitCommand::Treat {
            hits,
            kind,
            approved,
            why,
        } => {
            let asked = TreatHits {
                hits: hits.clone(),
                kind: kind.name().to_owned(),
                approved: approved.map(|one| one == YesNo::Yes),
                why: prompt::why(why.as_deref())?,
            };
            treated(context, "hits/treat", &asked)
        }
        HitCommand::Accept {
            hits,
            until,
            replace,
            why,
        } => {
            let asked = AcceptHits {
                hits: hits.clone(),
                kind: if *replace { "replace" } else { "accept" }.to_owned(),
                until: until.clone(),
                why: prompt::why(why.as_deref())?,
            };
            treated(context, "hits/accept", &asked)
        }
        HitCommand::Vex => {
            // The document is the answer, in either form.
            let vex: serde_json::Value = context.client.get("hits/vex", &[])?;
            show(context.json, &vex, |out| writeln!(out, "{vex:#}"))
        }
        HitCommand::State(arguments) => state(context, arguments),
        HitCommand::Product(arguments) => product(context, arguments),
        HitCommand::Statements => {
            let all: HitStatements = context.client.get("hits/statements", &[])?;
            show(context.json, &all, |out| statements(out, &all.statements))
        }
        HitCommand::Withdraw { id, why } => {
            let asked = Why {
                why: prompt::why(why.as_deref())?,
            };
            let path = format!("hits/statements/{id}/withdraw");
            let one: HitStatement = context.client.post(&path, &asked)?;
            show(context.json, &one, |out| {
                writeln!(out, "statement {id} counts no more")
            })
        }
    }
}

fn list(
    context: &Context,
    find: Option<&str>,
    device: Option<u64>,
    state: &str,
) -> std::result::Result<(), Failure> {
    let mut all = Hits::default();
    let mut skip = Some(0);
    while let Some(from) = skip {
        let mut query = vec![
            ("limit", "1000".to_owned()),
            ("skip", from.to_string()),
            ("state", state.to_owned()),
        ];
        query.extend(find.map(|find| ("q", find.to_owned())));
        query.extend(device.map(|id| ("device", id.to_string())));
        let page: Hits = context.client.get("hits", &query)?;
        let before = std::mem::take(&mut all.hits);
        skip = page.next;
        all = page;
        all.hits.splice(0..0, before);
    }
    show(context.json, &all, |out| {
        table_of(out, &all.hits)?;
        let counts = &all.counts;
        writeln!(
            out,
            "{} open on {} devices: {} affected, {} cannot be told; {} overdue, {} due soon, {} treated; \
             {} advisories, matched {}",
            counts.open,
            counts.devices,
            counts.affected,
            counts.cannot_tell,
            counts.overdue,
            counts.due_soon,
            counts.treated,
            all.advisories,
            or_dash(all.matched.as_deref())
        )
    })
}

/// Hits, one in a line.
pub(super) fn table_of(out: &mut dyn Write, hits: &[Hit]) -> Result<()> {
    let head = [
        "hit",
        "urgency",
        "due",
        "state",
        "device",
        "advisory",
        "vulnerability",
        "verdict",
        "exploited",
        "treatment",
    ];
    let row = |one: &Hit| {
        let treatment = one.treatment.as_ref().map(|treatment| {
            let until = treatment.until.as_deref().unwrap_or_default();
            format!("{} {until}", treatment.kind).trim_end().to_owned()
        });
        vec![
            one.id.to_string(),
            one.band.clone(),
            one.due.clone(),
            one.state.clone(),
            cell(&one.device.name, 30),
            plain(&one.advisory),
            cell(&one.vulnerability, 40),
            one.verdict.clone(),
            if one.exploited { "yes" } else { "-" }.to_owned(),
            or_dash(treatment.as_deref()),
        ]
    };
    let rows: Vec<Vec<String>> = hits.iter().map(row).collect();
    table(out, &head, &rows)
}

/// A text that has so many characters at most.
pub(super) fn cell(text: &str, most: usize) -> String {
    let text = plain(text);
    match text.chars().count() > most {
        true => text
            .chars()
            .take(most.saturating_sub(1))
            .chain(['…'])
            .collect(),
        false => text,
    }
}

/// How long ago, in days.
pub(super) fn days(seconds: u64) -> String {
    match seconds / 86_400 {
        0 => "today".to_owned(),
        1 => "1 day ago".to_owned(),
        days => format!("{days} days ago"),
    }
}

fn shown(out: &mut dyn Write, one: &HitShown) -> Result<()> {
    table_of(out, std::slice::from_ref(&one.hit))?;
    writeln!(out, "{}", plain(&one.hit.title))?;
    writeln!(out, "due {}: {}", one.hit.due, one.due_rule.text)?;
    for reason in one.urgency.iter().chain(&one.notes) {
        writeln!(out, "  {}", plain(&reason.text))?;
    }
    if !one.hit.reasons.is_empty() {
        writeln!(out, "it cannot be told: {}", one.hit.reasons.join(", "))?;
    }
    let head = [
        "vendor",
        "product as published",
        "versions as published",
        "found by",
        "names",
        "read as",
        "status",
    ];
    let rows: Vec<Vec<String>> = one
        .steps
        .iter()
        .map(|step| {
            vec![
                plain(&step.vendor),
                plain(&step.product),
                plain(step.versions.as_deref().unwrap_or("-")),
                plain(&step.found_by),
                step.name.clone(),
                or_dash(step.read_as.as_deref()),
                step.status.clone(),
            ]
        })
        .collect();
    table(out, &head, &rows)?;
    for said in &one.published {
        let about = said.component.as_deref().unwrap_or("the device");
        let counts = match (said.counts, said.maker) {
            (true, _) => "decides",
            (false, true) => "does not decide",
            (false, false) => "is not its maker",
        };
        let why = said.justification.iter().chain(&said.words);
        let why: Vec<&str> = why.map(String::as_str).collect();
        let line = format!(
            "{} ({}) says {} of {about}, and {counts}: {}",
            said.publisher,
            said.name,
            said.status,
            why.join(", ")
        );
        writeln!(out, "{}", plain(&line))?;
    }
    if !one.approvals.is_empty() {
        super::disclosure::patches(out, &one.approvals)?;
    }
    if let Some(without) = &one.without {
        writeln!(out, "without what people and makers said: {without}")?;
    }
    if !one.statements.is_empty() {
        statements(out, &one.statements)?;
    }
    for remedy in &one.remediations {
        writeln!(out, "{}: {}", plain(&remedy.kind), plain(&remedy.text))?;
    }
    for url in &one.references {
        writeln!(out, "{}", plain(url))?;
    }
    Ok(())
}

fn treated(
    context: &Context,
    path: &str,
    asked: &impl serde::Serialize,
) -> std::result::Result<(), Failure> {
    let done: TreatedHits = context.client.post(path, asked)?;
    show(context.json, &done, |out| {
        let entries: Vec<String> = done.entries.iter().map(ToString::to_string).collect();
        writeln!(out, "{} hits; entry {}", done.hits, entries.join(", "))
    })
}

fn state(context: &Context, arguments: &HitStateArgs) -> std::result::Result<(), Failure> {
    let asked = StateVulnerability {
        hit: arguments.id,
        status: arguments.status.name().to_owned(),
        this_version: arguments.this_version,
        why: prompt::why(arguments.why.as_deref())?,
    };
    stated(context, "hits/vulnerability", &asked)
}

fn product(context: &Context, arguments: &HitProductArgs) -> std::result::Result<(), Failure> {
    let asked = StateProducts {
        manufacturer: arguments.manufacturer.clone(),
        model: arguments.model.clone(),
        vendor: arguments.vendor.clone(),
        product: arguments.product.clone(),
        same: !arguments.other,
        why: prompt::why(arguments.why.as_deref())?,
    };
    stated(context, "hits/products", &asked)
}

fn stated(
    context: &Context,
    path: &str,
    asked: &impl serde::Serialize,
) -> std::result::Result<(), Failure> {
    let one: HitStatement = context.client.post(path, asked)?;
    show(context.json, &one, |out| {
        writeln!(out, "statement {}, entry {}", one.id, one.entry)
    })
}

fn statements(out: &mut dyn Write, all: &[HitStatement]) -> Result<()> {
    let head = ["statement", "says", "of", "to", "by", "said", "withdrawn"];
    let row = |one: &HitStatement| {
        let (of, to) = match &one.device {
            Some(device) => (device.name.clone(), one.vulnerability.clone()),
            None => (
                format!("{} {}", one.manufacturer, one.model),
                format!("{} {}", one.vendor, one.product),
            ),
        };
        let person = format!("person {}", one.person);
        vec![
            one.id.to_string(),
            one.says.clone(),
            plain(of.trim()),
            plain(to.trim()),
            one.person_name.clone().unwrap_or(person),
            one.said.clone(),
            or_dash(one.withdrawn.as_deref()),
        ]
    };
    let rows: Vec<Vec<String>> = all.iter().map(row).collect();
    table(out, &head, &rows)
}
