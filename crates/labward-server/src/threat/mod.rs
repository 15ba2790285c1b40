//! What joins the devices and the advisories, and how urgent what comes of it is.
//!
//! It must never leave hits as they were when a device, a document or a statement is other than before.
//!
//! | Module | Holds |
//! |---|---|
//! | `intake` | what was found in a file, on its way to the advisories, and the keys by which it is checked |
//! | `kin` | what is disclosed of a device, and what of that is matched |
//! | `matching` | the thread that matches again, and what is matched |
//! | `sources` | the configured sources, read and fetched when their time has come |
//! | `urgency` | how urgent a hit is, by which day, and where it stands |

pub(crate) mod intake;
pub(crate) mod kin;
pub(crate) mod matching;
mod sources;
pub(crate) mod urgency;

pub(crate) use matching::{rematch, start as start_matching};
pub(crate) use sources::SourceFaults;
pub(crate) use urgency::{Urgency, urgency};
