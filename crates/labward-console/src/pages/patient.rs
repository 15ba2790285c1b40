//! All results of a patient: the cumulative table, and each test by itself with its picture.
//!
//! It must never put what names a patient into the title, or draw what is no number.

use std::borrow::Cow;
use std::cmp::Reverse;

use askama::Template;
use labward_api::record::Results;
use labward_identity::Permission;
use labward_report::{Measured, TestLine};

use super::plot::Plot;
use crate::RenderError;
use crate::frame::{Frame, Place};
use crate::language::Texts as _;

/// Times that the cumulative table has room for, the newest; each test's own table has them all.
const COLUMNS_MAX: usize = 8;

#[derive(Template)]
#[template(path = "patient.html")]
struct ResultsPage<'a> {
    f: &'a Frame,
    results: &'a Results,
    why: &'a str,
    columns: Vec<&'a str>,
    rows: Vec<Row<'a>>,
    /// Whether there are more times than columns.
    has_older: bool,
}

/// One test.
struct Row<'a> {
    line: &'a TestLine,
    /// Its values at the time of each column.
    cells: Vec<Vec<&'a Measured>>,
    plot: Option<Plot>,
}

impl ResultsPage<'_> {
    fn name(&self) -> &str {
        self.results.names.first().map_or("", String::as_str)
    }

    /// The names that the patient had or has elsewhere.
    fn other_names(&self) -> String {
        let others = self.results.names.iter().skip(1).map(String::as_str);
        others.collect::<Vec<_>>().join("; ")
    }

    fn identifiers(&self) -> String {
        let one = |one: &labward_api::record::PatientIdentifier| {
            let about = [one.kind.as_str(), one.authority.as_str()];
            let about: Vec<&str> = about.into_iter().filter(|text| !text.is_empty()).collect();
            match about.is_empty() {
                true => one.value.clone(),
                false => format!("{} ({})", one.value, about.join(", ")),
            }
        };
        let all = self.results.identifiers.iter().map(one);
        all.collect::<Vec<_>>().join("; ")
    }

    /// How many records are not in the table because there are too many.
    fn unread(&self) -> u64 {
        let unopened = super::count(self.results.unopened.len());
        let seen = self.results.read.saturating_add(unopened);
        self.results.record_count.saturating_sub(seen)
    }

    fn count(&self, row: &Row<'_>) -> u64 {
        super::count(row.line.values.len())
    }

    fn unopened(&self) -> String {
        let numbers = self.results.unopened.iter().map(u64::to_string);
        numbers.collect::<Vec<_>>().join(", ")
    }

    fn described(&self, row: &Row<'_>, plot: &Plot) -> Cow<'static, str> {
        plot.described(self.f, row.line)
    }

    /// What names a picture to who does not see it.
    fn plot_id(&self, number: &usize) -> String {
        format!("plot-{number}")
    }

    /// The words for a flag of HL7 table 0078, where the page has them; else the flag itself.
    fn flag_words(&self, flag: &str) -> Cow<'static, str> {
        match flag {
            "A" => self.f.t("flag-A"),
            "AA" => self.f.t("flag-AA"),
            "H" => self.f.t("flag-H"),
            "HH" => self.f.t("flag-HH"),
            "L" => self.f.t("flag-L"),
            "LL" => self.f.t("flag-LL"),
            "N" => self.f.t("flag-N"),
            other => Cow::Owned(other.to_owned()),
        }
    }

    /// Whether a value took the place of another one, and did not only come again.
    fn is_changed(&self, row: &Row<'_>, value: &Measured) -> bool {
        let line = row.line;
        let mut replaced = value.replaced.iter();
        replaced.any(|old| old.value != value.value || old.unit != line.unit)
    }

    /// What a value took the place of: `5.4 mmol/L (F, 12)`.
    fn replaced(&self, value: &Measured) -> String {
        let one = |old: &labward_report::Replaced| {
            let words = format!("{} {}", old.value, old.unit);
            let about = format!("{}, {}", old.status, old.record);
            let about = about.trim_start_matches(", ").to_owned();
            format!("{} ({about})", words.trim())
        };
        value
            .replaced
            .iter()
            .map(one)
            .collect::<Vec<_>>()
            .join("; ")
    }
}

