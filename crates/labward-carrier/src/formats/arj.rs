//! ARJ archives: stored members and methods 1 to 3 (LZ77 with Huffman codes in blocks); method 4 is told.

mod lzh;

use crate::kind::Kind;
use crate::seen::{Obstacle, Part};
use crate::walk::Walker;

use super::bytes::{c_string, len16, len32, slice, text, up_to};
use super::member::Member;

const MARK: &[u8] = b"\x60\xea";
/// A longer header is none.
const LONGEST_HEADER: usize = 2_600;

pub(crate) fn open(walker: &mut Walker<'_>, part: &Part<'_>) {
    let bytes = part.bytes;
    let Some((_, mut at)) = header(bytes, 0) else {
        return walker.obstacle(Obstacle::Damaged(Kind::Arj));
    };
    let mut number = 0;
    loop {
        if !walker.goes_on() {
            return;
        }
        if slice(bytes, at, 4) == Some(b"\x60\xea\0\0") {
            return super::trailing::tell_known(walker, bytes, Some(at + 4));
        }
        let Some((header, content)) = header(bytes, at) else {
            return walker.obstacle(Obstacle::Damaged(Kind::Arj));
        };
        let Some(packed_len) = len32(header, 12) else {
            return walker.obstacle(Obstacle::Damaged(Kind::Arj));
        };
        number += 1;
        let packed = up_to(bytes, content, packed_len);
        open_member(walker, header, number, packed, packed_len);
        at = content.saturating_add(packed_len);
    }
}

/// A header and where its content begins: mark, length, header, sum, extended headers.
fn header(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    slice(bytes, at, 2).filter(|mark| *mark == MARK)?;
    let len = len16(bytes, at + 2).filter(|len| (30..=LONGEST_HEADER).contains(len))?;
    let header = slice(bytes, at + 4, len)?;
    let mut at = at + 4 + len + 4;
    while let Some(extended) = len16(bytes, at).filter(|len| *len > 0) {
        at += 2 + extended + 4;
    }
    Some((header, at + 2))
}

fn open_member(
    walker: &mut Walker<'_>,
    header: &[u8],
    number: usize,
    packed: &[u8],
    packed_len: usize,
) {
    let first = usize::from(header.first().copied().unwrap_or(0));
    let name = c_string(header, first).map(|(name, _)| text(name));
    let member = Member {
        kind: Kind::Arj,
        number,
        name: name.as_deref().unwrap_or_default(),
    };
    let flags = header.get(4).copied().unwrap_or(0);
    let size = len32(header, 16).unwrap_or(0);
    match (header.get(6), header.get(5)) {
        // Folders and labels.
        (Some(3..=5), _) => member.tell_escape(walker),
        _ if flags & 1 != 0 => member.obstacle(walker, Obstacle::Encrypted),
        (_, Some(0)) => member.enter(walker, packed),
        (_, Some(1..=3)) => {
            member.unpack(walker, packed.len(), &mut lzh::Reader::new(packed, size));
        }
        _ => member.obstacle(walker, Obstacle::UnknownPacking(Kind::Arj)),
    }
    // Goes on in another volume, or was cut.
    if flags & 4 != 0 || packed.len() < packed_len {
        member.obstacle(walker, Obstacle::Damaged(Kind::Arj));
    }
}
