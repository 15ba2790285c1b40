//! What a baseline holds, in the few values that a person is shown.

use labward_base::Timestamp;

use crate::baseline::Baseline;
use crate::habit::Names;

/// What a device usually does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// When its first message came, and its last.
    pub first: Timestamp,
    /// When its last message came.
    pub last: Timestamp,
    /// Of each hour of the day, in UTC, whether it usually sends in it on some day of the week.
    pub hours: [bool; 24],
    /// The most messages that came in an hour.
    pub most: u32,
    /// The message types that it usually sends, sorted.
    pub types: Vec<Box<str>>,
    /// The tests that it usually sends, sorted.
    pub tests: Vec<Box<str>>,
    /// By how many seconds its clock is usually ahead of ours, the least and the most; none if it says no time.
    pub clock_s: Option<(i64, i64)>,
    /// The last number of its messages, if it numbers them.
    pub number: Option<u64>,
    /// Whether its silence was told and lasts.
    pub is_silent: bool,
}

impl Baseline {
    /// What it holds.
    pub fn summary(&self) -> Summary {
        let usual = |names: &Names| {
            let usual = names.entries.iter().filter(|(_, habit)| habit.is_usual());
            usual.map(|(name, _)| name.clone()).collect()
        };
        let (hours, most) = self.hours.of_day();
        Summary {
            first: self.first,
            last: self.last,
            hours,
            most,
            types: usual(&self.types),
            tests: usual(&self.tests),
            clock_s: self.skew.usual,
            number: self.sequence.last,
            is_silent: self.is_silent,
        }
    }
}
