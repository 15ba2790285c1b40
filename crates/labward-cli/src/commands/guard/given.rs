//! What was given back: two people said so, hence it stays where it is.
//!
//! It must never let another file pass than the one that was given back: it is known by its inode and
//! its SHA-256, in the folder in which it was; where a file system numbers its files anew each time, as
//! FAT does, by its place instead of its inode. A copy of it, or the same file with other bytes, is
//! looked at like any other.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use labward_base::{hex, problem};
use labward_os::write_durably;
use labward_seal::Sha256;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// So many are kept; the oldest go first.
const FILES_MAX: usize = 10_000;
/// The most bytes of the file of them.
const STATE_BYTES_MAX: u64 = 16 << 20;
const NAME: &str = "given-back.json";
const LOCK: &str = "lock";
const PIECE_BYTES: usize = 64 << 10;

/// A file that was given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    folder: String,
    inode: u64,
    /// In hexadecimal digits.
    sha256: String,
    item: u64,
    /// When it was agreed to.
    #[serde(default)]
    approved: String,
    /// The SHA-256 of where it lies below the folder, in hexadecimal digits.
    #[serde(default)]
    place: String,
}

impl Entry {
    /// Whether it may be the file with this inode, or at this place where inodes say nothing.
    fn stands(&self, inode: u64, place: Option<&str>) -> bool {
        match place {
            Some(place) => self.place == place,
            None => self.inode == inode,
        }
    }
}

/// Those of this machine.
pub(super) struct Given {
    path: PathBuf,
    inside: Mutex<Inside>,
    /// Held as long as this guard runs.
    _lock: File,
}

struct Inside {
    entries: Vec<Entry>,
    /// What is being given back at this moment, whose inode is not known yet.
    coming: Vec<(String, String)>,
}

/// Something that is being given back; forgotten when dropped.
pub(super) struct Coming<'a>(&'a Given, (String, String));

impl Drop for Coming<'_> {
    fn drop(&mut self) {
        let mut inside = self.0.inside();
        if let Some(at) = inside.coming.iter().position(|one| *one == self.1) {
            inside.coming.swap_remove(at);
        }
    }
}

impl Given {
    /// Opens the folder, for one guard at a time.
    pub(super) fn open(folder: &Path) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| {
            Failure::new(&problem::CLI_FILE, format!("{}: {error}", folder.display()))
        };
        let made = fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder);
        made.map_err(failed)?;
        let lock = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(folder.join(LOCK))
            .map_err(failed)?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            let place = folder.display().to_string();
            return Err(Failure::new(&problem::GUARD_BUSY, place));
        }
        let path = folder.join(NAME);
        let entries = match File::open(&path) {
            Ok(file) => read(&file).map_err(failed)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(failed(error)),
        };
        let coming = Vec::new();
        let inside = Mutex::new(Inside { entries, coming });
        Ok(Self {
            path,
            inside,
            _lock: lock,
        })
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the file may be one that was given back: only then its bytes are hashed here.
    pub(super) fn may_be(&self, folder: &str, inode: u64, place: Option<&str>) -> bool {
        let inside = self.inside();
        let is_of = |one: &Entry| one.folder == folder && one.stands(inode, place);
        inside.coming.iter().any(|one| one.0 == folder) || inside.entries.iter().any(is_of)
    }

    /// Whether it is one.
    pub(super) fn is(
        &self,
        folder: &str,
        (inode, place): (u64, Option<&str>),
        sha256: &str,
    ) -> bool {
        let inside = self.inside();
        let is_it =
            |one: &Entry| one.folder == folder && one.stands(inode, place) && one.sha256 == sha256;
        let comes = |one: &(String, String)| one.0 == folder && one.1 == sha256;
        inside.coming.iter().any(comes) || inside.entries.iter().any(is_it)
    }

    /// Whether an item was given back as it was agreed to at that time.
    pub(super) fn is_done(&self, folder: &str, item: u64, approved: &str) -> bool {
        let inside = self.inside();
        let is_it =
            |one: &Entry| one.folder == folder && one.item == item && one.approved == approved;
        inside.entries.iter().any(is_it)
    }

    /// Lets these bytes into the folder until what is answered is dropped.
    pub(super) fn coming(&self, folder: &str, sha256: &str) -> Coming<'_> {
        let one = (folder.to_owned(), sha256.to_owned());
        self.inside().coming.push(one.clone());
        Coming(self, one)
    }

    /// Notes a file that stands again, durably.
    pub(super) fn note(
        &self,
        folder: &str,
        (inode, place, sha256): (u64, &str, &str),
        (item, approved): (u64, &str),
    ) -> Result<(), String> {
        let mut inside = self.inside();
        inside.entries.push(Entry {
            folder: folder.to_owned(),
            inode,
            sha256: sha256.to_owned(),
            item,
            approved: approved.to_owned(),
            place: place.to_owned(),
        });
        let over = inside.entries.len().saturating_sub(FILES_MAX);
        inside.entries.drain(..over);
        let text = serde_json::to_vec(&inside.entries).map_err(|error| error.to_string())?;
        write_durably(&self.path, &text, 0o600).map_err(|error| error.to_string())
    }
}

fn read(file: &File) -> std::io::Result<Vec<Entry>> {
    let mut text = Vec::new();
    file.take(STATE_BYTES_MAX).read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

/// The SHA-256 of a file, in hexadecimal digits.
pub(super) fn hash(file: &File) -> std::io::Result<String> {
    let mut sha256 = Sha256::new();
    let mut piece = vec![0; PIECE_BYTES];
    let mut at = 0;
    loop {
        let done = file.read_at(&mut piece, at)?;
        if done == 0 {
            return Ok(hex::encode(&sha256.finish()));
        }
        sha256.update(piece.get(..done).unwrap_or_default());
        at += u64::try_from(done).unwrap_or(u64::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_testkit::TempDir;

    #[test]
    fn a_file_that_was_given_back_is_known_after_a_restart_and_no_other_is() {
        let folder = TempDir::new();
        let state = folder.join("state");
        let given = Given::open(&state).unwrap();
        assert!(Given::open(&state).is_err(), "one guard at a time");
        given.note("intake", (7, "p", "aa"), (3, "then")).unwrap();
        drop(given);
        let given = Given::open(&state).unwrap();
        let is = |inode, place, sha256| given.is("intake", (inode, place), sha256);
        assert!(given.may_be("intake", 7, None) && is(7, None, "aa"));
        assert!(!is(7, None, "bb") && !is(8, None, "aa"));
        assert!(!given.is("other", (7, None), "aa"));
        // Where inodes say nothing.
        assert!(given.may_be("intake", 8, Some("p")) && is(8, Some("p"), "aa"));
        assert!(!is(7, Some("q"), "aa") && !is(8, Some("p"), "bb"));
        assert!(given.is_done("intake", 3, "then"));
        assert!(!given.is_done("intake", 3, "later") && !given.is_done("intake", 4, "then"));
    }

    #[test]
    fn what_comes_back_passes_only_while_it_comes() {
        let folder = TempDir::new();
        let given = Given::open(folder.path()).unwrap();
        let coming = given.coming("intake", "aa");
        let is = |sha256| given.is("intake", (9, None), sha256);
        assert!(is("aa") && !is("bb"));
        drop(coming);
        assert!(!is("aa") && !given.may_be("intake", 9, None));
    }
}
