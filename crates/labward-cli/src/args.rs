//! The commands of `labward`: one definition each, from which the parser, the help, the shell
//! completions and the man pages are made.
//!
//! What identifies a patient is never an argument: other accounts of the machine can read argv.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

mod advisory;
mod backup;
mod behaviour;
mod conduit;
mod device;
mod export;
mod guard;
mod hit;
mod integrity;
mod key;
mod ledger;
mod mail;
mod mail_filter;
mod malware;
mod message;
mod peer;
mod record;
mod safeguard;
mod sbom;
mod scan;
mod segment;
mod update;
mod webhook;

pub use advisory::{AdvisoryCheckArgs, AdvisoryCommand, AdvisoryManifestArgs, AdvisoryMatchArgs};
pub use backup::{BackupCommand, BackupRestoreArgs, BackupVerifyArgs};
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
pub use key::{ArchiveCommand, KeyAddArgs, KeyCommand, SlotArgs};
pub use ledger::{LedgerCommand, LedgerListArgs, WitnessCommand, WitnessServeArgs};
pub use mail::MailCommand;
pub use mail_filter::{MailFilterArgs, MailFilterPlace, MaliciousMail, UnseenMail};
pub use malware::{
    Closing, DetectionState, ImportRulesArgs, ItemArgs, MalwareCommand, QuarantineCommand,
    QuarantineState, RulesCommand, RulesKind, SetArgs,
};
pub use message::{DecisionArgs, DestinationCommand, MessageCommand, MessageListArgs, SendArgs};
pub use record::{BreakGlassCommand, ExportArgs, PatientCommand, RecordCommand};
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
