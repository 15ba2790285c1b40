//! The pages of one patient.
//!
//! It must never take a patient's number from an address, or ask without the reason that was given.

use labward_api::record::{Accesses, AskedAccesses, Results};
use labward_console::frame::Place;
use labward_console::pages as html;

use super::pages::{why, written};
use super::visit::{Page, Visit};
use crate::http::failure::Failure;

/// `POST /patients/view`
pub(super) fn results(visit: &Visit) -> Result<Page, Failure> {
    let path = match visit.visitor.has_glass_open() {
        true => "break-glass/patients/{patient}/results",
        false => "patients/{patient}/results",
    };
    let (params, why) = ([("patient", visit.form.text("patient"))], why(visit));
    let results: Results = visit.post(path, &params, &why)?;
    let frame = visit.frame(Place::Records);
    written(html::results(&frame, &results, &why.why))
}

/// `POST /patients/accesses`
pub(super) fn accesses(visit: &Visit) -> Result<Page, Failure> {
    let form = &visit.form;
    let asked = AskedAccesses {
        why: form.text("why").to_owned(),
        since: form.some("since"),
        until: form.some("until"),
        before: form.text("before").parse().ok(),
        limit: None,
    };
    let patient = form.text("patient");
    let path = "patients/{patient}/accesses";
    let accesses: Accesses = visit.post(path, &[("patient", patient)], &asked)?;
    let frame = visit.frame(Place::Records);
    written(html::accesses(&frame, patient, &asked, &accesses))
}
