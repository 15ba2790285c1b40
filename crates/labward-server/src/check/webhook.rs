//! Checks of the receivers of events.

use std::time::Duration;

use labward_api::webhook::WebhookStatus;
use labward_base::Timestamp;

use super::{CheckInput, Found};

const DAY: Duration = Duration::from_secs(86_400);

pub(super) fn stopped(input: &CheckInput) -> Found {
    at(input, |webhook| webhook.state == "stopped")
}

pub(super) fn failing(input: &CheckInput) -> Found {
    at(input, |webhook| {
        let since = webhook.failing_since.as_deref();
        let since = since.and_then(Timestamp::parse_rfc3339);
        webhook.state == "failing" && since.is_some_and(|since| input.now.since(since) >= DAY)
    })
}

pub(super) fn no_secret(input: &CheckInput) -> Found {
    at(input, |webhook| webhook.state == "no-secret")
}

fn at(input: &CheckInput, wrong: impl Fn(&WebhookStatus) -> bool) -> Found {
    Found::of(&input.webhooks, |webhooks| {
        let wrong = webhooks.iter().filter(|webhook| wrong(webhook));
        Found::named(wrong.map(|webhook| &webhook.name))
    })
}
