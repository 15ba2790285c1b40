//! Keys: the slots of one data folder, and the root key while it is open.
//!
//! Every change of slots is written together with its entry. It must never open without an entry
//! that says with which slot.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use labward_base::Clock;
use labward_base::id::{SiteId, SlotId};
use labward_ledger::{Action, Actor, Facts, NewEntry, Outcome, Subject};
use labward_os::{access_of, same_device};
use labward_seal::{RootKey, SealKey, constant_time_eq, unwrap_key};
use labward_store::{Store, Tx};

use crate::open::{Open, Root, SITE_SCOPES, context};
use crate::rotation::old_root_row;
use crate::slot::{Given, Made, Place, Slot};
use crate::store::{self, RootState};
use crate::{AddedSlot, KeysError, NewSlot, SlotInfo, SlotOpener, SlotPlace};

/// The keys of one data folder; clones share them.
#[derive(Clone)]
pub struct Keys(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) site: SiteId,
    data: PathBuf,
    pub(crate) clock: Arc<dyn Clock>,
    state: RwLock<State>,
    changing: Mutex<()>,
}

pub(crate) struct State {
    pub(crate) slots: BTreeMap<SlotId, Slot>,
    next_slot: u32,
    exists: bool,
    pub(crate) open: Option<Open>,
}

/// Whether a slot opens the present root key.
#[derive(Debug)]
pub enum SlotTest {
    /// It does.
    Opens,
    /// It does not, for this reason.
    Refused(KeysError),
}

impl SlotTest {
    /// Whether it opens.
    pub const fn opens(&self) -> bool {
        matches!(self, Self::Opens)
    }
}

