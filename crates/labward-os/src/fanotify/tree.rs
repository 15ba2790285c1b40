//! A folder that is watched with the folders in it, those that are made later included.
//!
//! It must never say that a folder is watched before it is, and never leave one out without
//! counting it. Between the making of a folder and [`Tree::update`] its files are opened unasked:
//! where that must not be, watch a mount ([`super::Scope::Mount`]).
//!
//! A file that is moved here from elsewhere was not written here, so no [`super::Notice`] tells of
//! it; [`News::File`] does. A hard link that is made here is not told; whoever opens it is asked.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;

use super::{Fanotify, FanotifyError, Scope, Watch};
use crate::error::OsError;
use crate::held::{HeldError, HeldFolder, Kind};

/// The most folders that a tree may have.
pub const FOLDERS_MAX: usize = 65_536;
/// Folders deeper than this are left out.
const DEPTH_MAX: usize = 64;
/// Room for some hundred events of short names.
const READ_BYTES: usize = 16 << 10;

/// Something in a tree that must be looked at, for nothing else tells of it. Paths lie below the
/// root.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum News {
    /// Too much happened at once: all of the tree.
    Everything,
    /// A file, or something else that is no folder, was moved here.
    File(PathBuf),
    /// A folder was made or moved here, and is watched from now on; what lies in it already was
    /// neither asked about nor told.
    Folder(PathBuf),
}

/// The folders of a tree that are watched.
#[derive(Debug)]
pub struct Tree {
    root: HeldFolder,
    watch: Watch,
    folders_max: usize,
    /// Where each watched folder lies below the root, by the number under which its changes are told.
    folders: BTreeMap<i32, PathBuf>,
    changes: OwnedFd,
    left_out: u64,
}

