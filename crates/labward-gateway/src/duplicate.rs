//! The duplicate window of one link: what came before, and how it was answered.
//!
//! It lives in memory and is rebuilt at start from the hints beside the entries: an index in the
//! commit would cost more than a third of the throughput. Its keys are keyed tags, so it holds no
//! control id and no body. **Invariant:** a copy is never answered positively before the first is
//! durable.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use labward_base::Timestamp;
use labward_base::id::RecordId;

use crate::completions::Waiter;
use crate::outcome::{Outcome, Settled};

/// A keyed tag (HMAC-SHA256, cut to 16 bytes).
pub(crate) type Tag = [u8; 16];

/// What a link received in its window.
pub(crate) struct Window {
    inner: Mutex<Inner>,
    max_messages: usize,
    span: Duration,
}

/// What the window knows of a message.
pub(crate) enum Lookup {
    /// It is new, or what came before under its id was refused.
    New(Reservation),
    /// Its id is known with another body.
    Other(Reservation),
    /// It came before and was answered so.
    Repeat(Outcome),
    /// It came before and is being kept; the waiter is answered with the first.
    Wait,
}

/// The place of a message that is being kept; dropped unsettled, the message was not kept.
pub(crate) struct Reservation {
    window: Arc<Window>,
    key: Tag,
    body: Tag,
    settled: bool,
}

#[derive(Default)]
struct Inner {
    slots: HashMap<Tag, Slot>,
    /// Settled slots by age, with the time they were settled at.
    order: VecDeque<(Timestamp, Tag)>,
}

struct Slot {
    body: Tag,
    state: State,
}

enum State {
    InFlight(Vec<Waiter<Outcome>>),
    Done {
        settled: Settled,
        record: RecordId,
        time: Timestamp,
    },
}

impl Window {
    /// An empty window of at most so many messages and such an age.
    pub(crate) fn new(max_messages: usize, span: Duration) -> Arc<Self> {
        Arc::new(Self {
            inner: Mutex::default(),
            max_messages,
            span,
        })
    }

    /// Looks a message up and, unless it is a repetition, reserves its place.
    ///
    /// `admitted` is whether its peer may send it, and `under_known_id` whether it may even under an
    /// id that another body has: what was refused before is then taken now.
    pub(crate) fn look_up(
        self: &Arc<Self>,
        (id, body): (Tag, Tag),
        admitted: bool,
        under_known_id: bool,
        waiter: &mut Option<Waiter<Outcome>>,
    ) -> Lookup {
        let mut inner = self.inner();
        let Some(other_body) = inner.find(&id, &body, admitted, waiter) else {
            return Lookup::New(self.reserve(&mut inner, id, body));
        };
        match other_body {
            Found::Same(lookup) => lookup,
            Found::OtherBody => {
                // What is kept beside the first has a place of its own, by id and body.
                let key = combine(&id, &body);
                match inner.find(&key, &body, admitted && under_known_id, waiter) {
                    Some(Found::Same(lookup)) => lookup,
                    _ => Lookup::Other(self.reserve(&mut inner, key, body)),
                }
            }
        }
    }

    /// What [`Self::look_up`] would find under this id, without reserving or waiting: the record of
    /// a repetition, and none while it is being kept.
    pub(crate) fn find(&self, (id, body): (Tag, Tag), admitted: bool) -> Option<Option<RecordId>> {
        match self.inner().find(&id, &body, admitted, &mut None)? {
            Found::Same(Lookup::Repeat(outcome)) => Some(outcome.record),
            Found::Same(_) => Some(None),
            Found::OtherBody => None,
        }
    }

    /// Puts back what was settled before the start; the newest first.
    ///
    /// `false` once the window is full or reaches back far enough.
    pub(crate) fn restore(
        &self,
        key: Tag,
        body: Tag,
        settled: Settled,
        record: RecordId,
        time: Timestamp,
    ) -> bool {
        let mut inner = self.inner();
        if inner.slots.len() >= self.max_messages {
            return false;
        }
        inner.slots.entry(key).or_insert(Slot {
            body,
            state: State::Done {
                settled,
                record,
                time,
            },
        });
        inner.order.push_front((time, key));
        true
    }

    /// A person had these held messages delivered: a copy that comes later is not delivered again.
    pub(crate) fn accept(&self, records: &HashSet<RecordId>) {
        // Looked through whole: this follows a human act or a start, not a message.
        for slot in self.inner().slots.values_mut() {
            if let State::Done {
                settled, record, ..
            } = &mut slot.state
                && records.contains(record)
            {
                *settled = Settled::Accepted;
            }
        }
    }

