//! [`Devices`]: every change of what devices there are, each with its entry.
//!
//! **Invariant:** no change without an entry; memory follows only after the commit. It must never
//! write for a message that says nothing new.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use labward_base::Timestamp;
use labward_base::id::{DeviceId, EntryIndex, PeerId, PersonId, SiteId};
use labward_ledger::{Action, Actor, Facts, NewEntry, Subject};
use labward_seal::sha256;
use labward_store::Store;

use crate::DevicesError;
use crate::attribute::{Attribute, plain};
use crate::device::{Device, Shown};
use crate::import::{self, ImportFormat, Imported, Line, LineFault, LineState};
use crate::inventory::{Found, Inventory};
use crate::observation::{Confidence, Observation, Source};
use crate::sighting::{Sighting, Value};
use crate::store::{self, Change};

/// Devices at most: twenty times what the largest lab has.
const DEVICES_MAX: usize = 20_000;
/// Instruments that one peer may name as devices of their own.
const BEHIND_PEER_MAX: usize = 64;
/// Stands in an observation until its entry is known.
const PENDING: EntryIndex = EntryIndex::new(u64::MAX);

/// All devices; clones share them.
#[derive(Clone)]
pub struct Devices(Arc<Shared>);

struct Shared {
    store: Store,
    site: SiteId,
    all: RwLock<Arc<Inventory>>,
    changing: Mutex<()>,
    changes: AtomicU64,
}

/// What a person says of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewValues {
    /// Each attribute with what it is now, as it was typed; empty takes the person's word back.
    pub values: Vec<(Attribute, String)>,
    /// The peers that are bound to it from now on; `None` leaves them.
    pub peers: Option<Vec<PeerId>>,
}

/// A change that is being made of a copy.
struct Draft {
    all: Inventory,
    touched: BTreeSet<DeviceId>,
    said: Vec<(DeviceId, Observation)>,
    gone: Vec<(DeviceId, Observation)>,
    bound: Vec<(PeerId, Option<DeviceId>)>,
    now: Timestamp,
}

impl Devices {
    /// Reads all devices.
    ///
    /// # Errors
    /// [`DevicesError::Store`].
    pub fn load(store: Store, site: SiteId) -> Result<Self, DevicesError> {
        let all = store.read(|snapshot| store::read(snapshot, site))?;
        Ok(Self(Arc::new(Shared {
            store,
            site,
            all: RwLock::new(Arc::new(Inventory::new(all))),
            changing: Mutex::new(()),
            changes: AtomicU64::new(0),
        })))
    }

    /// How often anything changed since the start; who saw this number saw every change up to it.
    pub fn changes(&self) -> u64 {
        self.0.changes.load(Ordering::Acquire)
    }

    /// Every device that stands for itself, removed ones too, the newest first.
    pub fn list(&self) -> Vec<Shown> {
        let all = self.all();
        let roots = all.roots().rev().map(|device| device.id);
        roots.filter_map(|id| all.shown(id)).collect()
    }

    /// A device; of one that is merged the one that it belongs to.
    ///
    /// # Errors
    /// [`DevicesError::NoDevice`].
    pub fn get(&self, id: DeviceId) -> Result<Shown, DevicesError> {
        let all = self.all();
        all.shown(all.root(id)).ok_or(DevicesError::NoDevice(id))
    }

    /// The device whose messages come from this peer, or of an edge from the device behind it that it calls so; none if
    /// it is not known, or was removed.
    pub fn of_line(&self, peer: PeerId, behind: Option<&str>) -> Option<DeviceId> {
        let all = self.all();
        let id = match behind {
            Some(name) => all.of_equipment(peer, &plain(name))?,
            None => all.of_peer(peer)?,
        };
        let root = all.root(id);
        let is_there = all.get(root).is_some_and(|one| one.removed.is_none());
        is_there.then_some(root)
    }

    /// The devices that stand for themselves and were not removed.
    pub fn present(&self) -> BTreeSet<DeviceId> {
        let all = self.all();
        let present = all.roots().filter(|one| one.removed.is_none());
        present.map(|one| one.id).collect()
    }

