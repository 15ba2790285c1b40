//! So many at a time, and others wait.
//!
//! It must never let more in than there are places, or keep a place that nobody has.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// So many places.
#[derive(Debug)]
pub(super) struct Places {
    taken: Mutex<u16>,
    most: u16,
    given_back: Condvar,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place(Arc<Places>);

impl Places {
    pub(super) fn of(most: u16) -> Arc<Self> {
        Arc::new(Self {
            taken: Mutex::new(0),
            most,
            given_back: Condvar::new(),
        })
    }

    fn taken(&self) -> MutexGuard<'_, u16> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until one is free, and takes none.
    pub(super) fn wait_for_room(&self) {
        let is_full = |taken: &mut u16| *taken >= self.most;
        drop(self.given_back.wait_while(self.taken(), is_full));
    }

    /// Takes one, whether it is free or not: for whoever alone takes them, and waited for room.
    pub(super) fn begin(self: &Arc<Self>) -> Place {
        *self.taken() += 1;
        Place(Arc::clone(self))
    }

    /// Takes one that is free within `most`; none otherwise.
    pub(super) fn take_within(self: &Arc<Self>, most: Duration) -> Option<Place> {
        let is_full = |taken: &mut u16| *taken >= self.most;
        let waited = self
            .given_back
            .wait_timeout_while(self.taken(), most, is_full);
        let (mut taken, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if *taken >= self.most {
            return None;
        }
        *taken += 1;
        Some(Place(Arc::clone(self)))
    }

    /// Waits until all are free, for `most` at most.
    pub(super) fn wait_for_all(&self, most: Duration) {
        let is_any = |taken: &mut u16| *taken > 0;
        drop(
            self.given_back
                .wait_timeout_while(self.taken(), most, is_any),
        );
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        *self.0.taken() -= 1;
        self.0.given_back.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_are_let_in_than_there_are_places_and_who_waits_gets_one_that_is_given_back() {
        let places = Places::of(2);
        let (first, _second) = (places.begin(), places.begin());
        assert!(places.take_within(Duration::from_millis(10)).is_none());
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| places.take_within(Duration::from_secs(20)));
            drop(first);
            assert!(waits.join().unwrap().is_some());
        });
        assert!(places.take_within(Duration::ZERO).is_some());
    }
}
