//! `webhooks`: who is told about events, and what they are told.
//!
//! What is sent must never name a patient or lead to one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `GET webhooks`: one webhook and how far it was told.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct WebhookStatus {
    /// Its name in the configuration.
    pub name: String,
    /// The host of its URL; what else stands in it may be a secret of the receiver.
    pub host: String,
    /// The events that it is told about; `*` is all.
    pub events: Vec<String>,
    /// `ready`, `failing`, `no-secret`: nothing is sent before one is made, or `stopped`: it was given up.
    pub state: String,
    /// Events that wait, counted in the next 1,000 acts of the ledger.
    pub waiting: u64,
    /// When an event was taken last, RFC 3339.
    pub delivered: Option<String>,
    /// Since when every attempt failed, RFC 3339.
    pub failing_since: Option<String>,
    /// When it is tried next, RFC 3339.
    pub next_attempt: Option<String>,
    /// When it was given up, RFC 3339.
    pub stopped: Option<String>,
    /// What went wrong last since the start.
    pub last_error: Option<String>,
    /// When its secret was made, RFC 3339.
    pub secret_made: Option<String>,
    /// Until when the secret before signs, too, RFC 3339.
    pub former_until: Option<String>,
}

/// `POST webhooks/{name}/secret`: makes a new secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewWebhookSecret {
    /// Hours in which the secret before signs, too, so that the receiver can change over; 24 if it is
    /// left out.
    #[serde(default)]
    #[schemars(range(max = 168))]
    pub overlap_hours: Option<u64>,
    /// Why it is done; recorded, sealed under the site's audit key.
    #[schemars(length(min = 1, max = 1000), regex(pattern = r"\S"))]
    pub why: String,
}

/// A secret that was made.
#[derive(Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct AddedWebhookSecret {
    /// What the receiver verifies with: `whsec_` and base64; it is in no other answer.
    pub secret: String,
    /// Until when the secret before signs, too, RFC 3339.
    pub former_until: Option<String>,
    /// The entry that records it.
    pub entry: u64,
}

/// What came of a test event.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct TestedWebhook {
    /// Whether the receiver took it.
    pub delivered: bool,
    /// The status of its answer, if there was one.
    pub status: Option<u16>,
    /// Why it was not taken.
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The entry that records the test.
    pub entry: u64,
}

/// What is sent to a webhook: the body of one request.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct WebhookEvent {
    /// The event: the name of the act in the ledger.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it happened, RFC 3339; when it was sent stands in `webhook-timestamp`.
    pub timestamp: String,
    /// What happened.
    pub data: EventData,
}

/// What a receiver is told of an entry: never a patient, a record, or words that a person wrote.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct EventData {
    /// The ledger's name.
    pub ledger: String,
    /// The entry's place in it.
    pub entry: u64,
    /// Who acted: `system`, `person:3` or `peer:7`.
    pub actor: String,
    /// What was acted upon, such as `finding:webhook-stopped:alarm`; none where that is a patient or
    /// a record.
    pub subject: Option<String>,
    /// `success`, or `refused:` or `failed:` with a code.
    pub outcome: String,
}
