//! Which patient an identifier belongs to: the one map in memory, under one lock.
//!
//! It must never join two patients because a message names both, forget a patient that was
//! committed, or keep one whose rows were rolled back.
//!
//! Whatever a message brings that is not yet committed (a patient, an identifier) is *pending*.
//! Each message that uses something pending carries its rows too, so whichever commits first
//! carries it; the last one to be rolled back evicts it.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use labward_base::id::{PatientId, SiteId};

use crate::Tag;
use crate::demographics::Demographics;
use crate::identify::IdentifierTag;
use crate::store::{IdentifierRow, PatientRow};

/// Digests of demographics kept per patient.
const ABSORBED_MAX: usize = 8;
/// How deep merges may nest; deeper ones would be a loop.
const MERGE_DEPTH_MAX: usize = 64;

/// Every patient, by identifier and by number; `K` is a key not yet committed.
pub(crate) struct PatientMap<K> {
    inner: Mutex<Inner<K>>,
    released: Condvar,
}

struct Inner<K> {
    tags: HashMap<Tag, TagState>,
    values: HashMap<Tag, Vec<PatientId>>,
    patients: HashMap<PatientId, PatientState<K>>,
    merged: HashMap<PatientId, Vec<PatientId>>,
    next_patient: u64,
    next_identifier: i64,
    /// Callers that wait until messages in flight have ended.
    waiting: u32,
}

#[derive(Clone, Copy)]
struct TagState {
    patient: PatientId,
    row: i64,
    value_tag: Option<Tag>,
    is_settled: bool,
    users: u32,
}

struct PatientState<K> {
    site: SiteId,
    is_provisional: bool,
    is_settled: bool,
    is_disposed: bool,
    legal_hold: bool,
    merged_into: Option<PatientId>,
    absorbed: Vec<Absorbed>,
    /// Messages in flight that use this patient.
    users: u32,
    /// Demographics that are newer than the stored ones, while messages are in flight.
    fresh: Option<(u32, Arc<Demographics>)>,
    key: Option<Arc<K>>,
}

/// Demographics that say nothing new of their patient.
#[derive(Clone, Copy)]
struct Absorbed {
    /// Their keyed digest, as it is stored.
    digest: u64,
    /// Their hash in this process; `None` until they are met again in it.
    quick: Option<u64>,
}

/// A message's hold on its patient, from lookup until its unit has ended.
///
/// Whoever resolves must give every claim back with [`PatientMap::settle`].
pub(crate) struct Claim<K> {
    pub(crate) patient: PatientId,
    /// The site that met the patient first.
    pub(crate) site: SiteId,
    /// The key to write, if the patient is pending.
    pub(crate) key: Option<Arc<K>>,
    pub(crate) is_provisional: bool,
    /// Whether this very message made the patient.
    pub(crate) is_new: bool,
    /// Pending identifiers that this message uses.
    pub(crate) identifiers: Vec<IdentifierRow>,
    /// Whether its identifiers point to patients that are not one.
    pub(crate) is_conflict: bool,
}

/// How the demographics of a message stand to what is known.
pub(crate) enum Known {
    /// They say nothing new.
    Absorbed,
    /// They are to be joined with these, which are not committed yet.
    Fresh,
    /// They are to be joined with the stored ones.
    Stored,
}

/// What settling did to a pending key.
pub(crate) enum Settled<K> {
    /// The patient is committed with this key.
    Committed(Arc<K>),
    /// The patient is gone, and this key with it.
    Evicted(Arc<K>),
    /// Nothing changed.
    Same,
}

impl<K> PatientMap<K> {
    pub(crate) fn new() -> Self {
        Self {
            inner: Mutex::new(Inner {
                tags: HashMap::new(),
                values: HashMap::new(),
                patients: HashMap::new(),
                merged: HashMap::new(),
                next_patient: 1,
                next_identifier: 1,
                waiting: 0,
            }),
            released: Condvar::new(),
        }
    }

