//! The commands of `labward`: one definition each, from which the parser, the help, the shell
//! completions and the man pages are made.
//!
//! What identifies a patient is never an argument: other accounts of the machine can read argv.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

mod advisory;
mod behaviour;
mod conduit;
mod device;
mod export;
mod guard;
mod hit;
mod integrity;
mod mail;
mod mail_filter;
mod malware;
mod peer;
mod safeguard;
mod sbom;
mod scan;
mod segment;
mod update;
mod webhook;

pub use advisory::{AdvisoryCheckArgs, AdvisoryCommand, AdvisoryManifestArgs, AdvisoryMatchArgs};
pub use behaviour::{AnswerArgs, BehaviourCommand, UnusualState};
pub use conduit::{ConduitArgs, ConduitCommand, ConduitMode};
pub use device::{
    ApproveArgs, AttachArgs, DeviceCommand, DeviceListFormat, DeviceState, DeviceValues,
    ListenArgs, ReadCaptureArgs, ReadMds2Args,
};
pub use export::ListExportArgs;
pub use guard::GuardArgs;
pub use hit::{HitCommand, HitProductArgs, HitState, HitStateArgs, HitStatus, HitTreatment, YesNo};
pub use integrity::{
    IntegrityAnswer, IntegrityBaselineArgs, IntegrityCommand, IntegrityCompareArgs,
};
pub use mail::MailCommand;
pub use mail_filter::{MailFilterArgs, MailFilterPlace, MaliciousMail, UnseenMail};
pub use malware::{
    Closing, DetectionState, ImportRulesArgs, ItemArgs, MalwareCommand, QuarantineCommand,
    QuarantineState, RulesCommand, RulesKind, SetArgs,
};
pub use safeguard::{DecisionKind, Profile, SafeguardCommand};
pub use sbom::SbomArgs;
pub use scan::{ReportLanguage, ScanArgs, ScanDeviceArgs, ScanRulesArgs, ScanSetting};
pub use segment::{
    SegmentApplyArgs, SegmentArgs, SegmentCommand, SegmentExportArgs, SegmentFileArgs,
    SegmentFormat, SegmentPlanArgs, SegmentRollbackArgs, SegmentStatusArgs,
};
pub use update::{UpdateCheckArgs, UpdateCommand};
pub use webhook::WebhookCommand;

pub use peer::{
    EdgeCommand, ExpertArgs, PasskeyCommand, PeerAddArgs, PeerCommand, PeerEnrollArgs, PeerKind,
    PeerList, PeerSetArgs, PersonCommand, Role, ScopeArgs, SessionCommand, TokenCommand,
};

