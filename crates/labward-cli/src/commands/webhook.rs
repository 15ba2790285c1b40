//! `webhook`: the receivers of events.

use std::io::{Result, Write};

use labward_api::webhook::{AddedWebhookSecret, NewWebhookSecret, TestedWebhook, WebhookStatus};
use labward_api::{Done, Why};
use labward_base::problem;

use super::Context;
use crate::args::WebhookCommand;
use crate::failure::Failure;
use crate::output::{or_dash, show, table};
use crate::prompt;

/// `labward webhook …`
pub(super) fn run(context: &Context, command: &WebhookCommand) -> std::result::Result<(), Failure> {
    match command {
        WebhookCommand::List => {
            let all: Vec<WebhookStatus> = context.client.get("webhooks", &[])?;
            show(context.json, &all, |out| webhooks(out, &all))
        }
        WebhookCommand::Resume { name, why } => {
            let why = Why {
                why: prompt::why(why.as_deref())?,
            };
            let path = format!("webhooks/{name}/resume");
            let done: Done = context.client.post(&path, &why)?;
            show(context.json, &done, |out| writeln!(out, "{name} goes on"))
        }
        WebhookCommand::Secret {
            name,
            overlap_hours,
            why,
        } => {
            let new = NewWebhookSecret {
                overlap_hours: Some(*overlap_hours),
                why: prompt::why(why.as_deref())?,
            };
            secret(context, name, &new)
        }
        WebhookCommand::Test { name } => test(context, name),
    }
}

/// A table of webhooks.
pub(super) fn webhooks(out: &mut dyn Write, webhooks: &[WebhookStatus]) -> Result<()> {
    let head = [
        "webhook",
        "host",
        "state",
        "waiting",
        "last taken",
        "next attempt",
        "last error",
    ];
    let row = |webhook: &WebhookStatus| {
        vec![
            webhook.name.clone(),
            webhook.host.clone(),
            webhook.state.clone(),
            webhook.waiting.to_string(),
            or_dash(webhook.delivered.as_deref()),
            or_dash(webhook.next_attempt.as_deref()),
            or_dash(webhook.last_error.as_deref()),
        ]
    };
    let rows: Vec<Vec<String>> = webhooks.iter().map(row).collect();
    table(out, &head, &rows)
}

fn secret(
    context: &Context,
    name: &str,
    new: &NewWebhookSecret,
) -> std::result::Result<(), Failure> {
    let path = format!("webhooks/{name}/secret");
    let made: AddedWebhookSecret = context.client.post(&path, new)?;
    show(context.json, &made, |out| {
        writeln!(out, "{}", made.secret)?;
        writeln!(
            out,
            "It is shown this once: give it to the receiver of {name}."
        )?;
        match &made.former_until {
            Some(until) => writeln!(out, "The secret before it signs, too, until {until}."),
            None => Ok(()),
        }
    })
}

fn test(context: &Context, name: &str) -> std::result::Result<(), Failure> {
    let path = format!("webhooks/{name}/test");
    let tested: TestedWebhook = context.client.post(&path, &())?;
    show(context.json, &tested, |out| match &tested.error {
        None => writeln!(
            out,
            "{name} took the test event in {} ms",
            tested.duration_ms
        ),
        Some(why) => writeln!(out, "{name} did not take the test event: {why}"),
    })?;
    match tested.delivered {
        true => Ok(()),
        false => Err(Failure::new(
            &problem::WEBHOOK_NOT_TAKEN,
            format!("webhook {name}"),
        )),
    }
}
