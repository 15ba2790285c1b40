//! The components of a bill of materials against the vulnerable ranges of packages (OSV).
//!
//! It must never decide by an order of versions that is not the ecosystem's own: then only versions that are listed one
//! by one count, and everything else cannot be told.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use labward_advisory::Purl;
use labward_advisory::osv::{Affected, Event, Range, RangeKind, Vulnerability};

use crate::answer::{Reason, Stated, Verdict, Without};
use crate::package::{Ordered, Scheme, key, key_of, scheme_of};
use crate::people::{Answers, Statement, VulnerabilityId, weigh};

/// What is known of one component and one vulnerability.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentAnswer {
    /// The vulnerability, by its place among those that were prepared.
    pub vulnerability: usize,
    /// Whether the component is hit.
    pub verdict: Verdict,
    /// Why it cannot be told; empty otherwise.
    pub reasons: Vec<Reason>,
    /// What led to the verdict; never empty.
    pub trails: Vec<RangeTrail>,
    /// The statement of a person that counts here.
    pub stated: Option<Stated>,
    /// What would be answered without people; `None` where no answer of a person counts.
    pub without: Option<Without>,
}

/// Which part of the vulnerability decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RangeTrail {
    /// The package, by its place in [`Vulnerability::affected`].
    pub affected: usize,
    /// The range, by its place in [`Affected::ranges`]; `None` where the list of versions decided, or nothing did.
    pub range: Option<usize>,
}

/// The type of a package URL belongs to no ecosystem that is known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("match a component: the ecosystem of its package type is not known")]
pub struct UnknownEcosystem;

/// The vulnerable packages of a set of vulnerabilities, by ecosystem and name.
#[derive(Debug)]
pub struct Components {
    vulnerabilities: Arc<[Vulnerability]>,
    by_package: HashMap<String, Vec<usize>>,
    packages: Vec<Package>,
}

/// One package of one vulnerability.
#[derive(Debug)]
struct Package {
    vulnerability: usize,
    place: usize,
    ranges: Vec<PreparedRange>,
}

/// A range with its versions read.
#[derive(Debug)]
struct PreparedRange {
    scheme: Scheme,
    is_of_commits: bool,
    events: Vec<(Edge, Ordered)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edge {
    Introduced,
    Fixed,
    LastAffected,
    Limit,
}

impl Components {
    /// Prepares every package of these vulnerabilities; those that were withdrawn count no longer.
    pub fn new(vulnerabilities: impl Into<Arc<[Vulnerability]>>) -> Self {
        let vulnerabilities = vulnerabilities.into();
        let mut by_package: HashMap<String, Vec<usize>> = HashMap::new();
        let mut packages = Vec::new();
        for (at, vulnerability) in vulnerabilities.iter().enumerate() {
            if vulnerability.withdrawn.is_some() {
                continue;
            }
            for (place, affected) in vulnerability.affected.iter().enumerate() {
                let Some(key) = package_of(affected) else {
                    continue;
                };
                let ecosystem = affected.ecosystem.as_deref().unwrap_or_default();
                let scheme = match affected.ecosystem {
                    Some(_) => scheme_of(ecosystem),
                    None => scheme_of(key.split('\n').next().unwrap_or_default()),
                };
                by_package.entry(key).or_default().push(packages.len());
                packages.push(Package {
                    vulnerability: at,
                    place,
                    ranges: affected
                        .ranges
                        .iter()
                        .map(|range| prepared(range, scheme))
                        .collect(),
                });
            }
        }
        Self {
            vulnerabilities,
            by_package,
            packages,
        }
    }

    /// The vulnerabilities, in the order of [`ComponentAnswer::vulnerability`].
    pub fn vulnerabilities(&self) -> &[Vulnerability] {
        &self.vulnerabilities
    }

    /// The part of a vulnerability that a package is.
    fn affected(&self, package: &Package) -> Option<&Affected> {
        let of = self.vulnerabilities.get(package.vulnerability)?;
        of.affected.get(package.place)
    }

    /// How many packages are prepared.
    pub fn package_count(&self) -> usize {
        self.packages.len()
    }

