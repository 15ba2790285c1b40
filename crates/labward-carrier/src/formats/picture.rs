//! Pictures: where they end, and what stands behind.

use crate::kind::{Claims, Kind};
use crate::seen::Part;
use crate::walk::Walker;

use super::bytes::be32;
use super::trailing;

pub(crate) fn open_png(walker: &mut Walker<'_>, part: &Part<'_>) {
    trailing::tell(walker, part.bytes, png_end(part.bytes));
}

pub(crate) fn open_gif(walker: &mut Walker<'_>, part: &Part<'_>) {
    trailing::tell(walker, part.bytes, gif_end(part.bytes));
}

pub(crate) fn open_jpeg(walker: &mut Walker<'_>, part: &Part<'_>) {
    let end = jpeg_end(part.bytes);
    let rest = end
        .and_then(|end| part.bytes.get(end..))
        .unwrap_or_default();
    // Cameras put a smaller picture, or a film, behind the first.
    if Claims::of(rest).main() != Kind::Jpeg {
        trailing::tell(walker, part.bytes, end);
    }
}

/// Chunks (PNG 5.3): length, name, content, sum; the last is `IEND`.
fn png_end(bytes: &[u8]) -> Option<usize> {
    let mut at: usize = 8;
    loop {
        let len = usize::try_from(be32(bytes, at)?).ok()?;
        let is_last = bytes.get(at + 4..at + 8)? == b"IEND";
        at = at.checked_add(len)?.checked_add(12)?;
        if is_last {
            return Some(at);
        }
    }
}

/// Blocks behind the header and the table of colours, up to the trailer 0x3b (GIF89a 27).
fn gif_end(bytes: &[u8]) -> Option<usize> {
    let table = |flags: u8| match flags & 0x80 {
        0 => 0,
        _ => 3 << ((flags & 7) + 1),
    };
    let mut at = 13 + table(*bytes.get(10)?);
    loop {
        at = match bytes.get(at)? {
            0x3b => return Some(at + 1),
            0x21 => sub_blocks(bytes, at + 2)?,
            0x2c => sub_blocks(bytes, at + 11 + table(*bytes.get(at + 9)?))?,
            _ => return None,
        };
    }
}

fn sub_blocks(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let len = usize::from(*bytes.get(at)?);
        at += 1 + len;
        if len == 0 {
            return Some(at);
        }
    }
}

/// Segments, and behind a scan its data, in which 0xff is followed by 0 or a restart mark (ITU T.81, B.1.1).
fn jpeg_end(bytes: &[u8]) -> Option<usize> {
    let mut at = 2;
    loop {
        at += memchr::memchr(0xff, bytes.get(at..)?)?;
        match bytes.get(at + 1)? {
            0xd9 => return Some(at + 2),
            0xff => at += 1,
            0 | 0x01 | 0xd0..=0xd8 => at += 2,
            _ => {
                let [high, low] = *bytes.get(at + 2..at + 4)? else {
                    return None;
                };
                at += 2 + usize::from(u16::from_be_bytes([high, low]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::seen;

    #[test]
    fn what_stands_behind_a_picture_is_told_and_padding_is_not() {
        let gif = b"GIF89a\x01\0\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;".to_vec();
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\0IEND\xae\x42\x60\x82".to_vec();
        let jpeg = b"\xff\xd8\xff\xe0\0\x04\0\0\xff\xda\0\x03\0\x01\xff\0\x02\xff\xd9".to_vec();
        for picture in [gif, png, jpeg] {
            let padded = [picture.clone(), b"\r\n\0\0".to_vec()].concat();
            assert_eq!(seen(&padded).len(), 1, "{:?}", seen(&padded));
            let program = [picture, b"MZ not really".to_vec()].concat();
            let seen = seen(&program);
            assert_eq!(seen.get(1).unwrap(), " ! trailing-data");
            assert_eq!(seen.get(2).unwrap(), "behind the end = dos");
        }
    }
}
