//! Every product of the advisories, prepared, and what they say of a device.
//!
//! It must never ask more of a device than what is written down of it, or answer otherwise for the order
//! in which advisories or products stand.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use labward_advisory::csaf::{Advisory, Product, ProductIndex, Status};
use labward_product::name::Found;
use labward_product::range::{self, Holds, How};
use labward_product::vendor::BookError;
use labward_product::{Match, NameBook, NameIndex, Reading, Unreadable, VendorBook, Version};

use crate::answer::{Answer, Reason, Trail, Verdict};

/// What is known of vendors and of names.
#[derive(Clone, Debug)]
pub struct Books {
    vendors: VendorBook,
    names: NameBook,
}

impl Books {
    /// Those that come with Labward.
    ///
    /// # Errors
    /// None, as a test shows.
    pub fn shipped() -> Result<Self, BookError> {
        Ok(Self {
            vendors: VendorBook::shipped()?,
            names: NameBook::shipped()?,
        })
    }

    /// The book of vendors.
    pub const fn vendors(&self) -> &VendorBook {
        &self.vendors
    }
}

/// A device as it is matched; a text that is empty is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// Who makes it.
    pub manufacturer: String,
    /// What its label says.
    pub model: String,
    /// What its software is called, where it has a name of its own.
    pub product: String,
    /// The version of its software.
    pub version: String,
}

/// The prepared products of a set of advisories.
#[derive(Debug)]
pub struct Matcher<'b> {
    advisories: &'b [Advisory],
    index: NameIndex<'b>,
    /// What each entry of the index is.
    entries: Vec<Entry>,
    products: Vec<Prepared>,
}

/// A name by which a product is found.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// The product, by its place.
    product: usize,
    /// Whether the name stands where the version should: publishers list the models of a product so, and
    /// say nothing of versions then.
    is_model: bool,
}

/// A product that a device may be, by the surest of its names.
struct Candidate<'d> {
    product: usize,
    found_by: &'d str,
    name: Match,
    is_model: bool,
}

/// One product of one advisory.
#[derive(Debug)]
struct Prepared {
    advisory: usize,
    product: ProductIndex,
    /// What its publisher wrote about versions; `None` where nothing stands.
    versions: Option<Result<Reading, Unreadable>>,
    /// What is said of it: the vulnerability, by its place, and the status.
    statuses: Vec<(usize, Status)>,
}

/// What one product says of one vulnerability of the device.
struct Said {
    verdict: Verdict,
    reason: Option<Reason>,
    trail: Trail,
}

impl<'b> Matcher<'b> {
    /// Prepares every product of these advisories.
    pub fn new(books: &'b Books, advisories: &'b [Advisory]) -> Self {
        let mut names = Vec::new();
        let mut entries = Vec::new();
        let mut products = Vec::new();
        for (at, advisory) in advisories.iter().enumerate() {
            let mut statuses: BTreeMap<ProductIndex, Vec<(usize, Status)>> = BTreeMap::new();
            for (number, vulnerability) in advisory.vulnerabilities.iter().enumerate() {
                for entry in &vulnerability.statuses {
                    let of_product = statuses.entry(entry.product).or_default();
                    of_product.push((number, entry.status));
                }
            }
            for (index, statuses) in statuses {
                let Some(product) = advisory.product(index) else {
                    continue;
                };
                let (vendor, name) = named(product);
                let versions = product.version.as_ref();
                let prepared = Prepared {
                    advisory: at,
                    product: index,
                    versions: versions.map(|version| range::read(&version.text)),
                    statuses,
                };
                let entry = |is_model| Entry {
                    product: products.len(),
                    is_model,
                };
                names.push((vendor.to_owned(), name.to_owned()));
                entries.push(entry(false));
                if let Some(Ok(reading)) = &prepared.versions {
                    for model in reading.models() {
                        names.push((vendor.to_owned(), model.to_owned()));
                        entries.push(entry(true));
                    }
                }
                products.push(prepared);
            }
        }
        Self {
            advisories,
            index: NameIndex::new(
                &books.vendors,
                &books.names,
                names
                    .iter()
                    .map(|(vendor, name)| (vendor.as_str(), name.as_str())),
            ),
            entries,
            products,
        }
    }

