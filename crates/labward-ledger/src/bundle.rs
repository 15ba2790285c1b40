//! Bundles: a range of the ledger in one text file that an outside expert checks without us.
//!
//! A line feed ends each line, and nothing stands in the file that is not checked:
//!
//! | Line | Holds |
//! |---|---|
//! | 1 | `labward-ledger-bundle 1` |
//! | 2 | `range FIRST END`: the entries FIRST to END - 1 follow |
//! | 3 | `checkpoint NOTE`: the newest signed checkpoint, as a JSON string |
//! | 4 | `peaks …`: the frontier of the FIRST entries that the file leaves out, in base64 |
//! | 5 | `onward …`: the consistency proof from END to the checkpoint's size |
//! | then | `older NOTE`, `consistency …`: an older checkpoint and the proof that the newest goes on from it |
//! | then | `entry DIGEST LEAF`, one a line |
//! | last | `end SHA-256` of all bytes before it, in hex |
//!
//! [`verify_bundle`] must never read anything but the file and the public key.

use std::io::{self, BufRead, Write};
use std::path::Path;

use labward_base::Timestamp;
use labward_base::id::{EntryIndex, NodeId};
use labward_base::problem::{self, Problem};
use labward_seal::Sha256;
use labward_store::Store;

use crate::checkpoint::{Checkpoint, parse_decimal};
use crate::entry::{LEAF_MAX_BYTES, Leaf};
use crate::error::LedgerError;
use crate::note::{NOTE_MAX_BYTES, Note, VerifierKey};
use crate::proof::{ConsistencyProof, PATH_MAX, range_peaks};
use crate::publish::{CHECKPOINT_FILE, read_checkpoint};
use crate::store;
use crate::tile::TileFolder;
use crate::tree::{Digest, Frontier, leaf_digest};

const HEADER: &str = "labward-ledger-bundle 1";

/// Bytes a line may have; the note of a checkpoint is the longest.
const LINE_MAX: usize = 4 * NOTE_MAX_BYTES;

/// Entries read from the store at a time.
const PAGE: u32 = 512;

/// What a bundle proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleReport {
    /// The checkpoint that everything leads to.
    pub checkpoint: Checkpoint,
    /// Older checkpoints that are proved to be its beginnings.
    pub older: Vec<Checkpoint>,
    /// The first entry of the range.
    pub first: EntryIndex,
    /// Entries in the range.
    pub entries: u64,
    /// The times of the first and the last entry.
    pub times: Option<(Timestamp, Timestamp)>,
}

/// Why a bundle proves nothing, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("verify a ledger bundle: line {line}{}: {what}", entry_suffix(*entry))]
pub struct BundleError {
    /// The line, counted from 1.
    pub line: u64,
    /// The entry in that line, if an entry was to stand there.
    pub entry: Option<u64>,
    /// What is wrong there.
    pub what: &'static str,
    kind: FaultKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FaultKind {
    Form,
    Signature,
    Tampered,
    Unread,
}

impl BundleError {
    /// The visible problem this error stands for.
    pub fn problem(&self) -> &'static Problem {
        match self.kind {
            FaultKind::Form | FaultKind::Unread => &problem::LEDGER_BAD_BUNDLE,
            FaultKind::Signature => &problem::LEDGER_BAD_SIGNATURE,
            FaultKind::Tampered => &problem::LEDGER_TAMPERED,
        }
    }
}

fn entry_suffix(entry: Option<u64>) -> String {
    entry.map_or_else(String::new, |entry| format!(" (entry {entry})"))
}

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
    let mut at = range.first;
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
    writer.line(&format!("range {} {end}", range.first))?;
    writer.line(&format!("checkpoint {}", json_string(&note)?))?;
    writer.line(&digest_line("peaks", &peaks))?;
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

