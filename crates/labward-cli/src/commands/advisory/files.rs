//! Which files are looked at: those that are named, and every `.json` of a folder.
//!
//! A link is not followed, so a folder that holds itself ends.

use std::fs;
use std::path::{Path, PathBuf};

/// How deep folders are gone into.
const DEEPEST: usize = 32;

/// A file, or a path that could not be looked at and why.
pub(super) type Found = Result<PathBuf, (PathBuf, String)>;

/// The files of some paths, those of a folder in the order of their names.
pub(super) fn find(paths: &[PathBuf]) -> Vec<Found> {
    let mut found = Vec::new();
    for path in paths {
        match fs::metadata(path) {
            Ok(one) if one.is_dir() => walk(path, 0, &mut found),
            Ok(_) => found.push(Ok(path.clone())),
            Err(error) => found.push(Err((path.clone(), error.to_string()))),
        }
    }
    found
}

fn walk(folder: &Path, depth: usize, found: &mut Vec<Found>) {
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
            walk(&path, depth + 1, found);
        } else if kind.is_file() && path.extension().is_some_and(|end| end == "json") {
            found.push(Ok(path));
        }
    }
}
