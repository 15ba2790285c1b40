//! A change of a copy of all devices, which is written and then takes their place.
//!
//! It must never be seen by anybody before its entry is committed.

use std::collections::BTreeSet;

use labward_base::Timestamp;
use labward_base::id::{DeviceId, EntryIndex, PeerId, PersonId};

use crate::DevicesError;
use crate::attribute::Attribute;
use crate::device::{Device, Shown};
use crate::import::{LineFault, LineState};
use crate::inventory::{Found, Inventory};
use crate::observation::{Confidence, Observation, Source};
use crate::sighting::{Sighting, Value};

/// Devices at most: twenty times what the largest lab has.
const DEVICES_MAX: usize = 20_000;
/// Instruments that one peer may name as devices of their own.
const BEHIND_PEER_MAX: usize = 64;
/// Stands in an observation until its entry is known.
const PENDING: EntryIndex = EntryIndex::new(u64::MAX);

/// A change that is being made of a copy.
pub(super) struct Draft {
    pub(super) all: Inventory,
    pub(super) touched: BTreeSet<DeviceId>,
    pub(super) said: Vec<(DeviceId, Observation)>,
    pub(super) gone: Vec<(DeviceId, Observation)>,
    pub(super) bound: Vec<(PeerId, Option<DeviceId>)>,
    pub(super) now: Timestamp,
}

impl Draft {
    pub(super) const fn of(all: Inventory, now: Timestamp) -> Self {
        Self {
            all,
            touched: BTreeSet::new(),
            said: Vec::new(),
            gone: Vec::new(),
            bound: Vec::new(),
            now,
        }
    }

    pub(super) fn device(&self, id: DeviceId) -> Result<&Device, DevicesError> {
        self.all.get(id).ok_or(DevicesError::NoDevice(id))
    }

    /// That a device stands for itself and is there.
    pub(super) fn present(&self, id: DeviceId) -> Result<(), DevicesError> {
        let device = self.device(id)?;
        match (device.merged_into, device.removed) {
            (Some(_), _) => Err(DevicesError::NotMergeable),
            (None, Some(_)) => Err(DevicesError::Removed(id)),
            (None, None) => Ok(()),
        }
    }

    pub(super) fn add(&mut self) -> Result<DeviceId, DevicesError> {
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
    pub(super) fn change(
        &mut self,
        id: DeviceId,
        act: impl FnOnce(&mut Device),
    ) -> Result<(), DevicesError> {
        let mut device = self.device(id)?.clone();
        if self.touched.insert(id) {
            device.revision = device.revision.saturating_add(1);
        }
        act(&mut device);
        self.all.put(device);
        Ok(())
    }

    pub(super) fn say_by_person(
        &mut self,
        id: DeviceId,
        values: &[(Attribute, String)],
        by: PersonId,
    ) {
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
    pub(super) fn say(
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
    pub(super) fn bind(&mut self, id: DeviceId, peers: Option<&[PeerId]>) {
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
    pub(super) fn take_row(
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
    pub(super) fn overheard(
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
    pub(super) fn take_sighting(
        &mut self,
        sighting: &Sighting,
    ) -> Result<Option<DeviceId>, DevicesError> {
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
    pub(super) fn settle(self, entry: EntryIndex) -> Inventory {
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
