#![doc = include_str!("../README.md")]
//!
//! | Module | Holds |
//! |---|---|
//! | `alert` | [`Raised`]: a conversation that nobody expected |
//! | `conduits` | [`Conduits`]: every change, each with its entry |
//! | `store` | the SQL |

mod alert;
mod conduits;
mod error;
mod store;

pub use alert::{AlertId, Raised};
pub use conduits::{Conduits, Deciding, Heard, Rules};
pub use error::ConduitsError;
pub use store::MIGRATIONS;

#[cfg(test)]
mod tests;
