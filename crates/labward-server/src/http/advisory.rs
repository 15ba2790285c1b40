//! `advisories`: what publishers say that the lab holds, where it comes from and how old it is.
//!
//! It must never keep a document whose hash or signature is bad, or leave out in silence what it cannot read.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use labward_advisory::bundle::{Beside, Bounds, Kind, Walked, walk};
use labward_advisory::csaf::{Advisory as Csaf, Product};
use labward_api::advisory::{
    Advisories, Advisory, AdvisoryFilter, AdvisoryNote, AdvisoryProduct, AdvisoryShown,
    AdvisorySource, AdvisoryVulnerability, AnnouncedKey, ImportAdvisories, ImportedAdvisories,
    ImportedAdvisory, SourceFault,
};
use labward_base::id::{DeviceId, DocumentId};
use labward_base::{Clock as _, Timestamp, hex, problem, remark};
use labward_matching::{Verdict, VulnerabilityId};
use labward_threats::{
    Document, DocumentKind, Imported, Intake, Library, LineState, Matched, Source,
};

use super::call::{Answer, Call};
use super::failure::Failure;
use super::hit::{View, hit, hit_device, no_document, page, references, remediations, worst};
use crate::app::Core;
use crate::threat::intake::{Keys, take};
use crate::threat::rematch;

/// Lines that are told of an import at most.
const LINES_MAX: usize = 1_000;
/// Documents of a list that could not be taken over that are told of at most.
const FAULTS_MAX: usize = 100;
const DAY: Duration = Duration::from_secs(86_400);

/// `GET advisories`
pub(super) fn list(call: &Call) -> Result<Answer, Failure> {
    let asked: AdvisoryFilter = call.query()?;
    let core = &call.core;
    let (library, matched) = (core.threats.library(), core.threats.matched());
    let concerned = concerned(&matched);
    let only_hits = match asked.state.as_deref().unwrap_or_default() {
        "" | "all" => false,
        "hit" => true,
        _ => return Err(Failure::misunderstood(remark::query_form())),
    };
    let wanted = asked.q.unwrap_or_default().trim().to_lowercase();
    let source = asked.source.filter(|name| !name.is_empty());
    let fits = |one: &&Document| {
        source.as_ref().is_none_or(|name| one.source == *name)
            && (!only_hits || concerned.get(&one.id).is_some_and(|of| of.is_hit()))
            && holds(&library, one, &wanted)
    };
    let mut kept: Vec<&Document> = library.documents().filter(fits).collect();
    kept.sort_by_key(|one| std::cmp::Reverse((one.released, one.id)));
    let total = kept.len();
    let (skip, limit) = page(asked.skip, asked.limit);
    let shown = kept.iter().skip(skip).take(limit);
    let advisories: Vec<Advisory> = shown
        .map(|one| advisory(&library, one, concerned.get(&one.id)))
        .collect();
    let end = skip.saturating_add(advisories.len());
    Answer::json(&Advisories {
        next: (end < total).then(|| u32::try_from(end).unwrap_or(u32::MAX)),
        advisories,
        total: u64::try_from(total).unwrap_or(u64::MAX),
        sources: sources(core, &library),
        matched: matched.at.map(Timestamp::to_rfc3339),
    })
}

/// `GET advisories/{id}`
pub(super) fn show(call: &Call) -> Result<Answer, Failure> {
    let id: DocumentId = call.param("id")?;
    let view = View::of(&call.core);
    let library = &view.library;
    let document = library.document(id).ok_or_else(no_document)?;
    let concerned = concerned(&view.matched);
    let of = concerned.get(&id);
    let key = |one: &labward_threats::Hit| {
        one.key.publisher == document.publisher && one.key.advisory == document.name
    };
    let hits = view.sorted(key);
    let csaf = library.advisory(id);
    Answer::json(&AdvisoryShown {
        advisory: advisory(library, document, of),
        notes: csaf.map(notes).unwrap_or_default(),
        vulnerabilities: csaf
            .map(|one| vulnerabilities(library, one))
            .unwrap_or_default(),
        products: csaf
            .map(|one| one.products.iter().map(product).collect())
            .unwrap_or_default(),
        references: csaf.map(references).unwrap_or_default(),
        hits: hits.iter().map(|seen| hit(call, seen)).collect(),
        not_affected: of
            .iter()
            .flat_map(|of| of.only_not_affected())
            .map(|device| hit_device(device, view.devices.get(&device)))
            .collect(),
    })
}

