//! Every file below a folder, as it is found: for looking through a disk that somebody brings.
//!
//! It must never follow a link, never leave the file system on which it began, never write, and
//! never leave anything out without saying so. Where the account may, reading folders and files
//! changes no time of access.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::held::{HeldError, HeldFile, HeldFolder, Identity, Kind, Names};

type Name = Result<OsString, io::Error>;

/// The most that [`Bounds::depth_max`] may be; each level holds one descriptor.
pub const DEPTH_MAX: usize = 256;

/// Where a walk ends.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// So many folders below the first are entered: 0 (only the first) to [`DEPTH_MAX`].
    pub depth_max: usize,
    /// So many names are looked at, then the walk ends.
    pub names_max: u64,
}

/// Something that a walk found. It holds its folder open: few should be kept at a time.
#[derive(Clone, Debug)]
pub struct Found {
    folder: Arc<HeldFolder>,
    path: PathBuf,
    identity: Identity,
}

/// Something that a walk left out.
#[derive(Debug, thiserror::Error)]
#[error("look at {}: {}", shown(path), .reason.code())]
pub struct Omission {
    /// Where, below the first folder.
    pub path: PathBuf,
    /// Why.
    pub reason: Reason,
}

/// Why something was left out.
#[derive(Debug)]
pub enum Reason {
    /// Another file system begins there.
    OtherFileSystem,
    /// The system refused.
    Refused(io::ErrorKind),
    /// It lies deeper than [`Bounds::depth_max`].
    TooDeep,
    /// [`Bounds::names_max`] is reached: nothing more is looked at.
    TooMany,
}

/// A walk; each item is found or left out, in the order of the file system or of the names, a folder
/// before what is in it.
#[derive(Debug)]
pub struct Walk {
    bounds: Bounds,
    by_name: bool,
    device: u64,
    levels: Vec<Level>,
    names_left: u64,
}

#[derive(Debug)]
struct Level {
    folder: Arc<HeldFolder>,
    path: PathBuf,
    names: Order,
}

/// The names of a folder that are still to be looked at.
#[derive(Debug)]
enum Order {
    /// As the file system gives them.
    Found(Names),
    /// By their bytes; all of one folder are kept at a time.
    Sorted(std::vec::IntoIter<Name>),
}

impl Order {
    fn of(folder: &HeldFolder, by_name: bool) -> Result<Self, HeldError> {
        let names = folder.names()?;
        if !by_name {
            return Ok(Self::Found(names));
        }
        let mut read = Vec::new();
        let mut broken = None;
        for name in names {
            match name {
                Ok(name) => read.push(Ok(name)),
                Err(error) => broken = Some(Err(error)),
            }
            if broken.is_some() {
                break;
            }
        }
        // All of them are names here.
        read.sort_by(|a: &Name, b: &Name| a.as_ref().ok().cmp(&b.as_ref().ok()));
        read.extend(broken);
        Ok(Self::Sorted(read.into_iter()))
    }
}

impl Iterator for Order {
    type Item = Name;

    fn next(&mut self) -> Option<Name> {
        match self {
            Self::Found(names) => names.next(),
            Self::Sorted(names) => names.next(),
        }
    }
}

impl Default for Bounds {
    /// 64 folders deep and 10 million names.
    fn default() -> Self {
        Self {
            depth_max: 64,
            names_max: 10_000_000,
        }
    }
}

impl Reason {
    /// Its stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OtherFileSystem => "walk.other-file-system",
            Self::Refused(_) => "walk.refused",
            Self::TooDeep => "walk.too-deep",
            Self::TooMany => "walk.too-many",
        }
    }

    fn of(error: &HeldError) -> Self {
        // What was exchanged between two looks is not there any more.
        Self::Refused(error.kind().unwrap_or(io::ErrorKind::NotFound))
    }
}

impl Found {
    /// Where it lies below the first folder; its bytes are those of the file system.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it is and which.
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Opens it to be read, if it is a regular file and still the one that was found.
    ///
    /// # Errors
    /// [`HeldError`] if it is not, or may not be read.
    pub fn file(&self) -> Result<HeldFile, HeldError> {
        let name = self.path.file_name().unwrap_or_default();
        let file = self.folder.file(Path::new(name))?;
        if file.identity().is_same_file(&self.identity) {
            Ok(file)
        } else {
            Err(HeldError::Changed(shown(&self.path)))
        }
    }
}

