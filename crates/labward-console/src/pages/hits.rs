//! What is due: which published vulnerabilities concern which devices, and many decided together.
//!
//! It must never show how urgent something is, or what is known of it, by colour alone, or leave out in
//! silence what does not fit on a page.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use labward_api::ProblemBody;
use labward_api::advisory::AdvisorySource;
use labward_api::hit::{Hit, HitFilter, Hits};
use labward_identity::Permission;

use super::safeguards::span;
use super::{When, count, in_address};
use crate::RenderError;
use crate::frame::{Frame, Place};
use crate::language::Texts as _;

/// Rows on a page of the list: a device and a document each.
const ROWS_ON_PAGE: usize = 50;
/// Hits that a page is made from at most.
pub const HITS_READ_MAX: usize = 5_000;
/// Hits of a row that one decision takes, as the API has it.
const DECIDED_MAX: usize = 500;

/// The bands, the worst first.
pub(super) const BANDS: &[&str] = &["critical", "high", "medium", "low"];
/// What may be done about a hit.
pub(super) const TREATMENTS: &[&str] = &["patch", "control", "accept", "replace"];

/// What was filled into the form of a decision.
#[derive(Clone, Debug, Default)]
pub struct DecidingHits {
    /// The hits that are ticked.
    pub hits: BTreeSet<u64>,
    /// `patch`, `control`, `accept` or `replace`.
    pub kind: String,
    /// `yes`, `no` or nothing.
    pub approved: String,
    /// The last day.
    pub until: String,
    /// Why.
    pub why: String,
}

/// What the list of what is due is made from.
pub struct DueList<'a> {
    /// What is asked for; `skip` counts rows.
    pub filter: &'a HitFilter,
    /// The hits, [`HITS_READ_MAX`] at most.
    pub page: &'a Hits,
    /// Where advisories come from.
    pub sources: &'a [AdvisorySource],
    /// How many hits are closed.
    pub closed: u64,
}

/// The hits of one document in one device.
pub(super) struct Group<'a> {
    /// The most urgent.
    pub(super) worst: &'a Hit,
    /// The one that is due first, untreated ones before treated ones.
    pub(super) first: &'a Hit,
    /// All of them.
    pub(super) hits: Vec<&'a Hit>,
}

impl<'a> Group<'a> {
    fn of(hit: &'a Hit) -> Self {
        Self {
            worst: hit,
            first: hit,
            hits: vec![hit],
        }
    }

    fn take(&mut self, hit: &'a Hit) {
        let rank = |hit: &Hit| (band_rank(hit), !hit.exploited);
        if rank(hit) < rank(self.worst) {
            self.worst = hit;
        }
        self.hits.push(hit);
    }

    /// Those that are hidden behind the worst.
    pub(super) fn others(&self) -> u64 {
        count(self.hits.len()).saturating_sub(1)
    }

    pub(super) fn is_affected(&self) -> bool {
        self.hits.iter().any(|hit| hit.verdict == "affected")
    }

    pub(super) fn verdict(&self) -> &'static str {
        match self.is_affected() {
            true => "affected",
            false => "cannot-tell",
        }
    }

    pub(super) fn exploited(&self) -> u64 {
        count(self.hits.iter().filter(|hit| hit.exploited).count())
    }

    fn ransomware(&self) -> bool {
        self.hits.iter().any(|hit| hit.ransomware)
    }

    pub(super) fn treated(&self) -> u64 {
        count(
            self.hits
                .iter()
                .filter(|hit| hit.state == "treated")
                .count(),
        )
    }

    pub(super) fn is_all_treated(&self) -> bool {
        self.treated() == self.size()
    }

    /// How they are treated, each way once.
    fn treatments(&self) -> Vec<&str> {
        let kinds = self.hits.iter().filter_map(|hit| hit.treatment.as_ref());
        let kinds: BTreeSet<&str> = kinds.map(|one| one.kind.as_str()).collect();
        kinds.into_iter().collect()
    }

    pub(super) fn size(&self) -> u64 {
        count(self.hits.len())
    }

    /// What the box of the row stands for.
    fn value(&self) -> String {
        let ids = self.hits.iter().take(DECIDED_MAX);
        let ids: Vec<String> = ids.map(|hit| hit.id.to_string()).collect();
        ids.join(",")
    }

    fn is_ticked(&self, asked: &DecidingHits) -> bool {
        self.hits.iter().any(|hit| asked.hits.contains(&hit.id))
    }
}

