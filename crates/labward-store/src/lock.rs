//! The lock of a folder or a database: one process uses it at a time.
//!
//! It must never be taken from a process that runs, nor be left behind by one that ended.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

/// A held lock is asked for again so often: whatever its holder just started shares it until it runs
/// its own program, which on a busy machine may be after the holder's end.
const LOOKS: u32 = 50;
const BETWEEN: Duration = Duration::from_millis(20);

/// Takes the lock file at `path`, made with mode 0600 unless it is there; the system frees it when the
/// process ends, however it does. None if it stays held for a second.
///
/// # Errors
/// What the system said to opening or locking the file.
pub fn take_lock(path: &Path) -> io::Result<Option<File>> {
    let mut open = OpenOptions::new();
    let open = open.create(true).truncate(false).write(true).mode(0o600);
    let file = open.open(path)?;
    for _ in 0..LOOKS {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) => pause(),
        }
    }
    Ok(None)
}

#[expect(
    clippy::disallowed_methods,
    reason = "waiting for a lock has no deadline of its own"
)]
fn pause() {
    std::thread::sleep(BETWEEN);
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_testkit::TempDir;

    #[test]
    fn a_held_lock_is_waited_for_but_not_for_ever() {
        let folder = TempDir::new();
        let path = folder.join("lock");
        let held = take_lock(&path).unwrap().unwrap();
        assert!(take_lock(&path).unwrap().is_none());
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| take_lock(&path).unwrap());
            pause();
            drop(held);
            assert!(waiting.join().unwrap().is_some());
        });
        assert!(take_lock(&folder.join("none/lock")).is_err());
    }
}
