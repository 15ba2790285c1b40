//! [`Conduits`]: every change of who talks to whom, each with its entry.
//!
//! **Invariant:** no change without an entry; memory follows only after the commit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use labward_base::Timestamp;
use labward_base::id::{DeviceId, EntryIndex, PersonId, SiteId};
use labward_ledger::{Action, Actor, Facts, NewEntry, Subject};
use labward_segmentation::{
    Alert, Baseline, Decision, Direction, ListedDevice, Mode, Network, Observation, Plan, Ruleset,
    Service,
};
use labward_store::Store;

use crate::ConduitsError;
use crate::alert::{AlertId, Raised};
use crate::store;

/// How long a device learns by itself.
const LEARNS: Duration = Duration::from_secs(14 * 86_400);
/// How long what was measured of the rules counts.
const MEASURED: Duration = Duration::from_secs(3_600);
/// Alerts that wait for a person at most; what comes then is counted in the plan and told no more.
const OPEN_MAX: usize = 1_000;

/// With whom devices talk; clones share it.
#[derive(Clone)]
pub struct Conduits(Arc<Shared>);

struct Shared {
    store: Store,
    site: SiteId,
    state: RwLock<State>,
    changing: Mutex<()>,
}

#[derive(Clone)]
struct State {
    plan: Arc<Plan>,
    revision: u64,
    alerts: Arc<BTreeMap<AlertId, Raised>>,
    /// What the machine that forwards said of its rules last; nothing after a start.
    rules: Option<Rules>,
}

/// What the machine that forwards said of its rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// `live`, `trial`, `missing`, `changed` or `lapsed`.
    pub state: String,
    /// The hash of what is loaded, if it was read.
    pub hash: Option<String>,
    /// When it was said.
    pub at: Timestamp,
}

impl Rules {
    fn says_what(&self, other: &Self) -> bool {
        (&self.state, &self.hash) == (&other.state, &other.hash)
    }
}

/// What became of what was heard.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// Conduits that were known.
    pub known: usize,
    /// Conduits that are new.
    pub new: usize,
    /// What nobody expected.
    pub alerts: Vec<Raised>,
}

/// Which conduit a person decides about, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deciding {
    /// The device.
    pub device: DeviceId,
    /// Who opens it.
    pub direction: Direction,
    /// The other side.
    pub peer: Network,
    /// What is asked for.
    pub service: Service,
    /// What is decided.
    pub decision: Decision,
}

impl Conduits {
    /// Reads the plan and the alerts.
    ///
    /// # Errors
    /// [`ConduitsError::Store`].
    pub fn load(store: Store, site: SiteId) -> Result<Self, ConduitsError> {
        let state = store.read(|snapshot| {
            let (plan, revision) = store::plan(snapshot, site)?;
            let alerts = store::alerts(snapshot, site)?;
            Ok::<_, labward_store::StoreError>(State {
                plan: Arc::new(plan),
                revision,
                alerts: Arc::new(alerts.into_iter().map(|one| (one.id, one)).collect()),
                rules: None,
            })
        })?;
        Ok(Self(Arc::new(Shared {
            store,
            site,
            state: RwLock::new(state),
            changing: Mutex::new(()),
        })))
    }

    /// The plan: devices, their modes and conduits.
    pub fn plan(&self) -> Arc<Plan> {
        self.state().plan
    }

    /// Every alert, settled ones too.
    pub fn alerts(&self) -> Arc<BTreeMap<AlertId, Raised>> {
        self.state().alerts
    }

    /// Takes in what was heard of these devices. One entry names the source and how much of it is new; each
    /// alert has an entry of its own. Where nothing is new nothing is written.
    ///
    /// # Errors
    /// [`ConduitsError::Plan`] if two devices have one address; what the store says.
    pub fn heard(
        &self,
        devices: Vec<ListedDevice>,
        observations: &[Observation],
        source: &str,
        by: Actor,
        now: Timestamp,
    ) -> Result<Heard, ConduitsError> {
        let _order = self.order();
        let state = self.state();
        let mut plan = Plan::clone(&state.plan);
        plan.enrol(devices)?;
        end_learning(&mut plan, now)?;
        let alerts = Baseline::of(&plan).alerts(observations);
        let learned = plan.learn(observations)?;
        let raised = new_alerts(&state.alerts, alerts, now);
        let mut heard = Heard {
            known: learned.known,
            new: learned.new,
            alerts: Vec::new(),
        };
        if learned.new == 0 && raised.is_empty() {
            // Only counters are other than before.
            self.change(|state| state.plan = Arc::new(plan));
            return Ok(heard);
        }
        let facts = Facts::new()
            .text("source", source)
            .number("new", learned.new)
            .number("known", learned.known)
            .number("alerts", raised.len());
        let entry = NewEntry::new(self.0.site, by, Action::TrafficHeard, Subject::Devices);
        let raised: Vec<_> = raised
            .into_iter()
            .map(|alert| (Some(self.alert_entry(&alert)), alert))
            .collect();
        heard.alerts = self.record(&state, plan, entry.facts(facts), raised)?.1;
        Ok(heard)
    }

