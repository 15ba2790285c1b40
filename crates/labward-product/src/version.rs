//! A version as people write it on a device, and what can be said of two of them.
//!
//! It must never guess: versions of two schemes, or of two series of one, are [`Apart`], and a text that is no
//! version is kept as it is. Service packs, patches, hotfixes, builds and letters stand above the bare number,
//! `alpha`, `beta` and `rc` below it.

use std::cmp::Ordering;
use std::fmt;

use crate::date;
use crate::scan::{self, Gap};

/// More parts than this has no version.
const MAX_ITEMS: usize = 24;
/// A version is a short text; a longer one is not read.
const MAX_BYTES: usize = 160;
/// From here on a first number is a year, a day or the number of a build, and has no order with a smaller one.
const LEAST_YEAR: u64 = 1000;
/// The most letters that one part may hold.
const MAX_LETTERS: usize = 6;

/// A version with its original text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    text: String,
    scheme: Scheme,
    items: Vec<Item>,
}

/// How a version counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// A day, a month or a year with a month.
    Date,
    /// Letters alone, such as `Rev M`.
    Letter,
    /// Numbers, with what may stand before, between and behind them.
    Number,
    /// No scheme is known: the text says something else, or too much.
    Unread,
}

/// Why two versions cannot be put in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apart {
    /// One counts in days, the other does not.
    Scheme,
    /// They begin with other letters, such as `U61` and `L81`: two series of one maker.
    Series,
    /// They go on in ways that have no order, such as `1.2 SP1` and `1.2.1`.
    Shape,
    /// One of them is no version that can be read.
    Unread,
}

/// What can be said of two versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// They have no order.
    Apart(Apart),
    /// They differ in a part that both have.
    Differ(Ordering),
    /// They are the same, but for zeros at the end and the way of writing.
    Equal,
    /// The first one says more: it is the second and something behind it.
    Finer(Extra),
    /// The first one says less: the second is the first and something behind it.
    Coarser(Extra),
}

/// What the longer one of two versions has behind the shorter one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra {
    /// A letter, such as the `b` of `1.7.15b`.
    Letter,
    /// A further number, or a part that begins with letters, such as the `GA-01` of `2.6-GA-01`.
    Number,
    /// `alpha`, `beta` or `rc`: below the bare number.
    Prerelease,
    /// A service pack, patch, hotfix, build, update or maintenance release.
    Step,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Number {
        value: u64,
        width: u8,
        gap: Gap,
    },
    /// `ordered`: A comes before B; otherwise the letters name a series or a kind of count.
    Letters {
        letters: Letters,
        ordered: bool,
    },
    Step(Step),
    Prerelease(Prerelease),
}

/// Up to [`MAX_LETTERS`] lower-case letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Letters {
    bytes: [u8; MAX_LETTERS],
    count: u8,
}

impl Letters {
    fn new(word: &str) -> Option<Self> {
        let mut bytes = [0; MAX_LETTERS];
        let count = u8::try_from(word.len()).ok()?;
        bytes
            .get_mut(..word.len())?
            .copy_from_slice(word.as_bytes());
        Some(Self { bytes, count })
    }

