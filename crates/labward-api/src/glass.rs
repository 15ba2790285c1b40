//! Emergency access (break-glass): opened with a reason for a bounded time, reviewed by a second
//! person.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `POST break-glass/open`: why.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenGlass {
    /// Why the patient cannot wait; recorded, and shown to who reviews it.
    #[schemars(length(min = 1, max = 1000), regex(pattern = r"\S"))]
    pub why: String,
    /// For how many minutes, 1 to what the configuration says; all of them if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<u64>,
}

/// The emergency access that the person who asks has open.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct OpenedGlass {
    /// When it was opened, RFC 3339.
    pub opened: String,
    /// When it ends by itself, RFC 3339.
    pub until: String,
    /// Seconds until then.
    pub seconds_left: u64,
    /// Why, as the person said.
    pub why: String,
}

/// `GET break-glass`: which are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OpeningFilter {
    /// `waiting`: only those that nobody reviewed yet; all if not given.
    pub state: Option<String>,
    /// Only those with a smaller number: where the page before ended.
    pub before: Option<u64>,
    /// How many at most, 1 to 1,000 (default 50).
    pub limit: Option<u32>,
}

/// One emergency access.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Opening {
    /// Its number: the index of the entry that records it.
    pub number: u64,
    /// The person who opened it, by number.
    pub person: u64,
    /// What the lab calls them; `None`: they were removed since.
    pub name: Option<String>,
    /// When it was opened, RFC 3339.
    pub opened: String,
    /// When it ended, or ends by itself, RFC 3339.
    pub until: String,
    /// Whether it is over.
    pub is_over: bool,
    /// Whether it waits for a second person for longer than the configuration allows.
    pub is_overdue: bool,
    /// What a second person found; `None`: nobody has reviewed it yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<OpeningReview>,
}

/// What a second person found.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct OpeningReview {
    /// `appropriate` or `not-appropriate`.
    pub verdict: String,
    /// Who reviewed it, by number.
    pub person: u64,
    /// What the lab calls them; `None`: they were removed since.
    pub name: Option<String>,
    /// When, RFC 3339.
    pub time: String,
    /// The entry that records it.
    pub entry: u64,
}

/// One emergency access with everything that a second person needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct OpeningShown {
    /// The emergency access.
    pub opening: Opening,
    /// Why, as the person said.
    pub why: Option<String>,
    /// What was read under it, the oldest first; the first 1,000.
    pub readings: Vec<ReadUnder>,
    /// What the second person noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// One reading under an emergency access.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct ReadUnder {
    /// The entry that records it.
    pub entry: u64,
    /// When, RFC 3339.
    pub time: String,
    /// `record.searched` or `record.shown`.
    pub action: String,
    /// The record, if it was one.
    pub record: Option<u64>,
    /// The opaque number of the patient, if it was about one.
    pub patient: Option<u64>,
}

/// `POST break-glass/{number}/review`: what the second person found.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewOpening {
    /// `appropriate` or `not-appropriate`.
    pub verdict: String,
    /// What they noted; recorded, sealed under the site's audit key.
    #[schemars(length(min = 1, max = 1000), regex(pattern = r"\S"))]
    pub note: String,
}