    /// Every vulnerability of the package that a component is, the affecting ones first.
    ///
    /// # Errors
    /// [`UnknownEcosystem`]: then nothing is known of the component.
    pub fn answers(&self, purl: &Purl) -> Result<Vec<ComponentAnswer>, UnknownEcosystem> {
        let key = key_of(purl).ok_or(UnknownEcosystem)?;
        let Some(found) = self.by_package.get(&key) else {
            return Ok(Vec::new());
        };
        let version = purl.version.as_deref();
        let mut read: Vec<(Scheme, Ordered)> = Vec::new();
        let mut said: BTreeMap<usize, Vec<(Verdict, Option<Reason>, RangeTrail)>> = BTreeMap::new();
        for package in found.iter().filter_map(|&at| self.packages.get(at)) {
            let Some(affected) = self.affected(package) else {
                continue;
            };
            let schemes = package.ranges.iter().map(|range| range.scheme);
            for scheme in schemes {
                if !read.iter().any(|(of, _)| *of == scheme) {
                    let ordered =
                        version.map_or(Ordered::Unread, |text| Ordered::read(scheme, text));
                    read.push((scheme, ordered));
                }
            }
            let one = package.says(affected, purl, &read);
            said.entry(package.vulnerability).or_default().push(one);
        }
        let mut answers: Vec<ComponentAnswer> = said
            .into_iter()
            .map(|(at, said)| answer(at, &said))
            .collect();
        answers.sort_by_key(|answer| Reverse(answer.verdict));
        Ok(answers)
    }

