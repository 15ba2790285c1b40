//! `conduit`: with whom devices talk, and what people decide about it.

use std::io::{Result, Write};

use labward_api::Done;
use labward_api::conduit::{Conduit, Conduits, DecideConduit, SetConduitMode};
use labward_base::problem;

use super::Context;
use super::advisory::plain;
use crate::args::{ConduitArgs, ConduitCommand};
use crate::failure::Failure;
use crate::output::{or_dash, show, table};
use crate::prompt;

/// `labward conduit …`
pub(super) fn run(context: &Context, command: &ConduitCommand) -> std::result::Result<(), Failure> {
    match command {
        ConduitCommand::List { device } => {
            let query: Vec<(&str, String)> =
                device.iter().map(|id| ("device", id.to_string())).collect();
            let all: Conduits = context.client.get("conduits", &query)?;
            show(context.json, &all, |out| list(out, &all))
        }
        ConduitCommand::Approve(arguments) => decide(context, arguments, "approved"),
        ConduitCommand::Refuse(arguments) => decide(context, arguments, "refused"),
        ConduitCommand::Mode {
            device,
            mode,
            learning,
            why,
        } => {
            let asked = SetConduitMode {
                device: *device,
                mode: mode.name().to_owned(),
                learning: *learning,
                why: prompt::why(why.as_deref())?,
            };
            let done: Done = context.client.post("conduits/mode", &asked)?;
            show(context.json, &done, |out| {
                writeln!(out, "device {device}: {}", mode.name())
            })
        }
        ConduitCommand::Plan { file } => {
            let plan: serde_json::Value = context.client.get("conduits/plan", &[])?;
            let text = serde_json::to_string_pretty(&plan).unwrap_or_default();
            std::fs::write(file, text + "\n").map_err(|error| {
                Failure::new(&problem::CLI_FILE, format!("{}: {error}", file.display()))
            })?;
            show(context.json, &plan, |out| {
                writeln!(out, "written: {}", file.display())
            })
        }
    }
}

fn decide(
    context: &Context,
    arguments: &ConduitArgs,
    decision: &str,
) -> std::result::Result<(), Failure> {
    let asked = DecideConduit {
        device: arguments.device,
        direction: if arguments.inbound {
            "inbound"
        } else {
            "outbound"
        }
        .to_owned(),
        peer: arguments.peer.clone(),
        service: arguments.service.clone(),
        decision: decision.to_owned(),
        why: prompt::why(arguments.why.as_deref())?,
    };
    let done: Done = context.client.post("conduits/decide", &asked)?;
    show(context.json, &done, |out| {
        let ConduitArgs {
            device,
            peer,
            service,
            ..
        } = arguments;
        writeln!(out, "device {device}, {peer} {service}: {decision}")
    })
}

fn list(out: &mut dyn Write, all: &Conduits) -> Result<()> {
    for device in &all.devices {
        let learning = if device.learning { ", learning" } else { "" };
        writeln!(
            out,
            "device {} {} ({}): {}{learning}",
            device.device,
            plain(&device.name),
            device.addresses.join(", "),
            device.mode
        )?;
        let head = [
            "direction",
            "peer",
            "",
            "service",
            "",
            "decision",
            "packets",
            "last",
        ];
        let row = |one: &Conduit| {
            vec![
                one.direction.clone(),
                one.peer.clone(),
                if one.public {
                    "PUBLIC"
                } else {
                    one.peer_name.as_deref().unwrap_or("-")
                }
                .to_owned(),
                one.service.clone(),
                or_dash(one.known_as.as_deref()),
                one.decision.clone(),
                one.packets.to_string(),
                or_dash(one.last.as_deref()),
            ]
        };
        let rows: Vec<Vec<String>> = device.conduits.iter().map(row).collect();
        table(out, &head, &rows)?;
        writeln!(out)?;
    }
    for alert in &all.alerts {
        let public = if alert.public {
            ", a PUBLIC address"
        } else {
            ""
        };
        writeln!(
            out,
            "ALERT {}: {} {} {} {}{public} ({}), entry {}",
            alert.id,
            plain(&alert.name),
            alert.direction,
            alert.peer,
            alert.service,
            alert.novelty,
            alert.entry
        )?;
    }
    writeln!(
        out,
        "{} devices, {} alerts",
        all.devices.len(),
        all.alerts.len()
    )
}
