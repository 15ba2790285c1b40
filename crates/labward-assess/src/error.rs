//! What can go wrong when something is decided about a requirement.

use labward_base::problem::{self, Problem};
use labward_base::{Remark, remark};
use labward_ledger::LedgerError;
use labward_store::StoreError;

/// Why a decision was not made, read or withdrawn.
#[derive(Debug, thiserror::Error)]
pub enum AssessError {
    /// Operator: the decision would last too long, or has ended already.
    #[error("end a decision: its last day lies before today or more than 24 months ahead")]
    BadEnd,
    /// Ours or the disk's: the entry could not be written, so nothing was decided.
    #[error("record a decision about a safeguard")]
    Ledger(#[from] LedgerError),
    /// Operator: there is no decision about this requirement.
    #[error("withdraw a decision about a safeguard: there is none")]
    NoDecision,
    /// Operator: the rule in force has no such requirement.
    #[error("find a requirement of the rule: there is none at this place")]
    NoRequirement,
    /// Operator: it is no name of a kind of decision.
    #[error("read a kind of decision: it is none")]
    NotAKind,
    /// Operator: it is no name of a profile.
    #[error("read a profile: it is none")]
    NotAProfile,
    /// Operator: the rule does not let this be decided.
    #[error("decide about {citation}: the rule does not let it be {kind}")]
    NotForThis {
        /// The requirement.
        citation: &'static str,
        /// What was to be decided.
        kind: &'static str,
    },
    /// The database.
    #[error("read or write decisions about safeguards")]
    Store(#[from] StoreError),
}

impl AssessError {
    /// What a person is told about it.
    pub fn problem(&self) -> &'static Problem {
        match self {
            Self::BadEnd => &problem::SAFEGUARD_BAD_END,
            Self::Ledger(error) => error.problem(),
            Self::NoDecision => &problem::SAFEGUARD_NO_DECISION,
            Self::NoRequirement => &problem::SAFEGUARD_NO_REQUIREMENT,
            Self::NotAKind => &problem::SAFEGUARD_KIND,
            Self::NotAProfile => &problem::SAFEGUARD_PROFILE,
            Self::NotForThis { .. } => &problem::SAFEGUARD_NOT_FOR_THIS,
            Self::Store(error) => error.problem(),
        }
    }
}

impl AssessError {
    /// What varies, to be said beside [`Self::problem`] in the reader's language.
    pub fn remark(&self) -> Option<Remark> {
        match self {
            Self::NotForThis { citation, .. } => Some(remark::requirement(*citation)),
            _ => None,
        }
    }
}
