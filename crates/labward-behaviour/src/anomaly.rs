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

/// Seconds as hours, minutes and seconds, of which the two largest are said: `-2 h`, `1 h 5 min`, `35 s`.
fn span(seconds: i64) -> String {
    let all = seconds.unsigned_abs();
    let parts = [(all / 3_600, "h"), (all / 60 % 60, "min"), (all % 60, "s")];
    let said = parts.iter().skip_while(|(count, _)| *count == 0).take(2);
    let said: Vec<String> = said
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    let sign = if seconds < 0 { "-" } else { "" };
    match said.is_empty() {
        true => "0 s".to_owned(),
        false => format!("{sign}{}", said.join(" ")),
    }
}

/// A kind taken apart, to be kept: its code, a name, and numbers that mean what the kind's values do, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindParts {
    /// [`Kind::code`].
    pub code: &'static str,
    /// The message type or the test; empty for any other.
    pub name: Box<str>,
    /// The values; 0 where there is none.
    pub numbers: [i64; 3],
}

impl Kind {
    /// Every code.
    pub const CODES: [&'static str; 8] = [
        "clock-off",
        "new-message-type",
        "new-test",
        "sequence-back",
        "sequence-gap",
        "silent",
        "too-many",
        "unusual-hour",
    ];

    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ClockOff { .. } => "clock-off",
            Self::NewMessageType(_) => "new-message-type",
            Self::NewTest(_) => "new-test",
            Self::SequenceBack { .. } => "sequence-back",
            Self::SequenceGap { .. } => "sequence-gap",
            Self::Silent { .. } => "silent",
            Self::TooMany { .. } => "too-many",
            Self::UnusualHour { .. } => "unusual-hour",
        }
    }

    /// The kind taken apart.
    pub fn to_parts(&self) -> KindParts {
        let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let numbers = match *self {
            Self::ClockOff {
                ahead_s,
                low_s,
                high_s,
            } => [ahead_s, low_s, high_s],
            Self::NewMessageType(_) | Self::NewTest(_) => [0; 3],
            Self::SequenceBack { last, found } => [signed(last), signed(found), 0],
            Self::SequenceGap { expected, found } => [signed(expected), signed(found), 0],
            Self::Silent { since, hours } => [since.as_micros(), i64::from(hours), 0],
            Self::TooMany { count, usual } => [i64::from(count), i64::from(usual), 0],
            Self::UnusualHour { days } => [i64::from(days), 0, 0],
        };
        let name = match self {
            Self::NewMessageType(name) | Self::NewTest(name) => name.clone(),
            _ => Box::default(),
        };
        KindParts {
            code: self.code(),
            name,
            numbers,
        }
    }

    /// The kind of these parts; none if there is no such.
    pub fn of_parts(code: &str, name: &str, [one, two, three]: [i64; 3]) -> Option<Self> {
        let large = |number: i64| u64::try_from(number).ok();
        let small = |number: i64| u32::try_from(number).ok();
        Some(match code {
            "clock-off" => Self::ClockOff {
                ahead_s: one,
                low_s: two,
                high_s: three,
            },
            "new-message-type" => Self::NewMessageType(name.into()),
            "new-test" => Self::NewTest(name.into()),
            "sequence-back" => Self::SequenceBack {
                last: large(one)?,
                found: large(two)?,
            },
            "sequence-gap" => Self::SequenceGap {
                expected: large(one)?,
                found: large(two)?,
            },
            "silent" => Self::Silent {
                since: Timestamp::from_micros(one),
                hours: small(two)?,
            },
            "too-many" => Self::TooMany {
                count: small(one)?,
                usual: small(two)?,
            },
            "unusual-hour" => Self::UnusualHour { days: small(one)? },
            _ => return None,
        })
    }
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
            } => {
                let (code, text) = match *ahead_s < 0 {
                    true => (
                        "clock-behind",
                        "On the day of {time} UTC its clock was {off} behind ours; usual is from {low} to {high}.",
                    ),
                    false => (
                        "clock-ahead",
                        "On the day of {time} UTC its clock was {off} ahead of ours; usual is from {low} to {high}.",
                    ),
                };
                let values = vec![
                    time,
                    ("off", span(ahead_s.saturating_abs())),
                    ("low", span(*low_s)),
                    ("high", span(*high_s)),
                ];
                Saying::new(code, text, values)
            }
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
