//! What is wrong with this installation, the most harmful first.
//!
//! Each check is one line of one table and a pure function over what was measured. It must never
//! take what could not be measured for good (**Invariant:** a missing measurement is never a pass),
//! change anything, or name a patient. It carries out 45 CFR 164.308(a)(8), evaluation.
//!
//! | Module | Holds |
//! |---|---|
//! | `table` | every check: code, harm, what is wrong, what to do |
//! | `edges`, `keys`, `lines`, `machine`, `work` | the functions behind the table |
//! | `measure` | [`Machine::measure`], [`LedgerActs::read`]: what is looked at |

mod edges;
mod keys;
mod lines;
mod machine;
mod measure;
mod table;
#[cfg(test)]
mod tests;
mod work;

use std::path::PathBuf;
use std::sync::Arc;

use labward_api::edge::EdgeStatus;
use labward_api::status::{Check, CheckFinding, DestinationStatus};
use labward_base::Timestamp;
use labward_identity::{Peer, Person};
use labward_keys::{SlotInfo, SlotPlace};
use labward_os::DiskSpace;

use crate::config::Config;
use table::CHECKS;

pub use table::reference;

/// Everything that the checks look at; `None` means that it could not be measured.
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
    /// Whether the open root key lies in memory that is never swapped.
    pub root_is_locked: Option<bool>,
    /// The people.
    pub people: Vec<Person>,
    /// The peers, revoked ones too.
    pub peers: Vec<Arc<Peer>>,
    /// Until when the built-in authority's certificate is valid.
    pub authority_until: Option<Timestamp>,
    /// Until when the server's own certificate is valid.
    pub server_until: Option<Timestamp>,
    /// The machine and the data folder.
    pub machine: Machine,
    /// Since when each held message waits for a person; the oldest few are enough.
    pub held_since: Option<Vec<Timestamp>>,
    /// The destinations.
    pub destinations: Option<Vec<DestinationStatus>>,
    /// The edges that are not revoked, by name.
    pub edges: Option<Vec<(String, EdgeStatus)>>,
    /// What was done with the ledger lately.
    pub ledger: Option<LedgerActs>,
    /// Witnesses that cosign checkpoints.
    pub witnesses: usize,
}

/// What can be seen of the machine and the data folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// The account under which the server runs.
    pub uid: u32,
    /// The room on the data's file system.
    pub disk: Option<DiskSpace>,
    /// Whether the data folder lies in memory.
    pub in_memory: Option<bool>,
    /// Files and folders of the installation that others may reach; the first few.
    pub open_to_others: Option<Vec<PathBuf>>,
    /// Whether a crash may write the process's memory to disk.
    pub core_dumps: Option<bool>,
    /// Whether swap is in use.
    pub swap: Option<bool>,
}

/// What was done with the ledger lately, and when last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LedgerActs {
    /// How far back was looked; acts before this moment are not known of.
    pub back_to: Timestamp,
    /// When it was last exported.
    pub exported: Option<Timestamp>,
    /// When it was last verified.
    pub verified: Option<Timestamp>,
    /// When the clock last jumped.
    pub clock_jumped: Option<Timestamp>,
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
    At(Vec<String>),
    /// It could not be looked at.
    Unmeasured,
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
            None => Self::Unmeasured,
            Some(false) => Self::Fine,
            Some(true) => Self::Wrong,
        }
    }

    /// Wrong at these places, if there are any.
    fn at<T: ToString>(places: impl IntoIterator<Item = T>) -> Self {
        let places: Vec<String> = places.into_iter().map(|place| place.to_string()).collect();
        match places.is_empty() {
            true => Self::Fine,
            false => Self::At(places),
        }
    }
}

/// Looks at everything in the table; the findings come in order of harm.
pub fn check(input: &CheckInput) -> Check {
    let mut findings: Vec<(Harm, CheckFinding)> = Vec::new();
    let mut unmeasured = Vec::new();
    for item in CHECKS {
        let places = match (item.find)(input) {
            Found::Fine => continue,
            Found::Wrong => String::new(),
            Found::At(places) => format!(": {}", shown(&places)),
            Found::Unmeasured => {
                unmeasured.push(item.code.strip_prefix("check.").unwrap_or(item.code));
                continue;
            }
        };
        let finding = CheckFinding {
            code: item.code.to_owned(),
            harm: item.harm.name().to_owned(),
            what: format!("{}{places}", item.what),
            todo: item.todo.to_owned(),
        };
        findings.push((item.harm, finding));
    }
    if !unmeasured.is_empty() {
        let finding = CheckFinding {
            code: "check.unmeasured".to_owned(),
            harm: Harm::Medium.name().to_owned(),
            what: format!("this could not be looked at: {}", unmeasured.join(", ")),
            todo: "unseal the server, and see in its log what it was not allowed to read"
                .to_owned(),
        };
        findings.push((Harm::Medium, finding));
    }
    findings.sort_by_key(|(harm, _)| *harm);
    Check {
        findings: findings.into_iter().map(|(_, finding)| finding).collect(),
        looked_at: u32::try_from(CHECKS.len()).unwrap_or(u32::MAX),
    }
}

/// The first few places, and how many more there are.
fn shown(places: &[String]) -> String {
    const FEW: usize = 8;
    let few: Vec<&str> = places.iter().take(FEW).map(String::as_str).collect();
    match places.len().checked_sub(FEW) {
        None | Some(0) => few.join(", "),
        Some(more) => format!("{} and {more} more", few.join(", ")),
    }
}
