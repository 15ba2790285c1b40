//! Which message may go next to one destination.
//!
//! **Invariant:** first in, first out per ordering key. A message goes only when nothing earlier
//! that shares one of its keys is still undelivered, so a merge, which has the keys of both its
//! patients, waits for both and holds both back; messages of other keys pass by.
//!
//! Nothing here reads a clock, a file or a socket.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use labward_base::id::{EntryIndex, RecordId};
use labward_base::{Secret, Timestamp};
use tokio::time::Instant;

use super::status::ExceptionState;
use super::store::Exception;

/// A message on its way to one destination.
pub(super) struct Item {
    pub(super) entry: EntryIndex,
    pub(super) record: RecordId,
    pub(super) keys: Vec<u64>,
    /// When it came, for the limit of its age.
    pub(super) at: Timestamp,
    pub(super) bytes: Option<Arc<Secret<Vec<u8>>>>,
    pub(super) attempts: u32,
    pub(super) answers: u32,
    /// The first failure.
    pub(super) since: Option<Timestamp>,
    pub(super) reason: String,
}

/// What a lane is to send.
#[derive(Clone)]
pub(super) struct Job {
    pub(super) entry: EntryIndex,
    pub(super) record: RecordId,
    pub(super) bytes: Option<Arc<Secret<Vec<u8>>>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Waiting,
    InFlight,
    Retrying(Instant),
    Held,
}

struct Slot {
    item: Item,
    phase: Phase,
    /// Whether its row of exceptions stands, so that the cursor may pass it.
    parked: bool,
}

/// The undelivered messages of one destination, in order.
#[derive(Default)]
pub(super) struct Schedule {
    slots: BTreeMap<EntryIndex, Slot>,
    queues: HashMap<u64, BTreeSet<EntryIndex>>,
    ready: BTreeSet<EntryIndex>,
    timers: BTreeSet<(Instant, EntryIndex)>,
    fresh: BTreeSet<EntryIndex>,
    bytes: usize,
}

/// How many messages are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) waiting: usize,
    pub(super) in_flight: usize,
    pub(super) retrying: usize,
    pub(super) held: usize,
}

/// Bytes of messages kept in memory for a destination; the others are opened when it is their turn.
const MAX_BYTES: usize = 8 * 1024 * 1024;

impl Schedule {
    /// Takes a new message, behind all others.
    pub(super) fn push(&mut self, item: Item) {
        self.insert(item, Phase::Waiting, false);
    }

    /// Takes a message back from its row; `due` is when it may be tried again.
    pub(super) fn restore(&mut self, row: Exception, due: Instant) {
        let phase = match row.state {
            ExceptionState::Waiting => Phase::Waiting,
            ExceptionState::Retrying => Phase::Retrying(due),
            ExceptionState::Held => Phase::Held,
            ExceptionState::Dead => return,
        };
        let item = Item {
            entry: row.entry,
            record: row.record,
            keys: row.keys,
            at: row.since,
            bytes: None,
            attempts: row.attempts,
            answers: row.answers,
            since: (row.attempts > 0).then_some(row.since),
            reason: row.reason,
        };
        self.insert(item, phase, true);
    }

    fn insert(&mut self, mut item: Item, phase: Phase, parked: bool) {
        let entry = item.entry;
        if self.slots.contains_key(&entry) {
            return;
        }
        let size = item.bytes.as_ref().map_or(0, |bytes| bytes.expose().len());
        if self.bytes + size > MAX_BYTES {
            item.bytes = None;
        } else {
            self.bytes += size;
        }
        for key in &item.keys {
            self.queues.entry(*key).or_default().insert(entry);
        }
        if !parked {
            self.fresh.insert(entry);
        }
        if let Phase::Retrying(due) = phase {
            self.timers.insert((due, entry));
        }
        self.slots.insert(
            entry,
            Slot {
                item,
                phase,
                parked,
            },
        );
        self.refresh(entry);
    }

