//! Races, kills and full disks: no other file is ever removed, and no byte is lost.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use labward_testkit::{Random, TempDir};

use crate::server::Mood;
use crate::{Guard, Lab, Test, bad, cat, until, was_denied};

pub(super) const TESTS: &[Test] = &[
    (
        "whoever_exchanges_files_gets_no_other_file_removed_and_nothing_is_lost",
        whoever_exchanges_files_gets_no_other_file_removed_and_nothing_is_lost,
    ),
    (
        "every_name_of_a_file_is_found",
        every_name_of_a_file_is_found,
    ),
    (
        "a_guard_that_is_killed_in_quarantine_loses_nothing",
        a_guard_that_is_killed_in_quarantine_loses_nothing,
    ),
    (
        "what_a_crash_left_is_looked_at_and_comes_back_unless_it_is_malicious",
        what_a_crash_left_is_looked_at_and_comes_back_unless_it_is_malicious,
    ),
    (
        "while_the_server_cannot_keep_it_nothing_is_removed",
        while_the_server_cannot_keep_it_nothing_is_removed,
    ),
    (
        "a_lost_answer_puts_nothing_into_quarantine_twice",
        a_lost_answer_puts_nothing_into_quarantine_twice,
    ),
    (
        "the_server_hears_that_a_file_was_removed_or_why_not",
        the_server_hears_that_a_file_was_removed_or_why_not,
    ),
    (
        "what_was_removed_when_nobody_could_be_told_is_told_after_a_restart",
        what_was_removed_when_nobody_could_be_told_is_told_after_a_restart,
    ),
];

/// How often files are exchanged under the guard.
const ROUNDS: usize = 200;
/// How often it is killed.
const KILLS: usize = 50;

/// Every content below a folder, without following links.
fn contents(folder: &Path) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if kind.is_dir() {
            all.extend(contents(&entry.path()));
        } else if kind.is_file() {
            all.extend(fs::read(entry.path()));
        }
    }
    all
}

/// How many files right in a folder nobody may read.
fn denied(folder: &Path) -> usize {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let files = names.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    let refused = files.filter(|entry| fs::read(entry.path()).is_err());
    refused.count()
}

/// Whether a content stands below the folder; looked for twice, for it may be moved between two folders meanwhile.
fn stands(lab: &Lab, content: &[u8]) -> bool {
    (0..50).any(|_| contents(lab.folder.path()).iter().any(|one| one == content))
}

fn whoever_exchanges_files_gets_no_other_file_removed_and_nothing_is_lost() {
    let lab = Lab::new();
    let outside = TempDir::new();
    fs::write(outside.join("victim"), bad("victim")).unwrap();
    let guard = lab.guard("block", "unwell = \"deny\"");
    let mut random = Random::new(7);
    let (mut bad_ones, mut clean_ones) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let name = format!("file-{round}");
        let clean = format!("clean {round}").into_bytes();
        fs::write(outside.join(&name), &clean).unwrap();
        bad_ones.push(lab.write_bad(&name));
        clean_ones.push(clean);
        thread::scope(|scope| {
            if round % 2 == 0 {
                // Somebody opens it, so that it is looked at now.
                scope.spawn(|| fs::read(lab.file(&name)));
            }
            // From before it is looked at until after it is removed.
            thread::sleep(Duration::from_micros(random.below(130_000)));
            exchange(&lab, &outside, &name, round);
        });
    }
    assert!(outside.join("victim").exists());
    assert_eq!(fs::read(outside.join("victim")).unwrap(), bad("victim"));
    for clean in &clean_ones {
        assert!(
            stands(&lab, clean),
            "{} is lost",
            String::from_utf8_lossy(clean)
        );
    }
    until(
        || bad_ones.iter().all(|one| lab.is_kept(one)),
        "each of them is found",
    );
    until(|| denied(lab.folder.path()) == 0, "each of them is removed");
    let said = guard.said();
    guard.kill();
    let standing = contents(lab.folder.path());
    assert!(clean_ones.iter().all(|clean| standing.contains(clean)));
    assert!(!bad_ones.iter().any(|bad| standing.contains(bad)));
    let count = |what: &str| said.matches(what).count();
    println!(
        "  {ROUNDS} rounds: {} removed, {} not removed at first ({} changed, {} not there, {} displaced)",
        count("guard.quarantined"),
        count("guard.not-removed"),
        count("removal.changed"),
        count("removal.not-there"),
        count("guard.displaced"),
    );
}

