//! Who opens, runs or has written a file of a folder, and whether they may (fanotify(7)).
//!
//! It must never let another program wait longer than the deadline, whatever becomes of whoever is
//! to answer: a question that is dropped, too old or too many is answered by the default that was
//! chosen ([`Settings::default_verdict`]), and is told as such.
//!
//! # What holds where this program does not
//! If this process ends, even by `kill -9`, the kernel lets everybody open again. If it is stopped
//! (`SIGSTOP`, a debugger), whoever opens a watched file waits until it goes on: nothing in the
//! process can help then. The deadline begins when the question is read, which the listening thread
//! does at once. It takes root (`CAP_SYS_ADMIN`) and a kernel with
//! `CONFIG_FANOTIFY_ACCESS_PERMISSIONS`. A thread that starts a watched program waits for its
//! question, so it must not be the one that answers.
//!
//! # Bounds
//! Questions have a queue in the kernel without a limit, for a full one would let files be opened
//! unseen; as each belongs to a thread that waits, there are never more than threads. Of what was
//! written the kernel keeps 16,384 and tells when it lost some. Here at most
//! [`Settings::outstanding_max`] of each wait, with one descriptor for the file and one for the
//! process.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use labward_base::{Problem, problem};
use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;

use crate::clock::Stopwatch;
use crate::error::OsError;
use crate::held::{HeldFolder, Identity};

mod gate;
mod kernel;
mod listener;
mod tree;

pub use gate::{Answer, Counts, Question, Verdict};
pub use tree::{FOLDERS_MAX, News, Tree};

/// The shortest deadline.
const DEADLINE_MIN: Duration = Duration::from_millis(1);
/// The longest deadline: nobody waits longer for a file.
pub const DEADLINE_MAX: Duration = Duration::from_secs(600);
/// The most that [`Settings::outstanding_max`] may be.
pub const OUTSTANDING_MAX: usize = 16_384;

/// How questions are dealt with.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// What is answered where nobody else answers: [`Verdict::Allow`] keeps the work going,
    /// [`Verdict::Deny`] keeps what nobody looked at out.
    pub default_verdict: Verdict,
    /// How long one waits for an answer: 1 ms to [`DEADLINE_MAX`], moved into that range.
    pub deadline: Duration,
    /// How many questions and how many notices may wait: 1 to [`OUTSTANDING_MAX`], moved into that
    /// range. Further questions are answered by the default.
    pub outstanding_max: usize,
}

/// What is watched of a folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watch {
    /// Ask before a file is opened, which includes to run it.
    pub open: bool,
    /// Ask before a file is run (kernel 5.0).
    pub execute: bool,
    /// Tell when a file that was open for writing is closed. A file that is moved here is not told.
    pub written: bool,
}

/// How far a mark reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The whole file system on which the folder lies, wherever it is mounted.
    FileSystem,
    /// The files right in the folder, not those in folders of it.
    Folder,
    /// Everything below the place where the file system of the folder is mounted.
    Mount,
}

/// Something that happened in a watched place.
#[derive(Debug)]
pub enum Event {
    /// More than could be told; see [`Overflow`].
    Overflow(Overflow),
    /// Somebody waits for an answer.
    Question(Question),
    /// A file was closed by a process that had it open for writing.
    Written(Notice),
}

/// What was not told since the last time. Where anything was lost, the places must be read anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overflow {
    /// The kernel's own queue was full, and it does not know how many it dropped.
    pub kernel_queue: bool,
    /// Questions that were answered by the default because too many waited.
    pub answered_by_default: u64,
    /// Files that were written and are not told, because too many notices waited.
    pub notices_lost: u64,
    /// Events that the kernel could not hand over, most often for want of descriptors; it denies
    /// such questions itself.
    pub unreadable: u64,
}

/// A file that was written.
#[derive(Debug)]
pub struct Notice {
    seen: Seen,
}

/// A file, and the process that did something with it.
#[derive(Debug)]
struct Seen {
    file: File,
    pid: i32,
    process: Option<OwnedFd>,
}

