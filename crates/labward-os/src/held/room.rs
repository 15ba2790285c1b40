//! A folder of this account alone, beside a file, in which the file can be looked at in peace.
//!
//! It must never remove anything but itself, and only while it is empty.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;

use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags};
use rustix::fs::{fchmod, linkat, mkdirat, openat, renameat, renameat_with, unlinkat};
use rustix::io::Errno;
use rustix::process::geteuid;
use rustix::rand::{GetRandomFlags, getrandom};

use super::{FOLDER, HeldError, HeldFolder, Identity, refused, single};

/// How the names begin that this crate makes beside a file for a moment.
pub const HIDDEN_PREFIX: &str = ".labward-";
/// The name of a file in a room.
const INSIDE: &str = "held";
/// The same, of a file that is being restored and is not whole yet.
const BEGUN: &str = "begun";
/// No more than so many leftovers of one folder are told.
const LEFTOVERS_MAX: usize = 1_000;

/// What a crash left beside the files of a folder.
#[derive(Clone, Debug)]
pub struct Leftover {
    /// The name that this crate gave: a room, or a file itself where the disk was full.
    pub name: OsString,
    /// The file that is in it; none if it is empty.
    pub file: Option<Identity>,
    /// Whether it was being restored, so that its bytes are kept elsewhere and may not all be there.
    pub is_begun: bool,
}

/// A place for one file where no other account can reach it, gone when dropped.
#[derive(Debug)]
pub(super) struct Room {
    parent: HeldFolder,
    name: OsString,
    /// None where the disk is too full for a folder: the name is then the file's.
    inside: Option<File>,
    /// The name of a file in it.
    place: &'static str,
}

impl Room {
    pub(super) fn make(parent: HeldFolder) -> Result<Self, Errno> {
        Self::make_for(parent, INSIDE)
    }

    /// A room for a file that is to be written; there is none without a folder.
    pub(super) fn make_to_begin(parent: HeldFolder) -> Result<Self, Errno> {
        let room = Self::make_for(parent, BEGUN)?;
        match room.is_private() {
            true => Ok(room),
            false => Err(Errno::NOSPC),
        }
    }

    fn make_for(parent: HeldFolder, place: &'static str) -> Result<Self, Errno> {
        let name = random_name()?;
        let inside = match mkdirat(&parent.folder, &name, Mode::RWXU) {
            Ok(()) => Some(enter(&parent, &name).inspect_err(|_| {
                let _ = unlinkat(&parent.folder, &name, AtFlags::REMOVEDIR);
            })?),
            Err(Errno::NOSPC | Errno::DQUOT | Errno::MLINK) => None,
            Err(source) => return Err(source),
        };
        Ok(Self {
            parent,
            name,
            inside,
            place,
        })
    }

    /// Whether no other account can reach what is in it.
    pub(super) const fn is_private(&self) -> bool {
        self.inside.is_some()
    }

    /// The folder and the name in it under which the file stands.
    pub(super) fn place(&self) -> (&File, &OsStr) {
        match &self.inside {
            Some(inside) => (inside, OsStr::new(self.place)),
            None => (&self.parent.folder, &self.name),
        }
    }

    /// Takes a file of the folder in, by its name; replaces nothing, for the place is new.
    pub(super) fn take_in(&self, name: &OsStr) -> Result<(), Errno> {
        let (folder, place) = self.place();
        match renameat_with(
            &self.parent.folder,
            name,
            folder,
            place,
            RenameFlags::NOREPLACE,
        ) {
            // The file system cannot promise it.
            Err(Errno::INVAL | Errno::NOSYS) => renameat(&self.parent.folder, name, folder, place),
            done => done,
        }
    }

    /// Puts the file into the folder under this name.
    ///
    /// # Errors
    /// `EXIST` if the name is taken.
    pub(super) fn put_out(&self, name: &OsStr) -> Result<(), Errno> {
        let (folder, place) = self.place();
        put(folder, place, &self.parent.folder, name)
    }

    pub(super) fn unlink(&self) -> Result<(), Errno> {
        let (folder, place) = self.place();
        unlinkat(folder, place, AtFlags::empty())
    }

    pub(super) fn name(&self) -> &OsStr {
        &self.name
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if self.inside.is_some() {
            // If something is in it, it stays, and is told among the leftovers.
            let _ = unlinkat(&self.parent.folder, &self.name, AtFlags::REMOVEDIR);
        }
    }
}

impl HeldFolder {
    /// What a crash left in this folder, at most 1,000; a removal or restoration that goes on at
    /// this moment shows here, too.
    ///
    /// # Errors
    /// [`HeldError::Os`] if the folder cannot be read.
    pub fn leftovers(&self) -> Result<Vec<Leftover>, HeldError> {
        let mut leftovers = Vec::new();
        for name in self.names()? {
            let name = name.map_err(refused("read", OsStr::new(".")))?;
            if is_hidden(&name) && leftovers.len() < LEFTOVERS_MAX {
                leftovers.push(self.leftover(&name)?);
            }
        }
        Ok(leftovers)
    }

