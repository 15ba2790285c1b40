//! The commands about what publishers say of their products.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `labward advisory …`
#[derive(Debug, Subcommand)]
pub enum AdvisoryCommand {
    /// Read CSAF advisories and VEX documents and test them as the standard asks, without any server.
    ///
    /// A hash file beside a document (.sha512, .sha256) is checked, too. Exit code 65 if a document cannot
    /// be read, has an error, or is not what its hash or signature says; the others are shown all the same.
    Check(AdvisoryCheckArgs),
    /// Say which devices of a list the advisories hit, and why, without any server.
    ///
    /// The answer about each is affected, not affected (shown with --all), or cannot tell with its reason:
    /// what a name, a version or a publisher leaves open is never decided.
    Match(AdvisoryMatchArgs),
}

/// What `advisory match` takes.
#[derive(Args, Debug)]
pub struct AdvisoryMatchArgs {
    /// CSAF documents, or folders of which every .json file is read, those in folders below too.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The devices: CSV whose head names manufacturer and model, and maybe name, software and version.
    #[arg(long, value_name = "FILE")]
    pub devices: PathBuf,
    /// CISA's catalog of known exploited vulnerabilities (JSON).
    #[arg(long, value_name = "FILE")]
    pub kev: Option<PathBuf>,
    /// The scores of EPSS (CSV).
    #[arg(long, value_name = "FILE")]
    pub epss: Option<PathBuf>,
    /// Show the advisories that do not affect a device, too.
    #[arg(long)]
    pub all: bool,
}

/// What `advisory check` takes.
#[derive(Args, Debug)]
pub struct AdvisoryCheckArgs {
    /// Files, or folders of which every .json file is read, those in folders below too.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// List every flaw with its place, warnings and information too.
    #[arg(long)]
    pub flaws: bool,
    /// A publisher's OpenPGP public key, whose fingerprint you have compared: each document must then have a
    /// signature by it beside it (.asc); repeatable.
    #[arg(long, value_name = "FILE")]
    pub key: Vec<PathBuf>,
}
