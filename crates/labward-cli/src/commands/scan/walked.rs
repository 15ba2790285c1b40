//! Which files are looked at, and how they are opened.
//!
//! It must never follow a link, wait for a pipe, or change a file, its times among them where the system lets us.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use labward_os::held::{HeldError, HeldFile, HeldFolder, Kind};
use labward_os::walk::{Bounds, DEPTH_MAX, Found, Omission, Reason, Walk};

use crate::failure::chain;

/// As deep as a walk goes; a disk has fewer names than it counts.
pub(in crate::commands) const BOUNDS: Bounds = Bounds {
    depth_max: DEPTH_MAX,
    names_max: u64::MAX,
};
/// So many other file systems are entered below one path, if any.
const FILE_SYSTEMS_MAX: usize = 1_000;

/// What a walk shows.
pub(super) enum Shown {
    /// A regular file that is open, and where it is.
    File(PathBuf, Arc<File>),
    /// Something that is not looked at.
    Skipped(Skip),
    /// Something that could not be looked at, and why.
    Unread(PathBuf, String),
}

/// What is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Skip {
    /// A symbolic link.
    Link,
    /// Another file system begins there.
    OtherFileSystem,
    /// A pipe, a socket or a device.
    Special,
}

/// Shows every file of some paths, those of a folder in the order of their names, until `show` says no.
pub(super) fn each(paths: &[PathBuf], cross: bool, show: &mut dyn FnMut(Shown) -> bool) {
    for path in paths {
        let goes_on = match open(path) {
            Ok(Opened::Folder(folder)) => below(folder, path, cross, show),
            Ok(Opened::File(file)) => show(shown(path.clone(), Ok(file))),
            Ok(Opened::Other(skip)) => show(Shown::Skipped(skip)),
            Err(why) => show(Shown::Unread(path.clone(), why)),
        };
        if !goes_on {
            return;
        }
    }
}

/// What a person named.
enum Opened {
    Folder(HeldFolder),
    File(HeldFile),
    Other(Skip),
}

fn open(path: &Path) -> Result<Opened, String> {
    let facts = fs::symlink_metadata(path).map_err(|error| error.to_string())?;
    if facts.is_dir() {
        let folder = HeldFolder::open(path).map_err(|error| chain(&error))?;
        return Ok(Opened::Folder(folder));
    }
    if !facts.is_file() {
        let is_link = facts.is_symlink();
        return Ok(Opened::Other(if is_link {
            Skip::Link
        } else {
            Skip::Special
        }));
    }
    let name = path.file_name().unwrap_or_default();
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let held = HeldFolder::open(parent.unwrap_or(Path::new(".")));
    let file = held.and_then(|folder| folder.file(Path::new(name)));
    file.map(Opened::File).map_err(|error| chain(&error))
}

/// Shows every file below a folder, which is shown as `at`. Whether the walk goes on.
pub(super) fn below(
    folder: HeldFolder,
    at: &Path,
    cross: bool,
    show: &mut dyn FnMut(Shown) -> bool,
) -> bool {
    let mut waiting = vec![(folder, at.to_owned())];
    let mut entered = 0;
    while let Some((folder, at)) = waiting.pop() {
        let walk = match Walk::by_name(&folder, BOUNDS) {
            Ok(walk) => walk,
            Err(error) => {
                if show(Shown::Unread(at, chain(&error))) {
                    continue;
                }
                return false;
            }
        };
        for item in walk {
            let next = match item {
                Ok(found) => regular(&at, &found),
                Err(Omission {
                    path,
                    reason: Reason::OtherFileSystem,
                }) if cross && entered < FILE_SYSTEMS_MAX => {
                    entered += 1;
                    other(&folder, &at, &path, &mut waiting)
                }
                Err(omission) => Some(left_out(&at, &omission)),
            };
            if next.is_some_and(|next| !show(next)) {
                return false;
            }
        }
    }
    true
}