    /// Adds a device that a person describes.
    ///
    /// # Errors
    /// [`DevicesError::NothingSaid`], [`DevicesError::BadValue`], [`DevicesError::Exists`] if a device
    /// that is there has one of its keys, [`DevicesError::TooMany`], and what the store says.
    pub fn add(
        &self,
        new: &NewValues,
        by: PersonId,
        now: Timestamp,
    ) -> Result<DeviceId, DevicesError> {
        let values = read_values(&new.values)?;
        if values.iter().all(|(_, value)| value.is_empty()) {
            return Err(DevicesError::NothingSaid);
        }
        let _order = self.order();
        let mut draft = self.draft(now);
        match draft.all.find(&values) {
            Found::Nothing => {}
            Found::One(id) => return Err(DevicesError::Exists(draft.all.root(id))),
            Found::Several(ids) => {
                return Err(DevicesError::Exists(
                    ids.first().copied().unwrap_or(DeviceId::new(0)),
                ));
            }
        }
        let id = draft.add()?;
        draft.say_by_person(id, &values, by);
        draft.bind(id, new.peers.as_deref());
        let facts = Facts::new().text("source", "person");
        self.write(
            draft,
            entry(self.0.site, Actor::Person(by), Action::DeviceAdded, id),
            facts,
        )?;
        Ok(id)
    }

    /// Changes what a person says of a device; nothing if it is so already.
    ///
    /// # Errors
    /// [`DevicesError::NoDevice`], [`DevicesError::ChangedMeanwhile`] if it is not at `revision`,
    /// [`DevicesError::Removed`], [`DevicesError::BadValue`], and what the store says.
    pub fn set(
        &self,
        id: DeviceId,
        revision: u64,
        new: &NewValues,
        by: PersonId,
        now: Timestamp,
    ) -> Result<Option<EntryIndex>, DevicesError> {
        let values = read_values(&new.values)?;
        let _order = self.order();
        let mut draft = self.draft(now);
        draft.present(id)?;
        if draft.device(id)?.revision != revision {
            return Err(DevicesError::ChangedMeanwhile(id));
        }
        draft.say_by_person(id, &values, by);
        draft.bind(id, new.peers.as_deref());
        if draft.touched.is_empty() {
            return Ok(None);
        }
        let entry = entry(self.0.site, Actor::Person(by), Action::DeviceChanged, id);
        self.write(draft, entry, Facts::new()).map(Some)
    }

    /// Declares that `other` is the same device as `into`, for the sealed reason `why`.
    ///
    /// # Errors
    /// [`DevicesError::NoDevice`], [`DevicesError::NotMergeable`], and what the store says.
    pub fn merge(
        &self,
        [into, other]: [DeviceId; 2],
        by: PersonId,
        why: Vec<u8>,
        now: Timestamp,
    ) -> Result<EntryIndex, DevicesError> {
        let _order = self.order();
        let mut draft = self.draft(now);
        for id in [into, other] {
            let device = draft.device(id)?;
            if device.merged_into.is_some() || device.removed.is_some() || into == other {
                return Err(DevicesError::NotMergeable);
            }
        }
        draft.change(other, |device| device.merged_into = Some(into))?;
        draft.change(into, |_| ())?;
        let entry = entry(self.0.site, Actor::Person(by), Action::DeviceMerged, into).detail(why);
        self.write(draft, entry, Facts::new().number("other", other.get()))
    }

    /// Takes a merged device apart again, for the sealed reason `why`.
    ///
    /// # Errors
    /// [`DevicesError::NoDevice`], [`DevicesError::NotMerged`], and what the store says.
    pub fn split(
        &self,
        id: DeviceId,
        by: PersonId,
        why: Vec<u8>,
        now: Timestamp,
    ) -> Result<EntryIndex, DevicesError> {
        let _order = self.order();
        let mut draft = self.draft(now);
        let from = draft
            .device(id)?
            .merged_into
            .ok_or(DevicesError::NotMerged(id))?;
        draft.change(id, |device| device.merged_into = None)?;
        draft.change(draft.all.root(from), |_| ())?;
        let entry = entry(self.0.site, Actor::Person(by), Action::DeviceSplit, id).detail(why);
        self.write(draft, entry, Facts::new().number("from", from.get()))
    }

