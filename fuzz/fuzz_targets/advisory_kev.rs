//! Any bytes as the catalog of CISA: a catalog within bounds, or an error.
#![no_main]

use labward_advisory::Limits;
use labward_advisory::kev::Catalog;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let limits = Limits {
        max_entries: 20,
        max_flaws: 20,
        ..Limits::default()
    };
    let Ok(catalog) = Catalog::parse(data, &limits) else { return };
    assert!(catalog.entries.len() <= 20);
    assert!(catalog.flaws.listed().len() <= 20);
});
