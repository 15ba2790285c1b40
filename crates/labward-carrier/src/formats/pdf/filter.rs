//! How streams of PDF are packed (ISO 32000-1, 7.4). Pictures stay as they are.

use std::borrow::Cow;
use std::io::Read;

use crate::formats::guard::Guarded;
use crate::kind::Kind;
use crate::seen::Obstacle;
use crate::walk::Walker;

use super::object::{Value, hex_pair};

/// A chain of more filters is none that a program writes.
const MOST_FILTERS: usize = 16;

/// The content of a stream, unpacked as far as it goes, and why not further.
pub(super) fn unpacked<'b>(
    walker: &mut Walker<'_>,
    dict: &Value,
    packed: &'b [u8],
) -> (Cow<'b, [u8]>, Option<Obstacle>) {
    let entry = |long: &str, short: &str| dict.get(long).or_else(|| dict.get(short)).cloned();
    let filters = entry("Filter", "F").unwrap_or(Value::Array(Vec::new()));
    let params = entry("DecodeParms", "DP").unwrap_or(Value::Other);
    let mut content = Cow::Borrowed(packed);
    if filters.each().len() > MOST_FILTERS {
        return (content, Some(Obstacle::UnknownPacking(Kind::Pdf)));
    }
    for (i, filter) in filters.each().iter().enumerate() {
        let param = params.each().get(i).cloned().unwrap_or(Value::Other);
        let (next, obstacle) = match filter.name().unwrap_or_default() {
            "FlateDecode" | "Fl" => flate(walker, &content),
            "LZWDecode" | "LZW" => lzw(walker, &content, &param),
            "ASCIIHexDecode" | "AHx" => (hex(until(&content, b'>')), None),
            "ASCII85Decode" | "A85" => (ascii85(&content), None),
            "RunLengthDecode" | "RL" => run_length(walker, &content),
            "DCTDecode" | "DCT" | "JPXDecode" | "CCITTFaxDecode" | "CCF" | "JBIG2Decode" | "" => {
                break;
            }
            // The empty name and the identity of encryption change nothing.
            "Crypt" if param.is("Name", "Identity") => continue,
            "Crypt" => return (content, Some(Obstacle::Encrypted)),
            _ => return (content, Some(Obstacle::UnknownPacking(Kind::Pdf))),
        };
        walker.spend(next.len());
        content = Cow::Owned(predicted(next, &param));
        if obstacle.is_some() {
            return (content, obstacle);
        }
    }
    (content, None)
}

fn until(bytes: &[u8], end: u8) -> &[u8] {
    let len = memchr::memchr(end, bytes).unwrap_or(bytes.len());
    bytes.get(..len).unwrap_or_default()
}

/// With the header of zlib, or without where that is broken.
fn flate(walker: &mut Walker<'_>, packed: &[u8]) -> (Vec<u8>, Option<Obstacle>) {
    let len = packed.len() as u64;
    let mut reader = Guarded(flate2::bufread::ZlibDecoder::new(packed));
    let (bytes, obstacle) = walker.read(Kind::Pdf, len, &mut reader);
    if !bytes.is_empty() || obstacle.is_none() {
        return (bytes, obstacle);
    }
    let bare = packed.get(2..).unwrap_or_default();
    let mut reader = Guarded(flate2::bufread::DeflateDecoder::new(bare));
    walker.read(Kind::Pdf, len, &mut reader)
}

fn lzw(walker: &mut Walker<'_>, packed: &[u8], param: &Value) -> (Vec<u8>, Option<Obstacle>) {
    use weezl::{BitOrder, decode::Decoder};
    let late = param.get("EarlyChange").and_then(Value::size) == Some(0);
    let decoder = match late {
        true => Decoder::new(BitOrder::Msb, 8),
        false => Decoder::with_tiff_size_switch(BitOrder::Msb, 8),
    };
    let mut reader = Guarded(Lzw {
        decoder,
        rest: packed,
    });
    walker.read(Kind::Pdf, packed.len() as u64, &mut reader)
}

struct Lzw<'b> {
    decoder: weezl::decode::Decoder,
    rest: &'b [u8],
}

impl Read for Lzw<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        loop {
            let done = self.decoder.decode_bytes(self.rest, into);
            self.rest = self.rest.get(done.consumed_in..).unwrap_or_default();
            match done.status {
                _ if done.consumed_out > 0 => return Ok(done.consumed_out),
                Ok(weezl::LzwStatus::Ok) if done.consumed_in > 0 => {}
                Ok(_) => return Ok(0),
                Err(_) => return Err(std::io::ErrorKind::InvalidData.into()),
            }
        }
    }
}

