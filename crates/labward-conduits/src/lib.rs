#![doc = include_str!("../README.md")]
//!
//! | Module | Holds |
//! |---|---|
//! | `alert` | [`Raised`]: a conversation that nobody expected |
//! | `behaviour` | [`Behaviours`]: what each device usually does on its line, and an alert for what it does otherwise |
//! | `conduits` | [`Conduits`]: every change, each with its entry |
//! | `store` | the SQL |

mod alert;
mod behaviour;
mod conduits;
mod error;
mod store;

pub use alert::{AlertId, Raised};
pub use behaviour::{Answer, Behaviours, Known, Outcome, Unusual};
pub use conduits::{Conduits, Deciding, Heard, Rules};
pub use error::ConduitsError;
pub use store::{BEHAVIOUR_MIGRATIONS, MIGRATIONS};

#[cfg(test)]
mod tests;