    /// Puts what was left behind whole back under a name, and replaces nothing.
    ///
    /// # Errors
    /// [`HeldError::Taken`] if the name is; [`HeldError`] if nothing is left or the system refuses.
    pub fn put_back(&self, leftover: &Leftover, name: &OsStr) -> Result<(), HeldError> {
        let name = single(name)?;
        if !is_hidden(&leftover.name) {
            return Err(HeldError::BadPath(super::shown(&leftover.name)));
        }
        let room = openat(
            &self.folder,
            &leftover.name,
            FOLDER | OFlags::NOFOLLOW,
            Mode::empty(),
        );
        let done = match room {
            Ok(room) => {
                put(&File::from(room), OsStr::new(INSIDE), &self.folder, name).inspect(|()| {
                    let _ = unlinkat(&self.folder, &leftover.name, AtFlags::REMOVEDIR);
                })
            }
            Err(Errno::NOTDIR) => put(&self.folder, &leftover.name, &self.folder, name),
            Err(source) => Err(source),
        };
        match done {
            Ok(()) => self.sync(),
            Err(Errno::EXIST) => Err(HeldError::Taken(super::shown(name))),
            Err(source) => Err(refused("put back", name)(source)),
        }
    }

    /// Removes what was left behind, if it is still what was told: once it is known that its bytes
    /// are kept elsewhere, or that it was only begun.
    ///
    /// # Errors
    /// [`HeldError::Changed`] if it is another file; [`HeldError`] if the system refuses.
    pub fn discard(&self, leftover: &Leftover) -> Result<(), HeldError> {
        let name = &leftover.name;
        if !is_hidden(name) || single(name).is_err() {
            return Err(HeldError::BadPath(super::shown(name)));
        }
        let now = self.leftover(name)?.file;
        let is_same = match (&leftover.file, &now) {
            (Some(told), Some(now)) => told.is_same_file(now),
            (told, now) => told.is_none() && now.is_none(),
        };
        if !is_same {
            return Err(HeldError::Changed(super::shown(name)));
        }
        let removed = match openat(&self.folder, name, FOLDER | OFlags::NOFOLLOW, Mode::empty()) {
            Ok(room) => match unlinkat(&room, inside_of(leftover), AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => unlinkat(&self.folder, name, AtFlags::REMOVEDIR),
                refused => refused,
            },
            Err(Errno::NOTDIR) => unlinkat(&self.folder, name, AtFlags::empty()),
            Err(source) => Err(source),
        };
        removed.map_err(refused("discard", name))?;
        self.sync()
    }

    fn leftover(&self, name: &OsStr) -> Result<Leftover, HeldError> {
        let (file, is_begun) =
            match openat(&self.folder, name, FOLDER | OFlags::NOFOLLOW, Mode::empty()) {
                Ok(room) => Self {
                    folder: room.into(),
                }
                .inside()?,
                Err(_) => (self.look(name)?, false),
            };
        Ok(Leftover {
            name: name.to_owned(),
            file,
            is_begun,
        })
    }

    /// What is in a room, and whether it was begun there: a room of somebody else's holds nothing of ours.
    fn inside(&self) -> Result<(Option<Identity>, bool), HeldError> {
        if let Some(file) = self.look(OsStr::new(INSIDE))? {
            return Ok((Some(file), false));
        }
        let facts = self.folder.metadata();
        let facts = facts.map_err(refused("look at", OsStr::new(".")))?;
        let is_ours = facts.uid() == geteuid().as_raw();
        let begun = self.look(OsStr::new(BEGUN))?.filter(|_| is_ours);
        Ok((begun, begun.is_some()))
    }
}

fn inside_of(leftover: &Leftover) -> &'static str {
    match leftover.is_begun {
        true => BEGUN,
        false => INSIDE,
    }
}

/// Renames, and never replaces.
fn put(from: &File, place: &OsStr, to: &File, name: &OsStr) -> Result<(), Errno> {
    match renameat_with(from, place, to, name, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS) => match linkat(from, place, to, name, AtFlags::empty()) {
            Ok(()) => unlinkat(from, place, AtFlags::empty()),
            Err(Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS | Errno::MLINK) => {
                put_reserved(from, place, to, name)
            }
            refused => refused,
        },
        done => done,
    }
}

/// Where the file system can neither rename without replacing nor link, as FAT through FUSE: the name is reserved by
/// an empty file of ours, which is replaced while it is that still. Whoever puts another file in its place in the
/// moment between loses that.
pub(super) fn put_reserved(
    from: &File,
    place: &OsStr,
    to: &File,
    name: &OsStr,
) -> Result<(), Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let reserved: File = openat(to, name, flags, Mode::empty())?.into();
    let ours = Identity::of(&reserved).map_err(|_| Errno::IO)?;
    let found = openat(to, name, super::LOOK, Mode::empty())?;
    let found = Identity::of(&File::from(found)).map_err(|_| Errno::IO)?;
    if !found.is_same_file(&ours) || found.size_bytes > 0 {
        return Err(Errno::EXIST);
    }
    renameat(from, place, to, name).inspect_err(|_| {
        let _ = unlinkat(to, name, AtFlags::empty());
    })
}

/// Opens the room that was just made, unless somebody exchanged it for a folder of theirs.
fn enter(parent: &HeldFolder, name: &OsStr) -> Result<File, Errno> {
    let opened = openat(
        &parent.folder,
        name,
        FOLDER | OFlags::NOFOLLOW,
        Mode::empty(),
    )?;
    let room = File::from(opened);
    let facts = room.metadata().map_err(|_| Errno::IO)?;
    if facts.uid() != geteuid().as_raw() {
        return Err(Errno::PERM);
    }
    // An access control list of the parent may have given more to others, or less to us.
    fchmod(&room, Mode::RWXU)?;
    Ok(room)
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_bytes().starts_with(HIDDEN_PREFIX.as_bytes())
}

fn random_name() -> Result<OsString, Errno> {
    let mut bytes = [0; 8];
    // A request this small is answered whole.
    getrandom(&mut bytes, GetRandomFlags::empty())?;
    let number = u64::from_ne_bytes(bytes);
    Ok(format!("{HIDDEN_PREFIX}{number:016x}").into())
}
