//! `devices/{id}/sbom`, `devices/{id}/mds2`, `components`, `disclosures`: what manufacturers disclose of devices.
//!
//! It must never show who attached something to somebody who may not see people, or keep a file that cannot be read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use labward_api::Why;
use labward_api::device::DeviceShown;
use labward_api::disclosure::{
    AttachDisclosure, AttachedDisclosure, ComponentFilter, DeviceComponent, DeviceComponents,
    DeviceDisclosure, DeviceMds2, Mds2Answer, Mds2Disclosure, Mds2Section,
};
use labward_base::id::{DeviceId, DisclosureId};
use labward_base::{Clock as _, Timestamp, hex, problem};
use labward_devices::{Attribute, DevicesError, Shown};
use labward_disclosures::{Content, DisclosureKind, Held, NewDisclosure, Scope, operating_system};
use labward_matching::{Component, package_of_purl};
use labward_mds2::{Answer as Word, Disclosed, FlawKind, Mds2};
use labward_threats::Judged;

use super::approval;
use super::call::{Answer, Call, reason};
use super::failure::Failure;
use super::hit::{hit_device, page, person_name};
use crate::app::Core;
use crate::backup::sealed_why;
use crate::threat::kin::{disclosure, kin};
use crate::threat::rematch;

/// `POST devices/{id}/sbom`
pub(super) fn attach_sbom(call: &Call) -> Result<Answer, Failure> {
    attach(call, DisclosureKind::Sbom)
}

/// `POST devices/{id}/mds2`
pub(super) fn attach_mds2(call: &Call) -> Result<Answer, Failure> {
    attach(call, DisclosureKind::Mds2)
}

fn attach(call: &Call, kind: DisclosureKind) -> Result<Answer, Failure> {
    let asked: AttachDisclosure = call.query()?;
    let id: DeviceId = call.param("id")?;
    let core = &call.core;
    let device = core.devices.get(id)?;
    if device.device.removed.is_some() {
        return Err(DevicesError::Removed(id).into());
    }
    let scope = match asked.model {
        true => of_model(&device)?,
        false => Scope::Device(device.device.id),
    };
    let new = NewDisclosure::read(kind, &asked.file, &call.body)?;
    let now = core.clock.now();
    let held = core.disclosures.attach(new, scope, call.by(), now)?;
    let changed = match &held.content {
        Content::Mds2(mds2) => say(call, &held, mds2)?,
        Content::Sbom(_) => 0,
    };
    let matched = rematch(core)?;
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    Answer::json(&AttachedDisclosure {
        disclosure: shown(call, &held),
        opened: count(matched.changed.0),
        closed: count(matched.changed.1),
        changed: count(changed),
    })
}

/// The model of a device, in its version if that is known.
pub(super) fn of_model(device: &Shown) -> Result<Scope, Failure> {
    let kin = kin(device);
    let scope = Scope::model(&kin.manufacturer, &kin.model, &kin.version);
    scope.ok_or_else(|| Failure::new(&problem::DEVICE_NO_MODEL))
}

/// Has the devices know what a disclosure says of them; of how many it says something new.
fn say(call: &Call, held: &Held, mds2: &Mds2) -> Result<usize, Failure> {
    let core = &call.core;
    let devices = core.devices.list().into_iter();
    let present = devices.filter(|one| one.device.removed.is_none());
    let of_it = present.filter(|one| {
        let counting = disclosure(core, DisclosureKind::Mds2, one);
        counting.is_some_and(|counting| counting.about.id == held.about.id)
    });
    let ids: Vec<DeviceId> = of_it.map(|one| one.device.id).collect();
    let about = &held.about;
    let (now, file) = (core.clock.now(), (about.file.as_str(), about.sha256));
    let said = core
        .devices
        .disclosed(&ids, &values(mds2), file, call.by(), now)?;
    Ok(said.map_or(0, |(_, changed)| changed))
}