    /// Takes down what a person decides about a conduit, for the sealed reason `why`; its alerts are settled.
    ///
    /// # Errors
    /// [`ConduitsError::NoDevice`], [`ConduitsError::NoConduit`], and what the store says.
    pub fn decide(
        &self,
        deciding: &Deciding,
        by: PersonId,
        why: Vec<u8>,
        now: Timestamp,
    ) -> Result<EntryIndex, ConduitsError> {
        let _order = self.order();
        let state = self.state();
        let Deciding {
            device,
            direction,
            peer,
            service,
            decision,
        } = *deciding;
        let known = state.plan.device(device);
        let known = known.ok_or(ConduitsError::NoDevice(device))?;
        let is_meant = |one: &labward_segmentation::Conduit| {
            (one.direction, one.peer, one.service) == (direction, peer, service)
        };
        if !known.conduits.iter().any(is_meant) {
            return Err(ConduitsError::NoConduit(device));
        }
        let mut plan = Plan::clone(&state.plan);
        plan.change(|devices| {
            let of = devices.iter_mut().filter(|one| one.id == device);
            let conduits = of.flat_map(|one| &mut one.conduits);
            for one in conduits.filter(|one| is_meant(one)) {
                one.decision = decision;
            }
        })?;
        let facts = Facts::new()
            .text("decision", decision.name())
            .text("direction", direction.name())
            .text("peer", peer.to_string())
            .text("service", service.to_string());
        let entry = self.entry(by, Action::ConduitDecided, device);
        let settled = state.alerts.values().filter(|alert| {
            let of = (alert.device, alert.direction, alert.peer, alert.service);
            alert.settled.is_none() && of == (device, direction, peer, service)
        });
        let settled = settled.map(|alert| {
            let settled = Raised {
                settled: Some(now),
                ..alert.clone()
            };
            (None, settled)
        });
        let settled = settled.collect();
        let entry = entry.facts(facts).detail(why);
        Ok(self.record(&state, plan, entry, settled)?.0)
    }

    /// Takes down how a device is treated and whether it still learns, for the sealed reason `why`.
    ///
    /// # Errors
    /// [`ConduitsError::NoDevice`], and what the store says.
    pub fn set_mode(
        &self,
        device: DeviceId,
        (mode, is_learning): (Mode, bool),
        by: PersonId,
        why: Vec<u8>,
    ) -> Result<EntryIndex, ConduitsError> {
        let _order = self.order();
        let state = self.state();
        if state.plan.device(device).is_none() {
            return Err(ConduitsError::NoDevice(device));
        }
        let mut plan = Plan::clone(&state.plan);
        plan.change(|devices| {
            for one in devices.iter_mut().filter(|one| one.id == device) {
                one.mode = mode;
                one.learning = is_learning;
            }
        })?;
        let facts = Facts::new()
            .text("mode", mode.name())
            .text("learning", if is_learning { "yes" } else { "no" });
        let entry = self.entry(by, Action::SegmentationChanged, device);
        let entry = entry.facts(facts).detail(why);
        Ok(self.record(&state, plan, entry, Vec::new())?.0)
    }

    /// Takes down what the machine that forwards says of its rules; an entry where it says something else
    /// than before.
    ///
    /// # Errors
    /// What the store says.
    pub fn rules_said(&self, rules: Rules, by: Actor) -> Result<Option<EntryIndex>, ConduitsError> {
        let _order = self.order();
        let known = self.state().rules;
        if known.is_some_and(|known| known.says_what(&rules)) {
            self.change(|state| state.rules = Some(rules));
            return Ok(None);
        }
        let facts = Facts::new().text("state", rules.state.as_str());
        let facts = match &rules.hash {
            Some(hash) => facts.text("hash", hash.as_str()),
            None => facts,
        };
        let action = Action::SegmentationMeasured;
        let entry = NewEntry::new(self.0.site, by, action, Subject::Devices).facts(facts);
        let entry = self
            .0
            .store
            .write(move |tx| labward_ledger::append(tx, &entry).map_err(ConduitsError::from))?;
        self.change(|state| state.rules = Some(rules));
        Ok(Some(entry))
    }

    /// What the machine that forwards said of its rules last.
    pub fn rules(&self) -> Option<Rules> {
        self.state().rules
    }

