//! The rules one by one, and that no facts come to anything without a reason.

use proptest::prelude::*;
use time::macros::date;

use super::*;
use crate::known::{Epss, Said, Source};

const TODAY: Date = date!(2026 - 03 - 01);
const WORST: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H";
const LOCAL: &str = "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:L/I:L/A:N";

/// An analyzer behind a measured filter, with a flaw that nobody exploits.
fn ordinary(vector: &str) -> Known {
    Known {
        certainty: Certainty::Affected,
        vectors: vec![vector.into()],
        kev: Kev::NotListed,
        exploitation: Some(Said {
            value: Exploitation::None,
            source: Source::Publisher,
            day: Some(date!(2023 - 04 - 27)),
        }),
        exposure: Exposure::Controlled,
        criticality: Criticality::Normal,
        patient_data: Some(false),
        support: Support::Ongoing,
        ..Known::default()
    }
}

fn listed(ransomware: bool) -> Kev {
    Kev::Listed {
        added: Some(date!(2022 - 02 - 10)),
        due: Some(date!(2022 - 08 - 10)),
        ransomware,
    }
}

#[track_caller]
fn check(known: &Known, decision: Decision, band: Band, codes: &[&str]) -> Priority {
    let priority = prioritise(known, TODAY);
    assert_eq!((priority.decision, priority.band), (decision, band));
    let found: Vec<_> = priority.reasons.iter().map(Reason::code).collect();
    for code in codes {
        assert!(found.contains(code), "{code} is not in {found:?}");
    }
    for reason in &priority.reasons {
        assert!(reason.saying().is_whole(), "{reason:?}");
    }
    priority
}

#[test]
fn what_is_known_decides_by_the_tree() {
    let codes = [
        "exploitation-publisher",
        "exposure-measured",
        "automatable-vector",
        "safety-derived",
        "mission-derived",
        "human-impact",
        "decision",
        "severity",
    ];
    let known = ordinary(LOCAL);
    let low = check(&known, Decision::Defer, Band::Low, &codes);
    assert_eq!(low.reasons.len(), codes.len());
    let active = Known {
        kev: listed(false),
        ..ordinary(WORST)
    };
    check(
        &active,
        Decision::OutOfCycle,
        Band::High,
        &["exploitation-kev"],
    );
    let open = Known {
        exposure: Exposure::Reachable,
        criticality: Criticality::High,
        ..active
    };
    check(&open, Decision::Immediate, Band::Critical, &[]);
}

#[test]
fn what_is_not_known_counts_as_worse_and_says_so() {
    let codes = [
        "cannot-tell",
        "exploitation-assumed",
        "exposure-assumed",
        "automatable-assumed",
        "safety-derived",
        "severity-assumed",
    ];
    let nothing = prioritise(&Known::default(), TODAY);
    check(
        &Known::default(),
        Decision::Immediate,
        Band::Critical,
        &codes,
    );
    assert_eq!(nothing.score, 800);
    let catalog = Known {
        kev: Kev::NotListed,
        ..Known::default()
    };
    check(
        &catalog,
        Decision::OutOfCycle,
        Band::High,
        &["exploitation-assumed-public"],
    );
}

#[test]
fn a_band_is_raised_by_facts_alone() {
    let severe = ordinary(WORST);
    check(
        &severe,
        Decision::Scheduled,
        Band::High,
        &["raised-severity"],
    );
    let isolated = Known {
        exposure: Exposure::Isolated,
        ..severe.clone()
    };
    check(&isolated, Decision::Scheduled, Band::Medium, &[]);
    let doubtful = Known {
        certainty: Certainty::CannotTell,
        ..severe.clone()
    };
    check(
        &doubtful,
        Decision::Scheduled,
        Band::Medium,
        &["cannot-tell"],
    );
    let ransomware = Known {
        kev: listed(true),
        ..severe.clone()
    };
    check(
        &ransomware,
        Decision::OutOfCycle,
        Band::High,
        &["ransomware"],
    );
    let here = Known {
        patient_data: Some(true),
        ..ransomware
    };
    check(
        &here,
        Decision::OutOfCycle,
        Band::Critical,
        &["raised-ransomware-here"],
    );
    let reads = ordinary("CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N");
    check(&reads, Decision::Defer, Band::Low, &[]);
    let patients = Known {
        patient_data: Some(true),
        ..reads
    };
    let codes = [
        "raised-patient-data",
        "safety-patient-data",
        "mission-patient-data",
    ];
    check(&patients, Decision::Defer, Band::Medium, &codes);
    let likely = Known {
        epss: Some(Epss {
            probability: 0.97312,
            percentile: None,
            scored: TODAY,
        }),
        ..ordinary(LOCAL)
    };
    let priority = check(
        &likely,
        Decision::Defer,
        Band::High,
        &["epss", "raised-epss"],
    );
    let said: Vec<String> = priority
        .reasons
        .iter()
        .map(|one| one.saying().to_string())
        .collect();
    assert!(said.iter().any(|text| text.contains("97.31 %")), "{said:?}");
}

