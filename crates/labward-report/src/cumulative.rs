//! The results of many records as one table: each test with its values over time.
//!
//! A value takes the place of an earlier one if it is of the same order, test and sub-id and was
//! observed at the same time, or if it says that it is a correction (OBX-11 `C`, `D`, `W`) and only one
//! value can be meant. What stood there before goes along with it.
//!
//! It must never hide a value, let a preliminary result take the place of a final one, or join what
//! may not be the same: values in another unit are another line, and so are a local code's values
//! from another laboratory or device.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::moment::Moment;
use crate::report::{LabResult, Report, Test, is_abnormal};
use crate::value::Reading;

/// Values that one value replaced and that go along with it at most; the newest are kept.
const REPLACED_MAX: usize = 16;

/// One record with the report in it.
#[derive(Clone, Debug)]
pub struct Source {
    /// The record's number; a larger one came later.
    pub record: u64,
    /// When it was kept, RFC 3339.
    pub kept: String,
    /// The report in it.
    pub report: Report,
}

/// One test in one unit, with its values.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct TestLine {
    /// What was measured, in the newest record's words.
    pub test: Test,
    /// The unit of every value.
    pub unit: String,
    /// Whose own code it is; empty if the code means the same whoever sends it.
    pub sender: String,
    /// The values, the newest first.
    pub values: Vec<Measured>,
}

/// One value of a test.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Measured {
    /// The value as it came.
    pub value: String,
    /// The abnormal flags, such as `H`.
    pub flag: String,
    /// The reference range as it came.
    pub range: String,
    /// The status, such as `F` or `C`.
    pub status: String,
    /// When it was observed, such as `2026-11-22 09:30`; when it was kept if the record does not say.
    pub time: String,
    /// The same in seconds since 1970; without an offset as if it were UTC.
    pub seconds: i64,
    /// Whether `time` is when the record was kept.
    pub is_kept_time: bool,
    /// The record that holds it.
    pub record: u64,
    /// The values in whose place it stands, the newest first, at most 16.
    pub replaced: Vec<Replaced>,
}

/// A value in whose place another one stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Replaced {
    /// The value as it came.
    pub value: String,
    /// Its unit.
    pub unit: String,
    /// Its status.
    pub status: String,
    /// The record that holds it.
    pub record: u64,
}

impl Measured {
    /// Whether a flag says that it is out of its range.
    pub fn is_abnormal(&self) -> bool {
        is_abnormal(&self.flag)
    }

    /// Whether the sender took it back: deleted (`D`), posted by mistake (`W`) or not to be had (`X`).
    pub fn is_withdrawn(&self) -> bool {
        matches!(self.status.as_str(), "D" | "W" | "X")
    }

    /// The value as far as it is a number; one that was taken back is none.
    pub fn reading(&self) -> Reading {
        match self.is_withdrawn() {
            true => Reading::Text,
            false => Reading::of(&self.value),
        }
    }
}

/// What a test is known by across records.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct TestKey {
    system: String,
    code: String,
    /// Who sent it, if the code is theirs alone.
    sender: String,
}

/// What a value is known by when it comes again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct ValueKey {
    test: TestKey,
    sender: String,
    order: String,
    sub_id: String,
}

struct Point {
    key: TestKey,
    test: Test,
    unit: String,
    observed: Option<i64>,
    /// Its place in the record.
    place: usize,
    measured: Measured,
}

/// The tests of these records, in the order of the newest record, then of the one before it.
pub fn cumulate(mut sources: Vec<Source>) -> Vec<TestLine> {
    sources.sort_by_key(|source| source.record);
    let mut points: Vec<Option<Point>> = Vec::new();
    let mut standing: HashMap<ValueKey, Vec<usize>> = HashMap::new();
    for source in &sources {
        let mut came: HashMap<(ValueKey, Option<i64>), Vec<Point>> = HashMap::new();
        let mut order_of_keys = Vec::new();
        for (key, point) in points_of(source) {
            let key = (key, point.observed);
            if !came.contains_key(&key) {
                order_of_keys.push(key.clone());
            }
            came.entry(key).or_default().push(point);
        }
        for key in order_of_keys {
            let Some(new) = came.remove(&key) else {
                continue;
            };
            put(&mut points, standing.entry(key.0).or_default(), new);
        }
    }
    lines(points.into_iter().flatten().collect())
}

