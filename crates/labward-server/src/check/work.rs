//! Checks of messages that wait, of the ledger, the people and the retention times.

use std::time::Duration;

use labward_api::status::DestinationStatus;
use labward_base::Timestamp;
use labward_identity::Permission;

use super::{CheckInput, Found, LedgerActs};
use crate::config::RetentionConfig;

const DAY: u64 = 86_400;
const WEEK: Duration = Duration::from_secs(7 * DAY);
const MONTH: Duration = Duration::from_secs(30 * DAY);
const QUARTER: Duration = Duration::from_secs(90 * DAY);

pub(super) fn held_too_long(input: &CheckInput) -> Found {
    held(input, |age| age > QUARTER)
}

pub(super) fn held_a_week(input: &CheckInput) -> Found {
    held(input, |age| age > WEEK && age <= QUARTER)
}

pub(super) fn ledger_unwritable(input: &CheckInput) -> Found {
    Found::when(input.ledger_fails)
}

pub(super) fn reserve_unusable(input: &CheckInput) -> Found {
    Found::when(Some(!input.reserve.is_usable()))
}

pub(super) fn broken_glass(input: &CheckInput) -> Found {
    let Some(acts) = &input.ledger else {
        return Found::Unmeasured;
    };
    match acts.broken_glass {
        Some(last) => Found::when(Some(input.now.since(last) <= MONTH)),
        None => Found::when(reaches(acts, input.now, MONTH).then_some(false)),
    }
}

pub(super) fn dead_letters(input: &CheckInput) -> Found {
    destinations(input, |destination| destination.dead > 0)
}

pub(super) fn stopped(input: &CheckInput) -> Found {
    destinations(input, |destination| destination.state == "stopped")
}

pub(super) fn down(input: &CheckInput) -> Found {
    destinations(input, |destination| destination.state == "down")
}

pub(super) fn not_verified(input: &CheckInput) -> Found {
    not_done_for_a_month(input, |acts| acts.verified)
}

pub(super) fn not_exported(input: &CheckInput) -> Found {
    not_done_for_a_month(input, |acts| acts.exported)
}

pub(super) fn clock_jumped(input: &CheckInput) -> Found {
    let Some(acts) = &input.ledger else {
        return Found::Unmeasured;
    };
    match acts.clock_jumped {
        Some(time) if input.now.since(time) < WEEK => Found::Wrong,
        Some(_) => Found::Fine,
        None => Found::when(reaches(acts, input.now, WEEK).then_some(false)),
    }
}

pub(super) fn no_witness(input: &CheckInput) -> Found {
    Found::when(Some(input.witnesses == 0))
}

pub(super) fn one_administrator(input: &CheckInput) -> Found {
    let may = |person: &&labward_identity::Person| person.permits(Permission::PersonChange);
    Found::when(Some(input.people.iter().filter(may).count() < 2))
}

pub(super) fn retention(input: &CheckInput) -> Found {
    let least = RetentionConfig::default();
    let retention = &input.config.retention;
    let times = [
        ("results", retention.results_years, least.results_years),
        (
            "pathology",
            retention.pathology_years,
            least.pathology_years,
        ),
    ];
    let short = times.into_iter().filter(|(_, years, least)| years < least);
    Found::at(short.map(|(what, years, least)| format!("{what} {years} years instead of {least}")))
}

fn held(input: &CheckInput, wrong: impl Fn(Duration) -> bool) -> Found {
    let Some(held) = &input.held_since else {
        return Found::Unmeasured;
    };
    let old = held.iter().filter(|since| wrong(input.now.since(**since)));
    match old.count() {
        0 => Found::Fine,
        count => Found::At(vec![format!("{count}")]),
    }
}

fn destinations(input: &CheckInput, wrong: impl Fn(&DestinationStatus) -> bool) -> Found {
    let Some(destinations) = &input.destinations else {
        return Found::Unmeasured;
    };
    let wrong = destinations.iter().filter(|destination| wrong(destination));
    Found::at(wrong.map(|destination| &destination.name))
}

fn not_done_for_a_month(
    input: &CheckInput,
    last: impl Fn(&LedgerActs) -> Option<Timestamp>,
) -> Found {
    let Some(acts) = &input.ledger else {
        return Found::Unmeasured;
    };
    match last(acts) {
        Some(time) => Found::when(Some(input.now.since(time) > MONTH)),
        // Not done since: known only as far back as was looked.
        None => Found::when(reaches(acts, input.now, MONTH).then_some(true)),
    }
}

/// Whether `acts` say all about the time since `span` ago.
fn reaches(acts: &LedgerActs, now: Timestamp, span: Duration) -> bool {
    acts.back_to <= now.minus(span)
}
