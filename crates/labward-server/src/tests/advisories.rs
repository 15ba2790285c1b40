//! Sources of advisories that are configured: a folder is read by itself, and one that cannot be read is told.

use std::fs;
use std::time::Duration;

use labward_api::advisory::Advisories;
use labward_api::status::Check;
use labward_testkit::{FakeClock, TempDir};

use super::bad_days::advisory;
use super::testbench::{Installation, get, until};
use crate::config::Config;

#[test]
fn a_folder_is_read_by_itself_and_a_source_that_was_never_read_is_a_finding() {
    let folder = TempDir::new();
    fs::write(folder.join("a.json"), advisory(1)).unwrap();
    fs::write(folder.join("b.json"), "{\"document\": 7").unwrap();
    let text = format!(
        "version = 1\n[[advisory_source]]\nname = \"here\"\nfolder = {:?}\n\
         [[advisory_source]]\nname = \"nowhere\"\nfolder = \"/nonexistent/advisories\"\n",
        folder.path()
    );
    let installation = Installation::new(Config::parse(&text).unwrap());
    let clock = FakeClock::default();
    let app = installation.start_at(&clock);
    until("the folder to be read", || {
        let held: Advisories = get(&app, "advisories");
        (held.total == 1).then_some(())
    });
    let held: Advisories = get(&app, "advisories");
    let sources = held.sources.iter();
    let sources: Vec<(&str, u64, bool)> = sources
        .map(|one| (one.name.as_str(), one.refused, one.checked.is_some()))
        .collect();
    assert_eq!(sources, [("here", 1, true), ("nowhere", 0, false)]);
    let why = until("the other folder to fail", || {
        let held: Advisories = get(&app, "advisories");
        held.sources[1].failure.clone()
    });
    assert!(why.starts_with("/nonexistent/advisories: "), "{why}");
    let stale = || {
        let check: Check = get(&app, "check");
        let mut findings = check.findings.into_iter();
        findings.find(|one| one.code == "check.advisories-stale")
    };
    assert!(stale().is_none(), "it has only begun");
    clock.advance(Duration::from_secs(1_000));
    assert!(format!("{:?}", stale()).contains("nowhere"));
    app.shutdown().unwrap();
}
