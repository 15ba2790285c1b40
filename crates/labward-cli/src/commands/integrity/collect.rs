//! How the files below a folder are now.
//!
//! It must never change a file, follow a link, or call a file read that changed meanwhile.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};
use labward_base::hex;
use labward_os::held::{HeldError, HeldFile, HeldFolder, Kind};
use labward_os::walk::{Found, Omission, Reason, Walk};

use super::manifest::{FileFacts, Line};
use super::program::Program;
use crate::commands::progress::Progress;
use crate::commands::scan::{BOUNDS, left_out_why, size};
use crate::failure::{Failure, chain};

/// Gives a line for every regular file below `folder`, in the order in which paths compare.
pub(super) fn collect(
    folder: &HeldFolder,
    give: &mut dyn FnMut(Line) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut progress = Progress::on_terminal();
    let mut buffer = vec![0; 256 << 10];
    let walk = Walk::by_name(folder, BOUNDS)
        .map_err(|error| Failure::new(error.problem(), chain(&error)))?;
    let (mut files, mut bytes) = (0_u64, 0_u64);
    for item in walk {
        if let Some(line) = line(item, &mut buffer) {
            files += 1;
            bytes = bytes.saturating_add(line.file.as_ref().map_or(0, |file| file.size));
            give(line)?;
        }
        progress.show(|| format!("{files} files, {}", size(bytes)));
    }
    progress.clear();
    Ok(())
}

fn line(item: Result<Found, Omission>, buffer: &mut [u8]) -> Option<Line> {
    match item {
        Ok(found) if found.identity().kind == Kind::Regular => {
            let facts = found
                .file()
                .map_err(|error| chain(&error))
                .and_then(|file| facts(&file, buffer));
            Some(Line::new(found.path(), facts))
        }
        // What is no file cannot be hashed; other file systems are not part of it.
        Ok(_)
        | Err(Omission {
            reason: Reason::OtherFileSystem,
            ..
        }) => None,
        Err(omission) => {
            let why = Err(left_out_why(&omission.reason));
            Some(Line::new(&omission.path, why))
        }
    }
}

fn facts(file: &HeldFile, buffer: &mut [u8]) -> Result<FileFacts, String> {
    let before = *file.identity();
    let sha256 = hash(file.reader(), buffer).map_err(|error| error.to_string())?;
    let program = Program::of(file.reader()).map_err(|error| error.to_string())?;
    let now = file.identity_now().map_err(|error| chain(&error))?;
    if !now.has_same_bytes(&before) {
        return Err("it changed while it was read".to_owned());
    }
    let metadata = file.metadata().map_err(|error: HeldError| chain(&error))?;
    Ok(FileFacts {
        size: now.size_bytes,
        sha256,
        modified: (now.modified.seconds, now.modified.nanoseconds),
        mode: metadata.mode,
        owner: metadata.owner,
        group: metadata.group,
        program,
    })
}

fn hash(mut file: &File, buffer: &mut [u8]) -> io::Result<String> {
    let mut hash = Context::new(&SHA256);
    loop {
        match file.read(buffer) {
            Ok(0) => return Ok(hex::encode(hash.finish().as_ref())),
            Ok(n) => hash.update(buffer.get(..n).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The file at this place below the folder, to be looked into.
pub(super) fn again(folder: &HeldFolder, path: &Path) -> Result<File, String> {
    let file = folder.file(path).map_err(|error| chain(&error))?;
    file.reader().try_clone().map_err(|error| error.to_string())
}
