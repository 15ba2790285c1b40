//! The commands about the root key, its slots and the archives of keys.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `labward key …`
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// List the slots.
    Slots,
    /// Add a slot.
    Add(KeyAddArgs),
    /// Remove a slot; the last one stays.
    Remove {
        /// The slot's number.
        slot: u32,
    },
    /// Show that a slot still opens, without taking the server down.
    Test {
        /// The slot's number.
        slot: u32,
        /// The key file, if it is a key-file slot that lies elsewhere than recorded.
        #[arg(long, value_name = "FILE")]
        key_file: Option<PathBuf>,
    },
    /// Replace the root key; wraps keys anew and touches no record.
    Rotate,
    /// Say where each slot lives, and whether key and data share a disk.
    Where,
    /// Key archives: copies of slots and wrapped keys, apart from the backups, that expire.
    #[command(subcommand)]
    Archive(ArchiveCommand),
    /// Open the records of a sealed server.
    Unseal {
        /// With this key file; otherwise a passphrase or shares are asked for.
        #[arg(long, value_name = "FILE")]
        key_file: Option<PathBuf>,
        /// With recovery shares, asked for one by one.
        #[arg(long, conflicts_with = "key_file")]
        shares: bool,
    },
}

/// `labward key archive …`
#[derive(Debug, Subcommand)]
pub enum ArchiveCommand {
    /// Copy slots and wrapped keys into a folder; archives whose time is over go first.
    Create {
        /// The folder: never the backup's, best a volume of its own.
        #[arg(long, value_name = "FOLDER")]
        to: PathBuf,
        /// After how many days it is deleted: so long a disposed patient's key may live on in it.
        #[arg(long, default_value_t = 35, value_parser = clap::value_parser!(u32).range(1..=366))]
        days: u32,
        /// Why; asked for if not given.
        #[arg(long)]
        why: Option<String>,
    },
    /// List the archives and until when each is kept.
    List,
    /// Delete the archives whose time is over.
    Expire,
}

/// With which slot a key archive is opened.
#[derive(Args, Debug)]
pub struct SlotArgs {
    /// With this key file; otherwise a passphrase or shares are asked for.
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// With recovery shares, asked for one by one.
    #[arg(long, conflicts_with = "key_file")]
    pub shares: bool,
}

/// What `key add` takes; exactly one kind.
#[derive(Args, Debug)]
pub struct KeyAddArgs {
    /// What the lab calls the slot.
    #[arg(long)]
    pub label: String,
    /// A key file at this path, outside the data folder and best on another volume.
    #[arg(long, value_name = "FILE", group = "kind")]
    pub key_file: Option<PathBuf>,
    /// A passphrase, asked for.
    #[arg(long, group = "kind")]
    pub passphrase: bool,
    /// Recovery shares on paper: how many are needed, of how many, such as 3/5.
    #[arg(long, value_name = "K/N", group = "kind")]
    pub shares: Option<String>,
}
