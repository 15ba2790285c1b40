//! The baseline of one device: what it learned, and what it finds otherwise.
//!
//! It must never tell anything while it learns, or judge one message by another of the same time.

use labward_base::Timestamp;

use crate::anomaly::{Anomaly, Kind};
use crate::event::{DAY, Event, bound, day_of};
use crate::habit::Names;
use crate::hours::{Hours, hour_of};
use crate::moment::Moment;
use crate::sequence::Sequence;
use crate::skew::Skew;

/// Days with messages without which learning does not end.
const ACTIVE_DAYS: u32 = 7;

/// How a device is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// For how many days it only learns; at least 14, since silence needs two weeks.
    pub learning_days: u16,
    /// After how many hours in which it always sent its silence is told.
    pub silent_hours: u16,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            learning_days: 14,
            silent_hours: 3,
        }
    }
}

/// How far learning is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Which day of learning it is, from 1; it stays at the last while days with messages are missing.
    pub day: u16,
    /// Of how many.
    pub days: u16,
    /// On how many days there were messages, up to those that are needed.
    pub active_days: u32,
    /// On how many there must be.
    pub active_days_needed: u32,
    /// Whether it has ended.
    pub is_over: bool,
}

/// What is known of one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baseline {
    /// When the first message came, and the last.
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
    /// On how many days there were messages, and the last of them.
    pub(crate) active_days: u32,
    pub(crate) active_day: i64,
    /// When learning ended.
    pub(crate) learned: Option<Timestamp>,
    /// Whether its silence was told.
    pub(crate) is_silent: bool,
    pub(crate) hours: Hours,
    pub(crate) types: Names,
    pub(crate) tests: Names,
    pub(crate) sequence: Sequence,
    pub(crate) skew: Skew,
    /// What came at the last time and is not judged yet.
    pub(crate) moment: Option<Moment>,
}

impl Baseline {
    /// Begins with the time of the first message.
    pub fn begin(at: Timestamp) -> Self {
        Self {
            first: at,
            last: at,
            active_days: 0,
            active_day: day_of(at),
            learned: None,
            is_silent: false,
            hours: Hours::begin(hour_of(at.as_seconds())),
            types: Names::default(),
            tests: Names::default(),
            sequence: Sequence::default(),
            skew: Skew::default(),
            moment: None,
        }
    }

    /// Takes a message. What is told is of messages of an earlier time: those of one time are judged together,
    /// when a later one comes. A message of an earlier time counts as of the last one.
    pub fn observe(&mut self, event: &Event<'_>, settings: &Settings) -> Vec<Anomaly> {
        let at = event.at.max(self.last);
        let mut told = match &self.moment {
            Some(moment) if moment.at < at => self.settle(),
            _ => Vec::new(),
        };
        if self.moment.is_none() {
            self.turn(at, settings, &mut told);
            self.is_silent = false;
        }
        let moment = self.moment.get_or_insert_with(|| Moment::begin(at));
        moment.add(event);
        self.last = at;
        told
    }

    /// Looks at a time without a message: judges what came before, and finds silence, which is told once.
    pub fn look(&mut self, now: Timestamp, settings: &Settings) -> Vec<Anomaly> {
        if now <= self.last {
            return Vec::new();
        }
        let mut told = self.settle();
        self.turn(now, settings, &mut told);
        let Some(learned) = self.learned else {
            return told;
        };
        let hour = |at: Timestamp| hour_of(at.as_seconds());
        let hours = self.hours.missed(hour(learned), hour(now));
        if !self.is_silent && hours >= u32::from(settings.silent_hours.max(1)) {
            self.is_silent = true;
            told.push(Anomaly {
                at: now,
                kind: Kind::Silent {
                    since: self.last,
                    hours,
                },
            });
        }
        told
    }

    /// Says that up to this time messages may have come that were not observed: then nothing that is missing is told.
    pub fn lost(&mut self, at: Timestamp) -> Vec<Anomaly> {
        let told = self.settle();
        self.sequence.last = None;
        self.hours.skip(hour_of(at.as_seconds()));
        told
    }

    /// Takes what was told as usual from now on, since a person expects it. Silence is never usual.
    pub fn expect(&mut self, anomaly: &Anomaly) {
        let (day, hour) = (day_of(anomaly.at), hour_of(anomaly.at.as_seconds()));
        match &anomaly.kind {
            Kind::ClockOff { ahead_s, .. } => self.skew.expect(*ahead_s),
            Kind::NewMessageType(name) => self.types.expect(name, day, bound::TYPES),
            Kind::NewTest(name) => self.tests.expect(name, day, bound::TESTS),
            Kind::SequenceBack { .. } => self.sequence.back.expect(day),
            Kind::SequenceGap { .. } => self.sequence.gap.expect(day),
            Kind::Silent { .. } => {}
            Kind::TooMany { count, .. } => self.hours.expect_count(hour, *count),
            Kind::UnusualHour { .. } => self.hours.expect(hour),
        }
    }

