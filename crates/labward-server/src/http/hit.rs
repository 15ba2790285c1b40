//! `hits`: which published vulnerabilities concern which devices, and what people say and decide about it.
//!
//! It must never show who decided something to somebody who may not see people, or a reason while the root
//! key is sealed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use labward_advisory::csaf::{Advisory, Vulnerability};
use labward_api::Why;
use labward_api::advisory::{AdvisoryRemediation, AdvisorySource};
use labward_api::hit::{
    AcceptHits, Hit, HitCounts, HitDevice, HitFilter, HitShown, HitStatement, HitStatements,
    HitStep, HitTreatment, Hits, Saying, StateProducts, StateVulnerability, TreatHits, TreatedHits,
};
use labward_base::id::{DeviceId, HitId, StatementId};
use labward_base::{Clock as _, Timestamp, problem, remark};
use labward_devices::{Attribute, Shown};
use labward_identity::Permission;
use labward_matching::Verdict;
use labward_priority::{Clocks, State};
use labward_records::why_in;
use labward_threats::{
    Document, DocumentKind, Judged, Library, Matched, NewStatement, NewTreatment, Said, Statement,
    Status, Step, ThreatsError, Told, Treatment, TreatmentKind,
};

use time::Date;

use super::approval;
use super::call::{Answer, Call, reason};
use super::failure::Failure;
use super::vex::published;
use crate::app::Core;
use crate::backup::sealed_why;
use crate::check::ThreatsState;
use crate::folder::SITE;
use crate::threat::urgency::{Asked, day};
use crate::threat::{Urgency, rematch, urgency};

/// Hits on a page, where nobody asks for another number, and at most.
const PAGE: u32 = 100;
const PAGE_MAX: u32 = 1_000;
/// How long after the start a source may take to be read for the first time.
const FIRST_READ: Duration = Duration::from_secs(900);
/// Hits that one decision takes.
const DECIDED_MAX: usize = 500;

/// Everything that hits are shown from, at one moment.
pub(super) struct View {
    pub(super) devices: BTreeMap<DeviceId, Shown>,
    pub(super) library: Arc<Library>,
    pub(super) hits: Arc<BTreeMap<HitId, labward_threats::Hit>>,
    treatments: Arc<BTreeMap<HitId, Treatment>>,
    pub(super) matched: Arc<Matched>,
    pub(super) clocks: Clocks,
    /// The last day of any support of each device's operating system, where it is known.
    ends: BTreeMap<DeviceId, Date>,
    /// Devices that are kept apart now, as was measured.
    guarded: BTreeSet<DeviceId>,
    pub(super) now: Timestamp,
}

/// A hit with what belongs to it.
pub(super) struct Seen<'v> {
    pub(super) hit: &'v labward_threats::Hit,
    pub(super) document: Option<&'v Document>,
    pub(super) advisory: Option<&'v Advisory>,
    pub(super) vulnerability: Option<&'v Vulnerability>,
    judged: Option<&'v Judged>,
    pub(super) device: Option<&'v Shown>,
    treatment: Option<&'v Treatment>,
    pub(super) urgency: Urgency,
}

impl View {
    pub(super) fn of(core: &Core) -> Self {
        let devices = core.devices.list().into_iter();
        let devices: BTreeMap<DeviceId, Shown> = devices.map(|one| (one.device.id, one)).collect();
        let ends = devices.iter().filter_map(|(id, one)| {
            let os = one.text(Attribute::Os)?;
            let build = one.text(Attribute::OsBuild).unwrap_or_default();
            let [earliest, _] = core.threats.support(&os, &build)?;
            Some((*id, earliest.end()))
        });
        Self {
            ends: ends.collect(),
            guarded: core.conduits.guarded(core.clock.now()),
            devices,
            library: core.threats.library(),
            hits: core.threats.hits(),
            treatments: core.threats.treatments(),
            matched: core.threats.matched(),
            clocks: core.config().advisories.clocks(),
            now: core.clock.now(),
        }
    }

