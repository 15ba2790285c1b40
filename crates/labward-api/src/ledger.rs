//! The ledger: listing, verifying, exporting, proving.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::remark::Remark;

/// `GET ledger/entries`: which ones to list; all that is given must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EntryFilter {
    /// From this index on, the oldest first; 0 if not given.
    pub from: Option<u64>,
    /// In front of this index, the newest first; any larger than the ledger means all of it.
    pub before: Option<u64>,
    /// Who acted: `person:3`, `peer:7`, `system`, or `person:` for every person.
    pub actor: Option<String>,
    /// What was done: `record.shown`, or `record.` for everything that was done to records.
    pub action: Option<String>,
    /// What it was done to: `record:42`, `destination:EHR`, or `finding:` for every finding.
    pub subject: Option<String>,
    /// How it ended: `success`, `refused`, `failed`, or one of these with its code.
    pub outcome: Option<String>,
    /// Whom it was about: the opaque number of a patient.
    pub patient: Option<u64>,
    /// Recorded on this day (`YYYY-MM-DD`, UTC), at this moment (RFC 3339) or later.
    pub since: Option<String>,
    /// Recorded on this day or before it, or before this moment.
    pub until: Option<String>,
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
    /// How many entries were looked at for this page.
    #[serde(default)]
    pub looked: u64,
    /// There may be more: ask again with `from` (the oldest first) or `before` (the newest first) at this
    /// index. None: everything was looked at.
    #[serde(default)]
    pub next: Option<u64>,
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
    /// The same as remarks.
    #[serde(default)]
    pub fault_remarks: Vec<Remark>,
    /// What each witness said when it was asked now.
    #[serde(default)]
    pub witnesses: Vec<String>,
    /// The same as remarks.
    #[serde(default)]
    pub witness_remarks: Vec<Remark>,
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
