//! Root-key slots, wrapped patient keys, rotation and disposal.
//!
//! A root key wraps every other key of the installation and is itself sealed to slots, any one of
//! which opens it. Encryption and decryption is 45 CFR 164.312(a)(2)(iv), disposal 164.310(d)(2)(i).
//!
//! It must never store a key in clear, open without an entry, or keep a slot's private half with the
//! data. **Invariant:** root-key slots do not live with the data; where they live is itself a
//! measured fact.
//!
//! | Module | Holds |
//! |---|---|
//! | `keys` | [`Keys`]: making, opening, slots |
//! | `slot` | [`NewSlot`], [`SlotOpener`]: passphrase, key file, recovery shares |
//! | `key_file` | the key file on another volume |
//! | `open` | the keys in memory while the root key is open |
//! | `working` | the site's and the patients' keys, secrets, disposal |
//! | `rotation` | another root key in steps that survive a crash |
//! | `archive`, `archive_file` | slots and wrapped keys in a folder of their own, which expire |
//!
//! Rotation replaces the root key, an epoch is one key of a patient, resealing is sealing a record
//! again: three different things.

mod archive;
mod archive_file;
mod error;
mod key_file;
mod keys;
mod open;
mod rotation;
mod slot;
mod store;
mod working;

#[cfg(test)]
mod tests;

pub use archive::{ARCHIVE_LIFE, ArchiveError, ArchiveInfo, Expired, adopt_archives};
pub use archive_file::{ArchivePut, OpenArchive, archives_in, open_archive};
pub use error::KeysError;
pub use keys::{Keys, SlotTest};
pub use labward_seal::Scope;
pub use labward_seal::passphrase::Stretch;
pub use rotation::RotationReport;
pub use slot::{
    AddedSlot, MAX_SHARES, MIN_PASSPHRASE_CHARS, NewSlot, SlotInfo, SlotKind, SlotOpener, SlotPlace,
};
pub use store::{ARCHIVE_MIGRATIONS, KEY_TABLES, MIGRATIONS};
pub use working::NewPatientKey;
