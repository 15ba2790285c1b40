//! What stands in an archive beside its documents: hashes, signatures, the list of a bundle.
//!
//! It must never keep more of them than fits into 64 MiB.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use super::archive::Meter;
use super::item::Beside;
use super::tar::Entry;
use super::{entries, manifest};

/// Hash files and signatures are small; what is larger is none.
const LONGEST_BESIDE: u64 = 1 << 16;
/// All of them of one archive.
const MOST_BESIDE: usize = 64 << 20;

/// What stands in an archive beside its documents, found on a first way through it.
#[derive(Default)]
pub(super) struct Stored {
    beside: BTreeMap<String, Vec<u8>>,
    pub(super) manifest: Option<Vec<u8>>,
    pub(super) manifest_signature: Option<Vec<u8>>,
    /// The list is one of ours, and is no document.
    pub(super) has_manifest: bool,
}

impl Stored {
    /// Where the archive breaks off is told on the second way.
    pub(super) fn collect(bytes: &[u8], meter: &Meter) -> Self {
        let mut stored = Self::default();
        let mut total = 0;
        let _ = entries(bytes, meter, |name, entry| {
            meter.entry()?;
            let Entry::File(content) = entry else {
                return Ok(());
            };
            let most = match name {
                manifest::MANIFEST => MOST_BESIDE as u64,
                _ if name == manifest::SIGNATURE || is_beside(name) => LONGEST_BESIDE,
                _ => return Ok(()),
            };
            let mut bytes = Vec::new();
            let read = content.take(most + 1).read_to_end(&mut bytes);
            total += bytes.len();
            if read.is_err() || bytes.len() as u64 > most || total > MOST_BESIDE {
                return Ok(());
            }
            match name {
                manifest::MANIFEST => stored.manifest = Some(bytes),
                manifest::SIGNATURE => stored.manifest_signature = Some(bytes),
                _ => drop(stored.beside.insert(name.to_owned(), bytes)),
            }
            Ok(())
        });
        stored
    }

    /// Whether a file is no document because it is known for what it is.
    pub(super) fn holds(&self, name: &str) -> bool {
        self.beside.contains_key(name)
            || (self.has_manifest && [manifest::MANIFEST, manifest::SIGNATURE].contains(&name))
    }

    pub(super) fn beside(&self, name: &str) -> Beside<'_> {
        let file = |end: &str| self.beside.get(&format!("{name}{end}")).map(Vec::as_slice);
        Beside {
            sha512: file(".sha512"),
            sha256: file(".sha256"),
            signature: file(".asc"),
        }
    }

    pub(super) fn of_nothing<'s>(
        &'s self,
        seen: &BTreeSet<String>,
    ) -> impl Iterator<Item = &'s String> {
        let is_of = |name: &str, end: &str| {
            let of = name.strip_suffix(end);
            of.is_some_and(|of| seen.contains(of))
        };
        let names = self.beside.keys();
        names.filter(move |name| !ENDS.iter().any(|end| is_of(name, end)))
    }
}

/// What may stand beside a document.
const ENDS: [&str; 3] = [".sha512", ".sha256", ".asc"];

/// Whether a file of this name stands beside a document, and is none.
pub fn is_beside(name: &str) -> bool {
    ENDS.iter().any(|end| name.ends_with(end))
}
