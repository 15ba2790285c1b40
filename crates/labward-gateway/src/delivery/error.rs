//! Why delivery could not start, or an order about it could not be carried out.

use labward_base::id::RecordId;
use labward_base::{Problem, Remark, problem, remark};
use labward_ledger::LedgerError;
use labward_store::StoreError;

use crate::config::DestinationName;
use crate::keep::KeepError;

/// Why delivery could not start, or an order about it could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// A destination or a route to it must not run as it is configured.
    #[error("check {place}: {rule}")]
    Config {
        /// The destination or route.
        place: String,
        /// The rule it breaks.
        rule: &'static str,
    },
    /// The new configuration lacks a destination to which messages still wait to go.
    #[error("remove destination {0}: messages wait for it")]
    Waits(DestinationName),
    /// There is no such destination.
    #[error("find destination {0}: it is not configured")]
    NoDestination(DestinationName),
    /// The record was never sent to this destination.
    #[error("find message {0}: it was never on its way there")]
    NoMessage(RecordId),
    /// The message is still on its way, or has arrived where it was to be given up.
    #[error("decide about message {0}: it does not wait for a person")]
    NotWaiting(RecordId),
    /// The destination is not stopped.
    #[error("let destination {0} go on: it is not stopped")]
    NotStopped(DestinationName),
    /// The reason given could not be sealed.
    #[error("seal the reason of a decision about delivery")]
    Keep(#[from] KeepError),
    /// The entry could not be written.
    #[error("record what happened to a delivery")]
    Ledger(#[from] LedgerError),
    /// The database could not be read or written.
    #[error("read or write the state of delivery")]
    Store(#[from] StoreError),
    /// The operating system gave no thread.
    #[error("start the thread of delivery")]
    Thread(#[source] std::io::Error),
}

impl DeliveryError {
    /// What a person sees.
    pub fn problem(&self) -> &'static Problem {
        match self {
            Self::Config { .. } => &problem::CONFIG_UNSAFE,
            Self::Waits(_) => &problem::CONFIG_DESTINATION_WAITS,
            Self::NoDestination(_) => &problem::GATEWAY_NO_DESTINATION,
            Self::NoMessage(_) => &problem::GATEWAY_NO_MESSAGE,
            Self::NotWaiting(_) => &problem::GATEWAY_NOT_WAITING,
            Self::NotStopped(_) => &problem::GATEWAY_NOT_STOPPED,
            Self::Keep(error) => error.problem(),
            Self::Ledger(error) => error.problem(),
            Self::Store(error) => error.problem(),
            Self::Thread(_) => &problem::SERVER_INTERNAL,
        }
    }
}

impl DeliveryError {
    /// What varies, to be said beside [`Self::problem`] in the reader's language.
    pub fn remark(&self) -> Option<Remark> {
        match self {
            Self::NoDestination(name) | Self::NotStopped(name) | Self::Waits(name) => {
                Some(remark::destination(name.as_str()))
            }
            Self::NoMessage(record) | Self::NotWaiting(record) => {
                Some(remark::message(record.get()))
            }
            _ => None,
        }
    }
}
