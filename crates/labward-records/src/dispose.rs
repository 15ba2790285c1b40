//! Disposal: a patient's keys are destroyed, with a proof that says what it does not cover.
//!
//! It must never dispose within the retention time without a recorded decision, or under a legal
//! hold at all, and never of a part of a merge group.
//! Carries out 45 CFR 164.310(d)(2)(i) and NIST SP 800-88 (cryptographic erase).

use std::collections::BTreeMap;
use std::sync::PoisonError;

use labward_base::Timestamp;
use labward_base::id::{EntryIndex, PatientId, PersonId};
use labward_keys::ArchiveInfo;
use labward_ledger::{Action, Appended, Facts, NewEntry, append, append_timed};
use labward_store::Tx;
use serde::Serialize;
use serde_json::json;

use crate::error::RecordsError;
use crate::records::Records;
use crate::store;

/// What the destruction of keys here cannot reach, whatever was recorded.
const NOT_COVERED: &[&str] = &[
    "paper and other printed copies",
    "copies that receivers hold of what was delivered or exported to them",
    "copies of the database's files, or of a key archive, that somebody made by other means",
    "originals of messages in quarantine that lie in backups made before, until those are deleted",
];

/// A person's decision to dispose before the end of the retention time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// Why the law allows it, in words; recorded, sealed.
    pub reason: String,
}

/// What a disposal did and what it does not cover; to be kept by whoever asked for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DisposalProof {
    /// The opaque numbers of the patients whose keys were destroyed: the whole merge group.
    pub patients: Vec<PatientId>,
    /// How many records can never be read again.
    pub records: u64,
    /// How many wrapped keys were destroyed.
    pub keys_destroyed: u64,
    /// The entry of the ledger that records it.
    pub entry: EntryIndex,
    /// When, RFC 3339.
    pub time: String,
    /// Whether the retention time was overridden by a decision.
    pub retention_overridden: bool,
    /// Whether the database's log was emptied of the keys too; `false` while a reader needed it.
    pub log_emptied: bool,
    /// Key archives made before, in which the keys may still stand; backups of the data hold none.
    pub key_archives: u64,
    /// How many of them are overdue: their time is over, but nothing says that they are deleted.
    pub key_archives_overdue: u64,
    /// Until when the last of these archives may hold the keys, RFC 3339; the first
    /// `labward key archive` after it deletes the archive. None: no archive holds them.
    pub key_archives_expire: Option<String>,
    /// What is left to do.
    pub recommended: Vec<String>,
    /// Where records were delivered to, and how often.
    pub delivered_to: BTreeMap<String, u64>,
    /// The entries of exports.
    pub exports: Vec<EntryIndex>,
    /// What this does not cover.
    pub not_covered: Vec<String>,
}

impl Records {
    /// Forbids disposal of a patient (and all merged with it) until the hold is lifted.
    pub fn hold(
        &self,
        patient: PatientId,
        by: PersonId,
        why: &str,
    ) -> Result<EntryIndex, RecordsError> {
        self.set_hold(patient, by, why, true)
    }

    /// Whether a legal hold keeps the records of this patient, or of one that is the same person.
    pub fn is_on_hold(&self, patient: PatientId) -> bool {
        let group = self.group(patient);
        let mut members = group.iter();
        members.any(|member| self.shared.patients.is_held(*member))
    }

    /// Lifts a legal hold.
    pub fn lift_hold(
        &self,
        patient: PatientId,
        by: PersonId,
        why: &str,
    ) -> Result<EntryIndex, RecordsError> {
        self.set_hold(patient, by, why, false)
    }

    /// Until when the records of a patient's merge group are retained; `None` if there are none.
    pub fn retained_until(&self, patient: PatientId) -> Result<Option<Timestamp>, RecordsError> {
        self.known(patient)?;
        self.catch_up()?;
        self.retained(&self.group(patient))
    }

