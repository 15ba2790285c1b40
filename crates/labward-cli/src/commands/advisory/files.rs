//! Which files are looked at: those that are named, and of a folder those whose names end like documents
//! or archives; what is in them is told by `labward_advisory::bundle`.
//!
//! A link is not followed, so a folder that holds itself ends.

use std::fs;
use std::path::{Path, PathBuf};

use labward_advisory::bundle::{self, Beside, Bounds, Checks, Item, Kind, is_beside};

use super::Unread;

/// How deep folders are gone into.
const DEEPEST: usize = 32;
/// The largest file that is read, in bytes.
const LARGEST: u64 = 1 << 30;
/// How the names of files end that are looked at in a folder.
const ENDS: [&str; 8] = [
    ".json", ".csv", ".gz", ".xz", ".zst", ".tar", ".tgz", ".zip",
];

/// A file, or a path that could not be looked at and why.
type Found = Result<PathBuf, (PathBuf, String)>;

/// Hands over every document of some paths, and gives what could not be read.
///
/// The words before the document are the path, and its name in the archive if it stands in one.
pub(in crate::commands) fn each(
    paths: &[PathBuf],
    checks: &Checks<'_>,
    mut take: impl FnMut(&str, &Item<'_>) -> Result<(), String>,
) -> Vec<Unread> {
    let mut unread = Vec::new();
    for found in find(paths) {
        let outcome = found
            .and_then(|path| one(&path, checks, &mut take, &mut unread).map_err(|why| (path, why)));
        if let Err((path, why)) = outcome {
            unread.push(Unread::new(path.display(), why));
        }
    }
    unread
}

fn one(
    path: &Path,
    checks: &Checks<'_>,
    take: &mut impl FnMut(&str, &Item<'_>) -> Result<(), String>,
    unread: &mut Vec<Unread>,
) -> Result<(), String> {
    let bytes = read_bounded(path)?;
    let beside = |end: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        match Path::new(&name).exists() {
            true => read_bounded(Path::new(&name)).map(Some),
            false => Ok(None),
        }
    };
    let (sha512, sha256, signature) = (beside(".sha512")?, beside(".sha256")?, beside(".asc")?);
    let beside = Beside {
        sha512: sha512.as_deref(),
        sha256: sha256.as_deref(),
        signature: signature.as_deref(),
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let label = |inner: &str| match inner == name {
        true => path.display().to_string(),
        false => format!("{}: {inner}", path.display()),
    };
    let mut refused = Vec::new();
    let walked = bundle::walk(&name, &bytes, beside, checks, &Bounds::default(), |item| {
        let label = label(item.name);
        if let Err(why) = take(&label, &item) {
            refused.push(Unread::new(label, why));
        }
    });
    unread.append(&mut refused);
    let faults = walked.faults.iter();
    unread.extend(faults.map(|fault| Unread::new(label(&fault.name), fault.kind)));
    match walked.documents == 0 && walked.faults.is_empty() && walked.notices.is_empty() {
        true => Err("it holds no document".to_owned()),
        false => Ok(()),
    }
}

/// Why a document of another kind is not taken.
pub(super) fn another_kind(kind: Kind) -> String {
    format!("no CSAF document, but {}", kind.name())
}

/// The files of some paths, those of a folder in the order of their names.
fn find(paths: &[PathBuf]) -> Vec<Found> {
    let mut found = Vec::new();
    for path in paths {
        match fs::metadata(path) {
            Ok(one) if one.is_dir() => walk(path, 0, &is_looked_at, &mut found),
            Ok(_) => found.push(Ok(path.clone())),
            Err(error) => found.push(Err((path.clone(), error.to_string()))),
        }
    }
    found
}

fn is_looked_at(path: &Path) -> bool {
    let name = path.to_string_lossy().to_ascii_lowercase();
    ENDS.iter().any(|end| name.ends_with(end))
}

/// The files of a folder that may be documents: all but hashes, signatures and the list itself.
pub(super) fn documents_of(folder: &Path) -> Vec<Found> {
    let mut found = Vec::new();
    let is_document = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        !is_beside(&name) && !name.starts_with("manifest.json")
    };
    walk(folder, 0, &is_document, &mut found);
    found
}

fn walk(folder: &Path, depth: usize, wanted: &dyn Fn(&Path) -> bool, found: &mut Vec<Found>) {
    if depth >= DEEPEST {
        found.push(Err((
            folder.to_owned(),
            format!("deeper than {DEEPEST} folders"),
        )));
        return;
    }
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            found.push(Err((folder.to_owned(), error.to_string())));
            return;
        }
    };
    let mut paths = Vec::new();
    for entry in entries {
        match entry.and_then(|entry| Ok((entry.path(), entry.file_type()?))) {
            Ok(one) => paths.push(one),
            Err(error) => found.push(Err((folder.to_owned(), error.to_string()))),
        }
    }
    paths.sort_by(|one, two| one.0.cmp(&two.0));
    for (path, kind) in paths {
        if kind.is_dir() {
            walk(&path, depth + 1, wanted, found);
        } else if kind.is_file() && wanted(&path) {
            found.push(Ok(path));
        }
    }
}

/// The bytes of a file that is not too large to be one.
pub(super) fn read_bounded(path: &Path) -> Result<Vec<u8>, String> {
    let length = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > LARGEST {
        return Err(format!("{length} bytes, more than the limit of {LARGEST}"));
    }
    fs::read(path).map_err(|error| error.to_string())
}

/// Every file of a folder, hashes and signatures too.
pub(super) fn every_file(folder: &Path) -> Vec<Found> {
    let mut found = Vec::new();
    walk(folder, 0, &|_: &Path| true, &mut found);
    found
}
