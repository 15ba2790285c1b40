//! What a program may do, given up for good once it has what it needed it for.
//!
//! It must never leave a part of it: what cannot be given up is an error.

use std::fs;

use rustix::io::Errno;
use rustix::process::{Gid, Uid, geteuid};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, capability_is_in_bounding_set,
    clear_ambient_capability_set, remove_capability_from_bounding_set, set_capabilities,
    set_no_new_privs, set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};

use crate::error::OsError;

/// The account and group that own nothing.
pub const NOBODY: (u32, u32) = (65_534, 65_534);

const NONE: CapabilitySets = CapabilitySets {
    effective: CapabilitySet::empty(),
    permitted: CapabilitySet::empty(),
    inheritable: CapabilitySet::empty(),
};

/// What it takes to watch, read, remove and restore the files of others.
const OVER_FILES: CapabilitySet = CapabilitySet::SYS_ADMIN
    .union(CapabilitySet::CHOWN)
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::DAC_READ_SEARCH)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::LEASE)
    .union(CapabilitySet::LINUX_IMMUTABLE)
    .union(CapabilitySet::SETFCAP)
    .union(CapabilitySet::SETUID);

/// Gives up every capability and the way to new ones; root becomes `account` (user, group), too.
///
/// A user namespace that does not know `account` is left with the account that it maps.
///
/// # Errors
/// [`OsError`] if the process has several threads, because each has rights of its own, or if the
/// system refuses: then the process must not go on.
pub fn drop_privileges(account: (u32, u32)) -> Result<(), OsError> {
    let refused = |source: Errno| OsError::new("give up", "the rights of this process", source);
    let threads = fs::read_dir("/proc/self/task").map(Iterator::count);
    if !matches!(threads, Ok(1)) {
        return Err(refused(Errno::BUSY));
    }
    give_up(account, denies_groups()).map_err(refused)
}

/// Keeps what it takes to watch, read, remove and restore files of every account, as far as this
/// process has it, and gives every other right up for good: to change the network, the kernel, the
/// clock, other processes and the machine.
///
/// Root stays root: who may write every file can make itself anything. What is given up keeps a
/// fault from doing other harm.
///
/// # Errors
/// As [`drop_privileges`].
pub fn keep_rights_over_files() -> Result<(), OsError> {
    let refused = |source: Errno| OsError::new("give up", "the rights of this process", source);
    let threads = fs::read_dir("/proc/self/task").map(Iterator::count);
    if !matches!(threads, Ok(1)) {
        return Err(refused(Errno::BUSY));
    }
    keep(OVER_FILES).map_err(refused)
}

fn keep(wanted: CapabilitySet) -> Result<(), Errno> {
    clear_ambient_capability_set()?;
    narrow_bounds(wanted)?;
    let kept = capabilities(None)?.permitted & wanted;
    let sets = CapabilitySets {
        effective: kept,
        permitted: kept,
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, sets)?;
    set_no_new_privs(true)?;
    if capabilities(None)? == sets {
        Ok(())
    } else {
        Err(Errno::PERM)
    }
}

/// Does something as another account, such as to connect to a socket that asks who connects; for
/// this thread alone. Only root is another account for a while; others do it as themselves.
///
/// # Errors
/// [`OsError`] if the account cannot be changed, or not changed back: then this thread has no
/// rights any more.
pub fn acting_as<T>(user: u32, act: impl FnOnce() -> T) -> Result<T, OsError> {
    let refused = |source: Errno| OsError::new("act as", format!("account {user}"), source);
    if !geteuid().is_root() || user == 0 {
        return Ok(act());
    }
    set_thread_res_uid(Uid::ROOT, Uid::from_raw(user), Uid::ROOT).map_err(refused)?;
    let back = Back;
    let done = act();
    drop(back);
    if geteuid().is_root() {
        Ok(done)
    } else {
        Err(refused(Errno::PERM))
    }
}

/// Makes this thread root again, also where what it did panicked.
struct Back;

impl Drop for Back {
    fn drop(&mut self) {
        let _ = set_thread_res_uid(Uid::ROOT, Uid::ROOT, Uid::ROOT);
    }
}

/// As [`drop_privileges`] in a process that has one thread and may not see `/proc` any more.
pub(crate) fn give_up((user, group): (u32, u32), denies_groups: bool) -> Result<(), Errno> {
    clear_ambient_capability_set()?;
    narrow_bounds(CapabilitySet::empty())?;
    if geteuid().is_root() {
        let (user, group) = (Uid::from_raw(user), Gid::from_raw(group));
        change_account(user, group, denies_groups)?;
    }
    set_capabilities(None, NONE)?;
    set_no_new_privs(true)?;
    if capabilities(None)? == NONE {
        Ok(())
    } else {
        Err(Errno::PERM)
    }
}

/// Empties what a program that is started later could gain, but for `kept`; without the right to do so, it is
/// `no_new_privs` alone that keeps it from it.
fn narrow_bounds(kept: CapabilitySet) -> Result<(), Errno> {
    if !capabilities(None)?
        .effective
        .contains(CapabilitySet::SETPCAP)
    {
        return Ok(());
    }
    for capability in (CapabilitySet::all() - kept).iter() {
        // A kernel does not know those that came after it.
        if capability_is_in_bounding_set(capability) == Ok(true) {
            remove_capability_from_bounding_set(capability)?;
        }
    }
    Ok(())
}

fn change_account(user: Uid, group: Gid, denies_groups: bool) -> Result<(), Errno> {
    match set_thread_groups(&[]) {
        // A user namespace that an ordinary account made may not change them.
        Err(Errno::PERM) if denies_groups => {}
        other => other?,
    }
    let or_unmapped = |result: Result<(), Errno>| match result {
        Err(Errno::INVAL) => Ok(()),
        other => other,
    };
    or_unmapped(set_thread_res_gid(group, group, group))?;
    or_unmapped(set_thread_res_uid(user, user, user))
}

/// Whether this user namespace keeps the groups of its members as they are.
pub(crate) fn denies_groups() -> bool {
    fs::read_to_string("/proc/self/setgroups").is_ok_and(|text| text.trim() == "deny")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_with_several_threads_keeps_what_it_has_and_says_so() {
        // The test runner's own thread is beside this one.
        let before = capabilities(None).unwrap();
        let other = std::thread::spawn(std::thread::park);
        assert!(drop_privileges(NOBODY).is_err());
        assert!(keep_rights_over_files().is_err());
        other.thread().unpark();
        other.join().unwrap();
        assert_eq!(capabilities(None).unwrap(), before);
    }

    #[test]
    fn who_acts_as_another_account_is_itself_again_afterwards_also_after_a_panic() {
        let (itself, before) = (geteuid(), capabilities(None).unwrap());
        let other = acting_as(NOBODY.0, || (geteuid(), capabilities(None).unwrap())).unwrap();
        if itself.is_root() {
            assert_eq!(other.0.as_raw(), NOBODY.0);
            assert_eq!(other.1.effective, CapabilitySet::empty());
        } else {
            assert_eq!(other, (itself, before));
        }
        let broken = std::panic::catch_unwind(|| acting_as(NOBODY.0, || panic!("on purpose")));
        assert!(broken.is_err());
        assert_eq!((geteuid(), capabilities(None).unwrap()), (itself, before));
    }
}
