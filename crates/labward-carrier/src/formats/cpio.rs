//! cpio archives: new ASCII with and without sums, old ASCII, old binary in both byte orders.

use crate::kind::Kind;
use crate::seen::{Obstacle, Part};
use crate::walk::Walker;

use super::bytes::{slice, text, up_to};
use super::member::Member;

/// The name of the member that ends the archive.
const LAST: &[u8] = b"TRAILER!!!";

pub(crate) fn open(walker: &mut Walker<'_>, part: &Part<'_>) {
    let mut at = 0;
    let mut number = 0;
    while let Some(header) = Header::read(part.bytes, at) {
        if !walker.goes_on() {
            return;
        }
        let name = up_to(part.bytes, header.name, header.name_len);
        let name = name.split(|c| *c == 0).next().unwrap_or_default();
        if name == LAST {
            return;
        }
        number += 1;
        let content = up_to(part.bytes, header.content, header.content_len);
        let name = text(name);
        let member = Member {
            kind: Kind::Cpio,
            number,
            name: &name,
        };
        if content.is_empty() {
            member.tell_escape(walker);
        } else {
            member.enter(walker, content);
        }
        at = header.next;
    }
    // No last member: it was cut, or is no archive at all.
    walker.obstacle(Obstacle::Damaged(Kind::Cpio));
}

/// Where the name and the content of a member stand.
struct Header {
    name: usize,
    name_len: usize,
    content: usize,
    content_len: usize,
    next: usize,
}

impl Header {
    fn read(bytes: &[u8], at: usize) -> Option<Self> {
        match slice(bytes, at, 6)? {
            b"070701" | b"070702" => {
                let number = |field: usize| digits(bytes, at + 6 + field * 8, 8, 16);
                Self::laid_out(at, 110, number(11)?, number(6)?, 4)
            }
            b"070707" => {
                let name_len = digits(bytes, at + 59, 6, 8)?;
                let content_len = digits(bytes, at + 65, 11, 8)?;
                Self::laid_out(at, 76, name_len, content_len, 1)
            }
            [0xc7, 0x71, ..] => Self::binary(bytes, at, u16::from_le_bytes),
            [0x71, 0xc7, ..] => Self::binary(bytes, at, u16::from_be_bytes),
            _ => None,
        }
    }

    /// 13 numbers of 16 bits; a length of 32 bits has its upper half first in both orders.
    fn binary(bytes: &[u8], at: usize, number: fn([u8; 2]) -> u16) -> Option<Self> {
        let word = |i: usize| {
            let pair = slice(bytes, at + i * 2, 2)?.try_into().ok()?;
            Some(usize::from(number(pair)))
        };
        let content_len = word(11)? << 16 | word(12)?;
        Self::laid_out(at, 26, word(10)?, content_len, 2)
    }

    /// Name and content each fill up to a multiple of `align`, counted from the header.
    fn laid_out(
        at: usize,
        header_len: usize,
        name_len: usize,
        content_len: usize,
        align: usize,
    ) -> Option<Self> {
        let content = header_len.checked_add(name_len)?.next_multiple_of(align);
        let next = content.checked_add(content_len)?.next_multiple_of(align);
        Some(Self {
            name: at + header_len,
            name_len,
            content: at.checked_add(content)?,
            content_len,
            next: at.checked_add(next)?,
        })
    }
}

fn digits(bytes: &[u8], at: usize, len: usize, radix: u32) -> Option<usize> {
    let digits = std::str::from_utf8(slice(bytes, at, len)?).ok()?;
    usize::from_str_radix(digits, radix).ok()
}
