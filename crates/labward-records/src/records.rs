//! [`Records`]: what all doors of this crate share, its start, and the opening of one record.
//!
//! It must never open a record for a person: that is `show`, which records it first.

use std::collections::hash_map::RandomState;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, mpsc,
};

use labward_base::id::{EntryIndex, NodeId, PatientId, RecordId, SiteId};
use labward_base::{Clock, Secret};
use labward_keys::{Keys, NewPatientKey};
use labward_ledger::{
    NewEntry, RecordIds, StoredEntry, append, entry_of_record, entry_of_record_with_payload,
};
use labward_seal::{Context, IndexKey, Scope, SealKey};
use labward_store::{Snapshot, Store, StoreError, Tx};

use crate::blob::{self, BlobFolder, Reader};
use crate::demographics::Demographics;
use crate::error::RecordsError;
use crate::index::Behind;
use crate::kind::RecordKind;
use crate::names::NameIndex;
use crate::patient::PatientMap;
use crate::retention::Retention;
use crate::store::{self, SealedDemographics};

/// Under this kind a patient's demographics are sealed; records have kinds below 256.
const DEMOGRAPHICS_KIND: u16 = 256;
/// Patients read at once when the name index is built.
const LOAD_PAGE: u32 = 512;

/// All records of a node; clones share it.
#[derive(Clone)]
pub struct Records {
    pub(crate) shared: Arc<Shared>,
}

/// What records stand on.
pub struct Setup {
    /// The database.
    pub store: Store,
    /// The keys, open.
    pub keys: Keys,
    /// Where record numbers come from.
    pub ids: RecordIds,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The site whose records these are.
    pub site: SiteId,
    /// The node whose ledger records them.
    pub node: NodeId,
    /// The folder of sealed files, made if it is not there.
    pub blobs: PathBuf,
    /// How long records are retained.
    pub retention: Retention,
}

pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) keys: Keys,
    pub(crate) ids: RecordIds,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) site: SiteId,
    pub(crate) node: NodeId,
    pub(crate) blobs: BlobFolder,
    pub(crate) retention: RwLock<Retention>,
    pub(crate) index_key: Arc<IndexKey>,
    pub(crate) patients: PatientMap<NewPatientKey>,
    /// Hashes demographics in memory: far cheaper than their keyed digest, and never stored.
    pub(crate) quick: RandomState,
    /// What waits to be merged into the indexes; held while they are merged, so that two callers
    /// never do the same work.
    pub(crate) behind: Mutex<Behind>,
    /// Held while a person's decision about patients is made, from its check to its end.
    pub(crate) deciding: Mutex<()>,
    names: RwLock<NameIndex>,
    /// Names of committed messages, not yet in the index: the writer must not wait for a search.
    new_names: Mutex<Vec<(PatientId, Arc<Demographics>)>>,
    names_ready: AtomicBool,
}

/// What was sealed into an entry, and what else it takes to open the record behind it.
struct Inner {
    kind: RecordKind,
    key: Arc<SealKey>,
    context: Context,
    plain: Secret<Vec<u8>>,
}

/// A record that was opened.
pub struct Opened {
    /// What its bytes are.
    pub kind: RecordKind,
    /// Under whose key it was sealed; `None`: the site's.
    pub patient: Option<PatientId>,
    /// The record.
    pub bytes: Secret<Vec<u8>>,
}

/// Opens bytes to read them once, from their beginning.
pub type Opener = Box<dyn Fn() -> io::Result<Box<dyn Read + Send>> + Send + Sync>;

