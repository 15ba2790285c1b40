//! Files that are held while something is done with them, so that nobody can put another one in
//! their place meanwhile: what quarantine needs.
//!
//! It must never follow a link, never open what is not a regular file, and never unlink a file that
//! is not the one that was looked at. Each part of a path is opened by itself, beneath a folder
//! that is held, without following links; so it works on any kernel, and no rename of a folder
//! leads outside. Names are bytes: nothing is said of their encoding.
//!
//! # What a removal guarantees, and what not
//! [`HeldFile::remove_if_same`] moves the name into a folder of this account alone
//! (`.labward-` and 16 hexadecimal digits, beside the file), compares device and inode with the
//! file that is held, and only then unlinks; another file is put back under its name.
//! - No other account can exchange the file between comparison and unlinking. A process of the same
//!   account or root can. Where the disk is too full for a folder the name is moved beside itself
//!   instead ([`Removal::Removed`] says `private: false`): then whoever may write in the folder and
//!   guesses 64 random bits or watches it in those microseconds can, too.
//! - A file that was exchanged is gone from its name for microseconds before it is put back.
//! - Nobody has the file open for writing when it is moved, where the file system and the account
//!   allow a lease to be taken ([`Removal::Removed`] says `unwritten: true`); otherwise a writer
//!   may write on into the file that has no name any more.
//! - Other hard links of the file stay; their number is told.
//! - A crash leaves the file in its old place or in the folder beside it, whole:
//!   [`HeldFolder::leftovers`] finds it. One that was being restored is told as begun, and gets no name.
//! - Where the file system can neither rename without replacing nor link, a name is reserved by an
//!   empty file first; who puts another file in its place in that moment loses it.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path};

use labward_base::{Problem, problem};
use rustix::fs::{CWD, Dir, Mode, OFlags, openat};
use rustix::io::Errno;

use crate::error::OsError;

mod identity;
mod lease;
mod metadata;
mod remove;
mod restore;
mod room;

pub use identity::{Identity, Kind, Moment};
pub use metadata::{ATTRIBUTES_BYTES_MAX, Difference, Metadata};
pub use remove::Removal;
pub use restore::{Restoration, Restored};
pub use room::{HIDDEN_PREFIX, Leftover};

/// Why a file or folder could not be held, removed or restored.
#[derive(Debug, thiserror::Error)]
pub enum HeldError {
    /// Its attributes take more than [`ATTRIBUTES_BYTES_MAX`].
    #[error("read the attributes of {0}: they are too large")]
    AttributesTooLarge(String),
    /// The path is absolute, empty, has `..` in it, or names no file.
    #[error("hold {0}: not a path beneath a folder")]
    BadPath(String),
    /// It was exchanged while it was opened.
    #[error("hold {0}: it was exchanged meanwhile")]
    Changed(String),
    /// A link or something else stands where a folder should.
    #[error("hold {0}: not a folder")]
    NotAFolder(String),
    /// It is something else than a regular file, which was not opened.
    #[error("hold {name}: {}", .kind.code())]
    NotRegular {
        /// Its name.
        name: String,
        /// What it is.
        kind: Kind,
    },
    /// There is a file of this name, which was left alone.
    #[error("restore {0}: there is one already")]
    Taken(String),
    /// The system refused.
    #[error(transparent)]
    Os(#[from] OsError),
}

impl HeldError {
    /// Its stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AttributesTooLarge(_) => "held.attributes-too-large",
            Self::BadPath(_) => "held.bad-path",
            Self::Changed(_) => "held.changed",
            Self::NotAFolder(_) => "held.not-a-folder",
            Self::NotRegular { .. } => "held.not-regular",
            Self::Taken(_) => "held.taken",
            Self::Os(_) => "held.refused",
        }
    }

    /// What kind of refusal it was, if it was the system's.
    pub fn kind(&self) -> Option<io::ErrorKind> {
        match self {
            Self::Os(error) => Some(error.kind()),
            _ => None,
        }
    }

    /// The problem as a person sees it.
    pub fn problem(&self) -> &'static Problem {
        match self {
            Self::Os(error) => error.problem(),
            _ => &problem::SERVER_INTERNAL,
        }
    }
}

/// A folder that is held open: it stays the same one, wherever it is moved to.
#[derive(Debug)]
pub struct HeldFolder {
    folder: File,
}

