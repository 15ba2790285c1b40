//! The calls of the kernel, and the form of what it tells.
//!
//! It must never leave a descriptor open that came with an event.

use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};
use std::ptr;

use rustix::io::Errno;

use super::{Scope, Verdict};
use crate::held::HeldFolder;

/// One read takes at most so many bytes, hence at most 64 events with a descriptor or two each.
pub(super) const READ_BYTES: usize = 64 * METADATA_BYTES;
/// Length, version, one byte that is not used, length of this part, mask, descriptor, process.
const METADATA_BYTES: usize = size_of::<libc::fanotify_event_metadata>();

/// One event as the kernel tells it.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) mask: u64,
    /// None where an event is about no file.
    pub(super) file: Option<OwnedFd>,
    pub(super) pid: i32,
    pub(super) process: Option<OwnedFd>,
}

/// A group for questions; see the front page for its queue.
pub(super) fn open_gate() -> Result<OwnedFd, Errno> {
    open(libc::FAN_CLASS_CONTENT | libc::FAN_UNLIMITED_QUEUE)
}

/// A group for what was written.
pub(super) fn open_notices() -> Result<OwnedFd, Errno> {
    open(libc::FAN_CLASS_NOTIF)
}

fn open(class: libc::c_uint) -> Result<OwnedFd, Errno> {
    let flags = class | libc::FAN_CLOEXEC | libc::FAN_NONBLOCK;
    // Without it before kernel 5.15.
    match init(flags | libc::FAN_REPORT_PIDFD) {
        Err(Errno::INVAL) => init(flags),
        done => done,
    }
}

fn init(flags: libc::c_uint) -> Result<OwnedFd, Errno> {
    // What is read for a scan does not count as read.
    let files = libc::O_RDONLY | libc::O_LARGEFILE | libc::O_CLOEXEC | libc::O_NOATIME;
    // SAFETY: takes two numbers.
    let group = unsafe { libc::fanotify_init(flags, files.cast_unsigned()) };
    if group < 0 {
        return Err(last());
    }
    // SAFETY: the kernel just made this descriptor, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(group) })
}

pub(super) fn mark(
    group: &OwnedFd,
    action: libc::c_uint,
    scope: Scope,
    mask: u64,
    folder: &HeldFolder,
) -> Result<(), Errno> {
    let (scope, mask) = match scope {
        Scope::FileSystem => (libc::FAN_MARK_FILESYSTEM, mask),
        Scope::Folder => (libc::FAN_MARK_INODE, mask | libc::FAN_EVENT_ON_CHILD),
        Scope::Mount => (libc::FAN_MARK_MOUNT, mask),
    };
    // SAFETY: both descriptors are open as long as the call takes; without a path it is the folder
    // itself that is marked.
    let answer = unsafe {
        libc::fanotify_mark(
            group.as_raw_fd(),
            action | scope,
            mask,
            folder.as_fd().as_raw_fd(),
            ptr::null(),
        )
    };
    if answer < 0 { Err(last()) } else { Ok(()) }
}

/// Answers the question that came with the descriptor `file`.
pub(super) fn respond(group: &OwnedFd, file: RawFd, verdict: Verdict) -> Result<(), Errno> {
    let response = match verdict {
        Verdict::Allow => libc::FAN_ALLOW,
        Verdict::Deny => libc::FAN_DENY,
    };
    let mut bytes = [0; size_of::<libc::fanotify_response>()];
    let (first, second) = bytes.split_at_mut(size_of::<RawFd>());
    first.copy_from_slice(&file.to_ne_bytes());
    second.copy_from_slice(&response.to_ne_bytes());
    rustix::io::write(group, &bytes).map(drop)
}

/// What there is to read, at most [`READ_BYTES`]; empty if nothing is.
pub(super) fn read(group: &OwnedFd, buffer: &mut [u8]) -> Result<Vec<Told>, Errno> {
    match rustix::io::read(group, &mut *buffer) {
        Ok(length) => Ok(events(buffer.get(..length).unwrap_or_default())),
        Err(Errno::AGAIN | Errno::INTR) => Ok(Vec::new()),
        Err(source) => Err(source),
    }
}

