//! The commands about releases of Labward itself.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `labward update …`
#[derive(Debug, Subcommand)]
pub enum UpdateCommand {
    /// Say what is new since this program, by a signed list of releases that you fetched.
    ///
    /// Nothing is downloaded or installed. A list that its key did not sign, that has run out, or that is
    /// older than one seen before (with --state) is refused.
    Check(UpdateCheckArgs),
}

/// What `update check` takes.
#[derive(Args, Debug)]
pub struct UpdateCheckArgs {
    /// The list of releases.
    #[arg(long, value_name = "FILE")]
    pub releases: PathBuf,
    /// Its signature (.minisig).
    #[arg(long, value_name = "FILE")]
    pub signature: PathBuf,
    /// The public key of minisign with which releases are signed; none is built in.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// Where it is kept which list was seen last; the file is made if there is none.
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
}
