//! The receivers of events on the page of the flow.
//!
//! It must never show a secret: one is made at the command line, by who gives it to the receiver.

use labward_api::Done;
use labward_api::webhook::TestedWebhook;
use serde_json::json;

use super::pages::why;
use super::visit::{Page, Visit};
use crate::http::failure::Failure;

/// `POST /webhooks/{name}/test`
pub(super) fn test(visit: &Visit) -> Result<Page, Failure> {
    let params = [("name", visit.text("name"))];
    let tested: TestedWebhook = visit.post("webhooks/{name}/test", &params, &json!({}))?;
    let done = match tested.delivered {
        true => "webhook-taken",
        false => "webhook-not-taken",
    };
    Ok(Page::To(format!("/flow?done={done}")))
}

/// `POST /webhooks/{name}/resume`
pub(super) fn resume(visit: &Visit) -> Result<Page, Failure> {
    let params = [("name", visit.text("name"))];
    visit.post::<Done>("webhooks/{name}/resume", &params, &why(visit))?;
    Ok(Page::To("/flow?done=webhook-resumed".to_owned()))
}
