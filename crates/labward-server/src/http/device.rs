//! `devices`: what devices there are, and what people decide about them.
//!
//! It must never show who said something to somebody who may not see people.

use std::collections::BTreeMap;

use labward_api::Why;
use labward_api::device::{
    Device, DeviceAttribute, DeviceChange, DeviceConflict, DeviceFilter, DeviceObservation,
    DeviceShown, Devices, ImportDevices, ImportedDevice, ImportedDevices, MergeDevices, NewDevice,
};
use labward_base::id::{DeviceId, PeerId};
use labward_base::{Clock as _, Timestamp, hex, problem, remark};
use labward_devices::{
    Conflict, ImportFormat, Imported, Line, LineFault, LineState, NewValues, Observation, Shown,
    ShownValue, Source,
};
use labward_identity::Permission;

use super::call::{Answer, Call, reason};
use super::disclosure::disclosed;
use super::failure::Failure;
use crate::app::Core;
use crate::backup::sealed_why;

/// Devices on a page, where nobody asks for another number, and at most.
const PAGE: u32 = 100;
const PAGE_MAX: u32 = 1_000;

/// `GET devices`
pub(super) fn list(call: &Call) -> Result<Answer, Failure> {
    let asked: DeviceFilter = call.query()?;
    let fits: fn(&Shown) -> bool = match asked.state.as_deref().unwrap_or_default() {
        "" | "present" => |one| one.device.removed.is_none(),
        "all" => |_| true,
        "conflict" => |one| !one.conflicts.is_empty(),
        "removed" => |one| one.device.removed.is_some(),
        _ => return Err(Failure::misunderstood(remark::query_form())),
    };
    let wanted = asked.q.unwrap_or_default().trim().to_lowercase();
    let limit = asked.limit.unwrap_or(PAGE).clamp(1, PAGE_MAX);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let core = &call.core;
    let all = core.devices.list().into_iter().filter(fits);
    let all: Vec<Device> = all.map(|one| device(core, &one)).collect();
    let mut all: Vec<Device> = all.into_iter().filter(|one| holds(one, &wanted)).collect();
    let total = u64::try_from(all.len()).unwrap_or(u64::MAX);
    all.retain(|one| asked.before.is_none_or(|before| one.id < before));
    let has_more = all.len() > limit;
    all.truncate(limit);
    let next = all.last().map(|one| one.id).filter(|_| has_more);
    Answer::json(&Devices {
        devices: all,
        total,
        next,
    })
}

/// `POST devices`
pub(super) fn add(call: &Call) -> Result<Answer, Failure> {
    let new: NewDevice = call.json()?;
    let core = &call.core;
    let values = new_values(core, &new.values, new.peers.as_deref())?;
    let id = core.devices.add(&values, call.by(), core.clock.now())?;
    Answer::json(&shown(call, &core.devices.get(id)?))
}

/// `GET devices/{id}`
pub(super) fn show(call: &Call) -> Result<Answer, Failure> {
    Answer::json(&shown(call, &call.core.devices.get(id(call)?)?))
}

/// `POST devices/{id}/set`
pub(super) fn set(call: &Call) -> Result<Answer, Failure> {
    let id = id(call)?;
    let change: DeviceChange = call.json()?;
    let core = &call.core;
    let values = new_values(core, &change.values, change.peers.as_deref())?;
    let now = core.clock.now();
    core.devices
        .set(id, change.revision, &values, call.by(), now)?;
    Answer::json(&shown(call, &core.devices.get(id)?))
}

/// `POST devices/{id}/merge`
pub(super) fn merge(call: &Call) -> Result<Answer, Failure> {
    let id = id(call)?;
    let asked: MergeDevices = call.json()?;
    let core = &call.core;
    let why = sealed_why(core, reason(&asked.why)?)?;
    let both = [id, DeviceId::new(asked.other)];
    Answer::done(Some(core.devices.merge(
        both,
        call.by(),
        why,
        core.clock.now(),
    )?))
}