/// What a disclosure says that is known of devices, too.
fn values(mds2: &Mds2) -> Vec<(Attribute, String)> {
    let of = |wanted: &str| {
        let all = mds2.disclosures();
        let found = all.into_iter().find(|one| one.capability.name() == wanted);
        found.map(|one| one.disclosed)
    };
    let malware = of("anti-malware").and_then(|said| match said {
        Disclosed::No => Some("not supported"),
        Disclosed::Yes => Some(match of("anti-malware-by-owner") {
            Some(Disclosed::Yes) => "supported, by the owner",
            _ => "supported",
        }),
        Disclosed::NotApplicable | Disclosed::Unanswered | Disclosed::Unclear => None,
    });
    let patching = match (of("os-updates-by-owner"), of("os-updates-by-vendor-only")) {
        (_, Some(Disclosed::Yes)) => Some("vendor"),
        (Some(Disclosed::Yes), _) => Some("owner"),
        _ => None,
    };
    let os = operating_system(mds2);
    let texts = [
        (Attribute::Manufacturer, mds2.manufacturer.as_deref()),
        (Attribute::Model, mds2.model.as_deref()),
        (Attribute::Os, os.as_deref()),
        (Attribute::AntiMalware, malware),
        (Attribute::Patching, patching),
    ];
    let said = texts
        .into_iter()
        .filter_map(|(attribute, text)| Some((attribute, text?.to_owned())));
    // What is no value, such as one that is far too long, is left to the page of the disclosure.
    said.filter(|(attribute, text)| attribute.read(text).is_ok())
        .collect()
}

/// `POST disclosures/{id}/remove`
pub(super) fn remove(call: &Call) -> Result<Answer, Failure> {
    let id: DisclosureId = call.param("id")?;
    let asked: Why = call.json()?;
    let core = &call.core;
    let why = sealed_why(core, reason(&asked.why)?)?;
    let entry = core.disclosures.remove(id, call.by(), why)?;
    rematch(core)?;
    Answer::done(Some(entry))
}

/// `GET components`
pub(super) fn components(call: &Call) -> Result<Answer, Failure> {
    let asked: ComponentFilter = call.query()?;
    let core = &call.core;
    let devices: Vec<Shown> = match asked.device {
        Some(id) => vec![core.devices.get(DeviceId::new(id))?],
        None => {
            let all = core.devices.list().into_iter();
            all.filter(|one| one.device.removed.is_none()).collect()
        }
    };
    let wanted = asked.q.unwrap_or_default().trim().to_lowercase();
    let (skip, limit) = page(asked.skip, asked.limit);
    let vulnerable = vulnerable(core);
    let mut page = DeviceComponents::default();
    let (mut total, mut bills) = (0_usize, 0_u64);
    for device in &devices {
        let Some(held) = disclosure(core, DisclosureKind::Sbom, device) else {
            continue;
        };
        bills += 1;
        let bill = held.bill().map(|bill| bill.components.as_slice());
        let of = vulnerable.get(&device.device.id);
        for (place, one) in bill.unwrap_or_default().iter().enumerate() {
            if !holds(one, &wanted) {
                continue;
            }
            if total >= skip && page.components.len() < limit {
                let shown = component(device, one, of.and_then(|of| of.get(&place)));
                page.components.push(shown);
            }
            total += 1;
        }
        if asked.device.is_some() {
            page.sbom = Some(shown(call, &held));
        }
    }
    let end = skip.saturating_add(page.components.len());
    page.next = (end < total).then(|| u32::try_from(end).unwrap_or(u32::MAX));
    page.total = u64::try_from(total).unwrap_or(u64::MAX);
    page.devices = bills;
    Answer::json(&page)
}

/// By device and place of the component: by which vulnerabilities it makes an open hit.
fn vulnerable(core: &Core) -> BTreeMap<DeviceId, BTreeMap<usize, BTreeSet<String>>> {
    let matched = core.threats.matched();
    let mut all: BTreeMap<DeviceId, BTreeMap<usize, BTreeSet<String>>> = BTreeMap::new();
    let is_open = |one: &&Judged| one.verdict != labward_matching::Verdict::NotAffected;
    for one in matched.judged.iter().filter(is_open) {
        for place in &one.components {
            let of = all.entry(one.device).or_default().entry(*place);
            of.or_default().insert(one.key.vulnerability.clone());
        }
    }
    all
}

fn holds(one: &Component, wanted: &str) -> bool {
    let texts = [&one.version, &one.supplier, &one.written];
    let texts = texts.into_iter().filter_map(|text| text.as_deref());
    std::iter::once(one.name.as_str())
        .chain(texts)
        .any(|text| text.to_lowercase().contains(wanted))
}

fn component(device: &Shown, one: &Component, of: Option<&BTreeSet<String>>) -> DeviceComponent {
    let owned = |text: &Option<labward_advisory::Text>| text.as_deref().map(str::to_owned);
    DeviceComponent {
        device: hit_device(device.device.id, Some(device)),
        name: one.name.clone(),
        version: owned(&one.version),
        supplier: owned(&one.supplier),
        purl: owned(&one.written),
        matchable: one
            .purl
            .as_ref()
            .is_some_and(|purl| package_of_purl(purl).is_some()),
        vulnerabilities: of.into_iter().flatten().cloned().collect(),
    }
}

