//! Facts of an entry: an ordered, small list of names and values.
//!
//! They stand in clear in the leaf, so they must never hold anything that identifies a patient;
//! whatever does belongs sealed into the entry's detail or payload.

use std::borrow::Cow;

use labward_base::hex;

/// Bytes that the facts of one entry may take in the leaf.
pub const FACTS_MAX_BYTES: usize = 16 * 1024;

/// The value of a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A whole number.
    Number(i64),
    /// Text; digests and other bytes are written in lower-case hex.
    Text(String),
    /// Numbers and texts; never lists again.
    List(Vec<Fact>),
}

/// Facts in the order in which they were given; each name stands once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts(Vec<(Cow<'static, str>, Fact)>);

impl Facts {
    /// No facts.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// With a text under `name`, replacing what stood there.
    #[must_use]
    pub fn text(self, name: &'static str, text: impl Into<String>) -> Self {
        self.with(name, Fact::Text(text.into()))
    }

    /// With a number under `name`; numbers above `i64::MAX` are written as `i64::MAX`.
    #[must_use]
    pub fn number(self, name: &'static str, number: impl TryInto<i64>) -> Self {
        self.with(name, Fact::Number(number.try_into().unwrap_or(i64::MAX)))
    }

    /// With bytes in lower-case hex under `name`.
    #[must_use]
    pub fn hex(self, name: &'static str, bytes: &[u8]) -> Self {
        self.with(name, Fact::Text(hex::encode(bytes)))
    }

    /// With a list of texts under `name`.
    #[must_use]
    pub fn texts<T: Into<String>>(
        self,
        name: &'static str,
        texts: impl IntoIterator<Item = T>,
    ) -> Self {
        let list = texts
            .into_iter()
            .map(|text| Fact::Text(text.into()))
            .collect();
        self.with(name, Fact::List(list))
    }

    /// With a list of numbers under `name`; numbers above `i64::MAX` are written as `i64::MAX`.
    #[must_use]
    pub fn numbers<N: TryInto<i64>>(
        self,
        name: &'static str,
        numbers: impl IntoIterator<Item = N>,
    ) -> Self {
        let number = |n: N| Fact::Number(n.try_into().unwrap_or(i64::MAX));
        self.with(name, Fact::List(numbers.into_iter().map(number).collect()))
    }

    /// The fact under `name`.
    pub fn get(&self, name: &str) -> Option<&Fact> {
        self.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, fact)| fact)
    }

    /// The text under `name`, if a text stands there.
    pub fn get_text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Fact::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number under `name`, if a number stands there.
    pub fn get_number(&self, name: &str) -> Option<i64> {
        match self.get(name)? {
            Fact::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Names and values in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Fact)> {
        self.0.iter().map(|(name, fact)| (name.as_ref(), fact))
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a fact that was read; `false` if the name stands already.
    pub(crate) fn push_read(&mut self, name: String, fact: Fact) -> bool {
        let fresh = self.get(&name).is_none();
        self.0.push((Cow::Owned(name), fact));
        fresh
    }

    fn with(mut self, name: &'static str, fact: Fact) -> Self {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = fact,
            None => {
                // A message's entry has five or six of them.
                if self.0.is_empty() {
                    self.0.reserve(8);
                }
                self.0.push((Cow::Borrowed(name), fact));
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_keep_their_order_and_a_name_stands_once() {
        let facts = Facts::new()
            .text("type", "ORU^R01")
            .number("bytes", 505u32)
            .hex("digest", &[0, 0xab, 0x0f])
            .numbers("records", [u64::MAX, 7])
            .text("type", "ORU^R30");
        let names: Vec<_> = facts.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["type", "bytes", "digest", "records"]);
        assert_eq!(facts.get_text("type"), Some("ORU^R30"));
        assert_eq!(facts.get_text("digest"), Some("00ab0f"));
        assert_eq!(facts.get_number("bytes"), Some(505));
        assert_eq!(facts.get_number("type"), None);
        let list = Fact::List(vec![Fact::Number(i64::MAX), Fact::Number(7)]);
        assert_eq!(facts.get("records"), Some(&list));
    }
}
