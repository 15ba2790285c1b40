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

/// As [`drop_privileges`] in a process that has one thread and may not see `/proc` any more.
pub(crate) fn give_up((user, group): (u32, u32), denies_groups: bool) -> Result<(), Errno> {
    clear_ambient_capability_set()?;
    narrow_bounds()?;
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

/// Empties what a program that is started later could gain; without the right to do so, it is
/// `no_new_privs` alone that keeps it from it.
fn narrow_bounds() -> Result<(), Errno> {
    if !capabilities(None)?
        .effective
        .contains(CapabilitySet::SETPCAP)
    {
        return Ok(());
    }
    for capability in CapabilitySet::all().iter() {
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
        other.thread().unpark();
        other.join().unwrap();
        assert_eq!(capabilities(None).unwrap(), before);
    }
}
