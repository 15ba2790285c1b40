//! All devices in memory, and how one is found.
//!
//! It must never choose between devices that a key fits equally well.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use labward_base::id::{DeviceId, PeerId};

use crate::attribute::Attribute;
use crate::device::{Conflict, Device, Shown, ShownValue, link_of, shown_value};
use crate::key::{Key, keys_of, keys_of_device, serials};
use crate::observation::{Observation, Voice};

/// All devices; a copy shares what is not changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inventory {
    devices: BTreeMap<DeviceId, Arc<Device>>,
    /// What is merged into a device directly.
    merged: BTreeMap<DeviceId, BTreeSet<DeviceId>>,
    keys: HashMap<Key, BTreeSet<DeviceId>>,
}

/// What a search by keys found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing is known by any of the keys.
    Nothing,
    /// This device, which may be merged into another.
    One(DeviceId),
    /// The key fits these equally well.
    Several(Vec<DeviceId>),
}

impl Inventory {
    pub(crate) fn new(devices: Vec<Device>) -> Self {
        let mut all = Self::default();
        devices.into_iter().for_each(|device| all.put(device));
        all
    }

    pub(crate) fn len(&self) -> usize {
        self.devices.len()
    }

    pub(crate) fn next_id(&self) -> DeviceId {
        let last = self.devices.keys().next_back().map_or(0, |id| id.get());
        DeviceId::new(last.saturating_add(1))
    }

    pub(crate) fn get(&self, id: DeviceId) -> Option<&Device> {
        self.devices.get(&id).map(Arc::as_ref)
    }

    /// Puts a device in the place of what it was.
    pub(crate) fn put(&mut self, device: Device) {
        for key in keys_of_device(&device) {
            self.keys.entry(key).or_default().insert(device.id);
        }
        let (id, above) = (device.id, device.merged_into);
        let before = self.devices.insert(id, Arc::new(device));
        let before = before.and_then(|before| before.merged_into);
        if before != above {
            if let Some(merged) = before.and_then(|before| self.merged.get_mut(&before)) {
                merged.remove(&id);
            }
            if let Some(above) = above {
                self.merged.entry(above).or_default().insert(id);
            }
        }
    }

    /// The device that stands for this one.
    pub(crate) fn root(&self, id: DeviceId) -> DeviceId {
        let mut at = id;
        // As many steps as there are devices at most: a row that points in a circle must not hold us.
        for _ in 0..self.devices.len() {
            match self.get(at).and_then(|device| device.merged_into) {
                Some(above) => at = above,
                None => break,
            }
        }
        at
    }

    /// Those that stand for themselves.
    pub(crate) fn roots(&self) -> impl DoubleEndedIterator<Item = &Device> {
        let all = self.devices.values().map(Arc::as_ref);
        all.filter(|device| device.merged_into.is_none())
    }

    /// A device and all that is merged into it, itself first.
    pub(crate) fn members(&self, root: DeviceId) -> Vec<&Device> {
        let mut ids = vec![root];
        let mut at = 0;
        while let Some(id) = ids.get(at).copied() {
            let below = self.merged.get(&id).into_iter().flatten();
            let below: Vec<DeviceId> = below.filter(|id| !ids.contains(id)).copied().collect();
            ids.extend(below);
            at += 1;
        }
        ids.into_iter().filter_map(|id| self.get(id)).collect()
    }

    /// The device to which a peer is bound.
    pub(crate) fn of_peer(&self, peer: PeerId) -> Option<DeviceId> {
        let mut all = self.devices.values();
        all.find(|device| device.peers.contains(&peer))
            .map(|device| device.id)
    }

    /// The device of which this peer said this of the instrument.
    pub(crate) fn of_equipment(&self, peer: PeerId, equipment: &str) -> Option<DeviceId> {
        let same = Attribute::Equipment.same(equipment);
        let says = |one: &Observation| {
            one.attribute == Attribute::Equipment
                && one.voice() == Voice::Peer(peer)
                && Attribute::Equipment.same(&one.value) == same
        };
        let mut all = self.devices.values();
        all.find(|device| device.observations.iter().any(says))
            .map(|device| device.id)
    }

    /// How many instruments a peer's messages named.
    pub(crate) fn equipment_count(&self, peer: PeerId) -> usize {
        let said = self
            .devices
            .values()
            .flat_map(|device| &device.observations);
        let named = said.filter(|one| {
            one.attribute == Attribute::Equipment && one.voice() == Voice::Peer(peer)
        });
        named.count()
    }

    /// The device that these values are of.
    pub(crate) fn find(&self, values: &[(Attribute, String)]) -> Found {
        let said = || {
            values
                .iter()
                .map(|(attribute, value)| (*attribute, value.as_str()))
        };
        let serials = serials(said());
        for key in keys_of(said()) {
            let known = self.keys.get(&key).into_iter().flatten();
            let fitting = known.filter(|id| key.kind.is_firm() || !self.is_another(**id, &serials));
            let fitting: Vec<DeviceId> = fitting.copied().collect();
            let roots: BTreeSet<DeviceId> = fitting.iter().map(|id| self.root(*id)).collect();
            match (roots.len(), fitting.first()) {
                (0, _) | (_, None) => {}
                // Of the members of one device the one that has the key.
                (1, Some(member)) => return Found::One(*member),
                _ => return self.one_of(&key, &fitting, roots),
            }
        }
        Found::Nothing
    }

