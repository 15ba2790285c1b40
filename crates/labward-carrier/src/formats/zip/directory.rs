//! The headers of a zip: the list at its end (4.3.12), the headers before each member (4.3.7).

use memchr::memmem;

use crate::formats::bytes::{le16, le32, le64, len16, len32, slice, text, up_to};

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
const END_LEN: usize = 22;
const LONGEST_COMMENT: usize = 0xffff;
/// Most members that are listed: more than any budget of parts opens.
const MOST_ENTRIES: usize = 200_000;

/// A member, by one of its headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc: u32,
    /// Nothing where only what follows the content tells it (4.4.4, bit 3).
    pub(super) packed_len: Option<usize>,
    pub(super) unpacked_len: u64,
    /// Where the header stands.
    header: usize,
    /// Where the packed content begins.
    pub(super) data: usize,
}

impl Entry {
    /// Bit 0 of the flags, the list itself encrypted (bit 13), or AES (method 99).
    pub(super) fn is_encrypted(&self) -> bool {
        self.flags & 0x2001 != 0 || self.method == 99
    }

    fn data_end(&self) -> usize {
        self.data.saturating_add(self.packed_len.unwrap_or(0))
    }

    /// The header that stands before the content.
    fn local(bytes: &[u8], at: usize) -> Option<Self> {
        let header = slice(bytes, at, 30).filter(|header| header.starts_with(LOCAL))?;
        let flags = le16(header, 6)?;
        let name_len = len16(header, 26)?;
        let extra_len = len16(header, 28)?;
        let name = up_to(bytes, at + 30, name_len);
        let extra = up_to(bytes, at + 30 + name_len, extra_len);
        let sizes = Sizes::of(len32(header, 18)?, len32(header, 22)?, None, extra);
        Some(Self {
            name: text(name),
            flags,
            method: le16(header, 8)?,
            crc: le32(header, 14)?,
            packed_len: (flags & 8 == 0 || sizes.packed > 0).then_some(sizes.packed),
            unpacked_len: sizes.unpacked,
            header: at,
            data: at + 30 + name_len + extra_len,
        })
    }
}

/// The sizes and the place of a member, with those of zip64 (4.5.3) where the short ones say so.
struct Sizes {
    packed: usize,
    unpacked: u64,
    offset: usize,
}

impl Sizes {
    fn of(packed: usize, unpacked: usize, offset: Option<usize>, extra: &[u8]) -> Self {
        const ELSEWHERE: usize = 0xffff_ffff;
        let mut long = zip64(extra).chunks_exact(8).map(|n| le64(n, 0));
        let mut next = |short: usize| match short {
            ELSEWHERE => long.next().flatten().unwrap_or(short as u64),
            short => short as u64,
        };
        let unpacked = next(unpacked);
        let packed = next(packed);
        let offset = next(offset.unwrap_or(0));
        let size = |n| usize::try_from(n).unwrap_or(usize::MAX);
        Self {
            packed: size(packed),
            unpacked,
            offset: size(offset),
        }
    }
}

fn zip64(mut extra: &[u8]) -> &[u8] {
    while let (Some(id), Some(len)) = (le16(extra, 0), len16(extra, 2)) {
        if id == 1 {
            return up_to(extra, 4, len);
        }
        extra = extra.get(4 + len..).unwrap_or_default();
    }
    &[]
}

/// What the list at the end names, and where members may stand that it does not name.
pub(super) struct Listed {
    entries: Vec<Entry>,
    /// The stretches that the listed members take, sorted, not overlapping.
    taken: Vec<(usize, usize)>,
    /// Whether the list says more members than it holds.
    cut: bool,
    end: Option<usize>,
    empty: bool,
}

