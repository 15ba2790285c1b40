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
        if high.is_ascii_lowercase() || low.is_ascii_lowercase() {
            return Err(FrameError::Shape);
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(number: u8, text: &[u8], end: FrameEnd) -> Vec<u8> {
        let mut bytes = Vec::new();
        Frame { number, text, end }.encode(&mut bytes);
        bytes
    }

    fn check(bytes: &[u8], expect: Result<(u8, &[u8], FrameEnd), FrameError>) {
        let found = Frame::parse(bytes).map(|frame| (frame.number, frame.text, frame.end));
        assert_eq!(found, expect, "{}", bytes.escape_ascii());
    }

    #[test]
    fn only_a_whole_standard_frame_is_a_frame() {
        check(
            b"\x024L|1|N\r\x0307\r\n",
            Ok((4, b"L|1|N\r", FrameEnd::Last)),
        );
        check(
            b"\x024L|1|N\r\x171B\r\n",
            Ok((4, b"L|1|N\r", FrameEnd::Intermediate)),
        );
        check(b"\x024L|1|N\r\x0308\r\n", Err(FrameError::Checksum));
        check(b"\x024L|1|N\r\x171b\r\n", Err(FrameError::Shape));
        check(b"\x024L|1|N\r\x0307\r", Err(FrameError::Shape));
        check(b"\x024L|1|N\r\x0307\n", Err(FrameError::Shape));
        check(b"4L|1|N\r\x0307\r\n", Err(FrameError::Shape));
        check(b"\x024L|1|N\r\x04 7\r\n", Err(FrameError::Shape));
        check(b"\x028L|1|N\r\x030B\r\n", Err(FrameError::Number));
        check(b"\x02\x0303\r\n", Err(FrameError::Number));
        check(b"\x021\n\x033E\r\n", Err(FrameError::ControlInText));
        check(b"", Err(FrameError::Shape));
    }

    #[test]
    fn frame_numbers_go_from_seven_to_zero() {
        let mut number = 1;
        let numbers = std::iter::repeat_with(|| {
            let this = number;
            number = next_number(number);
            this
        });
        assert_eq!(
            numbers.take(9).collect::<Vec<_>>(),
            [1, 2, 3, 4, 5, 6, 7, 0, 1]
        );
    }

    proptest! {
        #[test]
        fn a_frame_is_read_back_as_written(
            number in 0_u8..8,
            text in proptest::collection::vec(0x20_u8..=0xff, 0..300),
            last: bool,
        ) {
            let end = if last { FrameEnd::Last } else { FrameEnd::Intermediate };
            let bytes = encoded(number, &text, end);
            prop_assert_eq!(bytes.len(), text.len() + OVERHEAD_BYTES);
            prop_assert_eq!(Frame::parse(&bytes), Ok(Frame { number, text: &text, end }));
        }

        #[test]
        fn no_single_flipped_bit_passes(
            text in proptest::collection::vec(0x20_u8..0x7f, 0..100),
            at: prop::sample::Index,
            bit in 0..8,
        ) {
            let mut bytes = encoded(1, &text, FrameEnd::Last);
            let at = at.index(bytes.len());
            bytes[at] ^= 1_u8 << bit;
            prop_assert!(Frame::parse(&bytes).is_err());
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = Frame::parse(&bytes);
        }
    }
}