/// A regular file that is held open, with the folder and the name by which it was found.
#[derive(Debug)]
pub struct HeldFile {
    folder: HeldFolder,
    name: OsString,
    file: File,
    identity: Identity,
}

const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);
/// Needs no right to read the folder; good for what lies beneath it alone.
const WAY: OFlags = OFlags::PATH
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);
/// A look at whatever has this name, without opening it.
const LOOK: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// Neither waits for the other end of a FIFO nor makes a terminal one's own.
const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

impl HeldFolder {
    /// Holds the folder `path`, which is trusted: its links are followed.
    ///
    /// # Errors
    /// [`HeldError::Os`] if there is none, or it may not be read.
    pub fn open(path: &Path) -> Result<Self, HeldError> {
        let folder = openat(CWD, path, FOLDER, Mode::empty()).map_err(OsError::on("hold", path))?;
        Ok(Self {
            folder: folder.into(),
        })
    }

    /// Holds a folder beneath this one; `beneath` may be `.`.
    ///
    /// # Errors
    /// [`HeldError`] if the path leads anywhere else, or something on it is not a folder.
    pub fn folder(&self, beneath: &Path) -> Result<Self, HeldError> {
        self.walk(&parts(beneath)?)
    }

    /// Holds a regular file beneath this folder, to be read from its beginning. Where the account
    /// may, reading it does not change the time of its last access.
    ///
    /// # Errors
    /// [`HeldError`] if the path leads anywhere else, the file is none or not a regular one, or may
    /// not be read.
    pub fn file(&self, beneath: &Path) -> Result<HeldFile, HeldError> {
        let parts = parts(beneath)?;
        let (name, folders) = parts
            .split_last()
            .ok_or_else(|| HeldError::BadPath(shown(beneath.as_os_str())))?;
        let folder = self.walk(folders)?;
        let file = folder.regular(name)?;
        let identity = Identity::of(&file).map_err(refused("look at", name))?;
        Ok(HeldFile {
            folder,
            name: (*name).to_owned(),
            file,
            identity,
        })
    }

    /// Begins a file that is to stand in this folder; see [`Restoration`].
    ///
    /// # Errors
    /// [`HeldError`] if the name is none, or nothing can be made here.
    pub fn begin(&self, name: &OsStr) -> Result<Restoration, HeldError> {
        Restoration::begin(self.again()?, single(name)?)
    }

    /// Makes what was created, renamed or removed here survive a power cut.
    ///
    /// # Errors
    /// [`HeldError::Os`] if the system refuses.
    pub fn sync(&self) -> Result<(), HeldError> {
        let synced = self.folder.sync_all();
        synced.map_err(refused("sync the folder of", OsStr::new(".")))
    }

    /// Which folder it is.
    ///
    /// # Errors
    /// [`HeldError::Os`] if the system does not tell.
    pub fn identity(&self) -> Result<Identity, HeldError> {
        Identity::of(&self.folder).map_err(refused("look at", OsStr::new(".")))
    }

    /// What has this name, without opening it; none if nothing has.
    ///
    /// # Errors
    /// [`HeldError`] if the name is none, or the folder may not be searched.
    pub fn look(&self, name: &OsStr) -> Result<Option<Identity>, HeldError> {
        let name = single(name)?;
        match openat(&self.folder, name, LOOK, Mode::empty()) {
            Ok(found) => Identity::of(&File::from(found))
                .map(Some)
                .map_err(refused("look at", name)),
            Err(Errno::NOENT) => Ok(None),
            Err(source) => Err(refused("look at", name)(source)),
        }
    }

    /// What stands in it, in the order of the file system.
    pub(crate) fn names(&self) -> Result<Names, HeldError> {
        let entries = Dir::read_from(&self.folder);
        entries.map(Names).map_err(refused("read", OsStr::new(".")))
    }

    fn walk(&self, parts: &[&OsStr]) -> Result<Self, HeldError> {
        let mut at = self.again()?.folder;
        for part in parts {
            at = match openat(&at, *part, WAY, Mode::empty()) {
                Ok(next) => next.into(),
                Err(Errno::NOTDIR | Errno::LOOP) => {
                    return Err(HeldError::NotAFolder(shown(part)));
                }
                Err(source) => return Err(refused("hold", part)(source)),
            };
        }
        let name = parts.last().copied().unwrap_or(OsStr::new("."));
        // What was only a way so far is opened, as the same folder.
        let folder = quietly(&at, OsStr::new("."), FOLDER).map_err(refused("hold", name))?;
        Ok(Self {
            folder: folder.into(),
        })
    }

