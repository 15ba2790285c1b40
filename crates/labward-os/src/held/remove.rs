//! Unlinking a file only if it is the one that was looked at.
//!
//! It must never unlink before device and inode were compared in a place that others cannot reach.

use std::ffi::OsString;

use rustix::io::Errno;

use super::lease::Lease;
use super::room::Room;
use super::{HeldError, HeldFile, Identity, refused};

/// What became of a file that was to be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removal {
    /// Its name stands for another file, or it was written since; nothing was removed.
    Changed,
    /// Its name stood for another file, which was moved, and the name was taken again before it
    /// could be put back; nothing was removed.
    Displaced {
        /// What it is called now, in the same folder: [`super::HeldFolder::leftovers`] tells it,
        /// too.
        name: OsString,
    },
    /// Nothing has its name any more.
    NotThere,
    /// It was unlinked, and the folder synced.
    Removed {
        /// How many other names it still has.
        links_left: u64,
        /// Whether no other account could exchange it meanwhile.
        private: bool,
        /// Whether it is known that nobody had it open for writing.
        unwritten: bool,
    },
    /// Somebody has it open for writing; nothing was removed.
    StillWritten,
}

impl Removal {
    /// Its stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Changed => "removal.changed",
            Self::Displaced { .. } => "removal.displaced",
            Self::NotThere => "removal.not-there",
            Self::Removed { .. } => "removal.removed",
            Self::StillWritten => "removal.still-written",
        }
    }
}

impl HeldFile {
    /// Removes it from the folder in which it was found, if it is still in the state `seen`: the
    /// one that was copied. What this guarantees stands on the front of [`super`].
    ///
    /// # Errors
    /// [`HeldError::Os`] if the folder may not be written or the file is immutable; it stands then,
    /// unless the folder could not be synced: then it is gone but may be back after a power cut.
    pub fn remove_if_same(&self, seen: &Identity) -> Result<Removal, HeldError> {
        if self.identity_now()? != *seen {
            return Ok(Removal::Changed);
        }
        let lease = match Lease::take(&self.file) {
            Err(Errno::AGAIN) => return Ok(Removal::StillWritten),
            other => other.ok(),
        };
        // Most exchanges are seen here already, and need no move.
        match self.folder.look(&self.name)? {
            Some(there) if there.is_same_file(seen) => {}
            Some(_) => return Ok(Removal::Changed),
            None => return Ok(Removal::NotThere),
        }
        let attempted = |what| refused(what, &self.name);
        let room = Room::make(self.folder.again()?).map_err(attempted("make room for"))?;
        match room.take_in(&self.name) {
            Ok(()) => {}
            Err(Errno::NOENT) => return Ok(Removal::NotThere),
            Err(source) => return Err(attempted("move")(source)),
        }
        match self.is_in(&room, seen) {
            Ok(true) => {}
            Ok(false) => return self.put_back(&room),
            Err(error) => return self.put_back(&room).and(Err(error)),
        }
        if let Err(source) = room.unlink() {
            return self.put_back(&room).and(Err(attempted("remove")(source)));
        }
        let private = room.is_private();
        drop(room);
        self.folder.sync()?;
        Ok(Removal::Removed {
            links_left: self.identity_now()?.links,
            private,
            unwritten: lease.is_some(),
        })
    }

    fn is_in(&self, room: &Room, seen: &Identity) -> Result<bool, HeldError> {
        let (folder, place) = room.place();
        let folder = super::HeldFolder {
            folder: folder.try_clone().map_err(refused("look at", &self.name))?,
        };
        let there = folder.look(place)?;
        Ok(there.is_some_and(|there| there.has_same_bytes(seen)))
    }

    fn put_back(&self, room: &Room) -> Result<Removal, HeldError> {
        match room.put_out(&self.name) {
            Ok(()) => Ok(Removal::Changed),
            Err(Errno::EXIST) => Ok(Removal::Displaced {
                name: room.name().to_owned(),
            }),
            Err(source) => Err(refused("put back", &self.name)(source)),
        }
    }
}
