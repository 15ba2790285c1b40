//! Why the store refused or failed.
//!
//! It must never carry a row's content: details name files, versions and places in the file only.

use std::error::Error;
use std::io;
use std::sync::Arc;

use labward_base::problem::{self, Problem};
use rusqlite::ErrorCode;

/// What went wrong below, for the one adapter at the edge that prints the chain.
pub(crate) type Source = Arc<dyn Error + Send + Sync>;

/// Why the store refused or failed; cheap to clone, since one failed sync answers many units.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process, or another part of this one, holds the database.
    #[error("take the database's lock")]
    Busy,
    /// The store is closed or its writer has ended; nothing was written.
    #[error("hand a unit to the store: it is closed")]
    Closed,
    /// A constraint of the schema refused the row.
    #[error("write a row: a constraint of the schema refused it")]
    Constraint {
        /// The engine's own report; it names the constraint, never a value.
        source: Source,
    },
    /// The file is not sound, or is not a database at all.
    #[error("read the database: damaged at {place}")]
    Damaged {
        /// Where in the file, in the engine's terms (tree, page, table or index); no content.
        place: String,
    },
    /// The file is a sound database of some other program.
    #[error("open the database: its application id is {application_id:#010x}, not Labward's")]
    Foreign {
        /// The application id found in the file's header.
        application_id: i64,
    },
    /// The database was written by a newer program.
    #[error("open the database: its schema is version {found}, this program knows {known}")]
    NewerSchema {
        /// The version found.
        found: i64,
        /// The newest version this program knows.
        known: i64,
    },
    /// The queue of waiting units is full; nothing was written.
    #[error("hand a unit to the store: its queue is full")]
    Overloaded,
    /// A unit of work panicked; it left no trace.
    #[error("run a unit of work: it panicked")]
    Panicked,
    /// A statement is wrong, or a row is not what the caller took it for: a fault of the program.
    #[error("run a statement of the program")]
    Statement {
        /// The engine's own report.
        source: Source,
    },
    /// The disk refused the bytes (full, read-only, I/O error); nothing of the batch was kept.
    #[error("write the database")]
    Unwritable {
        /// The engine's or the operating system's own report.
        source: Source,
    },
}

/// What a caller got wrong about a statement or its rows.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Misuse {
    /// A blocking call on the writer thread would wait for itself.
    #[error("a blocking call on the writer thread")]
    BlockingOnWriter,
    /// The value has another type than the one asked for, or there is no such column.
    #[error("column {0} is missing, or holds another type than the one asked for")]
    Column(usize),
    /// A second row where at most one was expected.
    #[error("more than one row")]
    ManyRows,
    /// No row where one was expected.
    #[error("no row")]
    NoRow,
    /// The statement's parameters do not fit the values given.
    #[error("the statement takes {takes} parameters named $1 to ${takes} in order, {given} given")]
    Parameters {
        /// How many the statement takes.
        takes: usize,
        /// How many were given.
        given: usize,
    },
    /// A unit ended the transaction that it shares with others.
    #[error("a unit ended the batch's transaction")]
    TransactionEnded,
}

impl StoreError {
    /// The visible problem this error stands for.
    pub fn problem(&self) -> &'static Problem {
        match self {
            Self::Busy => &problem::STORE_BUSY,
            Self::Closed => &problem::STORE_CLOSED,
            Self::Damaged { .. } => &problem::STORE_DAMAGED,
            Self::Foreign { .. } => &problem::STORE_FOREIGN,
            Self::NewerSchema { .. } => &problem::STORE_NEWER,
            Self::Overloaded => &problem::STORE_OVERLOADED,
            Self::Unwritable { .. } => &problem::STORE_UNWRITABLE,
            Self::Constraint { .. } | Self::Panicked | Self::Statement { .. } => {
                &problem::SERVER_INTERNAL
            }
        }
    }

    /// Whether the whole batch must be given up, not only the unit that met this error.
    pub(crate) fn ends_batch(&self) -> bool {
        matches!(
            self,
            Self::Busy | Self::Closed | Self::Damaged { .. } | Self::Unwritable { .. }
        )
    }

    pub(crate) fn unwritable(source: impl Error + Send + Sync + 'static) -> Self {
        Self::Unwritable {
            source: Arc::new(source),
        }
    }
}

