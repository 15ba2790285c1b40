//! The derived files: tiles, entry bundles, the signed checkpoint and the history of checkpoints.
//!
//! | File | Holds |
//! |---|---|
//! | `checkpoint` | the newest signed checkpoint |
//! | `history` | every checkpoint ever signed, one JSON string a line |
//! | `cosigned/<key id>` | the newest checkpoint that a witness cosigned, by [`crate::cosigned`] |
//! | `tile/<L>/<N>[.p/<W>]` | digests (C2SP tlog-tiles) |
//! | `tile/entries/<N>[.p/<W>]` | the leaves themselves |
//!
//! They can be rebuilt from the rows and are never written within a commit. A checkpoint must never
//! be signed unless the rows still lead to the root of the one before.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use labward_base::id::{EntryIndex, NodeId};
use labward_os::sync_file_system;
use labward_seal::sign::SigningKey;
use labward_store::Store;

use crate::checkpoint::Checkpoint;
use crate::error::LedgerError;
use crate::note::{Note, VerifierKey};
use crate::proof::range_peaks;
use crate::store::{self, StoredEntry};
use crate::tile::{TILE_HEIGHT, TILE_WIDTH, Tile, TileFolder, TileKind, perfect_root, push_entry};
use crate::tree::{Digest, Frontier, leaf_digest};

/// The name of the file with the newest signed checkpoint.
pub const CHECKPOINT_FILE: &str = "checkpoint";

/// The name of the file with every checkpoint.
pub const HISTORY_FILE: &str = "history";

/// Who may read a checkpoint: the server alone.
const FILE_MODE: u32 = 0o600;

/// Writes the derived files of one node's ledger; at most one may work on a folder at a time.
#[derive(Debug)]
pub struct Publisher {
    dir: PathBuf,
    node: NodeId,
    origin: String,
}

impl Publisher {
    /// A publisher of the ledger of `node` under `origin` into the folder `dir`.
    pub fn new(dir: impl Into<PathBuf>, node: NodeId, origin: impl Into<String>) -> Self {
        Self {
            dir: dir.into(),
            node,
            origin: origin.into(),
        }
    }

    /// The key with which others check what is published here.
    pub fn verifier(&self, key: &SigningKey) -> Result<VerifierKey, LedgerError> {
        Ok(VerifierKey::new(&self.origin, *key.public())?)
    }

    /// Writes what the ledger gained since the last call and signs its new checkpoint; with nothing
    /// new it returns the old one. Missing or damaged tiles are rebuilt from the rows.
    ///
    /// # Errors
    /// [`LedgerError::Tampered`] if the rows no longer lead to the root that was signed last: then
    /// nothing is signed.
    pub fn publish(&self, store: &Store, key: &SigningKey) -> Result<Checkpoint, LedgerError> {
        fs::create_dir_all(&self.dir).map_err(LedgerError::file("the ledger's folder"))?;
        let old = self.published(key)?;
        if old.is_some() {
            // A crash may have come between checkpoint and history.
            let note = fs::read_to_string(self.dir.join(CHECKPOINT_FILE));
            self.append_history(&note.map_err(LedgerError::file(CHECKPOINT_FILE))?)?;
        }
        let head = store.read(|snapshot| store::tree_head(snapshot, self.node))?;
        let (size, root) = head.map_or_else(
            || (0, Frontier::new().root()),
            |h| (h.frontier.size(), h.root),
        );
        if let Some(old) = &old {
            if old.size > size {
                return Err(LedgerError::tampered(format!(
                    "checkpoint: {} entries were signed, the rows hold {size}",
                    old.size
                )));
            }
            if (old.size, old.root) == (size, root) {
                return Ok(old.clone());
            }
        }
        let new = Checkpoint {
            origin: self.origin.clone(),
            size,
            root,
        };
        // Tiles that are gone or damaged are written again from the first row on.
        let written = match old.as_ref().filter(|old| old.size > 0) {
            Some(old) => {
                self.extend(store, Some(old), old.size, &new)
                    .or_else(|error| match error {
                        LedgerError::File { .. } => self.extend(store, Some(old), 0, &new),
                        other => Err(other),
                    })
            }
            None => self.extend(store, None, 0, &new),
        };
        written?;
        let note = new.sign(key)?.to_string();
        write_durably(&self.dir, CHECKPOINT_FILE, note.as_bytes())?;
        self.append_history(&note)?;
        Ok(new)
    }

