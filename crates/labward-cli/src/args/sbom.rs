//! The command that says what Labward is made of.

use std::path::PathBuf;

use clap::Args;

/// What `sbom` takes.
#[derive(Args, Debug)]
pub struct SbomArgs {
    /// Say instead which of these known vulnerabilities hit it: OSV documents, archives or folders of them,
    /// such as an export of OSV; repeatable.
    #[arg(long = "match", value_name = "PATH", num_args = 1..)]
    pub paths: Vec<PathBuf>,
}
