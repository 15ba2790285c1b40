//! Root-key slots: listing, adding, testing, removing, rotating.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `GET key/slots`: one slot of the root key.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Slot {
    /// The slot's number.
    pub id: u32,
    /// `passphrase`, `key-file` or `shares`.
    pub kind: String,
    /// What the lab calls it.
    pub label: String,
    /// When it was made, RFC 3339.
    pub created: String,
    /// When it was last shown to open, RFC 3339; never for a slot not tested yet.
    pub last_tested: Option<String>,
}

/// `POST key/slots`: a slot to be added.
#[derive(Clone, JsonSchema, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum NewSlot {
    /// A key file, written where the server can write.
    KeyFile {
        /// What the lab calls it.
        label: String,
        /// Where it is to be, outside the data folder.
        path: String,
    },
    /// A passphrase, stretched with Argon2id.
    Passphrase {
        /// What the lab calls it.
        label: String,
        /// The passphrase itself.
        passphrase: String,
    },
    /// Recovery shares on paper.
    Shares {
        /// What the lab calls it.
        label: String,
        /// How many are needed, 2 to 16.
        threshold: u8,
        /// How many there are, at most 16.
        count: u8,
    },
}

/// The answer to an added slot; the shares are shown this once and kept nowhere.
#[derive(Clone, JsonSchema, Serialize, Deserialize)]
pub struct AddedSlot {
    /// The slot's number.
    pub id: u32,
    /// The recovery shares, if it is a slot of shares.
    pub shares: Vec<String>,
}

/// `POST key/rotate`: what the rotation did.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Rotation {
    /// The root key's generation now.
    pub generation: u32,
    /// How many wrapped keys were wrapped anew.
    pub rewrapped: u64,
    /// The index of the entry that records it.
    pub entry: Option<u64>,
}

/// `GET key/where`: where one slot's private half lives.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct SlotPlace {
    /// The slot's number.
    pub id: u32,
    /// `passphrase`, `key-file` or `shares`.
    pub kind: String,
    /// The key file's path, for a key-file slot.
    pub path: Option<String>,
    /// Whether the key file lies on the data's own device; unknown if the file cannot be seen.
    pub beside_data: Option<bool>,
    /// What this means for the breach safe harbour of 74 FR 19006, in a sentence.
    pub meaning: String,
}