    /// Messages in the window.
    pub(crate) fn len(&self) -> usize {
        self.inner().slots.len()
    }

    fn reserve(self: &Arc<Self>, inner: &mut Inner, key: Tag, body: Tag) -> Reservation {
        inner.slots.insert(
            key,
            Slot {
                body,
                state: State::InFlight(Vec::new()),
            },
        );
        Reservation {
            window: Arc::clone(self),
            key,
            body,
            settled: false,
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reservation {
    /// The key and the body's tag, as they stand in hints.
    pub(crate) const fn tags(&self) -> (Tag, Tag) {
        (self.key, self.body)
    }

    /// The message is durable: whoever waits for it and whoever comes later learns so.
    pub(crate) fn settle(mut self, settled: Settled, record: RecordId, time: Timestamp) {
        self.settled = true;
        let state = State::Done {
            settled,
            record,
            time,
        };
        let waiters = {
            let mut inner = self.window.inner();
            let slot = Slot {
                body: self.body,
                state,
            };
            let before = inner.slots.insert(self.key, slot);
            inner.order.push_back((time, self.key));
            inner.evict(self.window.max_messages, time.minus(self.window.span));
            before
        };
        answer(
            waiters,
            Outcome {
                settled,
                record: Some(record),
                is_repeat: true,
            },
        );
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if !self.settled {
            let before = self.window.inner().slots.remove(&self.key);
            answer(before, Outcome::NOT_KEPT);
        }
    }
}

enum Found {
    OtherBody,
    Same(Lookup),
}

impl Inner {
    /// What stands under `key`; `None` if nothing does that counts.
    fn find(
        &mut self,
        key: &Tag,
        body: &Tag,
        admitted: bool,
        waiter: &mut Option<Waiter<Outcome>>,
    ) -> Option<Found> {
        let slot = self.slots.get_mut(key)?;
        match &mut slot.state {
            // A refused message is no reason to refuse another, nor the same once it may come.
            State::Done {
                settled: Settled::Refused(reason),
                ..
            } if slot.body != *body || admitted && !reason.is_of_content() => None,
            _ if slot.body != *body => Some(Found::OtherBody),
            State::Done {
                settled, record, ..
            } => {
                let outcome = Outcome {
                    settled: *settled,
                    record: Some(*record),
                    is_repeat: true,
                };
                Some(Found::Same(Lookup::Repeat(outcome)))
            }
            State::InFlight(waiters) => {
                waiters.extend(waiter.take());
                Some(Found::Same(Lookup::Wait))
            }
        }
    }

    fn evict(&mut self, max_messages: usize, oldest: Timestamp) {
        while let Some((time, key)) = self.order.front().copied() {
            if self.order.len() <= max_messages && time >= oldest {
                break;
            }
            self.order.pop_front();
            let is_same = |slot: &Slot| matches!(slot.state, State::Done { time: settled, .. } if settled == time);
            // A place that was taken again since belongs to the later message.
            if self.slots.get(&key).is_some_and(is_same) {
                self.slots.remove(&key);
            }
        }
    }
}

fn answer(slot: Option<Slot>, outcome: Outcome) {
    if let Some(Slot {
        state: State::InFlight(waiters),
        ..
    }) = slot
    {
        for waiter in waiters {
            waiter.complete(outcome);
        }
    }
}

fn combine(id: &Tag, body: &Tag) -> Tag {
    let mut key = *id;
    for (byte, other) in key.iter_mut().zip(body) {
        *byte ^= other;
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::completions::Completions;
    use crate::reason::Reason;

    const RECORD: RecordId = RecordId::new(7);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn look_up(window: &Arc<Window>, id: u8, body: u8) -> Lookup {
        window.look_up(([id; 16], [body; 16]), true, false, &mut None)
    }

    fn receive(window: &Arc<Window>, id: u8, body: u8, settled: Settled, time: i64) {
        match look_up(window, id, body) {
            Lookup::New(place) | Lookup::Other(place) => place.settle(settled, RECORD, at(time)),
            _ => panic!("{id} {body} is no new message"),
        }
    }

    #[test]
    fn the_same_message_is_a_repetition_and_another_body_is_not() {
        let window = Window::new(10, Duration::from_secs(60));
        receive(&window, 1, 1, Settled::Accepted, 0);
        assert!(matches!(
            look_up(&window, 1, 1),
            Lookup::Repeat(Outcome {
                settled: Settled::Accepted,
                record: Some(RECORD),
                ..
            })
        ));
        let Lookup::Other(place) = look_up(&window, 1, 2) else {
            panic!("other body")
        };
        place.settle(Settled::Refused(Reason::IdReused), RECORD, at(1));
        let again = window.look_up(([1; 16], [2; 16]), false, false, &mut None);
        assert!(matches!(
            again,
            Lookup::Repeat(Outcome {
                settled: Settled::Refused(_),
                ..
            })
        ));
    }

    #[test]
    fn what_was_refused_is_taken_once_it_may_come() {
        let window = Window::new(10, Duration::from_secs(60));
        receive(&window, 1, 1, Settled::Refused(Reason::NotHl7), 0);
        let refused = window.look_up(([1; 16], [1; 16]), false, false, &mut None);
        assert!(matches!(refused, Lookup::Repeat(_)));
        assert!(matches!(look_up(&window, 1, 1), Lookup::New(_)));
        assert!(matches!(look_up(&window, 1, 2), Lookup::New(_)));
    }

    #[test]
    fn a_copy_waits_for_the_first_and_shares_its_fate() {
        let completions = Completions::new();
        for kept in [true, false] {
            let window = Window::new(10, Duration::from_secs(60));
            let Lookup::New(first) = look_up(&window, 1, 1) else {
                panic!("new")
            };
            let (waiter, mut answer) = Waiter::new(&completions);
            let mut waiter = Some(waiter);
            let copy = window.look_up(([1; 16], [1; 16]), true, false, &mut waiter);
            assert!(matches!(copy, Lookup::Wait) && waiter.is_none());
            assert!(answer.try_recv().is_err());
            if kept {
                first.settle(Settled::Accepted, RECORD, at(0));
                assert!(matches!(look_up(&window, 1, 1), Lookup::Repeat(_)));
            } else {
                drop(first);
                assert!(matches!(look_up(&window, 1, 1), Lookup::New(_)));
            }
        }
    }

    #[test]
    fn what_is_held_for_its_content_stays_so_and_the_same_id_may_bring_another() {
        let window = Window::new(10, Duration::from_secs(60));
        let held = Settled::Refused(Reason::Malware);
        receive(&window, 1, 1, held, 0);
        let Lookup::Repeat(outcome) = look_up(&window, 1, 1) else {
            panic!("held once")
        };
        assert_eq!((outcome.settled, outcome.record), (held, Some(RECORD)));
        assert!(matches!(look_up(&window, 1, 2), Lookup::New(_)));
    }

    #[test]
    fn finding_reserves_nothing_and_answers_nobody() {
        let completions = Completions::new();
        let window = Window::new(10, Duration::from_secs(60));
        let tags = ([1; 16], [1; 16]);
        assert_eq!(window.find(tags, true), None);
        assert_eq!(window.len(), 0);
        let Lookup::New(first) = look_up(&window, 1, 1) else {
            panic!("new")
        };
        let (waiter, mut answer) = Waiter::new(&completions);
        let _ = window.look_up(tags, true, false, &mut Some(waiter));
        assert_eq!(window.find(tags, true), Some(None), "being kept");
        assert_eq!(window.find(([1; 16], [2; 16]), true), None, "another body");
        assert!(answer.try_recv().is_err(), "nobody was turned away");
        first.settle(Settled::Accepted, RECORD, at(0));
        assert_eq!(window.find(tags, true), Some(Some(RECORD)));
    }

    #[test]
    fn the_window_forgets_what_is_too_old_or_too_much() {
        let window = Window::new(2, Duration::from_secs(60));
        receive(&window, 1, 1, Settled::Accepted, 0);
        receive(&window, 2, 1, Settled::Accepted, 1);
        receive(&window, 3, 1, Settled::Accepted, 2);
        assert_eq!(window.len(), 2);
        receive(&window, 1, 1, Settled::Accepted, 100);
        assert_eq!(
            window.len(),
            1,
            "those of second 1 and 2 are over a minute old"
        );
    }

    #[test]
    fn a_restored_window_knows_what_the_old_one_knew() {
        let window = Window::new(2, Duration::from_secs(60));
        assert!(window.restore([3; 16], [1; 16], Settled::Accepted, RECORD, at(2)));
        assert!(window.restore([2; 16], [1; 16], Settled::Accepted, RECORD, at(1)));
        assert!(!window.restore([1; 16], [1; 16], Settled::Accepted, RECORD, at(0)));
        assert!(matches!(look_up(&window, 3, 1), Lookup::Repeat(_)));
        receive(&window, 4, 1, Settled::Accepted, 3);
        assert!(
            matches!(look_up(&window, 2, 1), Lookup::New(_)),
            "the oldest went first"
        );
    }
}
