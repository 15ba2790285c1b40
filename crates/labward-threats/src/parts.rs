//! What the components of a device's bill of materials are hit by.
//!
//! The vulnerabilities of the packages that occur in any bill are prepared once and kept until another package or another
//! document comes; a bill is matched once, however many devices have it. It must never tell a vulnerability of a device
//! twice because two components have it, or drop a component in silence that could not be compared.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use labward_advisory::Text;
use labward_advisory::osv::{Affected, Event, Range, Vulnerability};
use labward_base::id::{DeviceId, DocumentId, StatementId};
use labward_matching::{
    Answers, Bill, ComponentAnswer, Components, Statement, Verdict, VexStatus, VulnerabilityId,
    package_of, package_of_purl,
};

use crate::hit::{HitKey, Judged, Step, Told};
use crate::rematch::Subject;

/// What the vulnerabilities of packages are called in a hit.
pub(crate) const OSV: &str = "OSV";
/// Steps that are told of one hit at most.
const STEPS_MAX: usize = 40;

/// A device's bill of materials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// SHA-256 of the file.
    pub sha256: [u8; 32],
    /// What it says.
    pub bill: Arc<Bill>,
}

/// Everything that is held of the packages in the bills of materials, prepared.
#[derive(Debug)]
pub(crate) struct Index {
    packages: BTreeSet<String>,
    components: Components,
    /// The document of each vulnerability.
    of: Vec<DocumentId>,
    /// Documents that could not be read: of their packages nothing is known.
    unread: Vec<DocumentId>,
    /// What was found in each bill, by its SHA-256.
    found: Mutex<BTreeMap<[u8; 32], Arc<Vec<Judged>>>>,
}

/// By the vulnerability: which components it hits, and how.
type Found = BTreeMap<String, Vec<(usize, ComponentAnswer)>>;

/// The packages of every bill.
pub(crate) fn packages(subjects: &[Subject]) -> BTreeSet<String> {
    let mut seen: BTreeSet<[u8; 32]> = BTreeSet::new();
    let parts = subjects.iter().filter_map(|one| one.parts.as_ref());
    let parts = parts.filter(|one| seen.insert(one.sha256));
    let purls = parts.flat_map(|one| one.bill.components.iter());
    let purls = purls.filter_map(|one| one.purl.as_ref());
    purls.filter_map(package_of_purl).collect()
}

impl Index {
    /// Prepares the vulnerabilities of these packages; of two with one id the one that was changed last counts.
    pub(crate) fn new(
        packages: BTreeSet<String>,
        all: impl IntoIterator<Item = (DocumentId, Vulnerability)>,
        unread: Vec<DocumentId>,
    ) -> Self {
        let mut newest: BTreeMap<Text, (DocumentId, Vulnerability)> = BTreeMap::new();
        for (of, one) in all {
            let known = newest.get(&one.id);
            if known.is_none_or(|(_, known)| known.modified < one.modified) {
                newest.insert(one.id.clone(), (of, one));
            }
        }
        let (of, all): (Vec<DocumentId>, Vec<Vulnerability>) = newest.into_values().unzip();
        Self {
            packages,
            components: Components::new(all),
            of,
            unread,
            found: Mutex::default(),
        }
    }

    /// The documents that could not be read when it was made.
    pub(crate) fn unread(&self) -> &[DocumentId] {
        &self.unread
    }

    /// Whether it was made for all these packages.
    pub(crate) fn covers(&self, packages: &BTreeSet<String>) -> bool {
        packages.is_subset(&self.packages)
    }

