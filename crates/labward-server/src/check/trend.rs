//! How the free room of the disk and the backlogs of destinations change while the server runs.
//!
//! It must never guess: what was not watched for long enough is not known.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use labward_base::{Remark, Timestamp, remark};

/// Between two measurements that are kept.
const STEP: Duration = Duration::from_secs(600);

/// How far back they reach.
const REACH: Duration = Duration::from_secs(7 * 86_400);

/// Less than this is no trend.
const LEAST: Duration = Duration::from_secs(3_600);

/// Measurements of one quantity, the oldest first.
type Series = VecDeque<(Timestamp, u64)>;

/// What was measured while the server ran.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trends {
    free_bytes: Series,
    backlogs: BTreeMap<String, Series>,
}

impl Trends {
    /// Notes what is now; a measurement soon after the last one is not kept.
    pub fn note(
        &mut self,
        now: Timestamp,
        free_bytes: Option<u64>,
        backlogs: impl IntoIterator<Item = (String, u64)>,
    ) {
        if let Some(free_bytes) = free_bytes {
            note(&mut self.free_bytes, now, free_bytes);
        }
        let mut before = std::mem::take(&mut self.backlogs);
        for (name, waiting) in backlogs {
            let mut series = before.remove(&name).unwrap_or_default();
            note(&mut series, now, waiting);
            self.backlogs.insert(name, series);
        }
    }

    /// When the disk is full if it goes on as it did; `Ok(None)` if it does not fill.
    ///
    /// # Errors
    /// Why that cannot be said yet.
    pub fn full_in(&self, free_bytes: u64) -> Result<Option<Duration>, Remark> {
        let (Some((since, first)), Some((until, last))) =
            (self.free_bytes.front(), self.free_bytes.back())
        else {
            return Err(remark::disk_not_measured());
        };
        let watched = until.since(*since);
        if watched < LEAST {
            return Err(remark::disk_watched_briefly());
        }
        let used = first.saturating_sub(*last);
        if used == 0 {
            return Ok(None);
        }
        let seconds = u128::from(free_bytes) * u128::from(watched.as_secs()) / u128::from(used);
        let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
        Ok(Some(Duration::from_secs(seconds)))
    }

    /// Destinations whose backlog was larger at each of the last measurements, with its size.
    pub fn growing_backlogs(&self) -> Vec<(&str, u64)> {
        const MEASUREMENTS: usize = 4;
        let grows = |series: &Series| {
            let last: Vec<u64> = series
                .iter()
                .rev()
                .take(MEASUREMENTS)
                .map(|(_, n)| *n)
                .collect();
            let is_growing = last.windows(2).all(|pair| matches!(pair, [a, b] if a > b));
            (last.len() == MEASUREMENTS && is_growing).then(|| last.first().copied())?
        };
        let all = self.backlogs.iter();
        all.filter_map(|(name, series)| Some((name.as_str(), grows(series)?)))
            .collect()
    }
}

fn note(series: &mut Series, now: Timestamp, value: u64) {
    // A clock that was set back begins anew.
    if series.back().is_some_and(|(last, _)| now < *last) {
        series.clear();
    }
    if series
        .back()
        .is_some_and(|(last, _)| now.since(*last) < STEP)
    {
        return;
    }
    series.push_back((now, value));
    while series
        .front()
        .is_some_and(|(first, _)| now.since(*first) > REACH)
    {
        series.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: u64) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000).plus(Duration::from_secs(60 * minutes))
    }

    #[test]
    fn a_disk_that_loses_a_gigabyte_an_hour_is_full_when_the_rest_is_used() {
        let mut trends = Trends::default();
        assert!(trends.full_in(1).is_err());
        for ten in 0..=5 {
            trends.note(at(10 * ten), Some((100 << 30) - (ten << 30) / 6), []);
        }
        assert!(trends.full_in(1).is_err(), "50 minutes");
        trends.note(at(60), Some(99 << 30), []);
        assert_eq!(
            trends.full_in(99 << 30).unwrap(),
            Some(Duration::from_secs(99 * 3_600))
        );
        trends.note(at(70), Some(100 << 30), []);
        assert_eq!(trends.full_in(100 << 30).unwrap(), None, "room was made");
    }

    #[test]
    fn a_backlog_grows_if_it_was_larger_each_time() {
        let mut trends = Trends::default();
        for (ten, waiting) in (0..).zip([5, 6, 7]) {
            trends.note(at(10 * ten), None, [("ehr".to_owned(), waiting)]);
        }
        assert_eq!(trends.growing_backlogs(), []);
        trends.note(at(31), None, [("ehr".to_owned(), 9)]);
        trends.note(at(32), None, [("ehr".to_owned(), 1)]);
        assert_eq!(trends.growing_backlogs(), [("ehr", 9)], "32 is too soon");
        trends.note(at(41), None, [("ehr".to_owned(), 9)]);
        assert_eq!(trends.growing_backlogs(), []);
        trends.note(at(51), None, []);
        assert_eq!(trends.backlogs.len(), 0, "it is there no more");
    }

    #[test]
    fn what_is_old_is_forgotten_and_a_clock_set_back_begins_anew() {
        let mut trends = Trends::default();
        trends.note(at(0), Some(10), []);
        trends.note(at(8 * 1_440), Some(9), []);
        assert_eq!(trends.free_bytes.len(), 1);
        trends.note(at(5), Some(8), []);
        assert_eq!(trends.free_bytes, [(at(5), 8)]);
    }
}