/// Why nothing can be watched.
#[derive(Debug, thiserror::Error)]
pub enum FanotifyError {
    /// This account may not.
    #[error("watch files: this account may not")]
    Denied,
    /// The listening thread ended; everything was answered by the default or let go by the kernel.
    #[error("watch files: the listening thread ended")]
    Ended,
    /// The kernel was built without it.
    #[error("watch files: this kernel cannot")]
    NotThere,
    /// The system refused otherwise.
    #[error(transparent)]
    Os(#[from] OsError),
}

/// Watches files until it is dropped.
#[derive(Debug)]
pub struct Fanotify {
    shared: Arc<Shared>,
    /// The group of notices; the one of questions is the gate's.
    notices: Arc<OwnedFd>,
    wake: Arc<OwnedFd>,
    thread: Option<JoinHandle<()>>,
}

/// What the listening thread and those who ask it share.
#[derive(Debug)]
struct Shared {
    gate: Arc<gate::Gate>,
    queue: Mutex<Queue>,
    filled: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    events: VecDeque<Event>,
    /// How many of them are notices.
    notices: usize,
    overflow: Overflow,
    ended: bool,
}

impl Default for Settings {
    /// Whoever is not answered within 5 seconds may open; 256 may wait.
    fn default() -> Self {
        Self {
            default_verdict: Verdict::Allow,
            deadline: Duration::from_secs(5),
            outstanding_max: 256,
        }
    }
}

impl FanotifyError {
    /// Its stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Denied => "fanotify.denied",
            Self::Ended => "fanotify.ended",
            Self::NotThere => "fanotify.not-there",
            Self::Os(_) => "fanotify.refused",
        }
    }

    /// The problem as a person sees it.
    pub fn problem(&self) -> &'static Problem {
        match self {
            Self::Os(error) => error.problem(),
            _ => &problem::SERVER_INTERNAL,
        }
    }

    fn of(attempted: &'static str) -> impl FnOnce(Errno) -> Self {
        move |source| match source {
            Errno::PERM => Self::Denied,
            Errno::NOSYS => Self::NotThere,
            other => OsError::new(attempted, "files", other).into(),
        }
    }
}