impl Walk {
    /// Begins to walk below `root`, which is not itself found.
    ///
    /// # Errors
    /// [`HeldError`] if it cannot be read.
    pub fn begin(root: &HeldFolder, bounds: Bounds) -> Result<Self, HeldError> {
        Self::start(root, bounds, false)
    }

    /// As [`Walk::begin`], but what is found comes in the order in which [`Path`] compares: the names
    /// of one folder at a time are kept for that.
    ///
    /// # Errors
    /// [`HeldError`] if it cannot be read.
    pub fn by_name(root: &HeldFolder, bounds: Bounds) -> Result<Self, HeldError> {
        Self::start(root, bounds, true)
    }

    fn start(root: &HeldFolder, mut bounds: Bounds, by_name: bool) -> Result<Self, HeldError> {
        bounds.depth_max = bounds.depth_max.min(DEPTH_MAX);
        let root = root.folder(Path::new("."))?;
        let first = Level {
            names: Order::of(&root, by_name)?,
            path: PathBuf::new(),
            folder: Arc::new(root),
        };
        Ok(Self {
            bounds,
            by_name,
            device: first.folder.identity()?.device,
            levels: vec![first],
            names_left: bounds.names_max,
        })
    }

    fn look(&mut self, name: &OsStr) -> Result<Found, Omission> {
        let (folder, path) = match self.levels.last() {
            Some(level) => (Arc::clone(&level.folder), level.path.join(name)),
            None => return Err(omission(PathBuf::from(name), Reason::TooMany)),
        };
        match folder.look(name) {
            Ok(Some(identity)) => Ok(Found {
                folder,
                path,
                identity,
            }),
            Ok(None) => Err(omission(path, Reason::Refused(io::ErrorKind::NotFound))),
            Err(error) => Err(omission(path, Reason::of(&error))),
        }
    }

    /// Enters what was found, if it is a folder and within the bounds.
    fn enter(&mut self, found: &Found, name: &OsStr) -> Result<(), Omission> {
        let left_out = |reason| omission(found.path.clone(), reason);
        if found.identity.device != self.device {
            return Err(left_out(Reason::OtherFileSystem));
        }
        if found.identity.kind != Kind::Folder {
            return Ok(());
        }
        // The first level is the root's.
        if self.levels.len() > self.bounds.depth_max {
            return Err(left_out(Reason::TooDeep));
        }
        let refused = |error: HeldError| left_out(Reason::of(&error));
        let folder = found.folder.folder(Path::new(name)).map_err(refused)?;
        let now = folder.identity().map_err(refused)?;
        if !now.is_same_file(&found.identity) {
            return Err(left_out(Reason::Refused(io::ErrorKind::NotFound)));
        }
        self.levels.push(Level {
            names: Order::of(&folder, self.by_name).map_err(refused)?,
            path: found.path.clone(),
            folder: Arc::new(folder),
        });
        Ok(())
    }

    /// The next name of the innermost folder that has one.
    fn next_name(&mut self) -> Option<Result<OsString, Omission>> {
        loop {
            let level = self.levels.last_mut()?;
            match level.names.next() {
                Some(Ok(name)) => return Some(Ok(name)),
                Some(Err(error)) => {
                    // The rest of this folder cannot be read.
                    let path = std::mem::take(&mut level.path);
                    self.levels.pop();
                    return Some(Err(omission(path, Reason::Refused(error.kind()))));
                }
                None => self.levels.pop(),
            };
        }
    }
}

impl Iterator for Walk {
    type Item = Result<Found, Omission>;

    fn next(&mut self) -> Option<Self::Item> {
        let name = match self.next_name()? {
            Ok(name) => name,
            Err(omission) => return Some(Err(omission)),
        };
        let Some(left) = self.names_left.checked_sub(1) else {
            let path = self.levels.last().map(|level| level.path.join(&name));
            self.levels.clear();
            return Some(Err(omission(path.unwrap_or_default(), Reason::TooMany)));
        };
        self.names_left = left;
        let found = match self.look(&name) {
            Ok(found) => found,
            Err(omission) => return Some(Err(omission)),
        };
        Some(self.enter(&found, &name).map(|()| found))
    }
}

fn omission(path: PathBuf, reason: Reason) -> Omission {
    Omission { path, reason }
}

