//! One thing that was measured about the installation.
//!
//! It must never come from a person's answer, or hold anything of a patient.

use std::fmt;

use labward_base::id::EntryIndex;
use labward_base::{Remark, Timestamp};

macro_rules! facts {
    ($($(#[$doc:meta])+ $variant:ident = $key:literal, $title:literal;)+) => {
        /// What can be measured.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum FactKind { $($(#[$doc])+ $variant,)+ }

        impl FactKind {
            /// Everything that can be measured.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The stable key in JSON, documents and texts.
            pub const fn key(self) -> &'static str {
                match self { $(Self::$variant => $key,)+ }
            }

            /// What is good if the fact is, in a few English words.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)+ }
            }
        }
    };
}

facts! {
    /// Sessions of nobody, and accounts that are gone.
    AccessEnded = "access-ended", "Nobody who left can still get in";
    /// Accounts that reach the admin socket, and people's own accounts.
    AccountsKnown = "accounts-known", "Whoever gets in is known by an account or password of their own";
    /// Whether advisories are held, and every source was looked into lately.
    AdvisoriesFresh = "advisories-fresh", "Advisories are held, and every source was looked into lately";
    /// Whether the last backup lies on another file system.
    BackupApart = "backup-apart", "The last backup lies apart from the data";
    /// When the last backup was made.
    BackupRecent = "backup-recent", "The last backup is at most two days old";
    /// How many people may read by break-glass.
    BreakGlassRoles = "break-glass-roles", "Somebody may read by break-glass";
    /// Emergency accesses that nobody reviewed in time.
    BreakGlassReviewed = "break-glass-reviewed", "A second person reviewed every emergency access in time";
    /// Certificates that have ended.
    CertificatesValid = "certificates-valid", "No certificate of a peer or an edge has ended";
    /// How much of the check could be measured.
    ChecksMeasured = "checks-measured", "The installation checks itself";
    /// Whether a time source keeps the clock.
    ClockKept = "clock-kept", "A time source keeps the clock";
    /// Key archives that should be deleted.
    DisposalComplete = "disposal-complete", "No key archive outlives its time";
    /// Files that other accounts reach.
    FilesPrivate = "files-private", "Files are the server's account's alone";
    /// Findings of high harm.
    HighFindings = "high-findings", "Nothing of high harm is wrong with the installation";
    /// Open hits that are late and not treated.
    HitsInTime = "hits-in-time", "Published vulnerabilities of devices are treated in time";
    /// When the newest key archive was made.
    KeyArchiveRecent = "key-archive-recent", "The newest key archive is at most two days old";
    /// Where the root key's slots live.
    KeysApart = "keys-apart", "Key files lie apart from the data, for the server's account alone";
    /// Whether signed checkpoints cover the entries.
    LedgerPublished = "ledger-published", "Signed checkpoints cover the ledger";
    /// When the ledger was last verified, and found sound.
    LedgerVerified = "ledger-verified", "The ledger was verified and found sound within 30 days";
    /// Whether the ledger can be written.
    LedgerWritten = "ledger-written", "The ledger is being written";
    /// Lines off this machine that are encrypted.
    LinesEncrypted = "lines-encrypted", "Every line off this machine is encrypted";
    /// Links off this machine that ask for a certificate.
    LinksAuthenticated = "links-authenticated", "Every peer off this machine shows its certificate";
    /// Links and imports of which everything is looked at for malware.
    MalwareScanned = "malware-scanned", "Whatever comes in is looked at for malware";
    /// How old the rules are by which it is looked for.
    MalwareRules = "malware-rules", "Malware is looked for by rules that were brought within 30 days";
    /// How long what was found stays without an answer.
    MalwareReacted = "malware-reacted", "What was found to be malware is dealt with within 72 hours";
    /// Ways by which memory reaches a disk.
    MemoryGuarded = "memory-guarded", "Keys and records in memory reach no disk in clear";
    /// The shortest password.
    PasswordRule = "password-rule", "Passwords have at least 15 characters and are none of the common ones";
    /// Peers that may send anything.
    PeersLimited = "peers-limited", "Each peer may send only what it was given";
    /// People who share an account or a sign-in name.
    PeopleUnique = "people-unique", "No two people share an account or a sign-in name";
    /// How many readings were recorded lately.
    ReadsRecorded = "reads-recorded", "Readings and searches are recorded";
    /// Records whose seal was looked at.
    RecordsSealed = "records-sealed", "The newest records are sealed with AES-256-GCM";
    /// The room for reading on a full disk.
    ReserveReady = "reserve-ready", "The reserve for break-glass reading is set aside";
    /// When a restore was last tried.
    RestoreDrilled = "restore-drilled", "A restore was tried within 90 days";
    /// How long the last tried restore took.
    RestoreTime = "restore-time", "The last restore that was tried took at most 72 hours";
    /// How long records are kept.
    RetentionFloor = "retention-floor", "Records are kept at least as long as the law asks";
    /// When a right was last given or taken, with its entry.
    RightsRecorded = "rights-recorded", "Rights that are given and taken are recorded";
    /// People who sign in with two factors.
    SecondFactor = "second-factor", "Who signs in at the console shows a second factor";
    /// Security officers among the people.
    SecurityOfficer = "security-officer", "Somebody is security officer";
    /// After how long without a request a session ends.
    SessionIdle = "session-idle", "A session without a request ends by itself";
    /// How many refused sign-ins were recorded lately.
    SignInsRefused = "sign-ins-refused", "Refused sign-ins are slowed and recorded";
    /// Whether the slots are known to open.
    SlotsTested = "slots-tested", "Each slot of the root key was tried within 90 days";
}

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// Not as it should be.
    Bad,
    /// As it should be.
    Good,
    /// It could not be measured.
    Unknown,
}

