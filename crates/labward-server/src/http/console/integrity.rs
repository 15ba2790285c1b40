//! The pages of baselines of files: the list, each of them, and what a person says of changes.
//!
//! It must never decide anything: the API does, in the person's name.

use labward_api::integrity::{DecideIntegrity, IntegrityBaseline};
use labward_api::{Done, ProblemBody};
use labward_base::problem;
use labward_console::frame::Place;
use labward_console::pages as html;

use super::pages::written;
use super::visit::{Page, Visit, shown_within};
use crate::http::failure::Failure;

/// `GET /malware/integrity`
pub(super) fn baselines(visit: &Visit) -> Result<Page, Failure> {
    let mut all: Vec<IntegrityBaseline> = visit.get("integrity")?;
    written(html::integrity(&visit.frame(Place::Malware), &mut all))
}

/// `GET /malware/integrity/{name}`
pub(super) fn baseline(visit: &Visit) -> Result<Page, Failure> {
    baseline_with(visit, None)
}

fn baseline_with(visit: &Visit, fault: Option<&ProblemBody>) -> Result<Page, Failure> {
    let all: Vec<IntegrityBaseline> = visit.get("integrity")?;
    let named = |one: &&IntegrityBaseline| one.name == visit.text("name");
    let missing = || Failure::new(&problem::INTEGRITY_UNKNOWN);
    let one = all.iter().find(named).ok_or_else(missing)?;
    let frame = visit.frame(Place::Malware);
    written(html::integrity_baseline(&frame, one, fault))
}

/// `POST /malware/integrity/{name}/decide`
pub(super) fn decide(visit: &Visit) -> Result<Page, Failure> {
    let asked = DecideIntegrity {
        name: visit.text("name").to_owned(),
        answer: visit.form.text("answer").to_owned(),
        why: visit.form.text("why").to_owned(),
    };
    match visit.post::<Done>("integrity/decide", &[], &asked) {
        Ok(_) => Ok(Page::To(
            "/malware/integrity?done=integrity-decided".to_owned(),
        )),
        Err(failure) => baseline_with(visit, Some(&shown_within(failure)?)),
    }
}
