#![doc = include_str!("../README.md")]
//!
//! | Module | Holds |
//! |---|---|
//! | `attribute` | [`Attribute`]: what is known of a device, and how a value must look |
//! | `observation` | [`Observation`]: one value, who said it, when and how sure that is |
//! | `device` | [`Device`] and [`Shown`]: which value counts, and where voices disagree |
//! | `key` | [`KeyKind`]: by what a device is known again |
//! | `inventory` | all devices in memory, and how one is found |
//! | `devices` | [`Devices`]: every change, each with its entry |
//! | `import` | [`ImportFormat`]: lists of devices from files |
//! | `sighting` | [`Said`]: what a peer says of itself |
//! | `store` | the SQL |

mod attribute;
mod device;
mod devices;
mod error;
mod import;
mod inventory;
mod key;
mod observation;
mod sighting;
mod store;

pub use attribute::{Attribute, Criticality};
pub use device::{Conflict, Device, Shown, ShownValue};
pub use devices::{Devices, NewValues};
pub use error::DevicesError;
pub use import::{ImportFormat, Imported, Line, LineFault, LineState};
pub use key::KeyKind;
pub use observation::{Confidence, Observation, Source};
pub use sighting::{Said, Sighting};
pub use store::MIGRATIONS;

#[cfg(test)]
mod tests;
