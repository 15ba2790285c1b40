//! What a bench found, with the machine and the moment that it depends on: as text, as JSON lines,
//! as a section of the page.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::process;
use super::row::Row;
use crate::run::{capture, root};

/// The heads of the six columns.
const HEADS: [&str; 6] = [
    "Case",
    "Figure",
    "Labward",
    "Peer",
    "Ratio (lowest–highest)",
    "Goal",
];

/// What one bench found.
#[derive(Clone, Debug)]
pub(super) struct Findings {
    /// Versions of the peers and how much was measured, in one sentence.
    pub(super) how: String,
    /// The rows, in the order in which they are read.
    pub(super) rows: Vec<Row>,
}

/// The machine and the moment, before a bench begins.
#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    machine: String,
    load: f64,
    sync_ms: f64,
    day: String,
    revision: String,
}

/// Findings and their surroundings.
#[derive(Clone, Debug)]
pub(super) struct Report {
    /// The bench's name.
    pub(super) bench: &'static str,
    /// The machine and the moment.
    pub(super) surroundings: Surroundings,
    /// What was found.
    pub(super) findings: Findings,
}

impl Surroundings {
    /// Looks at the machine; `folder` is where the databases will be.
    pub(super) fn look(folder: &Path) -> Result<Self> {
        let revision = capture(
            "git",
            Command::new("git")
                .current_dir(root())
                .args(["rev-parse", "--short=12", "HEAD"]),
        );
        Ok(Self {
            machine: process::machine(),
            load: process::load_average(),
            sync_ms: process::sync_ms(folder)?,
            day: capture("date", Command::new("date").arg("+%F"))?
                .trim()
                .to_owned(),
            revision: revision.map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned()),
        })
    }

    fn text(&self) -> String {
        format!(
            "{}, {}, Labward {}. Before it began: load average {:.1}, {:.2} ms to overwrite 16 KiB \
             and sync them.",
            self.day, self.machine, self.revision, self.load, self.sync_ms
        )
    }
}

impl Report {
    /// One JSON object a line.
    pub(super) fn json_lines(&self) -> Result<String> {
        let mut lines = String::new();
        for row in &self.findings.rows {
            lines.push_str(&serde_json::to_string(&row.line(self.bench))?);
            lines.push('\n');
        }
        Ok(lines)
    }

    /// A table for a terminal.
    pub(super) fn text(&self) -> String {
        let mut table = vec![HEADS.map(str::to_owned)];
        table.extend(self.findings.rows.iter().map(Row::cells));
        let mut widths = [0; 6];
        for line in &table {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = cell.chars().count().max(*width);
            }
        }
        let mut text = format!(
            "bench {}: {}\n{}\n",
            self.bench,
            self.surroundings.text(),
            self.findings.how
        );
        for line in &table {
            let cells = line.iter().zip(widths);
            let padded: Vec<String> = cells
                .map(|(cell, width)| format!("{cell:width$}"))
                .collect();
            text.push_str(padded.join("  ").trim_end());
            text.push('\n');
        }
        text
    }

    /// What stands on the page.
    pub(super) fn section(&self) -> String {
        let mut text = format!(
            "{}\n{}\n\n| {} |\n|---|---|---|---|---|---|\n",
            self.surroundings.text(),
            self.findings.how,
            HEADS.join(" | ")
        );
        for row in &self.findings.rows {
            text.push_str(&format!("| {} |\n", row.cells().join(" | ")));
        }
        text
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::row::{Figure, Goal};
    use super::*;

    /// A report of two rows, the first of which is missed.
    pub(in super::super) fn report(bench: &'static str) -> Report {
        let speed = Row::beside(
            "16 connections, beside stunnel",
            Figure::more("msg/s"),
            &[10.0, 70.0, 300.0],
            &[100.0; 3],
        );
        let memory = Row::alone("idle", Figure::less("RSS MB"), &[20.0]);
        Report {
            bench,
            surroundings: Surroundings {
                machine: "a machine".to_owned(),
                load: 0.1,
                sync_ms: 0.2,
                day: "2026-01-01".to_owned(),
                revision: "abc".to_owned(),
            },
            findings: Findings {
                how: "stunnel 5; medians of 3 rounds.".to_owned(),
                rows: vec![
                    speed.goal(Some(Goal::Ratio(0.8))),
                    memory.goal(Some(Goal::AtMost(25.0))),
                ],
            },
        }
    }

    #[test]
    fn every_row_is_one_line_of_json() {
        let lines = report("gateway").json_lines().unwrap();
        let all: Vec<serde_json::Value> = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(all.len(), 2);
        assert_eq!(
            (&all[0]["bench"], &all[0]["holds"]),
            (&"gateway".into(), &false.into())
        );
        assert_eq!(
            (&all[1]["goal"], &all[1]["holds"]),
            (&25.0.into(), &true.into())
        );
    }

    #[test]
    fn a_missed_goal_stands_on_the_page_and_in_the_terminal() {
        let report = report("gateway");
        assert!(report.section().contains(
            "| 16 connections, beside stunnel | msg/s | 70.0 | 100 | 0.70 (0.10–3.00) | ≥ 0.8 ×, **missed** |"
        ));
        let text = report.text();
        assert!(text.contains("≥ 0.8 ×, **missed**") && text.contains("load average 0.1"));
    }

    #[test]
    fn columns_of_a_terminal_begin_at_the_same_place() {
        let text = report("gateway").text();
        let places: Vec<usize> = text
            .lines()
            .skip(2)
            .filter_map(|line| {
                let at = line
                    .find("Figure")
                    .or(line.find("msg/s"))
                    .or(line.find("RSS"))?;
                Some(line[..at].chars().count())
            })
            .collect();
        assert!(places.len() == 3 && places.windows(2).all(|two| two[0] == two[1]));
    }
}
