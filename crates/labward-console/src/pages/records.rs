//! The search for records, its hits, and one record in full.
//!
//! It must never show a name among the hits, or put what was searched for into an address or a title.

use std::borrow::Cow;

use askama::Template;
use labward_api::ProblemBody;
use labward_api::record::{Find, Found, Shown};
use labward_identity::Permission;
use labward_report::{LabResult, Moment};
use serde_json::Value;

use super::{When, count, numbered};
use crate::RenderError;
use crate::frame::{Frame, Place};
use crate::language::Texts as _;
use crate::segments::{Segment, segments};

/// A search as it was asked, and what came of it.
#[derive(Default)]
pub struct Searched<'a> {
    /// What was asked.
    pub asked: Find,
    /// The hits.
    pub found: Option<&'a Found>,
    /// What was wrong.
    pub fault: Option<&'a ProblemBody>,
}

impl Searched<'_> {
    fn asked<'t>(&self, text: &'t Option<String>) -> &'t str {
        text.as_deref().unwrap_or_default()
    }

    fn hits(&self) -> u64 {
        self.found.map_or(0, |found| count(found.patients.len()))
    }
}

#[derive(Template)]
#[template(path = "records.html")]
struct RecordsPage<'a> {
    f: &'a Frame,
    searched: &'a Searched<'a>,
}

#[derive(Template)]
#[template(path = "records_hits.html")]
struct HitsPart<'a> {
    f: &'a Frame,
    searched: &'a Searched<'a>,
}

/// The search for records.
///
/// # Errors
///
/// [`RenderError`].
pub fn records(f: &Frame, searched: &Searched<'_>) -> Result<String, RenderError> {
    RecordsPage { f, searched }.render()
}

/// What came of a search, to stand in the page that asked.
///
/// # Errors
///
/// [`RenderError`].
pub fn hits(f: &Frame, searched: &Searched<'_>) -> Result<String, RenderError> {
    HitsPart { f, searched }.render()
}

#[derive(Template)]
#[template(path = "record.html")]
struct RecordPage<'a> {
    f: &'a Frame,
    title: Cow<'static, str>,
    shown: &'a Shown,
    segments: Vec<Segment>,
    raw: String,
}

impl RecordPage<'_> {
    fn observed(&self, result: &LabResult) -> String {
        let moment = Moment::read(&result.observed);
        moment.map_or_else(|| result.observed.clone(), |moment| moment.text)
    }
}

/// One record in full.
///
/// # Errors
///
/// [`RenderError`].
pub fn record(f: &Frame, shown: &Shown) -> Result<String, RenderError> {
    let segments = segments(&shown.view);
    let raw = match shown.view.get("text").and_then(Value::as_str) {
        Some(text) => text.to_owned(),
        None if segments.is_empty() => {
            serde_json::to_string_pretty(&shown.view).unwrap_or_default()
        }
        None => String::new(),
    };
    RecordPage {
        f,
        title: numbered(f, "record-title", shown.record),
        shown,
        segments,
        raw,
    }
    .render()
}