/// What was counted or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// How many.
    Count(u64),
    /// It never happened.
    Never,
    /// How long, in seconds.
    Seconds(u64),
    /// So many of so many.
    Share {
        /// How many.
        of: u64,
        /// Of how many.
        all: u64,
    },
    /// When.
    Time(Timestamp),
}

/// One thing that was measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What.
    pub kind: FactKind,
    /// How it is.
    pub value: Value,
    /// What was counted or read.
    pub figure: Option<Figure>,
    /// When it was measured: the present moment, or that of the act which it rests on.
    pub measured: Timestamp,
    /// The entry that it rests on.
    pub entry: Option<EntryIndex>,
    /// What was found wrong and where, or why it could not be measured.
    pub notes: Vec<Note>,
}

/// What stands beside a fact: what a check found, or remarks alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The code of the check that found it, and what it says is wrong.
    pub check: Option<(&'static str, &'static str)>,
    /// Where it is, or why it could not be measured.
    pub remarks: Vec<Remark>,
}

impl Value {
    /// The name in JSON and texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bad => "bad",
            Self::Good => "good",
            Self::Unknown => "unknown",
        }
    }
}

impl Fact {
    /// A fact without figure, entry or note.
    pub const fn new(kind: FactKind, value: Value, measured: Timestamp) -> Self {
        Self {
            kind,
            value,
            figure: None,
            measured,
            entry: None,
            notes: Vec::new(),
        }
    }

    /// What could not be measured, and why.
    pub fn unknown(kind: FactKind, measured: Timestamp, why: Remark) -> Self {
        Self::new(kind, Value::Unknown, measured).note(Note::of(why))
    }

    /// With this figure.
    #[must_use]
    pub const fn figure(mut self, figure: Figure) -> Self {
        self.figure = Some(figure);
        self
    }

    /// Resting on this entry.
    #[must_use]
    pub const fn entry(mut self, entry: Option<EntryIndex>) -> Self {
        self.entry = entry;
        self
    }

    /// With this note.
    #[must_use]
    pub fn note(mut self, note: Note) -> Self {
        self.notes.push(note);
        self
    }
}

impl Note {
    /// A remark alone.
    pub fn of(remark: Remark) -> Self {
        Self {
            check: None,
            remarks: vec![remark],
        }
    }
}

impl fmt::Display for Note {
    /// The English text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((_, what)) = self.check {
            f.write_str(what)?;
        }
        for (place, remark) in self.remarks.iter().enumerate() {
            let before = match (place, self.check) {
                (0, None) => "",
                (0, Some(_)) => ": ",
                _ if remark.kind().code == "and-more" => " ",
                _ => ", ",
            };
            write!(f, "{before}{remark}")?;
        }
        Ok(())
    }
}
