//! The pages of the devices.
//!
//! It must never decide anything: the API does, in the person's name.

use std::collections::BTreeMap;

use labward_api::device::{
    DeviceChange, DeviceFilter, DeviceShown, Devices, ImportDevices, ImportedDevices, MergeDevices,
    NewDevice,
};
use labward_api::peer::Peer;
use labward_api::{Done, ProblemBody};
use labward_base::remark;
use labward_console::frame::Place;
use labward_console::pages as html;
use labward_console::pages::{DEVICE_FIELDS, DeviceFields, Usual};
use labward_identity::Permission;

use super::pages::{why, written};
use super::visit::{Page, Visit, shown_within};
use crate::http::endpoint::Verb;
use crate::http::failure::Failure;

/// Devices that are offered to be merged at most.
const OFFERED: &str = "1000";

/// `GET /devices`
pub(super) fn devices(visit: &Visit) -> Result<Page, Failure> {
    list_with(visit, &DeviceFields::new(), None)
}

fn list_with(
    visit: &Visit,
    asked: &DeviceFields,
    fault: Option<&ProblemBody>,
) -> Result<Page, Failure> {
    let filter = DeviceFilter {
        q: visit.query.some("q"),
        state: visit.query.some("state"),
        before: visit.query.text("before").parse().ok(),
        limit: Some(html::DEVICES_ON_PAGE),
    };
    let limit = html::DEVICES_ON_PAGE.to_string();
    let before = filter.before.map(|before| before.to_string());
    let pairs = [
        ("q", filter.q.as_deref()),
        ("state", filter.state.as_deref()),
        ("before", before.as_deref()),
        ("limit", Some(&limit)),
    ];
    let page = find(visit, &pairs)?;
    // On the first page without a filter what needs a person stands first.
    let is_plain = filter.q.is_none() && before.is_none();
    let is_plain = is_plain && matches!(filter.state.as_deref(), None | Some("present"));
    let conflicts = match is_plain {
        true => find(visit, &[("state", Some("conflict"))])?.devices,
        false => Vec::new(),
    };
    let frame = visit.frame(Place::Devices);
    written(html::devices(
        &frame,
        &filter,
        &conflicts,
        &page,
        (asked, fault),
    ))
}

/// `POST /devices`
pub(super) fn add(visit: &Visit) -> Result<Page, Failure> {
    let asked: DeviceFields = typed(visit);
    let values = asked.iter().filter(|(_, text)| !text.trim().is_empty());
    let new = NewDevice {
        values: values.cloned().collect(),
        peers: None,
    };
    match visit.post::<DeviceShown>("devices", &[], &new) {
        Ok(one) => done(one.device.id, "added"),
        Err(failure) => list_with(visit, &asked, Some(&shown_within(failure)?)),
    }
}

/// `GET /devices/{id}`
pub(super) fn device(visit: &Visit) -> Result<Page, Failure> {
    device_with(visit, None)
}

pub(super) fn device_with(visit: &Visit, fault: Option<&ProblemBody>) -> Result<Page, Failure> {
    let one = looked_at(visit)?;
    let may = visit.visitor.permits(Permission::DeviceChange);
    let others = match may {
        true => find(visit, &[("limit", Some(OFFERED))])?.devices,
        false => Vec::new(),
    };
    let others: Vec<_> = others
        .into_iter()
        .filter(|other| other.id != one.device.id)
        .collect();
    let peers = match may && visit.visitor.permits(Permission::PeerRead) {
        true => Some(visit.get::<Vec<Peer>>("peers")?),
        false => None,
    };
    let peers = peers.map(|all| all.into_iter().map(|peer| peer.name).collect::<Vec<_>>());
    let hits = super::hits::of_device(visit, visit.text("id"), "open")?;
    let (behaviour, unusual) = super::behaviour::of_device(visit, one.device.id)?;
    let usual = Usual {
        known: behaviour.devices.first(),
        open: &unusual.alerts,
    };
    written(html::device(
        &visit.frame(Place::Devices),
        &one,
        &others,
        peers.as_deref(),
        (&hits, usual),
        fault,
    ))
}

/// `POST /devices/{id}/set`
pub(super) fn set(visit: &Visit) -> Result<Page, Failure> {
    let seen = looked_at(visit)?;
    // What the person left as it was is not their word.
    let now = |field: &str| seen.device.values.get(field).map_or("", String::as_str);
    let typed = typed(visit).into_iter();
    let changed = typed.filter(|(field, text)| same_words(text) != same_words(now(field)));
    let mut peers: Vec<String> = visit.form.all("peer").map(str::to_owned).collect();
    peers.sort();
    let mut bound = seen.device.peers.clone();
    bound.sort();
    let with_peers = !visit.form.text("with-peers").is_empty() && peers != bound;
    let change = DeviceChange {
        revision: revision(visit)?,
        values: changed.collect(),
        peers: with_peers.then_some(peers),
    };
    put(visit, &change)
}

