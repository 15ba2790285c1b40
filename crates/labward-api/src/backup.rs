//! Backups of the data, and archives of the keys that open them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::status::Opener;

/// `POST backups/create`: a backup to be made.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewBackup {
    /// The folder, as the server sees it; absolute.
    pub to: String,
    /// How many generations are kept, 1 to 1000.
    pub keep: u32,
    /// Why, recorded sealed.
    #[schemars(length(min = 1, max = 1000), regex(pattern = r"\S"))]
    pub why: String,
}

/// The answer to a backup that was made.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Backup {
    /// The number of the generation.
    pub generation: u64,
    /// Bytes of everything in it.
    pub total_bytes: u64,
    /// Bytes that were written now: only what changed.
    pub written_bytes: u64,
    /// Parts of it.
    pub parts: u64,
    /// Parts that were written now.
    pub written_parts: u64,
    /// Entries of the ledger in it.
    pub entries: u64,
    /// Generations that exist now.
    pub generations: u64,
    /// Whether what no kept generation needs was removed.
    pub swept: bool,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The index of the entry that records it.
    pub entry: u64,
}

/// `POST backups/verify`: backups to be read and compared.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifyBackup {
    /// The folder, as the server sees it; absolute.
    pub from: String,
    /// Only this generation; none means all.
    pub generation: Option<u64>,
}

/// The answer to a verification.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct VerifiedBackup {
    /// Whether nothing is wrong.
    pub good: bool,
    /// Generations that were looked at.
    pub generations: u64,
    /// Parts that were read and compared.
    pub parts: u64,
    /// Bytes that were read.
    pub bytes: u64,
    /// Whether every part was opened too, or only compared with its signed digest.
    pub opened: bool,
    /// What is wrong, each with its place.
    pub faults: Vec<String>,
    /// The code of the first fault.
    pub code: Option<String>,
}

/// `POST backups/drill`: a restore to be tried in a scratch folder.
#[derive(Clone, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drill {
    /// The folder of backups, as the server sees it; absolute.
    pub from: String,
    /// The folder of key archives.
    pub keys: String,
    /// The slot that opens the key archive.
    pub opener: Opener,
    /// This generation; none means the newest.
    pub generation: Option<u64>,
    /// Why, recorded sealed.
    #[schemars(length(min = 1, max = 1000), regex(pattern = r"\S"))]
    pub why: String,
}

/// The answer to a drill: what "within 72 hours" is here.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Drilled {
    /// The generation that was restored.
    pub generation: u64,
    /// The moment that it holds, RFC 3339.
    pub created: String,
    /// How long the restore took, in milliseconds.
    pub duration_ms: u64,
    /// Bytes that were restored.
    pub bytes: u64,
    /// Entries of the ledger, whose root is the one that was signed.
    pub entries: u64,
    /// Records that were opened as a sample.
    pub sampled: u64,
    /// Epochs of patients' keys among them.
    pub key_epochs: Vec<u32>,
    /// The index of the entry that records it.
    pub entry: u64,
}

/// `POST key/archives`: a key archive to be made.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewKeyArchive {
    /// The folder, as the server sees it; absolute.
    pub to: String,
    /// After how many days it is deleted, 1 to 366.
    pub days: u32,
    /// Why, recorded sealed.
    #[schemars(length(min = 1, max = 1000), regex(pattern = r"\S"))]
    pub why: String,
}

/// `GET key/archives`: one key archive.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct KeyArchive {
    /// Its number.
    pub id: u32,
    /// The folder it was written to.
    pub folder: String,
    /// When it was made, RFC 3339.
    pub created: String,
    /// When the next run deletes it, RFC 3339.
    pub expires: String,
    /// `kept`, `overdue` (its time is over, its folder could not be reached) or `deleted`.
    pub state: String,
}

/// `POST key/archives/expire`: what the end of archives' time brought.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct ExpiredArchives {
    /// Numbers of those that were deleted now.
    pub deleted: Vec<u32>,
    /// Numbers of those whose folder cannot be reached.
    pub overdue: Vec<u32>,
}
