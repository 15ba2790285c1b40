//! The commands about conduits: with whom devices talk.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `labward conduit …`
#[derive(Debug, Subcommand)]
pub enum ConduitCommand {
    /// List with whom each device talks, and what nobody expected.
    List {
        /// Only those of the device with this number.
        #[arg(long, value_name = "NUMBER")]
        device: Option<u64>,
    },
    /// Approve a conduit of a device; its alert is settled.
    Approve(ConduitArgs),
    /// Refuse a conduit of a device: it is no conversation that the device should have.
    Refuse(ConduitArgs),
    /// Say how a device is treated by the rules that are made of the plan, and whether it still learns.
    Mode {
        /// The number of the device.
        device: u64,
        /// What its rules do.
        #[arg(value_enum)]
        mode: ConduitMode,
        /// Take what is new for expected still.
        #[arg(long)]
        learning: bool,
        /// Why; asked for if not given.
        #[arg(long)]
        why: Option<String>,
    },
    /// Write the plan to a file, for labward segment on the machine that forwards.
    Plan {
        /// The file.
        file: PathBuf,
    },
}

/// Which conduit is meant.
#[derive(Args, Debug)]
pub struct ConduitArgs {
    /// The number of the device.
    pub device: u64,
    /// The other side, as the list shows it.
    pub peer: String,
    /// What is asked for, such as tcp/2575.
    pub service: String,
    /// The other side asks, not the device.
    #[arg(long)]
    pub inbound: bool,
    /// Why; asked for if not given.
    #[arg(long)]
    pub why: Option<String>,
}

/// What the rules of a device do.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ConduitMode {
    /// Nothing.
    Off,
    /// They count what they would drop.
    Test,
    /// They drop what is not approved.
    Enforce,
}

impl ConduitMode {
    /// The name that the API knows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Off => "off",
            Self::Test => "test",
        }
    }
}
