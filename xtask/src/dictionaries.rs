//! `cargo xtask dictionaries`: trains the dictionaries with which records are packed.
//!
//! A shipped dictionary must never be trained again under its number: what was packed with it could
//! not be read any more, and a test of `labward-records` would say so. This is how they came about,
//! and how the next ones will.
//!
//! The HL7 one learns from every other file of the CC0 set in the test data, the FHIR one from
//! resources that are made up here; neither has seen a real person, or what the tests measure it on.

mod fhir;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use labward_hl7::Batch;

use crate::interop::TEST_DATA;
use crate::run::root;

/// Twice as large shrinks the measured messages no further.
const DICTIONARY_BYTES: usize = 16 * 1024;

/// Trains both dictionaries and writes them where they are not there yet.
pub(crate) fn dictionaries() -> Result<()> {
    let folder = root().join("crates/labward-records/dictionaries");
    write(&folder.join("hl7.zdict"), &hl7_samples()?)?;
    write(&folder.join("fhir.zdict"), &fhir::samples())
}

fn write(path: &Path, samples: &[Vec<u8>]) -> Result<()> {
    if path.exists() {
        println!("{} is shipped and stays as it is", path.display());
        return Ok(());
    }
    let dictionary =
        zstd::dict::from_samples(samples, DICTIONARY_BYTES).context("train a dictionary")?;
    fs::write(path, &dictionary).with_context(|| format!("write {}", path.display()))?;
    println!(
        "{}: {} bytes, {} samples",
        path.display(),
        dictionary.len(),
        samples.len()
    );
    Ok(())
}

/// The messages of every other file, as they travel.
fn hl7_samples() -> Result<Vec<Vec<u8>>> {
    let data = std::env::var_os(TEST_DATA).with_context(|| format!("{TEST_DATA} is not set"))?;
    let mut files: Vec<PathBuf> = fs::read_dir(Path::new(&data).join("hl7"))
        .context("read the HL7 files")?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<_>>()?;
    files.sort();
    let mut samples = Vec::new();
    for file in files.iter().step_by(2) {
        let bytes = fs::read(file).with_context(|| format!("read {}", file.display()))?;
        let text = String::from_utf8_lossy(&bytes)
            .replace("\r\n", "\r")
            .replace('\n', "\r");
        let batch = Batch::parse(text.as_bytes());
        samples.extend(batch.iter().flat_map(Batch::messages).map(<[u8]>::to_vec));
    }
    ensure!(
        samples.len() > 50,
        "only {} messages to learn from",
        samples.len()
    );
    Ok(samples)
}
