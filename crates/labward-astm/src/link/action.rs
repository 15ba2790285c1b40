//! What a receiver hands out: bytes to send, messages, and what went wrong; must never hold back what
//! was acknowledged.

use crate::Deviation;

/// What whoever drives a [`Receiver`](super::Receiver) has to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A message broke off; what was acknowledged of it is here, to be kept for a person.
    Damaged {
        /// The text of the frames that were accepted, joined.
        bytes: Vec<u8>,
        /// Why it broke off.
        damage: Damage,
        /// Number and text of the frame that was not accepted or not whole, if there was one.
        rest: Vec<u8>,
        /// What was noted while it came.
        deviations: Vec<Deviation>,
    },
    /// A message is complete.
    Message(LinkMessage),
    /// The device deviates from the standard outside any message.
    Noted(Deviation),
    /// A frame or ENQ is answered with NAK, for this reason.
    Refused {
        /// Why.
        refusal: Refusal,
        /// How many NAKs in a row this makes; 0 for an ENQ.
        tries: u8,
    },
    /// This byte (ACK or NAK) is to be sent.
    Send(u8),
}

/// A message as it came over the link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkMessage {
    /// The records, joined exactly as sent, without frame overhead.
    pub bytes: Vec<u8>,
    /// What was noted while it came, in the order of names, each once.
    pub deviations: Vec<Deviation>,
    /// Whether [`Receiver::committed`](super::Receiver::committed) or [`Receiver::refused`](super::Receiver::refused) must follow.
    ///
    /// False for a message that ended with EOT instead of an L record: its frames were answered.
    pub awaits_commit: bool,
}

/// Why a message broke off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Damage {
    /// EOT came before the message was whole.
    Abandoned,
    /// The connection was closed.
    Closed,
    /// Another message began.
    NewMessage,
    /// Nothing came for longer than [`Conduct::frame_timeout`](super::Conduct::frame_timeout).
    Timeout,
    /// Too many frames in a row had to be refused.
    TooManyTries,
}

/// Why a frame or an ENQ was answered with NAK.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The host said it is busy.
    Busy,
    /// The host could not keep the message.
    ByHost,
    /// The checksum is wrong or garbled.
    Checksum,
    /// A strict link met this deviation.
    Deviation(Deviation),
    /// It has neither the number due nor that of the frame before.
    FrameNumber,
    /// The frame is longer than the link allows.
    FrameTooLong,
    /// The message is longer than the link allows.
    MessageTooLong,
    /// The message has more frames than the link allows.
    TooManyFrames,
}
