//! Why an edge was not enrolled, did not start, or could not reach its server.

use std::io;
use std::path::PathBuf;

use labward_base::{Problem, problem};
use labward_gateway::StartError;
use labward_identity::IdentityError;
use labward_ledger::LedgerError;
use labward_os::OsError;
use labward_seal::CryptoFailed;
use labward_store::StoreError;

/// Why an edge was not enrolled, did not start, or could not reach its server.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// Operator: another edge runs on the folder.
    #[error("take the lock of {0}")]
    Busy(PathBuf),
    /// Operator: the configuration cannot be read.
    #[error("read {path}: {what}")]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its line.
        what: String,
    },
    /// The library gave no random bytes or no key.
    #[error("make the edge's keys")]
    Crypto(#[from] CryptoFailed),
    /// A file of the folder cannot be read or written.
    #[error("read or write {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// The operating system's report.
        #[source]
        source: io::Error,
    },
    /// The gateway did not start: the configuration, or an address that is taken.
    #[error("start the links of the edge")]
    Gateway(#[from] StartError),
    /// A key, certificate or code.
    #[error("read or make keys and certificates")]
    Identity(#[from] IdentityError),
    /// The ledger.
    #[error("write or publish the edge's ledger")]
    Ledger(#[from] LedgerError),
    /// Operator: the folder holds no edge.
    #[error("find an edge in {0}")]
    NotEnrolled(PathBuf),
    /// The operating system.
    #[error("protect the process or measure the disk")]
    Os(#[from] OsError),
    /// The server, or whoever answered for it, refused; or we refused it.
    #[error("enrol or connect: {}", .0.what)]
    Refused(&'static Problem),
    /// The database.
    #[error("open the edge's queue")]
    Store(#[from] StoreError),
    /// A thread or runtime could not be started.
    #[error("start the threads of the edge")]
    Threads(#[source] io::Error),
}

impl EdgeError {
    /// What a person is told about it.
    pub fn problem(&self) -> &'static Problem {
        match self {
            Self::Busy(_) => &problem::EDGE_BUSY,
            Self::Config { .. } => &problem::CONFIG_UNREADABLE,
            Self::Crypto(_) | Self::Os(_) | Self::Threads(_) => &problem::SERVER_INTERNAL,
            Self::File { .. } => &problem::SERVER_FILE,
            Self::Gateway(error) => error.problem(),
            Self::Identity(error) => error.problem(),
            Self::Ledger(error) => error.problem(),
            Self::NotEnrolled(_) => &problem::EDGE_NOT_ENROLLED,
            Self::Refused(problem) => problem,
            Self::Store(error) => error.problem(),
        }
    }

    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}

/// The problem with this code, or one that says that the other side speaks otherwise.
pub(crate) fn problem_of(code: &str) -> &'static Problem {
    let known = problem::ALL.iter().find(|one| one.code == code);
    known.copied().unwrap_or(&problem::EDGE_NOT_SPOKEN)
}
