//! Why a hit is as urgent as it is: codes with values, and one English sentence each.
//!
//! It must never name a value without the fact that it was taken from, or hide that a fact was not known.

use labward_base::Saying;
use time::Date;

use crate::evidence::Loss;
use crate::known::{Criticality, Source};
use crate::priority::Band;
use crate::ssvc::{
    Decision, Exploitation, HumanImpact, MissionImpact, SafetyImpact, SystemExposure,
};

/// From what the state of exploitation was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExploitationFrom {
    /// The catalog of known exploited vulnerabilities lists it, since that day.
    Kev(Option<Date>),
    /// The catalog lists each of the vulnerabilities that the hit stands for.
    KevSeveral,
    /// Somebody says so, on that day.
    Said(Source, Option<Date>),
    /// A CVSS vector says so in this metric.
    Vector(String),
    /// The catalog does not list it, and nobody says whether an exploit is public.
    NotListed,
    /// Nothing is known.
    Unknown,
}

/// From what the exposure was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExposureFrom {
    /// It was measured.
    Measured,
    /// An attacker must touch the device.
    Physical,
    /// It was not measured.
    Unknown,
}

/// From what it was taken whether attacks can be automated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AutomatableFrom {
    /// From this vector.
    Vector(String),
    /// There is no vector.
    Unknown,
}

/// From what the impact on safety or on the laboratory's work was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImpactFrom {
    /// A person decided it.
    Person,
    /// From the criticality of the device and what the vector says is lost of integrity or availability.
    Derived {
        /// Of the device; unknown counts as high.
        criticality: Criticality,
        /// `none`, `low`, `high`, or `unknown`, which counts as high.
        loss: &'static str,
    },
    /// Data of patients can be read.
    PatientData {
        /// Whether that was not known, and is taken to be so.
        assumed: bool,
    },
}

impl ImpactFrom {
    pub(crate) fn derived(criticality: Criticality, loss: Option<Loss>) -> Self {
        Self::Derived {
            criticality,
            loss: loss.map_or("unknown", Loss::name),
        }
    }
}

/// From what the severity was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SeverityFrom {
    /// From this vector, computed.
    Vector(String),
    /// From this vector after the rubric, which was given that many answers; before it was so many tenths.
    Rubric {
        /// The vector with its modified metrics.
        vector: String,
        /// How many questions were answered.
        answers: usize,
        /// The base score before, in tenths.
        base_tenths: u8,
    },
    /// There is no vector.
    Unknown,
}

/// What raised the band above that of the decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RaisedBy {
    /// EPSS says that exploitation is likely, and the device is not isolated.
    Epss,
    /// Patients' data can be read.
    PatientData,
    /// Ransomware is known to use it.
    Ransomware,
    /// Ransomware is known to use it, the device is not isolated, and patients wait for it or their data is on it.
    RansomwareHere,
    /// The severity is critical, and the device is affected and not isolated.
    Severity,
}

/// One reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Whether the device is affected cannot be told; it counts as if it were.
    CannotTell,
    /// The decision point *exploitation*.
    Exploitation(Exploitation, ExploitationFrom),
    /// Ransomware is known to use it.
    Ransomware,
    /// The decision point *system exposure*.
    Exposure(SystemExposure, ExposureFrom),
    /// The decision point *automatable*.
    Automatable(bool, AutomatableFrom),
    /// The safety impact.
    Safety(SafetyImpact, ImpactFrom),
    /// The mission impact.
    Mission(MissionImpact, ImpactFrom),
    /// The decision point *human impact*, of both.
    Human(HumanImpact),
    /// What the tree decides.
    Decision(Decision),
    /// The severity in tenths.
    Severity(u8, SeverityFrom),
    /// The probability of exploitation.
    Epss {
        /// In hundredths of a per cent.
        basis_points: u16,
        /// The day of the score.
        scored: Date,
    },
    /// The band was raised.
    Raised(Band, RaisedBy),
    /// Support has ended on that day: no patch is to be expected.
    SupportEnded(Date),
}

fn day(day: Option<Date>) -> String {
    day.map_or_else(|| "an unknown day".to_owned(), |day| day.to_string())
}

fn tenths(tenths: u8) -> String {
    format!("{}.{}", tenths / 10, tenths % 10)
}