    /// Takes the earliest message that may go at `now`; it is in flight from then on.
    pub(super) fn next(&mut self, now: Instant) -> Option<Job> {
        while let Some((due, entry)) = self.timers.first().copied()
            && due <= now
        {
            self.timers.remove(&(due, entry));
            self.set_phase(entry, Phase::Waiting);
        }
        let entry = self.ready.pop_first()?;
        let slot = self.slots.get_mut(&entry)?;
        slot.phase = Phase::InFlight;
        Some(Job {
            entry,
            record: slot.item.record,
            bytes: slot.item.bytes.clone(),
        })
    }

    /// Whether a message may go at once.
    pub(super) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// When the next message becomes due that waits for its time only.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.timers.first().map(|(due, _)| *due)
    }

    /// A message that is known.
    pub(super) fn get(&self, entry: EntryIndex) -> Option<&Item> {
        self.slots.get(&entry).map(|slot| &slot.item)
    }

    /// A message that is known, to be changed.
    pub(super) fn get_mut(&mut self, entry: EntryIndex) -> Option<&mut Item> {
        self.slots.get_mut(&entry).map(|slot| &mut slot.item)
    }

    /// Puts a message that was not sent back in its place.
    pub(super) fn put_back(&mut self, entry: EntryIndex) {
        self.set_phase(entry, Phase::Waiting);
    }

    /// Lets a message wait until `due`.
    pub(super) fn retry_at(&mut self, entry: EntryIndex, due: Instant) {
        self.set_phase(entry, Phase::Retrying(due));
    }

    /// Lets a message wait for a person.
    pub(super) fn hold(&mut self, entry: EntryIndex) {
        self.set_phase(entry, Phase::Held);
    }

    /// Whether the message is being sent at this moment.
    pub(super) fn is_in_flight(&self, entry: EntryIndex) -> bool {
        self.slots
            .get(&entry)
            .is_some_and(|slot| slot.phase == Phase::InFlight)
    }

    /// Whether this record is being sent, or will be without anyone doing anything.
    pub(super) fn is_waiting_its_turn(&self, record: RecordId) -> bool {
        self.slots.values().any(|slot| {
            slot.item.record == record && matches!(slot.phase, Phase::Waiting | Phase::InFlight)
        })
    }

    /// Makes every message whose last attempt had this reason due now.
    pub(super) fn hurry(&mut self, reasons: &[&str]) {
        let waiting: Vec<_> = self.timers.iter().map(|(_, entry)| *entry).collect();
        for entry in waiting {
            let fits = |item: &Item| reasons.contains(&item.reason.as_str());
            if self.get(entry).is_some_and(fits) {
                self.set_phase(entry, Phase::Waiting);
            }
        }
    }

    /// Makes every message that waits for its time due now.
    pub(super) fn hurry_all(&mut self) {
        let waiting: Vec<_> = self.timers.iter().map(|(_, entry)| *entry).collect();
        for entry in waiting {
            self.set_phase(entry, Phase::Waiting);
        }
    }

    /// Forgets a message that is done, and lets go on what waited behind it.
    pub(super) fn finish(&mut self, entry: EntryIndex) {
        self.set_phase(entry, Phase::Held);
        let Some(slot) = self.slots.remove(&entry) else {
            return;
        };
        self.drop_bytes(slot.item.bytes);
        self.fresh.remove(&entry);
        for key in slot.item.keys {
            let Some(queue) = self.queues.get_mut(&key) else {
                continue;
            };
            queue.remove(&entry);
            match queue.first().copied() {
                Some(first) => self.refresh(first),
                None => drop(self.queues.remove(&key)),
            }
        }
    }

    /// Takes the messages before `end` that have no row yet, since they are to get one now.
    pub(super) fn park_before(&mut self, end: EntryIndex, now: Timestamp) -> Vec<Exception> {
        let entries: Vec<_> = self.fresh.range(..end).copied().collect();
        entries
            .into_iter()
            .filter_map(|entry| self.park(entry, now))
            .collect()
    }

    /// The row of one message, which has one from now on.
    pub(super) fn park(&mut self, entry: EntryIndex, now: Timestamp) -> Option<Exception> {
        let slot = self.slots.get_mut(&entry)?;
        slot.parked = true;
        let bytes = if slot.phase == Phase::InFlight {
            None
        } else {
            slot.item.bytes.take()
        };
        let item = &slot.item;
        let row = Exception {
            entry,
            record: item.record,
            state: ExceptionState::Waiting,
            attempts: item.attempts,
            answers: item.answers,
            next: now,
            since: item.since.unwrap_or(item.at),
            reason: item.reason.clone(),
            keys: item.keys.clone(),
        };
        self.fresh.remove(&entry);
        self.drop_bytes(bytes);
        Some(row)
    }

    /// Whether this message is known and has no row yet.
    pub(super) fn is_fresh(&self, entry: EntryIndex) -> bool {
        self.slots.get(&entry).is_some_and(|slot| !slot.parked)
    }

    /// How many messages have no row yet.
    pub(super) fn fresh(&self) -> usize {
        self.fresh.len()
    }

    /// The last message without a row, if all of them only wait behind others.
    pub(super) fn last_of_blocked(&self) -> Option<EntryIndex> {
        let blocked = |entry: &EntryIndex| {
            !self.ready.contains(entry)
                && self
                    .slots
                    .get(entry)
                    .is_some_and(|slot| slot.phase == Phase::Waiting)
        };
        let all = self.fresh.iter().all(blocked);
        if all {
            self.fresh.last().copied()
        } else {
            None
        }
    }

    /// How many messages are known.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Since when the oldest message waits that is known.
    pub(super) fn oldest(&self) -> Option<Timestamp> {
        let (_, first) = self.slots.first_key_value()?;
        Some(first.item.at)
    }

    /// How many messages are in which state.
    pub(super) fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for slot in self.slots.values() {
            match slot.phase {
                Phase::Waiting => tally.waiting += 1,
                Phase::InFlight => tally.in_flight += 1,
                Phase::Retrying(_) => tally.retrying += 1,
                Phase::Held => tally.held += 1,
            }
        }
        tally
    }

    fn drop_bytes(&mut self, bytes: Option<Arc<Secret<Vec<u8>>>>) {
        let size = bytes.map_or(0, |bytes| bytes.expose().len());
        self.bytes = self.bytes.saturating_sub(size);
    }

    fn set_phase(&mut self, entry: EntryIndex, phase: Phase) {
        let Some(slot) = self.slots.get_mut(&entry) else {
            return;
        };
        if let Phase::Retrying(due) = slot.phase {
            self.timers.remove(&(due, entry));
        }
        slot.phase = phase;
        if let Phase::Retrying(due) = phase {
            self.timers.insert((due, entry));
        }
        self.refresh(entry);
    }

    /// A message is ready when it waits for nothing and stands first for each of its keys.
    fn refresh(&mut self, entry: EntryIndex) {
        let is_first = |key: &u64| {
            self.queues
                .get(key)
                .and_then(BTreeSet::first)
                .is_some_and(|first| *first == entry)
        };
        let ready = self.slots.get(&entry).is_some_and(|slot| {
            slot.phase == Phase::Waiting && slot.item.keys.iter().all(is_first)
        });
        if ready {
            self.ready.insert(entry);
        } else {
            self.ready.remove(&entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn item(entry: u64, keys: &[u64]) -> Item {
        Item {
            entry: EntryIndex::new(entry),
            record: RecordId::new(entry),
            keys: keys.to_vec(),
            at: Timestamp::from_seconds(0),
            bytes: None,
            attempts: 0,
            answers: 0,
            since: None,
            reason: String::new(),
        }
    }

    fn schedule(items: &[(u64, &[u64])]) -> Schedule {
        let mut schedule = Schedule::default();
        for (entry, keys) in items {
            schedule.push(item(*entry, keys));
        }
        schedule
    }

    fn next(schedule: &mut Schedule) -> Option<u64> {
        schedule.next(Instant::now()).map(|job| job.entry.get())
    }

    #[test]
    fn one_patient_waits_while_others_pass_by() {
        let mut schedule = schedule(&[(1, &[7]), (2, &[7]), (3, &[8])]);
        assert_eq!(next(&mut schedule), Some(1));
        schedule.hold(EntryIndex::new(1));
        assert_eq!(next(&mut schedule), Some(3));
        assert_eq!(next(&mut schedule), None);
        schedule.finish(EntryIndex::new(1));
        assert_eq!(next(&mut schedule), Some(2));
    }

    #[test]
    fn a_merge_waits_for_both_patients_and_holds_both_back() {
        let mut schedule = schedule(&[(1, &[7]), (2, &[8]), (3, &[7, 8]), (4, &[8]), (5, &[9])]);
        assert_eq!(next(&mut schedule), Some(1));
        assert_eq!(next(&mut schedule), Some(2));
        assert_eq!(next(&mut schedule), Some(5));
        schedule.finish(EntryIndex::new(1));
        assert_eq!(next(&mut schedule), None);
        schedule.finish(EntryIndex::new(2));
        assert_eq!(next(&mut schedule), Some(3));
        assert_eq!(next(&mut schedule), None);
        schedule.finish(EntryIndex::new(3));
        assert_eq!(next(&mut schedule), Some(4));
    }

    #[tokio::test(start_paused = true)]
    async fn a_retry_waits_for_its_time_and_keeps_its_place() {
        let mut schedule = schedule(&[(1, &[7]), (2, &[7])]);
        assert_eq!(next(&mut schedule), Some(1));
        schedule.retry_at(EntryIndex::new(1), Instant::now() + Duration::from_secs(60));
        assert_eq!(next(&mut schedule), None);
        tokio::time::advance(Duration::from_secs(59)).await;
        assert_eq!(next(&mut schedule), None);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(next(&mut schedule), Some(1));
    }

    #[test]
    fn what_is_passed_gets_a_row_once() {
        let mut schedule = schedule(&[(1, &[7]), (2, &[7]), (3, &[8])]);
        assert_eq!(next(&mut schedule), Some(1));
        let now = Timestamp::from_seconds(9);
        let rows = schedule.park_before(EntryIndex::new(3), now);
        let entries: Vec<_> = rows.iter().map(|row| row.entry.get()).collect();
        assert_eq!(entries, [1, 2]);
        assert!(schedule.park_before(EntryIndex::new(3), now).is_empty());
        assert_eq!(schedule.fresh(), 1);
    }

    #[test]
    fn memory_of_bodies_is_bounded() {
        let mut schedule = Schedule::default();
        for entry in 0..100 {
            let bytes = Some(Arc::new(Secret::new(vec![0; 1024 * 1024])));
            schedule.push(Item {
                bytes,
                ..item(entry, &[entry])
            });
        }
        assert!(schedule.bytes <= MAX_BYTES);
        for entry in 0..100 {
            schedule.finish(EntryIndex::new(entry));
        }
        assert_eq!((schedule.bytes, schedule.len()), (0, 0));
        assert!(schedule.queues.is_empty() && schedule.ready.is_empty());
    }

    proptest! {
        #[test]
        fn order_holds_per_key_and_nothing_is_lost(
            keys in proptest::collection::vec(proptest::collection::vec(0_u64..5, 1..3), 1..60),
            choices in proptest::collection::vec(any::<u8>(), 1..200),
        ) {
            let mut schedule = Schedule::default();
            for (entry, keys) in keys.iter().enumerate() {
                let mut keys = keys.clone();
                keys.dedup();
                schedule.push(item(u64::try_from(entry).unwrap(), &keys));
            }
            let mut done: Vec<u64> = Vec::new();
            let mut flying: Vec<u64> = Vec::new();
            // Once they are used up, everything succeeds.
            let mut choices = choices.into_iter().chain(std::iter::repeat(1));
            while done.len() < keys.len() {
                let choice = choices.next().unwrap();
                if flying.len() < 3 && let Some(entry) = next(&mut schedule) {
                    flying.push(entry);
                    continue;
                }
                prop_assert!(!flying.is_empty(), "stuck");
                let entry = flying.swap_remove(usize::from(choice) % flying.len());
                if choice % 5 == 0 {
                    schedule.put_back(EntryIndex::new(entry));
                } else {
                    schedule.finish(EntryIndex::new(entry));
                    done.push(entry);
                }
            }
            for key in 0..5 {
                let has = |entry: &u64| keys[usize::try_from(*entry).unwrap()].contains(&key);
                let of_key: Vec<_> = done.iter().copied().filter(has).collect();
                prop_assert!(of_key.is_sorted(), "key {key}: {of_key:?}");
            }
        }
    }
}
