//! Which products a device may be, by their names and by what people said of the names.
//!
//! It must never take a person's word on one name for a word on another.

use std::collections::BTreeMap;

use labward_advisory::Text;
use labward_product::name::normal_form;
use labward_product::vendor::{self, Evidence};
use labward_product::{Match, VendorBook};

use super::{Device, Matcher};
use crate::people::{Alias, Answers};

/// A product that a device may be, by the surest of its names.
pub(crate) struct Candidate<'d> {
    /// By its place.
    pub(crate) product: usize,
    pub(crate) found_by: &'d str,
    pub(crate) named: Text,
    pub(crate) name: Match,
    pub(crate) is_model: bool,
    /// The alias by which a person decided [`Candidate::name`].
    pub(crate) person: Option<u64>,
}

/// The products that a device may be, and those of which a person said that it is not.
#[derive(Default)]
pub(super) struct Candidates<'d> {
    pub(super) live: Vec<Candidate<'d>>,
    pub(super) set_aside: Vec<Candidate<'d>>,
    /// Whether a person had a say in it.
    pub(super) by_people: bool,
}

impl Matcher<'_> {
    /// The products that a device may be, each by the surest of its names.
    pub(super) fn candidates<'d>(&self, device: &'d Device, answers: &Answers) -> Candidates<'d> {
        let mut candidates = Candidates::default();
        let mut best: BTreeMap<usize, Candidate<'d>> = BTreeMap::new();
        let (model, product) = (device.model.trim(), device.product.trim());
        let names = std::iter::once(model).chain((product != model).then_some(product));
        for found_by in names.filter(|name| !name.is_empty()) {
            for (candidate, alias) in self.named(&device.manufacturer, found_by, answers) {
                candidates.by_people |= alias.is_some();
                let known = best.get(&candidate.product);
                if alias.is_some_and(|alias| !alias.is_product) {
                    candidates.set_aside.push(candidate);
                } else if known.is_none_or(|known| candidate.beats(known)) {
                    best.insert(candidate.product, candidate);
                }
            }
        }
        candidates.live = best.into_values().collect();
        candidates
    }

    /// The products that bear one name of a device, each with the alias by which a person decided.
    fn named<'d, 'a>(
        &self,
        manufacturer: &str,
        found_by: &'d str,
        answers: &'a Answers,
    ) -> Vec<(Candidate<'d>, Option<&'a Alias>)> {
        let aliases = self.aliases(manufacturer, found_by, answers);
        let found = self.index.find(manufacturer, found_by);
        let found = found.into_iter().map(|one| (one.product, one.matched));
        let mut matched: BTreeMap<usize, Match> = found.collect();
        let confirmed = aliases.iter().filter(|(_, alias)| alias.is_product);
        matched.extend(confirmed.map(|(at, _)| (*at, Match::Same)));
        let candidate = |(at, name): (usize, Match)| {
            let entry = self.entries.get(at)?;
            let alias = aliases.get(&at).copied();
            let candidate = Candidate {
                product: entry.product,
                found_by,
                named: entry.name.clone(),
                name,
                is_model: entry.is_model,
                person: alias.map(|alias| alias.id),
            };
            Some((candidate, alias))
        };
        matched.into_iter().filter_map(candidate).collect()
    }

    /// The newest alias for each entry of the index that people spoke of under this name of a device.
    fn aliases<'a>(
        &self,
        manufacturer: &str,
        name: &str,
        answers: &'a Answers,
    ) -> BTreeMap<usize, &'a Alias> {
        let mut newest: BTreeMap<usize, &Alias> = BTreeMap::new();
        let vendors = &self.books.vendors;
        for alias in answers.aliases_of(name) {
            if !is_one_vendor(vendors, &alias.manufacturer, manufacturer) {
                continue;
            }
            let of_name = self.by_name.get(&normal_form(&alias.product));
            for &at in of_name.into_iter().flatten() {
                let is_meant = self
                    .entries
                    .get(at)
                    .is_some_and(|entry| is_one_vendor(vendors, &alias.vendor, &entry.vendor));
                if is_meant {
                    let known = newest.entry(at).or_insert(alias);
                    if (alias.said, alias.id) > (known.said, known.id) {
                        *known = alias;
                    }
                }
            }
        }
        newest
    }
}

impl Candidate<'_> {
    /// Whether it is surer than another candidate for the same product.
    fn beats(&self, other: &Self) -> bool {
        let rank = |one: &Self| (one.name.rank(), one.person.is_some());
        rank(self) > rank(other)
    }
}

/// Whether two spellings are of one vendor for certain: the same words, or names of one vendor in the book.
fn is_one_vendor(book: &VendorBook, one: &str, other: &str) -> bool {
    let (form, other_form) = (vendor::normal_form(one), vendor::normal_form(other));
    if form.is_empty() || other_form.is_empty() {
        return one.trim() == other.trim();
    }
    if form == other_form {
        return true;
    }
    let named = |spelling| {
        let known = book.identify(spelling).into_iter();
        known.filter(|(_, evidence)| *evidence == Evidence::Name)
    };
    named(one).any(|(id, _)| named(other).any(|(of, _)| of == id))
}
