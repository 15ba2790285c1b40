//! Why an installation was not restored.

use std::io;
use std::path::{Path, PathBuf};

use labward_backup::BackupError;
use labward_base::{Problem, problem};
use labward_keys::{ArchiveError, KeysError};
use labward_ledger::LedgerError;
use labward_os::OsError;
use labward_records::RecordsError;
use labward_store::StoreError;

use crate::config::ConfigError;

/// Why an installation was not restored; nothing that was there before was changed.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The key archive.
    #[error("open the key archive")]
    Archive(#[from] ArchiveError),
    /// The backup.
    #[error("read the backup")]
    Backup(#[from] BackupError),
    /// The configuration in the backup is none.
    #[error("read the configuration in the backup")]
    Config(#[from] ConfigError),
    /// A file or folder of the new installation could not be made.
    #[error("make {path}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's report.
        source: io::Error,
    },
    /// The keys.
    #[error("put the keys in place")]
    Keys(#[from] KeysError),
    /// Operator: the key archive does not know patients that the backup holds.
    #[error("compare backup and key archive: the keys of {missing} patients are missing")]
    KeysOlder {
        /// How many patients.
        missing: u64,
    },
    /// The ledger.
    #[error("check the restored ledger, or open its new epoch")]
    Ledger(#[from] LedgerError),
    /// Operator: the backup is of a newer schema.
    #[error("restore a database of schema {found}: this program knows {known}")]
    NewerSchema {
        /// The version in the backup.
        found: u32,
        /// The newest version that this program knows.
        known: usize,
    },
    /// A file could not be made durable.
    #[error("make a file of the new installation")]
    Os(#[from] OsError),
    /// A restored record.
    #[error("open a restored record")]
    Records(#[from] RecordsError),
    /// The restored database.
    #[error("open the restored database")]
    Store(#[from] StoreError),
    /// Operator: there is something where the installation is to be.
    #[error("restore into {0}: it holds something, or lies in the backup")]
    TargetExists(PathBuf),
    /// What was restored is not what the backup says.
    #[error("check what was restored: {0}")]
    Unsound(String),
}

impl RestoreError {
    /// What a person is told about it.
    pub fn problem(&self) -> &'static Problem {
        match self {
            Self::Archive(error) => error.problem(),
            Self::Backup(error) => error.problem(),
            Self::Config(error) => error.problem(),
            Self::File { .. } => &problem::INIT_FILE,
            Self::Keys(error) => error.problem(),
            Self::KeysOlder { .. } => &problem::BACKUP_KEYS_OLDER,
            Self::Ledger(error) => error.problem(),
            Self::NewerSchema { .. } => &problem::BACKUP_NEWER,
            Self::Os(error) => error.problem(),
            Self::Records(error) => error.problem(),
            Self::Store(error) => error.problem(),
            Self::TargetExists(_) => &problem::BACKUP_TARGET_EXISTS,
            Self::Unsound(_) => &problem::BACKUP_UNSOUND,
        }
    }

    pub(super) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }
}
