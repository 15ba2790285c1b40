//! How urgent a hit is.
//!
//! It must never come to a band without the reasons that led to it, or to another one for the order in which
//! vectors stand.

use time::Date;

use crate::evidence::{Loss, Vector, vectors};
use crate::known::{Certainty, Criticality, Exposure, Kev, Known, Support};
use crate::reason::{
    AutomatableFrom, ExploitationFrom, ExposureFrom, ImpactFrom, RaisedBy, Reason, SeverityFrom,
};
use crate::ssvc::{
    self, Decision, Exploitation, HumanImpact, MissionImpact, SafetyImpact, SystemExposure,
};

/// The band, to which a clock belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Band {
    /// The decision is to defer.
    Low,
    /// The decision is the next planned maintenance.
    Medium,
    /// The decision is the next opportunity.
    High,
    /// The decision is at once.
    Critical,
}

impl Band {
    /// Its name in JSON and in sentences.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    const fn of(decision: Decision) -> Self {
        match decision {
            Decision::Defer => Self::Low,
            Decision::Scheduled => Self::Medium,
            Decision::OutOfCycle => Self::High,
            Decision::Immediate => Self::Critical,
        }
    }
}

/// How urgent a hit is, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Priority {
    /// What the deployer's tree of SSVC decides.
    pub decision: Decision,
    /// The band: that of the decision, or a higher one with its reason.
    pub band: Band,
    /// Orders hits of one band, 0 to 1,000; it means nothing else.
    pub score: u16,
    /// Whether the device is known to be affected.
    pub certainty: Certainty,
    /// Why, in the order in which it was decided; each decision point is named once.
    pub reasons: Vec<Reason>,
}

/// Where a hit stands among others: the greater the more urgent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rank {
    band: Band,
    score: u16,
    certainty: Certainty,
}

impl Priority {
    /// Its place among others. For a list without ties sort by the due day, the reverse of this, and a key of
    /// the hit.
    pub const fn rank(&self) -> Rank {
        Rank {
            band: self.band,
            score: self.score,
            certainty: self.certainty,
        }
    }
}

/// The facts that decide, each with its reason noted.
struct Weighing<'k> {
    known: &'k Known,
    vectors: Vec<Vector>,
    reasons: Vec<Reason>,
}

/// Says how urgent a hit is; `today` only tells whether support has ended.
pub fn prioritise(known: &Known, today: Date) -> Priority {
    let mut weighing = Weighing {
        known,
        vectors: vectors(known),
        reasons: Vec::new(),
    };
    if known.certainty == Certainty::CannotTell {
        weighing.reasons.push(Reason::CannotTell);
    }
    let exploitation = weighing.exploitation();
    let exposure = weighing.exposure();
    let automatable = weighing.automatable();
    let impact = weighing.human_impact();
    let decision = ssvc::decide(exploitation, exposure, automatable, impact);
    weighing.reasons.push(Reason::Decision(decision));
    let tenths = weighing.severity();
    let basis_points = weighing.epss();
    let band = weighing.raised(Band::of(decision), exposure);
    if let Support::Until(end) = known.support
        && end < today
    {
        weighing.reasons.push(Reason::SupportEnded(end));
    }
    let points = u16::from(tenths) * 4
        + points_of(exploitation, exposure, impact)
        + basis_points / 100
        + if is_ransomware(known) { 50 } else { 0 };
    Priority {
        decision,
        band,
        score: points.min(1_000),
        certainty: known.certainty,
        reasons: weighing.reasons,
    }
}

const fn points_of(
    exploitation: Exploitation,
    exposure: SystemExposure,
    impact: HumanImpact,
) -> u16 {
    let exploitation = match exploitation {
        Exploitation::None => 0,
        Exploitation::PublicPoc => 60,
        Exploitation::Active => 200,
    };
    let exposure = match exposure {
        SystemExposure::Small => 0,
        SystemExposure::Controlled => 50,
        SystemExposure::Open => 100,
    };
    let impact = match impact {
        HumanImpact::Low => 0,
        HumanImpact::Medium => 50,
        HumanImpact::High => 100,
        HumanImpact::VeryHigh => 150,
    };
    exploitation + exposure + impact
}

