//! What a person decided about a requirement, and what the rule lets be decided
//! (45 CFR 164.306(d)(3)).
//!
//! It must never last for ever, or do away with what the rule requires.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use labward_base::Timestamp;
use labward_base::id::{EntryIndex, PersonId};

use crate::AssessError;
use crate::requirement::{Obligation, Requirement, RequirementKind};

/// The most days that a decision lasts: 24 months.
pub const MAX_DAYS: u64 = 731;

const DAY: Duration = Duration::from_secs(86_400);

/// What is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecisionKind {
    /// Another measure takes its place; of addressable specifications only.
    Alternative,
    /// Its condition is not met, so the rule does not ask for it here.
    DoesNotApply,
    /// It is done where Labward does not measure it: on paper, by another system.
    Implemented,
    /// It is not reasonable and appropriate here; of addressable specifications only.
    NotReasonable,
}

/// What a person decides.
#[derive(Clone, Debug)]
pub struct NewDecision {
    /// About what.
    pub requirement: &'static Requirement,
    /// What.
    pub kind: DecisionKind,
    /// The rationale, sealed under the site's audit key.
    pub rationale: Vec<u8>,
    /// Who decides.
    pub approver: PersonId,
    /// When.
    pub decided: Timestamp,
    /// The first moment at which it holds no more.
    pub ends: Timestamp,
}

/// What a person decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// About what.
    pub citation: String,
    /// What.
    pub kind: DecisionKind,
    /// The rationale, sealed under the site's audit key.
    pub rationale: Vec<u8>,
    /// Who decided.
    pub approver: PersonId,
    /// When.
    pub decided: Timestamp,
    /// The first moment at which it holds no more.
    pub ends: Timestamp,
    /// The entry that records it.
    pub entry: EntryIndex,
}

impl DecisionKind {
    /// Every kind.
    pub const ALL: &[Self] = &[
        Self::Implemented,
        Self::Alternative,
        Self::NotReasonable,
        Self::DoesNotApply,
    ];

    /// The name in commands, JSON and the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alternative => "alternative",
            Self::DoesNotApply => "does-not-apply",
            Self::Implemented => "implemented",
            Self::NotReasonable => "not-reasonable",
        }
    }

    /// Whether the rule lets this be decided about `requirement`.
    pub const fn is_for(self, requirement: &Requirement) -> bool {
        match self {
            Self::Implemented => true,
            Self::DoesNotApply => requirement.conditional,
            Self::Alternative | Self::NotReasonable => matches!(
                requirement.kind,
                RequirementKind::ImplementationSpec(Obligation::Addressable)
            ),
        }
    }
}

impl FromStr for DecisionKind {
    type Err = AssessError;

    fn from_str(text: &str) -> Result<Self, AssessError> {
        let found = Self::ALL.iter().find(|kind| kind.name() == text);
        found.copied().ok_or(AssessError::NotAKind)
    }
}

impl fmt::Display for DecisionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl NewDecision {
    /// A decision that lasts to the end of the day `until` (`YYYY-MM-DD`, UTC).
    ///
    /// # Errors
    /// [`AssessError::NotForThis`], [`AssessError::BadEnd`].
    pub fn new(
        requirement: &'static Requirement,
        kind: DecisionKind,
        until: &str,
        rationale: Vec<u8>,
        approver: PersonId,
        now: Timestamp,
    ) -> Result<Self, AssessError> {
        if !kind.is_for(requirement) {
            return Err(AssessError::NotForThis {
                citation: requirement.citation,
                kind: kind.name(),
            });
        }
        let ends = end_of(until).ok_or(AssessError::BadEnd)?;
        if ends <= now || ends > now.plus(DAY * u32::try_from(MAX_DAYS).unwrap_or(0)) {
            return Err(AssessError::BadEnd);
        }
        Ok(Self {
            requirement,
            kind,
            rationale,
            approver,
            decided: now,
            ends,
        })
    }

    /// The last day on which it holds.
    pub fn last_day(&self) -> String {
        last_day(self.ends)
    }
}

impl Decision {
    /// Whether it still holds.
    pub fn holds(&self, now: Timestamp) -> bool {
        now < self.ends
    }

    /// The last day on which it holds.
    pub fn last_day(&self) -> String {
        last_day(self.ends)
    }
}

fn end_of(day: &str) -> Option<Timestamp> {
    let is_day = day.len() == 10;
    let begin = Timestamp::parse_rfc3339(&format!("{day}T00:00:00Z")).filter(|_| is_day)?;
    Some(begin.plus(DAY))
}

fn last_day(ends: Timestamp) -> String {
    let text = ends.minus(Duration::from_secs(1)).to_rfc3339();
    text.get(..10).unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(
        citation: &str,
        kind: DecisionKind,
        until: &str,
    ) -> Result<NewDecision, AssessError> {
        let now = Timestamp::parse_rfc3339("2026-11-27T09:00:00Z").unwrap();
        let requirement = Requirement::of_law(citation).unwrap();
        NewDecision::new(requirement, kind, until, vec![1], PersonId::new(1), now)
    }

    #[test]
    fn what_is_required_cannot_be_decided_away() {
        use DecisionKind::{Alternative, DoesNotApply, Implemented, NotReasonable};
        let day = "2027-06-30";
        for (citation, permitted) in [
            ("164.308(a)(1)(ii)(A)", &[Implemented][..]),
            ("164.312(b)", &[Implemented]),
            (
                "164.312(a)(2)(iv)",
                &[Implemented, Alternative, NotReasonable],
            ),
            ("164.308(a)(4)(ii)(A)", &[Implemented, DoesNotApply]),
            ("164.314(b)(1)", &[Implemented, DoesNotApply]),
        ] {
            for kind in DecisionKind::ALL {
                let is_permitted = decided(citation, *kind, day).is_ok();
                assert_eq!(is_permitted, permitted.contains(kind), "{citation} {kind}");
            }
        }
        let refused = decided("164.312(b)", NotReasonable, day).unwrap_err();
        assert_eq!(refused.problem().code, "safeguard.not-for-this");
    }

    #[test]
    fn a_decision_ends_within_two_years() {
        let until = |day| decided("164.312(a)(2)(iv)", DecisionKind::Alternative, day);
        let today = until("2026-11-27").unwrap();
        assert_eq!(today.ends.to_rfc3339(), "2026-11-28T00:00:00.000000Z");
        assert_eq!(today.last_day(), "2026-11-27");
        assert!(until("2028-11-26").is_ok());
        for bad in [
            "2026-11-26",
            "2028-11-28",
            "",
            "2027-13-01",
            "tomorrow",
            "2027-06-30T00:00:00Z",
        ] {
            assert!(matches!(until(bad), Err(AssessError::BadEnd)), "{bad}");
        }
    }

    #[test]
    fn a_kind_is_read_back_as_written() {
        for kind in DecisionKind::ALL {
            assert_eq!(kind.name().parse::<DecisionKind>().unwrap(), *kind);
        }
        assert!("Implemented".parse::<DecisionKind>().is_err());
    }
}
