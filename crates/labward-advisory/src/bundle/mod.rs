//! What a person hands in: one document, or an archive of many with hashes and signatures beside them.
//!
//! | Bytes | Are |
//! |---|---|
//! | `.zip`, `.tar`, `.tar.gz`, `.tar.xz`, `.tar.zst` | an archive; archives in it are gone into, too |
//! | `.gz`, `.xz`, `.zst` | one file |
//! | anything else | a document, of the kind that stands in it |
//!
//! Bytes decide, not names. Beside a document may stand `NAME.sha512`, `NAME.sha256` and `NAME.asc`, before
//! or behind it: an archive is read twice, so that no document is kept while its signature is looked for.
//! A bundle of ours has a signed list besides ([`manifest_of`]).
//!
//! It must never use a name as a path, unpack more than [`Bounds`] allow, hold more than one file of an
//! archive (and those it stands in), or leave out anything in silence: what gives no document is a
//! [`Fault`] or a [`Notice`].

mod archive;
mod fault;
mod item;
mod kind;
mod manifest;
mod stored;
mod tar;

use std::collections::BTreeSet;
use std::io::Read;

use archive::{Meter, Opened};
use item::Vouched;
use kind::Found;
use manifest::Manifest;
use stored::Stored;
use tar::{Entry, LONGEST_NAME};

pub use fault::{Fault, FaultKind, Notice};
pub use item::{Beside, Checks, HashCheck, Item, Listing, SignatureCheck, Signer, Trust};
pub use kind::Kind;
pub use manifest::{ManifestCheck, manifest_of};
pub use stored::is_beside;

/// Archives in archives in archives, and one file compressed in the last.
const DEEPEST: usize = 4;

/// How much an archive may ask of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The most bytes that are unpacked, of all archives in a file.
    pub max_total_bytes: u64,
    /// The largest file in an archive, in bytes.
    pub max_entry_bytes: usize,
    /// The most files and folders, of all archives in a file.
    pub max_entries: usize,
    /// How many times its own size a file may unpack to, beyond the first 32 MiB.
    pub max_ratio: u64,
}

impl Default for Bounds {
    /// 4 GiB, 256 MiB a file, 500,000 files, 250 times.
    fn default() -> Self {
        Self {
            max_total_bytes: 4 << 30,
            max_entry_bytes: 256 << 20,
            max_entries: 500_000,
            max_ratio: 250,
        }
    }
}

/// What came of a file beside its documents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walked {
    /// How many documents were handed over.
    pub documents: usize,
    /// What could not be read.
    pub faults: Vec<Fault>,
    /// What was left out, and what it is.
    pub notices: Vec<(String, Notice)>,
    /// Who made the bundle, if it is one of ours.
    pub manifest: Option<ManifestCheck>,
}

/// Goes through a file, and hands over each document as soon as it is checked.
///
/// `name` is the file's name, without folders.
pub fn walk(
    name: &str,
    bytes: &[u8],
    beside: Beside<'_>,
    checks: &Checks<'_>,
    bounds: &Bounds,
    mut each: impl FnMut(Item<'_>),
) -> Walked {
    let mut walk = Walk {
        checks,
        bounds,
        meter: Meter::new(bytes.len(), bounds),
        walked: Walked::default(),
        each: &mut each,
    };
    let vouched = Vouched::of(name, bytes, beside, checks);
    walk.file(name, bytes, &vouched, 0);
    walk.walked
}

struct Walk<'w> {
    checks: &'w Checks<'w>,
    bounds: &'w Bounds,
    meter: Meter,
    walked: Walked,
    each: &'w mut dyn FnMut(Item<'_>),
}