    pub(super) fn see<'v>(&'v self, hit: &'v labward_threats::Hit) -> Seen<'v> {
        let judged = &self.matched.judged;
        let place =
            judged.binary_search_by(|one| (one.device, &one.key).cmp(&(hit.device, &hit.key)));
        let judged = place.ok().and_then(|place| judged.get(place));
        let document = match judged {
            Some(judged) => self.library.document(judged.document),
            None if hit.key.advisory == "KEV" => self.library.only(DocumentKind::Kev),
            None => self.library.of(&hit.key.publisher, &hit.key.advisory),
        };
        let advisory = document.and_then(|one| self.library.advisory(one.id));
        let vulnerability = advisory.and_then(|advisory| match judged {
            Some(judged) => advisory.vulnerabilities.get(judged.place),
            None => advisory
                .vulnerabilities
                .iter()
                .find(|one| one.cve.as_deref() == Some(hit.key.vulnerability.as_str())),
        });
        let device = self.devices.get(&hit.device);
        let treatment = self.treatments.get(&hit.id);
        let exploited = self.library.exploited(&hit.key.vulnerability);
        let is_of_ids = matches!(hit.key.advisory.as_str(), "KEV" | "OSV");
        let exploited = exploited.filter(|_| is_of_ids);
        let cve = vulnerability.and_then(|one| one.cve.as_deref());
        let own = hit.key.vulnerability.as_str();
        let cve = cve.or((is_of_ids && own.starts_with("CVE-")).then_some(own));
        let asked = Asked {
            hit,
            device,
            advisory,
            vulnerability,
            cve,
            told: judged.and_then(|one| one.told.as_deref()),
            treatment,
            ends: self.ends.get(&hit.device).copied(),
            exploited,
            is_guarded: self.guarded.contains(&hit.device),
        };
        let urgency = urgency(&asked, &self.library, &self.clocks, self.now);
        Seen {
            hit,
            document,
            advisory,
            vulnerability,
            judged,
            device,
            treatment,
            urgency,
        }
    }

    /// Every hit that `keep` keeps: what is open by due day and urgency, then what is closed, the newest
    /// first.
    pub(super) fn sorted(&self, keep: impl Fn(&labward_threats::Hit) -> bool) -> Vec<Seen<'_>> {
        let hits = self.hits.values().filter(|hit| keep(hit));
        let mut seen: Vec<Seen<'_>> = hits.map(|hit| self.see(hit)).collect();
        seen.sort_by(|one, two| {
            let is_closed = |seen: &Seen<'_>| seen.hit.closed.is_some();
            let closed_at = |seen: &Seen<'_>| seen.hit.closed.map(|(at, _)| at);
            is_closed(one)
                .cmp(&is_closed(two))
                .then_with(|| closed_at(two).cmp(&closed_at(one)))
                .then_with(|| one.treated().cmp(&two.treated()))
                .then_with(|| one.urgency.due.day.cmp(&two.urgency.due.day))
                .then_with(|| {
                    two.urgency
                        .priority
                        .rank()
                        .cmp(&one.urgency.priority.rank())
                })
                .then_with(|| one.hit.id.cmp(&two.hit.id))
        });
        seen
    }

    /// Devices that are there and whose operating system gets no updates any more, by name.
    fn unsupported(&self) -> Vec<String> {
        let today = day(self.now);
        let ended = self.ends.iter().filter(|(_, end)| **end < today);
        let devices = ended.filter_map(|(id, _)| self.devices.get(id));
        let present = devices.filter(|one| one.device.removed.is_none());
        present.map(device_name).collect()
    }

    pub(super) fn counts(&self) -> HitCounts {
        let mut counts = HitCounts::default();
        let mut devices = BTreeSet::new();
        for hit in self.hits.values().filter(|hit| hit.closed.is_none()) {
            let seen = self.see(hit);
            devices.insert(hit.device);
            counts.open += 1;
            match hit.verdict {
                Verdict::Affected => counts.affected += 1,
                Verdict::CannotTell | Verdict::NotAffected => counts.cannot_tell += 1,
            }
            match seen.urgency.standing.state {
                State::Overdue | State::AcceptanceExpired => counts.overdue += 1,
                State::DueSoon => counts.due_soon += 1,
                State::Treated => counts.treated += 1,
                State::Open => {}
            }
        }
        counts.devices = u64::try_from(devices.len()).unwrap_or(u64::MAX);
        counts
    }
}

