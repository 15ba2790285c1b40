//! `device`: what devices the lab has.

use std::io::{Result, Write};
use std::path::Path;

use labward_api::device::{
    Device, DeviceAttribute, DeviceChange, DeviceConflict, DeviceObservation, DeviceShown, Devices,
    ImportDevices, ImportedDevice, ImportedDevices, MergeDevices, NewDevice,
};
use labward_api::{Done, Why};
use labward_base::problem;

use super::{Context, behaviour, capture, device_mds2, disclosure, read};
use crate::args::{DeviceCommand, DeviceListFormat, DeviceValues};
use crate::failure::Failure;
use crate::output::{or_dash, show, table};
use crate::prompt;

/// `labward device …`
pub(super) fn run(context: &Context, command: &DeviceCommand) -> std::result::Result<(), Failure> {
    match command {
        DeviceCommand::Behaviour(command) => behaviour::run(context, command),
        DeviceCommand::Listen(arguments) => capture::listen(context, arguments),
        DeviceCommand::ReadCapture(arguments) => capture::read_capture(context, arguments),
        DeviceCommand::ReadMds2(arguments) => device_mds2::run(context, arguments),
        DeviceCommand::AttachSbom(arguments) => disclosure::attach(context, "sbom", arguments),
        DeviceCommand::AttachMds2(arguments) => disclosure::attach(context, "mds2", arguments),
        DeviceCommand::Detach { disclosure, why } => {
            disclosure::detach(context, *disclosure, why.as_deref())
        }
        DeviceCommand::Components { id, find } => {
            disclosure::components(context, *id, find.as_deref())
        }
        DeviceCommand::Mds2 { id, all } => disclosure::mds2(context, *id, *all),
        DeviceCommand::Approvals { find, all } => {
            disclosure::approvals(context, find.as_deref(), *all)
        }
        DeviceCommand::Approve(arguments) => disclosure::approve(context, arguments),
        DeviceCommand::Unapprove { approval, why } => {
            disclosure::unapprove(context, *approval, why.as_deref())
        }
        DeviceCommand::List { find, state } => list(context, find.as_deref(), state.name()),
        DeviceCommand::Show { id } => {
            let one: DeviceShown = context.client.get(&format!("devices/{id}"), &[])?;
            show(context.json, &one, |out| shown(out, &one))
        }
        DeviceCommand::Add(values) => {
            let new = NewDevice {
                values: values.values.iter().cloned().collect(),
                peers: peers(values),
            };
            let one: DeviceShown = context.client.post("devices", &new)?;
            let id = one.device.id;
            show(context.json, &one, |out| writeln!(out, "device {id} added"))
        }
        DeviceCommand::Set { id, values } => set(context, *id, values),
        DeviceCommand::Merge { id, other, why } => {
            let asked = MergeDevices {
                other: *other,
                why: prompt::why(why.as_deref())?,
            };
            let done: Done = context
                .client
                .post(&format!("devices/{id}/merge"), &asked)?;
            show(context.json, &done, |out| {
                writeln!(out, "device {other} belongs to device {id} now")
            })
        }
        DeviceCommand::Split { id, why } => decide(
            context,
            *id,
            "split",
            why.as_deref(),
            "stands for itself again",
        ),
        DeviceCommand::Remove { id, why } => {
            decide(context, *id, "remove", why.as_deref(), "is removed")
        }
        DeviceCommand::Restore { id, why } => {
            decide(context, *id, "restore", why.as_deref(), "is there again")
        }
        DeviceCommand::Import {
            file,
            format,
            preview,
        } => import(context, file, *format, *preview),
    }
}