impl Records {
    /// Reads patients and identifiers into memory, sweeps orphaned files, and starts the thread
    /// that builds the name index; the keys must be open.
    pub fn load(setup: Setup) -> Result<Self, RecordsError> {
        let patients = PatientMap::new();
        setup.store.read(|snapshot| {
            store::patients(snapshot, &mut |row| patients.load_patient(row))?;
            store::identifiers(snapshot, &mut |row| patients.load_identifier(&row))
        })?;
        let index_key = setup.keys.index_key()?;
        let blobs = BlobFolder::open(setup.blobs)?;
        blobs.sweep(&mut |record| {
            let entry = setup
                .store
                .read(|snapshot| entry_of_record(snapshot, record));
            entry.map(|entry| entry.is_some())
        })?;
        let records = Self {
            shared: Arc::new(Shared {
                store: setup.store,
                keys: setup.keys,
                ids: setup.ids,
                clock: setup.clock,
                site: setup.site,
                node: setup.node,
                blobs,
                retention: RwLock::new(setup.retention),
                index_key,
                patients,
                quick: RandomState::new(),
                behind: Mutex::default(),
                deciding: Mutex::default(),
                names: RwLock::default(),
                new_names: Mutex::default(),
                names_ready: AtomicBool::new(false),
            }),
        };
        records.build_names()?;
        Ok(records)
    }

    /// Opens a record for delivery; writes no entry, so it is not for people.
    pub fn open(&self, record: RecordId) -> Result<Opened, RecordsError> {
        let entry = self.entry_of(record)?;
        self.open_entry(record, &entry)
    }

    /// The length of a record in bytes, and what opens it to be read, chunk by chunk where it is large; by program alone:
    /// nobody is shown it, so nothing is recorded.
    ///
    /// # Errors
    /// As [`Records::open`].
    pub fn opener(&self, record: RecordId) -> Result<(u64, Opener), RecordsError> {
        let length = self.reader(record, &self.entry_of(record)?)?.length_bytes();
        let records = self.clone();
        let open = move || -> io::Result<Box<dyn Read + Send>> {
            let entry = records.entry_of(record).map_err(io::Error::other)?;
            let reader = records.reader(record, &entry);
            Ok(Box::new(reader.map_err(io::Error::other)?))
        };
        Ok((length, Box::new(open)))
    }

    /// Retains records for so long from now on.
    pub fn set_retention(&self, retention: Retention) {
        let present = self.shared.retention.write();
        *present.unwrap_or_else(PoisonError::into_inner) = retention;
    }

    /// How many patients there are that were not disposed of.
    pub fn patient_count(&self) -> usize {
        self.shared.patients.count()
    }

    /// Whether the name index is still being built, so that a search by name may miss patients.
    pub fn is_loading(&self) -> bool {
        !self.shared.names_ready.load(Ordering::Acquire)
    }

    /// The entry that keeps a record, with what was sealed into it.
    pub(crate) fn entry_of(&self, record: RecordId) -> Result<StoredEntry, RecordsError> {
        self.shared
            .store
            .read(|snapshot| entry_in(snapshot, record))
    }

    pub(crate) fn open_entry(
        &self,
        record: RecordId,
        entry: &StoredEntry,
    ) -> Result<Opened, RecordsError> {
        let inner = self.inner_of(record, entry)?;
        let blobs = &self.shared.blobs;
        let bytes = blob::decode(blobs, &inner.key, &inner.context, inner.plain)?;
        Ok(Opened {
            kind: inner.kind,
            patient: entry.patient,
            bytes,
        })
    }

    /// Opens a record to be read from any place.
    pub(crate) fn reader(
        &self,
        record: RecordId,
        entry: &StoredEntry,
    ) -> Result<Reader, RecordsError> {
        let inner = self.inner_of(record, entry)?;
        Reader::open(&self.shared.blobs, &inner.key, &inner.context, inner.plain)
    }

    /// What was sealed into the entry of a record, opened.
    fn inner_of(&self, record: RecordId, entry: &StoredEntry) -> Result<Inner, RecordsError> {
        let kind = RecordKind::from_code(entry.kind).ok_or(RecordsError::Damaged)?;
        let payload = entry.payload.as_deref().ok_or(RecordsError::NotFound)?;
        let (key, _) = self.shared.key_of(entry.patient)?;
        let context = context(entry.site, entry.patient, kind.code(), record);
        let plain = labward_seal::open(&key, &context, payload)?;
        Ok(Inner {
            kind,
            key,
            context,
            plain,
        })
    }

