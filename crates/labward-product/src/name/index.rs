//! A prepared index of products: which may be a device's.

use super::{Match, Name, NameBook, forms_of, names_match, parse, with_vendors};
use crate::Map;
use crate::vendor::{Prepared, VendorBook, VendorId, VendorMatch};

/// A product that may be a device's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Which of the products that the index was built from, counted from 0.
    pub product: usize,
    /// How sure it is.
    pub matched: Match,
}

/// Every product of a set of advisories, found by vendor and words.
#[derive(Debug)]
pub struct NameIndex<'b> {
    vendors: &'b VendorBook,
    names: &'b NameBook,
    entries: Vec<Entry>,
    spellings: Vec<Spelling>,
    /// The number of every word of every name.
    words: Map<String, u32>,
    /// The entries of a vendor by the words of their names.
    by_word: Map<(VendorId, u32), Vec<u32>>,
}

/// A vendor as it is written, with its entries.
#[derive(Debug)]
struct Spelling {
    prepared: Prepared,
    entries: Vec<u32>,
}

/// One name of one vendor, with all the products that bear it.
#[derive(Debug)]
struct Entry {
    name: Name,
    /// The numbers of the words of each variant and each alias, sorted.
    variants: Vec<Vec<u32>>,
    /// The words of the shortest of them.
    fewest: usize,
    products: Vec<usize>,
}

