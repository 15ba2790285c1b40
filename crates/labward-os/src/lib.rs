//! The operating system as Labward needs it: clock, locked memory, facts about disks and
//! permissions, files that survive a power cut, the frames of a network interface, pipes, processes
//! that are confined, and files that are watched, held and walked.
//!
//! It must never decide what a fact means, and is the one crate that may hold `unsafe`: what keys
//! need in [`memory`], the socket of [`packet`], the handler of [`signal`], one call in [`clock`], [`mount`] and
//! [`mod@pipe`], and what no safe call does in [`confine`], [`fanotify`] and [`held`].
//!
//! | Module | Holds |
//! |---|---|
//! | [`clock`] | the only readers of the system clock (**Invariant:** time is a parameter) |
//! | [`confine`] | a process that reads foreign bytes, and what holds it |
//! | [`fanotify`] | who opens a file is asked about, who wrote one is told |
//! | [`mod@file`] | durable writes, devices, space, permissions |
//! | [`file_system`] | which kind a folder lies on, and whether its changes are told |
//! | [`held`] | files that nobody can exchange while they are removed or restored |
//! | [`memory`] | [`Locked`]: neither swapped, dumped nor left behind |
//! | [`mount`] | from where a folder is mounted, and whether it can be written |
//! | [`packet`] | [`PacketSocket`]: what passes on a network interface |
//! | [`mod@pipe`] | [`TimedPipe`]: an end of a pipe with a deadline |
//! | [`privilege`] | rights, given up for good |
//! | [`process`] | core dumps, umask, swap, who we are |
//! | [`secret_file`] | secrets that somebody gave Labward |
//! | [`signal`] | a wish to stop, noted |
//! | [`walk`] | every file below a folder, on one file system |

pub mod clock;
pub mod confine;
mod error;
pub mod fanotify;
pub mod file;
pub mod file_system;
pub mod held;
pub mod memory;
pub mod mount;
pub mod packet;
pub mod pipe;
pub mod privilege;
pub mod process;
pub mod secret_file;
pub mod signal;
pub mod walk;

pub use clock::{Stopwatch, SystemClock, is_synchronized};
pub use error::OsError;
pub use file::{
    Access, DiskSpace, Inodes, NewFile, access_of, create_durably, device_of, disk_space, inodes,
    preallocate, same_device, set_aside, sync_file_system, sync_folder, sync_time, write_durably,
};
pub use file_system::FileSystem;
pub use memory::{Locked, LockedKey};
pub use packet::{
    FrameKind, ListenError, ListenOptions, PacketSocket, SNAP_BYTES_MAX, WireFrame, interfaces,
};
pub use pipe::TimedPipe;
pub use privilege::{NOBODY, acting_as, drop_privileges, keep_rights_over_files};
pub use process::{
    core_limit, current_uid, forbid_core_dumps, hostname, is_dumpable, leave_session,
    memory_lock_limit, restrict_umask, swap_is_active,
};
pub use secret_file::{SecretFileError, read_secret};
pub use signal::{is_stopped, note_stop_signals, undisturbed};
