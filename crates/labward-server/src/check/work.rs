//! Checks of messages that wait, of the ledger, the configuration and the retention times.

use std::time::Duration;

use labward_api::status::DestinationStatus;
use labward_base::{Remark, Timestamp, remark};

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
        Found::at(wrong.map(|one| remark::opening(one.number.get(), one.opened.to_rfc3339())))
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
        Some(time) => Found::says(input.now.since(time) < WEEK, || {
            remark::time(time.to_rfc3339())
        }),
        None => known_since(acts, input.now, WEEK, Found::Fine),
    })
}

pub(super) fn stranded(input: &CheckInput) -> Found {
    Found::of(&input.stranded, |all| {
        Found::at(
            all.iter()
                .map(|(name, count)| remark::counted(name, *count)),
        )
    })
}

pub(super) fn backlog_grows(input: &CheckInput) -> Found {
    Found::of(&input.destinations, |_| {
        let growing = input.trends.growing_backlogs().into_iter();
        Found::at(growing.map(|(name, waiting)| remark::waiting(name, waiting)))
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
                remark::silent(peer.name.as_str(), since, hours)
            })
        });
        Found::at(silent)
    })
}

pub(super) fn revoked_connects(input: &CheckInput) -> Found {
    Found::of(&input.ledger, |acts| {
        let lately = acts.revoked.iter();
        let lately = lately.filter(|(_, last)| input.now.since(**last) < WEEK);
        let places: Vec<Remark> = lately
            .map(|(source, last)| remark::connects_from(source, last.to_rfc3339()))
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
        Found::says(state.behind > 0 && is_late, || match state.since {
            Some(since) => remark::entries_since(state.behind, since.to_rfc3339()),
            None => remark::entries_ever(state.behind),
        })
    })
}

pub(super) fn ledger_files(input: &CheckInput) -> Found {
    Found::of(&input.publishing, |state| Found::at(state.fault.clone()))
}

pub(super) fn retention(input: &CheckInput) -> Found {
    let least = RetentionConfig::default();
    let retention = &input.config.retention;
    type Kept = fn(u16, u16) -> Remark;
    let times: [(Kept, u16, u16); 2] = [
        (
            remark::results_kept,
            retention.results_years,
            least.results_years,
        ),
        (
            remark::pathology_kept,
            retention.pathology_years,
            least.pathology_years,
        ),
    ];
    let short = times.into_iter().filter(|(_, years, least)| years < least);
    Found::at(short.map(|(kept, years, least)| kept(years, least)))
}

fn held(input: &CheckInput, wrong: impl Fn(Duration) -> bool) -> Found {
    Found::of(&input.held_since, |held| {
        let old = held.iter().filter(|since| wrong(input.now.since(**since)));
        let count = old.count();
        Found::says(count > 0, || remark::count(count))
    })
}

fn destinations(input: &CheckInput, wrong: impl Fn(&DestinationStatus) -> bool) -> Found {
    Found::of(&input.destinations, |destinations| {
        let wrong = destinations.iter().filter(|destination| wrong(destination));
        Found::named(wrong.map(|destination| &destination.name))
    })
}

fn not_done_for_a_month(
    input: &CheckInput,
    last: impl Fn(&LedgerActs) -> Option<Timestamp>,
) -> Found {
    Found::of(&input.ledger, |acts| match last(acts) {
        Some(time) => Found::says(input.now.since(time) > MONTH, || {
            remark::last(time.to_rfc3339())
        }),
        None => known_since(acts, input.now, MONTH, Found::Wrong),
    })
}

/// `found` if `acts` say all about the time since `span` ago: what was not met there did not happen.
fn known_since(acts: &LedgerActs, now: Timestamp, span: Duration, found: Found) -> Found {
    match acts.back_to <= now.minus(span) {
        true => found,
        false => Found::Unmeasured(remark::read_back_to(acts.back_to.to_rfc3339())),
    }
}
