//! ASTM E1381/LIS01 low-level frames and E1394/LIS02 records: bytes in, values out.
//!
//! It must never do I/O, read a clock (time comes in as [`labward_base::Timestamp`]), re-encode what
//! a device sent, or acknowledge the frame that ends a message before the caller says it is kept.
//!
//! | Module | Holds | Clause |
//! |---|---|---|
//! | [`control`] | the control characters of the link | E1381 / LIS01-A2 |
//! | [`frame`] | one frame, its checksum, its encoding | E1381 / LIS01-A2 |
//! | [`link`] | [`link::Receiver`] and [`link::Sender`], the two ends as state machines | E1381 / LIS01-A2 |
//! | [`Deviation`] | what a device does outside the standard, by a stable name | |
//! | [`record`] | the records of a message, read and written | E1394 / LIS02-A2 |

pub mod control;
mod deviation;
pub mod frame;
pub mod link;
pub mod record;

pub use deviation::Deviation;
