//! The pages of what publishers say.
//!
//! It must never decide anything: the API does, in the person's name.

use labward_api::advisory::{Advisories, AdvisoryFilter, AdvisoryShown};
use labward_console::frame::Place;
use labward_console::pages as html;

use super::pages::written;
use super::visit::{Page, Visit};
use crate::http::endpoint::Verb;
use crate::http::failure::Failure;

/// `GET /advisories`
pub(super) fn advisories(visit: &Visit) -> Result<Page, Failure> {
    let filter = AdvisoryFilter {
        q: visit.query.some("q"),
        source: visit.query.some("source"),
        state: visit.query.some("state"),
        skip: visit.query.text("skip").parse().ok(),
        limit: Some(html::ADVISORIES_ON_PAGE),
    };
    let number = |number: Option<u32>| number.map(|one| one.to_string());
    let pairs = [
        ("q", filter.q.clone()),
        ("source", filter.source.clone()),
        ("state", filter.state.clone()),
        ("skip", number(filter.skip)),
        ("limit", number(filter.limit)),
    ];
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, text) in pairs {
        if let Some(text) = text {
            query.append_pair(name, &text);
        }
    }
    let page: Advisories = visit.get(&format!("advisories?{}", query.finish()))?;
    let frame = visit.frame(Place::Hits);
    written(html::advisories(&frame, &filter, &page))
}

/// `GET /advisories/{id}`
pub(super) fn advisory(visit: &Visit) -> Result<Page, Failure> {
    let params = [("id", visit.text("id"))];
    let one: AdvisoryShown = visit.ask(Verb::Get, "advisories/{id}", &params, Vec::new())?;
    written(html::advisory(&visit.frame(Place::Hits), &one))
}
