#![doc = include_str!("../README.md")]
//!
//! | Module | Holds |
//! |---|---|
//! | `document` | [`Document`]: what a publisher says, and where it came from |
//! | `intake` | [`Intake`]: files on their way in, each with what becomes of it |
//! | `listing` | [`Listing`]: what was fetched of a source that is a list of documents |
//! | `library` | [`Library`]: all documents in memory |
//! | `hit` | [`Hit`]: a device and a vulnerability; [`Judged`]: what the last matching said of them |
//! | `osv` | vulnerabilities of packages, as they are kept |
//! | `parts` | [`Parts`]: a bill of materials, and what its components are hit by |
//! | `vex` | [`VexDocument`]: what publishers say in VEX documents, and what of it decides |
//! | `statement` | [`Statement`]: what a person said |
//! | `treatment` | [`Treatment`]: what a person decided |
//! | `rematch` | which hits open and close when everything is matched again |
//! | `threats` | [`Threats`]: every change, each with its entry |
//! | `store` | the SQL |

mod document;
mod error;
mod hit;
mod intake;
mod library;
mod listing;
mod osv;
mod parts;
mod rematch;
mod statement;
mod store;
mod threats;
mod treatment;
mod vex;

pub use document::{Document, DocumentKind, Integrity, Source};
pub use error::ThreatsError;
pub use hit::{ClosedBy, Hit, HitKey, Judged, PublishedAnswer, Step, Told};
pub use intake::{Incoming, Intake, Line, LineState};
pub use library::Library;
pub use listing::{Fetched, Listing, Progress};
pub use parts::Parts;
pub use rematch::{KEV, Subject};
pub use statement::{NewStatement, Said, Statement, Status};
pub use store::MIGRATIONS;
pub use store::listing::LISTING_MIGRATIONS;
pub use threats::{Imported, Matched, Threats};
pub use treatment::{NewTreatment, Treatment, TreatmentKind};
pub use vex::VexDocument;

#[cfg(test)]
mod tests;