    /// The checkpoint on disk, verified; `None` if there is none.
    pub fn published(&self, key: &SigningKey) -> Result<Option<Checkpoint>, LedgerError> {
        read_checkpoint(&self.dir, &self.verifier(key)?)
    }

    /// Writes the tiles of `new`, of which those up to `from` leaves are taken to be on disk.
    fn extend(
        &self,
        store: &Store,
        old: Option<&Checkpoint>,
        from: u64,
        new: &Checkpoint,
    ) -> Result<(), LedgerError> {
        let first_tile = from / TILE_WIDTH;
        let mut known = TileFolder::new(&self.dir, from);
        let peaks = range_peaks(0, first_tile * TILE_WIDTH, &mut known)?;
        let mut frontier = Frontier::from_peaks(first_tile * TILE_WIDTH, peaks)
            .ok_or_else(|| LedgerError::tampered("tiles: they do not fit the checkpoint"))?;
        let mut index = first_tile;
        while let Some(tile) = Tile::at(TileKind::Digests(0), index, new.size) {
            self.write_tile(store, tile, old, &mut frontier)?;
            index += 1;
        }
        check_old_root(&frontier, old)?;
        if frontier.root() != new.root {
            return Err(LedgerError::tampered(
                "tree head: the entries lead to another root",
            ));
        }
        self.write_upper_levels(from, new.size)?;
        // Once for all of them, and before a checkpoint refers to them: a sync for each would keep
        // the disk from the commits.
        sync_file_system(&self.dir)
            .map_err(|error| LedgerError::file("the ledger's folder")(io::Error::other(error)))?;
        self.remove_partial(from, new.size)
    }

    /// Writes one tile of leaf digests and its entries, and adds them to the frontier.
    fn write_tile(
        &self,
        store: &Store,
        tile: Tile,
        old: Option<&Checkpoint>,
        frontier: &mut Frontier,
    ) -> Result<(), LedgerError> {
        let (mut digests, mut bundle) = (Vec::new(), Vec::new());
        for row in read_rows(store, tile.index * TILE_WIDTH, tile.width)? {
            check_old_root(frontier, old)?;
            let digest = leaf_digest(&row.leaf);
            frontier.push(digest);
            digests.extend_from_slice(digest.as_bytes());
            if !push_entry(&mut bundle, &row.leaf) {
                let place = format!("entry {}: its leaf is too long", row.index);
                return Err(LedgerError::tampered(place));
            }
        }
        self.write_file(&tile.path(), &digests)?;
        let entries = Tile {
            kind: TileKind::Entries,
            ..tile
        };
        self.write_file(&entries.path(), &bundle)
    }

    /// Writes the tiles above level 0, each digest over a full tile below it.
    fn write_upper_levels(&self, from: u64, size: u64) -> Result<(), LedgerError> {
        let mut level = 1;
        while size >> (TILE_HEIGHT * level) > 0 {
            let kind = TileKind::Digests(level);
            let known = from.checked_shr(TILE_HEIGHT * level).unwrap_or(0);
            let mut index = known / TILE_WIDTH;
            while let Some(tile) = Tile::at(kind, index, size) {
                let mut bytes = match Tile::at(kind, index, from) {
                    Some(before) => before
                        .read(&self.dir)
                        .map_err(LedgerError::file(before.path()))?,
                    None => Vec::new(),
                };
                let have = u64::try_from(bytes.len() / Digest::LEN).unwrap_or(u64::MAX);
                for place in have..tile.width {
                    let below = Tile {
                        kind: TileKind::Digests(level - 1),
                        index: index * TILE_WIDTH + place,
                        width: TILE_WIDTH,
                    };
                    bytes.extend_from_slice(self.read_root(below)?.as_bytes());
                }
                self.write_file(&tile.path(), &bytes)?;
                index += 1;
            }
            level += 1;
        }
        Ok(())
    }