/// Puts something else in the place of a file, and never writes over anything itself.
fn exchange(lab: &Lab, outside: &TempDir, name: &str, round: usize) {
    let path = lab.file(name);
    let aside = lab.file(&format!("{name}.aside"));
    // It may be gone already.
    let moved = fs::rename(&path, &aside).is_ok();
    match round % 4 {
        0 => {
            let _ = symlink(outside.join("victim"), &path);
        }
        1 if moved => {
            // A second name, which stays malicious.
            let _ = fs::hard_link(&aside, &path);
        }
        _ => {}
    }
    let other = lab.file(&format!("{name}.clean"));
    let to = if round % 4 > 1 { &path } else { &other };
    fs::hard_link(outside.join(name), to)
        .or_else(|_| fs::hard_link(outside.join(name), &other))
        .unwrap();
    fs::remove_file(outside.join(name)).unwrap();
}

fn every_name_of_a_file_is_found() {
    let lab = Lab::new();
    let outside = TempDir::new();
    fs::write(outside.join("first"), bad("links")).unwrap();
    fs::create_dir(lab.file("a")).unwrap();
    for name in ["one", "a/two"] {
        fs::hard_link(outside.join("first"), lab.file(name)).unwrap();
    }
    let guard = lab.guard("watch", "");
    until(
        || !lab.file("one").exists() && !lab.file("a/two").exists(),
        "both names",
    );
    assert!(lab.is_kept(&bad("links")));
    // That another name is left elsewhere is told; it is not this guard's to remove.
    guard.says("links-left=1");
    assert_eq!(fs::read(outside.join("first")).unwrap(), bad("links"));
}

fn a_guard_that_is_killed_in_quarantine_loses_nothing() {
    let lab = Lab::new();
    let config = lab.config("watch", "");
    let mut random = Random::new(11);
    let mut all: Vec<Vec<u8>> = Vec::new();
    let (mut in_rooms, mut with_work) = (0, 0);
    for round in 0..KILLS {
        for number in 0..20 {
            all.push(lab.write_bad(&format!("file-{round}-{number}")));
        }
        let before = lab.server.items().len();
        let guard = Guard::start(&config, &lab.own.join("out"));
        // So that the kill falls between the first file and the last.
        thread::sleep(Duration::from_micros(random.below(150_000)));
        guard.kill();
        let items = lab.server.items();
        with_work += usize::from(items.len() > before && items.len() < all.len());
        let standing = contents(lab.folder.path());
        for content in &all {
            let is_safe = standing.contains(content) || items.contains(content);
            assert!(is_safe, "lost: {}", String::from_utf8_lossy(content));
        }
        in_rooms += rooms(&lab);
    }
    println!(
        "  {KILLS} kills, {with_work} of them amid the work; {in_rooms} left a file or folder of the guard's"
    );
    let guard = Guard::start(&config, &lab.own.join("out"));
    until(
        || contents(lab.folder.path()).is_empty(),
        "everything is put into quarantine",
    );
    until(|| rooms(&lab) == 0, "nothing of the guard's is left");
    let items = lab.server.items();
    assert!(all.iter().all(|content| items.contains(content)));
    drop(guard);
}

