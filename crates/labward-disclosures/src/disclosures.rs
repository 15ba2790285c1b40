//! [`Disclosures`]: every change of what is attached and approved, each with its entry.
//!
//! **Invariant:** no change without an entry; memory follows only after the commit.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use labward_base::Timestamp;
use labward_base::id::{ApprovalId, DisclosureId, EntryIndex, PersonId, SiteId};
use labward_ledger::{Action, Actor, Facts, NewEntry, Subject};
use labward_store::Store;

use crate::DisclosuresError;
use crate::approval::{Approval, NewApproval};
use crate::disclosure::{Content, Disclosure, DisclosureKind, Held, NewDisclosure, unpack};
use crate::scope::{Kin, Scope, ScopeName};
use crate::store;

/// Disclosures at most: each device and each model with both kinds.
const DISCLOSURES_MAX: usize = 50_000;
/// Approvals at most, withdrawn ones too.
const APPROVALS_MAX: usize = 100_000;

/// Everything that is attached and approved; clones share it.
#[derive(Clone)]
pub struct Disclosures(Arc<Shared>);

struct Shared {
    store: Store,
    site: SiteId,
    state: RwLock<State>,
    changing: Mutex<()>,
    changes: AtomicU64,
}

#[derive(Clone, Default)]
struct State {
    held: Arc<BTreeMap<DisclosureId, Arc<Held>>>,
    by_scope: Arc<ByScope>,
    approvals: Arc<BTreeMap<ApprovalId, Approval>>,
}

/// The disclosures of each kind by what they are of: the numbers of devices, and makers and models in one spelling.
#[derive(Default)]
struct ByScope(HashMap<(DisclosureKind, ScopeName), Vec<Arc<Held>>>);

impl ByScope {
    fn of(held: &BTreeMap<DisclosureId, Arc<Held>>) -> Self {
        let mut all = Self::default();
        for one in held.values() {
            let key = (one.about.kind, one.about.scope.name());
            all.0.entry(key).or_default().push(Arc::clone(one));
        }
        all
    }
}

impl Disclosures {
    /// Reads everything; a file that cannot be read any more is left out, and named.
    ///
    /// # Errors
    /// [`DisclosuresError::Store`].
    pub fn load(store: Store, site: SiteId) -> Result<(Self, Vec<Disclosure>), DisclosuresError> {
        let mut damaged = Vec::new();
        // The same file of several devices is held once.
        let mut known: BTreeMap<[u8; 32], Content> = BTreeMap::new();
        let mut held = BTreeMap::new();
        let approvals = store.read(|snapshot| {
            store::each_disclosure(snapshot, site, |about, packed| {
                let content = match known.get(&about.sha256) {
                    Some(content) => Some(content.clone()),
                    None => unpack(about.kind, packed),
                };
                match content {
                    Some(content) => {
                        known.insert(about.sha256, content.clone());
                        held.insert(about.id, Arc::new(Held { about, content }));
                    }
                    None => damaged.push(about),
                }
            })?;
            store::approvals(snapshot, site)
        })?;
        let disclosures = Self(Arc::new(Shared {
            store,
            site,
            state: RwLock::new(State {
                by_scope: Arc::new(ByScope::of(&held)),
                held: Arc::new(held),
                approvals: Arc::new(approvals.into_iter().map(|one| (one.id, one)).collect()),
            }),
            changing: Mutex::new(()),
            changes: AtomicU64::new(0),
        }));
        Ok((disclosures, damaged))
    }

    /// How often what is attached changed since the start; who saw this number saw every change up to it.
    pub fn changes(&self) -> u64 {
        self.0.changes.load(Ordering::Acquire)
    }

    /// Everything that is attached.
    pub fn held(&self) -> Arc<BTreeMap<DisclosureId, Arc<Held>>> {
        self.state().held
    }

    /// Every approval, withdrawn ones too.
    pub fn approvals(&self) -> Arc<BTreeMap<ApprovalId, Approval>> {
        self.state().approvals
    }

    /// The disclosure of this kind that counts for a device.
    pub fn of(&self, kind: DisclosureKind, kin: &Kin) -> Option<Arc<Held>> {
        let by_scope = self.state().by_scope;
        let names = kin.names().into_iter();
        let fitting = names.filter_map(|name| by_scope.0.get(&(kind, name)));
        let fitting = fitting
            .flatten()
            .filter_map(|one| Some((one.about.scope.closeness(kin)?, one)));
        let best =
            fitting.max_by_key(|(closeness, one)| (*closeness, one.about.attached, one.about.id));
        best.map(|(_, one)| Arc::clone(one))
    }

