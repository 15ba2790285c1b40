//! The pages of emergency access.
//!
//! It must never decide who reviews what: the API does, in the person's name.

use labward_api::Done;
use labward_api::glass::{OpenGlass, OpenedGlass, Opening, OpeningShown, ReviewOpening};
use labward_console::frame::Place;
use labward_console::pages as html;

use super::pages::written;
use super::visit::{Page, Visit, shown_within};
use crate::http::endpoint::Verb;
use crate::http::failure::Failure;

/// `GET /break-glass`
pub(super) fn glass(visit: &Visit) -> Result<Page, Failure> {
    with_form(visit, "", None)
}

/// `POST /break-glass/open`
pub(super) fn open(visit: &Visit) -> Result<Page, Failure> {
    let asked = OpenGlass {
        why: visit.form.text("why").to_owned(),
        minutes: None,
    };
    match visit.post::<OpenedGlass>("break-glass/open", &[], &asked) {
        Ok(_) => Ok(Page::To("/records?done=glass-opened".to_owned())),
        Err(failure) => with_form(visit, &asked.why, Some(&shown_within(failure)?)),
    }
}

/// `POST /break-glass/end`
pub(super) fn end(visit: &Visit) -> Result<Page, Failure> {
    visit.post::<Done>("break-glass/end", &[], &())?;
    Ok(Page::To("/break-glass?done=glass-ended".to_owned()))
}

/// `GET /break-glass/reviews`
pub(super) fn openings(visit: &Visit) -> Result<Page, Failure> {
    let openings: Vec<Opening> = match visit.query.text("before").parse::<u64>() {
        Ok(before) => visit.get(&format!("break-glass?before={before}"))?,
        Err(_) => visit.get("break-glass")?,
    };
    written(html::openings(&visit.frame(Place::Elsewhere), &openings))
}

/// `GET /break-glass/reviews/{number}`
pub(super) fn opening(visit: &Visit) -> Result<Page, Failure> {
    one(visit, &ReviewOpening::default(), None)
}

/// `POST /break-glass/reviews/{number}`
pub(super) fn review(visit: &Visit) -> Result<Page, Failure> {
    let number = visit.text("number");
    let asked = ReviewOpening {
        verdict: visit.form.text("verdict").to_owned(),
        note: visit.form.text("note").to_owned(),
    };
    let params = [("number", number)];
    match visit.post::<Done>("break-glass/{number}/review", &params, &asked) {
        Ok(_) => {
            let place = format!("/break-glass/reviews/{number}?done=reviewed");
            Ok(Page::To(place))
        }
        Err(failure) => one(visit, &asked, Some(&shown_within(failure)?)),
    }
}

fn with_form(
    visit: &Visit,
    why: &str,
    fault: Option<&labward_api::ProblemBody>,
) -> Result<Page, Failure> {
    let open: Option<OpenedGlass> = match visit.visitor.has_glass_open() {
        true => visit.get("break-glass/mine").ok(),
        false => None,
    };
    let minutes = visit.core.config().break_glass.minutes;
    let frame = visit.frame(Place::Records);
    written(html::glass(&frame, open.as_ref(), minutes, why, fault))
}

fn one(
    visit: &Visit,
    asked: &ReviewOpening,
    fault: Option<&labward_api::ProblemBody>,
) -> Result<Page, Failure> {
    let params = [("number", visit.text("number"))];
    let path = "break-glass/{number}";
    let shown: OpeningShown = visit.ask(Verb::Get, path, &params, Vec::new())?;
    let (_, session) = visit.session()?;
    let is_own = shown.opening.person == session.person.id.get();
    let frame = visit.frame(Place::Elsewhere);
    written(html::opening(&frame, &shown, is_own, asked, fault))
}
