//! What is wrong with this installation, the most harmful first.
//!
//! Each check is one line of one table and a pure function over what was measured. It must never
//! take what could not be measured for good (**Invariant:** a missing measurement is never a pass),
//! change anything, or name a patient. It carries out 45 CFR 164.308(a)(8), evaluation.
//!
//! | Module | Holds |
//! |---|---|
//! | `table` | every check: code, harm, what is wrong, what to do |
//! | `backups`, `edges`, `keys`, `lines`, `machine`, `mail`, `malware`, `people`, `threats`, `witness`, `work` | the functions behind the table |
//! | `measure` | [`Machine::measure`]: the machine and the data folder |
//! | `acts` | [`LedgerActs::read`]: what the ledger says was done lately |
//! | `facts` | `facts`: the same measurements as facts about safeguards |
//! | `accounts`, `swap` | accounts of the operating system, and where memory is swapped to |
//! | `trend` | [`Trends`]: how disk and backlogs grow |

mod accounts;
mod acts;
mod backups;
mod edges;
mod facts;
mod keys;
mod lines;
mod machine;
mod mail;
mod malware;
mod measure;
mod people;
mod swap;
mod table;
#[cfg(test)]
mod tests;
mod threats;
mod trend;
mod webhook;
mod witness;
mod work;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use labward_api::edge::EdgeStatus;
use labward_api::mail::MailStatus;
use labward_api::status::{Check, CheckFinding, DestinationStatus, NotMeasured, WitnessStatus};
use labward_api::webhook::WebhookStatus;
use labward_base::id::{EntryIndex, PeerId};
use labward_base::{Remark, Timestamp, remark};
use labward_identity::{Peer, Person, Token};
use labward_keys::{SlotInfo, SlotPlace};
use labward_ledger::Action;
use labward_os::{DiskSpace, Inodes};
use labward_records::ReserveState;
use labward_records::reserve::Opening;

use crate::backup::Backups;
use crate::config::Config;
use table::CHECKS;

pub(crate) use accounts::{group_strangers, lost_accounts};
pub(crate) use acts::KnownActs;
pub(crate) use backups::BACKED_UP_WITHIN;
pub(crate) use facts::facts;
pub use malware::MalwareState;
pub use table::reference;
pub(crate) use table::standing_text;
pub use threats::ThreatsState;
pub use trend::Trends;

/// The finding that something could not be looked at.
const UNMEASURED: &str = "check.unmeasured";

/// What was measured, or why it could not be.
pub type Measured<T> = Result<T, Remark>;

/// Everything that the checks look at.
#[derive(Clone, Debug)]
pub struct CheckInput {
    /// The present moment.
    pub now: Timestamp,
    /// The configuration that runs.
    pub config: Config,
    /// The root key's slots.
    pub slots: Vec<SlotInfo>,
    /// Where the slots live.
    pub places: Vec<SlotPlace>,
    /// Whether the open root key lies in memory that is never swapped; `None` while it is sealed.
    pub root_is_locked: Option<bool>,
    /// The names of Labward's own secrets that no longer open.
    pub damaged_secrets: Measured<Vec<String>>,
    /// The people.
    pub people: Vec<Person>,
    /// The tokens that hold.
    pub tokens: Vec<Token>,
    /// People whose account of the operating system is there no more.
    pub lost_accounts: Measured<Vec<Remark>>,
    /// Accounts of the socket's group that are nobody of the lab.
    pub group_strangers: Measured<Vec<String>>,
    /// The peers, revoked ones too.
    pub peers: Vec<Arc<Peer>>,
    /// Until when the built-in authority's certificate is valid.
    pub authority_until: Measured<Timestamp>,
    /// Until when the server's own certificate is valid.
    pub server_until: Measured<Timestamp>,
    /// The machine and the data folder.
    pub machine: Machine,
    /// Since when each held message waits for a person; the oldest few are enough.
    pub held_since: Measured<Vec<Timestamp>>,
    /// The destinations.
    pub destinations: Measured<Vec<DestinationStatus>>,
    /// Destinations that are not configured and for which messages wait, with how many.
    pub stranded: Measured<Vec<(String, usize)>>,
    /// How the disk and the backlogs have grown.
    pub trends: Trends,
    /// What was done lately, after the ledger.
    pub ledger: Measured<LedgerActs>,
    /// How the ledger's files stand.
    pub publishing: Measured<PublishingState>,
    /// Whether the configuration file is another than the one in force.
    pub config_differs: Measured<bool>,
    /// Entries under the newest checkpoint.
    pub published: Measured<u64>,
    /// The witnesses and what each cosigned.
    pub witnesses: Measured<Vec<WitnessStatus>>,
    /// The webhooks and how far each was told.
    pub webhooks: Measured<Vec<WebhookStatus>>,
    /// The recipients of reminders and whether these go out.
    pub mail: Measured<Vec<MailStatus>>,
    /// What is known of advisories and hits.
    pub threats: Measured<ThreatsState>,
    /// Baselines of files of which changes wait for a person, by name.
    pub integrity: Vec<String>,
    /// What is known of who looks for malware, and of what was found.
    pub malware: Measured<MalwareState>,
    /// Since when the identity provider does not answer, if one is configured.
    pub sign_on: Measured<Option<Timestamp>>,
    /// What is known of backups, key archives and restores.
    pub backups: Measured<Backups>,
    /// Whether the ledger cannot be written now.
    pub ledger_fails: bool,
    /// The room that was set aside for break-glass reading.
    pub reserve: ReserveState,
    /// The emergency accesses that nobody reviewed yet; the newest thousand are enough.
    pub openings: Measured<Vec<Opening>>,
    /// The edges that are not revoked, by name.
    pub edges: Measured<Vec<(String, EdgeStatus)>>,
}

