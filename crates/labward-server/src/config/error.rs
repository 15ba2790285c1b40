//! Why a configuration is refused.

use std::io;
use std::path::PathBuf;

use labward_base::{Problem, problem};

/// A configuration that is refused, with the line or the place and what is wrong there.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("read the configuration {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A line is not understood: its form, a key or a value.
    #[error("read line {line} of the configuration: {what}")]
    Unreadable {
        /// The line, counted from 1; 0 if it is the file as a whole.
        line: usize,
        /// What is wrong with it, and a suggestion where there is one.
        what: String,
    },
    /// It is understood, and Labward refuses to do it.
    #[error("check {place}: {rule}")]
    Unsafe {
        /// The line on which that place begins, counted from 1; 0 if it is not known.
        line: usize,
        /// Where, such as `link xn550`.
        place: String,
        /// The rule that it breaks.
        rule: String,
    },
}

impl ConfigError {
    /// What a person sees.
    pub const fn problem(&self) -> &'static Problem {
        match self {
            Self::Read { .. } | Self::Unreadable { .. } => &problem::CONFIG_UNREADABLE,
            Self::Unsafe { .. } => &problem::CONFIG_UNSAFE,
        }
    }

    /// What varies, to be shown beside [`ConfigError::problem`].
    pub fn detail(&self) -> String {
        match self {
            Self::Read { path, source } => format!("{}: {source}", path.display()),
            Self::Unreadable { line: 0, what } => what.clone(),
            Self::Unreadable { line, what } => format!("line {line}: {what}"),
            Self::Unsafe {
                line: 0,
                place,
                rule,
            } => format!("{place}: {rule}"),
            Self::Unsafe { line, place, rule } => format!("line {line}, {place}: {rule}"),
        }
    }

    pub(super) fn unreadable(line: usize, what: impl Into<String>) -> Self {
        Self::Unreadable {
            line,
            what: what.into(),
        }
    }

    pub(super) fn refuse(place: impl Into<String>, rule: impl Into<String>) -> Self {
        Self::Unsafe {
            line: 0,
            place: place.into(),
            rule: rule.into(),
        }
    }

    /// The same with the line of `text` on which its place begins.
    pub(crate) fn in_text(self, text: &str) -> Self {
        match self {
            Self::Unsafe {
                line: 0,
                place,
                rule,
            } => Self::Unsafe {
                line: super::place::line_of_place(text, &place).unwrap_or(0),
                place,
                rule,
            },
            other => other,
        }
    }

    pub(super) fn from_toml(text: &str, error: &toml::de::Error) -> Self {
        let line = error.span().map_or(0, |span| line_of(text, span.start));
        Self::unreadable(line, error.message().replace('\n', ", "))
    }
}

impl From<labward_gateway::config::ConfigError> for ConfigError {
    fn from(error: labward_gateway::config::ConfigError) -> Self {
        // The gateway's own text is "check {place}: {rule}".
        let text = error.to_string();
        let text = text.strip_prefix("check ").unwrap_or(&text);
        let (place, rule) = text.split_once(": ").unwrap_or(("gateway", text));
        Self::refuse(place, rule)
    }
}

/// The line, counted from 1, on which the byte `offset` of `text` stands.
pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}