fn list(context: &Context, find: Option<&str>, state: &str) -> std::result::Result<(), Failure> {
    let mut all = Devices::default();
    let mut before = None;
    loop {
        let mut query = vec![("state", state.to_owned()), ("limit", "1000".to_owned())];
        query.extend(find.map(|find| ("q", find.to_owned())));
        query.extend(before.map(|before: u64| ("before", before.to_string())));
        let page: Devices = context.client.get("devices", &query)?;
        all.total = page.total;
        all.devices.extend(page.devices);
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    show(context.json, &all, |out| devices(out, &all.devices))
}

fn set(context: &Context, id: u64, values: &DeviceValues) -> std::result::Result<(), Failure> {
    let path = format!("devices/{id}");
    let seen: DeviceShown = context.client.get(&path, &[])?;
    let change = DeviceChange {
        revision: seen.device.revision,
        values: values.values.iter().cloned().collect(),
        peers: peers(values),
    };
    let one: DeviceShown = context.client.post(&format!("{path}/set"), &change)?;
    show(context.json, &one, |out| shown(out, &one))
}

fn peers(values: &DeviceValues) -> Option<Vec<String>> {
    (values.no_peer || !values.peers.is_empty()).then(|| values.peers.clone())
}

fn decide(
    context: &Context,
    id: u64,
    what: &str,
    why: Option<&str>,
    done_words: &str,
) -> std::result::Result<(), Failure> {
    let asked = Why {
        why: prompt::why(why)?,
    };
    let done: Done = context
        .client
        .post(&format!("devices/{id}/{what}"), &asked)?;
    show(context.json, &done, |out| {
        writeln!(out, "device {id} {done_words}")
    })
}

fn import(
    context: &Context,
    file: &Path,
    format: Option<DeviceListFormat>,
    preview: bool,
) -> std::result::Result<(), Failure> {
    let list = String::from_utf8(read(file)?).map_err(|_| {
        let place = format!("{} is not UTF-8", file.display());
        Failure::new(&problem::DEVICE_BAD_LIST, place)
    })?;
    let name = file
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let asked = ImportDevices {
        format: format.map(|format| format.name().to_owned()),
        name: name.unwrap_or_default(),
        list,
        preview,
    };
    let done: ImportedDevices = context.client.post("devices/import", &asked)?;
    show(context.json, &done, |out| imported(out, &done, preview))
}

fn imported(out: &mut dyn Write, done: &ImportedDevices, preview: bool) -> Result<()> {
    let rows: Vec<Vec<String>> = done.lines.iter().map(line).collect();
    table(out, &["line", "name", "what", "device"], &rows)?;
    let words = if preview { "would be" } else { "are" };
    writeln!(
        out,
        "{}: {} {words} added, {} {words} changed, {} known, {} refused",
        done.format, done.added, done.changed, done.known, done.refused
    )
}

fn line(one: &ImportedDevice) -> Vec<String> {
    let what = match (one.fault.as_deref(), one.attribute.as_deref()) {
        (Some(fault), Some(attribute)) => format!("refused: {fault} ({attribute})"),
        (Some(fault), None) => format!("refused: {fault}"),
        (None, _) => one.state.clone(),
    };
    let devices: Vec<String> = one.devices.iter().map(ToString::to_string).collect();
    vec![
        one.line.to_string(),
        one.name.clone(),
        what,
        devices.join(", "),
    ]
}

fn devices(out: &mut dyn Write, all: &[Device]) -> Result<()> {
    let head = [
        "device",
        "name",
        "manufacturer",
        "model",
        "version",
        "serial",
        "peers",
        "conflicts",
    ];
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|one| {
            let value = |name: &str| or_dash(one.values.get(name).map(String::as_str));
            let conflicts: Vec<String> = one.conflicts.iter().map(conflict).collect();
            vec![
                one.id.to_string(),
                value("name"),
                value("manufacturer"),
                value("model"),
                value("version"),
                value("serial"),
                one.peers.join(", "),
                conflicts.join(", "),
            ]
        })
        .collect();
    table(out, &head, &rows)
}

fn conflict(one: &DeviceConflict) -> String {
    match (&one.attribute, &one.key) {
        (Some(attribute), _) => format!("{attribute}: sources disagree"),
        (None, Some(key)) => {
            let others: Vec<String> = one.devices.iter().map(ToString::to_string).collect();
            format!("{key}: as device {}", others.join(", "))
        }
        (None, None) => one.kind.clone(),
    }
}

fn shown(out: &mut dyn Write, one: &DeviceShown) -> Result<()> {
    let device = &one.device;
    writeln!(out, "device {}, revision {}", device.id, device.revision)?;
    if let Some(removed) = &device.removed {
        writeln!(out, "removed {removed}")?;
    }
    if !device.peers.is_empty() {
        writeln!(out, "peers: {}", device.peers.join(", "))?;
    }
    for id in &device.merged {
        writeln!(out, "device {id} is merged into it")?;
    }
    for one in &device.conflicts {
        writeln!(out, "conflict: {}", conflict(one))?;
    }
    for one in one.sbom.iter().chain(&one.mds2) {
        disclosure::disclosed(out, one)?;
    }
    if !one.approvals.is_empty() {
        disclosure::patches(out, &one.approvals)?;
        writeln!(out)?;
    }
    let rows: Vec<Vec<String>> = one.attributes.iter().flat_map(attribute).collect();
    table(
        out,
        &[
            "attribute",
            "value",
            "counts",
            "source",
            "confidence",
            "last",
        ],
        &rows,
    )
}

fn attribute(one: &DeviceAttribute) -> Vec<Vec<String>> {
    let row = |observed: &DeviceObservation| {
        let counts = match (one.values.contains(&observed.value), observed.current) {
            (true, true) => "yes",
            (false, true) => "no",
            (_, false) => "before",
        };
        vec![
            one.attribute.clone(),
            observed.value.clone(),
            counts.to_owned(),
            source(observed),
            observed.confidence.clone(),
            observed.last.clone(),
        ]
    };
    one.observed.iter().map(row).collect()
}

fn source(one: &DeviceObservation) -> String {
    let origin = one.origin.as_deref().unwrap_or_default();
    match (&one.peer, &one.format, one.person) {
        (Some(peer), ..) => format!("peer {peer} on {origin}"),
        (None, Some(format), _) => format!("{format} {origin}").trim_end().to_owned(),
        (None, None, Some(person)) => {
            let name = one.person_name.clone();
            name.unwrap_or_else(|| format!("person {person}"))
        }
        (None, None, None) => one.source.clone(),
    }
}
