//! Any bytes as OSV: vulnerabilities within bounds, or an error.

use labward_advisory::Limits;
use labward_advisory::osv::Osv;

pub fn run(data: &[u8]) {
    let limits = Limits {
        max_entries: 20,
        max_flaws: 20,
        ..Limits::default()
    };
    let Ok(osv) = Osv::parse(data, &limits) else { return };
    assert!(!osv.vulnerabilities.is_empty() && osv.vulnerabilities.len() <= 20);
}
