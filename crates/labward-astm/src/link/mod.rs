//! The two ends of an E1381 / LIS01 link as state machines without I/O.
//!
//! [`Receiver`] is the host that takes what instruments send, [`Sender`] the end that sends. Both are
//! given bytes and the time, and hand out actions one by one; neither may ever read a clock or a
//! socket. Whoever drives them calls `tick` at [`Receiver::deadline`] or [`Sender::deadline`].

mod assembly;
mod collect;
mod conduct;
mod receiver;
mod sender;

pub use conduct::{Conduct, Strictness};
pub use receiver::{Action, Damage, LinkMessage, Receiver, Refusal};
pub use sender::{Role, SendAction, SendError, SendFailure, Sender, SenderConduct};
