//! Why the ledger refused or failed.

use std::io;

use labward_base::id::RecordId;
use labward_base::problem::{self, Problem};
use labward_store::StoreError;

use crate::entry::Part;
use crate::note::NoteError;
use crate::tile::TileError;

/// Why the ledger refused or failed; it never carries what an entry holds.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// A file of the ledger's folder, or an export, could not be read or written.
    #[error("read or write {path}")]
    File {
        /// The file's path below the ledger's folder, or what it is.
        path: String,
        /// The operating system's report.
        #[source]
        source: io::Error,
    },
    /// The ledger has no entry at this index, or has not published it yet.
    #[error("find entry {index} of the ledger")]
    NoEntry {
        /// The index that was asked for.
        index: u64,
    },
    /// The record has no sealed bytes: it does not exist, or they were dropped before.
    #[error("drop the payload of record {record}: it has none")]
    NoPayload {
        /// The record.
        record: RecordId,
    },
    /// The store was opened without a ledger: a fault of the program.
    #[error("append to the ledger: the store's journal is not a ledger")]
    NoLedger,
    /// A signed note is malformed, or not signed by the key.
    #[error("read or sign a checkpoint")]
    Note(#[from] NoteError),
    /// The folder holds the files of a ledger with another origin, such as of an earlier epoch.
    #[error("publish the ledger: the folder holds those of {found}")]
    OtherOrigin {
        /// The origin found.
        found: String,
    },
    /// The store refused or failed.
    #[error("read or write the ledger's rows")]
    Store(#[from] StoreError),
    /// The ledger contradicts itself.
    #[error("check the ledger: {place}")]
    Tampered {
        /// Which entry, file or row, and what is wrong with it.
        place: String,
    },
    /// The entry is larger than an entry may be.
    #[error("append to the ledger: too large or empty: {0:?}")]
    TooLarge(Part),
}

impl LedgerError {
    /// The visible problem this error stands for.
    pub fn problem(&self) -> &'static Problem {
        match self {
            Self::File { .. } => &problem::LEDGER_FILES,
            Self::NoEntry { .. } => &problem::LEDGER_NO_ENTRY,
            Self::Note(_) => &problem::LEDGER_BAD_SIGNATURE,
            Self::OtherOrigin { .. } => &problem::LEDGER_OTHER_ORIGIN,
            Self::Store(error) => error.problem(),
            Self::Tampered { .. } => &problem::LEDGER_TAMPERED,
            Self::NoPayload { .. } => &problem::RECORDS_NOT_FOUND,
            Self::NoLedger | Self::TooLarge(_) => &problem::SERVER_INTERNAL,
        }
    }

    pub(crate) fn file(path: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }

    pub(crate) fn tampered(place: impl Into<String>) -> Self {
        Self::Tampered {
            place: place.into(),
        }
    }
}

impl From<TileError> for LedgerError {
    fn from(error: TileError) -> Self {
        Self::File {
            path: error.path,
            source: error.source,
        }
    }
}

impl From<Part> for LedgerError {
    fn from(part: Part) -> Self {
        Self::TooLarge(part)
    }
}
