//! One line of a result: a figure of Labward, beside that of a peer, and what is asked of it.
//!
//! Whatever the unit, a ratio above 1 means that Labward does better. Figures drift with the
//! machine, so the ratio is that of two runs of one round; the median over the rounds is reported,
//! with the lowest and the highest beside it. A missing measurement must never hold.

use serde::Serialize;

/// What is measured, and which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Figure {
    /// The unit, as it is printed.
    pub(super) unit: &'static str,
    is_more_better: bool,
}

/// What the design asks of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Goal {
    /// At least so much, in the row's unit, whatever the peer does.
    AtLeast(f64),
    /// At least this ratio to the peer.
    Ratio(f64),
    /// At most so much, in the row's unit, whatever the peer does.
    AtMost(f64),
}

/// The median of some numbers, with the lowest and the highest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// One figure of one case.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// What was done, and beside which peer.
    pub(super) case: String,
    figure: Figure,
    ours: Spread,
    /// The peer's figure and the ratio to it, where there is a peer.
    peer: Option<(Spread, Spread)>,
    goal: Option<Goal>,
}

/// A row for machines.
#[derive(Debug, Serialize)]
pub(super) struct Line<'a> {
    bench: &'a str,
    case: &'a str,
    ours: Option<f64>,
    peer: Option<f64>,
    unit: &'a str,
    ratio: Option<f64>,
    goal: Option<f64>,
    holds: Option<bool>,
}

impl Figure {
    /// A figure of which more is better.
    pub(super) const fn more(unit: &'static str) -> Self {
        Self {
            unit,
            is_more_better: true,
        }
    }

    /// A figure of which less is better.
    pub(super) const fn less(unit: &'static str) -> Self {
        Self {
            unit,
            is_more_better: false,
        }
    }

    /// Above 1 if `ours` is better; NaN where there is nothing to compare with.
    fn ratio(self, ours: f64, peer: f64) -> f64 {
        let (better, worse) = if self.is_more_better {
            (ours, peer)
        } else {
            (peer, ours)
        };
        if worse > 0.0 && better > 0.0 {
            better / worse
        } else {
            f64::NAN
        }
    }
}

impl Row {
    /// A figure that has no peer, one number a round.
    pub(super) fn alone(case: impl Into<String>, figure: Figure, ours: &[f64]) -> Self {
        Self {
            case: case.into(),
            figure,
            ours: Spread::of(ours),
            peer: None,
            goal: None,
        }
    }

    /// A figure of both sides, one number of each a round.
    pub(super) fn beside(
        case: impl Into<String>,
        figure: Figure,
        ours: &[f64],
        peer: &[f64],
    ) -> Self {
        let ratios: Vec<f64> = ours
            .iter()
            .zip(peer)
            .map(|(ours, peer)| figure.ratio(*ours, *peer))
            .collect();
        Self {
            peer: Some((Spread::of(peer), Spread::of(&ratios))),
            ..Self::alone(case, figure, ours)
        }
    }

    /// The same row with what is asked of it.
    pub(super) fn goal(self, goal: Option<Goal>) -> Self {
        Self { goal, ..self }
    }

    /// Whether it is what was asked for; `None` if nothing was.
    pub(super) fn holds(&self) -> Option<bool> {
        // Of NaN, no comparison holds.
        self.goal.map(|goal| match goal {
            Goal::Ratio(least) => self.peer.is_some_and(|(_, ratio)| ratio.median >= least),
            Goal::AtLeast(least) => self.ours.median >= least,
            Goal::AtMost(most) => self.ours.median <= most,
        })
    }

    /// What becomes one line of JSON; a number that was not measured is null.
    pub(super) fn line<'a>(&'a self, bench: &'a str) -> Line<'a> {
        Line {
            bench,
            case: &self.case,
            ours: rounded(self.ours.median),
            peer: self.peer.and_then(|(peer, _)| rounded(peer.median)),
            unit: self.figure.unit,
            ratio: self.peer.and_then(|(_, ratio)| rounded(ratio.median)),
            goal: self.goal.map(|goal| match goal {
                Goal::AtLeast(number) | Goal::AtMost(number) | Goal::Ratio(number) => number,
            }),
            holds: self.holds(),
        }
    }

    /// Case, unit, ours, peer, ratio and goal in words.
    pub(super) fn cells(&self) -> [String; 6] {
        let (ours, peer, ratio) = match self.peer {
            Some((peer, ratio)) => (
                figure(self.ours.median),
                figure(peer.median),
                ratio.text(|number| format!("{number:.2}")),
            ),
            None => (self.ours.text(figure), "–".to_owned(), "–".to_owned()),
        };
        let goal = self.goal.map_or_else(String::new, |goal| match goal {
            Goal::Ratio(least) => format!("≥ {least} ×"),
            Goal::AtLeast(least) => format!("≥ {least}"),
            Goal::AtMost(most) => format!("≤ {most}"),
        });
        let goal = match self.holds() {
            Some(true) => format!("{goal}, holds"),
            Some(false) => format!("{goal}, **missed**"),
            None => goal,
        };
        [
            self.case.clone(),
            self.figure.unit.to_owned(),
            ours,
            peer,
            ratio,
            goal,
        ]
    }
}

impl Spread {
    fn of(numbers: &[f64]) -> Self {
        let mut all: Vec<f64> = numbers.iter().copied().filter(|n| n.is_finite()).collect();
        all.sort_by(f64::total_cmp);
        let middle = all.len() / 2;
        let at = |place: usize| all.get(place).copied().unwrap_or(f64::NAN);
        let median = if all.len() % 2 == 1 {
            at(middle)
        } else {
            f64::midpoint(at(middle.wrapping_sub(1)), at(middle))
        };
        Self {
            median,
            low: at(0),
            high: at(all.len().wrapping_sub(1)),
        }
    }

