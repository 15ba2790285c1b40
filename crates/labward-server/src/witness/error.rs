//! Why a witness was not made, not started, or could not save.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use labward_base::{Problem, problem};
use labward_ledger::note::NoteError;
use labward_os::OsError;

/// Why a witness was not made, not started, or could not save.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// Operator: another process serves this witness.
    #[error("take the lock of {0}")]
    Busy(PathBuf),
    /// A file is not what the witness saved there.
    #[error("read {0}: it is missing or not what the witness saved")]
    Damaged(PathBuf),
    /// Operator: the folder holds something already.
    #[error("make a witness in {0}: the folder is not empty")]
    Exists(PathBuf),
    /// A file cannot be read or written.
    #[error("read or write {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// The operating system's report.
        #[source]
        source: io::Error,
    },
    /// The address cannot be listened on.
    #[error("listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The operating system's report.
        #[source]
        source: io::Error,
    },
    /// Operator: the folder holds no witness.
    #[error("find a witness in {0}")]
    NoWitness(PathBuf),
    /// A name, a key or a signature.
    #[error("read a key or cosign")]
    Note(#[from] NoteError),
    /// The operating system refused.
    #[error("save what was cosigned, or protect the process")]
    Os(#[from] OsError),
    /// A thread or runtime could not be started.
    #[error("start the threads of the witness")]
    Threads(#[source] io::Error),
    /// Operator: the certificate, the key or the authorities cannot be used.
    #[error("set up TLS: {0}")]
    Tls(&'static str),
    /// Operator: it would listen in a way that is not allowed.
    #[error("listen on {address}: {rule}")]
    Unsafe {
        /// The address.
        address: SocketAddr,
        /// The rule that it breaks.
        rule: &'static str,
    },
}

impl WitnessError {
    /// What a person is told about it.
    pub fn problem(&self) -> &'static Problem {
        match self {
            Self::Busy(_) => &problem::STORE_BUSY,
            Self::Damaged(_) => &problem::LEDGER_WITNESS_DAMAGED,
            Self::Exists(_) | Self::NoWitness(_) | Self::Note(_) | Self::Tls(_) => {
                &problem::LEDGER_WITNESS
            }
            Self::File { .. } => &problem::SERVER_FILE,
            Self::Listen { .. } => &problem::LEDGER_WITNESS,
            Self::Os(error) => error.problem(),
            Self::Threads(_) => &problem::SERVER_INTERNAL,
            Self::Unsafe { .. } => &problem::CONFIG_UNSAFE,
        }
    }

    pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}
