//! What of a value is a number, exactly: decimal digits, never a float.
//!
//! It must never take for a number what a person would not: `1:128`, `5,4`, `1e3` and `12 H` are texts.

use std::fmt;

/// The largest number of digits before the point; more is a text.
const WHOLE_MAX: usize = 15;
/// The largest number of digits behind the point; more is a text.
const FRACTION_MAX: usize = 9;
/// How many units of a [`Decimal`] make one.
const UNIT: u128 = 1_000_000_000;

/// A decimal number, exact, in units of 10⁻⁹.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decimal(i128);

/// A value as far as it is a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Above this: `>1000`, `≥1000`.
    Above(Decimal),
    /// Below this: `<0.1`, `<=0.1`.
    Below(Decimal),
    /// This number.
    Number(Decimal),
    /// No number.
    Text,
}

/// A reference range; at least one end is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The lower end; none: open.
    pub low: Option<Decimal>,
    /// The upper end; none: open.
    pub high: Option<Decimal>,
}

impl Decimal {
    /// The number in this text: a sign, at most 15 digits, a point, at most 9 digits.
    pub fn parse(text: &str) -> Option<Self> {
        let (sign, digits) = match text.as_bytes() {
            [b'-', ..] => (-1, text.get(1..)?),
            [b'+', ..] => (1, text.get(1..)?),
            _ => (1, text),
        };
        let (whole, fraction) = match digits.split_once('.') {
            Some((_, "")) => return None,
            Some((whole, fraction)) => (whole, fraction),
            None if digits.is_empty() => return None,
            None => (digits, ""),
        };
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let fits = whole.len() <= WHOLE_MAX && fraction.len() <= FRACTION_MAX;
        if !fits || !is_digits(whole) || !is_digits(fraction) {
            return None;
        }
        let padded = format!("{whole}{fraction:0<FRACTION_MAX$}");
        padded.parse::<i128>().ok().map(|nanos| Self(sign * nanos))
    }

    /// The number in units of 10⁻⁹.
    pub const fn nanos(self) -> i128 {
        self.0
    }
}

impl fmt::Display for Decimal {
    /// Its digits, without zeros that say nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (size, sign) = (self.0.unsigned_abs(), if self.0 < 0 { "-" } else { "" });
        let (whole, rest) = (size / UNIT, size % UNIT);
        let fraction = format!("{rest:0FRACTION_MAX$}");
        match fraction.trim_end_matches('0') {
            "" => write!(f, "{sign}{whole}"),
            fraction => write!(f, "{sign}{whole}.{fraction}"),
        }
    }
}

impl Reading {
    /// This value as far as it is a number.
    pub fn of(value: &str) -> Self {
        let value = value.trim();
        let behind = |signs: [&str; 3]| signs.iter().find_map(|sign| value.strip_prefix(sign));
        let (number, reading): (&str, fn(Decimal) -> Self) =
            match (behind(["<=", "≤", "<"]), behind([">=", "≥", ">"])) {
                (Some(number), _) => (number.trim_start(), Self::Below),
                (_, Some(number)) => (number.trim_start(), Self::Above),
                (None, None) => (value, Self::Number),
            };
        Decimal::parse(number).map_or(Self::Text, reading)
    }

    /// The number, or the limit above or below which it lies.
    pub const fn limit(self) -> Option<Decimal> {
        match self {
            Self::Above(limit) | Self::Below(limit) | Self::Number(limit) => Some(limit),
            Self::Text => None,
        }
    }
}

impl Range {
    /// The range in this text, such as `4.0-10.0`, `3.9 to 5.5`, `<5` or `>=60`; none if it is written
    /// in another way.
    pub fn of(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = match (text.strip_prefix('['), text.strip_prefix('(')) {
            (Some(inner), _) => inner.strip_suffix(']')?.trim(),
            (_, Some(inner)) => inner.strip_suffix(')')?.trim(),
            _ => text,
        };
        match Reading::of(text) {
            Reading::Above(low) => {
                return Some(Self {
                    low: Some(low),
                    high: None,
                });
            }
            Reading::Below(high) => {
                return Some(Self {
                    low: None,
                    high: Some(high),
                });
            }
            Reading::Number(_) => return None,
            Reading::Text => {}
        }
        let (low, high) = ends(text)?;
        (low <= high).then_some(Self {
            low: Some(low),
            high: Some(high),
        })
    }
}

