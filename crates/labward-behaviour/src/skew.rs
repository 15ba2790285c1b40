//! How far the sender's clock is off.
//!
//! A message may lie about before it is sent, which makes the clock look late; so of each day only the message counts
//! whose clock is furthest ahead. A clock that names no zone may differ by an hour: that of summer time.

use labward_base::Timestamp;

use crate::anomaly::Kind;
use crate::event::{HOUR, day_of};
use crate::habit::Habit;

/// Seconds by which a day may differ from what is usual.
const SLACK_S: i64 = 120;
/// A clock that is further off is off by this much: ten years.
const FURTHEST_S: i64 = 10 * 365 * 86_400;

/// By how many seconds a clock is ahead of the time at which its message came.
pub(crate) fn ahead(clock: Timestamp, at: Timestamp) -> i64 {
    let seconds = clock.as_seconds().saturating_sub(at.as_seconds());
    seconds.clamp(-FURTHEST_S, FURTHEST_S)
}

/// What is known of a clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Skew {
    /// The lowest and highest of the usual days.
    pub(crate) usual: Option<(i64, i64)>,
    /// The day that runs, with the furthest ahead of it.
    pub(crate) today: Option<(i64, i64)>,
    /// Days on which it was otherwise.
    pub(crate) off: Habit,
    /// Whether it was on the last of the days.
    pub(crate) is_off: bool,
    /// Whether the clock names no zone.
    pub(crate) is_local: bool,
}

impl Skew {
    /// Ends the day that runs, if another has begun.
    pub(crate) fn turn(&mut self, at: Timestamp, is_learning: bool) -> Option<Kind> {
        let (day, ahead) = self.today?;
        if day_of(at) <= day {
            return None;
        }
        self.today = None;
        let Some((low, high)) = self.usual.filter(|_| !is_learning) else {
            let (low, high) = self.usual.unwrap_or((ahead, ahead));
            self.usual = Some((low.min(ahead), high.max(ahead)));
            return None;
        };
        let is_near = |ahead: i64| {
            low.saturating_sub(SLACK_S) <= ahead && ahead <= high.saturating_add(SLACK_S)
        };
        let is_summer = self.is_local && (is_near(ahead + HOUR) || is_near(ahead - HOUR));
        self.is_off = !is_near(ahead) && !is_summer;
        if !self.is_off {
            return None;
        }
        let told = self.off.note(day, false);
        if self.off.is_usual() {
            self.expect(ahead);
        }
        told.then_some(Kind::ClockOff {
            ahead_s: ahead,
            low_s: low,
            high_s: high,
        })
    }

    /// Ends the learning: the day that runs was learned, too.
    pub(crate) fn learn_today(&mut self) {
        if let Some((_, ahead)) = self.today {
            let (low, high) = self.usual.unwrap_or((ahead, ahead));
            self.usual = Some((low.min(ahead), high.max(ahead)));
        }
    }

    /// Takes a clock that is so far ahead as usual from now on.
    pub(crate) fn expect(&mut self, ahead: i64) {
        let (low, high) = self.usual.unwrap_or((ahead, ahead));
        self.usual = Some((low.min(ahead), high.max(ahead)));
        self.off = Habit::default();
        self.is_off = false;
    }

    /// Takes what came at a time.
    pub(crate) fn note(&mut self, at: Timestamp, ahead: Option<(i64, bool)>) {
        if let Some((ahead, has_zone)) = ahead {
            self.is_local = !has_zone;
            let best = self.today.map_or(ahead, |(_, best)| best.max(ahead));
            self.today = Some((day_of(at), best));
        }
    }
}
