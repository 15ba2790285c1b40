//! The only readers of the system clock.
//!
//! **Invariant:** time is a parameter. Every other room takes a [`Clock`] or a [`Timestamp`]; the
//! server makes one [`SystemClock`] and hands it down.

use std::time::{Duration, Instant, SystemTime};

use labward_base::{Clock, Timestamp};

use crate::error::OsError;

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

/// Whether the kernel's clock is kept by a time source (NTP, PTP), as whoever keeps it says.
///
/// # Errors
/// [`OsError`] if the kernel does not answer: then nothing is known.
pub fn is_synchronized() -> Result<bool, OsError> {
    // SAFETY: every field of `timex` is a number, for which zero is a value; `modes` of zero only
    // asks.
    let mut answer: libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: `answer` is a `timex` of our own, which the kernel fills and does not keep.
    let state = unsafe { libc::adjtimex(&raw mut answer) };
    if state < 0 {
        let error = std::io::Error::last_os_error();
        return Err(OsError::new(
            "ask the kernel",
            "whether its clock is kept",
            error,
        ));
    }
    Ok(answer.status & libc::STA_UNSYNC == 0)
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
    fn the_kernel_says_whether_its_clock_is_kept() {
        // Either answer is right on some machine; twice it is the same.
        assert_eq!(is_synchronized().unwrap(), is_synchronized().unwrap());
    }

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
