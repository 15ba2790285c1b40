//! The commands about the receivers of events.

use clap::Subcommand;

/// `labward webhook …`
#[derive(Debug, Subcommand)]
pub enum WebhookCommand {
    /// List the webhooks and how far each was told.
    List,
    /// Let one that was given up go on from where it stopped.
    Resume {
        /// The webhook's name.
        name: String,
        /// Why; asked for if not given.
        #[arg(long)]
        why: Option<String>,
    },
    /// Make the secret with which its events are signed; it is shown once.
    Secret {
        /// The webhook's name.
        name: String,
        /// Hours in which the secret before signs, too, so that the receiver can change over.
        #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u64).range(0..=168))]
        overlap_hours: u64,
        /// Why; asked for if not given.
        #[arg(long)]
        why: Option<String>,
    },
    /// Send a signed test event and say what the receiver answered.
    Test {
        /// The webhook's name.
        name: String,
    },
}
