//! The name of a product: its words, the models packed in it, what it leaves out, and whether two names may be one
//! product.
//!
//! It must never call two models the same because the rest of their names is: where both have numbers that the other
//! lacks, they are two products.

mod index;
mod parse;

pub use index::{Found, NameIndex};
pub use parse::normal_form;

use crate::Map;
use crate::vendor::{BookError, Prepared, VendorBook, VendorMatch};

/// More variants than this a name does not unfold into.
const MAX_VARIANTS: usize = 32;

/// A product's name with everything that may be meant by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    text: String,
    /// The words of each model that the name packs, sorted.
    variants: Vec<Vec<String>>,
    /// Abbreviations and numbers in brackets, each a name of its own.
    aliases: Vec<Vec<String>>,
    /// What the name leaves out.
    excluded: Vec<Excluded>,
    /// `MX400-MX850`: the letters before the numbers, and from where to where.
    ranges: Vec<ModelRange>,
    software: bool,
    /// A longer remark stands in brackets, which no rule reads.
    remark: bool,
}

/// A product that a name leaves out: its words, and the numbers that must stand behind some letters.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Excluded {
    words: Vec<String>,
    ranges: Vec<ModelRange>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct ModelRange {
    letters: String,
    from: u64,
    to: u64,
}

/// Whether a device's name may be the name of an advisory's product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// They name the same product.
    Same,
    /// The device's name says more: the product may be a family that it belongs to.
    DeviceIsNarrower,
    /// The product's name says more: it may be another member of the family that the device names.
    ProductIsNarrower,
    /// A person has to look.
    Maybe(MaybeWhy),
    /// They are two products.
    No,
}

/// Why a person has to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaybeWhy {
    /// They share an abbreviation that may mean several things.
    Abbreviation,
    /// The device may be one that the name leaves out.
    Excluded,
    /// They share most words.
    SharedWords,
    /// One is software, and the other may be the instrument that it runs on.
    Software,
    /// The vendors are not the same, but one's name is part of the other's.
    Vendor,
}

impl Match {
    /// The stable code of the answer.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::DeviceIsNarrower => "device-is-narrower",
            Self::ProductIsNarrower => "product-is-narrower",
            Self::Maybe(MaybeWhy::Abbreviation) => "maybe-abbreviation",
            Self::Maybe(MaybeWhy::Excluded) => "maybe-excluded",
            Self::Maybe(MaybeWhy::SharedWords) => "maybe-shared-words",
            Self::Maybe(MaybeWhy::Software) => "maybe-software",
            Self::Maybe(MaybeWhy::Vendor) => "maybe-vendor",
            Self::No => "no",
        }
    }

    /// How sure it is, the surest highest: 4 for [`Match::Same`] down to 0 for [`Match::No`].
    #[must_use]
    pub const fn rank(self) -> u8 {
        match self {
            Self::Same => 4,
            Self::DeviceIsNarrower => 3,
            Self::ProductIsNarrower => 2,
            Self::Maybe(_) => 1,
            Self::No => 0,
        }
    }

    fn or(self, other: Self) -> Self {
        if other.rank() > self.rank() {
            other
        } else {
            self
        }
    }
}

/// What people know of names: typing errors, software of instruments, and products under a wrong vendor.
#[derive(Clone, Debug, Default)]
pub struct NameBook {
    typos: Map<String, String>,
    software: Vec<(Vec<String>, Vec<String>)>,
    wrong_vendors: Vec<WrongVendor>,
}

#[derive(Clone, Debug)]
struct WrongVendor {
    product: Vec<String>,
    named: String,
    right: String,
}

impl NameBook {
    /// The book that comes with Labward, `data/names.csv`.
    ///
    /// # Errors
    /// None, as a test shows; the type is that of [`NameBook::read`].
    pub fn shipped() -> Result<Self, BookError> {
        Self::read(include_str!("../data/names.csv"))
    }

    /// Reads a book: CSV with the columns `kind`, `name`, `other` and `vendor`. Kinds are `typo` (the right word, the
    /// wrong one), `software` (the instrument, its software) and `wrong-vendor` (the product, the vendor that is
    /// named, and the right one).
    ///
    /// # Errors
    /// The first line that is no entry.
    pub fn read(text: &str) -> Result<Self, BookError> {
        let mut book = Self::default();
        let mut later = Vec::new();
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        for (line, record) in (2_u64..).zip(reader.records()) {
            let fault = |what| BookError { line, what };
            let record = record.map_err(|_| fault("it is not an entry of four fields"))?;
            let field = |at: usize| record.get(at).unwrap_or("").to_owned();
            match field(0).as_str() {
                "typo" => {
                    book.typos
                        .insert(field(2).to_lowercase(), field(1).to_lowercase());
                }
                "software" | "wrong-vendor" => later.push((field(0), field(1), field(2), field(3))),
                _ => return Err(fault("the kind is not typo, software or wrong-vendor")),
            }
        }
        for (kind, name, other, vendor) in later {
            let words = |text: &str| {
                Name::read(text, &book)
                    .variants
                    .into_iter()
                    .next()
                    .unwrap_or_default()
            };
            let name_words = words(&name);
            if kind == "software" {
                for software in Name::read(&other, &book).variants {
                    book.software.push((name_words.clone(), software));
                }
            } else {
                book.wrong_vendors.push(WrongVendor {
                    product: name_words,
                    named: other,
                    right: vendor,
                });
            }
        }
        Ok(book)
    }

