//! The parent's side: a child with two pipes, nothing else of its parent, and no longer life.
//!
//! It must never leave a child behind: neither when it is dropped nor when this process dies.

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, getpid, pidfd_open};

use super::{KEPT, Limits, die_with_parent, is_child_of};
use crate::clock::Stopwatch;
use crate::error::OsError;

/// A process that was started to be confined; killed when dropped.
#[derive(Debug)]
pub struct ConfinedChild {
    child: Child,
    /// What it reads; closed when dropped, which is how it learns that there is no more.
    pub stdin: Option<ChildStdin>,
    /// What it says.
    pub stdout: Option<ChildStdout>,
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this code.
    Exited(i32),
    /// It tried what no computing process needs, and the kernel killed it (SIGSYS).
    Forbidden,
    /// Its processor time was used up (SIGXCPU).
    OutOfTime,
    /// Another signal: 6 where it ran out of memory or panicked twice, 9 where it was killed.
    Signalled(i32),
}

impl Ending {
    /// Its stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Exited(0) => "confined.done",
            Self::Exited(_) => "confined.failed",
            Self::Forbidden => "confined.forbidden",
            Self::OutOfTime => "confined.out-of-time",
            Self::Signalled(_) => "confined.signalled",
        }
    }

    fn of(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Exited(code),
            (None, Some(libc::SIGSYS)) => Self::Forbidden,
            (None, Some(libc::SIGXCPU)) => Self::OutOfTime,
            (None, signal) => Self::Signalled(signal.unwrap_or_default()),
        }
    }
}

impl ConfinedChild {
    /// Its process number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it at once, if it still runs.
    ///
    /// # Errors
    /// [`OsError`] if the kernel refuses.
    pub fn kill(&mut self) -> Result<(), OsError> {
        self.child
            .kill()
            .map_err(|source| self.refused("kill", source))
    }

    /// Waits until it ended. A child that waits for more to read never does: drop `stdin` first.
    ///
    /// # Errors
    /// [`OsError`] if the kernel does not tell.
    pub fn wait(&mut self) -> Result<Ending, OsError> {
        let ended = self.child.wait();
        ended
            .map(Ending::of)
            .map_err(|source| self.refused("wait for", source))
    }

    /// Waits until it ended, but no longer than `limit`; none if it still runs then.
    ///
    /// # Errors
    /// [`OsError`] if the kernel does not tell (it has `pidfd_open` since version 5.3).
    pub fn wait_within(&mut self, limit: Duration) -> Result<Option<Ending>, OsError> {
        let refused = |source: io::Error| OsError::new("wait for", "a confined process", source);
        // Not reaped yet, so the number is still its own.
        if let Some(status) = self.child.try_wait().map_err(refused)? {
            return Ok(Some(Ending::of(status)));
        }
        let raw = i32::try_from(self.child.id()).unwrap_or_default();
        let pid = Pid::from_raw(raw).ok_or_else(|| refused(Errno::SRCH.into()))?;
        let process =
            pidfd_open(pid, PidfdFlags::empty()).map_err(|source| refused(source.into()))?;
        let watch = Stopwatch::start();
        loop {
            let left = limit.saturating_sub(watch.elapsed());
            let left = Timespec::try_from(left).map_err(|_| refused(Errno::INVAL.into()))?;
            let mut fds = [PollFd::new(&process, PollFlags::IN)];
            match poll(&mut fds, Some(&left)) {
                Ok(_) => break,
                Err(Errno::INTR) => {}
                Err(source) => return Err(refused(source.into())),
            }
        }
        let ended = self.child.try_wait().map_err(refused)?;
        Ok(ended.map(Ending::of))
    }

    fn refused(&self, attempted: &'static str, source: io::Error) -> OsError {
        OsError::new(attempted, format!("process {}", self.child.id()), source)
    }
}

impl Drop for ConfinedChild {
    fn drop(&mut self) {
        // An error means that it ended and was waited for already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts `program` with two pipes, an empty environment, `/` as its folder, nothing on standard
/// error, a process group of its own, and the resource limits of `limits`.
///
/// It inherits no other descriptor, and is killed when this process ends, however that happens.
/// `/proc/self/exe` is this very program, even after an update replaced its file. The child must
/// call [`super::enter`] itself: until then it is limited, not confined.
///
/// # Errors
/// [`OsError`] if it cannot be started.
pub fn spawn<A: AsRef<OsStr>>(
    program: &Path,
    arguments: &[A],
    limits: &Limits,
) -> Result<ConfinedChild, OsError> {
    let mut child = start(program, arguments, limits)?;
    Ok(ConfinedChild {
        stdin: child.stdin.take(),
        stdout: child.stdout.take(),
        child,
    })
}

/// As [`spawn`], for whoever kills and waits for the child by itself: this does neither, but the child
/// is killed when this process ends.
///
/// # Errors
/// [`OsError`] if it cannot be started.
pub fn start<A: AsRef<OsStr>>(
    program: &Path,
    arguments: &[A],
    limits: &Limits,
) -> Result<Child, OsError> {
    let mut command = prepared(program, arguments, limits);
    let answer = on_lasting_thread(move || command.spawn());
    answer
        .unwrap_or_else(|| Err(io::Error::other("the thread that starts processes is gone")))
        .map_err(OsError::on("start", program))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where a program is started: this program itself, to be confined"
)]
fn prepared<A: AsRef<OsStr>>(program: &Path, arguments: &[A], limits: &Limits) -> Command {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // What a parser says when it fails may quote what it parsed.
        .stderr(Stdio::null())
        .process_group(0);
    let limits = limits.clone();
    let parent = getpid();
    let before_exec = move || {
        die_with_parent()?;
        // It may have died before that was in force.
        is_child_of(parent)?;
        close_on_exec();
        limits.apply()?;
        Ok(())
    };
    // SAFETY: between fork and exec only system calls may be made, for another thread may have held
    // any lock. The closure makes nothing else: it neither allocates nor frees, for it is not
    // dropped before exec, and its errors are plain numbers.
    unsafe { command.pre_exec(before_exec) };
    command
}

/// Programs that this one starts inherit nothing by mistake. A kernel before 5.11 cannot do that;
/// then [`super::enter`] closes what came along.
fn close_on_exec() {
    // SAFETY: takes three numbers, and the descriptors stay open for this process.
    let _ = unsafe {
        libc::syscall(
            libc::SYS_close_range,
            KEPT,
            u32::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        )
    };
}

type Job = Box<dyn FnOnce() + Send>;

/// Runs `work` on a thread that lasts as long as this process: for the kernel, the parent whose
/// death ends a child is the thread that started it.
fn on_lasting_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    static JOBS: Mutex<Option<Sender<Job>>> = Mutex::new(None);
    let (answer, answered) = channel();
    let job: Job = Box::new(move || {
        // Nobody waits for it any more if this fails.
        let _ = answer.send(work());
    });
    {
        let mut jobs = JOBS.lock().unwrap_or_else(PoisonError::into_inner);
        if jobs.is_none() {
            let (sender, receiver) = channel();
            let thread = thread::Builder::new().name("labward-spawn".to_owned());
            thread.spawn(move || run(&receiver)).ok()?;
            *jobs = Some(sender);
        }
        jobs.as_ref()?.send(job).ok()?;
    }
    answered.recv().ok()
}

fn run(jobs: &Receiver<Job>) {
    for job in jobs {
        job();
    }
}