/// `GET devices/{id}/mds2`
pub(super) fn show_mds2(call: &Call) -> Result<Answer, Failure> {
    let device = call.core.devices.get(call.param("id")?)?;
    let held = disclosure(&call.core, DisclosureKind::Mds2, &device);
    let held = held.ok_or_else(|| Failure::new(&problem::DEVICE_NO_DISCLOSURE))?;
    let mds2 = held
        .mds2()
        .ok_or_else(|| Failure::new(&problem::DEVICE_NO_DISCLOSURE))?;
    let owned = |text: &Option<labward_mds2::Text>| text.as_deref().map(str::to_owned);
    let missing = mds2
        .flaws
        .iter()
        .filter(|flaw| flaw.kind == FlawKind::Missing);
    let released = mds2.released_on.map(|date| date.to_string());
    Answer::json(&DeviceMds2 {
        disclosure: shown(call, &held),
        manufacturer: owned(&mds2.manufacturer),
        model: owned(&mds2.model),
        description: owned(&mds2.description),
        document: owned(&mds2.document),
        released: released.or_else(|| owned(&mds2.released)),
        disclosures: mds2.disclosures().iter().map(said).collect(),
        sections: sections(mds2),
        missing: u64::try_from(missing.count()).unwrap_or(u64::MAX),
    })
}

fn said(one: &labward_mds2::Disclosure) -> Mds2Disclosure {
    Mds2Disclosure {
        capability: one.capability.name().to_owned(),
        disclosed: one.disclosed.name().to_owned(),
        question: one.question.to_owned(),
        note: one.note.as_deref().map(str::to_owned),
    }
}

fn sections(mds2: &Mds2) -> Vec<Mds2Section> {
    let mut all: Vec<Mds2Section> = Vec::new();
    for (id, one) in &mds2.answers {
        let id = id.to_string();
        let section = id.split('-').next().unwrap_or_default().to_owned();
        let answer = Mds2Answer {
            question: one.question.to_string(),
            answer: word(&one.answer).to_owned(),
            note: one.note.as_deref().map(str::to_owned),
            id,
        };
        match all.iter_mut().find(|of| of.section == section) {
            Some(of) => of.answers.push(answer),
            None => all.push(Mds2Section {
                section,
                answers: vec![answer],
            }),
        }
    }
    all
}

fn word(answer: &Word) -> &str {
    match answer {
        Word::No => "No",
        Word::NotApplicable => "N/A",
        Word::SeeNote => "See Note",
        Word::Text(text) => text,
        Word::Unanswered => "",
        Word::Yes => "Yes",
    }
}

/// Adds to a device what is disclosed of it.
pub(super) fn disclosed(call: &Call, one: &Shown, mut device: DeviceShown) -> DeviceShown {
    let of = |kind| {
        let held: Option<Arc<Held>> = disclosure(&call.core, kind, one);
        held.map(|held| shown(call, &held))
    };
    device.sbom = of(DisclosureKind::Sbom);
    device.mds2 = of(DisclosureKind::Mds2);
    device.approvals = approval::of(call, one);
    device
}

fn shown(call: &Call, held: &Held) -> DeviceDisclosure {
    let about = &held.about;
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let mut shown = DeviceDisclosure {
        id: about.id.get(),
        kind: about.kind.name().to_owned(),
        file: about.file.clone(),
        sha256: hex::encode(&about.sha256),
        size_bytes: about.size_bytes,
        person: about.person.get(),
        person_name: person_name(call, about.person),
        attached: about.attached.to_rfc3339(),
        entry: about.entry.get(),
        ..DeviceDisclosure::default()
    };
    match &about.scope {
        Scope::Device(id) => shown.device = Some(id.get()),
        Scope::Model {
            manufacturer,
            model,
            version,
        } => {
            shown.manufacturer.clone_from(manufacturer);
            shown.model.clone_from(model);
            shown.version.clone_from(version);
        }
    }
    match &held.content {
        Content::Mds2(mds2) => {
            let answered = mds2.answers.values();
            let answered = answered.filter(|one| one.answer != Word::Unanswered);
            shown.total = count(answered.count());
            let missing = |kind| kind == FlawKind::Missing;
            let flaws = mds2.flaws.iter().filter(|flaw| !missing(flaw.kind));
            shown.flaws = count(flaws.count());
        }
        Content::Sbom(bill) => {
            shown.format = Some(bill.format.to_owned());
            shown.made = bill.made.map(Timestamp::to_rfc3339);
            shown.total = count(bill.components.len());
            shown.matchable = count(bill.matchable());
            shown.flaws = count(bill.flaws);
        }
    }
    shown
}