    /// Destroys the keys of the patient's whole merge group.
    ///
    /// # Errors
    /// [`RecordsError::LegalHold`]; [`RecordsError::Retention`] without `decision` before its end;
    /// [`RecordsError::NoPatient`]. Nothing was destroyed then.
    pub fn dispose(
        &self,
        patient: PatientId,
        by: PersonId,
        why: &str,
        decision: Option<&Override>,
    ) -> Result<DisposalProof, RecordsError> {
        let _one_at_a_time = self.deciding();
        self.known(patient)?;
        let group = self.group(patient);
        self.may_dispose(&group, decision)?;
        self.shared.patients.withdraw(&group);
        let destroyed = self.dispose_withdrawn(patient, &group, by, why, decision);
        let (destroyed, records, appended) = match destroyed {
            Ok(done) => done,
            Err(error) => {
                self.restore(&group)?;
                return Err(error);
            }
        };
        self.shared.remove_names(&group);
        let log_emptied = self.shared.store.checkpoint_truncate()?;
        let mut proof = self.proof(group, appended, log_emptied, &destroyed.archives)?;
        proof.records = records;
        proof.keys_destroyed = destroyed.keys;
        proof.retention_overridden = decision.is_some();
        Ok(proof)
    }

    fn set_hold(
        &self,
        patient: PatientId,
        by: PersonId,
        why: &str,
        hold: bool,
    ) -> Result<EntryIndex, RecordsError> {
        let _one_at_a_time = self.deciding();
        self.known(patient)?;
        let action = if hold {
            Action::PatientHeld
        } else {
            Action::PatientHoldLifted
        };
        let entry = self.decision(action, patient, by, why)?;
        let group = self.group(patient);
        let in_unit = group.clone();
        let unit = move |tx: &mut Tx<'_>| {
            for member in &in_unit {
                store::set_legal_hold(tx, *member, hold)?;
            }
            append(tx, &entry).map_err(RecordsError::from)
        };
        self.write_and_apply(unit, move |shared, _| {
            let members = group.iter();
            members.for_each(|member| shared.patients.set_held(*member, hold));
        })
    }

    /// Whether hold and retention allow it now.
    fn may_dispose(
        &self,
        group: &[PatientId],
        decision: Option<&Override>,
    ) -> Result<(), RecordsError> {
        if group
            .iter()
            .any(|member| self.shared.patients.is_held(*member))
        {
            return Err(RecordsError::LegalHold);
        }
        self.catch_up()?;
        let now = self.shared.clock.now();
        match self.retained(group)? {
            Some(until) if until > now && decision.is_none() => {
                Err(RecordsError::Retention { until })
            }
            _ => Ok(()),
        }
    }

    fn retained(&self, group: &[PatientId]) -> Result<Option<Timestamp>, RecordsError> {
        let retention = self.shared.retention.read();
        let retention = *retention.unwrap_or_else(PoisonError::into_inner);
        let mut last = None;
        for patient in group {
            let newest: Vec<_> = self
                .shared
                .store
                .read(|snapshot| store::newest_by_class(snapshot, *patient))?;
            let ends = newest
                .into_iter()
                .map(|(class, time)| retention.until(class, time));
            last = last.max(ends.max());
        }
        Ok(last)
    }

    /// Destroys the keys in one unit with the entry; no message can use the patients any more.
    fn dispose_withdrawn(
        &self,
        patient: PatientId,
        group: &[PatientId],
        by: PersonId,
        why: &str,
        decision: Option<&Override>,
    ) -> Result<(Destroyed, u64, Appended), RecordsError> {
        // Again: a message that was in flight may have brought a record, or a merge another patient.
        self.may_dispose(group, decision)?;
        if self.group(patient) != group {
            return Err(RecordsError::NoPatient);
        }
        let mut records = 0u64;
        for member in group {
            let count = |snapshot: &mut labward_store::Snapshot<'_>| {
                store::count_records(snapshot, *member)
            };
            records += self.shared.store.read(count)?;
        }
        let mut entry = self.decision(Action::PatientDisposed, patient, by, why)?;
        let reason = decision.map(|decision| decision.reason.as_str());
        let detail = self
            .shared
            .seal_detail(&json!({ "why": why, "override": reason }))?;
        entry.detail = Some(detail);
        entry.facts = Facts::new()
            .numbers("patients", group.iter().map(|member| member.get()))
            .number("records", records)
            .number("retention_overridden", i64::from(decision.is_some()));
        let (keys, in_unit, destroyed) = (self.shared.keys.clone(), group.to_vec(), group.to_vec());
        let unit = move |tx: &mut Tx<'_>| destroy(tx, &keys, &in_unit, &entry);
        let (destroyed, appended) = self.write_and_apply(unit, move |shared, _| {
            shared.patients.set_disposed(&destroyed);
            shared.keys.forget(&destroyed);
        })?;
        Ok((destroyed, records, appended))
    }

    /// Takes the identifiers of patients that were not disposed of after all back into memory.
    fn restore(&self, group: &[PatientId]) -> Result<(), RecordsError> {
        self.shared.store.read(|snapshot| {
            store::identifiers(snapshot, &mut |row| {
                if group.contains(&row.patient) {
                    self.shared.patients.load_identifier(&row);
                }
            })
            .map_err(RecordsError::from)
        })
    }

    fn proof(
        &self,
        patients: Vec<PatientId>,
        Appended { index, time }: Appended,
        log_emptied: bool,
        archives: &[ArchiveInfo],
    ) -> Result<DisposalProof, RecordsError> {
        let mut delivered_to = BTreeMap::new();
        let mut exports = Vec::new();
        for access in self.every_access(&patients)? {
            match access.action {
                Action::ListExported | Action::RecordExported => exports.push(access.entry),
                Action::MessageDelivered => {
                    let to = access.to.unwrap_or_else(|| "unnamed".to_owned());
                    *delivered_to.entry(to).or_default() += 1;
                }
                _ => {}
            }
        }
        let overdue = archives.iter().filter(|archive| archive.expires <= time);
        let count = |length| u64::try_from(length).unwrap_or(u64::MAX);
        Ok(DisposalProof {
            patients,
            records: 0,
            keys_destroyed: 0,
            entry: index,
            time: time.to_rfc3339(),
            retention_overridden: false,
            log_emptied,
            key_archives: count(archives.len()),
            key_archives_overdue: count(overdue.count()),
            key_archives_expire: archives
                .iter()
                .map(|archive| archive.expires)
                .max()
                .map(Timestamp::to_rfc3339),
            recommended: recommended(archives),
            delivered_to,
            exports,
            not_covered: NOT_COVERED.iter().map(|what| (*what).to_owned()).collect(),
        })
    }
}

