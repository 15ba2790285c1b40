#![doc = include_str!("../README.md")]
//!
//! # The folder
//!
//! | File | Holds |
//! |---|---|
//! | `labward-backup` | format, and whose backups they are |
//! | `generation/<number>.manifest` | what one backup is: times, ledger, digest of its index; signed by the ledger's key and bound by a MAC to the site's secret key. Written last: without it the backup does not exist |
//! | `generation/<number>.index` | every part with its SHA-256 |
//! | `parts/<aa>/<sha256>` | 256 KiB of the database or of a file, sealed; or the sealed file of a large record or of something in quarantine, as it is |
//!
//! # Keys
//!
//! `HKDF-Expand(site's secret key, "labward/backup1" ‖ purpose)` gives three: one seals runs (as
//! records are sealed, bound to site, file and place), one makes the keyed tag by which a run that
//! did not change is known, one makes the MAC of a manifest. The secret key itself stands wrapped in
//! the key archive, so any slot opens a backup, and without the key archive nothing does.
//!
//! Without any key, the signature under the manifest and the digests in the index show that every
//! part is what was written; with the key each part is opened too.
//!
//! | Module | Holds |
//! |---|---|
//! | `create` | [`create`]: one more generation |
//! | `verify` | [`verify`]: every part, each fault named |
//! | `restore` | [`Restorer`]: files back from a generation |
//! | `folder` | [`Folder`]: where parts lie, what is whole, what is swept |
//! | `manifest`, `index` | the two texts of a generation |
//! | `key` | [`BackupKey`] |
//! | `large` | parts that are too large for memory |
//! | `reading` | the readers of foreign texts, for the fuzz target |
//! | `store` | [`Run`], [`Restore`]: the last runs, and what waits for a person |

mod create;
mod error;
mod folder;
mod index;
mod key;
mod large;
mod manifest;
#[doc(hidden)]
pub mod reading;
mod restore;
mod store;
#[cfg(test)]
mod tests;
mod verify;

pub use create::{Created, Request, Source, create};
pub use error::BackupError;
pub use folder::{Folder, KEEP_DEFAULT};
pub use key::BackupKey;
pub use manifest::Manifest;
pub use restore::Restorer;
pub use store::{
    MIGRATIONS, Restore, Run, RunKind, confirm_restore, entry_of_last_run, insert_restore,
    last_runs, put_run, unconfirmed_restore,
};
pub use verify::{Fault, Trust, Verified, verify};

/// The database's name in a backup.
pub const DATABASE: &str = "db/labward.sqlite";
/// Bytes of a run before it is sealed.
pub(crate) const RUN_BYTES: usize = 256 * 1024;
