//! The button "Export CSV" of every list.
//!
//! It must never put what a list is filtered by, or a patient's number, into an address.

use labward_api::export::ListExport;
use labward_base::problem;

use super::visit::{Page, Visit};
use crate::http::call::Answer;
use crate::http::endpoint::Verb;
use crate::http::failure::Failure;

/// What a form holds beside the filter.
const BESIDE: &[&str] = &["csrf", "why"];
/// The lists of one patient, whose number is no filter.
const OF_PATIENT: &[&str] = &["results", "accesses"];

/// `POST /export/{list}`
pub(super) fn export(visit: &Visit) -> Result<Page, Failure> {
    let (list, form) = (visit.text("list"), &visit.form);
    let mut asked = ListExport {
        filter: form
            .pairs()
            .filter(|(name, _)| !BESIDE.contains(name))
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .collect(),
        why: form.some("why"),
        patient: None,
    };
    if OF_PATIENT.contains(&list) {
        let patient = asked.filter.remove("patient");
        asked.patient = patient.and_then(|text| text.parse().ok());
    }
    let body = serde_json::to_vec(&asked).unwrap_or_default();
    match visit.call(Verb::Post, "exports/{list}", &[("list", list)], body)? {
        Answer::File { writer, kind, name } => Ok(Page::File { writer, name, kind }),
        Answer::Json(_) | Answer::Stream(_) => Err(Failure::new(&problem::SERVER_INTERNAL)),
    }
}
