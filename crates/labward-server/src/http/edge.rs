//! `peers/{name}/enroll`, and how the edges are.
//!
//! It must never keep a code: it is in the answer once.

use std::sync::Arc;
use std::time::Duration;

use labward_api::edge::{Code, EdgeStatus, NewCode};
use labward_base::{Clock, Timestamp, problem};
use labward_identity::{
    DEFAULT_PEER_DAYS, EnrolmentCode, IdentityError, MAX_DAYS, Peer, PeerKind, check_name,
};
use labward_ledger::{Action, Facts, LedgerError, NewEntry, Subject, append};
use labward_store::StoreError;

use super::call::{Answer, Call};
use super::failure::Failure;
use super::peer;
use crate::app::{Core, Opened};
use crate::enrolment::Offer;
use crate::folder::SITE;

/// How long a code holds, in minutes: unless asked otherwise, and at most.
const MINUTES: u32 = 60;
const MAX_MINUTES: u32 = 1_440;

/// `POST peers/{name}/enroll`
pub(super) fn enroll(call: &Call) -> Result<Answer, Failure> {
    let NewCode {
        rules,
        authority,
        minutes,
        days,
    } = call.json()?;
    let core = &call.core;
    let opened = call.opened()?;
    let name = call.text("name");
    check_name(name)?;
    let known = core.peers.by_name(name);
    if let Some(known) = &known {
        if known.kind != PeerKind::Edge {
            return Err(IdentityError::PeerExists.into());
        }
        if !known.is_active() {
            return Err(IdentityError::PeerRevoked(known.id).into());
        }
    }
    let minutes = minutes.unwrap_or(MINUTES);
    let days = days.unwrap_or(DEFAULT_PEER_DAYS);
    if !(1..=MAX_MINUTES).contains(&minutes) || !(1..=MAX_DAYS).contains(&days) {
        let what = "a code holds 1 to 1440 minutes, a certificate 1 to 825 days";
        return Err(Failure::bad_request(what));
    }
    let no_door = || Failure::new(&problem::EDGE_NO_DOOR);
    let listen = core.config().enrolment.listen.ok_or_else(no_door)?;
    if opened.edges.is_none() {
        return Err(no_door());
    }
    let rules = peer::rules(&rules)?;
    let code = EnrolmentCode::generate(core.authority()?.certificate())?;
    let now = core.clock.now();
    let expires = now.plus(Duration::from_secs(u64::from(minutes) * 60));
    let facts = Facts::new()
        .text("name", name)
        .text("expires", expires.to_rfc3339())
        .number("again", i64::from(known.is_some()));
    let action = Action::EnrolmentOpened;
    let entry = NewEntry::new(SITE, call.actor(), action, Subject::Installation).facts(facts);
    core.store
        .write(move |tx| append(tx, &entry))
        .map_err(|error: LedgerError| error)?;
    let port = core.enrolments.offer(
        core,
        listen,
        Offer {
            code: code.digest(),
            name: name.to_owned(),
            rules,
            authority,
            days,
            expires,
            actor: call.actor(),
        },
    )?;
    let config = core.config();
    let names = &config.tls.names;
    let host = names.first().cloned().unwrap_or_else(labward_os::hostname);
    Answer::json(&Code {
        name: name.to_owned(),
        code: code.to_text().expose().clone(),
        server: format!("{host}:{port}"),
        expires: expires.to_rfc3339(),
    })
}

/// How every edge is, with its peer.
pub(super) fn all_edges(
    core: &Core,
    opened: &Opened,
) -> Result<Vec<(Arc<Peer>, EdgeStatus)>, StoreError> {
    let Some((edges, _)) = &opened.edges else {
        return Ok(Vec::new());
    };
    let shown = |edge: labward_gateway::edge::EdgeStatus| {
        let state = match (&edge.fault, edge.is_connected) {
            (Some(_), _) => "refused",
            (None, true) => "connected",
            (None, false) => "away",
        };
        let status = EdgeStatus {
            state: state.to_owned(),
            seen: edge.seen.map(Timestamp::to_rfc3339),
            version: edge.version,
            taken: edge.taken,
            waiting: edge.waiting,
            oldest: edge.oldest.map(Timestamp::to_rfc3339),
            damaged: edge.damaged,
            ledger_size: edge.ledger_size,
            fault: edge.fault,
        };
        Some((core.peers.by_id(edge.peer)?, status))
    };
    Ok(edges.status()?.into_iter().filter_map(shown).collect())
}
