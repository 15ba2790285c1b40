//! What the process may leak by itself: core dumps, open permissions, swap; and who we are.

use std::fs;
use std::path::Path;

use rustix::fs::Mode;
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, dumpable_behavior, getrlimit, getuid,
    set_dumpable_behavior, setrlimit, setsid, umask,
};

use crate::error::OsError;

/// Forbids core dumps and tracing by other processes of the same user, for good.
///
/// # Errors
/// [`OsError`] if the system refuses.
pub fn forbid_core_dumps() -> Result<(), OsError> {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none)
        .map_err(|source| OsError::new("forbid core dumps", "of this process", source))?;
    // The limit alone does not bind a dump that is piped into a program; this does.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|source| OsError::new("forbid tracing", "of this process", source))
}

/// How large a core dump of this process may be, in bytes; `None` means without a limit.
pub fn core_limit() -> Option<u64> {
    getrlimit(Resource::Core).current
}

/// How much memory this process may lock, in bytes; `None` means without a limit.
pub fn memory_lock_limit() -> Option<u64> {
    getrlimit(Resource::Memlock).current
}

/// Whether a crash of this process may be dumped at all, into a file or into a program.
///
/// # Errors
/// [`OsError`] if the kernel does not answer.
pub fn is_dumpable() -> Result<bool, OsError> {
    let behavior = dumpable_behavior()
        .map_err(|source| OsError::new("ask whether a dump is made", "of this process", source))?;
    Ok(behavior != DumpableBehavior::NotDumpable)
}

/// Lets nobody but the owner into files and folders made from now on; answers the mask before.
pub fn restrict_umask() -> u32 {
    umask(Mode::RWXG | Mode::RWXO).bits()
}

/// The user under whom this process runs.
pub fn current_uid() -> u32 {
    getuid().as_raw()
}

/// Leaves the terminal and the session it was started in, so that their end does not end this process.
///
/// # Errors
/// [`OsError`] if this process leads a group, as one does that a shell started.
pub fn leave_session() -> Result<(), OsError> {
    setsid()
        .map(drop)
        .map_err(|source| OsError::new("leave", "the session", source))
}

/// The name of this machine.
pub fn hostname() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

/// Whether this machine has swap in use; swap in compressed memory counts too.
///
/// # Errors
/// [`OsError`] if `/proc/swaps` cannot be read: then nothing is known.
pub fn swap_is_active() -> Result<bool, OsError> {
    let path = Path::new("/proc/swaps");
    let table = fs::read_to_string(path).map_err(OsError::on("read", path))?;
    Ok(lists_swap(&table))
}

/// Whether `table` has a line below its heading.
fn lists_swap(table: &str) -> bool {
    table.lines().skip(1).any(|line| !line.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn core_dumps_stay_forbidden() {
        forbid_core_dumps().unwrap();
        let limits = fs::read_to_string("/proc/self/limits").unwrap();
        let core = limits
            .lines()
            .find_map(|line| line.strip_prefix("Max core file size"))
            .unwrap();
        let numbers: Vec<&str> = core.split_whitespace().take(2).collect();
        assert_eq!(numbers, ["0", "0"]);
        assert!(!is_dumpable().unwrap());
        assert_eq!(core_limit(), Some(0));
    }

    #[test]
    fn the_limit_of_locked_memory_is_the_one_the_kernel_shows() {
        let limits = fs::read_to_string("/proc/self/limits").unwrap();
        let line = limits
            .lines()
            .find_map(|line| line.strip_prefix("Max locked memory"))
            .unwrap();
        let soft = line.split_whitespace().next().unwrap();
        let shown = memory_lock_limit().map_or("unlimited".to_owned(), |bytes| bytes.to_string());
        assert_eq!(shown, soft);
    }

    #[test]
    fn the_uid_is_the_one_the_kernel_shows() {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let uid = status
            .lines()
            .find_map(|line| line.strip_prefix("Uid:"))
            .and_then(|uids| uids.split_whitespace().next())
            .unwrap();
        assert_eq!(current_uid().to_string(), uid);
    }

    #[test]
    fn the_hostname_is_the_one_the_kernel_shows() {
        let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        assert_eq!(hostname(), name.trim());
    }

    #[test]
    fn swap_is_active_when_the_table_lists_one() {
        let heading = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";
        assert!(!lists_swap(heading));
        assert!(!lists_swap(""));
        let listed = format!("{heading}/dev/dm-1 partition\t8388604\t\t0\t\t-2\n");
        assert!(lists_swap(&listed));
        let memory = fs::read_to_string("/proc/meminfo").unwrap();
        let none = memory.lines().any(|line| {
            line.starts_with("SwapTotal:") && line.split_whitespace().nth(1) == Some("0")
        });
        assert_eq!(swap_is_active().unwrap(), !none);
    }

    #[test]
    fn files_made_under_the_restricted_mask_are_the_owners_alone() {
        let folder = std::env::temp_dir().join(format!("labward-os-umask-{}", std::process::id()));
        let before = restrict_umask();
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("file"), b"x").unwrap();
        let modes = [&folder, &folder.join("file")].map(|path| fs::metadata(path).unwrap().mode());
        umask(Mode::from_bits_truncate(before));
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(modes.map(|mode| mode & 0o777), [0o700, 0o600]);
    }
}
