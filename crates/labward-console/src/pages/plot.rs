//! The values of one test over time as a small picture, made on the server.
//!
//! It must never draw a text as a number, join a value to a limit by a line, or say by colour alone
//! what it says. All of it is whole numbers: what is drawn is as exact as what was sent.

use std::borrow::Cow;
use std::fmt::Write as _;

use labward_report::{Decimal, Measured, Range, Reading, TestLine};

use crate::frame::Frame;
use crate::language::Texts as _;

/// Values drawn at most, the newest.
const POINTS_MAX: usize = 200;

/// The picture's frame, in the units of its view box.
const LEFT: i64 = 12;
const RIGHT: i64 = 468;
const TOP: i64 = 26;
const BOTTOM: i64 = 126;

/// What the page draws; lengths are in the units of its view box, 480 by 160.
pub(super) struct Plot {
    /// The reference range, where each value has it.
    pub(super) bands: Vec<Band>,
    /// The line through the numbers.
    pub(super) line: String,
    pub(super) marks: Vec<Mark>,
    /// The largest and the smallest number drawn, the ends of ranges included.
    pub(super) high: String,
    pub(super) low: String,
    /// The oldest and the newest time drawn.
    pub(super) first: String,
    pub(super) last: String,
}

/// A piece of the reference range.
pub(super) struct Band {
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) width: i64,
    pub(super) height: i64,
}

/// One value.
pub(super) struct Mark {
    /// `normal`, `abnormal` or `limit`: each with a shape of its own.
    pub(super) kind: &'static str,
    /// The shape.
    pub(super) path: String,
    /// Time, value and flag, for who points at it.
    pub(super) words: String,
}

/// One value with where it is drawn.
struct Point<'a> {
    measured: &'a Measured,
    reading: Reading,
    value: Decimal,
    range: Option<Range>,
    x: i64,
}

impl Plot {
    /// The picture of these values, the newest first; none of fewer than two numbers.
    pub(super) fn of(values: &[Measured]) -> Option<Self> {
        let point = |measured| {
            let reading = Measured::reading(measured);
            Some(Point {
                measured,
                reading,
                value: reading.limit()?,
                range: Range::of(&measured.range),
                x: 0,
            })
        };
        let mut points: Vec<Point<'_>> = values.iter().filter_map(point).take(POINTS_MAX).collect();
        if points.len() < 2 {
            return None;
        }
        points.reverse();
        let (first, last) = (points.first()?.measured, points.last()?.measured);
        let time = Scale::new(first.seconds.into(), last.seconds.into());
        for point in &mut points {
            point.x = time.place(point.measured.seconds.into(), LEFT, RIGHT);
        }
        let ends = |point: &Point<'_>| {
            let range = point.range;
            let ends = [range.and_then(|r| r.low), range.and_then(|r| r.high)];
            ends.into_iter().flatten().chain([point.value])
        };
        let low = points.iter().flat_map(ends).min()?;
        let high = points.iter().flat_map(ends).max()?;
        let scale = Scale::new(low.nanos(), high.nanos());
        let y = |value: Decimal| scale.place(value.nanos(), BOTTOM, TOP);
        Some(Self {
            bands: bands(&points, y),
            line: line(&points, y),
            marks: points
                .iter()
                .map(|point| mark(point, y(point.value)))
                .collect(),
            high: high.to_string(),
            low: low.to_string(),
            first: first.time.clone(),
            last: last.time.clone(),
        })
    }
}

impl Plot {
    /// What the picture of a test shows, for who does not see it.
    pub(super) fn described(&self, f: &Frame, line: &TestLine) -> Cow<'static, str> {
        let count = self.marks.len().to_string();
        let words = [
            ("test", line.test.name.as_str()),
            ("unit", line.unit.as_str()),
            ("count", count.as_str()),
            ("first", self.first.as_str()),
            ("last", self.last.as_str()),
            ("low", self.low.as_str()),
            ("high", self.high.as_str()),
        ];
        f.language.with("patient-plot", &words)
    }
}

/// Maps numbers between two ends onto a stretch of the picture.
struct Scale {
    from: i128,
    span: i128,
}

impl Scale {
    const fn new(from: i128, to: i128) -> Self {
        Self {
            from,
            span: to.saturating_sub(from),
        }
    }

    /// The place of `number` on the way from `start` to `end`; in the middle if all are the same.
    fn place(&self, number: i128, start: i64, end: i64) -> i64 {
        let (start_wide, way) = (i128::from(start), i128::from(end) - i128::from(start));
        let place = match self.span {
            0 => start_wide + way / 2,
            span => start_wide + (number - self.from) * way / span,
        };
        i64::try_from(place).unwrap_or(start)
    }
}