impl Tree {
    /// Watches `root` and every folder below it, without following links; at most `folders_max`,
    /// which is 1 to [`FOLDERS_MAX`].
    ///
    /// # Errors
    /// [`FanotifyError`] if the root cannot be watched.
    pub fn begin(
        fanotify: &Fanotify,
        root: &HeldFolder,
        watch: Watch,
        folders_max: usize,
    ) -> Result<Self, FanotifyError> {
        let changes = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)
            .map_err(FanotifyError::of("watch"))?;
        fanotify.mark(root, Scope::Folder, watch)?;
        let mut tree = Self {
            root: root.again().map_err(of_held)?,
            watch,
            folders_max: folders_max.clamp(1, FOLDERS_MAX),
            folders: BTreeMap::new(),
            changes,
            left_out: 0,
        };
        tree.add(fanotify, PathBuf::new(), false);
        Ok(tree)
    }

    /// Watches the folders that were made or moved here since, and says what must be looked at.
    ///
    /// Waits for the first change no longer than `wait`.
    ///
    /// # Errors
    /// [`FanotifyError::Os`] if the kernel does not tell.
    pub fn update(
        &mut self,
        fanotify: &Fanotify,
        wait: Duration,
    ) -> Result<Vec<News>, FanotifyError> {
        let wait = Timespec::try_from(wait).ok();
        let mut fds = [PollFd::new(&self.changes, PollFlags::IN)];
        match poll(&mut fds, wait.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(source) => return Err(FanotifyError::of("watch")(source)),
        }
        let mut news = Vec::new();
        for one in self.news()? {
            let (folder, again) = match one {
                News::Everything => {
                    news.push(News::Everything);
                    (PathBuf::new(), true)
                }
                News::Folder(folder) => (folder, false),
                file @ News::File(_) => {
                    news.push(file);
                    continue;
                }
            };
            let added = self.add(fanotify, folder, again);
            news.extend(added.into_iter().map(News::Folder));
        }
        Ok(news)
    }

    /// How many folders are watched.
    pub fn watched(&self) -> usize {
        self.folders.len()
    }

    /// How many folders could not be watched so far: too many, too deep, or refused.
    pub const fn left_out(&self) -> u64 {
        self.left_out
    }

    /// What the kernel tells, before anything is done about it.
    fn news(&mut self) -> Result<Vec<News>, FanotifyError> {
        let mut buffer = [const { MaybeUninit::uninit() }; READ_BYTES];
        let mut reader = Reader::new(&self.changes, &mut buffer);
        let mut news = Vec::new();
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(Errno::AGAIN | Errno::INTR) => return Ok(news),
                Err(source) => return Err(FanotifyError::of("watch")(source)),
            };
            let what = event.events();
            if what.contains(ReadFlags::QUEUE_OVERFLOW) {
                news.push(News::Everything);
            } else if what.contains(ReadFlags::IGNORED) {
                self.folders.remove(&event.wd());
            } else if let Some(parent) = self.folders.get(&event.wd())
                && let Some(name) = event.file_name()
            {
                let path = parent.join(OsStr::from_bytes(name.to_bytes()));
                if what.contains(ReadFlags::ISDIR) {
                    news.push(News::Folder(path));
                } else if what.contains(ReadFlags::MOVED_TO) {
                    news.push(News::File(path));
                }
            }
        }
    }

    /// Watches a folder and all below it; answers those that were not watched before, or lay
    /// elsewhere. Only `again` looks for new ones below those that were.
    fn add(&mut self, fanotify: &Fanotify, first: PathBuf, again: bool) -> Vec<PathBuf> {
        let mut added = Vec::new();
        let mut waiting = vec![first];
        while let Some(path) = waiting.pop() {
            let one =
                self.add_one(fanotify, &path)
                    .and_then(|(folder, is_new)| match is_new || again {
                        true => Ok((folders_in(&folder)?, is_new)),
                        false => Ok((Vec::new(), is_new)),
                    });
            match one {
                Ok((inside, is_new)) => {
                    waiting.extend(inside.iter().map(|name| path.join(name)));
                    if is_new {
                        added.push(path);
                    }
                }
                // Gone again, or never a folder.
                Err(HeldError::NotAFolder(_)) => {}
                Err(error) if error.kind() == Some(io::ErrorKind::NotFound) => {}
                Err(_) => self.left_out += 1,
            }
        }
        added
    }

    /// Watches one folder; answers it, and whether it was not watched before or lay elsewhere.
    fn add_one(
        &mut self,
        fanotify: &Fanotify,
        path: &Path,
    ) -> Result<(HeldFolder, bool), HeldError> {
        let is_root = path.as_os_str().is_empty();
        let folder = self
            .root
            .folder(if is_root { Path::new(".") } else { path })?;
        let refused = |source: Errno| HeldError::Os(OsError::new("watch", "a folder", source));
        if path.components().count() > DEPTH_MAX {
            return Err(refused(Errno::NOSPC));
        }
        // First the questions, then the news of folders in it, then those that are there: so none
        // is missed, and one that is seen twice does no harm.
        fanotify
            .mark(&folder, Scope::Folder, self.watch)
            .map_err(|_| refused(Errno::PERM))?;
        let itself = format!("/proc/self/fd/{}", folder.as_fd().as_raw_fd());
        let news = WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::ONLYDIR;
        let number = inotify::add_watch(&self.changes, itself, news).map_err(refused)?;
        if self.folders.len() >= self.folders_max && !self.folders.contains_key(&number) {
            let _ = inotify::remove_watch(&self.changes, number);
            let _ = fanotify.unmark(&folder, Scope::Folder, self.watch);
            return Err(refused(Errno::NOSPC));
        }
        let before = self.folders.insert(number, path.to_owned());
        Ok((folder, before.is_none_or(|before| before != path)))
    }
}

/// The names of the folders in a folder; links are none.
fn folders_in(folder: &HeldFolder) -> Result<Vec<OsString>, HeldError> {
    let mut folders = Vec::new();
    for name in folder.names()?.flatten() {
        if folder
            .look(&name)?
            .is_some_and(|found| found.kind == Kind::Folder)
        {
            folders.push(name);
        }
    }
    Ok(folders)
}

fn of_held(error: HeldError) -> FanotifyError {
    match error {
        HeldError::Os(error) => error.into(),
        _ => OsError::new("hold", "the root of a tree", Errno::NOENT).into(),
    }
}
