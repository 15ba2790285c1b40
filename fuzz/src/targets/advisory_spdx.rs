//! Any bytes as SPDX: packages within bounds, or an error.

use labward_advisory::Limits;
use labward_advisory::spdx::Spdx;

pub fn run(data: &[u8]) {
    let limits = Limits {
        max_entries: 20,
        max_flaws: 20,
        ..Limits::sbom()
    };
    let Ok(spdx) = Spdx::parse(data, &limits) else { return };
    assert!(spdx.packages.len() <= 20 && spdx.relationships.len() <= 20);
}
