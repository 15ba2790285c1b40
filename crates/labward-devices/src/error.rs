//! What can go wrong when a list of devices is changed.

use labward_base::id::DeviceId;
use labward_base::problem::{self, Problem};
use labward_base::{Remark, remark};
use labward_ledger::LedgerError;
use labward_store::StoreError;

use crate::attribute::Attribute;

/// Why devices were not read or changed.
#[derive(Debug, thiserror::Error)]
pub enum DevicesError {
    /// Operator: the list cannot be read at all.
    #[error("read a list of devices: {0}")]
    BadList(&'static str),
    /// Operator: it is no value of this attribute.
    #[error("read a value of a device: it is no {0}, or too long")]
    BadValue(Attribute),
    /// Operator: somebody else changed the device meanwhile.
    #[error("change device {0}: it was changed meanwhile")]
    ChangedMeanwhile(DeviceId),
    /// Operator: a device with one of these keys is there already.
    #[error("add a device: it is there already as device {0}")]
    Exists(DeviceId),
    /// Ours or the disk's: the entry could not be written, so nothing was changed.
    #[error("record a change of devices")]
    Ledger(#[from] LedgerError),
    /// Operator: there is no such attribute.
    #[error("read the name of an attribute: it is none")]
    NoAttribute,
    /// Operator: there is no such device.
    #[error("find device {0}: there is none with this number")]
    NoDevice(DeviceId),
    /// Operator: nothing was said of the device.
    #[error("add a device: nothing is said of it")]
    NothingSaid,
    /// Operator: the two are one already, or one of them does not stand for itself.
    #[error("merge devices: they are one already, or one of them is removed or merged")]
    NotMergeable,
    /// Operator: the device is not merged into another.
    #[error("split device {0}: it is not merged into another")]
    NotMerged(DeviceId),
    /// Operator: the device was removed.
    #[error("change device {0}: it was removed")]
    Removed(DeviceId),
    /// The database.
    #[error("read or write devices")]
    Store(#[from] StoreError),
    /// Operator: there would be more devices than any lab has.
    #[error("add a device: there are too many")]
    TooMany,
}

impl DevicesError {
    /// What a person is told about it.
    pub fn problem(&self) -> &'static Problem {
        match self {
            Self::BadList(_) => &problem::DEVICE_BAD_LIST,
            Self::BadValue(_) => &problem::DEVICE_BAD_VALUE,
            Self::ChangedMeanwhile(_) => &problem::DEVICE_CHANGED_MEANWHILE,
            Self::Exists(_) => &problem::DEVICE_EXISTS,
            Self::Ledger(error) => error.problem(),
            Self::NoAttribute => &problem::DEVICE_NO_ATTRIBUTE,
            Self::NoDevice(_) => &problem::DEVICE_UNKNOWN,
            Self::NothingSaid => &problem::DEVICE_NOTHING_SAID,
            Self::NotMergeable => &problem::DEVICE_NOT_MERGEABLE,
            Self::NotMerged(_) => &problem::DEVICE_NOT_MERGED,
            Self::Removed(_) => &problem::DEVICE_REMOVED,
            Self::Store(error) => error.problem(),
            Self::TooMany => &problem::DEVICE_TOO_MANY,
        }
    }

    /// What varies, to be said beside [`Self::problem`].
    pub fn remark(&self) -> Option<Remark> {
        match self {
            Self::BadList(why) => Some(remark::name(*why)),
            Self::BadValue(attribute) => Some(remark::name(attribute.name())),
            Self::ChangedMeanwhile(id)
            | Self::Exists(id)
            | Self::NoDevice(id)
            | Self::NotMerged(id)
            | Self::Removed(id) => Some(remark::count(id.get())),
            _ => None,
        }
    }
}
