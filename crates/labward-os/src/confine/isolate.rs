//! Namespaces, a root folder without anything in it, and no descriptor that came along.
//!
//! It must never leave a mount that another process sees.

use std::fs;
use std::os::fd::RawFd;

use rustix::fs::CWD;
use rustix::io::Errno;
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_change, unmount,
};
use rustix::process::{chdir, pivot_root};
use rustix::thread::{UnshareFlags, unshare_unsafe};

use super::{KEPT, Layer, State, Tally};

/// A folder that every Linux has, to put the empty root on.
const FOOTHOLD: &str = "/proc";

pub(super) fn user_namespace() -> Result<(), Errno> {
    unshare(UnshareFlags::NEWUSER)
}

/// Those that need a right over the user namespace this process is in.
pub(super) fn namespaces(tally: &mut Tally<'_>) {
    for (layer, flag) in [
        (Layer::NetworkNamespace, UnshareFlags::NEWNET),
        (Layer::IpcNamespace, UnshareFlags::NEWIPC),
        (Layer::HostnameNamespace, UnshareFlags::NEWUTS),
    ] {
        tally.may(layer, || unshare(flag));
    }
    let mounts = tally.may(Layer::MountNamespace, || unshare(UnshareFlags::NEWNS));
    if mounts == State::InForce {
        tally.may(Layer::EmptyRoot, empty_root);
    }
}

fn unshare(flags: UnshareFlags) -> Result<(), Errno> {
    // SAFETY: none of the flags that are used here takes the table of descriptors apart, which is
    // what makes this call unsafe; the process has one thread.
    unsafe { unshare_unsafe(flags) }
}

/// Exchanges the root folder for an empty one, and lets go of the old.
fn empty_root() -> Result<(), Errno> {
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", private)?;
    let flags = MountFlags::RDONLY | MountFlags::NOEXEC | MountFlags::NOSUID | MountFlags::NODEV;
    mount(
        "none",
        FOOTHOLD,
        "tmpfs",
        flags,
        c"size=4k,nr_inodes=1,mode=0555",
    )?;
    chdir(FOOTHOLD)?;
    // Both on one folder: the old root then lies upon the new one, and is taken off.
    pivot_root(".", ".")?;
    unmount(".", UnmountFlags::DETACH)?;
    chdir("/")
}

/// Closes every descriptor but standard input, output and error.
pub(super) fn close_descriptors() -> Result<(), Errno> {
    // SAFETY: takes three numbers. Whoever holds one of these descriptors finds it closed; `enter`
    // says so.
    let answer = unsafe { libc::syscall(libc::SYS_close_range, KEPT, u32::MAX, 0_u32) };
    if answer == 0 {
        return Ok(());
    }
    // Before kernel 5.9.
    close_listed()
}

fn close_listed() -> Result<(), Errno> {
    let refused = |_| Errno::NOENT;
    let listed = fs::read_dir("/proc/self/fd").map_err(refused)?;
    let open: Vec<RawFd> = listed
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|fd| u32::try_from(*fd).is_ok_and(|fd| fd >= KEPT))
        .collect();
    for fd in open {
        // SAFETY: takes a number; as above. One of them is the listing's, which is closed already.
        let _ = unsafe { libc::close(fd) };
    }
    let left = fs::read_dir("/proc/self/fd").map_err(refused)?.count();
    // The listing itself is the fourth.
    if left > 4 { Err(Errno::BUSY) } else { Ok(()) }
}

/// Whether nothing stands in the root folder.
pub(super) fn root_is_empty() -> bool {
    let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::DIRECTORY;
    rustix::fs::openat(CWD, "/", flags, rustix::fs::Mode::empty())
        .and_then(rustix::fs::Dir::new)
        .is_ok_and(|entries| entries.flatten().count() == 2)
}
