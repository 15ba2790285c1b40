//! The derived files as a verification reads them: checkpoint, history and tiles, alongside the rows.
//!
//! It must never hold more of them in memory than one line and one tile per level.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::Path;

use crate::checkpoint::Checkpoint;
use crate::error::LedgerError;
use crate::note::{NOTE_MAX_BYTES, VerifierKey};
use crate::publish::{CHECKPOINT_FILE, HISTORY_FILE, read_checkpoint};
use crate::tile::{TILE_HEIGHT, TILE_WIDTH, Tile, TileKind, perfect_root, push_entry};
use crate::tree::{Digest, Frontier};
use crate::verify::{Known, VerifyReport};
use labward_base::{Remark, remark};

/// The derived files, read alongside the rows.
pub(crate) struct Files<'a> {
    dir: &'a Path,
    key: &'a VerifierKey,
    published: Option<Checkpoint>,
    history: History,
    /// What others hold, the smallest last.
    known: Vec<Known>,
    /// Digests of the tile that is being filled, per level.
    levels: Vec<Vec<Digest>>,
    bundle: Vec<u8>,
}

/// The history of checkpoints, one line ahead.
struct History {
    lines: Option<BufReader<io::Take<File>>>,
    number: u64,
    next: Option<Checkpoint>,
    last_text: String,
}

