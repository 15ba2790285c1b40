//! Where tiles and entry bundles stand and what they hold (C2SP tlog-tiles).
//!
//! A tile is derived from rows and can be rebuilt; nothing here may be taken as true before the
//! digests in it lead to a signed root.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::proof::Subtrees;
use crate::tree::{Digest, fold_peaks, node_digest};

/// Digests in a full tile, and entries in a full bundle.
pub const TILE_WIDTH: u64 = 256;

/// Tree levels that one tile spans.
pub const TILE_HEIGHT: u32 = 8;

/// Tiles that a [`TileFolder`] keeps at the same time, of 16 KiB each with all levels over it.
const TILES_KEPT: usize = 64;

/// The largest file that a tile or an entry bundle may be: 256 entries of 65,535 bytes.
const FILE_MAX: u64 = TILE_WIDTH * (2 + 65_535);

/// What kind of tile stands under a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TileKind {
    /// Digests at this level of tiles; level 0 holds leaf digests.
    Digests(u32),
    /// The entries themselves, each after its length in two bytes, big-endian.
    Entries,
}

/// One tile of a tree: kind, place and width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Digests or entries.
    pub kind: TileKind,
    /// The place of the tile in its level, counted from 0.
    pub index: u64,
    /// Digests or entries in it, 1 to 256.
    pub width: u64,
}

impl Tile {
    /// The tile of this kind and place in a tree of `size` leaves, or `None` if it is empty there.
    pub fn at(kind: TileKind, index: u64, size: u64) -> Option<Self> {
        let level = match kind {
            TileKind::Digests(level) => level,
            TileKind::Entries => 0,
        };
        let digests = size.checked_shr(TILE_HEIGHT * level).unwrap_or(0);
        let width = digests
            .checked_sub(index.checked_mul(TILE_WIDTH)?)?
            .min(TILE_WIDTH);
        (width > 0).then_some(Self { kind, index, width })
    }

    /// The path below the ledger's folder, such as `tile/0/x001/x234/067.p/112`.
    pub fn path(&self) -> String {
        let level = match self.kind {
            TileKind::Digests(level) => level.to_string(),
            TileKind::Entries => "entries".to_owned(),
        };
        let mut groups = vec![format!("{:03}", self.index % 1000)];
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.push(format!("x{:03}", rest % 1000));
            rest /= 1000;
        }
        groups.reverse();
        let suffix = if self.is_full() {
            String::new()
        } else {
            format!(".p/{}", self.width)
        };
        format!("tile/{level}/{}{suffix}", groups.join("/"))
    }

    /// Whether it is 256 wide and will never change.
    pub const fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }

    /// Reads the tile below `dir`; a partial one also from the full one that replaced it.
    pub fn read(&self, dir: &Path) -> io::Result<Vec<u8>> {
        match read_bounded(&dir.join(self.path())) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.is_full() => {
                let full = Self {
                    width: TILE_WIDTH,
                    ..*self
                };
                let bytes = read_bounded(&dir.join(full.path()))?;
                self.begin_of(bytes)
            }
            read => read,
        }
    }

    /// The part of a full tile's bytes that this partial tile has.
    fn begin_of(&self, mut bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        let width = usize::try_from(self.width).map_err(io::Error::other)?;
        let length = match self.kind {
            TileKind::Digests(_) => width * Digest::LEN,
            TileKind::Entries => split_entries(&bytes)
                .and_then(|entries| entries.get(..width).map(entries_len))
                .unwrap_or(usize::MAX),
        };
        if length > bytes.len() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        bytes.truncate(length);
        Ok(bytes)
    }
}

fn entries_len(entries: &[&[u8]]) -> usize {
    entries.iter().map(|entry| 2 + entry.len()).sum()
}