    /// The same with what people said of the device, numbered `key` by the caller, that the component is part of.
    ///
    /// A statement counts for a vulnerability by its id and by each of its aliases.
    ///
    /// # Errors
    /// As [`Components::answers`].
    pub fn answers_with(
        &self,
        purl: &Purl,
        key: u64,
        version: &str,
        answers: &Answers,
    ) -> Result<Vec<ComponentAnswer>, UnknownEcosystem> {
        let mut told = self.answers(purl)?;
        let statements = answers.statements_of(key, version);
        if statements.is_empty() {
            return Ok(told);
        }
        for answer in &mut told {
            let Some(vulnerability) = self.vulnerabilities.get(answer.vulnerability) else {
                continue;
            };
            let ids = std::iter::once(&vulnerability.id).chain(&vulnerability.aliases);
            let of_it = ids.filter_map(|id| statements.get(&VulnerabilityId::public(id)));
            let newest: Option<&&Statement> = of_it.max_by_key(|one| (one.said, one.id));
            if let Some(statement) = newest {
                let (without, stated) = weigh(statement, &mut answer.verdict, &mut answer.reasons);
                answer.without = Some(without);
                answer.stated = Some(stated);
            }
        }
        told.sort_by_key(|answer| Reverse(answer.verdict));
        Ok(told)
    }
}

/// One verdict out of what the packages of one vulnerability say.
fn answer(vulnerability: usize, said: &[(Verdict, Option<Reason>, RangeTrail)]) -> ComponentAnswer {
    let highest = said.iter().map(|(verdict, ..)| *verdict).max();
    let verdict = highest.unwrap_or(Verdict::CannotTell);
    let deciding = || said.iter().filter(|(of, ..)| *of == verdict);
    let mut reasons: Vec<Reason> = Vec::new();
    for reason in deciding().filter_map(|(_, reason, _)| *reason) {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    ComponentAnswer {
        vulnerability,
        verdict,
        reasons,
        trails: deciding().map(|(.., trail)| *trail).collect(),
        stated: None,
        without: None,
    }
}

fn prepared(range: &Range, ecosystem: Scheme) -> PreparedRange {
    let scheme = match range.kind {
        RangeKind::Semver => Scheme::Semver,
        RangeKind::Ecosystem => ecosystem,
        RangeKind::Git | RangeKind::Other(_) => Scheme::Unread,
    };
    let event = |event: &Event| {
        let (edge, text) = match event {
            Event::Introduced(text) => (Edge::Introduced, text),
            Event::Fixed(text) => (Edge::Fixed, text),
            Event::LastAffected(text) => (Edge::LastAffected, text),
            Event::Limit(text) => (Edge::Limit, text),
        };
        let is_least = edge == Edge::Introduced && &**text == "0";
        let ordered = match is_least {
            true => Ordered::Least,
            false => Ordered::read(scheme, text),
        };
        (edge, ordered)
    };
    PreparedRange {
        scheme,
        is_of_commits: range.kind == RangeKind::Git,
        events: range.events.iter().map(event).collect(),
    }
}

impl Package {
    /// What it says of a version.
    fn says(
        &self,
        affected: &Affected,
        purl: &Purl,
        read: &[(Scheme, Ordered)],
    ) -> (Verdict, Option<Reason>, RangeTrail) {
        let trail = |range| RangeTrail {
            affected: self.place,
            range,
        };
        let doubt = |reason, range| (Verdict::CannotTell, Some(reason), trail(range));
        if !is_release_of(affected, purl) {
            return doubt(Reason::Distribution, None);
        }
        let version = purl.version.as_deref();
        if version.is_some_and(|text| affected.versions.iter().any(|of| &**of == text)) {
            return (Verdict::Affected, None, trail(None));
        }
        let mut open = None;
        let mut decided = None;
        for (at, range) in self.ranges.iter().enumerate() {
            let ordered = read.iter().find(|(scheme, _)| *scheme == range.scheme);
            match ordered.and_then(|(_, version)| range.holds(version)) {
                Some(true) => return (Verdict::Affected, None, trail(Some(at))),
                Some(false) => decided = decided.or(Some(at)),
                None if range.is_of_commits => {}
                None => open = open.or(Some(at)),
            }
        }
        let has_list = !affected.versions.is_empty();
        match (open, decided, self.ranges.is_empty()) {
            _ if version.is_none() => doubt(Reason::NoVersion, open),
            (Some(at), ..) => doubt(Reason::VersionOrder, Some(at)),
            // A range of commits stands beside the same range in versions.
            (None, Some(at), _) => (Verdict::NotAffected, None, trail(Some(at))),
            (None, None, false) => doubt(Reason::Commits, None),
            (None, None, true) if has_list => (Verdict::NotAffected, None, trail(None)),
            (None, None, true) => doubt(Reason::NoRange, None),
        }
    }
}

/// Whether a component is surely of the distribution's release; packages of no distribution have none.
fn is_release_of(affected: &Affected, purl: &Purl) -> bool {
    // As the `12` of `Debian:12`.
    let ecosystem = affected.ecosystem.as_deref().unwrap_or_default();
    let Some((_, release)) = ecosystem.split_once(':') else {
        return true;
    };
    let distro = purl.qualifiers.iter().find(|(key, _)| key == "distro");
    let Some((_, distro)) = distro else {
        return false;
    };
    let release = release.trim_start_matches('v');
    let release = release.split(':').next().unwrap_or_default();
    let of = distro
        .rsplit_once('-')
        .map_or(distro.as_str(), |(_, of)| of);
    of == release
        || of
            .strip_prefix(release)
            .is_some_and(|rest| rest.starts_with('.'))
}

/// The package that a part of a vulnerability is of, in one spelling; `None` if no ecosystem here is its own.
///
/// [`package_of_purl`] spells the package of a component the same way.
pub fn package_of(affected: &Affected) -> Option<String> {
    match (&affected.ecosystem, &affected.name) {
        (Some(ecosystem), Some(name)) => Some(key(ecosystem, name)),
        _ => package_of_purl(&Purl::parse(affected.purl.as_deref()?)?),
    }
}

/// The package that a component is, in one spelling; `None` if the ecosystem of its type is not known.
pub fn package_of_purl(purl: &Purl) -> Option<String> {
    key_of(purl)
}

impl PreparedRange {
    /// Whether a version is in the range; `None` where an order is not known.
    ///
    /// The last event up to the version decides, in the order of the versions.
    fn holds(&self, version: &Ordered) -> Option<bool> {
        let mut last: Option<(Edge, &Ordered)> = None;
        let mut limited = None;
        for (edge, at) in &self.events {
            if *edge == Edge::Introduced && matches!(at, Ordered::Least) && last.is_none() {
                last = Some((*edge, at));
                continue;
            }
            let order = version.compare(at)?;
            if *edge == Edge::Limit {
                limited = Some(limited.unwrap_or(false) || order == Ordering::Less);
                continue;
            }
            let counts = match edge {
                Edge::LastAffected => order == Ordering::Greater,
                Edge::Introduced | Edge::Fixed | Edge::Limit => order != Ordering::Less,
            };
            if !counts {
                continue;
            }
            let is_later = match last {
                None => true,
                Some((of, known)) => match at.compare(known)? {
                    Ordering::Greater => true,
                    Ordering::Less => false,
                    // Introduced again where it was fixed: it is there.
                    Ordering::Equal => of != Edge::Introduced,
                },
            };
            if is_later {
                last = Some((*edge, at));
            }
        }
        let is_in = last.is_some_and(|(edge, _)| edge == Edge::Introduced);
        Some(is_in && limited.unwrap_or(true))
    }
}
