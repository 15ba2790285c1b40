//! Any bytes as EPSS scores: rows within bounds, sorted and found again, or an error.

use labward_advisory::Limits;
use labward_advisory::epss::Scores;

pub fn run(data: &[u8]) {
    let limits = Limits {
        max_entries: 50,
        max_flaws: 20,
        ..Limits::default()
    };
    let Ok(scores) = Scores::parse(data, &limits) else { return };
    assert!(scores.rows().len() <= 50);
    for row in scores.rows() {
        assert!((0.0..=1.0).contains(&row.probability));
        assert_eq!(scores.get(&row.cve), Some(row));
    }
}
