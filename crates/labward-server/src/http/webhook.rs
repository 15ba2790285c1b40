//! `webhooks/…`: the receivers of events.
//!
//! It must never show a secret but in the answer to who made it, or more of a URL than its host.

use std::time::Duration;

use labward_api::Why;
use labward_api::webhook::NewWebhookSecret;

use super::call::{Answer, Call, reason};
use super::failure::Failure;

/// Hours in which the secret before signs, too, if the request does not say.
const OVERLAP_HOURS: u64 = 24;
/// A week at most.
const OVERLAP_MAX_HOURS: u64 = 168;

/// `GET webhooks`
pub(super) fn list(call: &Call) -> Result<Answer, Failure> {
    Answer::json(&call.core.webhook_status()?)
}

/// `POST webhooks/{name}/secret`
pub(super) fn secret(call: &Call) -> Result<Answer, Failure> {
    let asked: NewWebhookSecret = call.json()?;
    let why = call.opened()?.seal_why(reason(&asked.why)?)?;
    let hours = asked.overlap_hours.unwrap_or(OVERLAP_HOURS);
    if hours > OVERLAP_MAX_HOURS {
        let detail = format!("two secrets sign side by side for {OVERLAP_MAX_HOURS} hours at most");
        return Err(Failure::bad_request(detail));
    }
    let overlap = Duration::from_secs(hours * 3_600);
    let (name, actor) = (call.text("name"), call.actor());
    let made = call.core.new_webhook_secret(name, overlap, actor, why)?;
    Answer::json(&made)
}

/// `POST webhooks/{name}/test`
pub(super) fn test(call: &Call) -> Result<Answer, Failure> {
    call.opened()?;
    let tested = call.core.test_webhook(call.text("name"), call.actor())?;
    Answer::json(&tested)
}

/// `POST webhooks/{name}/resume`
pub(super) fn resume(call: &Call) -> Result<Answer, Failure> {
    let Why { why } = call.json()?;
    let why = call.opened()?.seal_why(reason(&why)?)?;
    let (name, actor) = (call.text("name"), call.actor());
    Answer::done(Some(call.core.resume_webhook(name, actor, why)?))
}
