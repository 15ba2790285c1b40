//! Every product of the advisories, prepared, and what they say of a device.
//!
//! It must never ask more of a device than what is written down of it, or answer otherwise for the order
//! in which advisories or products stand.

mod candidates;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use labward_advisory::Text;
use labward_advisory::csaf::{Advisory, Product, ProductIndex, Status};
use labward_product::name::normal_form;
use labward_product::range;
use labward_product::vendor::BookError;
use labward_product::{Match, NameBook, NameIndex, Reading, Unreadable, VendorBook, Version};

pub(crate) use candidates::Candidate;
use candidates::Candidates;

use crate::answer::{Answer, Trail, Verdict, Without};
use crate::judge::{Prepared, Said, judged};
use crate::people::{Answers, Statement, VexStatus, VulnerabilityId};

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
    books: &'b Books,
    advisories: &'b [Advisory],
    index: NameIndex<'b>,
    /// What each entry of the index is.
    entries: Vec<Entry>,
    /// The entries by the normal form of their names.
    by_name: Map<String, Vec<usize>>,
    products: Vec<Prepared>,
}

/// A name by which a product is found.
#[derive(Clone, Debug)]
struct Entry {
    /// The product, by its place.
    product: usize,
    vendor: Text,
    name: Text,
    /// Whether the name stands where the version should: publishers list the models of a product so, and
    /// say nothing of versions then.
    is_model: bool,
}

/// Texts are found here; nothing depends on its order.
type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// What publishers wrote about versions, each text read once: most products share theirs.
type Readings<'a> = Map<&'a str, Arc<Result<Reading, Unreadable>>>;

/// What is said of the vulnerabilities, by advisory and place.
type Speaking = BTreeMap<(usize, usize), Speakers>;

#[derive(Default)]
struct Speakers {
    said: Vec<Said>,
    set_aside: Vec<Trail>,
}

