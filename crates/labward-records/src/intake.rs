//! Keeping a record: whose it is, sealed, one durable row.
//!
//! **Invariant:** no acknowledgement before durability: `done` is called after the commit.
//! It must never put a patient's rows into another unit than the record's, or touch an index on a
//! random key there.

use std::hash::BuildHasher as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use labward_base::Timestamp;
use labward_base::id::{EntryIndex, PatientId, RecordId, SiteId};
use labward_keys::NewPatientKey;
use labward_ledger::{Action, Actor, Appended, Facts, NewEntry, Subject, append_timed};
use labward_store::{StoreError, Tx};

use crate::blob;
use crate::demographics::Demographics;
use crate::error::RecordsError;
use crate::hints;
use crate::identify::{
    IdentifierTag, Identity, Origin, Who, accession_tag, provisional_tag, tags_of,
};
use crate::kind::RecordKind;
use crate::merge::write_merge;
use crate::patient::{Claim, Known, Settled};
use crate::records::{Records, Shared, context};
use crate::store::{self, SealedDemographics};

/// Work that is to commit with the record or not at all; re-runnable.
pub type Also = Box<dyn FnMut(&mut Tx<'_>, RecordId, EntryIndex) -> Result<(), StoreError> + Send>;

/// What is to be kept.
pub struct Intake {
    /// What the bytes are.
    pub kind: RecordKind,
    /// What the entry says was done.
    pub action: Action,
    /// Who did it.
    pub actor: Actor,
    /// The site it belongs to.
    pub site: SiteId,
    /// The assigning authority of identifiers that name none.
    pub authority: Option<String>,
    /// The device, where patient ids are known per device (ASTM).
    pub device: Option<String>,
    /// What else the entry says, without patient data.
    pub facts: Facts,
    /// Bytes beside the entry, outside its leaf; read back with [`hints::GATEWAY`].
    pub hints: Option<Vec<u8>>,
    /// The record.
    pub bytes: Vec<u8>,
    /// What commits with it.
    pub also: Option<Also>,
}

/// A record that was kept durably.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The record.
    pub record: RecordId,
    /// The entry that holds it.
    pub entry: EntryIndex,
    /// When, as the entry says it.
    pub time: Timestamp,
    /// Whose it is, if it is a patient's.
    pub patient: Option<PatientId>,
    /// What it must stay in order with: patients (both of a merge); empty: only its own link.
    pub ordering: Vec<u64>,
    /// The record, handed back.
    pub bytes: Vec<u8>,
}

/// A message's hold on one patient and what it brings of it.
pub(crate) struct Use {
    pub(crate) claim: Claim<NewPatientKey>,
    demographics: Option<NewDemographics>,
}

struct NewDemographics {
    sealed: SealedDemographics,
    absorbed: Vec<u8>,
    digest: u64,
    plain: Arc<Demographics>,
}

/// A record that is ready to be written; its claims end when it is dropped.
pub(crate) struct Prepared {
    shared: Arc<Shared>,
    pub(crate) record: RecordId,
    pub(crate) patient: Option<PatientId>,
    entry: NewEntry,
    uses: Vec<Use>,
    /// Pairs of patients that become one: prior, surviving.
    merges: Vec<(PatientId, PatientId)>,
    in_file: bool,
    is_settled: AtomicBool,
}

/// What a unit wrote.
#[derive(Clone)]
pub(crate) struct Written {
    pub(crate) entry: EntryIndex,
    pub(crate) time: Timestamp,
    /// Merges that took place: prior root, into.
    merged: Vec<(PatientId, PatientId, EntryIndex)>,
}

impl Records {
    /// Keeps a record: finds its patient and seals it on the caller's thread, then hands it to the
    /// writer. `done` is called once: on the writer's thread after the commit, or with the reason
    /// why not (then perhaps on the caller's thread, before this returns).
    pub fn keep(&self, intake: Intake, done: Box<dyn FnOnce(Result<Kept, RecordsError>) + Send>) {
        let identity = Identity::read(intake.kind, &intake.bytes, origin(&intake));
        let mut intake = intake;
        let mut also = intake.also.take();
        let prepared = match self.prepare(&mut intake, &identity) {
            Ok(prepared) => prepared,
            Err(error) => return done(Err(error)),
        };
        let bytes = intake.bytes;
        let prepared = Arc::new(prepared);
        let in_unit = Arc::clone(&prepared);
        let unit = move |tx: &mut Tx<'_>| -> Result<Written, RecordsError> {
            let written = in_unit.write(tx)?;
            if let Some(also) = &mut also {
                also(tx, in_unit.record, written.entry)?;
            }
            Ok(written)
        };
        self.shared.store.submit(unit, move |result| {
            let written = result.as_ref().ok();
            prepared.settle(written);
            done(result.map(|written| prepared.kept(&written, bytes)));
        });
    }

    /// Finds the patient and seals, taking the facts over; the answer must be settled.
    pub(crate) fn prepare(
        &self,
        intake: &mut Intake,
        identity: &Identity,
    ) -> Result<Prepared, RecordsError> {
        let shared = &self.shared;
        let record = shared.ids.next();
        let entry = NewEntry::new(
            intake.site,
            intake.actor,
            intake.action,
            Subject::Record(record),
        );
        // From here on dropping it gives every claim back.
        let mut prepared = Prepared {
            shared: Arc::clone(shared),
            record,
            patient: None,
            entry,
            uses: Vec::new(),
            merges: Vec::new(),
            in_file: intake.bytes.len() > blob::INLINE_MAX_BYTES,
            is_settled: AtomicBool::new(false),
        };
        prepared.claim(intake, identity)?;
        prepared.seal(intake, identity)?;
        Ok(prepared)
    }
}

