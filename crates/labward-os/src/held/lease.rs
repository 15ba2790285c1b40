//! A read lease (fcntl(2)): as long as it is held, nobody has the file open for writing.
//!
//! It must never end this process, as the signal that tells of a wish to write otherwise would.

use std::fs::File;
use std::os::fd::AsRawFd as _;

use rustix::io::Errno;

/// Which signal tells that somebody wants to write (fcntl(2)).
const SET_SIGNAL: libc::c_int = 10;

/// Given back when dropped.
pub(super) struct Lease<'a>(&'a File);

impl<'a> Lease<'a> {
    /// # Errors
    /// `AGAIN` if somebody has the file open for writing; otherwise leases cannot be had here.
    pub(super) fn take(file: &'a File) -> Result<Self, Errno> {
        // By itself a process ignores this signal; the usual one would end it.
        set(file, SET_SIGNAL, libc::SIGURG)?;
        set(file, libc::F_SETLEASE, libc::F_RDLCK)?;
        Ok(Self(file))
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        // The kernel gives it back by itself when the file is closed.
        let _ = set(self.0, libc::F_SETLEASE, libc::F_UNLCK);
    }
}

fn set(file: &File, what: libc::c_int, to: libc::c_int) -> Result<(), Errno> {
    // SAFETY: both commands take a number, and the descriptor is open as long as `file` is.
    let answer = unsafe { libc::fcntl(file.as_raw_fd(), what, to) };
    if answer == -1 {
        let error = std::io::Error::last_os_error();
        return Err(Errno::from_io_error(&error).unwrap_or(Errno::IO));
    }
    Ok(())
}
