//! Which files are looked at, and how they are opened.
//!
//! It must never follow a link, wait for a pipe, or change a file, its times among them where the system lets us.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

/// How deep folders are gone into.
const DEEPEST: usize = 128;

/// What a walk over the paths shows.
pub(super) enum Shown {
    /// A regular file.
    File(PathBuf),
    /// A link, pipe, socket or device: not looked at.
    Skipped,
    /// Something that could not be looked at, and why.
    Unread(PathBuf, String),
}

/// Shows every file of some paths, those of a folder in the order of their names, until `show` says no.
pub(super) fn each(paths: &[PathBuf], cross: bool, show: &mut dyn FnMut(Shown) -> bool) {
    for path in paths {
        let device = fs::symlink_metadata(path).map(|facts| facts.dev());
        let stays = device.ok().filter(|_| !cross);
        if !below(path, stays, DEEPEST, show) {
            return;
        }
    }
}

/// Whether the walk goes on.
fn below(
    path: &Path,
    stays: Option<u64>,
    depth: usize,
    show: &mut dyn FnMut(Shown) -> bool,
) -> bool {
    let unread = |why: String| Shown::Unread(path.to_owned(), why);
    let facts = match fs::symlink_metadata(path) {
        Ok(facts) => facts,
        Err(error) => return show(unread(error.to_string())),
    };
    if facts.is_file() {
        return show(Shown::File(path.to_owned()));
    }
    if !facts.is_dir() || stays.is_some_and(|device| device != facts.dev()) {
        return show(Shown::Skipped);
    }
    if depth == 0 {
        return show(unread(format!("folders stand more than {DEEPEST} deep")));
    }
    let entries: Result<Vec<PathBuf>, _> = fs::read_dir(path).and_then(|entries| {
        entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect()
    });
    match entries {
        Ok(mut entries) => {
            entries.sort();
            entries
                .iter()
                .all(|entry| below(entry, stays, depth - 1, show))
        }
        Err(error) => show(unread(error.to_string())),
    }
}

/// Opens a regular file to read it, without a trace where the system allows that.
pub(super) fn open(path: &Path) -> Result<File, String> {
    let quiet = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let with = |flags: OFlags| {
        let flags = i32::try_from(flags.bits()).unwrap_or(0);
        OpenOptions::new().read(true).custom_flags(flags).open(path)
    };
    // Only the owner of a file may read it without leaving the time of access.
    let file = with(quiet | OFlags::NOATIME).or_else(|_| with(quiet));
    let file = file.map_err(|error| error.to_string())?;
    match file.metadata() {
        Ok(facts) if facts.is_file() => Ok(file),
        Ok(_) => Err("it is no regular file any more".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_testkit::TempDir;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_are_not_followed_and_files_come_in_order() {
        let folder = TempDir::new();
        fs::create_dir(folder.join("b")).unwrap();
        for name in ["c", "a", "b/d"] {
            fs::write(folder.join(name), b"x").unwrap();
        }
        symlink(folder.path(), folder.join("b/round")).unwrap();
        let mut seen = Vec::new();
        let paths = [folder.path().to_owned(), folder.join("gone")];
        each(&paths, false, &mut |shown| {
            seen.push(match shown {
                Shown::File(path) => path.file_name().unwrap().to_string_lossy().into_owned(),
                Shown::Skipped => "skipped".to_owned(),
                Shown::Unread(..) => "unread".to_owned(),
            });
            true
        });
        assert_eq!(seen, ["a", "d", "skipped", "c", "unread"]);
        assert!(open(&folder.join("a")).is_ok());
        assert!(open(&folder.join("b/round")).is_err());
        assert!(open(folder.path()).is_err());
    }
}