/// `POST advisories/import`
pub(super) fn import(call: &Call) -> Result<Answer, Failure> {
    let asked: ImportAdvisories = call.query()?;
    let core = &call.core;
    let source = asked.source.trim();
    if !Source::is_name(source) {
        return Err(Failure::new(&problem::ADVISORY_BAD_SOURCE));
    }
    let file = file_name(&asked.file);
    let mut others = Vec::new();
    let (intake, walked) = read(core, file, &call.body, &mut others)?;
    if walked.documents == 0 {
        let why = walked.faults.first().map(ToString::to_string);
        let why = why.unwrap_or_else(|| "it holds no document".to_owned());
        return Err(Failure::new(&problem::ADVISORY_BAD_FILE).about(remark::technical(why)));
    }
    let now = core.clock.now();
    let imported = core
        .threats
        .import(source, intake, asked.preview, call.actor(), now)?;
    let mut shown = shown_import(source, &imported, others);
    if !asked.preview {
        let matched = rematch(core)?;
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        (shown.opened, shown.closed) = (count(matched.changed.0), count(matched.changed.1));
    }
    Answer::json(&shown)
}

/// Reads a file or an archive; documents of other kinds are noted beside.
fn read(
    core: &Core,
    file: &str,
    bytes: &[u8],
    others: &mut Vec<(String, Kind)>,
) -> Result<(Intake, Walked), Failure> {
    let no_keys = |why| Failure::new(&problem::CONFIG_UNREADABLE).about(remark::technical(why));
    let keys = Keys::read(core).map_err(no_keys)?;
    let checks = keys.checks(core.clock.now());
    let mut intake = Intake::default();
    let beside = Beside::default();
    let walked = walk(file, bytes, beside, &checks, &Bounds::default(), |item| {
        if !take(&item, &mut intake) {
            others.push((item.name.to_owned(), item.kind));
        }
    });
    for fault in &walked.faults {
        intake.refuse(&fault.name, fault.kind.to_string());
    }
    Ok((intake, walked))
}

/// The last part of a name, so that it never looks like a path.
fn file_name(name: &str) -> &str {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default().trim();
    if last.is_empty() { "upload" } else { last }
}

fn shown_import(
    source: &str,
    imported: &Imported,
    others: Vec<(String, Kind)>,
) -> ImportedAdvisories {
    let count = |state| u64::try_from(imported.count(state)).unwrap_or(u64::MAX);
    let told = imported.lines.iter().filter_map(|line| {
        let why = match &line.state {
            LineState::Refused(why) => Some(why.clone()),
            LineState::Older => None,
            LineState::Added | LineState::Known | LineState::Updated => return None,
        };
        Some(ImportedAdvisory {
            file: line.file.clone(),
            name: line.name.clone(),
            state: line.state.name().to_owned(),
            why,
        })
    });
    let others_count = u64::try_from(others.len()).unwrap_or(u64::MAX);
    let others = others.into_iter().map(|(file, kind)| ImportedAdvisory {
        file,
        name: String::new(),
        state: "other".to_owned(),
        why: Some(format!("documents of kind {} are not kept", kind.name())),
    });
    ImportedAdvisories {
        source: source.to_owned(),
        added: count("added"),
        updated: count("updated"),
        known: count("known"),
        older: count("older"),
        refused: count("refused"),
        others: others_count,
        lines: told.chain(others).take(LINES_MAX).collect(),
        entry: imported.entry.map(|entry| entry.get()),
        ..ImportedAdvisories::default()
    }
}

/// The devices that a document speaks of.
#[derive(Default)]
struct Concerned {
    affected: BTreeSet<DeviceId>,
    cannot_tell: BTreeSet<DeviceId>,
    not_affected: BTreeSet<DeviceId>,
}

impl Concerned {
    fn is_hit(&self) -> bool {
        !self.affected.is_empty() || !self.cannot_tell.is_empty()
    }

