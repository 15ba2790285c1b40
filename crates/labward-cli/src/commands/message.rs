//! `message`: lists, and a person's decisions about what waits.

use labward_api::Done;
use labward_api::message::{Decision, Message};

use super::Context;
use crate::args::{DecisionArgs, MessageCommand, MessageListArgs};
use crate::failure::Failure;
use crate::output::{or_dash, show, table};
use crate::prompt;

/// `labward message …`
pub(super) fn run(context: &Context, command: &MessageCommand) -> Result<(), Failure> {
    match command {
        MessageCommand::List(arguments) => list(context, arguments),
        MessageCommand::Show { record } => {
            let message: Message = context.client.get(&format!("messages/{record}"), &[])?;
            show(context.json, &message, |out| {
                messages(out, std::slice::from_ref(&message))?;
                for delivery in &message.deliveries {
                    writeln!(
                        out,
                        "  to {}: {} after {} attempts {}",
                        delivery.destination,
                        delivery.state,
                        delivery.attempts,
                        delivery.reason.as_deref().unwrap_or("")
                    )?;
                }
                Ok(())
            })
        }
        MessageCommand::Release(decision) => decide(context, "release", "released", decision),
        MessageCommand::Reject(decision) => decide(context, "reject", "rejected", decision),
        MessageCommand::Resend(decision) => decide(context, "resend", "to be sent again", decision),
        MessageCommand::Skip(decision) => decide(context, "skip", "given up", decision),
    }
}

fn list(context: &Context, arguments: &MessageListArgs) -> Result<(), Failure> {
    let mut query = vec![("limit", arguments.limit.to_string())];
    let before = arguments.before.map(|record| record.to_string());
    for (name, value) in [
        ("state", &arguments.state),
        ("link", &arguments.link),
        ("peer", &arguments.peer),
        ("destination", &arguments.destination),
        ("before", &before),
    ] {
        if let Some(value) = value {
            query.push((name, value.clone()));
        }
    }
    let all: Vec<Message> = context.client.get("messages", &query)?;
    show(context.json, &all, |out| messages(out, &all))
}

fn decide(
    context: &Context,
    verb: &str,
    done_as: &str,
    arguments: &DecisionArgs,
) -> Result<(), Failure> {
    let decision = Decision {
        why: prompt::why(arguments.why.as_deref())?,
        destination: arguments.destination.clone(),
    };
    let path = format!("messages/{}/{verb}", arguments.record);
    let done: Done = context.client.post(&path, &decision)?;
    show(context.json, &done, |out| {
        writeln!(out, "message {} is {done_as}", arguments.record)
    })
}

fn messages(out: &mut dyn std::io::Write, messages: &[Message]) -> std::io::Result<()> {
    let rows: Vec<Vec<String>> = messages
        .iter()
        .map(|message| {
            let deliveries: Vec<String> = message
                .deliveries
                .iter()
                .map(|delivery| format!("{}:{}", delivery.destination, delivery.state))
                .collect();
            vec![
                message.record.to_string(),
                message.time.clone(),
                message.state.clone(),
                message.link.clone(),
                message.peer.clone(),
                message.kind.clone(),
                message.size_bytes.to_string(),
                or_dash(message.reason.as_deref()),
                deliveries.join(" "),
            ]
        })
        .collect();
    let head = [
        "record",
        "time",
        "state",
        "link",
        "peer",
        "type",
        "bytes",
        "reason",
        "deliveries",
    ];
    table(out, &head, &rows)
}
