//! The commands about what devices do on their lines.

use clap::{Args, Subcommand, ValueEnum};

/// `labward device behaviour` and what belongs to it.
#[derive(Debug, Subcommand)]
pub enum BehaviourCommand {
    /// Show what each device usually does on its line, and how far learning is.
    Behaviour {
        /// The number of one device.
        id: Option<u64>,
    },
    /// List what devices did otherwise than usual, the newest first.
    Unusual {
        /// Only that of the device with this number.
        #[arg(long, value_name = "NUMBER")]
        device: Option<u64>,
        /// Which of it.
        #[arg(long, value_enum, default_value_t = UnusualState::Open)]
        state: UnusualState,
    },
    /// Say that what a device did is expected: it is usual from now on, and the alert is closed.
    Expected(AnswerArgs),
    /// Say that what a device did is not expected, and close the alert.
    Unexpected(AnswerArgs),
}

/// Which alert is answered.
#[derive(Args, Debug)]
pub struct AnswerArgs {
    /// The number of the alert.
    pub alert: u64,
    /// Why; asked for if not given.
    #[arg(long)]
    pub why: Option<String>,
}

/// Which alerts are listed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum UnusualState {
    /// Those that nobody answered and that last.
    Open,
    /// Those that were answered, or are over.
    Closed,
    /// All of them.
    All,
}

impl UnusualState {
    /// The name that the API knows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Closed => "closed",
            Self::Open => "open",
        }
    }
}
