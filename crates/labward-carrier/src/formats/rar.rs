//! RAR 4 and 5: stored members are opened, packed ones told (no free code unpacks them), encrypted ones told.

use crate::kind::Kind;
use crate::seen::{Obstacle, Part};
use crate::walk::Walker;

use super::bytes::{le16, le32, len16, len32, slice, text, up_to};
use super::member::Member;

pub(crate) fn open(walker: &mut Walker<'_>, part: &Part<'_>) {
    match part.bytes.get(6) {
        Some(0) => open_all(walker, part.bytes, 7, block4),
        Some(1) => open_all(walker, part.bytes, 8, block5),
        _ => walker.obstacle(Obstacle::UnknownPacking(Kind::Rar)),
    }
}

/// A block of either version.
enum Block<'b> {
    File {
        name: String,
        content: &'b [u8],
        whole: bool,
        stored: bool,
        encrypted: bool,
        folder: bool,
    },
    /// Everything behind it is encrypted.
    Encrypted,
    Other,
    End,
}

type ReadBlock = for<'b> fn(&'b [u8], usize) -> Option<(Block<'b>, usize)>;

fn open_all(walker: &mut Walker<'_>, bytes: &[u8], start: usize, read: ReadBlock) {
    let mut at = start;
    let mut number = 0;
    while let Some((block, next)) = read(bytes, at) {
        if !walker.goes_on() {
            return;
        }
        match block {
            Block::File { .. } => {
                number += 1;
                open_file(walker, number, &block);
            }
            Block::Encrypted => return walker.obstacle(Obstacle::Encrypted),
            Block::Other => {}
            Block::End => return super::trailing::tell_known(walker, bytes, Some(next)),
        }
        if next <= at {
            break;
        }
        at = next;
    }
    // RAR 4 before 3.0 has no end block.
    if at < bytes.len() || number == 0 {
        walker.obstacle(Obstacle::Damaged(Kind::Rar));
    }
}

fn open_file(walker: &mut Walker<'_>, number: usize, block: &Block<'_>) {
    let Block::File {
        name,
        content,
        whole,
        stored,
        encrypted,
        folder,
    } = block
    else {
        return;
    };
    let member = Member {
        kind: Kind::Rar,
        number,
        name,
    };
    if *folder {
        member.tell_escape(walker);
    } else if *encrypted {
        member.obstacle(walker, Obstacle::Encrypted);
    } else if !*stored {
        member.obstacle(walker, Obstacle::UnknownPacking(Kind::Rar));
    } else {
        member.enter(walker, content);
        if !*whole {
            member.obstacle(walker, Obstacle::Damaged(Kind::Rar));
        }
    }
}

/// RAR 4: sum (2), type (1), flags (2), length of the header (2), then by type.
fn block4(bytes: &[u8], at: usize) -> Option<(Block<'_>, usize)> {
    let kind = *bytes.get(at.checked_add(2)?)?;
    let flags = le16(bytes, at + 3)?;
    let header_len = len16(bytes, at + 5)?;
    let has_content = flags & 0x8000 != 0 || kind == 0x74;
    let mut content_len = if has_content {
        len32(bytes, at + 7)?
    } else {
        0
    };
    let content_at = at.checked_add(header_len)?;
    let block = match kind {
        0x73 if flags & 0x80 != 0 => Block::Encrypted,
        0x74 => {
            let name_len = len16(bytes, at + 26)?;
            let mut name_at = at + 32;
            if flags & 0x100 != 0 {
                content_len |= len32(bytes, at + 32)? << 32;
                name_at += 8;
            }
            let name = up_to(bytes, name_at, name_len);
            let content = up_to(bytes, content_at, content_len);
            Block::File {
                name: text(name.split(|c| *c == 0).next().unwrap_or_default()),
                content,
                // A member that goes over volumes is never whole.
                whole: content.len() == content_len && flags & 3 == 0,
                stored: bytes.get(at + 25) == Some(&0x30),
                encrypted: flags & 4 != 0,
                folder: flags & 0xe0 == 0xe0,
            }
        }
        0x7b => Block::End,
        0x72..=0x7a => Block::Other,
        _ => return None,
    };
    Some((block, content_at.checked_add(content_len)?))
}

/// RAR 5: sum (4), then numbers of variable length: length of the header from its type on, type, flags.
fn block5(bytes: &[u8], at: usize) -> Option<(Block<'_>, usize)> {
    let mut at = at.checked_add(4)?;
    let header_len = number(bytes, &mut at)?;
    let content_at = at.checked_add(header_len)?;
    let header = slice(bytes, at, header_len)?;
    let mut at = 0;
    let kind = number(header, &mut at)?;
    let flags = number(header, &mut at)?;
    let extra_len = if flags & 1 == 0 {
        0
    } else {
        number(header, &mut at)?
    };
    let content_len = if flags & 2 == 0 {
        0
    } else {
        number(header, &mut at)?
    };
    let content = up_to(bytes, content_at, content_len);
    let block = match kind {
        2 => file5(header, at, extra_len, content)
            .map(|file| with_whole(file, content_len, flags))?,
        4 => Block::Encrypted,
        5 => Block::End,
        _ => Block::Other,
    };
    Some((block, content_at.checked_add(content_len)?))
}

fn with_whole(mut file: Block<'_>, content_len: usize, flags: usize) -> Block<'_> {
    if let Block::File { content, whole, .. } = &mut file {
        // Bits 3 and 4: goes on from, or into, another volume.
        *whole = content.len() == content_len && flags & 0x18 == 0;
    }
    file
}

fn file5<'b>(
    header: &[u8],
    mut at: usize,
    extra_len: usize,
    content: &'b [u8],
) -> Option<Block<'b>> {
    let file_flags = number(header, &mut at)?;
    number(header, &mut at)?;
    number(header, &mut at)?;
    if file_flags & 2 != 0 {
        at += 4;
    }
    if file_flags & 4 != 0 {
        at += 4;
    }
    let packing = number(header, &mut at)?;
    number(header, &mut at)?;
    let name_len = number(header, &mut at)?;
    let extra = header.get(header.len().checked_sub(extra_len)?..)?;
    Some(Block::File {
        name: text(up_to(header, at, name_len)),
        content,
        whole: true,
        stored: packing >> 7 & 7 == 0,
        encrypted: has_encryption(extra),
        folder: file_flags & 1 != 0,
    })
}

/// Whether a record of type 1 (encryption) stands in the extra area.
fn has_encryption(extra: &[u8]) -> bool {
    let mut at = 0;
    while let Some(len) = number(extra, &mut at) {
        let mut inner = at;
        if number(extra, &mut inner) == Some(1) {
            return true;
        }
        at = at.saturating_add(len);
    }
    false
}

/// Seven bits a byte, lowest first, the eighth says that more come.
fn number(bytes: &[u8], at: &mut usize) -> Option<usize> {
    let mut value: usize = 0;
    for shift in (0..63).step_by(7) {
        let byte = usize::from(*bytes.get(*at)?);
        *at += 1;
        value |= (byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Whether bytes are a RAR of either version, for those that look for one behind a program.
pub(crate) fn begins(bytes: &[u8]) -> bool {
    le32(bytes, 0) == Some(u32::from_le_bytes(*b"Rar!")) && bytes.get(4..6) == Some(&[0x1a, 7])
}
