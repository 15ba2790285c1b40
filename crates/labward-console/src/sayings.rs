//! Everything that the rooms say of urgency, for the test that compares it with the texts.
//!
//! It must never leave a code out: the test would pass without its text.

use labward_behaviour::{Anomaly, Kind};
use labward_priority::order::{Head, Work, calendar};
use labward_priority::ssvc::{
    Decision, Exploitation, HumanImpact, MissionImpact, SafetyImpact, SystemExposure,
};
use labward_priority::{
    AutomatableFrom, Band, Clocks, Criticality, Days, ExploitationFrom, ExposureFrom, ImpactFrom,
    Known, Note, RaisedBy, Reason, Rule, SeverityFrom, Source, State, prioritise, standing,
};

/// Everything that the room of priorities says, each code at least once.
pub(crate) fn all() -> Vec<labward_priority::Saying> {
    let day = time::macros::date!(2026 - 11 - 27);
    let vector = || "CVSS:3.1/AV:N".to_owned();
    let mut reasons = vec![
        Reason::CannotTell,
        Reason::Ransomware,
        Reason::SupportEnded(day),
        Reason::Severity(98, SeverityFrom::Vector(vector())),
        Reason::Severity(98, SeverityFrom::Unknown),
        Reason::Severity(
            98,
            SeverityFrom::Rubric {
                vector: vector(),
                answers: 3,
                base_tenths: 75,
            },
        ),
        Reason::Epss {
            basis_points: 1,
            scored: day,
        },
        Reason::Automatable(true, AutomatableFrom::Vector(vector())),
        Reason::Automatable(false, AutomatableFrom::Unknown),
        Reason::Exposure(SystemExposure::Open, ExposureFrom::Physical),
        Reason::Exposure(SystemExposure::Open, ExposureFrom::Unknown),
    ];
    let exposures = SystemExposure::ALL.iter();
    reasons.extend(exposures.map(|one| Reason::Exposure(*one, ExposureFrom::Measured)));
    for one in Exploitation::ALL {
        let from = [
            ExploitationFrom::Kev(None),
            ExploitationFrom::KevSeveral,
            ExploitationFrom::Said(Source::Person, Some(day)),
            ExploitationFrom::Said(Source::Publisher, Some(day)),
            ExploitationFrom::Vector("E:P".to_owned()),
            ExploitationFrom::NotListed,
            ExploitationFrom::Unknown,
        ];
        reasons.extend(from.map(|from| Reason::Exploitation(*one, from)));
    }
    let mut from = vec![
        ImpactFrom::Person,
        ImpactFrom::PatientData { assumed: true },
        ImpactFrom::PatientData { assumed: false },
    ];
    for criticality in [
        Criticality::Unknown,
        Criticality::Low,
        Criticality::Normal,
        Criticality::High,
    ] {
        for loss in ["none", "low", "high", "unknown"] {
            from.push(ImpactFrom::Derived { criticality, loss });
        }
    }
    for from in from {
        reasons.extend(
            SafetyImpact::ALL
                .iter()
                .map(|one| Reason::Safety(*one, from)),
        );
        let missions = MissionImpact::ALL.iter();
        reasons.extend(missions.map(|one| Reason::Mission(*one, from)));
    }
    reasons.extend(HumanImpact::ALL.iter().map(|one| Reason::Human(*one)));
    reasons.extend(Decision::ALL.iter().map(|one| Reason::Decision(*one)));
    let by = [
        RaisedBy::Epss,
        RaisedBy::PatientData,
        RaisedBy::Ransomware,
        RaisedBy::RansomwareHere,
        RaisedBy::Severity,
    ];
    reasons.extend(by.map(|by| Reason::Raised(Band::High, by)));
    let mut all: Vec<_> = reasons.iter().map(Reason::saying).collect();
    let length = 15;
    for band in [Band::Low, Band::Medium, Band::High, Band::Critical] {
        let rules = [
            Rule::Found {
                band,
                length,
                found: day,
            },
            Rule::Patch {
                band,
                length,
                patch: day,
            },
            Rule::NoPatch {
                band,
                length,
                found: day,
            },
            Rule::Kev { kev: day },
            Rule::KevPassed {
                kev: day,
                found: day,
            },
        ];
        all.extend(rules.iter().map(Rule::saying));
    }
    let notes = [
        Note::PatchRefused,
        Note::PatchUnasked,
        Note::ControlUnmeasured,
        Note::AcceptanceEnded(day),
        Note::ReplacementLate(day),
    ];
    all.extend(notes.iter().map(Note::saying));
    all.extend(calendar_sayings());
    all.extend(behaviour_sayings());
    all
}

/// What is said of what a device does otherwise.
fn behaviour_sayings() -> Vec<labward_base::Saying> {
    let at = labward_base::Timestamp::from_micros(0);
    let clock = |ahead_s| Kind::ClockOff {
        ahead_s,
        low_s: -1,
        high_s: 1,
    };
    let kinds = [
        clock(7_200),
        clock(-7_200),
        Kind::NewMessageType("QBP^Q11".into()),
        Kind::NewTest("94531-1".into()),
        Kind::SequenceBack { last: 2, found: 1 },
        Kind::SequenceGap {
            expected: 1,
            found: 2,
        },
        Kind::Silent {
            since: at,
            hours: 3,
        },
        Kind::TooMany {
            count: 40,
            usual: 2,
        },
        Kind::UnusualHour { days: 42 },
    ];
    for code in Kind::CODES {
        assert!(kinds.iter().any(|kind| kind.code() == code), "{code}");
    }
    kinds.map(|kind| Anomaly { at, kind }.saying()).into()
}

/// What a calendar of due work says, in each state.
fn calendar_sayings() -> Vec<labward_priority::Saying> {
    let day = time::macros::date!(2026 - 11 - 27);
    let clocks = Clocks::default();
    let priority = prioritise(&Known::default(), day);
    let days = Days {
        found: day,
        patch_available: None,
        kev_due: None,
    };
    let due = clocks.due(priority.band, &days, day);
    let work = [
        State::Treated,
        State::Open,
        State::DueSoon,
        State::AcceptanceExpired,
        State::Overdue,
    ]
    .map(|state| {
        let mut standing = standing(&due, &[], &clocks, day);
        standing.state = state;
        standing.until = Some(day);
        Work {
            hit: "hit-1".to_owned(),
            device: "device 1".to_owned(),
            vulnerability: "CVE-2023-1".to_owned(),
            advisory: "A-1".to_owned(),
            priority: priority.clone(),
            due,
            standing,
        }
    });
    let head = Head {
        name: "lab".to_owned(),
        site: "lab".to_owned(),
        written: labward_base::Timestamp::from_micros(0),
    };
    let said = std::cell::RefCell::new(Vec::new());
    calendar(&head, &work, &clocks, |one| {
        said.borrow_mut().push(one.clone());
        String::new()
    });
    said.into_inner()
}
