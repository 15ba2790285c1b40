//! `patients/{patient}/…`: all results of a patient, and who looked at them.
//!
//! It must never answer before the entry is durable that says who asked and why.
//! Carries out 45 CFR 164.312(b) and 164.528.

use labward_api::Why;
use labward_api::record::{Access, Accesses, AskedAccesses, PatientIdentifier, Results};
use labward_base::Clock as _;
use labward_base::id::{EntryIndex, PatientId};
use labward_ledger::Actor;
use labward_records::PersonName;

use super::call::{Answer, Call, reason};
use super::failure::Failure;
use super::glass::lasts;
use super::record::places;
use super::span::{since, six_years_before, until};
use crate::app::Core;

/// `POST patients/{patient}/results`
pub(super) fn results(call: &Call) -> Result<Answer, Failure> {
    let patient: PatientId = call.param("patient")?;
    let Why { why } = call.json()?;
    let records = &call.opened()?.records;
    answer_results(records.results(patient, call.by(), reason(&why)?)?)
}

/// `POST break-glass/patients/{patient}/results`
pub(super) fn results_break_glass(call: &Call) -> Result<Answer, Failure> {
    let patient: PatientId = call.param("patient")?;
    let Why { why } = call.json()?;
    let (records, why) = (&call.opened()?.records, reason(&why)?);
    let results = call
        .core
        .reserve
        .results(records, patient, call.by(), why, lasts(&call.core))?;
    call.core
        .ledger
        .note(&results.recorded, call.core.clock.now());
    answer_results(results)
}

fn answer_results(results: labward_records::Results) -> Result<Answer, Failure> {
    let (entry, reserve) = places(results.recorded);
    let demographics = results.demographics;
    let identifiers = demographics.identifiers.into_iter();
    Answer::json(&Results {
        patient: results.patient.get(),
        names: demographics.names.iter().map(name).collect(),
        birth_date: demographics.birth_date,
        sex: results.sex,
        identifiers: identifiers
            .map(|one| PatientIdentifier {
                value: one.value,
                authority: one.authority,
                kind: one.kind,
            })
            .collect(),
        tests: results.tests,
        read: results.read,
        record_count: results.record_count,
        unopened: results.unopened.iter().map(|one| one.get()).collect(),
        entry,
        reserve,
    })
}

fn name(name: &PersonName) -> String {
    let parts = [name.family.as_str(), name.given.as_str()];
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(", ")
}

/// `POST patients/{patient}/accesses`
pub(super) fn accesses(call: &Call) -> Result<Answer, Failure> {
    let patient: PatientId = call.param("patient")?;
    let asked: AskedAccesses = call.json()?;
    let why = reason(&asked.why)?;
    let now = call.core.clock.now();
    let span = labward_records::AskedAccesses {
        since: since(asked.since.as_deref())?.unwrap_or_else(|| six_years_before(now)),
        // What happens now is not left out for being recorded in this very moment.
        until: until(asked.until.as_deref())?
            .unwrap_or(now.plus(std::time::Duration::from_secs(1))),
        before: asked.before.map(EntryIndex::new),
        limit: asked.limit,
    };
    let records = &call.opened()?.records;
    let accounting = records.accounting(patient, &span, call.by(), why)?;
    let accesses = accounting.accesses.into_iter();
    Answer::json(&Accesses {
        patients: accounting.patients.iter().map(|one| one.get()).collect(),
        since: span.since.to_rfc3339(),
        until: span.until.to_rfc3339(),
        accesses: accesses.map(|one| access(&call.core, one)).collect(),
        next: accounting.next.map(EntryIndex::get),
        entry: accounting.entry.get(),
    })
}

fn access(core: &Core, access: labward_records::Access) -> Access {
    Access {
        entry: access.entry.get(),
        time: access.time.to_rfc3339(),
        actor: access.actor.to_string(),
        name: match access.actor {
            Actor::Peer(peer) => core.peers.by_id(peer).map(|peer| peer.name.clone()),
            Actor::Person(person) => core.people.name_of(person),
            Actor::System => None,
        },
        action: access.action.name().to_owned(),
        outcome: access.outcome.to_string(),
        records: access.records.iter().map(|one| one.get()).collect(),
        from: access.from,
        to: access.to,
        break_glass: access.is_break_glass,
        why: access.why,
    }
}
