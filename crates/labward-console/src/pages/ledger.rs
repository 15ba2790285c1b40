//! The ledger: a filtered page of it, and one entry by itself.
//!
//! It must never open what is sealed in an entry; opaque numbers are all that it shows of a patient.

use std::borrow::Cow;

use askama::Template;
use labward_api::ledger::{Entries, EntryFilter, Verified};
use labward_identity::Permission;
use serde_json::Value;

use super::When;
use super::entries::Row;
use crate::RenderError;
use crate::frame::{Frame, Place};
use crate::language::Texts as _;

/// The outcomes by which entries are filtered.
const OUTCOMES: [&str; 3] = ["success", "refused", "failed"];

#[derive(Template)]
#[template(path = "ledger.html")]
struct LedgerPage<'a> {
    f: &'a Frame,
    filter: &'a EntryFilter,
    /// The filter as the part of an address behind its `?`, without where the page begins.
    query: &'a str,
    rows: &'a [Row],
    found: &'a Entries,
    verified: Option<&'a Verified>,
}

impl LedgerPage<'_> {
    fn given<'t>(&self, text: &'t Option<String>) -> &'t str {
        text.as_deref().unwrap_or_default()
    }

    fn is_outcome(&self, outcome: &str) -> bool {
        self.filter.outcome.as_deref() == Some(outcome)
    }

    fn patient(&self) -> String {
        self.filter
            .patient
            .map(|number| number.to_string())
            .unwrap_or_default()
    }

    /// How far the page looked: that is not everything.
    fn looked(&self) -> Cow<'static, str> {
        self.f.language.counted("ledger-looked", self.found.looked)
    }

    fn is_newest_first(&self) -> bool {
        self.filter.from.is_none()
    }
}

/// A page of the ledger.
///
/// # Errors
///
/// [`RenderError`].
pub fn ledger(
    f: &Frame,
    (filter, query): (&EntryFilter, &str),
    found: &Entries,
    rows: &[Row],
    verified: Option<&Verified>,
) -> Result<String, RenderError> {
    LedgerPage {
        f,
        filter,
        query,
        rows,
        found,
        verified,
    }
    .render()
}

#[derive(Template)]
#[template(path = "entry.html")]
struct EntryPage<'a> {
    f: &'a Frame,
    title: Cow<'static, str>,
    row: &'a Row,
    leaf: &'a Value,
    size: u64,
}

impl EntryPage<'_> {
    /// The facts, each with its name.
    fn facts(&self) -> Vec<(&str, String)> {
        let facts = self.leaf.get("facts").and_then(Value::as_object);
        let one = |one: &Value| one.as_str().map_or_else(|| one.to_string(), str::to_owned);
        let words = |value: &Value| match value {
            Value::Array(list) => list.iter().map(one).collect::<Vec<_>>().join(", "),
            value => one(value),
        };
        let facts = facts.into_iter().flatten();
        facts
            .map(|(name, value)| (name.as_str(), words(value)))
            .collect()
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.leaf.get(name).and_then(Value::as_u64)
    }

    /// The record that it keeps or was done to.
    fn record(&self) -> Option<u64> {
        let subject = self.leaf.get("subject").and_then(Value::as_str);
        let of_subject = subject.and_then(|subject| subject.strip_prefix("record:"));
        let of_subject = of_subject.and_then(|number| number.parse().ok());
        self.number("record").or(of_subject)
    }

    fn is_sealed(&self) -> bool {
        self.leaf.get("detail").is_some()
    }

    fn payload(&self) -> Option<&str> {
        self.leaf.get("payload")?.get("sha256")?.as_str()
    }

    fn older(&self) -> Option<u64> {
        self.row.index.checked_sub(1)
    }

    fn newer(&self) -> Option<u64> {
        self.row
            .index
            .checked_add(1)
            .filter(|next| *next < self.size)
    }
}

/// One entry of the `size` there are.
///
/// # Errors
///
/// [`RenderError`].
pub fn entry(f: &Frame, row: &Row, leaf: &Value, size: u64) -> Result<String, RenderError> {
    EntryPage {
        f,
        title: f.w("entry-title", "entry", &row.index.to_string()),
        row,
        leaf,
        size,
    }
    .render()
}