impl From<Misuse> for StoreError {
    fn from(misuse: Misuse) -> Self {
        Self::Statement {
            source: Arc::new(misuse),
        }
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        Self::unwritable(error)
    }
}

/// Sorts the engine's report by whose fault it is.
pub(crate) fn from_engine(error: rusqlite::Error) -> StoreError {
    const READ_FAILED: [i32; 2] = [
        rusqlite::ffi::SQLITE_IOERR_READ,
        rusqlite::ffi::SQLITE_IOERR_SHORT_READ,
    ];
    let extended = error.sqlite_error().map_or(0, |e| e.extended_code);
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => StoreError::Damaged {
            place: "the file's header".to_owned(),
        },
        Some(ErrorCode::DatabaseCorrupt) => StoreError::Damaged {
            place: format!("an unnamed place (engine code {extended})"),
        },
        Some(ErrorCode::SystemIoFailure) if READ_FAILED.contains(&extended) => {
            StoreError::Damaged {
                place: format!("a sector that cannot be read (engine code {extended})"),
            }
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy,
        Some(ErrorCode::ConstraintViolation) => StoreError::Constraint {
            source: Arc::new(error),
        },
        Some(
            ErrorCode::CannotOpen
            | ErrorCode::DiskFull
            | ErrorCode::FileLockingProtocolFailed
            | ErrorCode::OutOfMemory
            | ErrorCode::PermissionDenied
            | ErrorCode::ReadOnly
            | ErrorCode::SystemIoFailure,
        ) => StoreError::unwritable(error),
        _ => StoreError::Statement {
            source: Arc::new(error),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ffi;

    fn sorted(code: i32) -> StoreError {
        from_engine(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None))
    }

    #[test]
    fn the_engines_codes_are_sorted_by_whose_fault_they_are() {
        for (code, expect) in [
            (ffi::SQLITE_FULL, &problem::STORE_UNWRITABLE),
            (ffi::SQLITE_IOERR_WRITE, &problem::STORE_UNWRITABLE),
            (ffi::SQLITE_IOERR_FSYNC, &problem::STORE_UNWRITABLE),
            (ffi::SQLITE_READONLY, &problem::STORE_UNWRITABLE),
            (ffi::SQLITE_IOERR_READ, &problem::STORE_DAMAGED),
            (ffi::SQLITE_CORRUPT, &problem::STORE_DAMAGED),
            (ffi::SQLITE_NOTADB, &problem::STORE_DAMAGED),
            (ffi::SQLITE_BUSY, &problem::STORE_BUSY),
            (ffi::SQLITE_CONSTRAINT_UNIQUE, &problem::SERVER_INTERNAL),
            (ffi::SQLITE_ERROR, &problem::SERVER_INTERNAL),
        ] {
            assert_eq!(sorted(code).problem(), expect, "{code}");
        }
    }

    #[test]
    fn a_failing_disk_ends_the_batch_and_a_refused_row_does_not() {
        assert!(sorted(ffi::SQLITE_FULL).ends_batch());
        assert!(sorted(ffi::SQLITE_CORRUPT).ends_batch());
        assert!(!sorted(ffi::SQLITE_CONSTRAINT_UNIQUE).ends_batch());
        assert!(!sorted(ffi::SQLITE_ERROR).ends_batch());
    }

    #[test]
    fn a_text_says_what_was_attempted_without_the_sources_text() {
        let error = sorted(ffi::SQLITE_FULL);
        assert_eq!(error.to_string(), "write the database");
        let source = error.source().unwrap().to_string();
        assert!(source.contains("full"), "{source}");
    }
}