    /// The root over a full tile.
    fn read_root(&self, tile: Tile) -> Result<Digest, LedgerError> {
        let bytes = tile
            .read(&self.dir)
            .map_err(LedgerError::file(tile.path()))?;
        let digests: Option<Vec<_>> = bytes.chunks(Digest::LEN).map(Digest::from_slice).collect();
        let full = |digests: &Vec<Digest>| u64::try_from(digests.len()) == Ok(TILE_WIDTH);
        let digests = digests
            .filter(full)
            .ok_or_else(|| LedgerError::file(tile.path())(io::ErrorKind::InvalidData.into()))?;
        Ok(perfect_root(&digests))
    }

    /// Removes the partial tiles that full ones have replaced.
    fn remove_partial(&self, from: u64, size: u64) -> Result<(), LedgerError> {
        let levels = (0..).take_while(|level| from.checked_shr(TILE_HEIGHT * level) > Some(0));
        let kinds = levels.map(TileKind::Digests).chain([TileKind::Entries]);
        for kind in kinds {
            let level = if let TileKind::Digests(level) = kind {
                level
            } else {
                0
            };
            let index = (from >> (TILE_HEIGHT * level)) / TILE_WIDTH;
            let replaced = Tile::at(kind, index, size).filter(Tile::is_full);
            if let Some(full) = replaced {
                let partial = format!("{}.p", full.path());
                match fs::remove_dir_all(self.dir.join(&partial)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(LedgerError::file(partial)(error));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Writes one tile beside its place and moves it there; it is not yet synced.
    fn write_file(&self, path: &str, bytes: &[u8]) -> Result<(), LedgerError> {
        let target = self.dir.join(path);
        let write = || {
            let folder = target.parent().ok_or(io::ErrorKind::InvalidInput)?;
            fs::create_dir_all(folder)?;
            let beside = target.with_added_extension("new");
            fs::write(&beside, bytes)?;
            fs::rename(&beside, &target)
        };
        write().map_err(LedgerError::file(path))
    }

    /// Appends one checkpoint to the history unless it is the last one there; a line that a crash
    /// has cut is removed first.
    fn append_history(&self, note: &str) -> Result<(), LedgerError> {
        let fail = || LedgerError::file(HISTORY_FILE);
        let path = self.dir.join(HISTORY_FILE);
        let line = serde_json::to_string(note).map_err(|error| fail()(error.into()))?;
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .open(&path)
            .map_err(fail())?;
        if last_line(&mut file).map_err(fail())? == line.as_bytes() {
            return Ok(());
        }
        file.write_all(format!("{line}\n").as_bytes())
            .map_err(fail())?;
        file.sync_all().map_err(fail())
    }
}

/// Whether the tiles below `dir` lead to the root of `checkpoint`; reads the few of its right edge.
///
/// Only [`verify`](crate::verify()) looks at all of them.
pub fn tiles_lead_to(dir: &Path, checkpoint: &Checkpoint) -> bool {
    let mut tiles = TileFolder::new(dir, checkpoint.size);
    let peaks = range_peaks(0, checkpoint.size, &mut tiles).ok();
    let frontier = peaks.and_then(|peaks| Frontier::from_peaks(checkpoint.size, peaks));
    frontier.is_some_and(|frontier| frontier.root() == checkpoint.root)
}

/// The checkpoint below `dir`, verified; `None` if there is none.
pub fn read_checkpoint(dir: &Path, key: &VerifierKey) -> Result<Option<Checkpoint>, LedgerError> {
    let bytes = read_checkpoint_file(dir)?;
    bytes.map(|bytes| open_checkpoint(&bytes, key)).transpose()
}

/// The bytes of the checkpoint below `dir`; `None` if there is none.
pub(crate) fn read_checkpoint_file(dir: &Path) -> Result<Option<Vec<u8>>, LedgerError> {
    match fs::read(dir.join(CHECKPOINT_FILE)) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(LedgerError::file(CHECKPOINT_FILE)(error)),
    }
}

/// The checkpoint in a note, if this key signed it under this origin.
pub(crate) fn open_checkpoint(bytes: &[u8], key: &VerifierKey) -> Result<Checkpoint, LedgerError> {
    let note = Note::parse(bytes)?;
    if let Some(found) = note
        .unverified_text()
        .lines()
        .next()
        .filter(|line| *line != key.name())
    {
        return Err(LedgerError::OtherOrigin {
            found: found.to_owned(),
        });
    }
    Ok(Checkpoint::open(bytes, key)?)
}

/// The newest checkpoint below `dir` as a note; nothing about it is verified.
pub fn read_note(dir: &Path) -> Result<Note, LedgerError> {
    let path = dir.join(CHECKPOINT_FILE);
    let bytes = fs::read(path).map_err(LedgerError::file(CHECKPOINT_FILE))?;
    Ok(Note::parse(&bytes)?)
}

fn check_old_root(frontier: &Frontier, old: Option<&Checkpoint>) -> Result<(), LedgerError> {
    match old {
        Some(old) if old.size == frontier.size() && old.root != frontier.root() => {
            Err(LedgerError::tampered(format!(
                "entries before {}: they lead to another root than the one signed for them",
                old.size
            )))
        }
        _ => Ok(()),
    }
}

fn read_rows(store: &Store, from: u64, count: u64) -> Result<Vec<StoredEntry>, LedgerError> {
    let limit = u32::try_from(count).unwrap_or(u32::MAX);
    let rows = store.read(|snapshot| store::entries(snapshot, EntryIndex::new(from), limit))?;
    let in_order = (from..from + count).eq(rows.iter().map(|row| row.index.get()));
    if !in_order {
        let missing = (from..)
            .zip(rows.iter().map(|row| row.index.get()).chain([u64::MAX]))
            .find(|(expected, found)| expected != found)
            .map_or(from, |(expected, _)| expected);
        return Err(LedgerError::tampered(format!(
            "entry {missing}: it is missing"
        )));
    }
    Ok(rows)
}

/// Writes `path` below `dir` so that it survives a power cut, whole or not at all.
pub(crate) fn write_durably(dir: &Path, path: &str, bytes: &[u8]) -> Result<(), LedgerError> {
    let target = dir.join(path);
    let folder = target.parent().unwrap_or(dir);
    let fail = |error| LedgerError::file(path)(io::Error::other(error));
    if !folder.is_dir() {
        fs::create_dir_all(folder).map_err(LedgerError::file(path))?;
        labward_os::sync_folder(dir).map_err(fail)?;
    }
    labward_os::write_durably(&target, bytes, FILE_MODE).map_err(fail)
}

/// The bytes of a file that may have `limit` of them; `None` if it is not there.
pub(crate) fn read_bounded(path: &Path, limit: usize) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut bytes = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    file.take(most).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// The last whole line without its line feed; what stands behind it is cut off.
fn last_line(file: &mut File) -> io::Result<Vec<u8>> {
    let length = file.metadata()?.len();
    // A line is far shorter than this, so its beginning is in the last part of the file.
    let start = length.saturating_sub(1024 * 1024);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let whole = tail
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    if whole < tail.len() {
        file.set_len(start + u64::try_from(whole).map_err(io::Error::other)?)?;
        tail.truncate(whole);
    }
    tail.pop();
    let before = tail
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    Ok(tail.split_off(before))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NODE, TestLedger};
    use crate::tile::split_entries;
    use proptest::prelude::*;
    use tlog_tiles::{HashReader, TileHashReader, TileReader};

    fn files_below(dir: &Path) -> Vec<(String, Vec<u8>)> {
        let mut found = Vec::new();
        let mut folders = vec![dir.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
                    found.push((name, fs::read(&path).unwrap()));
                }
            }
        }
        found.sort();
        found
    }

