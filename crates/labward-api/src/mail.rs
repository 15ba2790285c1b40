//! `mail`: who is reminded by e-mail, and whether that works.
//!
//! It must never show a recipient's address.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `GET mail`: one recipient of reminders.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct MailStatus {
    /// Their name in the configuration.
    pub name: String,
    /// `ready` or `failing`.
    pub state: String,
    /// When a reminder was taken last, RFC 3339.
    pub sent: Option<String>,
    /// The last day, by the machine's time zone, for which nothing more is sent.
    pub day: Option<String>,
    /// Since when none can be sent, RFC 3339.
    pub failing_since: Option<String>,
    /// When it is tried next, RFC 3339; none: when a reminder is due.
    pub next_attempt: Option<String>,
    /// What went wrong last since the start.
    pub last_error: Option<String>,
}

/// What came of a test mail.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct TestedMail {
    /// Whether the mail server took it; what becomes of it there is not known.
    pub taken: bool,
    /// Where it ended: `password`, `name`, `connection`, `greeting`, `tls`, `sign-in`, `sender`,
    /// `recipient` or `content`.
    pub stage: Option<String>,
    /// Why it was not taken.
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The entry that records the test.
    pub entry: u64,
}
