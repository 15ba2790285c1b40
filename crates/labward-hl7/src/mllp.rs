//! The minimal lower layer protocol, releases 1 and 2 (HL7 v2 appendix C; HL7 MLLP release 2).
//!
//! A frame is `0B`, the message, `1C 0D`. In release 2 the receiver answers each frame with one
//! commit block: `0B 06 1C 0D` (stored) or `0B 15 1C 0D` (refused).
//!
//! The decoder is fed bytes and gives events. It must never wait, buffer more than its limit, or
//! drop a byte of a frame without an event. However the bytes are cut into reads, the events are
//! the same. What real senders do wrong between and inside frames:
//!
//! | What comes | What is done |
//! |---|---|
//! | NUL, CR, LF, doubled `0B` or `1C 0D` between frames, ≤ [`NOISE_LIMIT`] bytes | passed over, [`Event::Noise`] |
//! | other bytes before a frame | [`Event::Junk`], the frame follows |
//! | [`JUNK_LIMIT`] bytes without `0B` | [`Event::Junk`] that ends the stream; after 10 s the caller takes them with [`Decoder::take_junk`] |
//! | a TLS or HTTP client | [`Event::TlsHello`], [`Event::Http`]; the stream ends |
//! | `1C` without `0D` | the end only if `0B` follows, or when the caller says so with [`Decoder::finish_lenient`] |
//! | `0B` and `MSH` (`FHS`, `BHS`) inside a frame | the first was cut: [`Event::Cut`]; the second goes on |
//! | other NUL, `0B`, `1C` inside a frame | part of the message |

mod decoder;

pub use decoder::Decoder;

/// Start of a frame.
pub const START: u8 = 0x0B;
/// End of a frame, followed by CR.
pub const END: u8 = 0x1C;
/// The commit block of release 2 that says: stored.
pub const COMMIT_ACK: [u8; 4] = [START, 0x06, END, b'\r'];
/// The commit block of release 2 that says: refused.
pub const COMMIT_NAK: [u8; 4] = [START, 0x15, END, b'\r'];
/// As many bytes of NUL, CR, LF and doubled delimiters between two frames are passed over.
pub const NOISE_LIMIT: usize = 64;
/// As many bytes without a frame's start show that the peer does not speak MLLP.
pub const JUNK_LIMIT: usize = 1024;

/// What the bytes on a link turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A release 2 commit block: the peer stored our frame.
    CommitAck,
    /// A release 2 commit block: the peer refused our frame.
    CommitNak,
    /// A frame that never ended: another began inside it, or the link closed.
    Cut(Vec<u8>),
    /// `0B 1C 0D` with nothing between.
    EmptyFrame,
    /// The content of one frame.
    Frame(Vec<u8>),
    /// The first bytes are an HTTP request; the stream ends here.
    Http,
    /// Bytes outside of any frame.
    Junk {
        /// The bytes, at most [`JUNK_LIMIT`].
        bytes: Vec<u8>,
        /// True if a frame begins right after them; false if the stream ends here.
        resumed: bool,
    },
    /// The content of a frame that ended in `1C` without CR.
    LenientFrame(Vec<u8>),
    /// Meaningless bytes before a frame that were passed over.
    Noise {
        /// How many bytes, at most [`NOISE_LIMIT`].
        count: usize,
    },
    /// A frame became longer than the limit; the rest of it is passed over without an event.
    Oversized {
        /// Its beginning, as long as the limit.
        head: Vec<u8>,
    },
    /// The first byte begins a TLS handshake; the stream ends here.
    TlsHello,
}

/// One frame around a message.
pub fn encode(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 3);
    encode_into(message, &mut out);
    out
}

/// Appends one frame around a message.
pub fn encode_into(message: &[u8], out: &mut Vec<u8>) {
    out.push(START);
    out.extend_from_slice(message);
    out.extend_from_slice(&[END, b'\r']);
}
