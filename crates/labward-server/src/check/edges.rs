//! Checks of edges.

use std::time::Duration;

use labward_api::edge::EdgeStatus;
use labward_base::Timestamp;

use super::{CheckInput, Found};

/// An edge says how it is every quarter of a minute.
const QUIET: Duration = Duration::from_secs(600);

pub(super) fn refused(input: &CheckInput) -> Found {
    edges(input, |edge| edge.fault.is_some())
}

pub(super) fn damaged(input: &CheckInput) -> Found {
    edges(input, |edge| edge.damaged > 0)
}

pub(super) fn away(input: &CheckInput) -> Found {
    let is_old =
        |seen: &Option<String>| age(seen.as_deref(), input.now).is_none_or(|age| age > QUIET);
    edges(input, |edge| edge.state == "away" && is_old(&edge.seen))
}

pub(super) fn waiting(input: &CheckInput) -> Found {
    edges(input, |edge| {
        let oldest = age(edge.oldest.as_deref(), input.now);
        edge.state == "connected" && oldest.is_some_and(|age| age > QUIET)
    })
}

fn edges(input: &CheckInput, wrong: impl Fn(&EdgeStatus) -> bool) -> Found {
    Found::of(&input.edges, |edges| {
        let wrong = edges.iter().filter(|(_, edge)| wrong(edge));
        Found::at(wrong.map(|(name, _)| name))
    })
}

fn age(time: Option<&str>, now: Timestamp) -> Option<Duration> {
    Some(now.since(Timestamp::parse_rfc3339(time?)?))
}
