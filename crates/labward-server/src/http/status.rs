//! `status` and `destinations`: what the server is doing; never about a patient.

use labward_api::Why;
use labward_api::status::{DestinationStatus, LinkStatus, ReserveStatus, Status, WitnessStatus};
use labward_base::{Timestamp, problem, remark};
use labward_gateway::config::{
    DestinationConfig, DestinationName, Framing, LinkConfig, OutboundTransport, Target,
};
use labward_gateway::delivery::DestinationState;
use labward_gateway::events::Counts;
use labward_ledger::tree_head;
use labward_store::StoreError;

use super::call::{Answer, Call, reason};
use super::failure::Failure;
use crate::app::{Core, Opened};
use crate::config::WitnessConfig;
use crate::cosign::SECOND_HISTORY;
use crate::findings;
use crate::folder::{NODE, SITE};

/// `GET status`
pub(super) fn status(call: &Call) -> Result<Answer, Failure> {
    let core = &call.core;
    let opened = core.opened();
    let head = core.store.read(|snapshot| tree_head(snapshot, NODE))?;
    Answer::json(&Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        open: opened.is_some(),
        started: core.started.to_rfc3339(),
        entries: head.map_or(0, |head| head.frontier.size()),
        ledger_failing_since: core.ledger.failing_since().map(Timestamp::to_rfc3339),
        reserve: reserve(core),
        links: links(call, opened.as_deref()),
        destinations: all_destinations(core, opened.as_deref()),
        witnesses: all_witnesses(core, opened.as_deref())?,
        webhooks: core.webhook_status()?,
        held: match &opened {
            Some(opened) => opened.messages.count()?,
            None => 0,
        },
        console: core.console_url(),
        search_ready: match &opened {
            Some(opened) => opened.records.finds_all()?,
            None => false,
        },
    })
}

/// `GET destinations`
pub(super) fn destinations(call: &Call) -> Result<Answer, Failure> {
    Answer::json(&all_destinations(&call.core, call.core.opened().as_deref()))
}

/// `POST destinations/{name}/resume`
pub(super) fn resume(call: &Call) -> Result<Answer, Failure> {
    let Why { why } = call.json()?;
    let why = reason(&why)?;
    let unknown = |_| Failure::new(&problem::GATEWAY_NO_DESTINATION);
    let name: DestinationName = call.text("name").parse().map_err(unknown)?;
    let entry = call.opened()?.delivery.resume(&name, call.by(), why)?;
    Answer::done(Some(entry))
}

fn reserve(core: &Core) -> ReserveStatus {
    let state = core.reserve.state();
    ReserveStatus {
        size_bytes: state.size_bytes,
        used_bytes: state.used_bytes,
        waiting: state.waiting,
    }
}

fn links(call: &Call, opened: Option<&Opened>) -> Vec<LinkStatus> {
    let config = call.core.config();
    let config = &config.gateway.links;
    let Some(opened) = opened else {
        let closed = |link: &LinkConfig| {
            let address = link.listen.to_string();
            link_status(link, address, Counts::default())
        };
        return config.iter().map(closed).collect();
    };
    let all = opened.gateway.status();
    let named = |link: &LinkConfig| {
        let running = all.iter().find(|running| running.name == link.name)?;
        Some(link_status(
            link,
            running.address.to_string(),
            running.counts,
        ))
    };
    config.iter().filter_map(named).collect()
}

fn link_status(link: &LinkConfig, address: String, counts: Counts) -> LinkStatus {
    let protocol = match link.framing {
        Framing::Astm => "astm",
        Framing::Edge => "edge",
        Framing::Mllp | Framing::MllpRelease2 => "mllp",
    };
    let transport = match link.transport.is_plain() {
        true => "plain",
        false => "mutual-tls",
    };
    LinkStatus {
        name: link.name.to_string(),
        protocol: protocol.to_owned(),
        transport: transport.to_owned(),
        address,
        connections: counts.connections,
        accepted: counts.accepted,
        held: counts.held,
        duplicates: counts.duplicates,
        refused: counts.refused,
        last_message: counts.last_message.map(Timestamp::to_rfc3339),
    }
}

