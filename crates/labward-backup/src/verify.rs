//! Verification: every part of the generations in a folder, each fault named by its place.
//!
//! It must never stop at the first fault, or call a part good that it did not read.

use std::collections::HashSet;
use std::io;
use std::path::Path;

use labward_base::Problem;
use labward_seal::OVERHEAD_BYTES;

use crate::error::BackupError;
use crate::folder::{Folder, MARKER, manifest_name, part_name};
use crate::index::{FileParts, Run};
use crate::manifest::Manifest;

pub use crate::folder::Trust;

/// Faults that a report names; further ones are only counted.
const FAULTS_MAX: usize = 100;

/// What was checked and what was found wrong.
#[derive(Debug, Default)]
pub struct Verified {
    /// The newest generation, if it is whole.
    pub newest: Option<Manifest>,
    /// Generations that were looked at.
    pub generations: u64,
    /// Parts that were read and compared.
    pub parts: u64,
    /// Bytes that were read.
    pub bytes: u64,
    /// The first faults, in the order in which they were met.
    pub faults: Vec<Fault>,
    /// How many faults there are.
    pub fault_count: u64,
}

/// One thing that is not as it must be.
#[derive(Debug)]
pub struct Fault {
    /// Where: a file of the backup folder.
    pub place: String,
    /// What is wrong there.
    pub what: String,
    /// The problem of the table.
    pub problem: &'static Problem,
}

impl Verified {
    /// Whether nothing is wrong.
    pub const fn is_sound(&self) -> bool {
        self.fault_count == 0
    }

    fn fault(&mut self, place: impl Into<String>, error: &BackupError) {
        self.fault_count += 1;
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(Fault {
                place: place.into(),
                what: error.to_string(),
                problem: error.problem(),
            });
        }
    }
}

/// Verifies every part of all generations, or of one; `expected` is the newest generation that is
/// known of, which must be there.
///
/// # Errors
/// Only what keeps it from looking: [`BackupError::None`] if there is no generation,
/// [`BackupError::File`]. What is wrong with the backup is in the report.
pub fn verify(
    folder: &Folder,
    only: Option<u64>,
    trust: &Trust<'_>,
    expected: Option<u64>,
) -> Result<Verified, BackupError> {
    let mut verified = Verified::default();
    let all = folder.generations()?;
    let newest = all.last().copied();
    let generations: Vec<u64> = match only {
        Some(one) => all.into_iter().filter(|number| *number == one).collect(),
        None => all,
    };
    if let Some(expected) =
        expected.filter(|expected| newest.is_none_or(|newest| newest < *expected))
    {
        let part = manifest_name(expected);
        verified.fault(part.clone(), &BackupError::MissingPart(part));
    } else if generations.is_empty() {
        return Err(BackupError::None(folder.root().to_owned()));
    }
    let mut seen = HashSet::new();
    // The newest first: it is the one that is restored.
    for generation in generations.into_iter().rev() {
        verified.generations += 1;
        let faults = verified.fault_count;
        match folder.manifest(generation, trust) {
            Ok(manifest) => {
                if !folder.is_of(&manifest) {
                    let other = BackupError::damaged(MARKER, "it names another installation");
                    verified.fault(MARKER, &other);
                }
                verify_parts(folder, &manifest, trust, &mut seen, &mut verified);
                if Some(generation) == newest && verified.fault_count == faults {
                    verified.newest = Some(manifest);
                }
            }
            Err(error) => verified.fault(manifest_name(generation), &error),
        }
    }
    Ok(verified)
}

fn verify_parts(
    folder: &Folder,
    manifest: &Manifest,
    trust: &Trust<'_>,
    seen: &mut HashSet<[u8; 32]>,
    verified: &mut Verified,
) {
    let index = match folder.index(manifest) {
        Ok(index) => index,
        Err(error) => {
            verified.fault(
                format!("the index of generation {}", manifest.generation),
                &error,
            );
            return;
        }
    };
    let mut checked = |sha: &[u8; 32], bytes: u64, (file, number, run): (&FileParts, u64, &Run)| {
        // A part that several generations share is read once.
        if !seen.insert(*sha) {
            return;
        }
        let read = folder.read_part(sha, bytes).and_then(|sealed| match trust {
            Trust::Key(key) => {
                let plain = key.open(&file.name, number, &sealed);
                let plain = plain.map_err(|_| {
                    BackupError::damaged(part_name(sha), "it belongs to another place or key")
                })?;
                match key.tag(&file.name, number, plain.expose()) == run.tag {
                    true => Ok(()),
                    false => Err(BackupError::damaged(part_name(sha), "its tag is another's")),
                }
            }
            Trust::Ledger(_) => Ok(()),
        });
        verified.parts += 1;
        match read {
            Ok(()) => verified.bytes += bytes,
            Err(error) => verified.fault(part_name(sha), &error),
        }
    };
    for file in &index.files {
        for (number, run) in (0..).zip(&file.runs) {
            let sealed_bytes = u64::try_from(run.bytes + OVERHEAD_BYTES).unwrap_or(u64::MAX);
            checked(&run.sha256, sealed_bytes, (file, number, run));
        }
    }
    for blob in &index.blobs {
        if !seen.insert(blob.sha256) {
            continue;
        }
        let part = part_name(&blob.sha256);
        let read = folder.copy_out(
            (&blob.sha256, blob.bytes),
            &mut io::sink(),
            Path::new(&part),
        );
        verified.parts += 1;
        match read {
            Ok(()) => verified.bytes += blob.bytes,
            Err(error) => verified.fault(part, &error),
        }
    }
}
