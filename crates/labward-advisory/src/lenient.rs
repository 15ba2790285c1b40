//! Reading values leniently: what is of the wrong kind is a flaw with its place, and the rest goes on.

use labward_base::Timestamp;
use time::Date;
use time::macros::format_description;

use crate::flaw::{Flaws, quote};
use crate::json::{Items, Kind, Value};
use crate::{Limits, Map, Text};

/// What every reader needs.
pub(crate) struct Ground<'t> {
    pub(crate) flaws: Flaws,
    pub(crate) limits: Limits,
    /// Each text of the document once: publishers repeat theirs.
    texts: Map<&'t str, Text>,
}

impl Ground<'_> {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            flaws: Flaws::new(limits.max_flaws),
            limits: *limits,
            texts: Map::default(),
        }
    }
}

impl<'t> Lenient<'t> for Ground<'t> {
    fn ground(&mut self) -> &mut Self {
        self
    }
}

/// A reader of one document.
pub(crate) trait Lenient<'t> {
    /// Its flaws, limits and texts.
    fn ground(&mut self) -> &mut Ground<'t>;

    /// Tells a flaw of the value at `at`.
    fn flaw(&mut self, rule: &'static str, at: Value<'_>, what: impl Into<String>) {
        self.ground().flaws.add(rule, at, what);
    }

    /// The one copy of a text.
    fn keep(&mut self, text: &'t str) -> Text {
        self.ground()
            .texts
            .entry(text)
            .or_insert_with(|| Text::from(text))
            .clone()
    }

    fn wrong(&mut self, value: Value<'_>, wanted: &str) {
        let what = format!("{} where {wanted} is expected", value.kind());
        self.flaw("read", value, what);
    }

    /// The text of a key; a value of another kind is a flaw.
    fn text(&mut self, parent: Value<'t>, key: &str) -> Option<Text> {
        parent.get(key).and_then(|value| self.text_in(value))
    }

    fn text_in(&mut self, value: Value<'t>) -> Option<Text> {
        match value.text() {
            Some(text) => Some(self.keep(text)),
            None => {
                self.wrong(value, "text");
                None
            }
        }
    }

    /// As [`Lenient::text`], for a text that stands once: remembering it would cost more than a copy.
    fn unshared(&mut self, parent: Value<'t>, key: &str) -> Option<Text> {
        let value = parent.get(key)?;
        if value.text().is_none() {
            self.wrong(value, "text");
        }
        value.text().map(Text::from)
    }

    /// As [`Lenient::needed`], for a text that stands once.
    fn needed_unshared(&mut self, parent: Value<'t>, key: &str) -> Text {
        if parent.get(key).is_none() {
            self.flaw("read", parent, format!("`{key}` is missing"));
        }
        self.unshared(parent, key).unwrap_or_default()
    }

    /// The text of a key that a reader cannot do without; empty, and a flaw, if there is none.
    fn needed(&mut self, parent: Value<'t>, key: &str) -> Text {
        match parent.get(key) {
            Some(value) => self.text_in(value).unwrap_or_default(),
            None => {
                self.flaw("read", parent, format!("`{key}` is missing"));
                Text::default()
            }
        }
    }

    /// The moment of a key; a text that is none is a flaw.
    fn time(&mut self, parent: Value<'t>, key: &str) -> Option<Timestamp> {
        let value = parent.get(key)?;
        let time = value.text().and_then(Timestamp::parse_rfc3339);
        if time.is_none() {
            self.flaw("read", value, "no date and time (RFC 3339)");
        }
        time
    }

    /// The object of a key; a value of another kind is a flaw.
    fn object(&mut self, parent: Value<'t>, key: &str) -> Option<Value<'t>> {
        let value = parent.get(key)?;
        if value.kind() != Kind::Object {
            self.wrong(value, "an object");
            return None;
        }
        self.repeated_keys(value);
        Some(value)
    }

    /// The date of a key, `YYYY-MM-DD`; a text that is none is a flaw.
    fn date(&mut self, parent: Value<'t>, key: &str) -> Option<Date> {
        let value = parent.get(key)?;
        let format = format_description!("[year]-[month]-[day]");
        let date = value.text().and_then(|text| Date::parse(text, format).ok());
        if date.is_none() {
            self.flaw("read", value, "no date (YYYY-MM-DD)");
        }
        date
    }

    /// The objects of the list of a key, at most as many as [`Limits::max_entries`] allows.
    fn entries(&mut self, parent: Value<'t>, key: &str) -> Vec<Value<'t>> {
        let items = self.items(parent, key);
        self.within_limit(parent, items)
    }

    /// The objects of a list, at most as many as [`Limits::max_entries`] allows.
    fn within_limit(&mut self, at: Value<'t>, items: Items<'t>) -> Vec<Value<'t>> {
        let mut entries = Vec::new();
        for item in items {
            if entries.len() >= self.ground().limits.max_entries {
                self.flaw(
                    "read",
                    at,
                    "more entries than the limit; the rest was left out",
                );
                break;
            }
            if item.kind() == Kind::Object {
                self.repeated_keys(item);
                entries.push(item);
            } else {
                self.wrong(item, "an object");
            }
        }
        entries
    }

    /// The items of the list of a key; a value of another kind is a flaw.
    fn items(&mut self, parent: Value<'t>, key: &str) -> Items<'t> {
        let Some(value) = parent.get(key) else {
            return Items::default();
        };
        if value.kind() != Kind::Array {
            self.wrong(value, "a list");
        }
        value.items()
    }

    /// The objects of the list of a key; other values of the list are flaws.
    fn objects(&mut self, parent: Value<'t>, key: &str) -> Vec<Value<'t>> {
        let mut objects = Vec::new();
        for item in self.items(parent, key) {
            if item.kind() == Kind::Object {
                self.repeated_keys(item);
                objects.push(item);
            } else {
                self.wrong(item, "an object");
            }
        }
        objects
    }

    /// The texts of the list of a key; other values of the list are flaws.
    fn texts(&mut self, parent: Value<'t>, key: &str) -> Vec<Text> {
        let mut texts = Vec::new();
        for item in self.items(parent, key) {
            match item.text() {
                Some(text) => texts.push(self.keep(text)),
                None => self.wrong(item, "text"),
            }
        }
        texts
    }

    /// A key that stands twice hides a value.
    fn repeated_keys(&mut self, object: Value<'t>) {
        if let Some(key) = repeated_key(object) {
            let what = format!("{} stands more than once; the first was read", quote(key));
            self.flaw("read", object, what);
        }
    }
}

/// A key that stands more than once.
fn repeated_key(object: Value<'_>) -> Option<&str> {
    /// Up to here comparing all pairs is quicker than sorting.
    const FEW: usize = 16;
    let mut few = [""; FEW];
    let mut count = 0;
    for (key, _) in object.members() {
        let Some(slot) = few.get_mut(count) else {
            return repeated_of_many(object.members().map(|(key, _)| key).collect());
        };
        *slot = key;
        count += 1;
    }
    let mut rest = few.get(..count)?;
    while let [key, later @ ..] = rest {
        if later.contains(key) {
            return Some(key);
        }
        rest = later;
    }
    None
}

fn repeated_of_many(mut keys: Vec<&str>) -> Option<&str> {
    keys.sort_unstable();
    keys.windows(2).find_map(|pair| match pair {
        [one, two] if one == two => Some(*one),
        _ => None,
    })
}
