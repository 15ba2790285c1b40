//! The search for records, its hits, and one record in full.
//!
//! It must never show a name among the hits, or put what was searched for into an address or a title.

use std::borrow::Cow;

use askama::Template;
use labward_api::ProblemBody;
use labward_api::record::{Find, Found, Shown};
use labward_identity::Permission;
use labward_report::{LabResult, Measured, Moment, TestLine};
use serde_json::Value;

use super::plot::Plot;
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
    why: &'a str,
    segments: Vec<Segment>,
    raw: String,
}

/// Earlier values that stand beside one result at most.
const EARLIER_MAX: usize = 3;

/// The values that one test had before.
struct EarlierValues<'a> {
    plot: Option<Plot>,
    /// What names the picture.
    id: String,
    /// What the picture shows, for who does not see it.
    words: Cow<'static, str>,
    /// The newest of them.
    values: Vec<&'a Measured>,
    /// How many there are besides.
    more: u64,
}

impl RecordPage<'_> {
    /// The tests of this report that the patient had before.
    fn lines(&self) -> &[TestLine] {
        let earlier = self.shown.earlier.as_ref();
        earlier.map_or(&[], |earlier| &earlier.tests)
    }

    fn has_earlier(&self) -> bool {
        !self.lines().is_empty()
    }

    fn earlier(&self, result: &LabResult) -> Option<EarlierValues<'_>> {
        let mut lines = self.lines().iter().enumerate();
        let (number, line) =
            lines.find(|(_, line)| line.test == result.test && line.unit == result.unit)?;
        let is_earlier = |one: &&Measured| one.record != self.shown.record;
        let all: Vec<&Measured> = line.values.iter().filter(is_earlier).collect();
        let plot = Plot::of(&line.values);
        Some(EarlierValues {
            id: format!("earlier-{number}"),
            words: match &plot {
                Some(plot) => plot.described(self.f, line),
                None => Cow::Borrowed(""),
            },
            plot,
            more: count(all.len().saturating_sub(EARLIER_MAX)),
            values: all.into_iter().take(EARLIER_MAX).collect(),
        })
    }

    fn unopened(&self) -> String {
        let earlier = self.shown.earlier.iter();
        let numbers = earlier.flat_map(|earlier| earlier.unopened.iter().map(u64::to_string));
        numbers.collect::<Vec<_>>().join(", ")
    }

    fn observed(&self, result: &LabResult) -> String {
        let moment = Moment::read(&result.observed);
        moment.map_or_else(|| result.observed.clone(), |moment| moment.text)
    }
}

/// One record in full, read for the reason `why`.
///
/// # Errors
///
/// [`RenderError`].
pub fn record(f: &Frame, shown: &Shown, why: &str) -> Result<String, RenderError> {
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
        why,
        segments,
        raw,
    }
    .render()
}
