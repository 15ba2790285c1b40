//! Checks of the machine and the data folder.

use std::time::Duration;

use labward_base::{Remark, remark};

use super::{CheckInput, Found};

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const GIB: u64 = 1024 * MIB;
const DAY: u64 = 86_400;

/// Less than this is no room for a key and what it opens.
const LOCKED_LEAST: u64 = 64 * KIB;

/// A disk is full so soon that somebody must act.
const FULL_SOON: Duration = Duration::from_secs(14 * DAY);

/// No disk that keeps what it was told to sync is faster: writing 4 KiB through takes even memory
/// behind a bus longer.
const SYNC_LEAST: Duration = Duration::from_micros(8);

/// Slower than this, a result waits noticeably for its acknowledgement.
const SYNC_MOST: Duration = Duration::from_millis(100);

/// File systems that other machines hold.
const NETWORK: &[&str] = &[
    "9p",
    "afs",
    "ceph",
    "cifs",
    "fuse.glusterfs",
    "fuse.sshfs",
    "gfs2",
    "glusterfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "ocfs2",
    "smb3",
    "smbfs",
    "virtiofs",
];

/// File systems that a container throws away with itself.
const LAYERED: &[&str] = &["aufs", "fuse.fuse-overlayfs", "overlay", "unionfs"];

pub(super) fn in_memory(input: &CheckInput) -> Found {
    on(input, &["tmpfs", "ramfs"])
}

pub(super) fn on_network(input: &CheckInput) -> Found {
    on(input, NETWORK)
}

pub(super) fn on_overlay(input: &CheckInput) -> Found {
    on(input, LAYERED)
}

fn on(input: &CheckInput, kinds: &[&str]) -> Found {
    Found::of(&input.machine.file_system, |kind| {
        Found::says(kinds.contains(&kind.as_str()), || remark::name(kind))
    })
}

pub(super) fn open_to_others(input: &CheckInput) -> Found {
    Found::of(&input.machine.open_to_others, |paths| {
        Found::named(paths.iter().map(|path| path.display()))
    })
}

pub(super) fn foreign_owner(input: &CheckInput) -> Found {
    Found::of(&input.machine.foreign_owner, |paths| {
        Found::named(paths.iter().map(|path| path.display()))
    })
}

pub(super) fn disk_full(input: &CheckInput) -> Found {
    disk_below(input, |free, total| free < (total / 100 * 5).max(GIB))
}

pub(super) fn disk_low(input: &CheckInput) -> Found {
    disk_below(input, |free, total| {
        free >= (total / 100 * 5).max(GIB) && free < total / 100 * 15
    })
}

fn disk_below(input: &CheckInput, wrong: impl Fn(u64, u64) -> bool) -> Found {
    Found::of(&input.machine.disk, |disk| {
        Found::says(wrong(disk.free_bytes, disk.total_bytes), || {
            let (free, total) = (disk.free_bytes / MIB, disk.total_bytes / MIB);
            remark::mebibytes_free(free, total)
        })
    })
}

pub(super) fn fills_soon(input: &CheckInput) -> Found {
    Found::of(&input.machine.disk, |disk| {
        Found::of(
            &input.trends.full_in(disk.free_bytes),
            |full_in| match full_in {
                Some(left) if *left < FULL_SOON => {
                    let days = left.as_secs() / DAY;
                    Found::At(vec![remark::full_in(days)])
                }
                _ => Found::Fine,
            },
        )
    })
}

pub(super) fn inodes(input: &CheckInput) -> Found {
    Found::of(&input.machine.inodes, |inodes| {
        Found::says(inodes.free < inodes.total / 100 * 5, || {
            remark::inodes_free(inodes.free, inodes.total)
        })
    })
}

pub(super) fn reserve(input: &CheckInput) -> Found {
    Found::of(&input.machine.reserve, |reserve| {
        let is_short = reserve.length == 0 || reserve.allocated < reserve.length;
        Found::says(is_short, || {
            let (there, whole) = (reserve.allocated / KIB, reserve.length / KIB);
            remark::kibibytes_there(there, whole)
        })
    })
}

pub(super) fn core_dumps(input: &CheckInput) -> Found {
    Found::of(&input.machine.core_dumps, |all| {
        Found::at(all.iter().cloned())
    })
}

pub(super) fn swap(input: &CheckInput) -> Found {
    Found::of(&input.machine.open_swaps, |all| Found::named(all))
}

pub(super) fn root(input: &CheckInput) -> Found {
    Found::when(Some(input.machine.uid == 0))
}

pub(super) fn clock_not_kept(input: &CheckInput) -> Found {
    Found::of(&input.machine.clock_is_kept, |kept| {
        Found::when(Some(!kept))
    })
}

pub(super) fn memory_lock(input: &CheckInput) -> Found {
    let limit = input.machine.memory_lock_bytes.unwrap_or(u64::MAX);
    Found::says(limit < LOCKED_LEAST, || remark::bytes(limit))
}

pub(super) fn sync_too_fast(input: &CheckInput) -> Found {
    sync(input, |time| time < SYNC_LEAST)
}

pub(super) fn sync_slow(input: &CheckInput) -> Found {
    sync(input, |time| time > SYNC_MOST)
}

fn sync(input: &CheckInput, wrong: impl Fn(Duration) -> bool) -> Found {
    Found::of(&input.machine.sync_time, |time| {
        Found::says(wrong(*time), || micros(*time))
    })
}

fn micros(time: Duration) -> Remark {
    remark::sync_time(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
}