/// The hits by device and document, in the order of the first of each; what is closed stands for itself.
pub(super) fn groups(hits: &[Hit]) -> Vec<Group<'_>> {
    let mut places: BTreeMap<(u64, &str, bool), usize> = BTreeMap::new();
    let mut groups: Vec<Group<'_>> = Vec::new();
    for hit in hits {
        let key = (hit.device.id, hit.advisory.as_str(), hit.closed.is_some());
        let known = places
            .get(&key)
            .copied()
            .and_then(|place| groups.get_mut(place));
        match known {
            Some(group) => group.take(hit),
            None => {
                places.insert(key, groups.len());
                groups.push(Group::of(hit));
            }
        }
    }
    groups
}

/// The place of a hit's band, the worst 0.
pub(super) fn band_rank(hit: &Hit) -> usize {
    let place = BANDS.iter().position(|band| *band == hit.band);
    place.unwrap_or(BANDS.len())
}

/// The class of a band: one of ours, whatever the answer says.
pub(super) fn band_class(hit: &Hit) -> &'static str {
    match hit.band.as_str() {
        "critical" => "band-critical",
        "high" => "harm-high",
        "medium" => "harm-medium",
        _ => "harm-low",
    }
}

/// When it is due, in words.
pub(super) fn due(f: &Frame, hit: &Hit) -> Cow<'static, str> {
    if hit.closed.is_some() || hit.state == "treated" {
        return f.of("hit-state", &hit.state);
    }
    match hit.days_left {
        ..0 => f.n("hits-late", hit.days_left.unsigned_abs()),
        0 => f.t("hits-today"),
        days => f.n("hits-left", days.unsigned_abs()),
    }
}

/// The class of when it is due.
pub(super) fn due_class(hit: &Hit) -> &'static str {
    match hit.state.as_str() {
        "overdue" | "acceptance-expired" => "state-bad",
        "due-soon" => "state-held",
        "treated" | "closed" => "state-good",
        _ => "",
    }
}

/// What a vulnerability is called: a CVE, or its title or place in its document.
pub(super) fn shown_vulnerability(f: &Frame, hit: &Hit) -> String {
    vulnerability_called(f, &hit.vulnerability)
}

pub(super) fn vulnerability_called(f: &Frame, id: &str) -> String {
    let Some((_, rest)) = id.split_once('#') else {
        return id.to_owned();
    };
    match rest.strip_prefix('=') {
        Some(title) => title.to_owned(),
        None => {
            let place: u64 = rest.parse().unwrap_or_default();
            let number = place.saturating_add(1).to_string();
            f.w("hits-placed", "number", &number).into_owned()
        }
    }
}

/// A CVSS score with its one digit; nothing if there is none.
pub(super) fn score(hit: &Hit) -> String {
    tenths(hit.cvss.as_ref())
}

/// A score with one digit.
pub(super) fn tenths(score: Option<&f64>) -> String {
    score.map_or_else(String::new, |score| format!("CVSS {score:.1}"))
}

/// How long ago a source was looked into.
pub(super) fn source_age(f: &Frame, source: &AdvisorySource) -> Cow<'static, str> {
    match source.age_seconds {
        Some(seconds) => f.w("safeguards-age", "span", &span(f, seconds)),
        None => f.t("advisories-never"),
    }
}

#[derive(Template)]
#[template(path = "hits.html")]
struct HitsPage<'a> {
    f: &'a Frame,
    filter: &'a HitFilter,
    page: &'a Hits,
    sources: &'a [AdvisorySource],
    closed: u64,
    groups: Vec<Group<'a>>,
    asked: &'a DecidingHits,
    fault: Option<&'a ProblemBody>,
}

/// A link that narrows the list: its text, how many there are, its address, and whether it is on.
struct Narrow {
    text: &'static str,
    count: u64,
    href: String,
    here: bool,
}

