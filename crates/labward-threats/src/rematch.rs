//! Which hits open and close when everything is matched again.
//!
//! It must never close a hit because nothing was looked at: what was matched is told apart from what was not.

use std::collections::{BTreeMap, BTreeSet};

use labward_advisory::csaf::Advisory;
use labward_base::id::{DeviceId, DocumentId, EntryIndex, HitId, StatementId};
use labward_base::{Timestamp, hex};
use labward_matching::{
    Alias, Answer, Answers, Device, Exploited, Matcher, Trail, Verdict, VexStatus, VulnerabilityId,
};
use labward_product::os::OperatingSystem;

use crate::document::{Document, DocumentKind};
use crate::hit::{ClosedBy, Hit, HitKey, Judged, Step};
use crate::library::Library;
use crate::parts::{Index, OSV, Parts};
use crate::statement::{Said, Statement};
use crate::threats::Known;
use crate::vex;

/// What the catalog of known exploited vulnerabilities is called in a hit.
pub const KEV: &str = "KEV";
/// Hits at most; more are told of no device.
const HITS_MAX: usize = 200_000;

/// A device as it is matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its number.
    pub id: DeviceId,
    /// What is known of it.
    pub device: Device,
    /// Its operating system and the build of that, as somebody wrote them; empty if not known.
    pub os: [String; 2],
    /// Its bill of materials, if it has one.
    pub parts: Option<Parts>,
}

/// What the advisories say of each device; the order is that of [`Judged::device`] and [`Judged::key`].
pub(crate) fn judge(
    known: &Known,
    library: &Library,
    statements: &BTreeMap<StatementId, Statement>,
    subjects: &[Subject],
    index: &Index,
) -> Vec<Judged> {
    let answers = answers(statements);
    let matcher = Matcher::new(&known.books, library.advisories());
    let kev = library.kev().zip(library.only(DocumentKind::Kev));
    let exploited = kev.map(|(kev, of)| (Exploited::new(kev, &known.fixes, &known.ends), of));
    let mut judged = Vec::new();
    for subject in subjects {
        let answered = matcher.answers_with(&subject.device, subject.id.get(), &answers);
        let of_advisories = answered.iter();
        let mut of: Vec<Judged> = of_advisories
            .filter_map(|answer| one(library, subject.id, answer))
            .collect();
        if let Some((exploited, document)) = &exploited {
            of_system(subject, exploited, document, &answers, &mut of);
        }
        of.extend(index.judge(subject, &answers));
        let vendors = known.books.vendors();
        vex::answer(vendors, library, subject, &answered, &mut of);
        fold(&mut of);
        judged.append(&mut of);
    }
    judged.sort_by(|one, two| (one.device, &one.key).cmp(&(two.device, &two.key)));
    judged
}

/// Tells a vulnerability of a device once where an advisory about the device and its bill of materials both speak of it: in
/// the hit of the advisory, unless the bill says what the advisory leaves open.
fn fold(of_device: &mut [Judged]) {
    let is_part = |one: &Judged| one.key.advisory == OSV;
    let is_open = |one: &Judged| one.verdict != Verdict::NotAffected && !one.is_summed;
    for at in 0..of_device.len() {
        let Some(part) = of_device.get(at).filter(|one| is_part(one) && is_open(one)) else {
            continue;
        };
        let (verdict, steps) = (part.verdict, part.steps.clone());
        let vulnerability = part.key.vulnerability.clone();
        let same = |one: &&mut Judged| {
            !is_part(one) && is_open(one) && one.key.vulnerability == vulnerability
        };
        let mut others = of_device.iter_mut().filter(same).collect::<Vec<_>>();
        if others.is_empty() {
            continue;
        }
        let is_surer = others.iter().all(|one| one.verdict < verdict);
        for other in &mut others {
            match is_surer {
                true => other.is_summed = true,
                false => other.steps.extend(steps.iter().cloned()),
            }
        }
        let more: Vec<Step> = others.iter().flat_map(|one| one.steps.clone()).collect();
        if let Some(part) = of_device.get_mut(at) {
            match is_surer {
                true => part.steps.extend(more),
                false => part.is_summed = true,
            }
        }
    }
}

