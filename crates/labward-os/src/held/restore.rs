//! A file that comes back: whole, with everything that stood beside its bytes, or not at all.
//!
//! It must never stand under its name, nor be executable, before its last byte is synced.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;

use super::room::Room;
use super::{Difference, HeldError, HeldFolder, Identity, Metadata, refused, shown};

/// A file that is being written where no other account can reach it; gone if it is not finished.
#[derive(Debug)]
pub struct Restoration {
    folder: HeldFolder,
    name: OsString,
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
        let room = Room::make(folder.again()?).map_err(refused("make room for", name))?;
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let (inside, place) = room.place();
        let file = openat(inside, place, flags, Mode::RUSR | Mode::WUSR)
            .map_err(refused("make", name))?
            .into();
        Ok(Self {
            folder,
            name: name.to_owned(),
            file,
            place: Place { room, is_in: true },
        })
    }

    /// Gives it what stood beside its bytes, syncs it, and puts it under its name; never replaces a
    /// file that is there.
    ///
    /// Where the owner cannot be given back, the bits that would let it run as its owner are not
    /// set.
    ///
    /// # Errors
    /// [`HeldError::Taken`] if there is such a file; [`HeldError::Os`] if it cannot be synced or put
    /// in place. Then nothing stands under the name, unless it was the folder that could not be
    /// synced.
    pub fn finish(mut self, metadata: &Metadata) -> Result<Restored, HeldError> {
        let attempted = |what| refused::<io::Error>(what, &self.name);
        // All bytes are on the disk before anybody may run or read them.
        self.file.sync_all().map_err(attempted("sync"))?;
        metadata.apply(&self.file);
        self.file.sync_all().map_err(attempted("sync"))?;
        match self.place.room.put_out(&self.name) {
            Ok(()) => self.place.is_in = false,
            Err(Errno::EXIST) => return Err(HeldError::Taken(shown(&self.name))),
            Err(source) => return Err(refused("put in place", &self.name)(source)),
        }
        // An immutable file could not have been moved.
        metadata.apply_flags(&self.file);
        self.folder.sync()?;
        let now = Metadata::of(&self.file, &self.name)?;
        Ok(Restored {
            identity: Identity::of(&self.file).map_err(refused("look at", &self.name))?,
            differences: metadata.differences(&now),
        })
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