impl Fanotify {
    /// Begins to listen; nothing is watched yet. What this process itself opens is always allowed
    /// and never told.
    ///
    /// # Errors
    /// [`FanotifyError`] if this account may not, or the kernel cannot.
    pub fn open(settings: Settings) -> Result<Self, FanotifyError> {
        let refused = FanotifyError::of("watch");
        let gate_group = Arc::new(kernel::open_gate().map_err(refused)?);
        let notices = Arc::new(kernel::open_notices().map_err(FanotifyError::of("watch"))?);
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK);
        let wake = Arc::new(wake.map_err(FanotifyError::of("watch"))?);
        let shared = Arc::new(Shared {
            gate: Arc::new(gate::Gate::new(Arc::clone(&gate_group), settings)),
            queue: Mutex::default(),
            filled: Condvar::new(),
        });
        let listener = listener::Listener {
            shared: Arc::clone(&shared),
            questions: gate_group,
            notices: Arc::clone(&notices),
            wake: Arc::clone(&wake),
        };
        let thread = thread::Builder::new()
            .name("labward-fanotify".to_owned())
            .spawn(move || listener.run())
            .map_err(|source| OsError::new("start", "the listening thread", source))?;
        Ok(Self {
            shared,
            notices,
            wake,
            thread: Some(thread),
        })
    }

    /// Watches a folder from now on, in addition to what is watched already.
    ///
    /// [`Scope::Mount`] is the one that holds for folders which do not exist yet: make the intake a
    /// mount of its own (`mount --bind`). [`Scope::Folder`] leaves out the folders in it, for which
    /// there is [`Tree`].
    ///
    /// # Errors
    /// [`FanotifyError`] if the kernel refuses; on some file systems it cannot be done.
    pub fn mark(
        &self,
        folder: &HeldFolder,
        scope: Scope,
        watch: Watch,
    ) -> Result<(), FanotifyError> {
        self.change(folder, scope, watch, libc::FAN_MARK_ADD)
    }

    /// Takes [`Fanotify::mark`] back, for what `watch` names.
    ///
    /// # Errors
    /// [`FanotifyError`] if that was not watched.
    pub fn unmark(
        &self,
        folder: &HeldFolder,
        scope: Scope,
        watch: Watch,
    ) -> Result<(), FanotifyError> {
        self.change(folder, scope, watch, libc::FAN_MARK_REMOVE)
    }

    fn change(
        &self,
        folder: &HeldFolder,
        scope: Scope,
        watch: Watch,
        action: libc::c_uint,
    ) -> Result<(), FanotifyError> {
        let bit = |wanted, bit| if wanted { bit } else { 0 };
        let asked =
            bit(watch.open, libc::FAN_OPEN_PERM) | bit(watch.execute, libc::FAN_OPEN_EXEC_PERM);
        let told = bit(watch.written, libc::FAN_CLOSE_WRITE);
        let gate = self.shared.gate.group().ok_or(FanotifyError::Ended)?;
        for (group, mask) in [(&*gate, asked), (&*self.notices, told)] {
            if mask != 0 {
                kernel::mark(group, action, scope, mask, folder)
                    .map_err(FanotifyError::of("watch"))?;
            }
        }
        Ok(())
    }

    /// The next event; none if within `wait` there is none. Several threads may wait at once.
    ///
    /// # Errors
    /// [`FanotifyError::Ended`] if nothing will come any more.
    pub fn next(&self, wait: Duration) -> Result<Option<Event>, FanotifyError> {
        let watch = Stopwatch::start();
        let mut queue = self.shared.queue();
        loop {
            if queue.overflow != Overflow::default() {
                return Ok(Some(Event::Overflow(std::mem::take(&mut queue.overflow))));
            }
            if let Some(event) = queue.events.pop_front() {
                queue.notices -= usize::from(matches!(event, Event::Written(_)));
                return Ok(Some(event));
            }
            if queue.ended {
                return Err(FanotifyError::Ended);
            }
            let Some(left) = wait.checked_sub(watch.elapsed()) else {
                return Ok(None);
            };
            let filled = self.shared.filled.wait_timeout(queue, left);
            queue = filled.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// How many questions there were so far, and how they were answered.
    pub fn counts(&self) -> Counts {
        self.shared.gate.counts()
    }
}

impl Drop for Fanotify {
    fn drop(&mut self) {
        // The thread closes the group of questions, which lets everybody go on that still waits.
        let _ = rustix::io::write(&self.wake, &1_u64.to_ne_bytes());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Notice {
    /// The file, to be read; reading it causes no event.
    pub const fn file(&self) -> &File {
        &self.seen.file
    }

    /// Which file it is.
    ///
    /// # Errors
    /// [`OsError`] if the system does not tell.
    pub fn identity(&self) -> Result<Identity, OsError> {
        self.seen.identity()
    }

    /// Where it lies now, as far as that can be said: it may have been moved or removed since.
    pub fn path(&self) -> Option<PathBuf> {
        self.seen.path()
    }

    /// The number of the process that wrote it; 0 if this one cannot see it.
    pub const fn pid(&self) -> i32 {
        self.seen.pid
    }

    /// That process itself, which a number alone does not tell once it is used again; none before
    /// kernel 5.15 or if it has ended.
    pub fn process(&self) -> Option<BorrowedFd<'_>> {
        self.seen.process.as_ref().map(AsFd::as_fd)
    }
}

impl Seen {
    fn identity(&self) -> Result<Identity, OsError> {
        Identity::of(&self.file).map_err(|source| OsError::new("look at", "a watched file", source))
    }

    fn path(&self) -> Option<PathBuf> {
        fs::read_link(format!("/proc/self/fd/{}", self.file.as_raw_fd())).ok()
    }
}
