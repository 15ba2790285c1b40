//! One hit with the way to it, what people said of hits, and the work that is to be done, on paper.
//!
//! It must never show a verdict without the way to it, or a publisher's English as if it were the reader's
//! language.

use std::borrow::Cow;
use std::collections::BTreeSet;

use askama::Template;
use labward_api::ProblemBody;
use labward_api::advisory::AdvisoryRemediation;
use labward_api::device::Device;
use labward_api::hit::{HitShown, HitStatement, HitStep};
use labward_identity::{Language, Permission};

use super::devices::entry_text;
use super::hits::{
    DecidingHits, TREATMENTS, band_class, due, due_class, score, shown_vulnerability,
    vulnerability_called,
};
use super::{When, count};
use crate::RenderError;
use crate::frame::{Frame, Place};
use crate::language::Texts as _;

/// Products that are shown at once.
const STEPS_SHOWN: usize = 8;
/// Products of which it can be said whether the device is one.
const PRODUCTS_ASKED: usize = 5;

/// What was filled into the form about the vulnerability.
#[derive(Clone, Debug, Default)]
pub struct Stating {
    /// `affected`, `fixed` or `not-affected`.
    pub status: String,
    /// Whether only the present version is meant.
    pub this_version: bool,
    /// Why.
    pub why: String,
}

/// What a person may say of a device and a vulnerability.
const STATUSES: &[&str] = &["not-affected", "fixed", "affected"];

#[derive(Template)]
#[template(path = "hit.html")]
struct HitPage<'a> {
    f: &'a Frame,
    one: &'a HitShown,
    deciding: &'a DecidingHits,
    stating: &'a Stating,
    fault: Option<&'a ProblemBody>,
}

impl HitPage<'_> {
    fn is_open(&self) -> bool {
        self.one.hit.closed.is_none()
    }

    fn may_change(&self) -> bool {
        self.f.may(Permission::DeviceChange)
    }

    fn may_decide(&self) -> bool {
        self.is_open() && self.may_change()
    }

    fn may_state(&self) -> bool {
        self.f.may(Permission::RiskAccept)
    }

    /// What has to happen, in one sentence.
    fn at_a_glance(&self) -> Cow<'static, str> {
        let hit = &self.one.hit;
        match (hit.closed.is_some(), hit.verdict.as_str()) {
            (true, _) => self.f.t("hit-glance-closed"),
            (false, "affected") => self.f.t("hit-glance-affected"),
            (false, _) => self.f.t("hit-glance-cannot-tell"),
        }
    }

    fn first_steps(&self) -> &[HitStep] {
        let all = &self.one.steps;
        all.get(..STEPS_SHOWN).unwrap_or(all)
    }

    fn other_steps(&self) -> &[HitStep] {
        self.one.steps.get(STEPS_SHOWN..).unwrap_or_default()
    }

    fn other_steps_count(&self) -> u64 {
        count(self.other_steps().len())
    }

    /// The products of which a person may say whether the device is one, each once.
    fn products(&self) -> Vec<&HitStep> {
        let mut seen = BTreeSet::new();
        // A name of the operating system or of a component is no question of the device's name.
        let steps = self
            .one
            .steps
            .iter()
            .filter(|one| !matches!(one.status.as_str(), "component" | "exploited"));
        let new = steps.filter(|one| seen.insert((&one.found_by, &one.vendor, &one.product)));
        new.take(PRODUCTS_ASKED).collect()
    }

    fn epss(&self) -> Option<String> {
        let probability = self.one.hit.epss?;
        let percent = format!("{:.1}", probability * 100.0);
        Some(self.f.w("hit-epss", "percent", &percent).into_owned())
    }

    /// Whether a person's or a maker's word changes what would be said.
    fn differs(&self) -> Option<&str> {
        let without = self.one.without.as_deref();
        without.filter(|one| *one != self.one.hit.verdict)
    }
}

/// A product as its publisher wrote it.
fn product(step: &HitStep) -> String {
    match step.vendor.is_empty() {
        true => step.product.clone(),
        false => format!("{} {}", step.vendor, step.product),
    }
}

/// Whether a product is this device, as a question.
fn is_it(f: &Frame, one: &HitShown, step: &HitStep) -> Cow<'static, str> {
    let called = match one.manufacturer.is_empty() {
        true => step.found_by.clone(),
        false => format!("{} {}", one.manufacturer, step.found_by),
    };
    let product = product(step);
    let words = [("device", called.as_str()), ("product", product.as_str())];
    f.language.with("hit-is-it", &words)
}

/// Who said or decided something.
pub(super) fn who(f: &Frame, name: Option<&String>, person: &u64) -> Cow<'static, str> {
    match name {
        Some(name) => Cow::Owned(name.clone()),
        None => f.w("safeguards-person", "number", &person.to_string()),
    }
}

