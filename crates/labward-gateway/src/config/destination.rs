//! A destination: where messages are delivered to, and what happens when it does not take them.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::link::Framing;
use super::name::DestinationName;
use super::plain::Expiry;

/// One destination.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DestinationConfig {
    /// The destination's name. Required.
    pub name: DestinationName,
    /// Where it is. Required.
    pub target: Target,
    /// Connections used at the same time, 1 to 64; each has one message in flight, and at a crash
    /// each may send one message twice. Messages of one patient never overtake each other. Default 1.
    #[serde(default = "one")]
    pub connections: usize,
    /// Seconds to wait for an acknowledgement. Default 30.
    #[serde(default = "thirty")]
    pub ack_seconds: u64,
    /// Seconds to wait for a connection with its handshake. Default 10.
    #[serde(default = "ten")]
    pub connect_seconds: u64,
    /// Whether a commit acknowledgement (CA) only begins the wait for the application's (AA, AE,
    /// AR) where the message asks for one. Default false: CA means delivered.
    #[serde(default)]
    pub wait_for_application_ack: bool,
    /// What follows each kind of failure.
    #[serde(default)]
    pub on: FailurePolicies,
    /// How retries are spaced and when they end.
    #[serde(default)]
    pub retry: RetryConfig,
}

/// Where a destination is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Target {
    /// An HL7 receiver over MLLP.
    Mllp {
        /// Host and port, such as `"ehr.example:2575"`. Required.
        address: String,
        /// How messages are framed: `"mllp"` or `"mllp-release-2"`. Default `"mllp"`.
        #[serde(default)]
        framing: Framing,
        /// How the line is protected. Default `{ mode = "mutual-tls" }`.
        #[serde(default)]
        transport: OutboundTransport,
    },
    /// Files encrypted to a recipient with age, one a message.
    FileDrop {
        /// The folder they are written to. Required.
        folder: PathBuf,
        /// The recipient's age public key, `"age1…"`. Required.
        recipient: String,
    },
}

/// How an outgoing line is protected.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "mode", rename_all = "kebab-case", deny_unknown_fields)]
pub enum OutboundTransport {
    /// TLS 1.2 or 1.3 with a certificate on both sides.
    MutualTls {
        /// The name in the server's certificate. Default: the host of the address.
        #[serde(default)]
        server_name: Option<String>,
        /// The SHA-256 of the server's public key (SPKI), 64 hexadecimal digits, which must be a
        /// known peer's; its name then does not matter. Default none.
        #[serde(default)]
        spki_sha256: Option<String>,
        /// The peer that the server is, by its name in `labward peer list`: the same pin, without
        /// its digits. Default none.
        #[serde(default)]
        peer: Option<String>,
        /// A PEM file with the authorities that may have issued the server's certificate.
        /// Default none: only Labward's own authority may.
        #[serde(default)]
        ca: Option<PathBuf>,
    },
    /// Unencrypted: to loopback, or a named exception with owner and end.
    Plain {
        /// Why this line cannot be encrypted. Required off loopback.
        #[serde(default)]
        reason: Option<String>,
        /// Who answers for the exception. Required off loopback.
        #[serde(default)]
        owner: Option<String>,
        /// The exception's last day, `"YYYY-MM-DD"`. Required off loopback.
        #[serde(default)]
        expires: Option<Expiry>,
    },
}

impl Default for OutboundTransport {
    fn default() -> Self {
        Self::MutualTls {
            server_name: None,
            spki_sha256: None,
            peer: None,
            ca: None,
        }
    }
}

/// What follows a failed delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// The message waits for a person, as do later ones of its patient; all others go on.
    Hold,
    /// The message is sent again, with back-off and jitter, until the limit.
    Retry,
    /// Nothing more goes to this destination until a person says so.
    Stop,
}

/// What follows each kind of failure at a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FailurePolicies {
    /// After AE or CE: the receiver could not process the message. Default `"retry"`.
    pub error: OnFailure,
    /// After AR or CR: the receiver refuses the message. Default `"hold"`.
    pub reject: OnFailure,
    /// After no, a late or a foreign acknowledgement, or a lost connection. Default `"retry"`.
    pub timeout: OnFailure,
}

impl Default for FailurePolicies {
    fn default() -> Self {
        Self {
            error: OnFailure::Retry,
            reject: OnFailure::Hold,
            timeout: OnFailure::Retry,
        }
    }
}

/// How retries are spaced and when they end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetryConfig {
    /// Milliseconds before the first retry. Default 1000.
    pub first_ms: u64,
    /// Milliseconds between retries at most. Default 300000 (5 minutes).
    pub max_ms: u64,
    /// Attempts that the receiver answered with AE or CE, after which the message becomes a dead
    /// letter; 0 means never. Default 20.
    pub max_attempts: u32,
    /// Hours without a connection or an answer, after which a message becomes a dead letter;
    /// 0 means never. Default 0: a receiver may be down for as long as it likes.
    pub max_hours: u64,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            first_ms: 1_000,
            max_ms: 300_000,
            max_attempts: 20,
            max_hours: 0,
        }
    }
}

const fn one() -> usize {
    1
}

const fn ten() -> u64 {
    10
}

const fn thirty() -> u64 {
    30
}