/// `POST devices/{id}/split`
pub(super) fn split(call: &Call) -> Result<Answer, Failure> {
    let (id, why, now) = decided(call)?;
    Answer::done(Some(call.core.devices.split(id, call.by(), why, now)?))
}

/// `POST devices/{id}/remove`
pub(super) fn remove(call: &Call) -> Result<Answer, Failure> {
    let (id, why, now) = decided(call)?;
    Answer::done(Some(call.core.devices.set_removed(
        id,
        true,
        call.by(),
        why,
        now,
    )?))
}

/// `POST devices/{id}/restore`
pub(super) fn restore(call: &Call) -> Result<Answer, Failure> {
    let (id, why, now) = decided(call)?;
    Answer::done(Some(call.core.devices.set_removed(
        id,
        false,
        call.by(),
        why,
        now,
    )?))
}

/// `POST devices/import`
pub(super) fn import(call: &Call) -> Result<Answer, Failure> {
    let asked: ImportDevices = call.json()?;
    let format = match asked.format.as_deref().unwrap_or_default() {
        "" => None,
        name => Some(ImportFormat::by_name(name).ok_or_else(no_format)?),
    };
    let core = &call.core;
    let list = (format, asked.name.as_str(), asked.list.as_bytes());
    let now = core.clock.now();
    let imported = core.devices.import(list, asked.preview, call.by(), now)?;
    Answer::json(&shown_import(&imported))
}

fn no_format() -> Failure {
    let names: Vec<&str> = ImportFormat::ALL.iter().map(|one| one.name()).collect();
    Failure::new(&problem::DEVICE_BAD_LIST).about(remark::name(names.join(", ")))
}

fn id(call: &Call) -> Result<DeviceId, Failure> {
    call.param("id")
}

/// Which device, the sealed reason, and when.
fn decided(call: &Call) -> Result<(DeviceId, Vec<u8>, Timestamp), Failure> {
    let asked: Why = call.json()?;
    let why = sealed_why(&call.core, reason(&asked.why)?)?;
    Ok((id(call)?, why, call.core.clock.now()))
}

fn new_values(
    core: &Core,
    values: &BTreeMap<String, String>,
    peers: Option<&[String]>,
) -> Result<NewValues, Failure> {
    let peer = |name: &String| -> Result<PeerId, Failure> {
        let peer = core.peers.by_name(name.trim());
        let peer = peer.ok_or(Failure::new(&problem::IDENTITY_NO_PEER))?;
        Ok(peer.id)
    };
    let mut all = Vec::with_capacity(values.len());
    for (attribute, text) in values {
        all.push((attribute.parse()?, text.clone()));
    }
    Ok(NewValues {
        values: all,
        peers: peers
            .map(|names| names.iter().map(peer).collect::<Result<_, _>>())
            .transpose()?,
    })
}

fn holds(device: &Device, wanted: &str) -> bool {
    let texts = device.values.values().chain(&device.peers);
    wanted.is_empty()
        || texts
            .into_iter()
            .any(|text| text.to_lowercase().contains(wanted))
}

fn peer_name(core: &Core, peer: PeerId) -> String {
    let known = core.peers.by_id(peer);
    known.map_or_else(|| peer.to_string(), |peer| peer.name.clone())
}

fn device(core: &Core, one: &Shown) -> Device {
    let value = |value: &ShownValue| {
        let name = value.attribute.name().to_owned();
        (!value.values.is_empty()).then(|| (name, value.values.join("; ")))
    };
    Device {
        id: one.device.id.get(),
        revision: one.device.revision,
        values: one.values.iter().filter_map(value).collect(),
        peers: one
            .peers
            .iter()
            .map(|peer| peer_name(core, *peer))
            .collect(),
        links: one.links.clone(),
        merged: one.merged.iter().map(|id| id.get()).collect(),
        conflicts: one.conflicts.iter().map(conflict).collect(),
        added: one.device.added.to_rfc3339(),
        removed: one.device.removed.map(Timestamp::to_rfc3339),
        last: one.last.to_rfc3339(),
        entry: one.device.entry.get(),
    }
}

