//! The normal form of a vendor's name, and the book that says which spellings are one vendor.
//!
//! It must never take two vendors for one because their names look alike: a difference of one letter counts only
//! for a spelling that the book does not hold.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use crate::Map;

/// A shorter name may differ in one letter and be another vendor.
const LEAST_FOR_TYPO: usize = 6;
/// A longer text names no vendor.
const MAX_BYTES: usize = 512;

/// Words that say only what kind of firm it is.
const LEGAL: &[&str] = &[
    "ab",
    "ag",
    "aktiebolag",
    "bv",
    "co",
    "company",
    "corp",
    "corporation",
    "gmbh",
    "inc",
    "incorporated",
    "kg",
    "kgaa",
    "limited",
    "llc",
    "ltd",
    "ltda",
    "nv",
    "oy",
    "plc",
    "pte",
    "pty",
    "sa",
    "sas",
    "se",
    "spa",
    "srl",
];

/// A vendor of the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VendorId(u16);

/// How a spelling leads to a vendor, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// It is one of the vendor's names.
    Name,
    /// It names several vendors, this one among them.
    Joint,
    /// It is a firm that the vendor has bought.
    Acquired,
    /// It differs in one letter from one of the vendor's names.
    Typo,
}

/// How the vendor of a device stands to the vendor of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VendorMatch {
    /// The words of the product's vendor are some of those of the device's vendor.
    DeviceIsNarrower,
    /// They are not the same.
    No,
    /// The words of the device's vendor are some of those of the product's vendor.
    ProductIsNarrower,
    /// They are the same vendor.
    Same(Evidence),
}

/// The book of vendors and their spellings.
#[derive(Clone, Debug)]
pub struct VendorBook {
    vendors: Vec<String>,
    forms: Map<String, Vec<(VendorId, Evidence)>>,
    /// The normal forms of each vendor's names, the longest first.
    forms_of: Vec<Vec<String>>,
}

/// Why a book cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookError {
    /// The line, counted from 1, the heading included.
    pub line: u64,
    /// What is wrong with it.
    pub what: &'static str,
}

impl std::fmt::Display for BookError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {} of the book: {}", self.line, self.what)
    }
}

impl std::error::Error for BookError {}

impl VendorBook {
    /// The book that comes with Labward, `data/vendors.csv`.
    ///
    /// # Errors
    /// None, as a test shows; the type is that of [`VendorBook::read`].
    pub fn shipped() -> Result<Self, BookError> {
        Self::read(include_str!("../data/vendors.csv"))
    }

    /// Reads a book: CSV with the columns `vendor`, `spelling` and `kind` (`name`, `acquired` or `joint`).
    ///
    /// # Errors
    /// The first line that is no entry.
    pub fn read(text: &str) -> Result<Self, BookError> {
        let mut book = Self {
            vendors: Vec::new(),
            forms: Map::default(),
            forms_of: Vec::new(),
        };
        let mut ids: Map<String, VendorId> = Map::default();
        for (vendor, spelling, kind, line) in entries(text)? {
            let fault = |what| BookError { line, what };
            let evidence = match kind.as_str() {
                "name" => Evidence::Name,
                "acquired" => Evidence::Acquired,
                "joint" => Evidence::Joint,
                _ => return Err(fault("the kind is not name, acquired or joint")),
            };
            let id = match ids.get(&vendor) {
                Some(&id) => id,
                None => {
                    let id = VendorId(
                        u16::try_from(book.vendors.len()).map_err(|_| fault("too many vendors"))?,
                    );
                    book.vendors.push(vendor.clone());
                    ids.insert(vendor, id);
                    id
                }
            };
            let form = normal_form(&spelling);
            if form.is_empty() {
                return Err(fault("the spelling says nothing"));
            }
            let known = book.forms.entry(form).or_default();
            match known.iter_mut().find(|(other, _)| *other == id) {
                Some((_, surest)) => *surest = (*surest).min(evidence),
                None => known.push((id, evidence)),
            }
        }
        book.forms_of = vec![Vec::new(); book.vendors.len()];
        for (form, known) in &book.forms {
            for (id, _) in known {
                if let Some(forms) = book.forms_of.get_mut(usize::from(id.0)) {
                    forms.push(form.clone());
                }
            }
        }
        for forms in &mut book.forms_of {
            forms.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
        }
        Ok(book)
    }

    /// The vendors that a spelling names; none where the book does not know it.
    #[must_use]
    pub fn identify(&self, spelling: &str) -> Vec<(VendorId, Evidence)> {
        self.identify_form(spelling, &normal_form(spelling))
    }

    fn identify_form(&self, spelling: &str, form: &str) -> Vec<(VendorId, Evidence)> {
        if let Some(known) = self.forms.get(form) {
            return known.clone();
        }
        if let Some((before, _)) = spelling.split_once('(')
            && let Some(known) = self.forms.get(&normal_form(before))
        {
            return known.clone();
        }
        if form.len() < LEAST_FOR_TYPO {
            return Vec::new();
        }
        let mut near: Vec<(VendorId, Evidence)> = self
            .forms
            .iter()
            .filter(|(other, _)| other.len() >= LEAST_FOR_TYPO && within_one(form, other))
            .flat_map(|(_, known)| known.iter().map(|(id, _)| (*id, Evidence::Typo)))
            .collect();
        near.sort_unstable();
        near.dedup();
        near
    }

