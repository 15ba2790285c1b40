//! A tar archive as a stream of files: POSIX ustar and pax, and the long names of GNU.
//!
//! It must never use a name as a path, keep more of a name than [`LONGEST_NAME`], or take what is no
//! file for one: a link or a device is told by its name.

use std::io::{self, Read};

use super::FaultKind;

/// The longest name of an entry, in bytes, here and in every archive.
pub(super) const LONGEST_NAME: usize = 1_024;
/// An extended header is a few lines; what is longer is none.
const LONGEST_HEADER: u64 = 1 << 16;
pub(super) const BLOCK: usize = 512;

/// What stands at a place of an archive.
pub(super) enum Entry<'r> {
    /// A file: its content is read by whoever wants it.
    File(&'r mut dyn Read),
    /// A folder.
    Folder,
    /// Something that holds no content that may be read.
    Other,
}

/// Whether a block is the header of an entry: its sum fits.
pub(super) fn is_header(block: &[u8]) -> bool {
    let Some(block) = block.first_chunk::<BLOCK>() else {
        return false;
    };
    let sum = |(at, byte): (usize, &u8)| match at {
        148..156 => u64::from(b' '),
        _ => u64::from(*byte),
    };
    let sum: u64 = block.iter().enumerate().map(sum).sum();
    field(block, 148, 8).and_then(number) == Some(sum)
}

/// Goes through the entries in their order; the visitor may leave a file unread.
///
/// # Errors
/// [`FaultKind::Damaged`] where the stream breaks off or is no tar, and what the visitor says.
pub(super) fn entries(
    mut tar: impl Read,
    mut visit: impl FnMut(&str, Entry<'_>) -> Result<(), FaultKind>,
) -> Result<(), FaultKind> {
    let mut long_name = None;
    let mut block = [0; BLOCK];
    loop {
        tar.read_exact(&mut block).map_err(damaged)?;
        if block.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
        if !is_header(&block) {
            return Err(FaultKind::Damaged);
        }
        let size = field(&block, 124, 12).and_then(number);
        let size = size.ok_or(FaultKind::Damaged)?;
        let kind = block.get(156).copied().unwrap_or_default();
        let mut content = tar.by_ref().take(size);
        match kind {
            b'L' | b'x' => {
                let name = extended(&mut content, size, kind)?;
                long_name = name.or(long_name);
            }
            b'g' | b'K' => {}
            _ => {
                let name = long_name.take().unwrap_or_else(|| short_name(&block));
                let entry = match kind {
                    b'0' | 0 | b'7' if !name.ends_with('/') => Entry::File(&mut content),
                    b'0' | 0 | b'5' => Entry::Folder,
                    _ => Entry::Other,
                };
                visit(&name, entry)?;
            }
        }
        let left = content.limit();
        let padding = (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64;
        skip(&mut tar, left + padding)?;
    }
}

fn damaged(_: io::Error) -> FaultKind {
    FaultKind::Damaged
}

fn skip(tar: &mut impl Read, length: u64) -> Result<(), FaultKind> {
    let skipped = io::copy(&mut tar.take(length), &mut io::sink()).map_err(damaged)?;
    match skipped == length {
        true => Ok(()),
        false => Err(FaultKind::Damaged),
    }
}

/// The name that an extended header gives to the entry behind it.
fn extended(content: &mut impl Read, size: u64, kind: u8) -> Result<Option<String>, FaultKind> {
    if size > LONGEST_HEADER {
        return Err(FaultKind::Damaged);
    }
    let mut bytes = Vec::new();
    content.read_to_end(&mut bytes).map_err(damaged)?;
    if kind == b'L' {
        return Ok(Some(text(&bytes)));
    }
    // `LENGTH path=NAME\n`; the length counts the whole line (POSIX pax, "extended header records").
    let mut rest = bytes.as_slice();
    let mut name = None;
    while let Some(space) = rest.iter().position(|byte| *byte == b' ') {
        let (length, _) = rest.split_at(space);
        let length = std::str::from_utf8(length).ok();
        let length: usize = length
            .and_then(|text| text.parse().ok())
            .ok_or(FaultKind::Damaged)?;
        let line = rest.get(space + 1..length).ok_or(FaultKind::Damaged)?;
        if let Some(path) = line.strip_prefix(b"path=") {
            name = Some(text(path.strip_suffix(b"\n").unwrap_or(path)));
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(name)
}

fn short_name(block: &[u8; BLOCK]) -> String {
    let name = text(field(block, 0, 100).unwrap_or_default());
    // Old archives keep other things where ustar keeps the folder.
    let is_ustar = field(block, 257, 6) == Some(b"ustar\0");
    match text(field(block, 345, 155).unwrap_or_default()) {
        folder if is_ustar && !folder.is_empty() => format!("{folder}/{name}"),
        _ => name,
    }
}

fn field(block: &[u8; BLOCK], at: usize, length: usize) -> Option<&[u8]> {
    block.get(at..at + length)
}

fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0);
    let bytes = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
    String::from_utf8_lossy(bytes).into_owned()
}

/// A number in octal digits, or in base 256 where the first bit is set (GNU, for large files).
fn number(field: &[u8]) -> Option<u64> {
    let (first, rest) = field.split_first()?;
    if first & 0x80 != 0 {
        let start = Some(u64::from(first & 0x7f));
        return rest.iter().fold(start, |sum, byte| {
            sum?.checked_mul(256)?.checked_add(u64::from(*byte))
        });
    }
    let digits = text(field);
    match digits.trim_matches(' ') {
        "" => Some(0),
        digits => u64::from_str_radix(digits, 8).ok(),
    }
}