    fn tiles_of(ledger: &TestLedger) -> Vec<(String, Vec<u8>)> {
        let mut files = files_below(&ledger.dir());
        files.retain(|(name, _)| name.starts_with("tile/") && !name.contains(".p/"));
        files
    }

    #[test]
    fn publishing_in_steps_gives_the_tiles_that_publishing_at_once_gives() {
        let ledger = TestLedger::new();
        for (from, to) in [
            (0, 1),
            (1, 255),
            (255, 256),
            (256, 257),
            (257, 600),
            (600, 768),
        ] {
            ledger.fill(from, to);
            assert_eq!(ledger.publish().size, to);
            let report = ledger.verify();
            assert!(report.is_sound(), "{to}: {report:?}");
        }
        let in_steps = tiles_of(&ledger);
        assert_eq!(in_steps.len(), 6);
        fs::remove_dir_all(ledger.dir()).unwrap();
        ledger.publish();
        assert_eq!(tiles_of(&ledger), in_steps);
    }

    #[test]
    fn publishing_without_news_signs_nothing() {
        let ledger = TestLedger::new();
        ledger.fill(0, 5);
        let first = ledger.publish();
        let files = files_below(&ledger.dir());
        assert_eq!(ledger.publish(), first);
        assert_eq!(files_below(&ledger.dir()), files);
    }

