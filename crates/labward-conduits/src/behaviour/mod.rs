//! [`Behaviours`]: what each device usually does on its line, and an alert for what it does otherwise.
//!
//! A baseline is only counted: it lives in memory and is written in bulk, without an entry. An alert is raised, answered
//! and ended with an entry each; the same of one device and kind on one day is one alert and one entry.
//!
//! **Invariant:** no change without an entry; memory follows only after the commit.

mod alert;
mod store;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use labward_base::Timestamp;
use labward_base::id::{DeviceId, EntryIndex, PersonId, SiteId};
use labward_behaviour::{Anomaly, Baseline, Event, Progress, Settings, Summary};
use labward_ledger::{Action, Actor, Facts, NewEntry, Subject};
use labward_store::{Store, StoreError};

use alert::day;
pub use alert::{Outcome, Unusual};
use store::{Change, Saved};

use crate::ConduitsError;
use crate::alert::AlertId;

/// Anomalies that wait to be written at most, should the database refuse for long.
const TOLD_MAX: usize = 10_000;

/// Baselines that one unit writes: a message waits for no more than them.
const SAVED_AT_ONCE: usize = 16;

/// What devices do on their lines; clones share it.
#[derive(Clone)]
pub struct Behaviours(Arc<Shared>);

struct Shared {
    store: Store,
    site: SiteId,
    settings: Settings,
    // Held while a change is written: only the thread that watches and people wait for it, never a message.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    devices: BTreeMap<DeviceId, Watched>,
    alerts: BTreeMap<AlertId, Unusual>,
    /// What was told and is no alert yet.
    told: Vec<(DeviceId, Anomaly)>,
}

struct Watched {
    baseline: Baseline,
    /// Whether it is other than what is written.
    is_changed: bool,
}

/// What is known of one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The device.
    pub device: DeviceId,
    /// How far learning is.
    pub progress: Progress,
    /// What it usually does.
    pub usual: Summary,
    /// Whether there were more types or tests than are remembered.
    pub is_overfull: bool,
}

/// What a person says of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Which.
    pub alert: AlertId,
    /// Whether it is to be usual from now on.
    pub is_expected: bool,
}

impl Behaviours {
    /// Reads what was kept. What came since it was written is not known, so nothing is told as missing.
    ///
    /// # Errors
    /// [`ConduitsError::Store`].
    pub fn load(
        store: Store,
        site: SiteId,
        settings: Settings,
        now: Timestamp,
    ) -> Result<Self, ConduitsError> {
        let (baselines, alerts) = store.read(|snapshot| {
            let baselines = store::baselines(snapshot, site)?;
            Ok::<_, StoreError>((baselines, store::alerts(snapshot, site)?))
        })?;
        let devices = baselines.into_iter().map(|(device, kept)| {
            // A state of another version is learned anew.
            let mut baseline = kept.unwrap_or_else(|| Baseline::begin(now));
            baseline.lost(now);
            let watched = Watched {
                baseline,
                is_changed: false,
            };
            (device, watched)
        });
        let state = State {
            devices: devices.collect(),
            alerts: alerts.into_iter().map(|one| (one.id, one)).collect(),
            told: Vec::new(),
        };
        Ok(Self(Arc::new(Shared {
            store,
            site,
            settings,
            state: Mutex::new(state),
        })))
    }

    /// Takes a message that a device sent; what is otherwise becomes an alert with the next [`Self::look`].
    pub fn observe(&self, device: DeviceId, event: &Event<'_>) {
        let settings = &self.0.settings;
        let mut state = self.state();
        let state = &mut *state;
        let watched = state.devices.entry(device).or_insert_with(|| Watched {
            baseline: Baseline::begin(event.at),
            is_changed: true,
        });
        let told = watched.baseline.observe(event, settings);
        watched.is_changed = true;
        state.tell(told.into_iter().map(|one| (device, one)));
    }

    /// Says that messages of any device may have come up to this time that were not observed.
    pub fn lost(&self, now: Timestamp) {
        let mut state = self.state();
        let state = &mut *state;
        let mut all = Vec::new();
        for (device, watched) in &mut state.devices {
            let told = watched.baseline.lost(now);
            watched.is_changed = true;
            all.extend(told.into_iter().map(|one| (*device, one)));
        }
        state.tell(all);
    }

