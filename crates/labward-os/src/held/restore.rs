//! A file that comes back: whole, with everything that stood beside its bytes, or not at all.
//!
//! It must never stand under its name, nor be executable, before its last byte is synced.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;

use super::room::Room;
use super::{Difference, HeldError, HeldFolder, Identity, Metadata, refused, shown, single};

/// A file that is being written where no other account can reach it; gone if it is not finished.
#[derive(Debug)]
pub struct Restoration {
    folder: HeldFolder,
    name: OsString,
    /// Names that are tried in this order if the first is taken.
    others: Vec<OsString>,
    file: File,
    place: Place,
}

/// The room, and whether the file is still in it.
#[derive(Debug)]
struct Place {
    room: Room,
    is_in: bool,
}

/// A file that stands again under its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Under which name it stands.
    pub name: OsString,
    /// Which file it is now.
    pub identity: Identity,
    /// What could not be set as it was, found by reading it again; empty if everything is as it
    /// was. The time of the last change ([`Metadata::changed`]) nobody can set, and it is not told
    /// here.
    pub differences: Vec<Difference>,
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.is_in {
            let _ = self.room.unlink();
        }
    }
}

impl Restoration {
    pub(super) fn begin(folder: HeldFolder, name: &OsStr) -> Result<Self, HeldError> {
        let room = Room::make_to_begin(folder.again()?).map_err(refused("make room for", name))?;
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let (inside, place) = room.place();
        let file = openat(inside, place, flags, Mode::RUSR | Mode::WUSR)
            .map_err(refused("make", name))?
            .into();
        Ok(Self {
            folder,
            name: name.to_owned(),
            others: Vec::new(),
            file,
            place: Place { room, is_in: true },
        })
    }

    /// Names another name for it, if those named before are taken when it is finished.
    ///
    /// # Errors
    /// [`HeldError::BadPath`] if it is none.
    pub fn or_as(mut self, name: &OsStr) -> Result<Self, HeldError> {
        self.others.push(single(name)?.to_owned());
        Ok(self)
    }

    /// Gives it what stood beside its bytes, syncs it, and puts it under its name; never replaces a
    /// file that is there.
    ///
    /// Where the owner cannot be given back, the bits that would let it run as its owner are not
    /// set.
    ///
    /// # Errors
    /// [`HeldError::Taken`] if every name of it is taken; [`HeldError::Os`] if it cannot be synced or put
    /// in place. Then nothing stands under the name, unless it was the folder that could not be
    /// synced.
    pub fn finish(mut self, metadata: &Metadata) -> Result<Restored, HeldError> {
        let attempted = |what| refused::<io::Error>(what, &self.name);
        // All bytes are on the disk before anybody may run or read them.
        self.file.sync_all().map_err(attempted("sync"))?;
        metadata.apply(&self.file);
        self.file.sync_all().map_err(attempted("sync"))?;
        let name = self.put_out()?;
        self.place.is_in = false;
        // An immutable file could not have been moved.
        metadata.apply_flags(&self.file);
        self.folder.sync()?;
        let now = Metadata::of(&self.file, &self.name)?;
        Ok(Restored {
            name,
            identity: Identity::of(&self.file).map_err(refused("look at", &self.name))?,
            differences: metadata.differences(&now),
        })
    }

    /// Puts it under the first of its names that is free.
    fn put_out(&self) -> Result<OsString, HeldError> {
        for name in std::iter::once(&self.name).chain(&self.others) {
            match self.place.room.put_out(name) {
                Ok(()) => return Ok(name.clone()),
                Err(Errno::EXIST) => {}
                Err(source) => return Err(refused("put in place", name)(source)),
            }
        }
        Err(HeldError::Taken(shown(&self.name)))
    }
}

impl Write for Restoration {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
