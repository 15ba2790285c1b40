//! Writing a bundle, in the format that [`crate::bundle`] describes.
//!
//! An export must never hide that rows, tiles and checkpoint do not fit together: then it fails.

use std::io::Write;
use std::path::Path;

use labward_base::id::EntryIndex;
use labward_seal::Sha256;
use labward_store::Store;

use crate::bundle::HEADER;
use crate::checkpoint::Checkpoint;
use crate::error::LedgerError;
use crate::note::VerifierKey;
use crate::proof::{ConsistencyProof, range_peaks};
use crate::publish::{CHECKPOINT_FILE, read_checkpoint};
use crate::store;
use crate::tile::TileFolder;
use crate::tree::{Digest, Frontier, leaf_digest};

/// Entries read from the store at a time.
const PAGE: u32 = 512;

/// Which part of a ledger goes into a bundle.
#[derive(Clone, Debug, Default)]
pub struct BundleRange {
    /// The first entry; 0 for the whole ledger.
    pub first: u64,
    /// One behind the last entry; `None` for all that is published.
    pub end: Option<u64>,
    /// Older checkpoints, as signed notes, of which the bundle proves that nothing before them
    /// was changed since.
    pub older: Vec<String>,
}

/// Writes the published entries of `range` to `out`; the publisher must not work meanwhile.
///
/// # Errors
/// [`LedgerError::NoEntry`] if the range is empty or not published; [`LedgerError::Tampered`] if
/// the rows do not lead to the signed root: an export never hides that.
pub fn export_bundle(
    store: &Store,
    dir: &Path,
    key: &VerifierKey,
    range: &BundleRange,
    out: impl Write,
) -> Result<Checkpoint, LedgerError> {
    let no_entry = |index| LedgerError::NoEntry { index };
    let checkpoint = read_checkpoint(dir, key)?.ok_or_else(|| no_entry(range.first))?;
    let end = range.end.unwrap_or(checkpoint.size);
    if range.first > end || end > checkpoint.size {
        return Err(no_entry(range.first.max(end)));
    }
    let mut writer = LineWriter {
        out,
        hash: Sha256::new(),
    };
    let mut frontier = write_head(dir, &checkpoint, range, end, key, &mut writer)?;
    write_entries(store, range.first, end, &mut frontier, &mut writer)?;
    let mut tiles = TileFolder::new(dir, checkpoint.size);
    let onward = ConsistencyProof::compute(end, checkpoint.size, &mut tiles)?;
    if !onward.is_some_and(|proof| proof.verify(&frontier.root(), &checkpoint.root)) {
        return Err(LedgerError::tampered(format!(
            "entries {} to {end}: they do not lead to the signed root",
            range.first
        )));
    }
    writer.finish()?;
    Ok(checkpoint)
}

/// Writes the entries `first..end` and adds them to the frontier.
fn write_entries(
    store: &Store,
    first: u64,
    end: u64,
    frontier: &mut Frontier,
    writer: &mut LineWriter<impl Write>,
) -> Result<(), LedgerError> {
    let mut at = first;
    while at < end {
        let limit = u32::try_from(end - at).unwrap_or(PAGE).min(PAGE);
        let rows = store.read(|snapshot| store::entries(snapshot, EntryIndex::new(at), limit))?;
        if rows.is_empty() {
            return Err(LedgerError::tampered(format!("entry {at}: it is missing")));
        }
        for row in rows {
            if row.index.get() != at {
                return Err(LedgerError::tampered(format!("entry {at}: it is missing")));
            }
            let leaf = std::str::from_utf8(&row.leaf).map_err(|_| {
                LedgerError::tampered(format!("entry {at}: its leaf is not canonical"))
            })?;
            let digest = leaf_digest(&row.leaf);
            writer.line(&format!("entry {} {leaf}", digest.to_base64()))?;
            frontier.push(digest);
            at += 1;
        }
    }
    Ok(())
}

/// Writes everything before the entries; the frontier from which they go on.
fn write_head(
    dir: &Path,
    checkpoint: &Checkpoint,
    range: &BundleRange,
    end: u64,
    key: &VerifierKey,
    writer: &mut LineWriter<impl Write>,
) -> Result<Frontier, LedgerError> {
    let path = dir.join(CHECKPOINT_FILE);
    let note = std::fs::read_to_string(path).map_err(LedgerError::file(CHECKPOINT_FILE))?;
    let mut tiles = TileFolder::new(dir, checkpoint.size);
    let peaks = range_peaks(0, range.first, &mut tiles)?;
    let mismatch = || LedgerError::tampered("tiles: they do not fit the checkpoint");
    let mut consistency =
        |old| ConsistencyProof::compute(old, checkpoint.size, &mut tiles)?.ok_or_else(mismatch);
    writer.line(HEADER)?;
    writer.line(&format!(
        "range {} {end} {}",
        range.first,
        range.older.len()
    ))?;
    writer.line(&format!("checkpoint {}", json_string(&note)?))?;
    writer.line(&digest_line("peaks", &peaks))?;
    writer.line(&digest_line("before", &consistency(range.first)?.path))?;
    writer.line(&digest_line("onward", &consistency(end)?.path))?;
    for note in &range.older {
        let older = Checkpoint::open(note.as_bytes(), key)?;
        let proof = consistency(older.size)?;
        if !proof.verify(&older.root, &checkpoint.root) {
            return Err(LedgerError::tampered(format!(
                "checkpoint of {} entries: the ledger does not go on from it",
                older.size
            )));
        }
        writer.line(&format!("older {}", json_string(note)?))?;
        writer.line(&digest_line("consistency", &proof.path))?;
    }
    Frontier::from_peaks(range.first, peaks).ok_or_else(mismatch)
}

fn json_string(text: &str) -> Result<String, LedgerError> {
    serde_json::to_string(text).map_err(|error| LedgerError::file("the bundle")(error.into()))
}

fn digest_line(word: &str, digests: &[Digest]) -> String {
    digests.iter().fold(word.to_owned(), |line, digest| {
        line + " " + &digest.to_base64()
    })
}

struct LineWriter<W> {
    out: W,
    hash: Sha256,
}

impl<W: Write> LineWriter<W> {
    fn line(&mut self, text: &str) -> Result<(), LedgerError> {
        self.hash.update(text.as_bytes());
        self.hash.update(b"\n");
        let written = self
            .out
            .write_all(text.as_bytes())
            .and_then(|()| self.out.write_all(b"\n"));
        written.map_err(LedgerError::file("the bundle"))
    }

    fn finish(mut self) -> Result<(), LedgerError> {
        let digest = Digest::new(self.hash.finish());
        let end = writeln!(self.out, "end {digest}").and_then(|()| self.out.flush());
        end.map_err(LedgerError::file("the bundle"))
    }
}