    /// The vendor that a product really has, where the one that is named is known to be wrong.
    #[must_use]
    pub fn right_vendor(&self, vendors: &VendorBook, vendor: &str, product: &Name) -> Option<&str> {
        self.wrong_vendors
            .iter()
            .find(|wrong| {
                product.variants.contains(&wrong.product)
                    && matches!(vendors.compare(vendor, &wrong.named), VendorMatch::Same(_))
            })
            .map(|wrong| wrong.right.as_str())
    }

    /// The other half of every pair of an instrument and its software that has these words.
    fn linked_to(&self, words: &[String]) -> impl Iterator<Item = &[String]> {
        self.software
            .iter()
            .filter_map(move |(instrument, software)| {
                if instrument == words {
                    Some(software.as_slice())
                } else if software == words {
                    Some(instrument.as_slice())
                } else {
                    None
                }
            })
    }

    fn is_software_of(&self, instrument: &[String], software: &[String]) -> bool {
        self.software
            .iter()
            .any(|(of, name)| of == instrument && name == software)
    }
}

impl Name {
    /// Reads a product's name; any text is one, and a text of no words matches nothing.
    #[must_use]
    pub fn read(text: &str, book: &NameBook) -> Self {
        parse::parse(text, &[], book)
    }

    /// The same without the name of its vendor at the beginning, such as the `BD` of `BD Viper LT`.
    #[must_use]
    pub fn of_vendor(text: &str, vendor: &str, vendors: &VendorBook, book: &NameBook) -> Self {
        parse::parse(text, &forms_of(vendors, &vendors.prepare(vendor)), book)
    }

    /// The text as it was given.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The words of every model that the name packs.
    #[must_use]
    pub fn variants(&self) -> &[Vec<String>] {
        &self.variants
    }

    /// Whether it names software.
    #[must_use]
    pub fn is_software(&self) -> bool {
        self.software
    }
}

/// Whether the name of a device may be the name of a product of the same vendor.
#[must_use]
pub fn names_match(device: &Name, product: &Name, book: &NameBook) -> Match {
    let mut best = Match::No;
    for mine in &device.variants {
        let mut found = Match::No;
        for theirs in &product.variants {
            found = found.or(compare(mine, theirs, device, product, book));
        }
        for range in &product.ranges {
            if range.holds(mine) {
                found = found.or(Match::DeviceIsNarrower);
            }
        }
        for alias in &product.aliases {
            if mine == alias {
                let number = alias.iter().any(|word| word.len() >= 4 && is_number(word));
                let long = alias.len() > 1 || alias.iter().any(|word| word.len() > 4);
                found = found.or(if number || long {
                    Match::Same
                } else {
                    Match::Maybe(MaybeWhy::Abbreviation)
                });
            }
        }
        best = best.or(found);
    }
    if best == Match::No {
        return best;
    }
    for mine in &device.variants {
        for excluded in &product.excluded {
            // Of `Venue 40 R1-3` the R4 is not left out, and of a device without a release nothing is known.
            let released = excluded.ranges.iter().all(|range| range.letters_in(mine));
            if released && !excluded.ranges.iter().all(|range| range.holds(mine)) {
                continue;
            }
            if released && is_subset(&excluded.words, mine) {
                return Match::No;
            }
            if best == Match::DeviceIsNarrower && is_subset(mine, &excluded.words) {
                return Match::Maybe(MaybeWhy::Excluded);
            }
        }
    }
    best
}

/// Whether a device may be a product, with both their vendors.
///
/// A device of a vendor with fewer words and a product with more, or the reverse, is no match: `General` and
/// `General Electric` do not meet by `Monitor 5` and `Monitor`.
#[must_use]
pub fn products_match(
    vendors: &VendorBook,
    book: &NameBook,
    device: (&str, &Name),
    product: (&str, &Name),
) -> Match {
    let names = names_match(device.1, product.1, book);
    let named = with_vendors(vendors.compare(device.0, product.0), names);
    match book.right_vendor(vendors, product.0, product.1) {
        // Some lists of devices repeat the wrong vendor.
        Some(right) => named.or(with_vendors(vendors.compare(device.0, right), names)),
        None => named,
    }
}

