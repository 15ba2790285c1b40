//! Folders that vanish, and the folder of real data.
//!
//! It must never remove anything that it did not create.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

/// A new folder of its own below the system's temporary folder, removed when dropped.
#[derive(Debug)]
pub struct TempDir(PathBuf);

impl TempDir {
    /// A new, empty folder.
    ///
    /// # Panics
    ///
    /// When the system's temporary folder cannot be written.
    #[expect(
        clippy::new_without_default,
        reason = "creating a folder is no default value"
    )]
    pub fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let base = std::env::temp_dir();
        loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = base.join(format!("labward-test-{}-{count}", process::id()));
            match fs::create_dir(&path) {
                Ok(()) => return Self(path),
                // Left behind by a killed run whose process id came round again.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => panic!("create {}: {error}", path.display()),
            }
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The place `name` in the folder.
    pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.join(name)
    }
}

impl AsRef<Path> for TempDir {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        // A folder that stays behind spoils no later run.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The folder of real test data that `LABWARD_TEST_DATA` names; without it `None`, and the line
/// `labward-skip: <name>: LABWARD_TEST_DATA is not set` on standard error for whoever counts.
pub fn test_data(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("LABWARD_TEST_DATA").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("labward-skip: {name}: LABWARD_TEST_DATA is not set");
    }
    folder
}

/// The folder of real HL7 v2 files (CC0) that comes with the tests.
pub fn sample_hl7() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/hl7")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_new_and_empty_and_gone_when_dropped() {
        let (one, two) = (TempDir::new(), TempDir::new());
        assert_ne!(one.path(), two.path());
        assert_eq!(fs::read_dir(&one).unwrap().count(), 0);
        fs::write(one.join("file"), b"content").unwrap();
        let path = one.path().to_owned();
        drop(one);
        assert!(!path.exists() && two.path().exists());
    }
}
