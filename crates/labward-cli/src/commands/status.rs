//! `status`, `check` and `destination`.

use labward_api::status::{Check, DestinationStatus, Status, WitnessStatus};
use labward_api::{Done, Why};
use labward_base::problem;

use super::Context;
use super::webhook::webhooks;
use crate::args::DestinationCommand;
use crate::failure::Failure;
use crate::output::{or_dash, show, table};
use crate::prompt;

/// `labward status`
pub(super) fn status(context: &Context) -> Result<(), Failure> {
    let status: Status = context.client.get("status", &[])?;
    show(context.json, &status, |out| {
        let state = if status.open {
            "open"
        } else {
            "SEALED: no listener is open"
        };
        writeln!(
            out,
            "labward {}, {state}, since {}",
            status.version, status.started
        )?;
        writeln!(
            out,
            "{} ledger entries, {} messages held",
            status.entries, status.held
        )?;
        if let Some(since) = &status.ledger_failing_since {
            writeln!(
                out,
                "THE LEDGER CANNOT BE WRITTEN since {since}: nothing is accepted, records are read \
                 with --break-glass only"
            )?;
        }
        let reserve = &status.reserve;
        if status.ledger_failing_since.is_some() || reserve.waiting > 0 {
            writeln!(
                out,
                "reserve: {} of {} bytes in use, {} readings wait for the ledger",
                reserve.used_bytes, reserve.size_bytes, reserve.waiting
            )?;
        }
        if status.open && !status.search_ready {
            writeln!(out, "names are still being loaded for search")?;
        }
        let head = [
            "link",
            "protocol",
            "transport",
            "address",
            "open",
            "accepted",
            "held",
            "refused",
            "last",
        ];
        let rows: Vec<Vec<String>> = status
            .links
            .iter()
            .map(|link| {
                vec![
                    link.name.clone(),
                    link.protocol.clone(),
                    link.transport.clone(),
                    link.address.clone(),
                    link.connections.to_string(),
                    link.accepted.to_string(),
                    link.held.to_string(),
                    link.refused.to_string(),
                    or_dash(link.last_message.as_deref()),
                ]
            })
            .collect();
        writeln!(out)?;
        table(out, &head, &rows)?;
        writeln!(out)?;
        destinations(out, &status.destinations)?;
        witnesses(out, &status.witnesses)?;
        if status.webhooks.is_empty() {
            return Ok(());
        }
        writeln!(out)?;
        webhooks(out, &status.webhooks)
    })
}

/// `labward check`; a finding of high harm makes the exit code that of a conflict.
pub(super) fn check(context: &Context) -> Result<(), Failure> {
    let check: Check = context.client.get("check", &[])?;
    show(context.json, &check, |out| {
        for finding in &check.findings {
            writeln!(
                out,
                "{:6}  {} [{}]",
                finding.harm, finding.what, finding.code
            )?;
            writeln!(out, "        what to do: {}", finding.todo)?;
        }
        for one in &check.unmeasured {
            writeln!(
                out,
                "not measured  {} [{}]: {}",
                one.what, one.code, one.why
            )?;
        }
        writeln!(
            out,
            "{} things looked at, {} wrong, {} not measured",
            check.looked_at,
            check.findings.len(),
            check.unmeasured.len()
        )
    })?;
    let high = check
        .findings
        .iter()
        .filter(|finding| finding.harm == "high")
        .count();
    if high > 0 {
        return Err(Failure::new(
            &problem::CHECK_HARMFUL,
            format!("{high} of high harm"),
        ));
    }
    Ok(())
}

/// `labward destination …`
pub(super) fn destination(context: &Context, command: &DestinationCommand) -> Result<(), Failure> {
    match command {
        DestinationCommand::List => {
            let all: Vec<DestinationStatus> = context.client.get("destinations", &[])?;
            show(context.json, &all, |out| destinations(out, &all))
        }
        DestinationCommand::Resume { name, why } => {
            let why = Why {
                why: prompt::why(why.as_deref())?,
            };
            let path = format!("destinations/{name}/resume");
            let done: Done = context.client.post(&path, &why)?;
            show(context.json, &done, |out| writeln!(out, "{name} goes on"))
        }
    }
}

fn witnesses(out: &mut dyn std::io::Write, witnesses: &[WitnessStatus]) -> std::io::Result<()> {
    if witnesses.is_empty() {
        return Ok(());
    }
    let head = ["witness", "state", "entries", "cosigned at", "last error"];
    let rows: Vec<Vec<String>> = witnesses
        .iter()
        .map(|witness| {
            vec![
                witness.name.clone(),
                witness.state.clone(),
                or_dash(witness.size.map(|size| size.to_string()).as_deref()),
                or_dash(witness.cosigned.as_deref()),
                or_dash(witness.last_error.as_deref()),
            ]
        })
        .collect();
    writeln!(out)?;
    table(out, &head, &rows)
}

fn destinations(
    out: &mut dyn std::io::Write,
    destinations: &[DestinationStatus],
) -> std::io::Result<()> {
    let head = [
        "destination",
        "kind",
        "state",
        "delivered",
        "waiting",
        "held",
        "dead",
        "last error",
    ];
    let rows: Vec<Vec<String>> = destinations
        .iter()
        .map(|d| {
            vec![
                d.name.clone(),
                d.kind.clone(),
                d.state.clone(),
                d.delivered.to_string(),
                d.waiting.to_string(),
                d.held.to_string(),
                d.dead.to_string(),
                or_dash(d.last_error.as_deref()),
            ]
        })
        .collect();
    table(out, &head, &rows)
}