/// All results of a patient, read for the reason `why`.
///
/// # Errors
///
/// [`RenderError`].
pub fn results(f: &Frame, results: &Results, why: &str) -> Result<String, RenderError> {
    let values = results.tests.iter().flat_map(|line| &line.values);
    let mut times: Vec<(Reverse<i64>, &str)> = values
        .map(|one| (Reverse(one.seconds), one.time.as_str()))
        .collect();
    times.sort_unstable();
    let mut columns: Vec<&str> = Vec::new();
    for (_, time) in times {
        // Two that differ by seconds only are one column, and so stand side by side.
        if columns.last() != Some(&time) && !columns.contains(&time) {
            if columns.len() > COLUMNS_MAX {
                break;
            }
            columns.push(time);
        }
    }
    let has_older = columns.len() > COLUMNS_MAX;
    columns.truncate(COLUMNS_MAX);
    let row = |line| Row {
        line,
        cells: columns.iter().map(|time| at(line, time)).collect(),
        plot: Plot::of(&line.values),
    };
    ResultsPage {
        f,
        results,
        why,
        rows: results.tests.iter().map(row).collect(),
        columns,
        has_older,
    }
    .render()
}

/// The values of a test at a time.
fn at<'a>(line: &'a TestLine, time: &str) -> Vec<&'a Measured> {
    line.values.iter().filter(|one| one.time == time).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_identity::{Language, Role, Theme};

    fn frame() -> Frame {
        Frame {
            language: Language::En,
            theme: Theme::Light,
            viewer: Some(crate::frame::Viewer {
                name: "Eva".to_owned(),
                roles: Role::LabManager.into(),
                engagement: None,
                mark: None,
                csrf: "token".to_owned(),
                lasts: crate::frame::Lasts::default(),
            }),
            nonce: "nonce".to_owned(),
            lab: "Lab".to_owned(),
            place: Place::Records,
            done: None,
            alarm: None,
            glass: None,
        }
    }

    fn line(name: &str, unit: &str, values: &[(i64, &str, &str)]) -> TestLine {
        let measured = |(day, value, flag): &(i64, &str, &str)| Measured {
            value: (*value).to_owned(),
            flag: (*flag).to_owned(),
            time: format!("2026-11-{day:02}"),
            seconds: day * 86_400,
            ..Measured::default()
        };
        TestLine {
            test: labward_report::Test {
                name: name.to_owned(),
                ..labward_report::Test::default()
            },
            unit: unit.to_owned(),
            sender: String::new(),
            values: values.iter().map(measured).collect(),
        }
    }

    fn page(tests: Vec<TestLine>) -> String {
        let shown = Results {
            names: vec!["Muster, Eva".to_owned()],
            tests,
            read: 3,
            record_count: 5,
            unopened: vec![7],
            ..Results::default()
        };
        results(&frame(), &shown, "the ward called").unwrap()
    }

    #[test]
    fn each_test_has_a_row_and_its_numbers_a_picture() {
        let page = page(vec![
            line("Glucose", "mmol/L", &[(3, "6.1", "H"), (1, "5.4", "")]),
            line("Glucose", "mg/dL", &[(2, "97", "")]),
            line("Titer", "", &[(3, "1:128", ""), (2, "1:64", "")]),
        ]);
        assert_eq!(
            page.matches("<svg class=\"plot\"").count(),
            1,
            "one unit, two numbers"
        );
        assert!(
            page.contains("<abbr title=\"high\">H</abbr>"),
            "not by colour alone"
        );
        let head = page.split("<thead>").nth(1).unwrap();
        let (newest, oldest) = (
            head.find("2026-11-03").unwrap(),
            head.find("2026-11-01").unwrap(),
        );
        assert!(newest < oldest, "the newest first");
        assert!(page.contains("1 older record is not in this table"));
        assert!(page.contains("could not be opened") && page.contains("1:128"));
        let title = page
            .split("<title>")
            .nth(1)
            .unwrap()
            .split("</title>")
            .next()
            .unwrap();
        assert!(!title.contains("Muster"), "{title}");
    }

    #[test]
    fn a_value_that_came_again_is_not_called_corrected() {
        let before = |value: &str| {
            let mut glucose = line("Glucose", "mmol/L", &[(3, "6.1", "")]);
            glucose.values[0].replaced = vec![labward_report::Replaced {
                value: value.to_owned(),
                unit: "mmol/L".to_owned(),
                ..labward_report::Replaced::default()
            }];
            page(vec![glucose])
        };
        assert!(before("61").contains("Before: 61 mmol/L"));
        assert!(!before("6.1").contains("Before:"));
    }

    #[test]
    fn times_beyond_the_columns_stand_with_their_test() {
        let values: Vec<(i64, &str, &str)> = (1..=20).rev().map(|day| (day, "5", "")).collect();
        let page = page(vec![line("Glucose", "mmol/L", &values)]);
        let table = page
            .split("<table")
            .nth(1)
            .unwrap()
            .split("</table>")
            .next()
            .unwrap();
        assert_eq!(table.matches("2026-11-").count(), COLUMNS_MAX);
        assert!(page.contains("Older values stand below"));
        assert!(page.contains("2026-11-01"));
    }
}