impl Walk<'_> {
    fn fault(&mut self, name: &str, kind: FaultKind) {
        let name = shown(name);
        self.walked.faults.push(Fault { name, kind });
    }

    /// One file: a document, or something that holds documents.
    fn file(&mut self, name: &str, bytes: &[u8], vouched: &Vouched, depth: usize) {
        let meter = self.meter.clone();
        let outcome = match archive::open(bytes, &meter) {
            Ok(Opened::Plain) => self.document(name, bytes, vouched),
            Ok(_) if depth >= DEEPEST => Err(FaultKind::TooDeep),
            Ok(Opened::Packed(mut packed)) => self.read(&mut packed).map(|inner| {
                let ends = [".gz", ".xz", ".zst"];
                let name = ends
                    .iter()
                    .find_map(|end| name.strip_suffix(end))
                    .unwrap_or(name);
                self.file(name, &inner, vouched, depth + 1);
            }),
            Ok(Opened::Tar(_) | Opened::Zip(_)) => self.archive(name, bytes, vouched, depth),
            Err(fault) => Err(fault),
        };
        if let Err(fault) = outcome {
            self.fault(name, fault);
        }
    }

    fn document(&mut self, name: &str, bytes: &[u8], vouched: &Vouched) -> Result<(), FaultKind> {
        match kind::look(name, bytes)? {
            Found::Document(kind) => {
                self.walked.documents += 1;
                (self.each)(Item {
                    name: &shown(name),
                    kind,
                    bytes,
                    hash: vouched.hash,
                    signature: &vouched.signature,
                    listing: vouched.listing,
                    manifest: self.walked.manifest.as_ref(),
                });
            }
            Found::Index(notice) => self.walked.notices.push((shown(name), notice)),
        }
        Ok(())
    }

    fn read(&self, from: &mut dyn Read) -> Result<Vec<u8>, FaultKind> {
        let mut bytes = Vec::new();
        let most = self.bounds.max_entry_bytes;
        let read = from.take(most as u64 + 1).read_to_end(&mut bytes);
        read.map_err(|_| self.meter.passed().unwrap_or(FaultKind::Damaged))?;
        match bytes.len() > most {
            true => Err(FaultKind::EntryTooLarge),
            false => Ok(bytes),
        }
    }

    fn archive(
        &mut self,
        name: &str,
        bytes: &[u8],
        vouched: &Vouched,
        depth: usize,
    ) -> Result<(), FaultKind> {
        let meter = self.meter.clone();
        let mut stored = Stored::collect(bytes, &meter.fork());
        let manifest = match depth {
            0 => self.manifest(&mut stored),
            _ => None,
        };
        let mut seen = BTreeSet::new();
        let outcome = entries(bytes, &meter, |inner, entry| {
            meter.entry()?;
            let label = match depth {
                0 => inner.to_owned(),
                _ => format!("{name}/{inner}"),
            };
            match entry {
                Entry::Folder => {}
                Entry::Other => self.fault(&label, FaultKind::NotAFile),
                Entry::File(_) if inner.is_empty() || inner.len() > LONGEST_NAME => {
                    self.fault(&label, FaultKind::Name);
                }
                Entry::File(_) if stored.holds(inner) => {}
                Entry::File(_) if is_beside(inner) => {
                    self.fault(&label, FaultKind::EntryTooLarge);
                }
                Entry::File(content) => {
                    seen.insert(inner.to_owned());
                    match self.read(content) {
                        Ok(bytes) => {
                            let beside = stored.beside(inner);
                            let mut own = Vouched::of(inner, &bytes, beside, self.checks);
                            if let Some(manifest) = &manifest {
                                own.listing = manifest.listing(inner, &bytes);
                            }
                            self.file(&label, &bytes, &own.within(vouched), depth + 1);
                        }
                        Err(fault) => self.fault(&label, fault),
                    }
                }
            }
            meter.passed().map_or(Ok(()), Err)
        });
        for of_nothing in stored.of_nothing(&seen) {
            self.fault(of_nothing, FaultKind::BesideNothing);
        }
        let listed = manifest.iter().flat_map(Manifest::names);
        for missing in listed.filter(|name| !seen.contains(*name)) {
            self.fault(missing, FaultKind::Missing);
        }
        outcome.map_err(|fault| meter.passed().unwrap_or(fault))
    }

    /// The list of a bundle of ours; another program's file of this name stays where it is.
    fn manifest(&mut self, stored: &mut Stored) -> Option<Manifest> {
        let bytes = stored.manifest.take()?;
        let signature = stored.manifest_signature.as_deref();
        match Manifest::read(&bytes, signature, self.checks)? {
            Ok(manifest) => {
                self.walked.manifest = Some(manifest.check.clone());
                stored.has_manifest = true;
                Some(manifest)
            }
            Err(()) => {
                self.fault(manifest::MANIFEST, FaultKind::BadManifest);
                stored.has_manifest = true;
                None
            }
        }
    }
}

fn entries(
    bytes: &[u8],
    meter: &Meter,
    mut visit: impl FnMut(&str, Entry<'_>) -> Result<(), FaultKind>,
) -> Result<(), FaultKind> {
    // `tar -C FOLDER .` writes `./` before each name.
    let visit =
        |name: &str, entry: Entry<'_>| visit(name.strip_prefix("./").unwrap_or(name), entry);
    match archive::open(bytes, meter)? {
        Opened::Tar(stream) => tar::entries(stream, visit),
        Opened::Zip(bytes) => archive::zip_entries(bytes, meter, visit),
        Opened::Plain | Opened::Packed(_) => Err(FaultKind::Damaged),
    }
}

/// A name as a terminal may show it.
fn shown(name: &str) -> String {
    let end = name.floor_char_boundary(LONGEST_NAME);
    let start = name.get(..end).unwrap_or_default();
    let plain = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    start.chars().map(plain).collect()
}

#[cfg(test)]
mod tests;
