//! One end of a pipe that is read or written until a deadline, so that nobody waits for a process that hangs.
//!
//! It must never block beyond its deadline, or change anything for who has the other end.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd as _};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;

use crate::clock::Stopwatch;

/// How many bytes a pipe is asked to hold: most messages pass without a wait. It is what an ordinary account may ask for.
const ROOM: libc::c_int = 1 << 20;

/// An end of a pipe with a deadline: beyond it, reading and writing fail with [`io::ErrorKind::TimedOut`].
#[derive(Debug)]
pub struct TimedPipe<E> {
    end: E,
    watch: Stopwatch,
    limit: Duration,
}

impl<E: AsFd> TimedPipe<E> {
    /// Of an end that nothing else reads or writes; its deadline is now.
    ///
    /// # Errors
    /// What the kernel says if it is no open descriptor.
    pub fn new(end: E) -> io::Result<Self> {
        let flags = fcntl_getfl(&end)?;
        fcntl_setfl(&end, flags | OFlags::NONBLOCK)?;
        // SAFETY: the descriptor is open as long as `end` lives, and the call takes a number and touches no memory of ours.
        // Where it is refused the pipe stays as small as it was.
        unsafe { libc::fcntl(end.as_fd().as_raw_fd(), libc::F_SETPIPE_SZ, ROOM) };
        Ok(Self {
            end,
            watch: Stopwatch::start(),
            limit: Duration::ZERO,
        })
    }

    /// Puts the deadline so far from now.
    pub fn until(&mut self, limit: Duration) {
        (self.watch, self.limit) = (Stopwatch::start(), limit);
    }

    /// Waits until something can be read or written, or the other end is gone.
    fn wait(&self, wanted: PollFlags) -> io::Result<()> {
        loop {
            let left = self.limit.saturating_sub(self.watch.elapsed());
            let left = Timespec::try_from(left).map_err(|_| io::ErrorKind::InvalidInput)?;
            let mut fds = [PollFd::new(&self.end, wanted)];
            match poll(&mut fds, Some(&left)) {
                Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl<E: AsFd + Read> Read for TimedPipe<E> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            self.wait(PollFlags::IN)?;
            match self.end.read(into) {
                Err(error) if is_passing(&error) => {}
                read => return read,
            }
        }
    }
}

impl<E: AsFd + Write> Write for TimedPipe<E> {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        loop {
            match self.end.write(from) {
                Err(error) if is_passing(&error) => self.wait(PollFlags::OUT)?,
                written => return written,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.end.flush()
    }
}

fn is_passing(error: &io::Error) -> bool {
    let kind = error.kind();
    matches!(kind, io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn nobody_waits_beyond_the_deadline() {
        let (reader, writer) = io::pipe().unwrap();
        let mut reader = TimedPipe::new(reader).unwrap();
        let mut writer = TimedPipe::new(writer).unwrap();
        for pipe_is_read in [true, false] {
            let watch = Stopwatch::start();
            let error = if pipe_is_read {
                reader.until(Duration::from_millis(30));
                reader.read(&mut [0]).unwrap_err()
            } else {
                writer.until(Duration::from_millis(30));
                writer.write_all(&vec![0; 4 << 20]).unwrap_err()
            };
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            assert!(watch.elapsed() >= Duration::from_millis(30));
        }
    }

    #[test]
    fn what_is_written_is_read_and_the_end_is_seen() {
        let (reader, writer) = io::pipe().unwrap();
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let sent = bytes.clone();
        let thread = thread::spawn(move || {
            let mut writer = TimedPipe::new(writer).unwrap();
            writer.until(Duration::from_secs(60));
            writer.write_all(&sent).unwrap();
        });
        let mut reader = TimedPipe::new(reader).unwrap();
        reader.until(Duration::from_secs(60));
        let mut all = Vec::new();
        reader.read_to_end(&mut all).unwrap();
        assert!(all == bytes);
        thread.join().unwrap();
    }
}
