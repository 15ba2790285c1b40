//! Checks of backups, of the archives that open them, and of a restore that waits.

use std::time::Duration;

use labward_base::{Timestamp, remark};

use super::lines::day;
use super::{CheckInput, Found};
use crate::backup::Backups;

const DAY: u64 = 86_400;
/// A daily run may fail once before it is a finding.
pub(crate) const BACKED_UP_WITHIN: Duration = Duration::from_secs(2 * DAY);
/// Each quarter, as recovery plans are to be tested.
const DRILLED_WITHIN: Duration = Duration::from_secs(90 * DAY);

pub(super) fn none(input: &CheckInput) -> Found {
    never(input, |backups| backups.created)
}

pub(super) fn old(input: &CheckInput) -> Found {
    older(input, BACKED_UP_WITHIN, |backups| backups.created)
}

pub(super) fn beside_data(input: &CheckInput) -> Found {
    measured(input, |backups| match backups.created {
        None => Found::Fine,
        Some(_) => Found::when(backups.beside_data),
    })
}

pub(super) fn no_archive(input: &CheckInput) -> Found {
    never(input, |backups| backups.archived)
}

pub(super) fn archive_old(input: &CheckInput) -> Found {
    older(input, BACKED_UP_WITHIN, |backups| backups.archived)
}

pub(super) fn archive_overdue(input: &CheckInput) -> Found {
    measured(input, |backups| {
        Found::at(
            backups
                .overdue
                .iter()
                .map(|id| remark::archive(id.to_string())),
        )
    })
}

pub(super) fn never_drilled(input: &CheckInput) -> Found {
    never(input, |backups| backups.drilled)
}

pub(super) fn drill_old(input: &CheckInput) -> Found {
    older(input, DRILLED_WITHIN, |backups| backups.drilled)
}

pub(super) fn unconfirmed(input: &CheckInput) -> Found {
    measured(input, |backups| Found::when(Some(backups.unconfirmed)))
}

fn never(input: &CheckInput, last: impl Fn(&Backups) -> Option<Timestamp>) -> Found {
    measured(input, |backups| Found::when(Some(last(backups).is_none())))
}

fn older(
    input: &CheckInput,
    span: Duration,
    last: impl Fn(&Backups) -> Option<Timestamp>,
) -> Found {
    measured(input, |backups| match last(backups) {
        Some(time) if input.now.since(time) > span => Found::At(vec![remark::day(day(time))]),
        _ => Found::Fine,
    })
}

fn measured(input: &CheckInput, find: impl Fn(&Backups) -> Found) -> Found {
    Found::of(&input.backups, find)
}