/// What a statement says, in words.
fn says(f: &Frame, one: &HitStatement) -> String {
    let is_product = one.device.is_none();
    let mut words = match is_product {
        true => {
            let device = format!("{} {}", one.manufacturer, one.model);
            let product = format!("{} {}", one.vendor, one.product);
            let words = [("device", device.trim()), ("product", product.trim())];
            let key = format!("hit-says-{}", one.says);
            f.language.with(&key, &words).into_owned()
        }
        false => {
            let status = f.of("hit-says", &one.says);
            let called = vulnerability_called(f, &one.vulnerability);
            format!("{called}: {status}")
        }
    };
    if let Some(version) = &one.version {
        words.push_str(&format!(
            " ({})",
            f.w("hit-only-version", "version", version)
        ));
    }
    words
}

/// Remediations of each kind that anything can be done by first.
fn sorted(all: &[AdvisoryRemediation]) -> Vec<&AdvisoryRemediation> {
    let rank = |one: &AdvisoryRemediation| match one.kind.as_str() {
        "vendor_fix" => 0,
        "mitigation" => 1,
        "workaround" => 2,
        _ => 3,
    };
    let mut all: Vec<&AdvisoryRemediation> = all.iter().collect();
    all.sort_by_key(|one| rank(one));
    all
}

/// A kind of remediation in words; one that we do not know as it is.
pub(super) fn remedy(f: &Frame, kind: &str) -> Cow<'static, str> {
    match kind {
        "vendor_fix" | "mitigation" | "workaround" | "none_available" | "no_fix_planned" => {
            f.of("remedy", &kind.replace('_', "-"))
        }
        other => Cow::Owned(other.to_owned()),
    }
}

/// Whether a browser may follow it.
pub(super) fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

/// One hit: how urgent it is, what can be done, how it was found, what people said, and the forms.
///
/// # Errors
///
/// [`RenderError`].
pub fn hit(
    f: &Frame,
    one: &HitShown,
    deciding: &DecidingHits,
    stating: &Stating,
    fault: Option<&ProblemBody>,
) -> Result<String, RenderError> {
    HitPage {
        f,
        one,
        deciding,
        stating,
        fault,
    }
    .render()
}

#[derive(Template)]
#[template(path = "hit_statements.html")]
struct StatementsPage<'a> {
    f: &'a Frame,
    all: &'a [HitStatement],
    fault: Option<&'a ProblemBody>,
}

/// Everything that people said of hits, the newest first.
///
/// # Errors
///
/// [`RenderError`].
pub fn hit_statements(
    f: &Frame,
    all: &[HitStatement],
    fault: Option<&ProblemBody>,
) -> Result<String, RenderError> {
    StatementsPage { f, all, fault }.render()
}

#[derive(Template)]
#[template(path = "hit_order.html")]
struct OrderPage<'a> {
    f: &'a Frame,
    device: &'a Device,
    works: Vec<Work<'a>>,
    left_out: u64,
    back: &'a str,
}

/// What is to be done about one document.
struct Work<'a> {
    /// The hit that is due first.
    first: &'a HitShown,
    vulnerabilities: Vec<String>,
    is_affected: bool,
    exploited: bool,
    remediations: Vec<AdvisoryRemediation>,
}

impl OrderPage<'_> {
    fn value(&self, field: &str) -> &str {
        self.device.values.get(field).map_or("", String::as_str)
    }

    fn called(&self) -> String {
        super::devices::called(self.f, self.device)
    }
}

fn works<'a>(f: &Frame, hits: &'a [HitShown]) -> Vec<Work<'a>> {
    let mut works: Vec<Work<'a>> = Vec::new();
    for one in hits {
        let hit = &one.hit;
        let known = works
            .iter()
            .position(|work| work.first.hit.advisory == hit.advisory);
        let place = known.unwrap_or(works.len());
        if known.is_none() {
            works.push(Work {
                first: one,
                vulnerabilities: Vec::new(),
                is_affected: false,
                exploited: false,
                remediations: Vec::new(),
            });
        }
        let Some(work) = works.get_mut(place) else {
            continue;
        };
        if hit.due < work.first.hit.due {
            work.first = one;
        }
        work.vulnerabilities.push(shown_vulnerability(f, hit));
        work.is_affected |= hit.verdict == "affected";
        work.exploited |= hit.exploited;
        for remediation in &one.remediations {
            if !work.remediations.contains(remediation) {
                work.remediations.push(remediation.clone());
            }
        }
    }
    works
}

/// A work order for one device, to be printed: `hits` are those it is about, `left_out` says how many did
/// not fit, and `back` is the address of the page that it was asked from.
///
/// # Errors
///
/// [`RenderError`].
pub fn hit_order(
    f: &Frame,
    device: &Device,
    hits: &[HitShown],
    left_out: u64,
    back: &str,
) -> Result<String, RenderError> {
    OrderPage {
        f,
        device,
        works: works(f, hits),
        left_out,
        back,
    }
    .render()
}

#[cfg(test)]
#[path = "hit_tests.rs"]
mod tests;
