//! Backups of this installation: made while it runs, verified, tried, restored, confirmed.
//!
//! It must never write a key into a backup, a backup into the data folder, or do any of it without
//! an entry. Data backup, disaster recovery and their testing are 45 CFR 164.308(a)(7)(ii)(A), (B)
//! and (D).
//!
//! | Module | Holds |
//! |---|---|
//! | `run` | what the running server does: create, verify, confirm |
//! | `drill` | a restore in a scratch folder, timed, its records opened |
//! | `restore` | [`restore`]: a new data folder from a backup and a key archive |
//! | `error` | [`RestoreError`] |

mod drill;
mod error;
mod restore;
mod run;

use std::path::{Path, PathBuf};

use labward_backup::RunKind;
use labward_base::Timestamp;
use labward_ledger::publish::{CHECKPOINT_FILE, HISTORY_FILE};
use labward_store::StoreError;

pub use error::RestoreError;
pub use restore::{RestoreRequest, Restored, restore};

pub(crate) use drill::drill;
pub(crate) use run::{confirm, create, sealed_why, verify};

use crate::app::Core;
use crate::folder::{DataFolder, SITE};

/// What is known of backups, for the checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backups {
    /// When the last backup was made.
    pub created: Option<Timestamp>,
    /// Whether it lay on the data's own file system.
    pub beside_data: Option<bool>,
    /// When a restore was last tried.
    pub drilled: Option<Timestamp>,
    /// When the newest key archive that may exist was made.
    pub archived: Option<Timestamp>,
    /// Key archives whose time is over and that nothing says are deleted.
    pub overdue: Vec<u32>,
    /// Whether a restore waits for a person's confirmation.
    pub unconfirmed: bool,
}

impl Backups {
    /// What the database knows of them.
    pub(crate) fn measure(core: &Core, now: Timestamp) -> Option<Self> {
        let (runs, unconfirmed) = core
            .store
            .read(|snapshot| -> Result<_, StoreError> {
                let runs = labward_backup::last_runs(snapshot, SITE)?;
                Ok((runs, labward_backup::unconfirmed_restore(snapshot, SITE)?))
            })
            .ok()?;
        let archives = core.keys.archives().ok()?;
        let existing = || archives.iter().filter(|archive| archive.may_exist);
        let last = |kind| runs.iter().find(|run| run.kind == kind);
        let created = last(RunKind::Created);
        Some(Self {
            created: created.map(|run| run.time),
            beside_data: created.and_then(|run| run.beside_data),
            drilled: last(RunKind::Drilled).map(|run| run.time),
            archived: existing().map(|archive| archive.created).max(),
            overdue: existing()
                .filter(|archive| archive.expires <= now)
                .map(|archive| archive.id)
                .collect(),
            unconfirmed: unconfirmed.is_some(),
        })
    }
}

/// The small files of an installation: names in a backup, and where they lie.
fn small_files(data: &DataFolder) -> Vec<(&'static str, PathBuf)> {
    let ledger = data.ledger();
    vec![
        (CONFIG, data.config()),
        ("tls/authority.pem", data.authority_certificate()),
        ("tls/server.pem", data.server_certificate()),
        (LEDGER_CHECKPOINT, ledger.join(CHECKPOINT_FILE)),
        ("ledger/history", ledger.join(HISTORY_FILE)),
        ("ledger/key.pub", data.ledger_public_key()),
    ]
}

const CONFIG: &str = "labward.toml";
const LEDGER_CHECKPOINT: &str = "ledger/checkpoint";

/// Whether `path`, or what of it exists, lies in `folder`, also behind links.
fn lies_in(path: &Path, folder: &Path) -> bool {
    let exists = path.ancestors().find_map(|above| above.canonicalize().ok());
    match (exists, folder.canonicalize()) {
        (Some(path), Ok(folder)) => path.starts_with(folder),
        _ => false,
    }
}
