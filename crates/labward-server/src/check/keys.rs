//! Checks of the root key's slots: that any opens, and that none lives with the data.

use std::time::Duration;

use labward_base::{Remark, remark};
use labward_keys::{SlotInfo, SlotKind, SlotPlace};

use super::{CheckInput, Found};

/// After this time without a test nobody knows any more whether a slot opens.
const TESTED_WITHIN: Duration = Duration::from_secs(90 * 86_400);

pub(super) fn one_slot(input: &CheckInput) -> Found {
    Found::when(Some(input.slots.len() < 2))
}

pub(super) fn beside_data(input: &CheckInput) -> Found {
    places(input, |place| place.same_device == Some(true))
}

pub(super) fn readable(input: &CheckInput) -> Found {
    places(input, |place| place.owner_only == Some(false))
}

pub(super) fn missing(input: &CheckInput) -> Found {
    places(input, |place| {
        place.kind == SlotKind::KeyFile && place.same_device.is_none()
    })
}

pub(super) fn never_tested(input: &CheckInput) -> Found {
    let wrong = |slot: &SlotInfo| slot.last_tested.is_none() && slot.kind != SlotKind::Shares;
    Found::at(named(input, wrong))
}

pub(super) fn shares_never_tested(input: &CheckInput) -> Found {
    let wrong = |slot: &SlotInfo| slot.last_tested.is_none() && slot.kind == SlotKind::Shares;
    Found::at(named(input, wrong))
}

pub(super) fn not_tested_lately(input: &CheckInput) -> Found {
    let long_ago = |slot: &SlotInfo| {
        let tested = slot.last_tested;
        tested.is_some_and(|tested| input.now.since(tested) > TESTED_WITHIN)
    };
    Found::at(named(input, long_ago))
}

pub(super) fn no_shares(input: &CheckInput) -> Found {
    lacks(input, SlotKind::Shares)
}

pub(super) fn no_key_file(input: &CheckInput) -> Found {
    lacks(input, SlotKind::KeyFile)
}

pub(super) fn not_locked(input: &CheckInput) -> Found {
    let locked = input.root_is_locked.ok_or_else(remark::sealed);
    Found::of(&locked, |locked| Found::when(Some(!locked)))
}

pub(super) fn damaged_secrets(input: &CheckInput) -> Found {
    Found::of(&input.damaged_secrets, |names| {
        Found::at(names.iter().map(remark::secret))
    })
}

fn lacks(input: &CheckInput, kind: SlotKind) -> Found {
    Found::when(Some(!input.slots.iter().any(|slot| slot.kind == kind)))
}

fn named(input: &CheckInput, wrong: impl Fn(&SlotInfo) -> bool) -> Vec<Remark> {
    let wrong = input.slots.iter().filter(|slot| wrong(slot));
    wrong
        .map(|slot| remark::slot_named(slot.id.get(), slot.label.as_str()))
        .collect()
}

fn places(input: &CheckInput, wrong: impl Fn(&SlotPlace) -> bool) -> Found {
    let wrong = input.places.iter().filter(|place| wrong(place));
    Found::at(wrong.map(|place| match &place.path {
        Some(path) => remark::slot_named(place.slot.get(), path.display().to_string()),
        None => remark::slot(place.slot.get()),
    }))
}
