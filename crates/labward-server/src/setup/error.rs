//! Why an installation was not made.

use std::io;
use std::path::{Path, PathBuf};

use labward_base::{Problem, Remark, problem, remark};
use labward_identity::IdentityError;
use labward_keys::KeysError;
use labward_ledger::LedgerError;
use labward_os::OsError;
use labward_seal::CryptoFailed;
use labward_store::StoreError;

/// Why an installation was not made, or not finished.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Operator: an answer does not fit.
    #[error("take an answer: {why}")]
    BadAnswer {
        /// Which rule it breaks; never the answer of a secret.
        why: Remark,
    },
    /// Operator: another set-up or server uses the folder.
    #[error("take the lock of {}", .0.display())]
    Busy(PathBuf),
    /// Operator: there is an installation.
    #[error("set up {}: it holds an installation", .0.display())]
    Exists(PathBuf),
    /// A file or folder cannot be read or written.
    #[error("read or write {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// People or certificates could not be made.
    #[error("make the first person and the authority")]
    Identity(#[from] IdentityError),
    /// Operator: the input ended before everything was answered.
    #[error("ask for what is needed: the input ended")]
    InputEnded,
    /// The root key or a slot could not be made.
    #[error("make the root key and its slots")]
    Keys(#[from] KeysError),
    /// The ledger could not be begun.
    #[error("begin the ledger")]
    Ledger(#[from] LedgerError),
    /// Operator: the folder holds something else.
    #[error("set up {}: it is not empty", .0.display())]
    NotEmpty(PathBuf),
    /// The system refused room or a durable write.
    #[error("set aside room and write files")]
    Os(#[from] OsError),
    /// Operator: the shares were not typed back.
    #[error("confirm the recovery shares")]
    SharesNotConfirmed,
    /// The database could not be made.
    #[error("make the database")]
    Store(#[from] StoreError),
}

impl SetupError {
    /// What a person sees.
    pub fn problem(&self) -> &'static Problem {
        match self {
            Self::BadAnswer { .. } => &problem::INIT_BAD_ANSWER,
            Self::Busy(_) => &problem::STORE_BUSY,
            Self::Exists(_) => &problem::INIT_EXISTS,
            Self::File { .. } => &problem::INIT_FILE,
            Self::Identity(error) => error.problem(),
            Self::InputEnded => &problem::INIT_BAD_ANSWER,
            Self::Keys(error) => error.problem(),
            Self::Ledger(error) => error.problem(),
            Self::NotEmpty(_) => &problem::INIT_NOT_EMPTY,
            Self::Os(error) => error.problem(),
            Self::SharesNotConfirmed => &problem::INIT_SHARES_NOT_CONFIRMED,
            Self::Store(error) => error.problem(),
        }
    }

    /// What varies, to be shown beside [`SetupError::problem`].
    pub fn detail(&self) -> String {
        let mut text = match self {
            Self::BadAnswer { why } => return why.to_string(),
            Self::Busy(path) | Self::Exists(path) | Self::NotEmpty(path) => {
                return path.display().to_string();
            }
            other => other.to_string(),
        };
        let mut source = std::error::Error::source(self);
        while let Some(error) = source {
            text.push_str(": ");
            text.push_str(&error.to_string());
            source = error.source();
        }
        text
    }

    pub(crate) const fn bad(why: Remark) -> Self {
        Self::BadAnswer { why }
    }

    /// The same as a remark, if it is one.
    pub(crate) fn remark(&self) -> Option<Remark> {
        match self {
            Self::BadAnswer { why } => Some(why.clone()),
            Self::Busy(path) | Self::Exists(path) | Self::NotEmpty(path) => {
                Some(remark::name(path.display().to_string()))
            }
            Self::Identity(error) => error.remark(),
            _ => None,
        }
    }

    /// For `map_err`: what the system said about the file or folder `path`.
    pub(super) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |source| Self::File {
            path: path.to_owned(),
            source,
        }
    }
}

impl From<CryptoFailed> for SetupError {
    fn from(error: CryptoFailed) -> Self {
        Self::Keys(error.into())
    }
}
