//! The page of what devices did otherwise than usual, what people say of it, and what a device's page says of it.
//!
//! It must never decide anything: the API does, in the person's name.

use labward_api::behaviour::{AnswerUnusual, Behaviours, UnusualFilter, UnusualPage};
use labward_api::{Done, ProblemBody};
use labward_console::frame::Place;
use labward_console::pages as html;
use labward_console::pages::UNUSUAL_ON_PAGE;

use super::pages::written;
use super::visit::{Page, Visit, shown_within};
use crate::http::failure::Failure;

/// `GET /devices/unusual`
pub(super) fn unusual(visit: &Visit) -> Result<Page, Failure> {
    list_with(visit, None)
}

fn list_with(visit: &Visit, fault: Option<&ProblemBody>) -> Result<Page, Failure> {
    let narrowed = &visit.query;
    let filter = UnusualFilter {
        device: narrowed.text("device").parse().ok(),
        state: narrowed.some("state"),
        before: narrowed.text("before").parse().ok(),
        limit: Some(UNUSUAL_ON_PAGE),
    };
    let page = find(visit, &filter)?;
    let all: Behaviours = visit.get("behaviour")?;
    let frame = visit.frame(Place::Devices);
    written(html::unusual(&frame, &filter, &page, all.dropped, fault))
}

/// What a device usually does, and what it did otherwise and nobody answered.
pub(super) fn of_device(visit: &Visit, id: u64) -> Result<(Behaviours, UnusualPage), Failure> {
    let known = visit.get(&format!("behaviour?device={id}"))?;
    let filter = UnusualFilter {
        device: Some(id),
        ..UnusualFilter::default()
    };
    Ok((known, find(visit, &filter)?))
}

/// `POST /devices/unusual/answer`
pub(super) fn answer(visit: &Visit) -> Result<Page, Failure> {
    let form = &visit.form;
    let asked = AnswerUnusual {
        alert: form.text("alert").parse().unwrap_or_default(),
        answer: form.text("answer").to_owned(),
        why: form.text("why").to_owned(),
    };
    match visit.post::<Done>("behaviour/answer", &[], &asked) {
        Ok(_) => Ok(Page::To(
            "/devices/unusual?done=behaviour-answered".to_owned(),
        )),
        Err(failure) => list_with(visit, Some(&shown_within(failure)?)),
    }
}

fn find(visit: &Visit, filter: &UnusualFilter) -> Result<UnusualPage, Failure> {
    let number = |number: Option<u64>| number.map(|one| one.to_string());
    let pairs = [
        ("device", number(filter.device)),
        ("state", filter.state.clone()),
        ("before", number(filter.before)),
        ("limit", number(filter.limit.map(u64::from))),
    ];
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, text) in pairs {
        if let Some(text) = text {
            query.append_pair(name, &text);
        }
    }
    visit.get(&format!("behaviour/unusual?{}", query.finish()))
}
