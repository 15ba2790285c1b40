//! The commands about the ledger and its witnesses.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `labward ledger …`
#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// List entries, filtered; what identifies a patient stays sealed.
    List(LedgerListArgs),
    /// Verify the ledger of the running server, or a bundle without any server.
    Verify {
        /// This bundle, offline.
        #[arg(long, value_name = "FILE", requires = "key")]
        bundle: Option<PathBuf>,
        /// The ledger's public key, or a file that holds it.
        #[arg(long, value_name = "PUB", requires = "bundle")]
        key: Option<String>,
        /// The public key of a witness whose cosignatures count, or a file that holds it; repeatable.
        #[arg(long, value_name = "KEY", requires = "bundle")]
        witness: Vec<String>,
        /// How many of these witnesses must have cosigned; all if not given.
        #[arg(long, value_name = "N", requires = "witness")]
        quorum: Option<usize>,
        /// A checkpoint of this ledger that somebody else holds, such as a witness; repeatable.
        #[arg(long, value_name = "FILE", requires = "bundle")]
        checkpoint: Vec<PathBuf>,
    },
    /// Export the ledger for an outside expert.
    Export {
        /// A bundle that verifies offline, or FHIR AuditEvents, one a line.
        #[arg(long, default_value = "bundle", value_parser = ["bundle", "fhir"])]
        format: String,
        /// Where to write; the file must not exist yet.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Prove that one entry stands in the ledger (a C2SP tlog-proof).
    Prove {
        /// The entry's index.
        entry: u64,
    },
    /// Print the ledger's public key.
    Key,
    /// Witness the ledgers of others: a process of its own, apart from any installation.
    #[command(subcommand)]
    Witness(WitnessCommand),
}

/// What `ledger list` takes; all that is given must fit.
#[derive(Debug, Args)]
pub struct LedgerListArgs {
    /// From this entry on, the oldest first.
    #[arg(long, default_value_t = 0)]
    pub from: u64,
    /// In front of this entry, the newest first.
    #[arg(long, value_name = "ENTRY")]
    pub before: Option<u64>,
    /// The newest first.
    #[arg(long, conflicts_with = "before")]
    pub newest: bool,
    /// Who acted: `person:3`, `peer:7`, `system`, or `person:` for every person.
    #[arg(long)]
    pub actor: Option<String>,
    /// What was done: `record.shown`, or `record.` for everything that was done to records.
    #[arg(long)]
    pub action: Option<String>,
    /// What it was done to: `record:42`, `destination:EHR`, or `finding:` for every finding.
    #[arg(long)]
    pub subject: Option<String>,
    /// How it ended: `success`, `refused`, `failed`, or one of these with its code.
    #[arg(long)]
    pub outcome: Option<String>,
    /// Whom it was about: the opaque number of a patient.
    #[arg(long, value_name = "NUMBER")]
    pub patient: Option<u64>,
    /// Recorded on this day (YYYY-MM-DD, UTC), at this moment (RFC 3339) or later.
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Recorded on this day or before it, or before this moment.
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// How many at most.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
}

/// `labward ledger witness …`
#[derive(Debug, Subcommand)]
pub enum WitnessCommand {
    /// Make a witness: a folder with a key of its own.
    Init {
        /// The folder; it must not exist yet, or be empty.
        #[arg(long, value_name = "DIR")]
        folder: PathBuf,
        /// The witness's name in its key, such as witness.example/w1; never changed.
        name: String,
    },
    /// Let a ledger be witnessed; the witness may be running.
    AddLog {
        /// The witness's folder.
        #[arg(long, value_name = "DIR")]
        folder: PathBuf,
        /// The ledger's public key (labward ledger key prints it), or a file that holds it.
        key: String,
    },
    /// Cosign what is asked for, in the foreground, until told to stop.
    Serve(WitnessServeArgs),
    /// Show the key, what was cosigned and when, and the evidence of second histories.
    Show {
        /// The witness's folder.
        #[arg(long, value_name = "DIR")]
        folder: PathBuf,
    },
}

/// What `ledger witness serve` takes.
#[derive(Args, Debug)]
pub struct WitnessServeArgs {
    /// The witness's folder.
    #[arg(long, value_name = "DIR")]
    pub folder: PathBuf,
    /// Where to listen; off loopback only with TLS.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8443")]
    pub listen: SocketAddr,
    /// Our certificate and private key (PEM); a bundle of labward peer add serves.
    #[arg(long, value_name = "FILE")]
    pub tls: Option<PathBuf>,
    /// The authorities whose holders may connect (PEM); those in the --tls file if not given.
    #[arg(long, value_name = "FILE", requires = "tls")]
    pub clients: Option<PathBuf>,
    /// Let whoever connects ask, without a certificate; signatures are checked all the same.
    #[arg(long, requires = "tls", conflicts_with = "clients")]
    pub any_client: bool,
    /// Listen unencrypted off this machine: why.
    #[arg(long, value_name = "REASON", conflicts_with = "tls", requires_all = ["plain_owner", "plain_until"])]
    pub plain_reason: Option<String>,
    /// Who answers for that.
    #[arg(long, value_name = "NAME", requires = "plain_reason")]
    pub plain_owner: Option<String>,
    /// The last day of it, YYYY-MM-DD.
    #[arg(long, value_name = "DAY", requires = "plain_reason")]
    pub plain_until: Option<String>,
}