    /// The advisories, in the order of [`Answer::advisory`].
    pub const fn advisories(&self) -> &'b [Advisory] {
        self.advisories
    }

    /// How many products of advisories are prepared.
    pub fn product_count(&self) -> usize {
        self.products.len()
    }

    /// Every vulnerability that may concern a device, the affected ones first.
    pub fn answers(&self, device: &Device) -> Vec<Answer> {
        let version = Some(device.version.trim()).filter(|text| !text.is_empty());
        let version = version.map(Version::read);
        let mut said: BTreeMap<(usize, usize), Vec<Said>> = BTreeMap::new();
        for candidate in self.found(device) {
            let Some(prepared) = self.products.get(candidate.product) else {
                continue;
            };
            for (vulnerability, status) in &prepared.statuses {
                let advisory = self.advisories.get(prepared.advisory);
                let of = advisory.and_then(|one| one.vulnerabilities.get(*vulnerability));
                let cve = of.and_then(|one| one.cve.as_deref());
                let says = prepared.says(version.as_ref(), cve, *status, &candidate);
                if let Some(says) = says {
                    let key = (prepared.advisory, *vulnerability);
                    said.entry(key).or_default().push(says);
                }
            }
        }
        let mut answers: Vec<Answer> = said
            .into_iter()
            .map(|((advisory, vulnerability), said)| {
                let (verdict, reasons, mut trails) = judged(said);
                trails.sort_by_key(|trail| (Reverse(sureness(trail.name)), trail.product));
                Answer {
                    advisory,
                    vulnerability,
                    verdict,
                    reasons,
                    trails,
                }
            })
            .collect();
        answers.sort_by_key(|answer| Reverse(answer.verdict));
        answers
    }

    /// The products that a device may be, each by the surest of its names.
    fn found<'d>(&self, device: &'d Device) -> Vec<Candidate<'d>> {
        let mut best: BTreeMap<usize, Candidate<'d>> = BTreeMap::new();
        for found_by in [device.model.trim(), device.product.trim()] {
            if found_by.is_empty() {
                continue;
            }
            for Found { product, matched } in self.index.find(&device.manufacturer, found_by) {
                let Some(entry) = self.entries.get(product) else {
                    continue;
                };
                let candidate = Candidate {
                    product: entry.product,
                    found_by,
                    name: matched,
                    is_model: entry.is_model,
                };
                let is_surer = best
                    .get(&entry.product)
                    .is_none_or(|known| sureness(matched) > sureness(known.name));
                if is_surer {
                    best.insert(entry.product, candidate);
                }
            }
        }
        best.into_values().collect()
    }
}

/// Vendor and name as the publisher wrote them; of a tree without those branches the full name.
fn named(product: &Product) -> (&str, &str) {
    let vendor = product.vendor.as_deref().unwrap_or_default();
    let name = product.name.as_deref().or(product.family.as_deref());
    (vendor, name.unwrap_or(&product.full_name))
}

const fn sureness(matched: Match) -> u8 {
    match matched {
        Match::Same => 4,
        Match::DeviceIsNarrower => 3,
        Match::ProductIsNarrower => 2,
        Match::Maybe(_) => 1,
        Match::No => 0,
    }
}

/// Why a name alone does not say that it is this device.
const fn doubt_of(name: Match) -> Option<Reason> {
    match name {
        Match::DeviceIsNarrower => Some(Reason::Family),
        Match::ProductIsNarrower => Some(Reason::Member),
        Match::Maybe(why) => Some(Reason::Name(why)),
        Match::Same | Match::No => None,
    }
}

impl Prepared {
    /// What this product says of a vulnerability of the device; `None` where it says nothing of it: that
    /// something else is not affected, or a recommendation.
    fn says(
        &self,
        version: Option<&Version>,
        cve: Option<&str>,
        status: Status,
        candidate: &Candidate<'_>,
    ) -> Option<Said> {
        let affects = match status {
            Status::FirstAffected
            | Status::KnownAffected
            | Status::LastAffected
            | Status::UnderInvestigation => true,
            Status::FirstFixed | Status::Fixed | Status::KnownNotAffected => false,
            Status::Recommended => return None,
        };
        let (is_meant, how) = match candidate.is_model {
            true => (Err(Reason::NoRange), None),
            false => self.means(version, cve),
        };
        let doubt = doubt_of(candidate.name);
        let (verdict, reason) = match (is_meant, affects, doubt) {
            // Outside of what is looked into nothing is known; the first or the last affected version is
            // one end of a range, so that another version may lie in it.
            (Ok(false), true, _) if status == Status::UnderInvestigation => return None,
            (Ok(false), true, None) if status != Status::KnownAffected => {
                (Verdict::CannotTell, Some(Reason::OtherVersion))
            }
            // Another version; of what may be another product it says nothing of this one.
            (Ok(false), true, None) => (Verdict::NotAffected, None),
            (Ok(false), true, Some(_)) => (Verdict::CannotTell, Some(Reason::OtherVersion)),
            (Ok(true), true, None) if status == Status::UnderInvestigation => {
                (Verdict::CannotTell, Some(Reason::UnderInvestigation))
            }
            (Ok(true), true, None) => (Verdict::Affected, None),
            (Ok(true), false, None) => (Verdict::NotAffected, None),
            (Err(reason), true, None) => (Verdict::CannotTell, Some(reason)),
            (Ok(true) | Err(_), true, Some(doubt)) => (Verdict::CannotTell, Some(doubt)),
            // That a fix may be there takes nothing from what another product says.
            (Ok(false) | Err(_), false, _) | (Ok(true), false, Some(_)) => return None,
        };
        let trail = Trail {
            product: self.product,
            name: candidate.name,
            found_by: candidate.found_by.to_owned(),
            how,
            status,
        };
        Some(Said {
            verdict,
            reason,
            trail,
        })
    }

