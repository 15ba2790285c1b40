//! The commands about who may send and who may act: peers, edges, people, their sessions and tokens.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};

/// `labward peer …`
#[derive(Debug, Subcommand)]
pub enum PeerCommand {
    /// Add a peer and write its certificate bundle and how-to.
    Add(Box<PeerAddArgs>),
    /// Make a one-time code with which an edge enrols; for one that is known, to enrol it again.
    Enroll(Box<PeerEnrollArgs>),
    /// List the peers, and how the edges are.
    List,
    /// Change what a peer may send and from where; it holds for its next message.
    Set(Box<PeerSetArgs>),
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

/// What a peer may send, as `peer add`, `enroll` and `set` take it; for an edge, what its devices may.
#[derive(Args, Debug)]
pub struct ScopeArgs {
    /// Sending application it may use (MSH-3); repeat for several, `*` for any.
    #[arg(long = "application", value_name = "MSH-3")]
    pub applications: Vec<String>,
    /// Sending facility it may use (MSH-4).
    #[arg(long = "facility", value_name = "MSH-4")]
    pub facilities: Vec<String>,
    /// Message type it may send (MSH-9), such as ORU^R01.
    #[arg(long = "type", value_name = "MSH-9")]
    pub types: Vec<String>,
    /// ASTM sender it may be (H-5).
    #[arg(long = "astm-sender", value_name = "H-5")]
    pub astm_senders: Vec<String>,
    /// The assigning authority of its patient identifiers where a message names none.
    #[arg(long)]
    pub authority: Option<String>,
}

/// What `peer enroll` takes.
#[derive(Args, Debug)]
pub struct PeerEnrollArgs {
    /// The edge's name.
    pub name: String,
    /// What it may send.
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// Processing id it may use (MSH-11); P if none is given.
    #[arg(long = "processing", value_name = "MSH-11")]
    pub processing: Vec<String>,
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
    /// What it may send.
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// Processing id it may use (MSH-11); P if none is given.
    #[arg(long = "processing", value_name = "MSH-11")]
    pub processing: Vec<String>,
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

/// What `peer set` takes; each list takes the place of the present one.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("change").multiple(true).required(true).args([
    "applications", "facilities", "types", "processing", "astm_senders", "addresses", "authority",
    "clear",
]))]
pub struct PeerSetArgs {
    /// The peer's name.
    pub name: String,
    /// What it may send.
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// Processing id it may use (MSH-11).
    #[arg(long = "processing", value_name = "MSH-11")]
    pub processing: Vec<String>,
    /// Address from which it may use a plain link.
    #[arg(long = "address", value_name = "ADDRESS")]
    pub addresses: Vec<std::net::IpAddr>,
    /// Empty this list, so that nothing of it is allowed; repeat for several.
    #[arg(long, value_enum, value_name = "LIST")]
    pub clear: Vec<PeerList>,
    /// Why; asked for if not given.
    #[arg(long)]
    pub why: Option<String>,
}

