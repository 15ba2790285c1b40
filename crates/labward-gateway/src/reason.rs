//! Why a message is not accepted: the code of a person, the code of a peer, and how it is stored.
//!
//! **Invariant:** refusal is an outcome, not an error. A reason never holds text of the message.

use labward_base::{Problem, problem};
use labward_hl7::{AckCode, ErrorCondition};
use labward_identity::RuleField;

/// Why a message is held, refused or could not be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A batch does not hold as many messages as it says.
    BadBatch,
    /// It could not be kept durably.
    CannotKeep,
    /// The frame was cut, or another message began in it.
    Damaged,
    /// What came was not a frame of this link's protocol.
    Framing,
    /// A message with this control id but another body came before.
    IdReused,
    /// Malware was found in it, or what may be malware, and the link holds such messages.
    Malware,
    /// The peer's rules do not admit it.
    NotAllowed(RuleField),
    /// The frame holds no HL7 v2 message.
    NotHl7,
    /// It could not be looked into for malware, and the link holds such messages.
    NotInspected,
    /// It is larger than the link allows.
    TooLarge,
}

/// Every reason with its stored number; a number is never given to another reason.
const STORED: [(u8, Reason); 15] = [
    (1, Reason::BadBatch),
    (2, Reason::CannotKeep),
    (3, Reason::Damaged),
    (4, Reason::Framing),
    (5, Reason::IdReused),
    (6, Reason::NotHl7),
    (7, Reason::TooLarge),
    (8, Reason::Malware),
    (9, Reason::NotInspected),
    (16, Reason::NotAllowed(RuleField::AstmSender)),
    (17, Reason::NotAllowed(RuleField::MessageType)),
    (18, Reason::NotAllowed(RuleField::ProcessingId)),
    (19, Reason::NotAllowed(RuleField::SendingApplication)),
    (20, Reason::NotAllowed(RuleField::SendingFacility)),
    (21, Reason::NotAllowed(RuleField::Version)),
];

impl Reason {
    /// What a person sees.
    pub const fn problem(self) -> &'static Problem {
        match self {
            Self::BadBatch => &problem::GATEWAY_BAD_BATCH,
            Self::CannotKeep => &problem::GATEWAY_CANNOT_KEEP,
            Self::Damaged => &problem::GATEWAY_DAMAGED_MESSAGE,
            Self::Framing => &problem::GATEWAY_FRAMING,
            Self::IdReused => &problem::GATEWAY_ID_REUSED,
            Self::Malware => &problem::GATEWAY_MALWARE,
            Self::NotAllowed(_) => &problem::GATEWAY_NOT_ALLOWED,
            Self::NotHl7 => &problem::GATEWAY_NOT_HL7,
            Self::NotInspected => &problem::GATEWAY_NOT_INSPECTED,
            Self::TooLarge => &problem::GATEWAY_TOO_LARGE,
        }
    }

    /// Which field the rules did not admit, for facts.
    pub const fn field(self) -> Option<&'static str> {
        match self {
            Self::NotAllowed(field) => Some(match field {
                RuleField::AstmSender => "H-5",
                RuleField::MessageType => "MSH-9",
                RuleField::ProcessingId => "MSH-11",
                RuleField::SendingApplication => "MSH-3",
                RuleField::SendingFacility => "MSH-4",
                RuleField::Version => "MSH-12",
            }),
            _ => None,
        }
    }

    /// The answer in original mode (table HL70008): AR where sending it again cannot help.
    pub const fn application_code(self) -> AckCode {
        match self {
            Self::BadBatch | Self::CannotKeep | Self::Damaged | Self::IdReused => AckCode::Ae,
            Self::Framing
            | Self::Malware
            | Self::NotAllowed(_)
            | Self::NotHl7
            | Self::NotInspected
            | Self::TooLarge => AckCode::Ar,
        }
    }

    /// The commit answer in enhanced mode (table HL70008).
    pub const fn commit_code(self) -> AckCode {
        match self.application_code() {
            AckCode::Ae => AckCode::Ce,
            _ => AckCode::Cr,
        }
    }

    /// ERR-3 (table HL70357).
    pub const fn condition(self) -> ErrorCondition {
        match self {
            Self::BadBatch | Self::Damaged | Self::Framing | Self::NotHl7 => {
                ErrorCondition::SegmentSequence
            }
            Self::CannotKeep | Self::Malware | Self::NotInspected | Self::TooLarge => {
                ErrorCondition::Internal
            }
            Self::IdReused => ErrorCondition::DuplicateKey,
            Self::NotAllowed(field) => match field {
                RuleField::MessageType => ErrorCondition::UnsupportedMessageType,
                RuleField::ProcessingId => ErrorCondition::UnsupportedProcessingId,
                RuleField::Version => ErrorCondition::UnsupportedVersion,
                _ => ErrorCondition::TableValueNotFound,
            },
        }
    }

    /// Whether the same message stays held however often it comes: what was found is in the message itself.
    pub(crate) const fn is_of_content(self) -> bool {
        matches!(self, Self::Malware | Self::NotInspected)
    }

    /// The first reason with this code of the table of problems.
    pub(crate) fn by_code(code: &str) -> Option<Self> {
        STORED
            .iter()
            .find(|(_, reason)| reason.problem().code == code)
            .map(|(_, reason)| *reason)
    }

    /// The number under which it is stored, 1 to 255.
    pub(crate) fn stored(self) -> u8 {
        STORED
            .iter()
            .find(|(_, reason)| *reason == self)
            .map_or(u8::MAX, |(number, _)| *number)
    }

    /// The reason with this number.
    pub(crate) fn from_stored(number: u8) -> Option<Self> {
        STORED
            .iter()
            .find(|(known, _)| *known == number)
            .map(|(_, reason)| *reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_read_back_as_stored_and_none_is_an_accept() {
        for (number, reason) in STORED {
            assert_eq!(reason.stored(), number);
            assert_eq!(Reason::from_stored(number), Some(reason));
            assert!(!reason.application_code().is_accept());
            assert!(reason.commit_code().is_commit() && !reason.commit_code().is_accept());
        }
        assert_eq!(Reason::from_stored(0), None, "0 stands for accepted");
    }
}
