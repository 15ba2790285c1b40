//! The only readers of the system clock.
//!
//! **Invariant:** time is a parameter. Every other room takes a [`Clock`] or a [`Timestamp`]; the
//! server makes one [`SystemClock`] and hands it down.

use std::time::{Duration, Instant, SystemTime};

use labward_base::{Clock, Timestamp};

/// The wall clock of this machine; it may jump in either direction.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the program reads the wall clock"
    )]
    fn now(&self) -> Timestamp {
        let epoch = Timestamp::from_micros(0);
        match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => epoch.plus(since),
            Err(before) => epoch.minus(before.duration()),
        }
    }
}

/// Measures how long something takes, on the clock that never jumps.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts to measure.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the program reads the monotonic clock"
    )]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since the start.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_shows_this_century_and_does_not_stand_still() {
        let first = SystemClock.now();
        assert!(first > Timestamp::parse_rfc3339("2025-01-01T00:00:00Z").unwrap());
        let watch = Stopwatch::start();
        while watch.elapsed() < Duration::from_millis(2) {
            std::hint::spin_loop();
        }
        let passed = SystemClock.now().since(first);
        assert!(passed >= Duration::from_millis(1), "{passed:?}");
    }
}
