//! What an open root key makes usable: the keys in memory.
//!
//! A patient's key stays wrapped here, too, until it is used: whoever reads the memory of an idle
//! server finds the root key and a few working keys, not a million. It must never be printed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use labward_base::id::{PatientId, SiteId};
use labward_os::Locked;
use labward_seal::{IndexKey, RootKey, Scope, SealKey, WrapContext, unwrap_key, wrap_key};

use crate::KeysError;
use crate::store::WrappedRow;

/// The scopes of the keys that a site has one of.
pub(crate) const SITE_SCOPES: [Scope; 4] = [Scope::Site, Scope::Audit, Scope::Index, Scope::Secret];

/// Unwrapped patient keys kept at hand, at most.
const CACHED_KEYS: usize = 8_192;

/// The root key, in locked memory where the system lets us.
pub(crate) enum Root {
    Locked(Locked<RootKey>),
    Plain(Box<RootKey>),
}

/// A patient's key as it is kept in memory, 48 bytes.
#[derive(Clone, Copy)]
pub(crate) struct Wrapped {
    pub(crate) epoch: u32,
    pub(crate) generation: u32,
    pub(crate) wrapped: [u8; 40],
}

/// The keys while the root key is open.
pub(crate) struct Open {
    pub(crate) site: SiteId,
    pub(crate) generation: u32,
    pub(crate) root: Arc<Root>,
    /// The root key before a rotation that is still under way.
    pub(crate) old: Option<(u32, Arc<Root>)>,
    site_keys: HashMap<u8, (Arc<SealKey>, u32)>,
    index: Option<Arc<IndexKey>>,
    patients: BTreeMap<u64, Wrapped>,
    disposed: HashSet<u64>,
    /// Keys whose row is not durable yet, and how many units are to write it.
    pending: HashMap<u64, (Arc<SealKey>, usize)>,
    cache: Mutex<Cache>,
}

/// A bounded cache in two generations: what was not used for a whole generation is dropped.
#[derive(Default)]
struct Cache {
    young: HashMap<u64, (Arc<SealKey>, u32)>,
    old: HashMap<u64, (Arc<SealKey>, u32)>,
}

impl Root {
    pub(crate) fn new(key: RootKey) -> Self {
        match Locked::new(key.clone()) {
            Ok(locked) => Self::Locked(locked),
            // A container without the right to lock memory still has to open its records.
            Err(_) => Self::Plain(Box::new(key)),
        }
    }

    pub(crate) const fn is_locked(&self) -> bool {
        matches!(self, Self::Locked(_))
    }
}

impl Deref for Root {
    type Target = RootKey;

    fn deref(&self) -> &RootKey {
        match self {
            Self::Locked(key) => key,
            Self::Plain(key) => key,
        }
    }
}

impl Open {
    /// Nothing but the root key yet.
    pub(crate) fn new(site: SiteId, generation: u32, root: Root) -> Self {
        Self {
            site,
            generation,
            root: Arc::new(root),
            old: None,
            site_keys: HashMap::new(),
            index: None,
            patients: BTreeMap::new(),
            disposed: HashSet::new(),
            pending: HashMap::new(),
            cache: Mutex::default(),
        }
    }

    /// Takes in the rows of wrapped keys, in their order; the site's own are unwrapped at once.
    pub(crate) fn fill(
        &mut self,
        rows: &mut dyn Iterator<Item = WrappedRow>,
    ) -> Result<(), KeysError> {
        let mut patients = Vec::new();
        for row in rows {
            if row.scope != Scope::Patient {
                self.put_site_key(&row)?;
                continue;
            }
            match row.wrapped {
                None => {
                    self.disposed.insert(row.owner);
                }
                Some(wrapped) => patients.push((
                    row.owner,
                    Wrapped {
                        epoch: row.epoch,
                        generation: row.generation,
                        wrapped,
                    },
                )),
            }
        }
        // From sorted rows the map is built dense; a later epoch stands in for an earlier one.
        self.patients = patients.into_iter().collect();
        for scope in SITE_SCOPES {
            if !self.site_keys.contains_key(&scope.number()) {
                return Err(KeysError::damaged(format!("the site's {scope:?} key")));
            }
        }
        Ok(())
    }

    fn put_site_key(&mut self, row: &WrappedRow) -> Result<(), KeysError> {
        let key = self.unwrap(row)?;
        if row.scope == Scope::Index {
            self.index = Some(Arc::new(IndexKey::from(key.clone())));
        }
        let entry = (Arc::new(key), row.epoch);
        self.site_keys.insert(row.scope.number(), entry);
        Ok(())
    }

    /// Unwraps one row under the root key of its generation.
    pub(crate) fn unwrap(&self, row: &WrappedRow) -> Result<SealKey, KeysError> {
        let damaged = || {
            let scope = row.scope;
            KeysError::damaged(format!("the {scope:?} key of {}", row.owner))
        };
        let root = if row.generation == self.generation {
            &self.root
        } else {
            match &self.old {
                Some((generation, root)) if *generation == row.generation => root,
                _ => return Err(damaged()),
            }
        };
        let wrapped = row.wrapped.ok_or_else(damaged)?;
        unwrap_key(root, &context(self.site, row), &wrapped).map_err(|_| damaged())
    }

