//! Files packed by `COMPRESS.EXE` of old Windows (SZDD): LZSS with a window of 4 KiB.

use std::io::{self, Read};

use crate::kind::Kind;
use crate::path::Step;
use crate::seen::{Declared, Obstacle, Part};
use crate::walk::Walker;

use super::bytes::le32;

/// The mark (8), the mode (1), the last letter of the name (1), the length (4).
const HEADER: usize = 14;
const WINDOW: usize = 4_096;

pub(crate) fn open(walker: &mut Walker<'_>, part: &Part<'_>) {
    let (Some(length), Some(packed)) = (le32(part.bytes, 10), part.bytes.get(HEADER..)) else {
        return walker.obstacle(Obstacle::Damaged(Kind::Szdd));
    };
    if part.bytes.get(8) != Some(&b'A') {
        return walker.obstacle(Obstacle::UnknownPacking(Kind::Szdd));
    }
    let mut reader = Lzss {
        packed: packed.iter(),
        window: vec![b' '; WINDOW],
        at: WINDOW - 16,
        flags: 1,
        copy: (0, 0),
    }
    .take(u64::from(length));
    walker.unpack(
        [Step::Packing(Kind::Szdd.code())],
        &Declared::nothing(),
        Kind::Szdd,
        packed.len() as u64,
        &mut reader,
    );
    if reader.limit() > 0 {
        walker.obstacle(Obstacle::Damaged(Kind::Szdd));
    }
}

struct Lzss<'p> {
    packed: std::slice::Iter<'p, u8>,
    window: Vec<u8>,
    at: usize,
    /// The flags of what comes, lowest first, with a mark bit above them.
    flags: u16,
    /// From where in the window, and how many bytes are still to be copied.
    copy: (usize, usize),
}

impl Lzss<'_> {
    fn next(&mut self) -> Option<u8> {
        if self.copy.1 == 0 {
            if self.flags == 1 {
                self.flags = 0x100 | u16::from(*self.packed.next()?);
            }
            let is_literal = self.flags & 1 == 1;
            self.flags >>= 1;
            let low = *self.packed.next()?;
            if is_literal {
                return Some(self.put(low));
            }
            let high = usize::from(*self.packed.next()?);
            self.copy = (usize::from(low) | (high & 0xf0) << 4, (high & 0x0f) + 3);
        }
        let (from, left) = self.copy;
        self.copy = (from + 1, left - 1);
        let byte = self.window.get(from % WINDOW).copied()?;
        Some(self.put(byte))
    }

    fn put(&mut self, byte: u8) -> u8 {
        if let Some(place) = self.window.get_mut(self.at % WINDOW) {
            *place = byte;
        }
        self.at = (self.at + 1) % WINDOW;
        byte
    }
}

impl Read for Lzss<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut read = 0;
        for place in into {
            let Some(byte) = self.next() else {
                break;
            };
            *place = byte;
            read += 1;
        }
        Ok(read)
    }
}