    /// Those that none of its vulnerabilities may affect.
    fn only_not_affected(&self) -> impl Iterator<Item = DeviceId> {
        let all = self.not_affected.iter().copied();
        all.filter(|id| !self.affected.contains(id) && !self.cannot_tell.contains(id))
    }
}

fn concerned(matched: &Matched) -> BTreeMap<DocumentId, Concerned> {
    let mut all: BTreeMap<DocumentId, Concerned> = BTreeMap::new();
    for one in &matched.judged {
        let of = all.entry(one.document).or_default();
        let devices = match one.verdict {
            Verdict::Affected => &mut of.affected,
            Verdict::CannotTell => &mut of.cannot_tell,
            Verdict::NotAffected => &mut of.not_affected,
        };
        devices.insert(one.device);
    }
    all
}

fn holds(library: &Library, document: &Document, wanted: &str) -> bool {
    let has = |text: &str| text.to_lowercase().contains(wanted);
    if wanted.is_empty() || has(&document.name) || has(document.kind.name()) {
        return true;
    }
    let Some(csaf) = library.advisory(document.id) else {
        return false;
    };
    let products = csaf.products.iter().map(|product| &*product.full_name);
    let cves = csaf
        .vulnerabilities
        .iter()
        .filter_map(|one| one.cve.as_deref());
    [&*csaf.title, &*csaf.publisher.name]
        .into_iter()
        .chain(products)
        .chain(cves)
        .any(has)
}

fn advisory(library: &Library, one: &Document, of: Option<&Concerned>) -> Advisory {
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let csaf = library.advisory(one.id);
    let cves = csaf
        .into_iter()
        .flat_map(|csaf| &csaf.vulnerabilities)
        .filter_map(|one| one.cve.as_deref());
    let exploited: BTreeSet<&str> = cves
        .filter(|cve| library.exploited(cve).is_some())
        .collect();
    let (title, publisher, vulnerabilities) = match (one.kind, csaf) {
        (DocumentKind::Csaf, Some(csaf)) => (
            csaf.title.to_string(),
            csaf.publisher.name.to_string(),
            csaf.vulnerabilities.len(),
        ),
        (DocumentKind::Kev, _) => (
            "Known Exploited Vulnerabilities".to_owned(),
            "CISA".to_owned(),
            library.kev().map_or(0, |kev| kev.entries.len()),
        ),
        (DocumentKind::Epss, _) => (
            "Exploit Prediction Scoring System".to_owned(),
            "FIRST".to_owned(),
            library.probabilities(),
        ),
        (DocumentKind::Osv, _) => (
            format!("OSV {}", one.name),
            "OpenSSF".to_owned(),
            one.version.parse().unwrap_or_default(),
        ),
        (DocumentKind::CycloneDx | DocumentKind::OpenVex, _) => {
            let vex = library.vex(one.id);
            let said = vex.map_or(0, |vex| vex.published.statements.len());
            let title = vex.map(|vex| vex.title.clone()).unwrap_or_default();
            (title, one.publisher.clone(), said)
        }
        (DocumentKind::Csaf, None) => (String::new(), String::new(), 0),
    };
    let worst = csaf.and_then(Csaf::worst_tenths);
    Advisory {
        id: one.id.get(),
        kind: one.kind.name().to_owned(),
        name: one.name.clone(),
        title,
        publisher,
        version: one.version.clone(),
        released: one.released.map(Timestamp::to_rfc3339),
        imported: one.imported.to_rfc3339(),
        source: one.source.clone(),
        file: one.file.clone(),
        sha256: hex::encode(&one.sha256),
        hash_checked: one.has_hash,
        signer: one.signer.clone(),
        vulnerabilities: count(vulnerabilities),
        exploited: count(exploited.len()),
        cvss: worst.map(|tenths| f64::from(tenths) / 10.0),
        affected: of.map_or(0, |of| count(of.affected.len())),
        cannot_tell: of.map_or(0, |of| count(of.cannot_tell.len())),
        entry: one.entry.get(),
    }
}

