//! Checks of messages that wait, of the ledger, the configuration and the retention times.

use std::time::Duration;

use labward_api::status::DestinationStatus;
use labward_base::Timestamp;

use super::{CheckInput, Found, LedgerActs};
use crate::config::RetentionConfig;

const DAY: u64 = 86_400;
const DAY_LONG: Duration = Duration::from_secs(DAY);
const WEEK: Duration = Duration::from_secs(7 * DAY);
const MONTH: Duration = Duration::from_secs(30 * DAY);
const QUARTER: Duration = Duration::from_secs(90 * DAY);

/// A peer that sent less often has no habit to leave.
const REGULAR: u64 = 20;

pub(super) fn held_too_long(input: &CheckInput) -> Found {
    held(input, |age| age > QUARTER)
}

pub(super) fn held_a_week(input: &CheckInput) -> Found {
    held(input, |age| age > WEEK && age <= QUARTER)
}

pub(super) fn ledger_unwritable(input: &CheckInput) -> Found {
    Found::when(Some(input.ledger_fails))
}

pub(super) fn reserve_unusable(input: &CheckInput) -> Found {
    Found::when(Some(!input.reserve.is_usable()))
}

pub(super) fn broken_glass(input: &CheckInput) -> Found {
    openings(input, |late| !late)
}

pub(super) fn review_overdue(input: &CheckInput) -> Found {
    openings(input, |late| late)
}

/// Emergency accesses that nobody reviewed, if `wrong` says so of whether that is overdue.
fn openings(input: &CheckInput, wrong: impl Fn(bool) -> bool) -> Found {
    let allowed = input.config.break_glass.review_time();
    Found::of(&input.openings, |all| {
        let wrong = all
            .iter()
            .filter(|one| wrong(input.now.since(one.until) > allowed));
        Found::at(wrong.map(|one| format!("{} of {}", one.number, one.opened.to_rfc3339())))
    })
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
    Found::of(&input.ledger, |acts| match acts.clock_jumped {
        Some(time) => Found::says(input.now.since(time) < WEEK, || time.to_rfc3339()),
        None => known_since(acts, input.now, WEEK, Found::Fine),
    })
}

pub(super) fn stranded(input: &CheckInput) -> Found {
    Found::of(&input.stranded, |all| {
        Found::at(all.iter().map(|(name, count)| format!("{name} ({count})")))
    })
}

pub(super) fn backlog_grows(input: &CheckInput) -> Found {
    Found::of(&input.destinations, |_| {
        let growing = input.trends.growing_backlogs().into_iter();
        Found::at(growing.map(|(name, waiting)| format!("{name} ({waiting} wait)")))
    })
}

pub(super) fn peer_silent(input: &CheckInput) -> Found {
    Found::of(&input.ledger, |acts| {
        let silent = input.peers.iter().filter_map(|peer| {
            let sender = acts.senders.get(&peer.id).filter(|_| peer.is_active())?;
            let silence = input.now.since(sender.last);
            let usual = sender.longest_gap.max(DAY_LONG / 3);
            let is_unusual = sender.messages >= REGULAR && silence > usual * 3;
            is_unusual.then(|| {
                let (since, hours) = (sender.last.to_rfc3339(), usual.as_secs() / 3_600);
                let since = since.get(..16).unwrap_or(&since).to_owned();
                format!(
                    "{} since {since}, never longer than {hours} h before",
                    peer.name
                )
            })
        });
        Found::at(silent)
    })
}

pub(super) fn revoked_connects(input: &CheckInput) -> Found {
    Found::of(&input.ledger, |acts| {
        let lately = acts.revoked.iter();
        let lately = lately.filter(|(_, last)| input.now.since(**last) < WEEK);
        let places: Vec<String> = lately
            .map(|(source, last)| format!("from {source}, last {}", last.to_rfc3339()))
            .collect();
        match places.is_empty() {
            true => known_since(acts, input.now, WEEK, Found::Fine),
            false => Found::At(places),
        }
    })
}

pub(super) fn config_not_loaded(input: &CheckInput) -> Found {
    Found::of(&input.config_differs, |differs| Found::when(Some(*differs)))
}

pub(super) fn checkpoint_behind(input: &CheckInput) -> Found {
    Found::of(&input.publishing, |state| {
        let late = state.every.saturating_mul(10).max(Duration::from_secs(600));
        let is_late = state
            .since
            .is_none_or(|since| input.now.since(since) > late);
        Found::says(state.behind > 0 && is_late, || {
            let since = state
                .since
                .map_or("the beginning".to_owned(), Timestamp::to_rfc3339);
            format!("{} entries since {since}", state.behind)
        })
    })
}

pub(super) fn ledger_files(input: &CheckInput) -> Found {
    Found::of(&input.publishing, |state| Found::at(&state.fault))
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
    Found::of(&input.held_since, |held| {
        let old = held.iter().filter(|since| wrong(input.now.since(**since)));
        let count = old.count();
        Found::says(count > 0, || count.to_string())
    })
}

fn destinations(input: &CheckInput, wrong: impl Fn(&DestinationStatus) -> bool) -> Found {
    Found::of(&input.destinations, |destinations| {
        let wrong = destinations.iter().filter(|destination| wrong(destination));
        Found::at(wrong.map(|destination| &destination.name))
    })
}

fn not_done_for_a_month(
    input: &CheckInput,
    last: impl Fn(&LedgerActs) -> Option<Timestamp>,
) -> Found {
    Found::of(&input.ledger, |acts| match last(acts) {
        Some(time) => Found::says(input.now.since(time) > MONTH, || {
            format!("last {}", time.to_rfc3339())
        }),
        None => known_since(acts, input.now, MONTH, Found::Wrong),
    })
}

/// `found` if `acts` say all about the time since `span` ago: what was not met there did not happen.
fn known_since(acts: &LedgerActs, now: Timestamp, span: Duration, found: Found) -> Found {
    match acts.back_to <= now.minus(span) {
        true => found,
        false => Found::Unmeasured(format!(
            "the ledger was only read back to {}",
            acts.back_to.to_rfc3339()
        )),
    }
}
