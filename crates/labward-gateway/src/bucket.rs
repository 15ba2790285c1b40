//! A token bucket: how long to wait before the next message of a link may be read.
//!
//! It slows reading down and never refuses: back-pressure instead of loss.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use labward_base::Timestamp;

/// The rate limit of one link, shared by its connections.
#[derive(Debug)]
pub(crate) struct Bucket {
    /// Microseconds that one message costs; 0 means no limit.
    cost_micros: u64,
    /// Microseconds that may be used up ahead of time.
    burst_micros: u64,
    /// When the bucket is full again.
    full_at: Mutex<i64>,
}

impl Bucket {
    /// `per_second` messages, `burst` of them at once; 0 per second means no limit.
    pub(crate) fn new(per_second: u32, burst: u32) -> Self {
        let cost_micros = 1_000_000_u64.checked_div(per_second.into()).unwrap_or(0);
        let burst_micros = cost_micros.saturating_mul(burst.into());
        Self {
            cost_micros,
            burst_micros,
            full_at: Mutex::new(i64::MIN),
        }
    }

    /// Takes one message out.
    pub(crate) fn take(&self, now: Timestamp) {
        if self.cost_micros > 0 {
            let mut full_at = self.full_at();
            *full_at = full_at
                .max(now.as_micros())
                .saturating_add_unsigned(self.cost_micros);
        }
    }

    /// How long to wait before reading on.
    pub(crate) fn owed(&self, now: Timestamp) -> Option<Duration> {
        if self.cost_micros == 0 {
            return None;
        }
        let used = self.full_at().saturating_sub(now.as_micros());
        let over = u64::try_from(used)
            .unwrap_or(0)
            .saturating_sub(self.burst_micros);
        (over > 0).then(|| Duration::from_micros(over))
    }

    fn full_at(&self) -> MutexGuard<'_, i64> {
        self.full_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(bucket: &Bucket, now: Timestamp) -> Option<Duration> {
        bucket.take(now);
        bucket.owed(now)
    }

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let bucket = Bucket::new(10, 3);
        let start = Timestamp::from_seconds(1_000);
        for _ in 0..3 {
            assert_eq!(take(&bucket, start), None);
        }
        assert_eq!(take(&bucket, start), Some(Duration::from_millis(100)));
        assert_eq!(take(&bucket, start), Some(Duration::from_millis(200)));
        assert_eq!(take(&bucket, start.plus(Duration::from_secs(10))), None);
    }

    #[test]
    fn without_a_rate_nobody_waits() {
        let bucket = Bucket::new(0, 0);
        assert!((0..1_000).all(|_| take(&bucket, Timestamp::default()).is_none()));
    }
}
