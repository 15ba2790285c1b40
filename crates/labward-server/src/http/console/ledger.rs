//! The pages of the ledger.
//!
//! It must never ask for more of an entry than the API shows: what is sealed stays sealed.

use labward_api::ledger::{Entries, EntryFilter, Verified};
use labward_base::problem;
use labward_console::frame::Place;
use labward_console::pages as html;
use serde_json::{Value, json};

use super::pages::{day, name_of, written};
use super::visit::{Page, Visit};
use crate::http::call::Answer;
use crate::http::endpoint::Verb;
use crate::http::failure::Failure;

/// `GET /ledger`
pub(super) fn ledger(visit: &Visit) -> Result<Page, Failure> {
    with(visit, None)
}

/// `POST /ledger/verify`
pub(super) fn verify(visit: &Visit) -> Result<Page, Failure> {
    let verified: Verified = visit.post("ledger/verify", &[], &json!({}))?;
    with(visit, Some(&verified))
}

/// `POST /ledger/export`
pub(super) fn export(visit: &Visit) -> Result<Page, Failure> {
    let body = serde_json::to_vec(&json!({ "format": "bundle" })).unwrap_or_default();
    match visit.call(Verb::Post, "ledger/export", &[], body)? {
        Answer::Stream(writer) => Ok(Page::File {
            writer,
            name: format!("ledger-{}.labward", day(visit)),
            kind: "application/octet-stream",
        }),
        Answer::Json(_) | Answer::File { .. } => Err(Failure::new(&problem::SERVER_INTERNAL)),
    }
}

/// `GET /ledger/entries/{entry}`
pub(super) fn entry(visit: &Visit) -> Result<Page, Failure> {
    let missing = || Failure::new(&problem::SERVER_NO_ENDPOINT);
    let number: u64 = visit.text("entry").parse().map_err(|_| missing())?;
    let found: Entries = visit.get(&format!("ledger/entries?from={number}&limit=1"))?;
    let rows = html::rows(&found.entries, |who| name_of(visit, who));
    // The first from there on may be another one.
    let is_it = |leaf: &&Value| leaf.get("n").and_then(Value::as_u64) == Some(number);
    let leaf = found.entries.first().filter(is_it);
    let (Some(row), Some(leaf)) = (rows.first(), leaf) else {
        return Err(missing());
    };
    written(html::entry(
        &visit.frame(Place::Ledger),
        row,
        leaf,
        found.size,
    ))
}

/// `GET /ledger/entries/{entry}/proof`
pub(super) fn proof(visit: &Visit) -> Result<Page, Failure> {
    let number = visit.text("entry");
    let params = [("entry", number)];
    let proof: Value = visit.ask(Verb::Get, "ledger/prove/{entry}", &params, Vec::new())?;
    let proof = proof
        .get("proof")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let text = proof.to_owned();
    Ok(Page::File {
        writer: Box::new(move |out| {
            let broken = |_| Failure::new(&problem::SERVER_BUSY);
            out.write_all(text.as_bytes()).map_err(broken)
        }),
        name: format!("entry-{number}.tlog-proof"),
        kind: "text/plain; charset=utf-8",
    })
}

/// The entries that fit the address: the newest first, or from the one that it names.
fn with(visit: &Visit, verified: Option<&Verified>) -> Result<Page, Failure> {
    let query = &visit.query;
    let mut filter = EntryFilter {
        actor: query.some("actor"),
        action: query.some("action"),
        subject: query.some("subject"),
        outcome: query.some("outcome"),
        patient: query.text("patient").trim().parse().ok(),
        since: query.some("since"),
        until: query.some("until"),
        from: query.text("from").parse().ok(),
        before: query.text("before").parse().ok(),
        limit: Some(html::ENTRIES_ON_PAGE),
    };
    if filter.from.is_none() {
        filter.before = filter.before.or(Some(u64::MAX));
    }
    let asked = address(&filter);
    let mut whole = form_urlencoded::Serializer::new(asked.clone());
    let numbers = [("from", filter.from), ("before", filter.before)];
    for (name, number) in numbers {
        if let Some(number) = number {
            whole.append_pair(name, &number.to_string());
        }
    }
    whole.append_pair("limit", &html::ENTRIES_ON_PAGE.to_string());
    let found: Entries = visit.get(&format!("ledger/entries?{}", whole.finish()))?;
    let rows = html::rows(&found.entries, |who| name_of(visit, who));
    let frame = visit.frame(Place::Ledger);
    written(html::ledger(
        &frame,
        (&filter, &asked),
        &found,
        &rows,
        verified,
    ))
}

/// The filter as the part of an address behind its `?`, without where a page begins.
fn address(filter: &EntryFilter) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, text) in [
        ("actor", &filter.actor),
        ("action", &filter.action),
        ("subject", &filter.subject),
        ("outcome", &filter.outcome),
        ("since", &filter.since),
        ("until", &filter.until),
    ] {
        if let Some(text) = text {
            query.append_pair(name, text);
        }
    }
    if let Some(patient) = filter.patient {
        query.append_pair("patient", &patient.to_string());
    }
    query.finish()
}
