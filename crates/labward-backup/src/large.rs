//! Parts that are too large for memory: copied step by step.
//!
//! It must never call a copy whole before its digest was compared.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use labward_seal::Sha256;

use crate::error::BackupError;
use crate::folder::{FILE_MODE, Folder, make_folder, part_name};

/// What is copied at once.
const STEP_BYTES: usize = 64 * 1024;
/// The name of a part while it is copied; the sweep removes it, since it is no digest.
const COPYING: &str = "parts/00/copying";

impl Folder {
    /// Copies a file as a part, as [`Folder::write_part`] does with bytes; its digest and length, or none if there
    /// is no such file.
    pub(crate) fn copy_in(&self, from: &Path) -> Result<Option<([u8; 32], u64)>, BackupError> {
        let mut source = match File::open(from) {
            Ok(source) => source,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(BackupError::file(from)(error)),
        };
        let copying = self.root().join(COPYING);
        make_folder(copying.parent().unwrap_or(self.root()))?;
        let mut open = OpenOptions::new();
        open.create(true).truncate(true).write(true).mode(FILE_MODE);
        let mut to = open.open(&copying).map_err(BackupError::file(&copying))?;
        let (sha, bytes) = copy(&mut source, (&mut to, &copying), from)?;
        let path = self.root().join(part_name(&sha));
        make_folder(path.parent().unwrap_or(self.root()))?;
        fs::rename(&copying, &path).map_err(BackupError::file(&path))?;
        Ok(Some((sha, bytes)))
    }

    /// Copies a part into `to`, which is at `path`; what was copied counts only if the answer is good.
    pub(crate) fn copy_out(
        &self,
        (sha, bytes): (&[u8; 32], u64),
        to: &mut dyn Write,
        path: &Path,
    ) -> Result<(), BackupError> {
        let (part, place) = (part_name(sha), self.root().join(part_name(sha)));
        let file = match File::open(&place) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(BackupError::MissingPart(part));
            }
            Err(error) => return Err(BackupError::file(&place)(error)),
        };
        // One byte more shows that it is longer.
        let mut file = file.take(bytes.saturating_add(1));
        let (found, read) = copy(&mut file, (to, path), &place)?;
        match (read == bytes, found == *sha) {
            (true, true) => Ok(()),
            (true, false) => Err(BackupError::damaged(part, "it was changed or swapped")),
            (false, _) => Err(BackupError::damaged(
                part,
                "it was cut, or is longer than it was",
            )),
        }
    }
}

/// Copies all of `from`; its digest and length.
fn copy(
    from: &mut dyn Read,
    (to, path): (&mut dyn Write, &Path),
    place: &Path,
) -> Result<([u8; 32], u64), BackupError> {
    let (mut digest, mut bytes) = (Sha256::new(), 0u64);
    let mut step = vec![0; STEP_BYTES];
    loop {
        let read = match from.read(&mut step) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read.map_err(BackupError::file(place))?,
        };
        let Some(taken) = step.get(..read).filter(|taken| !taken.is_empty()) else {
            return Ok((digest.finish(), bytes));
        };
        digest.update(taken);
        to.write_all(taken).map_err(BackupError::file(path))?;
        bytes += u64::try_from(read).unwrap_or(u64::MAX);
    }
}
