#![doc = include_str!("../README.md")]
//!
//! | Module | Holds |
//! |---|---|
//! | [`config`] | `edge.toml`: the server, the devices and their lines |
//! | [`folder`] | the edge's folder: identity, queue, ledger, status |
//! | [`mod@enrol`] | enrolment by a one-time code |
//! | `keep` | what the gateway's sessions keep with: seal, one commit, acknowledge |
//! | `queue` | the sealed items that wait, in the order of the ledger |
//! | `uplink` | the way to the server: connect, prove the ledger, deliver, let go |
//! | `renewal` | the next certificate: a new key, a request, both changed at once |
//! | `serial` | a serial line on a link of its own |
//! | [`status`] | what the edge is doing, for people |
//! | [`run`](mod@run) | the edge in the foreground |
//!
//! # The way of one message
//!
//! device → the gateway's own session (frames, parser, policy of the link) → sealed to the server's
//! public key → one commit: entry and sealed item → acknowledgement → uplink → the server's commit →
//! one commit: `message.forwarded`, and the item is let go.

pub mod config;
pub mod enrol;
mod error;
pub mod folder;
mod keep;
mod queue;
mod renewal;
pub mod run;
mod serial;
pub mod status;
mod store;
#[cfg(test)]
mod tests;
mod uplink;

pub use config::EdgeConfig;
pub use enrol::enrol;
pub use error::EdgeError;
pub use folder::EdgeFolder;
pub use run::{Edge, run};
pub use status::{EdgeState, read_status};