impl Keys {
    /// Reads the slots of `site`; the root key stays sealed.
    ///
    /// `data` is the data folder, in which no key file may lie.
    ///
    /// # Errors
    ///
    /// [`KeysError::Store`].
    pub fn load(
        store: Store,
        site: SiteId,
        data: &Path,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, KeysError> {
        let (root, slots) = store.read(|snapshot| {
            let root = store::root_state(snapshot, site)?;
            Ok::<_, KeysError>((root, store::slots(snapshot, site)?))
        })?;
        let state = State {
            slots: slots.into_iter().map(|slot| (slot.id, slot)).collect(),
            next_slot: root.as_ref().map_or(1, |root| root.next_slot),
            exists: root.is_some(),
            open: None,
        };
        Ok(Self(Arc::new(Shared {
            store,
            site,
            data: data.to_owned(),
            clock,
            state: RwLock::new(state),
            changing: Mutex::new(()),
        })))
    }

    /// Makes the root key, the site's own keys and the first slots, with an entry each; leaves the
    /// root key open.
    ///
    /// # Errors
    ///
    /// [`KeysError::Exists`], [`KeysError::BadSlot`] (also for no slot at all),
    /// [`KeysError::BesideData`], [`KeysError::KeyFile`]; nothing was made then.
    pub fn create(&self, first: &[NewSlot], actor: Actor) -> Result<Vec<AddedSlot>, KeysError> {
        let _order = self.lock_changes();
        if self.state().exists {
            return Err(KeysError::Exists);
        }
        if first.is_empty() {
            return Err(KeysError::BadSlot {
                why: "the first root key needs a slot",
            });
        }
        let site = self.0.site;
        let root = Root::new(RootKey::generate()?);
        let mut open = Open::new(site, 1, root);
        let mut rows = Vec::new();
        for scope in SITE_SCOPES {
            rows.push(open.wrap(scope, 0, 1, &SealKey::generate()?)?);
        }
        open.fill(&mut rows.iter().copied())?;
        let made = (1..)
            .zip(first)
            .map(|(id, new)| Slot::make(new, SlotId::new(id), &open.root, 1, self.place()))
            .collect::<Result<Vec<_>, _>>()?;
        let slots: Vec<Slot> = made.iter().map(|made| made.slot.clone()).collect();
        let next_slot = slots
            .last()
            .map_or(1, |slot| slot.id.get().saturating_add(1));
        let written = slots.clone();
        self.0.store.write(move |tx| {
            if store::root_state(tx, site)?.is_some() {
                return Err(KeysError::Exists);
            }
            store::insert_root_state(tx, site, next_slot)?;
            for row in &rows {
                store::insert_wrapped(tx, site, row)?;
            }
            written
                .iter()
                .try_for_each(|slot| write_slot(tx, site, slot, actor))
        })?;
        let mut state = self.state_mut();
        state.slots = slots.into_iter().map(|slot| (slot.id, slot)).collect();
        state.next_slot = next_slot;
        state.exists = true;
        state.open = Some(open);
        Ok(made.into_iter().map(added).collect())
    }

    /// Whether a root key was ever made.
    pub fn exists(&self) -> bool {
        self.state().exists
    }

    /// Whether the root key is open.
    pub fn is_open(&self) -> bool {
        self.state().open.is_some()
    }

    /// Whether the open root key lies in memory that is never swapped; `None` if it is sealed.
    pub fn root_is_locked(&self) -> Option<bool> {
        Some(self.state().open.as_ref()?.root.is_locked())
    }

    /// Opens the root key with any slot that fits, with an entry; answers which one it was.
    ///
    /// A rotation that was interrupted goes on in the background.
    ///
    /// # Errors
    ///
    /// [`KeysError::Wrong`], [`KeysError::BadShares`], [`KeysError::KeyFile`] for what was given;
    /// [`KeysError::Damaged`] if the stored keys do not fit.
    pub fn unseal(&self, opener: &SlotOpener, actor: Actor) -> Result<SlotId, KeysError> {
        let slot = self.open_root(opener, actor)?;
        if self.rotation_pending() {
            self.resume_in_background(actor);
        }
        Ok(slot)
    }

    /// As [`Keys::unseal`], without going on with a rotation.
    pub(crate) fn open_root(&self, opener: &SlotOpener, actor: Actor) -> Result<SlotId, KeysError> {
        let _order = self.lock_changes();
        let site = self.0.site;
        let given = Given::read(opener, site)?;
        let (id, root) = self.root_by(opener, &given)?;
        let open = match self.is_open() {
            true => None,
            false => Some(self.read_keys(&root)?),
        };
        let now = self.0.clock.now();
        self.0.store.write(move |tx| {
            store::set_tested(tx, site, id, now)?;
            let subject = Subject::Slot(id);
            let entry = NewEntry::new(site, actor, Action::ServerUnsealed, subject);
            labward_ledger::append(tx, &entry)?;
            Ok::<_, KeysError>(())
        })?;
        let mut state = self.state_mut();
        if let Some(slot) = state.slots.get_mut(&id) {
            slot.last_tested = Some(now);
        }
        if let Some(open) = open {
            state.open = Some(open);
        }
        Ok(id)
    }

    /// All slots in the order of their numbers.
    pub fn slots(&self) -> Vec<SlotInfo> {
        self.state().slots.values().map(Slot::info).collect()
    }

    /// Adds a slot, with its entry.
    ///
    /// # Errors
    ///
    /// [`KeysError::Sealed`], [`KeysError::BadSlot`], [`KeysError::BesideData`],
    /// [`KeysError::KeyFile`]; nothing was added then.
    pub fn add_slot(&self, new: &NewSlot, actor: Actor) -> Result<AddedSlot, KeysError> {
        let _order = self.lock_changes();
        let site = self.0.site;
        let (id, root, generation) = {
            let state = self.state();
            let open = state.open.as_ref().ok_or(KeysError::Sealed)?;
            (state.next_slot, Arc::clone(&open.root), open.generation)
        };
        let made = Slot::make(new, SlotId::new(id), &root, generation, self.place())?;
        let (slot, next) = (made.slot.clone(), id.saturating_add(1));
        self.0.store.write(move |tx| {
            store::set_next_slot(tx, site, next)?;
            write_slot(tx, site, &slot, actor)
        })?;
        let mut state = self.state_mut();
        state.next_slot = next;
        state.slots.insert(made.slot.id, made.slot.clone());
        Ok(added(made))
    }

    /// Removes a slot, with its entry; its key file stays where it is.
    ///
    /// If the slot may be in wrong hands, rotate afterwards: it still opens copies of the database.
    ///
    /// # Errors
    ///
    /// [`KeysError::Sealed`], [`KeysError::NoSlot`], [`KeysError::LastSlot`].
    pub fn remove_slot(&self, id: SlotId, actor: Actor) -> Result<(), KeysError> {
        let _order = self.lock_changes();
        let site = self.0.site;
        let (kind, label) = {
            let state = self.state();
            state.open.as_ref().ok_or(KeysError::Sealed)?;
            let slot = state.slots.get(&id).ok_or(KeysError::NoSlot(id))?;
            if state.slots.len() == 1 {
                return Err(KeysError::LastSlot(id));
            }
            (slot.params.kind(), slot.label.clone())
        };
        self.0.store.write(move |tx| {
            store::delete_slot(tx, site, id)?;
            let facts = Facts::new().text("kind", kind.name()).text("label", &label);
            let subject = Subject::Slot(id);
            let entry = NewEntry::new(site, actor, Action::KeySlotRemoved, subject).facts(facts);
            labward_ledger::append(tx, &entry)?;
            Ok::<_, KeysError>(())
        })?;
        self.state_mut().slots.remove(&id);
        Ok(())
    }

    /// Whether a slot opens the present root key, with an entry; changes nothing else.
    ///
    /// # Errors
    ///
    /// [`KeysError::NoSlot`], [`KeysError::Store`], [`KeysError::Ledger`]; what does not open is an
    /// outcome, not an error.
    pub fn test_slot(
        &self,
        id: SlotId,
        opener: &SlotOpener,
        actor: Actor,
    ) -> Result<SlotTest, KeysError> {
        let _order = self.lock_changes();
        let site = self.0.site;
        let slot = self.state().slots.get(&id).cloned();
        let slot = slot.ok_or(KeysError::NoSlot(id))?;
        let tested = Given::read(opener, site)
            .and_then(|given| slot.open(site, &given))
            .and_then(|root| self.check_present(&slot, &root));
        let (outcome, now) = match &tested {
            Ok(()) => (Outcome::Success, Some(self.0.clock.now())),
            Err(error) => (Outcome::Failed(error.problem().code), None),
        };
        self.0.store.write(move |tx| {
            if let Some(now) = now {
                store::set_tested(tx, site, id, now)?;
            }
            let subject = Subject::Slot(id);
            let entry = NewEntry::new(site, actor, Action::KeySlotTested, subject);
            labward_ledger::append(tx, &entry.outcome(outcome))?;
            Ok::<_, KeysError>(())
        })?;
        if let (Some(now), Some(slot)) = (now, self.state_mut().slots.get_mut(&id)) {
            slot.last_tested = Some(now);
        }
        Ok(tested.map_or_else(SlotTest::Refused, |()| SlotTest::Opens))
    }

    /// Where each slot's private half lives, as it can be seen now.
    ///
    /// **Invariant:** root-key slots do not live with the data; where they live is itself a
    /// measured fact.
    pub fn whereabouts(&self) -> Vec<SlotPlace> {
        let place = |slot: SlotInfo| {
            let path = slot.path.as_deref();
            let access = path.and_then(|path| access_of(path).ok());
            SlotPlace {
                slot: slot.id,
                kind: slot.kind,
                same_device: path.and_then(|path| same_device(path, &self.0.data).ok()),
                owner_only: access.map(|access| access.is_owner_only()),
                path: slot.path,
            }
        };
        self.slots().into_iter().map(place).collect()
    }

    /// The root key by the first slot of the opener's kind that fits.
    fn root_by(&self, opener: &SlotOpener, given: &Given) -> Result<(SlotId, RootKey), KeysError> {
        let kind = opener.kind();
        let slots: Vec<Slot> = self.state().slots.values().cloned().collect();
        for slot in slots.iter().filter(|slot| slot.params.kind() == kind) {
            match slot.open(self.0.site, given) {
                Ok(root) => {
                    self.check_present(slot, &root)?;
                    return Ok((slot.id, root));
                }
                Err(KeysError::Wrong { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Err(KeysError::Wrong { kind })
    }

    /// Refuses a root key that is not the one in use, or has not endorsed the slot.
    fn check_present(&self, slot: &Slot, root: &RootKey) -> Result<(), KeysError> {
        slot.check_endorsed(self.0.site, root)?;
        match &self.state().open {
            Some(open) if !constant_time_eq(open.root.expose(), root.expose()) => Err(
                KeysError::damaged(format!("the sealed root of slot {}", slot.id)),
            ),
            _ => Ok(()),
        }
    }

    /// Everything that `root` opens, read in one snapshot.
    fn read_keys(&self, root: &RootKey) -> Result<Open, KeysError> {
        let site = self.0.site;
        let mut rows = Vec::new();
        let state = self.0.store.read(|snapshot| {
            store::each_wrapped(snapshot, site, &mut |row| rows.push(row))?;
            store::root_state(snapshot, site)
        })?;
        let Some(RootState {
            generation, old, ..
        }) = state
        else {
            return Err(KeysError::damaged("the state of the root key"));
        };
        let mut open = Open::new(site, generation, Root::new(root.clone()));
        if let Some((generation, wrapped)) = old {
            let row = old_root_row(generation);
            let key = unwrap_key(root, &context(site, &row), &wrapped)
                .map_err(|_| KeysError::damaged("the root key before the rotation"))?;
            let root = Root::new(RootKey::from_bytes(*key.expose()));
            open.old = Some((generation, Arc::new(root)));
        }
        open.fill(&mut rows.into_iter())?;
        Ok(open)
    }

    pub(crate) fn data(&self) -> &Path {
        &self.0.data
    }

    fn place(&self) -> Place<'_> {
        Place {
            site: self.0.site,
            data: &self.0.data,
            now: self.0.clock.now(),
        }
    }

    pub(crate) fn state(&self) -> RwLockReadGuard<'_, State> {
        self.0.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.0.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Held across commit and publication, so that memory sees changes in the order of commits.
    pub(crate) fn lock_changes(&self) -> MutexGuard<'_, ()> {
        self.0
            .changing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("site", &self.0.site)
            .field("open", &self.is_open())
            .finish_non_exhaustive()
    }
}

/// Writes a new slot and its entry.
fn write_slot(tx: &mut Tx<'_>, site: SiteId, slot: &Slot, actor: Actor) -> Result<(), KeysError> {
    store::insert_slot(tx, site, slot)?;
    let facts = Facts::new()
        .text("kind", slot.params.kind().name())
        .text("label", &slot.label);
    let subject = Subject::Slot(slot.id);
    let entry = NewEntry::new(site, actor, Action::KeySlotAdded, subject).facts(facts);
    labward_ledger::append(tx, &entry)?;
    Ok(())
}

fn added(made: Made) -> AddedSlot {
    if let Some(file) = made.file {
        file.keep();
    }
    AddedSlot {
        id: made.slot.id,
        shares: made.shares,
    }
}
