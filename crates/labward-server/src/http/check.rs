//! `check`: what the checks look at, measured now.
//!
//! It must never call something good because it could not be measured (**Invariant:** a missing
//! measurement is never a pass).

use std::fs;
use std::path::Path;

use labward_base::{Clock, Timestamp};
use labward_gateway::messages::{HeldFilter, HeldState};
use labward_identity::Identification;
use labward_ledger::tree_head;
use labward_store::StoreError;

use super::call::{Answer, Call};
use super::edge::all_edges;
use super::failure::Failure;
use super::status::all_destinations;
use crate::app::{Core, Opened};
use crate::check::{CheckInput, LedgerActs, Machine, check as look};
use crate::folder::NODE;

/// Held messages that are looked at.
const HELD_MAX: u32 = 1_000;

/// `GET check`
pub(super) fn check(call: &Call) -> Result<Answer, Failure> {
    let core = &call.core;
    let opened = core.opened();
    let now = core.clock.now();
    let group = core.config.http.socket_group.is_some();
    Answer::json(&look(&CheckInput {
        now,
        config: core.config.clone(),
        slots: core.keys.slots(),
        places: core.keys.whereabouts(),
        root_is_locked: core.keys.root_is_locked(),
        people: core.people.list(),
        peers: core.peers.list(),
        authority_until: valid_until(&core.data.authority_certificate()),
        server_until: valid_until(&core.data.server_certificate()),
        machine: Machine::measure(core.data.root(), group),
        held_since: opened.as_deref().and_then(held_since),
        destinations: opened
            .as_deref()
            .map(|opened| all_destinations(core, Some(opened))),
        edges: opened.as_deref().and_then(|opened| {
            let edges = all_edges(core, opened).ok()?.into_iter();
            let edges = edges.filter(|(peer, _)| peer.is_active());
            Some(
                edges
                    .map(|(peer, edge)| (peer.name.clone(), edge))
                    .collect(),
            )
        }),
        ledger: ledger_acts(core, now),
        witnesses: 0,
    }))
}

fn valid_until(certificate: &Path) -> Option<Timestamp> {
    let pem = fs::read(certificate).ok()?;
    Some(Identification::from_pem(&pem).ok()?.not_after)
}

fn held_since(opened: &Opened) -> Option<Vec<Timestamp>> {
    let held = opened.messages.list(&HeldFilter {
        state: Some(HeldState::Held),
        limit: HELD_MAX,
        ..HeldFilter::default()
    });
    Some(held.ok()?.into_iter().map(|held| held.since).collect())
}

fn ledger_acts(core: &Core, now: Timestamp) -> Option<LedgerActs> {
    let read = core.store.read(|snapshot| -> Result<_, StoreError> {
        let size = tree_head(snapshot, NODE)?.map_or(0, |head| head.frontier.size());
        LedgerActs::read(snapshot, size, now)
    });
    read.ok()
}
