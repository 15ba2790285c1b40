//! The commands of `labward`: one definition each, from which the parser, the help, the shell
//! completions and the man pages are made.
//!
//! What identifies a patient is never an argument: other accounts of the machine can read argv.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Guards a medical laboratory's messages, records and evidence.
#[derive(Debug, Parser)]
#[command(name = "labward", version, about, propagate_version = true)]
#[command(
    after_help = "Exit codes: 0 done; 64 wrong usage; 65 bad input; 66 not found; \
    69 unavailable; 70 internal; 71 limit; 73 conflict; 76 damaged; 77 denied; 78 sealed."
)]
pub struct Arguments {
    /// The data folder of the installation.
    #[arg(
        long,
        global = true,
        env = "LABWARD_DATA",
        default_value = "/var/lib/labward"
    )]
    pub data: PathBuf,
    /// Print JSON for a machine instead of text for a person.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Everything that `labward` can be asked to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a new installation: folder, root key, slots, CA, ledger key.
    Init(InitArgs),
    /// Run the server.
    Serve(ServeArgs),
    /// Show a small lab at work on this machine.
    Demo(DemoArgs),
    /// Say what the server is doing.
    Status,
    /// Say what is wrong with this installation, the most harmful first.
    Check,
    /// Root-key slots: any one of them opens the records.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Peers: analyzers, LIS, EHRs, draw sites.
    #[command(subcommand)]
    Peer(PeerCommand),
    /// An edge: Labward beside a device without TLS.
    #[command(subcommand)]
    Edge(EdgeCommand),
    /// People of the lab who may use this program.
    #[command(subcommand)]
    Person(PersonCommand),
    /// Messages, and those that wait for a person.
    #[command(subcommand)]
    Message(MessageCommand),
    /// Records: find, show, export, import.
    #[command(subcommand)]
    Record(RecordCommand),
    /// Patients: legal hold and disposal.
    #[command(subcommand)]
    Patient(PatientCommand),
    /// Destinations and what waits for them.
    #[command(subcommand)]
    Destination(DestinationCommand),
    /// The ledger: verify, export, prove.
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Send HL7 files over MLLP and match each acknowledgement.
    Send(SendArgs),
    /// Print a completion script for a shell.
    Completions {
        /// Which shell.
        shell: Shell,
    },
    /// Write the man pages.
    Man {
        /// The folder to write them to.
        folder: PathBuf,
    },
}

/// The shells that completions are made for.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Shell {
    /// GNU Bash.
    Bash,
    /// Elvish.
    Elvish,
    /// Fish.
    Fish,
    /// Z shell.
    Zsh,
}

/// What `init` takes.
#[derive(Args, Debug)]
pub struct InitArgs {
    /// Answers in a TOML file instead of at the terminal; see docs/ref/init.md.
    #[arg(long, value_name = "FILE")]
    pub unattended: Option<PathBuf>,
}