    /// Marks a device as no longer there, or as there again, for the sealed reason `why`.
    ///
    /// # Errors
    /// [`DevicesError::NoDevice`]; [`DevicesError::Removed`] if it is so already; what the store says.
    pub fn set_removed(
        &self,
        id: DeviceId,
        is_removed: bool,
        by: PersonId,
        why: Vec<u8>,
        now: Timestamp,
    ) -> Result<EntryIndex, DevicesError> {
        let _order = self.order();
        let mut draft = self.draft(now);
        let device = draft.device(id)?;
        if device.merged_into.is_some() {
            return Err(DevicesError::NotMergeable);
        }
        if device.removed.is_some() == is_removed {
            return Err(DevicesError::Removed(id));
        }
        draft.change(id, |device| device.removed = is_removed.then_some(now))?;
        let (action, facts) = match is_removed {
            true => (Action::DeviceRemoved, Facts::new()),
            false => (Action::DeviceChanged, Facts::new().text("what", "restored")),
        };
        let entry = entry(self.0.site, Actor::Person(by), action, id).detail(why);
        self.write(draft, entry, facts)
    }

    /// Takes over a list of devices, or says what would become of each line. One entry holds its kind,
    /// its SHA-256 and what became of how many lines; a line that cannot be read hinders no other.
    ///
    /// # Errors
    /// [`DevicesError::BadList`] if it cannot be read at all, [`DevicesError::TooMany`], and what the
    /// store says.
    pub fn import(
        &self,
        list: (Option<ImportFormat>, &str, &[u8]),
        is_preview: bool,
        by: PersonId,
        now: Timestamp,
    ) -> Result<Imported, DevicesError> {
        let (format, name, bytes) = list;
        let digest = sha256(bytes);
        let (format, rows) = import::read(format, bytes)?;
        let _order = self.order();
        let mut draft = self.draft(now);
        let source = Source::File {
            format,
            name: file_name(name),
            sha256: digest,
        };
        let mut lines: Vec<Line> = Vec::with_capacity(rows.len());
        let mut seen: BTreeSet<DeviceId> = BTreeSet::new();
        for row in rows {
            let state = match row.fault {
                Some(fault) => LineState::Refused(fault),
                None => draft.take_row(&row.values, &source, &mut seen)?,
            };
            lines.push(Line {
                line: row.line,
                name: import::name_of(&row.values),
                state,
            });
        }
        let mut imported = Imported {
            format,
            sha256: digest,
            lines,
            entry: None,
        };
        if is_preview {
            return Ok(imported);
        }
        let facts = Facts::new()
            .text("source", format.name())
            .hex("sha256", &digest)
            .number("lines", imported.lines.len())
            .number(
                "added",
                imported.count(|state| matches!(state, LineState::Added(_))),
            )
            .number(
                "changed",
                imported.count(|state| matches!(state, LineState::Changed(_))),
            )
            .number(
                "known",
                imported.count(|state| matches!(state, LineState::Known(_))),
            )
            .number(
                "refused",
                imported.count(|state| matches!(state, LineState::Refused(_))),
            );
        let site = self.0.site;
        let entry = NewEntry::new(
            site,
            Actor::Person(by),
            Action::DeviceImported,
            Subject::Devices,
        );
        imported.entry = Some(self.write(draft, entry, facts)?);
        Ok(imported)
    }

    /// Takes over what a peer says of itself: its device, or the instrument that its messages name,
    /// is added if it is not known. The entry if anything was new.
    ///
    /// # Errors
    /// [`DevicesError::TooMany`], and what the store says.
    pub fn sighted(
        &self,
        sighting: &Sighting,
        now: Timestamp,
    ) -> Result<Option<EntryIndex>, DevicesError> {
        let _order = self.order();
        let mut draft = self.draft(now);
        let before = draft.all.len();
        let Some(id) = draft.take_sighting(sighting)? else {
            return Ok(None);
        };
        if draft.touched.is_empty() {
            return Ok(None);
        }
        let action = match draft.all.len() > before {
            true => Action::DeviceAdded,
            false => Action::DeviceSeen,
        };
        let facts = Facts::new()
            .text("source", "link")
            .text("link", sighting.link.as_str());
        let entry = entry(self.0.site, Actor::Peer(sighting.peer), action, id);
        self.write(draft, entry, facts).map(Some)
    }

