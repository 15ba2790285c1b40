//! Giving back.

use std::fs::{self, File, FileTimes};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;
use std::thread;
use std::time::{Duration, SystemTime};

use rustix::fs::{XattrFlags, getxattr, setxattr};

use crate::{Lab, Test, bad, cat, until, was_read};

pub(super) const TESTS: &[Test] = &[
    (
        "what_is_given_back_is_bit_for_bit_what_it_was_and_stays",
        what_is_given_back_is_bit_for_bit_what_it_was_and_stays,
    ),
    (
        "what_is_given_back_replaces_nothing",
        what_is_given_back_replaces_nothing,
    ),
    (
        "what_breaks_off_while_it_comes_back_is_fetched_again_until_it_stands",
        what_breaks_off_while_it_comes_back_is_fetched_again_until_it_stands,
    ),
    (
        "a_guard_that_is_killed_while_it_gives_back_leaves_no_half_of_it",
        a_guard_that_is_killed_while_it_gives_back_leaves_no_half_of_it,
    ),
];

/// Owner rwx, the account 1000 r, group r, mask r, others nothing, as the kernel writes it.
const ACL: &[u8] = &[
    2, 0, 0, 0, 1, 0, 7, 0, 255, 255, 255, 255, 2, 0, 4, 0, 232, 3, 0, 0, 4, 0, 4, 0, 255, 255,
    255, 255, 16, 0, 4, 0, 255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255,
];
const ACL_NAME: &str = "system.posix_acl_access";

/// Everything of a file but its inode.
fn particulars(path: &Path) -> (Vec<u8>, u32, u32, u32, i64, i64, Vec<Vec<u8>>) {
    let facts = fs::metadata(path).unwrap();
    let attributes = ["user.origin", ACL_NAME].map(|name| {
        let mut value = vec![0; 1_024];
        let length = getxattr(path, name, &mut value[..]).unwrap_or(0);
        value[..length].to_vec()
    });
    (
        fs::read(path).unwrap(),
        facts.mode(),
        facts.uid(),
        facts.gid(),
        facts.mtime(),
        facts.mtime_nsec(),
        attributes.to_vec(),
    )
}

fn what_is_given_back_is_bit_for_bit_what_it_was_and_stays() {
    let lab = Lab::new();
    let path = lab.file("ward/result.com");
    fs::create_dir(lab.file("ward")).unwrap();
    fs::write(&path, bad("result")).unwrap();
    setxattr(&path, "user.origin", b"the analyzer\0", XattrFlags::empty()).unwrap();
    if let Err(error) = setxattr(&path, ACL_NAME, ACL, XattrFlags::empty()) {
        eprintln!("labward-skip: an access control list: {error}");
    }
    chown(&path, Some(1_234), Some(2_345)).unwrap();
    let then = SystemTime::UNIX_EPOCH + Duration::new(1_600_000_000, 123_456_789);
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_times(FileTimes::new().set_modified(then))
        .unwrap();
    let before = particulars(&path);
    let guard = lab.guard("block", "unwell = \"deny\"");
    until(|| !path.exists(), "it is removed");
    lab.server.give_back(0);
    until(|| path.exists(), "it is back");
    assert_eq!(particulars(&path), before);
    guard.says("guard.given-back folder=intake item=0");
    assert!(
        guard.said().contains("other-name=false differs="),
        "{}",
        guard.said()
    );
    was_read(&cat(&path), &bad("result"));
    // It is the same file after a change of its rights, and after the guard was started again.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    was_read(&cat(&path), &bad("result"));
    guard.kill();
    let _guard = lab.guard("block", "unwell = \"deny\"");
    thread::sleep(Duration::from_secs(1));
    was_read(&cat(&path), &bad("result"));
    // A copy is another file, and so is it with other bytes.
    fs::write(lab.file("copy"), bad("result")).unwrap();
    until(|| !lab.file("copy").exists(), "a copy is found");
    fs::write(&path, bad("another")).unwrap();
    until(|| !path.exists(), "other bytes are found");
    assert!(lab.is_kept(&bad("another")));
}

fn what_is_given_back_replaces_nothing() {
    let lab = Lab::new();
    let content = lab.write_bad("name");
    let guard = lab.guard("watch", "");
    until(|| !lab.file("name").exists(), "it is removed");
    fs::write(lab.file("name"), b"a newer result").unwrap();
    lab.server.give_back(0);
    until(
        || lab.file("name.given-back-0").exists(),
        "it stands beside",
    );
    assert_eq!(fs::read(lab.file("name.given-back-0")).unwrap(), content);
    assert_eq!(fs::read(lab.file("name")).unwrap(), b"a newer result");
    guard.says("other-name=true");
}

/// A malicious file of some pieces, so that half of it is not all that is written at once.
fn large() -> Vec<u8> {
    let mut content = bad("large");
    content.resize(1 << 20, b'.');
    content
}

fn what_breaks_off_while_it_comes_back_is_fetched_again_until_it_stands() {
    let lab = Lab::new();
    let path = lab.file("large");
    fs::write(&path, large()).unwrap();
    let guard = lab.guard("watch", "");
    until(|| !path.exists(), "it is removed");
    lab.server.break_off(3, false);
    lab.server.give_back(0);
    let broken = Some("broken-off");
    until(
        || lab.server.heard(0, "not-written-back", broken),
        "the server hears that it broke off",
    );
    assert!(!path.exists(), "no half of it stands under its name");
    until(|| path.exists(), "it is back");
    assert_eq!(fs::read(&path).unwrap(), large());
    until(
        || lab.server.outcome(0) == Some(("written-back".to_owned(), None)),
        "the server hears that it stands",
    );
    assert_eq!(lab.server.takes(), 4);
    assert_eq!(fs::read_dir(&lab.folder).unwrap().count(), 1);
    guard.says("guard.not-given-back folder=intake item=0 why=broken-off");
    // It is not written again, though whoever got it moved it.
    fs::rename(&path, lab.own.join("moved")).unwrap();
    thread::sleep(Duration::from_secs(3));
    assert!(!path.exists() && lab.server.takes() == 4);
}

fn a_guard_that_is_killed_while_it_gives_back_leaves_no_half_of_it() {
    let lab = Lab::new();
    let path = lab.file("large");
    fs::write(&path, large()).unwrap();
    let guard = lab.guard("watch", "");
    until(|| !path.exists(), "it is removed");
    lab.server.break_off(1, true);
    lab.server.give_back(0);
    until(|| lab.server.takes() == 1, "it is asked for");
    let begun = || {
        let room = fs::read_dir(&lab.folder).unwrap().next();
        room.and_then(|room| fs::metadata(room.unwrap().path().join("begun")).ok())
    };
    until(
        || begun().is_some_and(|facts| facts.len() > 0),
        "half of it",
    );
    guard.kill();
    assert!(begun().is_some());
    let _guard = lab.guard("watch", "");
    until(|| path.exists(), "it is given back anew");
    assert_eq!(fs::read(&path).unwrap(), large());
    until(
        || fs::read_dir(&lab.folder).unwrap().count() == 1,
        "nothing of the first half is left, nor called recovered",
    );
    assert_eq!(lab.server.items().len(), 1);
}
