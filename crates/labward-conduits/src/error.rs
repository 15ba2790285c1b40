//! What can go wrong when conduits are learned or decided.

use labward_base::id::DeviceId;
use labward_base::problem::{self, Problem};
use labward_base::{Remark, remark};
use labward_ledger::LedgerError;
use labward_segmentation::PlanError;
use labward_store::StoreError;

use crate::alert::AlertId;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum ConduitsError {
    /// Operator: the alert was answered, or is over.
    #[error("answer alert {0} of what a device does: it is closed")]
    AlertClosed(AlertId),
    /// Ours or the disk's: the entry could not be written, so nothing was changed.
    #[error("record a change of conduits")]
    Ledger(#[from] LedgerError),
    /// Operator: there is no such alert.
    #[error("find alert {0} of what a device does")]
    NoAlert(AlertId),
    /// Operator: the device has no such conduit.
    #[error("decide about a conduit of device {0}: it has none of this kind")]
    NoConduit(DeviceId),
    /// Operator: no traffic of the device was heard.
    #[error("find conduits of device {0}: nothing of it was heard")]
    NoDevice(DeviceId),
    /// Operator: the devices contradict each other, such as two with one address.
    #[error("keep the plan of segmentation")]
    Plan(#[from] PlanError),
    /// The database.
    #[error("read or write conduits")]
    Store(#[from] StoreError),
}

impl ConduitsError {
    /// What a person is told about it.
    pub fn problem(&self) -> &'static Problem {
        match self {
            Self::AlertClosed(_) => &problem::BEHAVIOUR_CLOSED,
            Self::Ledger(error) => error.problem(),
            Self::NoAlert(_) => &problem::BEHAVIOUR_UNKNOWN,
            Self::NoConduit(_) => &problem::CONDUIT_UNKNOWN,
            Self::NoDevice(_) => &problem::CONDUIT_NO_DEVICE,
            Self::Plan(_) => &problem::CONDUIT_BAD_PLAN,
            Self::Store(error) => error.problem(),
        }
    }

    /// What varies of it.
    pub fn remark(&self) -> Option<Remark> {
        match self {
            Self::NoConduit(id) | Self::NoDevice(id) => Some(remark::count(id.get())),
            Self::AlertClosed(id) | Self::NoAlert(id) => Some(remark::count(*id)),
            Self::Plan(error) => Some(remark::technical(error.to_string())),
            Self::Ledger(_) | Self::Store(_) => None,
        }
    }
}
