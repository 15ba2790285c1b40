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
use crate::cosigned::{CosignedNote, cosigned_notes};
use crate::error::LedgerError;
use crate::note::{Note, VerifierKey};
use crate::proof::{ConsistencyProof, range_peaks};
use crate::publish::{read_checkpoint, read_note};
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

/// Writes the published entries of `range` to `out`; the publisher must not work meanwhile. What
/// witnesses cosigned goes with it, as older checkpoints or under the newest.
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
    newest: &Checkpoint,
    range: &BundleRange,
    end: u64,
    key: &VerifierKey,
    writer: &mut LineWriter<impl Write>,
) -> Result<Frontier, LedgerError> {
    let (note, older) = checkpoints(dir, newest, &range.older, key)?;
    let mut tiles = TileFolder::new(dir, newest.size);
    let peaks = range_peaks(0, range.first, &mut tiles)?;
    let mismatch = || LedgerError::tampered("tiles: they do not fit the checkpoint");
    let mut consistency =
        |old| ConsistencyProof::compute(old, newest.size, &mut tiles)?.ok_or_else(mismatch);
    writer.line(HEADER)?;
    writer.line(&format!("range {} {end} {}", range.first, older.len()))?;
    writer.line(&format!("checkpoint {}", json_string(&note.to_string())?))?;
    writer.line(&digest_line("peaks", &peaks))?;
    writer.line(&digest_line("before", &consistency(range.first)?.path))?;
    writer.line(&digest_line("onward", &consistency(end)?.path))?;
    for CosignedNote { checkpoint, note } in &older {
        let proof = consistency(checkpoint.size)?;
        if !proof.verify(&checkpoint.root, &newest.root) {
            return Err(goes_not_on_from(checkpoint));
        }
        writer.line(&format!("older {}", json_string(&note.to_string())?))?;
        writer.line(&digest_line("consistency", &proof.path))?;
    }
    Frontier::from_peaks(range.first, peaks).ok_or_else(mismatch)
}

/// The newest checkpoint with all that was cosigned of it, and the older ones that go with it.
fn checkpoints(
    dir: &Path,
    newest: &Checkpoint,
    wanted: &[String],
    key: &VerifierKey,
) -> Result<(Note, Vec<CosignedNote>), LedgerError> {
    let mut note = read_note(dir)?;
    let mut older = Vec::new();
    for text in wanted {
        older.push(CosignedNote {
            checkpoint: Checkpoint::open(text.as_bytes(), key)?,
            note: Note::parse(text.as_bytes())?,
        });
    }
    for cosigned in cosigned_notes(dir, key)? {
        if cosigned.checkpoint == *newest {
            note.join(&cosigned.note);
        } else {
            older.push(cosigned);
        }
    }
    if let Some(larger) = older.iter().find(|one| one.checkpoint.size > newest.size) {
        return Err(goes_not_on_from(&larger.checkpoint));
    }
    Ok((note, older))
}

fn goes_not_on_from(checkpoint: &Checkpoint) -> LedgerError {
    LedgerError::tampered(format!(
        "checkpoint of {} entries: the ledger does not go on from it",
        checkpoint.size
    ))
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