fn what_a_crash_left_is_looked_at_and_comes_back_unless_it_is_malicious() {
    let lab = Lab::new();
    fs::create_dir(lab.file("a")).unwrap();
    let contents: [(&str, &[u8]); 2] = [("1", &bad("left")), ("2", b"a result")];
    for (digit, content) in contents {
        let room = lab.file(&format!("a/.labward-{}", digit.repeat(16)));
        fs::create_dir(&room).unwrap();
        fs::write(room.join("held"), content).unwrap();
    }
    fs::create_dir(lab.file("a/.labward-3333333333333333")).unwrap();
    // A folder of somebody who chose such a name, and one who hides something in it.
    fs::create_dir(lab.file(".labward-mine")).unwrap();
    fs::write(lab.file(".labward-mine/hidden"), bad("hidden")).unwrap();
    fs::write(lab.file(".labward-mine/notes"), b"notes").unwrap();
    let _guard = lab.guard("watch", "");
    let back = lab.file("a/recovered-2222222222222222");
    until(|| back.exists(), "what is clean comes back");
    assert_eq!(fs::read(&back).unwrap(), b"a result");
    until(
        || lab.is_kept(&bad("left")) && lab.is_kept(&bad("hidden")),
        "what is bad",
    );
    until(
        || fs::read_dir(lab.file("a")).unwrap().count() == 1,
        "the rooms are gone",
    );
    until(
        || !lab.file(".labward-mine/hidden").exists(),
        "a name hides nothing",
    );
    assert_eq!(fs::read(lab.file(".labward-mine/notes")).unwrap(), b"notes");
}

/// How many folders of the guard's own stand in the watched one.
fn rooms(lab: &Lab) -> usize {
    let names = fs::read_dir(lab.folder.path()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name());
    names
        .filter(|name| name.to_string_lossy().starts_with(".labward-"))
        .count()
}

fn while_the_server_cannot_keep_it_nothing_is_removed() {
    let lab = Lab::new();
    lab.server.set(Mood::IsFull);
    let guard = lab.guard("block", "unwell = \"deny\"\nretries = 50");
    let content = lab.write_bad("bad");
    was_denied(&cat(&lab.file("bad")));
    guard.says("quarantine.unwritable");
    until(|| lab.server.looks("bad") >= 3, "it is tried again");
    was_denied(&cat(&lab.file("bad")));
    let length = fs::metadata(lab.file("bad")).unwrap().len();
    assert_eq!(length, u64::try_from(content.len()).unwrap());
    assert!(lab.server.items().is_empty());
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            // Openings meanwhile change nothing about it.
            while !stop.load(Ordering::Relaxed) {
                let _ = cat(&lab.file("bad"));
            }
        });
        lab.server.set(Mood::IsWell);
        until(
            || !lab.file("bad").exists(),
            "it is removed once it is kept",
        );
        stop.store(true, Ordering::Relaxed);
    });
    assert!(lab.is_kept(&content));
}

fn a_lost_answer_puts_nothing_into_quarantine_twice() {
    let lab = Lab::new();
    lab.server.lose_answers(3);
    let content = lab.write_bad("bad");
    let _guard = lab.guard("watch", "retries = 50");
    until(|| !lab.file("bad").exists(), "it is removed");
    assert!(lab.server.looks("bad") >= 4, "each lost one is sent again");
    assert_eq!(lab.server.items(), [content]);
    // The same file once more, removed before: that is another event.
    let again = lab.write_bad("bad");
    until(|| !lab.file("bad").exists(), "it is removed again");
    assert_eq!(lab.server.items(), [again.clone(), again]);
}

fn the_server_hears_that_a_file_was_removed_or_why_not() {
    let lab = Lab::new();
    lab.write_bad("bad");
    let writer = File::options().append(true).open(lab.file("bad")).unwrap();
    let guard = lab.guard("watch", "retries = 50");
    let why = Some("still-written");
    until(|| lab.server.heard(0, "not-removed", why), "why not");
    assert!(lab.file("bad").exists());
    assert!(!lab.server.heard(0, "removed", None));
    drop(writer);
    until(|| lab.server.heard(0, "removed", None), "that it was");
    assert!(!lab.file("bad").exists());
    assert_eq!(
        lab.server.items().len(),
        1,
        "it was tried again, not sealed again"
    );
    guard.says("guard.quarantined");
}

fn what_was_removed_when_nobody_could_be_told_is_told_after_a_restart() {
    let lab = Lab::new();
    lab.server.be_deaf(true);
    lab.write_bad("bad");
    let guard = lab.guard("watch", "");
    until(|| !lab.file("bad").exists(), "it is removed");
    guard.kill();
    assert_eq!(lab.server.outcome(0), None);
    lab.server.be_deaf(false);
    let _guard = lab.guard("watch", "");
    let gone = Some(("gone".to_owned(), None));
    until(|| lab.server.outcome(0) == gone, "that it is not there");
}
