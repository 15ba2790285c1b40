//! What can go wrong when advisories are taken over or hits decided.

use labward_base::id::{DocumentId, HitId, StatementId};
use labward_base::problem::{self, Problem};
use labward_base::{Remark, remark};
use labward_ledger::LedgerError;
use labward_matching::TableError;
use labward_product::vendor::BookError;
use labward_store::StoreError;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum ThreatsError {
    /// Operator: it is no name of a source.
    #[error("name a source of advisories: use 1 to 40 letters, digits, hyphens and dots")]
    BadSource,
    /// Operator: the statement lacks something.
    #[error("take down a statement: {0}")]
    BadStatement(&'static str),
    /// Operator: the treatment cannot be so.
    #[error("take down a treatment: {0}")]
    BadTreatment(&'static str),
    /// Ours: the books of names that come with Labward cannot be read.
    #[error("read the books of names")]
    Books(#[from] BookError),
    /// Ours: the tables of fixes and of ends of life that come with Labward cannot be read.
    #[error("read the tables of operating systems")]
    Tables(#[from] TableError),
    /// Operator: the hit is closed.
    #[error("treat hit {0}: it is closed")]
    Closed(HitId),
    /// Ours or the disk's: the entry could not be written, so nothing was changed.
    #[error("record a change of hits")]
    Ledger(#[from] LedgerError),
    /// Operator: there is no such document.
    #[error("find advisory {0}: there is none with this number")]
    NoDocument(DocumentId),
    /// Operator: there is no such hit.
    #[error("find hit {0}: there is none with this number")]
    NoHit(HitId),
    /// Operator: there is no such statement that holds.
    #[error("find statement {0}: there is none with this number that holds")]
    NoStatement(StatementId),
    /// The database.
    #[error("read or write advisories and hits")]
    Store(#[from] StoreError),
}

impl ThreatsError {
    /// What a person is told about it.
    pub fn problem(&self) -> &'static Problem {
        match self {
            Self::BadSource => &problem::ADVISORY_BAD_SOURCE,
            Self::BadStatement(_) => &problem::HIT_BAD_STATEMENT,
            Self::BadTreatment(_) => &problem::HIT_BAD_TREATMENT,
            Self::Books(_) | Self::Tables(_) => &problem::SERVER_INTERNAL,
            Self::Closed(_) => &problem::HIT_CLOSED,
            Self::Ledger(error) => error.problem(),
            Self::NoDocument(_) => &problem::ADVISORY_UNKNOWN,
            Self::NoHit(_) => &problem::HIT_UNKNOWN,
            Self::NoStatement(_) => &problem::HIT_NO_STATEMENT,
            Self::Store(error) => error.problem(),
        }
    }

    /// What varies of it.
    pub fn remark(&self) -> Option<Remark> {
        match self {
            Self::BadStatement(what) | Self::BadTreatment(what) => Some(remark::name(*what)),
            Self::Closed(id) | Self::NoHit(id) => Some(remark::name(id.to_string())),
            Self::NoDocument(id) => Some(remark::name(id.to_string())),
            Self::NoStatement(id) => Some(remark::name(id.to_string())),
            _ => None,
        }
    }
}
