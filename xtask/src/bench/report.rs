//! What a measurement says: as text, as JSON lines, as the page in the documents.
//!
//! Messages a second drift with the machine; the ratio within a pair is what counts, and the
//! median over pairs is what is reported, with the lowest and the highest beside it.

use anyhow::Result;
use serde_json::json;

use super::load::Measured;
use super::{WARM_UP, WINDOW};

/// Two runs, one after the other.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    /// Labward.
    pub(super) ours: Measured,
    /// What it is compared with.
    pub(super) peer: Measured,
}

/// All pairs at one number of connections.
#[derive(Clone, Debug)]
pub(super) struct Case {
    /// Connections at the same time.
    pub(super) connections: usize,
    /// The ratio of messages a second that the design asks for.
    pub(super) goal: f64,
    /// The pairs, in the order in which they ran.
    pub(super) pairs: Vec<Pair>,
}

/// A whole measurement.
#[derive(Clone, Debug)]
pub(super) struct Report {
    /// Processor, cores, kernel.
    pub(super) machine: String,
    /// Load average before the measurement began.
    pub(super) load: f64,
    /// The median time to overwrite 16 KiB and sync them, before the measurement began.
    pub(super) sync_ms: f64,
    /// The day, `YYYY-MM-DD`.
    pub(super) day: String,
    /// Which stunnel.
    pub(super) stunnel: String,
    /// Which Labward.
    pub(super) revision: String,
    /// The cases, fewest connections first.
    pub(super) cases: Vec<Case>,
}

/// One figure of both sides.
struct Row {
    unit: &'static str,
    ours: f64,
    peer: f64,
    ratio: Spread,
    goal: Option<f64>,
}

/// The median of some numbers, with the lowest and the highest.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Spread {
    median: f64,
    low: f64,
    high: f64,
}

