//! `advisory manifest`: the list of a folder that is to become a signed bundle.
//!
//! It must never sign: the key stays with whoever makes the bundle.

use std::fs;
use std::path::Path;

use labward_advisory::bundle::manifest_of;
use labward_base::{Timestamp, problem};
use serde::Serialize;

use super::files;
use crate::args::AdvisoryManifestArgs;
use crate::commands::Context;
use crate::failure::Failure;
use crate::output::show;

/// What was written.
#[derive(Serialize)]
struct Listed {
    manifest: String,
    documents: usize,
}

/// `labward advisory manifest`
pub(super) fn run(
    context: &Context,
    arguments: &AdvisoryManifestArgs,
    now: Timestamp,
) -> Result<(), Failure> {
    let failed = |path: &Path, why: String| {
        Failure::new(&problem::CLI_FILE, format!("{}: {why}", path.display()))
    };
    let mut documents = Vec::new();
    for found in files::documents_of(&arguments.folder) {
        let path = found.map_err(|(path, why)| failed(&path, why))?;
        let name = path
            .strip_prefix(&arguments.folder)
            .ok()
            .and_then(Path::to_str);
        let name = name.ok_or_else(|| failed(&path, "its name is not UTF-8".to_owned()))?;
        let bytes = files::read_bounded(&path).map_err(|why| failed(&path, why))?;
        documents.push((name.to_owned(), bytes));
    }
    let count = documents.len();
    let documents = documents.iter();
    let documents = documents.map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    let manifest = arguments.folder.join("manifest.json");
    fs::write(&manifest, manifest_of(now, &arguments.by, documents))
        .map_err(|error| failed(&manifest, error.to_string()))?;
    let listed = Listed {
        manifest: manifest.display().to_string(),
        documents: count,
    };
    show(context.json, &listed, |out| {
        let folder = arguments.folder.display();
        writeln!(out, "{}: {count} documents", listed.manifest)?;
        writeln!(out, "Next: minisign -Sm {}", listed.manifest)?;
        writeln!(out, "      tar -C {folder} -cJf bundle.tar.xz .")
    })
}
