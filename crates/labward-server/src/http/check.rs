//! `check`: what the checks look at, measured now.
//!
//! It must never call something good because it could not be measured (**Invariant:** a missing
//! measurement is never a pass).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use labward_base::{Clock, Timestamp, remark};
use labward_gateway::delivery::{ExceptionState, WaitingFilter};
use labward_gateway::messages::{HeldFilter, HeldState};
use labward_identity::Identification;
use labward_ledger::newest_payload_heads;
use labward_store::StoreError;

use super::call::{Answer, Call};
use super::edge::all_edges;
use super::failure::{Failure, unread};
use super::status::{all_destinations, all_witnesses};
use crate::app::{Core, Opened};
use crate::backup::Backups;
use crate::check::{
    CheckInput, Machine, Measured, PublishingState, check as look, group_strangers, lost_accounts,
};

/// Records whose seal is looked at.
const RECORDS_LOOKED_AT: u32 = 100;

/// Held messages that are looked at.
const HELD_MAX: u32 = 1_000;

/// Emergency accesses without a review that are looked at.
const OPENINGS_MAX: u32 = 1_000;

/// Pages of waiting messages that are looked at.
const WAITING_PAGES: usize = 20;

/// `GET check`
pub(super) fn check(call: &Call) -> Result<Answer, Failure> {
    Answer::json(&look(call.measured()))
}

/// Everything that the checks look at, measured now.
pub(super) fn measure(core: &Core) -> CheckInput {
    let opened = core.opened();
    let opened = opened.as_deref();
    let now = core.clock.now();
    let config = core.config();
    let group = config.http.socket_group.as_deref();
    let people = core.people.list();
    CheckInput {
        now,
        config: config.clone(),
        slots: core.keys.slots(),
        places: core.keys.whereabouts(),
        root_is_locked: core.keys.root_is_locked(),
        damaged_secrets: core.keys.damaged_secrets().map_err(|error| unread(&error)),
        lost_accounts: lost_accounts(&people),
        group_strangers: group_strangers(&people, group),
        people,
        tokens: core.tokens.list(now),
        peers: core.peers.list(),
        authority_until: valid_until(&core.data.authority_certificate()),
        server_until: valid_until(&core.data.server_certificate()),
        machine: Machine::measure(core.data.root(), group.is_some()),
        held_since: when_open(opened, held_since),
        destinations: when_open(opened, |opened| Ok(all_destinations(core, Some(opened)))),
        stranded: when_open(opened, |opened| stranded(core, opened)),
        trends: core.upkeep.trends(),
        edges: when_open(opened, |opened| {
            let edges = all_edges(core, opened);
            let edges = edges.map_err(|failure| remark::technical(failure.problem().what))?;
            let known = edges.into_iter().filter(|(peer, _)| peer.is_active());
            Ok(known
                .map(|(peer, edge)| (peer.name.clone(), edge))
                .collect())
        }),
        ledger: core.acts(now),
        publishing: when_open(opened, |opened| publishing(core, opened)),
        config_differs: config_differs(core),
        published: when_open(opened, published),
        witnesses: when_open(opened, |opened| {
            all_witnesses(core, Some(opened))
                .map_err(|failure| remark::technical(failure.problem().what))
        }),
        threats: Ok(super::hit::measure(core)),
        integrity: super::integrity::open(core),
        malware: super::inspect::measure(core),
        mail: core.mail_status().map_err(|error| unread(&error)),
        webhooks: core.webhook_status().map_err(|error| unread(&error)),
        sign_on: match &config.console.oidc {
            Some(oidc) => core.sign_on.silent_since(oidc),
            None => Ok(None),
        },
        backups: Backups::measure(core, now).ok_or_else(remark::backups_unread),
        ledger_fails: core.ledger.failing_since().is_some(),
        reserve: core.reserve.state(),
        openings: core
            .reserve
            .openings(true, None, OPENINGS_MAX)
            .map_err(|error| unread(&error)),
    }
}

/// How many of the newest records have the seal of AES-256-GCM, and of how many.
pub(super) fn sealed_records(core: &Core) -> Measured<(u64, u64)> {
    let read = core.store.read(|snapshot| -> Result<_, StoreError> {
        newest_payload_heads(snapshot, RECORDS_LOOKED_AT)
    });
    let heads = read.map_err(|error| unread(&error))?;
    let sealed = heads
        .iter()
        .filter(|head| labward_seal::epoch_of(head).is_ok());
    let count = |number| u64::try_from(number).unwrap_or(u64::MAX);
    Ok((count(sealed.count()), count(heads.len())))
}

/// How many entries the newest checkpoint covers.
fn published(opened: &Opened) -> Measured<u64> {
    let newest = opened.publishing.newest().map_err(|error| unread(&error))?;
    Ok(newest.map_or(0, |(_, size)| size))
}

/// What `measure` says, if the root key is open.
fn when_open<T>(
    opened: Option<&Opened>,
    measure: impl FnOnce(&Opened) -> Measured<T>,
) -> Measured<T> {
    opened.map_or_else(|| Err(remark::sealed()), measure)
}

fn valid_until(certificate: &Path) -> Measured<Timestamp> {
    let pem = fs::read(certificate);
    let pem =
        pem.map_err(|error| remark::file(certificate.display().to_string(), error.to_string()))?;
    let facts = Identification::from_pem(&pem).map_err(|error| unread(&error))?;
    Ok(facts.not_after)
}

fn held_since(opened: &Opened) -> Measured<Vec<Timestamp>> {
    let held = opened.messages.list(&HeldFilter {
        state: Some(HeldState::Held),
        limit: HELD_MAX,
        ..HeldFilter::default()
    });
    let held = held.map_err(|error| unread(&error))?;
    Ok(held.into_iter().map(|held| held.since).collect())
}

/// Destinations that are not configured and for which messages wait.
fn stranded(core: &Core, opened: &Opened) -> Measured<Vec<(String, usize)>> {
    let config = core.config();
    let destinations = &config.gateway.destinations;
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    let mut filter = WaitingFilter {
        limit: 1_000,
        ..WaitingFilter::default()
    };
    for _ in 0..WAITING_PAGES {
        let page = opened.delivery.waiting(&filter);
        let page = page.map_err(|error| unread(&error))?;
        let Some(last) = page.last() else { break };
        filter.after = Some((last.destination.clone(), last.entry));
        let waits = page.iter().filter(|one| one.state != ExceptionState::Dead);
        let waits = waits.filter(|one| destinations.iter().all(|to| to.name != one.destination));
        for one in waits {
            *found.entry(one.destination.to_string()).or_default() += 1;
        }
    }
    Ok(found.into_iter().collect())
}

fn publishing(core: &Core, opened: &Opened) -> Measured<PublishingState> {
    let state = opened.publishing.state().map_err(|error| unread(&error))?;
    Ok(PublishingState {
        every: core.config().ledger.publish_interval(),
        ..state
    })
}

fn config_differs(core: &Core) -> Measured<bool> {
    let loaded = core.loaded();
    let in_force = loaded.sha256();
    let in_force = in_force.ok_or_else(remark::not_from_file)?;
    let on_disk = core.file_sha256();
    let on_disk = on_disk.ok_or_else(remark::config_unread)?;
    Ok(on_disk != in_force)
}