/// What the catalog of known exploited vulnerabilities says of a device's operating system: what affects it is
/// a hit each, and one hit stands for everything of which it cannot be told.
fn of_system(
    subject: &Subject,
    exploited: &Exploited<'_>,
    document: &Document,
    answers: &Answers,
    judged: &mut Vec<Judged>,
) {
    let [name, build] = &subject.os;
    let Ok(os) = OperatingSystem::read(name, build) else {
        return;
    };
    let (key, version) = (subject.id.get(), subject.device.version.as_str());
    let mut open = Vec::new();
    for answer in exploited.answers_with(&os, key, version, answers) {
        let Some(entry) = exploited.catalog().entries.get(answer.entry) else {
            continue;
        };
        let reasons: Vec<&'static str> = answer.reasons.iter().map(|one| one.code()).collect();
        let is_open = answer.verdict == Verdict::CannotTell;
        if is_open {
            open.push(reasons.clone());
        }
        judged.push(Judged {
            key: kev_key(entry.cve.to_string()),
            document: document.id,
            place: answer.entry,
            verdict: answer.verdict,
            without: answer.without.as_ref().and_then(|one| one.verdict),
            reasons,
            steps: vec![system_step(name, build, &entry.product, answer.trail.fix)],
            statements: answer
                .stated
                .iter()
                .map(|one| StatementId::new(one.id))
                .collect(),
            is_stated: answer.stated.is_some(),
            is_summed: is_open,
            ..Judged::of(subject.id)
        });
    }
    if !open.is_empty() {
        judged.push(sum(subject, document, &open, answers));
    }
}

