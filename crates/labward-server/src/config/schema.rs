//! What a definition of a key consists of; `sections` holds the definitions themselves.

/// One table of the configuration.
#[derive(Debug)]
pub(super) struct Section {
    /// Its name within the table above it.
    pub(super) name: &'static str,
    /// Whether there may be several, as in `[[link]]`.
    pub(super) many: bool,
    /// What it is about, in sentences.
    pub(super) what: &'static str,
    /// Its keys, in the order of the reference.
    pub(super) keys: &'static [Key],
    /// The tables within it.
    pub(super) sections: &'static [Section],
    /// TOML lines that show how it is used.
    pub(super) sample: &'static str,
}

/// One key.
#[derive(Debug)]
pub(super) struct Key {
    /// Its name.
    pub(super) name: &'static str,
    /// What its value must be.
    pub(super) kind: Kind,
    /// What holds if it is left out.
    pub(super) omitted: Omitted,
    /// The unit of a number, or nothing.
    pub(super) unit: &'static str,
    /// Key and value in the same table without which this key means nothing.
    pub(super) only: Option<(&'static str, &'static str)>,
    /// What it means, in sentences.
    pub(super) what: &'static str,
}

/// What a value must be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A whole number in this range.
    Number(i64, i64),
    /// A list of whole numbers in this range.
    Numbers(i64, i64),
    /// Text.
    Text,
    /// A list of texts.
    Texts,
}

/// What holds if a key is left out.
#[derive(Clone, Copy, Debug)]
pub(super) enum Omitted {
    /// It may not be left out.
    Required,
    /// Nothing, or what these words say; the second text is a value to show in an example.
    Unset(&'static str, &'static str),
    /// This TOML value.
    Value(&'static str),
}

impl Section {
    /// The key with this name.
    pub(super) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// The table with this name.
    pub(super) fn section(&self, name: &str) -> Option<&'static Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// The names of all keys and tables.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        let keys = self.keys.iter().map(|key| key.name);
        keys.chain(self.sections.iter().map(|section| section.name))
    }
}

impl Kind {
    /// What a value must be, in words.
    pub(super) fn words(self) -> String {
        match self {
            Self::Choice(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                match words.as_slice() {
                    [one] => one.clone(),
                    [first @ .., last] => format!("{} or {last}", first.join(", ")),
                    [] => String::new(),
                }
            }
            Self::Flag => "true or false".to_owned(),
            Self::Number(least, i64::MAX) => format!("a whole number from {least}"),
            Self::Number(least, most) => format!("a whole number from {least} to {most}"),
            Self::Numbers(least, most) => {
                format!("a list of whole numbers from {least} to {most}")
            }
            Self::Text => "text".to_owned(),
            Self::Texts => "a list of texts".to_owned(),
        }
    }
}
