//! How urgent a hit is, by which day it is due, and where it stands.
//!
//! **Invariant:** a missing measurement is never a pass: what is not known takes the worse value, and says so.

use labward_advisory::csaf::{Advisory, Vulnerability};
use labward_advisory::kev::KnownExploited;
use labward_base::Timestamp;
use labward_devices::{Attribute, Shown};
use labward_matching::Verdict;
use labward_priority::{
    Certainty, Clocks, Criticality, Days, Due, Epss, Exposure, Kev, Known, Priority, Standing,
    Support, prioritise, standing,
};
use labward_threats::{Hit, KEV, Library, Told, Treatment, TreatmentKind};
use time::Date;

/// Everything that decides when a hit must be dealt with.
#[derive(Clone, Debug)]
pub(crate) struct Urgency {
    /// How urgent, and why.
    pub(crate) priority: Priority,
    /// By which day, and which rule set it.
    pub(crate) due: Due,
    /// Where it stands.
    pub(crate) standing: Standing,
}

/// What is asked about.
pub(crate) struct Asked<'a> {
    pub(crate) hit: &'a Hit,
    pub(crate) device: Option<&'a Shown>,
    pub(crate) advisory: Option<&'a Advisory>,
    pub(crate) vulnerability: Option<&'a Vulnerability>,
    /// The CVE, and what is told of it where no advisory does.
    pub(crate) cve: Option<&'a str>,
    pub(crate) told: Option<&'a Told>,
    pub(crate) treatment: Option<&'a Treatment>,
    /// The last day of any support of the device's operating system, the earliest that it may be.
    pub(crate) ends: Option<Date>,
    /// Whether the rules that keep the device apart were measured to be in force.
    pub(crate) is_guarded: bool,
    /// What the catalog of known exploited vulnerabilities says of the hit itself, if it comes from there.
    pub(crate) exploited: Option<&'a KnownExploited>,
}

/// How urgent a hit is now.
pub(crate) fn urgency(
    asked: &Asked<'_>,
    library: &Library,
    clocks: &Clocks,
    now: Timestamp,
) -> Urgency {
    let today = day(now);
    let known = known(asked, library);
    let priority = prioritise(&known, today);
    let patch = asked.vulnerability.and_then(patch_available);
    let days = Days {
        found: day(asked.hit.found),
        patch_available: patch,
        kev_due: match known.kev {
            Kev::Listed { due, .. } => due,
            Kev::NotLooked | Kev::NotListed | Kev::Several => None,
        },
    };
    let due = clocks.due(priority.band, &days, today);
    let treatments = asked.treatment.into_iter();
    let treatments: Vec<_> = treatments
        .map(|one| treatment(one, asked.is_guarded))
        .collect();
    let standing = standing(&due, &treatments, clocks, today);
    Urgency {
        priority,
        due,
        standing,
    }
}

fn known(asked: &Asked<'_>, library: &Library) -> Known {
    let scores = asked.vulnerability.into_iter().flat_map(|one| &one.scores);
    let scores = scores.map(|one| &one.score);
    let scores = scores.chain(asked.told.into_iter().flat_map(|told| &told.scores));
    let cve = asked.cve.or(asked.exploited.map(|entry| &*entry.cve));
    let listed = asked
        .exploited
        .or_else(|| cve.and_then(|cve| library.exploited(cve)));
    let is_of_catalog = asked.hit.key.advisory == KEV;
    let kev = match (listed, library.kev(), cve) {
        (Some(entry), ..) => Kev::Listed {
            added: entry.added,
            due: entry.due,
            ransomware: entry.known_ransomware,
        },
        (None, ..) if is_of_catalog => Kev::Several,
        (None, Some(_), Some(_)) => Kev::NotListed,
        _ => Kev::NotLooked,
    };
    let epss = cve.and_then(|cve| library.probability(cve));
    let scored = library.only(labward_threats::DocumentKind::Epss);
    let scored = scored.map(|document| document.released.unwrap_or(document.imported));
    let criticality = asked
        .device
        .and_then(|one| one.text(Attribute::Criticality));
    Known {
        certainty: match asked.hit.verdict {
            Verdict::Affected => Certainty::Affected,
            Verdict::CannotTell | Verdict::NotAffected => Certainty::CannotTell,
        },
        vectors: scores.map(|one| one.vector.clone()).collect(),
        kev,
        epss: epss.zip(scored).map(|(row, scored)| Epss {
            probability: row.probability,
            percentile: row.percentile,
            scored: day(scored),
        }),
        exploitation: asked.advisory.and_then(labward_priority::exploitation_said),
        criticality: match criticality.as_deref() {
            Some("low") => Criticality::Low,
            Some("normal") => Criticality::Normal,
            Some("high") => Criticality::High,
            _ => Criticality::Unknown,
        },
        support: asked.ends.map_or(Support::Unknown, Support::Until),
        exposure: match asked.is_guarded {
            true => Exposure::Controlled,
            false => Exposure::Unknown,
        },
        ..Known::default()
    }
}

/// Since when the publisher says that there is a fix.
fn patch_available(vulnerability: &Vulnerability) -> Option<Date> {
    let fixes = vulnerability
        .remediations
        .iter()
        .filter(|one| one.kind == labward_advisory::csaf::RemediationKind::VendorFix);
    fixes.filter_map(|one| one.date).min().map(day)
}

fn treatment(decided: &Treatment, is_guarded: bool) -> labward_priority::Treatment {
    let until = decided.ends.map_or(Date::MIN, |ends| {
        day(Timestamp::from_micros(ends.as_micros().saturating_sub(1)))
    });
    match decided.kind {
        TreatmentKind::Accept => labward_priority::Treatment::Accept { until },
        TreatmentKind::Control => labward_priority::Treatment::Control {
            measured: is_guarded,
        },
        TreatmentKind::Patch => labward_priority::Treatment::Patch {
            approved_by_vendor: decided.approved,
        },
        TreatmentKind::Replace => labward_priority::Treatment::Replace { until },
    }
}

/// The day of a moment, in UTC.
pub(crate) fn day(time: Timestamp) -> Date {
    time.to_offset().date()
}