const fn is_ransomware(known: &Known) -> bool {
    matches!(
        known.kev,
        Kev::Listed {
            ransomware: true,
            ..
        }
    )
}

impl Weighing<'_> {
    /// What is listed is active; else what a person says, what the publisher says, what the vector says.
    fn exploitation(&mut self) -> Exploitation {
        let by_vector = self.vectors.iter().filter_map(Vector::exploitation).max();
        let (value, from) = match (self.known.kev, self.known.exploitation, by_vector) {
            (Kev::Listed { added, .. }, ..) => (Exploitation::Active, ExploitationFrom::Kev(added)),
            (Kev::Several, ..) => (Exploitation::Active, ExploitationFrom::KevSeveral),
            (_, Some(said), _) => (said.value, ExploitationFrom::Said(said.source, said.day)),
            (_, None, Some((value, metric))) => (value, ExploitationFrom::Vector(metric)),
            (Kev::NotListed, None, None) => (Exploitation::PublicPoc, ExploitationFrom::NotListed),
            (Kev::NotLooked, None, None) => (Exploitation::Active, ExploitationFrom::Unknown),
        };
        self.reasons.push(Reason::Exploitation(value, from));
        if is_ransomware(self.known) {
            self.reasons.push(Reason::Ransomware);
        }
        value
    }

    fn exposure(&mut self) -> SystemExposure {
        let is_physical = !self.vectors.is_empty() && self.vectors.iter().all(Vector::is_physical);
        let (value, from) = match self.known.exposure {
            Exposure::Isolated => (SystemExposure::Small, ExposureFrom::Measured),
            _ if is_physical => (SystemExposure::Small, ExposureFrom::Physical),
            Exposure::Controlled => (SystemExposure::Controlled, ExposureFrom::Measured),
            Exposure::Reachable => (SystemExposure::Open, ExposureFrom::Measured),
            Exposure::Unknown => (SystemExposure::Open, ExposureFrom::Unknown),
        };
        self.reasons.push(Reason::Exposure(value, from));
        value
    }

    fn automatable(&mut self) -> bool {
        let automatable = self.vectors.iter().find(|vector| vector.is_automatable());
        let (value, from) = match (automatable, self.vectors.first()) {
            (Some(vector), _) => (true, AutomatableFrom::Vector(vector.text.clone())),
            (None, Some(vector)) => (false, AutomatableFrom::Vector(vector.text.clone())),
            (None, None) => (true, AutomatableFrom::Unknown),
        };
        self.reasons.push(Reason::Automatable(value, from));
        value
    }

    fn human_impact(&mut self) -> HumanImpact {
        let loss = self.vectors.iter().map(Vector::loss_of_work).max();
        let criticality = self.known.criticality;
        let derived = ImpactFrom::derived(criticality, loss);
        let (mut safety, mut mission) = impacts_of(criticality, loss.unwrap_or(Loss::High));
        let (mut safety_from, mut mission_from) = (derived, derived);
        if let Some(assumed) = self.patient_data_lost() {
            // A breach harms many people a little, and the laboratory has to work on it.
            if safety < SafetyImpact::Marginal {
                safety = SafetyImpact::Marginal;
                safety_from = ImpactFrom::PatientData { assumed };
            }
            if mission < MissionImpact::SupportCrippled {
                mission = MissionImpact::SupportCrippled;
                mission_from = ImpactFrom::PatientData { assumed };
            }
        }
        if let Some(decided) = self.known.safety {
            (safety, safety_from) = (decided, ImpactFrom::Person);
        }
        if let Some(decided) = self.known.mission {
            (mission, mission_from) = (decided, ImpactFrom::Person);
        }
        let human = HumanImpact::of(safety, mission);
        self.reasons.push(Reason::Safety(safety, safety_from));
        self.reasons.push(Reason::Mission(mission, mission_from));
        self.reasons.push(Reason::Human(human));
        human
    }

    /// Whether all of patients' data can be read, and if so whether that it is there is an assumption.
    fn patient_data_lost(&self) -> Option<bool> {
        let secrecy = self.vectors.iter().map(Vector::loss_of_secrecy).max();
        let is_lost = secrecy.unwrap_or(Loss::High) == Loss::High;
        match self.known.patient_data {
            Some(false) => None,
            said => is_lost.then_some(said.is_none()),
        }
    }

    fn severity(&mut self) -> u8 {
        let Some(worst) = self.vectors.first() else {
            self.reasons
                .push(Reason::Severity(100, SeverityFrom::Unknown));
            return 100;
        };
        let tenths = worst.tenths;
        let from = match &worst.adjusted {
            Some(adjusted) => SeverityFrom::Rubric {
                vector: adjusted.vector.clone(),
                answers: self.known.rubric.count(),
                base_tenths: worst.base_tenths,
            },
            None => SeverityFrom::Vector(worst.text.clone()),
        };
        self.reasons.push(Reason::Severity(tenths, from));
        tenths
    }

    /// The probability in hundredths of a per cent.
    fn epss(&mut self) -> u16 {
        let Some(epss) = self.known.epss else {
            return 0;
        };
        let share = (epss.probability * 10_000.0).round().clamp(0.0, 10_000.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped; what is no number becomes 0"
        )]
        let basis_points = share as u16;
        self.reasons.push(Reason::Epss {
            basis_points,
            scored: epss.scored,
        });
        basis_points
    }

    /// What the tree does not ask for; a fact that is not known raises nothing but ransomware's band.
    fn raised(&mut self, band: Band, exposure: SystemExposure) -> Band {
        let known = self.known;
        let is_reached = exposure > SystemExposure::Small;
        let is_dear = matches!(known.criticality, Criticality::High | Criticality::Unknown)
            || known.patient_data != Some(false);
        let is_critical = self.vectors.first().is_some_and(|one| one.tenths >= 90);
        let is_likely = known.epss.is_some_and(|epss| epss.probability >= 0.5);
        let is_read = self.patient_data_lost() == Some(false);
        let ransomware = is_ransomware(known);
        let affected = known.certainty == Certainty::Affected;
        let floors = [
            (
                ransomware && is_reached && is_dear,
                Band::Critical,
                RaisedBy::RansomwareHere,
            ),
            (ransomware, Band::High, RaisedBy::Ransomware),
            (
                is_critical && is_reached && affected,
                Band::High,
                RaisedBy::Severity,
            ),
            (is_likely && is_reached, Band::High, RaisedBy::Epss),
            (is_read, Band::Medium, RaisedBy::PatientData),
        ];
        let holds = floors
            .into_iter()
            .find(|(holds, floor, _)| *holds && *floor > band);
        let Some((_, floor, by)) = holds else {
            return band;
        };
        self.reasons.push(Reason::Raised(floor, by));
        floor
    }
}

/// The impacts of a loss of integrity or availability on a device. That several people die, or that the whole
/// laboratory fails, is never derived: only a person can say that.
const fn impacts_of(criticality: Criticality, loss: Loss) -> (SafetyImpact, MissionImpact) {
    use MissionImpact::{Degraded, FunctionFails, SupportCrippled};
    use SafetyImpact::{Critical, Marginal, Negligible};
    match (criticality, loss) {
        (_, Loss::None) | (Criticality::Low, _) => (Negligible, Degraded),
        (Criticality::Normal, Loss::Low) => (Negligible, SupportCrippled),
        (Criticality::Normal, Loss::High) => (Marginal, FunctionFails),
        (Criticality::High | Criticality::Unknown, Loss::Low) => (Marginal, FunctionFails),
        (Criticality::High | Criticality::Unknown, Loss::High) => (Critical, FunctionFails),
    }
}

#[cfg(test)]
mod tests;
