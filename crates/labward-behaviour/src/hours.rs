//! At which hours of the week a device sends, and how much.

use crate::event::HOUR;

/// Hours of a week.
pub(crate) const SLOTS: usize = 168;
const WEEK: i64 = 168;
/// 1970-01-01 was a Thursday: so many hours after the beginning of its week.
const EPOCH: i64 = 72;
/// Weeks in which an hour must have been used to be usual.
const USUAL_WEEKS: u32 = 3;
/// Weeks after which hours are known by the day of the week, too.
const BY_WEEKDAY: i64 = 4;
/// Weeks of a period; the highest counts of this one and the last are remembered.
const PERIOD: i64 = 16;

/// One hour of the week.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slot {
    /// In which of the last 32 weeks it was used; the lowest bit is the week that runs.
    pub(crate) weeks: u32,
    /// Whether it was used while learning.
    pub(crate) learned: bool,
    /// The most messages in this period and in the last.
    pub(crate) most: [u32; 2],
}

impl Slot {
    const fn is_usual(&self) -> bool {
        self.weeks != 0 && (self.learned || self.weeks.count_ones() >= USUAL_WEEKS)
    }
}

/// What is known of hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hours {
    /// The first hour, counted from 1970-01-01T00:00Z, and the one that runs.
    pub(crate) first: i64,
    pub(crate) hour: i64,
    /// How many messages came in the hour that runs.
    pub(crate) count: u32,
    /// Whether some of them were learned from.
    pub(crate) is_learned: bool,
    /// Whether of that hour was told that there are too many.
    pub(crate) is_told: bool,
    /// Of each hour of the week; there are always `SLOTS`.
    pub(crate) slots: Vec<Slot>,
}

/// What is to be told of an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// It is not usual.
    pub(crate) is_unusual: bool,
    /// So many messages are more than usual, of which the most is the second.
    pub(crate) too_many: Option<(u32, u32)>,
}

fn slot_of(hour: i64) -> usize {
    usize::try_from(hour.saturating_add(EPOCH).rem_euclid(WEEK)).unwrap_or(0)
}

const fn week_of(hour: i64) -> i64 {
    hour.saturating_add(EPOCH).div_euclid(WEEK)
}

/// The hour of a time in seconds.
pub(crate) const fn hour_of(seconds: i64) -> i64 {
    seconds.div_euclid(HOUR)
}

impl Hours {
    pub(crate) fn begin(hour: i64) -> Self {
        Self {
            first: hour,
            hour,
            count: 0,
            is_learned: false,
            is_told: false,
            slots: vec![Slot::default(); SLOTS],
        }
    }

    /// Takes so many messages of an hour.
    pub(crate) fn note(&mut self, hour: i64, messages: u32, is_learning: bool) -> Told {
        let is_first = hour > self.hour || self.count == 0;
        if hour > self.hour {
            self.turn(hour);
        }
        self.count = self.count.saturating_add(messages);
        self.is_learned |= is_learning;
        let is_known = self.alike(self.hour).any(Slot::is_usual);
        if let Some(slot) = self.slots.get_mut(slot_of(self.hour)) {
            slot.weeks |= 1;
            slot.learned |= is_learning;
        }
        let (usual, limit) = self.measure();
        let is_too_many = !is_learning && self.count > limit && !self.is_told;
        self.is_told |= is_too_many;
        Told {
            is_unusual: !is_learning && is_first && !is_known,
            too_many: is_too_many.then_some((self.count, usual)),
        }
    }

    /// The most messages of hours like the one that runs, and how many are too many.
    fn measure(&self) -> (u32, u32) {
        let most = self.alike(self.hour).map(|slot| {
            let [now, before] = slot.most;
            now.max(before)
        });
        let usual = most.max().unwrap_or(0);
        (usual, usual.saturating_mul(4).saturating_add(20))
    }

    /// Takes the count of the hour that runs into what is usual. What is too much raises it only so far that a
    /// flood is told again and again.
    pub(crate) fn learn_count(&mut self) {
        let (_, limit) = self.measure();
        let raised = match self.is_learned {
            true => self.count,
            false => self.count.min(limit),
        };
        if let Some(slot) = self.slots.get_mut(slot_of(self.hour)) {
            let [now, _] = &mut slot.most;
            *now = (*now).max(raised);
        }
    }