    fn text(self, number: impl Fn(f64) -> String) -> String {
        if self.median.is_nan() {
            return "–".to_owned();
        }
        let all = [self.median, self.low, self.high].map(number);
        let [median, low, high] = all;
        format!("{median} ({low}–{high})")
    }
}

/// Three digits or so: more would be noise.
fn figure(number: f64) -> String {
    if number.is_nan() {
        "–".to_owned()
    } else if number.abs() >= 100.0 {
        format!("{number:.0}")
    } else if number.abs() >= 10.0 {
        format!("{number:.1}")
    } else {
        format!("{number:.2}")
    }
}

fn rounded(number: f64) -> Option<f64> {
    number
        .is_finite()
        .then(|| (number * 1_000.0).round() / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn line(row: &Row) -> Value {
        serde_json::to_value(row.line("gateway")).unwrap()
    }

    const SPEED: Figure = Figure::more("msg/s");
    const TIME: Figure = Figure::less("CPU µs/msg");

    #[test]
    fn a_ratio_above_one_means_that_ours_is_better_whatever_the_unit() {
        let faster = line(&Row::beside("a", SPEED, &[200.0], &[100.0]));
        let cheaper = line(&Row::beside("a", TIME, &[50.0], &[100.0]));
        assert_eq!(
            (&faster["ratio"], &cheaper["ratio"]),
            (&json!(2.0), &json!(2.0))
        );
        let slower = line(&Row::beside("a", SPEED, &[100.0], &[200.0]));
        let dearer = line(&Row::beside("a", TIME, &[100.0], &[50.0]));
        assert_eq!(
            (&slower["ratio"], &dearer["ratio"]),
            (&json!(0.5), &json!(0.5))
        );
    }

    #[test]
    fn the_median_of_the_rounds_decides_whether_a_goal_holds() {
        let row = |ours: [f64; 3]| {
            let row = Row::beside("16", SPEED, &ours, &[100.0; 3]);
            row.goal(Some(Goal::Ratio(0.8)))
        };
        let line = line(&row([10.0, 90.0, 300.0]));
        assert_eq!((&line["ratio"], &line["goal"]), (&json!(0.9), &json!(0.8)));
        assert_eq!(line["holds"], json!(true));
        assert_eq!(row([10.0, 70.0, 300.0]).holds(), Some(false));
    }

    #[test]
    fn an_absolute_goal_is_compared_with_ours_and_not_with_the_ratio() {
        let row =
            |ours: f64| Row::beside("64", TIME, &[ours], &[1.0]).goal(Some(Goal::AtMost(75.0)));
        assert_eq!(row(75.0).holds(), Some(true));
        assert_eq!(row(75.1).holds(), Some(false));
        assert_eq!(row(80.0).cells()[5], "≤ 75, **missed**");
        let fast = |ours: f64| {
            Row::beside("64", SPEED, &[ours], &[1e6]).goal(Some(Goal::AtLeast(1_000.0)))
        };
        assert_eq!(fast(1_000.0).cells()[5], "≥ 1000, holds");
        assert_eq!(fast(999.0).cells()[5], "≥ 1000, **missed**");
        let alone = Row::alone("64", TIME, &[60.0]).goal(Some(Goal::AtMost(75.0)));
        assert_eq!(alone.cells()[5], "≤ 75, holds");
        assert_eq!(line(&alone)["peer"], json!(null));
    }

    #[test]
    fn what_was_not_measured_never_holds() {
        let nothing = Row::beside("1", SPEED, &[], &[]).goal(Some(Goal::Ratio(0.1)));
        assert_eq!(nothing.holds(), Some(false));
        let nothing = Row::alone("1", TIME, &[f64::NAN]).goal(Some(Goal::AtMost(1.0)));
        assert_eq!(nothing.holds(), Some(false));
        let no_peer = Row::alone("1", SPEED, &[1.0]).goal(Some(Goal::Ratio(0.1)));
        assert_eq!(no_peer.holds(), Some(false));
    }

    #[test]
    fn a_peer_that_uses_nothing_has_no_ratio() {
        let row = Row::beside("1", Figure::less("bytes/msg"), &[5.0, 6.0], &[0.0, 0.0]);
        let line = line(&row);
        assert_eq!((&line["peer"], &line["ratio"]), (&json!(0.0), &json!(null)));
        assert_eq!(row.cells()[4], "–");
    }

    #[test]
    fn a_line_has_the_eight_names_of_the_interface_in_their_order() {
        let row = Row::alone("a", SPEED, &[1.0]);
        let line = serde_json::to_string(&row.line("gateway")).unwrap();
        assert_eq!(
            line,
            r#"{"bench":"gateway","case":"a","ours":1.0,"peer":null,"unit":"msg/s","ratio":null,"goal":null,"holds":null}"#
        );
    }

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        let spread = Spread::of(&[4.0, 1.0, 2.0, 3.0]);
        assert_eq!((spread.median, spread.low, spread.high), (2.5, 1.0, 4.0));
        assert!(Spread::of(&[]).median.is_nan());
    }

    #[test]
    fn a_row_without_a_peer_shows_the_spread_of_ours() {
        let row = Row::alone("start", Figure::less("ms"), &[120.0, 80.0, 90.0]);
        assert_eq!(row.cells()[2], "90.0 (80.0–120)");
    }
}
