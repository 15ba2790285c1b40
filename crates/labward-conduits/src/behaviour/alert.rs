//! An alert: what a device did otherwise, of one kind, until a person answers or it is over.

use labward_base::Timestamp;
use labward_base::id::{DeviceId, EntryIndex};
use labward_behaviour::{Anomaly, Kind};

use crate::alert::AlertId;

/// Anomalies of one alert that are kept; those that come after are only counted.
pub(super) const SEEN_MAX: usize = 64;

/// What a device did otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusual {
    /// Its number.
    pub id: AlertId,
    /// The device.
    pub device: DeviceId,
    /// The code of its kind ([`Kind::code`]).
    pub kind: &'static str,
    /// What was seen, the first of it; never empty.
    pub seen: Vec<Anomaly>,
    /// How often it was seen.
    pub count: u64,
    /// When it was raised.
    pub raised: Timestamp,
    /// When it was seen last.
    pub last: Timestamp,
    /// When it was closed, and how.
    pub closed: Option<(Timestamp, Outcome)>,
    /// The entry that recorded the last change.
    pub entry: EntryIndex,
}

/// How an alert was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was over by itself.
    Ended,
    /// A person expects it: it is usual from now on.
    Expected,
    /// A person says that it should not have been.
    Unexpected,
}

impl Outcome {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::Expected => "expected",
            Self::Unexpected => "unexpected",
        }
    }

    /// The outcome of this name.
    pub fn by_name(name: &str) -> Option<Self> {
        let all = [Self::Ended, Self::Expected, Self::Unexpected];
        all.into_iter().find(|one| one.name() == name)
    }
}

impl Unusual {
    pub(super) fn begin(id: AlertId, device: DeviceId, first: Anomaly, now: Timestamp) -> Self {
        Self {
            id,
            device,
            kind: first.kind.code(),
            count: 1,
            raised: now,
            last: first.at,
            seen: vec![first],
            closed: None,
            entry: EntryIndex::new(0),
        }
    }

    /// Takes the same once more; whether it is on a later day than what was seen before.
    pub(super) fn add(&mut self, anomaly: Anomaly) -> bool {
        let is_next_day = day(anomaly.at) > day(self.last);
        self.count = self.count.saturating_add(1);
        self.last = self.last.max(anomaly.at);
        let is_known = |one: &Anomaly| match &anomaly.kind {
            Kind::NewMessageType(_) | Kind::NewTest(_) => one.kind == anomaly.kind,
            _ => *one == anomaly,
        };
        if self.seen.len() < SEEN_MAX && !self.seen.iter().any(is_known) {
            self.seen.push(anomaly);
        }
        is_next_day
    }
}

/// The day of a time in UTC, counted from 1970-01-01.
pub(super) const fn day(at: Timestamp) -> i64 {
    at.as_seconds().div_euclid(86_400)
}