    /// A…Z, AA…: the longer one comes later.
    fn order(self, other: Self) -> Ordering {
        (self.count, self.bytes).cmp(&(other.count, other.bytes))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Build,
    FeaturePack,
    Hotfix,
    MaintenancePack,
    MaintenanceRelease,
    Patch,
    ServicePack,
    ServiceRelease,
    Update,
}

impl Step {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "bld" | "build" => Self::Build,
            "fp" => Self::FeaturePack,
            "hf" | "hotfix" | "hotfixrev" => Self::Hotfix,
            "mp" => Self::MaintenancePack,
            "mr" => Self::MaintenanceRelease,
            "patch" => Self::Patch,
            "sp" | "servicepack" => Self::ServicePack,
            "sr" => Self::ServiceRelease,
            "upd" | "update" => Self::Update,
            _ => return None,
        })
    }

    /// The step that two words name together.
    fn of_two(first: &str, second: &str) -> Option<Self> {
        Some(match (first, second) {
            ("feature", "pack") => Self::FeaturePack,
            ("hot", "fix") => Self::Hotfix,
            ("security", "patch") => Self::Patch,
            ("maintenance", "pack") => Self::MaintenancePack,
            ("maintenance", "release") => Self::MaintenanceRelease,
            ("service", "pack") => Self::ServicePack,
            ("service", "release") => Self::ServiceRelease,
            _ => return None,
        })
    }

    /// Hotfixes, patches and updates of a version come before its service pack; others have no order.
    fn order(self, other: Self) -> Option<Ordering> {
        let small = |step| matches!(step, Self::Hotfix | Self::Patch | Self::Update);
        if self == other {
            Some(Ordering::Equal)
        } else if other == Self::ServicePack && small(self) {
            Some(Ordering::Less)
        } else if self == Self::ServicePack && small(other) {
            Some(Ordering::Greater)
        } else {
            None
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Prerelease {
    Alpha,
    Beta,
    Candidate,
}

impl Prerelease {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "alpha" => Self::Alpha,
            "beta" => Self::Beta,
            "rc" => Self::Candidate,
            _ => return None,
        })
    }
}

impl Version {
    /// Reads `text`; what is no version is kept with [`Scheme::Unread`].
    #[must_use]
    pub fn read(text: &str) -> Self {
        let original = text.trim();
        let unread = || Self {
            text: original.to_owned(),
            scheme: Scheme::Unread,
            items: Vec::new(),
        };
        if original.len() > MAX_BYTES {
            return unread();
        }
        let plain = scan::fold(original);
        let plain = plain.trim_matches(|c: char| {
            c.is_whitespace() || matches!(c, '"' | '\'' | '.' | ',' | ';' | ':')
        });
        let (scheme, items) = match date::read(plain) {
            date::Found::Date(date) => (Scheme::Date, date.items()),
            date::Found::NoYear | date::Found::Ambiguous => return unread(),
            date::Found::None => match items(plain) {
                Some(items) if items.iter().any(|item| matches!(item, Item::Number { .. })) => {
                    (Scheme::Number, items)
                }
                Some(items)
                    if matches!(items.as_slice(), [Item::Letters { ordered: true, .. }]) =>
                {
                    (Scheme::Letter, items)
                }
                _ => return unread(),
            },
        };
        Self {
            text: original.to_owned(),
            scheme,
            items,
        }
    }

    /// The text as it was given, without space around it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How it counts.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The order of two versions that count in the same way: total among those, and none otherwise.
    ///
    /// # Errors
    /// [`Apart`] says why the two have no order.
    pub fn compare(&self, other: &Self) -> Result<Ordering, Apart> {
        Ok(match self.relation(other) {
            Relation::Apart(why) => return Err(why),
            Relation::Differ(order) => order,
            Relation::Equal => Ordering::Equal,
            Relation::Finer(Extra::Prerelease)
            | Relation::Coarser(Extra::Letter | Extra::Number | Extra::Step) => Ordering::Less,
            Relation::Coarser(Extra::Prerelease) | Relation::Finer(_) => Ordering::Greater,
        })
    }

    /// What can be said of this version and another one, the precision of both included.
    #[must_use]
    pub fn relation(&self, other: &Self) -> Relation {
        if self.scheme == Scheme::Unread || other.scheme == Scheme::Unread {
            return Relation::Apart(Apart::Unread);
        }
        if (self.scheme == Scheme::Date) != (other.scheme == Scheme::Date) {
            return Relation::Apart(Apart::Scheme);
        }
        relation(&self.items, &other.items)
    }

