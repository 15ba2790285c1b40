//! What is held, removed and restored on a real file system, against a second thread.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rustix::fs::{
    FileType, IFlags, RenameFlags, Timespec, Timestamps, XattrFlags, ioctl_setflags, makedev,
    mknodat, renameat_with, setxattr, utimensat,
};

use super::*;

/// A folder of its own, removed when dropped.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("labward-held-{name}-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn hold(&self) -> HeldFolder {
        HeldFolder::open(&self.0).unwrap()
    }

    fn file(&self, name: impl AsRef<Path>, bytes: &[u8]) -> HeldFile {
        fs::write(self.0.join(&name), bytes).unwrap();
        self.hold().file(name.as_ref()).unwrap()
    }

    fn names(&self) -> Vec<OsString> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    }

    /// Whether files here take attributes of users.
    fn has_attributes(&self, test: &str) -> bool {
        let path = self.0.join("probe");
        fs::write(&path, b"").unwrap();
        let has = setxattr(&path, "user.probe", b"1", XattrFlags::empty()).is_ok();
        fs::remove_file(&path).unwrap();
        if !has {
            eprintln!("labward-skip: {test}: no user attributes on the temporary folder");
        }
        has
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn is_root() -> bool {
    crate::current_uid() == 0
}

const GONE: Removal = Removal::Removed {
    links_left: 0,
    private: true,
    unwritten: true,
};

fn remove(file: &HeldFile) -> Removal {
    file.remove_if_same(&file.identity_now().unwrap()).unwrap()
}

#[test]
fn no_path_leads_outside_and_no_link_is_followed() {
    let place = Place::new("paths");
    fs::create_dir_all(place.0.join("in/deep")).unwrap();
    fs::write(place.0.join("in/deep/file"), b"1").unwrap();
    symlink(place.0.join("in"), place.0.join("link")).unwrap();
    symlink("file", place.0.join("in/deep/link")).unwrap();
    let held = place.hold();
    for (path, code) in [
        ("/etc/passwd", "held.bad-path"),
        ("../labward", "held.bad-path"),
        ("in/../in/deep/file", "held.bad-path"),
        ("", "held.bad-path"),
        (".", "held.bad-path"),
        ("link/deep/file", "held.not-a-folder"),
        ("in/deep/file/more", "held.not-a-folder"),
        ("in/deep/link", "held.not-regular"),
        ("in/deep", "held.not-regular"),
        ("in/nothing", "held.refused"),
    ] {
        assert_eq!(
            held.file(Path::new(path)).unwrap_err().code(),
            code,
            "{path}"
        );
    }
    let file = held.file(Path::new("in/./deep//file")).unwrap();
    assert_eq!(file.name(), "file");
    let folder = held.folder(Path::new("in/deep")).unwrap();
    assert_eq!(
        folder.look(OsStr::new("file")).unwrap(),
        Some(*file.identity())
    );
    assert_eq!(folder.look(OsStr::new("none")).unwrap(), None);
    // A folder that is moved stays the one that is held.
    fs::rename(place.0.join("in"), place.0.join("moved")).unwrap();
    assert!(folder.file(Path::new("file")).is_ok());
}

#[test]
fn only_regular_files_are_opened_and_a_fifo_does_not_stop_it() {
    let place = Place::new("kinds");
    let held = place.hold();
    mknodat(&held.folder, "fifo", FileType::Fifo, Mode::RWXU, 0).unwrap();
    fs::create_dir(place.0.join("folder")).unwrap();
    symlink("/etc/passwd", place.0.join("link")).unwrap();
    let _socket = UnixListener::bind(place.0.join("socket")).unwrap();
    let mut kinds = vec![
        ("fifo", Kind::Fifo),
        ("folder", Kind::Folder),
        ("link", Kind::Link),
        ("socket", Kind::Socket),
    ];
    let null = makedev(1, 3);
    match mknodat(
        &held.folder,
        "null",
        FileType::CharacterDevice,
        Mode::RWXU,
        null,
    ) {
        Ok(()) => kinds.push(("null", Kind::CharacterDevice)),
        Err(_) => eprintln!("labward-skip: a device is not opened: no right to make one"),
    }
    for (name, expected) in kinds {
        match held.file(Path::new(name)).unwrap_err() {
            HeldError::NotRegular { kind, .. } => assert_eq!(kind, expected, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn names_are_bytes_of_any_kind_up_to_255() {
    let place = Place::new("names");
    let names = [
        b"\xff\xfe not UTF-8".to_vec(),
        b"new\nline".to_vec(),
        "\u{202e}fdp.exe".as_bytes().to_vec(),
        vec![b'x'; 255],
        b"-rf *".to_vec(),
    ]
    .map(OsString::from_vec);
    for name in &names {
        let file = place.file(name, b"bytes");
        let metadata = file.metadata().unwrap();
        assert_eq!(remove(&file), GONE, "{name:?}");
        let mut again = place.hold().begin(name).unwrap();
        again.write_all(b"bytes").unwrap();
        assert_eq!(again.finish(&metadata).unwrap().differences, []);
        assert_eq!(fs::read(place.0.join(name)).unwrap(), b"bytes");
    }
    assert_eq!(place.names().len(), names.len());
    let error = place.hold().file(Path::new("none\n\u{202e}")).unwrap_err();
    assert!(!error.to_string().contains(['\n', '\u{202e}']), "{error}");
    let long = "x".repeat(256);
    assert!(
        place
            .hold()
            .begin(OsStr::new(&long))
            .unwrap()
            .finish(&plain())
            .is_err()
    );
    assert_eq!(place.names().len(), names.len());
    for bad in ["", ".", "..", "a/b"] {
        let error = place.hold().begin(OsStr::new(bad)).unwrap_err();
        assert_eq!(error.code(), "held.bad-path");
    }
}

#[test]
fn a_file_is_removed_only_in_the_state_that_was_seen() {
    let place = Place::new("remove");
    let path = place.0.join("file");
    let file = place.file("file", b"one");
    fs::write(&path, b"two").unwrap();
    assert_eq!(
        file.remove_if_same(file.identity()).unwrap(),
        Removal::Changed
    );
    let file = place.file("file", b"one");
    fs::rename(&path, place.0.join("elsewhere")).unwrap();
    assert_eq!(remove(&file), Removal::NotThere);
    fs::write(&path, b"another").unwrap();
    assert_eq!(remove(&file), Removal::Changed);
    fs::remove_file(&path).unwrap();
    symlink("elsewhere", &path).unwrap();
    assert_eq!(remove(&file), Removal::Changed);
    assert_eq!(fs::read(place.0.join("elsewhere")).unwrap(), b"one");
    let file = place.hold().file(Path::new("elsewhere")).unwrap();
    assert_eq!(remove(&file), GONE);
    assert_eq!(place.names(), ["file"]);
}

#[test]
fn a_file_that_is_being_written_is_not_removed() {
    let place = Place::new("written");
    let file = place.file("file", b"one");
    let writer = fs::OpenOptions::new()
        .append(true)
        .open(place.0.join("file"))
        .unwrap();
    assert_eq!(remove(&file), Removal::StillWritten);
    drop(writer);
    // Readers do not matter.
    let _reader = File::open(place.0.join("file")).unwrap();
    assert_eq!(remove(&file), GONE);
}

#[test]
fn other_names_of_a_file_are_told_and_stay() {
    let place = Place::new("links");
    fs::write(place.0.join("file"), b"one").unwrap();
    fs::hard_link(place.0.join("file"), place.0.join("other")).unwrap();
    let file = place.hold().file(Path::new("file")).unwrap();
    assert_eq!(file.identity().links, 2);
    let removed = remove(&file);
    assert!(
        matches!(removed, Removal::Removed { links_left: 1, .. }),
        "{removed:?}"
    );
    assert_eq!(fs::read(place.0.join("other")).unwrap(), b"one");
}

#[test]
fn an_immutable_file_stands_and_comes_back_immutable() {
    let place = Place::new("immutable");
    let file = place.file("file", b"one");
    if ioctl_setflags(&file.file, IFlags::IMMUTABLE | IFlags::NODUMP).is_err() {
        eprintln!("labward-skip: an_immutable_file: no right or no such flag here");
        return;
    }
    let error = file
        .remove_if_same(&file.identity_now().unwrap())
        .unwrap_err();
    assert_eq!(error.kind(), Some(io::ErrorKind::PermissionDenied));
    assert_eq!(place.names(), ["file"]);
    let metadata = file.metadata().unwrap();
    ioctl_setflags(&file.file, IFlags::empty()).unwrap();
    assert_eq!(remove(&file), GONE);
    let restored = place
        .hold()
        .begin(OsStr::new("file"))
        .unwrap()
        .finish(&metadata);
    assert_eq!(restored.unwrap().differences, []);
    let file = place.hold().file(Path::new("file")).unwrap();
    assert_eq!(file.metadata().unwrap().flags, metadata.flags);
    assert!(fs::remove_file(place.0.join("file")).is_err());
    ioctl_setflags(&file.file, IFlags::empty()).unwrap();
}

/// An access control list as the kernel keeps it: tag, rights and account of each entry.
fn access_list() -> Vec<u8> {
    let mut bytes = 2_u32.to_le_bytes().to_vec();
    for (tag, rights, account) in [
        (0x01_u16, 6_u16, u32::MAX),
        (0x02, 4, 65_534),
        (0x04, 4, u32::MAX),
        (0x10, 4, u32::MAX),
        (0x20, 0, u32::MAX),
    ] {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(rights.to_le_bytes());
        bytes.extend(account.to_le_bytes());
    }
    bytes
}

/// The capability to bind to low ports, as the kernel keeps it.
fn capability() -> Vec<u8> {
    let words = [0x0200_0001_u32, 1 << 10, 0, 0, 0];
    words.into_iter().flat_map(u32::to_le_bytes).collect()
}

#[test]
fn everything_beside_the_bytes_comes_back_bit_for_bit() {
    let place = Place::new("metadata");
    if !place.has_attributes("everything_beside_the_bytes") {
        return;
    }
    let path = place.0.join("report.exe");
    let bytes: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    fs::write(&path, &bytes).unwrap();
    let set = |name: &str, value: &[u8]| setxattr(&path, name, value, XattrFlags::empty());
    set("user.binary", b"\0\xff\n").unwrap();
    set("user.empty", b"").unwrap();
    set("user.large", &[7; 2_000]).unwrap();
    let mut expected = vec!["user.binary", "user.empty", "user.large"];
    if is_root() {
        std::os::unix::fs::chown(&path, Some(1_234), Some(4_321)).unwrap();
        set("security.capability", &capability()).unwrap();
        expected.push("security.capability");
    } else {
        eprintln!("labward-skip: owner and capability come back: only root gives them");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    if set("system.posix_acl_access", &access_list()).is_ok() {
        expected.push("system.posix_acl_access");
    } else {
        eprintln!("labward-skip: an access control list comes back: none on this file system");
    }
    let moment = |tv_sec, tv_nsec| Timespec { tv_sec, tv_nsec };
    let times = Timestamps {
        last_access: moment(1_000_000_000, 123_456_789),
        last_modification: moment(-86_400, 987_654_321),
    };
    utimensat(CWD, &path, &times, rustix::fs::AtFlags::empty()).unwrap();

    let file = place.hold().file(Path::new("report.exe")).unwrap();
    let metadata = file.metadata().unwrap();
    expected.sort_unstable();
    assert_eq!(metadata.attributes.keys().collect::<Vec<_>>(), expected);
    assert_eq!(
        metadata.modified,
        Moment {
            seconds: -86_400,
            nanoseconds: 987_654_321
        }
    );
    let mut copy = Vec::new();
    file.reader().read_to_end(&mut copy).unwrap();
    assert_eq!(remove(&file), GONE);

    let mut again = place.hold().begin(OsStr::new("report.exe")).unwrap();
    again.write_all(&copy).unwrap();
    let restored = again.finish(&metadata).unwrap();
    assert_eq!(restored.differences, []);
    let now = place.hold().file(Path::new("report.exe")).unwrap();
    let changed = now.metadata().unwrap().changed;
    assert_eq!(
        now.metadata().unwrap(),
        Metadata {
            changed,
            ..metadata
        }
    );
    assert_eq!(*now.identity(), restored.identity);
    assert_eq!(fs::read(&path).unwrap(), bytes);
    assert_eq!(place.names(), ["report.exe"]);
}

#[test]
fn bits_that_run_as_the_owner_come_back_where_the_owner_does() {
    if !is_root() {
        eprintln!("labward-skip: bits_that_run_as_the_owner: only root gives files away");
        return;
    }
    let place = Place::new("setuid");
    let file = place.file("file", b"#!");
    std::os::unix::fs::chown(place.0.join("file"), Some(1_234), Some(4_321)).unwrap();
    fs::set_permissions(place.0.join("file"), fs::Permissions::from_mode(0o6755)).unwrap();
    let metadata = file.metadata().unwrap();
    assert_eq!(metadata.mode, 0o6755);
    assert_eq!(remove(&file), GONE);
    let restored = place
        .hold()
        .begin(OsStr::new("file"))
        .unwrap()
        .finish(&metadata);
    assert_eq!(restored.unwrap().differences, []);
    let mode = fs::metadata(place.0.join("file"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o6755);
}

#[test]
fn rights_that_a_folder_gives_to_new_files_are_not_given_to_an_old_one() {
    let place = Place::new("default");
    let file = place.file("file", b"one");
    let metadata = file.metadata().unwrap();
    assert_eq!(remove(&file), GONE);
    let list = access_list();
    if setxattr(
        &place.0,
        "system.posix_acl_default",
        &list,
        XattrFlags::empty(),
    )
    .is_err()
    {
        eprintln!("labward-skip: rights_that_a_folder_gives: no access control lists here");
        return;
    }
    let restored = place
        .hold()
        .begin(OsStr::new("file"))
        .unwrap()
        .finish(&metadata);
    assert_eq!(restored.unwrap().differences, []);
    assert!(
        place
            .hold()
            .file(Path::new("file"))
            .unwrap()
            .metadata()
            .unwrap()
            .attributes
            .is_empty()
    );
}

/// What stands beside the bytes of a file that nothing was done with.
fn plain() -> Metadata {
    let moment = Moment {
        seconds: 1,
        nanoseconds: 2,
    };
    Metadata {
        mode: 0o755,
        owner: crate::current_uid(),
        group: rustix::process::getgid().as_raw(),
        accessed: moment,
        modified: moment,
        changed: moment,
        attributes: std::collections::BTreeMap::new(),
        flags: None,
        links: 1,
    }
}

#[test]
fn a_file_that_is_not_finished_is_nowhere_and_nobodys_and_replaces_nothing() {
    let place = Place::new("begin");
    let mut begun = place.hold().begin(OsStr::new("file")).unwrap();
    begun.write_all(b"#!/bin/sh").unwrap();
    let names = place.names();
    let [room] = &names[..] else {
        panic!("{names:?}")
    };
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(place.0.join(room)), 0o700);
    assert_eq!(mode(place.0.join(room).join("begun")), 0o600);
    drop(begun);
    assert!(place.names().is_empty());
    fs::write(place.0.join("file"), b"first").unwrap();
    let begun = place.hold().begin(OsStr::new("file")).unwrap();
    assert_eq!(begun.finish(&plain()).unwrap_err().code(), "held.taken");
    assert_eq!(fs::read(place.0.join("file")).unwrap(), b"first");
    assert_eq!(place.names(), ["file"]);
    let begun = place.hold().begin(OsStr::new("file")).unwrap();
    let begun = begun.or_as(OsStr::new("file")).unwrap();
    let begun = begun.or_as(OsStr::new("other")).unwrap();
    assert_eq!(begun.finish(&plain()).unwrap().name, "other");
    let begun = place.hold().begin(OsStr::new("file")).unwrap();
    assert!(begun.or_as(OsStr::new("../other")).is_err());
    let mut names = place.names();
    names.sort();
    assert_eq!(names, ["file", "other"]);
}

#[test]
fn what_a_crash_leaves_is_found_and_put_back() {
    let place = Place::new("crash");
    let held = place.hold();
    assert!(held.leftovers().unwrap().is_empty());
    // As a removal leaves it between moving and unlinking, and one on a full disk.
    fs::create_dir(place.0.join(".labward-0000000000000001")).unwrap();
    fs::write(place.0.join(".labward-0000000000000001/held"), b"one").unwrap();
    fs::write(place.0.join(".labward-0000000000000002"), b"two").unwrap();
    fs::write(place.0.join("taken"), b"three").unwrap();
    let mut left = held.leftovers().unwrap();
    left.sort_by(|a, b| a.name.cmp(&b.name));
    let sizes: Vec<u64> = left
        .iter()
        .map(|one| one.file.unwrap().size_bytes)
        .collect();
    assert_eq!(sizes, [3, 3]);
    let error = held.put_back(&left[0], OsStr::new("taken")).unwrap_err();
    assert_eq!(error.code(), "held.taken");
    held.put_back(&left[0], OsStr::new("one")).unwrap();
    held.put_back(&left[1], OsStr::new("two")).unwrap();
    assert_eq!(place.names(), ["one", "taken", "two"]);
    assert_eq!(fs::read(place.0.join("one")).unwrap(), b"one");
    for inside in [None, Some("held"), Some("begun")] {
        fs::create_dir(place.0.join(".labward-0000000000000003")).unwrap();
        if let Some(name) = inside {
            let room = place.0.join(".labward-0000000000000003");
            fs::write(room.join(name), b"bytes").unwrap();
        }
        let left = held.leftovers().unwrap();
        assert_eq!(left[0].is_begun, inside == Some("begun"));
        if left[0].is_begun {
            // What is not whole never gets a name.
            assert!(held.put_back(&left[0], OsStr::new("half")).is_err());
        }
        held.discard(&left[0]).unwrap();
        assert_eq!(place.names(), ["one", "taken", "two"]);
    }
    fs::write(place.0.join(".labward-0000000000000004"), b"four").unwrap();
    let left = held.leftovers().unwrap();
    fs::rename(
        place.0.join("one"),
        place.0.join(".labward-0000000000000004"),
    )
    .unwrap();
    assert_eq!(held.discard(&left[0]).unwrap_err().code(), "held.changed");
    let name = OsString::from("two");
    let error = held
        .discard(&Leftover {
            name,
            file: None,
            is_begun: false,
        })
        .unwrap_err();
    assert_eq!(error.code(), "held.bad-path");
}

#[test]
fn an_attribute_list_of_any_size_is_read_within_the_bound() {
    let place = Place::new("large");
    if !place.has_attributes("an_attribute_list_of_any_size") {
        return;
    }
    let file = place.file("file", b"");
    let path = place.0.join("file");
    // As many as the file system takes.
    let taken = (0..1_000)
        .take_while(|number| {
            let name = format!("user.{number}");
            setxattr(&path, &*name, &[1; 100], XattrFlags::empty()).is_ok()
        })
        .count();
    assert!(taken > 5);
    assert_eq!(file.metadata().unwrap().attributes.len(), taken);
}

/// Rounds of the races; each makes a file and tries to remove it while another thread is at it.
const ROUNDS: u64 = 2_000;

/// Removes the same file again and again while `meddle` works on the names `a` and `b`; the file
/// `innocent` must outlive it, and so must one of the kind `also`.
fn race(name: &str, also: Option<Kind>, meddle: impl Fn(&HeldFolder, u64) + Sync) {
    let place = Place::new(name);
    let held = place.hold();
    fs::write(place.0.join("b"), b"innocent").unwrap();
    let innocent = held.look(OsStr::new("b")).unwrap().unwrap();
    let stop = AtomicBool::new(false);
    let [removed, spared, moved] = [0, 0, 0].map(AtomicU64::new);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let folder = place.hold();
            for count in 0.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                meddle(&folder, count);
            }
        });
        for _ in 0..ROUNDS {
            fs::write(place.0.join("new"), b"malicious").unwrap();
            for vacant in ["a", "b"] {
                let to = RenameFlags::NOREPLACE;
                let _ = renameat_with(&held.folder, "new", &held.folder, vacant, to);
            }
            for _ in 0..4 {
                let Ok(file) = held.file(Path::new("a")) else {
                    continue;
                };
                if file.identity().is_same_file(&innocent) {
                    continue;
                }
                match remove(&file) {
                    Removal::Removed { .. } => removed.fetch_add(1, Ordering::Relaxed),
                    Removal::Displaced { .. } => moved.fetch_add(1, Ordering::Relaxed),
                    _ => spared.fetch_add(1, Ordering::Relaxed),
                };
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    let names = place.names();
    let left = held.leftovers().unwrap();
    let there: Vec<Identity> = names
        .iter()
        .map(|name| held.look(name).unwrap().unwrap())
        .chain(left.iter().filter_map(|one| one.file))
        .collect();
    let found = there.iter().any(|one| one.is_same_file(&innocent));
    let also_found = also.is_none_or(|kind| there.iter().any(|one| one.kind == kind));
    let counts = [removed, spared, moved].map(AtomicU64::into_inner);
    eprintln!("{name}: removed, spared, displaced {counts:?}");
    assert!(found && also_found, "something is gone: {names:?}");
    assert!(counts[0] > 0, "{counts:?}");
    // Whatever else lies there is one of the two files, whole.
    for entry in names.iter().filter(|name| place.0.join(name).is_file()) {
        let bytes = fs::read(place.0.join(entry)).unwrap();
        assert!(
            [&b"innocent"[..], b"malicious"].contains(&&bytes[..]),
            "{entry:?}"
        );
    }
}

#[test]
fn no_wrong_file_is_removed_while_names_are_exchanged() {
    race("exchange", None, |folder, _| {
        let _ = renameat_with(
            &folder.folder,
            "a",
            &folder.folder,
            "b",
            RenameFlags::EXCHANGE,
        );
    });
}

#[test]
fn no_wrong_file_is_removed_while_a_link_takes_its_place() {
    race("link", Some(Kind::Link), |folder, count| {
        if count == 0 {
            rustix::fs::symlinkat("b", &folder.folder, "c").unwrap();
        }
        let _ = renameat_with(
            &folder.folder,
            "a",
            &folder.folder,
            "c",
            RenameFlags::EXCHANGE,
        );
    });
}

#[test]
fn nothing_is_lost_while_the_name_is_taken_again_and_again() {
    race("taken", None, |folder, count| {
        let _ = renameat_with(
            &folder.folder,
            "a",
            &folder.folder,
            "b",
            RenameFlags::EXCHANGE,
        );
        if count % 3 == 0 {
            let _ = rustix::fs::symlinkat("b", &folder.folder, "a");
        }
        if count % 7 == 0
            && folder
                .look(OsStr::new("a"))
                .is_ok_and(|found| found.is_some_and(|found| found.kind == Kind::Link))
        {
            let _ = renameat_with(
                &folder.folder,
                "a",
                &folder.folder,
                "c",
                RenameFlags::NOREPLACE,
            );
            let _ = rustix::fs::unlinkat(&folder.folder, "c", rustix::fs::AtFlags::empty());
        }
    });
}

#[test]
fn a_name_that_is_reserved_is_taken_only_if_nobody_has_it() {
    let place = Place::new("reserved");
    let held = place.hold();
    fs::write(place.0.join("from"), b"whole").unwrap();
    fs::write(place.0.join("taken"), b"other").unwrap();
    let put = |name: &str| {
        let (from, name) = (OsStr::new("from"), OsStr::new(name));
        room::put_reserved(&held.folder, from, &held.folder, name)
    };
    assert_eq!(put("taken"), Err(Errno::EXIST));
    assert_eq!(fs::read(place.0.join("taken")).unwrap(), b"other");
    put("free").unwrap();
    assert_eq!(fs::read(place.0.join("free")).unwrap(), b"whole");
    // What cannot be moved leaves no empty file under the name.
    assert!(put("again").is_err());
    let mut names = place.names();
    names.sort();
    assert_eq!(names, ["free", "taken"]);
}
