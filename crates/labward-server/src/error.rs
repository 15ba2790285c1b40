//! Why the server did not start, or did not stop in order.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use labward_base::{Problem, problem};
use labward_conduits::ConduitsError;
use labward_devices::DevicesError;
use labward_disclosures::DisclosuresError;
use labward_gateway::StartError;
use labward_gateway::delivery::DeliveryError;
use labward_gateway::messages::MessageError;
use labward_gateway::tls::TlsError;
use labward_identity::IdentityError;
use labward_keys::KeysError;
use labward_ledger::LedgerError;
use labward_malware::MalwareError;
use labward_malware::integrity::IntegrityError;
use labward_os::OsError;
use labward_records::RecordsError;
use labward_store::StoreError;
use labward_threats::ThreatsError;

/// Why the server did not start, or did not stop in order.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Operator: another Labward runs on the folder.
    #[error("take the lock of {0}")]
    Busy(PathBuf),
    /// Delivery did not start.
    #[error("start delivery")]
    Delivery(#[from] DeliveryError),
    /// The devices.
    #[error("load the devices")]
    Devices(#[from] DevicesError),
    /// What manufacturers disclose.
    #[error("load what manufacturers disclose")]
    Disclosures(#[from] DisclosuresError),
    /// With whom devices talk.
    #[error("load the conduits")]
    Conduits(#[from] ConduitsError),
    /// The baselines of files.
    #[error("load the baselines of files")]
    Integrity(#[from] IntegrityError),
    /// What malware was found, and the quarantine.
    #[error("load the quarantine")]
    Malware(#[from] MalwareError),
    /// The advisories and hits.
    #[error("load the advisories")]
    Threats(#[from] ThreatsError),
    /// Operator: the folder holds no installation.
    #[error("find an installation in {0}")]
    NoInstallation(PathBuf),
    /// The console cannot listen.
    #[error("listen at {address} for the console")]
    Console {
        /// The configured address.
        address: SocketAddr,
        /// The operating system's report.
        #[source]
        source: io::Error,
    },
    /// A file of the data folder cannot be read or written.
    #[error("read or write {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// The operating system's report.
        #[source]
        source: io::Error,
    },
    /// The gateway did not start.
    #[error("start the gateway")]
    Gateway(#[from] StartError),
    /// People, peers or certificates.
    #[error("load people, peers and certificates")]
    Identity(#[from] IdentityError),
    /// Keys.
    #[error("load or open the keys")]
    Keys(#[from] KeysError),
    /// The ledger.
    #[error("write or publish the ledger")]
    Ledger(#[from] LedgerError),
    /// The held messages could not be looked through.
    #[error("look through the held messages")]
    Messages(#[from] MessageError),
    /// The operating system refused to protect the process.
    #[error("protect the process")]
    Os(#[from] OsError),
    /// Records.
    #[error("load the records")]
    Records(#[from] RecordsError),
    /// The database.
    #[error("open the database")]
    Store(#[from] StoreError),
    /// TLS could not be set up with a certificate.
    #[error("set up TLS")]
    Tls(#[from] TlsError),
    /// A thread or runtime could not be started.
    #[error("start the threads of the server")]
    Threads(#[source] io::Error),
    /// Operator: a witness can never be asked as it is configured.
    #[error("set up witness {name}: {rule}")]
    Witness {
        /// The witness.
        name: String,
        /// The rule that its configuration breaks.
        rule: &'static str,
    },
}

impl ServerError {
    /// What a person is told about it.
    pub fn problem(&self) -> &'static Problem {
        match self {
            Self::Busy(_) => &problem::STORE_BUSY,
            Self::Delivery(error) => error.problem(),
            Self::Devices(error) => error.problem(),
            Self::Disclosures(error) => error.problem(),
            Self::Integrity(error) => error.problem(),
            Self::Malware(error) => error.problem(),
            Self::Threats(error) => error.problem(),
            Self::Conduits(error) => error.problem(),
            Self::NoInstallation(_) => &problem::SERVER_NOT_INITIALIZED,
            Self::Console { .. } => &problem::CONFIG_UNSAFE,
            Self::File { .. } => &problem::SERVER_FILE,
            Self::Gateway(error) => error.problem(),
            Self::Identity(error) => error.problem(),
            Self::Keys(error) => error.problem(),
            Self::Ledger(error) => error.problem(),
            Self::Messages(error) => error.problem(),
            Self::Tls(error) => error.problem(),
            Self::Os(_) | Self::Threads(_) => &problem::SERVER_INTERNAL,
            Self::Records(error) => error.problem(),
            Self::Store(error) => error.problem(),
            Self::Witness { .. } => &problem::CONFIG_UNSAFE,
        }
    }

    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}
