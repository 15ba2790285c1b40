//! What is told of one message.

use labward_base::Timestamp;

/// One message of a device. It must never hold anything of a patient.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event<'e> {
    /// When it came.
    pub at: Timestamp,
    /// Its type, for example `ORU^R01`; empty if it has none.
    pub message_type: &'e str,
    /// The codes of its tests.
    pub tests: &'e [&'e str],
    /// Its sequence number (MSH-13, a frame or control number), if it has one.
    pub sequence: Option<u64>,
    /// What the sender's clock said when it was written (MSH-7).
    pub sender_clock: Option<SenderClock>,
}

/// What a sender's clock said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderClock {
    /// The time; one that names no zone is read as if it were UTC.
    pub at: Timestamp,
    /// Whether it named its zone. A clock that does not may go on and back by the hour of summer time.
    pub has_zone: bool,
}

/// The bounds of what is remembered of one device.
pub(crate) mod bound {
    /// Message types.
    pub(crate) const TYPES: usize = 32;
    /// Codes of tests.
    pub(crate) const TESTS: usize = 512;
    /// Octets of a type or a code; what is longer is cut.
    pub(crate) const NAME: usize = 64;
    /// Sequence numbers of one time.
    pub(crate) const SEQUENCE: usize = 256;
}

/// Seconds of an hour, a day.
pub(crate) const HOUR: i64 = 3_600;
pub(crate) const DAY: i64 = 86_400;

/// The day of a time, counted from 1970-01-01.
pub(crate) const fn day_of(at: Timestamp) -> i64 {
    at.as_seconds().div_euclid(DAY)
}

/// A name as it is remembered: cut to the bound, without control characters.
pub(crate) fn name(text: &str) -> Box<str> {
    let mut cut = String::with_capacity(text.len().min(bound::NAME));
    for letter in text.chars() {
        let letter = if letter.is_control() { ' ' } else { letter };
        if cut.len() + letter.len_utf8() > bound::NAME {
            break;
        }
        cut.push(letter);
    }
    cut.into()
}
