//! The pages of the safeguards.
//!
//! It must never decide anything: the API does, in the person's name.

use labward_api::Done;
use labward_api::safeguard::{DecideSafeguard, Safeguard, Safeguards, WithdrawSafeguard};
use labward_base::problem;
use labward_console::frame::Place;
use labward_console::pages as html;

use super::pages::{why, written};
use super::visit::{Page, Visit, shown_within};
use crate::http::failure::Failure;

/// `GET /safeguards`
pub(super) fn safeguards(visit: &Visit) -> Result<Page, Failure> {
    let path = match visit.query.text("profile") {
        "proposed-2025" => "safeguards?profile=proposed-2025",
        _ => "safeguards",
    };
    let all: Safeguards = visit.get(path)?;
    written(html::safeguards(&visit.frame(Place::Safeguards), &all))
}

/// `GET /safeguards/decide`
pub(super) fn deciding(visit: &Visit) -> Result<Page, Failure> {
    let citation = visit.query.text("citation");
    with_form(visit, citation, &html::Deciding::default())
}

/// `POST /safeguards/decide`
pub(super) fn decide(visit: &Visit) -> Result<Page, Failure> {
    let form = &visit.form;
    let asked = DecideSafeguard {
        citation: form.text("citation").to_owned(),
        kind: form.text("kind").to_owned(),
        until: form.text("until").to_owned(),
        why: form.text("why").to_owned(),
    };
    match visit.post::<Done>("safeguards/decide", &[], &asked) {
        Ok(_) => Ok(Page::To("/safeguards?done=decided".to_owned())),
        Err(failure) => {
            let fault = shown_within(failure)?;
            let citation = asked.citation.clone();
            let fault = Some(&fault);
            with_form(visit, &citation, &html::Deciding { asked, fault })
        }
    }
}

/// `POST /safeguards/withdraw`
pub(super) fn withdraw(visit: &Visit) -> Result<Page, Failure> {
    let request = WithdrawSafeguard {
        citation: visit.form.text("citation").to_owned(),
        why: why(visit).why,
    };
    visit.post::<Done>("safeguards/withdraw", &[], &request)?;
    Ok(Page::To("/safeguards?done=withdrawn".to_owned()))
}

fn with_form(
    visit: &Visit,
    citation: &str,
    deciding: &html::Deciding<'_>,
) -> Result<Page, Failure> {
    let all: Safeguards = visit.get("safeguards")?;
    let is_it = |one: &&Safeguard| one.citation == citation;
    let one = all.requirements.iter().find(is_it);
    let one = one.ok_or(Failure::new(&problem::SAFEGUARD_NO_REQUIREMENT))?;
    written(html::deciding(
        &visit.frame(Place::Safeguards),
        one,
        deciding,
    ))
}