    /// Takes over what listening on a network said of devices, each by what it said: a device that is not
    /// known is added. One entry says how many; none where nothing is new.
    ///
    /// # Errors
    /// [`DevicesError::TooMany`], and what the store says.
    pub fn overheard(
        &self,
        heard: &[Vec<(Attribute, String, Confidence)>],
        listening: &str,
        by: Actor,
        now: Timestamp,
    ) -> Result<Option<EntryIndex>, DevicesError> {
        let source = Source::Capture {
            sha256: sha256(listening.as_bytes()),
        };
        let _order = self.order();
        let mut draft = self.draft(now);
        let before = draft.all.len();
        for values in heard {
            if let Some(id) = draft.overheard(values)? {
                draft.say(id, values, &source, false);
            }
        }
        if draft.touched.is_empty() {
            return Ok(None);
        }
        let facts = Facts::new()
            .text("source", "capture")
            .number("added", draft.all.len() - before)
            .number("changed", draft.touched.len());
        let entry = NewEntry::new(self.0.site, by, Action::DeviceImported, Subject::Devices);
        self.write(draft, entry, facts).map(Some)
    }

    /// Takes over what a manufacturer's disclosure says of devices that it is attached to. One entry holds its SHA-256 and
    /// how many devices it says something new of; none where nothing is new.
    ///
    /// # Errors
    /// [`DevicesError::NoDevice`], [`DevicesError::BadValue`], and what the store says.
    pub fn disclosed(
        &self,
        ids: &[DeviceId],
        values: &[(Attribute, String)],
        (name, digest): (&str, [u8; 32]),
        by: PersonId,
        now: Timestamp,
    ) -> Result<Option<(EntryIndex, usize)>, DevicesError> {
        let format = ImportFormat::Mds2;
        let source = Source::File {
            format,
            name: file_name(name),
            sha256: digest,
        };
        let mut said = Vec::new();
        for (attribute, text) in values {
            let read = attribute.read(text)?.into_iter();
            said.extend(read.map(|value| (*attribute, value, Confidence::Medium)));
        }
        let _order = self.order();
        let mut draft = self.draft(now);
        for id in ids {
            draft.present(*id)?;
            draft.say(*id, &said, &source, false);
        }
        let changed = draft.touched.len();
        if changed == 0 {
            return Ok(None);
        }
        let facts = Facts::new()
            .text("source", format.name())
            .hex("sha256", &digest)
            .number("changed", changed);
        let (actor, site) = (Actor::Person(by), self.0.site);
        let entry = NewEntry::new(site, actor, Action::DeviceImported, Subject::Devices);
        let entry = self.write(draft, entry, facts)?;
        Ok(Some((entry, changed)))
    }

