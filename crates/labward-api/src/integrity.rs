//! `integrity/…`: files of machines that were compared with how they were, and what people say of it.
//!
//! It must never hold the name of a file: it may name a patient.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many files are otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntegrityCounts {
    /// Files that are there now.
    pub files: u64,
    /// Files that are new.
    pub added: u64,
    /// Files that hold something else.
    pub changed: u64,
    /// Files that are in another place.
    pub moved: u64,
    /// Files that are gone.
    pub removed: u64,
    /// Files of which only owner, group or rights are others.
    pub rights: u64,
    /// Files that could not be read.
    pub unread: u64,
    /// Of the added and changed ones: those that an update explains.
    pub updates: u64,
}

/// One kind of alarm.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntegrityAlarm {
    /// Its code: `baseline-replaced` (only told by the server), `changed-unseen`, `malware`, `many-changes`, `not-scanned`, `older-version`, `signature-lost`,
    /// `signature-unread`, `signature-wrong`, `signer-changed`, `signer-unproven`, `unread` or `unsigned-program`.
    pub code: String,
    /// How many files.
    pub count: u64,
}

/// Programs that are new or changed, by who signed them and who had; the chain of certificates is not judged.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntegritySigner {
    /// What became of the signature: `lost`, `new`, `other-signer`, `same-name` (nothing shows that it is the same signer), `same-signer` (keys
    /// show it), `unknown-before`, `unread` or `wrong` (it does not fit the file).
    pub how: String,
    /// The name in the certificate that signed before, if one did.
    pub was: Option<String>,
    /// The name in the certificate that signs now, if one does.
    pub is: Option<String>,
    /// How many files.
    pub count: u64,
}

/// `POST integrity/compared`: what came of a comparison, without the name of any file.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntegrityCompared {
    /// What the baseline is called; 1 to 100 characters.
    pub name: String,
    /// The SHA-256 that the baseline's last line tells, in hexadecimal digits.
    pub baseline: String,
    /// Whether the baseline was made now, and nothing was compared.
    pub made: bool,
    /// A SHA-256 over all changes in hexadecimal digits, by which the same ones are known again; none without changes.
    pub changes: Option<String>,
    /// How many files are otherwise.
    pub counts: IntegrityCounts,
    /// The alarms.
    pub alarms: Vec<IntegrityAlarm>,
    /// Who signed the programs that are otherwise; at most 100.
    #[serde(default)]
    pub signers: Vec<IntegritySigner>,
}

/// `GET integrity`: one baseline that the server was told of.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct IntegrityBaseline {
    /// What it is called.
    pub name: String,
    /// The SHA-256 of the baseline that was compared with last.
    pub baseline: String,
    /// Since when that one is used, RFC 3339.
    pub since: String,
    /// When it was compared last, RFC 3339; none if it never was.
    pub compared: Option<String>,
    /// What that told.
    pub counts: IntegrityCounts,
    /// What that told.
    pub alarms: Vec<IntegrityAlarm>,
    /// What that told.
    pub signers: Vec<IntegritySigner>,
    /// `unchanged`, `open` (a person must decide), or what a person said: `update`, `expected`, `unexpected` or `malware`.
    pub state: String,
    /// The entry of the last change.
    pub entry: u64,
}

/// `POST integrity/decide`
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecideIntegrity {
    /// The baseline's name.
    pub name: String,
    /// `update` (an update made them), `expected` (they are as they should be), `unexpected` or `malware`.
    pub answer: String,
    /// Why.
    pub why: String,
}