/// A figure's unit, and how it is read off a run.
type Figure = (&'static str, fn(&Measured) -> f64);

const FIGURES: [Figure; 6] = [
    ("msg/s", |m| m.per_second),
    ("p50 ms", |m| m.p50_ms),
    ("p99 ms", |m| m.p99_ms),
    ("CPU µs/msg", |m| m.cpu_us),
    ("RSS MiB", |m| m.rss_mib),
    ("bytes written/msg", |m| m.written),
];

impl Case {
    fn rows(&self) -> Vec<Row> {
        FIGURES
            .iter()
            .map(|&(unit, read)| {
                let spread = |of: &dyn Fn(&Pair) -> f64| Spread::of(self.pairs.iter().map(of));
                Row {
                    unit,
                    ours: spread(&|pair| read(&pair.ours)).median,
                    peer: spread(&|pair| read(&pair.peer)).median,
                    ratio: spread(&|pair| ratio(read(&pair.ours), read(&pair.peer))),
                    goal: (unit == "msg/s").then_some(self.goal),
                }
            })
            .collect()
    }

    fn name(&self) -> String {
        match self.connections {
            1 => "1 connection".to_owned(),
            many => format!("{many} connections"),
        }
    }
}

impl Row {
    fn holds(&self) -> Option<bool> {
        self.goal.map(|goal| self.ratio.median >= goal)
    }
}

impl Spread {
    fn of(numbers: impl Iterator<Item = f64>) -> Self {
        let mut all: Vec<f64> = numbers.filter(|number| number.is_finite()).collect();
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
}

/// NaN where there is nothing to compare with: stunnel writes nothing to the disk.
fn ratio(ours: f64, peer: f64) -> f64 {
    if peer > 0.0 { ours / peer } else { f64::NAN }
}

impl Report {
    /// One JSON object a line.
    pub(super) fn json_lines(&self) -> Result<String> {
        let mut lines = String::new();
        for case in &self.cases {
            for row in case.rows() {
                let line = json!({
                    "bench": "gateway",
                    "case": case.name(),
                    "ours": rounded(row.ours),
                    "peer": rounded(row.peer),
                    "unit": row.unit,
                    "ratio": rounded(row.ratio.median),
                    "goal": row.goal,
                    "holds": row.holds(),
                });
                lines.push_str(&serde_json::to_string(&line)?);
                lines.push('\n');
            }
        }
        Ok(lines)
    }

    /// A table for a terminal.
    pub(super) fn text(&self) -> String {
        let pairs = self.cases.first().map_or(0, |case| case.pairs.len());
        let mut text = format!(
            "{}\n{}\n{}; {}; medians of {pairs} interleaved pairs\n",
            self.machine,
            self.surroundings(),
            self.day,
            self.stunnel
        );
        text.push_str(&format!(
            "{:<16} {:<18} {:>10} {:>10}  {:<20} {}\n",
            "case", "unit", "ours", "stunnel", "ratio [low-high]", "goal"
        ));
        for case in &self.cases {
            for row in case.rows() {
                text.push_str(&format!(
                    "{:<16} {:<18} {:>10} {:>10}  {:<20} {}\n",
                    case.name(),
                    row.unit,
                    figure(row.ours),
                    figure(row.peer),
                    row.ratio.text(),
                    row.verdict()
                ));
            }
        }
        text
    }

    /// What else the numbers depend on.
    fn surroundings(&self) -> String {
        format!(
            "load average {:.1}, {:.2} ms to overwrite 16 KiB and sync them",
            self.load, self.sync_ms
        )
    }

    /// `docs/ref/benchmarks.md`.
    pub(super) fn page(&self) -> String {
        let mut page = String::from(INTRODUCTION);
        let suites: std::collections::BTreeSet<&str> = self
            .cases
            .iter()
            .flat_map(|case| &case.pairs)
            .flat_map(|pair| [pair.ours.suite.as_str(), pair.peer.suite.as_str()])
            .collect();
        page.push_str(&format!(
            "\n## Last run\n\n{}, {}. {}, Labward {}. Each run: {} s of load, then {} s measured. \
             Cipher suites: {}. Before it began: {}.\n\n\
             | Connections | Figure | Labward | stunnel | Ratio (lowest–highest) | Goal |\n\
             |---|---|---|---|---|---|\n",
            self.day,
            self.machine,
            self.stunnel,
            self.revision,
            WARM_UP.as_secs(),
            WINDOW.as_secs(),
            suites.into_iter().collect::<Vec<_>>().join(", "),
            self.surroundings(),
        ));
        for case in &self.cases {
            for row in case.rows() {
                page.push_str(&format!(
                    "| {} | {} | {} | {} | {} | {} |\n",
                    case.connections,
                    row.unit,
                    figure(row.ours),
                    figure(row.peer),
                    row.ratio.text(),
                    row.verdict()
                ));
            }
        }
        page.push_str(&format!(
            "\nMedians of {} pairs. A ratio is that of the two runs of one pair; the median of the \
             ratios is not the ratio of the medians.\n",
            self.cases.first().map_or(0, |case| case.pairs.len())
        ));
        page
    }
}

impl Row {
    fn verdict(&self) -> String {
        match (self.goal, self.holds()) {
            (Some(goal), Some(true)) => format!("≥ {goal}, holds"),
            (Some(goal), _) => format!("≥ {goal}, **missed**"),
            (None, _) => String::new(),
        }
    }
}

impl Spread {
    fn text(self) -> String {
        if self.median.is_nan() {
            return "–".to_owned();
        }
        format!("{:.2} ({:.2}–{:.2})", self.median, self.low, self.high)
    }
}

/// Three digits or so: more would be noise.
fn figure(number: f64) -> String {
    if number >= 100.0 {
        format!("{number:.0}")
    } else if number >= 10.0 {
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

/// What the page says before its numbers.
const INTRODUCTION: &str = "\
# Benchmarks

Written by `cargo xtask bench gateway --write`; never by hand.

## What is measured

A load client sends HL7 ORU^R01 messages of 505 bytes (8 OBX, 1,000 patients) over mutual TLS, one in
flight on each connection, and checks MSA-1 and MSA-2 of every acknowledgement: one wrong answer ends the
run as failed.

- **Labward**: the release program with the configuration that `init` writes and one link. Each message is
  parsed, checked against its peer's rules and the duplicate window, sealed with AES-256-GCM under its
  patient's key, written with its ledger entry and synced to the disk; then it is acknowledged. Each run
  starts from a new, empty installation.
- **stunnel**: Debian's stunnel with its defaults and `TCP_NODELAY`, mutual TLS, in front of a receiver
  that answers AA from memory and stores nothing. It is what labs put before an engine that knows no TLS,
  and a lower bound of what any receiver costs. Its figures do not contain that receiver's processor time.

Both run on the same machine as the load client, in turn, one pair after the other, and who goes first
changes from pair to pair.

| Figure | From |
|---|---|
| msg/s | acknowledgements in the measured time |
| p50, p99 | first byte sent to acknowledgement checked, at the client |
| CPU µs/msg | user and system time of the server process (`/proc/PID/stat`, ticks of 10 ms) |
| RSS MiB | `VmRSS` at the end of the run |
| bytes written/msg | `write_bytes` of `/proc/PID/io` |

## What is not

- No destination: delivery is a second TLS hop and costs more. No reading, search or export meanwhile.
- New connections: all are open before the measurement begins.
- Larger messages, ASTM, batches, links with hundreds of peers, a database of millions of records.
- Other machines. Few cores favour neither: the load client and the receiver behind stunnel take their part
  of the same cores. On a busy machine messages a second drift by a factor of 1.3 to 2, and a ratio that
  moves by less than 15 % has not moved.
- The disk decides at one connection: a message then waits for one sync of its own. With a disk that lies
  about syncs the numbers would be better and worth nothing.

## How to repeat it

```sh
cargo xtask bench gateway                 # a table
cargo xtask bench gateway --pairs 9       # more pairs
cargo xtask bench gateway --connections 64 # one case
cargo xtask bench gateway --json          # one JSON object a line
cargo xtask bench gateway --write         # this page
```

It needs Debian's `stunnel4` and takes about five minutes; let nothing else run meanwhile.
";

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(per_second: f64) -> Measured {
        Measured {
            per_second,
            p50_ms: 1.0,
            p99_ms: 2.0,
            cpu_us: 50.0,
            rss_mib: 20.0,
            ..Measured::default()
        }
    }

    fn report(ours: [f64; 3], goal: f64) -> Report {
        let pairs = ours.map(|ours| Pair {
            ours: measured(ours),
            peer: measured(100.0),
        });
        Report {
            machine: "a machine".to_owned(),
            load: 0.1,
            sync_ms: 0.2,
            day: "2026-01-01".to_owned(),
            stunnel: "stunnel 5".to_owned(),
            revision: "abc".to_owned(),
            cases: vec![Case {
                connections: 16,
                goal,
                pairs: pairs.to_vec(),
            }],
        }
    }

    fn first_line(report: &Report) -> serde_json::Value {
        let lines = report.json_lines().unwrap();
        serde_json::from_str(lines.lines().next().unwrap()).unwrap()
    }

    #[test]
    fn the_median_of_the_pairs_decides_whether_a_goal_holds() {
        let line = first_line(&report([10.0, 90.0, 300.0], 0.8));
        assert_eq!(line["ratio"], 0.9);
        assert_eq!((&line["goal"], &line["holds"]), (&json!(0.8), &json!(true)));
        let line = first_line(&report([10.0, 70.0, 300.0], 0.8));
        assert_eq!(line["holds"], json!(false));
    }

    #[test]
    fn a_figure_that_cannot_be_compared_has_no_ratio() {
        let lines = report([1.0, 2.0, 3.0], 0.8).json_lines().unwrap();
        let last: serde_json::Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
        assert_eq!(last["unit"], "bytes written/msg");
        assert_eq!(
            (&last["ratio"], &last["holds"]),
            (&json!(null), &json!(null))
        );
    }

    #[test]
    fn a_missed_goal_stands_on_the_page() {
        let page = report([10.0, 70.0, 300.0], 0.8).page();
        assert!(
            page.contains("| 16 | msg/s | 70.0 | 100 | 0.70 (0.10–3.00) | ≥ 0.8, **missed** |")
        );
    }

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        let spread = Spread::of([4.0, 1.0, 2.0, 3.0].into_iter());
        assert_eq!((spread.median, spread.low, spread.high), (2.5, 1.0, 4.0));
        assert!(Spread::of(std::iter::empty()).median.is_nan());
    }
}