    fn all(&self) -> Arc<Inventory> {
        Arc::clone(&self.0.all.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn order(&self) -> MutexGuard<'_, ()> {
        self.0
            .changing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn draft(&self, now: Timestamp) -> Draft {
        Draft {
            all: Inventory::clone(&self.all()),
            touched: BTreeSet::new(),
            said: Vec::new(),
            gone: Vec::new(),
            bound: Vec::new(),
            now,
        }
    }

    /// Writes a change with its entry, and then has memory follow.
    fn write(
        &self,
        draft: Draft,
        entry: NewEntry,
        facts: Facts,
    ) -> Result<EntryIndex, DevicesError> {
        let attributes: BTreeSet<&str> = draft
            .said
            .iter()
            .map(|(_, one)| one.attribute.name())
            .collect();
        let facts = match attributes.is_empty() {
            true => facts,
            false => facts.texts("attributes", attributes),
        };
        let devices = draft
            .touched
            .iter()
            .filter_map(|id| draft.all.get(*id).cloned());
        let change = Change {
            entry: entry.facts(facts),
            devices: devices.collect(),
            said: draft.said.clone(),
            gone: draft.gone.clone(),
            bound: draft.bound.clone(),
        };
        let site = self.0.site;
        let entry = self
            .0
            .store
            .write(move |tx| store::write(tx, site, &change))?;
        let all = draft.settle(entry);
        *self.0.all.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(all);
        self.0.changes.fetch_add(1, Ordering::Release);
        Ok(entry)
    }
}

impl Draft {
    fn device(&self, id: DeviceId) -> Result<&Device, DevicesError> {
        self.all.get(id).ok_or(DevicesError::NoDevice(id))
    }

    /// That a device stands for itself and is there.
    fn present(&self, id: DeviceId) -> Result<(), DevicesError> {
        let device = self.device(id)?;
        match (device.merged_into, device.removed) {
            (Some(_), _) => Err(DevicesError::NotMergeable),
            (None, Some(_)) => Err(DevicesError::Removed(id)),
            (None, None) => Ok(()),
        }
    }

    fn add(&mut self) -> Result<DeviceId, DevicesError> {
        if self.all.len() >= DEVICES_MAX {
            return Err(DevicesError::TooMany);
        }
        let id = self.all.next_id();
        self.all.put(Device {
            id,
            added: self.now,
            removed: None,
            merged_into: None,
            revision: 1,
            entry: PENDING,
            peers: Vec::new(),
            observations: Vec::new(),
        });
        self.touched.insert(id);
        Ok(id)
    }

    /// Changes a device; a first change of it makes another revision.
    fn change(&mut self, id: DeviceId, act: impl FnOnce(&mut Device)) -> Result<(), DevicesError> {
        let mut device = self.device(id)?.clone();
        if self.touched.insert(id) {
            device.revision = device.revision.saturating_add(1);
        }
        act(&mut device);
        self.all.put(device);
        Ok(())
    }

    fn say_by_person(&mut self, id: DeviceId, values: &[(Attribute, String)], by: PersonId) {
        let source = Source::Person(by);
        let values = values
            .iter()
            .map(|(attribute, value)| (*attribute, value.clone(), Confidence::High));
        let values: Vec<_> = values.collect();
        let Some(device) = self.all.get(id).cloned() else {
            return;
        };
        let shown = self.all.shown(id);
        // What people say already needs no other word, unless it settles what others say since.
        let says_more = |(attribute, ..): &&(Attribute, String, Confidence)| {
            let of = values
                .iter()
                .filter(|one| one.0 == *attribute)
                .map(|one| one.1.as_str());
            let new: BTreeSet<&str> = of.filter(|value| !value.is_empty()).collect();
            let now = device.says_now(source.voice(), *attribute);
            let now: BTreeSet<&str> = now.into_iter().filter(|value| !value.is_empty()).collect();
            new != now || (!new.is_empty() && shown_in_conflict(shown.as_ref(), *attribute))
        };
        let new: Vec<_> = values.iter().filter(says_more).cloned().collect();
        if !new.is_empty() {
            // A word that settles makes another revision, too; the device is there: it was found.
            let _ = self.change(id, |_| ());
        }
        self.say(id, &new, &source, true);
    }

    /// Notes values of one source; whether any of them is new. What is said again is written where
    /// `with_known` asks for it.
    fn say(
        &mut self,
        id: DeviceId,
        values: &[(Attribute, String, Confidence)],
        source: &Source,
        with_known: bool,
    ) -> bool {
        let Some(mut device) = self.all.get(id).cloned() else {
            return false;
        };
        let mut any_new = false;
        for (attribute, value, confidence) in values {
            let one = Observation {
                attribute: *attribute,
                value: value.clone(),
                source: source.clone(),
                confidence: *confidence,
                first: self.now,
                since: self.now,
                last: self.now,
                entry: PENDING,
            };
            let is_new = device.observe(one);
            any_new |= is_new;
            let voice = source.voice();
            let said = device.observations.iter().find(|one| {
                one.attribute == *attribute && one.voice() == voice && one.value == *value
            });
            if let Some(said) = said.filter(|_| is_new || with_known) {
                self.said.push((id, said.clone()));
            }
            if let Some(gone) = device.take_excess(*attribute, voice) {
                self.gone.push((id, gone));
            }
        }
        if any_new || (with_known && !values.is_empty()) {
            if any_new && self.touched.insert(id) {
                device.revision = device.revision.saturating_add(1);
            }
            self.all.put(device);
        }
        any_new
    }

    /// Binds these peers to a device, and those that were bound to it and are not among them to none.
    fn bind(&mut self, id: DeviceId, peers: Option<&[PeerId]>) {
        let Some(peers) = peers else { return };
        let members = self.all.members(id);
        let own: Vec<PeerId> = members
            .iter()
            .flat_map(|one| one.peers.iter().copied())
            .collect();
        let leaves = own.iter().filter(|peer| !peers.contains(peer));
        let comes = peers.iter().filter(|peer| !own.contains(peer));
        let moves: Vec<(PeerId, Option<DeviceId>)> = leaves
            .map(|peer| (*peer, None))
            .chain(comes.map(|peer| (*peer, Some(id))))
            .collect();
        for (peer, to) in moves {
            self.bind_one(peer, to);
        }
    }

    fn bind_one(&mut self, peer: PeerId, to: Option<DeviceId>) {
        if let Some(from) = self.all.of_peer(peer) {
            // It is there: it was found.
            let _ = self.change(from, |device| device.peers.retain(|one| *one != peer));
        }
        if let Some(to) = to {
            let _ = self.change(to, |device| device.peers.push(peer));
        }
        self.bound.push((peer, to));
    }

    /// What becomes of a line of a list.
    fn take_row(
        &mut self,
        values: &[(Attribute, String)],
        source: &Source,
        seen: &mut BTreeSet<DeviceId>,
    ) -> Result<LineState, DevicesError> {
        let said = values
            .iter()
            .map(|(attribute, value)| (*attribute, value.clone(), Confidence::Medium));
        let said: Vec<_> = said.collect();
        let (id, is_added) = match self.all.find(values) {
            Found::Several(ids) => return Ok(LineState::Refused(LineFault::Ambiguous(ids))),
            Found::One(id) => (id, false),
            Found::Nothing => (self.add()?, true),
        };
        let root = self.all.root(id);
        if self.device(root)?.removed.is_some() {
            return Ok(LineState::Refused(LineFault::Removed(root)));
        }
        if !seen.insert(root) {
            return Ok(LineState::Refused(LineFault::Twice(root)));
        }
        let is_new = self.say(id, &said, source, true);
        Ok(match (is_added, is_new) {
            (true, _) => LineState::Added(root),
            (false, true) => LineState::Changed(root),
            (false, false) => LineState::Known(root),
        })
    }

    /// The device that was overheard: the one that its keys fit, else the only one with its address whose
    /// serial number is no other, else a new one; `None` where it may be several.
    fn overheard(
        &mut self,
        values: &[(Attribute, String, Confidence)],
    ) -> Result<Option<DeviceId>, DevicesError> {
        let said: Vec<(Attribute, String)> = values
            .iter()
            .map(|(attribute, value, _)| (*attribute, value.clone()))
            .collect();
        match self.all.find(&said) {
            Found::One(id) => return Ok(Some(id)),
            Found::Several(_) => return Ok(None),
            Found::Nothing => {}
        }
        let of = |wanted| {
            let said = said
                .iter()
                .filter(move |(attribute, _)| *attribute == wanted);
            said.map(|(_, value)| value.as_str())
        };
        let ips: BTreeSet<&str> = of(Attribute::Ip).collect();
        let serials: BTreeSet<&str> = of(Attribute::Serial).collect();
        let has = |one: &Device, attribute, among: &BTreeSet<&str>| {
            let mut said = one.observations.iter();
            said.any(|one| one.attribute == attribute && among.contains(one.value.as_str()))
        };
        let is_silent = |one: &Device| {
            let mut said = one.observations.iter();
            !said.any(|one| one.attribute == Attribute::Serial && !one.value.is_empty())
        };
        let here = self.all.roots().filter(|one| {
            let fits =
                serials.is_empty() || is_silent(one) || has(one, Attribute::Serial, &serials);
            one.removed.is_none() && fits && has(one, Attribute::Ip, &ips)
        });
        let here: Vec<DeviceId> = here.map(|one| one.id).take(2).collect();
        match here.as_slice() {
            [] => self.add().map(Some),
            [id] => Ok(Some(*id)),
            _ => Ok(None),
        }
    }

    /// What becomes of what a peer says: the device that it is of.
    fn take_sighting(&mut self, sighting: &Sighting) -> Result<Option<DeviceId>, DevicesError> {
        let source = Source::Link {
            link: sighting.link.clone(),
            peer: sighting.peer,
        };
        let behind = sighting.behind_edge();
        if !behind.is_empty() {
            // An edge is no device of its own: nothing is bound to it.
            let known = self.all.of_equipment(sighting.peer, &behind);
            let values = sighting.of_device_behind();
            return self.take_equipment(sighting, known, (&values, &source));
        }
        let own = self.all.of_peer(sighting.peer);
        let equipment = sighting.equipment();
        let names_one = own.is_some_and(|own| self.names_equipment(own, sighting));
        if let (false, Some(own), true) = (equipment.is_empty(), own, names_one) {
            let known = self.all.of_equipment(sighting.peer, &equipment);
            if known.is_none_or(|known| self.all.root(known) != self.all.root(own)) {
                let values = sighting.of_equipment();
                return self.take_equipment(sighting, known, (&values, &source));
            }
        }
        let id = match own {
            Some(own) => own,
            None => {
                let id = self.of_new_peer(sighting)?;
                self.bind_one(sighting.peer, Some(id));
                id
            }
        };
        let mut said = sighting.of_peer();
        if !equipment.is_empty() {
            // What is said of the instrument takes the place of what was guessed from the sender.
            said.retain(|one| one.0 != Attribute::Model);
            said.extend(sighting.of_equipment());
        }
        self.say(id, &said, &source, false);
        Ok(Some(id))
    }

    /// The device of a peer that is bound to none: the one that its keys fit, or a new one.
    fn of_new_peer(&mut self, sighting: &Sighting) -> Result<DeviceId, DevicesError> {
        let said = sighting
            .of_peer()
            .into_iter()
            .chain(sighting.of_equipment());
        let said: Vec<(Attribute, String)> = said
            .map(|(attribute, value, _)| (attribute, value))
            .collect();
        match self.all.find(&said) {
            Found::One(id) if self.device(self.all.root(id))?.removed.is_none() => Ok(id),
            _ => self.add(),
        }
    }

    /// An instrument behind a peer that names several.
    fn take_equipment(
        &mut self,
        sighting: &Sighting,
        known: Option<DeviceId>,
        (values, source): (&[Value], &Source),
    ) -> Result<Option<DeviceId>, DevicesError> {
        let id = match known {
            Some(id) => id,
            None => {
                let behind = self.all.equipment_count(sighting.peer);
                if behind >= BEHIND_PEER_MAX {
                    return Ok(None);
                }
                self.add()?
            }
        };
        self.say(id, values, source, false);
        Ok(Some(id))
    }

    /// Whether the peer's messages named an instrument of this device before.
    fn names_equipment(&self, own: DeviceId, sighting: &Sighting) -> bool {
        let members = self.all.members(self.all.root(own));
        let mut said = members.iter().flat_map(|one| &one.observations);
        let voice = Source::Link {
            link: String::new(),
            peer: sighting.peer,
        }
        .voice();
        said.any(|one| one.attribute == Attribute::Equipment && one.voice() == voice)
    }

    /// The devices with the entry that recorded the change.
    fn settle(self, entry: EntryIndex) -> Inventory {
        let Self {
            mut all,
            touched,
            said,
            ..
        } = self;
        let ids: BTreeSet<DeviceId> = said
            .iter()
            .map(|(id, _)| *id)
            .chain(touched.iter().copied())
            .collect();
        for id in ids {
            let Some(mut device) = all.get(id).cloned() else {
                continue;
            };
            if touched.contains(&id) {
                device.entry = entry;
            }
            for one in device
                .observations
                .iter_mut()
                .filter(|one| one.entry == PENDING)
            {
                one.entry = entry;
            }
            all.put(device);
        }
        all
    }
}

fn shown_in_conflict(shown: Option<&Shown>, attribute: Attribute) -> bool {
    let values = shown
        .map(|shown| shown.values.as_slice())
        .unwrap_or_default();
    values
        .iter()
        .any(|one| one.attribute == attribute && one.is_conflict)
}

/// The values that a person typed; one that is empty stands for "no word any more".
fn read_values(typed: &[(Attribute, String)]) -> Result<Vec<(Attribute, String)>, DevicesError> {
    let mut all = Vec::new();
    for (attribute, text) in typed {
        if !attribute.is_set_by_people() {
            return Err(DevicesError::BadValue(*attribute));
        }
        let values = attribute.read(text)?;
        if values.is_empty() {
            all.push((*attribute, String::new()));
        }
        all.extend(values.into_iter().map(|value| (*attribute, value)));
    }
    Ok(all)
}

/// The name of a file without where it lay.
fn file_name(path: &str) -> String {
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    plain(name).chars().take(100).collect()
}

fn entry(site: SiteId, actor: Actor, action: Action, id: DeviceId) -> NewEntry {
    NewEntry::new(site, actor, action, Subject::Device(id))
}