fn regular(at: &Path, found: &Found) -> Option<Shown> {
    match found.identity().kind {
        Kind::Folder => None,
        Kind::Link => Some(Shown::Skipped(Skip::Link)),
        Kind::Regular => Some(shown(at.join(found.path()), found.file())),
        _ => Some(Shown::Skipped(Skip::Special)),
    }
}

/// Another file system is a folder, which is walked later, or a file that something is mounted on.
fn other(
    folder: &HeldFolder,
    at: &Path,
    path: &Path,
    waiting: &mut Vec<(HeldFolder, PathBuf)>,
) -> Option<Shown> {
    match folder.folder(path) {
        Ok(found) => {
            waiting.push((found, at.join(path)));
            None
        }
        Err(HeldError::NotAFolder(_)) => Some(shown(at.join(path), folder.file(path))),
        Err(error) => Some(Shown::Unread(at.join(path), chain(&error))),
    }
}

fn shown(path: PathBuf, file: Result<HeldFile, HeldError>) -> Shown {
    let file = file.map(|file| file.reader().try_clone());
    match file {
        Ok(Ok(file)) => Shown::File(path, Arc::new(file)),
        Ok(Err(error)) => Shown::Unread(path, error.to_string()),
        Err(HeldError::NotRegular {
            kind: Kind::Link, ..
        }) => Shown::Skipped(Skip::Link),
        Err(HeldError::NotRegular { .. }) => Shown::Skipped(Skip::Special),
        Err(error) => Shown::Unread(path, chain(&error)),
    }
}

fn left_out(at: &Path, omission: &Omission) -> Shown {
    match omission.reason {
        Reason::OtherFileSystem => Shown::Skipped(Skip::OtherFileSystem),
        _ => Shown::Unread(at.join(&omission.path), why(&omission.reason)),
    }
}

/// Why something was left out, in words.
pub(in crate::commands) fn why(reason: &Reason) -> String {
    match reason {
        Reason::OtherFileSystem => "another file system begins there".to_owned(),
        Reason::Refused(kind) => io::Error::from(*kind).to_string(),
        Reason::TooDeep => format!("folders stand more than {DEPTH_MAX} deep"),
        Reason::TooMany => "there are more names than are looked at".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_testkit::TempDir;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    #[test]
    fn links_are_not_followed_and_files_come_in_order() {
        let folder = TempDir::new();
        fs::create_dir(folder.join("b")).unwrap();
        for name in ["c", "a", "b/d"] {
            fs::write(folder.join(name), b"x").unwrap();
        }
        symlink(folder.path(), folder.join("b/round")).unwrap();
        let _socket = UnixListener::bind(folder.join("b/socket")).unwrap();
        let mut seen = Vec::new();
        let (single, link) = (folder.join("c"), folder.join("b/round"));
        let paths = [folder.path().to_owned(), folder.join("gone"), single, link];
        each(&paths, false, &mut |shown| {
            seen.push(match shown {
                Shown::File(path, _) => path.file_name().unwrap().to_string_lossy().into_owned(),
                Shown::Skipped(skip) => format!("{skip:?}"),
                Shown::Unread(_, why) => why,
            });
            true
        });
        let gone = "No such file or directory (os error 2)";
        assert_eq!(seen, ["a", "d", "Link", "Special", "c", gone, "c", "Link"]);
    }

    #[test]
    fn another_file_system_is_entered_only_where_that_is_asked() {
        // There everywhere: a file system of its own, with devices in it, in another one with devices in it.
        let looks = |cross: bool| {
            let (mut others, mut devices) = (0, 0);
            let root = HeldFolder::open(Path::new("/dev")).unwrap();
            below(root, Path::new("/dev"), cross, &mut |shown| {
                others += u32::from(matches!(shown, Shown::Skipped(Skip::OtherFileSystem)));
                devices += u32::from(matches!(shown, Shown::Skipped(Skip::Special)));
                true
            });
            (others, devices)
        };
        let ((others, devices), (none, all)) = (looks(false), looks(true));
        assert!(others > 0, "/dev/pts is on its own");
        assert_eq!(none, 0);
        assert!(
            all > devices,
            "{all} devices, {devices} of them in /dev itself"
        );
    }
}
