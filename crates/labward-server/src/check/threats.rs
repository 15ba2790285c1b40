//! Checks of advisories and of the hits of devices.

use labward_base::remark;

use super::{CheckInput, Found};

/// What is known of advisories and hits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ThreatsState {
    /// Devices that are there.
    pub devices: u64,
    /// Advisories that are held.
    pub advisories: u64,
    /// Sources that were not looked into for too long, by name.
    pub stale: Vec<String>,
    /// Sources that could not be read the last time, or not all of them, by name.
    pub refused: Vec<String>,
    /// Devices whose operating system gets no updates any more, by name.
    pub unsupported: Vec<String>,
    /// Conversations of devices that nobody expected and nobody decided about, in a few words each.
    pub unexpected: Vec<String>,
    /// What devices do on their lines otherwise, of which nobody said whether it is expected, in a few words each.
    pub unusual: Vec<String>,
    /// Open hits that are late and not treated.
    pub overdue: u64,
    /// Open hits that are due soon and not treated.
    pub due_soon: u64,
}

pub(super) fn overdue(input: &CheckInput) -> Found {
    counted(input, |state| state.overdue)
}

pub(super) fn due_soon(input: &CheckInput) -> Found {
    counted(input, |state| state.due_soon)
}

fn counted(input: &CheckInput, number: impl Fn(&ThreatsState) -> u64) -> Found {
    Found::of(&input.threats, |state| {
        let number = number(state);
        Found::says(number > 0, || remark::count(number))
    })
}

pub(super) fn none(input: &CheckInput) -> Found {
    let wrong = |state: &ThreatsState| state.devices > 0 && state.advisories == 0;
    Found::of(&input.threats, |state| Found::when(Some(wrong(state))))
}

pub(super) fn stale(input: &CheckInput) -> Found {
    Found::of(&input.threats, |state| Found::named(&state.stale))
}

pub(super) fn unsupported(input: &CheckInput) -> Found {
    Found::of(&input.threats, |state| Found::named(&state.unsupported))
}

pub(super) fn unexpected(input: &CheckInput) -> Found {
    Found::of(&input.threats, |state| Found::named(&state.unexpected))
}

pub(super) fn unusual(input: &CheckInput) -> Found {
    Found::of(&input.threats, |state| Found::named(&state.unusual))
}

pub(super) fn integrity(input: &CheckInput) -> Found {
    Found::named(&input.integrity)
}

pub(super) fn refused(input: &CheckInput) -> Found {
    Found::of(&input.threats, |state| Found::named(&state.refused))
}
