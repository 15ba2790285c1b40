//! The compound file itself (MS-CFB): sectors, directory, streams.
//!
//! Own reading, more lenient than the standard, as the programs are that open such files: a wrong count or a
//! broken tree of names hides no stream.

use std::collections::HashSet;

use crate::formats::bytes::{len16, len32, slice, up_to, utf16le};

/// From here on a sector number is no sector (2.1).
const NO_SECTOR: usize = 0xffff_fffa;
const NO_ENTRY: usize = 0xffff_ffff;
const HEADER: usize = 512;
const ENTRY: usize = 128;
/// Streams that are shorter lie in the mini stream (2.2, "Mini Stream Cutoff Size" must be this).
const CUTOFF: usize = 4_096;
/// More entries than any budget of parts opens.
const MOST_ENTRIES: usize = 100_000;

/// A stream by its place: the names of its storages and its own, joined by `/`.
pub(super) struct Stream {
    pub(super) path: String,
    start: usize,
    pub(super) len: usize,
}

impl Stream {
    /// Its own name, without the storages.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// The path of the storage that it stands in, empty for the root.
    pub(super) fn storage(&self) -> &str {
        self.path
            .rsplit_once('/')
            .map_or("", |(storage, _)| storage)
    }
}

/// A compound file.
pub(super) struct OleFile<'b> {
    bytes: &'b [u8],
    sector: usize,
    fat: Vec<usize>,
    mini_fat: Vec<usize>,
    mini: Vec<u8>,
    pub(super) streams: Vec<Stream>,
}

impl<'b> OleFile<'b> {
    /// Nothing where not even a directory can be read.
    pub(super) fn read(bytes: &'b [u8]) -> Option<Self> {
        let shift = len16(bytes, 0x1e)?;
        let sector = match shift {
            7..=12 => 1 << shift,
            _ => 512,
        };
        let mut file = Self {
            bytes,
            sector,
            fat: Vec::new(),
            mini_fat: Vec::new(),
            mini: Vec::new(),
            streams: Vec::new(),
        };
        file.fat = file.read_fat()?;
        let (mini_fat, _) = file.chain(len32(bytes, 0x3c)?, bytes.len());
        file.mini_fat = numbers(&mini_fat).collect();
        let (directory, _) = file.chain(len32(bytes, 0x30)?, MOST_ENTRIES * ENTRY);
        let entries: Vec<Entry> = directory
            .chunks_exact(ENTRY)
            .filter_map(Entry::read)
            .collect();
        let root = entries.first()?;
        file.mini = file.chain(root.start, root.len).0;
        file.streams = streams(&entries);
        Some(file)
    }

    /// The size of the whole file, in bytes.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// At most `most` bytes of a stream, and whether all of them are there.
    pub(super) fn content(&self, stream: &Stream, most: usize) -> (Vec<u8>, bool) {
        let len = stream.len.min(most);
        if stream.len < CUTOFF {
            const MINI: usize = 64;
            let sector = |n: usize| up_to(&self.mini, n.saturating_mul(MINI), MINI);
            return chain(stream.start, len, &self.mini_fat, sector);
        }
        self.chain(stream.start, len)
    }

    fn sector(&self, number: usize) -> &'b [u8] {
        let at = number.saturating_add(1).saturating_mul(self.sector);
        up_to(self.bytes, at, self.sector)
    }

    fn chain(&self, start: usize, len: usize) -> (Vec<u8>, bool) {
        chain(start, len, &self.fat, |number| self.sector(number))
    }

    /// The table of sectors, which itself is listed in the header (109 of it) and in sectors of lists.
    fn read_fat(&self) -> Option<Vec<usize>> {
        let most = self.bytes.len() / self.sector + 1;
        let mut listed: Vec<usize> = numbers(slice(self.bytes, 0x4c, HEADER - 0x4c)?).collect();
        let mut next = len32(self.bytes, 0x44)?;
        let mut lists = 0;
        while next < NO_SECTOR && lists <= most {
            let mut list: Vec<usize> = numbers(self.sector(next)).collect();
            next = list.pop().unwrap_or(NO_SECTOR);
            listed.extend(list);
            lists += 1;
            if listed.len() > most + 109 + self.sector {
                break;
            }
        }
        let mut fat = Vec::new();
        for number in listed.into_iter().filter(|number| *number < NO_SECTOR) {
            if fat.len() > most {
                break;
            }
            fat.extend(numbers(self.sector(number)));
        }
        Some(fat)
    }
}