    #[test]
    fn lost_and_damaged_tiles_are_written_again() {
        let ledger = TestLedger::new();
        ledger.fill(0, 300);
        ledger.publish();
        fs::remove_file(ledger.dir().join("tile/0/000")).unwrap();
        ledger.fill(300, 301);
        ledger.publish();
        fs::write(ledger.dir().join("tile/1/000.p/1"), b"cut").unwrap();
        ledger.fill(301, 600);
        ledger.publish();
        // What an earlier checkpoint alone needs is not written again; everything else is sound.
        let report = ledger.verify();
        let faults = report.faults.iter();
        let places: Vec<_> = faults.map(|fault| fault.place.to_string()).collect();
        assert_eq!(places, ["tile/1/000.p/1"]);
    }

    #[test]
    fn a_line_of_the_history_that_a_crash_has_cut_is_removed() {
        let ledger = TestLedger::new();
        ledger.fill(0, 2);
        ledger.publish();
        let path = ledger.dir().join(HISTORY_FILE);
        let mut torn = OpenOptions::new().append(true).open(path).unwrap();
        torn.write_all(b"\"labward.local/te").unwrap();
        ledger.fill(2, 3);
        ledger.publish();
        let report = ledger.verify();
        assert!(report.is_sound(), "{report:?}");
        assert_eq!(report.checkpoints, 3); // two in the history and the newest one
    }

    #[test]
    fn a_checkpoint_that_a_crash_kept_from_the_history_is_added_once() {
        let ledger = TestLedger::new();
        ledger.fill(0, 2);
        ledger.publish();
        let history = ledger.dir().join(HISTORY_FILE);
        let before = fs::read(&history).unwrap();
        ledger.fill(2, 3);
        ledger.publish();
        fs::write(&history, before).unwrap();
        ledger.publish();
        ledger.publish();
        assert!(ledger.verify().is_sound());
        assert_eq!(fs::read_to_string(history).unwrap().lines().count(), 2);
    }