/// Every source with its age; configured ones that were never read, too.
pub(crate) fn sources(core: &Core, library: &Library) -> Vec<AdvisorySource> {
    let now = core.clock.now();
    let config = core.config();
    let most = DAY * u32::from(config.advisories.max_age_days);
    let known = library.sources().map(|source| {
        let of = || library.documents().filter(|one| one.source == source.name);
        let age = now.since(source.checked);
        let newest = of().filter_map(|one| one.released).max();
        AdvisorySource {
            name: source.name.clone(),
            documents: u64::try_from(of().count()).unwrap_or(u64::MAX),
            checked: Some(source.checked.to_rfc3339()),
            changed: Some(source.changed.to_rfc3339()),
            newest: newest.map(Timestamp::to_rfc3339),
            age_seconds: Some(age.as_secs()),
            stale: age > most,
            refused: source.refused,
            entry: Some(source.entry.get()),
            ..AdvisorySource::default()
        }
    });
    let mut all: Vec<AdvisorySource> = known.collect();
    for one in &config.advisory_sources {
        let at = all.binary_search_by(|known| known.name.cmp(&one.name));
        let at = at.unwrap_or_else(|at| {
            let name = one.name.clone();
            let unread = AdvisorySource {
                name,
                ..AdvisorySource::default()
            };
            all.insert(at, unread);
            at
        });
        if let Some(source) = all.get_mut(at) {
            source.failure = core.source_faults.of(&one.name);
            if one.url.is_some() {
                followed(core, library, source);
            }
        }
    }
    all
}

/// What is known of a source that is a list.
fn followed(core: &Core, library: &Library, source: &mut AdvisorySource) {
    let Some(listing) = library.listing(&source.name) else {
        return;
    };
    // Keys that cannot be read are told where they are used.
    let trusted = match listing.keys.is_empty() {
        true => BTreeSet::new(),
        false => Keys::read(core).map_or_else(|_| BTreeSet::new(), |keys| keys.fingerprints()),
    };
    let keys = listing.keys.iter().map(|fingerprint| AnnouncedKey {
        fingerprint: fingerprint.clone(),
        trusted: trusted.contains(fingerprint),
    });
    let faults = listing.faults().map(|(address, why)| SourceFault {
        address: address.to_owned(),
        why: why.to_owned(),
    });
    source.list = Some(listing.kind.clone());
    source.publisher = Some(listing.publisher.clone()).filter(|name| !name.is_empty());
    source.waiting = listing.waiting;
    source.keys = keys.collect();
    source.faults = faults.take(FAULTS_MAX).collect();
}

fn notes(csaf: &Csaf) -> Vec<AdvisoryNote> {
    let shown = csaf.notes.iter().map(|note| AdvisoryNote {
        title: note.title.as_deref().unwrap_or(&note.category).to_owned(),
        text: note.text.to_string(),
    });
    shown.collect()
}

fn vulnerabilities(library: &Library, csaf: &Csaf) -> Vec<AdvisoryVulnerability> {
    let shown = csaf.vulnerabilities.iter().enumerate().map(|(place, one)| {
        let id = VulnerabilityId::of(csaf, place).map(|id| id.to_string());
        let cve = one.cve.as_deref();
        let exploited = cve.and_then(|cve| library.exploited(cve));
        let worst = worst(one);
        AdvisoryVulnerability {
            vulnerability: id.unwrap_or_default(),
            title: one.title.as_deref().map(str::to_owned),
            cwe: one.cwe.as_ref().map(|(id, name)| format!("{id} {name}")),
            cvss: worst.as_ref().map(|(score, _)| *score),
            vector: worst.map(|(_, vector)| vector),
            exploited: exploited
                .map(|one| one.added.map_or_else(String::new, |day| day.to_string())),
            ransomware: exploited.is_some_and(|one| one.known_ransomware),
            epss: cve
                .and_then(|cve| library.probability(cve))
                .map(|row| row.probability),
            remediations: remediations(one),
        }
    });
    shown.collect()
}

fn product(one: &Product) -> AdvisoryProduct {
    let name = one.name.as_deref().or(one.family.as_deref());
    AdvisoryProduct {
        vendor: one.vendor.as_deref().unwrap_or_default().to_owned(),
        product: name.unwrap_or(&one.full_name).to_owned(),
        versions: one.version.as_ref().map(|one| one.text.to_string()),
    }
}
