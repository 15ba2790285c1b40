//! The commands that back up and bring back.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::SlotArgs;

/// `labward backup …`
#[derive(Debug, Subcommand)]
pub enum BackupCommand {
    /// Back up everything but the keys while the server goes on; only what changed is written.
    Create {
        /// The folder, on another volume.
        #[arg(long, value_name = "FOLDER")]
        to: PathBuf,
        /// How many generations are kept.
        #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=1000))]
        keep: u32,
        /// Why; asked for if not given.
        #[arg(long)]
        why: Option<String>,
    },
    /// List the generations in a folder; needs no server.
    List {
        /// The folder of backups.
        #[arg(long, value_name = "FOLDER")]
        from: PathBuf,
    },
    /// Read every part and compare it with what was signed, or try a whole restore.
    Verify(BackupVerifyArgs),
    /// Make a new installation from a backup, a key archive and any slot; needs no server.
    Restore(BackupRestoreArgs),
    /// Let delivery go on after a restore.
    Confirm {
        /// Why; asked for if not given.
        #[arg(long)]
        why: Option<String>,
    },
}

/// What `backup verify` takes.
#[derive(Args, Debug)]
pub struct BackupVerifyArgs {
    /// The folder of backups.
    #[arg(long, value_name = "FOLDER")]
    pub from: PathBuf,
    /// Only this generation; all if not given, and the newest with --drill.
    #[arg(long, value_name = "N")]
    pub generation: Option<u64>,
    /// Without a server: against this public key of the ledger, or a file that holds it.
    #[arg(long, value_name = "PUB", conflicts_with = "drill")]
    pub key: Option<String>,
    /// Restore into a scratch folder, open a sample of records, and record how long it took.
    #[arg(long, requires = "keys")]
    pub drill: bool,
    /// The folder of key archives, for --drill.
    #[arg(long, value_name = "FOLDER", requires = "drill")]
    pub keys: Option<PathBuf>,
    /// The slot that opens the key archive, for --drill.
    #[command(flatten)]
    pub slot: SlotArgs,
    /// Why, for --drill; asked for if not given.
    #[arg(long, requires = "drill")]
    pub why: Option<String>,
}

/// What `backup restore` takes.
#[derive(Args, Debug)]
pub struct BackupRestoreArgs {
    /// The folder of backups.
    #[arg(long, value_name = "FOLDER")]
    pub from: PathBuf,
    /// The folder of key archives, or one archive.
    #[arg(long, value_name = "FOLDER")]
    pub keys: PathBuf,
    /// The data folder to make; nothing may be there.
    #[arg(long, value_name = "DATA")]
    pub to: PathBuf,
    /// This generation; the newest if not given.
    #[arg(long, value_name = "N")]
    pub generation: Option<u64>,
    /// The slot that opens the key archive.
    #[command(flatten)]
    pub slot: SlotArgs,
    /// Go on although the key archive is older than the backup, and lose what it does not open.
    #[arg(long)]
    pub without_missing_keys: bool,
}
