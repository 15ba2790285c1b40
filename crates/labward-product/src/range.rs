//! The versions that an advisory speaks of, as people typed them, and whether a version is among them.
//!
//! It must never drop or guess: a text is a [`Reading`], or [`Unreadable`] with a reason; and both `Yes` and `No`
//! are claims, so whatever may be meant otherwise is [`Holds::CannotTell`].
//!
//! What is read, and by which rule, is said by [`How`]; `docs/ref/matching.md` has the rules in words.

mod answer;
mod combine;
mod condition;
mod operand;
mod token;

use std::fmt;

pub use answer::{Doubt, Holds, Trail};
pub use condition::{Condition, ConditionKind};

use crate::scan;
use crate::version::Version;

/// A text of more bytes than this is not read.
pub const MAX_BYTES: usize = 4096;

/// What a text says of versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The text that was read.
    pub text: String,
    /// Any of these; never empty.
    pub alternatives: Vec<Interval>,
    /// What must hold besides.
    pub conditions: Vec<Condition>,
    /// How sure it is that the text is meant so.
    pub confidence: Confidence,
    /// Whether the alternatives are branches, each ending at its own bound.
    pub branches: bool,
}

/// How sure it is that a text is meant as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// It may be meant otherwise: nothing is claimed from it.
    Doubtful,
    /// A rule of reading was needed, such as that `|` joins two opposite bounds.
    ByRule,
    /// It says what it says.
    Plain,
}

/// From `low` to `high`; without either it is open on that side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Where it begins.
    pub low: Option<Bound>,
    /// Where it ends.
    pub high: Option<Bound>,
    /// What the bounds are.
    pub unit: Unit,
    /// By which rule it was read.
    pub how: How,
}

/// One end of an interval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The version, or the text of what is none.
    pub version: Version,
    /// Whether the version itself is inside.
    pub inclusive: bool,
    /// Whether it stands for everything that begins so, as `12.x` does.
    pub whole: bool,
}

/// What the bounds of an interval are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Days.
    Date(DateOf),
    /// A number or a short name that may be a version or a model: only the very same one is inside.
    Mark,
    /// A model, a part or another name, and no version.
    Model,
    /// The number that a maker gives a part or a state of its software, such as `012U000061`.
    Part,
    /// The first digits of a serial number, as many as said.
    Serial(u8),
    /// Versions.
    Version,
}

/// What happened on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateOf {
    /// The device was distributed.
    Distributed,
    /// The device was made.
    Made,
    /// The device was shipped.
    Shipped,
    /// It is not said; most likely the software was released.
    Unsaid,
}

/// The rule by which an interval was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// `vers:all/*`, `All versions`, or nothing but a condition.
    All,
    /// One operator and a version.
    Operator,
    /// One branch of a list such as `<= 4.2.21 | <= 5.0.27`.
    Branch,
    /// A version alone, or one of a list.
    Listed,
    /// Two opposite bounds joined by `|`, which is then AND.
    Paired,
    /// Two bounds in one expression: `A10 < A11`, `>= V2.3 and < V6.30`, `Rev B-M`.
    Range,
    /// Words: `2.3.6 and below`, `prior to 5.1`.
    Words,
}

impl How {
    /// The stable code of the rule.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Operator => "operator",
            Self::Branch => "branch",
            Self::Listed => "listed",
            Self::Paired => "paired",
            Self::Range => "range",
            Self::Words => "words",
        }
    }
}

/// A text of which nothing can be said but what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The text.
    pub text: String,
    /// Why it was not read.
    pub why: WhyUnreadable,
}

/// Why a text was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WhyUnreadable {
    /// A date of which day and month cannot be told apart.
    AmbiguousDate,
    /// Nothing stands there.
    Empty,
    /// Something is left out of the range in words.
    Exclusion,
    /// Its parts stand in an order that no rule knows.
    Grammar,
    /// A day without a year.
    NoYear,
    /// What follows an operator is no version.
    Operand,
    /// It says that there is no version.
    SaysNone,
    /// It is longer than [`MAX_BYTES`].
    TooLong,
    /// An `x` stands where it may mean several things.
    Wildcard,
}

impl WhyUnreadable {
    /// The stable code of the reason.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::AmbiguousDate => "ambiguous-date",
            Self::Empty => "empty",
            Self::Exclusion => "exclusion",
            Self::Grammar => "grammar",
            Self::NoYear => "no-year",
            Self::Operand => "operand",
            Self::SaysNone => "says-none",
            Self::TooLong => "too-long",
            Self::Wildcard => "wildcard",
        }
    }
}

/// Reads what an advisory says of versions.
///
/// # Errors
/// [`Unreadable`] holds the text and the reason.
pub fn read(text: &str) -> Result<Reading, Unreadable> {
    let refuse = |why| Unreadable {
        text: text.to_owned(),
        why,
    };
    if text.len() > MAX_BYTES {
        return Err(refuse(WhyUnreadable::TooLong));
    }
    let folded = scan::fold(text);
    // Lines below stand for spaces; in ASCII every place stays where it is.
    let plain = if folded.contains('_') {
        folded.replace('_', " ").into()
    } else {
        folded
    };
    let source = Source {
        plain: &plain,
        shown: if text.is_ascii() { text } else { &plain },
    };
    let found = source.read().map_err(refuse)?;
    Ok(Reading {
        text: text.to_owned(),
        confidence: found.confidence,
        alternatives: found.alternatives,
        conditions: found.conditions,
        branches: found.branches,
    })
}

