//! The scores of the Exploit Prediction Scoring System (EPSS, CSV).
//!
//! The file comes packed; its reader gets what was unpacked, and unpacking is bounded by the caller.

use labward_base::Timestamp;

use crate::flaw::{Flaws, quote};
use crate::json::to_text;
use crate::{Error, Limits};

/// The scores of one day.
#[derive(Clone, Debug)]
pub struct Scores {
    /// `model_version` of the first line.
    pub model_version: Option<String>,
    /// `score_date` of the first line.
    pub scored: Option<Timestamp>,
    /// The rows, sorted by CVE.
    rows: Vec<Row>,
    /// What could not be read; the place is `line N`.
    pub flaws: Flaws,
}

/// The score of one CVE.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The CVE id.
    pub cve: Box<str>,
    /// The probability of exploitation in the next 30 days, 0 to 1.
    pub probability: f64,
    /// The share of all CVEs with the same or a lower score, 0 to 1; `None` if not given.
    pub percentile: Option<f64>,
}

fn share(text: Option<&str>) -> Option<f64> {
    let number: f64 = text?.trim().parse().ok()?;
    (0.0..=1.0).contains(&number).then_some(number)
}

impl Scores {
    /// Reads the unpacked bytes of the file.
    ///
    /// # Errors
    /// If it passes a limit, or no line names the columns `cve` and `epss`.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        if bytes.len() > limits.max_bytes {
            return Err(Error::TooLarge {
                bytes: bytes.len(),
                limit: limits.max_bytes,
            });
        }
        let (text, replaced) = to_text(bytes);
        let mut scores = Self {
            model_version: None,
            scored: None,
            rows: Vec::new(),
            flaws: Flaws::new(limits.max_flaws),
        };
        if replaced {
            let what = "bytes that are no UTF-8 were replaced by U+FFFD";
            scores.flaws.add_at("text", "", what);
        }
        let mut columns = None;
        for (number, line) in (1_usize..).zip(text.lines()) {
            let place = || format!("line {number}");
            if let Some(comment) = line.strip_prefix('#') {
                scores.first_line(comment, place);
                continue;
            }
            let fields = || line.split(',').map(|field| field.trim().trim_matches('"'));
            let Some((cve, epss, percentile)) = columns else {
                let find = |name: &str| fields().position(|field| field.eq_ignore_ascii_case(name));
                let (Some(cve), Some(epss)) = (find("cve"), find("epss")) else {
                    return Err(Error::NotA("EPSS"));
                };
                columns = Some((cve, epss, find("percentile")));
                continue;
            };
            if line.trim().is_empty() {
                continue;
            }
            if scores.rows.len() >= limits.max_entries {
                scores.flaws.add_at(
                    "read",
                    place(),
                    "more rows than the limit; the rest was left out",
                );
                break;
            }
            let id = fields().nth(cve).filter(|id| id.starts_with("CVE-"));
            match (id, share(fields().nth(epss))) {
                (Some(id), Some(probability)) => scores.rows.push(Row {
                    cve: id.into(),
                    probability,
                    percentile: share(percentile.and_then(|at| fields().nth(at))),
                }),
                _ => scores
                    .flaws
                    .add_at("read", place(), "no CVE with a probability from 0 to 1"),
            }
        }
        if columns.is_none() {
            return Err(Error::NotA("EPSS"));
        }
        scores.sort();
        Ok(scores)
    }

    fn first_line(&mut self, comment: &str, place: impl Fn() -> String) {
        for part in comment.split(',') {
            match part.split_once(':') {
                Some(("model_version", version)) => {
                    self.model_version = Some(version.trim().into())
                }
                Some(("score_date", date)) => {
                    // Some days have `+0000` where RFC 3339 wants `+00:00`.
                    let date = date.trim().replace("+0000", "Z");
                    self.scored = Timestamp::parse_rfc3339(&date);
                    if self.scored.is_none() {
                        self.flaws
                            .add_at("read", place(), "no date and time (RFC 3339)");
                    }
                }
                _ => {}
            }
        }
    }

    fn sort(&mut self) {
        self.rows.sort_by(|one, two| one.cve.cmp(&two.cve));
        let mut repeated = Vec::new();
        self.rows.dedup_by(|later, kept| {
            let same = later.cve == kept.cve;
            if same {
                repeated.push(later.cve.clone());
                kept.probability = kept.probability.max(later.probability);
            }
            same
        });
        for cve in repeated {
            let what = format!("{} has more than one row; the highest counts", quote(&cve));
            self.flaws.add_at("read", "", what);
        }
    }

    /// The rows, sorted by CVE as text.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The score of a CVE.
    pub fn get(&self, cve: &str) -> Option<&Row> {
        let at = self.rows.binary_search_by(|row| (*row.cve).cmp(cve)).ok()?;
        self.rows.get(at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SMALL: &str = "#model_version:v2025.03.14,score_date:2025-08-25T12:55:00Z\n\
        cve,epss,percentile\n\
        CVE-2019-0708,0.94454,0.99998\n\
        CVE-2017-0144,0.94316,0.99942\n\
        CVE-2017-0144,0.1,0.2\n\
        nothing,0.1,0.2\n\
        CVE-2020-0001,1.5,0.2\n";

    #[test]
    fn rows_are_found_by_cve() {
        let scores = Scores::parse(SMALL.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(scores.model_version.as_deref(), Some("v2025.03.14"));
        assert_eq!(
            scores.scored.unwrap().to_rfc3339(),
            "2025-08-25T12:55:00.000000Z"
        );
        assert_eq!(scores.rows().len(), 2);
        assert_eq!(scores.get("CVE-2017-0144").unwrap().probability, 0.94316);
        assert_eq!(
            scores.get("CVE-2019-0708").unwrap().percentile,
            Some(0.99998)
        );
        assert_eq!(scores.get("CVE-2020-0001"), None);
        let places: Vec<&str> = scores
            .flaws
            .listed()
            .iter()
            .map(|one| one.place.as_str())
            .collect();
        assert_eq!(places, ["line 6", "line 7", ""]);
    }

    #[test]
    fn what_names_no_columns_is_no_epss() {
        for text in ["", "#model_version:v1\n", "a,b\n1,2\n"] {
            let scores = Scores::parse(text.as_bytes(), &Limits::default());
            assert_eq!(scores.err(), Some(Error::NotA("EPSS")), "{text}");
        }
    }

    #[test]
    fn rows_beyond_the_limit_are_told() {
        let limits = Limits {
            max_entries: 1,
            ..Limits::default()
        };
        let scores = Scores::parse(SMALL.as_bytes(), &limits).unwrap();
        assert_eq!((scores.rows().len(), scores.flaws.listed().len()), (1, 1));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(#score_date:.{0,5}\n)?(cve,epss\n)?[CVE0-9,.\n-]{0,60}") {
            let _ = Scores::parse(text.as_bytes(), &Limits::default());
        }
    }
}
