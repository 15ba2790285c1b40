//! The configuration while the server runs: what can be changed, edits of it, and reloads.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ProblemBody;

/// `GET config/preview` and `POST config/reload`: what is otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Reload {
    /// SHA-256 of the file, in hex.
    pub sha256: String,
    /// What differs from the configuration that was in force before.
    pub changes: Vec<ConfigChange>,
    /// In a preview: why a reload would be refused, and nothing changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<ProblemBody>,
}

/// One key that is otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct ConfigChange {
    /// The table, such as `[log]` or `[[link]] xn550`.
    pub table: String,
    /// The key, with the tables within that lead to it: `limits.frame_seconds`.
    pub key: String,
    /// The value before, as TOML; none if there was none.
    pub old: Option<String>,
    /// The value now, as TOML; none if there is none.
    pub new: Option<String>,
    /// Whether only a start reads it, so that a reload is refused.
    pub needs_restart: bool,
}

/// `GET config`: what of the configuration in force can be changed over the API.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Configuration {
    /// SHA-256 of the file in force, in hex: the `base` of a change that is made from this.
    pub sha256: String,
    /// Whether the file on the disk is the one in force; if not, nothing can be changed before a reload.
    pub is_file: bool,
    /// The tables that can be changed.
    pub tables: Vec<ConfigTable>,
}

/// One kind of table, such as all links.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct ConfigTable {
    /// Its name in the file: `link`, `route`, `destination`, `retention` and so on.
    pub table: String,
    /// Whether there may be several, so that they are added and removed.
    pub many: bool,
    /// What may stand in it, in the order of the reference.
    pub keys: Vec<ConfigKey>,
    /// Those that there are; one where `many` is false, whether or not it is written in the file.
    pub parts: Vec<ConfigPart>,
}

/// What may stand in a table.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct ConfigKey {
    /// The key, with the tables within that lead to it: `limits.frame_seconds`.
    pub key: String,
    /// What its value must be.
    #[serde(flatten)]
    pub form: ConfigForm,
    /// Whether it must stand there.
    pub required: bool,
    /// What holds if it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// The key and the value beside it without which it means nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<(String, String)>,
    /// Whether only a start reads a change of it.
    pub at_start: bool,
}

/// What a value must be.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(tag = "form", rename_all = "kebab-case")]
pub enum ConfigForm {
    /// One of these words.
    Choice {
        /// The words.
        choices: Vec<String>,
    },
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Number {
        /// The least.
        least: i64,
        /// The most.
        most: i64,
    },
    /// A list of whole numbers.
    Numbers {
        /// The least of each.
        least: i64,
        /// The most of each.
        most: i64,
    },
    /// Text.
    #[default]
    Text,
    /// A list of texts.
    Texts,
    /// A name: 1 to 64 letters, digits, `-`, `_` or `.`, the first a letter or digit.
    Name,
    /// An IP address and a port to listen on.
    Listen,
    /// A host and a port.
    Address,
    /// A day, `YYYY-MM-DD`.
    Day,
}

/// One table of the file, such as one link.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct ConfigPart {
    /// Its name; of a route its number, counted from 1; none where there is only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The keys that are written in the file, each with its value.
    pub values: BTreeMap<String, Value>,
}

/// One edit of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigEdit {
    /// What is done.
    #[serde(rename = "do")]
    pub does: EditKind,
    /// The table, such as `link`.
    #[schemars(length(max = 64))]
    pub table: String,
    /// Which one, where there may be several; none when one is added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub name: Option<String>,
    /// The keys with their new values; null takes a key away, so that its default holds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, Value>,
}

/// What an edit does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EditKind {
    /// Another table of this kind.
    Add,
    /// Other values in one.
    #[default]
    Change,
    /// One goes.
    Remove,
}

/// `POST config/preview`: edits to be looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreviewConfig {
    /// SHA-256 of the file from which they were made, in hex.
    #[schemars(regex(pattern = r"^[0-9a-f]{64}$"))]
    pub base: String,
    /// The edits, in their order; at most 64.
    #[schemars(length(min = 1, max = 64))]
    pub edits: Vec<ConfigEdit>,
}

/// `POST config/change`: edits to be made and put in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeConfig {
    /// SHA-256 of the file from which they were made, in hex; another one in force is a conflict.
    #[schemars(regex(pattern = r"^[0-9a-f]{64}$"))]
    pub base: String,
    /// The edits, in their order; at most 64.
    #[schemars(length(min = 1, max = 64))]
    pub edits: Vec<ConfigEdit>,
    /// Why it is done, in the person's own words; recorded, sealed under the site's audit key.
    #[schemars(length(min = 1, max = 1000), regex(pattern = r"\S"))]
    pub why: String,
}

/// What edits would change.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct ConfigPreview {
    /// SHA-256 of the file in force, in hex: the `base` with which they can be made now.
    pub sha256: String,
    /// What they change in the file in force.
    pub changes: Vec<ConfigChange>,
    /// The links that go, with the connections that close with them.
    pub closes: Vec<ClosedLink>,
    /// What others changed since the base, if it is not in force any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meanwhile: Option<Meanwhile>,
    /// Why they would be refused, and nothing changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<ConfigFault>,
}

/// A link that goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct ClosedLink {
    /// Its name.
    pub link: String,
    /// Its connections now.
    pub connections: u64,
}

/// What was changed since the file from which edits were made.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Meanwhile {
    /// Who changed it last, as entries name them; none if that is not known any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// What was changed, with the tables: `[[link]] xn550 listen`.
    pub changed: Vec<String>,
    /// What these edits change, too: a person must choose.
    pub both: Vec<String>,
}

/// Why edits are refused, and where the mistake is.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct ConfigFault {
    /// What is wrong.
    pub problem: ProblemBody,
    /// The key that is wrong, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What its value must be, if that is what is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<ConfigForm>,
}
