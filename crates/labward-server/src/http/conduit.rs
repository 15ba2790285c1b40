//! `conduits` and `traffic`: with whom devices talk, what people decide about it, and what nobody expected.
//!
//! It must never take a report in part: what cannot be read of it refuses all of it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use labward_api::conduit::{
    Conduit, ConduitAlert, ConduitDevice, ConduitFilter, ConduitRules, Conduits, DecideConduit,
    SetConduitMode,
};
use labward_api::traffic::{
    CONVERSATIONS_MAX, SIGHTINGS_MAX, TrafficAlert, TrafficConversation, TrafficReport,
    TrafficSighting, TrafficTaken,
};
use labward_base::id::DeviceId;
use labward_base::{Clock as _, Timestamp, problem, remark};
use labward_conduits::{Deciding, Raised, Rules};
use labward_devices::{Attribute, Confidence, Shown};
use labward_segmentation::{
    Decision, Direction, ListedDevice, Mode, Observation, PlannedDevice, Seen, Service,
};

use super::call::{Answer, Call, reason};
use super::failure::Failure;
use super::hit::device_name;
use crate::app::Core;
use crate::backup::sealed_why;

/// `POST traffic`
pub(super) fn report(call: &Call) -> Result<Answer, Failure> {
    let report: TrafficReport = call.json()?;
    let too_many = report.conversations.len() > CONVERSATIONS_MAX
        || report.sightings.len() > SIGHTINGS_MAX
        || report.source.is_empty()
        || report.source.chars().count() > 255;
    if too_many {
        return Err(unreadable("its source or the number of its parts"));
    }
    let fits = |text: &str| (1..=256).contains(&text.chars().count());
    if report.sightings.iter().any(|one| !fits(&one.value)) {
        return Err(unreadable("a value of what was seen"));
    }
    let mut observations = Vec::with_capacity(report.conversations.len());
    for one in &report.conversations {
        observations.extend(observation(one)?);
    }
    let core = &call.core;
    let now = core.clock.now();
    let seen = sightings(&report.sightings);
    let listening = format!("{} {}", report.source, report.started);
    core.devices
        .overheard(&seen, &listening, call.actor(), now)?;
    let devices = core.devices.list();
    let listed = listed(&devices);
    let source = plain(&report.source);
    let heard = core
        .conduits
        .heard(listed, &observations, &source, call.actor(), now)?;
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let names = names(&devices);
    let alert = |one: &Raised| TrafficAlert {
        device: one.device.get(),
        name: names.get(&one.device).cloned(),
        destination: one.peer.to_string(),
        port: one.service.ports().map_or(0, |ports| ports.first()),
        protocol: one.service.protocol_name(),
        public: one.is_public,
        entry: Some(one.entry.get()),
    };
    Answer::json(&TrafficTaken {
        known: count(heard.known),
        new: count(heard.new),
        alerts: heard.alerts.iter().map(alert).collect(),
    })
}

/// `GET conduits`
pub(super) fn list(call: &Call) -> Result<Answer, Failure> {
    let asked: ConduitFilter = call.query()?;
    let core = &call.core;
    let devices = core.devices.list();
    let names = names(&devices);
    let plan = core.conduits.plan();
    let by_address: BTreeMap<IpAddr, &str> = plan
        .devices()
        .iter()
        .flat_map(|one| one.addresses.iter().map(|ip| (*ip, one.name.as_str())))
        .collect();
    let is_meant = |id: DeviceId| asked.device.is_none_or(|wanted| wanted == id.get());
    let shown = plan.devices().iter().filter(|one| is_meant(one.id));
    let (rules, guarded) = (
        core.conduits.rules(),
        core.conduits.guarded(core.clock.now()),
    );
    let alerts = core.conduits.alerts();
    let open = alerts.values().rev();
    let open = open.filter(|one| one.settled.is_none() && is_meant(one.device));
    Answer::json(&Conduits {
        devices: shown.map(|one| device(one, &by_address)).collect(),
        alerts: open.map(|one| alert(one, &names)).collect(),
        measured: rules.as_ref().map(|rules| rules.at.to_rfc3339()),
        rules: rules.map(|rules| ConduitRules {
            state: rules.state,
            hash: rules.hash,
        }),
        guarded: guarded.into_iter().map(DeviceId::get).collect(),
    })
}

/// `GET conduits/plan`
pub(super) fn plan(call: &Call) -> Result<Answer, Failure> {
    let text = call.core.conduits.plan().write();
    let wrong = |_| Failure::new(&problem::SERVER_INTERNAL).with("write the plan of segmentation");
    Ok(Answer::Json(text.map_err(wrong)?.into_bytes()))
}

