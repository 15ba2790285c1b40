//! What a person decides about delivery: let a destination go on, send a message again, give it up.
//!
//! **Invariant:** no change without an entry. Each decision commits with its entry and its sealed
//! reason before anything follows from it; only these may break the order of a patient's messages.

use std::sync::Arc;

use labward_base::id::{EntryIndex, PersonId, RecordId};
use labward_base::problem;
use labward_ledger::{
    Action, Actor, Facts, Leaf, NewEntry, StoredEntry, Subject, append, entry_of_record,
};
use labward_store::Tx;
use tokio::time::Instant;

use super::destination::Destination;
use super::error::DeliveryError;
use super::feed::{keys_of, names};
use super::status::{ExceptionState, WaitingMessage};
use super::store::{self, Place};
use super::{Outgoing, Shared};
use crate::config::DestinationName;
use crate::messages::HeldState;

/// Who decided, and why, sealed.
struct Decision {
    person: PersonId,
    detail: Vec<u8>,
}

/// What a resend came to.
struct Resent {
    entry: EntryIndex,
    /// Destinations to which it goes anew.
    to: Vec<DestinationName>,
    /// Destinations at which it goes on in its place.
    again: Vec<(DestinationName, EntryIndex)>,
    /// Destinations with a dead letter less.
    revived: Vec<(DestinationName, usize)>,
}

impl Shared {
    pub(super) fn resume(
        &self,
        name: &DestinationName,
        person: PersonId,
        why: &str,
    ) -> Result<EntryIndex, DeliveryError> {
        let destination = self.destination(name)?;
        let decision = self.decide(person, why)?;
        let place = destination.place.clone();
        let entry = self.store.write(move |tx| {
            if !store::set_stopped(tx, &place, None)? {
                return Err(DeliveryError::NotStopped(place.destination.clone()));
            }
            let subject = Subject::Destination(place.destination.as_str().to_owned().into());
            let entry = decision.entry(&place, Action::DestinationReleased, subject, Facts::new());
            Ok(append(tx, &entry)?)
        })?;
        destination.state().stopped = None;
        destination.changed.notify_waiters();
        Ok(entry)
    }

    pub(super) fn resend(
        self: &Arc<Self>,
        record: RecordId,
        only: Option<&DestinationName>,
        person: PersonId,
        why: &str,
    ) -> Result<EntryIndex, DeliveryError> {
        let decision = self.decide(person, why)?;
        let (row, leaf) = self.kept(record)?;
        let sent_to = self.sent_to(record, &leaf)?;
        let places: Vec<Place> = match only {
            Some(name) => {
                let wanted = self.destination(name)?;
                sent_to
                    .into_iter()
                    .filter(|to| *to == wanted.place)
                    .collect()
            }
            None => sent_to,
        };
        if places.is_empty() {
            return Err(DeliveryError::NoMessage(record));
        }
        if places.iter().any(|place| self.is_on_its_way(place, record)) {
            return Err(DeliveryError::NotWaiting(record));
        }
        let keys = keys_of(&self.store, self.keep.as_ref(), &row, &leaf)?;
        let link = leaf.facts.get_text("link").unwrap_or_default().to_owned();
        let unit = move |tx: &mut Tx<'_>| resend_in(tx, record, &places, &decision, &link);
        let resent = self.submit_resend(record, keys, unit)?;
        for (name, entry) in &resent.again {
            if let Ok(destination) = self.destination(name) {
                let mut state = destination.state();
                if !state.schedule.is_in_flight(*entry) {
                    state.schedule.put_back(*entry);
                }
                drop(state);
                destination.changed.notify_waiters();
            }
        }
        for (name, count) in &resent.revived {
            if let Ok(destination) = self.destination(name) {
                let mut state = destination.state();
                state.dead = state.dead.saturating_sub(*count);
            }
        }
        Ok(resent.entry)
    }

    /// The entry that kept a message.
    fn kept(&self, record: RecordId) -> Result<(StoredEntry, Leaf), DeliveryError> {
        let row = self
            .store
            .read(|snapshot| Ok::<_, DeliveryError>(entry_of_record(snapshot, record)?))?
            .ok_or(DeliveryError::NoMessage(record))?;
        let leaf = Leaf::parse(&row.leaf).map_err(|_| DeliveryError::NoMessage(record))?;
        Ok((row, leaf))
    }

    /// The destinations to which a message was sent, at receipt or when a person released it.
    fn sent_to(&self, record: RecordId, leaf: &Leaf) -> Result<Vec<Place>, DeliveryError> {
        // The entry of a held message names no destinations: it goes nowhere by itself.
        let released = if leaf.action == Action::MessageHeld {
            let held = self
                .store
                .read(|snapshot| Ok::<_, DeliveryError>(crate::store::held(snapshot, record)?))?;
            let held = held.filter(|held| held.state == HeldState::Released);
            held.map(|held| held.destinations).unwrap_or_default()
        } else {
            Vec::new()
        };
        let was_sent = |to: &&Arc<Destination>| {
            released.contains(to.name()) || names(&leaf.facts, to.name().as_str())
        };
        let all = self.destinations();
        let sent_to = all.iter().filter(was_sent);
        Ok(sent_to.map(|to| to.place.clone()).collect())
    }