    /// Of several the one of which the key is shown: others had it once, or somebody says so.
    fn one_of(&self, key: &Key, fitting: &[DeviceId], roots: BTreeSet<DeviceId>) -> Found {
        let shows = |id: &DeviceId| self.shown_keys(*id).contains(key);
        let showing: Vec<DeviceId> = roots.iter().copied().filter(shows).collect();
        let one = match showing.as_slice() {
            [one] => fitting.iter().find(|id| self.root(**id) == *one),
            _ => None,
        };
        one.map_or_else(
            || Found::Several(roots.into_iter().collect()),
            |one| Found::One(*one),
        )
    }

    /// The keys in the values of a device that count; none if it was removed.
    fn shown_keys(&self, root: DeviceId) -> BTreeSet<Key> {
        if self.get(root).is_none_or(|device| device.removed.is_some()) {
            return BTreeSet::new();
        }
        let members = self.members(root);
        let all: Vec<&Observation> = members.iter().flat_map(|one| &one.observations).collect();
        let values = values_of(&all);
        let said = values.iter().flat_map(|one| {
            let attribute = one.attribute;
            one.values
                .iter()
                .map(move |value| (attribute, value.as_str()))
        });
        keys_of(said).into_iter().collect()
    }

    /// Whether a device has serial numbers, and none of these.
    fn is_another(&self, id: DeviceId, others: &[String]) -> bool {
        let of = |device: &Device| {
            serials(
                device
                    .observations
                    .iter()
                    .map(|one| (one.attribute, one.value.as_str())),
            )
        };
        let own: Vec<String> = self
            .members(self.root(id))
            .into_iter()
            .flat_map(of)
            .collect();
        !own.is_empty() && !others.is_empty() && !own.iter().any(|serial| others.contains(serial))
    }

    /// A device as it is shown; nothing if it does not stand for itself.
    pub(crate) fn shown(&self, id: DeviceId) -> Option<Shown> {
        let device = self.get(id).filter(|device| device.merged_into.is_none())?;
        let members = self.members(id);
        let all: Vec<&Observation> = members.iter().flat_map(|one| &one.observations).collect();
        let values = values_of(&all);
        let mut conflicts = self.claims(id);
        let heard = all.iter().filter(|one| link_of(&one.source).is_some());
        let heard = heard.map(|one| one.last).max();
        if let (Some(removed), Some(heard)) = (device.removed, heard) {
            conflicts.extend((heard > removed).then_some(Conflict::SeenAfterRemoval(heard)));
        }
        let disagree = values
            .iter()
            .filter(|one| one.is_conflict && device.removed.is_none());
        conflicts.extend(disagree.map(|one| Conflict::Values(one.attribute)));
        let links: BTreeSet<&String> = all.iter().filter_map(|one| link_of(&one.source)).collect();
        let peers: BTreeSet<PeerId> = members
            .iter()
            .flat_map(|one| one.peers.iter().copied())
            .collect();
        Some(Shown {
            last: all.iter().map(|one| one.last).max().unwrap_or(device.added),
            merged: members.iter().skip(1).map(|one| one.id).collect(),
            peers: peers.into_iter().collect(),
            links: links.into_iter().cloned().collect(),
            device: device.clone(),
            values,
            conflicts,
        })
    }

    /// The keys of a device that others claim, too.
    fn claims(&self, root: DeviceId) -> Vec<Conflict> {
        let mut claims: BTreeMap<_, BTreeSet<DeviceId>> = BTreeMap::new();
        let keys = self.shown_keys(root);
        for key in keys.iter().filter(|key| key.kind.is_claim()) {
            let others = self.keys.get(key).into_iter().flatten();
            let others: BTreeSet<DeviceId> = others.map(|id| self.root(*id)).collect();
            let others = others.into_iter().filter(|other| *other != root);
            for other in others.filter(|other| self.shown_keys(*other).contains(key)) {
                claims.entry(key.kind).or_default().insert(other);
            }
        }
        let claim =
            |(kind, ids): (_, BTreeSet<_>)| Conflict::Claim(kind, ids.into_iter().collect());
        claims.into_iter().map(claim).collect()
    }
}

/// What is shown of everything that was observed.
fn values_of(all: &[&Observation]) -> Vec<ShownValue> {
    let of = |attribute: &Attribute| {
        let of = all.iter().filter(|one| one.attribute == *attribute);
        let of: Vec<&Observation> = of.copied().collect();
        (!of.is_empty()).then(|| shown_value(*attribute, &of))
    };
    Attribute::ALL.iter().filter_map(of).collect()
}
