//! Holds a file against the definition of its keys, and says on which line it leaves it.
//!
//! It must never pass over a key that it does not know: a mistyped limit would silently be none.

use std::fmt;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, line_of};
use super::near::nearest;
use super::schema::{Key, Kind, Omitted, Section};
use super::sections::FILE;

type Refused = ConfigError;

/// Where in the file we are, as a person would name it.
struct Place<'a> {
    above: Option<&'a Place<'a>>,
    section: &'static Section,
    /// The name of this one among many, or its number.
    which: Option<String>,
    text: &'a str,
}

/// Refuses unknown keys, wrong types and values out of range.
pub(super) fn check(text: &str) -> Result<(), Refused> {
    let file = DeTable::parse(text).map_err(|error| ConfigError::from_toml(text, &error))?;
    let place = Place {
        above: None,
        section: &FILE,
        which: None,
        text,
    };
    place.check(file.get_ref(), file.span())
}

impl Place<'_> {
    fn check(&self, table: &DeTable<'_>, span: Range<usize>) -> Result<(), Refused> {
        for (name, value) in table {
            let name_text: &str = name.get_ref();
            if let Some(key) = self.section.key(name_text) {
                self.check_value(key, value.get_ref(), name.span().start)?;
                self.check_beside(key, table, name.span().start)?;
            } else if let Some(section) = self.section.section(name_text) {
                self.check_section(section, value.get_ref(), value.span())?;
            } else {
                return Err(self.unknown(name_text, name.span().start));
            }
        }
        for key in self.section.keys {
            let wanted = matches!(key.omitted, Omitted::Required) && applies(key, table);
            if wanted && !table.contains_key(key.name) {
                let what = format!("{self} lacks \"{}\"", key.name);
                return Err(self.refuse(span.start, what));
            }
        }
        Ok(())
    }

    fn check_section(
        &self,
        section: &'static Section,
        value: &DeValue<'_>,
        span: Range<usize>,
    ) -> Result<(), Refused> {
        let below = |which| Place {
            above: Some(self),
            section,
            which,
            text: self.text,
        };
        if !section.many {
            let place = below(None);
            let Some(table) = value.as_table() else {
                let what = format!("{place} is {}, not a table", kind_of(value));
                return Err(self.refuse(span.start, what));
            };
            return place.check(table, span);
        }
        let wrong = |offset: usize| {
            let what = format!(
                "{} stands for each one by itself: write [[{}]]",
                section.name, section.name
            );
            self.refuse(offset, what)
        };
        let list = value.as_array().ok_or_else(|| wrong(span.start))?;
        for (number, one) in (1..).zip(list.iter()) {
            let table = one
                .get_ref()
                .as_table()
                .ok_or_else(|| wrong(one.span().start))?;
            let name = table.get("name").and_then(|name| name.get_ref().as_str());
            let which = name.map_or_else(|| format!("{number}"), |name| format!("{name:?}"));
            below(Some(which)).check(table, one.span())?;
        }
        Ok(())
    }

    fn check_value(&self, key: &Key, value: &DeValue<'_>, offset: usize) -> Result<(), Refused> {
        let fits = match key.kind {
            Kind::Choice(words) => value.as_str().is_some_and(|word| words.contains(&word)),
            Kind::Flag => value.is_bool(),
            Kind::Number(least, most) => number(value).is_some_and(|n| (least..=most).contains(&n)),
            Kind::Numbers(least, most) => value.as_array().is_some_and(|list| {
                let mut numbers = list.iter().map(|one| number(one.get_ref()));
                numbers.all(|n| n.is_some_and(|n| (least..=most).contains(&n)))
            }),
            Kind::Text => value.is_str(),
            Kind::Texts => value
                .as_array()
                .is_some_and(|list| list.iter().all(|one| one.get_ref().is_str())),
        };
        if fits {
            return Ok(());
        }
        let mut what = format!(
            "\"{}\" in {self} is {}, expected {}",
            key.name,
            shown(value),
            key.kind.words()
        );
        if let (Kind::Choice(words), Some(word)) = (key.kind, value.as_str())
            && let Some(near) = nearest(word, words.iter().copied())
        {
            what.push_str(&format!("; did you mean \"{near}\"?"));
        }
        Err(self.refuse(offset, what))
    }

    /// Refuses a key that means nothing beside what else stands in its table.
    fn check_beside(&self, key: &Key, table: &DeTable<'_>, offset: usize) -> Result<(), Refused> {
        match key.only {
            Some((beside, value)) if !applies(key, table) => {
                let what = format!(
                    "\"{}\" in {self} means something only with {beside} = \"{value}\"",
                    key.name
                );
                Err(self.refuse(offset, what))
            }
            _ => Ok(()),
        }
    }

    fn unknown(&self, name: &str, offset: usize) -> Refused {
        // A key may be long, or not be meant for a terminal.
        let shown: String = name.chars().take(64).collect();
        let mut what = format!("unknown key {shown:?} in {self}");
        if let Some(near) = nearest(name, self.section.names()) {
            what.push_str(&format!("; did you mean \"{near}\"?"));
        } else if let Some(path) = path_of(name, &FILE, "") {
            what.push_str(&format!("; it belongs in {path}"));
        }
        self.refuse(offset, what)
    }

    fn refuse(&self, offset: usize, what: String) -> Refused {
        ConfigError::unreadable(line_of(self.text, offset), what)
    }

    fn path(&self) -> String {
        match self.above {
            Some(above) if !above.section.name.is_empty() => {
                format!("{}.{}", above.path(), self.section.name)
            }
            _ => self.section.name.to_owned(),
        }
    }

    /// The name of the nearest one among many that this is in.
    fn which(&self) -> Option<&str> {
        let above = || self.above.and_then(Place::which);
        self.which.as_deref().or_else(above)
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path();
        match (self.section.many, path.is_empty()) {
            (_, true) => f.write_str("the top of the file"),
            (true, _) => write!(f, "[[{path}]]"),
            (false, _) => write!(f, "[{path}]"),
        }?;
        match self.which() {
            Some(which) => write!(f, " {which}"),
            None => Ok(()),
        }
    }
}

/// Whether what the key depends on stands in the table; a missing tag is its own error.
fn applies(key: &Key, table: &DeTable<'_>) -> bool {
    key.only.is_none_or(|(beside, value)| {
        let tag = table.get(beside).and_then(|tag| tag.get_ref().as_str());
        tag == Some(value)
    })
}

/// The table in which a key or table of exactly this name is known.
fn path_of(name: &str, section: &'static Section, path: &str) -> Option<String> {
    section.sections.iter().find_map(|below| {
        let dot = if path.is_empty() { "" } else { "." };
        let path_below = format!("{path}{dot}{}", below.name);
        if below.names().any(|known| known == name) {
            let (open, close) = if below.many { ("[[", "]]") } else { ("[", "]") };
            return Some(format!("{open}{path_below}{close}"));
        }
        path_of(name, below, &path_below)
    })
}

fn number(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(&integer.as_str().replace('_', ""), integer.radix()).ok()
}

fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::Array(_) => "a list",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Float(_) => "a number with a point",
        DeValue::Integer(_) => "a whole number",
        DeValue::String(_) => "text",
        DeValue::Table(_) => "a table",
    }
}

/// A value as it can be shown: what is short and no list is shown itself.
fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) if text.len() <= 64 => format!("{text:?}"),
        DeValue::Integer(integer) if integer.as_str().len() <= 64 => integer.as_str().to_owned(),
        DeValue::Boolean(flag) => flag.to_string(),
        other => kind_of(other).to_owned(),
    }
}