    /// Looks at every device of `present`: finds silence, raises alerts and ends those that are over. The alerts that were
    /// raised, or seen again on another day.
    ///
    /// # Errors
    /// What the store says; nothing is lost then, and it is tried again with the next look.
    pub fn look(
        &self,
        present: &BTreeSet<DeviceId>,
        now: Timestamp,
    ) -> Result<Vec<Unusual>, ConduitsError> {
        let mut state = self.state();
        let state = &mut *state;
        let mut all = Vec::new();
        for (device, watched) in &mut state.devices {
            let told = watched.baseline.look(now, &self.0.settings);
            watched.is_changed |= !told.is_empty();
            all.extend(told.into_iter().map(|one| (*device, one)));
        }
        state.tell(all);
        state.told.retain(|(device, _)| present.contains(device));
        let mut changes = self.raised(state, now);
        changes.extend(self.ended(state, &changes, present, now));
        if changes.is_empty() {
            state.told.clear();
            return Ok(Vec::new());
        }
        let of: BTreeSet<DeviceId> = changes.iter().map(|(_, one)| one.device).collect();
        let saved = state.states(|device, _| of.contains(&device));
        let written = self.write(state, saved, changes, now)?;
        state.told.clear();
        let is_told = |(is_recorded, one): (bool, Unusual)| {
            (is_recorded && one.closed.is_none()).then_some(one)
        };
        Ok(written.into_iter().filter_map(is_told).collect())
    }

    /// Writes the baselines that changed.
    ///
    /// # Errors
    /// What the store says; it is tried again with the next time.
    pub fn save(&self, now: Timestamp) -> Result<usize, ConduitsError> {
        let mut state = self.state();
        let saved = state.states(|_, watched| watched.is_changed);
        for some in saved.chunks(SAVED_AT_ONCE) {
            self.write(&mut state, some.to_vec(), Vec::new(), now)?;
        }
        for watched in state.devices.values_mut() {
            watched.is_changed = false;
        }
        Ok(saved.len())
    }

    /// Takes down what a person says of an alert, for the sealed reason `why`. What is expected is usual from now on.
    ///
    /// # Errors
    /// [`ConduitsError::NoAlert`], [`ConduitsError::AlertClosed`], and what the store says.
    pub fn answer(
        &self,
        answer: Answer,
        by: PersonId,
        why: Vec<u8>,
        now: Timestamp,
    ) -> Result<EntryIndex, ConduitsError> {
        let mut state = self.state();
        let id = answer.alert;
        let alert = state.alerts.get(&id).ok_or(ConduitsError::NoAlert(id))?;
        if alert.closed.is_some() {
            return Err(ConduitsError::AlertClosed(id));
        }
        let mut alert = alert.clone();
        let outcome = match answer.is_expected {
            true => Outcome::Expected,
            false => Outcome::Unexpected,
        };
        alert.closed = Some((now, outcome));
        let device = alert.device;
        let known = state.devices.get(&device);
        let after = known.filter(|_| answer.is_expected).map(|known| {
            let mut baseline = known.baseline.clone();
            alert.seen.iter().for_each(|one| baseline.expect(one));
            baseline
        });
        let entry = self.entry(Actor::Person(by), Action::BehaviourAnswered, &alert);
        let entry = entry
            .facts(facts(&alert).text("answer", outcome.name()))
            .detail(why);
        let saved = after.iter().map(|one| (device, one.to_bytes())).collect();
        let written = self.write(&mut state, saved, vec![(Some(entry), alert)], now)?;
        if let (Some(after), Some(known)) = (after, state.devices.get_mut(&device)) {
            known.baseline = after;
        }
        let entry = written.first().map(|(_, one)| one.entry);
        Ok(entry.unwrap_or(EntryIndex::new(0)))
    }

    /// Every device of which a message was observed.
    pub fn known(&self, now: Timestamp) -> Vec<Known> {
        let state = self.state();
        let known = state.devices.iter().map(|(device, watched)| Known {
            device: *device,
            progress: watched.baseline.progress(now, &self.0.settings),
            usual: watched.baseline.summary(),
            is_overfull: watched.baseline.is_overfull(),
        });
        known.collect()
    }

    /// Every alert, the newest first; of the closed ones the last thousand that stood at the start.
    pub fn alerts(&self) -> Vec<Unusual> {
        self.state().alerts.values().rev().cloned().collect()
    }

    /// What becomes of what was told: new alerts, and open ones that were seen again.
    fn raised(&self, state: &State, now: Timestamp) -> Vec<Change> {
        let mut next = state.alerts.last_key_value().map_or(0, |(id, _)| *id);
        let mut changed: BTreeMap<AlertId, (bool, Unusual)> = BTreeMap::new();
        for (device, anomaly) in &state.told {
            let code = anomaly.kind.code();
            let is_same = |one: &&Unusual| (one.device, one.kind) == (*device, code);
            let changing = changed.values().map(|(_, one)| one).find(is_same);
            let known = changing.or_else(|| state.of_day(*device, code, anomaly));
            match known.cloned() {
                Some(mut alert) => {
                    // What a person answered today is only counted.
                    let is_next_day = alert.add(anomaly.clone()) && alert.closed.is_none();
                    let before = changed
                        .get(&alert.id)
                        .is_some_and(|(recorded, _)| *recorded);
                    changed.insert(alert.id, (before || is_next_day, alert));
                }
                None => {
                    next = next.saturating_add(1);
                    let alert = Unusual::begin(next, *device, anomaly.clone(), now);
                    changed.insert(next, (true, alert));
                }
            }
        }
        let changes = changed.into_values().map(|(is_recorded, alert)| {
            let entry = self.entry(Actor::System, Action::BehaviourAlerted, &alert);
            (is_recorded.then(|| entry.facts(facts(&alert))), alert)
        });
        changes.collect()
    }

