//! Tests of the pages: the list of what is due.

use labward_api::hit::{HitCounts, HitDevice, HitTreatment};
use labward_identity::{Language, Role, Theme};

use super::*;
use crate::frame::Viewer;

pub(crate) fn frame(role: Role, language: Language) -> Frame {
    Frame {
        language,
        theme: Theme::Light,
        viewer: Some(Viewer {
            name: "Eva".to_owned(),
            roles: role.into(),
            engagement: None,
            mark: None,
            csrf: "token".to_owned(),
            lasts: crate::frame::Lasts::default(),
        }),
        nonce: "nonce".to_owned(),
        lab: "Lab".to_owned(),
        place: Place::Hits,
        done: None,
        alarm: None,
        glass: None,
    }
}

pub(crate) fn one(id: u64, device: u64, vulnerability: &str, band: &str) -> Hit {
    Hit {
        id,
        device: HitDevice {
            id: device,
            name: format!("analyzer {device}"),
            version: "2.1".to_owned(),
        },
        document: Some(3),
        advisory: "ICSMA-23-1".to_owned(),
        title: "A title".to_owned(),
        vulnerability: vulnerability.to_owned(),
        verdict: "affected".to_owned(),
        band: band.to_owned(),
        cvss: Some(9.8),
        state: "open".to_owned(),
        due: "2026-12-12".to_owned(),
        days_left: 15,
        ..Hit::default()
    }
}

pub(crate) fn page_of(hits: Vec<Hit>) -> Hits {
    Hits {
        total: count(hits.len()),
        counts: HitCounts {
            open: count(hits.len()),
            overdue: 1,
            ..HitCounts::default()
        },
        hits,
        advisories: 12,
        ..Hits::default()
    }
}

fn list(role: Role, language: Language, page: &Hits, sources: &[AdvisorySource]) -> String {
    let due = DueList {
        filter: &HitFilter::default(),
        page,
        sources,
        closed: 4,
    };
    due_list(&frame(role, language), &due, &DecidingHits::default(), None).unwrap()
}

#[test]
fn many_vulnerabilities_of_one_advisory_are_one_row_with_the_worst_in_front() {
    let mut hits: Vec<Hit> = (1..=13)
        .map(|id| one(id, 7, &format!("CVE-2023-{id:04}"), "medium"))
        .collect();
    hits[4].band = "critical".to_owned();
    hits[4].exploited = true;
    hits.push(one(20, 8, "ICSMA-23-1#=Hard <b>coded", "low"));
    let found = groups(&hits);
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].worst.id, found[0].first.id), (5, 1));
    assert_eq!(found[0].value().split(',').count(), 13);
    let html = list(Role::LabManager, Language::En, &page_of(hits), &[]);
    assert_eq!(html.matches("name=\"hits\"").count(), 2, "{html}");
    for part in [
        "and 12 more",
        "<strong>CVE-2023-0005</strong>",
        ">Critical</span>",
        "known to be exploited",
        "15 days left",
        "Hard &#60;b&#62;coded",
        "action=\"/export/hits\"",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
}