/// What can be seen of the machine and the data folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// The account under which the server runs.
    pub uid: u32,
    /// The room on the data's file system.
    pub disk: Measured<DiskSpace>,
    /// The inodes of the data's file system.
    pub inodes: Measured<Inodes>,
    /// The kind of the data's file system, as the kernel calls it.
    pub file_system: Measured<String>,
    /// Files and folders of the installation that others may reach; the first few.
    pub open_to_others: Measured<Vec<PathBuf>>,
    /// Files and folders of the installation that another account owns; the first few.
    pub foreign_owner: Measured<Vec<PathBuf>>,
    /// The ways by which a crash may write the process's memory to disk.
    pub core_dumps: Measured<Vec<Remark>>,
    /// Swap that is in use and not known to be encrypted.
    pub open_swaps: Measured<Vec<String>>,
    /// Whether a time source keeps the kernel's clock.
    pub clock_is_kept: Measured<bool>,
    /// How much memory the server may lock, in bytes; `None` means without a limit.
    pub memory_lock_bytes: Option<u64>,
    /// How long a small write takes to be synced in the data folder.
    pub sync_time: Measured<Duration>,
    /// The room set aside: how long the file is, and how much of it is really there.
    pub reserve: Measured<Reserve>,
}

/// The room that was set aside for patient care on a full disk, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reserve {
    /// How much there is to be.
    pub length: u64,
    /// How much the disk has set aside.
    pub allocated: u64,
}

/// How the ledger's derived files stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublishingState {
    /// Entries that no signed checkpoint covers yet.
    pub behind: u64,
    /// Since when the last checkpoint stands.
    pub since: Option<Timestamp>,
    /// How often there is to be a new one.
    pub every: Duration,
    /// What is wrong with the tiles, if they do not lead to the checkpoint.
    pub fault: Option<Remark>,
}

/// What was done with the ledger lately, and when last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerActs {
    /// How far back was looked; acts before this moment are not known of.
    pub back_to: Timestamp,
    /// When it was last exported.
    pub exported: Option<Timestamp>,
    /// When it was last verified.
    pub verified: Option<Timestamp>,
    /// When the clock last jumped.
    pub clock_jumped: Option<Timestamp>,
    /// When revoked peers last tried to connect, by where from.
    pub revoked: BTreeMap<String, Timestamp>,
    /// When and how regularly each peer sent.
    pub senders: BTreeMap<PeerId, Sender>,
    /// The last act of each kind.
    pub last: HashMap<Action, Act>,
}

/// The last act of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Act {
    /// When.
    pub time: Timestamp,
    /// The entry that records it.
    pub entry: EntryIndex,
    /// Whether it succeeded.
    pub succeeded: bool,
    /// How often such an act was met.
    pub times: u64,
}

/// How a peer sent lately.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sender {
    /// Its last message.
    pub last: Timestamp,
    /// The first one that was looked at.
    pub first: Timestamp,
    /// How many were looked at.
    pub messages: u64,
    /// The longest time between two of them.
    pub longest_gap: Duration,
}