/// The hit that stands for every exploited vulnerability of which it cannot be told.
fn sum(
    subject: &Subject,
    document: &Document,
    open: &[Vec<&'static str>],
    answers: &Answers,
) -> Judged {
    let [name, build] = &subject.os;
    let id = VulnerabilityId::Titled {
        advisory: KEV.to_owned(),
        title: name.trim().to_owned(),
    };
    let mut reasons: Vec<&'static str> = open.iter().flatten().copied().collect();
    reasons.sort_unstable();
    reasons.dedup();
    let statements = answers.statements_of(subject.id.get(), &subject.device.version);
    let stated = statements.get(&id);
    let verdict = match stated.map(|one| one.status) {
        Some(VexStatus::Affected) => Verdict::Affected,
        Some(VexStatus::Fixed | VexStatus::NotAffected) => Verdict::NotAffected,
        Some(VexStatus::UnderInvestigation) | None => Verdict::CannotTell,
    };
    Judged {
        key: kev_key(id.to_string()),
        document: document.id,
        verdict,
        without: stated.map(|_| Verdict::CannotTell),
        reasons: match verdict {
            Verdict::CannotTell => reasons,
            Verdict::Affected | Verdict::NotAffected => Vec::new(),
        },
        steps: vec![Step {
            versions: Some(format!("{} CVEs", open.len())),
            ..system_step(name, build, "Windows", None)
        }],
        statements: stated.iter().map(|one| StatementId::new(one.id)).collect(),
        is_stated: stated.is_some(),
        ..Judged::of(subject.id)
    }
}

fn kev_key(vulnerability: String) -> HitKey {
    HitKey {
        publisher: String::new(),
        advisory: KEV.to_owned(),
        vulnerability,
    }
}

fn system_step(
    name: &str,
    build: &str,
    product: &str,
    fix: Option<&labward_matching::Fix>,
) -> Step {
    Step {
        vendor: "Microsoft".to_owned(),
        product: product.to_owned(),
        versions: fix.map(|fix| fix.update_name.clone()),
        found_by: format!("{name} {build}").trim().to_owned(),
        name: "same",
        read_as: None,
        status: "exploited",
    }
}

/// What people said, as it is matched.
fn answers(statements: &BTreeMap<StatementId, Statement>) -> Answers {
    let holding = || statements.values().filter(|one| one.withdrawn.is_none());
    let aliases = holding().filter_map(|one| match &one.said {
        Said::Product {
            manufacturer,
            model,
            vendor,
            product,
            same,
        } => Some(Alias {
            id: one.id.get(),
            said: one.at,
            manufacturer: manufacturer.clone(),
            name: model.clone(),
            vendor: vendor.clone(),
            product: product.clone(),
            is_product: *same,
        }),
        Said::Status { .. } => None,
    });
    let statements = holding().filter_map(|one| one.vex(String::new()));
    Answers::new(aliases, statements)
}

fn one(library: &Library, device: DeviceId, answer: &Answer) -> Option<Judged> {
    let document = library.document_at(answer.advisory)?;
    let advisory = library.advisories().get(answer.advisory)?;
    let vulnerability = VulnerabilityId::of(advisory, answer.vulnerability)?;
    let aliases = answer.trails.iter().filter_map(|trail| trail.person);
    let stated = answer.stated.map(|stated| stated.id);
    let statements: BTreeSet<StatementId> = aliases.chain(stated).map(StatementId::new).collect();
    Some(Judged {
        key: HitKey {
            publisher: document.publisher.clone(),
            advisory: document.name.clone(),
            vulnerability: vulnerability.to_string(),
        },
        document: document.id,
        place: answer.vulnerability,
        verdict: answer.verdict,
        without: answer.without.as_ref().and_then(|one| one.verdict),
        reasons: answer.reasons.iter().map(|reason| reason.code()).collect(),
        steps: answer
            .trails
            .iter()
            .filter_map(|trail| step(advisory, trail))
            .collect(),
        statements: statements.into_iter().collect(),
        is_stated: answer.stated.is_some(),
        ..Judged::of(device)
    })
}

fn step(advisory: &Advisory, trail: &Trail) -> Option<Step> {
    let product = advisory.product(trail.product)?;
    let name = product.name.as_deref().or(product.family.as_deref());
    Some(Step {
        vendor: product.vendor.as_deref().unwrap_or_default().to_owned(),
        product: name.unwrap_or(&product.full_name).to_owned(),
        versions: product.version.as_ref().map(|one| one.text.to_string()),
        found_by: trail.found_by.clone(),
        name: trail.name.code(),
        read_as: trail.how.map(labward_product::range::How::code),
        status: trail.status.as_str(),
    })
}

/// The hits that are other than before.
pub(crate) fn settle(
    hits: &BTreeMap<HitId, Hit>,
    judged: &[Judged],
    subjects: &[Subject],
    unread: &[DocumentId],
    now: Timestamp,
) -> Vec<Hit> {
    let versions: BTreeMap<DeviceId, [String; 2]> =
        subjects.iter().map(|one| (one.id, stands(one))).collect();
    let known: BTreeMap<(DeviceId, &HitKey), &Hit> = hits
        .values()
        .map(|hit| ((hit.device, &hit.key), hit))
        .collect();
    let mut told: BTreeSet<(DeviceId, &HitKey)> = BTreeSet::new();
    let mut changed = Vec::new();
    let last = hits.last_key_value().map_or(0, |(id, _)| id.get());
    let mut next = last;
    for one in judged
        .iter()
        .filter(|one| one.verdict != Verdict::NotAffected && !one.is_summed)
    {
        // One document may say the same vulnerability twice; the verdict that harms more counts.
        if !told.insert((one.device, &one.key)) {
            continue;
        }
        let version = versions.get(&one.device);
        let version = version.map_or("", |all| of_key(all, &one.key));
        match known.get(&(one.device, &one.key)) {
            Some(hit) => changed.extend(still(hit, one, version, now)),
            None if hits.len() + changed.len() < HITS_MAX => {
                next = next.saturating_add(1);
                changed.push(opened(HitId::new(next), one, version, now));
            }
            None => {}
        }
    }
    for hit in hits.values().filter(|hit| hit.closed.is_none()) {
        // What was not looked at closes nothing.
        let is_unseen = !unread.is_empty() && hit.key.advisory == OSV;
        if is_unseen || told.contains(&(hit.device, &hit.key)) {
            continue;
        }
        let mut hit = hit.clone();
        hit.closed = Some((now, why_closed(&hit, judged, &versions)));
        changed.push(hit);
    }
    changed
}

fn opened(id: HitId, one: &Judged, version: &str, now: Timestamp) -> Hit {
    Hit {
        id,
        device: one.device,
        key: one.key.clone(),
        verdict: one.verdict,
        version: version.to_owned(),
        found: now,
        opened: now,
        closed: None,
        entry: EntryIndex::new(0),
    }
}

/// A hit that is there already: nothing if it is as it was.
fn still(hit: &Hit, one: &Judged, version: &str, now: Timestamp) -> Option<Hit> {
    if hit.closed.is_none() && hit.verdict == one.verdict {
        return None;
    }
    let opened = match hit.closed {
        Some(_) => now,
        None => hit.opened,
    };
    Some(Hit {
        verdict: one.verdict,
        version: version.to_owned(),
        opened,
        closed: None,
        ..hit.clone()
    })
}

fn why_closed(
    hit: &Hit,
    judged: &[Judged],
    versions: &BTreeMap<DeviceId, [String; 2]>,
) -> ClosedBy {
    let Some(versions) = versions.get(&hit.device) else {
        return ClosedBy::DeviceRemoved;
    };
    let of = |one: &&Judged| one.device == hit.device && one.key == hit.key;
    let found = judged.iter().find(of);
    let decides = |one: &Judged| one.without != Some(Verdict::NotAffected);
    if found.is_some_and(|one| one.published.iter().any(|said| said.counts) && decides(one)) {
        return ClosedBy::Vex;
    }
    if found.is_some_and(|one| !one.statements.is_empty() && decides(one)) {
        return ClosedBy::Statement;
    }
    match (
        of_key(versions, &hit.key) == hit.version,
        hit.key.advisory == OSV,
    ) {
        (true, _) => ClosedBy::Advisory,
        (false, true) => ClosedBy::Sbom,
        (false, false) => ClosedBy::Retest,
    }
}

/// What a device is hit by: the version of its software, and the SHA-256 of its bill of materials.
fn stands(one: &Subject) -> [String; 2] {
    let bill = one.parts.as_ref().map(|parts| hex::encode(&parts.sha256));
    [one.device.version.clone(), bill.unwrap_or_default()]
}

/// That of both which decides about a hit.
fn of_key<'v>([version, bill]: &'v [String; 2], key: &HitKey) -> &'v str {
    match key.advisory == OSV {
        true => bill,
        false => version,
    }
}
