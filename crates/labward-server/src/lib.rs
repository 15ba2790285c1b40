#![doc = include_str!("../README.md")]
//!
//! | Module | Holds |
//! |---|---|
//! | [`folder`] | the places below the data folder, the names of secrets |

pub mod folder;
pub mod config;
pub mod migrations;
