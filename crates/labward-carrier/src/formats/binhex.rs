//! BinHex 4.0 (`.hqx`, RFC 1741): the two forks of one Macintosh file. Its checksums are not compared.

use crate::formats::text::BINHEX;
use crate::kind::Kind;
use crate::path::Step;
use crate::seen::{Declared, Obstacle, Part};
use crate::walk::Walker;

const DIGITS: &[u8; 64] = b"!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr";
/// Stands before a count: the byte before it, so many times; `0x90 0x00` is the byte itself.
const REPEAT: u8 = 0x90;

pub(crate) fn open(walker: &mut Walker<'_>, part: &Part<'_>) {
    let Some(digits) = digits(part.bytes) else {
        walker.obstacle(Obstacle::Damaged(Kind::BinHex));
        return;
    };
    let packed = packed(digits);
    let (room, limit) = walker.room(part.bytes.len() as u64);
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    let Some(bytes) = unpacked(&packed, room) else {
        walker.obstacle(Obstacle::OverBudget(limit));
        return;
    };
    let Some(file) = File::of(&bytes) else {
        walker.obstacle(Obstacle::Damaged(Kind::BinHex));
        return;
    };
    let declared = Declared::named(&file.name);
    for (number, fork) in [(1, file.data), (2, file.resources)] {
        if !fork.is_empty() {
            let packing = Step::Packing(Kind::BinHex.code());
            walker.enter([packing, Step::member(number, &file.name)], &declared, fork);
        }
    }
    if file.is_cut {
        walker.obstacle(Obstacle::Damaged(Kind::BinHex));
    }
}

/// What stands between the two colons.
fn digits(bytes: &[u8]) -> Option<&[u8]> {
    let at = memchr::memmem::find(bytes, BINHEX)?;
    let rest = bytes.get(at + BINHEX.len()..)?;
    let line_end = memchr::memchr2(b'\r', b'\n', rest)?;
    let rest = rest.get(line_end..)?;
    let colon = memchr::memchr(b':', rest)?;
    let rest = rest.get(colon + 1..)?;
    let end = memchr::memchr(b':', rest).unwrap_or(rest.len());
    rest.get(..end)
}

fn packed(digits: &[u8]) -> Vec<u8> {
    let mut values = [None; 256];
    for (value, digit) in (0_u32..).zip(DIGITS) {
        if let Some(slot) = values.get_mut(usize::from(*digit)) {
            *slot = Some(value);
        }
    }
    let mut out = Vec::with_capacity(digits.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for digit in digits {
        let Some(value) = values.get(usize::from(*digit)).copied().flatten() else {
            continue;
        };
        bits = bits << 6 | value;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.extend((bits >> count).to_le_bytes().first());
            bits &= (1 << count) - 1;
        }
    }
    out
}

/// Undoes the repetitions; `None` beyond `room` bytes.
fn unpacked(packed: &[u8], room: usize) -> Option<Vec<u8>> {
    let mut out: Vec<u8> = Vec::new();
    let mut bytes = packed.iter();
    while let Some(byte) = bytes.next() {
        match (*byte, out.last().copied()) {
            (REPEAT, last) => match (bytes.next(), last) {
                (Some(0), _) => out.push(REPEAT),
                (Some(count), Some(last)) => {
                    out.resize(out.len() + usize::from(count - 1), last);
                }
                _ => {}
            },
            (byte, _) => out.push(byte),
        }
        if out.len() > room {
            return None;
        }
    }
    Some(out)
}

struct File<'a> {
    name: String,
    data: &'a [u8],
    resources: &'a [u8],
    is_cut: bool,
}

impl<'a> File<'a> {
    /// The header: name, 0, type, creator, flags, the lengths of the forks; each part has a checksum of 2 bytes.
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let (len, rest) = bytes.split_first()?;
        let len = usize::from(*len);
        let name = rest.get(..len)?;
        let lengths = rest.get(len + 11..len + 19)?;
        let length = |at: usize| {
            let bytes = lengths.get(at..at + 4)?.try_into().ok()?;
            usize::try_from(u32::from_be_bytes(bytes)).ok()
        };
        let (data_len, resources_len) = (length(0)?, length(4)?);
        let rest = rest.get(len + 21..)?;
        let data = rest.get(..data_len).unwrap_or(rest);
        let rest = data_len.checked_add(2).and_then(|at| rest.get(at..));
        let resources = rest.map_or(&[][..], |rest| rest.get(..resources_len).unwrap_or(rest));
        Some(Self {
            name: String::from_utf8_lossy(name).into_owned(),
            data,
            resources,
            is_cut: data.len() < data_len || resources.len() < resources_len,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{parts, seen};

    #[test]
    fn a_real_file_gives_its_program() {
        let folder = std::path::Path::new("/usr/share/clamav-testfiles");
        let (Ok(program), Ok(file)) = (
            std::fs::read(folder.join("clam.exe")),
            std::fs::read(folder.join("clam.exe.binhex")),
        ) else {
            eprintln!("labward-skip: binhex real file: clamav-testfiles is not installed");
            return;
        };
        let found = parts(&file);
        assert!(found.contains(&("binhex : clam.exe".to_owned(), program)));
        assert!(seen(&file).iter().all(|line| !line.contains(" ? ")));
        let cut = file.get(..file.len() / 2).unwrap();
        assert_eq!(seen(cut).last().unwrap(), " ? damaged");
    }

    #[test]
    fn repetitions_are_undone_within_the_room() {
        assert_eq!(unpacked(b"a\x90\x03b\x90\0", 9).unwrap(), b"aaab\x90");
        assert_eq!(unpacked(b"a\x90\xff", 9), None);
    }

    proptest! {
        #[test]
        fn any_file_ends(digits in "[!-r:\n]{0,300}") {
            let text = format!("(This file must be converted with BinHex 4.0)\n:{digits}:");
            prop_assert!(!seen(text.as_bytes()).is_empty());
        }
    }
}