    /// What was found in a bill, of no device yet.
    fn found(&self, parts: &Parts) -> Arc<Vec<Judged>> {
        let lock = || self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&parts.sha256) {
            return Arc::clone(known);
        }
        let mut found = Found::new();
        for (place, component) in parts.bill.components.iter().enumerate() {
            let Some(purl) = &component.purl else {
                continue;
            };
            for answer in self.components.answers(purl).unwrap_or_default() {
                if let Some(one) = self.components.vulnerabilities().get(answer.vulnerability) {
                    let of = found.entry(public_id(one)).or_default();
                    of.push((place, answer));
                }
            }
        }
        let judged = found
            .iter()
            .filter_map(|(id, all)| self.one(parts, id, all));
        let judged: Arc<Vec<Judged>> = Arc::new(judged.collect());
        lock().insert(parts.sha256, Arc::clone(&judged));
        judged
    }

    /// What the components of a device are hit by; nothing where it has no bill.
    pub(crate) fn judge(&self, subject: &Subject, answers: &Answers) -> Vec<Judged> {
        let Some(parts) = &subject.parts else {
            return Vec::new();
        };
        let statements = answers.statements_of(subject.id.get(), &subject.device.version);
        let found = self.found(parts);
        let judged = found.iter().map(|one| Judged {
            device: subject.id,
            ..one.clone()
        });
        judged.map(|one| stated(one, &statements)).collect()
    }

    /// The public ids of what was found under one id.
    fn names<'a>(
        &'a self,
        id: &'a str,
        all: &'a [(usize, ComponentAnswer)],
    ) -> impl Iterator<Item = VulnerabilityId> + 'a {
        let known = self.components.vulnerabilities();
        let of = all
            .iter()
            .filter_map(|(_, one)| known.get(one.vulnerability));
        let names = of.flat_map(|one| std::iter::once(&one.id).chain(&one.aliases));
        let names = names.map(|name| VulnerabilityId::public(name));
        std::iter::once(VulnerabilityId::public(id)).chain(names)
    }

    fn one(&self, parts: &Parts, id: &str, all: &[(usize, ComponentAnswer)]) -> Option<Judged> {
        let verdict = all.iter().map(|(_, one)| one.verdict).max()?;
        let deciding = || all.iter().filter(|(_, one)| one.verdict == verdict);
        let (_, first) = deciding().next()?;
        let mut reasons: Vec<&'static str> = deciding()
            .flat_map(|(_, one)| one.reasons.iter().map(|reason| reason.code()))
            .collect();
        reasons.sort_unstable();
        reasons.dedup();
        let mut steps: Vec<Step> = Vec::new();
        // Who clears the device of it has to speak of each that may have it.
        let mut components: Vec<usize> = Vec::new();
        let concerned = all.iter().filter(|(_, one)| match verdict {
            Verdict::NotAffected => true,
            Verdict::Affected | Verdict::CannotTell => one.verdict != Verdict::NotAffected,
        });
        for (place, _) in concerned {
            if !components.contains(place) {
                components.push(*place);
            }
        }
        for (place, one) in deciding() {
            let step = self.step(parts, *place, one);
            steps.extend(step.filter(|step| steps.len() < STEPS_MAX && !steps.contains(step)));
        }
        Some(Judged {
            key: HitKey {
                publisher: String::new(),
                advisory: OSV.to_owned(),
                vulnerability: VulnerabilityId::public(id).to_string(),
            },
            document: *self.of.get(first.vulnerability)?,
            place: first.vulnerability,
            verdict,
            reasons,
            steps,
            components,
            told: Some(Arc::new(self.told(id, all, verdict))),
            ..Judged::of(DeviceId::new(0))
        })
    }

    fn step(&self, parts: &Parts, place: usize, answer: &ComponentAnswer) -> Option<Step> {
        let component = parts.bill.components.get(place)?;
        let one = self
            .components
            .vulnerabilities()
            .get(answer.vulnerability)?;
        let trail = answer.trails.first()?;
        let affected = one.affected.get(trail.affected)?;
        let package = package_of(affected)?;
        let (ecosystem, name) = package.split_once('\n')?;
        Some(Step {
            vendor: affected
                .ecosystem
                .as_deref()
                .unwrap_or(ecosystem)
                .to_owned(),
            product: format!("{name} ({})", one.id),
            versions: versions(affected, trail.range),
            found_by: component.written.as_deref().unwrap_or_default().to_owned(),
            name: "same",
            read_as: None,
            status: "component",
        })
    }

    /// What is told of the vulnerability itself.
    fn told(&self, id: &str, all: &[(usize, ComponentAnswer)], verdict: Verdict) -> Told {
        let known = self.components.vulnerabilities();
        let deciding = || {
            let deciding = all.iter().filter(|(_, one)| one.verdict == verdict);
            deciding.filter_map(|(_, one)| known.get(one.vulnerability))
        };
        let mut told = Told {
            names: self.names(id, all).collect(),
            title: deciding()
                .find_map(|one| one.summary.clone())
                .unwrap_or_default(),
            ..Told::default()
        };
        told.names.sort();
        told.names.dedup();
        for one in deciding() {
            let of_packages = one.affected.iter().flat_map(|of| &of.scores);
            for score in one.scores.iter().chain(of_packages) {
                if told.scores.len() < STEPS_MAX && !told.scores.contains(score) {
                    told.scores.push(score.clone());
                }
            }
            for (_, url) in &one.references {
                if told.references.len() < STEPS_MAX && !told.references.contains(url) {
                    told.references.push(url.clone());
                }
            }
        }
        told
    }
}

