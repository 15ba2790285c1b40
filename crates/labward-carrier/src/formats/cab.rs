//! Cabinets (MS-CAB): stored, MSZIP and LZX folders; Quantum is told.
//!
//! Own reading of the headers: files are opened by their place, so that two of one name are two, and each folder
//! is unpacked once.

use std::collections::BTreeMap;
use std::io::Read;

use lzxd::{Lzxd, WindowSize};

use crate::budget::Limit;
use crate::kind::Kind;
use crate::seen::{Obstacle, Part};
use crate::walk::Walker;

use super::bytes::{c_string, le16, len16, len32, slice, text, up_to};
use super::guard::guarded;
use super::member::Member;

/// A block unpacks to no more (MS-CAB 2.4).
const LARGEST_BLOCK: usize = 32 << 10;
/// As much as MSZIP looks back over its blocks.
const HISTORY: usize = 32 << 10;

struct Folder {
    blocks_at: usize,
    blocks: usize,
    method: u16,
}

struct File {
    size: usize,
    at: usize,
    folder: usize,
    name: String,
}

pub(crate) fn open(walker: &mut Walker<'_>, part: &Part<'_>) {
    let Some((folders, files, reserve)) = headers(part.bytes) else {
        return walker.obstacle(Obstacle::Damaged(Kind::Cab));
    };
    let mut number = 0;
    for (index, files) in &by_folder(&files) {
        let Some(folder) = folders.get(*index).filter(|_| walker.goes_on()) else {
            continue;
        };
        let (unpacked, obstacle) = unpack(walker, part.bytes, folder, reserve);
        walker.spend(unpacked.len());
        for file in files {
            number += 1;
            let member = Member {
                kind: Kind::Cab,
                number,
                name: &file.name,
            };
            let content = up_to(&unpacked, file.at, file.size);
            if obstacle.is_none() || !content.is_empty() {
                member.enter(walker, content);
            }
            if content.len() < file.size {
                member.obstacle(walker, obstacle.unwrap_or(Obstacle::Damaged(Kind::Cab)));
            }
        }
    }
    // Files that go on in another cabinet of the set.
    if files.iter().any(|file| file.folder >= folders.len()) {
        walker.obstacle(Obstacle::Damaged(Kind::Cab));
    }
    super::trailing::tell_known(walker, part.bytes, len32(part.bytes, 8));
}

fn by_folder(files: &[File]) -> BTreeMap<usize, Vec<&File>> {
    let mut out: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for file in files {
        out.entry(file.folder).or_default().push(file);
    }
    out
}

/// The header with its options (2.1), the folders (2.2), the files (2.3), the reserved bytes of each block.
fn headers(bytes: &[u8]) -> Option<(Vec<Folder>, Vec<File>, usize)> {
    let flags = le16(bytes, 30)?;
    let mut at = 36;
    let (mut of_folder, mut of_block) = (0, 0);
    if flags & 4 != 0 {
        of_folder = usize::from(*bytes.get(38)?);
        of_block = usize::from(*bytes.get(39)?);
        at = 40 + len16(bytes, 36)?;
    }
    for flag in [1, 2] {
        for _ in 0..if flags & flag == 0 { 0 } else { 2 } {
            at = c_string(bytes, at)?.1;
        }
    }
    let mut folders = Vec::new();
    for _ in 0..le16(bytes, 26)? {
        folders.push(Folder {
            blocks_at: len32(bytes, at)?,
            blocks: len16(bytes, at + 4)?,
            method: le16(bytes, at + 6)?,
        });
        at += 8 + of_folder;
    }
    let mut files = Vec::new();
    let mut at = len32(bytes, 16)?;
    for _ in 0..le16(bytes, 28)? {
        let Some((name, next)) = c_string(bytes, at + 16) else {
            break;
        };
        files.push(File {
            size: len32(bytes, at)?,
            at: len32(bytes, at + 4)?,
            folder: match len16(bytes, at + 8)? {
                // Goes on from the cabinet before (its first folder) or into the next one (its last).
                0xfffd | 0xffff => 0,
                0xfffe => folders.len().saturating_sub(1),
                folder => folder,
            },
            name: text(name),
        });
        at = next;
    }
    Some((folders, files, of_block))
}

