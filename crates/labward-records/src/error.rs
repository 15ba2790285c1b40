//! Why records refused or failed.

use std::io;

use labward_base::problem::{self, Problem};
use labward_base::{Remark, Timestamp, remark};
use labward_keys::KeysError;
use labward_ledger::LedgerError;
use labward_seal::{OpenError, SealError};
use labward_store::StoreError;

/// Why records refused or failed; it never carries what a record holds.
#[derive(Debug, thiserror::Error)]
pub enum RecordsError {
    /// The person has an emergency access open already.
    #[error("open an emergency access: one is open already")]
    AlreadyOpen,
    /// A part was asked for that lies behind the record's end, or ends before it begins.
    #[error("read a part of a record: it has {length_bytes} bytes")]
    Beyond {
        /// The record's length.
        length_bytes: u64,
    },
    /// A file of the blob folder could not be read or written.
    #[error("read or write a sealed file of the blob folder")]
    Blob(#[source] io::Error),
    /// A sealed record does not open, or its row is not what it was.
    #[error("open a record: its stored bytes are not what they were")]
    Damaged,
    /// A key is sealed, destroyed or missing.
    #[error("use a patient's or the site's key")]
    Keys(#[from] KeysError),
    /// The ledger refused the entry.
    #[error("record what was done to a record")]
    Ledger(#[from] LedgerError),
    /// What a review found has no such name.
    #[error("review an emergency access: there is no such verdict")]
    BadVerdict,
    /// A criterion that cannot be read would fit everybody, or nobody.
    #[error("search for records: the {what} cannot be read")]
    BadCriterion {
        /// Which criterion.
        what: &'static str,
    },
    /// A legal hold forbids the disposal.
    #[error("dispose of a patient: a legal hold forbids it")]
    LegalHold,
    /// A search without a criterion.
    #[error("search for records: no criterion was given")]
    NoCriteria,
    /// There is no such emergency access, or none is open.
    #[error("find an emergency access: there is none")]
    NoOpening,
    /// Readings wait in the reserve, so not all of them are known.
    #[error("review an emergency access: readings wait in the reserve")]
    NotMerged,
    /// There is no such patient, or no more.
    #[error("find a patient by number: there is none")]
    NoPatient,
    /// The reading could not be recorded, so nothing was shown.
    #[error("record what was read")]
    NotRecorded(#[source] Box<Self>),
    /// There is no such record.
    #[error("find a record by number: there is none")]
    NotFound,
    /// Who opened an emergency access does not review it.
    #[error("review an emergency access: it is the person's own")]
    OwnOpening,
    /// Neither the ledger nor the reserve took the reading: the reserve is full.
    #[error("record a break-glass reading: the reserve is full")]
    ReserveFull,
    /// Neither the ledger nor the reserve took the reading: the reserve cannot be written.
    #[error("record a break-glass reading: the reserve is missing or cannot be written")]
    ReserveUnusable,
    /// The retention time has not ended.
    #[error("dispose of a patient: a record is retained until {until}")]
    Retention {
        /// When it ends.
        until: Timestamp,
    },
    /// Somebody reviewed it before.
    #[error("review an emergency access: it was reviewed")]
    Reviewed,
    /// A record could not be sealed.
    #[error("seal a record")]
    Seal(#[from] SealError),
    /// It is not over yet.
    #[error("review an emergency access: it is still open")]
    StillOpen,
    /// The store refused or failed.
    #[error("read or write the rows of records")]
    Store(#[from] StoreError),
    /// The bytes to import are of no known form; nothing was stored.
    #[error("import a file: it is neither HL7 v2 nor a FHIR bundle")]
    Unreadable,
}

impl RecordsError {
    /// The visible problem this error stands for.
    pub fn problem(&self) -> &'static Problem {
        match self {
            Self::AlreadyOpen => &problem::BREAK_GLASS_OPEN,
            Self::BadVerdict => &problem::BREAK_GLASS_VERDICT,
            Self::NoOpening => &problem::BREAK_GLASS_NONE,
            Self::NotMerged => &problem::BREAK_GLASS_WAITING,
            Self::OwnOpening => &problem::BREAK_GLASS_OWN,
            Self::Reviewed => &problem::BREAK_GLASS_REVIEWED,
            Self::StillOpen => &problem::BREAK_GLASS_STILL_OPEN,
            Self::BadCriterion { .. } => &problem::RECORDS_BAD_CRITERION,
            Self::Beyond { .. } => &problem::RECORDS_BEYOND,
            Self::Blob(_) => &problem::STORE_UNWRITABLE,
            Self::Damaged => &problem::RECORDS_DAMAGED,
            Self::Keys(error) => error.problem(),
            Self::Ledger(error) => error.problem(),
            Self::LegalHold => &problem::RECORDS_LEGAL_HOLD,
            Self::NoCriteria => &problem::RECORDS_NO_CRITERIA,
            Self::NoPatient => &problem::RECORDS_NO_PATIENT,
            Self::NotFound => &problem::RECORDS_NOT_FOUND,
            Self::NotRecorded(_) => &problem::RECORDS_NOT_RECORDED,
            Self::ReserveFull => &problem::RECORDS_RESERVE_FULL,
            Self::ReserveUnusable => &problem::RECORDS_RESERVE_UNUSABLE,
            Self::Retention { .. } => &problem::RECORDS_RETENTION,
            Self::Seal(error) => error.problem(),
            Self::Store(error) => error.problem(),
            Self::Unreadable => &problem::RECORDS_UNREADABLE,
        }
    }

    /// Whether the disk or another program keeps the ledger from being written.
    pub(crate) const fn is_unwritable(&self) -> bool {
        let (Self::Store(store) | Self::Ledger(LedgerError::Store(store))) = self else {
            return false;
        };
        matches!(
            store,
            StoreError::Busy | StoreError::Damaged { .. } | StoreError::Unwritable { .. }
        )
    }

    /// The same, said to somebody who wanted to read.
    pub(crate) fn of_reading(self) -> Self {
        match self.is_unwritable() {
            true => Self::NotRecorded(Box::new(self)),
            false => self,
        }
    }
}

impl From<OpenError> for RecordsError {
    fn from(_: OpenError) -> Self {
        Self::Damaged
    }
}

impl RecordsError {
    /// What varies, to be said beside [`Self::problem`] in the reader's language.
    pub fn remark(&self) -> Option<Remark> {
        match self {
            Self::Beyond { length_bytes } => Some(remark::record_length(*length_bytes)),
            Self::Retention { until } => Some(remark::retained_until(until.to_rfc3339())),
            _ => None,
        }
    }
}
