//! Numbers and stretches at an offset of foreign bytes; nothing where there are none.

/// The `len` bytes from `at`.
pub(crate) fn slice(bytes: &[u8], at: usize, len: usize) -> Option<&[u8]> {
    bytes.get(at..at.checked_add(len)?)
}

/// At most `len` bytes from `at`: what is there of them.
pub(crate) fn up_to(bytes: &[u8], at: usize, len: usize) -> &[u8] {
    let from = bytes.get(at..).unwrap_or_default();
    from.get(..len).unwrap_or(from)
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    slice(bytes, at, N)?.try_into().ok()
}

pub(crate) fn le16(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_le_bytes)
}

pub(crate) fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_le_bytes)
}

pub(crate) fn le64(bytes: &[u8], at: usize) -> Option<u64> {
    array(bytes, at).map(u64::from_le_bytes)
}

pub(crate) fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_be_bytes)
}

/// As [`le16`], for a length or an offset.
pub(crate) fn len16(bytes: &[u8], at: usize) -> Option<usize> {
    le16(bytes, at).map(usize::from)
}

/// As [`le32`], for a length or an offset.
pub(crate) fn len32(bytes: &[u8], at: usize) -> Option<usize> {
    le32(bytes, at).and_then(|n| usize::try_from(n).ok())
}

/// The bytes from `at` to the next zero, and where what follows it begins.
pub(crate) fn c_string(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let from = bytes.get(at..)?;
    let end = memchr::memchr(0, from)?;
    Some((from.get(..end)?, at + end + 1))
}

/// Text of 16-bit units, little-endian, with or without a zero at its end.
pub(crate) fn utf16le(bytes: &[u8]) -> String {
    let units = bytes
        .chunks_exact(2)
        .filter_map(|pair| le16(pair, 0))
        .take_while(|unit| *unit != 0);
    char::decode_utf16(units)
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// As [`utf16le`], big-endian.
pub(crate) fn utf16be(bytes: &[u8]) -> String {
    let swapped: Vec<u8> = bytes
        .chunks_exact(2)
        .flat_map(|pair| pair.iter().rev().copied())
        .collect();
    utf16le(&swapped)
}

/// Text of one byte a character, as the sender's code page wrote it; what is no UTF-8 is replaced.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