impl Seen<'_> {
    /// What is told of the vulnerability where no advisory does.
    fn told(&self) -> Option<&Told> {
        self.judged.and_then(|one| one.told.as_deref())
    }

    fn treated(&self) -> bool {
        self.urgency.standing.state == State::Treated
    }

    /// What its state is called.
    pub(super) fn state(&self) -> &'static str {
        match self.hit.closed {
            Some(_) => "closed",
            None => self.urgency.standing.state.name(),
        }
    }

    fn holds(&self, wanted: &str) -> bool {
        if wanted.is_empty() {
            return true;
        }
        let title = match (self.advisory, self.told()) {
            (Some(advisory), _) => &advisory.title,
            (None, told) => told.map_or("", |told| &told.title),
        };
        let name = self.device.map(device_name).unwrap_or_default();
        let texts = [
            &self.hit.key.advisory,
            &self.hit.key.vulnerability,
            title,
            &name,
        ];
        texts
            .iter()
            .any(|text| text.to_lowercase().contains(wanted))
    }

    fn fits(&self, state: &str) -> Option<bool> {
        let is_open = self.hit.closed.is_none();
        let state_now = self.urgency.standing.state;
        let late = matches!(state_now, State::Overdue | State::AcceptanceExpired);
        Some(match state {
            "" | "open" => is_open,
            "all" => true,
            "closed" => !is_open,
            "due" => is_open && (late || state_now == State::DueSoon),
            "overdue" => is_open && late,
            "treated" => is_open && state_now == State::Treated,
            "untreated" => is_open && state_now != State::Treated,
            _ => return None,
        })
    }
}

/// `GET hits`
pub(super) fn list(call: &Call) -> Result<Answer, Failure> {
    let asked: HitFilter = call.query()?;
    let wrong = || Failure::misunderstood(remark::query_form());
    let state = asked.state.as_deref().unwrap_or_default();
    // A word that means nothing is told even where nothing is listed.
    known_state(state).ok_or_else(wrong)?;
    let verdict = match asked.verdict.as_deref().unwrap_or_default() {
        "" => None,
        "affected" => Some(Verdict::Affected),
        "cannot-tell" => Some(Verdict::CannotTell),
        _ => return Err(wrong()),
    };
    let view = View::of(&call.core);
    let document = asked.advisory.map(labward_base::id::DocumentId::new);
    let wanted = asked.q.unwrap_or_default().trim().to_lowercase();
    let mut kept = Vec::new();
    let of = |hit: &labward_threats::Hit| {
        asked.device.is_none_or(|id| hit.device.get() == id)
            && verdict.is_none_or(|verdict| hit.verdict == verdict)
    };
    for seen in view.sorted(of) {
        let of_document = seen.document.map(|one| one.id);
        if seen.fits(state).ok_or_else(wrong)?
            && document.is_none_or(|id| of_document == Some(id))
            && seen.holds(&wanted)
        {
            kept.push(seen);
        }
    }
    let total = kept.len();
    let (skip, limit) = page(asked.skip, asked.limit);
    let shown = kept.iter().skip(skip).take(limit);
    let hits: Vec<Hit> = shown.map(|seen| hit(call, seen)).collect();
    let end = skip.saturating_add(hits.len());
    Answer::json(&Hits {
        next: (end < total).then(|| u32::try_from(end).unwrap_or(u32::MAX)),
        hits,
        total: u64::try_from(total).unwrap_or(u64::MAX),
        counts: view.counts(),
        matched: view.matched.at.map(Timestamp::to_rfc3339),
        advisories: u64::try_from(view.library.advisories().len()).unwrap_or(u64::MAX),
    })
}

fn known_state(state: &str) -> Option<()> {
    let known = [
        "",
        "open",
        "all",
        "closed",
        "due",
        "overdue",
        "treated",
        "untreated",
    ];
    known.contains(&state).then_some(())
}

/// How many are left out from the front, and how many are given at most.
pub(super) fn page(skip: Option<u32>, limit: Option<u32>) -> (usize, usize) {
    let limit = limit.unwrap_or(PAGE).clamp(1, PAGE_MAX);
    let number = |number| usize::try_from(number).unwrap_or(usize::MAX);
    (number(skip.unwrap_or_default()), number(limit))
}

