//! From when to when: days and moments as people write them.
//!
//! It must never take what is no time for one.

use std::time::Duration;

use labward_base::{Timestamp, remark};

use super::failure::Failure;

/// A day in UTC.
const DAY: Duration = Duration::from_secs(86_400);

/// The beginning of this day, or this moment.
pub(super) fn since(text: Option<&str>) -> Result<Option<Timestamp>, Failure> {
    match given(text) {
        None => Ok(None),
        Some(text) => moment(text)
            .or_else(|| day(text))
            .map(Some)
            .ok_or_else(no_time),
    }
}

/// The end of this day, or this moment.
pub(super) fn until(text: Option<&str>) -> Result<Option<Timestamp>, Failure> {
    match given(text) {
        None => Ok(None),
        Some(text) => {
            let end = || day(text).map(|day| day.plus(DAY));
            moment(text).or_else(end).map(Some).ok_or_else(no_time)
        }
    }
}

/// The same day six years earlier: how far an accounting of disclosures reaches (45 CFR 164.528(a)(1)).
pub(super) fn six_years_before(now: Timestamp) -> Timestamp {
    let text = now.to_rfc3339();
    let (year, rest) = text.split_at_checked(4).unwrap_or_default();
    let year = year.parse::<i32>().unwrap_or_default().saturating_sub(6);
    let leap = rest.replace("-02-29", "-02-28");
    let same = |rest: &str| moment(&format!("{year:04}{rest}"));
    same(rest)
        .or_else(|| same(&leap))
        .unwrap_or(Timestamp::from_seconds(0))
}

fn given(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

fn moment(text: &str) -> Option<Timestamp> {
    Timestamp::parse_rfc3339(text)
}

fn day(text: &str) -> Option<Timestamp> {
    moment(&format!("{text}T00:00:00Z"))
}

fn no_time() -> Failure {
    Failure::misunderstood(remark::time_form())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn a_day_is_meant_whole_and_a_moment_as_it_is() {
        let day = Some("2026-11-22");
        assert_eq!(since(day).unwrap(), Some(at("2026-11-22T00:00:00Z")));
        assert_eq!(until(day).unwrap(), Some(at("2026-11-23T00:00:00Z")));
        let moment = Some("2026-11-22T09:30:00+01:00");
        assert_eq!(since(moment).unwrap(), until(moment).unwrap());
        assert_eq!(since(moment).unwrap(), Some(at("2026-11-22T08:30:00Z")));
        for none in [None, Some(""), Some(" ")] {
            assert_eq!(since(none).unwrap(), None);
        }
        for wrong in ["yesterday", "2026-02-30", "20261122", "2026-11-22T09:30"] {
            assert!(
                since(Some(wrong)).is_err() && until(Some(wrong)).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn six_years_are_years_of_the_calendar() {
        for (now, then) in [
            ("2026-11-27T08:00:00Z", "2020-11-27T08:00:00Z"),
            ("2028-02-29T08:00:00Z", "2022-02-28T08:00:00Z"),
        ] {
            assert_eq!(six_years_before(at(now)), at(then));
        }
    }
}
