//! Any bytes as a record of any kind: a report within bounds or none, and cumulating two of them loses no value.

use labward_report::{Format, RESULTS_MAX, Report, Source, cumulate};

pub fn run(data: &[u8]) {
    let (kind, rest) = data.split_first().unwrap_or((&0, &[]));
    let format = match kind % 3 {
        0 => Format::Hl7V2,
        1 => Format::Astm,
        _ => Format::Fhir,
    };
    let mut sources = Vec::new();
    let mut results = 0;
    // A zero byte ends one record and begins the next.
    for (record, bytes) in (1..).zip(rest.split(|byte| *byte == 0).take(8)) {
        let Some(report) = Report::read(format, bytes) else { continue };
        assert!((1..=RESULTS_MAX).contains(&report.results()));
        results += report.results();
        let kept = "2026-11-27T08:00:00Z".to_owned();
        sources.push(Source { record, kept, report });
    }
    let lines = cumulate(sources);
    let values = lines.iter().flat_map(|line| &line.values);
    let stand: usize = values.clone().map(|one| 1 + one.replaced.len()).sum();
    assert!(stand <= results);
    for one in values {
        let _ = one.reading();
        let _ = labward_report::Range::of(&one.range);
    }
}
