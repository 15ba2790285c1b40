//! Something that a device does, and on how many days it did so.

/// Days without it after which it is new again.
const FORGOTTEN_DAYS: i64 = 32 * 7;
/// Days with it after which it is usual.
const USUAL_DAYS: u8 = 3;

/// One habit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Habit {
    /// Whether it was seen while learning.
    pub(crate) learned: bool,
    /// On how many days it was seen, up to those that make it usual.
    pub(crate) days: u8,
    /// The last of them.
    pub(crate) last_day: i64,
}

impl Habit {
    /// Notes it on a day. Whether that is to be told: it is not usual, and it is the first time of the day.
    pub(crate) fn note(&mut self, day: i64, is_learning: bool) -> bool {
        if self.days > 0 && self.is_forgotten(day) {
            *self = Self::default();
        }
        self.learned |= is_learning;
        if self.days > 0 && day <= self.last_day {
            return false;
        }
        let is_usual = self.is_usual();
        self.days = self.days.saturating_add(1).min(USUAL_DAYS);
        self.last_day = day;
        !is_usual
    }

    /// Makes it usual from this day on.
    pub(crate) fn expect(&mut self, day: i64) {
        *self = Self {
            learned: true,
            days: USUAL_DAYS,
            last_day: self.last_day.max(day),
        };
    }

    /// Whether it is usual.
    pub(crate) const fn is_usual(&self) -> bool {
        self.learned || self.days >= USUAL_DAYS
    }

    /// Whether it was not seen for so long that it is new again.
    pub(crate) const fn is_forgotten(&self, day: i64) -> bool {
        day.saturating_sub(self.last_day) > FORGOTTEN_DAYS
    }
}

/// Habits by name, sorted, and no more than a bound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) entries: Vec<(Box<str>, Habit)>,
    /// Whether one did not fit: then a name that is not here may have been seen before, and none is told.
    pub(crate) is_full: bool,
}

impl Names {
    /// Notes a name on a day; whether that is to be told.
    pub(crate) fn note(&mut self, name: &str, day: i64, is_learning: bool, bound: usize) -> bool {
        let at = match self.find(name) {
            Ok(at) => at,
            Err(_) => {
                if self.entries.len() >= bound {
                    self.entries.retain(|(_, habit)| !habit.is_forgotten(day));
                }
                if self.entries.len() >= bound {
                    self.is_full = true;
                    return false;
                }
                let (Ok(at) | Err(at)) = self.find(name);
                self.entries.insert(at, (name.into(), Habit::default()));
                at
            }
        };
        let told = self
            .entries
            .get_mut(at)
            .is_some_and(|(_, habit)| habit.note(day, is_learning));
        told && !self.is_full
    }

    /// Makes a name usual from this day on, if there is room for it.
    pub(crate) fn expect(&mut self, name: &str, day: i64, bound: usize) {
        self.note(name, day, true, bound);
        if let Ok(at) = self.find(name)
            && let Some((_, habit)) = self.entries.get_mut(at)
        {
            habit.expect(day);
        }
    }

    /// Whether a name is usual.
    pub(crate) fn is_usual(&self, name: &str) -> bool {
        let found = self.find(name).ok().and_then(|at| self.entries.get(at));
        found.is_some_and(|(_, habit)| habit.is_usual())
    }

    fn find(&self, name: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|(one, _)| (**one).cmp(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_is_told_once_a_day_until_it_is_usual() {
        let mut habit = Habit::default();
        let told = [10, 10, 11, 12, 13, 13].map(|day| habit.note(day, false));
        assert_eq!(told, [true, false, true, true, false, false]);
        assert!(!habit.note(13 + 224, false));
        assert!(habit.note(13 + 224 + 225, false), "it is new again");
    }

    #[test]
    fn a_full_table_tells_nothing_and_says_so() {
        let mut names = Names::default();
        assert!(names.note("a", 1, false, 2) && names.note("b", 1, false, 2));
        assert!(!names.note("c", 2, false, 2) && names.is_full);
        assert_eq!(names.entries.len(), 2);
        // What was forgotten makes room.
        assert!(!names.note("c", 1_000, false, 2));
        assert_eq!(names.entries.len(), 1);
    }
}
