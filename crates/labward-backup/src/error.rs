//! What can go wrong around backups.
//!
//! A text names a part by its place in the folder, never by what it holds.

use std::io;
use std::path::{Path, PathBuf};

use labward_base::problem::{self, Problem};
use labward_os::OsError;
use labward_seal::{CryptoFailed, SealError};
use labward_store::StoreError;

/// Why a backup was not made, not believed or not restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Operator: the manifest is not signed by this key.
    #[error("check generation {0}: it is not signed by this ledger key")]
    BadSignature(u64),
    /// Operator: another run writes into the folder.
    #[error("write into {0}: another run does")]
    Busy(PathBuf),
    /// Ours: the cryptographic library refused.
    #[error("seal a part of a backup")]
    Crypto(#[from] CryptoFailed),
    /// The disk's, or an intruder's: a part is not what was written.
    #[error("read {part}: {what}")]
    Damaged {
        /// The part, by its place in the backup folder.
        part: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A file could not be read or written.
    #[error("read or write {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// The operating system's report.
        source: io::Error,
    },
    /// A part that the index names is not there.
    #[error("find {0} in the backup")]
    MissingPart(String),
    /// Operator: a newer program wrote it.
    #[error("read {0}: a newer Labward wrote it")]
    Newer(String),
    /// Operator: there is no such backup.
    #[error("find a backup in {0}")]
    None(PathBuf),
    /// Operator: the folder holds something else.
    #[error("use {0} as a backup folder: it holds something else")]
    NotEmpty(PathBuf),
    /// A file could not be made durable.
    #[error("write a part of a backup")]
    Os(#[from] OsError),
    /// The database.
    #[error("read the database for a backup")]
    Store(#[from] StoreError),
    /// Operator: the keys are those of another installation.
    #[error("open generation {0} with these keys: it is another installation's")]
    WrongKeys(u64),
}

impl BackupError {
    /// What a person is told about it.
    pub fn problem(&self) -> &'static Problem {
        match self {
            Self::BadSignature(_) => &problem::BACKUP_BAD_SIGNATURE,
            Self::Busy(_) => &problem::BACKUP_BUSY,
            Self::Crypto(_) => &problem::SERVER_INTERNAL,
            Self::Damaged { .. } => &problem::BACKUP_DAMAGED,
            Self::File { .. } | Self::Os(_) => &problem::BACKUP_FILE,
            Self::MissingPart(_) => &problem::BACKUP_MISSING_PART,
            Self::Newer(_) => &problem::BACKUP_NEWER,
            Self::None(_) => &problem::BACKUP_NONE,
            Self::NotEmpty(_) => &problem::BACKUP_NOT_EMPTY,
            Self::Store(error) => error.problem(),
            Self::WrongKeys(_) => &problem::BACKUP_WRONG_KEYS,
        }
    }

    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }

    pub(crate) fn damaged(part: impl Into<String>, what: &'static str) -> Self {
        Self::Damaged {
            part: part.into(),
            what,
        }
    }
}

impl From<SealError> for BackupError {
    fn from(_: SealError) -> Self {
        Self::Crypto(CryptoFailed)
    }
}
