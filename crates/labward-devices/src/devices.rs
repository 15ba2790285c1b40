//! [`Devices`]: every change of what devices there are, each with its entry.
//!
//! **Invariant:** no change without an entry; memory follows only after the commit. It must never
//! write for a message that says nothing new.

mod draft;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use labward_base::Timestamp;
use labward_base::id::{DeviceId, EntryIndex, PeerId, PersonId, SiteId};
use labward_ledger::{Action, Actor, Facts, NewEntry, Subject};
use labward_seal::sha256;
use labward_store::Store;

use self::draft::Draft;
use crate::DevicesError;
use crate::attribute::{Attribute, plain};
use crate::device::Shown;
use crate::import::{self, ImportFormat, Imported, Line, LineState};
use crate::inventory::{Found, Inventory};
use crate::observation::{Confidence, Source};
use crate::sighting::Sighting;
use crate::store::{self, Change};

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
        Draft::of(Inventory::clone(&self.all()), now)
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
