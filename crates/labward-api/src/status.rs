//! What the installation is doing and what is wrong with it; holds no patient data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::remark::Remark;
use crate::webhook::WebhookStatus;

/// `GET status`: what the server is doing now.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Status {
    /// The program's version.
    pub version: String,
    /// Whether the root key is open; sealed means that no listener is.
    pub open: bool,
    /// When the server started, RFC 3339.
    pub started: String,
    /// Number of entries in the ledger.
    pub entries: u64,
    /// Since when the ledger cannot be written, RFC 3339: nothing is accepted, and records are read
    /// by break-glass only.
    #[serde(default)]
    pub ledger_failing_since: Option<String>,
    /// The reserve for break-glass reading.
    #[serde(default)]
    pub reserve: ReserveStatus,
    /// The listeners.
    pub links: Vec<LinkStatus>,
    /// The destinations.
    pub destinations: Vec<DestinationStatus>,
    /// The witnesses that cosign the ledger's checkpoints.
    #[serde(default)]
    pub witnesses: Vec<WitnessStatus>,
    /// The webhooks and how far each was told.
    #[serde(default)]
    pub webhooks: Vec<WebhookStatus>,
    /// Messages that wait, held, for a person.
    pub held: u64,
    /// Where the console is, `https://` with name and port, if there is one.
    #[serde(default)]
    pub console: Option<String>,
    /// Whether a search finds everything: names are loaded, and the indexes are near the ledger.
    pub search_ready: bool,
}

/// The room that was set aside for break-glass reading.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct ReserveStatus {
    /// Bytes that were set aside; 0 if the reserve is missing.
    pub size_bytes: u64,
    /// Bytes of them in use.
    pub used_bytes: u64,
    /// Readings that wait to be merged into the ledger.
    pub waiting: u64,
}

/// One listener and what came through it since the start.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct LinkStatus {
    /// The link's name in the configuration.
    pub name: String,
    /// `mllp`, `astm` or `edge`.
    pub protocol: String,
    /// `mutual-tls` or `plain`.
    pub transport: String,
    /// Where it listens.
    pub address: String,
    /// Connections open now.
    pub connections: u64,
    /// Messages accepted.
    pub accepted: u64,
    /// Messages held for a person.
    pub held: u64,
    /// Duplicates answered with the stored acknowledgement.
    pub duplicates: u64,
    /// Connections and frames refused before there was a message.
    pub refused: u64,
    /// When the last message came, RFC 3339.
    pub last_message: Option<String>,
}

/// One destination and what waits for it.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct DestinationStatus {
    /// The destination's name in the configuration.
    pub name: String,
    /// `mllp-tls`, `mllp-plain` or `file-drop`.
    pub kind: String,
    /// `up`, `down`, `stopped` or `idle`; `leaving` if it is configured no more and something still
    /// waits for it.
    pub state: String,
    /// Messages delivered since the start.
    pub delivered: u64,
    /// Messages that wait their turn or a retry.
    pub waiting: u64,
    /// Messages held at this destination for a person.
    pub held: u64,
    /// Dead letters.
    pub dead: u64,
    /// What went wrong last: a code of `docs/ref/errors.md`.
    pub last_error: Option<String>,
    /// When the oldest message came that is not delivered yet, RFC 3339.
    #[serde(default)]
    pub oldest_waiting: Option<String>,
    /// When the receiver's certificate ends, as its last handshake showed, RFC 3339.
    #[serde(default)]
    pub certificate_until: Option<String>,
}

/// One witness and what it cosigned.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct WitnessStatus {
    /// The witness's name in the configuration.
    pub name: String,
    /// Its verifier key.
    pub key: String,
    /// `cosigned`, `failing`, `not-asked`, or `refused`: it holds another history of this ledger.
    pub state: String,
    /// Entries in the ledger as it cosigned it last.
    pub size: Option<u64>,
    /// When it cosigned last, RFC 3339.
    pub cosigned: Option<String>,
    /// Why it did not cosign when it was asked last.
    pub last_error: Option<String>,
    /// The same as a remark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<Remark>,
}

/// `GET check`: what is wrong with this installation, the most harmful first.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Check {
    /// What was found, in order of harm.
    pub findings: Vec<CheckFinding>,
    /// How many things were looked at.
    pub looked_at: u32,
    /// What could not be measured; never taken for good.
    #[serde(default)]
    pub unmeasured: Vec<NotMeasured>,
}

/// A thing that could not be looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct NotMeasured {
    /// The code of the check.
    pub code: String,
    /// What would be wrong.
    pub what: String,
    /// Why it is not known.
    pub why: String,
    /// The same as a remark.
    #[serde(default)]
    pub remark: Remark,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct CheckFinding {
    /// A stable code such as `check.key-beside-data`.
    pub code: String,
    /// `high`, `medium` or `low`.
    pub harm: String,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub todo: String,
    /// Where it is, each place as a remark; `what` names them in English.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<Remark>,
}

/// `POST unseal`: opens the root key with one slot.
#[derive(Clone, JsonSchema, Serialize, Deserialize)]
#[serde(tag = "with", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Opener {
    /// A key file that the server can read.
    KeyFile {
        /// Its path on the server.
        path: String,
    },
    /// A passphrase.
    Passphrase {
        /// The passphrase itself.
        passphrase: String,
    },
    /// Enough recovery shares of one set.
    Shares {
        /// The shares as they stand on paper.
        shares: Vec<String>,
    },
}
