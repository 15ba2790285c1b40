//! A code, the values of its places and one English sentence: how a pure room says what it found.
//!
//! Unlike a [`crate::Remark`] its text stands where it is said, beside the rule. It must never hold a sentence
//! without a code: whoever shows it says it in the reader's language.

use std::fmt;

/// One thing that is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saying {
    /// The stable code, in lower case with hyphens.
    pub code: &'static str,
    /// The English sentence; a place stands in it as `{name}`.
    pub text: &'static str,
    /// The places by name, with their values: codes, numbers, days as `YYYY-MM-DD`, CVSS vectors.
    pub values: Vec<(&'static str, String)>,
}

impl Saying {
    /// What is said.
    pub fn new(
        code: &'static str,
        text: &'static str,
        values: Vec<(&'static str, String)>,
    ) -> Self {
        Self { code, text, values }
    }

    /// The value of a place.
    pub fn value(&self, place: &str) -> Option<&str> {
        let found = self.values.iter().find(|(name, _)| *name == place);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether every place of the text has a value that is not empty, and every value a place.
    pub fn is_whole(&self) -> bool {
        let places = self.text.split('{').skip(1);
        let mut names: Vec<&str> = places
            .map(|rest| rest.split_once('}').map_or("", |(name, _)| name))
            .collect();
        let mut given: Vec<&str> = self
            .values
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, _)| *name)
            .collect();
        names.sort_unstable();
        given.sort_unstable();
        names == given && given.len() == self.values.len()
    }
}

/// The English sentence; what a value holds is never read as a place.
impl fmt::Display for Saying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.text;
        while let Some((before, after)) = rest.split_once('{') {
            f.write_str(before)?;
            let (place, behind) = after.split_once('}').unwrap_or((after, ""));
            f.write_str(self.value(place).unwrap_or("?"))?;
            rest = behind;
        }
        f.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_never_read_as_a_place() {
        let values = vec![("a", "{b}".to_owned()), ("b", "no".to_owned())];
        let saying = Saying::new("x", "say {a} and {b}.", values);
        assert_eq!(saying.to_string(), "say {b} and no.");
        assert!(saying.is_whole());
        assert!(!Saying::new("x", "say {a}.", vec![]).is_whole());
        let empty = vec![("a", String::new())];
        assert!(!Saying::new("x", "say {a}.", empty).is_whole());
    }
}
