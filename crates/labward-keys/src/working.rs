//! Working keys: the site's own and the patients', and Labward's own secrets.
//!
//! It must never hand out the key of a disposed patient, or lose the key of a new one.

use std::sync::Arc;

use labward_base::Secret;
use labward_base::id::{PatientId, RecordId};
use labward_seal::{
    Context, CryptoFailed, IndexKey, Scope, SealKey, constant_time_eq, open, seal, sha256,
};
use labward_store::Tx;

use crate::{Keys, KeysError, store};

/// In the place of a record's kind: one of Labward's own secrets. Kinds of records are small
/// numbers.
const SECRET_KIND: u16 = 0xf002;

/// A new patient's key, usable at once and not durable yet.
///
/// Write it in the unit that writes the first record under it, then [`Keys::settle`] it.
pub struct NewPatientKey {
    patient: PatientId,
    key: Arc<SealKey>,
}

impl NewPatientKey {
    /// Whose key it is.
    pub const fn patient(&self) -> PatientId {
        self.patient
    }

    /// The key.
    pub const fn key(&self) -> &Arc<SealKey> {
        &self.key
    }

    /// Its epoch.
    pub const fn epoch(&self) -> u32 {
        1
    }
}

impl Keys {
    /// The site's key of this scope, [`Scope::Site`], [`Scope::Audit`] or [`Scope::Secret`], and
    /// its epoch.
    ///
    /// # Errors
    ///
    /// [`KeysError::Sealed`]; [`KeysError::Damaged`] for a scope without a sealing key.
    pub fn site_key(&self, scope: Scope) -> Result<(Arc<SealKey>, u32), KeysError> {
        let state = self.state();
        state
            .open
            .as_ref()
            .ok_or(KeysError::Sealed)?
            .site_key(scope)
    }

    /// The key of the search index.
    ///
    /// # Errors
    ///
    /// [`KeysError::Sealed`].
    pub fn index_key(&self) -> Result<Arc<IndexKey>, KeysError> {
        self.state()
            .open
            .as_ref()
            .ok_or(KeysError::Sealed)?
            .index_key()
    }

    /// A patient's key and its epoch, a pending one too.
    ///
    /// # Errors
    ///
    /// [`KeysError::Sealed`], [`KeysError::Disposed`], [`KeysError::NoKey`],
    /// [`KeysError::Damaged`].
    pub fn patient_key(&self, patient: PatientId) -> Result<(Arc<SealKey>, u32), KeysError> {
        let state = self.state();
        state
            .open
            .as_ref()
            .ok_or(KeysError::Sealed)?
            .patient_key(patient)
    }

    /// A key for a new patient; the same one again while it is pending.
    ///
    /// Every call needs one call of [`Keys::settle`].
    ///
    /// # Errors
    ///
    /// [`KeysError::Sealed`], [`KeysError::Disposed`], [`KeysError::Crypto`].
    pub fn new_patient_key(&self, patient: PatientId) -> Result<NewPatientKey, KeysError> {
        let mut state = self.state_mut();
        let open = state.open.as_mut().ok_or(KeysError::Sealed)?;
        let key = open.begin_patient(patient)?;
        Ok(NewPatientKey { patient, key })
    }

    /// Writes the key in the caller's unit, wrapped under the root key of this very moment, so that
    /// a rotation meanwhile never misses it; a second unit that writes the same key changes nothing.
    ///
    /// # Errors
    ///
    /// [`KeysError::Damaged`] if another key stands in its place; the unit must then be given up.
    pub fn write_patient_key(&self, tx: &mut Tx<'_>, new: &NewPatientKey) -> Result<(), KeysError> {
        let site = self.0.site;
        let state = self.state();
        let open = state.open.as_ref().ok_or(KeysError::Sealed)?;
        let row = open.wrap(Scope::Patient, new.patient.get(), new.epoch(), &new.key)?;
        if store::insert_wrapped(tx, site, &row)? {
            return Ok(());
        }
        let other = || KeysError::damaged(format!("another key of patient {}", new.patient));
        let standing = store::wrapped_at(tx, site, &row)?.ok_or_else(other)?;
        if standing.wrapped.is_none() {
            return Err(KeysError::Disposed(new.patient));
        }
        // Perhaps of the generation before: compared unwrapped.
        let standing = open.unwrap(&standing)?;
        match constant_time_eq(standing.expose(), new.key.expose()) {
            true => Ok(()),
            false => Err(other()),
        }
    }

