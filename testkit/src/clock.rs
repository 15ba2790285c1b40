//! A clock that stands still until told to move.
//!
//! It must never read the system's clock. **Invariant:** time is a parameter.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use labward_base::{Clock, Timestamp};

/// A clock that a test sets; clones show the same time.
#[derive(Clone, Debug)]
pub struct FakeClock(Arc<AtomicI64>);

impl FakeClock {
    /// A clock that shows `now`.
    pub fn new(now: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(now.as_micros())))
    }

    /// Sets the clock, forwards or backwards.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_micros(), Ordering::SeqCst);
    }

    /// Moves the clock forwards.
    pub fn advance(&self, by: Duration) {
        self.set(self.now().plus(by));
    }
}

/// 2026-01-01T00:00:00Z.
impl Default for FakeClock {
    fn default() -> Self {
        Self::new(Timestamp::from_seconds(1_767_225_600))
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_show_the_same_time_and_only_a_test_moves_it() {
        let clock = FakeClock::default();
        let clone = clock.clone();
        assert_eq!(clone.now().to_rfc3339(), "2026-01-01T00:00:00.000000Z");
        clock.advance(Duration::from_secs(60));
        assert_eq!(clone.now().to_rfc3339(), "2026-01-01T00:01:00.000000Z");
        clone.set(Timestamp::from_seconds(0));
        assert_eq!(clock.now(), Timestamp::from_seconds(0));
    }
}
