#![doc = include_str!("../README.md")]
//!
//! | Module | Holds |
//! |---|---|
//! | [`assets`] | style sheets and scripts, each under a path that holds its hash |
//! | [`frame`] | what is the same on every page: who reads, in which language, where they are |
//! | [`language`] | every text, in each language |
//! | [`pages`] | one module a page |
//! | [`qr`] | codes for a phone's camera |
//! | [`said`] | what the server says of itself: problems, findings, remarks |
//! | [`segments`] | a message segment by segment |
//!
//! Pages work without a script; scripts only keep them fresh. No page holds an inline script or
//! style, so that the policy of the server can forbid both.

pub mod assets;
pub mod frame;
pub mod language;
pub mod pages;
pub mod qr;
pub mod said;
#[cfg(test)]
mod sayings;
pub mod segments;

/// A page that could not be written; a fault of the template.
pub type RenderError = askama::Error;