    /// Wraps `key` under the present root key.
    pub(crate) fn wrap(
        &self,
        scope: Scope,
        owner: u64,
        epoch: u32,
        key: &SealKey,
    ) -> Result<WrappedRow, KeysError> {
        let mut row = WrappedRow {
            scope,
            owner,
            epoch,
            generation: self.generation,
            wrapped: None,
        };
        row.wrapped = Some(wrap_key(&self.root, &context(self.site, &row), key)?);
        Ok(row)
    }

    pub(crate) fn site_key(&self, scope: Scope) -> Result<(Arc<SealKey>, u32), KeysError> {
        let found = match scope {
            // A patient's keys are asked for by patient; the index key seals nothing.
            Scope::Patient | Scope::Index => None,
            _ => self.site_keys.get(&scope.number()),
        };
        let missing = || KeysError::damaged(format!("the site's {scope:?} key"));
        found.cloned().ok_or_else(missing)
    }

    pub(crate) fn index_key(&self) -> Result<Arc<IndexKey>, KeysError> {
        let missing = || KeysError::damaged("the site's index key");
        self.index.clone().ok_or_else(missing)
    }

    pub(crate) fn patient_key(&self, patient: PatientId) -> Result<(Arc<SealKey>, u32), KeysError> {
        let owner = patient.get();
        if self.disposed.contains(&owner) {
            return Err(KeysError::Disposed(patient));
        }
        if let Some((key, _)) = self.pending.get(&owner) {
            return Ok((Arc::clone(key), 1));
        }
        if let Some(found) = self.cache().get(owner) {
            return Ok(found);
        }
        let kept = self.patients.get(&owner).ok_or(KeysError::NoKey(patient))?;
        let key = self.unwrap(&WrappedRow {
            scope: Scope::Patient,
            owner,
            epoch: kept.epoch,
            generation: kept.generation,
            wrapped: Some(kept.wrapped),
        })?;
        let found = (Arc::new(key), kept.epoch);
        self.cache().put(owner, found.clone());
        Ok(found)
    }

    /// The key that a new patient gets, or that is pending or kept for this one.
    pub(crate) fn begin_patient(&mut self, patient: PatientId) -> Result<Arc<SealKey>, KeysError> {
        let owner = patient.get();
        let key = match self.patient_key(patient) {
            Ok((key, _)) => key,
            Err(KeysError::NoKey(_)) => Arc::new(SealKey::generate()?),
            Err(error) => return Err(error),
        };
        if !self.patients.contains_key(&owner) {
            let pending = self
                .pending
                .entry(owner)
                .or_insert_with(|| (Arc::clone(&key), 0));
            pending.1 += 1;
        }
        Ok(key)
    }

    /// After the unit that wrote a pending key: keeps it, or gives it up with its last unit.
    pub(crate) fn settle_patient(&mut self, patient: PatientId, committed: bool) {
        let owner = patient.get();
        let Some((key, units)) = self.pending.get_mut(&owner) else {
            return;
        };
        *units = units.saturating_sub(1);
        let (key, last) = (Arc::clone(key), *units == 0);
        // Wrapping the same key again gives the row's own bytes; the generation is the present one.
        if committed
            && !self.disposed.contains(&owner)
            && let Ok(row) = self.wrap(Scope::Patient, owner, 1, &key)
            && let Some(wrapped) = row.wrapped
        {
            let kept = Wrapped {
                epoch: row.epoch,
                generation: row.generation,
                wrapped,
            };
            self.patients.insert(owner, kept);
            self.cache().put(owner, (key, row.epoch));
        }
        if last {
            self.pending.remove(&owner);
        }
    }

    /// Takes in keys that a rotation wrapped anew; those destroyed since stay destroyed.
    pub(crate) fn rewrapped(&mut self, rows: &[WrappedRow]) {
        for row in rows.iter().filter(|row| row.scope == Scope::Patient) {
            if let (Some(kept), Some(wrapped)) = (self.patients.get_mut(&row.owner), row.wrapped)
                && kept.epoch == row.epoch
            {
                kept.generation = row.generation;
                kept.wrapped = wrapped;
            }
        }
    }

    pub(crate) fn forget(&mut self, patient: PatientId) {
        let owner = patient.get();
        self.patients.remove(&owner);
        self.pending.remove(&owner);
        self.cache().forget(owner);
        self.disposed.insert(owner);
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cache {
    fn get(&mut self, owner: u64) -> Option<(Arc<SealKey>, u32)> {
        if let Some(found) = self.young.get(&owner) {
            return Some(found.clone());
        }
        let found = self.old.remove(&owner)?;
        self.put(owner, found.clone());
        Some(found)
    }

    fn put(&mut self, owner: u64, key: (Arc<SealKey>, u32)) {
        if self.young.len() >= CACHED_KEYS / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(owner, key);
    }

    fn forget(&mut self, owner: u64) {
        self.young.remove(&owner);
        self.old.remove(&owner);
    }
}

pub(crate) const fn context(site: SiteId, row: &WrappedRow) -> WrapContext {
    WrapContext {
        site,
        scope: row.scope,
        owner: row.owner,
        epoch: row.epoch,
    }
}
