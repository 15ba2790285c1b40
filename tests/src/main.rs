//! The real program in a lab's hands, use case by use case.
//!
//! | Module | Holds |
//! |---|---|
//! | `bundle` | the outside expert: offline, under another account, any changed byte |
//! | `delivery` | a receiver that refuses, is down, comes back; what a person decides |
//! | `edge` | an edge cut off, killed, damaged, set back; enrolment; a serial line |
//! | `errors` | what goes wrong: codes, exit codes, what to do |
//! | `help` | help, man pages, completions |
//! | `imports` | real bundles: found again, and nowhere in clear |
//! | `keys` | slots, sealed start, rotation |
//! | `kill` | `kill -9` under load: stored, delivered, in order |
//! | `people` | accounts, persons, roles |
//! | `power` | a disk that loses what was not synced, under the rooms assembled by hand |
//! | `strangers` | who is no peer, and what is no message |
//! | `support` | what the tests share: the program, its server, clients and receivers |
//! | `walk` | a lab's day at the command line |

#![expect(
    clippy::disallowed_methods,
    reason = "these tests start programs, connect to them and wait for them"
)]

#[cfg(test)]
mod bundle;
#[cfg(test)]
mod delivery;
#[cfg(test)]
mod edge;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod help;
#[cfg(test)]
mod imports;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod people;
#[cfg(test)]
mod power;
#[cfg(test)]
mod strangers;
#[cfg(test)]
mod support;
#[cfg(test)]
mod walk;
