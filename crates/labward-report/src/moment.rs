//! Times as senders write them: HL7 v2 (`YYYYMMDDHHMM[SS][±ZZZZ]`) and ISO 8601, cut anywhere.
//!
//! It must never fill in what was not said, or move a time into another zone.

use labward_base::Timestamp;

/// A time as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// For the eye: `2026-11-22 09:30`, with its offset if it has one; as exact as it came, to the
    /// minute.
    pub text: String,
    /// Seconds since 1970 of its beginning; without an offset as if it were UTC, so fit to order times
    /// of one laboratory and no more.
    pub seconds: i64,
}

/// What separates year, month, day, hour, minute and second in ISO 8601.
const SEPARATORS: [&[u8]; 5] = [b"-", b"-", b"T ", b":", b":"];

impl Moment {
    /// The time in this text; none if it is no time.
    pub fn read(text: &str) -> Option<Self> {
        let mut rest = Rest(text.trim().as_bytes());
        let year = rest.digits(4)?;
        let mut parts = [1, 1, 0, 0, 0];
        let mut known = 0;
        let is_iso = rest.next_is(b"-") && rest.0.len() > 1;
        for (part, separator) in parts.iter_mut().zip(SEPARATORS) {
            let before = rest.0;
            let fits = rest.eat(separator) == is_iso;
            match rest.digits(2).filter(|_| fits) {
                Some(number) => *part = number,
                None => {
                    rest.0 = before;
                    break;
                }
            }
            known += 1;
        }
        if known == 5 && rest.eat(b".") {
            rest.digits(1)?;
            while rest.digits(1).is_some() {}
        }
        let offset = rest.offset()?;
        if !rest.0.is_empty() {
            return None;
        }
        let [month, day, hour, minute, second] = parts;
        let whole = format!(
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{}",
            offset.as_deref().unwrap_or("Z")
        );
        let seconds = Timestamp::parse_rfc3339(&whole)?.as_seconds();
        let text = match known {
            0 => format!("{year:04}"),
            1 => format!("{year:04}-{month:02}"),
            2 => format!("{year:04}-{month:02}-{day:02}"),
            _ => {
                let offset = offset
                    .map(|offset| format!(" {offset}"))
                    .unwrap_or_default();
                format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}{offset}")
            }
        };
        Some(Self { text, seconds })
    }

    /// The day for the eye where this is a time, else the text as it came.
    pub(crate) fn day_of(text: &str) -> String {
        match Self::read(text) {
            Some(moment) => moment.text.get(..10).unwrap_or(&moment.text).to_owned(),
            None => crate::report::bounded(text),
        }
    }
}

/// What is left of a text.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn next_is(&self, any: &[u8]) -> bool {
        self.0.first().is_some_and(|byte| any.contains(byte))
    }

    fn eat(&mut self, any: &[u8]) -> bool {
        let is_next = self.next_is(any);
        if is_next {
            self.0 = self.0.get(1..).unwrap_or_default();
        }
        is_next
    }

    /// Exactly so many digits.
    fn digits(&mut self, count: usize) -> Option<u32> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        self.0 = rest;
        std::str::from_utf8(digits).ok()?.parse().ok()
    }

    /// `Z`, `±HHMM` or `±HH:MM`; `None` if it is cut.
    #[expect(clippy::option_option, reason = "no offset is not a broken one")]
    fn offset(&mut self) -> Option<Option<String>> {
        if self.eat(b"Zz") {
            return Some(Some("+00:00".to_owned()));
        }
        let sign = match self.0.first() {
            Some(b'+') => '+',
            Some(b'-') => '-',
            _ => return Some(None),
        };
        self.eat(b"+-");
        let hours = self.digits(2)?;
        self.eat(b":");
        let minutes = self.digits(2)?;
        Some(Some(format!("{sign}{hours:02}:{minutes:02}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_time_is_as_exact_as_it_came() {
        for (text, expect) in [
            ("2026", "2026"),
            ("202611", "2026-11"),
            ("2026-11", "2026-11"),
            ("20261122", "2026-11-22"),
            ("2026-11-22", "2026-11-22"),
            ("2026112209", "2026-11-22 09:00"),
            ("202611220930", "2026-11-22 09:30"),
            ("20261122093015", "2026-11-22 09:30"),
            ("20261122093015.1234-0500", "2026-11-22 09:30 -05:00"),
            ("2026-11-22T09:30:15.5+01:00", "2026-11-22 09:30 +01:00"),
            ("2026-11-22T09:30:15Z", "2026-11-22 09:30 +00:00"),
            ("20261122-0500", "2026-11-22"),
            ("202611-0500", "2026-11"),
        ] {
            assert_eq!(
                Moment::read(text).map(|one| one.text).as_deref(),
                Some(expect),
                "{text}"
            );
        }
    }

    #[test]
    fn an_offset_moves_the_order_and_not_the_words() {
        let seconds = |text| Moment::read(text).unwrap().seconds;
        assert_eq!(seconds("202611220930-0500"), seconds("202611221430+0000"));
        assert!(seconds("20261122") < seconds("202611220001"));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "x",
            "20",
            "20261322",
            "20260230",
            "202611222530",
            "2026-0500",
            "20261122T",
            "2026112209301",
            "20261122093015.",
            "20261122093015+01",
            "2026-1-2",
            "é2026",
        ] {
            assert_eq!(Moment::read(text), None, "{text}");
        }
        assert_eq!(Moment::day_of("197001021530"), "1970-01-02");
        assert_eq!(Moment::day_of("about 1970"), "about 1970");
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text: String, digits in "[0-9]{0,16}[-+.Z:T0-9]{0,10}") {
            let _ = Moment::read(&text);
            let _ = Moment::read(&digits);
        }
    }
}