/// Puts what came of one test in one record beside what stands, or in its place.
fn put(points: &mut Vec<Option<Point>>, standing: &mut Vec<usize>, mut new: Vec<Point>) {
    let met = targets(points, standing, &new);
    let is_late = new.iter().all(|one| is_preliminary(&one.measured.status))
        && met.iter().any(|at| {
            let old = points.get(*at).and_then(Option::as_ref);
            old.is_some_and(|old| !is_preliminary(&old.measured.status))
        });
    if is_late {
        // A preliminary result that came behind the final one.
        if let Some(Some(old)) = met.first().and_then(|at| points.get_mut(*at)) {
            old.measured
                .replaced
                .extend(new.iter().map(Point::replaced));
            old.measured.replaced.truncate(REPLACED_MAX);
        }
        return;
    }
    let mut before = Vec::new();
    for at in &met {
        if let Some(old) = points.get_mut(*at).and_then(Option::take) {
            before.push(old.replaced());
            before.extend(old.measured.replaced);
        }
    }
    standing.retain(|at| !met.contains(at));
    before.truncate(REPLACED_MAX);
    if let Some(first) = new.first_mut() {
        first.measured.replaced = before;
    }
    for point in new {
        standing.push(points.len());
        points.push(Some(point));
    }
}

/// The places of what new values stand for.
fn targets(points: &[Option<Point>], standing: &[usize], new: &[Point]) -> Vec<usize> {
    let observed = new.first().and_then(|one| one.observed);
    let record = new.first().map(|one| one.measured.record);
    let earlier: Vec<(usize, Option<i64>)> = standing
        .iter()
        .filter_map(|at| Some((*at, points.get(*at)?.as_ref()?)))
        .filter(|(_, old)| Some(old.measured.record) != record)
        .map(|(at, old)| (at, old.observed))
        .collect();
    let same = earlier.iter().filter(|(_, time)| *time == observed);
    let same: Vec<usize> = same.map(|(at, _)| *at).collect();
    if !same.is_empty() {
        return same;
    }
    let corrects = new
        .iter()
        .any(|one| matches!(one.measured.status.as_str(), "C" | "D" | "W"));
    let one_time = earlier
        .windows(2)
        .all(|pair| matches!(pair, [a, b] if a.1 == b.1));
    match corrects && one_time {
        true => earlier.into_iter().map(|(at, _)| at).collect(),
        false => Vec::new(),
    }
}

/// Whether a better result is to follow (HL7 table 0085).
fn is_preliminary(status: &str) -> bool {
    matches!(status, "I" | "O" | "P" | "R" | "S")
}

impl Point {
    fn replaced(&self) -> Replaced {
        Replaced {
            value: self.measured.value.clone(),
            unit: self.unit.clone(),
            status: self.measured.status.clone(),
            record: self.measured.record,
        }
    }
}

/// Each result of a record, and what it is known by.
fn points_of(source: &Source) -> impl Iterator<Item = (ValueKey, Point)> {
    let orders = source.report.orders.iter();
    let results = orders.flat_map(|order| order.results.iter().map(move |one| (order, one)));
    results.enumerate().map(move |(place, (order, result))| {
        let key = test_key(&result.test, &source.report.sender);
        let observed = Moment::read(&result.observed);
        let value_key = ValueKey {
            test: key.clone(),
            sender: source.report.sender.clone(),
            order: match order.number.is_empty() {
                // Without a number only the time can say that it is the same one.
                true => match &observed {
                    Some(moment) => format!("at {}", moment.seconds),
                    None => format!("record {}", source.record),
                },
                false => format!("order {}", order.number),
            },
            sub_id: result.sub_id.clone(),
        };
        let point = Point {
            key,
            test: result.test.clone(),
            unit: result.unit.clone(),
            observed: observed.as_ref().map(|moment| moment.seconds),
            place,
            measured: measured(source, result, observed),
        };
        (value_key, point)
    })
}

