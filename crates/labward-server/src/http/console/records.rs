//! The search for records, and one record in full.
//!
//! It must never take what is searched for from an address, or answer a search that is typed in another
//! way than one that is sent: both ask the API, which records each before it answers.

use labward_api::record::{Find, Found, ShowRecord, Shown};
use labward_console::frame::Place;
use labward_console::pages as html;

use super::pages::{why, written};
use super::visit::{Page, Visit, shown_within};
use crate::http::failure::Failure;

/// `GET /records`
pub(super) fn records(visit: &Visit) -> Result<Page, Failure> {
    let searched = html::Searched {
        asked: Find {
            why: visit.visitor.glass_why().to_owned(),
            ..Find::default()
        },
        ..html::Searched::default()
    };
    written(html::records(&visit.frame(Place::Records), &searched))
}

/// `POST /records`: the page, or its hits alone for the script that asks while somebody types.
pub(super) fn find(visit: &Visit) -> Result<Page, Failure> {
    let form = &visit.form;
    let find = Find {
        mrn: form.some("mrn"),
        authority: form.some("authority"),
        name: form.some("name"),
        birth_date: form.some("birth_date"),
        accession: form.some("accession"),
        why: form.text("why").to_owned(),
        limit: None,
    };
    let path = match visit.visitor.has_glass_open() {
        true => "break-glass/find",
        false => "records/find",
    };
    let (found, fault) = match visit.post::<Found>(path, &[], &find) {
        Ok(found) => (Some(found), None),
        Err(failure) => (None, Some(shown_within(failure)?)),
    };
    let searched = html::Searched {
        asked: find,
        found: found.as_ref(),
        fault: fault.as_ref(),
    };
    let frame = visit.frame(Place::Records);
    written(match visit.visitor.asks_for_part() {
        true => html::hits(&frame, &searched),
        false => html::records(&frame, &searched),
    })
}

/// `POST /records/view`
pub(super) fn record(visit: &Visit) -> Result<Page, Failure> {
    let params = [("record", visit.form.text("record"))];
    let asked = why(visit);
    let why = asked.why.clone();
    let shown: Shown = match visit.visitor.has_glass_open() {
        // What is read in an emergency waits in a small reserve: one record is one reading.
        true => visit.post("break-glass/records/{record}", &params, &asked)?,
        false => {
            let show = ShowRecord { why, earlier: true };
            visit.post("records/{record}/show", &params, &show)?
        }
    };
    written(html::record(
        &visit.frame(Place::Records),
        &shown,
        &asked.why,
    ))
}
