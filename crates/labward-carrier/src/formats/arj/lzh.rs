//! The packing of ARJ's methods 1 to 3: blocks of codes, each block with its own Huffman trees; 511 literals and
//! lengths, 17 classes of distances, a window of 26 KiB.

use std::io::{self, Read};

/// Literals 0 to 255, then the lengths from 3 on.
const CODES: usize = 511;
const DISTANCES: usize = 17;
const LENGTHS: usize = 19;
const WINDOW: usize = 26_624;
const LONGEST_CODE: usize = 16;

pub(super) struct Reader<'p> {
    bits: Bits<'p>,
    /// How many codes the current block still has.
    block: u32,
    codes: Tree,
    distances: Tree,
    window: Vec<u8>,
    at: usize,
    copy: (usize, usize),
    left: usize,
}

impl<'p> Reader<'p> {
    pub(super) fn new(packed: &'p [u8], size: usize) -> Self {
        Self {
            bits: Bits {
                bytes: packed,
                at: 0,
            },
            block: 0,
            codes: Tree::default(),
            distances: Tree::default(),
            window: vec![0; WINDOW],
            at: 0,
            copy: (0, 0),
            left: size,
        }
    }

    fn next(&mut self) -> Option<u8> {
        if self.copy.1 == 0 {
            let code = self.code()?;
            if let Ok(literal) = u8::try_from(code) {
                return Some(self.put(literal));
            }
            let back = self.distance()? + 1;
            let from = (self.at + WINDOW)
                .checked_sub(back)
                .filter(|_| back <= WINDOW)?;
            self.copy = (from, code - 256 + 3);
        }
        let (from, left) = self.copy;
        self.copy = (from + 1, left - 1);
        let byte = self.window.get(from % WINDOW).copied()?;
        Some(self.put(byte))
    }

    fn put(&mut self, byte: u8) -> u8 {
        if let Some(place) = self.window.get_mut(self.at) {
            *place = byte;
        }
        self.at = (self.at + 1) % WINDOW;
        byte
    }

    fn code(&mut self) -> Option<usize> {
        if self.block == 0 {
            self.block = self.bits.take(16)?;
            let lengths = self.read_small_tree(LENGTHS, 5, Some(3))?;
            self.codes = self.read_codes(&lengths)?;
            self.distances = self.read_small_tree(DISTANCES, 5, None)?;
        }
        self.block = self.block.checked_sub(1)?;
        self.codes.decode(&mut self.bits)
    }

    fn distance(&mut self) -> Option<usize> {
        match self.distances.decode(&mut self.bits)? {
            0 => Some(0),
            class => {
                let low = self.bits.take(class - 1)?;
                Some((1 << (class - 1)) + low as usize)
            }
        }
    }

    /// Lengths of 3 bits, longer ones in unary; behind `gap` lengths a number of zeros.
    fn read_small_tree(
        &mut self,
        most: usize,
        count_bits: usize,
        gap: Option<usize>,
    ) -> Option<Tree> {
        let count = self.bits.take(count_bits)? as usize;
        if count == 0 {
            return Some(Tree::single(self.bits.take(count_bits)? as usize));
        }
        let mut lengths = Vec::new();
        while lengths.len() < count.min(most) {
            let mut length = self.bits.take(3)?;
            if length == 7 {
                while self.bits.take(1)? == 1 {
                    length += 1;
                }
            }
            lengths.push(length as usize);
            if Some(lengths.len()) == gap {
                let zeros = self.bits.take(2)? as usize;
                lengths.resize(lengths.len() + zeros, 0);
            }
        }
        Tree::of(&lengths)
    }

    fn read_codes(&mut self, lengths: &Tree) -> Option<Tree> {
        let count = self.bits.take(9)? as usize;
        if count == 0 {
            return Some(Tree::single(self.bits.take(9)? as usize));
        }
        let mut out = Vec::new();
        while out.len() < count.min(CODES) {
            let zeros = match lengths.decode(&mut self.bits)? {
                0 => 1,
                1 => self.bits.take(4)? as usize + 3,
                2 => self.bits.take(9)? as usize + 20,
                length => {
                    out.push(length - 2);
                    continue;
                }
            };
            out.resize(out.len() + zeros, 0);
        }
        out.truncate(CODES);
        Tree::of(&out)
    }
}

impl Read for Reader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut read = 0;
        for place in into {
            if self.left == 0 {
                break;
            }
            match self.next() {
                Some(byte) => *place = byte,
                None if read == 0 => return Err(io::ErrorKind::InvalidData.into()),
                None => break,
            }
            self.left -= 1;
            read += 1;
        }
        Ok(read)
    }
}

struct Bits<'p> {
    bytes: &'p [u8],
    /// The next bit, highest of a byte first.
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: usize) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }
}

/// A canonical Huffman tree.
#[derive(Default)]
struct Tree {
    /// How many codes have each length.
    counts: [usize; LONGEST_CODE + 1],
    /// The symbols, by length, then by number.
    symbols: Vec<usize>,
    /// A tree of one symbol takes no bits.
    single: Option<usize>,
}

impl Tree {
    fn single(symbol: usize) -> Self {
        Self {
            single: Some(symbol),
            ..Self::default()
        }
    }

    fn of(lengths: &[usize]) -> Option<Self> {
        let mut tree = Self::default();
        for length in 1..=LONGEST_CODE {
            let before = tree.symbols.len();
            let of_length = lengths.iter().enumerate().filter(|(_, l)| **l == length);
            tree.symbols.extend(of_length.map(|(symbol, _)| symbol));
            *tree.counts.get_mut(length)? = tree.symbols.len() - before;
        }
        lengths.iter().all(|l| *l <= LONGEST_CODE).then_some(tree)
    }

    fn decode(&self, bits: &mut Bits<'_>) -> Option<usize> {
        if let Some(symbol) = self.single {
            return Some(symbol);
        }
        let (mut code, mut first, mut index) = (0_usize, 0_usize, 0_usize);
        for count in self.counts.iter().skip(1) {
            code |= bits.take(1)? as usize;
            if let Some(offset) = code.checked_sub(first).filter(|offset| offset < count) {
                return self.symbols.get(index + offset).copied();
            }
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        None
    }
}
