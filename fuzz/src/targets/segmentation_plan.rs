//! Any bytes as a plan: one that is read back as written, and a ruleset whose hash no trial changes, or an error.

use std::time::Duration;

use labward_segmentation::{Plan, Ruleset};

pub fn run(data: &[u8]) {
    let Ok(plan) = Plan::read(data) else { return };
    let text = plan.write().expect("a plan is JSON");
    assert_eq!(Plan::read(text.as_bytes()).as_ref(), Ok(&plan));
    let rows: usize = plan.devices().iter().map(|device| device.conduits.len()).sum();
    let table = plan.csv().expect("a table");
    assert!(table.lines().count() > rows);
    let Ok(ruleset) = Ruleset::of(&plan) else { return };
    for text in [plan.legend(), plan.access_lists(), ruleset.nft(Some(Duration::from_secs(1)))] {
        // Nothing from outside but what was made harmless.
        assert!(text.is_ascii() && !text.contains(['\u{1b}', '\r']));
    }
    assert!(ruleset.nft(None).contains(&ruleset.hash().to_string()));
}