    /// Takes up a stored patient at start.
    pub(crate) fn load_patient(&self, row: PatientRow) {
        let mut inner = self.lock();
        inner.next_patient = inner.next_patient.max(row.id.get().saturating_add(1));
        if let Some(into) = row.merged_into {
            inner.merged.entry(into).or_default().push(row.id);
        }
        let (pairs, _) = row.absorbed.as_chunks::<8>();
        let state = PatientState {
            site: row.site,
            is_provisional: row.is_provisional,
            is_settled: true,
            is_disposed: row.is_disposed,
            legal_hold: row.legal_hold,
            merged_into: row.merged_into,
            absorbed: pairs.iter().map(|pair| Absorbed::stored(*pair)).collect(),
            users: 0,
            fresh: None,
            key: None,
        };
        inner.patients.insert(row.id, state);
    }

    /// Takes up a stored identifier at start.
    pub(crate) fn load_identifier(&self, row: &IdentifierRow) {
        let mut inner = self.lock();
        inner.next_identifier = inner.next_identifier.max(row.row.saturating_add(1));
        let state = TagState {
            patient: row.patient,
            row: row.row,
            value_tag: row.value_tag,
            is_settled: true,
            users: 0,
        };
        // The older row wins: two rows of one tag stand there only after a conflict of rollbacks.
        if let std::collections::hash_map::Entry::Vacant(vacant) = inner.tags.entry(row.tag) {
            vacant.insert(state);
            inner.add_value(row.value_tag, row.patient);
        }
    }

    /// Finds the patient of these identifiers or makes a new one, and holds it.
    ///
    /// The first known identifier decides. If they point to patients that are not merged, nothing
    /// new is learned from the message. `make` gives a new patient's key.
    pub(crate) fn resolve<E>(
        &self,
        tags: &[IdentifierTag],
        site: SiteId,
        provisional: bool,
        make: impl FnOnce(PatientId) -> Result<K, E>,
    ) -> Result<Claim<K>, E> {
        let mut inner = self.lock();
        let (found, is_conflict) = inner.look_up(tags);
        let patient = match found {
            Some(patient) => patient,
            None => inner.add_patient(site, provisional, make)?,
        };
        let identifiers = inner.use_tags(patient, tags, !is_conflict);
        if let Some(state) = inner.patients.get_mut(&patient) {
            state.users = state.users.saturating_add(1);
        }
        let state = inner.patients.get(&patient);
        Ok(Claim {
            patient,
            site: state.map_or(site, |state| state.site),
            key: state.and_then(|state| state.key.clone()),
            is_provisional: state.is_some_and(|state| state.is_provisional),
            is_new: found.is_none(),
            identifiers,
            is_conflict,
        })
    }

    /// Ends a claim: its unit was committed or rolled back. `digest` is that of the demographics
    /// which the unit wrote.
    pub(crate) fn settle(
        &self,
        claim: &Claim<K>,
        committed: bool,
        digest: Option<u64>,
    ) -> Settled<K> {
        let mut inner = self.lock();
        for identifier in &claim.identifiers {
            inner.settle_tag(identifier, committed);
        }
        let settled = inner.settle_patient(claim.patient, committed, digest);
        let is_awaited = inner.waiting > 0;
        drop(inner);
        // Waking costs a call of the system, on the writer's thread, for each message.
        if is_awaited {
            self.released.notify_all();
        }
        settled
    }

    /// Whether demographics with this hash were met in this process and say nothing new.
    pub(crate) fn has_met(&self, patient: PatientId, quick: u64) -> bool {
        let inner = self.lock();
        let absorbed = inner.patients.get(&patient).map(|state| &state.absorbed);
        absorbed.is_some_and(|all| all.iter().any(|one| one.quick == Some(quick)))
    }

