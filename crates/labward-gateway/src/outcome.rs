//! What became of a message, as the connection that brought it learns it.

use labward_base::id::RecordId;

use crate::reason::Reason;

/// Whether a message was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    /// It is durable, and delivered if it has a route.
    Accepted,
    /// It is held for a person, refused, or could not be kept.
    Refused(Reason),
}

/// What became of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Whether it was accepted.
    pub(crate) settled: Settled,
    /// The record that holds it, if one does.
    pub(crate) record: Option<RecordId>,
    /// Whether it came before and was answered as then.
    pub(crate) is_repeat: bool,
}

impl Outcome {
    /// It could not be kept; nothing is acknowledged.
    pub(crate) const NOT_KEPT: Self = Self {
        settled: Settled::Refused(Reason::CannotKeep),
        record: None,
        is_repeat: false,
    };
}

impl Settled {
    /// The number under which it stands in hints.
    pub(crate) fn stored(self) -> u8 {
        match self {
            Self::Accepted => 0,
            Self::Refused(reason) => reason.stored(),
        }
    }

    /// What stands under this number in hints.
    pub(crate) fn from_stored(number: u8) -> Option<Self> {
        if number == 0 {
            return Some(Self::Accepted);
        }
        Reason::from_stored(number).map(Self::Refused)
    }
}