/// `GET hits/{id}`
pub(super) fn show(call: &Call) -> Result<Answer, Failure> {
    let view = View::of(&call.core);
    let id: HitId = call.param("id")?;
    let found = view.hits.get(&id).ok_or(ThreatsError::NoHit(id))?;
    let seen = view.see(found);
    let attribute = |attribute| seen.device.and_then(|one| one.text(attribute));
    let standing = &seen.urgency.standing;
    let statements = call.core.threats.statements();
    let counting = seen.judged.iter().flat_map(|one| &one.statements);
    let vulnerability = seen.vulnerability;
    Answer::json(&HitShown {
        hit: hit(call, &seen),
        steps: seen
            .judged
            .iter()
            .flat_map(|one| &one.steps)
            .map(step)
            .collect(),
        without: seen
            .judged
            .and_then(|one| one.without)
            .map(|verdict| verdict.name().to_owned()),
        statements: counting
            .filter_map(|id| statements.get(id))
            .map(|one| statement(call, &view, one))
            .collect(),
        published: published(call, &view, seen.judged),
        approvals: seen
            .device
            .map(|one| approval::of(call, one))
            .unwrap_or_default(),
        urgency: seen
            .urgency
            .priority
            .reasons
            .iter()
            .map(|reason| saying(&reason.saying()))
            .collect(),
        due_rule: saying(&seen.urgency.due.rule.saying()),
        notes: standing
            .notes
            .iter()
            .map(|note| saying(&note.saying()))
            .collect(),
        remediations: vulnerability.map(remediations).unwrap_or_default(),
        references: match (seen.advisory, seen.told()) {
            (Some(advisory), _) => references(advisory),
            (None, told) => told.map(links).unwrap_or_default(),
        },
        contact: attribute(Attribute::Contact),
        location: attribute(Attribute::Location),
        owner: attribute(Attribute::Owner),
        manufacturer: attribute(Attribute::Manufacturer).unwrap_or_default(),
        model: attribute(Attribute::Model)
            .or_else(|| attribute(Attribute::Product))
            .unwrap_or_default(),
    })
}

/// `POST hits/treat`
pub(super) fn treat(call: &Call) -> Result<Answer, Failure> {
    let asked: TreatHits = call.json()?;
    let kind: TreatmentKind = asked.kind.parse()?;
    if matches!(kind, TreatmentKind::Accept | TreatmentKind::Replace) {
        // Another permission decides about these.
        let what = "it is neither patch nor control";
        return Err(ThreatsError::BadTreatment(what).into());
    }
    decide(call, &asked.hits, kind, None, asked.approved, &asked.why)
}

/// `POST hits/accept`
pub(super) fn accept(call: &Call) -> Result<Answer, Failure> {
    let asked: AcceptHits = call.json()?;
    let kind: TreatmentKind = asked.kind.parse()?;
    let until = asked.until.trim();
    decide(call, &asked.hits, kind, Some(until), None, &asked.why)
}

fn decide(
    call: &Call,
    hits: &[u64],
    kind: TreatmentKind,
    until: Option<&str>,
    approved: Option<bool>,
    why: &str,
) -> Result<Answer, Failure> {
    let ids: BTreeSet<HitId> = hits.iter().copied().map(HitId::new).collect();
    if ids.is_empty() || ids.len() > DECIDED_MAX {
        return Err(ThreatsError::BadTreatment("it takes 1 to 500 hits").into());
    }
    let core = &call.core;
    let now = core.clock.now();
    let why = reason(why)?;
    let approved = approved.or_else(|| match kind {
        TreatmentKind::Patch => {
            let view = View::of(core);
            let hits = ids.iter().filter_map(|id| view.hits.get(id));
            let seen: Vec<Seen<'_>> = hits.map(|hit| view.see(hit)).collect();
            approval::answer(call, &seen, why)
        }
        _ => None,
    });
    // What is wrong is told before anything is sealed.
    NewTreatment::new(kind, until, approved, Vec::new(), now)?;
    let new = NewTreatment::new(kind, until, approved, sealed_why(core, why)?, now)?;
    let ids: Vec<HitId> = ids.into_iter().collect();
    let entries = core.threats.treat(&ids, &new, call.by(), now)?;
    Answer::json(&TreatedHits {
        hits: u64::try_from(ids.len()).unwrap_or(u64::MAX),
        entries: entries.into_iter().map(|entry| entry.get()).collect(),
    })
}

