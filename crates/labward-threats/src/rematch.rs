//! Which hits open and close when everything is matched again.
//!
//! It must never close a hit because nothing was looked at: what was matched is told apart from what was not.

use std::collections::{BTreeMap, BTreeSet};

use labward_advisory::csaf::Advisory;
use labward_base::Timestamp;
use labward_base::id::{DeviceId, EntryIndex, HitId, StatementId};
use labward_matching::{
    Alias, Answer, Answers, Device, Exploited, Matcher, Statement as VexStatement, Trail, Verdict,
    VexStatus, VulnerabilityId,
};
use labward_product::os::OperatingSystem;

use crate::document::{Document, DocumentKind};
use crate::hit::{ClosedBy, Hit, HitKey, Judged, Step};
use crate::library::Library;
use crate::statement::{Said, Statement, Status};
use crate::threats::Known;

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
}

/// What the advisories say of each device; the order is that of [`Judged::device`] and [`Judged::key`].
pub(crate) fn judge(
    known: &Known,
    library: &Library,
    statements: &BTreeMap<StatementId, Statement>,
    subjects: &[Subject],
) -> Vec<Judged> {
    let answers = answers(statements);
    let matcher = Matcher::new(&known.books, library.advisories());
    let kev = library.kev().zip(library.only(DocumentKind::Kev));
    let exploited = kev.map(|(kev, of)| (Exploited::new(kev, &known.fixes, &known.ends), of));
    let mut judged = Vec::new();
    for subject in subjects {
        let of = matcher.answers_with(&subject.device, subject.id.get(), &answers);
        let of = of
            .into_iter()
            .filter_map(|answer| one(library, subject.id, &answer));
        judged.extend(of);
        if let Some((exploited, document)) = &exploited {
            of_system(subject, exploited, document, &answers, &mut judged);
        }
    }
    judged.sort_by(|one, two| (one.device, &one.key).cmp(&(two.device, &two.key)));
    judged
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
            device: subject.id,
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
            is_summed: is_open,
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
        device: subject.id,
        key: kev_key(id.to_string()),
        document: document.id,
        place: usize::MAX,
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
        is_summed: false,
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
    let statements = holding().filter_map(|one| match &one.said {
        Said::Product { .. } => None,
        Said::Status {
            device,
            vulnerability,
            status,
            version,
        } => Some(VexStatement {
            id: one.id.get(),
            said: one.at,
            device: device.get(),
            version: version.clone(),
            vulnerability: vulnerability.clone(),
            status: match status {
                Status::Affected => VexStatus::Affected,
                Status::Fixed => VexStatus::Fixed,
                Status::NotAffected => VexStatus::NotAffected,
            },
            justification: None,
            words: String::new(),
        }),
    });
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
        device,
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
        is_summed: false,
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
    now: Timestamp,
) -> Vec<Hit> {
    let versions: BTreeMap<DeviceId, &str> = subjects
        .iter()
        .map(|one| (one.id, one.device.version.as_str()))
        .collect();
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
        let version = versions.get(&one.device).copied().unwrap_or_default();
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
        if told.contains(&(hit.device, &hit.key)) {
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

fn why_closed(hit: &Hit, judged: &[Judged], versions: &BTreeMap<DeviceId, &str>) -> ClosedBy {
    let Some(version) = versions.get(&hit.device) else {
        return ClosedBy::DeviceRemoved;
    };
    let of = |one: &&Judged| one.device == hit.device && one.key == hit.key;
    let by_person = judged
        .iter()
        .find(of)
        .is_some_and(|one| !one.statements.is_empty() && one.without != Some(Verdict::NotAffected));
    match (by_person, *version == hit.version) {
        (true, _) => ClosedBy::Statement,
        (false, false) => ClosedBy::Retest,
        (false, true) => ClosedBy::Advisory,
    }
}
