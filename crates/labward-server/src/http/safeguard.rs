//! `safeguards`: the state of each requirement of the HIPAA Security Rule, and decisions about them.
//!
//! It must never ask for what is measured, or show a rationale while the root key is sealed. Deciding
//! about addressable specifications is 45 CFR 164.306(d)(3).

use labward_api::safeguard::{
    DecideSafeguard, FactNote, Figure, Safeguard, SafeguardCounts, SafeguardDecision,
    SafeguardFact, SafeguardFilter, Safeguards, WithdrawSafeguard,
};
use labward_assess::{
    AssessError, Assessment, Decision, DecisionKind, Fact, NewDecision, Note, Profile, Reach,
    Requirement, State, assess, decisions,
};
use labward_base::{Clock as _, Timestamp};
use labward_identity::Permission;
use labward_records::why_in;

use super::call::{Answer, Call, reason};
use super::check::sealed_records;
use super::failure::Failure;
use crate::backup::sealed_why;
use crate::check::facts;
use crate::folder::SITE;

/// `GET safeguards`
pub(super) fn list(call: &Call) -> Result<Answer, Failure> {
    let asked: SafeguardFilter = call.query()?;
    let profile = match asked.profile.as_deref() {
        None | Some("") => Profile::Law,
        Some(name) => name.parse()?,
    };
    let core = &call.core;
    let decided = core.store.read(|snapshot| decisions(snapshot, SITE))?;
    let facts = facts(call.measured(), &sealed_records(core));
    let now = core.clock.now();
    let assessed = assess(profile, &facts, &decided, now);
    let requirements = assessed.iter().map(|one| shown(call, profile, one, now));
    Answer::json(&Safeguards {
        profile: profile.name().to_owned(),
        is_law: profile == Profile::Law,
        counts: counts(&assessed),
        requirements: requirements.collect(),
    })
}

/// `POST safeguards/decide`
pub(super) fn decide(call: &Call) -> Result<Answer, Failure> {
    let wanted: DecideSafeguard = call.json()?;
    let why = reason(&wanted.why)?;
    let requirement = Requirement::of_law(wanted.citation.trim())?;
    let kind: DecisionKind = wanted.kind.parse()?;
    let core = &call.core;
    let rationale = sealed_why(core, why)?;
    let (until, now) = (wanted.until.trim(), core.clock.now());
    let new = NewDecision::new(requirement, kind, until, rationale, call.by(), now)?;
    let write = move |tx: &mut labward_store::Tx<'_>| labward_assess::decide(tx, SITE, &new);
    Answer::done(Some(core.store.write(write)?))
}

/// `POST safeguards/withdraw`
pub(super) fn withdraw(call: &Call) -> Result<Answer, Failure> {
    let wanted: WithdrawSafeguard = call.json()?;
    let why = reason(&wanted.why)?;
    let requirement = Requirement::of_law(wanted.citation.trim())?;
    let why = sealed_why(&call.core, why)?;
    let by = call.by();
    let entry = call
        .core
        .store
        .write(move |tx| labward_assess::withdraw(tx, SITE, requirement, by, why.clone()));
    Answer::done(Some(entry.map_err(|error: AssessError| error)?))
}

fn counts(assessed: &[Assessment<'_>]) -> SafeguardCounts {
    let count = |state| {
        let all = assessed.iter().filter(|one| one.state == state);
        u64::try_from(all.count()).unwrap_or(u64::MAX)
    };
    SafeguardCounts {
        met: count(State::Met),
        not_met: count(State::NotMet),
        not_measured: count(State::NotMeasured),
        decided_otherwise: count(State::DecidedOtherwise),
    }
}

fn shown(call: &Call, profile: Profile, one: &Assessment<'_>, now: Timestamp) -> Safeguard {
    let requirement = one.requirement;
    let permitted = DecisionKind::ALL.iter();
    // Nothing is decided about what is only proposed.
    let permitted = permitted.filter(|kind| profile == Profile::Law && kind.is_for(requirement));
    Safeguard {
        citation: requirement.citation.to_owned(),
        key: requirement.key.to_owned(),
        title: requirement.title.to_owned(),
        section: requirement.section().name().to_owned(),
        kind: requirement.kind.name().to_owned(),
        state: one.state.name().to_owned(),
        in_part: requirement.reach == Reach::Part,
        facts: one.facts.iter().map(|fact| shown_fact(fact, now)).collect(),
        decision: one
            .decision
            .map(|decision| shown_decision(call, decision, one)),
        may_be: permitted.map(|kind| kind.name().to_owned()).collect(),
    }
}

fn joined(notes: &[Note]) -> String {
    let texts: Vec<String> = notes.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

fn shown_note(note: &Note) -> FactNote {
    FactNote {
        check: note.check.map(|(code, _)| code.to_owned()),
        remarks: note.remarks.iter().map(Into::into).collect(),
    }
}

fn shown_fact(fact: &Fact, now: Timestamp) -> SafeguardFact {
    SafeguardFact {
        key: fact.kind.key().to_owned(),
        title: fact.kind.title().to_owned(),
        value: fact.value.name().to_owned(),
        figure: fact.figure.map(figure),
        measured: fact.measured.to_rfc3339(),
        age_seconds: now.since(fact.measured).as_secs(),
        entry: fact.entry.map(labward_base::id::EntryIndex::get),
        note: (!fact.notes.is_empty()).then(|| joined(&fact.notes)),
        notes: fact.notes.iter().map(shown_note).collect(),
    }
}

fn figure(figure: labward_assess::Figure) -> Figure {
    match figure {
        labward_assess::Figure::Count(count) => Figure::Count { count },
        labward_assess::Figure::Never => Figure::Never,
        labward_assess::Figure::Seconds(seconds) => Figure::Seconds { seconds },
        labward_assess::Figure::Share { of, all } => Figure::Share { of, all },
        labward_assess::Figure::Time(time) => Figure::Time {
            time: time.to_rfc3339(),
        },
    }
}

fn shown_decision(call: &Call, decision: &Decision, one: &Assessment<'_>) -> SafeguardDecision {
    let named = call.person.permits(Permission::PersonRead);
    let name = call.core.people.name_of(decision.approver);
    SafeguardDecision {
        kind: decision.kind.name().to_owned(),
        rationale: why_in(&call.core.keys, SITE, &decision.rationale),
        approver: decision.approver.get(),
        approver_name: name.filter(|_| named),
        decided: decision.decided.to_rfc3339(),
        until: decision.last_day(),
        expired: !one.holds,
        contradicted: one.contradicted,
        entry: decision.entry.get(),
    }
}
