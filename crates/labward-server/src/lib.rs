#![doc = include_str!("../README.md")]
//!
//! | Module | Holds |
//! |---|---|
//! | [`backup`] | backups: made, verified, tried, restored, confirmed |
//! | [`check`](mod@check) | what is wrong with the installation, the most harmful first |
//! | [`config`] | the one TOML file, checked |
//! | [`folder`] | the places below the data folder, the names of secrets |
//! | [`mod@migrations`] | the schema of every room in one list |
//! | [`setup`] | how an installation comes into being |
//! | [`app`] | [`build`] and [`App`]: the wiring, start and stop |
//! | `adapters` | what plugs records into the gateway |
//! | `sign_on` | signing in with the lab's identity provider |
//! | `outbound` | what the HTTP library is given for connections that go out |
//! | `enrolment` | the door at which an edge shows its one-time code |
//! | `http` | `/api/v1` over the admin socket, from one table of endpoints |
//! | `threat` | what joins devices and advisories, and how urgent what comes of it is |
//! | `sightings` | what peers say of themselves, on its way to the devices |
//! | `upkeep` | what is done again and again: renewal, alarms, measurements |
//! | `cosign` | asking the ledger's witnesses, beside everything else |
//! | [`witness`] | `labward ledger witness`: a process that cosigns other nodes' checkpoints |
//! | `malware` | the processes that look for malware, and what becomes of what they find |
//! | `mail` | reminders by e-mail to the people who must act |
//! | `webhook` | signed events to receivers that the configuration names |
//! | `behaviour` | what accepted messages show of what devices do, behind their path |
//! | `recurring` | a thread that takes a turn now and then |
//! | `publish` | tiles and checkpoints of the ledger, now and then |
//! | `resume` | whether the ledger can be written, and what happens once it can again |
//! | [`findings`] | what is wrong with the installation, one entry a change |
//! | [`serve`](mod@serve) | the server in the foreground |
//! | `log` | the log |
//!
//! # Start and stop
//!
//! Lock, store, ledger, slots, people and peers; the admin socket; the root key by a key file that
//! is there, or by `unseal`; records, delivery, the duplicate windows, the listeners. It stops the
//! other way round, and the last entry says so.

mod adapters;
pub mod app;
pub mod backup;
mod behaviour;
pub mod check;
pub mod config;
mod cosign;
mod enrolment;
mod error;
pub mod findings;
pub mod folder;
mod http;
mod indexing;
mod log;
mod mail;
mod malware;
pub mod migrations;
mod outbound;
mod publish;
mod recurring;
mod resume;
pub mod serve;
pub mod setup;
mod sightings;
mod sign_on;
#[cfg(test)]
mod tests;
mod threat;
mod upkeep;
mod webhook;
pub mod witness;

pub use app::{App, ConfigSource, Parts, build};
pub use error::ServerError;
pub use http::{openapi_text, reference as api_reference};
pub use labward_assess::reference as safeguard_reference;
pub use migrations::migrations;
pub use serve::{ServeError, ServeOptions, serve};