    /// Goes on to an hour up to which it is not known what came.
    pub(crate) fn skip(&mut self, hour: i64) {
        if hour > self.hour {
            self.turn(hour);
        }
    }

    /// Makes an hour usual.
    pub(crate) fn expect(&mut self, hour: i64) {
        if let Some(slot) = self.slots.get_mut(slot_of(hour)) {
            slot.weeks |= 1;
            slot.learned = true;
        }
    }

    /// Makes so many messages in an hour usual.
    pub(crate) fn expect_count(&mut self, hour: i64, count: u32) {
        if let Some(slot) = self.slots.get_mut(slot_of(hour)) {
            let [now, _] = &mut slot.most;
            *now = (*now).max(count);
        }
    }

    /// Whether an hour, or one beside it, is usual.
    pub(crate) fn is_usual(&self, hour: i64) -> bool {
        self.alike(hour).any(Slot::is_usual)
    }

    /// Of each hour of the day whether it is usual on any day of the week, and the most messages that came in one.
    pub(crate) fn of_day(&self) -> ([bool; 24], u32) {
        let mut used = [false; 24];
        for (slot, known) in self.slots.iter().enumerate() {
            if let Some(hour) = used.get_mut(slot % 24) {
                *hour |= known.is_usual();
            }
        }
        let most = self.slots.iter().flat_map(|slot| slot.most).max();
        (used, most.unwrap_or(0))
    }

    fn turn(&mut self, hour: i64) {
        self.learn_count();
        let (from, to) = (week_of(self.hour), week_of(hour));
        let weeks = u32::try_from(to.saturating_sub(from)).unwrap_or(u32::MAX);
        let periods = to
            .div_euclid(PERIOD)
            .saturating_sub(from.div_euclid(PERIOD));
        for slot in &mut self.slots {
            slot.weeks = slot.weeks.checked_shl(weeks).unwrap_or(0);
            slot.learned &= slot.weeks != 0;
            let [now, _] = slot.most;
            slot.most = match periods {
                0 => slot.most,
                1 => [0, now],
                _ => [0, 0],
            };
        }
        self.hour = hour;
        self.count = 0;
        self.is_learned = false;
        self.is_told = false;
    }

    /// An hour and its neighbours, in the first weeks on every day of the week.
    fn alike(&self, hour: i64) -> impl Iterator<Item = &Slot> {
        let known = hour.saturating_sub(self.first) / WEEK;
        let days = if known < BY_WEEKDAY { 0..7 } else { 0..1 };
        let slots = days.flat_map(move |day| {
            (-1..=1).map(move |beside| slot_of(hour.saturating_add(day * 24 + beside)))
        });
        slots.filter_map(|slot| self.slots.get(slot))
    }

    /// How many whole hours have passed since the one that runs, and since `begin`, in which the device sent in each of the last weeks: at
    /// least two, and up to four. Looks a week ahead at most.
    pub(crate) fn missed(&self, begin: i64, now: i64) -> u32 {
        let end = now.min(self.hour.saturating_add(WEEK));
        let mut missed = 0;
        let mut hour = self.hour.saturating_add(1).max(begin);
        while hour < end {
            missed += u32::from(self.is_sure(hour));
            hour += 1;
        }
        missed
    }

    /// Whether the device sent in this hour in each of the weeks before.
    fn is_sure(&self, hour: i64) -> bool {
        let known = (hour.saturating_sub(self.first) / WEEK).clamp(0, 4);
        let Some(slot) = self.slots.get(slot_of(hour)) else {
            return false;
        };
        // The lowest bit is of the week of the last message; the hour may lie in the next.
        let ahead = week_of(hour) - week_of(self.hour);
        let back = |week: i64| u32::try_from(week - ahead).ok();
        known >= 2
            && (1..=known).all(|week| {
                back(week).is_some_and(|bit| slot.weeks.checked_shr(bit).unwrap_or(0) & 1 == 1)
            })
    }
}