/// What a disposal's unit destroyed, and which archives it cannot reach.
struct Destroyed {
    keys: u64,
    archives: Vec<ArchiveInfo>,
}

fn recommended(archives: &[ArchiveInfo]) -> Vec<String> {
    let slots = "if copies of the database's files may be in other hands, replace every slot and \
                 rotate the root key: a copy opens with the slots it was made with";
    let expire = "after the archives' time run labward key archive expire, which deletes them with \
                  an entry each; make a new archive first";
    let expire = (!archives.is_empty()).then(|| expire.to_owned());
    expire.into_iter().chain([slots.to_owned()]).collect()
}

fn destroy(
    tx: &mut Tx<'_>,
    keys: &labward_keys::Keys,
    group: &[PatientId],
    entry: &NewEntry,
) -> Result<(Destroyed, Appended), RecordsError> {
    for member in group {
        if store::legal_hold(tx, *member)? {
            return Err(RecordsError::LegalHold);
        }
        if store::is_active(tx, *member)? != Some(true) {
            return Err(RecordsError::NoPatient);
        }
    }
    let destroyed = keys.dispose(tx, group)?;
    for member in group {
        store::erase_patient(tx, *member)?;
    }
    // In this unit: an archive is known before it is written, so none slips in between.
    let archives = keys.archives_that_may_exist(tx)?;
    let until = archives.iter().map(|archive| archive.expires).max();
    let mut entry = entry.clone();
    entry.facts = entry.facts.number("keys_destroyed", destroyed);
    if let Some(until) = until {
        entry.facts = entry
            .facts
            .number("key_archives", archives.len())
            .text("key_archives_expire", until.to_rfc3339());
    }
    let destroyed = Destroyed {
        keys: destroyed,
        archives,
    };
    Ok((destroyed, append_timed(tx, &entry)?))
}
