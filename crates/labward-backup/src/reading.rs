//! The readers of a backup's texts by themselves, for the fuzz target; nothing else uses them.
//!
//! They must never be a way round the checks: what they read is shown again and used for nothing.

use labward_base::hex;

use crate::folder::{identity_of, marker_of};
use crate::index::Index;
use crate::manifest::Manifest;

/// The manifest in `text`, written again.
pub fn manifest(text: &str) -> Option<String> {
    let (manifest, mac) = Manifest::parse(text).ok()?;
    Some(format!("{}mac {}\n", manifest.lines(), hex::encode(&mac)))
}

/// The index in `text`, written again, and every place that it names below its folder.
pub fn index(text: &str) -> Option<(String, Vec<String>)> {
    let index = Index::parse(text)?;
    let files = index.files.iter().map(|file| &file.name);
    let names = files.chain(index.blobs.iter().map(|blob| &blob.name));
    Some((index.to_text(), names.cloned().collect()))
}

/// The mark of a backup folder in `text`, written again.
pub fn marker(text: &str) -> Option<String> {
    identity_of(text).ok().map(|identity| marker_of(&identity))
}