fn shown(path: &Path) -> String {
    format!("{path:?}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::fs;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::symlink;

    struct Tree(PathBuf);

    impl Tree {
        fn new(name: &str) -> Self {
            let path =
                std::env::temp_dir().join(format!("labward-walk-{name}-{}", std::process::id()));
            fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn walk(&self, bounds: Bounds) -> BTreeMap<PathBuf, &'static str> {
            let root = HeldFolder::open(&self.0).unwrap();
            Walk::begin(&root, bounds)
                .unwrap()
                .map(|item| match item {
                    Ok(found) => (found.path().to_owned(), found.identity().kind.code()),
                    Err(omission) => (omission.path, omission.reason.code()),
                })
                .collect()
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn expect(found: &BTreeMap<PathBuf, &'static str>, expected: &[(&str, &str)]) {
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|(path, code)| (path.to_str().unwrap(), *code))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn everything_is_found_once_and_no_link_is_followed() {
        let tree = Tree::new("all");
        fs::create_dir_all(tree.0.join("a/b")).unwrap();
        fs::write(tree.0.join("a/b/file"), b"content").unwrap();
        symlink("..", tree.0.join("a/b/up")).unwrap();
        symlink("/etc", tree.0.join("etc")).unwrap();
        let odd = OsStr::from_bytes(b"\xff\n");
        fs::write(tree.0.join(odd), b"odd").unwrap();
        let mut found = tree.walk(Bounds::default());
        assert_eq!(found.remove(Path::new(odd)), Some("regular"));
        expect(
            &found,
            &[
                ("a", "folder"),
                ("a/b", "folder"),
                ("a/b/file", "regular"),
                ("a/b/up", "link"),
                ("etc", "link"),
            ],
        );
    }

    #[test]
    fn by_name_comes_in_the_order_of_paths() {
        let tree = Tree::new("sorted");
        fs::create_dir(tree.0.join("a")).unwrap();
        for name in ["a/z", "a/b", "a-b", "a.b", "B", "z"] {
            fs::write(tree.0.join(name), b"x").unwrap();
        }
        let root = HeldFolder::open(&tree.0).unwrap();
        let found: Vec<PathBuf> = Walk::by_name(&root, Bounds::default())
            .unwrap()
            .map(|found| found.unwrap().path().to_owned())
            .collect();
        assert!(found.is_sorted(), "{found:?}");
        assert_eq!(found.len(), 7);
    }

    #[test]
    fn what_is_found_is_opened_as_the_same_file_or_not_at_all() {
        let tree = Tree::new("open");
        fs::create_dir(tree.0.join("a")).unwrap();
        fs::write(tree.0.join("a/file"), b"content").unwrap();
        let root = HeldFolder::open(&tree.0).unwrap();
        let found = Walk::begin(&root, Bounds::default())
            .unwrap()
            .flatten()
            .find(|found| found.path() == Path::new("a/file"))
            .unwrap();
        let file = found.file().unwrap();
        assert_eq!(io::read_to_string(file.reader()).unwrap(), "content");
        fs::write(tree.0.join("a/other"), b"other").unwrap();
        fs::rename(tree.0.join("a/other"), tree.0.join("a/file")).unwrap();
        assert_eq!(found.file().unwrap_err().code(), "held.changed");
    }

    #[test]
    fn what_is_too_deep_or_too_much_is_told() {
        let tree = Tree::new("bounds");
        fs::create_dir_all(tree.0.join("a/b/c")).unwrap();
        let found = tree.walk(Bounds {
            depth_max: 1,
            ..Bounds::default()
        });
        expect(&found, &[("a", "folder"), ("a/b", "walk.too-deep")]);
        let found = tree.walk(Bounds {
            names_max: 2,
            ..Bounds::default()
        });
        expect(
            &found,
            &[
                ("a", "folder"),
                ("a/b", "folder"),
                ("a/b/c", "walk.too-many"),
            ],
        );
    }

    #[test]
    fn another_file_system_is_told_and_not_entered() {
        let root = HeldFolder::open(Path::new("/")).unwrap();
        let bounds = Bounds {
            depth_max: 1,
            ..Bounds::default()
        };
        let proc = Walk::begin(&root, bounds)
            .unwrap()
            .filter_map(Result::err)
            .find(|omission| omission.path == Path::new("proc"))
            .unwrap();
        assert_eq!(proc.reason.code(), "walk.other-file-system");
    }
}
