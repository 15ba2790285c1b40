#![doc = include_str!("../README.md")]
//!
//! | Module | Holds |
//! |---|---|
//! | [`file`](mod@file) | [`CaptureReader`]: pcap and pcapng, piece by piece |
//! | [`packet`] | link, network and transport layer of one frame |
//! | [`flow`] | the bounded heads of TCP streams |
//! | [`conversation`] | who talks to whom, counted |
//! | [`dissect`] | one module a protocol: what its bytes say of a device |
//! | [`observer`] | [`Observer`]: frames in, sightings and conversations out |
//! | [`inventory`] | the sightings of each device, put together |
//! | [`oui`] | the registry of manufacturers of network cards, read from a file of the user |
//! | [`udi`] | unique device identifiers (21 CFR 801.40): GS1, HIBCC, ICCBBA |

mod address;
mod bytes;
pub mod conversation;
pub mod dissect;
pub mod file;
pub mod flow;
pub mod inventory;
pub mod observer;
pub mod oui;
pub mod packet;
mod sighting;
pub mod udi;

pub use address::{Address, Mac};
pub use file::CaptureReader;
pub use observer::{Limits, Observed, Observer};
pub use sighting::{About, Attribute, Confidence, Fact, Facts, Sighting, Source, VALUE_BYTES_MAX};

#[cfg(test)]
mod build;
#[cfg(test)]
mod real_data;
