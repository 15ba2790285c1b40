//! What a device does otherwise: a code with values, and one English sentence.

use labward_base::{Saying, Timestamp};

/// One anomaly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anomaly {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: Kind,
}

/// What is otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The sender's clock is off by another amount than usual.
    ClockOff {
        /// Seconds by which it was ahead on that day; negative if it was late.
        ahead_s: i64,
        /// The least of the usual days.
        low_s: i64,
        /// The most of the usual days.
        high_s: i64,
    },
    /// A message type that is not usual.
    NewMessageType(Box<str>),
    /// A test that is not usual.
    NewTest(Box<str>),
    /// The numbers went back.
    SequenceBack {
        /// The number before.
        last: u64,
        /// The number that came.
        found: u64,
    },
    /// Numbers are missing.
    SequenceGap {
        /// The number that should have come.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// Nothing came in hours in which something always came.
    Silent {
        /// When the last message came.
        since: Timestamp,
        /// In how many such hours.
        hours: u32,
    },
    /// More than four times as many messages in an hour as ever at such an hour, and twenty.
    TooMany {
        /// How many came so far.
        count: u32,
        /// The most that ever came.
        usual: u32,
    },
    /// It sends at an hour at which it did not use to.
    UnusualHour {
        /// How many days of it are known.
        days: u32,
    },
}

/// `YYYY-MM-DD HH:MM` in UTC.
fn minute(at: Timestamp) -> String {
    let text = at.to_rfc3339();
    text.get(..16).unwrap_or_default().replace('T', " ")
}

impl Anomaly {
    /// Its code, the values of its places and its sentence.
    pub fn saying(&self) -> Saying {
        let time = ("time", minute(self.at));
        match &self.kind {
            Kind::ClockOff {
                ahead_s,
                low_s,
                high_s,
            } => Saying::new(
                "clock-off",
                "On the day of {time} UTC its clock was {ahead} s ahead of ours; usual are {low} to {high} s.",
                vec![
                    time,
                    ("ahead", ahead_s.to_string()),
                    ("low", low_s.to_string()),
                    ("high", high_s.to_string()),
                ],
            ),
            Kind::NewMessageType(name) => Saying::new(
                "new-message-type",
                "Sent a message of type {name} at {time} UTC, which it does not use to send.",
                vec![("name", name.to_string()), time],
            ),
            Kind::NewTest(name) => Saying::new(
                "new-test",
                "Sent the test {name} at {time} UTC, which it does not use to send.",
                vec![("name", name.to_string()), time],
            ),
            Kind::SequenceBack { last, found } => Saying::new(
                "sequence-back",
                "Its numbers went back from {last} to {found} at {time} UTC.",
                vec![
                    ("last", last.to_string()),
                    ("found", found.to_string()),
                    time,
                ],
            ),
            Kind::SequenceGap { expected, found } => Saying::new(
                "sequence-gap",
                "Its numbers went on with {found} instead of {expected} at {time} UTC; messages may be lost.",
                vec![
                    ("expected", expected.to_string()),
                    ("found", found.to_string()),
                    time,
                ],
            ),
            Kind::Silent { since, hours } => Saying::new(
                "silent",
                "Has sent nothing since {since} UTC (looked at {time} UTC), in {hours} hours in which it sent in every week.",
                vec![
                    ("since", minute(*since)),
                    time,
                    ("hours", hours.to_string()),
                ],
            ),
            Kind::TooMany { count, usual } => Saying::new(
                "too-many",
                "Sent {count} messages in the hour of {time} UTC; at such an hour never more than {usual} came.",
                vec![
                    ("count", count.to_string()),
                    time,
                    ("usual", usual.to_string()),
                ],
            ),
            Kind::UnusualHour { days } => Saying::new(
                "unusual-hour",
                "Sends at {time} UTC, an hour at which it did not use to send in {days} days.",
                vec![time, ("days", days.to_string())],
            ),
        }
    }
}
