//! What publishers answer about a hit, and `hits/vex`: what the lab itself says, for others.
//!
//! It must never say more to others than a person of the lab did.

use labward_api::hit::HitPublished;
use labward_base::{Clock as _, Timestamp};
use labward_devices::{Attribute, Shown};
use labward_matching::{Answers, VexDevice, VexHeading, to_openvex};
use labward_records::why_in;
use labward_threats::{Judged, Parts, PublishedAnswer};

use super::call::{Answer, Call};
use super::failure::Failure;
use super::hit::View;
use crate::folder::SITE;
use crate::threat::kin::{kin, parts};

/// `GET hits/vex`
pub(super) fn export(call: &Call) -> Result<Answer, Failure> {
    let core = &call.core;
    let devices = core.devices.list();
    let statements = core.threats.statements();
    let holding = statements.values().filter(|one| one.withdrawn.is_none());
    let said =
        holding.filter_map(|one| one.vex(why_in(&core.keys, SITE, &one.why).unwrap_or_default()));
    let answers = Answers::new([], said);
    let present = devices.iter().filter(|one| one.device.removed.is_none());
    let named: Vec<(u64, String, String)> = present
        .map(|one| {
            let version = one.text(Attribute::Version).unwrap_or_default();
            (one.device.id.get(), iri(one), version)
        })
        .collect();
    let devices: Vec<VexDevice<'_>> = named
        .iter()
        .map(|(key, iri, version)| VexDevice {
            key: *key,
            iri,
            version,
        })
        .collect();
    let now = core.clock.now();
    let lab = core.config().site.name.clone();
    let id = format!("urn:labward:vex:{}:{}", escaped(&lab), now.as_micros());
    let heading = VexHeading {
        id: &id,
        author: &lab,
        issued: now,
        version: 1,
    };
    Ok(Answer::Json(
        to_openvex(&heading, &answers, &devices).into_bytes(),
    ))
}

/// By what others know a device: a package URL of its maker, model, version and serial number.
fn iri(one: &Shown) -> String {
    let of = kin(one);
    let name = match of.model.is_empty() {
        true => format!("device-{}", one.device.id),
        false => of.model,
    };
    let mut iri = "pkg:generic/".to_owned();
    if !of.manufacturer.is_empty() {
        iri.push_str(&escaped(&of.manufacturer));
        iri.push('/');
    }
    iri.push_str(&escaped(&name));
    if !of.version.is_empty() {
        iri.push('@');
        iri.push_str(&escaped(&of.version));
    }
    if let Some(serial) = one.text(Attribute::Serial) {
        iri.push_str("?serial_number=");
        iri.push_str(&escaped(&serial));
    }
    iri
}

/// A text as a part of a package URL.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

/// What publishers say about a hit.
pub(super) fn published(call: &Call, view: &View, judged: Option<&Judged>) -> Vec<HitPublished> {
    let Some(judged) = judged else {
        return Vec::new();
    };
    let device = view.devices.get(&judged.device);
    let parts = device.and_then(|device| parts(&call.core, device));
    let all = judged.published.iter();
    all.map(|one| answer(view, parts.as_ref(), one)).collect()
}

fn answer(view: &View, parts: Option<&Parts>, one: &PublishedAnswer) -> HitPublished {
    let document = view.library.document(one.document);
    let csaf = view.library.advisory(one.document);
    let vex = view.library.vex(one.document);
    let publisher = csaf
        .map(|csaf| csaf.publisher.name.to_string())
        .or_else(|| vex.map(|vex| vex.publisher.clone()));
    let components = parts.map_or(&[][..], |parts| &parts.bill.components);
    let component = one.component.and_then(|place| components.get(place));
    HitPublished {
        document: one.document.get(),
        name: document.map(|one| one.name.clone()).unwrap_or_default(),
        publisher: publisher.unwrap_or_default(),
        status: one.status.as_str().to_owned(),
        justification: one.justification.map(|why| why.as_str().to_owned()),
        words: one.words.as_deref().map(str::to_owned),
        component: component.map(|one| match &one.written {
            Some(purl) => purl.to_string(),
            None => one.name.clone(),
        }),
        said: one.said.map(Timestamp::to_rfc3339),
        maker: one.is_by_maker,
        counts: one.counts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_part_a_package_url_is_escaped() {
        assert_eq!(escaped("B. Braun/é@1"), "B.%20Braun%2F%C3%A9%401");
    }
}
