//! What people said: which product a device is, and what a vulnerability means for it.
//!
//! Who may say it, and who did, is not decided here: each answer has a number of the caller's, which comes
//! back where the answer counted. It must never let an older answer stand against a newer one.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::str::FromStr;

use labward_advisory::csaf::{Advisory, Vulnerability};
pub use labward_advisory::openvex::Status as VexStatus;
use labward_base::Timestamp;
use labward_product::name::normal_form;

use crate::answer::{Reason, Stated, Verdict, Without};

/// What a person said of a name: that devices so called are, or are not, a product of advisories.
///
/// It holds for every device of that manufacturer and name, and for every advisory that names the product,
/// in whatever version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The caller's number for this answer.
    pub id: u64,
    /// When it was said.
    pub said: Timestamp,
    /// The manufacturer of the device, as the lab calls it.
    pub manufacturer: String,
    /// The model of the device, or its product, as the lab calls it.
    pub name: String,
    /// The vendor of the product, as advisories call it (the branch `vendor`; empty if there is none).
    pub vendor: String,
    /// The name of the product, as advisories call it ([`Trail::named`](crate::Trail::named)).
    pub product: String,
    /// Whether the device is that product.
    pub is_product: bool,
}

/// What a person said of one vulnerability in one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The caller's number for this answer.
    pub id: u64,
    /// When it was said.
    pub said: Timestamp,
    /// The caller's number for the device.
    pub device: u64,
    /// For which version of the device it was said; `None` for all.
    pub version: Option<String>,
    /// The vulnerability.
    pub vulnerability: VulnerabilityId,
    /// What it means for the device.
    pub status: VexStatus,
    /// Why it does not affect the device.
    pub justification: Option<Justification>,
    /// Why, or what is done about it, in the person's words; may be empty.
    pub words: String,
}

/// Why a device is not affected, in the words of VEX.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Justification {
    /// The component is not in the device.
    ComponentNotPresent,
    /// Something in the device already keeps it from being exploited.
    InlineMitigationsAlreadyExist,
    /// An attacker cannot reach or control the vulnerable code.
    VulnerableCodeCannotBeControlledByAdversary,
    /// The vulnerable code never runs.
    VulnerableCodeNotInExecutePath,
    /// The component is there without the vulnerable code.
    VulnerableCodeNotPresent,
}

impl Justification {
    /// All of them, in their order.
    pub const ALL: [Self; 5] = [
        Self::ComponentNotPresent,
        Self::InlineMitigationsAlreadyExist,
        Self::VulnerableCodeCannotBeControlledByAdversary,
        Self::VulnerableCodeNotInExecutePath,
        Self::VulnerableCodeNotPresent,
    ];

    /// Its word in OpenVEX and in the flags of CSAF.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ComponentNotPresent => "component_not_present",
            Self::InlineMitigationsAlreadyExist => "inline_mitigations_already_exist",
            Self::VulnerableCodeCannotBeControlledByAdversary => {
                "vulnerable_code_cannot_be_controlled_by_adversary"
            }
            Self::VulnerableCodeNotInExecutePath => "vulnerable_code_not_in_execute_path",
            Self::VulnerableCodeNotPresent => "vulnerable_code_not_present",
        }
    }

    /// The justification of a word; `None` if it is none of VEX.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }
}

/// Which vulnerability is meant, in whatever release of an advisory.
///
/// As text: the public id (`CVE-2023-1968`), or `ADVISORY#=TITLE`, or `ADVISORY#PLACE`; `#` and `%` of the
/// advisory's id are written `%23` and `%25`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VulnerabilityId {
    /// By its public id in upper case, mostly a CVE.
    Public(String),
    /// By the advisory's id and its title there.
    Titled {
        /// `document.tracking.id`.
        advisory: String,
        /// Its title.
        title: String,
    },
    /// By the advisory's id and its place there, counted from 0: a later release may move it.
    Placed {
        /// `document.tracking.id`.
        advisory: String,
        /// Its place.
        place: usize,
    },
}

impl VulnerabilityId {
    /// That of a public id; spelled in upper and lower case it is one.
    pub fn public(id: &str) -> Self {
        Self::Public(id.trim().to_ascii_uppercase())
    }

    /// That of a vulnerability of an advisory: its CVE, else its title where no other there has the same,
    /// else its place.
    pub fn of(advisory: &Advisory, place: usize) -> Option<Self> {
        let vulnerability = advisory.vulnerabilities.get(place)?;
        if let Some(cve) = &vulnerability.cve {
            return Some(Self::public(cve));
        }
        let titled = |one: &&Vulnerability| one.title == vulnerability.title;
        let id = advisory.id.to_string();
        Some(match &vulnerability.title {
            Some(title) if advisory.vulnerabilities.iter().filter(titled).count() == 1 => {
                Self::Titled {
                    advisory: id,
                    title: title.to_string(),
                }
            }
            _ => Self::Placed {
                advisory: id,
                place,
            },
        })
    }
}