/// `GET hits/statements`
pub(super) fn statements(call: &Call) -> Result<Answer, Failure> {
    let view = View::of(&call.core);
    let all = call.core.threats.statements();
    let statements = all.values().rev().map(|one| statement(call, &view, one));
    Answer::json(&HitStatements {
        statements: statements.collect(),
    })
}

/// `POST hits/products`
pub(super) fn state_products(call: &Call) -> Result<Answer, Failure> {
    let asked: StateProducts = call.json()?;
    let trimmed = |text: &str| text.trim().to_owned();
    let said = Said::Product {
        manufacturer: trimmed(&asked.manufacturer),
        model: trimmed(&asked.model),
        vendor: trimmed(&asked.vendor),
        product: trimmed(&asked.product),
        same: asked.same,
    };
    state(call, said, &asked.why)
}

/// `POST hits/vulnerability`
pub(super) fn state_vulnerability(call: &Call) -> Result<Answer, Failure> {
    let asked: StateVulnerability = call.json()?;
    let status: Status = asked.status.parse()?;
    let core = &call.core;
    let hit = core.threats.hit(HitId::new(asked.hit))?;
    let vulnerability = hit.key.vulnerability.parse();
    let wrong = |_| ThreatsError::BadStatement("the hit names no vulnerability");
    let version = match asked.this_version {
        true => {
            let device = core.devices.get(hit.device)?;
            Some(device.text(Attribute::Version).unwrap_or_default())
        }
        false => None,
    };
    let said = Said::Status {
        device: hit.device,
        vulnerability: vulnerability.map_err(wrong)?,
        status,
        version,
    };
    state(call, said, &asked.why)
}

fn state(call: &Call, said: Said, why: &str) -> Result<Answer, Failure> {
    let core = &call.core;
    let why = reason(why)?;
    NewStatement::new(said.clone(), Vec::new())?;
    let new = NewStatement::new(said, sealed_why(core, why)?)?;
    let stated = core.threats.state_that(&new, call.by(), core.clock.now())?;
    rematch(core)?;
    Answer::json(&statement(call, &View::of(core), &stated))
}

/// `POST hits/statements/{id}/withdraw`
pub(super) fn withdraw(call: &Call) -> Result<Answer, Failure> {
    let id: StatementId = call.param("id")?;
    let asked: Why = call.json()?;
    let core = &call.core;
    let why = sealed_why(core, reason(&asked.why)?)?;
    let withdrawn = core
        .threats
        .withdraw(id, call.by(), why, core.clock.now())?;
    rematch(core)?;
    Answer::json(&statement(call, &View::of(core), &withdrawn))
}

/// What the checks look at.
pub(super) fn measure(core: &Core) -> ThreatsState {
    let view = View::of(core);
    let counts = view.counts();
    let sources = super::advisory::sources(core, &view.library);
    let named = |wrong: fn(&AdvisorySource) -> bool| {
        let wrong = sources.iter().filter(|one| wrong(one));
        wrong.map(|one| one.name.clone()).collect()
    };
    let mut stale: Vec<String> = named(|one| one.stale);
    stale.extend(never_read(core, &view));
    let present = view.devices.values();
    let present = present.filter(|one| one.device.removed.is_none());
    ThreatsState {
        devices: u64::try_from(present.count()).unwrap_or(u64::MAX),
        advisories: u64::try_from(view.library.advisories().len()).unwrap_or(u64::MAX),
        stale,
        refused: named(|one| one.refused > 0 || one.failure.is_some()),
        unsupported: view.unsupported(),
        unexpected: super::conduit::open_alerts(core),
        unusual: super::behaviour::open_alerts(core),
        overdue: counts.overdue,
        due_soon: counts.due_soon,
    }
}