fn with_vendors(vendors: VendorMatch, names: Match) -> Match {
    match (vendors, names) {
        (VendorMatch::No, _) | (_, Match::No) => Match::No,
        (VendorMatch::Same(_), names) => names,
        (VendorMatch::DeviceIsNarrower, Match::ProductIsNarrower)
        | (VendorMatch::ProductIsNarrower, Match::DeviceIsNarrower) => Match::No,
        _ => Match::Maybe(MaybeWhy::Vendor),
    }
}

fn compare(
    mine: &[String],
    theirs: &[String],
    device: &Name,
    product: &Name,
    book: &NameBook,
) -> Match {
    if mine.is_empty() || theirs.is_empty() {
        return Match::No;
    }
    // The pair stands in the book: the instrument and its own software.
    if book.is_software_of(mine, theirs) || book.is_software_of(theirs, mine) {
        let certain = !(device.remark || product.remark);
        return if certain {
            Match::Same
        } else {
            Match::Maybe(MaybeWhy::Software)
        };
    }
    match Counted::of(mine, theirs).answer() {
        Match::No => Match::No,
        _ if device.software != product.software => Match::Maybe(MaybeWhy::Software),
        names => names,
    }
}

/// How many words two names share, and what the rest of each is like.
struct Counted {
    shared: usize,
    /// Letters and digits in the shared words: a single short word says little.
    shared_bytes: usize,
    shared_letters: bool,
    mine: usize,
    theirs: usize,
    my_numbers: bool,
    their_numbers: bool,
}

impl Counted {
    fn of(mine: &[String], theirs: &[String]) -> Self {
        let mut counted = Self {
            shared: 0,
            shared_bytes: 0,
            shared_letters: false,
            mine: mine.len(),
            theirs: theirs.len(),
            my_numbers: false,
            their_numbers: false,
        };
        let (mut a, mut b) = (mine.iter().peekable(), theirs.iter().peekable());
        loop {
            match (a.peek(), b.peek()) {
                (Some(x), Some(y)) if x == y => {
                    counted.shared += 1;
                    counted.shared_bytes += x.len();
                    counted.shared_letters |= x.len() >= 2 && !is_number(x);
                    a.next();
                    b.next();
                }
                (Some(x), Some(y)) if x < y => {
                    counted.my_numbers |= is_number(x);
                    a.next();
                }
                (Some(x), None) => {
                    counted.my_numbers |= is_number(x);
                    a.next();
                }
                (_, Some(y)) => {
                    counted.their_numbers |= is_number(y);
                    b.next();
                }
                (None, None) => break,
            }
        }
        counted
    }

    fn answer(&self) -> Match {
        let (mine, theirs) = (self.mine - self.shared, self.theirs - self.shared);
        // A word of two letters, or a letter with a number, as in `B650`.
        let says_enough = self.shared_bytes >= 3 && (self.shared_letters || self.shared >= 2);
        match (mine, theirs) {
            (0, 0) => Match::Same,
            (0, _) | (_, 0) if !says_enough && self.shared >= 2 => {
                Match::Maybe(MaybeWhy::SharedWords)
            }
            _ if !says_enough => Match::No,
            (_, 0) => Match::DeviceIsNarrower,
            (0, _) => Match::ProductIsNarrower,
            // Two models of one family.
            _ if self.my_numbers && self.their_numbers => Match::No,
            _ if self.shared >= 2 && self.shared * 2 >= self.mine.max(self.theirs) => {
                Match::Maybe(MaybeWhy::SharedWords)
            }
            _ => Match::No,
        }
    }
}

/// What the names of a vendor's products may begin with, the longest first.
fn forms_of<'b>(vendors: &'b VendorBook, prepared: &Prepared) -> Vec<&'b str> {
    let mut forms: Vec<&str> = prepared
        .known
        .iter()
        .flat_map(|(id, _)| vendors.forms_of(*id))
        .map(String::as_str)
        .collect();
    forms.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
    forms
}

impl ModelRange {
    fn letters_in(&self, words: &[String]) -> bool {
        words.binary_search(&self.letters).is_ok()
    }

    /// Whether the words name a model of the range: its letters and a number within.
    fn holds(&self, words: &[String]) -> bool {
        self.letters_in(words)
            && words
                .iter()
                .filter_map(|word| word.parse::<u64>().ok())
                .any(|number| (self.from..=self.to).contains(&number))
    }
}

fn is_number(word: &str) -> bool {
    word.bytes().all(|b| b.is_ascii_digit())
}

/// Whether every word of the first is in the second; both sorted.
fn is_subset(words: &[String], of: &[String]) -> bool {
    !words.is_empty() && words.iter().all(|word| of.binary_search(word).is_ok())
}

#[cfg(test)]
mod tests;