impl fmt::Display for VulnerabilityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escaped = |id: &str| id.replace('%', "%25").replace('#', "%23");
        match self {
            Self::Public(id) => f.write_str(id),
            Self::Titled { advisory, title } => write!(f, "{}#={title}", escaped(advisory)),
            Self::Placed { advisory, place } => write!(f, "{}#{place}", escaped(advisory)),
        }
    }
}

/// The text names no vulnerability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "read the id of a vulnerability: neither a public id nor the place or title in an advisory"
)]
pub struct NoVulnerabilityId;

impl FromStr for VulnerabilityId {
    type Err = NoVulnerabilityId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((advisory, rest)) = text.split_once('#') else {
            return match text.trim().is_empty() {
                true => Err(NoVulnerabilityId),
                false => Ok(Self::public(text)),
            };
        };
        let advisory = advisory.replace("%23", "#").replace("%25", "%");
        match rest.strip_prefix('=') {
            Some(title) => Ok(Self::Titled {
                advisory,
                title: title.to_owned(),
            }),
            None => {
                let place = rest.parse().map_err(|_| NoVulnerabilityId)?;
                Ok(Self::Placed { advisory, place })
            }
        }
    }
}

/// Everything that people said and nobody took back.
///
/// Of answers that contradict each other the newest counts; of the same time, that of the higher number.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    aliases: Vec<Alias>,
    /// The aliases by the normal form of [`Alias::name`].
    by_name: HashMap<String, Vec<usize>>,
    statements: HashMap<u64, Vec<Statement>>,
}

impl Answers {
    /// Takes what people said, in any order.
    pub fn new(
        aliases: impl IntoIterator<Item = Alias>,
        statements: impl IntoIterator<Item = Statement>,
    ) -> Self {
        let mut answers = Self::default();
        for alias in aliases {
            let of_name = answers.by_name.entry(normal_form(&alias.name)).or_default();
            of_name.push(answers.aliases.len());
            answers.aliases.push(alias);
        }
        for statement in statements {
            let of_device = answers.statements.entry(statement.device).or_default();
            of_device.push(statement);
        }
        answers
    }

    /// The aliases of a name, whoever the manufacturer is.
    pub(crate) fn aliases_of(&self, name: &str) -> impl Iterator<Item = &Alias> {
        let of_name = match self.by_name.is_empty() {
            true => None,
            false => self.by_name.get(&normal_form(name)),
        };
        let places = of_name.into_iter().flatten();
        places.filter_map(|&at| self.aliases.get(at))
    }

    /// The statement that counts for each vulnerability of a device in this version.
    pub fn statements_of(
        &self,
        device: u64,
        version: &str,
    ) -> BTreeMap<&VulnerabilityId, &Statement> {
        let mut newest: BTreeMap<&VulnerabilityId, &Statement> = BTreeMap::new();
        for statement in self.statements.get(&device).into_iter().flatten() {
            if !statement.is_for(version) {
                continue;
            }
            let known = newest.entry(&statement.vulnerability).or_insert(statement);
            if (statement.said, statement.id) > (known.said, known.id) {
                *known = statement;
            }
        }
        newest
    }
}

impl Statement {
    /// Whether it is said of this version; what is written otherwise is another version.
    fn is_for(&self, version: &str) -> bool {
        let of = self.version.as_deref().map(str::trim);
        of.is_none_or(|of| of.eq_ignore_ascii_case(version.trim()))
    }
}

/// Lets a statement decide, and gives what would be answered without it. "Under investigation" clears nothing: what is
/// affected stays so.
pub(crate) fn weigh(
    statement: &Statement,
    verdict: &mut Verdict,
    reasons: &mut Vec<Reason>,
) -> (Without, Stated) {
    let without = Without {
        verdict: Some(*verdict),
        reasons: reasons.clone(),
    };
    *verdict = match (statement.status, *verdict) {
        (VexStatus::Affected, _) | (VexStatus::UnderInvestigation, Verdict::Affected) => {
            Verdict::Affected
        }
        (VexStatus::Fixed | VexStatus::NotAffected, _) => Verdict::NotAffected,
        (VexStatus::UnderInvestigation, _) => Verdict::CannotTell,
    };
    if *verdict != Verdict::CannotTell {
        reasons.clear();
    } else if !reasons.contains(&Reason::UnderInvestigation) {
        reasons.push(Reason::UnderInvestigation);
    }
    let stated = Stated {
        id: statement.id,
        status: statement.status,
        justification: statement.justification,
    };
    (without, stated)
}
