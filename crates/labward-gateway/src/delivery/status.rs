//! What people see of delivery: the state of each destination and the messages that wait.
//!
//! It must never hold patient data: records and entries are numbers, reasons are codes.

use labward_base::Timestamp;
use labward_base::id::{EntryIndex, RecordId};

use crate::config::DestinationName;

/// One destination at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DestinationStatus {
    /// Its name.
    pub name: DestinationName,
    /// Whether messages go out.
    pub state: DestinationState,
    /// Whether the line to it is unencrypted: a finding.
    pub plain: bool,
    /// Whether older messages are still being read from the ledger; the counts are then a part.
    pub catching_up: bool,
    /// Messages being sent now.
    pub in_flight: usize,
    /// Messages known that wait for their turn.
    pub waiting: usize,
    /// Messages that are tried again later.
    pub retrying: usize,
    /// Messages that hold their patient's order back until a person decides.
    pub held: usize,
    /// Messages given up and kept.
    pub dead: usize,
    /// Messages delivered since the start.
    pub delivered: u64,
    /// When the last message was delivered since the start.
    pub last_delivered: Option<Timestamp>,
    /// When the oldest message came that is not delivered yet.
    pub oldest_waiting: Option<Timestamp>,
    /// When the receiver's certificate ends, as its last handshake showed; none over a plain line
    /// or before the first one.
    pub certificate_until: Option<Timestamp>,
}

/// Whether messages go to a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DestinationState {
    /// They do, or would.
    Up,
    /// It cannot be reached or gives no answer; it is tried again by itself.
    Down {
        /// Since when.
        since: Timestamp,
        /// Why: a code of the table of problems.
        reason: &'static str,
    },
    /// It was stopped after a failure until a person lets it go on.
    Stopped {
        /// Why: a code of the table of problems.
        reason: String,
    },
}

/// A message that was not delivered in turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingMessage {
    /// Where it goes.
    pub destination: DestinationName,
    /// The entry that sent it on its way: its place in the order.
    pub entry: EntryIndex,
    /// The record that holds it.
    pub record: RecordId,
    /// What it waits for.
    pub state: ExceptionState,
    /// How often it was sent.
    pub attempts: u32,
    /// How often the receiver answered with a refusal.
    pub answers: u32,
    /// Not tried again before, in state [`ExceptionState::Retrying`].
    pub next: Timestamp,
    /// The first failure, or when it began to wait.
    pub since: Timestamp,
    /// Why: a code of the table of problems; empty if it only waits behind another.
    pub reason: String,
}

/// What an undelivered message waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExceptionState {
    /// For its turn: an earlier message of its patient, or a lane.
    Waiting,
    /// For the next attempt.
    Retrying,
    /// For a person; later messages of its patient wait behind it.
    Held,
    /// It was given up and is kept; nothing waits behind it.
    Dead,
}

/// Which waiting messages to list, in the order of destination and entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingFilter {
    /// Only of this destination.
    pub destination: Option<DestinationName>,
    /// Only in this state.
    pub state: Option<ExceptionState>,
    /// Only behind this place, for the next page.
    pub after: Option<(DestinationName, EntryIndex)>,
    /// How many at most, 1 to 1,000.
    pub limit: u32,
}

impl Default for WaitingFilter {
    fn default() -> Self {
        Self {
            destination: None,
            state: None,
            after: None,
            limit: 50,
        }
    }
}

impl ExceptionState {
    const ALL: [Self; 4] = [Self::Waiting, Self::Retrying, Self::Held, Self::Dead];

    /// The name of this state in JSON and documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Retrying => "retrying",
            Self::Held => "held",
            Self::Dead => "dead",
        }
    }

    /// The state with this name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    pub(super) const fn stored(self) -> u8 {
        match self {
            Self::Waiting => 0,
            Self::Retrying => 1,
            Self::Held => 2,
            Self::Dead => 3,
        }
    }

    pub(super) fn from_stored(number: i64) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|one| i64::from(one.stored()) == number)
    }
}
