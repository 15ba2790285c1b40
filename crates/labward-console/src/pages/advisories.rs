//! What publishers say that the lab holds: the documents, where they come from and how old that is.
//!
//! It must never show a document without saying whether it concerns the lab, or a source that is stale as
//! if it were not.

use std::borrow::Cow;

use askama::Template;
use labward_api::ProblemBody;
use labward_api::advisory::{
    Advisories, Advisory, AdvisoryFilter, AdvisoryRemediation, AdvisoryShown, AdvisorySource,
    AdvisoryVulnerability, ImportAdvisories, ImportedAdvisories, ImportedAdvisory,
};
use labward_identity::{Language, Permission};

use super::devices::entry_text;
use super::hit::{is_web, remedy};
use super::hits::{
    Group, band_class, due, due_class, groups, source_age, tenths, vulnerability_called,
};
use super::{When, count, in_address};
use crate::RenderError;
use crate::frame::{Frame, Place};
use crate::language::Texts as _;

/// Documents on a page.
pub const ADVISORIES_ON_PAGE: u32 = 50;
/// Products that are shown at once.
const PRODUCTS_SHOWN: usize = 10;

#[derive(Template)]
#[template(path = "advisories.html")]
struct AdvisoriesPage<'a> {
    f: &'a Frame,
    filter: &'a AdvisoryFilter,
    page: &'a Advisories,
}

impl AdvisoriesPage<'_> {
    /// Sources of which there is more to say than a row holds.
    fn lists(&self) -> impl Iterator<Item = &AdvisorySource> {
        let has_more = |one: &&AdvisorySource| !one.keys.is_empty() || !one.faults.is_empty();
        self.page.sources.iter().filter(has_more)
    }

    fn q(&self) -> &str {
        self.filter.q.as_deref().unwrap_or_default()
    }

    fn source(&self) -> &str {
        self.filter.source.as_deref().unwrap_or_default()
    }

    fn only_hits(&self) -> bool {
        self.filter.state.as_deref() == Some("hit")
    }

    fn state(&self) -> &str {
        match self.only_hits() {
            true => "hit",
            false => "all",
        }
    }

    fn address(&self, state: &str, source: &str, skip: u32) -> String {
        let mut address = format!("/advisories?state={state}");
        for (name, text) in [("q", in_address(self.q())), ("source", in_address(source))] {
            if !text.is_empty() {
                address.push_str(&format!("&{name}={text}"));
            }
        }
        if skip > 0 {
            address.push_str(&format!("&skip={skip}"));
        }
        address
    }

    fn earlier(&self) -> Option<String> {
        let skip = self.filter.skip.unwrap_or_default();
        let before = skip.saturating_sub(ADVISORIES_ON_PAGE);
        (skip > 0).then(|| self.address(self.state(), self.source(), before))
    }

    fn later(&self) -> Option<String> {
        let next = self.page.next?;
        Some(self.address(self.state(), self.source(), next))
    }
}

/// What a document is called in a list.
fn called(one: &Advisory) -> &str {
    match one.title.is_empty() {
        true => &one.name,
        false => &one.title,
    }
}

/// The documents that the filter fits, and where they come from.
///
/// # Errors
///
/// [`RenderError`].
pub fn advisories(
    f: &Frame,
    filter: &AdvisoryFilter,
    page: &Advisories,
) -> Result<String, RenderError> {
    AdvisoriesPage { f, filter, page }.render()
}

#[derive(Template)]
#[template(path = "advisories_import.html")]
struct ImportPage<'a> {
    f: &'a Frame,
    asked: &'a ImportAdvisories,
    sources: &'a [AdvisorySource],
    read: Option<&'a ImportedAdvisories>,
    fault: Option<&'a ProblemBody>,
}

impl ImportPage<'_> {
    /// Those that need a person first.
    fn lines(&self) -> Vec<&ImportedAdvisory> {
        let mut all: Vec<&ImportedAdvisory> =
            self.read.iter().flat_map(|read| &read.lines).collect();
        all.sort_by_key(|line| line.state != "refused");
        all
    }
}

/// The form for files of advisories and, once some were sent, what became of them.
///
/// # Errors
///
/// [`RenderError`].
pub fn advisories_import(
    f: &Frame,
    asked: &ImportAdvisories,
    sources: &[AdvisorySource],
    read: Option<&ImportedAdvisories>,
    fault: Option<&ProblemBody>,
) -> Result<String, RenderError> {
    ImportPage {
        f,
        asked,
        sources,
        read,
        fault,
    }
    .render()
}

#[derive(Template)]
#[template(path = "advisory.html")]
struct AdvisoryPage<'a> {
    f: &'a Frame,
    one: &'a AdvisoryShown,
    open: Vec<Group<'a>>,
    closed: u64,
    remedies: Vec<&'a AdvisoryRemediation>,
}

impl AdvisoryPage<'_> {
    fn affected(&self) -> u64 {
        count(self.open.iter().filter(|one| one.is_affected()).count())
    }

    fn unclear(&self) -> u64 {
        count(self.open.iter().filter(|one| !one.is_affected()).count())
    }

    /// The edge of the answer to "are we hit?".
    fn edge(&self) -> &'static str {
        match (self.affected(), self.unclear()) {
            (1.., _) => "harm-high-edge",
            (0, 1..) => "harm-medium-edge",
            (0, 0) => "good-edge",
        }
    }

    fn products(
        &self,
    ) -> (
        &[labward_api::advisory::AdvisoryProduct],
        &[labward_api::advisory::AdvisoryProduct],
    ) {
        let all = &self.one.products;
        all.split_at(all.len().min(PRODUCTS_SHOWN))
    }

    fn called(&self, one: &AdvisoryVulnerability) -> String {
        vulnerability_called(self.f, &one.vulnerability)
    }

    fn others(&self) -> u64 {
        count(self.products().1.len())
    }
}

/// The kind of a document in words.
fn kind(f: &Frame, one: &Advisory) -> Cow<'static, str> {
    f.of("advisory-kind", &one.kind)
}

/// A probability in per cent.
fn percent(f: &Frame, probability: &f64) -> Cow<'static, str> {
    let percent = format!("{:.1}", probability * 100.0);
    f.w("hit-epss", "percent", &percent)
}

/// A document: whether the lab is hit, and everything that it says.
///
/// # Errors
///
/// [`RenderError`].
pub fn advisory(f: &Frame, one: &AdvisoryShown) -> Result<String, RenderError> {
    let all = groups(&one.hits);
    let (open, closed): (Vec<Group<'_>>, Vec<Group<'_>>) = all
        .into_iter()
        .partition(|group| group.worst.closed.is_none());
    let mut remedies: Vec<&AdvisoryRemediation> = Vec::new();
    for remedy in one.vulnerabilities.iter().flat_map(|one| &one.remediations) {
        if !remedies.contains(&remedy) {
            remedies.push(remedy);
        }
    }
    AdvisoryPage {
        f,
        one,
        open,
        closed: count(closed.len()),
        remedies,
    }
    .render()
}

#[cfg(test)]
#[path = "advisories_tests.rs"]
mod tests;