/// What was found in a text.
struct Found {
    alternatives: Vec<Interval>,
    conditions: Vec<Condition>,
    confidence: Confidence,
    branches: bool,
}

/// A folded text and the text as it was given.
#[derive(Clone, Copy)]
struct Source<'t> {
    plain: &'t str,
    shown: &'t str,
}

impl<'t> Source<'t> {
    /// The text as it was given of a part of the folded one.
    fn shown(self, part: &str) -> &'t str {
        let start = part
            .as_ptr()
            .addr()
            .wrapping_sub(self.plain.as_ptr().addr());
        start
            .checked_add(part.len())
            .and_then(|end| self.shown.get(start..end))
            .unwrap_or_default()
    }

    fn read(self) -> Result<Found, WhyUnreadable> {
        let mut text = self.plain.trim();
        if let Some(rest) = text.strip_prefix("vers:") {
            // `vers:all/<V4.3.8` is no valid vers and is read as `<V4.3.8`.
            text = rest.split_once('/').map_or(rest, |(_, rest)| rest).trim();
        }
        match text {
            "" => return Err(WhyUnreadable::Empty),
            "-" | "n/a" | "no version" | "none" | "unknown" => return Err(WhyUnreadable::SaysNone),
            _ => {}
        }
        if text.contains("serial number") {
            return self.serial(text);
        }
        if text.starts_with("windows ") {
            return Ok(Found {
                alternatives: vec![Interval::all()],
                conditions: vec![Condition::new(
                    ConditionKind::OperatingSystem,
                    self.shown(text),
                )],
                confidence: Confidence::ByRule,
                branches: false,
            });
        }
        let mut conditions = Vec::new();
        if let Some((hardware, rest)) = text
            .split_once(", firmware ")
            .filter(|_| text.starts_with("version "))
        {
            // The versions of the hardware, of the firmware and of the part, one after the other.
            let (firmware, part) = rest.split_once(',').unwrap_or((rest, ""));
            conditions.extend(
                [hardware, part]
                    .into_iter()
                    .map(str::trim)
                    .filter(|other| !other.is_empty())
                    .map(|other| Condition::new(ConditionKind::OtherPart, self.shown(other))),
            );
            text = firmware.trim();
        }
        let tokens = token::tokens(text);
        let mut found = combine::combine(self, &tokens)?;
        conditions.append(&mut found.conditions);
        found.conditions = conditions;
        Ok(found)
    }

    /// `<=the_first_5_digits_of_serial_number_22081`.
    fn serial(self, text: &str) -> Result<Found, WhyUnreadable> {
        let word = |word: &str| match word {
            "two" => Some(2),
            "three" => Some(3),
            "four" => Some(4),
            "five" => Some(5),
            other => other.parse::<u8>().ok(),
        };
        let words: Vec<&str> = text
            .split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '=' | ','))
            .filter(|w| !w.is_empty())
            .collect();
        let digits = words
            .iter()
            .position(|w| matches!(*w, "digit" | "digits"))
            .and_then(|at| words.get(at.checked_sub(1)?))
            .and_then(|w| word(w));
        let after = text
            .split_once("serial number")
            .map_or("", |(_, after)| after);
        let last = after
            .split(|c: char| !c.is_ascii_alphanumeric())
            .rfind(|w| w.bytes().any(|b| b.is_ascii_digit()));
        let (Some(digits), Some(last)) = (digits, last) else {
            return Err(WhyUnreadable::Grammar);
        };
        let bound = |inclusive| Bound {
            version: Version::read(self.shown(last)),
            inclusive,
            whole: true,
        };
        let (low, high) = match text {
            _ if text.contains("<=") => (None, Some(bound(true))),
            _ if text.contains(">=") => (Some(bound(true)), None),
            _ if text.contains('<') => (None, Some(bound(false))),
            _ if text.contains('>') => (Some(bound(false)), None),
            // What begins with these digits, or may be meant so.
            _ => (Some(bound(true)), Some(bound(true))),
        };
        Ok(Found {
            alternatives: vec![Interval {
                low,
                high,
                unit: Unit::Serial(digits),
                how: How::Words,
            }],
            conditions: Vec::new(),
            confidence: Confidence::ByRule,
            branches: false,
        })
    }
}

impl Interval {
    fn all() -> Self {
        Self {
            low: None,
            high: None,
            unit: Unit::Version,
            how: How::All,
        }
    }
}

impl fmt::Display for Interval {
    /// `≥ 2.0, < 2.6`, as a person would note it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show =
            |bound: &Bound| format!("{}{}", bound.version, if bound.whole { ".*" } else { "" });
        match (&self.low, &self.high) {
            (None, None) => f.write_str("*"),
            (Some(low), Some(high)) if low == high => write!(f, "= {}", show(low)),
            (low, high) => {
                if let Some(low) = low {
                    write!(f, "{} {}", if low.inclusive { "≥" } else { ">" }, show(low))?;
                }
                if low.is_some() && high.is_some() {
                    f.write_str(", ")?;
                }
                if let Some(high) = high {
                    write!(
                        f,
                        "{} {}",
                        if high.inclusive { "≤" } else { "<" },
                        show(high)
                    )?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;
