//! Watched folders on other file systems, as far as each kernel has them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

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
    let says = format!("file-system={kind} changes=told");
    assert!(guard.said().contains(&says), "{}", guard.said());
    until(|| !path.join("a/there").exists(), "what was there");
    fs::write(path.join("clean"), b"a result").unwrap();
    was_read(&cat(&path.join("clean")), b"a result");
    let writer = fs::File::create(path.join("bad")).unwrap();
    fs::write(path.join("bad"), bad("bad")).unwrap();
    was_denied(&cat(&path.join("bad")));
    drop(writer);
    until(|| !path.join("bad").exists(), "what was written");
    fs::write(path.parent().unwrap().join("moved"), bad("moved")).unwrap();
    fs::create_dir(path.join("b")).unwrap();
    fs::copy(path.parent().unwrap().join("moved"), path.join("b/moved")).unwrap();
    until(|| !path.join("b/moved").exists(), "in a new folder");
    let items = lab.server.items();
    let item = items.iter().position(|item| *item == bad("there")).unwrap();
    lab.server.give_back(item);
    until(|| path.join("a/there").exists(), "it is given back");
    was_read(&cat(&path.join("a/there")), &bad("there"));
    assert_eq!(lab.server.items().len(), 3);
}

fn a_folder_is_guarded_on_tmpfs_and_overlay() {
    let at = TempDir::new();
    let tmpfs = Mounted::new("tmpfs", "size=64m", &at.join("tmpfs"));
    is_guarded(&tmpfs.0, "tmpfs");
    let (merged, ..) = overlay(&at);
    is_guarded(&merged.0, "overlay");
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
