//! How a member is packed (APPNOTE 4.4.5).

use std::io::Read;

use memchr::memmem;

use crate::formats::bytes::{len16, up_to};
use crate::formats::guard::{Guarded, guarded};
use crate::formats::member::Member;
use crate::formats::single;
use crate::kind::Kind;
use crate::seen::Obstacle;
use crate::walk::Walker;

use super::directory::Entry;

/// Opens a member; returns how many bytes of packed content it has.
pub(super) fn open(
    walker: &mut Walker<'_>,
    bytes: &[u8],
    entry: &Entry,
    member: Member<'_>,
) -> usize {
    let rest = bytes.get(entry.data..).unwrap_or_default();
    let packed = match entry.packed_len {
        Some(len) => up_to(rest, 0, len),
        None if entry.method == 8 => rest,
        None => up_to(rest, 0, next_mark(rest)),
    };
    let whole = entry.packed_len.is_none_or(|len| len == packed.len());
    let used = open_packed(walker, packed, entry, member);
    if !whole {
        member.obstacle(walker, Obstacle::Damaged(Kind::Zip));
    }
    used
}

/// Content of unknown length ends at the next mark of a header.
fn next_mark(rest: &[u8]) -> usize {
    memmem::find_iter(rest, b"PK")
        .find(|at| matches!(up_to(rest, at + 2, 2), [7, 8] | [3, 4] | [1, 2]))
        .unwrap_or(rest.len())
}

fn open_packed(walker: &mut Walker<'_>, packed: &[u8], entry: &Entry, member: Member<'_>) -> usize {
    let len = packed.len();
    let mut unpack = |reader: &mut dyn Read| member.unpack(walker, len, reader);
    match entry.method {
        0 => member.enter(walker, packed),
        8 => {
            let mut reader = flate2::bufread::DeflateDecoder::new(packed);
            unpack(&mut reader);
            return usize::try_from(reader.total_in()).unwrap_or(len);
        }
        12 => unpack(&mut Guarded(bzip2::bufread::BzDecoder::new(packed))),
        14 => open_lzma(walker, packed, entry, member),
        20 | 93 => match single::zstd(packed) {
            Some(reader) => unpack(&mut Guarded(reader)),
            None => member.obstacle(walker, Obstacle::Damaged(Kind::Zip)),
        },
        95 => {
            let mut reader = Guarded(single::xz(walker, packed));
            member.unpack(walker, len, &mut reader);
        }
        1..=6 | 9 => open_by_crate(walker, packed, entry, member),
        _ => member.obstacle(walker, Obstacle::UnknownPacking(Kind::Zip)),
    }
    len
}

/// Version (2 bytes), length of the properties (2), properties, stream (5.8.8).
fn open_lzma(walker: &mut Walker<'_>, packed: &[u8], entry: &Entry, member: Member<'_>) {
    // Bit 1: an end mark says where it ends.
    let size = match entry.flags & 2 {
        0 if entry.unpacked_len > 0 => entry.unpacked_len,
        _ => u64::MAX,
    };
    let props_len = len16(packed, 2).unwrap_or(0);
    let reader = packed
        .get(4 + props_len..)
        .and_then(|stream| single::lzma(walker, up_to(packed, 4, props_len), size, stream));
    match reader {
        Some(reader) => member.unpack(walker, packed.len(), &mut Guarded(reader)),
        None => member.obstacle(walker, Obstacle::Damaged(Kind::Zip)),
    }
}

/// The packings of the eighties and Deflate64, by the `zip` crate: it is given a header of ours, so that it
/// reads no other one.
fn open_by_crate(walker: &mut Walker<'_>, packed: &[u8], entry: &Entry, member: Member<'_>) {
    let (room, _) = walker.room(packed.len() as u64);
    // These packings know their end by the size alone; beyond the room the walker says so.
    let size = match entry.unpacked_len {
        0 => room + 1,
        size => size.min(room + 1),
    };
    let header = header(entry, packed.len(), size);
    let mut stream = header.chain(packed);
    let opened = guarded(|| zip::read::read_zipfile_from_stream(&mut stream));
    match opened {
        Some(Ok(Some(reader))) => member.unpack(walker, packed.len(), &mut Guarded(reader)),
        _ => member.obstacle(walker, Obstacle::Damaged(Kind::Zip)),
    }
}

fn header(entry: &Entry, packed_len: usize, size: u64) -> std::io::Cursor<Vec<u8>> {
    let short = |n: u64| u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes();
    let mut header = b"PK\x03\x04\x14\0".to_vec();
    // Only the options of the packing are kept.
    header.extend((entry.flags & 6).to_le_bytes());
    header.extend(entry.method.to_le_bytes());
    header.extend([0; 4]);
    header.extend(entry.crc.to_le_bytes());
    header.extend(short(packed_len as u64));
    header.extend(short(size));
    header.extend([1, 0, 0, 0, b'-']);
    std::io::Cursor::new(header)
}