    /// The vendor's own name.
    #[must_use]
    pub fn name(&self, vendor: VendorId) -> &str {
        self.vendors
            .get(usize::from(vendor.0))
            .map_or("", String::as_str)
    }

    /// How the vendor of a device stands to the vendor of a product, as both are written.
    #[must_use]
    pub fn compare(&self, device: &str, product: &str) -> VendorMatch {
        self.prepare(device).compare(&self.prepare(product))
    }

    /// What [`VendorBook::compare`] needs of a spelling.
    pub(crate) fn prepare(&self, spelling: &str) -> Prepared {
        let form = normal_form(spelling);
        let mut words: Vec<String> = form
            .split(' ')
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
        words.sort_unstable();
        Prepared {
            known: self.identify_form(spelling, &form),
            form,
            words,
        }
    }

    /// The normal forms of a vendor's names, the longest first: what a product's name may begin with.
    pub(crate) fn forms_of(&self, vendor: VendorId) -> &[String] {
        self.forms_of
            .get(usize::from(vendor.0))
            .map_or(&[], Vec::as_slice)
    }
}

/// A spelling with all that is known of it.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    pub(crate) known: Vec<(VendorId, Evidence)>,
    form: String,
    words: Vec<String>,
}

impl Prepared {
    /// How this vendor of a device stands to the vendor of a product.
    pub(crate) fn compare(&self, product: &Self) -> VendorMatch {
        let shared = self
            .known
            .iter()
            .filter_map(|(id, mine)| {
                let theirs = product.known.iter().find(|(other, _)| other == id)?;
                Some((*mine).max(theirs.1))
            })
            .min();
        if let Some(evidence) = shared {
            return VendorMatch::Same(evidence);
        }
        let (a, b) = (&self.form, &product.form);
        if a.is_empty() || b.is_empty() || !(self.known.is_empty() || product.known.is_empty()) {
            return VendorMatch::No;
        }
        if a == b {
            return VendorMatch::Same(Evidence::Name);
        }
        if a.len() >= LEAST_FOR_TYPO && b.len() >= LEAST_FOR_TYPO && within_one(a, b) {
            return VendorMatch::Same(Evidence::Typo);
        }
        let within = |a: &Self, b: &Self| {
            a.words
                .iter()
                .all(|word| b.words.binary_search(word).is_ok())
        };
        if within(product, self) {
            VendorMatch::DeviceIsNarrower
        } else if within(self, product) {
            VendorMatch::ProductIsNarrower
        } else {
            VendorMatch::No
        }
    }
}

/// The entries of a book with their lines.
fn entries(text: &str) -> Result<Vec<(String, String, String, u64)>, BookError> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let mut entries = Vec::new();
    for (number, record) in (2_u64..).zip(reader.records()) {
        let fault = BookError {
            line: number,
            what: "it is not an entry of three fields",
        };
        let record = record.map_err(|_| fault.clone())?;
        let (Some(a), Some(b), Some(c)) = (record.get(0), record.get(1), record.get(2)) else {
            return Err(fault);
        };
        entries.push((a.to_owned(), b.to_owned(), c.to_owned(), number));
    }
    Ok(entries)
}

/// A vendor's name in lower case, without accents, marks and what kind of firm it is; wrongly decoded UTF-8 is
/// repaired. Empty where the text holds no letter and no digit, or is far too long for a name.
#[must_use]
pub fn normal_form(text: &str) -> String {
    if text.len() > MAX_BYTES {
        return String::new();
    }
    let plain = without_accents(&repaired(text));
    let mut words: Vec<&str> = Vec::new();
    let plain = plain
        .replace('&', " and ")
        .replace("s.a.", "sa")
        .replace('.', " ");
    for word in plain
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        words.push(word);
    }
    while let [_, .., last] = words.as_slice() {
        if !(LEGAL.contains(last) || *last == "and") {
            break;
        }
        words.pop();
    }
    words.join(" ")
}

/// Lower case and compatibility forms, with no accents.
pub(crate) fn without_accents(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    // A few capitals have a small letter with an accent, or are found only behind a compatibility form.
    let small = text.nfkd().collect::<String>().to_lowercase();
    small.nfkd().filter(|c| !is_combining_mark(*c)).collect()
}

/// UTF-8 that was read as Latin-1 (`YhtymÃ¤`) as it was meant; any other text as it is.
#[must_use]
pub fn repaired(text: &str) -> std::borrow::Cow<'_, str> {
    if text.is_ascii() {
        return text.into();
    }
    let bytes: Option<Vec<u8>> = text
        .chars()
        .map(|c| u8::try_from(u32::from(c)).ok())
        .collect();
    match bytes.map(String::from_utf8) {
        Some(Ok(meant)) => meant.into(),
        _ => text.into(),
    }
}

/// Whether two texts differ in at most one letter that is put in, left out or changed.
fn within_one(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() <= b.len() {
        (a.as_bytes(), b.as_bytes())
    } else {
        (b.as_bytes(), a.as_bytes())
    };
    if long.len() - short.len() > 1 {
        return false;
    }
    let same = short.iter().zip(long).take_while(|(x, y)| x == y).count();
    // Past what both begin with, the longer one loses a letter; so does the shorter one where a letter is changed.
    let skip = usize::from(short.len() == long.len());
    short.get(same + skip..).unwrap_or(&[]) == long.get(same + 1..).unwrap_or(&[])
}

#[cfg(test)]
mod tests;
