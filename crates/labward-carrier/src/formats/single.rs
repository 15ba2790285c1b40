//! One file packed alone: bzip2, xz, LZMA (the format before xz) and Zstandard; gzip has a module of its own,
//! for it has a name.

use std::io::Read;

use bzip2::bufread::BzDecoder;

use crate::budget::Limit;
use crate::kind::Kind;
use crate::path::Step;
use crate::seen::{Declared, Obstacle, Part};
use crate::walk::Walker;

use super::bytes;
use super::guard::Guarded;
use super::members::Members;

/// The longest window of Zstandard that is given memory, as a power of two: 128 MiB, as its own tool.
const ZSTD_WINDOW_LOG: u32 = 27;

pub(crate) fn open_bzip2(walker: &mut Walker<'_>, part: &Part<'_>) {
    let mut reader = Guarded(Members::new(
        part.bytes,
        b"BZh",
        BzDecoder::new,
        |decoder: &BzDecoder<_>| *decoder.get_ref(),
    ));
    let whole = walker.unpack(
        [Step::Packing(Kind::Bzip2.code())],
        &Declared::nothing(),
        Kind::Bzip2,
        part.bytes.len() as u64,
        &mut reader,
    );
    let end = part.bytes.len().checked_sub(reader.0.left());
    super::trailing::tell(walker, part.bytes, end.filter(|_| whole));
}

pub(crate) fn open_xz(walker: &mut Walker<'_>, part: &Part<'_>) {
    let reader = xz(walker, part.bytes);
    unpack(walker, part, Kind::Xz, reader);
}

pub(crate) fn open_zstd(walker: &mut Walker<'_>, part: &Part<'_>) {
    match zstd(part.bytes) {
        _ if wants_more(part.bytes) => walker.obstacle(Obstacle::OverBudget(Limit::PartBytes)),
        Some(reader) => unpack(walker, part, Kind::Zstd, reader),
        None => walker.obstacle(Obstacle::Damaged(Kind::Zstd)),
    }
}

pub(crate) fn open_lzma(walker: &mut Walker<'_>, part: &Part<'_>) {
    let props = part.bytes.get(..5);
    let size = bytes::le64(part.bytes, 5);
    let reader = props
        .zip(size)
        .and_then(|(props, size)| lzma(walker, props, size, part.bytes.get(13..)?));
    match reader {
        Some(reader) => unpack(walker, part, Kind::Lzma, reader),
        None => walker.obstacle(Obstacle::Damaged(Kind::Lzma)),
    }
}

/// Whether the first frame says a window beyond [`ZSTD_WINDOW_LOG`] (RFC 8878, 3.1.1.1.2).
fn wants_more(packed: &[u8]) -> bool {
    const SINGLE_SEGMENT: u8 = 0x20;
    packed
        .get(4)
        .is_some_and(|flags| flags & SINGLE_SEGMENT == 0)
        && packed
            .get(5)
            .is_some_and(|window| 10 + u32::from(window >> 3) > ZSTD_WINDOW_LOG)
}

fn unpack(walker: &mut Walker<'_>, part: &Part<'_>, kind: Kind, reader: impl Read) {
    walker.unpack(
        [Step::Packing(kind.code())],
        &Declared::nothing(),
        kind,
        part.bytes.len() as u64,
        &mut Guarded(reader),
    );
}

/// Reads xz; the dictionary that it asks for may not be larger than what may come out.
pub(crate) fn xz<'b>(walker: &Walker<'_>, packed: &'b [u8]) -> impl Read + 'b {
    let (room, _) = walker.room(packed.len() as u64);
    let limit_kb = u32::try_from((room >> 10) + 1_024).unwrap_or(u32::MAX);
    lzma_rust2::XzReader::new_mem_limit(packed, true, limit_kb)
}

/// Reads Zstandard.
pub(crate) fn zstd<'b>(packed: &'b [u8]) -> Option<impl Read + 'b> {
    let mut reader = zstd::stream::read::Decoder::with_buffer(packed).ok()?;
    reader.window_log_max(ZSTD_WINDOW_LOG).ok()?;
    Some(reader)
}

/// Reads LZMA with its properties apart (a byte, and 4 for the dictionary); `size` is `u64::MAX` where an end
/// mark says it. No more of the dictionary is kept than may come out, for no more is ever looked back at.
pub(crate) fn lzma<'b>(
    walker: &Walker<'_>,
    props: &[u8],
    size: u64,
    packed: &'b [u8],
) -> Option<impl Read + use<'b>> {
    const SMALLEST: u32 = 4_096;
    let (room, _) = walker.room(packed.len() as u64);
    let room = u32::try_from(room).unwrap_or(u32::MAX).max(SMALLEST);
    let dictionary = bytes::le32(props, 1)?.clamp(SMALLEST, room);
    lzma_rust2::LzmaReader::new_with_props(packed, size, *props.first()?, dictionary, None).ok()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use crate::testing::seen;

    #[test]
    fn each_packing_gives_what_was_packed() {
        let script = b"#!/bin/sh\necho\n";
        let mut bz = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
        bz.write_all(script).unwrap();
        assert_eq!(seen(&bz.finish().unwrap()), [" = bzip2", "bzip2 = script"]);
        let zst = zstd::encode_all(&script[..], 3).unwrap();
        assert_eq!(seen(&zst), [" = zstd", "zstd = script"]);
        assert_eq!(
            seen(&zst[..zst.len() - 3]).last().unwrap(),
            "zstd ? damaged"
        );
    }

    #[test]
    fn a_dictionary_of_four_gigabytes_takes_no_memory() {
        let mut lzma = vec![0x5d];
        lzma.extend_from_slice(&0xffff_0000_u32.to_le_bytes());
        lzma.extend_from_slice(&[0xff; 8]);
        lzma.extend_from_slice(&[0; 64]);
        let lines = seen(&lzma);
        assert_eq!(lines.first().unwrap(), " = lzma");
        assert!(lines.last().unwrap().starts_with("lzma"), "{lines:?}");
    }
}