    /// The devices that are kept apart now, as was measured within the last hour: enforced by the very rules
    /// that the plan makes.
    pub fn guarded(&self, now: Timestamp) -> BTreeSet<DeviceId> {
        let state = self.state();
        let is_fresh = |rules: &&Rules| rules.state == "live" && now.since(rules.at) <= MEASURED;
        let Some(rules) = state.rules.as_ref().filter(is_fresh) else {
            return BTreeSet::new();
        };
        let hash = Ruleset::of(&state.plan).map(|ruleset| ruleset.hash().to_string());
        if hash.ok() != rules.hash {
            return BTreeSet::new();
        }
        let devices = state.plan.devices().iter();
        let enforced = devices.filter(|one| one.mode == Mode::Enforce);
        enforced.map(|one| one.id).collect()
    }

    fn entry(&self, by: PersonId, action: Action, device: DeviceId) -> NewEntry {
        let subject = Subject::Device(device);
        NewEntry::new(self.0.site, Actor::Person(by), action, subject)
    }

    fn alert_entry(&self, alert: &Raised) -> NewEntry {
        let facts = Facts::new()
            .text("new", alert.novelty.as_str())
            .text("direction", alert.direction.name())
            .text("peer", alert.peer.to_string())
            .text("service", alert.service.to_string())
            .text("public", if alert.is_public { "yes" } else { "no" });
        let subject = Subject::Device(alert.device);
        let action = Action::ConduitAlerted;
        NewEntry::new(self.0.site, Actor::System, action, subject).facts(facts)
    }

    /// Writes a plan and alerts, and then has memory follow.
    fn record(
        &self,
        state: &State,
        plan: Plan,
        entry: NewEntry,
        alerts: Vec<(Option<NewEntry>, Raised)>,
    ) -> Result<(EntryIndex, Vec<Raised>), ConduitsError> {
        let revision = state.revision.saturating_add(1);
        let text = Arc::new(plan.write()?);
        let alerts = Arc::new(alerts);
        let (site, rows) = (self.0.site, Arc::clone(&alerts));
        let (entry, entries) = self
            .0
            .store
            .write(move |tx| store::write(tx, site, (&entry, &text, revision), &rows))?;
        let alerts: Vec<Raised> = alerts
            .iter()
            .zip(entries)
            .map(|((_, alert), entry)| Raised {
                entry,
                ..alert.clone()
            })
            .collect();
        let mut all = BTreeMap::clone(&state.alerts);
        all.extend(alerts.iter().map(|one| (one.id, one.clone())));
        self.change(|state| {
            *state = State {
                plan: Arc::new(plan),
                revision,
                alerts: Arc::new(all),
                rules: state.rules.clone(),
            };
        });
        Ok((entry, alerts))
    }

    fn state(&self) -> State {
        let state = self.0.state.read().unwrap_or_else(PoisonError::into_inner);
        state.clone()
    }

    fn change(&self, act: impl FnOnce(&mut State)) {
        let mut state = self.0.state.write().unwrap_or_else(PoisonError::into_inner);
        act(&mut state);
    }

    fn order(&self) -> MutexGuard<'_, ()> {
        self.0
            .changing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A device that was first heard long enough ago learns no more.
fn end_learning(plan: &mut Plan, now: Timestamp) -> Result<(), ConduitsError> {
    plan.change(|devices| {
        for device in devices.iter_mut().filter(|one| one.learning) {
            let seen = device.conduits.iter().filter_map(|one| one.seen.as_ref());
            let first = seen.map(|seen| seen.first).min();
            device.learning = first.is_none_or(|first| now.since(first) < LEARNS);
        }
    })?;
    Ok(())
}

/// The alerts about which nobody was told yet.
fn new_alerts(
    known: &BTreeMap<AlertId, Raised>,
    alerts: Vec<Alert>,
    now: Timestamp,
) -> Vec<Raised> {
    let open = known.values().filter(|one| one.settled.is_none());
    let mut told: BTreeSet<_> = open
        .map(|one| (one.device, one.direction, one.peer, one.service.to_string()))
        .collect();
    let mut next = known.last_key_value().map_or(0, |(id, _)| *id);
    let mut raised = Vec::new();
    for alert in alerts {
        let peer = Network::host(alert.peer);
        let key = (
            alert.device,
            alert.direction,
            peer,
            alert.service.to_string(),
        );
        if told.len() >= OPEN_MAX || !told.insert(key) {
            continue;
        }
        next = next.saturating_add(1);
        raised.push(Raised {
            id: next,
            device: alert.device,
            novelty: alert.novelty.name().to_owned(),
            direction: alert.direction,
            peer,
            service: alert.service,
            is_public: alert.is_public,
            seen: alert.first_seen,
            raised: now,
            settled: None,
            entry: EntryIndex::new(0),
        });
    }
    raised
}
