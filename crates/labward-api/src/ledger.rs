//! The ledger: listing, verifying, exporting, proving.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `GET ledger/entries`: which ones to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EntryFilter {
    /// From this index on.
    pub from: u64,
    /// How many at most, 1 to 1,000 (default 100).
    pub limit: Option<u32>,
}

/// A page of the ledger.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Entries {
    /// The leaves as they are hashed.
    pub entries: Vec<Value>,
    /// Number of entries in the ledger.
    pub size: u64,
}

/// `POST ledger/verify`: what verifying found.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Verified {
    /// Whether every check passed.
    pub good: bool,
    /// Number of entries looked at.
    pub entries: u64,
    /// The root hash, base64.
    pub root: String,
    /// Each fault with its place.
    pub faults: Vec<String>,
    /// What each witness said when it was asked now.
    #[serde(default)]
    pub witnesses: Vec<String>,
    /// Signed checkpoints that contradict each other, whole.
    #[serde(default)]
    pub evidence: Vec<String>,
}

/// `GET ledger/key`: what an offline verifier needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct VerifierKey {
    /// The public key in the form of a C2SP signed-note verifier key.
    pub key: String,
    /// The ledger's origin line.
    pub origin: String,
}

/// `POST ledger/export`: in which form the ledger leaves; the answer is the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerExport {
    /// The form.
    pub format: LedgerFormat,
}

/// A form in which the ledger leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LedgerFormat {
    /// One file that an outside expert verifies offline.
    Bundle,
    /// FHIR AuditEvents, one a line.
    Fhir,
}

/// `GET ledger/prove/{entry}`: that an entry stands in the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Proof {
    /// The proof in the form of C2SP `tlog-proof`.
    pub proof: String,
}
