//! What is known of one hit: one device and one vulnerability.
//!
//! It must never hold a guess: what nobody measured or said is unknown, and stays so until it is decided
//! here that the worse value counts.

use labward_advisory::Text;
use time::Date;

use crate::rubric::Answers;
use crate::ssvc::{Exploitation, MissionImpact, SafetyImpact};

/// What is known; its default is that nothing is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// How sure it is that the device is hit.
    pub certainty: Certainty,
    /// The CVSS vectors of the vulnerability, of any version; what is no vector is passed over.
    pub vectors: Vec<Text>,
    /// What CISA's catalog of known exploited vulnerabilities says.
    pub kev: Kev,
    /// How probable exploitation is.
    pub epss: Option<Epss>,
    /// What somebody says of exploitation.
    pub exploitation: Option<Said>,
    /// Who can reach the device, as measured.
    pub exposure: Exposure,
    /// What it means for patients if the device fails.
    pub criticality: Criticality,
    /// Whether data of patients is on the device; `None` if unknown.
    pub patient_data: Option<bool>,
    /// Whether the operating system or the software is still supported.
    pub support: Support,
    /// Answers to the rubric for medical devices.
    pub rubric: Answers,
    /// What a person decided about the harm to people, in place of what would be derived.
    pub safety: Option<SafetyImpact>,
    /// What a person decided about the harm to the laboratory's work, in place of what would be derived.
    pub mission: Option<MissionImpact>,
}

/// How sure a hit is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// A person has to look whether the device is affected.
    #[default]
    CannotTell,
    /// The device is affected.
    Affected,
}

/// What the catalog says of the vulnerability.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kev {
    /// Nobody looked: there is no catalog, or the vulnerability has no CVE id.
    #[default]
    NotLooked,
    /// The catalog does not list it.
    NotListed,
    /// The catalog lists it.
    Listed {
        /// Since when.
        added: Option<Date>,
        /// By when federal agencies must have acted (BOD 22-01).
        due: Option<Date>,
        /// Whether ransomware is known to use it.
        ransomware: bool,
    },
    /// The hit stands for several vulnerabilities, each of which the catalog lists.
    Several,
}

/// A score of EPSS.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epss {
    /// The probability of exploitation in the next 30 days, 0 to 1.
    pub probability: f64,
    /// The share of all CVEs with the same or a lower score, 0 to 1.
    pub percentile: Option<f64>,
    /// The day of the score.
    pub scored: Date,
}

/// What somebody says of exploitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// What they say.
    pub value: Exploitation,
    /// Who says it.
    pub source: Source,
    /// Of which day their word is.
    pub day: Option<Date>,
}

/// Who says something of exploitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A person of the lab or somebody it trusts.
    Person,
    /// The publisher of the advisory.
    Publisher,
}

/// Who can reach the device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Exposure {
    /// Not measured.
    #[default]
    Unknown,
    /// Nobody but its own zone.
    Isolated,
    /// Named peers through a filter that was measured.
    Controlled,
    /// The Internet, or zones without a filter between.
    Reachable,
}

/// What it means for patients if the device fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Criticality {
    /// Nobody said.
    #[default]
    Unknown,
    /// Nobody notices within a day.
    Low,
    /// Work goes on in another way.
    Normal,
    /// Patients wait for it.
    High,
}

impl Criticality {
    /// Its name in JSON and in sentences.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
        }
    }
}

/// Until when its makers support the operating system or the software.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Support {
    /// Nobody said.
    #[default]
    Unknown,
    /// Supported, and no end is known.
    Ongoing,
    /// Supported up to and including this day.
    Until(Date),
}
