//! Edges: how they enrol, and how they are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::peer::Rules;

/// `POST peers/{name}/enroll`: a one-time code for an edge of this name.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewCode {
    /// What the edge's devices may send; an edge that is known keeps its rules.
    #[serde(default)]
    pub rules: Rules,
    /// The assigning authority of patient identifiers where a message names none.
    #[serde(default)]
    pub authority: Option<String>,
    /// How long the code holds, in minutes (1 to 1440, default 60).
    #[serde(default)]
    pub minutes: Option<u32>,
    /// How long the certificate lasts, in days (1 to 825, default 397).
    #[serde(default)]
    pub days: Option<u32>,
}

/// The answer: the code stands in it once and is kept nowhere.
#[derive(Clone, JsonSchema, Serialize, Deserialize)]
pub struct Code {
    /// The edge's name.
    pub name: String,
    /// The code, to be typed on the edge.
    pub code: String,
    /// Where the edge enrols, `host:port`.
    pub server: String,
    /// Until when the code holds, RFC 3339.
    pub expires: String,
}

/// How one edge is.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct EdgeStatus {
    /// `connected`, `away`, or `refused` for the reason in `fault`.
    pub state: String,
    /// When it was last heard of, RFC 3339; none: never.
    pub seen: Option<String>,
    /// Its program's version.
    pub version: String,
    /// The last item taken from it.
    pub taken: u64,
    /// Messages that waited at it when it was last heard of; none since the server's start.
    pub waiting: Option<u64>,
    /// Since when the oldest of them waited, RFC 3339.
    pub oldest: Option<String>,
    /// Messages that were damaged in its queue.
    pub damaged: u64,
    /// Entries of its ledger as of the newest checkpoint kept.
    pub ledger_size: u64,
    /// Why it is refused, as a code of the table of problems.
    pub fault: Option<String>,
}

/// What an edge sends when it enrols, inside TLS, once the server has shown the code's authority.
#[derive(Clone, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolRequest {
    /// The version of this form: 1.
    pub version: u8,
    /// The code's secret, base64.
    pub secret: String,
    /// The request for a certificate (PKCS #10, DER), base64.
    pub request: String,
    /// The number of the edge's queue, base64.
    pub queue: String,
    /// The key of the edge's ledger, as a C2SP verifier key.
    pub ledger_key: String,
}

/// What the server answers.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EnrolAnswer {
    /// The edge is a peer from now on.
    Enrolled {
        /// The name it has.
        name: String,
        /// Its certificate, PEM.
        certificate: String,
        /// The authority, PEM.
        authority: String,
        /// The public key that it seals to, base64.
        seal_key: String,
        /// The port of the link for edges.
        port: u16,
    },
    /// It is not, for a reason of the table of problems.
    Refused {
        /// The code of the reason.
        code: String,
    },
}

/// Bytes of a request or answer at most; before them stands their length in 4 bytes, big-endian.
pub const ENROL_MAX_BYTES: usize = 64 * 1024;
