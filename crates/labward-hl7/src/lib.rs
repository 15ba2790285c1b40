//! The HL7 v2 codec: messages, acknowledgements, batches and MLLP frames; bytes in, values out.
//!
//! It must never do I/O, read a clock, change a message's bytes, or put patient data into an error.
//! Every parser here is total: any bytes give a value or an error, in bounded time and memory.
//!
//! | Module | Holds |
//! |---|---|
//! | [`message`] | [`Message`], [`Segment`]: borrowed views that find segments when asked |
//! | [`field`] | [`Field`], [`Repetition`], [`Component`] and their text |
//! | [`header`] | [`Header`]: the typed view of MSH |
//! | [`ack`] | [`Ack`] writes acknowledgements, [`AckView`] reads them |
//! | [`batch`] | FHS/BHS batches and files of several messages |
//! | [`mllp`] | the frame decoder and encoder, releases 1 and 2 |
//! | [`patient`] | who a message is about: identifiers, names, merges, accessions |
//! | [`escape`], [`charset`] | escape sequences; bytes to text for display only |

pub mod ack;
pub mod batch;
pub mod charset;
pub mod delimiters;
pub mod escape;
pub mod field;
pub mod header;
pub mod message;
pub mod mllp;
pub mod patient;

pub use ack::{Ack, AckCode, AckParseError, AckView, ErrorCondition, parse_ack};
pub use batch::{Batch, BatchError, Deviation};
pub use charset::Charset;
pub use delimiters::Delimiters;
pub use field::{Component, Field, Repetition};
pub use header::{AckCondition, Header, MessageType};
pub use message::{LineEnding, Message, ParseError, Segment, to_cr};

#[cfg(test)]
mod real_data;