/// The events of one read, each with the descriptors that are now this process's.
fn events(mut bytes: &[u8]) -> Vec<Told> {
    let mut told = Vec::new();
    while let Some((event, rest)) = split(bytes) {
        told.push(Told {
            mask: event.mask,
            file: owned(event.file),
            pid: event.pid,
            process: event.process.and_then(owned),
        });
        bytes = rest;
    }
    told
}

/// One event as numbers.
#[derive(Debug, PartialEq, Eq)]
struct Numbers {
    mask: u64,
    file: RawFd,
    pid: i32,
    process: Option<RawFd>,
}

/// The first event and what follows it; none where the form is not the known one.
fn split(bytes: &[u8]) -> Option<(Numbers, &[u8])> {
    let length = usize::try_from(u32::from_ne_bytes(part(bytes, 0)?)).ok()?;
    let [version, _] = part(bytes, 4)?;
    let start = usize::from(u16::from_ne_bytes(part(bytes, 6)?));
    if version != libc::FANOTIFY_METADATA_VERSION || start < METADATA_BYTES || length < start {
        return None;
    }
    let event = bytes.get(..length)?;
    let numbers = Numbers {
        mask: u64::from_ne_bytes(part(event, 8)?),
        file: i32::from_ne_bytes(part(event, 16)?),
        pid: i32::from_ne_bytes(part(event, 20)?),
        process: process(event.get(start..)?),
    };
    Some((numbers, bytes.get(length..)?))
}

/// The descriptor of a process among the records behind an event: kind, one byte that is not used,
/// length, and what the kind says.
fn process(mut records: &[u8]) -> Option<RawFd> {
    loop {
        let [kind, _] = part(records, 0)?;
        let length = usize::from(u16::from_ne_bytes(part(records, 2)?));
        if kind == libc::FAN_EVENT_INFO_TYPE_PIDFD {
            return Some(i32::from_ne_bytes(part(records, 4)?));
        }
        // A record without a length would never end.
        records = records.get(length.max(4)..)?;
    }
}

fn part<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

fn owned(descriptor: RawFd) -> Option<OwnedFd> {
    // Below zero the kernel says why there is none.
    // SAFETY: the kernel opened it for this process with the event that was just read, once.
    (descriptor >= 0).then(|| unsafe { OwnedFd::from_raw_fd(descriptor) })
}

fn last() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(mask: u64, file: i32, pid: i32, process: Option<i32>) -> Vec<u8> {
        let length = if process.is_some() { 32_u32 } else { 24 };
        let mut bytes = length.to_ne_bytes().to_vec();
        bytes.extend([libc::FANOTIFY_METADATA_VERSION, 0]);
        bytes.extend(24_u16.to_ne_bytes());
        bytes.extend(mask.to_ne_bytes());
        bytes.extend(file.to_ne_bytes());
        bytes.extend(pid.to_ne_bytes());
        if let Some(process) = process {
            bytes.extend([libc::FAN_EVENT_INFO_TYPE_PIDFD, 0]);
            bytes.extend(8_u16.to_ne_bytes());
            bytes.extend(process.to_ne_bytes());
        }
        bytes
    }

    #[test]
    fn events_are_read_with_and_without_their_process() {
        let bytes = [event(1, 5, 77, Some(6)), event(2, -1, 0, None)].concat();
        let (first, rest) = split(&bytes).unwrap();
        let expected = Numbers {
            mask: 1,
            file: 5,
            pid: 77,
            process: Some(6),
        };
        assert_eq!(first, expected);
        let (second, rest) = split(rest).unwrap();
        assert_eq!((second.file, second.process), (-1, None));
        assert!(rest.is_empty() && split(rest).is_none());
    }

    #[test]
    fn bytes_of_any_kind_end_without_an_event() {
        let whole = event(1, 5, 77, Some(6));
        for length in 0..whole.len() {
            assert_eq!(split(&whole[..length]), None, "{length}");
        }
        for place in 0..8 {
            for value in 0..=255 {
                let mut bytes = whole.clone();
                bytes[place] = value;
                if let Some((_, rest)) = split(&bytes) {
                    assert!(rest.len() < whole.len());
                }
            }
        }
        // A record of length nothing.
        let mut endless = whole;
        endless[24] = 200;
        endless[26] = 0;
        endless[27] = 0;
        assert_eq!(split(&endless).unwrap().0.process, None);
    }
}