/// Configured sources that could not be read since the server started, and never before.
fn never_read(core: &Core, view: &View) -> Vec<String> {
    if view.now.since(core.started) < FIRST_READ {
        return Vec::new();
    }
    let is_known = |name: &str| view.library.sources().any(|one| one.name == name);
    let config = core.config();
    let configured = config.advisory_sources.iter();
    let unread = configured.filter(|one| !is_known(&one.name));
    unread.map(|one| one.name.clone()).collect()
}

/// Where more stands about a vulnerability of a package.
fn links(told: &Told) -> Vec<String> {
    let urls = told.references.iter().filter(|url| is_url(url));
    urls.map(ToString::to_string).collect()
}

fn is_url(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

/// What a device is called.
pub(super) fn device_name(one: &Shown) -> String {
    let text = |attribute| one.text(attribute);
    let model = || {
        let parts = [Attribute::Manufacturer, Attribute::Model].map(text);
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    };
    text(Attribute::Name)
        .or_else(|| text(Attribute::Hostname))
        .or_else(model)
        .unwrap_or_else(|| format!("#{}", one.device.id))
}

pub(super) fn hit_device(device: DeviceId, shown: Option<&Shown>) -> HitDevice {
    HitDevice {
        id: device.get(),
        name: shown.map_or_else(|| format!("#{device}"), device_name),
        version: shown
            .and_then(|one| one.text(Attribute::Version))
            .unwrap_or_default(),
    }
}

pub(super) fn hit(call: &Call, seen: &Seen<'_>) -> Hit {
    let found = seen.hit;
    let standing = &seen.urgency.standing;
    let judged = seen.judged.filter(|_| found.closed.is_none());
    let library = call.core.threats.library();
    let cve = seen.vulnerability.and_then(|one| one.cve.as_deref());
    let is_kev = found.key.advisory == "KEV";
    let is_of_ids = is_kev || found.key.advisory == "OSV";
    let cve = cve.or(is_of_ids.then_some(found.key.vulnerability.as_str()));
    let exploited = cve.and_then(|cve| library.exploited(cve));
    let title = match (seen.advisory, exploited) {
        (Some(advisory), _) => advisory.title.to_string(),
        (None, Some(entry)) if is_kev => entry.name.to_string(),
        (None, None) if is_kev => "Known exploited vulnerabilities".to_owned(),
        (None, _) => seen
            .told()
            .map(|told| told.title.to_string())
            .unwrap_or_default(),
    };
    let of_package = || {
        let scores = seen.told().map(|told| told.scores.as_slice());
        let worst = scores
            .unwrap_or_default()
            .iter()
            .filter_map(|one| one.base_tenths)
            .max();
        worst.map(|tenths| f64::from(tenths) / 10.0)
    };
    Hit {
        id: found.id.get(),
        device: hit_device(found.device, seen.device),
        document: seen.document.map(|one| one.id.get()),
        advisory: found.key.advisory.clone(),
        title,
        vulnerability: found.key.vulnerability.clone(),
        verdict: found.verdict.name().to_owned(),
        reasons: judged
            .iter()
            .flat_map(|one| &one.reasons)
            .map(|code| (*code).to_owned())
            .collect(),
        band: seen.urgency.priority.band.name().to_owned(),
        decision: seen.urgency.priority.decision.name().to_owned(),
        cvss: seen
            .vulnerability
            .and_then(worst)
            .map(|(score, _)| score)
            .or_else(of_package),
        exploited: exploited.is_some() || is_kev,
        ransomware: exploited.is_some_and(|one| one.known_ransomware),
        epss: cve
            .and_then(|cve| library.probability(cve))
            .map(|row| row.probability),
        state: seen.state().to_owned(),
        due: seen.urgency.due.day.to_string(),
        days_left: standing.days_left,
        treatment: seen.treatment.map(|one| treatment(call, one, seen)),
        found: found.found.to_rfc3339(),
        opened: found.opened.to_rfc3339(),
        closed: found.closed.map(|(at, _)| at.to_rfc3339()),
        closed_by: found.closed.map(|(_, by)| by.name().to_owned()),
        entry: found.entry.get(),
    }
}

fn treatment(call: &Call, one: &Treatment, seen: &Seen<'_>) -> HitTreatment {
    HitTreatment {
        kind: one.kind.name().to_owned(),
        until: one.last_day(),
        approved: one.approved,
        counts: !seen.urgency.standing.counts.is_empty(),
        person: one.person.get(),
        person_name: person_name(call, one.person),
        decided: one.decided.to_rfc3339(),
        why: why_in(&call.core.keys, SITE, &one.why),
        entry: one.entry.get(),
    }
}

pub(super) fn person_name(call: &Call, person: labward_base::id::PersonId) -> Option<String> {
    let named = call.person.permits(Permission::PersonRead);
    call.core.people.name_of(person).filter(|_| named)
}

fn statement(call: &Call, view: &View, one: &Statement) -> HitStatement {
    let mut shown = HitStatement {
        id: one.id.get(),
        person: one.person.get(),
        person_name: person_name(call, one.person),
        said: one.at.to_rfc3339(),
        why: why_in(&call.core.keys, SITE, &one.why),
        withdrawn: one.withdrawn.map(Timestamp::to_rfc3339),
        entry: one.entry.get(),
        ..HitStatement::default()
    };
    match &one.said {
        Said::Product {
            manufacturer,
            model,
            vendor,
            product,
            same,
        } => {
            if *same { "same" } else { "other" }.clone_into(&mut shown.says);
            shown.manufacturer.clone_from(manufacturer);
            shown.model.clone_from(model);
            shown.vendor.clone_from(vendor);
            shown.product.clone_from(product);
        }
        Said::Status {
            device,
            vulnerability,
            status,
            version,
        } => {
            status.name().clone_into(&mut shown.says);
            shown.device = Some(hit_device(*device, view.devices.get(device)));
            shown.vulnerability = vulnerability.to_string();
            shown.version.clone_from(version);
        }
    }
    shown
}

fn step(one: &Step) -> HitStep {
    HitStep {
        vendor: one.vendor.clone(),
        product: one.product.clone(),
        versions: one.versions.clone(),
        found_by: one.found_by.clone(),
        name: one.name.to_owned(),
        read_as: one.read_as.map(str::to_owned),
        status: one.status.to_owned(),
    }
}

pub(super) fn saying(one: &labward_priority::Saying) -> Saying {
    let values = one.values.iter();
    Saying {
        code: one.code.to_owned(),
        values: values
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
        text: one.to_string(),
    }
}

/// The highest base score of a vulnerability and its vector.
pub(super) fn worst(vulnerability: &Vulnerability) -> Option<(f64, String)> {
    let scores = vulnerability.scores.iter().map(|one| &one.score);
    let worst = scores.max_by_key(|score| score.base_tenths)?;
    Some((
        f64::from(worst.base_tenths?) / 10.0,
        worst.vector.to_string(),
    ))
}

pub(super) fn remediations(vulnerability: &Vulnerability) -> Vec<AdvisoryRemediation> {
    use labward_advisory::csaf::RemediationKind as Kind;
    let mut all: Vec<AdvisoryRemediation> = Vec::new();
    for one in &vulnerability.remediations {
        let kind = match &one.kind {
            Kind::Mitigation => "mitigation",
            Kind::NoFixPlanned => "no_fix_planned",
            Kind::NoneAvailable => "none_available",
            Kind::VendorFix => "vendor_fix",
            Kind::Workaround => "workaround",
            Kind::Other(word) => word,
        };
        let shown = AdvisoryRemediation {
            kind: kind.to_owned(),
            text: one.details.to_string(),
            url: one.url.as_deref().map(str::to_owned),
        };
        if !all.contains(&shown) {
            all.push(shown);
        }
    }
    all
}

pub(super) fn references(advisory: &Advisory) -> Vec<String> {
    let mut urls: Vec<String> = Vec::new();
    for one in &advisory.references {
        if is_url(&one.url) && !urls.iter().any(|url| **url == *one.url) {
            urls.push(one.url.to_string());
        }
    }
    urls
}

/// That a number names no document.
pub(super) fn no_document() -> Failure {
    Failure::new(&problem::ADVISORY_UNKNOWN)
}
