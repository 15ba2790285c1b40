//! The command that guards folders.

use std::path::PathBuf;

use clap::Args;

/// What `guard` takes.
#[derive(Args, Debug)]
pub struct GuardArgs {
    /// Which folders are watched and which server is asked; see docs/guide/guard.md.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Only say what would be watched, and whether the server answers.
    #[arg(long)]
    pub check: bool,
}
