//! The files of a folder, with the hashes and signatures that lie beside them.
//!
//! It must never follow a link.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use labward_advisory::bundle::{Beside, Checks, is_beside};
use labward_threats::Intake;

use super::take_file;

/// The largest file that is read.
const FILE_MAX_BYTES: u64 = 256 << 20;
/// How deep folders are gone into, and how many files are read.
const DEEPEST: usize = 8;
const FILES_MAX: usize = 50_000;

/// Reads every file of a folder and of those in it.
pub(super) fn read(folder: &Path, checks: &Checks<'_>, intake: &mut Intake) -> Result<(), String> {
    let mut files = Vec::new();
    find(folder, 0, &mut files)?;
    files.sort();
    for path in &files {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if is_beside(&name) {
            continue;
        }
        let beside = |ending: &str| {
            let path = path.with_file_name(format!("{name}.{ending}"));
            files
                .binary_search(&path)
                .ok()
                .and_then(|_| contents(&path).ok())
        };
        let (sha512, sha256, signature) = (beside("sha512"), beside("sha256"), beside("asc"));
        match contents(path) {
            Ok(bytes) => {
                let beside = Beside {
                    sha512: sha512.as_deref(),
                    sha256: sha256.as_deref(),
                    signature: signature.as_deref(),
                };
                take_file(&name, &bytes, beside, checks, intake);
            }
            Err(why) => intake.refuse(&name, why),
        }
    }
    Ok(())
}

fn find(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let said = |error: std::io::Error| format!("{}: {error}", folder.display());
    if depth > DEEPEST {
        return Err(format!("{}: too deep", folder.display()));
    }
    for entry in fs::read_dir(folder).map_err(said)? {
        let entry = entry.map_err(said)?;
        let kind = entry.file_type().map_err(said)?;
        if kind.is_dir() {
            find(&entry.path(), depth + 1, files)?;
        } else if kind.is_file() {
            files.push(entry.path());
        }
        if files.len() > FILES_MAX {
            return Err(format!("{}: more than 50,000 files", folder.display()));
        }
    }
    Ok(())
}

fn contents(path: &Path) -> Result<Vec<u8>, String> {
    let said = |error: std::io::Error| error.to_string();
    let file = fs::File::open(path).map_err(said)?;
    let mut bytes = Vec::new();
    let read = file.take(FILE_MAX_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(said)?;
    match u64::try_from(bytes.len()).is_ok_and(|length| length <= FILE_MAX_BYTES) {
        true => Ok(bytes),
        false => Err("larger than 256 MiB".to_owned()),
    }
}