    /// Whether the order of the two hangs on how a padded number is meant: `1.003` is 1 and 3, or one and
    /// three thousandths, and then below `1.2`.
    #[must_use]
    pub fn padding_is_unclear(&self, other: &Self) -> bool {
        let (
            [
                Item::Number { value: a, .. },
                Item::Number {
                    value: b, width: m, ..
                },
            ],
            [
                Item::Number { value: c, .. },
                Item::Number {
                    value: d, width: n, ..
                },
            ],
        ) = (self.items.as_slice(), other.items.as_slice())
        else {
            return false;
        };
        let padded = |value: u64, width: u8| {
            width > 1 && value.checked_ilog10().map_or(1, |n| n + 1) < u32::from(width)
        };
        if self.scheme == Scheme::Date || a != c || m == n || !(padded(*b, *m) || padded(*d, *n)) {
            return false;
        }
        // As fractions: both brought to the longer width.
        let widest = (*m).max(*n);
        let scaled = |value: u64, width: u8| {
            10_u64
                .checked_pow(u32::from(widest - width))
                .and_then(|by| value.checked_mul(by))
        };
        match (scaled(*b, *m), scaled(*d, *n)) {
            (Some(x), Some(y)) => x.cmp(&y) != b.cmp(d),
            _ => true,
        }
    }

    /// The letters that the version begins with, where they name a series, such as the `U` of `U61`.
    #[must_use]
    pub fn has_series(&self) -> bool {
        matches!(
            self.items.first(),
            Some(Item::Letters { ordered: false, .. })
        )
    }

    /// Whether it is `0.0` or the like, which devices say that know no version of theirs.
    #[must_use]
    pub fn is_placeholder(&self) -> bool {
        self.items.len() >= 2
            && self
                .items
                .iter()
                .all(|item| matches!(item, Item::Number { value: 0, .. }))
    }

    /// Whether it begins with letters, counting ones such as the `B` of `B.06` included.
    #[must_use]
    pub fn begins_with_letters(&self) -> bool {
        matches!(self.items.first(), Some(Item::Letters { .. }))
    }

    /// Whether both begin with the same number and the same letters, as the part numbers `012U000040` and
    /// `012U000061` do.
    #[must_use]
    pub fn same_part_series(&self, other: &Self) -> bool {
        match (self.items.as_slice(), other.items.as_slice()) {
            (
                [
                    Item::Number { value: a, .. },
                    Item::Letters { letters: x, .. },
                    Item::Number { .. },
                ],
                [
                    Item::Number { value: b, .. },
                    Item::Letters { letters: y, .. },
                    Item::Number { .. },
                ],
            ) => a == b && x == y,
            _ => false,
        }
    }

    /// Whether every part but the last is the same in both: two versions of one branch, such as `5.0.27`
    /// and `5.0.28`.
    #[must_use]
    pub fn same_branch(&self, branch_of: &Self) -> bool {
        let Some((_, branch)) = branch_of.items.split_last() else {
            return false;
        };
        !branch.is_empty()
            && branch_of.scheme == Scheme::Number
            && self.items.len() >= branch_of.items.len()
            && self
                .items
                .get(..branch.len())
                .is_some_and(|mine| matches!(relation(mine, branch), Relation::Equal))
    }

    pub(crate) fn items(&self) -> &[Item] {
        &self.items
    }

