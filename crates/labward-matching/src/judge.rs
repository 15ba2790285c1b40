//! What one product says of a vulnerability of a device, and the one verdict of several that speak.
//!
//! It must never take a doubt for a clearance, or one of two contradicting claims for the truth.

use std::sync::Arc;

use labward_advisory::csaf::{ProductIndex, Status};
use labward_product::range::{Holds, How};
use labward_product::{Match, Reading, Unreadable, Version};

use crate::answer::{Reason, Trail, Verdict};
use crate::matcher::Candidate;

/// One product of one advisory.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) advisory: usize,
    pub(crate) product: ProductIndex,
    /// What its publisher wrote about versions; `None` where nothing stands.
    pub(crate) versions: Option<Arc<Result<Reading, Unreadable>>>,
    /// What is said of it: the vulnerability, by its place, and the status.
    pub(crate) statuses: Vec<(usize, Status)>,
}

/// What one product says of one vulnerability of the device.
pub(crate) struct Said {
    verdict: Verdict,
    reason: Option<Reason>,
    pub(crate) trail: Trail,
}

/// Why a name alone does not say that it is this device.
const fn doubt_of(name: Match) -> Option<Reason> {
    match name {
        Match::DeviceIsNarrower => Some(Reason::Family),
        Match::ProductIsNarrower => Some(Reason::Member),
        Match::Maybe(why) => Some(Reason::Name(why)),
        Match::Same | Match::No => None,
    }
}

impl Prepared {
    /// What this product says of a vulnerability of the device; `None` where it says nothing of it: that
    /// something else is not affected, or a recommendation.
    pub(crate) fn says(
        &self,
        version: Option<&Version>,
        cve: Option<&str>,
        status: Status,
        candidate: &Candidate<'_>,
    ) -> Option<Said> {
        let affects = match status {
            Status::FirstAffected
            | Status::KnownAffected
            | Status::LastAffected
            | Status::UnderInvestigation => true,
            Status::FirstFixed | Status::Fixed | Status::KnownNotAffected => false,
            Status::Recommended => return None,
        };
        let (is_meant, how) = match candidate.is_model {
            true => (Err(Reason::NoRange), None),
            false => self.means(version, cve),
        };
        let doubt = doubt_of(candidate.name);
        let (verdict, reason) = match (is_meant, affects, doubt) {
            // Outside of what is looked into nothing is known; the first or the last affected version is
            // one end of a range, so that another version may lie in it.
            (Ok(false), true, _) if status == Status::UnderInvestigation => return None,
            (Ok(false), true, None) if status != Status::KnownAffected => {
                (Verdict::CannotTell, Some(Reason::OtherVersion))
            }
            // Another version; of what may be another product it says nothing of this one.
            (Ok(false), true, None) => (Verdict::NotAffected, None),
            (Ok(false), true, Some(_)) => (Verdict::CannotTell, Some(Reason::OtherVersion)),
            (Ok(true), true, None) if status == Status::UnderInvestigation => {
                (Verdict::CannotTell, Some(Reason::UnderInvestigation))
            }
            (Ok(true), true, None) => (Verdict::Affected, None),
            (Ok(true), false, None) => (Verdict::NotAffected, None),
            (Err(reason), true, None) => (Verdict::CannotTell, Some(reason)),
            (Ok(true) | Err(_), true, Some(doubt)) => (Verdict::CannotTell, Some(doubt)),
            // That a fix may be there takes nothing from what another product says.
            (Ok(false) | Err(_), false, _) | (Ok(true), false, Some(_)) => return None,
        };
        let trail = Trail {
            product: self.product,
            name: candidate.name,
            found_by: candidate.found_by.to_owned(),
            named: candidate.named.clone(),
            how,
            status,
            person: candidate.person,
        };
        Some(Said {
            verdict,
            reason,
            trail,
        })
    }

    /// Whether the device's version is among those that are spoken of.
    fn means(
        &self,
        version: Option<&Version>,
        cve: Option<&str>,
    ) -> (Result<bool, Reason>, Option<How>) {
        let reading = match self.versions.as_deref() {
            None => return (Err(Reason::NoRange), None),
            Some(Err(unreadable)) => return (Err(Reason::Unreadable(unreadable.why)), None),
            Some(Ok(reading)) => reading,
        };
        let unknown;
        let asked = match version {
            Some(version) => version,
            None => {
                unknown = Version::read("");
                &unknown
            }
        };
        match (reading.holds_for(asked, cve), version) {
            (Holds::Yes(trail), _) => (Ok(true), trail.how),
            (Holds::No(trail), Some(_)) => (Ok(false), trail.how),
            (Holds::CannotTell(doubt, trail), Some(_)) => (Err(Reason::Version(doubt)), trail.how),
            (Holds::No(trail) | Holds::CannotTell(_, trail), None) => {
                (Err(Reason::NoVersion), trail.how)
            }
        }
    }
}

/// One verdict out of what several products of one advisory say, and what led to it.
pub(crate) fn judged(said: &[Said]) -> (Verdict, Vec<Reason>, Vec<Trail>) {
    let by = |keep: &dyn Fn(&Said) -> bool| -> Vec<Trail> {
        let kept = said.iter().filter(|one| keep(one));
        kept.map(|one| one.trail.clone()).collect()
    };
    let affirms = |one: &Said| one.verdict == Verdict::Affected;
    // That a range leaves the version out is no contradiction to another range that holds it.
    let denies = |one: &Said| {
        let status = one.trail.status;
        let denying = [Status::FirstFixed, Status::Fixed, Status::KnownNotAffected];
        one.verdict == Verdict::NotAffected && denying.contains(&status)
    };
    match (said.iter().any(affirms), said.iter().any(denies)) {
        (true, true) => {
            let trails = by(&|one| affirms(one) || denies(one));
            return (Verdict::CannotTell, vec![Reason::Contradiction], trails);
        }
        (true, false) => return (Verdict::Affected, Vec::new(), by(&affirms)),
        (false, true) => return (Verdict::NotAffected, Vec::new(), by(&denies)),
        (false, false) => {}
    }
    // Where the very product is listed, its siblings say nothing of it; its family may.
    let is_named = |one: &Said| one.trail.name == Match::Same;
    let has_named = said.iter().any(is_named);
    let counts = |one: &Said| {
        let is_family = one.trail.name == Match::DeviceIsNarrower;
        !has_named || is_named(one) || (is_family && one.reason == Some(Reason::Family))
    };
    let mut reasons: Vec<Reason> = Vec::new();
    for reason in said
        .iter()
        .filter(|one| counts(one))
        .filter_map(|one| one.reason)
    {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    // What points away says little beside what points at the device.
    if reasons.len() > 1 {
        reasons.retain(|reason| *reason != Reason::OtherVersion);
    }
    match reasons.is_empty() {
        true => (Verdict::NotAffected, reasons, by(&counts)),
        false => {
            let doubts = |one: &Said| {
                counts(one) && one.reason.is_some_and(|reason| reasons.contains(&reason))
            };
            let trails = by(&doubts);
            (Verdict::CannotTell, reasons, trails)
        }
    }
}
