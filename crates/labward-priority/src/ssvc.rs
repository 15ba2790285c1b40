//! Stakeholder-Specific Vulnerability Categorization (SSVC): the decision of one who deploys patches.
//!
//! The values and both tables are those that CERT/CC publishes as data: *Deployer Patch Application
//! Priority* 1.0.0 and *Human Impact* 1.0.0, over *Exploitation* 1.1.0, *System Exposure* 1.0.1,
//! *Automatable* 2.0.0, *Safety Impact* 2.0.1, *Mission Impact* 2.0.0 and *Human Impact* 2.0.2
//! (`data/csv/ssvc` of the repository `CERTCC/SSVC`). It must never decide by anything but these tables.

use Decision::{Defer as D, Immediate as I, OutOfCycle as O, Scheduled as S};

macro_rules! named {
    ($($(#[$doc:meta])+ $name:ident { $($(#[$of:meta])+ $value:ident = $text:literal,)+ })+) => {$(
        $(#[$doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$of])+ $value,)+ }

        impl $name {
            /// Every value, the least first.
            pub const ALL: &[Self] = &[$(Self::$value),+];

            /// Its name in JSON and in sentences.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$value => $text,)+ }
            }
        }
    )+};
}

named! {
    /// The state of exploitation.
    Exploitation {
        /// No attack and no public way to attack is known.
        None = "none",
        /// How to attack is public, or generally known.
        PublicPoc = "public-poc",
        /// Attacks with it are reliably reported.
        Active = "active",
    }
    /// Who reaches the affected system.
    SystemExposure {
        /// A local program, or a network under tight control.
        Small = "small",
        /// A network service behind something that holds attacks off.
        Controlled = "controlled",
        /// The Internet, or a network on which nothing holds attacks off.
        Open = "open",
    }
    /// The worst that an attack does to people's safety.
    SafetyImpact {
        /// Minor injuries at worst; within what operators handle every day.
        Negligible = "negligible",
        /// Major injuries, or safety margins used up.
        Marginal = "marginal",
        /// A death, or beyond what operators can handle.
        Critical = "critical",
        /// Several deaths.
        Catastrophic = "catastrophic",
    }
    /// The worst that an attack does to the work of the organisation.
    MissionImpact {
        /// Little, or what is not essential gets worse.
        Degraded = "degraded",
        /// What supports an essential function stops; the function goes on for a time.
        SupportCrippled = "support-crippled",
        /// One essential function fails for longer than is acceptable.
        FunctionFails = "function-fails",
        /// The organisation cannot do what it is for.
        MissionFails = "mission-fails",
    }
    /// Safety and mission impact together.
    HumanImpact {
        /// Low.
        Low = "low",
        /// Medium.
        Medium = "medium",
        /// High.
        High = "high",
        /// Very high.
        VeryHigh = "very-high",
    }
    /// When to act.
    Decision {
        /// Not now.
        Defer = "defer",
        /// With the next planned maintenance.
        Scheduled = "scheduled",
        /// At the next opportunity, without waiting for maintenance.
        OutOfCycle = "out-of-cycle",
        /// At once, with everybody who is needed.
        Immediate = "immediate",
    }
}

impl HumanImpact {
    /// The human impact of both impacts.
    pub const fn of(safety: SafetyImpact, mission: MissionImpact) -> Self {
        use MissionImpact::{Degraded, FunctionFails, MissionFails, SupportCrippled};
        use SafetyImpact::{Catastrophic, Critical, Marginal, Negligible};
        match (safety, mission) {
            (Catastrophic, _) | (_, MissionFails) => Self::VeryHigh,
            (Negligible | Marginal, Degraded | SupportCrippled) => Self::Low,
            (Negligible | Marginal, FunctionFails) | (Critical, Degraded) => Self::Medium,
            (Critical, SupportCrippled | FunctionFails) => Self::High,
        }
    }
}

/// The decision of the published table.
pub const fn decide(
    exploitation: Exploitation,
    exposure: SystemExposure,
    automatable: bool,
    impact: HumanImpact,
) -> Decision {
    use Exploitation::{Active, None, PublicPoc};
    use SystemExposure::{Controlled, Open, Small};
    // Of each: not automatable, automatable; within, human impact from low to very high.
    let [no, yes] = match (exploitation, exposure) {
        (None, Small) => [[D, D, S, S], [D, S, S, S]],
        (None, Controlled) => [[D, S, S, S], [S, S, S, S]],
        (None, Open) => [[D, S, S, S], [S, S, S, O]],
        (PublicPoc, Small) => [[D, S, S, S], [S, S, S, S]],
        (PublicPoc, Controlled) => [[D, S, S, S], [S, S, S, O]],
        (PublicPoc, Open) => [[S, S, S, O], [S, S, O, O]],
        (Active, Small) => [[S, S, O, O], [S, O, O, O]],
        (Active, Controlled) => [[S, S, O, O], [O, O, O, O]],
        (Active, Open) => [[S, O, O, I], [O, O, I, I]],
    };
    let [low, medium, high, very_high] = if automatable { yes } else { no };
    match impact {
        HumanImpact::Low => low,
        HumanImpact::Medium => medium,
        HumanImpact::High => high,
        HumanImpact::VeryHigh => very_high,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The outcomes of the published file in its order: the rows run through human impact first, then
    /// automatable, exposure and exploitation.
    const PUBLISHED: &str =
        "DDSSDSSSDSSSSSSSDSSSSSSODSSSSSSSDSSSSSSOSSSOSSOOSSOOSOOOSSOOOOOOSOOIOOII";

    fn all() -> impl Iterator<Item = (Exploitation, SystemExposure, bool, HumanImpact)> {
        let ends = |exploitation, exposure, automatable| {
            let impacts = HumanImpact::ALL.iter();
            impacts.map(move |impact| (exploitation, exposure, automatable, *impact))
        };
        Exploitation::ALL.iter().flat_map(move |exploitation| {
            SystemExposure::ALL.iter().flat_map(move |exposure| {
                [false, true]
                    .into_iter()
                    .flat_map(move |automatable| ends(*exploitation, *exposure, automatable))
            })
        })
    }

    #[test]
    fn the_table_is_the_published_one() {
        let mine: String = all()
            .map(|(a, b, c, d)| match decide(a, b, c, d) {
                D => 'D',
                S => 'S',
                O => 'O',
                I => 'I',
            })
            .collect();
        assert_eq!(mine, PUBLISHED);
    }

    #[test]
    fn a_worse_value_never_leads_to_a_lesser_decision() {
        for (a, b, c, d) in all() {
            for (e, f, g, h) in all() {
                if e >= a && f >= b && g >= c && h >= d {
                    assert!(decide(e, f, g, h) >= decide(a, b, c, d));
                }
            }
        }
    }

    #[test]
    fn human_impact_is_the_published_one() {
        let published = "LLMV LLMV MHHV VVVV";
        let mine: Vec<String> = SafetyImpact::ALL
            .iter()
            .map(|safety| {
                let row = MissionImpact::ALL.iter();
                row.map(|mission| match HumanImpact::of(*safety, *mission) {
                    HumanImpact::Low => 'L',
                    HumanImpact::Medium => 'M',
                    HumanImpact::High => 'H',
                    HumanImpact::VeryHigh => 'V',
                })
                .collect()
            })
            .collect();
        assert_eq!(mine.join(" "), published);
    }
}
