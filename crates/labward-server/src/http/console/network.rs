//! The page of who talks to whom, and decisions about what nobody expected.
//!
//! It must never decide anything: the API does, in the person's name.

use labward_api::conduit::{Conduits, DecideConduit};
use labward_api::{Done, ProblemBody};
use labward_console::frame::Place;
use labward_console::pages as html;

use super::pages::written;
use super::visit::{Page, Visit, shown_within};
use crate::http::failure::Failure;

/// `GET /devices/map`
pub(super) fn network(visit: &Visit) -> Result<Page, Failure> {
    network_with(visit, None)
}

fn network_with(visit: &Visit, fault: Option<&ProblemBody>) -> Result<Page, Failure> {
    let all: Conduits = visit.get("conduits")?;
    written(html::network(&visit.frame(Place::Devices), &all, fault))
}

/// `POST /devices/map/decide`
pub(super) fn decide(visit: &Visit) -> Result<Page, Failure> {
    let form = &visit.form;
    let text = |name| form.text(name).to_owned();
    let asked = DecideConduit {
        device: form.text("device").parse().unwrap_or_default(),
        direction: text("direction"),
        peer: text("peer"),
        service: text("service"),
        decision: text("decision"),
        why: text("why"),
    };
    match visit.post::<Done>("conduits/decide", &[], &asked) {
        Ok(_) => Ok(Page::To("/devices/map?done=conduit-decided".to_owned())),
        Err(failure) => network_with(visit, Some(&shown_within(failure)?)),
    }
}
