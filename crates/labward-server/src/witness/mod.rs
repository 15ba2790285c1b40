//! `labward ledger witness`: a process of its own that cosigns the checkpoints of other nodes.
//!
//! It holds a folder of its own with a key of its own and never opens an installation, a database or
//! a root key; all it ever sees of a lab are sizes and digests. It must never listen unencrypted
//! where another machine can reach it unless somebody answers for that by name and until a day.
//!
//! | Module | Holds |
//! |---|---|
//! | `folder` | what it keeps, durably: key, known logs, what it cosigned, evidence |
//! | `listener` | who connects, how many and for how long; TLS |
//! | `service` | the two calls over HTTP |
//!
//! The rules of the protocol themselves stand in [`labward_ledger::witness`].

mod error;
mod folder;
mod listener;
mod service;
#[cfg(test)]
pub(crate) mod tests;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use labward_base::{Clock, Timestamp};
use labward_gateway::config::PlainException;
use labward_ledger::{VerifierKey, WitnessKey};
use labward_os::SystemClock;

pub use self::error::WitnessError;
use self::folder::WitnessFolder;
use self::listener::{Protection, WitnessListener};
use self::service::Service;
use crate::config::LogConfig;
use crate::serve::stop_signal;

/// How a witness is served.
#[derive(Clone, Debug)]
pub struct ServeWitness {
    /// The witness's folder.
    pub folder: PathBuf,
    /// Where it listens.
    pub listen: SocketAddr,
    /// A PEM file with its certificate, then what leads to its authority, and its private key.
    pub tls: Option<PathBuf>,
    /// A PEM file with the authorities whose holders may connect; without it those behind the first
    /// certificate of `tls`.
    pub clients: Option<PathBuf>,
    /// Whether whoever connects needs no certificate.
    pub any_client: bool,
    /// Who answers for an unencrypted line off this machine: reason, owner and last day.
    pub plain: Option<PlainException>,
}

/// What a witness shows of itself; holds nothing secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The key with which others verify what it cosigned.
    pub key: WitnessKey,
    /// The logs that it knows.
    pub logs: Vec<ShownLog>,
    /// Two checkpoints of one log that do not fit, each pair in a file.
    pub evidence: Vec<PathBuf>,
}

/// One log that a witness knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownLog {
    /// The log's origin.
    pub origin: String,
    /// The keys trusted for it.
    pub keys: Vec<VerifierKey>,
    /// The size that was cosigned last, and when.
    pub latest: Option<(u64, Timestamp)>,
}

/// Makes a witness: its folder and its key, which never leaves it.
///
/// # Errors
/// [`WitnessError::Exists`] if the folder holds something; what the system refused.
pub fn init(folder: &Path, name: &str) -> Result<WitnessKey, WitnessError> {
    labward_os::restrict_umask();
    WitnessFolder::create(folder, name)
}

/// Lets a log be witnessed; the server of the witness may run meanwhile. Says whether the key is new.
///
/// # Errors
/// [`WitnessError::NoWitness`] if the folder holds none.
pub fn add_log(folder: &Path, key: &VerifierKey) -> Result<bool, WitnessError> {
    labward_os::restrict_umask();
    WitnessFolder::open(folder)?.add_log(key)
}

/// What the witness in the folder cosigned.
///
/// # Errors
/// [`WitnessError::Damaged`] if something there is not what the witness saved.
pub fn show(folder: &Path) -> Result<Shown, WitnessError> {
    WitnessFolder::open(folder)?.show()
}

/// Serves a witness in the foreground until SIGTERM or SIGINT.
///
/// # Errors
/// [`WitnessError`]; nothing listens then.
pub fn serve(options: &ServeWitness) -> Result<(), WitnessError> {
    labward_os::restrict_umask();
    labward_os::forbid_core_dumps()?;
    crate::log::start(&LogConfig::default());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let protection = Protection::of(options, &clock)?;
    let folder = WitnessFolder::open(&options.folder)?;
    let _lock = folder.lock()?;
    let service = Service::new(folder, clock)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(WitnessError::Threads)?;
    runtime.block_on(async {
        let stop = stop_signal().map_err(WitnessError::Threads)?;
        let listener = WitnessListener::bind(options.listen, protection)?;
        tracing::info!(
            key = %service.key(),
            "the witness listens on {}",
            listener.address()
        );
        service::serve(listener, service, stop).await
    })
}