impl Prepared {
    /// Writes patient rows that are pending, then the entry; re-runnable.
    pub(crate) fn write(&self, tx: &mut Tx<'_>) -> Result<Written, RecordsError> {
        for each in &self.uses {
            each.write(&self.shared, tx)?;
        }
        let Appended { index: entry, time } = append_timed(tx, &self.entry)?;
        let mut merged = Vec::new();
        for (prior, surviving) in &self.merges {
            let pair = write_merge(tx, &self.entry, *prior, *surviving)?;
            merged.extend(pair);
        }
        Ok(Written {
            entry,
            time,
            merged,
        })
    }

    /// Ends the claims: `written` if the unit was committed, `None` if it was rolled back.
    pub(crate) fn settle(&self, written: Option<&Written>) {
        if self.is_settled.swap(true, Ordering::Relaxed) {
            return;
        }
        for each in &self.uses {
            each.settle(&self.shared, written.is_some());
        }
        for (prior, into, _) in written.into_iter().flat_map(|written| &written.merged) {
            self.shared.patients.set_merged_into(*prior, Some(*into));
        }
        if written.is_none() && self.in_file {
            self.shared.blobs.remove(self.record);
        }
    }

    /// Whether this record made its patient.
    pub(crate) fn brings_patient(&self) -> bool {
        self.uses.iter().any(|each| each.claim.is_new)
    }

    pub(crate) fn kept(&self, written: &Written, bytes: Vec<u8>) -> Kept {
        let mut ordering: Vec<u64> = Vec::new();
        for each in &self.uses {
            let patient = each.claim.patient.get();
            if !ordering.contains(&patient) {
                ordering.push(patient);
            }
        }
        Kept {
            record: self.record,
            entry: written.entry,
            time: written.time,
            patient: self.patient,
            ordering,
            bytes,
        }
    }

    fn claim(&mut self, intake: &Intake, identity: &Identity) -> Result<(), RecordsError> {
        let key = &self.shared.index_key;
        let (tags, provisional) = match &identity.who {
            Who::Nobody => return Ok(()),
            Who::Unknown => (Vec::new(), true),
            Who::Accession(number) => (vec![provisional_tag(key, &scope(intake), number)], true),
            Who::Identified => (tags_of(key, &identity.demographics.identifiers), false),
        };
        let demographics = (!identity.demographics.is_empty()).then_some(&identity.demographics);
        self.patient = Some(self.use_patient(intake.site, &tags, provisional, demographics)?);
        for merge in &identity.merges {
            let surviving = self.use_identifiers(intake.site, &merge.surviving)?;
            let prior = self.use_identifiers(intake.site, &merge.prior)?;
            if surviving != prior {
                self.merges.push((prior, surviving));
            }
        }
        Ok(())
    }

    fn use_identifiers(
        &mut self,
        site: SiteId,
        identifiers: &[crate::Identifier],
    ) -> Result<PatientId, RecordsError> {
        let tags = tags_of(&self.shared.index_key, identifiers);
        let demographics = Demographics {
            identifiers: identifiers.to_vec(),
            ..Demographics::default()
        };
        self.use_patient(site, &tags, false, Some(&demographics))
    }

    fn use_patient(
        &mut self,
        site: SiteId,
        tags: &[IdentifierTag],
        provisional: bool,
        demographics: Option<&Demographics>,
    ) -> Result<PatientId, RecordsError> {
        let shared = Arc::clone(&self.shared);
        let make = |patient| shared.keys.new_patient_key(patient);
        let claim = shared.patients.resolve(tags, site, provisional, make)?;
        let (patient, conflict) = (claim.patient, claim.is_conflict);
        let index = self.uses.len();
        self.uses.push(Use {
            claim,
            demographics: None,
        });
        // What a message says of several patients at once is not taken for either's name.
        if let (Some(demographics), false) = (demographics, conflict) {
            let new = new_demographics(&shared, patient, site, demographics)?;
            if let Some(last) = self.uses.get_mut(index) {
                last.demographics = new;
            }
        }
        Ok(patient)
    }