/// Guards a medical laboratory's messages, records and evidence.
#[derive(Debug, Parser)]
#[command(name = "labward", version, about, propagate_version = true)]
#[command(
    after_help = "Exit codes: 0 done; 1, 2 only of scan and integrity compare: found, not all looked into; 64 wrong usage; 65 bad input; 66 not found; \
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
    /// Put labward.toml in force as it is now, without closing a connection.
    Reload(ReloadArgs),
    /// Root-key slots: any one of them opens the records.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Backups: everything but the keys, restored with a key archive and any slot.
    #[command(subcommand)]
    Backup(BackupCommand),
    /// Peers: analyzers, LIS, EHRs, draw sites.
    #[command(subcommand)]
    Peer(PeerCommand),
    /// Devices: what is there, from lists, from traffic and by hand.
    #[command(subcommand)]
    Device(DeviceCommand),
    /// An edge: Labward beside a device without TLS.
    #[command(subcommand)]
    Edge(EdgeCommand),
    /// People of the lab who may use this program.
    #[command(subcommand)]
    Person(PersonCommand),
    /// Sessions: who is signed in at the console.
    #[command(subcommand)]
    Session(SessionCommand),
    /// Passkeys with which people sign in at the console.
    #[command(subcommand)]
    Passkey(PasskeyCommand),
    /// Tokens with which programs act at the API over TLS.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Messages, and those that wait for a person.
    #[command(subcommand)]
    Message(MessageCommand),
    /// Records: find, show, export, import.
    #[command(subcommand)]
    Record(RecordCommand),
    /// Patients: all results, who looked at them, legal hold, disposal.
    #[command(subcommand)]
    Patient(PatientCommand),
    /// Emergency access: open and end it, see who had one, review it.
    #[command(subcommand)]
    BreakGlass(BreakGlassCommand),
    /// Destinations and what waits for them.
    #[command(subcommand)]
    Destination(DestinationCommand),
    /// Receivers of events: how far each was told, secrets, tests.
    #[command(subcommand)]
    Webhook(WebhookCommand),
    /// Reminders by e-mail: recipients, tests.
    #[command(subcommand)]
    Mail(MailCommand),
    /// The ledger: verify, export, prove.
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// The requirements of the HIPAA Security Rule, each with its state from measured facts.
    #[command(subcommand)]
    Safeguard(SafeguardCommand),
    /// Advisories: what publishers say about their products.
    #[command(subcommand)]
    Advisory(AdvisoryCommand),
    /// Hits: published vulnerabilities that concern devices of the lab.
    #[command(subcommand, visible_alias = "match")]
    Hit(HitCommand),
    /// Conduits: with whom devices talk, and what people decided about it.
    #[command(subcommand)]
    Conduit(ConduitCommand),
    /// Segmentation: what devices may do on the network, learned, decided and enforced, without any server.
    Segment(SegmentArgs),
    /// Malware: what was found, what lies in quarantine, and by which rules.
    #[command(subcommand)]
    Malware(MalwareCommand),
    /// Take a list out as a CSV file, all pages of it; it is recorded.
    Export(ListExportArgs),
    /// Releases of Labward itself.
    #[command(subcommand)]
    Update(UpdateCommand),
    /// Print what this program is made of, as a bill of materials (CycloneDX 1.6, JSON).
    Sbom(SbomArgs),
    /// Look for malware in files and folders, in everything that is packed in them, without any server.
    ///
    /// No file is changed, and no link is followed. Exit code 0 if all is clean; 1 if something is suspicious or malicious;
    /// 2 if nothing was found, but something could not be looked into or a file could not be read.
    Scan(ScanArgs),
    /// Files of a machine, a disk or a share: how they were, and what is otherwise now.
    #[command(subcommand)]
    Integrity(IntegrityCommand),
    /// The process in which `scan` looks; it speaks a protocol of its own on its standard input.
    #[command(hide = true)]
    ScanChild(ScanRulesArgs),
    /// Guard folders of this machine: have the server look at files before they are opened, or once they were written.
    ///
    /// What is malicious goes into the server's quarantine and is removed here; what two people give back is written back.
    /// It takes root, and gives up the rights that it does not need. SIGTERM or Ctrl-C ends it.
    Guard(GuardArgs),
    /// Filter the mails of the lab's mail server (Postfix, Sendmail): a milter that has the server look at each one.
    ///
    /// What is malicious goes into the server's quarantine, and a notice with its number to the recipients. While the
    /// server is not well, senders are asked to try again later. SIGTERM or Ctrl-C ends it, once mails that have begun are dealt with.
    MailFilter(MailFilterArgs),
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
    /// Where the set-up in the browser listens while the data folder is empty; the console then
    /// listens there, too.
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        env = "LABWARD_SETUP_LISTEN",
        default_value = "127.0.0.1:8443"
    )]
    pub setup_listen: SocketAddr,
    /// If the data folder is empty, set it up with these answers instead of in the browser; see
    /// docs/ref/init.md.
    #[arg(long, value_name = "FILE", env = "LABWARD_SETUP_FILE")]
    pub setup_file: Option<PathBuf>,
}

