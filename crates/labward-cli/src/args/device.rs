//! The commands about devices and what is known of them.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `labward device …`
#[derive(Debug, Subcommand)]
pub enum DeviceCommand {
    /// Read captures of traffic: which devices speak, what they say of themselves, who talks to whom.
    ///
    /// It needs no server and sends nothing. Nothing of a patient is read or shown.
    ReadCapture(ReadCaptureArgs),
}

/// What `device read-capture` takes.
#[derive(Args, Debug)]
pub struct ReadCaptureArgs {
    /// Captures in the form of pcap or pcapng, as tcpdump and Wireshark write them.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The registry of manufacturers of network cards: oui.txt or oui.csv of IEEE, or Wireshark's manuf.
    #[arg(long, value_name = "FILE")]
    pub oui: Option<PathBuf>,
}