/// Verifies a bundle with nothing but the public key: form, signatures, order, times, consistency
/// and that every entry leads to the signed root.
///
/// Memory does not grow with the number of entries.
///
/// # Errors
/// [`BundleError`] names the first line, and the entry in it, that is not as it must be.
pub fn verify_bundle(reader: impl BufRead, key: &VerifierKey) -> Result<BundleReport, BundleError> {
    let mut lines = Lines {
        reader,
        hash: Sha256::new(),
        number: 0,
        entry: None,
    };
    let header = lines.next()?;
    if header != HEADER {
        return Err(lines.form("it is not the first line of a bundle"));
    }
    let (first, end) = read_range(&mut lines)?;
    let line = lines.next()?;
    let (checkpoint, _) = read_note(&lines, &line, "checkpoint ", key)?;
    if end > checkpoint.size {
        return Err(lines.form("the checkpoint is of a smaller ledger than the range"));
    }
    let peaks = read_digests(&mut lines, "peaks")?;
    let frontier = Frontier::from_peaks(first, peaks)
        .ok_or_else(|| lines.form("the peaks do not fit the beginning of the range"))?;
    let path = read_digests(&mut lines, "onward")?;
    let onward = ConsistencyProof {
        old: end,
        new: checkpoint.size,
        path,
    };
    let onward_line = lines.number;
    let (older, line) = read_older(&mut lines, &checkpoint, key)?;
    let mut walk = Walk {
        frontier,
        node: None,
        times: None,
    };
    let mut line = line;
    for index in first..end {
        lines.entry = Some(index);
        walk.entry(&lines, &line, index)?;
        lines.entry = (index + 1 < end).then_some(index + 1);
        line = lines.next()?;
    }
    lines.entry = None;
    lines.check_end(&line)?;
    if !onward.verify(&walk.frontier.root(), &checkpoint.root) {
        lines.number = onward_line;
        return Err(lines.tampered("the entries do not lead to the signed root"));
    }
    Ok(BundleReport {
        checkpoint,
        older,
        first: EntryIndex::new(first),
        entries: end - first,
        times: walk.times,
    })
}

/// What is carried from entry to entry.
struct Walk {
    frontier: Frontier,
    node: Option<NodeId>,
    times: Option<(Timestamp, Timestamp)>,
}

impl Walk {
    fn entry<R>(&mut self, lines: &Lines<R>, line: &str, index: u64) -> Result<(), BundleError> {
        let (digest, text) = line
            .strip_prefix("entry ")
            .and_then(|rest| rest.split_once(' '))
            .ok_or_else(|| lines.form("it is not an entry"))?;
        if text.len() > LEAF_MAX_BYTES {
            return Err(lines.form("the leaf is too long"));
        }
        let found = leaf_digest(text.as_bytes());
        if Digest::from_base64(digest) != Some(found) {
            return Err(lines.tampered("the leaf differs from its digest"));
        }
        let leaf = Leaf::parse(text.as_bytes())
            .map_err(|_| lines.tampered("the leaf is not canonical"))?;
        if leaf.index.get() != index {
            return Err(lines.tampered("the leaf belongs to another place"));
        }
        if *self.node.get_or_insert(leaf.node) != leaf.node {
            return Err(lines.tampered("the leaf is of another node"));
        }
        let (earliest, latest) = self.times.unwrap_or((leaf.time, leaf.time));
        if leaf.time < latest {
            return Err(lines.tampered("the time lies before that of the entry in front"));
        }
        self.times = Some((earliest, leaf.time));
        self.frontier.push(found);
        Ok(())
    }
}

fn read_range<R: BufRead>(lines: &mut Lines<R>) -> Result<(u64, u64), BundleError> {
    let line = lines.next()?;
    line.strip_prefix("range ")
        .and_then(|range| range.split_once(' '))
        .and_then(|(first, end)| Some((parse_decimal(first)?, parse_decimal(end)?)))
        .filter(|(first, end)| first <= end)
        .ok_or_else(|| lines.form("it is not a range"))
}