fn unpack(
    walker: &mut Walker<'_>,
    bytes: &[u8],
    folder: &Folder,
    reserve: usize,
) -> (Vec<u8>, Option<Obstacle>) {
    let (room, limit) = walker.room(bytes.len() as u64);
    let mut out = Vec::new();
    let Some(mut method) = Method::of(folder.method) else {
        return (out, Some(Obstacle::UnknownPacking(Kind::Cab)));
    };
    let mut at = folder.blocks_at;
    for _ in 0..folder.blocks {
        if !walker.goes_on() {
            return (out, Some(Obstacle::OverBudget(Limit::Time)));
        }
        let Some((packed, size)) = block(bytes, at, reserve) else {
            return (out, Some(Obstacle::Damaged(Kind::Cab)));
        };
        at += 8 + reserve + packed.len();
        if method.unpack(packed, size, &mut out).is_none() {
            return (out, Some(Obstacle::Damaged(Kind::Cab)));
        }
        if out.len() as u64 > room {
            out.truncate(usize::try_from(room).unwrap_or(usize::MAX));
            return (out, Some(Obstacle::OverBudget(limit)));
        }
    }
    (out, None)
}

fn block(bytes: &[u8], at: usize, reserve: usize) -> Option<(&[u8], usize)> {
    let packed_len = len16(bytes, at + 4)?;
    let size = len16(bytes, at + 6)?.min(LARGEST_BLOCK);
    let packed = slice(bytes, at.checked_add(8 + reserve)?, packed_len)?;
    Some((packed, size))
}

enum Method {
    Stored,
    MsZip,
    Lzx(Box<Lzxd>),
}

impl Method {
    fn of(number: u16) -> Option<Self> {
        match number & 0x0f {
            0 => Some(Self::Stored),
            1 => Some(Self::MsZip),
            3 => Some(Self::Lzx(Box::new(Lzxd::new(window(number >> 8)?)))),
            _ => None,
        }
    }

    fn unpack(&mut self, packed: &[u8], size: usize, out: &mut Vec<u8>) -> Option<()> {
        match self {
            Self::Stored => out.extend_from_slice(packed),
            Self::MsZip => mszip(packed.strip_prefix(b"CK")?, size, out)?,
            Self::Lzx(lzx) => {
                let unpacked = guarded(|| lzx.decompress_next(packed, size).map(<[u8]>::to_vec));
                out.extend_from_slice(&unpacked?.ok()?);
            }
        }
        Some(())
    }
}

/// A Deflate stream of its own that looks back into the blocks before it: they are given to the reader as a
/// stored block, which it then throws away.
fn mszip(packed: &[u8], size: usize, out: &mut Vec<u8>) -> Option<()> {
    let history = out.get(out.len().saturating_sub(HISTORY)..)?;
    // A stored block holds at most 65,535 bytes; the history is half of that.
    let len = u16::try_from(history.len()).ok()?;
    let mut stream = vec![0];
    stream.extend(len.to_le_bytes());
    stream.extend((!len).to_le_bytes());
    stream.extend_from_slice(history);
    let mut block = Vec::new();
    let stream = stream.chain(packed);
    let most = (history.len() + size) as u64;
    flate2::read::DeflateDecoder::new(stream)
        .take(most)
        .read_to_end(&mut block)
        .ok()?;
    let block = block.get(history.len()..)?.to_vec();
    out.extend(block);
    Some(())
}

pub(crate) fn window(log: u16) -> Option<WindowSize> {
    Some(match log & 0x1f {
        15 => WindowSize::KB32,
        16 => WindowSize::KB64,
        17 => WindowSize::KB128,
        18 => WindowSize::KB256,
        19 => WindowSize::KB512,
        20 => WindowSize::MB1,
        21 => WindowSize::MB2,
        _ => return None,
    })
}