    /// Writes one entry by itself and waits until it is durable.
    pub(crate) fn record(&self, entry: NewEntry) -> Result<EntryIndex, RecordsError> {
        self.shared
            .store
            .write(move |tx| append(tx, &entry).map_err(RecordsError::from))
    }

    /// Runs a unit, applies it to memory on the writer's thread if it was committed, and waits:
    /// memory sees changes in the order of the ledger.
    pub(crate) fn write_and_apply<T: Send + 'static>(
        &self,
        unit: impl FnMut(&mut Tx<'_>) -> Result<T, RecordsError> + Send + 'static,
        apply: impl FnOnce(&Shared, &T) + Send + 'static,
    ) -> Result<T, RecordsError> {
        let (send, receive) = mpsc::sync_channel(1);
        let shared = Arc::clone(&self.shared);
        self.shared.store.submit(unit, move |result| {
            if let Ok(written) = &result {
                apply(&shared, written);
            }
            // The receiver waits below, so it is there.
            let _ = send.send(result);
        });
        let closed = |_| Err(StoreError::Closed.into());
        receive.recv().unwrap_or_else(closed)
    }

    /// Held from the check of a decision about patients to its end.
    pub(crate) fn deciding(&self) -> MutexGuard<'_, ()> {
        let deciding = &self.shared.deciding;
        deciding.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn build_names(&self) -> Result<(), RecordsError> {
        // A weak hold: the thread must not keep the store open when its owner lets go.
        let weak = Arc::downgrade(&self.shared);
        let build = move || {
            let mut after = PatientId::new(0);
            while let Some(shared) = weak.upgrade() {
                match shared.load_names(after) {
                    Ok(Some(last)) => after = last,
                    Ok(None) => {
                        shared.names_ready.store(true, Ordering::Release);
                        return;
                    }
                    Err(error) => {
                        tracing::error!(error = %error, "the name index could not be built");
                        return;
                    }
                }
            }
        };
        std::thread::Builder::new()
            .name("records-names".to_owned())
            .spawn(build)
            .map_err(RecordsError::Blob)?;
        Ok(())
    }
}

impl Shared {
    /// The key and its epoch: the patient's, or the site's for what is nobody's.
    pub(crate) fn key_of(
        &self,
        patient: Option<PatientId>,
    ) -> Result<(Arc<SealKey>, u32), RecordsError> {
        Ok(match patient {
            Some(patient) => self.keys.patient_key(patient)?,
            None => self.keys.site_key(Scope::Site)?,
        })
    }

    /// Seals who asked for what and why under the audit key.
    pub(crate) fn seal_detail(&self, detail: &serde_json::Value) -> Result<Vec<u8>, RecordsError> {
        let (key, epoch) = self.keys.site_key(Scope::Audit)?;
        let text = detail.to_string();
        Ok(labward_ledger::seal_detail(
            &key,
            epoch,
            self.site,
            text.as_bytes(),
        )?)
    }

    /// The name index with all that was committed.
    pub(crate) fn names(&self) -> RwLockReadGuard<'_, NameIndex> {
        self.take_up_names();
        self.names.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// A name was committed.
    pub(crate) fn add_name(&self, patient: PatientId, demographics: &Arc<Demographics>) {
        let mut waiting = self
            .new_names
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        waiting.push((patient, Arc::clone(demographics)));
    }

    /// Takes waiting names up into the index.
    pub(crate) fn take_up_names(&self) {
        // Index first, so that two callers take them up in the order of their commits.
        let mut names = self.names_mut();
        let mut waiting = self
            .new_names
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let taken = std::mem::take(&mut *waiting);
        drop(waiting);
        for (patient, demographics) in taken {
            if !self.patients.is_disposed(patient) {
                names.put(patient, &demographics);
            }
        }
    }