impl<'b> Matcher<'b> {
    /// Prepares every product of these advisories.
    pub fn new(books: &'b Books, advisories: &'b [Advisory]) -> Self {
        let mut entries: Vec<Entry> = Vec::new();
        let mut products = Vec::new();
        let mut readings = Readings::default();
        for (at, advisory) in advisories.iter().enumerate() {
            for prepared in prepared(at, advisory, &mut readings) {
                if let Some(product) = advisory.product(prepared.product) {
                    entries.extend(entries_of(product, products.len(), &prepared));
                    products.push(prepared);
                }
            }
        }
        let by_name = by_name(&entries);
        let names = entries.iter().map(|entry| (&*entry.vendor, &*entry.name));
        Self {
            books,
            advisories,
            index: NameIndex::new(&books.vendors, &books.names, names),
            entries,
            by_name,
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

    /// Every vulnerability that may concern a device, the affected ones first; what people said is not
    /// asked.
    pub fn answers(&self, device: &Device) -> Vec<Answer> {
        self.answers_with(device, 0, &Answers::default())
    }

    /// The same with what people said of the names, and of the device that the caller numbers `key`.
    ///
    /// Nothing that [`Matcher::answers`] finds goes by what people said: it is there with its trail, and
    /// [`Answer::without`] says what the verdict would be. A statement that something affects the device
    /// is there even if no product matches, at the advisory of the lowest id that holds the vulnerability.
    pub fn answers_with(&self, device: &Device, key: u64, answers: &Answers) -> Vec<Answer> {
        let candidates = self.candidates(device, answers);
        let without = candidates.by_people.then(|| {
            let alone = self.candidates(device, &Answers::default());
            self.speaking(device, &alone)
        });
        let mut told: Vec<Answer> = Vec::new();
        for ((advisory, vulnerability), speakers) in self.speaking(device, &candidates) {
            let mut answer = speakers.answer(advisory, vulnerability);
            if let Some(without) = &without {
                answer.compare(without.get(&(advisory, vulnerability)));
            }
            told.push(answer);
        }
        self.state(&mut told, &answers.statements_of(key, &device.version));
        told.sort_by_key(|answer| Reverse(answer.verdict));
        told
    }

    /// What the products say of the vulnerabilities of a device.
    fn speaking(&self, device: &Device, candidates: &Candidates<'_>) -> Speaking {
        let version = Some(device.version.trim()).filter(|text| !text.is_empty());
        let version = version.map(Version::read);
        let mut speaking = Speaking::new();
        let live = candidates.live.iter().map(|one| (one, false));
        let set_aside = candidates.set_aside.iter().map(|one| (one, true));
        for (candidate, is_aside) in live.chain(set_aside) {
            let Some(prepared) = self.products.get(candidate.product) else {
                continue;
            };
            let advisory = self.advisories.get(prepared.advisory);
            for (vulnerability, status) in &prepared.statuses {
                let of = advisory.and_then(|one| one.vulnerabilities.get(*vulnerability));
                let cve = of.and_then(|one| one.cve.as_deref());
                let Some(said) = prepared.says(version.as_ref(), cve, *status, candidate) else {
                    continue;
                };
                let key = (prepared.advisory, *vulnerability);
                let speakers = speaking.entry(key).or_default();
                match is_aside {
                    true => speakers.set_aside.push(said.trail),
                    false => speakers.said.push(said),
                }
            }
        }
        speaking
    }

    /// Takes in what people said of the vulnerabilities.
    fn state(&self, told: &mut Vec<Answer>, statements: &BTreeMap<&VulnerabilityId, &Statement>) {
        if statements.is_empty() {
            return;
        }
        let mut used: BTreeSet<u64> = BTreeSet::new();
        for answer in told.iter_mut() {
            let advisory = self.advisories.get(answer.advisory);
            let id = advisory.and_then(|one| VulnerabilityId::of(one, answer.vulnerability));
            if let Some(statement) = id.and_then(|id| statements.get(&id)) {
                answer.state(statement);
                used.insert(statement.id);
            }
        }
        for (id, statement) in statements {
            let clears = matches!(statement.status, VexStatus::Fixed | VexStatus::NotAffected);
            if clears || used.contains(&statement.id) {
                continue;
            }
            if let Some((advisory, vulnerability)) = self.place_of(id) {
                told.push(Answer::by_statement(advisory, vulnerability, statement));
            }
        }
    }

    /// Where a vulnerability stands: in the advisory of the lowest id that holds it.
    fn place_of(&self, id: &VulnerabilityId) -> Option<(usize, usize)> {
        let places = self.advisories.iter().enumerate().flat_map(|(at, one)| {
            let numbers = 0..one.vulnerabilities.len();
            numbers.map(move |number| (&one.id, at, number))
        });
        let held = places.filter(|(_, at, number)| {
            let advisory = self.advisories.get(*at);
            advisory
                .and_then(|one| VulnerabilityId::of(one, *number))
                .as_ref()
                == Some(id)
        });
        held.min().map(|(_, at, number)| (at, number))
    }
}

impl Speakers {
    fn answer(self, advisory: usize, vulnerability: usize) -> Answer {
        let (verdict, reasons, mut trails) = judged(&self.said);
        trails.sort_by_key(|trail| (Reverse(trail.name.rank()), trail.product));
        let set_aside = self.set_aside.into_iter().map(|trail| Trail {
            name: Match::No,
            ..trail
        });
        trails.extend(set_aside);
        Answer {
            advisory,
            vulnerability,
            verdict,
            reasons,
            trails,
            stated: None,
            without: None,
        }
    }
}

impl Answer {
    /// Says what would be answered without people, where one of them had a say in this answer or without
    /// them it would be another one.
    fn compare(&mut self, without: Option<&Speakers>) {
        let (verdict, reasons) = match without {
            Some(speakers) => {
                let (verdict, reasons, _) = judged(&speakers.said);
                (Some(verdict), reasons)
            }
            None => (None, Vec::new()),
        };
        let is_same = verdict == Some(self.verdict) && reasons == self.reasons;
        if !is_same || self.trails.iter().any(|trail| trail.person.is_some()) {
            self.without = Some(Without { verdict, reasons });
        }
    }

    /// What nothing but a person says.
    fn by_statement(advisory: usize, vulnerability: usize, statement: &Statement) -> Self {
        let mut answer = Self {
            advisory,
            vulnerability,
            verdict: Verdict::CannotTell,
            reasons: Vec::new(),
            trails: Vec::new(),
            stated: None,
            without: Some(Without {
                verdict: None,
                reasons: Vec::new(),
            }),
        };
        answer.state(statement);
        answer
    }
}

/// The entries by the normal form of their names, in their order.
fn by_name(entries: &[Entry]) -> Map<String, Vec<usize>> {
    let mut written: Map<&str, Vec<usize>> = Map::default();
    for (at, entry) in entries.iter().enumerate() {
        written.entry(&entry.name).or_default().push(at);
    }
    let mut by_name: Map<String, Vec<usize>> = Map::default();
    for (name, mut places) in written {
        by_name
            .entry(normal_form(name))
            .or_default()
            .append(&mut places);
    }
    by_name
        .values_mut()
        .for_each(|places| places.sort_unstable());
    by_name
}

/// The products of an advisory of which anything is said.
fn prepared<'a>(at: usize, advisory: &'a Advisory, readings: &mut Readings<'a>) -> Vec<Prepared> {
    let mut statuses: BTreeMap<ProductIndex, Vec<(usize, Status)>> = BTreeMap::new();
    for (number, vulnerability) in advisory.vulnerabilities.iter().enumerate() {
        for entry in &vulnerability.statuses {
            let of_product = statuses.entry(entry.product).or_default();
            of_product.push((number, entry.status));
        }
    }
    let mut read = |text: &'a str| {
        let reading = readings.entry(text);
        Arc::clone(reading.or_insert_with(|| Arc::new(range::read(text))))
    };
    let prepared = |(index, statuses)| {
        let versions = advisory.product(index)?.version.as_ref();
        Some(Prepared {
            advisory: at,
            product: index,
            versions: versions.map(|version| read(&version.text)),
            statuses,
        })
    };
    statuses.into_iter().filter_map(prepared).collect()
}

/// The names by which a product is found.
fn entries_of(product: &Product, at: usize, prepared: &Prepared) -> Vec<Entry> {
    let vendor = product.vendor.clone().unwrap_or_default();
    let entry = |name: Text, is_model| Entry {
        product: at,
        vendor: vendor.clone(),
        name,
        is_model,
    };
    let mut entries = vec![entry(named(product), false)];
    if let Some(Ok(reading)) = prepared.versions.as_deref() {
        entries.extend(reading.models().map(|model| entry(model.into(), true)));
    }
    entries
}

/// The name as the publisher wrote it; of a tree without that branch the full name.
fn named(product: &Product) -> Text {
    let name = product.name.as_ref().or(product.family.as_ref());
    name.unwrap_or(&product.full_name).clone()
}
