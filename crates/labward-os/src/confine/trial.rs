//! Attempts at what a confined process must not be able to do.
//!
//! For tests and for a check of the machine: each is really made, so that a layer which is said to
//! be in force can be seen to hold. It must never do harm where it succeeds.

use std::ffi::CStr;
use std::io;
use std::ptr;

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};
use rustix::net::{AddressFamily, SocketAddrV4, SocketType, connect, socket};
use rustix::process::{getppid, test_kill_process};

use super::isolate::root_is_empty;

/// Something that must fail in a confined process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// More memory than the given number of bytes.
    Allocate(usize),
    /// A connection to this machine; refused by nobody but a layer, since it has an address.
    Connect,
    /// Another program in the place of this one.
    Execute,
    /// Memory that is written and run.
    ExecutableMemory,
    /// A process more.
    Fork,
    /// A file that everybody may read.
    ReadFile,
    /// What stands in the root folder.
    ReadRoot,
    /// A signal (none, in fact) to the parent.
    SignalParent,
    /// A socket.
    Socket,
    /// A look into the parent's memory.
    TraceParent,
    /// A file in the folder for temporary files.
    WriteFile,
}

/// A file that everybody may read on any Linux.
const READABLE: &CStr = c"/etc/passwd";
/// Everybody may write here; the file that is made has no name.
const WRITABLE: &CStr = c"/tmp";
/// Ends at once.
const PROGRAM: &CStr = c"/bin/true";
/// The port for discarded bytes: most machines refuse it, which is an answer from outside, too.
const PORT: u16 = 9;

impl Attempt {
    /// Every attempt with its name, as a command line gives it.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("allocate", Self::Allocate(2 << 30)),
        ("connect", Self::Connect),
        ("executable-memory", Self::ExecutableMemory),
        ("execute", Self::Execute),
        ("fork", Self::Fork),
        ("read-file", Self::ReadFile),
        ("read-root", Self::ReadRoot),
        ("signal-parent", Self::SignalParent),
        ("socket", Self::Socket),
        ("trace-parent", Self::TraceParent),
        ("write-file", Self::WriteFile),
    ];

    /// The attempt of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter();
        all.find(|(one, _)| *one == name)
            .map(|(_, attempt)| *attempt)
    }

    /// Makes the attempt. Under `seccomp` most of them kill the process instead.
    ///
    /// # Errors
    /// What the kernel refused it with: that is how it ought to end.
    pub fn make(self) -> io::Result<()> {
        match self {
            Self::Allocate(bytes) => map(bytes, ProtFlags::READ | ProtFlags::WRITE),
            Self::Connect => reach(),
            Self::Execute => execute(),
            Self::ExecutableMemory => map(1, ProtFlags::READ | ProtFlags::WRITE | ProtFlags::EXEC),
            Self::Fork => fork(),
            Self::ReadFile => openat(CWD, READABLE, OFlags::RDONLY, Mode::empty()).map(drop),
            Self::ReadRoot if root_is_empty() => Err(Errno::NOENT),
            Self::ReadRoot => openat(CWD, "/", OFlags::RDONLY, Mode::empty()).map(drop),
            Self::SignalParent => getppid().ok_or(Errno::SRCH).and_then(test_kill_process),
            Self::Socket => socket(AddressFamily::UNIX, SocketType::STREAM, None).map(drop),
            Self::TraceParent => trace_parent(),
            Self::WriteFile => {
                let flags = OFlags::WRONLY | OFlags::TMPFILE;
                openat(CWD, WRITABLE, flags, Mode::RUSR).map(drop)
            }
        }
        .map_err(io::Error::from)
    }
}

fn map(bytes: usize, protection: ProtFlags) -> Result<(), Errno> {
    // SAFETY: the system chooses the address, so no existing mapping is touched. It is never used.
    unsafe { mmap_anonymous(ptr::null_mut(), bytes, protection, MapFlags::PRIVATE) }.map(drop)
}

fn reach() -> Result<(), Errno> {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
    let address = SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, PORT);
    match connect(&socket, &address) {
        // The network was reached, and there nobody listens.
        Err(Errno::CONNREFUSED) => Ok(()),
        other => other,
    }
}

fn last() -> Errno {
    Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::IO)
}

fn execute() -> Result<(), Errno> {
    let arguments = [PROGRAM.as_ptr(), ptr::null()];
    let environment = [ptr::null()];
    // SAFETY: three lists that live longer than the call, the last two ended by null. It returns
    // only where it failed.
    unsafe { libc::execve(PROGRAM.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
    Err(last())
}

fn fork() -> Result<(), Errno> {
    // SAFETY: the child makes one system call, which ends it.
    match unsafe { libc::fork() } {
        -1 => Err(last()),
        // SAFETY: ends the child; nothing of this process is run in it.
        0 => unsafe { libc::_exit(0) },
        _ => Ok(()),
    }
}

fn trace_parent() -> Result<(), Errno> {
    let parent = getppid().ok_or(Errno::SRCH)?.as_raw_nonzero().get();
    let none = ptr::null_mut::<libc::c_void>();
    // SAFETY: seizing stops nobody, and takes no pointer; it ends with this process.
    let answer = unsafe { libc::ptrace(libc::PTRACE_SEIZE, parent, none, none) };
    if answer == -1 { Err(last()) } else { Ok(()) }
}
