#![doc = include_str!("../README.md")]
//!
//! | Module | Holds |
//! |---|---|
//! | `requirement` | [`Requirement`] and the table of the rule in force |
//! | `proposed` | what the proposed rule of 2025 would add, as far as it can be measured |
//! | `fact` | [`Fact`]: one thing that was measured |
//! | `decision` | [`Decision`]: what a person decided, and what the rule lets be decided |
//! | `state` | [`assess`]: the state of every requirement |
//! | `store` | the SQL of decisions, with their entries |
//! | `reference` | `docs/ref/safeguards.md` |
//!
//! Everything but `store` is pure: facts, decisions and the time go in, states come out.

mod decision;
mod error;
mod fact;
mod proposed;
mod reference;
mod requirement;
mod state;
mod store;

pub use decision::{Decision, DecisionKind, MAX_DAYS, NewDecision};
pub use error::AssessError;
pub use fact::{Fact, FactKind, Figure, Note, Value};
pub use reference::reference;
pub use requirement::{Obligation, Profile, Reach, Requirement, RequirementKind, Section};
pub use state::{Assessment, State, assess};
pub use store::{MIGRATIONS, decide, decisions, withdraw};
