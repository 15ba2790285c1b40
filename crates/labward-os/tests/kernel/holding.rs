//! Files that are held on a disk that is full, and by an ordinary account.
//!
//! The disk is a small one, mounted where only a process of its own sees it.

use std::ffi::OsStr;
use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use labward_os::held::{Difference, HeldFolder, Removal};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::thread::{UnshareFlags, unshare_unsafe};

use super::{PART, SELF, Test};

/// What the part says if it may not mount.
const CANNOT: u8 = 4;
/// Any folder: the disk lies over it for this process alone.
const DISK: &str = "/tmp";

pub(super) const TESTS: &[Test] = &[
    (
        "a_crash_while_removing_loses_no_file",
        a_crash_while_removing_loses_no_file,
    ),
    (
        "a_crash_while_restoring_leaves_no_half_of_a_file",
        a_crash_while_restoring_leaves_no_half_of_a_file,
    ),
    (
        "on_a_full_disk_nothing_is_lost_and_removal_still_works",
        on_a_full_disk_nothing_is_lost_and_removal_still_works,
    ),
    (
        "what_an_account_cannot_give_back_is_told_and_gives_no_rights",
        what_an_account_cannot_give_back_is_told_and_gives_no_rights,
    ),
];

/// Files of a round, more than one lives to deal with.
const FILES: usize = 400;
const CONTENT: &[u8] = &[0x5a; 40_000];