/// Pairs of digits; whatever else stands between them is passed over, an odd last one is followed by 0.
pub(super) fn hex(text: &[u8]) -> Vec<u8> {
    let mut digits: Vec<u8> = text.iter().copied().filter(u8::is_ascii_hexdigit).collect();
    if !digits.len().is_multiple_of(2) {
        digits.push(b'0');
    }
    digits.chunks_exact(2).filter_map(hex_pair).collect()
}

fn ascii85(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut group = Vec::new();
    let text = text.trim_ascii_start();
    for c in until(text.strip_prefix(b"<~").unwrap_or(text), b'~') {
        match c {
            b'z' if group.is_empty() => out.extend([0; 4]),
            b'!'..=b'u' => group.push(u64::from(c - b'!')),
            _ => continue,
        }
        if group.len() == 5 {
            out.extend(group_of_85(&group));
            group.clear();
        }
    }
    // Of a last group of n characters n - 1 bytes count.
    if group.len() > 1 {
        let count = group.len() - 1;
        group.resize(5, 84);
        out.extend(group_of_85(&group).into_iter().take(count));
    }
    out
}

fn group_of_85(group: &[u64]) -> [u8; 4] {
    let value = group.iter().fold(0, |sum: u64, digit| sum * 85 + digit);
    let [_, _, _, _, bytes @ ..] = value.to_be_bytes();
    bytes
}

fn run_length(walker: &mut Walker<'_>, packed: &[u8]) -> (Vec<u8>, Option<Obstacle>) {
    let (room, limit) = walker.room(packed.len() as u64);
    let mut out = Vec::new();
    let mut rest = packed;
    while let [length, content @ ..] = rest {
        let used = match length {
            0..=127 => {
                let count = usize::from(*length) + 1;
                out.extend(content.iter().take(count));
                count
            }
            128 => break,
            _ => {
                let byte = content.first().copied().unwrap_or_default();
                out.extend(std::iter::repeat_n(byte, 257 - usize::from(*length)));
                1
            }
        };
        if out.len() as u64 > room {
            out.truncate(usize::try_from(room).unwrap_or(usize::MAX));
            return (out, Some(Obstacle::OverBudget(limit)));
        }
        rest = content.get(used..).unwrap_or_default();
    }
    (out, None)
}

/// Undoes the predictors of PNG (7.4.4.4), which object streams and attachments may use too.
fn predicted(bytes: Vec<u8>, param: &Value) -> Vec<u8> {
    let number = |key, usual| param.get(key).and_then(Value::size).unwrap_or(usual);
    if number("Predictor", 1) < 10 {
        return bytes;
    }
    let bits = number("Colors", 1).saturating_mul(number("BitsPerComponent", 8));
    let row = number("Columns", 1).saturating_mul(bits).div_ceil(8).max(1);
    let step = bits.div_ceil(8).max(1);
    let mut out: Vec<u8> = Vec::with_capacity(bytes.len());
    for line in bytes.chunks(row.saturating_add(1)) {
        let Some((filter, line)) = line.split_first() else {
            continue;
        };
        let start = out.len();
        for (i, byte) in line.iter().enumerate() {
            let at = |back: usize, whole: bool| -> u8 {
                let place = (start + i).checked_sub(back);
                let inside = whole || i >= step;
                place
                    .filter(|_| inside)
                    .and_then(|p| out.get(p))
                    .copied()
                    .unwrap_or(0)
            };
            let left = at(step, false);
            let above = at(row, true);
            let corner = at(row.saturating_add(step), false);
            let add = match filter {
                1 => left,
                2 => above,
                3 => u8::midpoint(left, above),
                4 => paeth(left, above, corner),
                _ => 0,
            };
            out.push(byte.wrapping_add(add));
        }
    }
    out
}

fn paeth(left: u8, above: u8, corner: u8) -> u8 {
    let estimate = i16::from(left) + i16::from(above) - i16::from(corner);
    let distance = |value: u8| (estimate - i16::from(value)).abs();
    [left, above, corner]
        .into_iter()
        .min_by_key(|value| distance(*value))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_writings_in_letters_are_read() {
        assert_eq!(hex(b"4D 5a\n9"), b"MZ\x90");
        assert_eq!(ascii85(b"<~87cURD]i,\"Ebo80~>"), b"Hello World!");
        assert_eq!(ascii85(b"z~>"), [0; 4]);
    }

    #[test]
    fn rows_that_tell_differences_are_undone() {
        let param = Value::Dict(vec![
            ("Predictor".to_owned(), Value::Number(12)),
            ("Columns".to_owned(), Value::Number(3)),
        ]);
        let rows = vec![2, 1, 2, 3, 2, 1, 1, 1, 1, 5, 1, 1];
        assert_eq!(predicted(rows, &param), [1, 2, 3, 2, 3, 4, 5, 6, 7]);
    }
}
