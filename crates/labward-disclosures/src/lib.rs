#![doc = include_str!("../README.md")]
//!
//! | Module | Holds |
//! |---|---|
//! | `scope` | [`Scope`]: of which devices something is said; [`Kin`]: what a device is |
//! | `disclosure` | [`Disclosure`]: a file and where it came from; [`Content`]: what it says |
//! | `approval` | [`Approval`]: whether a vendor approves a patch |
//! | `disclosures` | [`Disclosures`]: every change, each with its entry |
//! | `system` | [`operating_system`]: which one a disclosure statement names |
//! | `store` | the SQL |

mod approval;
mod disclosure;
mod disclosures;
mod error;
mod scope;
mod store;
mod system;

pub use approval::{Approval, Approved, NewApproval};
pub use disclosure::{Content, Disclosure, DisclosureKind, Held, NewDisclosure};
pub use disclosures::Disclosures;
pub use error::DisclosuresError;
pub use scope::{Kin, Scope};
pub use store::MIGRATIONS;
pub use system::operating_system;

#[cfg(test)]
mod tests;
