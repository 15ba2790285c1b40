//! The milter protocol between a mail server and a filter, versions 2 to 6: bytes in, values out.
//!
//! It must never do I/O, read a clock, or look into the mail that it carries. It has no standard of its own: what is
//! carried out is what Sendmail's `libmilter` and Postfix do.
//!
//! | Module | Holds |
//! |---|---|
//! | [`command`] | what the mail server says |
//! | [`options`] | what may be changed and which steps are left out, agreed at the start |
//! | [`packet`] | the line cut into packets |
//! | [`reply`] | what the filter answers |

pub mod command;
mod fields;
pub mod options;
pub mod packet;
pub mod reply;

pub use command::{Command, Family, Origin};
pub use options::{Actions, Options, Steps};
pub use packet::{Decoder, Packet};
pub use reply::Reply;

/// Why bytes are not of this protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MilterError {
    /// A packet of a kind that this side does not get.
    #[error("no packet is of the kind {0:#04x}")]
    Kind(u8),
    /// A packet without a kind.
    #[error("a packet is empty")]
    Empty,
    /// A packet longer than [`packet::MAX_BYTES`].
    #[error("a packet of {0} bytes is longer than what is taken")]
    TooLong(u32),
    /// A packet of this kind that ends too early or holds too much.
    #[error("a packet of the kind {0:#04x} does not hold what it must")]
    Malformed(u8),
    /// The other end speaks a version that is too old, or cannot do what is needed.
    #[error("the other end cannot do what is needed")]
    Incapable,
}
