//! The command that looks for malware.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// What `scan` takes.
#[derive(Args, Debug)]
pub struct ScanArgs {
    /// Files, or folders with everything below them.
    #[arg(required_unless_present = "device", value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// What is looked at.
    #[command(flatten)]
    pub disk: ScanDeviceArgs,
    /// What is looked for.
    #[command(flatten)]
    pub rules: ScanRulesArgs,
    /// Where the files come from: what a structure says counts more in a message or a mail than in a folder.
    #[arg(long = "as", value_name = "SETTING", default_value = "file")]
    pub setting: ScanSetting,
    /// Go into folders on other file systems, too.
    #[arg(long)]
    pub cross_file_systems: bool,
    /// How long one file may take, in seconds; one that takes longer is a scanner error.
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub timeout: u64,
    /// How many processes look at files at a time; as many as the machine has cores, at most 8, if not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub jobs: Option<u8>,
    /// List the clean files, too.
    #[arg(long)]
    pub all: bool,
}

/// A disk that somebody brings.
#[derive(Args, Debug)]
pub struct ScanDeviceArgs {
    /// Look at a disk that is mounted read-only here, such as that of an analyzer: everything on it, and nothing else.
    #[arg(long, value_name = "MOUNTPOINT", conflicts_with_all = ["paths", "cross_file_systems"])]
    pub device: Option<PathBuf>,
    /// Look at it even if it can be written to. Labward writes nothing, but what else runs here may.
    #[arg(long, requires = "device")]
    pub allow_writable: bool,
    /// What the disk is called in the report, for example after the analyzer and where it stands.
    #[arg(long, value_name = "TEXT", requires = "device")]
    pub name: Option<String>,
    /// Write a report: JSON into this new file, and a page to print beside it, with .html at its end.
    #[arg(long, value_name = "FILE", requires = "device")]
    pub report: Option<PathBuf>,
    /// The language of the page to print.
    #[arg(
        long,
        value_name = "LANGUAGE",
        default_value = "en",
        requires = "report"
    )]
    pub language: ReportLanguage,
}

/// The language of a page to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportLanguage {
    /// English.
    En,
    /// Spanish.
    Es,
}

/// What is looked for: Labward's own rules always, and what is named.
#[derive(Args, Clone, Debug)]
pub struct ScanRulesArgs {
    /// YARA rules: files, or folders with their .yar and .yara files; repeatable. A rule that cannot be used is named.
    #[arg(long, value_name = "PATH")]
    pub rules: Vec<PathBuf>,
    /// Lists of hashes of malware: plain lines, sha256sum, ClamAV's .hdb and .hsb, MISP's CSV; repeatable.
    #[arg(long, value_name = "FILE")]
    pub hashes: Vec<PathBuf>,
    /// Lists of SHA-256 of files that are known to be good: nothing is told of them; repeatable.
    #[arg(long, value_name = "FILE")]
    pub allow: Vec<PathBuf>,
    /// Rules like those of --rules that a person approved: what they find is malicious and not merely suspicious.
    #[arg(long, value_name = "PATH", num_args = 1.., hide = true)]
    pub approved: Vec<PathBuf>,
    /// Ask ClamAV's daemon at this socket, too; while it does not answer, no file is clean.
    #[arg(long, value_name = "SOCKET")]
    pub clamd: Option<PathBuf>,
}

/// Where files come from.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ScanSetting {
    /// A folder.
    File,
    /// A mail.
    Mail,
    /// A clinical message or document.
    Message,
}
