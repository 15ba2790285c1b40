//! The two ends of an E1381 / LIS01 link as state machines without I/O.
//!
//! [`Receiver`] is the host that takes what instruments send, [`Sender`] the end that sends. Both are
//! given bytes and the time, and hand out actions one by one; neither may ever read a clock or a
//! socket. Whoever drives them calls `tick` at [`Receiver::deadline`] or [`Sender::deadline`].

mod action;
mod assembly;
#[cfg(test)]
mod captures;
#[cfg(test)]
mod channel;
mod collect;
mod conduct;
#[cfg(test)]
mod harness;
mod receiver;
mod sender;

pub use action::{Action, Damage, LinkMessage, Refusal};
pub use conduct::{Conduct, Strictness};
pub use receiver::Receiver;
pub use sender::{Role, SendAction, SendError, SendFailure, Sender, SenderConduct};