/// Every destination, in the order of the configuration.
pub(super) fn all_destinations(core: &Core, opened: Option<&Opened>) -> Vec<DestinationStatus> {
    let config = core.config();
    let config = &config.gateway.destinations;
    let all = opened
        .map(|opened| opened.delivery.status())
        .unwrap_or_default();
    let one = |destination: &DestinationConfig| {
        let mut status = DestinationStatus {
            name: destination.name.to_string(),
            kind: kind(&destination.target).to_owned(),
            state: "idle".to_owned(),
            ..DestinationStatus::default()
        };
        if let Some(running) = all.iter().find(|running| running.name == destination.name) {
            fill(&mut status, running);
        }
        status
    };
    // What still waits for a destination that is configured no more is not passed over.
    let leaving = |running: &&labward_gateway::delivery::DestinationStatus| {
        config.iter().all(|one| one.name != running.name)
    };
    let leaving = all.iter().filter(leaving).map(|running| {
        let mut status = DestinationStatus {
            name: running.name.to_string(),
            ..DestinationStatus::default()
        };
        fill(&mut status, running);
        status.state = "leaving".to_owned();
        status
    });
    config.iter().map(one).chain(leaving).collect()
}

fn fill(status: &mut DestinationStatus, running: &labward_gateway::delivery::DestinationStatus) {
    let (state, error) = state(&running.state);
    status.state = state.to_owned();
    status.last_error = error;
    status.delivered = running.delivered;
    status.waiting = count(running.waiting + running.retrying + running.in_flight);
    status.held = count(running.held);
    status.dead = count(running.dead);
    status.oldest_waiting = running.oldest_waiting.map(Timestamp::to_rfc3339);
    status.certificate_until = running.certificate_until.map(Timestamp::to_rfc3339);
}

/// Every witness, in the order of the configuration; what it refuses is known across restarts.
pub(super) fn all_witnesses(
    core: &Core,
    opened: Option<&Opened>,
) -> Result<Vec<WitnessStatus>, StoreError> {
    let refused = core
        .store
        .read(|snapshot| findings::all_that_hold(snapshot, SITE))?;
    let asked = opened.map(|opened| opened.witnesses.status());
    let asked = asked.unwrap_or_default();
    let one = |config: &WitnessConfig| {
        let known = asked.iter().find(|known| known.name == config.name);
        let mut status = known.cloned().unwrap_or_else(|| WitnessStatus {
            name: config.name.clone(),
            key: config.key.to_string(),
            state: "not-asked".to_owned(),
            ..WitnessStatus::default()
        });
        let key = format!("{SECOND_HISTORY}{}", config.name);
        if let Some(finding) = refused.iter().find(|finding| finding.key == key) {
            status.state = "refused".to_owned();
            if status.last_error.is_none() {
                let said = remark::raised_before(&finding.detail);
                status.last_error = Some(said.to_string());
                status.remark = Some(said.into());
            }
        }
        status
    };
    Ok(core.config().witnesses.iter().map(one).collect())
}

fn state(state: &DestinationState) -> (&'static str, Option<String>) {
    match state {
        DestinationState::Up => ("up", None),
        DestinationState::Down { reason, .. } => ("down", Some((*reason).to_owned())),
        DestinationState::Stopped { reason } => ("stopped", Some(reason.clone())),
    }
}

const fn kind(target: &Target) -> &'static str {
    match target {
        Target::FileDrop { .. } => "file-drop",
        Target::Mllp { transport, .. } => match transport {
            OutboundTransport::MutualTls { .. } => "mllp-tls",
            OutboundTransport::Plain { .. } => "mllp-plain",
        },
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
