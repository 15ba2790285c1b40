//! `people`: what somebody is in the lab, and a list of people at once.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a person is in the lab from now on.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct NewRoles {
    /// One or more roles, joined by commas, in place of those that they have.
    pub role: String,
}

/// A list of people, to be looked at or added.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct ImportPeople {
    /// CSV in UTF-8: a head with at least `name` and `role`, then a line for each person; separated by
    /// commas, semicolons or tabs. Several roles of a person are separated by `+`, or by commas within
    /// quotes. Other columns are not looked at.
    pub table: String,
    /// Only says what would happen.
    #[serde(default)]
    pub preview: bool,
}

/// What becomes of a line of the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineState {
    /// It names somebody new, and is not added yet.
    #[default]
    New,
    /// It was added now.
    Added,
    /// There is a person of this name: nothing is changed.
    Known,
    /// What it calls somebody is no name, so that no line is added.
    NoName,
    /// An outside expert is added alone, with an engagement, so that no line is added.
    NeedsEngagement,
    /// One of the roles is none, so that no line is added.
    NoRole,
}

/// One line of the list.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct ImportedPerson {
    /// Its number in the list, from 1; the head is a line, too.
    pub line: u64,
    /// The person's name.
    pub name: String,
    /// Their roles, joined by commas; as it was written if it cannot be read.
    pub role: String,
    /// What becomes of it.
    pub state: LineState,
    /// The person's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
}

/// What becomes of a list of people.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct ImportedPeople {
    /// How many are added, or would be.
    pub added: u64,
    /// How many are there already.
    pub known: u64,
    /// How many cannot be read; if any, nothing was added.
    pub refused: u64,
    /// Every line with a person.
    pub lines: Vec<ImportedPerson>,
}