    /// How demographics with this digest stand to what is known of the patient; what says nothing
    /// new is told by its hash the next time.
    pub(crate) fn known(&self, patient: PatientId, digest: u64, quick: u64) -> Known {
        let mut inner = self.lock();
        let Some(state) = inner.patients.get_mut(&patient) else {
            return Known::Stored;
        };
        if let Some(met) = state.absorbed.iter_mut().find(|one| one.digest == digest) {
            met.quick = Some(quick);
            return Known::Absorbed;
        }
        if state.fresh.is_some() || !state.is_settled {
            Known::Fresh
        } else {
            Known::Stored
        }
    }

    /// Joins newer demographics with what is known; the version to store them under, the whole,
    /// and the digests to store with it.
    pub(crate) fn absorb(
        &self,
        patient: PatientId,
        newer: &Demographics,
        digest: u64,
        stored: Option<(u32, Demographics)>,
    ) -> Option<(u32, Arc<Demographics>, Vec<u8>)> {
        let mut inner = self.lock();
        let state = inner.patients.get_mut(&patient)?;
        let (version, mut whole) = match &state.fresh {
            Some((version, whole)) => (*version, (**whole).clone()),
            None => stored.unwrap_or_default(),
        };
        whole.absorb(newer);
        let (version, whole) = (version.saturating_add(1), Arc::new(whole));
        state.fresh = Some((version, Arc::clone(&whole)));
        let mut absorbed = state.absorbed.clone();
        push_bounded(&mut absorbed, digest);
        let bytes = absorbed.iter().flat_map(|one| one.digest.to_be_bytes());
        Some((version, whole, bytes.collect()))
    }

    /// The patients with an identifier of this tag, or of any authority with this value.
    pub(crate) fn find(&self, tag: &Tag) -> Vec<PatientId> {
        let inner = self.lock();
        let by_tag = inner.tags.get(tag).map(|state| state.patient);
        let by_value = inner.values.get(tag).into_iter().flatten().copied();
        let mut found: Vec<_> = by_tag.into_iter().chain(by_value).collect();
        found.retain(|patient| inner.patients.get(patient).is_some_and(|s| s.is_settled));
        found
    }

    /// Every patient that is one with this one, itself included, in order of number; empty if there
    /// is no such patient.
    pub(crate) fn group(&self, patient: PatientId) -> Vec<PatientId> {
        self.lock().group(patient)
    }

    /// The patient into which this one was merged in the end; itself if it was not.
    pub(crate) fn root(&self, patient: PatientId) -> PatientId {
        self.lock().root(patient)
    }

    /// The patients into which these were merged in the end, each once with its best score, and in no
    /// order; who was disposed of is none. Of `found` nobody stands there twice.
    pub(crate) fn roots(
        &self,
        found: impl Iterator<Item = (PatientId, f32)>,
    ) -> Vec<(PatientId, f32)> {
        let inner = self.lock();
        let mut roots = Vec::new();
        let mut merged: HashMap<PatientId, f32> = HashMap::new();
        for (patient, score) in found {
            let Some(state) = inner.patients.get(&patient) else {
                continue;
            };
            if state.is_disposed {
                continue;
            }
            // Most were never merged with anybody: they stand for themselves.
            if state.merged_into.is_none() && !inner.merged.contains_key(&patient) {
                roots.push((patient, score));
                continue;
            }
            let best = merged.entry(inner.root(patient)).or_insert(0.0);
            *best = best.max(score);
        }
        roots.extend(merged);
        roots
    }

    /// The site that met the patient first; `None` if there is no such patient.
    pub(crate) fn site(&self, patient: PatientId) -> Option<SiteId> {
        self.lock().patients.get(&patient).map(|state| state.site)
    }

    pub(crate) fn is_disposed(&self, patient: PatientId) -> bool {
        let inner = self.lock();
        inner.patients.get(&patient).is_some_and(|s| s.is_disposed)
    }

    pub(crate) fn is_held(&self, patient: PatientId) -> bool {
        let inner = self.lock();
        inner.patients.get(&patient).is_some_and(|s| s.legal_hold)
    }

    /// How many patients there are that were not disposed of.
    pub(crate) fn count(&self) -> usize {
        let inner = self.lock();
        let active = inner.patients.values();
        active.filter(|s| s.is_settled && !s.is_disposed).count()
    }

