//! The state of every requirement, from facts and decisions.
//!
//! **Invariant:** a missing measurement is never a pass. A requirement is met only if every fact
//! that decides it was measured and is good, and the facts show all of it; a bad fact is never
//! hidden by a decision.

use labward_base::Timestamp;

use crate::decision::{Decision, DecisionKind};
use crate::fact::{Fact, FactKind, Value};
use crate::requirement::{Profile, Reach, Requirement};

/// How a requirement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// A person decided about it, and the decision holds.
    DecidedOtherwise,
    /// Everything that decides it was measured and is good.
    Met,
    /// Not everything that decides it is measured.
    NotMeasured,
    /// Something that decides it was measured and is bad.
    NotMet,
}

/// A requirement and how it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment<'a> {
    /// The requirement.
    pub requirement: &'static Requirement,
    /// How it is.
    pub state: State,
    /// What was measured of it, in the order of the table.
    pub facts: Vec<&'a Fact>,
    /// The decision about it, an expired one too.
    pub decision: Option<&'a Decision>,
    /// Whether the decision holds.
    pub holds: bool,
    /// Whether a measured fact stands against the decision that holds.
    pub contradicted: bool,
}

/// What facts alone say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Bad,
    Decided,
    Good,
    Unknown,
}

impl State {
    /// Every state, the one that needs a person first.
    pub const ALL: &[Self] = &[
        Self::NotMet,
        Self::NotMeasured,
        Self::DecidedOtherwise,
        Self::Met,
    ];

    /// The name in JSON and texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DecidedOtherwise => "decided-otherwise",
            Self::Met => "met",
            Self::NotMeasured => "not-measured",
            Self::NotMet => "not-met",
        }
    }
}

/// The state of every requirement of `profile`, in the order of its table.
///
/// A standard with specifications is what they are together with its own facts. Nothing is decided
/// about what is only proposed.
pub fn assess<'a>(
    profile: Profile,
    facts: &'a [Fact],
    decisions: &'a [Decision],
    now: Timestamp,
) -> Vec<Assessment<'a>> {
    let decisions = match profile {
        Profile::Law => decisions,
        Profile::Proposed2025 => &[],
    };
    let mut all: Vec<Assessment<'a>> = Vec::new();
    // From the end, so that the specifications of a standard are known before it.
    let mut specs: Vec<(&str, State)> = Vec::new();
    for requirement in profile.requirements().iter().rev() {
        let paragraph = requirement.paragraph();
        let own = specs
            .iter()
            .filter(|(of, _)| requirement.is_standard() && *of == paragraph);
        let own: Vec<State> = own.map(|(_, state)| *state).collect();
        let one = assess_one(requirement, facts, &own, decisions, now);
        if !requirement.is_standard() {
            specs.push((paragraph, one.state));
        }
        all.push(one);
    }
    all.reverse();
    all
}

fn assess_one<'a>(
    requirement: &'static Requirement,
    facts: &'a [Fact],
    specs: &[State],
    decisions: &'a [Decision],
    now: Timestamp,
) -> Assessment<'a> {
    let fact_of = |kind: &FactKind| facts.iter().find(|fact| fact.kind == *kind);
    let found: Vec<&Fact> = requirement.facts.iter().filter_map(fact_of).collect();
    let verdict = together(measured(requirement, &found), requirement, specs);
    let decision = decisions
        .iter()
        .find(|one| one.citation == requirement.citation);
    let in_force = decision.filter(|one| one.holds(now) && one.kind.is_for(requirement));
    let state = match (verdict, in_force) {
        (Verdict::Good, _) => State::Met,
        // That something is done is no answer to a measurement which says that it is not.
        (Verdict::Bad, None) => State::NotMet,
        (Verdict::Bad, Some(one)) if one.kind == DecisionKind::Implemented => State::NotMet,
        (_, Some(_)) | (Verdict::Decided, None) => State::DecidedOtherwise,
        (Verdict::Unknown, None) => State::NotMeasured,
    };
    Assessment {
        requirement,
        state,
        facts: found,
        decision,
        holds: in_force.is_some(),
        contradicted: in_force.is_some() && verdict == Verdict::Bad,
    }
}