/// Each value's range reaches half-way to its neighbours; equal ones are one piece.
fn bands(points: &[Point<'_>], y: impl Fn(Decimal) -> i64) -> Vec<Band> {
    let mut bands: Vec<(Range, Band)> = Vec::new();
    let mut from = LEFT;
    for (at, point) in points.iter().enumerate() {
        let to = match points.get(at + 1) {
            Some(next) => (point.x + next.x) / 2,
            None => RIGHT,
        };
        if let Some(range) = point.range {
            let top = range.high.map_or(TOP, &y);
            let bottom = range.low.map_or(BOTTOM, &y);
            match bands.last_mut() {
                Some((before, band)) if *before == range && band.x + band.width == from => {
                    band.width = to - band.x;
                }
                _ => bands.push((
                    range,
                    Band {
                        x: from,
                        y: top,
                        width: to - from,
                        height: bottom - top,
                    },
                )),
            }
        }
        from = to;
    }
    bands.into_iter().map(|(_, band)| band).collect()
}

/// A line from number to number; a limit breaks it.
fn line(points: &[Point<'_>], y: impl Fn(Decimal) -> i64) -> String {
    let mut path = String::new();
    let mut is_on = false;
    for point in points {
        let is_number = matches!(point.reading, Reading::Number(_));
        if is_number {
            let letter = if is_on { 'L' } else { 'M' };
            // Writing to a String cannot fail.
            let _ = write!(path, "{letter}{} {}", point.x, y(point.value));
        }
        is_on = is_number;
    }
    path
}

fn mark(point: &Point<'_>, y: i64) -> Mark {
    let x = point.x;
    let (kind, path) = match point.reading {
        // Pointing to where the value lies.
        Reading::Above(_) => ("limit", format!("M{} {y}h12l-6 -10z", x - 6)),
        Reading::Below(_) => ("limit", format!("M{} {y}h12l-6 10z", x - 6)),
        _ if point.measured.is_abnormal() => {
            ("abnormal", format!("M{x} {}l7 7l-7 7l-7 -7z", y - 7))
        }
        _ => (
            "normal",
            format!("M{} {y}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z", x - 4),
        ),
    };
    let Measured {
        time, value, flag, ..
    } = point.measured;
    Mark {
        kind,
        path,
        words: format!("{time}: {value} {flag}").trim_end().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn measured(seconds: i64, value: &str, range: &str, flag: &str) -> Measured {
        Measured {
            value: value.to_owned(),
            range: range.to_owned(),
            flag: flag.to_owned(),
            time: format!("t{seconds}"),
            seconds,
            ..Measured::default()
        }
    }

    #[test]
    fn numbers_are_drawn_where_they_are_and_the_range_is_a_band() {
        let values = [
            measured(300, "10", "0-20", "N"),
            measured(200, "30", "0-20", "H"),
            measured(100, "0", "0-20", ""),
        ];
        let plot = Plot::of(&values).unwrap();
        assert_eq!(plot.line, format!("M{LEFT} {BOTTOM}L240 {TOP}L{RIGHT} 93"));
        let kinds: Vec<_> = plot.marks.iter().map(|mark| mark.kind).collect();
        assert_eq!(kinds, ["normal", "abnormal", "normal"]);
        let [band] = plot.bands.as_slice() else {
            panic!("one range is one band")
        };
        assert_eq!((band.x, band.width), (LEFT, RIGHT - LEFT));
        assert_eq!((band.y + band.height, band.height), (BOTTOM, 66));
        assert_eq!((plot.low.as_str(), plot.high.as_str()), ("0", "30"));
        assert_eq!((plot.first.as_str(), plot.last.as_str()), ("t100", "t300"));
        assert_eq!(plot.marks[1].words, "t200: 30 H");
    }

    #[test]
    fn a_limit_is_a_mark_of_its_own_and_no_line_leads_to_it() {
        let values = [
            measured(400, "2", "", ""),
            measured(300, "1", "", ""),
            measured(200, "<0.1", "", ""),
            measured(100, "1.5", "", ""),
        ];
        let plot = Plot::of(&values).unwrap();
        assert_eq!(plot.marks[1].kind, "limit");
        assert_eq!(
            (
                plot.line.matches('M').count(),
                plot.line.matches('L').count()
            ),
            (2, 1)
        );
        assert!(plot.bands.is_empty());
    }

    #[test]
    fn a_range_that_changes_is_another_band() {
        let values = [
            measured(300, "1", "0-2", ""),
            measured(200, "1", "", ""),
            measured(100, "1", "0-3", ""),
        ];
        let plot = Plot::of(&values).unwrap();
        assert_eq!(plot.bands.len(), 2);
        assert!(plot.bands[0].x + plot.bands[0].width < plot.bands[1].x);
    }

    #[test]
    fn texts_and_single_numbers_are_no_picture() {
        for values in [
            vec![],
            vec![measured(1, "5.4", "", "")],
            vec![measured(2, "1:128", "", ""), measured(1, "1:64", "", "")],
            vec![measured(2, "5,4", "", ""), measured(1, "5.4", "", "")],
        ] {
            assert!(Plot::of(&values).is_none());
        }
    }

    proptest! {
        #[test]
        fn whatever_is_drawn_lies_within_the_picture(
            sent in proptest::collection::vec((any::<i64>(), "[<>]?-?[0-9]{1,15}(\\.[0-9]{1,9})?|[a-z:]{0,4}", "(-?[0-9]{1,4}-[0-9]{1,4})?|[<>][0-9]"), 0..300)
        ) {
            let mut values: Vec<Measured> = sent.iter().map(|(at, value, range)| measured(*at, value, range, "H")).collect();
            values.sort_by_key(|one| std::cmp::Reverse(one.seconds));
            let Some(plot) = Plot::of(&values) else { return Ok(()) };
            prop_assert!((2..=POINTS_MAX).contains(&plot.marks.len()));
            for band in &plot.bands {
                prop_assert!(band.width >= 0 && band.height >= 0);
                prop_assert!(band.x >= LEFT && band.x + band.width <= RIGHT);
                prop_assert!(band.y >= TOP && band.y + band.height <= BOTTOM);
            }
            for pair in plot.line.split(['M', 'L']).skip(1) {
                let (x, y) = pair.split_once(' ').unwrap();
                prop_assert!((LEFT..=RIGHT).contains(&x.parse().unwrap()));
                prop_assert!((TOP..=BOTTOM).contains(&y.parse().unwrap()));
            }
        }
    }
}