    /// A merge or its end was committed.
    pub(crate) fn set_merged_into(&self, patient: PatientId, into: Option<PatientId>) {
        let mut inner = self.lock();
        let Some(state) = inner.patients.get_mut(&patient) else {
            return;
        };
        let before = std::mem::replace(&mut state.merged_into, into);
        if let Some(children) = before.and_then(|before| inner.merged.get_mut(&before)) {
            children.retain(|child| *child != patient);
        }
        if let Some(into) = into {
            inner.merged.entry(into).or_default().push(patient);
        }
    }

    /// A legal hold was committed.
    pub(crate) fn set_held(&self, patient: PatientId, hold: bool) {
        if let Some(state) = self.lock().patients.get_mut(&patient) {
            state.legal_hold = hold;
        }
    }

    /// Forgets the identifiers of these patients, so that no new message finds them, and waits
    /// until no message in flight uses them.
    pub(crate) fn withdraw(&self, patients: &[PatientId]) {
        let mut inner = self.lock();
        inner
            .tags
            .retain(|_, state| !patients.contains(&state.patient));
        inner.values.retain(|_, of| {
            of.retain(|patient| !patients.contains(patient));
            !of.is_empty()
        });
        let in_use = |inner: &Inner<K>| {
            let mut states = patients
                .iter()
                .filter_map(|patient| inner.patients.get(patient));
            states.any(|state| state.users > 0)
        };
        inner.waiting = inner.waiting.saturating_add(1);
        while in_use(&inner) {
            inner = self
                .released
                .wait(inner)
                .unwrap_or_else(PoisonError::into_inner);
        }
        inner.waiting = inner.waiting.saturating_sub(1);
    }