    /// The open alerts that are over: what was told holds no more, or the device is not there any more.
    fn ended(
        &self,
        state: &State,
        changing: &[Change],
        present: &BTreeSet<DeviceId>,
        now: Timestamp,
    ) -> Vec<Change> {
        let is_changing = |id| changing.iter().any(|(_, one)| one.id == id);
        let open = state.alerts.values().filter(|one| one.closed.is_none());
        let over = open.filter(|one| !is_changing(one.id)).filter(|one| {
            let watched = state.devices.get(&one.device);
            let is_over = watched
                .is_some_and(|watched| one.seen.iter().all(|seen| watched.baseline.is_over(seen)));
            is_over || !present.contains(&one.device)
        });
        let ended = over.map(|one| {
            let mut alert = one.clone();
            alert.closed = Some((now, Outcome::Ended));
            let entry = self.entry(Actor::System, Action::BehaviourEnded, &alert);
            (Some(entry.facts(facts(&alert))), alert)
        });
        ended.collect()
    }

    /// Writes baselines and alerts, and then has memory follow; whether each alert was recorded.
    fn write(
        &self,
        state: &mut State,
        saved: Vec<Saved>,
        changes: Vec<Change>,
        now: Timestamp,
    ) -> Result<Vec<(bool, Unusual)>, ConduitsError> {
        let (site, rows) = (self.0.site, Arc::new((saved, changes)));
        let written = Arc::clone(&rows);
        let entries = self
            .0
            .store
            .write(move |tx| store::write(tx, site, &written.0, &written.1, now))?;
        let (_, changes) = &*rows;
        let alerts = changes.iter().zip(entries).map(|((own, alert), entry)| {
            let alert = Unusual {
                entry,
                ..alert.clone()
            };
            (own.is_some(), alert)
        });
        let alerts: Vec<(bool, Unusual)> = alerts.collect();
        for (_, alert) in &alerts {
            state.alerts.insert(alert.id, alert.clone());
        }
        Ok(alerts)
    }

    fn entry(&self, by: Actor, action: Action, alert: &Unusual) -> NewEntry {
        NewEntry::new(self.0.site, by, action, Subject::Device(alert.device))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn tell(&mut self, told: impl IntoIterator<Item = (DeviceId, Anomaly)>) {
        let room = TOLD_MAX.saturating_sub(self.told.len());
        self.told.extend(told.into_iter().take(room));
    }

    /// The alert to which an anomaly belongs: an open one, or one that a person answered on its day. Silence that begins
    /// again is always told again.
    fn of_day(&self, device: DeviceId, code: &str, anomaly: &Anomaly) -> Option<&Unusual> {
        let mut same = self.alerts.values().rev();
        same.find(|one| {
            let is_answered_today = one.closed.is_some_and(|(at, outcome)| {
                outcome != Outcome::Ended && day(at) == day(anomaly.at) && code != "silent"
            });
            (one.device, one.kind) == (device, code) && (one.closed.is_none() || is_answered_today)
        })
    }

    /// The states of some devices as they are written.
    fn states(&self, which: impl Fn(DeviceId, &Watched) -> bool) -> Vec<Saved> {
        let chosen = self
            .devices
            .iter()
            .filter(|(device, one)| which(**device, one));
        chosen
            .map(|(device, one)| (*device, one.baseline.to_bytes()))
            .collect()
    }
}

/// What an entry says of an alert: nothing but codes and numbers.
fn facts(alert: &Unusual) -> Facts {
    let facts = Facts::new()
        .number("alert", i64::try_from(alert.id).unwrap_or(i64::MAX))
        .text("kind", alert.kind)
        .number("count", i64::try_from(alert.count).unwrap_or(i64::MAX));
    let Some(last) = alert.seen.last() else {
        return facts;
    };
    let names = alert.seen.iter().map(|one| one.kind.to_parts().name);
    let names: Vec<Box<str>> = names.filter(|name| !name.is_empty()).take(8).collect();
    let facts = facts.text("at", last.at.to_rfc3339());
    match names.is_empty() {
        true => facts,
        false => facts.texts("names", names.iter().map(|name| &**name)),
    }
}

#[cfg(test)]
mod tests;