    /// The approvals that hold for a device, the newest first.
    pub fn approvals_of(&self, kin: &Kin) -> Vec<Approval> {
        let approvals = self.approvals();
        let holding = approvals.values().rev();
        let holding = holding.filter(|one| one.withdrawn.is_none());
        let of = holding.filter(|one| one.scope.closeness(kin).is_some());
        of.cloned().collect()
    }

    /// Attaches a file to a device or a model, in the place of what was there; nothing if the very file is there.
    ///
    /// # Errors
    /// [`DisclosuresError::TooMany`], and what the store says.
    pub fn attach(
        &self,
        new: NewDisclosure,
        scope: Scope,
        by: PersonId,
        now: Timestamp,
    ) -> Result<Arc<Held>, DisclosuresError> {
        let _order = self.order();
        let held = self.held();
        let same = |one: &&Arc<Held>| one.about.kind == new.kind && one.about.scope.is_same(&scope);
        let known = held.values().find(same);
        if let Some(known) = known.filter(|known| known.about.sha256 == new.sha256) {
            return Ok(Arc::clone(known));
        }
        if known.is_none() && held.len() >= DISCLOSURES_MAX {
            return Err(DisclosuresError::TooMany);
        }
        let last = held.last_key_value().map_or(0, |(id, _)| id.get());
        let about = Disclosure {
            id: known.map_or(DisclosureId::new(last.saturating_add(1)), |one| {
                one.about.id
            }),
            kind: new.kind,
            scope,
            file: new.file,
            sha256: new.sha256,
            size_bytes: new.size_bytes,
            person: by,
            attached: now,
            entry: EntryIndex::new(0),
        };
        let mut facts = disclosed(&about);
        facts = match &new.content {
            Content::Sbom(bill) => facts.number("components", bill.components.len()),
            Content::Mds2(mds2) => facts.number("answers", mds2.answers.len()),
        };
        if let Some(known) = known {
            facts = facts.hex("replaces", &known.about.sha256);
        }
        let entry = self.entry(by, Action::DeviceDisclosed, &about.scope);
        let entry = entry.facts(facts);
        let (site, row, packed) = (self.0.site, about.clone(), new.packed);
        let entry = self
            .0
            .store
            .write(move |tx| store::write_disclosure(tx, site, &entry, &row, &packed))?;
        let one = Arc::new(Held {
            about: Disclosure { entry, ..about },
            content: new.content,
        });
        let mut all = BTreeMap::clone(&held);
        all.insert(one.about.id, Arc::clone(&one));
        self.follow(|state| state.held = Arc::new(all));
        Ok(one)
    }

    /// Takes a disclosure away, for the sealed reason `why`.
    ///
    /// # Errors
    /// [`DisclosuresError::NoDisclosure`], and what the store says.
    pub fn remove(
        &self,
        id: DisclosureId,
        by: PersonId,
        why: Vec<u8>,
    ) -> Result<EntryIndex, DisclosuresError> {
        let _order = self.order();
        let held = self.held();
        let known = held.get(&id).ok_or(DisclosuresError::NoDisclosure(id))?;
        let entry = self.entry(by, Action::DeviceDisclosureRemoved, &known.about.scope);
        let entry = entry.facts(disclosed(&known.about)).detail(why);
        let site = self.0.site;
        let entry = self
            .0
            .store
            .write(move |tx| store::remove_disclosure(tx, site, &entry, id))?;
        let mut all = BTreeMap::clone(&held);
        all.remove(&id);
        self.follow(|state| state.held = Arc::new(all));
        Ok(entry)
    }

