//! Checks of edges.

use std::time::Duration;

use labward_api::edge::EdgeStatus;
use labward_base::{Timestamp, remark};
use labward_identity::{Peer, PeerKind};

use super::lines::{active, day};
use super::{CheckInput, Found};

/// An edge says how it is every quarter of a minute.
const QUIET: Duration = Duration::from_secs(600);

/// Where it is not known how long a certificate lasts.
const MONTH: Duration = Duration::from_secs(30 * 86_400);

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

pub(super) fn certificate_ended(input: &CheckInput) -> Found {
    certificates(input, |peer| peer.not_after <= input.now)
}

/// An edge renews when a third of its certificate's life is left: at a quarter it has not managed to.
pub(super) fn not_renewed(input: &CheckInput) -> Found {
    certificates(input, |peer| {
        let life = peer.not_before.map(|begin| peer.not_after.since(begin));
        let late = life.map_or(MONTH, |life| life / 4);
        peer.not_after > input.now && peer.not_after.since(input.now) < late
    })
}

fn certificates(input: &CheckInput, wrong: impl Fn(&Peer) -> bool) -> Found {
    let edges = active(input).filter(|peer| peer.kind == PeerKind::Edge && wrong(peer));
    Found::at(edges.map(|peer| remark::until(peer.name.as_str(), day(peer.not_after))))
}

fn edges(input: &CheckInput, wrong: impl Fn(&EdgeStatus) -> bool) -> Found {
    Found::of(&input.edges, |edges| {
        let wrong = edges.iter().filter(|(_, edge)| wrong(edge));
        Found::named(wrong.map(|(name, _)| name))
    })
}

fn age(time: Option<&str>, now: Timestamp) -> Option<Duration> {
    Some(now.since(Timestamp::parse_rfc3339(time?)?))
}
