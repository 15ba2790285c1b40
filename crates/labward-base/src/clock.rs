//! Time as a parameter.
//!
//! **Invariant:** time is a parameter. Only the program's edge reads the system clock
//! (`labward_os::SystemClock`); every other room takes a [`Clock`] or a [`Timestamp`].

use std::fmt::{self, Write as _};
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A moment in UTC, in microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Where a room gets the time from; the edge passes the system's, a test passes its own.
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

impl<C: Clock + ?Sized> Clock for std::sync::Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}

impl Timestamp {
    /// The moment `micros` microseconds after 1970-01-01T00:00:00Z.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// The moment `seconds` seconds after 1970-01-01T00:00:00Z, saturating.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// The moment `duration` later, saturating.
    pub fn plus(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(micros))
    }

    /// The moment `duration` earlier, saturating.
    pub fn minus(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(micros))
    }

    /// How long ago `earlier` was; zero if it lies in the future.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// RFC 3339 in UTC with microseconds, for example `2026-11-22T20:33:00.000001Z`.
    ///
    /// Moments outside the years 0000–9999 are shown at the nearest end of that range.
    pub fn to_rfc3339(self) -> String {
        let t = self.to_offset();
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
            t.year(),
            u8::from(t.month()),
            t.day(),
            t.hour(),
            t.minute(),
            t.second(),
            t.microsecond()
        )
    }

    /// The moment written in RFC 3339, or `None` if the text is not such a moment.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let t = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        Some(Self(
            i64::try_from(t.unix_timestamp_nanos().div_euclid(1_000)).ok()?,
        ))
    }

    /// The calendar date and time in UTC, clamped to the years 0000–9999.
    pub fn to_offset(self) -> OffsetDateTime {
        const FIRST: i128 = -62_167_219_200_000_000_000;
        const LAST: i128 = 253_402_300_799_999_999_000;
        let nanos = (i128::from(self.0) * 1_000).clamp(FIRST, LAST);
        OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// `YYYYMMDDHHMMSS+0000`, the form of an HL7 v2 `DTM`.
    pub fn to_hl7(self) -> String {
        let t = self.to_offset();
        let mut text = String::with_capacity("YYYYMMDDHHMMSS+0000".len());
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "{:04}{:02}{:02}{:02}{:02}{:02}+0000",
            t.year(),
            u8::from(t.month()),
            t.day(),
            t.hour(),
            t.minute(),
            t.second()
        );
        text
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_is_read_back_as_written() {
        for micros in [
            0,
            1,
            -1,
            1_795_379_580_000_001,
            i64::MAX / 1_000,
            -62_167_219_200_000_000,
        ] {
            let t = Timestamp::from_micros(micros);
            assert_eq!(
                Timestamp::parse_rfc3339(&t.to_rfc3339()),
                Some(t),
                "{micros}"
            );
        }
        assert_eq!(Timestamp::parse_rfc3339("yesterday"), None);
    }

    #[test]
    fn a_moment_beyond_the_calendar_does_not_panic() {
        assert!(
            Timestamp::from_micros(i64::MAX)
                .to_rfc3339()
                .starts_with("9999-12-31")
        );
        assert!(
            Timestamp::from_micros(i64::MIN)
                .to_rfc3339()
                .starts_with("0000-01-01")
        );
    }

    #[test]
    fn time_since_a_later_moment_is_zero() {
        let earlier = Timestamp::from_seconds(1);
        let later = earlier.plus(Duration::from_secs(2));
        assert_eq!(later.since(earlier), Duration::from_secs(2));
        assert_eq!(earlier.since(later), Duration::ZERO);
    }
}