    /// Takes down what a vendor says of a patch; what was known of the same patch of the same model is over.
    ///
    /// # Errors
    /// [`DisclosuresError::TooMany`], and what the store says.
    pub fn approve(
        &self,
        new: &NewApproval,
        by: PersonId,
        now: Timestamp,
    ) -> Result<Approval, DisclosuresError> {
        let _order = self.order();
        let approvals = self.approvals();
        if approvals.len() >= APPROVALS_MAX {
            return Err(DisclosuresError::TooMany);
        }
        let last = approvals.last_key_value().map_or(0, |(id, _)| id.get());
        let approval = Approval {
            id: ApprovalId::new(last.saturating_add(1)),
            scope: new.scope.clone(),
            patch: new.patch.clone(),
            approved: new.approved,
            document: new.document.clone(),
            person: by,
            stated: now,
            why: new.why.clone(),
            withdrawn: None,
            entry: EntryIndex::new(0),
        };
        let before = approvals.values().filter(|one| {
            let is_same = one.patch.eq_ignore_ascii_case(&new.patch);
            one.withdrawn.is_none() && is_same && one.scope.is_same(&new.scope)
        });
        let mut changed: Vec<Approval> = before
            .map(|one| Approval {
                withdrawn: Some(now),
                ..one.clone()
            })
            .collect();
        changed.push(approval.clone());
        let entry = self.entry(by, Action::DevicePatchStated, &approval.scope);
        let entry = entry.facts(approved(&approval)).detail(new.why.clone());
        let entry = self.write_approvals(entry, changed)?;
        Ok(Approval { entry, ..approval })
    }

    /// Takes an approval back, for the sealed reason `why`.
    ///
    /// # Errors
    /// [`DisclosuresError::NoApproval`], and what the store says.
    pub fn withdraw(
        &self,
        id: ApprovalId,
        by: PersonId,
        why: Vec<u8>,
        now: Timestamp,
    ) -> Result<Approval, DisclosuresError> {
        let _order = self.order();
        let known = self.approvals().get(&id).cloned();
        let known = known.filter(|one| one.withdrawn.is_none());
        let approval = Approval {
            withdrawn: Some(now),
            ..known.ok_or(DisclosuresError::NoApproval(id))?
        };
        let entry = self.entry(by, Action::DevicePatchWithdrawn, &approval.scope);
        let entry = entry.facts(approved(&approval)).detail(why);
        let entry = self.write_approvals(entry, vec![approval.clone()])?;
        Ok(Approval { entry, ..approval })
    }

    fn write_approvals(
        &self,
        entry: NewEntry,
        changed: Vec<Approval>,
    ) -> Result<EntryIndex, DisclosuresError> {
        let changed = Arc::new(changed);
        let (site, rows) = (self.0.site, Arc::clone(&changed));
        let entry = self
            .0
            .store
            .write(move |tx| store::write_approvals(tx, site, &entry, &rows))?;
        let mut all = BTreeMap::clone(&self.approvals());
        for one in changed.iter().cloned() {
            all.insert(one.id, Approval { entry, ..one });
        }
        self.follow(|state| state.approvals = Arc::new(all));
        Ok(entry)
    }

    fn entry(&self, by: PersonId, action: Action, scope: &Scope) -> NewEntry {
        let subject = match scope {
            Scope::Device(id) => Subject::Device(*id),
            Scope::Model { .. } => Subject::Devices,
        };
        NewEntry::new(self.0.site, Actor::Person(by), action, subject)
    }

    fn state(&self) -> State {
        let state = self.0.state.read().unwrap_or_else(PoisonError::into_inner);
        state.clone()
    }

    fn follow(&self, act: impl FnOnce(&mut State)) {
        let mut state = self.0.state.write().unwrap_or_else(PoisonError::into_inner);
        act(&mut state);
        state.by_scope = Arc::new(ByScope::of(&state.held));
        self.0.changes.fetch_add(1, Ordering::Release);
    }

    fn order(&self) -> MutexGuard<'_, ()> {
        self.0
            .changing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an entry says of a disclosure.
fn disclosed(about: &Disclosure) -> Facts {
    let facts = Facts::new()
        .text("kind", about.kind.name())
        .hex("sha256", &about.sha256);
    of_scope(facts, &about.scope)
}

/// What an entry says of an approval.
fn approved(approval: &Approval) -> Facts {
    let facts = Facts::new()
        .number("approval", approval.id.get())
        .text("patch", approval.patch.as_str())
        .text("approved", approval.approved.name());
    of_scope(facts, &approval.scope)
}

fn of_scope(facts: Facts, scope: &Scope) -> Facts {
    match scope {
        Scope::Device(_) => facts,
        Scope::Model {
            manufacturer,
            model,
            version,
        } => {
            let facts = facts
                .text("manufacturer", manufacturer.as_str())
                .text("model", model.as_str());
            match version {
                Some(version) => facts.text("version", version.as_str()),
                None => facts,
            }
        }
    }
}
