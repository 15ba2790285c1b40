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
