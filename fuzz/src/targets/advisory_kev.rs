//! Any bytes as the catalog of CISA: a catalog within bounds, or an error.

use labward_advisory::Limits;
use labward_advisory::kev::Catalog;

pub fn run(data: &[u8]) {
    let limits = Limits {
        max_entries: 20,
        max_flaws: 20,
        ..Limits::default()
    };
    let Ok(catalog) = Catalog::parse(data, &limits) else { return };
    assert!(catalog.entries.len() <= 20);
    assert!(catalog.flaws.listed().len() <= 20);
}