/// `POST conduits/decide`
pub(super) fn decide(call: &Call) -> Result<Answer, Failure> {
    let asked: DecideConduit = call.json()?;
    let unknown = || Failure::new(&problem::CONDUIT_UNKNOWN);
    let deciding = Deciding {
        device: DeviceId::new(asked.device),
        direction: match asked.direction.as_str() {
            "inbound" => Direction::Inbound,
            "outbound" => Direction::Outbound,
            _ => return Err(unknown()),
        },
        peer: asked.peer.parse().map_err(|_| unknown())?,
        service: asked.service.parse().map_err(|_| unknown())?,
        decision: match asked.decision.as_str() {
            "approved" => Decision::Approved,
            "refused" => Decision::Refused,
            _ => return Err(unknown()),
        },
    };
    let core = &call.core;
    let why = sealed_why(core, reason(&asked.why)?)?;
    let now = core.clock.now();
    Answer::done(Some(core.conduits.decide(
        &deciding,
        call.by(),
        why,
        now,
    )?))
}

/// `POST conduits/mode`
pub(super) fn set_mode(call: &Call) -> Result<Answer, Failure> {
    let asked: SetConduitMode = call.json()?;
    let mode = match asked.mode.as_str() {
        "enforce" => Mode::Enforce,
        "off" => Mode::Off,
        "test" => Mode::Test,
        _ => {
            return Err(Failure::bad_request(
                "mode is none of off, test and enforce",
            ));
        }
    };
    let core = &call.core;
    let why = sealed_why(core, reason(&asked.why)?)?;
    let id = DeviceId::new(asked.device);
    let how = (mode, asked.learning);
    Answer::done(Some(core.conduits.set_mode(id, how, call.by(), why)?))
}

/// `POST conduits/rules`
pub(super) fn rules(call: &Call) -> Result<Answer, Failure> {
    let asked: ConduitRules = call.json()?;
    let known = ["changed", "lapsed", "live", "missing", "trial"];
    let is_hash =
        |hash: &String| hash.len() <= 128 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !known.contains(&asked.state.as_str()) || !asked.hash.as_ref().is_none_or(is_hash) {
        return Err(unreadable("the state of the rules, or their hash"));
    }
    let core = &call.core;
    let rules = Rules {
        state: asked.state,
        hash: asked.hash,
        at: core.clock.now(),
    };
    Answer::done(core.conduits.rules_said(rules, call.actor())?)
}

/// Alerts about which nobody decided, each in a few words.
pub(super) fn open_alerts(core: &Core) -> Vec<String> {
    let names = names(&core.devices.list());
    let alerts = core.conduits.alerts();
    let open = alerts.values().filter(|one| one.settled.is_none());
    let words = open.map(|one| {
        let name = names.get(&one.device).cloned();
        let name = name.unwrap_or_else(|| format!("#{}", one.device));
        format!("{name} {} {}", one.peer, one.service)
    });
    words.collect()
}

fn unreadable(what: &str) -> Failure {
    Failure::new(&problem::CONDUIT_BAD_REPORT).about(remark::technical(what.to_owned()))
}

/// What a conversation is to a plan; `None` where it has no port that a rule could name.
fn observation(one: &TrafficConversation) -> Result<Option<Observation>, Failure> {
    let ip = |text: &str| {
        let read: Result<IpAddr, _> = text.parse();
        read.map_err(|_| unreadable("an address of a conversation"))
    };
    let time = |text: &str| {
        Timestamp::parse_rfc3339(text).ok_or_else(|| unreadable("a time of a conversation"))
    };
    let service = match one.protocol.as_str() {
        "tcp" => Service::tcp(one.port),
        "udp" => Service::udp(one.port),
        other => match other.parse() {
            Ok(service) => Some(service),
            Err(_) => return Err(unreadable("the protocol of a conversation")),
        },
    };
    let (client, server) = (ip(&one.client)?, ip(&one.server)?);
    let seen = Seen {
        packets: one.packets,
        bytes: one.bytes,
        first: time(&one.first)?,
        last: time(&one.last)?,
    };
    let known_as = one.application.as_deref().map(plain);
    Ok(service.map(|service| Observation {
        client,
        server,
        service,
        known_as: known_as.filter(|_| one.recognised),
        seen,
    }))
}

/// What was seen of one device.
type Values = Vec<(Attribute, String, Confidence)>;

