//! Watched folders on other file systems: those that are there wherever this test can run, and those that
//! `LABWARD_GUARD_FOLDERS` names, as in `fuseblk=/mnt/stick,fuse.sshfs=/mnt/share=/srv/share`: the kind, the folder,
//! and where what another machine would write is written.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use labward_testkit::TempDir;

use crate::{Guard, Lab, Test, bad, cat, until, was_denied, was_read};

pub(super) const TESTS: &[Test] = &[
    (
        "a_folder_is_guarded_on_tmpfs_and_overlay",
        a_folder_is_guarded_on_tmpfs_and_overlay,
    ),
    (
        "changes_that_the_kernel_does_not_tell_are_looked_for",
        changes_that_the_kernel_does_not_tell_are_looked_for,
    ),
];

/// Something that is mounted; gone when dropped.
struct Mounted(PathBuf);

impl Mounted {
    fn new(kind: &str, options: &str, at: &Path) -> Self {
        fs::create_dir_all(at).unwrap();
        let done = Command::new("mount")
            .args(["-t", kind, "-o", options, kind])
            .arg(at)
            .output()
            .unwrap();
        assert!(done.status.success(), "{kind}: {done:?}");
        Self(at.to_owned())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// An overlay on a tmpfs: what is mounted, and where its lower and its upper layer lie.
fn overlay(at: &TempDir) -> (Mounted, Mounted, PathBuf, PathBuf) {
    let below = Mounted::new("tmpfs", "size=64m", &at.join("layers"));
    let [lower, upper, work] = ["lower", "upper", "work"].map(|name| below.0.join(name));
    for layer in [&lower, &upper, &work] {
        fs::create_dir(layer).unwrap();
    }
    let options = format!(
        "lowerdir={},upperdir={},workdir={}",
        lower.display(),
        upper.display(),
        work.display()
    );
    let merged = Mounted::new("overlay", &options, &at.join("merged"));
    (merged, below, lower, upper)
}

fn guard_at(lab: &Lab, path: &Path, more: &str) -> Guard {
    let folder = format!(
        "[[folder]]\nname = \"intake\"\npath = \"{}\"\n{more}\n",
        path.display()
    );
    let socket = format!("socket = \"{}\"", lab.server.socket().display());
    Guard::start(&lab.config_of(&socket, &folder), &lab.own.join("out"))
}

/// Blocks, removes, gives back, and finds what is there, written and moved in.
fn is_guarded(path: &Path, kind: &str) {
    let lab = Lab::new();
    fs::create_dir(path.join("a")).unwrap();
    fs::write(path.join("a/there"), bad("there")).unwrap();
    let guard = guard_at(&lab, path, "mode = \"block\"\nunwell = \"deny\"");
    let is_shared = kind.starts_with("fuse") && kind != "fuseblk";
    let changes = if is_shared { "polled" } else { "told" };
    let says = format!("file-system={kind} changes={changes}");
    assert!(guard.said().contains(&says), "{}", guard.said());
    until(|| !path.join("a/there").exists(), "what was there");
    fs::write(path.join("clean"), b"a result").unwrap();
    was_read(&cat(&path.join("clean")), b"a result");
    let writer = fs::File::create(path.join("bad")).unwrap();
    fs::write(path.join("bad"), bad("bad")).unwrap();
    was_denied(&cat(&path.join("bad")));
    drop(writer);
    until(|| !path.join("bad").exists(), "what was written");
    fs::create_dir(path.join("b")).unwrap();
    fs::write(path.join("b/new"), bad("new")).unwrap();
    until(|| !path.join("b/new").exists(), "in a new folder");
    let items = lab.server.items();
    let item = items.iter().position(|item| *item == bad("there")).unwrap();
    lab.server.give_back(item);
    let back = || fs::metadata(path.join("a/there")).is_ok_and(|facts| facts.len() > 0);
    until(back, "it is given back");
    was_read(&cat(&path.join("a/there")), &bad("there"));
    if !is_shared {
        // Where times change by themselves, a file may be sealed as it was and as it is.
        assert_eq!(lab.server.items().len(), 3);
    }
}

fn a_folder_is_guarded_on_tmpfs_and_overlay() {
    let at = TempDir::new();
    let tmpfs = Mounted::new("tmpfs", "size=64m", &at.join("tmpfs"));
    is_guarded(&tmpfs.0, "tmpfs");
    let (merged, ..) = overlay(&at);
    is_guarded(&merged.0, "overlay");
    let more = std::env::var("LABWARD_GUARD_FOLDERS").unwrap_or_default();
    for one in more.split(',').filter(|one| !one.is_empty()) {
        println!("  {one}");
        let mut parts = one.split('=');
        let (kind, path) = (parts.next().unwrap(), Path::new(parts.next().unwrap()));
        is_guarded(path, kind);
        if let Some(behind) = parts.next() {
            is_found_behind(path, Path::new(behind));
        }
    }
}

/// What another machine writes is found without being told.
fn is_found_behind(path: &Path, behind: &Path) {
    let lab = Lab::new();
    let guard = guard_at(&lab, path, "mode = \"watch\"");
    guard.says("changes=polled");
    thread::sleep(Duration::from_secs(2));
    let began = Instant::now();
    fs::write(behind.join("elsewhere"), bad("elsewhere")).unwrap();
    until(|| !behind.join("elsewhere").exists(), "it is looked for");
    println!("  what another machine wrote: {:.1?}", began.elapsed());
    assert!(lab.is_kept(&bad("elsewhere")));
}

fn changes_that_the_kernel_does_not_tell_are_looked_for() {
    let at = TempDir::new();
    // What is written into a layer passes the overlay by, as what another machine writes passes a mounted share by.
    let (merged, _below, _, upper) = overlay(&at);
    let lab = Lab::new();
    let guard = guard_at(&lab, &merged.0, "mode = \"watch\"");
    guard.says("changes=told");
    thread::sleep(Duration::from_secs(1));
    fs::write(upper.join("elsewhere"), bad("elsewhere")).unwrap();
    thread::sleep(Duration::from_secs(12));
    assert!(merged.0.join("elsewhere").exists(), "nobody tells of it");
    guard.kill();
    fs::remove_file(merged.0.join("elsewhere")).unwrap();
    let guard = guard_at(&lab, &merged.0, "mode = \"watch\"\nchanges = \"polled\"");
    guard.says("file-system=overlay changes=polled");
    thread::sleep(Duration::from_secs(1));
    fs::write(upper.join("again"), bad("again")).unwrap();
    until(|| lab.is_kept(&bad("again")), "it is looked for");
    until(|| !merged.0.join("again").exists(), "and removed");
    assert!(!lab.is_kept(&bad("elsewhere")));
}
