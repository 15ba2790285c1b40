#![doc = include_str!("../README.md")]
//!
//! | Module | Holds |
//! |---|---|
//! | [`args`] | the commands, from which help, completions and man pages come |
//! | `client` | HTTP `/api/v1` over the admin socket |
//! | `commands` | one file a family of commands |
//! | `failure` | what a person sees when it goes wrong, and the exit code |
//! | `output` | tables for people, JSON for machines |
//! | `prompt` | reasons, passphrases and search criteria, asked for and never in argv |
//! | `view` | a record as a person reads it |

pub mod args;
mod client;
mod commands;
mod failure;
mod output;
mod prompt;
mod view;

use std::process::ExitCode;

pub use args::{Arguments, Command};
pub use client::Client;
pub use failure::Failure;
pub use prompt::opener;

/// Runs a command that talks to the server, or needs none, and gives its exit code.
///
/// What went wrong is printed to standard error as code, what happened and what to do.
pub fn run(arguments: &Arguments, command: &Command) -> ExitCode {
    match commands::run(arguments, command) {
        Ok(code) => code,
        Err(failure) => failure.report(arguments.json),
    }
}
