//! What the writer hands over to one destination, as long as delivery keeps up.
//!
//! It must never wait, and never hold more than its limit: when it overflows it forgets everything,
//! since all of it stands in the ledger, and the destination reads it from there.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use labward_base::id::{EntryIndex, RecordId};
use labward_base::{Secret, Timestamp};
use tokio::sync::Notify;

/// Messages that wait here at most.
const MAX_MESSAGES: usize = 1_024;

/// Bytes of messages that wait here at most; beyond them only the numbers are kept.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// A message as the writer handed it over.
pub(super) struct Arrived {
    pub(super) entry: EntryIndex,
    pub(super) record: RecordId,
    /// Empty if it belongs to no patient.
    pub(super) ordering: Vec<u64>,
    pub(super) at: Timestamp,
    pub(super) bytes: Option<Arc<Secret<Vec<u8>>>>,
}

/// What [`Inbox::take`] found.
pub(super) enum Taken {
    /// Messages, in ledger order.
    Some(Vec<Arrived>),
    /// Nothing; every entry up to this one was seen.
    Nothing(Option<EntryIndex>),
    /// It overflowed: the ledger must be read.
    Overflowed,
}

#[derive(Default)]
pub(super) struct Inbox {
    queue: Mutex<Queue>,
    arrived: Notify,
}

#[derive(Default)]
struct Queue {
    /// Whether messages are collected; else the ledger is being read.
    live: bool,
    messages: VecDeque<Arrived>,
    bytes: usize,
    latest: Option<EntryIndex>,
}

impl Inbox {
    /// Notes that an entry was committed that does not concern this destination.
    pub(super) fn pass(&self, entry: EntryIndex) {
        self.queue().latest = Some(entry);
    }

    /// Takes a message.
    pub(super) fn push(&self, mut message: Arrived) {
        let mut queue = self.queue();
        queue.latest = Some(message.entry);
        if !queue.live {
            return;
        }
        if queue.messages.len() >= MAX_MESSAGES {
            *queue = Queue {
                latest: queue.latest,
                ..Queue::default()
            };
            return;
        }
        let size = size_of(&message);
        if queue.bytes + size > MAX_BYTES {
            message.bytes = None;
        } else {
            queue.bytes += size;
        }
        queue.messages.push_back(message);
    }

    /// Wakes whoever waits for messages if there are any.
    pub(super) fn wake(&self) {
        let queue = self.queue();
        if !queue.live || !queue.messages.is_empty() {
            self.arrived.notify_one();
        }
    }

    /// Wakes whoever waits, whatever there is.
    pub(super) fn rouse(&self) {
        self.arrived.notify_one();
    }

    /// Waits for [`Self::wake`] or [`Self::rouse`].
    pub(super) async fn woken(&self) {
        self.arrived.notified().await;
    }

    /// Collects messages from now on; what was committed before stands in the ledger.
    pub(super) fn go_live(&self) {
        self.queue().live = true;
    }

    /// Takes up to `limit` messages out.
    pub(super) fn take(&self, limit: usize) -> Taken {
        let mut queue = self.queue();
        if !queue.live {
            return Taken::Overflowed;
        }
        if queue.messages.is_empty() {
            return Taken::Nothing(queue.latest);
        }
        let count = limit.min(queue.messages.len());
        let taken: Vec<_> = queue.messages.drain(..count).collect();
        queue.bytes = queue.bytes.saturating_sub(taken.iter().map(size_of).sum());
        Taken::Some(taken)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn size_of(message: &Arrived) -> usize {
    message
        .bytes
        .as_ref()
        .map_or(0, |bytes| bytes.expose().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(entry: u64, size: usize) -> Arrived {
        Arrived {
            entry: EntryIndex::new(entry),
            record: RecordId::new(entry),
            ordering: Vec::new(),
            at: Timestamp::from_seconds(0),
            bytes: Some(Arc::new(Secret::new(vec![0; size]))),
        }
    }

    #[test]
    fn nothing_is_collected_while_the_ledger_is_read() {
        let inbox = Inbox::default();
        inbox.push(message(1, 10));
        inbox.go_live();
        inbox.push(message(2, 10));
        let Taken::Some(taken) = inbox.take(10) else {
            panic!("nothing taken");
        };
        assert_eq!(taken.iter().map(|m| m.entry.get()).collect::<Vec<_>>(), [2]);
        assert!(matches!(inbox.take(10), Taken::Nothing(Some(entry)) if entry.get() == 2));
    }

    #[test]
    fn it_forgets_everything_when_it_overflows() {
        let inbox = Inbox::default();
        inbox.go_live();
        for entry in 0..=u64::try_from(MAX_MESSAGES).unwrap() {
            inbox.push(message(entry, 1));
        }
        assert!(matches!(inbox.take(10), Taken::Overflowed));
        inbox.go_live();
        assert!(matches!(inbox.take(10), Taken::Nothing(Some(_))));
    }

    #[test]
    fn beyond_its_bytes_it_keeps_numbers_only() {
        let inbox = Inbox::default();
        inbox.go_live();
        for entry in 0..20 {
            inbox.push(message(entry, 1024 * 1024));
        }
        let Taken::Some(taken) = inbox.take(100) else {
            panic!("nothing taken");
        };
        assert_eq!(taken.iter().filter(|m| m.bytes.is_some()).count(), 8);
        assert_eq!(inbox.queue().bytes, 0);
    }
}
