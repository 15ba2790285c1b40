//! The numbers of a device's messages: a gap may be a lost message, a step back a restart or another sender.

use std::collections::BTreeSet;

use crate::anomaly::Kind;
use crate::habit::Habit;

/// What is known of the numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sequence {
    pub(crate) last: Option<u64>,
    pub(crate) gap: Habit,
    pub(crate) back: Habit,
}

impl Sequence {
    /// Takes the numbers of one time: those that go on from the last first, then the others.
    pub(crate) fn note(
        &mut self,
        numbers: &BTreeSet<u64>,
        day: i64,
        is_learning: bool,
        told: &mut Vec<Kind>,
    ) {
        let begin = self.last.unwrap_or(0);
        let on = numbers.range(begin..);
        for number in on.chain(numbers.range(..begin)) {
            let Some(last) = self.last.replace(*number) else {
                continue;
            };
            let expected = last.saturating_add(1);
            if *number > expected && self.gap.note(day, is_learning) {
                told.push(Kind::SequenceGap {
                    expected,
                    found: *number,
                });
            }
            if *number < last && self.back.note(day, is_learning) {
                told.push(Kind::SequenceBack {
                    last,
                    found: *number,
                });
            }
        }
    }
}
