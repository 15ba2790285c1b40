//! How long a webhook that failed is left alone.
//!
//! It must never look at a clock: what it needs is given to it.

use std::time::Duration;

/// After the first failure.
const FIRST: Duration = Duration::from_secs(5);
/// At most, before the jitter.
const LONGEST: Duration = Duration::from_secs(3_600);

/// How long to wait after so many failures one after the other, by a `roll` of the dice: twice as
/// long each time, give or take a fifth, so that several receivers are not tried at one moment.
pub(crate) fn wait(failures: u32, roll: u8) -> Duration {
    let doubled = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(16));
    let fifth = doubled.min(LONGEST) / 5;
    let wait = fifth * 4 + (fifth * 2).mul_f64(f64::from(roll) / 255.0);
    Duration::from_millis(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_an_hour_and_is_scattered_by_a_fifth() {
        let span = |failures| (wait(failures, 0).as_secs(), wait(failures, 255).as_secs());
        assert_eq!(span(1), (4, 6));
        assert_eq!(span(2), (8, 12));
        assert_eq!(span(5), (64, 96));
        assert_eq!(span(11), (2_880, 4_320));
        assert_eq!(span(u32::MAX), (2_880, 4_320));
        assert!(wait(3, 10) < wait(3, 11));
    }
}
