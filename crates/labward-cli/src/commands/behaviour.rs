//! `device behaviour`, `unusual`, `expected` and `unexpected`: what devices do on their lines.

use std::io::{Result, Write};

use labward_api::Done;
use labward_api::behaviour::{AnswerUnusual, Behaviours, DeviceBehaviour, Unusual, UnusualPage};

use super::Context;
use super::advisory::plain;
use crate::args::{AnswerArgs, BehaviourCommand};
use crate::failure::Failure;
use crate::output::show;
use crate::prompt;

/// `labward device behaviour` and what belongs to it.
pub(super) fn run(
    context: &Context,
    command: &BehaviourCommand,
) -> std::result::Result<(), Failure> {
    match command {
        BehaviourCommand::Behaviour { id } => {
            let query: Vec<_> = id.iter().map(|id| ("device", id.to_string())).collect();
            let all: Behaviours = context.client.get("behaviour", &query)?;
            show(context.json, &all, |out| list(out, &all))
        }
        BehaviourCommand::Unusual { device, state } => {
            let all = every(context, *device, state.name())?;
            show(context.json, &all, |out| alerts(out, &all.alerts))
        }
        BehaviourCommand::Expected(arguments) => answer(context, arguments, "expected"),
        BehaviourCommand::Unexpected(arguments) => answer(context, arguments, "unexpected"),
    }
}

fn every(
    context: &Context,
    device: Option<u64>,
    state: &str,
) -> std::result::Result<UnusualPage, Failure> {
    let mut all = UnusualPage::default();
    let mut before = None;
    loop {
        let mut query = vec![("state", state.to_owned()), ("limit", "1000".to_owned())];
        query.extend(device.map(|id| ("device", id.to_string())));
        query.extend(before.map(|before: u64| ("before", before.to_string())));
        let page: UnusualPage = context.client.get("behaviour/unusual", &query)?;
        all.alerts.extend(page.alerts);
        before = page.next;
        if before.is_none() {
            return Ok(all);
        }
    }
}

fn answer(
    context: &Context,
    arguments: &AnswerArgs,
    answer: &str,
) -> std::result::Result<(), Failure> {
    let asked = AnswerUnusual {
        alert: arguments.alert,
        answer: answer.to_owned(),
        why: prompt::why(arguments.why.as_deref())?,
    };
    let done: Done = context.client.post("behaviour/answer", &asked)?;
    show(context.json, &done, |out| {
        writeln!(out, "alert {}: {answer}", arguments.alert)
    })
}

fn list(out: &mut dyn Write, all: &Behaviours) -> Result<()> {
    for one in &all.devices {
        device(out, one)?;
        writeln!(out)?;
    }
    if all.dropped > 0 {
        let dropped = all.dropped;
        writeln!(out, "{dropped} messages came too fast to be looked at")?;
    }
    writeln!(out, "{} devices", all.devices.len())
}

fn device(out: &mut dyn Write, one: &DeviceBehaviour) -> Result<()> {
    writeln!(out, "device {} {}", one.device, plain(&one.name))?;
    writeln!(out, "  last message  {}", one.last)?;
    if let Some(learning) = one.learning {
        return writeln!(
            out,
            "  learning, day {} of {}; messages on {} of {} days",
            learning.day, learning.days, learning.active_days, learning.active_days_needed
        );
    }
    let hours: Vec<String> = one.hours.iter().map(|hour| format!("{hour:02}")).collect();
    writeln!(out, "  hours (UTC)   {}", hours.join(" "))?;
    writeln!(out, "  most an hour  {}", one.most)?;
    writeln!(out, "  types         {}", plain(&one.types.join(", ")))?;
    writeln!(out, "  tests         {}", plain(&one.tests.join(", ")))?;
    if let (Some(low), Some(high)) = (one.clock_low_s, one.clock_high_s) {
        writeln!(out, "  clock ahead   {low} to {high} s")?;
    }
    if one.silent {
        writeln!(out, "  SILENT in hours in which it always sent")?;
    }
    if one.overfull {
        writeln!(
            out,
            "  more types or tests than are remembered: new ones are not told"
        )?;
    }
    Ok(())
}

fn alerts(out: &mut dyn Write, all: &[Unusual]) -> Result<()> {
    for one in all {
        writeln!(
            out,
            "{} {}: {}, {}, seen {} times, entry {}",
            one.id,
            plain(&one.name),
            one.kind,
            one.state,
            one.count,
            one.entry
        )?;
        for said in &one.seen {
            writeln!(out, "  {}", plain(&said.text))?;
        }
    }
    writeln!(out, "{} alerts", all.len())
}
