//! How a receiver behaves towards one device; must never change in the middle of a connection.

use std::time::Duration;

use crate::frame::{MAX_TEXT_BYTES, OVERHEAD_BYTES};

/// Whether deviations are refused or noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// Deviations are noted and accepted, as long as nothing is lost by it.
    Lenient,
    /// Deviations are answered with NAK.
    Strict,
}

/// How a [`Receiver`](super::Receiver) behaves, set per device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conduct {
    /// Whether deviations are refused or noted.
    pub strictness: Strictness,
    /// The longest frame accepted, in bytes from STX to LF; a longer one is answered with NAK.
    pub max_frame_bytes: usize,
    /// The longest message accepted, in bytes of text.
    pub max_message_bytes: usize,
    /// The most frames a message may have.
    pub max_frames: u32,
    /// How many bytes are kept while a message waits for its commit.
    pub max_pending_bytes: usize,
    /// After how many NAKs in a row the message is given up (E1381: 6).
    pub tries: u8,
    /// How long an unfinished message may stand still (E1381: 30 s).
    pub frame_timeout: Duration,
    /// How long the sender waits for an answer before it gives up (E1381: 15 s).
    pub reply_timeout: Duration,
    /// How long the line must be silent before a frame without checksum or line end counts as whole.
    pub settle: Duration,
}

impl Conduct {
    /// The conduct towards devices as they are: deviations noted, frames up to 64,007 bytes.
    pub const fn lenient() -> Self {
        Self {
            strictness: Strictness::Lenient,
            max_frame_bytes: 64_000 + OVERHEAD_BYTES,
            max_message_bytes: 16 * 1024 * 1024,
            max_frames: 100_000,
            max_pending_bytes: 64 * 1024,
            tries: 6,
            frame_timeout: Duration::from_secs(30),
            reply_timeout: Duration::from_secs(15),
            settle: Duration::from_secs(1),
        }
    }

    /// The conduct of the standard: any deviation is refused, frames up to 247 bytes.
    pub const fn strict() -> Self {
        Self {
            strictness: Strictness::Strict,
            max_frame_bytes: MAX_TEXT_BYTES + OVERHEAD_BYTES,
            ..Self::lenient()
        }
    }
}

impl Default for Conduct {
    fn default() -> Self {
        Self::lenient()
    }
}