    /// Whether what was told holds no more: it has become usual, the device sends again, its clock is right. That too
    /// much was sent stays so.
    pub fn is_over(&self, anomaly: &Anomaly) -> bool {
        match &anomaly.kind {
            Kind::ClockOff { .. } => !self.skew.is_off,
            Kind::NewMessageType(name) => self.types.is_usual(name),
            Kind::NewTest(name) => self.tests.is_usual(name),
            Kind::SequenceBack { .. } => self.sequence.back.is_usual(),
            Kind::SequenceGap { .. } => self.sequence.gap.is_usual(),
            Kind::Silent { .. } => !self.is_silent,
            Kind::TooMany { .. } => false,
            Kind::UnusualHour { .. } => self.hours.is_usual(hour_of(anomaly.at.as_seconds())),
        }
    }

    /// How far learning is.
    pub fn progress(&self, now: Timestamp, settings: &Settings) -> Progress {
        let age = now.as_seconds().saturating_sub(self.first.as_seconds()) / DAY;
        let days = settings.learning_days.max(14);
        let day = u16::try_from(age.saturating_add(1))
            .unwrap_or(days)
            .min(days);
        Progress {
            day: day.max(1),
            days,
            active_days: self.active_days.min(ACTIVE_DAYS),
            active_days_needed: ACTIVE_DAYS,
            is_over: self.learned.is_some(),
        }
    }

    /// Whether learning is over.
    pub const fn has_learned(&self) -> bool {
        self.learned.is_some()
    }

    /// Whether there were more message types or tests than are remembered: then new ones are not told.
    pub const fn is_overfull(&self) -> bool {
        self.types.is_full || self.tests.is_full
    }

    /// Ends a day and the learning, if they are over.
    fn turn(&mut self, at: Timestamp, settings: &Settings, told: &mut Vec<Anomaly>) {
        if let Some(kind) = self.skew.turn(at, self.learned.is_none()) {
            told.push(Anomaly {
                at: self.last,
                kind,
            });
        }
        let age = at.as_seconds().saturating_sub(self.first.as_seconds());
        let learning = i64::from(settings.learning_days.max(14)) * DAY;
        if self.learned.is_none() && age >= learning && self.active_days >= ACTIVE_DAYS {
            self.learned = Some(at);
            // What runs was learned, too.
            self.skew.learn_today();
            self.hours.learn_count();
        }
    }

    /// Judges what came at the last time.
    fn settle(&mut self) -> Vec<Anomaly> {
        let Some(moment) = self.moment.take() else {
            return Vec::new();
        };
        let (at, is_learning) = (moment.at, self.learned.is_none());
        let mut kinds = self.judge_amount(&moment, is_learning);
        let day = day_of(at);
        for name in moment.types {
            if self.types.note(&name, day, is_learning, bound::TYPES) {
                kinds.push(Kind::NewMessageType(name));
            }
        }
        for name in moment.tests {
            if self.tests.note(&name, day, is_learning, bound::TESTS) {
                kinds.push(Kind::NewTest(name));
            }
        }
        let numbers = &moment.sequence;
        self.sequence.note(numbers, day, is_learning, &mut kinds);
        self.skew.note(at, moment.ahead);
        if is_learning {
            return Vec::new();
        }
        let told = kinds.into_iter().map(|kind| Anomaly { at, kind });
        told.collect()
    }

    /// Judges when and how much was sent.
    fn judge_amount(&mut self, moment: &Moment, is_learning: bool) -> Vec<Kind> {
        let seconds = moment.at.as_seconds();
        let day = day_of(moment.at);
        let is_new_day = self.active_days == 0 || day > self.active_day;
        self.active_days = self.active_days.saturating_add(u32::from(is_new_day));
        self.active_day = day;
        let hour = hour_of(seconds);
        let told = self.hours.note(hour, moment.count, is_learning);
        let mut kinds = Vec::new();
        if told.is_unusual {
            let age = seconds.saturating_sub(self.first.as_seconds()) / DAY;
            kinds.push(Kind::UnusualHour {
                days: u32::try_from(age).unwrap_or(u32::MAX),
            });
        }
        if let Some((count, usual)) = told.too_many {
            kinds.push(Kind::TooMany { count, usual });
        }
        kinds
    }
}

#[cfg(test)]
mod tests;
