//! The folder of a new installation: whether it may be used, and what an interrupted set-up left.
//!
//! While a set-up is under way its configuration stands under another name, so that one renaming
//! makes the installation exist. It must never remove anything from a folder without that mark, or
//! anything but what a set-up makes.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use labward_base::remark;
use labward_os::sync_folder;

use super::SetupError;
use crate::folder::DataFolder;

/// The configuration's name until the installation is whole.
const UNFINISHED: &str = "labward.toml.unfinished";

/// What a file system or a set-up that did not begin may have put there.
const HARMLESS: [&str; 2] = ["lost+found", "lock"];

/// The folder, locked.
pub(super) struct Place {
    pub(super) data: DataFolder,
    /// Whether an interrupted set-up was cleared.
    pub(super) cleared: bool,
    /// Held until the set-up ends, however it ends.
    _lock: File,
}

impl Place {
    pub(super) fn take(path: &Path) -> Result<Self, SetupError> {
        let made = make_folder(path)?;
        let path = path.canonicalize().map_err(SetupError::file(path))?;
        let data = DataFolder::new(&path);
        if !made {
            refuse_used(&data)?;
        }
        let lock = take_lock(&data)?;
        // Looked at again: another set-up may have finished before the lock was free.
        refuse_used(&data)?;
        fs::set_permissions(&path, Permissions::from_mode(0o700))
            .map_err(SetupError::file(&path))?;
        let cleared = unfinished(&data).exists();
        if cleared {
            clear(&data)?;
        }
        Ok(Self {
            data,
            cleared,
            _lock: lock,
        })
    }

    /// Clears what this set-up made, these key files too: they open nothing.
    pub(super) fn clear_again(&mut self, key_files: &[PathBuf]) -> Result<(), SetupError> {
        if unfinished(&self.data).exists() {
            clear(&self.data)?;
        }
        for path in key_files {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(SetupError::file(path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Takes the lock's file away, while it is held, from a folder in which nothing was made.
    pub(super) fn leave(self) {
        // What stays does not keep a set-up from beginning.
        let _ = fs::remove_file(self.data.lock());
    }

    /// Makes the subfolders and puts the configuration there under its name for the time being.
    pub(super) fn begin(&self, config: &str) -> Result<(), SetupError> {
        labward_os::create_durably(&unfinished(&self.data), config.as_bytes(), 0o600)?;
        for folder in self.data.subfolders() {
            make_folder(&folder)?;
        }
        Ok(sync_folder(self.data.root())?)
    }

    /// Makes the installation exist.
    pub(super) fn finish(&self) -> Result<(), SetupError> {
        let config = self.data.config();
        fs::rename(unfinished(&self.data), &config).map_err(SetupError::file(&config))?;
        Ok(sync_folder(self.data.root())?)
    }

    /// Refuses a key file whose place is in the data folder, taken, or not there.
    pub(super) fn check_key_file(&self, path: &Path) -> Result<(), SetupError> {
        if !path.is_absolute() || path.file_name().is_none() {
            return Err(SetupError::bad(remark::answer_key_file_path()));
        }
        self.refuse_inside(path)?;
        if fs::symlink_metadata(path).is_ok() {
            return Err(SetupError::bad(remark::answer_key_file_exists(
                path.display().to_string(),
            )));
        }
        match path.parent() {
            Some(folder) if folder.is_dir() => Ok(()),
            _ => Err(SetupError::bad(remark::answer_key_file_folder(
                path.display().to_string(),
            ))),
        }
    }

    /// Refuses a path below the data folder, also behind links.
    pub(super) fn refuse_inside(&self, path: &Path) -> Result<(), SetupError> {
        let files = [path.to_owned()];
        crate::config::check_key_files(&files, self.data.root())
            .map_err(|error| SetupError::bad(remark::technical(error.detail())))
    }
}

fn unfinished(data: &DataFolder) -> PathBuf {
    data.root().join(UNFINISHED)
}

/// Makes a folder for its owner alone; `false` if it was there.
fn make_folder(path: &Path) -> Result<bool, SetupError> {
    if let Some(above) = path.parent() {
        fs::create_dir_all(above).map_err(SetupError::file(above))?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(false),
        Err(error) => Err(SetupError::file(path)(error)),
    }
}

fn take_lock(data: &DataFolder) -> Result<File, SetupError> {
    let path = data.lock();
    let lock = labward_store::take_lock(&path).map_err(SetupError::file(&path))?;
    lock.ok_or_else(|| SetupError::Busy(data.root().to_owned()))
}

/// Refuses a folder with an installation or with anything that is not ours.
fn refuse_used(data: &DataFolder) -> Result<(), SetupError> {
    let root = data.root();
    if fs::symlink_metadata(data.config()).is_ok() {
        return Err(SetupError::Exists(root.to_owned()));
    }
    if unfinished(data).exists() {
        return Ok(());
    }
    // A database whose configuration was moved away is an installation all the same.
    if data.database().exists() {
        return Err(SetupError::Exists(root.to_owned()));
    }
    for entry in fs::read_dir(root).map_err(SetupError::file(root))? {
        let name = entry.map_err(SetupError::file(root))?.file_name();
        if !HARMLESS.iter().any(|known| name == *known) {
            return Err(SetupError::NotEmpty(root.to_owned()));
        }
    }
    Ok(())
}

/// Removes what an interrupted set-up made; its mark goes last.
fn clear(data: &DataFolder) -> Result<(), SetupError> {
    let gone = |result: io::Result<()>, path: &Path| match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(SetupError::file(path)(error)),
        _ => Ok(()),
    };
    for folder in data.subfolders() {
        gone(fs::remove_dir_all(&folder), &folder)?;
    }
    for file in [data.reserve(), unfinished(data)] {
        gone(fs::remove_file(&file), &file)?;
    }
    Ok(sync_folder(data.root())?)
}
