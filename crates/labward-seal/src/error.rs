//! Why sealing or opening failed.
//!
//! An error never says more about a key than that it does not fit, and holds no plaintext.

use labward_base::{Problem, problem};

/// The cryptographic library refused an operation on valid input, or gave no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("run a cryptographic operation: the library refused it")]
pub struct CryptoFailed;

impl From<aws_lc_rs::error::Unspecified> for CryptoFailed {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self
    }
}

/// Why a record could not be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The library refused, or gave no random salt.
    #[error("seal a record")]
    Crypto(#[from] CryptoFailed),
    /// The plaintext is longer than [`crate::record::MAX_PLAINTEXT_BYTES`].
    #[error("seal a record of {bytes} bytes: larger than the bound")]
    TooLarge {
        /// Length of the plaintext in bytes.
        bytes: usize,
    },
}

impl SealError {
    /// The problem as a person sees it.
    pub fn problem(&self) -> &'static Problem {
        match self {
            Self::Crypto(_) => &problem::SERVER_INTERNAL,
            Self::TooLarge { .. } => &problem::GATEWAY_TOO_LARGE,
        }
    }
}

/// Why a sealed record does not open.
///
/// Telling these apart gives nothing away: the first is seen from the outside, and the commitment
/// that parts the other two stands in the open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Key, context and header fit, but the epoch or the ciphertext was changed or cut.
    #[error("open a sealed record: its content was changed")]
    Damaged,
    /// It is not a sealed record of a known layout.
    #[error("open a sealed record: not the layout of one")]
    Malformed,
    /// The key or the context is another one, or the header was changed.
    #[error("open a sealed record: key or context does not fit")]
    Mismatch,
}

impl OpenError {
    /// The problem as a person sees it.
    pub fn problem(&self) -> &'static Problem {
        &problem::RECORDS_DAMAGED
    }
}