fn conflict(conflict: &Conflict) -> DeviceConflict {
    let mut shown = DeviceConflict::default();
    match conflict {
        Conflict::Claim(key, devices) => {
            "claim".clone_into(&mut shown.kind);
            shown.key = Some(key.name().to_owned());
            shown.devices = devices.iter().map(|id| id.get()).collect();
        }
        Conflict::SeenAfterRemoval(_) => "seen-after-removal".clone_into(&mut shown.kind),
        Conflict::Values(attribute) => {
            "values".clone_into(&mut shown.kind);
            shown.attribute = Some(attribute.name().to_owned());
        }
    }
    shown
}

fn shown(call: &Call, one: &Shown) -> DeviceShown {
    let attribute = |value: &ShownValue| DeviceAttribute {
        attribute: value.attribute.name().to_owned(),
        values: value.values.clone(),
        conflict: value.is_conflict,
        observed: value
            .observed
            .iter()
            .map(|(observation, is_current)| observed(call, observation, *is_current))
            .collect(),
    };
    let shown = DeviceShown {
        device: device(&call.core, one),
        attributes: one.values.iter().map(attribute).collect(),
        ..DeviceShown::default()
    };
    disclosed(call, one, shown)
}

fn observed(call: &Call, one: &Observation, current: bool) -> DeviceObservation {
    let core = &call.core;
    let mut shown = DeviceObservation {
        value: one.value.clone(),
        current,
        source: one.source.kind().to_owned(),
        confidence: one.confidence.name().to_owned(),
        first: one.first.to_rfc3339(),
        last: one.last.to_rfc3339(),
        age_seconds: core.clock.now().since(one.last).as_secs(),
        entry: one.entry.get(),
        ..DeviceObservation::default()
    };
    match &one.source {
        Source::Capture { sha256 } => shown.sha256 = Some(hex::encode(sha256)),
        Source::File {
            format,
            name,
            sha256,
        } => {
            shown.origin = Some(name.clone()).filter(|name| !name.is_empty());
            shown.format = Some(format.name().to_owned());
            shown.sha256 = Some(hex::encode(sha256));
        }
        Source::Link { link, peer } => {
            shown.origin = Some(link.clone());
            shown.peer = Some(peer_name(core, *peer));
        }
        Source::Person(person) => {
            let named = call.person.permits(Permission::PersonRead);
            shown.person = Some(person.get());
            shown.person_name = core.people.name_of(*person).filter(|_| named);
        }
    }
    shown
}

fn shown_import(imported: &Imported) -> ImportedDevices {
    let lines: Vec<ImportedDevice> = imported.lines.iter().map(line).collect();
    let count = |state: &str| {
        let of = lines.iter().filter(|line| line.state == state).count();
        u64::try_from(of).unwrap_or(u64::MAX)
    };
    ImportedDevices {
        format: imported.format.name().to_owned(),
        sha256: hex::encode(&imported.sha256),
        added: count("added"),
        changed: count("changed"),
        known: count("known"),
        refused: count("refused"),
        entry: imported.entry.map(|entry| entry.get()),
        lines,
    }
}

fn line(line: &Line) -> ImportedDevice {
    let (state, fault, devices) = match &line.state {
        LineState::Added(id) => ("added", None, vec![*id]),
        LineState::Changed(id) => ("changed", None, vec![*id]),
        LineState::Known(id) => ("known", None, vec![*id]),
        LineState::Refused(fault) => {
            let devices = match fault {
                LineFault::Ambiguous(devices) => devices.clone(),
                LineFault::Removed(id) | LineFault::Twice(id) => vec![*id],
                LineFault::BadValue(_) | LineFault::NoKey | LineFault::NotRead => Vec::new(),
            };
            ("refused", Some(fault), devices)
        }
    };
    let attribute = match fault {
        Some(LineFault::BadValue(attribute)) => Some(attribute.name().to_owned()),
        _ => None,
    };
    ImportedDevice {
        line: line.line,
        name: line.name.clone(),
        state: state.to_owned(),
        fault: fault.map(|fault| fault.name().to_owned()),
        attribute,
        devices: devices.into_iter().map(DeviceId::get).collect(),
    }
}