    fn seal(&mut self, intake: &mut Intake, identity: &Identity) -> Result<(), RecordsError> {
        let shared = &self.shared;
        let (key, epoch) = shared.key_of(self.patient)?;
        let context = context(intake.site, self.patient, intake.kind.code(), self.record);
        let plain = blob::encode(&shared.blobs, &key, &context, intake.kind, &intake.bytes)?;
        self.entry.payload = Some(labward_seal::seal(&key, epoch, &context, plain.expose())?);
        self.entry.record = Some(self.record);
        self.entry.patient = self.patient;
        self.entry.kind = intake.kind.code();
        self.entry.hints = Some(hints_of(shared, intake, identity));
        self.entry.facts = self.facts(std::mem::take(&mut intake.facts), identity);
        Ok(())
    }

    fn facts(&self, mut facts: Facts, identity: &Identity) -> Facts {
        if self.uses.iter().any(|each| each.claim.is_conflict) {
            facts = facts.text("conflict", "identifiers of different patients");
        }
        if identity.patients > 1 && identity.merges.is_empty() {
            facts = facts.number("patients", identity.patients);
        }
        facts
    }
}

impl Drop for Prepared {
    /// Whatever was not written, such as after an error while sealing, is rolled back.
    fn drop(&mut self) {
        self.settle(None);
    }
}

impl Use {
    fn write(&self, shared: &Shared, tx: &mut Tx<'_>) -> Result<(), RecordsError> {
        let claim = &self.claim;
        if let Some(key) = &claim.key {
            store::insert_patient(tx, claim.patient, claim.site, claim.is_provisional)?;
            shared.keys.write_patient_key(tx, key)?;
        }
        for identifier in &claim.identifiers {
            store::insert_identifier(tx, claim.site, identifier)?;
        }
        if let Some(new) = &self.demographics {
            store::update_demographics(tx, &new.sealed, &new.absorbed)?;
        }
        Ok(())
    }

    fn settle(&self, shared: &Shared, committed: bool) {
        let digest = self.demographics.as_ref().map(|new| new.digest);
        match shared.patients.settle(&self.claim, committed, digest) {
            Settled::Committed(key) => shared.keys.settle(&key, true),
            Settled::Evicted(key) => shared.keys.settle(&key, false),
            Settled::Same => {}
        }
        if let (true, Some(new)) = (committed, &self.demographics) {
            shared.add_name(self.claim.patient, &new.plain);
        }
    }
}

/// What a message brings of who the patient is, sealed; `None` if all of it is known.
fn new_demographics(
    shared: &Shared,
    patient: PatientId,
    site: SiteId,
    demographics: &Demographics,
) -> Result<Option<NewDemographics>, RecordsError> {
    let quick = shared.quick.hash_one(demographics);
    if shared.patients.has_met(patient, quick) {
        return Ok(None);
    }
    let digest = digest_of(shared, demographics)?;
    let stored = match shared.patients.known(patient, digest, quick) {
        Known::Absorbed => return Ok(None),
        Known::Fresh => None,
        Known::Stored => shared.stored_demographics(patient)?,
    };
    let site = shared.patients.site(patient).unwrap_or(site);
    let absorbed = shared
        .patients
        .absorb(patient, demographics, digest, stored);
    let Some((version, plain, absorbed)) = absorbed else {
        return Ok(None);
    };
    let sealed = shared.seal_demographics(patient, site, version, &plain)?;
    Ok(Some(NewDemographics {
        sealed,
        absorbed,
        digest,
        plain,
    }))
}

fn digest_of(shared: &Shared, demographics: &Demographics) -> Result<u64, RecordsError> {
    let text = serde_json::to_vec(demographics).map_err(|_| RecordsError::Damaged)?;
    let tag = shared.index_key.tag("demographics", &[&text]);
    let (first, _) = tag.split_first_chunk::<8>().ok_or(RecordsError::Damaged)?;
    Ok(u64::from_be_bytes(*first))
}

fn hints_of(shared: &Shared, intake: &Intake, identity: &Identity) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(gateway) = &intake.hints {
        hints::put(&mut bytes, hints::GATEWAY, gateway);
    }
    if !identity.accessions.is_empty() {
        let tags = identity
            .accessions
            .iter()
            .flat_map(|accession| accession_tag(&shared.index_key, accession));
        hints::put(&mut bytes, hints::ACCESSIONS, &tags.collect::<Vec<u8>>());
    }
    hints::put(&mut bytes, hints::RETENTION, &[identity.class.code()]);
    bytes
}

pub(crate) fn origin(intake: &Intake) -> Origin<'_> {
    Origin {
        authority: intake.authority.as_deref(),
        device: intake.device.as_deref(),
    }
}

/// The number space of a patient known by an accession only: who sent it, and from which device.
fn scope(intake: &Intake) -> String {
    let authority = intake.authority.as_deref().unwrap_or_default();
    let device = intake.device.as_deref().unwrap_or_default();
    format!("{}\n{authority}\n{device}", intake.actor)
}