/// The two numbers around ` to ` or around a dash that is no sign.
fn ends(text: &str) -> Option<(Decimal, Decimal)> {
    let numbers =
        |low: &str, high: &str| Some((Decimal::parse(low.trim())?, Decimal::parse(high.trim())?));
    if let Some((low, high)) = text.split_once(" to ") {
        return numbers(low, high);
    }
    let dashes = text
        .char_indices()
        .filter(|(at, one)| *at > 0 && matches!(one, '-' | '–'));
    for (at, dash) in dashes {
        let (low, rest) = text.split_at_checked(at)?;
        let high = rest.get(dash.len_utf8()..)?;
        if let Some(ends) = numbers(low, high) {
            return Some(ends);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn numbers_are_exact() {
        assert_eq!(number("5.4"), number("5.400"));
        assert_eq!(number("0.1").nanos() * 3, number("0.3").nanos());
        assert_eq!(number("-0.5"), number("-.5"));
        assert_eq!(number("+7").nanos(), 7_000_000_000);
        for (text, shown) in [
            ("5.40", "5.4"),
            ("-0.05", "-0.05"),
            ("1000", "1000"),
            ("-0", "0"),
        ] {
            assert_eq!(number(text).to_string(), shown);
        }
        assert!(number("999999999999999") > number("999999999999998.999999999"));
    }

    #[test]
    fn what_is_written_in_another_way_is_a_text() {
        for text in [
            "",
            "-",
            "+",
            ".",
            "5.",
            "5,4",
            "1,000",
            "1e3",
            "1:128",
            "12 H",
            "0x1",
            "٣",
            "--1",
            "NaN",
            "inf",
            "1234567890123456",
            "0.1234567890",
            "1.2.3",
            "Positive",
            "<",
            "<x",
            "< <1",
            "1+",
        ] {
            assert_eq!(Reading::of(text), Reading::Text, "{text}");
        }
    }

    #[test]
    fn beyond_a_limit_is_not_the_limit() {
        assert_eq!(Reading::of("<0.1"), Reading::Below(number("0.1")));
        assert_eq!(Reading::of("<= 0.1"), Reading::Below(number("0.1")));
        assert_eq!(Reading::of(">1000"), Reading::Above(number("1000")));
        assert_eq!(Reading::of("≥60"), Reading::Above(number("60")));
        assert_eq!(Reading::of(" 4.0 "), Reading::Number(number("4")));
        assert_eq!(Reading::of("1:128").limit(), None);
    }

    #[test]
    fn a_range_is_two_numbers_or_one_open_end() {
        let range = |low: Option<&str>, high: Option<&str>| {
            Some(Range {
                low: low.map(number),
                high: high.map(number),
            })
        };
        for (text, expect) in [
            ("4.0-10.0", range(Some("4"), Some("10"))),
            ("3.9 to 5.5", range(Some("3.9"), Some("5.5"))),
            ("[0 - 5]", range(Some("0"), Some("5"))),
            ("(70–99)", range(Some("70"), Some("99"))),
            ("-2.0--1.0", range(Some("-2"), Some("-1"))),
            ("-2-2", range(Some("-2"), Some("2"))),
            ("<5.0", range(None, Some("5"))),
            (">= 60", range(Some("60"), None)),
            ("5", None),
            ("10-4", None),
            ("Negative", None),
            ("4-10 g/dL", None),
            ("(4-10", None),
            ("-", None),
            ("", None),
        ] {
            assert_eq!(Range::of(text), expect, "{text}");
        }
    }

    proptest! {
        #[test]
        fn numbers_compare_as_they_are_written(a in -1_000_000i64..1_000_000, b in -1_000_000i64..1_000_000) {
            let text = |n: i64| format!("{}{}.{:03}", if n < 0 { "-" } else { "" }, n.abs() / 1000, n.abs() % 1000);
            prop_assert_eq!(number(&text(a)).cmp(&number(&text(b))), a.cmp(&b));
        }

        #[test]
        fn any_text_is_read_without_panic(text: String, signs in "[-<>=≤–.0-9 to()\\[\\]]{0,20}") {
            for text in [&text, &signs] {
                let _ = Reading::of(text);
                if let Some(Range { low: Some(low), high: Some(high) }) = Range::of(text) {
                    prop_assert!(low <= high);
                }
            }
        }
    }
}
