//! The real program in a lab's hands, use case by use case.
//!
//! | Module | Holds |
//! |---|---|
//! | `help` | help, man pages, completions |
//! | `kill` | `kill -9` under load: stored, delivered, in order |
//! | `power` | a disk that loses what was not synced, under the rooms assembled by hand |
//! | `support` | what the tests share: the program, its server, clients and receivers |

#![expect(
    clippy::disallowed_methods,
    reason = "these tests start programs, connect to them and wait for them"
)]

#[cfg(test)]
mod help;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod power;
#[cfg(test)]
mod support;
