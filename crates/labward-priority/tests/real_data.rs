//! Every vulnerability of CISA's advisories of industrial control systems and of medical devices, 2017 to 2023,
//! with the catalog of known exploited vulnerabilities, and the tables of `docs/ref/priority.md`.
//!
//! The advisories lie outside the repository, where `LABWARD_TEST_DATA` points; without it the tests say that
//! they were skipped. `LABWARD_WRITE_DOCS` writes the tables instead of comparing them.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "helpers of a test file; the archive is unpacked by the system's tar"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use labward_advisory::Limits;
use labward_advisory::csaf::Advisory;
use labward_advisory::kev::Catalog;
use labward_priority::rubric::QUESTIONS;
use labward_priority::{
    Certainty, Clocks, Criticality, Days, Exposure, Kev, Known, Priority, Reason, Support,
    exploitation_said, prioritise,
};
use time::Date;
use time::macros::date;

mod documented;
use documented::documented;

/// The day of the catalog.
const TODAY: Date = date!(2025 - 08 - 25);

fn folder(test: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("LABWARD_TEST_DATA") else {
        eprintln!("labward-skip: {test}: LABWARD_TEST_DATA is not set");
        return None;
    };
    Some(folder.into())
}

/// All industrial and all medical advisories.
fn advisories(folder: &Path) -> Vec<Advisory> {
    let unpacked = Command::new("tar")
        .args(["-xJO", "--wildcards", "*.json", "-f"])
        .arg(folder.join("csaf/cisa-ot-2017-2023.tar.xz"))
        .output()
        .unwrap();
    assert!(unpacked.status.success(), "tar unpacks the archive");
    let mut documents = Vec::new();
    let mut stream =
        serde_json::Deserializer::from_slice(&unpacked.stdout).into_iter::<serde::de::IgnoredAny>();
    let mut begin = 0;
    while let Some(document) = stream.next() {
        document.unwrap();
        documents.push(unpacked.stdout[begin..stream.byte_offset()].to_vec());
        begin = stream.byte_offset();
    }
    for entry in std::fs::read_dir(folder.join("csaf/medical")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "json") {
            documents.push(std::fs::read(path).unwrap());
        }
    }
    let limits = Limits::default();
    let read = documents
        .iter()
        .map(|bytes| Advisory::parse(bytes, &limits));
    read.collect::<Result<_, _>>().unwrap()
}

/// What publishers say of each vulnerability; of the device nothing.
fn hits(folder: &Path) -> Vec<(Known, Option<Date>)> {
    let bytes = std::fs::read(folder.join("kev/known_exploited_vulnerabilities.json")).unwrap();
    let catalog = Catalog::parse(&bytes, &Limits::default()).unwrap();
    let listed: BTreeMap<&str, _> = catalog
        .entries
        .iter()
        .map(|entry| (&*entry.cve, entry))
        .collect();
    let mut hits = Vec::new();
    for advisory in advisories(folder) {
        let said = exploitation_said(&advisory);
        for vulnerability in &advisory.vulnerabilities {
            let entry = vulnerability.cve.as_deref().and_then(|cve| listed.get(cve));
            let kev = match (entry, &vulnerability.cve) {
                (Some(entry), _) => Kev::Listed {
                    added: entry.added,
                    due: entry.due,
                    ransomware: entry.known_ransomware,
                },
                (None, Some(_)) => Kev::NotListed,
                (None, None) => Kev::NotLooked,
            };
            let vectors = vulnerability.scores.iter();
            let known = Known {
                certainty: Certainty::Affected,
                vectors: vectors.map(|one| one.score.vector.clone()).collect(),
                kev,
                exploitation: said,
                ..Known::default()
            };
            hits.push((known, entry.and_then(|entry| entry.due)));
        }
    }
    hits
}

/// Devices of a laboratory, as far as they are known.
fn devices() -> [(&'static str, Exposure, Criticality, Option<bool>); 6] {
    use Criticality::{High, Low, Normal, Unknown};
    [
        ("nothing is known of it", Exposure::Unknown, Unknown, None),
        (
            "reachable, high, patients' data",
            Exposure::Reachable,
            High,
            Some(true),
        ),
        (
            "controlled, high, patients' data",
            Exposure::Controlled,
            High,
            Some(true),
        ),
        (
            "controlled, normal, patients' data",
            Exposure::Controlled,
            Normal,
            Some(true),
        ),
        (
            "controlled, normal, no patients' data",
            Exposure::Controlled,
            Normal,
            Some(false),
        ),
        (
            "isolated, low, no patients' data",
            Exposure::Isolated,
            Low,
            Some(false),
        ),
    ]
}

fn table_of<'p>(
    rows: impl Iterator<Item = (&'static str, Vec<&'p str>)>,
    columns: &[&str],
) -> String {
    let mut table = format!("| Device | {} |\n|---|", columns.join(" | "));
    table.push_str(&"---|".repeat(columns.len()));
    table.push('\n');
    for (name, values) in rows {
        write!(table, "| {name} |").unwrap();
        for column in columns {
            let count = values.iter().filter(|value| *value == column).count();
            write!(table, " {count} |").unwrap();
        }
        table.push('\n');
    }
    table
}