/// What `reload` takes.
#[derive(Args, Debug)]
pub struct ReloadArgs {
    /// Show what would change, key by key, and change nothing.
    #[arg(long)]
    pub preview: bool,
    /// Why; asked for if not given.
    #[arg(long)]
    pub why: Option<String>,
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
        /// For a patient who cannot wait, also while the ledger cannot be written; it is reviewed.
        #[arg(long)]
        break_glass: bool,
    },
    /// Show one record.
    Show {
        /// The record's number.
        record: u64,
        /// Why; asked for if not given.
        #[arg(long)]
        why: Option<String>,
        /// For a patient who cannot wait, also while the ledger cannot be written; it is reviewed.
        #[arg(long)]
        break_glass: bool,
    },
    /// Export one record, or all of one patient.
    Export(ExportArgs),
    /// Keep any file, of any size, as a document of a patient.
    Add {
        /// The file.
        file: PathBuf,
        /// The patient (the opaque number that `find` shows).
        #[arg(long)]
        patient: u64,
        /// Why; asked for if not given.
        #[arg(long)]
        why: Option<String>,
    },
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
    /// As the bytes came, or as JSON, one object a line; there a document above 1 MiB is its size only.
    #[arg(long, default_value = "original", value_parser = ["original", "json"])]
    pub format: String,
    /// Only these bytes of one record, counted from 0 and both included: 0-1023, or 4096- to the end.
    #[arg(long, value_name = "FIRST-LAST", requires = "record", value_parser = byte_range)]
    pub bytes: Option<(u64, Option<u64>)>,
    /// Where to write; the file must not exist yet.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Why; asked for if not given.
    #[arg(long)]
    pub why: Option<String>,
}

/// `FIRST-LAST` or `FIRST-`.
fn byte_range(text: &str) -> Result<(u64, Option<u64>), String> {
    let wrong = || "write it as 0-1023, or 4096- to the end".to_owned();
    let (first, last) = text.split_once('-').ok_or_else(wrong)?;
    let first = first.parse().map_err(|_| wrong())?;
    let last = match last {
        "" => None,
        last => Some(last.parse().map_err(|_| wrong())?),
    };
    if last.is_some_and(|last| last < first) {
        return Err("the last byte comes before the first".to_owned());
    }
    Ok((first, last))
}

/// `labward break-glass …`
#[derive(Debug, Subcommand)]
pub enum BreakGlassCommand {
    /// End the emergency access that you have open, before its time.
    End,
    /// List the emergency accesses, the newest first.
    List {
        /// Only those that nobody reviewed yet.
        #[arg(long)]
        waiting: bool,
    },
    /// Open an emergency access for a patient who cannot wait; it ends by itself.
    Open {
        /// Why the patient cannot wait; asked for if not given.
        #[arg(long)]
        why: Option<String>,
        /// For how many minutes; as long as the configuration allows if not given.
        #[arg(long)]
        minutes: Option<u64>,
    },
    /// Record what you found about an emergency access of somebody else that is over.
    Review {
        /// Its number.
        number: u64,
        /// What you found.
        #[arg(value_parser = ["appropriate", "not-appropriate"])]
        verdict: String,
        /// What you noted; asked for if not given.
        #[arg(long)]
        note: Option<String>,
    },
    /// Show one emergency access: who, when, why, and what was read under it.
    Show {
        /// Its number.
        number: u64,
    },
}

/// `labward patient …`
#[derive(Debug, Subcommand)]
pub enum PatientCommand {
    /// List who received, saw and was given the patient's records, when and why (an accounting of
    /// disclosures and more).
    Accesses {
        /// The patient's opaque number.
        patient: u64,
        /// Why; asked for if not given.
        #[arg(long)]
        why: Option<String>,
        /// From this day (YYYY-MM-DD, UTC) or moment (RFC 3339) on; the last six years if not given.
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// To the end of this day, or before this moment; until now if not given.
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
    },
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
    /// Show all results of the patient as one table.
    Results {
        /// The patient's opaque number.
        patient: u64,
        /// Why; asked for if not given.
        #[arg(long)]
        why: Option<String>,
        /// For a patient who cannot wait, also while the ledger cannot be written; it is reviewed.
        #[arg(long)]
        break_glass: bool,
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