/// What `serve` takes.
#[derive(Args, Debug)]
pub struct ServeArgs {
    /// The configuration; `labward.toml` in the data folder if not given.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// What `demo` takes.
#[derive(Args, Debug)]
pub struct DemoArgs {
    /// Run a fixed amount, print a summary and exit; not zero if anything is off.
    #[arg(long)]
    pub once: bool,
    /// How many messages each simulated analyzer sends with --once.
    #[arg(long, default_value_t = 200, value_name = "N")]
    pub messages: u32,
}

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

/// `labward peer …`
#[derive(Debug, Subcommand)]
pub enum PeerCommand {
    /// Add a peer and write its certificate bundle and how-to.
    Add(Box<PeerAddArgs>),
    /// Make a one-time code with which an edge enrols; for one that is known, to enrol it again.
    Enroll(Box<PeerEnrollArgs>),
    /// List the peers, and how the edges are.
    List,
    /// Refuse a peer from now on; its open connections are closed.
    Revoke {
        /// The peer's name.
        name: String,
    },
    /// Issue a new certificate to a peer; the old one stays good until it ends or is revoked.
    Renew {
        /// The peer's name.
        name: String,
        /// Where to write the bundle.
        #[arg(long, value_name = "FOLDER", default_value = ".")]
        out: PathBuf,
    },
}

/// `labward edge …`, on the machine beside the device; `--data` names the edge's own folder.
#[derive(Debug, Subcommand)]
pub enum EdgeCommand {
    /// Make this machine an edge of the server that the code names.
    Enroll {
        /// The one-time code from labward peer enroll; `-` reads it from standard input.
        code: String,
        /// Where the server's enrolment door is, as labward peer enroll printed it.
        #[arg(long, value_name = "HOST:PORT")]
        server: String,
    },
    /// Run the edge in the foreground.
    Run,
    /// Say what the edge is doing, and what waits.
    Status,
}

/// What `peer enroll` takes.
#[derive(Args, Debug)]
pub struct PeerEnrollArgs {
    /// The edge's name.
    pub name: String,
    /// Sending application its devices may use (MSH-3); repeat for several, `*` for any.
    #[arg(long = "application", value_name = "MSH-3")]
    pub applications: Vec<String>,
    /// Sending facility they may use (MSH-4).
    #[arg(long = "facility", value_name = "MSH-4")]
    pub facilities: Vec<String>,
    /// Message type they may send (MSH-9), such as ORU^R01.
    #[arg(long = "type", value_name = "MSH-9")]
    pub types: Vec<String>,
    /// Processing id they may use (MSH-11); P if none is given.
    #[arg(long = "processing", value_name = "MSH-11")]
    pub processing: Vec<String>,
    /// ASTM sender they may be (H-5).
    #[arg(long = "astm-sender", value_name = "H-5")]
    pub astm_senders: Vec<String>,
    /// The assigning authority of patient identifiers where a message names none.
    #[arg(long)]
    pub authority: Option<String>,
    /// How long the code holds, in minutes.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=1440))]
    pub minutes: u32,
    /// How long the certificate lasts, in days.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=825))]
    pub days: Option<u32>,
}

/// What `peer add` takes.
#[derive(Args, Debug)]
pub struct PeerAddArgs {
    /// The peer's name.
    pub name: String,
    /// What kind of peer it is.
    #[arg(long, value_enum)]
    pub kind: PeerKind,
    /// Sending application it may use (MSH-3); repeat for several, `*` for any.
    #[arg(long = "application", value_name = "MSH-3")]
    pub applications: Vec<String>,
    /// Sending facility it may use (MSH-4).
    #[arg(long = "facility", value_name = "MSH-4")]
    pub facilities: Vec<String>,
    /// Message type it may send (MSH-9), such as ORU^R01.
    #[arg(long = "type", value_name = "MSH-9")]
    pub types: Vec<String>,
    /// Processing id it may use (MSH-11); P if none is given.
    #[arg(long = "processing", value_name = "MSH-11")]
    pub processing: Vec<String>,
    /// ASTM sender it may be (H-5).
    #[arg(long = "astm-sender", value_name = "H-5")]
    pub astm_senders: Vec<String>,
    /// The assigning authority of its patient identifiers where a message names none.
    #[arg(long)]
    pub authority: Option<String>,
    /// Bind this foreign certificate (PEM) by its public key instead of issuing one.
    #[arg(long, value_name = "FILE")]
    pub certificate: Option<PathBuf>,
    /// How long the certificate lasts, in days.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=825))]
    pub days: Option<u32>,
    /// Where to write the bundle and the how-to.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub out: PathBuf,
}

/// The kinds of peers.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum PeerKind {
    /// An analyzer.
    Analyzer,
    /// A draw site.
    DrawSite,
    /// An electronic health record.
    Ehr,
    /// A laboratory information system.
    Lis,
    /// A provider.
    Provider,
    /// Public health.
    PublicHealth,
}

