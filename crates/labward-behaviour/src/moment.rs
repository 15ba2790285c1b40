//! All that came at one time: it is judged when the time is over, so that the order within does not matter.

use std::collections::BTreeSet;

use labward_base::Timestamp;

use crate::event::{Event, bound, name};
use crate::skew;

/// What came at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) at: Timestamp,
    /// How many messages.
    pub(crate) count: u32,
    pub(crate) types: BTreeSet<Box<str>>,
    pub(crate) tests: BTreeSet<Box<str>>,
    pub(crate) sequence: BTreeSet<u64>,
    /// By how many seconds the sender's clock was ahead at most, and whether it named its zone.
    pub(crate) ahead: Option<(i64, bool)>,
}

/// Keeps the first ones in order, so that which are kept does not depend on the order in which they come.
fn keep<T: Ord>(set: &mut BTreeSet<T>, one: T, bound: usize) {
    set.insert(one);
    if set.len() > bound {
        set.pop_last();
    }
}

impl Moment {
    pub(crate) fn begin(at: Timestamp) -> Self {
        Self {
            at,
            ..Self::default()
        }
    }

    pub(crate) fn add(&mut self, event: &Event<'_>) {
        self.count = self.count.saturating_add(1);
        if !event.message_type.is_empty() {
            keep(&mut self.types, name(event.message_type), bound::TYPES);
        }
        for test in event.tests.iter().filter(|test| !test.is_empty()) {
            keep(&mut self.tests, name(test), bound::TESTS);
        }
        if let Some(number) = event.sequence {
            keep(&mut self.sequence, number, bound::SEQUENCE);
        }
        let clock = event.sender_clock;
        let ahead = clock.map(|clock| (skew::ahead(clock.at, self.at), clock.has_zone));
        self.ahead = self.ahead.max(ahead);
    }
}
