//! Dates as people write them in advisories; a date without a year, or with two readings, is said to be so.

use crate::scan::Gap;
use crate::version::Item;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// A year with a month, and the day where it is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date {
    year: u64,
    month: u64,
    day: Option<u64>,
}

/// What a text says of a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// It may be the fourth of May or the fifth of April.
    Ambiguous,
    /// A date.
    Date(Date),
    /// A month or a day without a year.
    NoYear,
    /// No date.
    None,
}

impl Date {
    pub(crate) fn items(self) -> Vec<Item> {
        [Some(self.year), Some(self.month), self.day]
            .into_iter()
            .flatten()
            .map(|value| Item::Number {
                value,
                width: 0,
                gap: Gap::Dot,
            })
            .collect()
    }
}

/// Reads a folded text that is a date and nothing else.
pub(crate) fn read(plain: &str) -> Found {
    if plain.len() > 40 || !plain.is_ascii() || !plain.bytes().any(|b| b.is_ascii_digit()) {
        return Found::None;
    }
    if plain.bytes().any(|b| b.is_ascii_lowercase()) {
        with_name(plain)
    } else {
        in_numbers(plain)
    }
}

fn month(word: &str) -> Option<u64> {
    let at = MONTHS.iter().position(|name| {
        *name == word || (name.get(..3) == Some(word)) || (word == "sept" && *name == "september")
    })?;
    u64::try_from(at + 1).ok()
}

/// `May 2018`, `july 1 2017`, `26-june-2017`, `april/17/2023`, `august 28`.
fn with_name(plain: &str) -> Found {
    let mut name = None;
    let mut numbers: [Option<(u64, usize)>; 2] = [None; 2];
    for word in plain
        .split([' ', ',', '/', '-', '.'])
        .filter(|w| !w.is_empty())
    {
        if let Some(found) = month(word) {
            if name.replace(found).is_some() {
                return Found::None;
            }
            continue;
        }
        let digits = word.trim_end_matches(['s', 't', 'n', 'd', 'r', 'h']);
        let (Ok(value), Some(slot)) = (
            digits.parse::<u64>(),
            numbers.iter_mut().find(|slot| slot.is_none()),
        ) else {
            return Found::None;
        };
        *slot = Some((value, digits.len()));
    }
    let Some(month) = name else {
        return Found::None;
    };
    let is_year = |(value, width): (u64, usize)| width == 4 && (1970..2100).contains(&value);
    let is_day = |(value, width): (u64, usize)| width <= 2 && (1..=31).contains(&value);
    match numbers {
        [Some(year), None] if is_year(year) => Found::Date(Date {
            year: year.0,
            month,
            day: None,
        }),
        [Some(day), None] if is_day(day) => Found::NoYear,
        [Some(day), Some(year)] | [Some(year), Some(day)] if is_year(year) && is_day(day) => {
            Found::Date(Date {
                year: year.0,
                month,
                day: Some(day.0),
            })
        }
        _ => Found::None,
    }
}

/// `8/30/2024`, `2021-8-13`, `2021/08/13`; with dots it is a version.
fn in_numbers(plain: &str) -> Found {
    let separator = if plain.contains('/') { '/' } else { '-' };
    let mut parts = plain.split(separator);
    let (Some(a), Some(b), Some(c), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Found::None;
    };
    let (Ok(x), Ok(y), Ok(z)) = (a.parse::<u64>(), b.parse::<u64>(), c.parse::<u64>()) else {
        return Found::None;
    };
    let day = |value: u64| (1..=31).contains(&value);
    let month = |value: u64| (1..=12).contains(&value);
    let year = |value: u64, text: &str| text.len() == 4 && (1970..2100).contains(&value);
    if year(x, a) && month(y) && day(z) {
        return Found::Date(Date {
            year: x,
            month: y,
            day: Some(z),
        });
    }
    if separator != '/' || !year(z, c) {
        return Found::None;
    }
    match (month(x), month(y)) {
        (true, true) if x != y => Found::Ambiguous,
        (true, _) if day(y) => Found::Date(Date {
            year: z,
            month: x,
            day: Some(y),
        }),
        (false, true) if day(x) => Found::Date(Date {
            year: z,
            month: y,
            day: Some(x),
        }),
        _ => Found::None,
    }
}