/// `labward person …`
#[derive(Debug, Subcommand)]
pub enum PersonCommand {
    /// Bind an account of the operating system to a person and a role.
    Add {
        /// The person's name.
        name: String,
        /// The role, or several: in a small lab one person often has more than one.
        #[arg(long = "role", value_enum, value_delimiter = ',', required = true)]
        roles: Vec<Role>,
        /// The account's number.
        #[arg(long)]
        uid: u32,
    },
    /// List the people.
    List,
    /// Remove a person.
    Remove {
        /// The person's number.
        id: u64,
    },
}

/// The roles.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Role {
    /// Runs the installation.
    Administrator,
    /// Cares for patients' samples and results.
    ClinicalStaff,
    /// The outside expert: evidence, no records.
    Expert,
    /// The one IT person.
    It,
    /// Manages the lab.
    LabManager,
    /// Security and compliance.
    SecurityOfficer,
}

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

/// `labward record …`
#[derive(Debug, Subcommand)]
pub enum RecordCommand {
    /// Find patients; the criteria are asked for, or read from standard input as `mrn: …`,
    /// `authority: …`, `name: …`, `birth-date: …`, `accession: …`, `why: …`, one a line.
    Find {
        /// How many patients at most.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
        limit: u32,
    },
    /// Show one record.
    Show {
        /// The record's number.
        record: u64,
        /// Why; asked for if not given.
        #[arg(long)]
        why: Option<String>,
    },
    /// Export one record, or all of one patient.
    Export(ExportArgs),
    /// Import HL7 v2 files and FHIR bundles (also .bz2).
    Import {
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Why; asked for if not given.
        #[arg(long)]
        why: Option<String>,
    },
}

/// What `record export` takes.
#[derive(Args, Debug)]
pub struct ExportArgs {
    /// This record.
    #[arg(long, group = "what")]
    pub record: Option<u64>,
    /// All records of this patient (the opaque number that `find` shows).
    #[arg(long, group = "what")]
    pub patient: Option<u64>,
    /// As the bytes came, or as JSON, one object a line.
    #[arg(long, default_value = "original", value_parser = ["original", "json"])]
    pub format: String,
    /// Where to write; the file must not exist yet.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Why; asked for if not given.
    #[arg(long)]
    pub why: Option<String>,
}

/// `labward patient …`
#[derive(Debug, Subcommand)]
pub enum PatientCommand {
    /// Destroy the keys of a patient's whole merge group; the proof says what it does not cover.
    Dispose {
        /// The patient's opaque number.
        patient: u64,
        /// Why; asked for if not given.
        #[arg(long)]
        why: Option<String>,
        /// The decision that overrides the retention time.
        #[arg(long, value_name = "DECISION")]
        override_retention: Option<String>,
    },
    /// Forbid disposal until the hold is lifted.
    Hold {
        /// The patient's opaque number.
        patient: u64,
        /// Why; asked for if not given.
        #[arg(long)]
        why: Option<String>,
    },
    /// Lift a legal hold.
    Lift {
        /// The patient's opaque number.
        patient: u64,
        /// Why; asked for if not given.
        #[arg(long)]
        why: Option<String>,
    },
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

/// `labward ledger …`
#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// List entries.
    List {
        /// From this index on.
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// How many at most.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Verify the ledger of the running server, or a bundle without any server.
    Verify {
        /// This bundle, offline.
        #[arg(long, value_name = "FILE", requires = "key")]
        bundle: Option<PathBuf>,
        /// The ledger's public key, or a file that holds it.
        #[arg(long, value_name = "PUB", requires = "bundle")]
        key: Option<String>,
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_of_the_commands_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn no_argument_takes_what_identifies_a_patient() {
        fn walk(command: &clap::Command) {
            for argument in command.get_arguments() {
                let name = argument.get_id().as_str();
                assert!(
                    !["mrn", "birth_date", "accession", "patient_name"].contains(&name),
                    "{} takes {name}",
                    command.get_name()
                );
            }
            command.get_subcommands().for_each(walk);
        }
        walk(&Arguments::command());
    }
}