/// Starts a part on a folder of its own, kills it in the middle, and looks at what is left.
fn crash(part: &str, begin: impl Fn(&Path), check: impl Fn(&Path, &HeldFolder)) {
    for round in 1..=12 {
        let folder = std::env::temp_dir().join(format!("labward-{part}-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        begin(&folder);
        let mut child = Command::new(SELF)
            .args([PART, part])
            .arg(&folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // It says when it begins; how far it gets then differs from round to round.
        let mut said = [0; 6];
        child.stdout.take().unwrap().read_exact(&mut said).unwrap();
        std::thread::sleep(Duration::from_micros(700 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        check(&folder, &HeldFolder::open(&folder).unwrap());
        fs::remove_dir_all(&folder).unwrap();
    }
}

fn numbered(folder: &Path, number: usize) -> PathBuf {
    folder.join(number.to_string())
}

fn a_crash_while_removing_loses_no_file() {
    let begin = |folder: &Path| {
        for number in 0..FILES {
            fs::write(numbered(folder, number), CONTENT).unwrap();
        }
    };
    crash("remover", begin, |folder, held| {
        let left = held.leftovers().unwrap();
        assert!(left.len() <= 1, "{left:?}");
        let first = (0..FILES).find(|number| numbered(folder, *number).exists());
        let first = first.unwrap_or(FILES);
        for number in first..FILES {
            assert_eq!(fs::read(numbered(folder, number)).unwrap(), CONTENT);
        }
        // What was moved and not yet unlinked is whole, and can be put back.
        for leftover in left.iter().filter(|one| one.file.is_some()) {
            held.put_back(leftover, OsStr::new("back")).unwrap();
            assert_eq!(fs::read(folder.join("back")).unwrap(), CONTENT);
        }
    });
}

/// The part that removes one file after the other.
pub(super) fn remover(arguments: &[&str]) -> ExitCode {
    let folder = Path::new(arguments[0]);
    let held = HeldFolder::open(folder).unwrap();
    println!("begin");
    for number in 0..FILES {
        let file = held.file(Path::new(&number.to_string())).unwrap();
        file.remove_if_same(file.identity()).unwrap();
    }
    std::thread::park();
    ExitCode::SUCCESS
}

fn a_crash_while_restoring_leaves_no_half_of_a_file() {
    let begin = |folder: &Path| fs::write(folder.join("pattern"), b"").unwrap();
    crash("restorer", begin, |folder, held| {
        assert!(held.leftovers().unwrap().len() <= 1);
        for name in names(folder) {
            if name.parse::<usize>().is_err() {
                continue;
            }
            let path = folder.join(name);
            assert_eq!(fs::read(&path).unwrap(), CONTENT);
            assert_eq!(
                fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
                0o751
            );
        }
    });
}

/// The part that restores one file after the other.
pub(super) fn restorer(arguments: &[&str]) -> ExitCode {
    let held = HeldFolder::open(Path::new(arguments[0])).unwrap();
    let mut metadata = held.file(Path::new("pattern")).unwrap().metadata().unwrap();
    metadata.mode = 0o751;
    println!("begin");
    for number in 0..FILES {
        let mut begun = held.begin(OsStr::new(&number.to_string())).unwrap();
        begun.write_all(CONTENT).unwrap();
        begun.finish(&metadata).unwrap();
    }
    std::thread::park();
    ExitCode::SUCCESS
}

fn on_a_full_disk_nothing_is_lost_and_removal_still_works() {
    let output = Command::new(SELF)
        .args([PART, "full-disk"])
        .output()
        .unwrap();
    if output.status.code() == Some(CANNOT.into()) {
        eprintln!("labward-skip: on_a_full_disk: namespaces are not permitted");
        return;
    }
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

fn what_an_account_cannot_give_back_is_told_and_gives_no_rights() {
    if super::is_root() {
        // Root can; the second round is an ordinary account's.
        return;
    }
    let folder = std::env::temp_dir().join(format!("labward-ordinary-{}", std::process::id()));
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("file"), b"#!").unwrap();
    let held = HeldFolder::open(&folder).unwrap();
    let file = held.file(Path::new("file")).unwrap();
    let mut metadata = file.metadata().unwrap();
    let removed = file.remove_if_same(file.identity()).unwrap();
    assert_eq!(removed.code(), "removal.removed");
    // As it would be known of a file of root's that runs as root.
    metadata.owner = 0;
    metadata.group = 0;
    metadata.mode = 0o6755;
    let begun = held.begin(OsStr::new("file")).unwrap();
    let restored = begun.finish(&metadata).unwrap();
    assert_eq!(
        restored.differences,
        [Difference::Owner, Difference::Group, Difference::Mode]
    );
    let mode = fs::metadata(folder.join("file"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o755);
    fs::remove_dir_all(&folder).unwrap();
}

pub(super) fn part() -> ExitCode {
    let mut flags = UnshareFlags::NEWNS;
    let account = (
        labward_os::current_uid(),
        rustix::process::getgid().as_raw(),
    );
    let account = (!super::is_root()).then_some(account);
    if account.is_some() {
        flags |= UnshareFlags::NEWUSER;
    }
    // SAFETY: neither flag takes the table of descriptors apart.
    let own = unsafe { unshare_unsafe(flags) }.and_then(|()| {
        if let Some((user, group)) = account {
            // Without it no file could be made: it would belong to nobody at all.
            fs::write("/proc/self/uid_map", format!("{user} {user} 1")).unwrap();
            fs::write("/proc/self/setgroups", "deny").unwrap();
            fs::write("/proc/self/gid_map", format!("{group} {group} 1")).unwrap();
        }
        mount_change(
            "/",
            MountPropagationFlags::PRIVATE | MountPropagationFlags::REC,
        )?;
        let size = c"size=256k,nr_inodes=6";
        mount("none", DISK, "tmpfs", MountFlags::empty(), size)
    });
    if let Err(error) = own {
        eprintln!("{error}");
        return ExitCode::from(CANNOT);
    }
    let disk = Path::new(DISK);
    let held = HeldFolder::open(disk).unwrap();
    fs::write(disk.join("original"), vec![7; 100_000]).unwrap();
    let original = held.file(Path::new("original")).unwrap();
    no_room_for_the_bytes(&held, disk);
    no_room_for_a_folder(&held, disk);
    // Nothing of all this touched it, and it can still be removed.
    assert_eq!(original.identity_now().unwrap(), *original.identity());
    let removed = original.remove_if_same(original.identity()).unwrap();
    let expected = Removal::Removed {
        links_left: 0,
        private: false,
        unwritten: true,
    };
    assert_eq!(removed, expected);
    assert!(held.leftovers().unwrap().is_empty());
    ExitCode::SUCCESS
}

/// A restoration that does not fit leaves nothing, and what was there stays.
fn no_room_for_the_bytes(held: &HeldFolder, disk: &Path) {
    let mut begun = held.begin(OsStr::new("copy")).unwrap();
    let error = begun.write_all(&vec![8; 400_000]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    drop(begun);
    assert_eq!(names(disk), ["original"]);
    assert_eq!(fs::read(disk.join("original")).unwrap(), vec![7; 100_000]);
}

/// Where there is no room even for a folder, nothing can be begun.
fn no_room_for_a_folder(held: &HeldFolder, disk: &Path) {
    for count in 0.. {
        if fs::write(disk.join(format!("filler-{count}")), b"").is_err() {
            break;
        }
    }
    let error = held.begin(OsStr::new("copy")).unwrap_err();
    assert_eq!(error.kind(), Some(ErrorKind::StorageFull));
    assert!(held.leftovers().unwrap().is_empty());
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
