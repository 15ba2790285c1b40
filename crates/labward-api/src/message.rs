//! Messages and what waits for a person.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `GET messages`: which ones to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MessageFilter {
    /// `received`, `held`, `waiting` (retries and blocked), `dead`; all if not given.
    #[schemars(extend("enum" = ["received", "held", "waiting", "dead"]))]
    pub state: Option<String>,
    /// Only of this link.
    pub link: Option<String>,
    /// Only of this peer.
    pub peer: Option<String>,
    /// Only at this destination (for `waiting` and `dead`).
    pub destination: Option<String>,
    /// Only older than this record.
    pub before: Option<u64>,
    /// How many at most, 1 to 1,000 (default 50).
    pub limit: Option<u32>,
}

/// One message as a list shows it: no patient data.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Message {
    /// The record's number.
    pub record: u64,
    /// The index of the entry that received it.
    pub entry: u64,
    /// When it came, RFC 3339.
    pub time: String,
    /// `received`, `held`, `released`, `rejected`.
    pub state: String,
    /// The link it came through.
    pub link: String,
    /// The peer that sent it.
    pub peer: String,
    /// Its type, such as `ORU^R01`, or `ASTM`.
    pub kind: String,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// Why it is held, refused or waits: a stable code.
    pub reason: Option<String>,
    /// Where it went or is to go.
    pub deliveries: Vec<Delivery>,
}

/// What became of a message at one destination.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Delivery {
    /// The destination's name.
    pub destination: String,
    /// `waiting`, `retrying`, `blocked`, `held`, `dead`, `delivered`.
    pub state: String,
    /// How often it was tried.
    pub attempts: u32,
    /// The last answer or fault, without patient data.
    pub reason: Option<String>,
}

/// `POST messages/{record}/release|reject|resend|skip`: a person's decision.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Why; recorded.
    #[schemars(length(min = 1, max = 1000), regex(pattern = r"\S"))]
    pub why: String,
    /// Only at this destination (for `resend` and `skip`); if not given, `resend` means all and
    /// `skip` the only one at which it waits.
    #[serde(default)]
    pub destination: Option<String>,
}

/// `GET messages/{record}/path`: what happened to a message since it came.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct MessagePath {
    /// Each act, the oldest first, at most 200.
    pub steps: Vec<Step>,
    /// Whether every entry since then was looked at.
    pub complete: bool,
}

/// One act on a message's path.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Step {
    /// The index of the entry.
    pub entry: u64,
    /// When, RFC 3339.
    pub time: String,
    /// Who: `person:3`, `peer:7` or `system`.
    pub actor: String,
    /// What was done, such as `message.delivered`.
    pub action: String,
    /// How it ended: `success`, `refused:CODE` or `failed:CODE`.
    pub outcome: String,
    /// Where it went, or was to go.
    pub destination: Option<String>,
}
