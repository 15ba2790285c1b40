//! Any bytes as the release data of endoflife.date: releases within bounds, or an error.

use labward_advisory::Limits;
use labward_advisory::eol::ReleaseData;

pub fn run(data: &[u8]) {
    let limits = Limits {
        max_entries: 20,
        max_flaws: 20,
        ..Limits::default()
    };
    let Ok(data) = ReleaseData::parse(data, &limits) else { return };
    assert!(data.releases.len() <= 20);
    assert!(data.flaws.listed().len() <= 20);
}
