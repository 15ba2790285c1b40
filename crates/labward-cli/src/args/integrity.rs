//! The commands that compare the files of a machine with how they were.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::ScanRulesArgs;

/// `labward integrity …`
#[derive(Debug, Subcommand)]
pub enum IntegrityCommand {
    /// Write down how the files below a folder are: a disk or share of an analyzer that is mounted, or a folder here.
    Baseline(IntegrityBaselineArgs),
    /// Say what is otherwise than in a baseline, and what explains it.
    Compare(IntegrityCompareArgs),
    /// Check a baseline's own hash and say what it holds.
    Show {
        /// The baseline.
        baseline: PathBuf,
    },
    /// List the baselines that the server was told of, and what waits for a decision.
    List,
    /// Say at the server whether the changes it was told of are as they should be.
    Decide {
        /// The baseline's name.
        name: String,
        /// What the changes are.
        #[arg(long = "as", value_name = "ANSWER")]
        answer: IntegrityAnswer,
        /// Why, for the ledger; asked for if it is not given.
        #[arg(long)]
        why: Option<String>,
    },
}

/// What `integrity baseline` takes.
#[derive(Args, Debug)]
pub struct IntegrityBaselineArgs {
    /// The folder; what lies on other file systems below it is left out.
    pub folder: PathBuf,
    /// The new file to write. It names files: keep it where they may be named.
    #[arg(long, value_name = "FILE")]
    pub to: PathBuf,
    /// What it is called, such as the machine's name; 1 to 100 characters, and no name of a person.
    #[arg(long, value_name = "NAME")]
    pub name: String,
}

/// What `integrity compare` takes.
#[derive(Args, Debug)]
pub struct IntegrityCompareArgs {
    /// The baseline.
    pub baseline: PathBuf,
    /// The folder as it is now.
    pub folder: PathBuf,
    /// What is looked for in files that are new or changed.
    #[command(flatten)]
    pub rules: ScanRulesArgs,
    /// Do not look for malware in them.
    #[arg(long)]
    pub no_scan: bool,
    /// Do not tell the server on this machine.
    #[arg(long)]
    pub no_tell: bool,
}

/// What a person says of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum IntegrityAnswer {
    /// They are as they should be.
    Expected,
    /// They are not.
    Unexpected,
    /// An update made them.
    Update,
    /// Malware made them.
    Malware,
}

impl IntegrityAnswer {
    /// As the server is told.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Expected => "expected",
            Self::Unexpected => "unexpected",
            Self::Update => "update",
            Self::Malware => "malware",
        }
    }
}