    /// These patients' keys are destroyed.
    pub(crate) fn set_disposed(&self, patients: &[PatientId]) {
        let mut inner = self.lock();
        for patient in patients {
            if let Some(state) = inner.patients.get_mut(patient) {
                state.is_disposed = true;
                state.absorbed.clear();
                state.fresh = None;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner<K>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K> PatientState<K> {
    fn pending(site: SiteId, is_provisional: bool, key: Arc<K>) -> Self {
        Self {
            site,
            is_provisional,
            is_settled: false,
            is_disposed: false,
            legal_hold: false,
            merged_into: None,
            absorbed: Vec::new(),
            users: 0,
            fresh: None,
            key: Some(key),
        }
    }
}

impl<K> Inner<K> {
    /// The first known patient of these identifiers, and whether another one is known by them too.
    fn look_up(&self, tags: &[IdentifierTag]) -> (Option<PatientId>, bool) {
        let only_weak = tags.iter().all(|tag| tag.is_weak);
        let mut first = None;
        let mut conflict = false;
        for tag in tags.iter().filter(|tag| only_weak || !tag.is_weak) {
            let Some(state) = self.tags.get(&tag.tag) else {
                continue;
            };
            match first {
                None => first = Some(state.patient),
                Some(first) => conflict |= self.root(first) != self.root(state.patient),
            }
        }
        (first, conflict)
    }

    fn add_patient<E>(
        &mut self,
        site: SiteId,
        provisional: bool,
        make: impl FnOnce(PatientId) -> Result<K, E>,
    ) -> Result<PatientId, E> {
        let patient = PatientId::new(self.next_patient);
        let state = PatientState::pending(site, provisional, Arc::new(make(patient)?));
        self.next_patient = self.next_patient.saturating_add(1);
        self.patients.insert(patient, state);
        Ok(patient)
    }

    /// Holds the pending tags of the patient among these; with `learn`, unknown ones become its.
    fn use_tags(
        &mut self,
        patient: PatientId,
        tags: &[IdentifierTag],
        learn: bool,
    ) -> Vec<IdentifierRow> {
        let mut used = Vec::new();
        for tag in tags {
            if learn && !self.tags.contains_key(&tag.tag) {
                let row = self.next_identifier;
                self.next_identifier = row.saturating_add(1);
                let state = TagState {
                    patient,
                    row,
                    value_tag: tag.value_tag,
                    is_settled: false,
                    users: 0,
                };
                self.tags.insert(tag.tag, state);
                self.add_value(tag.value_tag, patient);
            }
            let Some(state) = self.tags.get_mut(&tag.tag) else {
                continue;
            };
            if state.patient == patient && !state.is_settled {
                state.users = state.users.saturating_add(1);
                used.push(IdentifierRow {
                    row: state.row,
                    patient,
                    tag: tag.tag,
                    value_tag: state.value_tag,
                });
            }
        }
        used
    }

    fn settle_tag(&mut self, identifier: &IdentifierRow, committed: bool) {
        let Some(state) = self.tags.get_mut(&identifier.tag) else {
            return;
        };
        if state.row != identifier.row {
            return;
        }
        state.users = state.users.saturating_sub(1);
        state.is_settled |= committed;
        if !state.is_settled && state.users == 0 {
            self.tags.remove(&identifier.tag);
            self.remove_value(identifier.value_tag, identifier.patient);
        }
    }

    fn settle_patient(
        &mut self,
        patient: PatientId,
        committed: bool,
        digest: Option<u64>,
    ) -> Settled<K> {
        let Some(state) = self.patients.get_mut(&patient) else {
            return Settled::Same;
        };
        state.users = state.users.saturating_sub(1);
        if committed && let Some(digest) = digest {
            push_bounded(&mut state.absorbed, digest);
        }
        if state.users == 0 {
            state.fresh = None;
        }
        if committed {
            state.is_settled = true;
            return state.key.take().map_or(Settled::Same, Settled::Committed);
        }
        if state.is_settled || state.users > 0 {
            return Settled::Same;
        }
        let gone = self.patients.remove(&patient);
        gone.and_then(|state| state.key)
            .map_or(Settled::Same, Settled::Evicted)
    }

    fn root(&self, patient: PatientId) -> PatientId {
        let mut at = patient;
        for _ in 0..MERGE_DEPTH_MAX {
            match self.patients.get(&at).and_then(|state| state.merged_into) {
                Some(into) => at = into,
                None => break,
            }
        }
        at
    }

    fn group(&self, patient: PatientId) -> Vec<PatientId> {
        if !self.patients.get(&patient).is_some_and(|s| s.is_settled) {
            return Vec::new();
        }
        let mut group = vec![self.root(patient)];
        let mut next = 0;
        while let Some(at) = group.get(next).copied() {
            for child in self.merged.get(&at).into_iter().flatten() {
                if !group.contains(child) {
                    group.push(*child);
                }
            }
            next += 1;
        }
        group.sort();
        group
    }

    fn add_value(&mut self, value_tag: Option<Tag>, patient: PatientId) {
        if let Some(value_tag) = value_tag {
            let of = self.values.entry(value_tag).or_default();
            // One entry for each identifier: the same number may come from two authorities.
            of.push(patient);
        }
    }

    fn remove_value(&mut self, value_tag: Option<Tag>, patient: PatientId) {
        let Some(value_tag) = value_tag else {
            return;
        };
        let Some(of) = self.values.get_mut(&value_tag) else {
            return;
        };
        if let Some(at) = of.iter().position(|one| *one == patient) {
            of.swap_remove(at);
        }
        if of.is_empty() {
            self.values.remove(&value_tag);
        }
    }
}

impl Absorbed {
    fn stored(bytes: [u8; 8]) -> Self {
        Self {
            digest: u64::from_be_bytes(bytes),
            quick: None,
        }
    }
}

fn push_bounded(absorbed: &mut Vec<Absorbed>, digest: u64) {
    absorbed.retain(|known| known.digest != digest);
    absorbed.push(Absorbed {
        digest,
        quick: None,
    });
    if absorbed.len() > ABSORBED_MAX {
        absorbed.remove(0);
    }
}

#[cfg(test)]
#[path = "patient/tests.rs"]
mod tests;
