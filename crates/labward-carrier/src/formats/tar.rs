//! Tar archives: old, ustar (POSIX 1003.1 "ustar Interchange Format"), pax, and the long names of GNU.

use crate::kind::Kind;
use crate::seen::{Obstacle, Part};
use crate::walk::Walker;

use super::bytes::{slice, text, up_to};
use super::member::Member;

const BLOCK: usize = 512;

pub(crate) fn open(walker: &mut Walker<'_>, part: &Part<'_>) {
    let mut at = 0;
    let mut number = 0;
    let mut names = LongNames::default();
    while let Some(header) = slice(part.bytes, at, BLOCK) {
        if header.iter().all(|byte| *byte == 0) {
            super::trailing::tell(walker, part.bytes, Some(at));
            return;
        }
        if !is_header(header) {
            break;
        }
        if !walker.goes_on() {
            return;
        }
        let size = names.size.take().or_else(|| number_at(header, 124, 12));
        let size = usize::try_from(size.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
        let content = up_to(part.bytes, at + BLOCK, size);
        let kind = header.get(156).copied().unwrap_or_default();
        if !names.take(kind, content) {
            number += 1;
            let name = names.name.take().unwrap_or_else(|| short_name(header));
            open_member(walker, number, &name, kind, content);
        }
        if content.len() < size {
            return walker.obstacle(Obstacle::Damaged(Kind::Tar));
        }
        at += BLOCK + content.len().next_multiple_of(BLOCK);
    }
    // An archive may end without its two empty blocks, but not in the middle of something.
    if number == 0 || at < part.bytes.len() {
        walker.obstacle(Obstacle::Damaged(Kind::Tar));
    }
}

fn open_member(walker: &mut Walker<'_>, number: usize, name: &str, kind: u8, content: &[u8]) {
    let member = Member {
        kind: Kind::Tar,
        number,
        name,
    };
    // Links, devices and folders hold no content; whatever has some is shown.
    if content.is_empty() && !matches!(kind, 0 | b'0' | b'7') {
        member.tell_escape(walker);
    } else {
        member.enter(walker, content);
    }
}

/// What an extended header says of the member behind it.
#[derive(Default)]
struct LongNames {
    name: Option<String>,
    size: Option<u64>,
}

impl LongNames {
    /// Whether the member is an extended header, which is then read.
    fn take(&mut self, kind: u8, content: &[u8]) -> bool {
        /// Names are short; what is longer is read as far as this.
        const LONGEST: usize = 1 << 16;
        let content = up_to(content, 0, LONGEST);
        match kind {
            b'L' => self.name = Some(until_zero(content)),
            b'x' | b'X' => self.take_pax(content),
            b'g' | b'K' => {}
            _ => return false,
        }
        true
    }

    /// `LENGTH key=value\n`; the length counts the whole line.
    fn take_pax(&mut self, mut records: &[u8]) {
        while let Some(space) = memchr::memchr(b' ', records) {
            let length = records.get(..space).map(text).unwrap_or_default();
            let Some(line) = length
                .parse()
                .ok()
                .and_then(|length: usize| records.get(space + 1..length))
            else {
                return;
            };
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            if let Some(path) = line.strip_prefix(b"path=") {
                self.name = Some(text(path));
            } else if let Some(size) = line.strip_prefix(b"size=") {
                self.size = text(size).parse().ok();
            }
            records = records.get(space + 1 + line.len()..).unwrap_or_default();
            records = records.strip_prefix(b"\n").unwrap_or(records);
        }
    }
}

/// Whether a block is the header of a member: its sum fits, counted with or without signs.
pub(crate) fn is_header(block: &[u8]) -> bool {
    let Some(block) = block.get(..BLOCK) else {
        return false;
    };
    let Some(told) = number_at(block, 148, 8).filter(|_| block.first() != Some(&0)) else {
        return false;
    };
    let sum = |signed: bool| -> i64 {
        let byte = |(at, byte): (usize, &u8)| match at {
            148..156 => i64::from(b' '),
            _ if signed => i64::from(byte.cast_signed()),
            _ => i64::from(*byte),
        };
        block.iter().enumerate().map(byte).sum()
    };
    i64::try_from(told).is_ok_and(|told| told == sum(false) || told == sum(true))
}

fn short_name(header: &[u8]) -> String {
    let name = until_zero(slice(header, 0, 100).unwrap_or_default());
    // Old archives keep other things where ustar keeps the folder.
    let is_ustar = slice(header, 257, 6) == Some(b"ustar\0");
    match until_zero(slice(header, 345, 155).unwrap_or_default()) {
        folder if is_ustar && !folder.is_empty() => format!("{folder}/{name}"),
        _ => name,
    }
}

fn until_zero(bytes: &[u8]) -> String {
    text(bytes.split(|byte| *byte == 0).next().unwrap_or_default())
}

/// A number in octal digits, or in base 256 where the first bit is set (GNU, for large files).
fn number_at(header: &[u8], at: usize, len: usize) -> Option<u64> {
    let field = slice(header, at, len)?;
    let (first, rest) = field.split_first()?;
    if first & 0x80 != 0 {
        let start = Some(u64::from(first & 0x7f));
        return rest.iter().fold(start, |sum, byte| {
            sum?.checked_mul(256)?.checked_add(u64::from(*byte))
        });
    }
    match until_zero(field).trim() {
        "" => Some(0),
        digits => u64::from_str_radix(digits, 8).ok(),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::seen;

    fn header(name: &str, kind: u8, content: &[u8]) -> Vec<u8> {
        let mut block = vec![0; 512];
        block[..name.len()].copy_from_slice(name.as_bytes());
        block[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        block[156] = kind;
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|b| u32::from(*b)).sum();
        block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        block.extend_from_slice(content);
        block.resize(block.len().next_multiple_of(512), 0);
        block
    }

    #[test]
    fn old_and_long_names_are_read_and_escapes_told() {
        let long = format!("{}/a.sh", "d".repeat(200));
        let pax = format!("{} path={long}\n", long.len() + 10);
        let mut tar = header("plain.sh", 0, b"#!/bin/sh\n");
        tar.extend(header("../up.txt", b'0', b"up"));
        tar.extend(header("@LongLink", b'L', format!("{long}\0").as_bytes()));
        tar.extend(header("short", b'0', b"#!"));
        tar.extend(header("pax", b'x', pax.as_bytes()));
        tar.extend(header("short", b'0', b"#!"));
        tar.extend([0; 1024]);
        let seen = seen(&tar);
        assert_eq!(seen[1], "tar : plain.sh = script");
        assert_eq!(seen[2], "tar : ../up.txt = text");
        assert_eq!(seen[3], "tar : ../up.txt ! name-escapes");
        assert!(seen[4].starts_with("tar : dddd") && seen[4].ends_with("= script"));
        assert!(seen[5].starts_with("tar : dddd") && seen[5].ends_with("= script"));
        assert_eq!(seen.len(), 6);
    }

    #[test]
    fn a_cut_archive_shows_what_there_is() {
        let mut tar = header("a.sh", b'0', &[b'#'; 2000]);
        tar.truncate(1500);
        assert_eq!(seen(&tar), [" = tar", "tar : a.sh = text", " ? damaged"]);
    }
}
