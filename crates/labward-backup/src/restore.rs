//! Files back from a generation, each byte authenticated before it stands under its name.
//!
//! It must never write a part that does not open, or replace a file that is there.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use labward_base::Secret;
use labward_os::NewFile;
use labward_seal::OVERHEAD_BYTES;

use crate::RUN_BYTES;
use crate::error::BackupError;
use crate::folder::{Folder, Trust, part_name};
use crate::index::{BlobOf, FileParts, Index, Run};
use crate::key::BackupKey;
use crate::manifest::Manifest;

const FILE_MODE: u32 = 0o600;
/// A small file is taken into memory up to this length.
const SMALL_MAX_BYTES: u64 = 16 << 20;

/// One generation, opened to be restored.
pub struct Restorer<'a> {
    folder: &'a Folder,
    key: &'a BackupKey,
    manifest: Manifest,
    index: Index,
}

impl<'a> Restorer<'a> {
    /// Opens a generation, the newest if none is named.
    ///
    /// # Errors
    /// As [`Folder::manifest`], and [`BackupError::MissingPart`] for the index.
    pub fn open(
        folder: &'a Folder,
        generation: Option<u64>,
        key: &'a BackupKey,
    ) -> Result<Self, BackupError> {
        let none = || BackupError::None(folder.root().to_owned());
        let generation = match generation {
            Some(generation) => generation,
            None => *folder.generations()?.last().ok_or_else(none)?,
        };
        let manifest = folder.manifest(generation, &Trust::Key(key))?;
        let index = folder.index(&manifest)?;
        Ok(Self {
            folder,
            key,
            manifest,
            index,
        })
    }

    /// What the generation is.
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Writes a file of the backup as `to`, which must not exist, and syncs it; its length, or `None`
    /// if the backup has no such file.
    ///
    /// # Errors
    /// [`BackupError::Damaged`], [`BackupError::MissingPart`], [`BackupError::File`].
    pub fn file(&self, name: &str, to: &Path) -> Result<Option<u64>, BackupError> {
        let Some(parts) = self.index.file(name) else {
            return Ok(None);
        };
        let mut open = OpenOptions::new();
        open.create_new(true).write(true).mode(FILE_MODE);
        let file = open.open(to).map_err(BackupError::file(to))?;
        self.write(parts, &file, to)?;
        file.sync_all().map_err(BackupError::file(to))?;
        Ok(Some(parts.bytes))
    }

    /// The content of a small file of the backup.
    ///
    /// # Errors
    /// As [`Restorer::file`]; [`BackupError::Damaged`] above 16 MiB.
    pub fn small_file(&self, name: &str) -> Result<Option<Vec<u8>>, BackupError> {
        let Some(parts) = self.index.file(name) else {
            return Ok(None);
        };
        if parts.bytes > SMALL_MAX_BYTES {
            return Err(BackupError::damaged(name, "it is too large"));
        }
        let mut bytes = Vec::new();
        for (number, run) in (0..).zip(&parts.runs) {
            bytes.extend_from_slice(self.run(parts, number, run)?.expose());
        }
        Ok(Some(bytes))
    }

    /// Writes the sealed files of large records below `to`; how many, and how many bytes.
    ///
    /// # Errors
    /// As [`Restorer::file`].
    pub fn blobs(&self, to: &Path) -> Result<(u64, u64), BackupError> {
        self.blobs_of(BlobOf::Record, to)
    }

    /// Writes the sealed files of the quarantine below `to`; how many, and how many bytes.
    ///
    /// # Errors
    /// As [`Restorer::file`].
    pub fn quarantine(&self, to: &Path) -> Result<(u64, u64), BackupError> {
        self.blobs_of(BlobOf::Quarantine, to)
    }

    fn blobs_of(&self, of: BlobOf, to: &Path) -> Result<(u64, u64), BackupError> {
        let (mut count, mut total) = (0, 0);
        for blob in self.index.blobs.iter().filter(|blob| blob.of == of) {
            let path = to.join(&blob.name);
            let above = path.parent().unwrap_or(to);
            let mut build = DirBuilder::new();
            build.mode(0o700).recursive(true);
            build.create(above).map_err(BackupError::file(above))?;
            let mut file = NewFile::begin(&path, FILE_MODE)?;
            let part = (&blob.sha256, blob.bytes);
            self.folder.copy_out(part, &mut file, &path)?;
            file.finish()?;
            count += 1;
            total += blob.bytes;
        }
        Ok((count, total))
    }

    /// Writes each run to its place, on two threads: while one waits for the disk, the other opens.
    fn write(&self, parts: &FileParts, file: &File, to: &Path) -> Result<(), BackupError> {
        let next = AtomicUsize::new(0);
        let work = || -> Result<(), BackupError> {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(run) = parts.runs.get(number) else {
                    return Ok(());
                };
                let written = self.write_run(parts, number, run, file, to);
                if written.is_err() {
                    next.store(parts.runs.len(), Ordering::Relaxed);
                    return written;
                }
            }
        };
        thread::scope(|scope| {
            let helper = scope.spawn(work);
            let done = work();
            let helped = helper.join().unwrap_or_else(|panic| resume_unwind(panic));
            done.and(helped)
        })?;
        let length = fs::metadata(to).map_err(BackupError::file(to))?.len();
        match length == parts.bytes {
            true => Ok(()),
            false => Err(BackupError::damaged(&parts.name, "its length is another")),
        }
    }

    fn write_run(
        &self,
        parts: &FileParts,
        number: usize,
        run: &Run,
        file: &File,
        to: &Path,
    ) -> Result<(), BackupError> {
        // All runs but the last are full: another index is refused.
        let at = u64::try_from(number.saturating_mul(RUN_BYTES)).unwrap_or(u64::MAX);
        let number = u64::try_from(number).unwrap_or(u64::MAX);
        let plain = self.run(parts, number, run)?;
        let written = file.write_all_at(plain.expose(), at);
        written.map_err(BackupError::file(to))
    }

    fn run(
        &self,
        file: &FileParts,
        number: u64,
        run: &Run,
    ) -> Result<Secret<Vec<u8>>, BackupError> {
        let sealed_bytes = u64::try_from(run.bytes + OVERHEAD_BYTES).unwrap_or(u64::MAX);
        let sealed = self.folder.read_part(&run.sha256, sealed_bytes)?;
        let opened = self.key.open(&file.name, number, &sealed);
        opened.map_err(|_| {
            BackupError::damaged(part_name(&run.sha256), "it belongs to another place or key")
        })
    }
}
