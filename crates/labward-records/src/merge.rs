//! Patients that are one: declared by a merge message or a person, and ended by a person.
//!
//! It must never reseal, move or delete a record: a merge is one column and one entry, and its end
//! is another entry. Search, reading and disposal follow the whole group.

use labward_base::id::{EntryIndex, PatientId, PersonId};
use labward_ledger::{Action, Actor, Facts, NewEntry, Subject, append};
use labward_store::{Query, StoreError, Tx};
use serde_json::json;

use crate::error::RecordsError;
use crate::records::Records;
use crate::store;

/// How deep merges may nest.
const DEPTH_MAX: usize = 64;

impl Records {
    /// Every patient that is one with this one, itself included; empty if there is no such patient.
    pub fn group(&self, patient: PatientId) -> Vec<PatientId> {
        self.shared.patients.group(patient)
    }

    /// Declares two patients one, as a person's decision; also links a provisional patient.
    pub fn merge(
        &self,
        prior: PatientId,
        surviving: PatientId,
        by: PersonId,
        why: &str,
    ) -> Result<EntryIndex, RecordsError> {
        let _one_at_a_time = self.deciding();
        self.known(prior)?;
        self.known(surviving)?;
        let entry = self.decision(Action::PatientMerged, surviving, by, why)?;
        let unit = move |tx: &mut Tx<'_>| write_merge(tx, &entry, prior, surviving);
        let written = self.write_and_apply(unit, |shared, merged| {
            if let Some((from, into, _)) = merged {
                shared.patients.set_merged_into(*from, Some(*into));
            }
        })?;
        let (_, _, index) = written.ok_or(RecordsError::NoPatient)?;
        Ok(index)
    }

    /// Ends the merge of this patient into another, as a person's decision.
    pub fn unmerge(
        &self,
        patient: PatientId,
        by: PersonId,
        why: &str,
    ) -> Result<EntryIndex, RecordsError> {
        let _one_at_a_time = self.deciding();
        self.known(patient)?;
        let entry = self.decision(Action::PatientMerged, patient, by, why)?;
        let unit = move |tx: &mut Tx<'_>| {
            let into = store::merged_into(tx, patient)?.ok_or(RecordsError::NoPatient)?;
            store::set_merged_into(tx, patient, None)?;
            let mut entry = entry.clone();
            entry.facts = Facts::new().number("undone", 1).number("into", into.get());
            append(tx, &entry).map_err(RecordsError::from)
        };
        self.write_and_apply(unit, move |shared, _| {
            shared.patients.set_merged_into(patient, None);
        })
    }

    /// An entry about a patient by a person, with the reason sealed.
    pub(crate) fn decision(
        &self,
        action: Action,
        patient: PatientId,
        by: PersonId,
        why: &str,
    ) -> Result<NewEntry, RecordsError> {
        let subject = Subject::Patient(patient);
        let detail = self.shared.seal_detail(&json!({ "why": why }))?;
        let entry = NewEntry::new(self.shared.site, Actor::Person(by), action, subject);
        Ok(entry.patient(patient).detail(detail))
    }

    /// That there is such a patient whose key was not destroyed.
    pub(crate) fn known(&self, patient: PatientId) -> Result<(), RecordsError> {
        let patients = &self.shared.patients;
        if patients.group(patient).is_empty() || patients.is_disposed(patient) {
            return Err(RecordsError::NoPatient);
        }
        Ok(())
    }
}

/// Merges the group of `prior` into that of `surviving` in the unit of `like`, with an entry of its
/// own; `None` if they are one already.
pub(crate) fn write_merge(
    tx: &mut Tx<'_>,
    like: &NewEntry,
    prior: PatientId,
    surviving: PatientId,
) -> Result<Option<(PatientId, PatientId, EntryIndex)>, RecordsError> {
    // From the rows, not from memory: another merge may stand before this one in the same batch.
    let (from, into) = (root(tx, prior)?, root(tx, surviving)?);
    if from == into {
        return Ok(None);
    }
    store::set_merged_into(tx, from, Some(into))?;
    let mut facts = Facts::new()
        .number("from", from.get())
        .number("prior", prior.get());
    if let Some(record) = like.record {
        facts = facts.number("record", record.get());
    }
    let subject = Subject::Patient(into);
    let mut entry = NewEntry::new(like.site, like.actor, Action::PatientMerged, subject)
        .facts(facts)
        .patient(into);
    if like.record.is_none() {
        entry.detail.clone_from(&like.detail);
    }
    let index = append(tx, &entry)?;
    Ok(Some((from, into, index)))
}

fn root<Q: Query>(query: &mut Q, patient: PatientId) -> Result<PatientId, StoreError> {
    let mut at = patient;
    for _ in 0..DEPTH_MAX {
        match store::merged_into(query, at)? {
            Some(into) => at = into,
            None => break,
        }
    }
    Ok(at)
}