#[test]
fn every_vulnerability_of_the_advisories_comes_to_a_priority() {
    let Some(folder) = folder("priorities of advisories") else {
        return;
    };
    let hits = hits(&folder);
    assert_eq!(hits.len(), 6_862);
    let of = |device: (&'static str, Exposure, Criticality, Option<bool>)| {
        let (_, exposure, criticality, patient_data) = device;
        let known = hits.iter().map(move |(known, _)| Known {
            exposure,
            criticality,
            patient_data,
            support: Support::Ongoing,
            ..known.clone()
        });
        known
            .map(|known| prioritise(&known, TODAY))
            .collect::<Vec<Priority>>()
    };
    let priorities: Vec<_> = devices().map(|device| (device.0, of(device))).into();
    let decisions = priorities
        .iter()
        .map(|(name, all)| (*name, all.iter().map(|one| one.decision.name()).collect()));
    let columns = ["immediate", "out-of-cycle", "scheduled", "defer"];
    documented("decisions", &table_of(decisions, &columns));
    let bands = priorities
        .iter()
        .map(|(name, all)| (*name, all.iter().map(|one| one.band.name()).collect()));
    documented(
        "bands",
        &table_of(bands, &["critical", "high", "medium", "low"]),
    );
    documented("facts", &facts(&priorities[0].1));
    documented("clocks", &clocks(&hits, &priorities[3].1));
}

/// From which facts the decision points were taken, of a device of which nothing is known.
fn facts(priorities: &[Priority]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in priorities.iter().flat_map(|one| &one.reasons) {
        *counts.entry(reason.code()).or_default() += 1;
    }
    let mut table = String::from("| Reason | Vulnerabilities |\n|---|---|\n");
    for (code, count) in counts {
        writeln!(table, "| `{code}` | {count} |").unwrap();
    }
    table
}

/// Which rule sets the day, by the day on which the hits were found, without a patch.
fn clocks(hits: &[(Known, Option<Date>)], priorities: &[Priority]) -> String {
    let rules = ["due-no-patch", "due-kev", "due-kev-passed"];
    let mut table = format!("| Found on | {} |\n|---|---|---|---|\n", rules.join(" | "));
    for found in [date!(2022 - 01 - 01), date!(2022 - 04 - 01), TODAY] {
        let mut counts = [0; 3];
        for (priority, (_, kev_due)) in priorities.iter().zip(hits) {
            let days = Days {
                found,
                patch_available: None,
                kev_due: *kev_due,
            };
            let due = Clocks::default().due(priority.band, &days, found);
            assert!(due.day >= found);
            let at = rules.iter().position(|rule| *rule == due.rule.code());
            counts[at.unwrap()] += 1;
        }
        let [clock, kev, passed] = counts;
        writeln!(table, "| {found} | {clock} | {kev} | {passed} |").unwrap();
    }
    table
}

#[test]
fn every_listed_vulnerability_is_active_and_says_since_when() {
    let Some(folder) = folder("listed vulnerabilities") else {
        return;
    };
    let mut listed = 0;
    for (known, _) in hits(&folder) {
        let priority = prioritise(&known, TODAY);
        let is_active = priority
            .reasons
            .iter()
            .any(|reason| reason.code() == "exploitation-kev");
        assert_eq!(is_active, matches!(known.kev, Kev::Listed { .. }));
        listed += usize::from(is_active);
        let exploitation = |reason: &&Reason| matches!(reason, Reason::Exploitation(..));
        assert_eq!(priority.reasons.iter().filter(exploitation).count(), 1);
    }
    assert!(listed >= 55, "{listed}");
}

#[test]
fn the_questions_of_the_rubric_are_documented() {
    let mut table = String::from("| Code | Number | Metric | Question |\n|---|---|---|---|\n");
    for question in QUESTIONS {
        writeln!(
            table,
            "| {} | {} | {} | {} |",
            question.code,
            question.number,
            question.metric.name(),
            question.text
        )
        .unwrap();
    }
    documented("rubric", &table);
}
