//! The control characters of an E1381 link; must never be mistaken for text.

/// Start of text: a frame begins.
pub const STX: u8 = 0x02;
/// End of text: the last frame of a record or message ends.
pub const ETX: u8 = 0x03;
/// End of transmission: the sender gives the line back.
pub const EOT: u8 = 0x04;
/// Enquiry: the sender asks for the line.
pub const ENQ: u8 = 0x05;
/// Positive acknowledgement.
pub const ACK: u8 = 0x06;
/// Line feed, the last byte of a frame.
pub const LF: u8 = 0x0a;
/// Carriage return: ends a record, and stands before a frame's last byte.
pub const CR: u8 = 0x0d;
/// Negative acknowledgement.
pub const NAK: u8 = 0x15;
/// End of transmission block: an intermediate frame ends.
pub const ETB: u8 = 0x17;

/// Whether E1381 forbids this byte inside a frame's text.
pub const fn is_forbidden_in_text(byte: u8) -> bool {
    matches!(byte, 0x01..=0x06 | LF | 0x10..=0x17)
}