fn test_key(test: &Test, sender: &str) -> TestKey {
    TestKey {
        system: test.system.clone(),
        code: match test.code.is_empty() {
            true => format!("name {}", test.name),
            false => format!("code {}", test.code),
        },
        sender: match test.is_shared() {
            true => String::new(),
            false => sender.to_owned(),
        },
    }
}

fn measured(source: &Source, result: &LabResult, observed: Option<Moment>) -> Measured {
    let is_kept_time = observed.is_none();
    let moment = observed.or_else(|| Moment::read(&source.kept));
    let (time, seconds) = match moment {
        Some(moment) => (moment.text, moment.seconds),
        None => (source.kept.clone(), 0),
    };
    Measured {
        value: result.value.clone(),
        flag: result.flag.clone(),
        range: result.range.clone(),
        status: result.status.clone(),
        time,
        seconds,
        is_kept_time,
        record: source.record,
        replaced: Vec::new(),
    }
}

/// Tests stand where their newest record has them; the units of a test stand together.
fn lines(mut points: Vec<Point>) -> Vec<TestLine> {
    points.sort_by_key(|point| (std::cmp::Reverse(point.measured.record), point.place));
    let mut tests: HashMap<TestKey, usize> = HashMap::new();
    let mut places: HashMap<(TestKey, String), usize> = HashMap::new();
    let mut found: Vec<(usize, TestLine)> = Vec::new();
    for point in points {
        let next = tests.len();
        let test = *tests.entry(point.key.clone()).or_insert(next);
        let place = (point.key, point.unit);
        let at = match places.get(&place) {
            Some(at) => *at,
            None => {
                found.push((
                    test,
                    TestLine {
                        test: point.test,
                        unit: place.1.clone(),
                        sender: place.0.sender.clone(),
                        values: Vec::new(),
                    },
                ));
                let at = found.len() - 1;
                places.insert(place, at);
                at
            }
        };
        if let Some((_, line)) = found.get_mut(at) {
            line.values.push(point.measured);
        }
    }
    found.sort_by_key(|(test, _)| *test);
    let mut lines: Vec<TestLine> = found.into_iter().map(|(_, line)| line).collect();
    for line in &mut lines {
        // Stable: what was observed at the same time stays in the order of its record.
        line.values
            .sort_by_key(|one| std::cmp::Reverse((one.seconds, one.record)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Order;
    use proptest::prelude::*;

    struct Sent<'a> {
        order: &'a str,
        code: &'a str,
        system: &'a str,
        value: &'a str,
        unit: &'a str,
        status: &'a str,
        at: &'a str,
    }

    const GLUCOSE: Sent<'_> = Sent {
        order: "F1",
        code: "2345-7",
        system: "LN",
        value: "5.4",
        unit: "mmol/L",
        status: "F",
        at: "20261101",
    };

    fn source(record: u64, sender: &str, sent: &[Sent<'_>]) -> Source {
        let order = |one: &Sent<'_>| Order {
            name: String::new(),
            number: one.order.to_owned(),
            results: vec![LabResult {
                test: Test::new(one.code.to_owned(), one.system, String::new()),
                value: one.value.to_owned(),
                unit: one.unit.to_owned(),
                status: one.status.to_owned(),
                observed: one.at.to_owned(),
                ..LabResult::default()
            }],
        };
        Source {
            record,
            kept: "2026-11-27T08:00:00Z".to_owned(),
            report: Report {
                sender: sender.to_owned(),
                orders: sent.iter().map(order).collect(),
                ..Report::default()
            },
        }
    }

    /// Each line's code, unit and values.
    fn told(lines: &[TestLine]) -> Vec<String> {
        let line = |line: &TestLine| {
            let values: Vec<&str> = line.values.iter().map(|one| one.value.as_str()).collect();
            format!("{} {}: {}", line.test.code, line.unit, values.join(" "))
        };
        lines.iter().map(line).collect()
    }

    #[test]
    fn values_cumulate_the_newest_first_whatever_the_order_of_arrival() {
        let lines = cumulate(vec![
            source(
                3,
                "A",
                &[Sent {
                    order: "F2",
                    value: "6.1",
                    at: "20261103",
                    ..GLUCOSE
                }],
            ),
            source(1, "B", &[GLUCOSE]),
            source(
                4,
                "A",
                &[Sent {
                    order: "F0",
                    value: "4.9",
                    at: "20261001",
                    ..GLUCOSE
                }],
            ),
        ]);
        assert_eq!(told(&lines), ["2345-7 mmol/L: 6.1 5.4 4.9"]);
        assert_eq!(lines[0].values[0].time, "2026-11-03");
        assert_eq!(lines[0].sender, "");
    }

    #[test]
    fn a_correction_takes_the_place_of_what_it_corrects_and_says_what_that_was() {
        let lines = cumulate(vec![
            source(1, "A", &[GLUCOSE]),
            source(
                2,
                "A",
                &[Sent {
                    value: "4.5",
                    status: "C",
                    ..GLUCOSE
                }],
            ),
            source(
                3,
                "A",
                &[Sent {
                    value: "4.6",
                    status: "C",
                    at: "20261102",
                    ..GLUCOSE
                }],
            ),
        ]);
        assert_eq!(told(&lines), ["2345-7 mmol/L: 4.6"]);
        let replaced: Vec<_> = lines[0].values[0]
            .replaced
            .iter()
            .map(|one| (one.value.as_str(), one.status.as_str(), one.record))
            .collect();
        assert_eq!(replaced, [("4.5", "C", 2), ("5.4", "F", 1)]);
    }

    #[test]
    fn a_corrected_unit_moves_the_value_to_its_line() {
        let lines = cumulate(vec![
            source(
                1,
                "A",
                &[Sent {
                    unit: "mg/dL",
                    ..GLUCOSE
                }],
            ),
            source(
                2,
                "A",
                &[Sent {
                    status: "C",
                    ..GLUCOSE
                }],
            ),
        ]);
        assert_eq!(told(&lines), ["2345-7 mmol/L: 5.4"]);
        assert_eq!(lines[0].values[0].replaced[0].unit, "mg/dL");
    }

    #[test]
    fn the_same_observation_again_stands_once() {
        let again = || source(2, "A", &[GLUCOSE]);
        let lines = cumulate(vec![source(1, "A", &[GLUCOSE]), again()]);
        assert_eq!((lines[0].values.len(), lines[0].values[0].record), (1, 2));
        // Without an order only the time can tell.
        let unnumbered = |record| {
            source(
                record,
                "A",
                &[Sent {
                    order: "",
                    ..GLUCOSE
                }],
            )
        };
        assert_eq!(
            cumulate(vec![unnumbered(1), unnumbered(2)])[0].values.len(),
            1
        );
        let timeless = |record| {
            source(
                record,
                "A",
                &[Sent {
                    order: "",
                    at: "",
                    ..GLUCOSE
                }],
            )
        };
        let lines = cumulate(vec![timeless(1), timeless(2)]);
        assert_eq!(lines[0].values.len(), 2);
        assert!(lines[0].values[0].is_kept_time);
    }

    #[test]
    fn a_preliminary_result_gives_way_to_the_final_one_and_never_the_other_way_round() {
        let preliminary = |record| {
            source(
                record,
                "A",
                &[Sent {
                    value: "5",
                    status: "P",
                    ..GLUCOSE
                }],
            )
        };
        for sources in [
            vec![preliminary(1), source(2, "A", &[GLUCOSE])],
            vec![source(1, "A", &[GLUCOSE]), preliminary(2)],
        ] {
            let lines = cumulate(sources);
            assert_eq!(told(&lines), ["2345-7 mmol/L: 5.4"]);
            assert_eq!(lines[0].values[0].replaced[0].value, "5");
        }
    }

    #[test]
    fn samples_of_one_order_at_several_times_all_stand() {
        let at = |record, value, at| {
            source(
                record,
                "A",
                &[Sent {
                    value,
                    at,
                    ..GLUCOSE
                }],
            )
        };
        let lines = cumulate(vec![
            at(1, "5.0", "202611010800"),
            at(2, "9.1", "202611010900"),
            at(3, "6.2", "202611011000"),
        ]);
        assert_eq!(told(&lines), ["2345-7 mmol/L: 6.2 9.1 5.0"]);
        // A correction that may mean any of them takes no one's place.
        let lines = cumulate(vec![
            at(1, "5.0", "202611010800"),
            at(2, "9.1", "202611010900"),
            source(
                3,
                "A",
                &[Sent {
                    value: "9.0",
                    status: "C",
                    at: "202611011100",
                    ..GLUCOSE
                }],
            ),
        ]);
        assert_eq!(lines[0].values.len(), 3);
    }

    #[test]
    fn another_unit_is_another_line_beside_it() {
        let other = |unit, at| Sent {
            order: at,
            unit,
            at,
            ..GLUCOSE
        };
        let sodium = Sent {
            order: "F9",
            code: "2951-2",
            ..GLUCOSE
        };
        let lines = cumulate(vec![
            source(1, "A", &[other("mg/dL", "20261010")]),
            source(2, "A", &[other("mmol/L", "20261020"), sodium]),
        ]);
        let units: Vec<_> = told(&lines);
        assert_eq!(
            units,
            [
                "2345-7 mmol/L: 5.4",
                "2345-7 mg/dL: 5.4",
                "2951-2 mmol/L: 5.4"
            ]
        );
    }

    #[test]
    fn a_local_code_of_another_laboratory_is_another_test() {
        let local = Sent {
            code: "GLU",
            system: "L",
            ..GLUCOSE
        };
        let lines = cumulate(vec![
            source(
                1,
                "A",
                &[Sent {
                    order: "1",
                    ..local
                }],
            ),
            source(
                2,
                "B",
                &[
                    Sent {
                        order: "2",
                        ..GLUCOSE
                    },
                    Sent {
                        order: "3",
                        code: "GLU",
                        system: "L",
                        ..GLUCOSE
                    },
                ],
            ),
        ]);
        let senders: Vec<_> = lines.iter().map(|line| line.sender.as_str()).collect();
        assert_eq!(senders, ["", "B", "A"]);
    }

    #[test]
    fn several_lines_of_one_test_in_one_record_all_stand() {
        let comment = |value| Sent {
            code: "8251-1",
            value,
            unit: "",
            ..GLUCOSE
        };
        let lines = cumulate(vec![source(1, "A", &[comment("first"), comment("second")])]);
        assert_eq!(told(&lines), ["8251-1 : first second"]);
    }

    #[test]
    fn what_was_taken_back_is_no_number() {
        let lines = cumulate(vec![
            source(1, "A", &[GLUCOSE]),
            source(
                2,
                "A",
                &[Sent {
                    status: "W",
                    ..GLUCOSE
                }],
            ),
        ]);
        let [value] = lines[0].values.as_slice() else {
            panic!("{lines:?}")
        };
        assert!(value.is_withdrawn());
        assert_eq!(value.reading(), Reading::Text);
    }

    proptest! {
        /// Every value that came stands somewhere: by itself, or with the one that took its place.
        #[test]
        fn no_value_is_lost_and_none_stands_twice(
            sent in proptest::collection::vec((0u8..3, 0u8..3, 0u8..4, 0u8..3, 0u8..2), 0..12)
        ) {
            let texts = |at: u8| ["", "20261101", "20261102"][usize::from(at)];
            let sources: Vec<Source> = (1..).zip(&sent).map(|(record, (order, at, status, code, unit))| {
                source(record, "A", &[Sent {
                    order: ["", "F1", "F2"][usize::from(*order)],
                    code: ["1", "2", "3"][usize::from(*code)],
                    system: "LN",
                    value: "1",
                    unit: ["g", "mg"][usize::from(*unit)],
                    status: ["F", "P", "C", "W"][usize::from(*status)],
                    at: texts(*at),
                }])
            }).collect();
            let lines = cumulate(sources);
            let mut records: Vec<u64> = lines.iter().flat_map(|line| &line.values).flat_map(|one| {
                std::iter::once(one.record).chain(one.replaced.iter().map(|old| old.record))
            }).collect();
            records.sort_unstable();
            let all: Vec<u64> = (1..).take(sent.len()).collect();
            prop_assert_eq!(records, all);
            for line in &lines {
                prop_assert!(line.values.windows(2).all(|pair| pair[0].seconds >= pair[1].seconds));
            }
        }
    }
}