    /// Whether the device's version is among those that are spoken of.
    fn means(
        &self,
        version: Option<&Version>,
        cve: Option<&str>,
    ) -> (Result<bool, Reason>, Option<How>) {
        let reading = match &self.versions {
            None => return (Err(Reason::NoRange), None),
            Some(Err(unreadable)) => return (Err(Reason::Unreadable(unreadable.why)), None),
            Some(Ok(reading)) => reading,
        };
        let unknown;
        let asked = match version {
            Some(version) => version,
            None => {
                unknown = Version::read("");
                &unknown
            }
        };
        match (reading.holds_for(asked, cve), version) {
            (Holds::Yes(trail), _) => (Ok(true), trail.how),
            (Holds::No(trail), Some(_)) => (Ok(false), trail.how),
            (Holds::CannotTell(doubt, trail), Some(_)) => (Err(Reason::Version(doubt)), trail.how),
            (Holds::No(trail) | Holds::CannotTell(_, trail), None) => {
                (Err(Reason::NoVersion), trail.how)
            }
        }
    }
}

/// One verdict out of what several products of one advisory say, and what led to it.
fn judged(said: Vec<Said>) -> (Verdict, Vec<Reason>, Vec<Trail>) {
    let by = |keep: &dyn Fn(&Said) -> bool| -> Vec<Trail> {
        let kept = said.iter().filter(|one| keep(one));
        kept.map(|one| one.trail.clone()).collect()
    };
    let affirms = |one: &Said| one.verdict == Verdict::Affected;
    // That a range leaves the version out is no contradiction to another range that holds it.
    let denies = |one: &Said| {
        let status = one.trail.status;
        let denying = [Status::FirstFixed, Status::Fixed, Status::KnownNotAffected];
        one.verdict == Verdict::NotAffected && denying.contains(&status)
    };
    match (said.iter().any(affirms), said.iter().any(denies)) {
        (true, true) => {
            let trails = by(&|one| affirms(one) || denies(one));
            return (Verdict::CannotTell, vec![Reason::Contradiction], trails);
        }
        (true, false) => return (Verdict::Affected, Vec::new(), by(&affirms)),
        (false, true) => return (Verdict::NotAffected, Vec::new(), by(&denies)),
        (false, false) => {}
    }
    // Where the very product is listed, its siblings say nothing of it; its family may.
    let is_named = |one: &Said| one.trail.name == Match::Same;
    let has_named = said.iter().any(is_named);
    let counts = |one: &Said| {
        let is_family = one.trail.name == Match::DeviceIsNarrower;
        !has_named || is_named(one) || (is_family && one.reason == Some(Reason::Family))
    };
    let mut reasons: Vec<Reason> = Vec::new();
    for reason in said
        .iter()
        .filter(|one| counts(one))
        .filter_map(|one| one.reason)
    {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    // What points away says little beside what points at the device.
    if reasons.len() > 1 {
        reasons.retain(|reason| *reason != Reason::OtherVersion);
    }
    match reasons.is_empty() {
        true => (Verdict::NotAffected, reasons, by(&counts)),
        false => {
            let doubts = |one: &Said| {
                counts(one) && one.reason.is_some_and(|reason| reasons.contains(&reason))
            };
            let trails = by(&doubts);
            (Verdict::CannotTell, reasons, trails)
        }
    }
}