#[test]
fn what_is_late_is_said_in_words_and_in_the_readers_language() {
    let mut late = one(1, 7, "CVE-2023-1", "high");
    late.state = "overdue".to_owned();
    late.days_left = -1;
    late.treatment = Some(HitTreatment {
        kind: "control".to_owned(),
        ..HitTreatment::default()
    });
    late.verdict = "cannot-tell".to_owned();
    late.reasons = vec!["no-version".to_owned()];
    let html = list(Role::Expert, Language::Es, &page_of(vec![late]), &[]);
    for part in [
        "1 día de retraso",
        "No se sabe",
        "Aquí no se conoce la versión del dispositivo.",
        "Contenida por una medida",
        "1 sigue abierta",
        "<q class=\"published\" lang=\"en\">A title</q>",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
}

#[test]
fn who_may_not_decide_is_offered_no_form_and_who_may_not_accept_no_acceptance() {
    let page = page_of(vec![one(1, 7, "CVE-2023-1", "high")]);
    let html = |role| list(role, Language::En, &page, &[]);
    assert!(!html(Role::Expert).contains("name=\"hits\""));
    assert!(!html(Role::Expert).contains("id=\"decide-why\""));
    let it = html(Role::It);
    assert!(it.contains("value=\"patch\"") && !it.contains("value=\"accept\""));
    let manager = html(Role::LabManager);
    assert!(manager.contains("value=\"accept\"") && manager.contains("name=\"until\""));
}

#[test]
fn a_source_that_is_stale_is_a_warning_and_nothing_imported_says_what_to_type() {
    let stale = AdvisorySource {
        name: "cisa".to_owned(),
        stale: true,
        age_seconds: Some(40 * 86_400),
        ..AdvisorySource::default()
    };
    let page = page_of(Vec::new());
    let html = list(Role::It, Language::En, &page, &[stale]);
    assert!(html.contains("The advisories of cisa are old:") && html.contains("40 days ago"));
    assert!(html.contains("No open vulnerability is known"));
    let html = list(Role::It, Language::En, &Hits::default(), &[]);
    assert!(html.contains("labward advisory import") && !html.contains("No open vulnerability"));
}

#[test]
fn every_code_of_a_verdict_a_name_and_a_state_has_a_text_in_each_language() {
    use labward_advisory::csaf::Status;
    use labward_matching::{Reason, Verdict};
    use labward_priority::{Band, State};
    use labward_product::Match;
    use labward_product::name::MaybeWhy;
    use labward_product::range::{ConditionKind, DateOf, Doubt, How, WhyUnreadable};
    use labward_product::version::Apart;
    use labward_threats::{ClosedBy, TreatmentKind};

    let maybe = [
        MaybeWhy::Abbreviation,
        MaybeWhy::Excluded,
        MaybeWhy::SharedWords,
        MaybeWhy::Software,
        MaybeWhy::Vendor,
    ];
    let unreadable = [
        WhyUnreadable::AmbiguousDate,
        WhyUnreadable::Empty,
        WhyUnreadable::Exclusion,
        WhyUnreadable::Grammar,
        WhyUnreadable::NoYear,
        WhyUnreadable::Operand,
        WhyUnreadable::SaysNone,
        WhyUnreadable::TooLong,
        WhyUnreadable::Wildcard,
    ];
    let doubts = [
        Doubt::BetweenBranches,
        Doubt::Coarser,
        Doubt::Condition(ConditionKind::Remark),
        Doubt::Date(DateOf::Unsaid),
        Doubt::Finer,
        Doubt::MayBeModel,
        Doubt::Padding,
        Doubt::Reading,
        Doubt::Serial,
        Doubt::SpeaksOfModels,
        Doubt::Versions(Apart::Scheme),
        Doubt::VersionUnread,
    ];
    let mut reasons = vec![
        Reason::Family,
        Reason::Member,
        Reason::NoVersion,
        Reason::OtherVersion,
        Reason::NoRange,
        Reason::Contradiction,
        Reason::UnderInvestigation,
        Reason::NoRelease,
        Reason::PatchState,
        Reason::Role,
        Reason::PastEndOfLife,
        Reason::UpdatedSince,
        Reason::VersionOrder,
        Reason::Commits,
        Reason::Distribution,
    ];
    // One that is new belongs into the list above.
    let _every = |one: Reason| match one {
        Reason::Family
        | Reason::Member
        | Reason::Name(_)
        | Reason::NoVersion
        | Reason::OtherVersion
        | Reason::NoRange
        | Reason::Unreadable(_)
        | Reason::Version(_)
        | Reason::Contradiction
        | Reason::UnderInvestigation
        | Reason::NoRelease
        | Reason::PatchState
        | Reason::Role
        | Reason::PastEndOfLife
        | Reason::UpdatedSince
        | Reason::VersionOrder
        | Reason::Commits
        | Reason::Distribution => (),
    };
    reasons.extend(maybe.map(Reason::Name));
    reasons.extend(unreadable.map(Reason::Unreadable));
    reasons.extend(doubts.map(Reason::Version));
    let mut names = vec![
        Match::Same,
        Match::DeviceIsNarrower,
        Match::ProductIsNarrower,
        Match::No,
    ];
    names.extend(maybe.map(Match::Maybe));
    let how = [
        How::All,
        How::Operator,
        How::Branch,
        How::Listed,
        How::Paired,
        How::Range,
        How::Words,
    ];
    let statuses = [
        Status::FirstAffected,
        Status::FirstFixed,
        Status::Fixed,
        Status::KnownAffected,
        Status::KnownNotAffected,
        Status::LastAffected,
        Status::Recommended,
        Status::UnderInvestigation,
    ];
    let closed = [
        ClosedBy::Advisory,
        ClosedBy::DeviceRemoved,
        ClosedBy::Retest,
        ClosedBy::Sbom,
        ClosedBy::Statement,
        ClosedBy::Vex,
    ];
    let states = [
        State::Treated,
        State::Open,
        State::DueSoon,
        State::AcceptanceExpired,
        State::Overdue,
    ];
    let bands = [Band::Critical, Band::High, Band::Medium, Band::Low];
    assert_eq!(bands.map(Band::name), BANDS);
    let treatments = [
        TreatmentKind::Patch,
        TreatmentKind::Control,
        TreatmentKind::Accept,
        TreatmentKind::Replace,
    ];
    assert_eq!(treatments.map(TreatmentKind::name), TREATMENTS);
    for language in [Language::En, Language::Es] {
        let has = |family: &str, name: &str| {
            let key = format!("{family}-{name}");
            assert_ne!(language.text(&key), key, "{key}");
        };
        reasons.iter().for_each(|one| has("hit-reason", one.code()));
        names.iter().for_each(|one| has("hit-name", one.code()));
        how.iter().for_each(|one| has("hit-read", one.code()));
        statuses
            .iter()
            .for_each(|one| has("hit-status", &one.as_str().replace('_', "-")));
        closed.iter().for_each(|one| has("hit-closed", one.name()));
        states.iter().for_each(|one| has("hit-state", one.name()));
        has("hit-state", "closed");
        // Of what the catalogue says of a system.
        has("hit-status", "exploited");
        has("hit-status", "component");
        bands.iter().for_each(|one| has("hit-band", one.name()));
        for one in treatments {
            has("hit-treatment", one.name());
            has("hit-decide", one.name());
        }
        for one in [Verdict::Affected, Verdict::CannotTell, Verdict::NotAffected] {
            has("hit-verdict", one.name());
        }
        for one in ["affected", "fixed", "not-affected", "same", "other"] {
            has("hit-says", one);
        }
        for one in ["csaf", "cyclonedx", "epss", "kev", "openvex", "osv"] {
            has("advisory-kind", one);
        }
    }
}