fn read_bounded(path: &PathBuf) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(FILE_MAX + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Adds one entry to an entry bundle; `false` if it is longer than 65,535 bytes.
pub fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> bool {
    let Ok(length) = u16::try_from(entry.len()) else {
        return false;
    };
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    true
}

/// The entries of a bundle, or `None` if its lengths do not fit.
pub fn split_entries(mut bundle: &[u8]) -> Option<Vec<&[u8]>> {
    let mut entries = Vec::new();
    while !bundle.is_empty() {
        let (length, rest) = bundle.split_first_chunk::<2>()?;
        let (entry, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        entries.push(entry);
        bundle = rest;
    }
    Some(entries)
}

/// The tiles of one published tree on disk, as the source of digests for proofs; a tile is read once, and
/// again only where very many are asked for.
#[derive(Debug)]
pub struct TileFolder {
    dir: PathBuf,
    size: u64,
    tiles: BTreeMap<(u32, u64), TileTree>,
}

/// A tile with the levels over it, as far as they were asked for; the lowest first.
#[derive(Debug)]
struct TileTree(Vec<Vec<Digest>>);

/// A tile that is missing or not what its place demands.
#[derive(Debug, thiserror::Error)]
#[error("read {path} of the ledger's tiles")]
pub struct TileError {
    /// The path below the ledger's folder.
    pub path: String,
    /// Why the file could not be read.
    #[source]
    pub source: io::Error,
}

impl TileFolder {
    /// The tiles below `dir` for a tree of `size` leaves.
    pub fn new(dir: &Path, size: u64) -> Self {
        Self {
            dir: dir.to_owned(),
            size,
            tiles: BTreeMap::new(),
        }
    }

    /// The folder.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Goes on with a tree of `size` leaves; a full tile is the same in every tree that has it.
    pub(crate) fn resize(&mut self, size: u64) {
        if size != self.size {
            self.tiles.retain(|_, tile| tile.is_full());
            self.size = size;
        }
    }

    /// Forgets what was read.
    pub(crate) fn forget(&mut self) {
        self.tiles.clear();
    }

    fn tile(&mut self, level: u32, index: u64) -> io::Result<&mut TileTree> {
        // What is asked for one proof is a few; what goes through a whole tree must not fill memory.
        if self.tiles.len() >= TILES_KEPT && !self.tiles.contains_key(&(level, index)) {
            self.tiles.clear();
        }
        match self.tiles.entry((level, index)) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(place) => {
                let tile = Tile::at(TileKind::Digests(level), index, self.size)
                    .ok_or(io::ErrorKind::NotFound)?;
                let bytes = tile.read(&self.dir)?;
                let digests: Option<Vec<_>> =
                    bytes.chunks(Digest::LEN).map(Digest::from_slice).collect();
                let digests = digests
                    .filter(|digests| u64::try_from(digests.len()) == Ok(tile.width))
                    .ok_or(io::ErrorKind::InvalidData)?;
                Ok(place.insert(TileTree(vec![digests])))
            }
        }
    }
}

impl TileTree {
    /// Whether the tile is 256 wide.
    fn is_full(&self) -> bool {
        let width = self.0.first().map(Vec::len).map(u64::try_from);
        width == Some(Ok(TILE_WIDTH))
    }

    /// The root over the 2^`height` digests of the tile from `index` · 2^`height` on, if it has them.
    fn root(&mut self, height: u32, index: u64) -> Option<Digest> {
        let height = usize::try_from(height).ok()?;
        while self.0.len() <= height {
            let (pairs, _) = self.0.last()?.as_chunks::<2>();
            let over = pairs
                .iter()
                .map(|[left, right]| node_digest(left, right))
                .collect();
            self.0.push(over);
        }
        self.0
            .get(height)?
            .get(usize::try_from(index).ok()?)
            .copied()
    }
}

impl Subtrees for TileFolder {
    type Error = TileError;

    fn subtree(&mut self, level: u32, index: u64) -> Result<Digest, TileError> {
        let (tile_level, height) = (level / TILE_HEIGHT, level % TILE_HEIGHT);
        let roots = TILE_WIDTH >> height;
        let place = index / roots;
        self.tile(tile_level, place)
            .and_then(|tile| {
                tile.root(height, index % roots)
                    .ok_or_else(|| io::ErrorKind::InvalidData.into())
            })
            .map_err(|source| {
                let tile = Tile {
                    kind: TileKind::Digests(tile_level),
                    index: place,
                    width: TILE_WIDTH,
                };
                TileError {
                    path: tile.path(),
                    source,
                }
            })
    }
}

/// The root over a power of two of digests.
pub(crate) fn perfect_root(digests: &[Digest]) -> Digest {
    let mut row = digests.to_vec();
    while row.len() > 1 {
        row = row
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => node_digest(left, right),
                rest => fold_peaks(rest),
            })
            .collect();
    }
    fold_peaks(&row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::tests::{numbered_leaves, reference_root};
    use proptest::prelude::*;

    #[test]
    fn the_paths_are_those_of_the_specification() {
        let path = |index, width| {
            Tile {
                kind: TileKind::Digests(0),
                index,
                width,
            }
            .path()
        };
        assert_eq!(path(1_234_067, 256), "tile/0/x001/x234/067");
        assert_eq!(path(1_234_067, 112), "tile/0/x001/x234/067.p/112");
        assert_eq!(path(0, 1), "tile/0/000.p/1");
        assert_eq!(path(1000, 256), "tile/0/x001/000");
        let entries = Tile {
            kind: TileKind::Entries,
            index: 273,
            width: 112,
        };
        assert_eq!(entries.path(), "tile/entries/273.p/112");
    }

    /// "A tree of size 70,000 …" of C2SP tlog-tiles, section "Partial Tiles".
    #[test]
    fn a_tree_of_70_000_has_the_tiles_that_the_specification_counts() {
        let widths = |level| -> Vec<u64> {
            (0..)
                .map_while(|index| Tile::at(TileKind::Digests(level), index, 70_000))
                .map(|tile| tile.width)
                .collect()
        };
        let mut level_0 = vec![256; 273];
        level_0.push(112);
        assert_eq!(widths(0), level_0);
        assert_eq!(widths(1), [256, 17]);
        assert_eq!(widths(2), [1]);
        assert!(widths(3).is_empty());
        let full = Tile::at(TileKind::Digests(0), 0, 256).unwrap();
        let parent = Tile::at(TileKind::Digests(1), 0, 256).unwrap();
        assert_eq!((full.width, parent.width), (256, 1));
    }

    #[test]
    fn an_entry_bundle_with_a_cut_entry_is_refused() {
        let mut bundle = Vec::new();
        assert!(push_entry(&mut bundle, b"one") && push_entry(&mut bundle, b""));
        assert_eq!(split_entries(&bundle), Some(vec![&b"one"[..], b""]));
        assert_eq!(split_entries(&bundle[..4]), None);
        assert_eq!(split_entries(&[0]), None);
        assert!(!push_entry(&mut bundle, &[0; 65_536]));
    }

    #[test]
    fn a_perfect_root_is_the_root() {
        for height in 0..=8 {
            let leaves = numbered_leaves(1 << height);
            assert_eq!(perfect_root(&leaves), reference_root(&leaves));
        }
    }

    proptest! {
        /// Oracle: the crate `tlog_tiles` names the same tiles.
        #[test]
        fn another_implementation_names_tiles_the_same(
            level in 0u8..8, index in 0u64..5_000_000_000, width in 1u32..=256
        ) {
            let kind = TileKind::Digests(level.into());
            let ours = Tile { kind, index, width: width.into() }.path();
            // Its paths carry the height, which tlog-tiles fixes to 8.
            let theirs = tlog_tiles::Tile::new(8, level, index, width, false).path();
            prop_assert_eq!(ours, theirs.replacen("tile/8/", "tile/", 1));
        }

        #[test]
        fn splitting_any_bytes_ends_without_panic(bytes: Vec<u8>) {
            if let Some(entries) = split_entries(&bytes) {
                let mut again = Vec::new();
                entries.iter().for_each(|entry| assert!(push_entry(&mut again, entry)));
                prop_assert_eq!(again, bytes);
            }
        }
    }
}