    fn regular(&self, name: &OsStr) -> Result<File, HeldError> {
        let found = self.look(name)?;
        let found = found.ok_or_else(|| refused("hold", name)(Errno::NOENT))?;
        // To open a device may already do something.
        if found.kind != Kind::Regular {
            return Err(HeldError::NotRegular {
                name: shown(name),
                kind: found.kind,
            });
        }
        let opened = quietly(&self.folder, name, FILE).map_err(|source| match source {
            Errno::LOOP | Errno::NXIO => HeldError::Changed(shown(name)),
            source => refused("hold", name)(source),
        })?;
        let file = File::from(opened);
        let held = Identity::of(&file).map_err(refused("look at", name))?;
        if held.is_same_file(&found) {
            Ok(file)
        } else {
            Err(HeldError::Changed(shown(name)))
        }
    }

    pub(crate) fn again(&self) -> Result<Self, HeldError> {
        let again = self.folder.try_clone();
        again
            .map(|folder| Self { folder })
            .map_err(refused("hold", OsStr::new(".")))
    }
}

impl AsFd for HeldFolder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.folder.as_fd()
    }
}

impl HeldFile {
    /// The folder in which it was found.
    pub const fn folder(&self) -> &HeldFolder {
        &self.folder
    }

    /// The name by which it was found.
    pub fn name(&self) -> &OsStr {
        &self.name
    }

    /// What it was when it was opened.
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What it is now.
    ///
    /// # Errors
    /// [`HeldError::Os`] if the system does not tell.
    pub fn identity_now(&self) -> Result<Identity, HeldError> {
        Identity::of(&self.file).map_err(refused("look at", &self.name))
    }

    /// Its bytes, from where the last reader stopped.
    pub const fn reader(&self) -> &File {
        &self.file
    }

    /// Everything that stands beside its bytes.
    ///
    /// # Errors
    /// [`HeldError`] if an attribute cannot be read, or they are too large.
    pub fn metadata(&self) -> Result<Metadata, HeldError> {
        Metadata::of(&self.file, &self.name)
    }
}

/// Names, one after the other; `.` and `..` are none.
#[derive(Debug)]
pub(crate) struct Names(Dir);

impl Iterator for Names {
    type Item = Result<OsString, io::Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let entry = match self.0.read()? {
                Ok(entry) => entry,
                Err(source) => return Some(Err(source.into())),
            };
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if single(name).is_ok() {
                return Some(Ok(name.to_owned()));
            }
        }
    }
}

/// A name as a person sees it: without what would move the cursor or turn the direction of writing.
fn shown(name: &OsStr) -> String {
    format!("{:?}", Path::new(name))
}

/// Opens it so that reading it does not count as read, which only its owner may ask for.
fn quietly(folder: &File, name: &OsStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    match openat(folder, name, flags | OFlags::NOATIME, Mode::empty()) {
        Err(Errno::PERM) => openat(folder, name, flags, Mode::empty()),
        opened => opened,
    }
}

fn refused<E: Into<io::Error>>(
    attempted: &'static str,
    name: &OsStr,
) -> impl FnOnce(E) -> HeldError {
    move |source| OsError::new(attempted, shown(name), source).into()
}

/// The parts of a path that leads down only.
fn parts(beneath: &Path) -> Result<Vec<&OsStr>, HeldError> {
    let bad = || HeldError::BadPath(shown(beneath.as_os_str()));
    if beneath.as_os_str().is_empty() {
        return Err(bad());
    }
    let mut parts = Vec::new();
    for component in beneath.components() {
        match component {
            Component::Normal(part) => parts.push(part),
            Component::CurDir => {}
            Component::ParentDir | Component::Prefix(_) | Component::RootDir => return Err(bad()),
        }
    }
    Ok(parts)
}

/// A name that is no path.
fn single(name: &OsStr) -> Result<&OsStr, HeldError> {
    let bytes = name.as_bytes();
    let is_name = !bytes.is_empty() && !bytes.contains(&b'/') && bytes != b"." && bytes != b"..";
    if is_name {
        Ok(name)
    } else {
        Err(HeldError::BadPath(shown(name)))
    }
}

#[cfg(test)]
mod tests;
