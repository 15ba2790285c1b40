//! What is wrong with a document that could be read all the same, each by a stable rule and a place.
//!
//! A flaw must never hold a whole value of the document: it names the place.

use std::fmt;

use crate::json::Value;

/// How much a flaw weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    /// The document breaks its format, or something in it cannot be read.
    Error,
    /// It is allowed, and a good document does without (CSAF 2.0, 6.2).
    Warning,
    /// It may be meant so (CSAF 2.0, 6.3).
    Information,
}

impl Weight {
    /// `error`, `warning` or `information`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Information => "information",
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flaw {
    /// The rule: the number of the test in CSAF 2.0, clause 6 (`6.1.9`); `schema`; `read` for what a
    /// reader could not use; `text` for bytes that are no UTF-8; `limit` for tests that ended early.
    pub rule: &'static str,
    /// Where, as an RFC 6901 JSON pointer; for a text format `line N`.
    pub place: String,
    /// What is wrong, in words that need no other.
    pub what: String,
}

impl Flaw {
    /// How much it weighs, by its rule.
    pub fn weight(&self) -> Weight {
        if self.rule.starts_with("6.2.") {
            Weight::Warning
        } else if self.rule.starts_with("6.3.") {
            Weight::Information
        } else {
            Weight::Error
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.place.is_empty() {
            "/"
        } else {
            &self.place
        };
        write!(f, "{} at {place}: {}", self.rule, self.what)
    }
}

/// The flaws of one document, as many as the limit allows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flaws {
    listed: Vec<Flaw>,
    unlisted: u64,
    max: usize,
}

impl Flaws {
    /// An empty list that holds at most `max`.
    pub const fn new(max: usize) -> Self {
        Self {
            listed: Vec::new(),
            unlisted: 0,
            max,
        }
    }

    /// Adds a flaw of the value at `at`; beyond the limit it is only counted.
    pub fn add(&mut self, rule: &'static str, at: Value<'_>, what: impl Into<String>) {
        if self.listed.len() < self.max {
            self.add_at(rule, at.pointer(), what);
        } else {
            self.unlisted += 1;
        }
    }

    /// Adds a flaw at a place in words.
    pub fn add_at(
        &mut self,
        rule: &'static str,
        place: impl Into<String>,
        what: impl Into<String>,
    ) {
        if self.listed.len() < self.max {
            let flaw = Flaw {
                rule,
                place: place.into(),
                what: what.into(),
            };
            self.listed.push(flaw);
        } else {
            self.unlisted += 1;
        }
    }

    /// The flaws in the order in which they were found.
    pub fn listed(&self) -> &[Flaw] {
        &self.listed
    }

    /// How many more there were than the limit allows to list.
    pub const fn unlisted(&self) -> u64 {
        self.unlisted
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty() && self.unlisted == 0
    }

    /// Takes in those of `other` that are not told of the same place under the same rule yet.
    pub fn merge(&mut self, other: Self) {
        for flaw in other.listed {
            let known = |one: &Flaw| one.rule == flaw.rule && one.place == flaw.place;
            if !self.listed.iter().any(known) {
                self.add_at(flaw.rule, flaw.place, flaw.what);
            }
        }
        self.unlisted += other.unlisted;
    }
}

/// What a value of the document may be quoted with in a flaw: at most 60 characters, no controls.
pub(crate) fn quote(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut short: String = text
        .chars()
        .take(LONGEST)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    format!("`{short}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flaws_beyond_the_limit_are_counted() {
        let mut flaws = Flaws::new(1);
        flaws.add_at("6.1.1", "/a", "x");
        flaws.add_at("6.1.1", "/b", "x");
        assert_eq!((flaws.listed().len(), flaws.unlisted()), (1, 1));
        assert!(!flaws.is_empty());
    }

    #[test]
    fn the_rule_gives_the_weight() {
        let weight = |rule| {
            Flaw {
                rule,
                place: String::new(),
                what: String::new(),
            }
            .weight()
        };
        assert_eq!(weight("6.1.27.9"), Weight::Error);
        assert_eq!(weight("schema"), Weight::Error);
        assert_eq!(weight("6.2.16"), Weight::Warning);
        assert_eq!(weight("6.3.11"), Weight::Information);
    }

    #[test]
    fn a_quote_is_short_and_has_no_controls() {
        assert_eq!(quote("a\u{1b}[31mb"), "`a [31mb`");
        assert_eq!(quote(&"x".repeat(100)).chars().count(), 63);
    }

    #[test]
    fn the_same_rule_at_the_same_place_is_told_once() {
        let mut one = Flaws::new(10);
        one.add_at("schema", "/a", "x");
        let mut two = Flaws::new(10);
        two.add_at("schema", "/a", "y");
        two.add_at("read", "/a", "z");
        one.merge(two);
        assert_eq!(one.listed().len(), 2);
        assert_eq!(one.listed()[1].to_string(), "read at /a: z");
    }
}