#[test]
fn a_person_decides_impacts_and_a_rubric_the_vector() {
    let decided = Known {
        safety: Some(SafetyImpact::Catastrophic),
        mission: Some(MissionImpact::MissionFails),
        kev: listed(false),
        exposure: Exposure::Reachable,
        ..ordinary(LOCAL)
    };
    check(
        &decided,
        Decision::Immediate,
        Band::Critical,
        &["safety-person", "mission-person"],
    );
    let near = Known {
        rubric: "XAVN:Y/XAVT:N/XAVW:Y/XAVR:Y".parse().unwrap(),
        ..ordinary(WORST)
    };
    let priority = check(&near, Decision::Scheduled, Band::High, &["severity-rubric"]);
    assert!(
        priority
            .reasons
            .iter()
            .any(|one| matches!(one, Reason::Automatable(false, _)))
    );
    let touched = Known {
        exposure: Exposure::Reachable,
        ..ordinary("CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")
    };
    check(&touched, Decision::Defer, Band::Low, &["exposure-physical"]);
}

#[test]
fn the_newest_version_of_cvss_speaks() {
    let both = Known {
        vectors: vec![
            "AV:N/AC:L/Au:N/C:C/I:C/A:C".into(),
            LOCAL.into(),
            "no vector".into(),
        ],
        exploitation: None,
        ..ordinary(LOCAL)
    };
    let priority = prioritise(&both, TODAY);
    assert!(
        priority
            .reasons
            .iter()
            .any(|one| matches!(one, Reason::Automatable(false, _)))
    );
    let four = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:A";
    let four = Known {
        vectors: vec![LOCAL.into(), four.into()],
        ..both
    };
    check(
        &four,
        Decision::OutOfCycle,
        Band::High,
        &["exploitation-vector"],
    );
}

#[test]
fn support_that_ended_is_said() {
    let ended = Known {
        support: Support::Until(date!(2020 - 01 - 14)),
        ..ordinary(LOCAL)
    };
    check(&ended, Decision::Defer, Band::Low, &["support-ended"]);
    let last_day = Known {
        support: Support::Until(TODAY),
        ..ordinary(LOCAL)
    };
    let codes: Vec<_> = prioritise(&last_day, TODAY)
        .reasons
        .iter()
        .map(Reason::code)
        .collect();
    assert!(!codes.contains(&"support-ended"));
}

fn known() -> impl Strategy<Value = Known> {
    let vector = prop::sample::select(vec![
        WORST,
        LOCAL,
        "CVSS:3.0/AV:A/AC:H/PR:N/UI:R/S:U/C:L/I:H/A:N/E:P",
        "AV:N/AC:L/Au:N/C:P/I:N/A:N",
        "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
        "CVSS:3.1/AV:N",
        "",
    ]);
    let kev = prop::sample::select(vec![
        Kev::NotLooked,
        Kev::NotListed,
        listed(false),
        listed(true),
    ]);
    let exposure = prop::sample::select(vec![
        Exposure::Unknown,
        Exposure::Isolated,
        Exposure::Controlled,
        Exposure::Reachable,
    ]);
    let criticality = prop::sample::select(vec![
        Criticality::Unknown,
        Criticality::Low,
        Criticality::Normal,
        Criticality::High,
    ]);
    let said = prop::option::of(prop::sample::select(Exploitation::ALL.to_vec()));
    let rubric = prop::sample::select(vec!["", "XUI:Y", "XCP:U/XID:L", "XPRL:Y/XPRZ:Y/XPRS:N"]);
    (
        prop::collection::vec(vector, 0..4),
        kev,
        exposure,
        criticality,
        said,
        (
            any::<Option<bool>>(),
            any::<bool>(),
            any::<Option<f64>>(),
            rubric,
        ),
    )
        .prop_map(|(vectors, kev, exposure, criticality, said, rest)| Known {
            certainty: if rest.1 {
                Certainty::Affected
            } else {
                Certainty::CannotTell
            },
            vectors: vectors.into_iter().map(Into::into).collect(),
            kev,
            epss: rest.2.map(|probability| Epss {
                probability,
                percentile: None,
                scored: TODAY,
            }),
            exploitation: said.map(|value| Said {
                value,
                source: Source::Person,
                day: None,
            }),
            exposure,
            criticality,
            patient_data: rest.0,
            rubric: rest.3.parse().unwrap(),
            ..Known::default()
        })
}

proptest! {
    #[test]
    fn any_facts_come_to_one_priority_with_its_reasons(known in known()) {
        let priority = prioritise(&known, TODAY);
        let mut turned = known.clone();
        turned.vectors.reverse();
        prop_assert_eq!(&prioritise(&turned, TODAY), &priority);
        prop_assert!(priority.score <= 1_000);
        prop_assert!(priority.band >= Band::of(priority.decision));
        let is_raised = priority.reasons.iter().any(|one| matches!(one, Reason::Raised(..)));
        prop_assert_eq!(is_raised, priority.band > Band::of(priority.decision));
        for reason in &priority.reasons {
            assert!(reason.saying().is_whole(), "{reason:?}");
        }
    }

    #[test]
    fn to_learn_less_never_makes_a_hit_less_urgent(known in known()) {
        let decision = prioritise(&known, TODAY).decision;
        let unmeasured = Known { exposure: Exposure::Unknown, ..known.clone() };
        prop_assert!(prioritise(&unmeasured, TODAY).decision >= decision);
        let unrated = Known { criticality: Criticality::Unknown, ..known.clone() };
        prop_assert!(prioritise(&unrated, TODAY).decision >= decision);
        let unasked = Known { patient_data: None, ..known };
        prop_assert!(prioritise(&unasked, TODAY).decision >= decision);
    }
}