    #[test]
    fn no_second_history_is_signed() {
        let ledger = TestLedger::new();
        ledger.fill(0, 10);
        ledger.publish();
        let before = files_below(&ledger.dir());
        ledger.tamper("UPDATE entry SET leaf = x'7b7d' WHERE idx = 3", vec![]);
        ledger.fill(10, 12);
        let refused = ledger.publisher().publish(ledger.store(), &ledger.key);
        assert!(
            matches!(refused, Err(LedgerError::Tampered { place }) if place.contains("before 10"))
        );
        let checkpoint = |files: &[(String, Vec<u8>)]| {
            files
                .iter()
                .find(|(name, _)| name == CHECKPOINT_FILE)
                .unwrap()
                .1
                .clone()
        };
        assert_eq!(checkpoint(&files_below(&ledger.dir())), checkpoint(&before));
    }

    #[test]
    fn a_folder_of_another_origin_is_left_alone() {
        let ledger = TestLedger::new();
        ledger.fill(0, 1);
        ledger.publish();
        let other = Publisher::new(ledger.dir(), NODE, "labward.local/test/2");
        let refused = other.publish(ledger.store(), &ledger.key);
        assert!(
            matches!(refused, Err(LedgerError::OtherOrigin { found }) if found == "labward.local/test")
        );
    }

    struct TilesOnDisk<'a>(&'a Path);

    impl TileReader for TilesOnDisk<'_> {
        fn height(&self) -> u8 {
            8
        }

        fn read_tiles(
            &self,
            tiles: &[tlog_tiles::Tile],
        ) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
            let path = |tile: &tlog_tiles::Tile| tile.path().replacen("tile/8/", "tile/", 1);
            Ok(tiles
                .iter()
                .map(|tile| fs::read(self.0.join(path(tile))).unwrap())
                .collect())
        }

        fn save_tiles(&self, _tiles: &[tlog_tiles::Tile], _data: &[Vec<u8>]) {}
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]

        /// Oracle: the crate `tlog_tiles` reads our tiles, finds our root in them, and its proofs
        /// from them are ours.
        #[test]
        fn another_implementation_finds_root_and_proofs_in_our_tiles(
            size in 2u64..900, pick: u64, earlier: u64
        ) {
            let ledger = TestLedger::new();
            ledger.fill(0, size);
            let checkpoint = ledger.publish();
            let (dir, index, old) = (ledger.dir(), pick % size, earlier % size + 1);
            let tiles = TilesOnDisk(&dir);
            let root = tlog_tiles::Hash(*checkpoint.root.as_bytes());
            let reader = TileHashReader::new(size, root, &tiles);
            prop_assert_eq!(tlog_tiles::tree_hash(size, &reader).unwrap().0, root.0);
            let theirs = tlog_tiles::prove_record(size, index, &reader).unwrap();
            let mut ours = TileFolder::new(&dir, size);
            let proof = crate::InclusionProof::compute(index, size, &mut ours).unwrap().unwrap();
            let bytes = |digest: &Digest| *digest.as_bytes();
            prop_assert_eq!(
                theirs.iter().map(|hash| hash.0).collect::<Vec<_>>(),
                proof.path.iter().map(bytes).collect::<Vec<_>>()
            );
            let theirs = tlog_tiles::prove_tree(size, old, &reader).unwrap();
            let proof = crate::ConsistencyProof::compute(old, size, &mut ours).unwrap().unwrap();
            prop_assert_eq!(
                theirs.iter().map(|hash| hash.0).collect::<Vec<_>>(),
                proof.path.iter().map(bytes).collect::<Vec<_>>()
            );
            let stored = tlog_tiles::stored_hash_index(0, index);
            let leaf = reader.read_hashes(&[stored]).unwrap();
            let tile = Tile::at(TileKind::Entries, index / TILE_WIDTH, size).unwrap();
            let bundle = tile.read(&dir).unwrap();
            let entries = split_entries(&bundle).unwrap();
            let entry = entries[(index % TILE_WIDTH) as usize];
            prop_assert_eq!(leaf[0].0, tlog_tiles::record_hash(entry).0);
        }
    }
}