impl<'a> Files<'a> {
    pub(crate) fn open(
        dir: &'a Path,
        key: &'a VerifierKey,
        mut known: Vec<Known>,
        report: &mut VerifyReport,
    ) -> Result<Self, LedgerError> {
        known.sort_by_key(|one| std::cmp::Reverse(one.checkpoint.size));
        let published = read_checkpoint(dir, key).unwrap_or_else(|_| {
            report.fault(
                remark::name(CHECKPOINT_FILE),
                remark::not_signed_checkpoint(),
            );
            None
        });
        let lines = match File::open(dir.join(HISTORY_FILE)) {
            Ok(file) => {
                let length = file
                    .metadata()
                    .map_err(LedgerError::file(HISTORY_FILE))?
                    .len();
                Some(BufReader::new(file.take(length)))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(LedgerError::file(HISTORY_FILE)(error)),
        };
        let history = History {
            lines,
            number: 0,
            next: None,
            last_text: String::new(),
        };
        let mut files = Self {
            dir,
            key,
            published,
            history,
            known,
            levels: Vec::new(),
            bundle: Vec::new(),
        };
        files.advance(None, report);
        Ok(files)
    }

    fn published_size(&self) -> u64 {
        self.published
            .as_ref()
            .map_or(0, |checkpoint| checkpoint.size)
    }

    /// Takes up the next line of the history that is a checkpoint larger than `size`.
    fn advance(&mut self, size: Option<u64>, report: &mut VerifyReport) {
        self.history.next = None;
        while let Some(line) = self.history.read_line() {
            let place = remark::line(HISTORY_FILE, self.history.number);
            let text = line
                .strip_suffix(b"\n")
                .and_then(|json| Some((json, serde_json::from_slice::<String>(json).ok()?)))
                // One way to write a line: a changed escape is a change.
                .filter(|(json, text)| {
                    serde_json::to_vec(text).is_ok_and(|canonical| canonical == *json)
                })
                .map(|(_, text)| text);
            let checkpoint = text.and_then(|text| {
                let checkpoint = Checkpoint::open(text.as_bytes(), self.key).ok();
                self.history.last_text = text;
                checkpoint
            });
            match checkpoint {
                None => report.fault(place, remark::not_signed_checkpoint()),
                Some(next) if size.is_some_and(|size| next.size <= size) => {
                    report.fault(place, remark::checkpoint_not_larger());
                }
                Some(next) => {
                    self.history.next = Some(next);
                    return;
                }
            }
        }
    }

    pub(crate) fn checkpoints(
        &mut self,
        frontier: &Frontier,
        whole: bool,
        report: &mut VerifyReport,
    ) {
        let size = frontier.size();
        if !whole {
            return;
        }
        if let Some(next) = self.history.next.take_if(|next| next.size == size) {
            report.checkpoints += 1;
            if next.root != frontier.root() {
                let place = remark::line(HISTORY_FILE, self.history.number);
                report.fault(place, remark::root_not_reached());
            }
            self.advance(Some(size), report);
        }
        while let Some(known) = self.known.pop_if(|known| known.checkpoint.size == size) {
            report.cosigned += 1;
            if known.checkpoint.root != frontier.root() {
                let what = remark::cosigned_other_tree();
                self.contradicts(&known, what, report);
            }
        }
        if let Some(published) = &self.published
            && published.size == size
        {
            report.checkpoints += 1;
            if published.root != frontier.root() {
                let what = remark::root_not_reached();
                report.fault(remark::name(CHECKPOINT_FILE), what);
            }
        }
    }

    /// Adds a leaf and compares each tile that is filled by it, or that ends with it.
    pub(crate) fn leaf(
        &mut self,
        index: u64,
        digest: Digest,
        leaf: &[u8],
        report: &mut VerifyReport,
    ) {
        if index >= self.published_size() {
            return;
        }
        // A leaf too long for a bundle is not canonical and was named before.
        push_entry(&mut self.bundle, leaf);
        self.push(0, digest);
        let ends = index + 1 == self.published_size();
        if ends || (index + 1).is_multiple_of(TILE_WIDTH) {
            self.compare_entries(index / TILE_WIDTH, report);
        } else {
            let width = index % TILE_WIDTH + 1;
            let number = index / TILE_WIDTH;
            let same = |bytes: &[u8]| bytes == self.bundle;
            self.compare_replaced(TileKind::Entries, number, width, same, report);
        }
        let mut level = 0;
        while let Some(digests) = self.levels.get(level) {
            let full = digests.len() == usize::try_from(TILE_WIDTH).unwrap_or(usize::MAX);
            if full {
                let root = perfect_root(digests);
                self.compare_digests(level, index, report);
                if let Some(digests) = self.levels.get_mut(level) {
                    digests.clear();
                }
                self.push(level + 1, root);
            } else if ends {
                self.compare_digests(level, index, report);
            } else {
                self.compare_replaced_digests(level, index, report);
                break;
            }
            level += 1;
        }
    }

    fn push(&mut self, level: usize, digest: Digest) {
        if self.levels.len() == level {
            self.levels.push(Vec::new());
        }
        if let Some(digests) = self.levels.get_mut(level) {
            digests.push(digest);
        }
    }

    fn compare_entries(&mut self, index: u64, report: &mut VerifyReport) {
        let bundle = std::mem::take(&mut self.bundle);
        if let Some(tile) = Tile::at(TileKind::Entries, index, self.published_size()) {
            match tile.read(self.dir) {
                Ok(bytes) if bytes == bundle => {}
                Ok(_) => report.fault(remark::name(tile.path()), remark::tile_differs()),
                Err(_) => report.fault(remark::name(tile.path()), remark::tile_unreadable()),
            }
        }
    }

    fn compare_digests(&self, level: usize, index: u64, report: &mut VerifyReport) {
        let digests = self.levels.get(level).map_or(&[][..], Vec::as_slice);
        let Ok(level) = u32::try_from(level) else {
            return;
        };
        let number = (index >> (TILE_HEIGHT * level)) / TILE_WIDTH;
        // A level that the end of the tree has just emptied has no partial tile.
        let Some(tile) = Tile::at(TileKind::Digests(level), number, self.published_size())
            .filter(|tile| u64::try_from(digests.len()) == Ok(tile.width))
        else {
            return;
        };
        let Ok(bytes) = tile.read(self.dir) else {
            report.fault(remark::name(tile.path()), remark::tile_unreadable());
            return;
        };
        let chunks = bytes.chunks(Digest::LEN).map(Digest::from_slice);
        if chunks.clone().eq(digests.iter().copied().map(Some)) {
            return;
        }
        report.fault(remark::name(tile.path()), remark::tile_differs());
        if level == 0 {
            for ((place, ours), theirs) in (number * TILE_WIDTH..).zip(digests).zip(chunks) {
                if theirs != Some(*ours) {
                    let place = remark::entry(place);
                    report.fault(place, remark::leaf_differs());
                }
            }
        }
    }

    /// Names a checkpoint of somebody else that does not fit, and keeps both as evidence.
    fn contradicts(&self, known: &Known, what: Remark, report: &mut VerifyReport) {
        let place = remark::held_by(&known.place, known.checkpoint.size);
        let ours = std::fs::read_to_string(self.dir.join(CHECKPOINT_FILE)).unwrap_or_default();
        report.evidence.push(format!(
            "{what}\n\n{place}:\n\n{}\nthe newest of this ledger:\n\n{ours}",
            known.note
        ));
        report.fault(place, what);
    }

    fn compare_replaced_digests(&self, level: usize, index: u64, report: &mut VerifyReport) {
        let digests = self.levels.get(level).map_or(&[][..], Vec::as_slice);
        let (Ok(level), Ok(width)) = (u32::try_from(level), u64::try_from(digests.len())) else {
            return;
        };
        let number = (index >> (TILE_HEIGHT * level)) / TILE_WIDTH;
        let same = |bytes: &[u8]| {
            let chunks = bytes.chunks(Digest::LEN).map(Digest::from_slice);
            chunks.eq(digests.iter().copied().map(Some))
        };
        self.compare_replaced(TileKind::Digests(level), number, width, same, report);
    }

    /// Compares a partial tile of an earlier checkpoint, if it is still there: whoever holds that
    /// checkpoint reads it.
    fn compare_replaced(
        &self,
        kind: TileKind,
        number: u64,
        width: u64,
        same: impl FnOnce(&[u8]) -> bool,
        report: &mut VerifyReport,
    ) {
        // Full tiles remove the partial ones before them, so only the last of a level has some.
        let last = Tile::at(kind, number, self.published_size());
        let Some(tile) = last.filter(|tile| width > 0 && width < tile.width) else {
            return;
        };
        if tile.is_full() {
            return;
        }
        let tile = Tile { width, ..tile };
        match std::fs::read(self.dir.join(tile.path())) {
            Ok(bytes) if same(&bytes) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Ok(_) => report.fault(remark::name(tile.path()), remark::tile_differs()),
            Err(_) => report.fault(remark::name(tile.path()), remark::unreadable()),
        }
    }

    /// Checks what can only be known at the end of the walk.
    pub(crate) fn finish(mut self, size: u64, report: &mut VerifyReport) {
        while let Some(next) = self.history.next.take() {
            let place = remark::line(HISTORY_FILE, self.history.number);
            report.fault(place, remark::root_not_compared());
            self.advance(Some(next.size), report);
        }
        while let Some(known) = self.known.pop() {
            if known.checkpoint.size > size {
                let what = remark::cosigned_more();
                self.contradicts(&known, what, report);
            } else {
                let place = remark::held_by(&known.place, known.checkpoint.size);
                report.fault(place, remark::root_not_compared());
            }
        }
        if self.published_size() > size {
            report.fault(remark::name(CHECKPOINT_FILE), remark::signed_for_more());
        }
        let newest = std::fs::read_to_string(self.dir.join(CHECKPOINT_FILE)).unwrap_or_default();
        if newest != self.history.last_text {
            report.fault(remark::name(HISTORY_FILE), remark::history_not_newest());
        }
    }
}

impl History {
    fn read_line(&mut self) -> Option<Vec<u8>> {
        let mut line = Vec::new();
        let limit = u64::try_from(2 * NOTE_MAX_BYTES).unwrap_or(u64::MAX);
        let lines = self.lines.as_mut()?;
        let read = lines.by_ref().take(limit).read_until(b'\n', &mut line);
        self.number += 1;
        (read.is_ok_and(|read| read > 0)).then_some(line)
    }
}