/// `POST /devices/{id}/settle`
pub(super) fn settle(visit: &Visit) -> Result<Page, Failure> {
    let form = &visit.form;
    let value = (
        form.text("attribute").to_owned(),
        form.text("value").to_owned(),
    );
    let change = DeviceChange {
        revision: revision(visit)?,
        values: BTreeMap::from([value]),
        peers: None,
    };
    put(visit, &change)
}

fn put(visit: &Visit, change: &DeviceChange) -> Result<Page, Failure> {
    let params = [("id", visit.text("id"))];
    match visit.post::<DeviceShown>("devices/{id}/set", &params, change) {
        Ok(one) => done(one.device.id, "changed"),
        Err(failure) => device_with(visit, Some(&shown_within(failure)?)),
    }
}

/// `POST /devices/{id}/merge`
pub(super) fn merge(visit: &Visit) -> Result<Page, Failure> {
    let other = visit.form.text("other").parse();
    let asked = MergeDevices {
        other: other.map_err(|_| Failure::misunderstood(remark::query_form()))?,
        why: why(visit).why,
    };
    let params = [("id", visit.text("id"))];
    visit.post::<Done>("devices/{id}/merge", &params, &asked)?;
    done(visit.text("id"), "merged")
}

/// `POST /devices/{id}/split`
pub(super) fn split(visit: &Visit) -> Result<Page, Failure> {
    decide(visit, "devices/{id}/split", "split")
}

/// `POST /devices/{id}/remove`
pub(super) fn remove(visit: &Visit) -> Result<Page, Failure> {
    decide(visit, "devices/{id}/remove", "removed")
}

/// `POST /devices/{id}/restore`
pub(super) fn restore(visit: &Visit) -> Result<Page, Failure> {
    decide(visit, "devices/{id}/restore", "restored")
}

fn decide(visit: &Visit, endpoint: &str, what: &str) -> Result<Page, Failure> {
    let params = [("id", visit.text("id"))];
    visit.post::<Done>(endpoint, &params, &why(visit))?;
    done(visit.text("id"), what)
}

/// `GET /devices/import`
pub(super) fn list(visit: &Visit) -> Result<Page, Failure> {
    written(html::devices_import(
        &visit.frame(Place::Devices),
        "",
        None,
        None,
    ))
}

/// `POST /devices/import`: says what would happen or, once that was seen, does it.
pub(super) fn import(visit: &Visit) -> Result<Page, Failure> {
    let asked = ImportDevices {
        format: None,
        name: String::new(),
        list: visit.form.text("list").to_owned(),
        preview: visit.form.text("apply").is_empty(),
    };
    let frame = visit.frame(Place::Devices);
    let read: Result<ImportedDevices, Failure> = visit.post("devices/import", &[], &asked);
    written(match read {
        Ok(read) => html::devices_import(&frame, &asked.list, Some(&read), None),
        Err(failure) => {
            let fault = shown_within(failure)?;
            html::devices_import(&frame, &asked.list, None, Some(&fault))
        }
    })
}

fn looked_at(visit: &Visit) -> Result<DeviceShown, Failure> {
    visit.ask(
        Verb::Get,
        "devices/{id}",
        &[("id", visit.text("id"))],
        Vec::new(),
    )
}

fn find(visit: &Visit, pairs: &[(&str, Option<&str>)]) -> Result<Devices, Failure> {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, text) in pairs {
        if let Some(text) = text {
            query.append_pair(name, text);
        }
    }
    visit.get(&format!("devices?{}", query.finish()))
}

fn typed(visit: &Visit) -> DeviceFields {
    let field = |field: &&str| {
        let name = format!("value-{field}");
        let text = visit.form.all(&name).next()?.to_owned();
        Some(((*field).to_owned(), text))
    };
    DEVICE_FIELDS.iter().filter_map(field).collect()
}

/// A text without what a browser makes of its white space.
fn same_words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn revision(visit: &Visit) -> Result<u64, Failure> {
    let revision = visit.form.text("revision").parse();
    revision.map_err(|_| Failure::misunderstood(remark::query_form()))
}

fn done(id: impl std::fmt::Display, what: &str) -> Result<Page, Failure> {
    Ok(Page::To(format!("/devices/{id}?done=device-{what}")))
}