impl<'b> NameIndex<'b> {
    /// Prepares the products: vendor and name of each, as they are written.
    pub fn new<'p>(
        vendors: &'b VendorBook,
        names: &'b NameBook,
        products: impl IntoIterator<Item = (&'p str, &'p str)>,
    ) -> Self {
        let mut index = Self {
            vendors,
            names,
            entries: Vec::new(),
            spellings: Vec::new(),
            words: Map::default(),
            by_word: Map::default(),
        };
        let mut seen: Map<(&str, &str), usize> = Map::default();
        let mut spelled: Map<String, usize> = Map::default();
        let mut forms: Map<&str, Vec<&str>> = Map::default();
        for (number, (vendor, name)) in products.into_iter().enumerate() {
            if let Some(entry) = seen
                .get(&(vendor, name))
                .and_then(|&at| index.entries.get_mut(at))
            {
                entry.products.push(number);
                continue;
            }
            seen.insert((vendor, name), index.entries.len());
            let forms = forms
                .entry(vendor)
                .or_insert_with(|| forms_of(vendors, &vendors.prepare(vendor)));
            let name = parse::parse(name, forms, names);
            let right = names.right_vendor(vendors, vendor, &name);
            index.add(&[Some(vendor), right], name, number, &mut spelled);
        }
        index
    }

    /// Adds a name under the vendor that is written, and under the right one where that is known to be another.
    fn add(
        &mut self,
        vendors: &[Option<&str>],
        name: Name,
        number: usize,
        spelled: &mut Map<String, usize>,
    ) {
        let Ok(at) = u32::try_from(self.entries.len()) else {
            return;
        };
        let all = || name.variants.iter().chain(&name.aliases);
        let mut variants: Vec<Vec<u32>> = Vec::new();
        for variant in all() {
            let mut numbers = Vec::with_capacity(variant.len());
            for word in variant {
                let known = self.words.get(word).copied();
                numbers.push(known.unwrap_or_else(|| {
                    let next = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
                    self.words.insert(word.clone(), next);
                    next
                }));
            }
            numbers.sort_unstable();
            variants.push(numbers);
        }
        let mut words: Vec<u32> = variants.iter().flatten().copied().collect();
        words.sort_unstable();
        words.dedup();
        for vendor in vendors.iter().flatten() {
            let known = spelled.get(*vendor).copied();
            let spelling = known.unwrap_or_else(|| {
                self.spellings.push(Spelling {
                    prepared: self.vendors.prepare(vendor),
                    entries: Vec::new(),
                });
                spelled.insert((*vendor).to_owned(), self.spellings.len() - 1);
                self.spellings.len() - 1
            });
            let Some(spelling) = self.spellings.get_mut(spelling) else {
                continue;
            };
            spelling.entries.push(at);
            for (id, _) in &spelling.prepared.known {
                for word in &words {
                    self.by_word.entry((*id, *word)).or_default().push(at);
                }
            }
        }
        let fewest = variants.iter().map(Vec::len).min().unwrap_or(0);
        self.entries.push(Entry {
            name,
            variants,
            fewest,
            products: vec![number],
        });
    }

    /// The products that may be the device of this vendor and name, the surest first.
    #[must_use]
    pub fn find(&self, vendor: &str, name: &str) -> Vec<Found> {
        let prepared = self.vendors.prepare(vendor);
        let device = parse::parse(name, &forms_of(self.vendors, &prepared), self.names);
        let mut found: Vec<Found> = Vec::new();
        let mut add = |entry: &Entry, vendors: VendorMatch| {
            let matched = with_vendors(vendors, names_match(&device, &entry.name, self.names));
            if matched != Match::No {
                found.extend(
                    entry
                        .products
                        .iter()
                        .map(|&product| Found { product, matched }),
                );
            }
        };
        let entry = |at: &u32| {
            usize::try_from(*at)
                .ok()
                .and_then(|at| self.entries.get(at))
        };
        if !prepared.known.is_empty() {
            let same = prepared.compare(&prepared);
            self.candidates(&prepared, &device)
                .iter()
                .filter_map(entry)
                .for_each(|entry| add(entry, same));
        }
        // A vendor that the book does not know is compared by its words.
        for spelling in &self.spellings {
            if prepared.known.is_empty() || spelling.prepared.known.is_empty() {
                let vendors = prepared.compare(&spelling.prepared);
                if vendors != VendorMatch::No {
                    spelling
                        .entries
                        .iter()
                        .filter_map(entry)
                        .for_each(|entry| add(entry, vendors));
                }
            }
        }
        found.sort_by(|a, b| {
            b.matched
                .rank()
                .cmp(&a.matched.rank())
                .then(a.product.cmp(&b.product))
        });
        found
    }

    /// The entries of the device's vendors that share enough words with it, and those that the book links to it.
    fn candidates(&self, vendor: &Prepared, device: &Name) -> Vec<u32> {
        let numbers = |words: &[String]| {
            let mut numbers: Vec<u32> = words
                .iter()
                .filter_map(|word| self.words.get(word).copied())
                .collect();
            numbers.sort_unstable();
            numbers
        };
        let mine: Vec<(Vec<u32>, usize)> = device
            .variants
            .iter()
            .map(|words| (numbers(words), words.len()))
            .collect();
        let mut words: Vec<u32> = mine
            .iter()
            .flat_map(|(numbers, _)| numbers)
            .copied()
            .collect();
        words.sort_unstable();
        words.dedup();
        // How many words an entry shares with the device, over all its variants: no variant shares more.
        let mut shared: Vec<u16> = vec![0; self.entries.len()];
        let mut candidates: Vec<u32> = Vec::new();
        for (id, _) in &vendor.known {
            for word in &words {
                for &at in self
                    .by_word
                    .get(&(*id, *word))
                    .map_or(&[][..], Vec::as_slice)
                {
                    if let Some(count) = usize::try_from(at).ok().and_then(|at| shared.get_mut(at))
                    {
                        if *count == 0 {
                            candidates.push(at);
                        }
                        *count = count.saturating_add(1);
                    }
                }
            }
        }
        let fewest = mine.iter().map(|(_, count)| *count).min().unwrap_or(0);
        candidates.retain(|&at| {
            let place = usize::try_from(at).unwrap_or(usize::MAX);
            let count = usize::from(shared.get(place).copied().unwrap_or(0));
            self.entries.get(place).is_some_and(|entry| {
                let few = fewest.min(entry.fewest);
                !entry.name.ranges.is_empty()
                    || (count >= few || (count >= 2 && count * 2 >= fewest.max(entry.fewest)))
                        && mine.iter().any(|(words, count)| {
                            entry
                                .variants
                                .iter()
                                .any(|theirs| enough(words, *count, theirs))
                        })
            })
        });
        let linked = device
            .variants
            .iter()
            .flat_map(|words| self.names.linked_to(words))
            .flat_map(numbers);
        for word in linked {
            for (id, _) in &vendor.known {
                candidates.extend(self.by_word.get(&(*id, word)).into_iter().flatten());
            }
        }
        candidates.sort_unstable();
        candidates.dedup();
        candidates
    }

    /// How many different names of a vendor the index holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Whether two names share so many words that the comparison of their texts may find them one; `count` is how many
/// words the first one has, those that no product has included.
fn enough(mine: &[u32], count: usize, theirs: &[u32]) -> bool {
    let (mut a, mut b) = (mine.iter().peekable(), theirs.iter().peekable());
    let mut shared = 0;
    while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
        let order = x.cmp(y);
        shared += usize::from(order.is_eq());
        if order.is_le() {
            a.next();
        }
        if order.is_ge() {
            b.next();
        }
    }
    let most = count.max(theirs.len());
    shared > 0 && (shared == count || shared == theirs.len() || (shared >= 2 && shared * 2 >= most))
}
