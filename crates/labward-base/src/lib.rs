//! What every room of Labward stands on: typed ids, time as a parameter, secrets, and the tables of
//! problems and remarks a person can see.
//!
//! It must never read a clock, touch a disk or a socket, or know what a patient, a peer or a
//! message is beyond its id.
//!
//! | Module | Holds |
//! |---|---|
//! | [`id`] | one type per kind of id, so that a device is never mistaken for a patient |
//! | [`clock`] | [`Timestamp`] and the [`Clock`] trait (**Invariant:** time is a parameter) |
//! | [`hex`] | bytes as hexadecimal digits, and back |
//! | [`secret`] | [`Secret`]: zeroized when dropped, without `Debug` and without `Serialize` |
//! | [`problem`] | [`Problem`]: stable code, what happened, what to do |
//! | [`remark`] | [`Remark`]: a short text with places, which every language says in its own words |
//! | [`saying`] | [`Saying`]: the same for a pure room's rules, with its text beside the rule |

pub mod clock;
pub mod hex;
pub mod id;
pub mod problem;
pub mod remark;
pub mod saying;
pub mod secret;

pub use clock::{Clock, Timestamp};
pub use problem::{ErrorKind, Problem};
pub use remark::Remark;
pub use saying::Saying;
pub use secret::Secret;
