#![doc = include_str!("../README.md")]
//!
//! | Module | Holds |
//! |---|---|
//! | [`network`] | [`Network`]: an address or a prefix; what is public, what no router forwards |
//! | [`conduit`] | [`Conduit`], [`Service`], [`Observation`]: who may open what to whom |
//! | [`plan`] | [`Plan`]: devices, their modes and conduits; versioned JSON, checked as it is read |
//! | [`learn`] | observations become conduits that wait for a person |
//! | [`baseline`] | [`Baseline`]: what a device does that it did not do before |
//! | [`name`] | the names of chains and counters |
//! | [`ruleset`] | [`Ruleset`]: chains of typed terms, made from a plan; their text and hash |
//! | [`loaded`] | [`Loaded`]: the answer of `nft -j -n list table`, its counters and [`Liveness`] |
//! | [`export`] | the same as CSV and as an extended access list |

pub mod baseline;
pub mod conduit;
pub mod export;
mod hash;
pub mod learn;
pub mod loaded;
pub mod name;
pub mod network;
pub mod plan;
pub mod ruleset;

pub use baseline::{Alert, Baseline, Novelty};
pub use conduit::{Conduit, Decision, Direction, Observation, Ports, Seen, Service};
pub use hash::{Hash, NotAHash};
pub use learn::Learned;
pub use loaded::{Count, DeviceCounts, Liveness, Loaded, ReadError, holds_table};
pub use network::Network;
pub use plan::{ListedDevice, Mode, Plan, PlanError, PlannedDevice};
pub use ruleset::{CompileError, Ruleset, TABLE};

#[cfg(test)]
mod samples;
