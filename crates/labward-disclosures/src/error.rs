//! What can go wrong when disclosures are attached or approvals taken down.

use labward_base::id::{ApprovalId, DisclosureId};
use labward_base::problem::{self, Problem};
use labward_base::{Remark, remark};
use labward_ledger::LedgerError;
use labward_store::StoreError;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum DisclosuresError {
    /// Operator: the approval lacks something.
    #[error("take down an approval of a patch: {0}")]
    BadApproval(&'static str),
    /// Operator: it is no disclosure statement that can be read.
    #[error("read a disclosure statement")]
    BadMds2(#[from] labward_mds2::Error),
    /// Operator: it is no bill of materials that can be read.
    #[error("read a bill of materials")]
    BadSbom(#[from] labward_advisory::Error),
    /// Ours or the disk's: the entry could not be written, so nothing was changed.
    #[error("record a change of disclosures")]
    Ledger(#[from] LedgerError),
    /// Operator: there is no such approval that holds.
    #[error("find approval {0}: there is none with this number that holds")]
    NoApproval(ApprovalId),
    /// Operator: the bill names nothing that the product is made of.
    #[error("read a bill of materials: it holds no component")]
    NoComponent,
    /// Operator: there is no such disclosure.
    #[error("find disclosure {0}: there is none with this number")]
    NoDisclosure(DisclosureId),
    /// The database.
    #[error("read or write disclosures")]
    Store(#[from] StoreError),
    /// Operator: the file is larger than such a file is.
    #[error("read a disclosure: it is larger than such a file is")]
    TooLarge,
    /// Operator: there would be too many.
    #[error("keep a disclosure or an approval: there are too many")]
    TooMany,
}

impl DisclosuresError {
    /// What a person is told about it.
    pub fn problem(&self) -> &'static Problem {
        match self {
            Self::BadApproval(_) => &problem::DEVICE_BAD_APPROVAL,
            Self::BadMds2(_) => &problem::DEVICE_BAD_MDS2,
            Self::BadSbom(_) | Self::NoComponent | Self::TooLarge => &problem::DEVICE_BAD_SBOM,
            Self::Ledger(error) => error.problem(),
            Self::NoApproval(_) => &problem::DEVICE_NO_APPROVAL,
            Self::NoDisclosure(_) => &problem::DEVICE_NO_DISCLOSURE,
            Self::Store(error) => error.problem(),
            Self::TooMany => &problem::DEVICE_TOO_MANY,
        }
    }

    /// What varies of it.
    pub fn remark(&self) -> Option<Remark> {
        match self {
            Self::BadApproval(what) => Some(remark::name(*what)),
            Self::BadMds2(error) => Some(remark::technical(error.to_string())),
            Self::BadSbom(error) => Some(remark::technical(error.to_string())),
            Self::NoComponent => Some(remark::technical("it holds no component".to_owned())),
            Self::TooLarge => Some(remark::technical("it is too large".to_owned())),
            Self::NoApproval(id) => Some(remark::name(id.to_string())),
            Self::NoDisclosure(id) => Some(remark::name(id.to_string())),
            Self::Ledger(_) | Self::Store(_) | Self::TooMany => None,
        }
    }
}