fn read_digests<R: BufRead>(lines: &mut Lines<R>, word: &str) -> Result<Vec<Digest>, BundleError> {
    let line = lines.next()?;
    let mut parts = line.split(' ');
    if parts.next() != Some(word) {
        return Err(lines.form("another line was to stand here"));
    }
    let digests = parts
        .take(PATH_MAX + 2)
        .map(Digest::from_base64)
        .collect::<Option<Vec<_>>>();
    digests.ok_or_else(|| lines.form("it holds what is not a digest"))
}

/// Older checkpoints and their proofs, and the first line behind them.
fn read_older<R: BufRead>(
    lines: &mut Lines<R>,
    newest: &Checkpoint,
    key: &VerifierKey,
) -> Result<(Vec<Checkpoint>, String), BundleError> {
    let mut older = Vec::new();
    loop {
        let line = lines.next()?;
        if !line.starts_with("older ") {
            return Ok((older, line));
        }
        let (checkpoint, _) = read_note(lines, &line, "older ", key)?;
        let path = read_digests(lines, "consistency")?;
        let proof = ConsistencyProof {
            old: checkpoint.size,
            new: newest.size,
            path,
        };
        if !proof.verify(&checkpoint.root, &newest.root) {
            return Err(lines.tampered("the ledger does not go on from this checkpoint"));
        }
        older.push(checkpoint);
    }
}

fn read_note<R>(
    lines: &Lines<R>,
    line: &str,
    word: &str,
    key: &VerifierKey,
) -> Result<(Checkpoint, Note), BundleError> {
    let text: String = line
        .strip_prefix(word)
        .and_then(|json| serde_json::from_str(json).ok())
        .ok_or_else(|| lines.form("it is not a checkpoint"))?;
    let note = Note::parse(text.as_bytes())
        .map_err(|_| lines.form("the checkpoint is not a signed note"))?;
    let checkpoint = Checkpoint::open(text.as_bytes(), key).map_err(|_| BundleError {
        kind: FaultKind::Signature,
        ..lines.form("the checkpoint is not signed by this key")
    })?;
    Ok((checkpoint, note))
}

struct Lines<R> {
    reader: R,
    hash: Sha256,
    number: u64,
    entry: Option<u64>,
}

impl<R: BufRead> Lines<R> {
    /// The next line without its line feed; the digest runs over all lines but the last.
    fn next(&mut self) -> Result<String, BundleError> {
        self.number += 1;
        let mut line = Vec::new();
        let limit = u64::try_from(LINE_MAX).unwrap_or(u64::MAX);
        io::Read::take(&mut self.reader, limit)
            .read_until(b'\n', &mut line)
            .map_err(|_| self.fault(FaultKind::Unread, "it cannot be read"))?;
        if line.pop() != Some(b'\n') {
            return Err(self.form("the file ends here, or the line is too long"));
        }
        let line = String::from_utf8(line).map_err(|_| self.form("it is not text"))?;
        if !line.starts_with("end ") {
            self.hash.update(line.as_bytes());
            self.hash.update(b"\n");
        }
        Ok(line)
    }

    /// Whether this is the last line, with the digest of all others, and the file ends behind it.
    fn check_end(&mut self, line: &str) -> Result<(), BundleError> {
        let found = Digest::new(std::mem::take(&mut self.hash).finish());
        let Some(digest) = line.strip_prefix("end ") else {
            return Err(self.form("the last line was to stand here"));
        };
        if digest != found.to_string() {
            return Err(self.tampered("the digest over the file differs"));
        }
        let rest = self.reader.fill_buf();
        match rest.map(<[u8]>::is_empty) {
            Ok(true) => Ok(()),
            _ => Err(self.form("something stands behind the last line")),
        }
    }
}

impl<R> Lines<R> {
    fn form(&self, what: &'static str) -> BundleError {
        self.fault(FaultKind::Form, what)
    }

    fn tampered(&self, what: &'static str) -> BundleError {
        self.fault(FaultKind::Tampered, what)
    }

    fn fault(&self, kind: FaultKind, what: &'static str) -> BundleError {
        BundleError {
            line: self.number,
            entry: self.entry,
            what,
            kind,
        }
    }
}