    pub(crate) fn from_items(text: &str, scheme: Scheme, items: Vec<Item>) -> Self {
        Self {
            text: text.to_owned(),
            scheme,
            items,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn relation(a: &[Item], b: &[Item]) -> Relation {
    let (mut i, mut j) = (0, 0);
    loop {
        let (x, y) = (a.get(i), b.get(j));
        let zero = |item: Option<&Item>| matches!(item, Some(Item::Number { value: 0, .. }));
        let number = |item: Option<&Item>| matches!(item, Some(Item::Number { .. }));
        // 1.0 SP1 and 1.0.0 SP1 are the same; a zero at the start is never left out.
        if i > 0 && zero(x) && !number(y) {
            i += 1;
            continue;
        }
        if j > 0 && zero(y) && !number(x) {
            j += 1;
            continue;
        }
        match (x, y) {
            (None, None) => return Relation::Equal,
            (Some(x), None) => return Relation::Finer(extra(x)),
            (None, Some(y)) => return Relation::Coarser(extra(y)),
            (Some(x), Some(y)) => match item_order(x, y, i == 0 || j == 0) {
                Ok(Ordering::Equal) => {}
                Ok(_) if names_a_variant(a, i) && i + 1 < a.len() && j + 1 < b.len() => {
                    return Relation::Apart(Apart::Shape);
                }
                Ok(order) => return Relation::Differ(order),
                Err(why) => return Relation::Apart(why),
            },
        }
        i += 1;
        j += 1;
    }
}

/// Whether the number at `at` stands behind two letters or more in the middle, such as the 2 of `3.215.00HW002.2`:
/// it may name a variant of the hardware, of which none comes before another.
fn names_a_variant(items: &[Item], at: usize) -> bool {
    at >= 2
        && matches!(items.get(at - 1), Some(Item::Letters { letters, ordered: false }) if letters.count >= 2)
}

fn extra(item: &Item) -> Extra {
    match item {
        Item::Number { .. } => Extra::Number,
        // `2.6-GA-01` goes on with a part of its own; `3.0 D15` counts something beside the 3.0.
        Item::Letters {
            letters,
            ordered: false,
        } if letters.count >= 2 => Extra::Number,
        Item::Letters { .. } => Extra::Letter,
        Item::Step(_) => Extra::Step,
        Item::Prerelease(_) => Extra::Prerelease,
    }
}

fn item_order(a: &Item, b: &Item, first: bool) -> Result<Ordering, Apart> {
    match (a, b) {
        (
            Item::Number {
                value: x, gap: g, ..
            },
            Item::Number {
                value: y, gap: h, ..
            },
        ) if first && (*x >= LEAST_YEAR) != (*y >= LEAST_YEAR) => Err(Apart::Shape),
        (
            Item::Number {
                value: x, gap: g, ..
            },
            Item::Number {
                value: y, gap: h, ..
            },
        ) => match x.cmp(y) {
            // 1.0-5 may be the fifth packaging of 1.0, and then says nothing against 1.0.4.
            Ordering::Less | Ordering::Greater if g != h && !first => Err(Apart::Shape),
            order => Ok(order),
        },
        (
            Item::Letters {
                letters: x,
                ordered: m,
            },
            Item::Letters {
                letters: y,
                ordered: n,
            },
        ) => {
            if x == y && m == n {
                Ok(Ordering::Equal)
            } else if *m && *n {
                Ok(x.order(*y))
            } else if first {
                Err(Apart::Series)
            } else {
                Err(Apart::Shape)
            }
        }
        (Item::Step(x), Item::Step(y)) => x.order(*y).ok_or(Apart::Shape),
        (Item::Prerelease(x), Item::Prerelease(y)) => Ok(x.cmp(y)),
        _ if first => Err(Apart::Series),
        (Item::Prerelease(_), _) => Ok(Ordering::Less),
        (_, Item::Prerelease(_)) => Ok(Ordering::Greater),
        _ => Err(Apart::Shape),
    }
}

/// The parts of a folded text, or nothing where it says something that is no part of a version.
fn items(plain: &str) -> Option<Vec<Item>> {
    let words = scan::words(plain)?;
    let (words, label) = without_labels(&words);
    let mut items: Vec<Item> = Vec::with_capacity(words.len());
    let mut at = 0;
    if let [line, digits, next, ..] = words
        && !line.is_number
        && line.text.len() + digits.text.len() <= 3
        && digits.is_number
        && digits.gap == Gap::None
        && !next.is_number
        && next.gap == Gap::Space
        && Step::of(next.text).is_none()
    {
        // The S4 of `S4 A.07.107` is a line of products and counts nothing.
        let name = [line.text, digits.text].concat();
        items.push(Item::Letters {
            letters: Letters::new(&name)?,
            ordered: false,
        });
        at = 2;
    }
    while let Some(word) = words.get(at) {
        if items.len() >= MAX_ITEMS {
            return None;
        }
        let next = words.get(at + 1);
        if word.is_number {
            // 2nd, 3rd: an edition, and not the series "nd".
            if matches!(next, Some(n) if n.gap == Gap::None && matches!(n.text, "st" | "nd" | "rd" | "th"))
                && matches!(words.get(at + 2), Some(n) if n.text == "edition")
                && words.len() == 3
            {
                return Some(vec![
                    Item::Letters {
                        letters: Letters::new("ed")?,
                        ordered: false,
                    },
                    number(word)?,
                ]);
            }
            // `4.04E 10.95.210.01` and `2017 8.1` are two versions.
            let dotted = next.is_some_and(|n| n.is_number && n.gap == Gap::Dot);
            let began = items
                .iter()
                .any(|item| matches!(item, Item::Number { gap: Gap::Dot, .. }));
            let stepped = matches!(items.last(), Some(Item::Step(_) | Item::Prerelease(_)));
            let after_number = matches!(items.last(), Some(Item::Number { .. }));
            if word.gap == Gap::Space && dotted && (after_number || (began && !stepped)) {
                return None;
            }
            let mut item = number(word)?;
            if let (Item::Number { gap, .. }, Some(before)) = (&mut item, items.last())
                && !matches!(before, Item::Number { .. })
                && matches!(gap, Gap::Dash | Gap::Space)
            {
                // `HD 16` and `HD16`, `SP 1` and `SP1` are the same.
                *gap = Gap::None;
            }
            items.push(item);
        } else if let Some(step) = next.and_then(|n| Step::of_two(word.text, n.text)) {
            items.push(Item::Step(step));
            at += 1;
        } else if let (Some(step), false) = (Step::of(word.text), items.is_empty()) {
            items.push(Item::Step(step));
        } else if let (Some(early), false) = (Prerelease::of(word.text), items.is_empty()) {
            items.push(Item::Prerelease(early));
        } else if word.text == "v"
            && next.is_some_and(|n| n.is_number && n.gap == Gap::None)
            && word.gap != Gap::None
        {
            // The V of "SP1 V2.0" marks a number and counts nothing.
        } else {
            let longest = if items.is_empty() { 4 } else { 2 };
            // Two words in front of the numbers are a name.
            let name = matches!(items.as_slice(), [Item::Letters { .. }])
                && at == 1
                && word.gap != Gap::Dot;
            if name || word.text.len() > longest {
                return None;
            }
            let ordered = is_ordered(words, at, items.is_empty());
            // F.0.G.0 may be two versions that lost what stood between them.
            let again = items
                .iter()
                .any(|item| matches!(item, Item::Letters { ordered: true, .. }));
            if ordered && again && word.gap == Gap::Dot {
                return None;
            }
            items.push(Item::Letters {
                letters: Letters::new(word.text)?,
                ordered,
            });
        }
        at += 1;
    }
    if let (Label::Release, [Item::Number { .. }, rest @ ..]) = (label, items.as_slice()) {
        // R8.2 is 8.2 and R120 is a count of its own.
        if !matches!(rest.first(), Some(Item::Number { gap: Gap::Dot, .. })) {
            items.insert(
                0,
                Item::Letters {
                    letters: Letters::new("r")?,
                    ordered: false,
                },
            );
        }
    }
    (!items.is_empty()).then_some(items)
}

/// Whether the letters at `at` count: a letter behind a number (`2.4A`), between dots (`B.06`) or alone.
fn is_ordered(words: &[scan::Word<'_>], at: usize, first: bool) -> bool {
    let Some(word) = words.get(at) else {
        return false;
    };
    if word.text.len() > 2 {
        return false;
    }
    match words.get(at + 1) {
        None => !first || word.text.len() == 1 || words.len() == 1,
        Some(next) => {
            next.gap == Gap::Dot
                && (first || matches!(word.gap, Gap::Dot | Gap::Space))
                && word.text.len() == 1
        }
    }
}

fn number(word: &scan::Word<'_>) -> Option<Item> {
    Some(Item::Number {
        value: word.text.parse().ok()?,
        width: u8::try_from(word.text.len()).ok()?,
        gap: word.gap,
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Label {
    None,
    Release,
}

/// Leaves out the words that say that a version follows.
fn without_labels<'w, 't>(words: &'w [scan::Word<'t>]) -> (&'w [scan::Word<'t>], Label) {
    let mut rest = words;
    let mut label = Label::None;
    while let [word, after @ ..] = rest {
        let Some(next) = after.first() else { break };
        match word.text {
            "firmware" | "fw" | "software" | "sw" | "ver" | "version" | "versions" => {}
            "v" if next.is_number && label == Label::None => {}
            "r" if next.is_number => label = Label::Release,
            "rel" | "release" | "rev" | "revision" => label = Label::Release,
            _ => break,
        }
        rest = after;
    }
    (rest, label)
}

#[cfg(test)]
mod tests;
