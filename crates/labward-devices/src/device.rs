//! A device, which of its values counts, and where what is said of it disagrees.

use labward_base::Timestamp;
use labward_base::id::{DeviceId, EntryIndex, PeerId};

use crate::attribute::Attribute;
use crate::key::KeyKind;
use crate::observation::{Confidence, Observation, Source, Voice};

/// Values that one voice may have said of one attribute before the oldest goes.
pub(crate) const VALUES_MAX: usize = 32;

/// A device with everything that was ever observed of it, without what is merged into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its number.
    pub id: DeviceId,
    /// When it became known.
    pub added: Timestamp,
    /// When a person removed it.
    pub removed: Option<Timestamp>,
    /// The device that it belongs to, as a person decided.
    pub merged_into: Option<DeviceId>,
    /// How often it was changed.
    pub revision: u64,
    /// The entry that recorded the last change.
    pub entry: EntryIndex,
    /// The peers that are bound to it.
    pub peers: Vec<PeerId>,
    /// Every value.
    pub observations: Vec<Observation>,
}

/// What is shown of one attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownValue {
    /// The attribute.
    pub attribute: Attribute,
    /// The value that counts; several where a device may have several.
    pub values: Vec<String>,
    /// Whether voices disagree about it now.
    pub is_conflict: bool,
    /// Everything that was ever observed of it, what counts now first, each with whether its voice
    /// says it now.
    pub observed: Vec<(Observation, bool)>,
}

/// Where something contradicts something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// Another device claims the same key.
    Claim(KeyKind, Vec<DeviceId>),
    /// It was removed, and was heard afterwards.
    SeenAfterRemoval(Timestamp),
    /// Voices say different things about it.
    Values(Attribute),
}

/// A device as it is shown, with what is merged into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The device that stands for all of them.
    pub device: Device,
    /// What is merged into it.
    pub merged: Vec<DeviceId>,
    /// Peers that are bound to any of them.
    pub peers: Vec<PeerId>,
    /// The links over which any of them was heard.
    pub links: Vec<String>,
    /// When anything of it was said last.
    pub last: Timestamp,
    /// What is known of it, in the order of [`Attribute::ALL`].
    pub values: Vec<ShownValue>,
    /// What contradicts what.
    pub conflicts: Vec<Conflict>,
}

impl Shown {
    /// The value that counts, several joined.
    pub fn text(&self, attribute: Attribute) -> Option<String> {
        let value = self.values.iter().find(|one| one.attribute == attribute)?;
        (!value.values.is_empty()).then(|| value.values.join("; "))
    }
}

impl Device {
    /// Notes that a voice said this now; whether it is new that it does.
    pub(crate) fn observe(&mut self, new: Observation) -> bool {
        let voice = new.voice();
        let says = self.says_now(voice, new.attribute);
        let is_new = !says.contains(&new.value.as_str());
        let same = |one: &&mut Observation| {
            one.attribute == new.attribute && one.voice() == voice && one.value == new.value
        };
        match self.observations.iter_mut().find(same) {
            Some(known) => {
                let since = if is_new { new.since } else { known.since };
                *known = Observation {
                    first: known.first,
                    since,
                    ..new
                };
            }
            None => self.observations.push(new),
        }
        is_new
    }

    /// The value that goes because its voice said too many, of what was just said.
    pub(crate) fn take_excess(
        &mut self,
        attribute: Attribute,
        voice: Voice,
    ) -> Option<Observation> {
        let of = |one: &Observation| one.attribute == attribute && one.voice() == voice;
        let count = self.observations.iter().filter(|one| of(one)).count();
        if count <= VALUES_MAX {
            return None;
        }
        let all = self
            .observations
            .iter()
            .enumerate()
            .filter(|(_, one)| of(one));
        let (place, _) = all.min_by_key(|(_, one)| one.last)?;
        Some(self.observations.remove(place))
    }

    /// What a voice says now: what it said last, together.
    pub(crate) fn says_now(&self, voice: Voice, attribute: Attribute) -> Vec<&str> {
        let said = self.observations.iter();
        let said = said.filter(|one| one.attribute == attribute && one.voice() == voice);
        let last = said.clone().map(|one| one.last).max();
        let now = said.filter(|one| Some(one.last) == last);
        now.map(|one| one.value.as_str()).collect()
    }
}

/// What is shown of an attribute, of which these values were observed.
pub(crate) fn shown_value(attribute: Attribute, all: &[&Observation]) -> ShownValue {
    let is_now = |one: &&&Observation| {
        let of_voice = all.iter().filter(|other| other.voice() == one.voice());
        of_voice.map(|other| other.last).max() == Some(one.last)
    };
    let says: Vec<&Observation> = all.iter().filter(is_now).copied().collect();
    let mut says: Vec<&Observation> = says
        .into_iter()
        .filter(|one| !one.value.is_empty())
        .collect();
    says.sort_by_key(|one| {
        let is_guess = one.confidence == Confidence::Low;
        (is_guess, one.voice().rank(), std::cmp::Reverse(one.last))
    });
    let mut values: Vec<String> = Vec::new();
    let mut is_conflict = false;
    if let Some(first) = says.first() {
        values.push(first.value.clone());
        let same = attribute.same(&first.value);
        let others = says
            .iter()
            .skip(1)
            .filter(|one| attribute.same(&one.value) != same);
        for other in others {
            let is_settled = first.voice() == Voice::Person && other.since <= first.last;
            let is_guess = other.confidence == Confidence::Low;
            match attribute.is_many() {
                true if !values.contains(&other.value) => values.push(other.value.clone()),
                true => {}
                false => is_conflict |= !is_settled && !is_guess && other.voice() != first.voice(),
            }
        }
    }
    let now = says.iter().map(|one| ((*one).clone(), true));
    let mut before: Vec<&Observation> = all
        .iter()
        .filter(|one| !says.contains(one))
        .copied()
        .collect();
    before.sort_by_key(|one| std::cmp::Reverse(one.last));
    let before = before.into_iter().map(|one| (one.clone(), false));
    ShownValue {
        attribute,
        values,
        is_conflict,
        observed: now.chain(before).collect(),
    }
}

/// The link over which it was said, if it was.
pub(crate) const fn link_of(source: &Source) -> Option<&String> {
    match source {
        Source::Link { link, .. } => Some(link),
        _ => None,
    }
}