impl HitsPage<'_> {
    fn may(&self) -> bool {
        self.f.may(Permission::DeviceChange) && self.state() != "closed"
    }

    fn state(&self) -> &str {
        self.filter.state.as_deref().unwrap_or("open")
    }

    fn verdict(&self) -> &str {
        self.filter.verdict.as_deref().unwrap_or_default()
    }

    fn q(&self) -> &str {
        self.filter.q.as_deref().unwrap_or_default()
    }

    fn device(&self) -> String {
        self.filter
            .device
            .map_or_else(String::new, |id| id.to_string())
    }

    fn advisory(&self) -> String {
        self.filter
            .advisory
            .map_or_else(String::new, |id| id.to_string())
    }

    fn skip(&self) -> usize {
        usize::try_from(self.filter.skip.unwrap_or_default()).unwrap_or(usize::MAX)
    }

    fn narrowed(&self) -> bool {
        let filter = self.filter;
        filter.q.is_some() || filter.device.is_some() || filter.advisory.is_some()
    }

    fn address(&self, state: &str, verdict: &str, skip: usize) -> String {
        let mut address = format!("/hits?state={state}");
        let mut add = |name: &str, text: &str| {
            if !text.is_empty() {
                address.push_str(&format!("&{name}={text}"));
            }
        };
        add("verdict", verdict);
        add("q", &in_address(self.q()));
        add("device", &self.device());
        add("advisory", &self.advisory());
        if skip > 0 {
            add("skip", &skip.to_string());
        }
        address
    }

    /// The links above the list. Their numbers are of all hits, whatever is searched for.
    fn narrows(&self) -> Vec<Narrow> {
        let counts = &self.page.counts;
        let due = counts.overdue.saturating_add(counts.due_soon);
        let untreated = counts.open.saturating_sub(counts.treated);
        let all = [
            ("hits-filter-open", counts.open, "open", ""),
            ("hits-filter-overdue", counts.overdue, "overdue", ""),
            ("hits-filter-due", due, "due", ""),
            ("hits-filter-untreated", untreated, "untreated", ""),
            ("hits-filter-affected", counts.affected, "open", "affected"),
            (
                "hits-filter-cannot-tell",
                counts.cannot_tell,
                "open",
                "cannot-tell",
            ),
            ("hits-filter-treated", counts.treated, "treated", ""),
            ("hits-filter-closed", self.closed, "closed", ""),
        ];
        let narrow = |(text, count, state, verdict): (&'static str, u64, &str, &str)| Narrow {
            text,
            count,
            href: self.address(state, verdict, 0),
            here: state == self.state() && verdict == self.verdict(),
        };
        all.into_iter().map(narrow).collect()
    }

    fn stale(&self) -> Vec<&AdvisorySource> {
        self.sources.iter().filter(|one| one.stale).collect()
    }

    fn shown(&self) -> impl Iterator<Item = &Group<'_>> {
        self.groups.iter().skip(self.skip()).take(ROWS_ON_PAGE)
    }

    fn rows(&self) -> u64 {
        count(self.groups.len())
    }

    fn earlier(&self) -> Option<String> {
        let skip = self.skip();
        let before = skip.saturating_sub(ROWS_ON_PAGE);
        (skip > 0).then(|| self.address(self.state(), self.verdict(), before))
    }

    fn later(&self) -> Option<String> {
        let next = self.skip().saturating_add(ROWS_ON_PAGE);
        (next < self.groups.len()).then(|| self.address(self.state(), self.verdict(), next))
    }

    /// How many hits the page could not be made from.
    fn left_out(&self) -> u64 {
        self.page.total.saturating_sub(count(self.page.hits.len()))
    }
}

/// What is due, grouped by device and document, with the form that decides about what is ticked.
///
/// # Errors
///
/// [`RenderError`].
pub fn due_list(
    f: &Frame,
    due: &DueList<'_>,
    asked: &DecidingHits,
    fault: Option<&ProblemBody>,
) -> Result<String, RenderError> {
    HitsPage {
        f,
        filter: due.filter,
        page: due.page,
        sources: due.sources,
        closed: due.closed,
        groups: groups(&due.page.hits),
        asked,
        fault,
    }
    .render()
}

#[cfg(test)]
#[path = "hits_tests.rs"]
pub(super) mod tests;
