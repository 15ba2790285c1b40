//! The commands about messages, where they go, and sending some.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `labward message …`
#[derive(Debug, Subcommand)]
pub enum MessageCommand {
    /// List messages, the newest first.
    List(MessageListArgs),
    /// Show what is known about one message, without its content.
    Show {
        /// The record's number.
        record: u64,
    },
    /// Let a held message go on to where it was to go.
    Release(DecisionArgs),
    /// Decide that a held message goes nowhere; it stays kept, sealed.
    Reject(DecisionArgs),
    /// Send a message again, also a dead one.
    Resend(DecisionArgs),
    /// Give up a message that holds its patient's order back; it stays kept, and what waits behind
    /// it goes on.
    Skip(DecisionArgs),
}

/// What `message list` takes.
#[derive(Args, Debug)]
pub struct MessageListArgs {
    /// Only those received, held, waiting or dead.
    #[arg(long, value_parser = ["received", "held", "waiting", "dead"])]
    pub state: Option<String>,
    /// Only of this link.
    #[arg(long)]
    pub link: Option<String>,
    /// Only of this peer.
    #[arg(long)]
    pub peer: Option<String>,
    /// Only at this destination.
    #[arg(long)]
    pub destination: Option<String>,
    /// Only older than this record.
    #[arg(long)]
    pub before: Option<u64>,
    /// How many at most.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
}

/// A decision about one message.
#[derive(Args, Debug)]
pub struct DecisionArgs {
    /// The record's number.
    pub record: u64,
    /// Why; asked for if not given.
    #[arg(long)]
    pub why: Option<String>,
    /// Only at this destination (resend, skip); skip needs it if the message waits at several.
    #[arg(long)]
    pub destination: Option<String>,
}

/// `labward destination …`
#[derive(Debug, Subcommand)]
pub enum DestinationCommand {
    /// List the destinations.
    List,
    /// Let a stopped destination go on.
    Resume {
        /// The destination's name.
        name: String,
        /// Why; asked for if not given.
        #[arg(long)]
        why: Option<String>,
    },
}

/// What `send` takes.
#[derive(Args, Debug)]
pub struct SendArgs {
    /// HL7 v2 files; line ends may be LF, CRLF or CR, batches are split.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Where to send, as host:port.
    #[arg(long, value_name = "HOST:PORT")]
    pub to: String,
    /// Our certificate (PEM, may hold the key and the CA too).
    #[arg(long, value_name = "FILE", required_unless_present = "plain")]
    pub cert: Option<PathBuf>,
    /// Our private key (PEM); the certificate's file if not given.
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// The CA that the receiver's certificate must come from (PEM); the certificate's file if not given.
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// The name in the receiver's certificate, if it is not the host.
    #[arg(long, value_name = "NAME")]
    pub server_name: Option<String>,
    /// Send without TLS, for a test on this machine only.
    #[arg(long, conflicts_with_all = ["cert", "key", "ca"])]
    pub plain: bool,
    /// How long to wait for an acknowledgement, in seconds.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub timeout: u64,
}
