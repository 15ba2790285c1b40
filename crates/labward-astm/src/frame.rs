//! One E1381 frame, `STX FN text (ETB|ETX) C1 C2 CR LF`: checked, read and written.
//!
//! It must never accept a frame whose checksum does not match. This is the strict form; what real
//! devices send instead is the business of [`crate::link::Receiver`].

use crate::control::{self, CR, ETB, ETX, LF, STX};

/// The longest text of a standard frame in bytes (E1381; 64,000 in LIS01-A2).
pub const MAX_TEXT_BYTES: usize = 240;
/// What a frame adds to its text, in bytes: STX, number, ETB or ETX, checksum, CR and LF.
pub const OVERHEAD_BYTES: usize = 7;

/// How a frame ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameEnd {
    /// ETB: the record goes on in the next frame.
    Intermediate,
    /// ETX: the record or message ends here.
    Last,
}

/// One frame, its text borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The frame number, 0–7; 1 is the first after ENQ, 0 follows 7.
    pub number: u8,
    /// The text, without any frame overhead.
    pub text: &'a [u8],
    /// Whether the record goes on.
    pub end: FrameEnd,
}

/// Why bytes are not one whole, standard frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The checksum is not that of the bytes.
    #[error("the frame's checksum does not match")]
    Checksum,
    /// The text holds a control character.
    #[error("the frame's text holds a control character")]
    ControlInText,
    /// The frame number is not one of the digits 0–7.
    #[error("the frame's number is not a digit from 0 to 7")]
    Number,
    /// STX, ETB or ETX, the checksum's digits, CR or LF is missing or not in its place.
    #[error("the bytes are not one frame")]
    Shape,
}

impl FrameEnd {
    /// The control character: ETB or ETX.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Intermediate => ETB,
            Self::Last => ETX,
        }
    }
}

impl<'a> Frame<'a> {
    /// Reads exactly one frame from `STX` to `LF`.
    ///
    /// # Errors
    /// The frame is not whole, not standard, or its checksum does not match.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, FrameError> {
        let [STX, body @ .., end, high, low, CR, LF] = bytes else {
            return Err(FrameError::Shape);
        };
        let end = match *end {
            ETB => FrameEnd::Intermediate,
            ETX => FrameEnd::Last,
            _ => return Err(FrameError::Shape),
        };
        let sent = hex_pair(*high, *low).ok_or(FrameError::Shape)?;
        if sent != checksum(body, end) {
            return Err(FrameError::Checksum);
        }
        let [number @ b'0'..=b'7', text @ ..] = body else {
            return Err(FrameError::Number);
        };
        if text.iter().copied().any(control::is_forbidden_in_text) {
            return Err(FrameError::ControlInText);
        }
        Ok(Self {
            number: number - b'0',
            text,
            end,
        })
    }

    /// Appends the frame to `out`, with checksum, CR and LF.
    pub fn encode(&self, out: &mut Vec<u8>) {
        const HEX: [u8; 16] = *b"0123456789ABCDEF";
        let digit = |nibble: u8| HEX.get(usize::from(nibble & 0x0f)).copied().unwrap_or(b'0');
        out.reserve(self.text.len() + OVERHEAD_BYTES);
        out.push(STX);
        let start = out.len();
        out.push(b'0' + (self.number & 7));
        out.extend_from_slice(self.text);
        let sum = checksum(out.get(start..).unwrap_or_default(), self.end);
        out.extend_from_slice(&[self.end.byte(), digit(sum >> 4), digit(sum), CR, LF]);
    }
}

/// The checksum of a frame: the sum of number, text and ETB or ETX, modulo 256.
///
/// `body` is the frame number and the text. Eight bits only: one damaged byte is always found, two
/// that make up for each other are not.
pub fn checksum(body: &[u8], end: FrameEnd) -> u8 {
    body.iter()
        .fold(end.byte(), |sum, byte| sum.wrapping_add(*byte))
}

/// The frame number after this one.
pub const fn next_number(number: u8) -> u8 {
    (number + 1) & 7
}

/// The value of a hex digit in either case.
pub(crate) fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

/// The value of two hex digits in either case.
pub(crate) fn hex_pair(high: u8, low: u8) -> Option<u8> {
    Some(hex_digit(high)? << 4 | hex_digit(low)?)
}