    /// The hand-over runs in the writer's callback, which keeps it in the order of the ledger.
    fn submit_resend(
        self: &Arc<Self>,
        record: RecordId,
        ordering: Vec<u64>,
        unit: impl FnMut(&mut Tx<'_>) -> Result<Resent, DeliveryError> + Send + 'static,
    ) -> Result<Resent, DeliveryError> {
        let (send, receive) = std::sync::mpsc::sync_channel(1);
        let shared = Arc::clone(self);
        let done = move |resent: Result<Resent, DeliveryError>| {
            if let Ok(resent) = &resent {
                shared.committed(Outgoing {
                    entry: resent.entry,
                    record,
                    destinations: resent.to.clone(),
                    ordering,
                    bytes: None,
                });
            }
            // The receiver waits below, so it is there.
            let _ = send.send(resent);
        };
        self.store.submit(unit, done);
        receive
            .recv()
            .unwrap_or(Err(labward_store::StoreError::Closed.into()))
    }

    pub(super) fn waiting_of(
        &self,
        record: RecordId,
    ) -> Result<Vec<WaitingMessage>, DeliveryError> {
        self.store.read(|snapshot| {
            let mut found = Vec::new();
            for destination in self.destinations().iter() {
                let rows = store::of_record(snapshot, &destination.place, record)?;
                found.extend(rows.into_iter().map(|row| row.at(destination.name())));
            }
            Ok(found)
        })
    }

    pub(super) fn give_up(
        &self,
        record: RecordId,
        name: &DestinationName,
        person: PersonId,
        why: &str,
    ) -> Result<EntryIndex, DeliveryError> {
        let destination = self.destination(name)?;
        let decision = self.decide(person, why)?;
        let place = destination.place.clone();
        let rows = self
            .store
            .read(|snapshot| store::of_record(snapshot, &place, record))?;
        let row = rows
            .into_iter()
            .find(|row| matches!(row.state, ExceptionState::Held | ExceptionState::Retrying))
            .ok_or(DeliveryError::NotWaiting(record))?;
        let (at, was) = (row.entry, row.state);
        {
            let mut state = destination.state();
            if state.schedule.get(at).is_none() || state.schedule.is_in_flight(at) {
                return Err(DeliveryError::NotWaiting(record));
            }
            // No lane takes it while the decision is being written.
            state.schedule.hold(at);
        }
        let unit = move |tx: &mut Tx<'_>| {
            let mut row = row.clone();
            row.state = ExceptionState::Dead;
            problem::GATEWAY_GIVEN_UP.code.clone_into(&mut row.reason);
            store::put(tx, &place, &row)?;
            let facts = Facts::new()
                .text("destination", place.destination.as_str())
                .number("message", row.entry.get())
                .number("attempts", row.attempts)
                .text("reason", problem::GATEWAY_GIVEN_UP.code);
            let subject = Subject::Record(row.record);
            let entry = decision.entry(&place, Action::MessageDead, subject, facts);
            Ok::<_, DeliveryError>(append(tx, &entry)?)
        };
        let written = self.store.write(unit);
        let mut state = destination.state();
        if written.is_ok() {
            state.schedule.finish(at);
            state.dead += 1;
        } else if was == ExceptionState::Retrying {
            state.schedule.retry_at(at, Instant::now());
        }
        drop(state);
        destination.changed.notify_waiters();
        written
    }

    fn decide(&self, person: PersonId, why: &str) -> Result<Decision, DeliveryError> {
        let detail = self.keep.seal_detail(self.site, why.as_bytes())?;
        Ok(Decision { person, detail })
    }

    /// Whether the message goes there anyway, so that another copy would only double it.
    fn is_on_its_way(&self, place: &Place, record: RecordId) -> bool {
        self.destination(&place.destination)
            .is_ok_and(|to| to.state().schedule.is_waiting_its_turn(record))
    }
}

fn resend_in(
    tx: &mut Tx<'_>,
    record: RecordId,
    places: &[Place],
    decision: &Decision,
    link: &str,
) -> Result<Resent, DeliveryError> {
    let (mut to, mut again, mut revived) = (Vec::new(), Vec::new(), Vec::new());
    for place in places {
        let mut dead = 0;
        let mut goes_on = false;
        for mut row in store::of_record(tx, place, record)? {
            if row.state == ExceptionState::Dead {
                store::remove(tx, place, row.entry)?;
                dead += 1;
                continue;
            }
            row.state = ExceptionState::Waiting;
            store::put(tx, place, &row)?;
            again.push((place.destination.clone(), row.entry));
            goes_on = true;
        }
        if !goes_on {
            to.push(place.destination.clone());
        }
        revived.push((place.destination.clone(), dead));
    }
    let mut facts = Facts::new();
    if !link.is_empty() {
        facts = facts.text("link", link);
    }
    // Only what goes anew stands in `to`: that is where delivery looks after a restart.
    if !to.is_empty() {
        facts = facts.texts("to", to.iter().map(DestinationName::as_str));
    }
    if !again.is_empty() {
        facts = facts.texts("again", again.iter().map(|(name, _)| name.as_str()));
    }
    let place = places.first().ok_or(DeliveryError::NoMessage(record))?;
    let entry = decision.entry(place, Action::MessageResent, Subject::Record(record), facts);
    Ok(Resent {
        entry: append(tx, &entry)?,
        to,
        again,
        revived,
    })
}

impl Decision {
    fn entry(&self, place: &Place, action: Action, subject: Subject, facts: Facts) -> NewEntry {
        NewEntry::new(place.site, Actor::Person(self.person), action, subject)
            .facts(facts)
            .detail(self.detail.clone())
    }
}
