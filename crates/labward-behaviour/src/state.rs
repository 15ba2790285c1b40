//! A baseline as bytes, to be kept.
//!
//! Numbers are written with the lowest octet first. Reading is total: what is no state is refused, and whatever is read
//! is as bounded as what was learned. What came at the last time and is not judged yet is not kept.

use labward_base::Timestamp;

use crate::baseline::Baseline;
use crate::event::bound;
use crate::habit::{Habit, Names};
use crate::hours::{Hours, SLOTS, Slot};
use crate::sequence::Sequence;
use crate::skew::Skew;

/// The first octets: what it is, and the version of its form.
const MARK: &[u8; 4] = b"LWB\x01";

/// No state is larger.
pub const MAX_STATE_BYTES: usize =
    256 + SLOTS * 13 + (bound::TYPES + bound::TESTS) * (bound::NAME + 11);

/// The bytes are no state of a baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read the state of a baseline: it is cut, changed or of another version")]
pub struct BadState;

impl Baseline {
    /// The state as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer(MARK.to_vec());
        out.put(self.first.as_micros());
        out.put(self.last.as_micros());
        out.0.extend(self.active_days.to_le_bytes());
        out.put(self.active_day);
        out.flag(self.learned.is_some());
        out.put(self.learned.unwrap_or_default().as_micros());
        out.flag(self.is_silent);
        out.hours(&self.hours);
        out.names(&self.types);
        out.names(&self.tests);
        out.flag(self.sequence.last.is_some());
        out.0.extend(self.sequence.last.unwrap_or(0).to_le_bytes());
        out.habit(&self.sequence.gap);
        out.habit(&self.sequence.back);
        for pair in [self.skew.usual, self.skew.today] {
            out.flag(pair.is_some());
            let (one, other) = pair.unwrap_or((0, 0));
            out.put(one);
            out.put(other);
        }
        out.habit(&self.skew.off);
        out.flag(self.skew.is_off);
        out.flag(self.skew.is_local);
        out.0
    }

    /// Reads the state.
    ///
    /// # Errors
    /// If the bytes are no state.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadState> {
        let mut from = Reader(bytes);
        if from.take::<4>()? != *MARK {
            return Err(BadState);
        }
        let baseline = Self {
            first: Timestamp::from_micros(from.number()?),
            last: Timestamp::from_micros(from.number()?),
            active_days: from.short()?,
            active_day: from.number()?,
            learned: from.time()?,
            is_silent: from.flag()?,
            hours: from.hours()?,
            types: from.names(bound::TYPES)?,
            tests: from.names(bound::TESTS)?,
            sequence: from.sequence()?,
            skew: Skew {
                usual: from.pair()?,
                today: from.pair()?,
                off: from.habit()?,
                is_off: from.flag()?,
                is_local: from.flag()?,
            },
            moment: None,
        };
        from.0.is_empty().then_some(baseline).ok_or(BadState)
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn put(&mut self, number: i64) {
        self.0.extend(number.to_le_bytes());
    }

    fn flag(&mut self, flag: bool) {
        self.0.push(u8::from(flag));
    }

    fn habit(&mut self, habit: &Habit) {
        self.flag(habit.learned);
        self.0.push(habit.days);
        self.put(habit.last_day);
    }

    fn names(&mut self, names: &Names) {
        self.flag(names.is_full);
        // There are no more than the bound, and none is longer than its own.
        let count = u16::try_from(names.entries.len()).unwrap_or(u16::MAX);
        self.0.extend(count.to_le_bytes());
        for (name, habit) in names.entries.iter().take(usize::from(count)) {
            self.0.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
            self.0.extend(name.bytes().take(usize::from(u8::MAX)));
            self.habit(habit);
        }
    }

    fn hours(&mut self, hours: &Hours) {
        self.put(hours.first);
        self.put(hours.hour);
        self.0.extend(hours.count.to_le_bytes());
        self.flag(hours.is_learned);
        self.flag(hours.is_told);
        for slot in &hours.slots {
            self.0.extend(slot.weeks.to_le_bytes());
            self.flag(slot.learned);
            for most in slot.most {
                self.0.extend(most.to_le_bytes());
            }
        }
    }
}

struct Reader<'b>(&'b [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], BadState> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(BadState)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn number(&mut self) -> Result<i64, BadState> {
        Ok(i64::from_le_bytes(self.take()?))
    }

    fn short(&mut self) -> Result<u32, BadState> {
        Ok(u32::from_le_bytes(self.take()?))
    }

    fn flag(&mut self) -> Result<bool, BadState> {
        match self.take()? {
            [0] => Ok(false),
            [1] => Ok(true),
            [_] => Err(BadState),
        }
    }

    fn time(&mut self) -> Result<Option<Timestamp>, BadState> {
        let is_some = self.flag()?;
        let time = Timestamp::from_micros(self.number()?);
        Ok(is_some.then_some(time))
    }

    fn pair(&mut self) -> Result<Option<(i64, i64)>, BadState> {
        let is_some = self.flag()?;
        let pair = (self.number()?, self.number()?);
        Ok(is_some.then_some(pair))
    }

    fn habit(&mut self) -> Result<Habit, BadState> {
        let learned = self.flag()?;
        let [days] = self.take()?;
        Ok(Habit {
            learned,
            days,
            last_day: self.number()?,
        })
    }

    fn sequence(&mut self) -> Result<Sequence, BadState> {
        let is_some = self.flag()?;
        let last = u64::from_le_bytes(self.take()?);
        Ok(Sequence {
            last: is_some.then_some(last),
            gap: self.habit()?,
            back: self.habit()?,
        })
    }

    fn names(&mut self, bound: usize) -> Result<Names, BadState> {
        let is_full = self.flag()?;
        let count = usize::from(u16::from_le_bytes(self.take()?));
        if count > bound {
            return Err(BadState);
        }
        let mut entries: Vec<(Box<str>, Habit)> = Vec::with_capacity(count);
        for _ in 0..count {
            let [length] = self.take()?;
            let (name, rest) = self
                .0
                .split_at_checked(usize::from(length))
                .filter(|(name, _)| name.len() <= bound::NAME)
                .ok_or(BadState)?;
            self.0 = rest;
            let name = std::str::from_utf8(name).map_err(|_| BadState)?;
            let is_sorted = entries.last().is_none_or(|(last, _)| **last < *name);
            if !is_sorted {
                return Err(BadState);
            }
            entries.push((name.into(), self.habit()?));
        }
        Ok(Names { entries, is_full })
    }

    fn hours(&mut self) -> Result<Hours, BadState> {
        let mut hours = Hours::begin(self.number()?);
        hours.hour = self.number()?;
        hours.count = self.short()?;
        hours.is_learned = self.flag()?;
        hours.is_told = self.flag()?;
        for slot in &mut hours.slots {
            *slot = Slot {
                weeks: self.short()?,
                learned: self.flag()?,
                most: [self.short()?, self.short()?],
            };
        }
        Ok(hours)
    }
}