    fn names_mut(&self) -> RwLockWriteGuard<'_, NameIndex> {
        self.names.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The demographics stored of a patient and their version.
    pub(crate) fn stored_demographics(
        &self,
        patient: PatientId,
    ) -> Result<Option<(u32, Demographics)>, RecordsError> {
        let stored = self
            .store
            .read(|snapshot| store::demographics(snapshot, patient))?;
        stored
            .map(|stored| self.open_demographics(&stored))
            .transpose()
    }

    /// Seals demographics as the next version.
    pub(crate) fn seal_demographics(
        &self,
        patient: PatientId,
        site: SiteId,
        version: u32,
        demographics: &Demographics,
    ) -> Result<SealedDemographics, RecordsError> {
        let (key, epoch) = self.keys.patient_key(patient)?;
        let plain = serde_json::to_vec(demographics).map_err(|_| RecordsError::Damaged)?;
        let plain = Secret::new(plain);
        let context = demographics_context(site, patient, version);
        let sealed = labward_seal::seal(&key, epoch, &context, plain.expose())?;
        Ok(SealedDemographics {
            patient,
            site,
            version,
            sealed,
        })
    }

    fn open_demographics(
        &self,
        stored: &SealedDemographics,
    ) -> Result<(u32, Demographics), RecordsError> {
        let (key, _) = self.keys.patient_key(stored.patient)?;
        let context = demographics_context(stored.site, stored.patient, stored.version);
        let plain = labward_seal::open(&key, &context, &stored.sealed)?;
        let read = serde_json::from_slice(plain.expose()).map_err(|_| RecordsError::Damaged)?;
        Ok((stored.version, read))
    }

    /// Takes up one page of names behind `after`; the last patient of it, or `None` at the end.
    fn load_names(&self, after: PatientId) -> Result<Option<PatientId>, RecordsError> {
        let page: Vec<_> = self
            .store
            .read(|snapshot| store::demographics_page(snapshot, after, LOAD_PAGE))?;
        let last = page.last().map(|stored| stored.patient);
        for stored in &page {
            match self.open_demographics(stored) {
                Ok((_, demographics)) => self.put_loaded_name(stored.patient, &demographics),
                Err(RecordsError::Keys(labward_keys::KeysError::Sealed)) => {
                    return Err(labward_keys::KeysError::Sealed.into());
                }
                // One that was disposed of meanwhile, or is damaged, must not hide the others.
                Err(error) => {
                    tracing::warn!(patient = %stored.patient, error = %error, "a name was not loaded");
                }
            }
        }
        Ok(last)
    }

    /// Takes the names of disposed patients out, those that wait too.
    pub(crate) fn remove_names(&self, patients: &[PatientId]) {
        self.take_up_names();
        let mut names = self.names_mut();
        patients.iter().for_each(|patient| names.remove(*patient));
    }

    fn put_loaded_name(&self, patient: PatientId, demographics: &Demographics) {
        let mut names = self.names_mut();
        // Under the lock: a disposal marks the patient first and takes its name out after.
        if !self.patients.is_disposed(patient) && names.masked(patient).is_none() {
            names.put(patient, demographics);
        }
    }
}

/// The entry that keeps a record, with what was sealed into it.
pub(crate) fn entry_in(
    snapshot: &mut Snapshot<'_>,
    record: RecordId,
) -> Result<StoredEntry, RecordsError> {
    entry_of_record_with_payload(snapshot, record)?.ok_or(RecordsError::NotFound)
}

/// What a record is sealed as.
pub(crate) fn context(
    site: SiteId,
    patient: Option<PatientId>,
    kind: u16,
    record: RecordId,
) -> Context {
    Context {
        site,
        patient: patient.unwrap_or(PatientId::new(0)),
        kind,
        record,
        version: 1,
    }
}

fn demographics_context(site: SiteId, patient: PatientId, version: u32) -> Context {
    Context {
        site,
        patient,
        kind: DEMOGRAPHICS_KIND,
        record: RecordId::new(0),
        version,
    }
}