/// What can be emptied about a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PeerList {
    /// The addresses.
    Address,
    /// The sending applications.
    Application,
    /// The ASTM senders.
    AstmSender,
    /// The assigning authority.
    Authority,
    /// The sending facilities.
    Facility,
    /// The processing ids.
    Processing,
    /// The message types.
    Type,
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
    /// List which account at the identity provider is whose.
    Accounts,
    /// Add a person with a role, who acts with an account of the operating system or signs in.
    Add {
        /// The person's name.
        name: String,
        /// The role, or several: in a small lab one person often has more than one.
        #[arg(long = "role", value_enum, value_delimiter = ',', required = true)]
        roles: Vec<Role>,
        /// The account's number; without one the person signs in at the console.
        #[arg(long)]
        uid: Option<u32>,
        /// What an outside expert sees and until when; needed for that role.
        #[command(flatten)]
        engagement: ExpertArgs,
    },
    /// Change what an outside expert sees and until when; it holds for their next request.
    Engage {
        /// The person's number or name.
        #[arg(value_name = "ID|NAME")]
        person: String,
        /// What they see and until when.
        #[command(flatten)]
        engagement: ExpertArgs,
    },
    /// Add the people of a list, all of them or none; whoever is there already is left as they are.
    Import {
        /// A CSV file in UTF-8 with the columns name and role; several roles are separated by +.
        file: PathBuf,
        /// Only say what would be added.
        #[arg(long)]
        preview: bool,
    },
    /// Give a person these roles in place of those they had.
    Set {
        /// The person's number or name.
        #[arg(value_name = "ID|NAME")]
        person: String,
        /// The role, or several.
        #[arg(long = "role", value_enum, value_delimiter = ',', required = true)]
        roles: Vec<Role>,
    },
    /// Make a one-time code with which a person chooses login and password; it is shown once.
    Invite {
        /// The person's number or name.
        #[arg(value_name = "ID|NAME")]
        person: String,
    },
    /// Link an account at the identity provider to a person; its first sign-in binds it.
    Link {
        /// The person's number or name.
        #[arg(value_name = "ID|NAME")]
        person: String,
        /// The e-mail address or user name there, whichever [console.oidc] goes by.
        account: String,
    },
    /// List the people.
    List,
    /// Remove a person; every session of theirs ends at once.
    Remove {
        /// The person's number.
        id: u64,
    },
    /// Take the account at the identity provider from a person; every session of theirs ends.
    Unlink {
        /// The person's number or name.
        #[arg(value_name = "ID|NAME")]
        person: String,
    },
}

/// What an outside expert is engaged for, as `person add` and `person engage` take it: all or nothing.
#[derive(Args, Debug)]
pub struct ExpertArgs {
    /// They see entries from this day on, such as 2026-01-01.
    #[arg(long = "expert-from", value_name = "DAY", requires_all = ["until", "topics", "expires"])]
    pub from: Option<String>,
    /// They see entries until this day, which is included.
    #[arg(long = "expert-until", value_name = "DAY", requires_all = ["from", "topics", "expires"])]
    pub until: Option<String>,
    /// What about: backups, configuration, keys, ledger, links, people, records, safeguards, status.
    #[arg(long = "expert-topics", value_name = "TOPIC", value_delimiter = ',',
        requires_all = ["from", "until", "expires"])]
    pub topics: Vec<String>,
    /// The last day on which they have access, at most 366 days from now.
    #[arg(long, value_name = "DAY", requires_all = ["from", "until", "topics"])]
    pub expires: Option<String>,
}

/// `labward session …`
#[derive(Debug, Subcommand)]
pub enum SessionCommand {
    /// End a session at once.
    End {
        /// The session's number.
        number: u64,
    },
    /// List who is signed in at the console, from where and until when.
    List,
}

/// `labward passkey …`
#[derive(Debug, Subcommand)]
pub enum PasskeyCommand {
    /// List the passkeys: whose, for which name, last used.
    List,
    /// Remove a passkey at once, such as one of a lost device.
    Remove {
        /// The passkey's number.
        number: u64,
    },
}

/// `labward token …`
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token with which a program acts in a person's name; it is shown once.
    Create {
        /// The person's number or name.
        #[arg(value_name = "ID|NAME")]
        person: String,
        /// What the token is for.
        #[arg(long)]
        name: String,
        /// What it may do, such as status.read,message.list; the API's reference names them all.
        #[arg(long = "scope", value_delimiter = ',', required = true)]
        scopes: Vec<String>,
        /// How many days it lasts, 1 to 366.
        #[arg(long, default_value_t = 90)]
        days: u32,
    },
    /// End a token at once.
    End {
        /// The token's number.
        number: u64,
    },
    /// List the tokens: in whose name, what for, until when, last used.
    List,
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
