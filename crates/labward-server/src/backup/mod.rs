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
use std::time::Duration;

use labward_backup::{RunKind, entry_of_last_run};
use labward_base::Timestamp;
use labward_base::id::EntryIndex;
use labward_ledger::publish::{CHECKPOINT_FILE, HISTORY_FILE};
use labward_ledger::{Leaf, StoredEntry, entries};
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
    /// The entry that records it.
    pub created_entry: Option<EntryIndex>,
    /// When a restore was last tried.
    pub drilled: Option<Timestamp>,
    /// The entry that records it.
    pub drilled_entry: Option<EntryIndex>,
    /// How long it took.
    pub drill_took: Option<Duration>,
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
        let read = core.store.read(|snapshot| -> Result<_, StoreError> {
            let runs = labward_backup::last_runs(snapshot, SITE)?;
            let unconfirmed = labward_backup::unconfirmed_restore(snapshot, SITE)?;
            let created = entry_of_last_run(snapshot, SITE, RunKind::Created)?;
            let drilled = entry_of_last_run(snapshot, SITE, RunKind::Drilled)?;
            let drill = match drilled {
                Some(index) => entries(snapshot, index, 1)?.pop(),
                None => None,
            };
            Ok((runs, unconfirmed, (created, drilled, drill)))
        });
        let (runs, unconfirmed, (created_entry, drilled_entry, drill)) = read.ok()?;
        let archives = core.keys.archives().ok()?;
        let existing = || archives.iter().filter(|archive| archive.may_exist);
        let last = |kind| runs.iter().find(|run| run.kind == kind);
        let created = last(RunKind::Created);
        Some(Self {
            created: created.map(|run| run.time),
            beside_data: created.and_then(|run| run.beside_data),
            created_entry,
            drilled: last(RunKind::Drilled).map(|run| run.time),
            drilled_entry,
            drill_took: drill.as_ref().and_then(duration_of),
            archived: existing().map(|archive| archive.created).max(),
            overdue: existing()
                .filter(|archive| archive.expires <= now)
                .map(|archive| archive.id)
                .collect(),
            unconfirmed: unconfirmed.is_some(),
        })
    }
}

/// How long the act of this entry took, if it says so.
fn duration_of(row: &StoredEntry) -> Option<Duration> {
    let leaf = Leaf::parse(&row.leaf).ok()?;
    let took = leaf.facts.get_number("duration_ms")?;
    Some(Duration::from_millis(u64::try_from(took).ok()?))
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