impl Reason {
    /// Its code, the values of its places and its sentence.
    pub fn saying(&self) -> Saying {
        match self {
            Self::CannotTell => Saying::new(
                "cannot-tell",
                "Whether the device is affected cannot be told; the tree takes it as affected until a person has looked.",
                vec![],
            ),
            Self::Exploitation(value, from) => exploitation(*value, from),
            Self::Ransomware => Saying::new("ransomware", "Ransomware is known to use it.", vec![]),
            Self::Exposure(value, from) => exposure(*value, *from),
            Self::Automatable(value, from) => automatable(*value, from),
            Self::Safety(value, from) => impact(value.name(), *from, &SAFETY),
            Self::Mission(value, from) => impact(value.name(), *from, &MISSION),
            Self::Human(value) => Saying::new(
                "human-impact",
                "Impact on people, of safety and work together: {value}.",
                vec![("value", value.name().to_owned())],
            ),
            Self::Decision(value) => Saying::new(
                "decision",
                "The deployer's tree of SSVC decides: {value}.",
                vec![("value", value.name().to_owned())],
            ),
            Self::Severity(value, from) => severity(*value, from),
            Self::Epss {
                basis_points,
                scored,
            } => Saying::new(
                "epss",
                "EPSS of {day}: exploitation within 30 days has a probability of {percent} %.",
                vec![
                    (
                        "percent",
                        format!("{}.{:02}", basis_points / 100, basis_points % 100),
                    ),
                    ("day", scored.to_string()),
                ],
            ),
            Self::Raised(band, by) => raised(*band, *by),
            Self::SupportEnded(end) => Saying::new(
                "support-ended",
                "Support ended on {day}: expect no patch; separate or replace it.",
                vec![("day", end.to_string())],
            ),
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.saying().code
    }
}

fn exploitation(value: Exploitation, from: &ExploitationFrom) -> Saying {
    let value = ("value", value.name().to_owned());
    match from {
        ExploitationFrom::Kev(added) => Saying::new(
            "exploitation-kev",
            "Exploitation: {value}; CISA lists it as exploited since {day}.",
            vec![value, ("day", day(*added))],
        ),
        ExploitationFrom::KevSeveral => Saying::new(
            "exploitation-kev-several",
            "Exploitation: {value}; CISA lists each of these vulnerabilities as exploited.",
            vec![value],
        ),
        ExploitationFrom::Said(Source::Person, on) => Saying::new(
            "exploitation-person",
            "Exploitation: {value}, as a person noted on {day}.",
            vec![value, ("day", day(*on))],
        ),
        ExploitationFrom::Said(Source::Publisher, on) => Saying::new(
            "exploitation-publisher",
            "Exploitation: {value}, as the publisher said on {day}.",
            vec![value, ("day", day(*on))],
        ),
        ExploitationFrom::Vector(metric) => Saying::new(
            "exploitation-vector",
            "Exploitation: {value}, as the CVSS vector says ({metric}).",
            vec![value, ("metric", metric.clone())],
        ),
        ExploitationFrom::NotListed => Saying::new(
            "exploitation-assumed-public",
            "Exploitation: {value} is assumed; CISA does not list it as exploited, and nobody says whether an exploit is public.",
            vec![value],
        ),
        ExploitationFrom::Unknown => Saying::new(
            "exploitation-assumed",
            "Exploitation: {value} is assumed; no catalog of exploited vulnerabilities was looked at.",
            vec![value],
        ),
    }
}

fn exposure(value: SystemExposure, from: ExposureFrom) -> Saying {
    let (code, text) = match from {
        ExposureFrom::Measured => ("exposure-measured", "Exposure: {value}, as measured."),
        ExposureFrom::Physical => (
            "exposure-physical",
            "Exposure: {value}; an attacker must touch the device (AV:P).",
        ),
        ExposureFrom::Unknown => (
            "exposure-assumed",
            "Exposure: {value} is assumed; who reaches the device was not measured.",
        ),
    };
    Saying::new(code, text, vec![("value", value.name().to_owned())])
}

fn automatable(value: bool, from: &AutomatableFrom) -> Saying {
    let value = ("value", if value { "yes" } else { "no" }.to_owned());
    match from {
        AutomatableFrom::Vector(vector) => Saying::new(
            "automatable-vector",
            "Attacks can be automated: {value}, from {vector}.",
            vec![value, ("vector", vector.clone())],
        ),
        AutomatableFrom::Unknown => Saying::new(
            "automatable-assumed",
            "Attacks can be automated: {value} is assumed; there is no CVSS vector.",
            vec![value],
        ),
    }
}

/// Impact on safety: decided by a person, derived, data can be read, data is assumed.
const SAFETY: [(&str, &str); 4] = [
    (
        "safety-person",
        "Impact on safety: {value}, as a person decided.",
    ),
    (
        "safety-derived",
        "Impact on safety: {value}, from a criticality that is {criticality} and a loss of integrity or availability that is {loss}; unknown counts as high.",
    ),
    (
        "safety-patient-data",
        "Impact on safety: {value}, because patients' data can be read.",
    ),
    (
        "safety-patient-data-assumed",
        "Impact on safety: {value}, because data can be read and nobody said that it is not patients'.",
    ),
];

/// Impact on work: decided by a person, derived, data can be read, data is assumed.
const MISSION: [(&str, &str); 4] = [
    (
        "mission-person",
        "Impact on the laboratory's work: {value}, as a person decided.",
    ),
    (
        "mission-derived",
        "Impact on the laboratory's work: {value}, from a criticality that is {criticality} and a loss of integrity or availability that is {loss}; unknown counts as high.",
    ),
    (
        "mission-patient-data",
        "Impact on the laboratory's work: {value}, because patients' data can be read.",
    ),
    (
        "mission-patient-data-assumed",
        "Impact on the laboratory's work: {value}, because data can be read and nobody said that it is not patients'.",
    ),
];

fn impact(value: &str, from: ImpactFrom, texts: &[(&'static str, &'static str); 4]) -> Saying {
    let [person, derived, data, assumed] = *texts;
    let mut values = vec![("value", value.to_owned())];
    let (code, text) = match from {
        ImpactFrom::Person => person,
        ImpactFrom::Derived { criticality, loss } => {
            values.push(("criticality", criticality.name().to_owned()));
            values.push(("loss", loss.to_owned()));
            derived
        }
        ImpactFrom::PatientData { assumed: false } => data,
        ImpactFrom::PatientData { assumed: true } => assumed,
    };
    Saying::new(code, text, values)
}

fn severity(value: u8, from: &SeverityFrom) -> Saying {
    let score = ("score", tenths(value));
    match from {
        SeverityFrom::Vector(vector) => Saying::new(
            "severity",
            "CVSS {score}, computed from {vector}.",
            vec![score, ("vector", vector.clone())],
        ),
        SeverityFrom::Rubric {
            vector,
            answers,
            base_tenths,
        } => Saying::new(
            "severity-rubric",
            "CVSS {score} after {answers} answers to the rubric for medical devices (before: {before}), from {vector}.",
            vec![
                score,
                ("answers", answers.to_string()),
                ("before", tenths(*base_tenths)),
                ("vector", vector.clone()),
            ],
        ),
        SeverityFrom::Unknown => Saying::new(
            "severity-assumed",
            "CVSS {score} is assumed; there is no CVSS vector.",
            vec![score],
        ),
    }
}

fn raised(band: Band, by: RaisedBy) -> Saying {
    let (code, text) = match by {
        RaisedBy::Epss => (
            "raised-epss",
            "Raised to {band}: exploitation is likely by EPSS, and the device is not isolated.",
        ),
        RaisedBy::PatientData => (
            "raised-patient-data",
            "Raised to {band}: patients' data is on the device, and all of it can be read.",
        ),
        RaisedBy::Ransomware => ("raised-ransomware", "Raised to {band}: ransomware uses it."),
        RaisedBy::RansomwareHere => (
            "raised-ransomware-here",
            "Raised to {band}: ransomware uses it, the device is not isolated, and patients wait for it or their data is on it.",
        ),
        RaisedBy::Severity => (
            "raised-severity",
            "Raised to {band}: the severity is critical, and the device is affected and not isolated.",
        ),
    };
    Saying::new(code, text, vec![("band", band.name().to_owned())])
}
