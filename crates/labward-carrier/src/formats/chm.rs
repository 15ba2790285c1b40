//! Compiled help (CHM, "ITSF"): the pages and files in it, mostly packed with LZX.

use lzxd::Lzxd;

use crate::budget::Limit;
use crate::kind::Kind;
use crate::seen::{Obstacle, Part};
use crate::walk::Walker;

use super::bytes::{le64, len32, slice, text, up_to};
use super::cab::window;
use super::guard::guarded;
use super::member::Member;

const FRAME: usize = 0x8000;
const CONTENT: &str = "::DataSpace/Storage/MSCompressed/Content";
const CONTROL: &str = "::DataSpace/Storage/MSCompressed/ControlData";
const RESET_TABLE: &str = "::DataSpace/Storage/MSCompressed/Transform/\
    {7FC28940-9D31-11D0-9B27-00A0C91E9C7C}/InstanceData/ResetTable";

/// A file, by the list: in which section its content lies, and where in it.
struct Entry {
    name: String,
    section: usize,
    at: usize,
    len: usize,
}

pub(crate) fn open(walker: &mut Walker<'_>, part: &Part<'_>) {
    let Some((entries, data)) = list(part.bytes) else {
        return walker.obstacle(Obstacle::Damaged(Kind::Chm));
    };
    let plain = |name: &str| {
        let entry = entries.iter().find(|e| e.section == 0 && e.name == name)?;
        Some(up_to(data, entry.at, entry.len))
    };
    let (packed, obstacle) = match entries.iter().any(|entry| entry.section == 1) {
        true => unpack(walker, plain(CONTENT), plain(CONTROL), plain(RESET_TABLE)),
        false => (Vec::new(), None),
    };
    walker.spend(packed.len());
    if let Some(obstacle) = obstacle {
        walker.obstacle(obstacle);
    }
    let files = entries
        .iter()
        .filter(|e| e.len > 0 && e.name.starts_with('/'));
    for (i, entry) in files.enumerate() {
        if !walker.goes_on() {
            return;
        }
        let member = Member {
            kind: Kind::Chm,
            number: i + 1,
            // Every name begins so; it is no path.
            name: entry.name.trim_start_matches('/'),
        };
        let content = match entry.section {
            0 => up_to(data, entry.at, entry.len),
            1 => up_to(&packed, entry.at, entry.len),
            _ => &[],
        };
        if !content.is_empty() {
            member.enter(walker, content);
        }
        if content.len() < entry.len {
            member.obstacle(walker, obstacle.unwrap_or(Obstacle::Damaged(Kind::Chm)));
        }
    }
}

/// The files by the chunks of the list, and the bytes that their offsets count in.
fn list(bytes: &[u8]) -> Option<(Vec<Entry>, &[u8])> {
    let size = |at| usize::try_from(le64(bytes, at)?).ok();
    let directory = slice(bytes, size(0x48)?, size(0x50)?)?;
    let data = match len32(bytes, 4)? {
        3 => size(0x58)?,
        _ => size(0x48)?.checked_add(size(0x50)?)?,
    };
    let header = len32(directory, 8)?;
    let chunk = len32(directory, 16).filter(|chunk| *chunk >= 32)?;
    let mut entries = Vec::new();
    for chunk in directory.get(header..)?.chunks(chunk) {
        if chunk.starts_with(b"PMGL") {
            let free = len32(chunk, 4)?;
            let used = chunk.get(20..chunk.len().checked_sub(free)?)?;
            entries.extend(Entries { rest: used });
        }
    }
    Some((entries, bytes.get(data..)?))
}

struct Entries<'b> {
    rest: &'b [u8],
}

impl Entries<'_> {
    /// Seven bits a byte, highest first, the eighth says that more come.
    fn number(&mut self) -> Option<usize> {
        let mut value: usize = 0;
        for _ in 0..9 {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            value = value << 7 | usize::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

impl Iterator for Entries<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        let len = self.number()?;
        let name = self.rest.get(..len)?;
        self.rest = self.rest.get(len..)?;
        Some(Entry {
            name: text(name),
            section: self.number()?,
            at: self.number()?,
            len: self.number()?,
        })
    }
}

fn unpack(
    walker: &mut Walker<'_>,
    content: Option<&[u8]>,
    control: Option<&[u8]>,
    table: Option<&[u8]>,
) -> (Vec<u8>, Option<Obstacle>) {
    let mut out = Vec::new();
    let Some(((content, control), table)) = content.zip(control).zip(table) else {
        return (out, Some(Obstacle::UnknownPacking(Kind::Chm)));
    };
    let (room, limit) = walker.room(content.len() as u64);
    let unit = if len32(control, 8) == Some(1) {
        1
    } else {
        FRAME
    };
    let interval = len32(control, 12).unwrap_or(0).saturating_mul(unit) / FRAME;
    let bytes = len32(control, 16).unwrap_or(0).saturating_mul(unit);
    let log = u16::try_from(bytes.checked_ilog2().unwrap_or(0)).unwrap_or(0);
    let Some(window) = window(log) else {
        return (out, Some(Obstacle::UnknownPacking(Kind::Chm)));
    };
    let total = le64(table, 16).and_then(|n| usize::try_from(n).ok());
    let total = total.unwrap_or(0);
    let header = len32(table, 12).unwrap_or(40);
    let offset = |i: usize| {
        let at = header.checked_add(i.checked_mul(8)?)?;
        usize::try_from(le64(table, at)?).ok()
    };
    let mut lzx = Box::new(Lzxd::new(window));
    let mut i = 0;
    while let Some(from) = offset(i).filter(|_| out.len() < total) {
        if !walker.goes_on() {
            return (out, Some(Obstacle::OverBudget(Limit::Time)));
        }
        if interval > 0 && i.is_multiple_of(interval) {
            lzx.reset();
        }
        let to = offset(i + 1).unwrap_or(content.len());
        let frame = content.get(from..to).unwrap_or_default();
        let size = FRAME.min(total - out.len());
        let unpacked = guarded(|| lzx.decompress_next(frame, size).map(<[u8]>::to_vec));
        let Some(Ok(unpacked)) = unpacked else {
            return (out, Some(Obstacle::Damaged(Kind::Chm)));
        };
        out.extend(unpacked);
        if out.len() as u64 > room {
            out.truncate(usize::try_from(room).unwrap_or(usize::MAX));
            return (out, Some(Obstacle::OverBudget(limit)));
        }
        i += 1;
    }
    (out, None)
}