/// How much harm something does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Harm {
    /// Records can be lost or read by strangers, or patient care stands still.
    High,
    /// It becomes so if something else happens.
    Medium,
    /// It should be known, and may be meant so.
    Low,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// It is as it should be.
    Fine,
    /// It is wrong.
    Wrong,
    /// It is wrong at these places.
    At(Vec<Remark>),
    /// It could not be looked at, for this reason.
    Unmeasured(Remark),
}

impl Harm {
    /// The name in answers.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Low => "low",
            Self::Medium => "medium",
        }
    }
}

impl Found {
    /// Wrong if `wrong`, unmeasured if that is not known.
    fn when(wrong: Option<bool>) -> Self {
        match wrong {
            None => Self::Unmeasured(remark::not_known()),
            Some(false) => Self::Fine,
            Some(true) => Self::Wrong,
        }
    }

    /// What `judge` says of a measurement, unmeasured if there is none.
    fn of<T>(measured: &Measured<T>, judge: impl FnOnce(&T) -> Self) -> Self {
        match measured {
            Err(why) => Self::Unmeasured(why.clone()),
            Ok(value) => judge(value),
        }
    }

    /// Wrong, as this measured fact shows, if `wrong`.
    fn says(wrong: bool, fact: impl FnOnce() -> Remark) -> Self {
        match wrong {
            true => Self::At(vec![fact()]),
            false => Self::Fine,
        }
    }

    /// Wrong at these places, if there are any.
    fn at(places: impl IntoIterator<Item = Remark>) -> Self {
        let places: Vec<Remark> = places.into_iter().collect();
        match places.is_empty() {
            true => Self::Fine,
            false => Self::At(places),
        }
    }

    /// Wrong where these names say, if there are any.
    fn named<T: ToString>(names: impl IntoIterator<Item = T>) -> Self {
        Self::at(names.into_iter().map(|name| remark::name(name.to_string())))
    }
}

/// Looks at everything in the table; the findings come in order of harm.
pub fn check(input: &CheckInput) -> Check {
    let mut findings: Vec<(Harm, CheckFinding)> = Vec::new();
    let mut unmeasured = Vec::new();
    for item in CHECKS {
        let places = match (item.find)(input) {
            Found::Fine => continue,
            Found::Wrong => Vec::new(),
            Found::At(places) => few(places),
            Found::Unmeasured(why) => {
                unmeasured.push(NotMeasured {
                    code: item.code.to_owned(),
                    what: item.what.to_owned(),
                    why: why.to_string(),
                    remark: why.into(),
                });
                continue;
            }
        };
        let finding = CheckFinding {
            code: item.code.to_owned(),
            harm: item.harm.name().to_owned(),
            what: said(item.what, &places),
            todo: item.todo.to_owned(),
            places: places.iter().map(Into::into).collect(),
        };
        findings.push((item.harm, finding));
    }
    if !unmeasured.is_empty() {
        let finding = CheckFinding {
            code: UNMEASURED.to_owned(),
            harm: Harm::Medium.name().to_owned(),
            places: vec![remark::count(unmeasured.len()).into()],
            what: format!("{} things could not be looked at", unmeasured.len()),
            todo: "see the reasons below; unseal the server, or give it what it may not read"
                .to_owned(),
        };
        findings.push((Harm::Medium, finding));
    }
    findings.sort_by_key(|(harm, _)| *harm);
    Check {
        findings: findings.into_iter().map(|(_, finding)| finding).collect(),
        looked_at: u32::try_from(CHECKS.len()).unwrap_or(u32::MAX),
        unmeasured,
    }
}

/// The first few places, and how many more there are.
fn few(mut places: Vec<Remark>) -> Vec<Remark> {
    const FEW: usize = 8;
    let more = places.len().saturating_sub(FEW);
    places.truncate(FEW);
    if more > 0 {
        places.push(remark::and_more(more));
    }
    places
}

/// What is wrong and where, in English.
fn said(what: &str, places: &[Remark]) -> String {
    match places.is_empty() {
        true => what.to_owned(),
        false => format!("{what}: {}", listed(places)),
    }
}

/// Places in one line, in English.
fn listed(places: &[Remark]) -> String {
    let mut line = String::new();
    for place in places {
        line.push_str(match (line.is_empty(), place.kind().code) {
            (true, _) => "",
            (false, "and-more") => " ",
            (false, _) => ", ",
        });
        line.push_str(&place.to_string());
    }
    line
}
