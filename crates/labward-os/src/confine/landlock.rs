//! Landlock with no rule at all: whatever the kernel can refuse by it is refused.
//!
//! It must never leave out a right that the kernel's version knows.

use std::mem::size_of;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

use rustix::io::Errno;

use super::{Layer, Tally};

/// Asks for the version instead of making a set of rules.
const VERSION: u32 = 1;

/// The rights over files that a version of Landlock knows: 13 at first, then one bit each for
/// moving (2), truncating (3) and devices (5).
const fn file_rights(version: i64) -> u64 {
    match version {
        ..=1 => (1 << 13) - 1,
        2 => (1 << 14) - 1,
        3 | 4 => (1 << 15) - 1,
        5.. => (1 << 16) - 1,
    }
}

/// What the kernel is to handle; where there is no rule, that means to refuse.
#[repr(C)]
struct Handled {
    files: u64,
    network: u64,
    scope: u64,
}

/// Refuses everything that the kernel's Landlock can refuse, if nothing of it is left out.
pub(super) fn restrict(tally: &mut Tally<'_>) {
    let version = match version() {
        Ok(version) => version,
        Err(error) => {
            for layer in [
                Layer::LandlockFiles,
                Layer::LandlockNetwork,
                Layer::LandlockScope,
            ] {
                tally.may(layer, || Err(error));
            }
            return;
        }
    };
    let since = |first: i64, bits: u64| (version >= first).then_some(bits);
    for (layer, bits, place) in [
        (Layer::LandlockFiles, Some(file_rights(version)), 0),
        // Bind and connect.
        (Layer::LandlockNetwork, since(4, 0b11), 1),
        // Abstract sockets and signals.
        (Layer::LandlockScope, since(6, 0b11), 2),
    ] {
        tally.may(layer, || {
            let bits = bits.ok_or(Errno::NOSYS)?;
            let only = |one| if place == one { bits } else { 0 };
            refuse(&Handled {
                files: only(0),
                network: only(1),
                scope: only(2),
            })
        });
    }
}

fn version() -> Result<i64, Errno> {
    // SAFETY: without attributes and with this flag the kernel only answers a number.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<Handled>(),
            0_usize,
            VERSION,
        )
    };
    checked(answer)
}

fn refuse(handled: &Handled) -> Result<(), Errno> {
    // A kernel that knows less of the attributes takes them as long as the rest is zero.
    // SAFETY: the kernel reads as many bytes as `handled` has, and keeps no pointer.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::from_ref(handled),
            size_of::<Handled>(),
            0_u32,
        )
    };
    let rules = i32::try_from(checked(answer)?).map_err(|_| Errno::BADF)?;
    // SAFETY: the kernel just made this descriptor, and nobody else has it.
    let rules = unsafe { OwnedFd::from_raw_fd(rules) };
    // SAFETY: takes two numbers.
    let answer =
        unsafe { libc::syscall(libc::SYS_landlock_restrict_self, rules.as_raw_fd(), 0_u32) };
    checked(answer).map(drop)
}

fn checked(answer: i64) -> Result<i64, Errno> {
    if answer < 0 {
        let error = std::io::Error::last_os_error();
        return Err(Errno::from_io_error(&error).unwrap_or(Errno::IO));
    }
    Ok(answer)
}