impl Listed {
    pub(super) fn read(bytes: &[u8]) -> Self {
        let mut listed = Self {
            entries: Vec::new(),
            taken: Vec::new(),
            cut: false,
            end: None,
            empty: false,
        };
        if let Some(end) = End::find(bytes) {
            listed.end = Some(end.behind.min(bytes.len()));
            listed.empty = end.count == 0;
            listed.read_list(bytes, &end);
        }
        listed.taken = merged(&listed.entries);
        listed
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn is_cut(&self) -> bool {
        self.cut
    }

    pub(super) fn is_empty_archive(&self) -> bool {
        self.empty
    }

    /// Where the end record and its comment end.
    pub(super) fn end(&self) -> Option<usize> {
        self.end
    }

    /// The next member from `from` on that stands in no listed one.
    pub(super) fn next_unlisted(&self, bytes: &[u8], from: usize) -> Option<Entry> {
        let mut from = from;
        loop {
            let at = from + memmem::find(bytes.get(from..)?, LOCAL)?;
            let before = self.taken.partition_point(|(start, _)| *start <= at);
            let inside = before
                .checked_sub(1)
                .and_then(|i| self.taken.get(i))
                .filter(|(_, end)| at < *end);
            match inside {
                Some((_, end)) => from = *end,
                None => match Entry::local(bytes, at).filter(|entry| entry.data <= bytes.len()) {
                    Some(entry) => return Some(entry),
                    None => from = at + 4,
                },
            }
        }
    }

    fn read_list(&mut self, bytes: &[u8], end: &End) {
        let mut at = end.list;
        while let Some(header) = slice(bytes, at, 46).filter(|h| h.starts_with(CENTRAL)) {
            if self.entries.len() >= MOST_ENTRIES {
                self.cut = true;
                return;
            }
            let Some((entry, next)) = listed_entry(bytes, header, at, end.base) else {
                break;
            };
            let local = Entry::local(bytes, entry.header);
            match local {
                Some(local) => self.add(entry, local),
                None => self.cut = true,
            }
            at = next;
        }
        self.cut |= self.entries.len() < end.count;
    }

    /// Adds a member as the list says, and as its own header says where they disagree.
    fn add(&mut self, mut entry: Entry, local: Entry) {
        entry.data = local.data;
        let disagrees = local.method != entry.method
            || local.packed_len.is_some() && local.packed_len != entry.packed_len;
        self.entries.push(entry);
        if disagrees {
            self.entries.push(local);
        }
    }
}

fn listed_entry(bytes: &[u8], header: &[u8], at: usize, base: usize) -> Option<(Entry, usize)> {
    let name_len = len16(header, 28)?;
    let extra_len = len16(header, 30)?;
    let next = at + 46 + name_len + extra_len + len16(header, 32)?;
    let extra = up_to(bytes, at + 46 + name_len, extra_len);
    let sizes = Sizes::of(
        len32(header, 20)?,
        len32(header, 24)?,
        len32(header, 42),
        extra,
    );
    let entry = Entry {
        name: text(up_to(bytes, at + 46, name_len)),
        flags: le16(header, 8)?,
        method: le16(header, 10)?,
        crc: le32(header, 16)?,
        packed_len: Some(sizes.packed),
        unpacked_len: sizes.unpacked,
        header: base.saturating_add(sizes.offset),
        data: 0,
    };
    Some((entry, next))
}

fn merged(entries: &[Entry]) -> Vec<(usize, usize)> {
    let mut taken: Vec<_> = entries.iter().map(|e| (e.header, e.data_end())).collect();
    taken.sort_unstable();
    let mut out: Vec<(usize, usize)> = Vec::new();
    for (start, end) in taken {
        match out.last_mut() {
            Some((_, last)) if start < *last => *last = end.max(*last),
            _ => out.push((start, end)),
        }
    }
    out
}

/// The end record (4.3.16, with 4.3.14 for zip64).
struct End {
    count: usize,
    /// Where the list begins.
    list: usize,
    /// How much stands before the archive: offsets in it count from there.
    base: usize,
    /// Where the comment ends.
    behind: usize,
}

impl End {
    fn find(bytes: &[u8]) -> Option<Self> {
        let from = bytes.len().saturating_sub(END_LEN + LONGEST_COMMENT);
        // Behind a longer suffix the last one in all the bytes is looked for.
        let at = memmem::rfind(bytes.get(from..)?, END)
            .map(|at| from + at)
            .or_else(|| memmem::rfind(bytes, END))?;
        let record = slice(bytes, at, END_LEN)?;
        let long = Self::long(bytes, at);
        let (count, len, offset, ends) = match long {
            Some((count, len, offset, ends)) => (count, len, offset, ends),
            None => (
                len16(record, 10)?,
                len32(record, 12)?,
                len32(record, 16)?,
                at,
            ),
        };
        let list = Some(ends.saturating_sub(len))
            .filter(|list| slice(bytes, *list, 4) == Some(CENTRAL))
            .unwrap_or(offset);
        Some(Self {
            count,
            list,
            base: list.saturating_sub(offset),
            behind: at + END_LEN + len16(record, 20)?,
        })
    }

    /// Count, length and offset of the list and where it ends, by the record of zip64.
    fn long(bytes: &[u8], end: usize) -> Option<(usize, usize, usize, usize)> {
        let locator = end.checked_sub(20)?;
        slice(bytes, locator, 4).filter(|mark| *mark == b"PK\x06\x07")?;
        let near = locator.checked_sub(56)?;
        let at = [near, usize::try_from(le64(bytes, locator + 8)?).ok()?]
            .into_iter()
            .find(|at| slice(bytes, *at, 4) == Some(b"PK\x06\x06"))?;
        let size = |offset| usize::try_from(le64(bytes, at + offset)?).ok();
        Some((size(32)?, size(40)?, size(48)?, at))
    }
}
