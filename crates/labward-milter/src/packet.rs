//! The line cut into packets: a length of 32 bits, a kind, and what belongs to it.
//!
//! It must never hold more than one packet of [`MAX_BYTES`] and what was fed last.

use crate::MilterError;

/// The longest packet that is taken, in bytes of kind and data: a header of Postfix may have 102,400, a piece of a body 65,535.
pub const MAX_BYTES: usize = 256 << 10;

/// How much room the buffer keeps for the next packet.
const KEPT_BYTES: usize = 4 << 10;

/// A packet as it stands on the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// What it is.
    pub kind: u8,
    /// What belongs to it.
    pub data: Vec<u8>,
}

/// Cuts what comes into packets.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    /// How much of the buffer was given out.
    done: usize,
}

impl Decoder {
    /// Takes what came; whoever feeds asks for every packet before feeding again.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.done > 0 {
            self.buffer.drain(..self.done);
            self.done = 0;
            if self.buffer.len() < KEPT_BYTES {
                self.buffer.shrink_to(KEPT_BYTES);
            }
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next packet, if all of it is there.
    ///
    /// # Errors
    /// [`MilterError::Empty`] and [`MilterError::TooLong`]; where the next packet begins is not known then, so asking again
    /// says the same.
    pub fn next_packet(&mut self) -> Result<Option<Packet>, MilterError> {
        let held = self.buffer.get(self.done..).unwrap_or_default();
        let Some((length, rest)) = crate::fields::number(held) else {
            return Ok(None);
        };
        let size = usize::try_from(length).unwrap_or(usize::MAX);
        if size == 0 {
            return Err(MilterError::Empty);
        }
        if size > MAX_BYTES {
            return Err(MilterError::TooLong(length));
        }
        let Some((kind, data)) = rest.get(..size).and_then(|packet| packet.split_first()) else {
            return Ok(None);
        };
        let packet = Packet {
            kind: *kind,
            data: data.to_vec(),
        };
        self.done += size_of::<u32>() + size;
        Ok(Some(packet))
    }

    /// Whether a packet has begun and not ended.
    pub fn is_within(&self) -> bool {
        self.done < self.buffer.len()
    }

    /// How much is held, in bytes.
    pub fn held_bytes(&self) -> usize {
        self.buffer.len() - self.done
    }
}

/// Writes a packet whose data `write` writes; data beyond what a length can say is cut.
pub(crate) fn put(out: &mut Vec<u8>, kind: u8, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; size_of::<u32>()]);
    out.push(kind);
    write(out);
    let size = out.len() - start - size_of::<u32>();
    let length = u32::try_from(size).unwrap_or(u32::MAX).to_be_bytes();
    for (at, byte) in out.iter_mut().skip(start).zip(length) {
        *at = byte;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packets(bytes: &[u8], piece: usize) -> (Vec<Packet>, Option<MilterError>) {
        let mut decoder = Decoder::default();
        let mut packets = Vec::new();
        for piece in bytes.chunks(piece) {
            decoder.feed(piece);
            loop {
                match decoder.next_packet() {
                    Ok(Some(packet)) => packets.push(packet),
                    Ok(None) => break,
                    Err(error) => return (packets, Some(error)),
                }
            }
            assert!(decoder.held_bytes() <= MAX_BYTES + 4 + piece.len());
        }
        (packets, None)
    }

    #[test]
    fn packets_do_not_depend_on_how_the_line_was_cut() {
        let mut line = Vec::new();
        for size in [0, 1, 5_000, MAX_BYTES - 1] {
            put(&mut line, b'B', |out| out.resize(out.len() + size, 7));
        }
        let whole = packets(&line, line.len());
        assert_eq!(whole.0.len(), 4);
        assert_eq!(whole.0[3].data.len(), MAX_BYTES - 1);
        assert_eq!(packets(&line, 4_093), whole);
        assert_eq!(packets(&line[..5_100], 1), packets(&line[..5_100], 5_100));
    }

    #[test]
    fn a_length_that_promises_too_much_takes_no_room() {
        let mut decoder = Decoder::default();
        decoder.feed(&[0xff; 8]);
        assert_eq!(decoder.next_packet(), Err(MilterError::TooLong(u32::MAX)));
        assert_eq!(decoder.next_packet(), Err(MilterError::TooLong(u32::MAX)));
        let mut decoder = Decoder::default();
        decoder.feed(&[0; 4]);
        assert_eq!(decoder.next_packet(), Err(MilterError::Empty));
    }
}