/// What the requirement's own facts say; one that is missing is unknown.
fn measured(requirement: &Requirement, found: &[&Fact]) -> Verdict {
    let any = |value| found.iter().any(|fact| fact.value == value);
    let is_complete = found.len() == requirement.facts.len() && !found.is_empty();
    if any(Value::Bad) {
        Verdict::Bad
    } else if !is_complete || any(Value::Unknown) || requirement.reach == Reach::Part {
        Verdict::Unknown
    } else {
        Verdict::Good
    }
}

/// What a standard's own facts and its specifications say together.
fn together(own: Verdict, requirement: &Requirement, specs: &[State]) -> Verdict {
    if specs.is_empty() {
        return own;
    }
    let any = |state| specs.contains(&state);
    // Without facts of its own it is what its specifications are.
    let own_is_open = own == Verdict::Unknown && !requirement.facts.is_empty();
    if own == Verdict::Bad || any(State::NotMet) {
        Verdict::Bad
    } else if own_is_open || any(State::NotMeasured) {
        Verdict::Unknown
    } else if any(State::DecidedOtherwise) {
        Verdict::Decided
    } else {
        Verdict::Good
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_base::id::{EntryIndex, PersonId};
    use std::time::Duration;

    const AT_REST: &str = "164.312(a)(2)(iv)";

    fn now() -> Timestamp {
        Timestamp::parse_rfc3339("2026-11-27T09:00:00Z").unwrap()
    }

    fn all(value: Value) -> Vec<Fact> {
        let fact = |kind: &FactKind| Fact::new(*kind, value, now());
        FactKind::ALL.iter().map(fact).collect()
    }

    fn set(facts: &mut [Fact], kind: FactKind, value: Value) {
        let fact = facts.iter_mut().find(|fact| fact.kind == kind);
        fact.unwrap().value = value;
    }

    fn decision(citation: &str, kind: DecisionKind) -> Decision {
        Decision {
            citation: citation.to_owned(),
            kind,
            rationale: Vec::new(),
            approver: PersonId::new(1),
            decided: now().minus(Duration::from_secs(100)),
            ends: now().plus(Duration::from_secs(1)),
            entry: EntryIndex::new(7),
        }
    }

    fn state(citation: &str, facts: &[Fact], decisions: &[Decision]) -> (State, bool) {
        let all = assess(Profile::Law, facts, decisions, now());
        let one = all
            .iter()
            .find(|one| one.requirement.citation == citation)
            .unwrap();
        (one.state, one.contradicted)
    }

    #[test]
    fn without_a_single_fact_nothing_is_met_and_nothing_is_not_met() {
        for profile in Profile::ALL {
            for facts in [Vec::new(), all(Value::Unknown)] {
                for one in assess(*profile, &facts, &[], now()) {
                    assert_eq!(one.state, State::NotMeasured, "{:?}", one.requirement);
                }
            }
        }
    }

    #[test]
    fn good_facts_meet_what_they_show_whole_and_nothing_else() {
        let facts = all(Value::Good);
        for profile in Profile::ALL {
            for one in assess(*profile, &facts, &[], now()) {
                let requirement = one.requirement;
                if requirement.reach == Reach::Whole {
                    assert_eq!(one.state, State::Met, "{requirement:?}");
                } else if !requirement.is_standard() || !requirement.facts.is_empty() {
                    assert_eq!(one.state, State::NotMeasured, "{requirement:?}");
                }
            }
        }
        // Standards whose specifications are all met.
        for standard in ["164.312(a)(1)", "164.312(c)(1)", "164.312(e)(1)"] {
            assert_eq!(state(standard, &facts, &[]).0, State::Met, "{standard}");
        }
        assert_eq!(state("164.308(a)(7)(i)", &facts, &[]).0, State::NotMeasured);
        assert_eq!(state("164.310(a)(1)", &facts, &[]).0, State::NotMeasured);
    }

    #[test]
    fn each_single_fact_that_is_missing_unknown_or_bad_counts() {
        for one in assess(Profile::Law, &all(Value::Good), &[], now()) {
            if one.requirement.reach != Reach::Whole {
                continue;
            }
            let citation = one.requirement.citation;
            for kind in one.requirement.facts {
                let mut facts = all(Value::Good);
                set(&mut facts, *kind, Value::Unknown);
                assert_eq!(state(citation, &facts, &[]).0, State::NotMeasured);
                facts.retain(|fact| fact.kind != *kind);
                assert_eq!(state(citation, &facts, &[]).0, State::NotMeasured);
                let mut facts = all(Value::Unknown);
                set(&mut facts, *kind, Value::Bad);
                assert_eq!(state(citation, &facts, &[]).0, State::NotMet, "{kind:?}");
            }
        }
    }

    #[test]
    fn a_bad_fact_makes_not_met_what_it_shows_in_part_and_the_standard_above() {
        let mut facts = all(Value::Good);
        set(&mut facts, FactKind::HighFindings, Value::Bad);
        assert_eq!(state("164.308(a)(1)(ii)(B)", &facts, &[]).0, State::NotMet);
        assert_eq!(state("164.308(a)(1)(i)", &facts, &[]).0, State::NotMet);
        assert_eq!(
            state("164.308(a)(1)(ii)(A)", &facts, &[]).0,
            State::NotMeasured
        );
        set(&mut facts, FactKind::LinesEncrypted, Value::Bad);
        assert_eq!(state("164.312(e)(1)", &facts, &[]).0, State::NotMet);
    }

    #[test]
    fn a_decision_stands_in_for_what_is_not_measured_and_makes_its_standard_decided() {
        let facts = all(Value::Good);
        let decided = |citation: &str| decision(citation, DecisionKind::Implemented);
        let one = [decided("164.308(a)(1)(ii)(A)")];
        assert_eq!(
            state("164.308(a)(1)(ii)(A)", &facts, &one),
            (State::DecidedOtherwise, false)
        );
        assert_eq!(
            state("164.308(a)(1)(i)", &facts, &one).0,
            State::NotMeasured
        );
        let all = ["164.308(a)(7)(ii)(D)", "164.308(a)(7)(ii)(E)"].map(decided);
        assert_eq!(
            state("164.308(a)(7)(i)", &facts, &all).0,
            State::DecidedOtherwise
        );
        // What is measured and good is met, whatever was decided.
        assert_eq!(state(AT_REST, &facts, &[decided(AT_REST)]).0, State::Met);
    }

    #[test]
    fn a_decision_never_hides_a_bad_fact() {
        let mut facts = all(Value::Good);
        set(&mut facts, FactKind::RecordsSealed, Value::Bad);
        let with = |kind| state(AT_REST, &facts, &[decision(AT_REST, kind)]);
        assert_eq!(
            with(DecisionKind::Alternative),
            (State::DecidedOtherwise, true)
        );
        assert_eq!(
            with(DecisionKind::NotReasonable),
            (State::DecidedOtherwise, true)
        );
        assert_eq!(with(DecisionKind::Implemented), (State::NotMet, true));
    }

    #[test]
    fn what_is_required_stays_not_met_whatever_a_row_says() {
        let facts = all(Value::Bad);
        for kind in DecisionKind::ALL {
            let planted = [decision("164.312(a)(2)(i)", *kind)];
            assert_eq!(state("164.312(a)(2)(i)", &facts, &planted).0, State::NotMet);
        }
    }

    #[test]
    fn an_expired_decision_holds_no_more_and_is_still_shown() {
        let mut old = decision(AT_REST, DecisionKind::Alternative);
        old.ends = now();
        let decisions = [old];
        let all = assess(Profile::Law, &[], &decisions, now());
        let one = all.iter().find(|one| one.decision.is_some()).unwrap();
        assert_eq!(
            (one.state, one.holds, one.requirement.citation),
            (State::NotMeasured, false, AT_REST)
        );
    }

    #[test]
    fn nothing_is_decided_about_what_is_only_proposed() {
        let decisions = [decision("164.312(d)", DecisionKind::Implemented)];
        for one in assess(Profile::Proposed2025, &[], &decisions, now()) {
            assert!(one.decision.is_none() && one.state == State::NotMeasured);
        }
    }
}