/// What was seen of each device, as the list of devices has it; what is no value there is left out, and so are
/// addresses of the public internet.
fn sightings(all: &[TrafficSighting]) -> Vec<Values> {
    let mut devices: BTreeMap<(&str, &str), Values> = BTreeMap::new();
    for one in all {
        let mac = one.mac.as_deref().unwrap_or_default();
        let ip = one.ip.as_deref().unwrap_or_default();
        let address: Option<IpAddr> = ip.parse().ok();
        if address.is_some_and(labward_segmentation::network::is_public) {
            continue;
        }
        let confidence = match one.confidence.as_str() {
            "stated" => Confidence::Medium,
            _ => Confidence::Low,
        };
        let said = match one.attribute.as_str() {
            "hostname" => Some(Attribute::Hostname),
            "mac_address" => Some(Attribute::Mac),
            "manufacturer" => Some(Attribute::Manufacturer),
            "model" => Some(Attribute::Model),
            "operating_system" => Some(Attribute::Os),
            "os_build" => Some(Attribute::OsBuild),
            "product" => Some(Attribute::Product),
            "serial_number" => Some(Attribute::Serial),
            "udi" => Some(Attribute::Udi),
            "version" => Some(Attribute::Version),
            _ => None,
        };
        let known = [
            said.map(|attribute| (attribute, one.value.as_str(), confidence)),
            Some((Attribute::Mac, mac, Confidence::Medium)),
            Some((Attribute::Ip, ip, Confidence::Medium)),
        ];
        let of = devices.entry((mac, ip)).or_default();
        for (attribute, text, confidence) in known.into_iter().flatten() {
            for value in attribute.read(text).unwrap_or_default() {
                if !of.iter().any(|one| (one.0, &one.1) == (attribute, &value)) {
                    of.push((attribute, value, confidence));
                }
            }
        }
    }
    devices
        .into_values()
        .filter(|one| !one.is_empty())
        .collect()
}

/// Text without signs that steer a screen, and not too long.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(100).collect()
}

/// The devices that are there and have an address; of two with one address the one that is known longer.
fn listed(devices: &[Shown]) -> Vec<ListedDevice> {
    let mut present: Vec<&Shown> = devices
        .iter()
        .filter(|one| one.device.removed.is_none())
        .collect();
    present.sort_by_key(|one| one.device.id);
    let mut taken: BTreeSet<IpAddr> = BTreeSet::new();
    let mut listed = Vec::new();
    for one in present {
        let addresses = one.text(Attribute::Ip).unwrap_or_default();
        let addresses = addresses.split("; ").filter_map(|ip| ip.parse().ok());
        let addresses: BTreeSet<IpAddr> = addresses
            .map(|ip: IpAddr| ip.to_canonical())
            .filter(|ip| taken.insert(*ip))
            .take(labward_segmentation::plan::ADDRESSES_MAX)
            .collect();
        if addresses.is_empty() {
            continue;
        }
        listed.push(ListedDevice {
            id: one.device.id,
            name: device_name(one),
            addresses,
            mac: one.text(Attribute::Mac),
            zone: one.text(Attribute::Location),
        });
    }
    listed
}

fn names(devices: &[Shown]) -> BTreeMap<DeviceId, String> {
    let named = devices.iter().map(|one| (one.device.id, device_name(one)));
    named.collect()
}

fn device(one: &PlannedDevice, by_address: &BTreeMap<IpAddr, &str>) -> ConduitDevice {
    let conduit = |one: &labward_segmentation::Conduit| {
        let address = one.peer.address();
        Conduit {
            direction: one.direction.name().to_owned(),
            peer: one.peer.to_string(),
            peer_name: by_address.get(&address).map(|name| (*name).to_owned()),
            service: one.service.to_string(),
            known_as: one.known_as.clone(),
            decision: one.decision.name().to_owned(),
            public: labward_segmentation::network::is_public(address),
            packets: one.seen.as_ref().map_or(0, |seen| seen.packets),
            first: one.seen.as_ref().map(|seen| seen.first.to_rfc3339()),
            last: one.seen.as_ref().map(|seen| seen.last.to_rfc3339()),
        }
    };
    ConduitDevice {
        device: one.id.get(),
        name: one.name.clone(),
        addresses: one.addresses.iter().map(ToString::to_string).collect(),
        zone: one.zone.clone(),
        mode: one.mode.name().to_owned(),
        learning: one.learning,
        conduits: one.conduits.iter().map(conduit).collect(),
    }
}

fn alert(one: &Raised, names: &BTreeMap<DeviceId, String>) -> ConduitAlert {
    let name = names.get(&one.device).cloned();
    ConduitAlert {
        id: one.id,
        device: one.device.get(),
        name: name.unwrap_or_else(|| format!("#{}", one.device)),
        novelty: one.novelty.clone(),
        direction: one.direction.name().to_owned(),
        peer: one.peer.to_string(),
        service: one.service.to_string(),
        public: one.is_public,
        raised: one.raised.to_rfc3339(),
        entry: one.entry.get(),
    }
}