    /// After the unit that wrote the key: `committed` keeps it, otherwise it is given up once no
    /// other unit is to write it.
    pub fn settle(&self, new: &NewPatientKey, committed: bool) {
        if let Some(open) = self.state_mut().open.as_mut() {
            open.settle_patient(new.patient, committed);
        }
    }

    /// Destroys every key of these patients in the caller's unit, which also writes the entry;
    /// answers how many keys there were. [`Keys::forget`] them once it is durable.
    ///
    /// The database overwrites what it deletes; its log is empty of it after
    /// [`Store::checkpoint_truncate`](labward_store::Store::checkpoint_truncate). Copies elsewhere,
    /// such as backups and key archives, are not reached.
    ///
    /// # Errors
    ///
    /// [`KeysError::Store`].
    pub fn dispose(&self, tx: &mut Tx<'_>, patients: &[PatientId]) -> Result<u64, KeysError> {
        let mut destroyed = 0u64;
        for patient in patients {
            let keys = store::destroy_wrapped(tx, self.0.site, patient.get())?;
            destroyed = destroyed.saturating_add(u64::try_from(keys).unwrap_or(u64::MAX));
        }
        Ok(destroyed)
    }

    /// Forgets the keys of disposed patients; from here on they are [`KeysError::Disposed`].
    pub fn forget(&self, patients: &[PatientId]) {
        if let Some(open) = self.state_mut().open.as_mut() {
            patients.iter().for_each(|patient| open.forget(*patient));
        }
    }

    /// Seals one of Labward's own secrets in the caller's unit, replacing what had this name.
    ///
    /// # Errors
    ///
    /// [`KeysError::Sealed`], [`KeysError::Store`].
    pub fn put_secret(&self, tx: &mut Tx<'_>, name: &str, secret: &[u8]) -> Result<(), KeysError> {
        let (key, epoch) = self.site_key(Scope::Secret)?;
        let sealed = seal(&key, epoch, &self.secret_context(name), secret);
        let sealed = sealed.map_err(|_| CryptoFailed)?;
        Ok(store::put_secret(tx, self.0.site, name, &sealed)?)
    }

    /// The secret of this name, if there is one.
    ///
    /// # Errors
    ///
    /// [`KeysError::Sealed`], [`KeysError::Damaged`], [`KeysError::Store`].
    pub fn secret(&self, name: &str) -> Result<Option<Secret<Vec<u8>>>, KeysError> {
        let (key, _) = self.site_key(Scope::Secret)?;
        let site = self.0.site;
        let sealed = self
            .0
            .store
            .read(|snapshot| store::secret(snapshot, site, name))?;
        let Some(sealed) = sealed else {
            return Ok(None);
        };
        match open(&key, &self.secret_context(name), &sealed) {
            Ok(secret) => Ok(Some(secret)),
            Err(_) => Err(KeysError::damaged(format!("the secret {name}"))),
        }
    }

    /// Deletes the secret of this name in the caller's unit, if there is one.
    ///
    /// # Errors
    ///
    /// [`KeysError::Store`].
    pub fn drop_secret(&self, tx: &mut Tx<'_>, name: &str) -> Result<(), KeysError> {
        Ok(store::drop_secret(tx, self.0.site, name)?)
    }

    /// The names of the secrets that no longer open, sorted; empty for a name that is not text.
    ///
    /// A secret is used rarely, so damage to it would otherwise show on the day it is needed.
    ///
    /// # Errors
    ///
    /// [`KeysError::Sealed`], [`KeysError::Store`].
    pub fn damaged_secrets(&self) -> Result<Vec<String>, KeysError> {
        let (key, _) = self.site_key(Scope::Secret)?;
        let site = self.0.site;
        let secrets = self
            .0
            .store
            .read(|snapshot| store::secrets(snapshot, site))?;
        let damaged = secrets
            .into_iter()
            .filter(|(name, sealed)| open(&key, &self.secret_context(name), sealed).is_err());
        Ok(damaged.map(|(name, _)| name).collect())
    }

    /// Binds a secret to its name, so that one cannot stand in for another.
    fn secret_context(&self, name: &str) -> Context {
        let [a, b, c, d, e, f, g, h, ..] = sha256(name.as_bytes());
        Context {
            site: self.0.site,
            patient: PatientId::new(0),
            kind: SECRET_KIND,
            record: RecordId::new(u64::from_be_bytes([a, b, c, d, e, f, g, h])),
            version: 1,
        }
    }
}