/// Lets what a person said decide.
fn stated(mut judged: Judged, statements: &BTreeMap<&VulnerabilityId, &Statement>) -> Judged {
    let mut names = judged.told.iter().flat_map(|told| &told.names);
    let Some(statement) = names.find_map(|name| statements.get(name)) else {
        return judged;
    };
    judged.without = Some(judged.verdict);
    judged.statements = vec![StatementId::new(statement.id)];
    judged.is_stated = true;
    judged.weigh(statement.status);
    judged
}

impl Judged {
    /// Lets a word of VEX decide. "Under investigation" clears nothing: what is affected stays so.
    pub(crate) fn weigh(&mut self, status: VexStatus) {
        self.verdict = match (status, self.verdict) {
            (VexStatus::Affected, _) | (VexStatus::UnderInvestigation, Verdict::Affected) => {
                Verdict::Affected
            }
            (VexStatus::Fixed | VexStatus::NotAffected, _) => Verdict::NotAffected,
            (VexStatus::UnderInvestigation, _) => Verdict::CannotTell,
        };
        if self.verdict != Verdict::CannotTell {
            self.reasons.clear();
        } else if !self.reasons.contains(&"under-investigation") {
            self.reasons.push("under-investigation");
        }
    }
}

/// By which id a vulnerability is known: its CVE where it has one, and of a distribution's that of which it is.
fn public_id(one: &Vulnerability) -> String {
    let is_cve = |id: &&Text| {
        id.get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case("CVE-"))
    };
    let own = std::iter::once(&one.id).chain(&one.aliases).find(is_cve);
    let upstream = || {
        let mut all = one.upstream.iter().filter(is_cve);
        all.next().filter(|_| all.next().is_none())
    };
    own.or_else(upstream).unwrap_or(&one.id).to_string()
}

/// The versions that a package is vulnerable in, as one line.
fn versions(affected: &Affected, range: Option<usize>) -> Option<String> {
    const LISTED: usize = 12;
    if let Some(range) = range.and_then(|place| affected.ranges.get(place)) {
        return Some(words(range));
    }
    let listed: Vec<&str> = affected
        .versions
        .iter()
        .take(LISTED)
        .map(|one| &**one)
        .collect();
    let more = if affected.versions.len() > LISTED {
        ", …"
    } else {
        ""
    };
    (!listed.is_empty()).then(|| format!("{}{more}", listed.join(", ")))
}

fn words(range: &Range) -> String {
    let events = range.events.iter().filter_map(|event| {
        Some(match event {
            Event::Introduced(text) if &**text == "0" => return None,
            Event::Introduced(text) => format!(">= {text}"),
            Event::Fixed(text) | Event::Limit(text) => format!("< {text}"),
            Event::LastAffected(text) => format!("<= {text}"),
        })
    });
    let events: Vec<String> = events.collect();
    match events.is_empty() {
        true => "*".to_owned(),
        false => events.join(", "),
    }
}