/// The content of a chain of sectors, cut to `len`, and whether it was as long. A chain that turns back on
/// itself ends at the length, and that at the number of sectors there are.
fn chain<'s>(
    start: usize,
    len: usize,
    table: &[usize],
    sector: impl Fn(usize) -> &'s [u8],
) -> (Vec<u8>, bool) {
    let mut out = Vec::new();
    let mut number = start;
    for _ in 0..=table.len() {
        if out.len() >= len || number >= NO_SECTOR {
            break;
        }
        let content = sector(number);
        if content.is_empty() {
            break;
        }
        out.extend_from_slice(content);
        number = table.get(number).copied().unwrap_or(NO_SECTOR);
    }
    let whole = out.len() >= len;
    out.truncate(len);
    (out, whole)
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = usize> + '_ {
    bytes.chunks_exact(4).filter_map(|n| len32(n, 0))
}

struct Entry {
    name: String,
    kind: u8,
    left: usize,
    right: usize,
    child: usize,
    start: usize,
    len: usize,
}

impl Entry {
    fn read(bytes: &[u8]) -> Option<Self> {
        let name_len = len16(bytes, 64)?.min(64);
        Some(Self {
            name: decoded(&utf16le(up_to(bytes, 0, name_len))),
            kind: *bytes.get(66)?,
            left: len32(bytes, 68)?,
            right: len32(bytes, 72)?,
            child: len32(bytes, 76)?,
            start: len32(bytes, 116)?,
            len: len32(bytes, 120)?,
        })
    }
}

/// The streams by the tree of names, then those that no name leads to.
fn streams(entries: &[Entry]) -> Vec<Stream> {
    let mut out = Vec::new();
    let mut known = HashSet::from([0]);
    let first = entries.first().map_or(NO_ENTRY, |root| root.child);
    let mut todo = vec![(first, String::new())];
    todo.extend((1..entries.len()).rev().map(|index| (index, String::new())));
    let tree = todo.remove(0);
    todo.push(tree);
    while let Some((index, storage)) = todo.pop() {
        let Some(entry) = entries.get(index) else {
            continue;
        };
        if !known.insert(index) {
            continue;
        }
        todo.push((entry.left, storage.clone()));
        todo.push((entry.right, storage.clone()));
        let path = format!("{storage}{}", entry.name);
        match entry.kind {
            2 => out.push(Stream {
                path,
                start: entry.start,
                len: entry.len,
            }),
            // Storages in storages may not let the names grow without end.
            1 | 5 if path.len() < 1_024 => todo.push((entry.child, path + "/")),
            1 | 5 => todo.push((entry.child, "…/".to_owned())),
            _ => {}
        }
    }
    out
}

/// Installer packages (MSI) pack two characters of a name into one from a range of its own.
fn decoded(name: &str) -> String {
    const LETTERS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._";
    let letter = |n: u32| {
        let letter = LETTERS.get((n & 0x3f) as usize).copied();
        char::from(letter.unwrap_or(b'_'))
    };
    let mut out = String::new();
    for c in name.chars() {
        match u32::from(c) {
            n @ 0x3800..0x4800 => out.extend([letter(n - 0x3800), letter((n - 0x3800) >> 6)]),
            n @ 0x4800..0x4840 => out.push(letter(n - 0x4800)),
            0x4840 => out.push('!'),
            _ => out.push(c),
        }
    }
    out
}
