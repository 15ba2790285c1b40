//! What can go wrong around keys.
//!
//! A text must never hold key bytes, a passphrase, a share or a patient's data.

use labward_base::id::{PatientId, SlotId};
use labward_base::problem::{self, Problem};
use labward_ledger::LedgerError;
use labward_os::OsError;
use labward_seal::CryptoFailed;
use labward_seal::shares::ShareError;
use labward_store::StoreError;

use crate::SlotKind;

/// Why a key could not be made, opened, used or destroyed.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// Operator: a slot cannot be made like this.
    #[error("make a slot: {why}")]
    BadSlot {
        /// Which rule it breaks, in fixed words.
        why: &'static str,
    },
    /// Operator: the shares are mistyped, too few, foreign to each other or to every slot.
    #[error("open a slot with recovery shares")]
    BadShares(#[source] ShareError),
    /// Operator: the key file would lie in the data folder.
    #[error("write a key file: its place is inside the data folder")]
    BesideData,
    /// Ours: the cryptographic library refused.
    #[error("make or wrap a key")]
    Crypto(#[from] CryptoFailed),
    /// The disk's, or an intruder's: what is stored does not fit the root key.
    #[error("read the stored keys: {what} does not fit the root key")]
    Damaged {
        /// What does not fit, without its content.
        what: String,
    },
    /// The key of this patient was destroyed.
    #[error("open the key of patient {0}: it was destroyed")]
    Disposed(PatientId),
    /// Operator: there is a root key already.
    #[error("make a root key: there is one already")]
    Exists,
    /// Operator: the key file cannot be read, or its place cannot be written.
    #[error("read or write a key file")]
    KeyFile(#[from] OsError),
    /// Operator: nothing could ever be opened again.
    #[error("remove slot {0}: it is the last one")]
    LastSlot(SlotId),
    /// Ours or the disk's: the entry could not be written, so the change was not made.
    #[error("record a change of keys")]
    Ledger(#[from] LedgerError),
    /// No key of this patient is known.
    #[error("open the key of patient {0}: there is none")]
    NoKey(PatientId),
    /// Operator: no such slot.
    #[error("find slot {0}: there is none")]
    NoSlot(SlotId),
    /// The root key is not open.
    #[error("use a key: the root key is sealed")]
    Sealed,
    /// Ours or the disk's: the change or look-up did not reach the database.
    #[error("reach the table of keys")]
    Store(#[from] StoreError),
    /// Operator: no slot of this kind opens with what was given.
    #[error("open a slot of kind {kind}: what was given does not fit")]
    Wrong {
        /// The kind that was tried.
        kind: SlotKind,
    },
}

impl KeysError {
    /// What a person is told about it.
    pub fn problem(&self) -> &'static Problem {
        match self {
            Self::BadSlot { .. } => &problem::KEYS_BAD_SLOT,
            Self::BadShares(_) => &problem::KEYS_BAD_SHARES,
            Self::BesideData => &problem::KEYS_BESIDE_DATA,
            Self::Crypto(_) => &problem::SERVER_INTERNAL,
            Self::Damaged { .. } => &problem::KEYS_DAMAGED,
            Self::Disposed(_) => &problem::KEYS_DISPOSED,
            Self::Exists => &problem::KEYS_EXISTS,
            Self::KeyFile(_) => &problem::KEYS_UNREADABLE_FILE,
            Self::LastSlot(_) => &problem::KEYS_LAST_SLOT,
            Self::Ledger(error) => error.problem(),
            Self::NoKey(_) => &problem::KEYS_NO_KEY,
            Self::NoSlot(_) => &problem::KEYS_NO_SLOT,
            Self::Sealed => &problem::KEYS_SEALED,
            Self::Store(error) => error.problem(),
            Self::Wrong { .. } => &problem::KEYS_WRONG,
        }
    }

    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged { what: what.into() }
    }
}
