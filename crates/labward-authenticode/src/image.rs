//! Where the certificate table of a PE image stands, and the hash of everything that a signature covers.
//!
//! It must never take a table for one that lies within what Windows loads: whatever stands there is not hashed.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use aws_lc_rs::digest::{Algorithm, Context, Digest};

/// The most bytes of the headers that are read, from the PE signature on.
pub const HEADER_MAX: u64 = 256 << 10;
/// The largest certificate table that is read, in bytes.
pub const TABLE_MAX: u64 = 1 << 20;

/// The DOS header.
const DOS: u64 = 0x40;
/// The PE signature and the COFF header.
const COFF: usize = 24;
/// A section's header.
const SECTION: usize = 40;
/// The magic numbers of both widths, and how far behind them the data directories begin.
const WIDTHS: [(u16, usize); 2] = [(0x10b, 96), (0x20b, 112)];
/// The header of an entry of the table: length, revision, type.
const ENTRY: usize = 8;
/// `WIN_CERT_TYPE_PKCS_SIGNED_DATA`
const PKCS_SIGNED_DATA: u16 = 2;

/// A PE image that has a certificate table.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Image {
    /// Where the four bytes of the checksum begin.
    checksum: u64,
    /// Where the eight bytes begin that say where the table is.
    entry: u64,
    /// Where the table is.
    pub(crate) table: Range<u64>,
    /// Whether the table lies in the file, and behind all that Windows loads.
    pub(crate) is_apart: bool,
    size: u64,
}

impl Image {
    /// Reads the headers; none if it is no PE image, or one without a certificate table.
    pub(crate) fn read(file: &mut (impl Read + Seek)) -> io::Result<Option<Self>> {
        let size = file.seek(SeekFrom::End(0))?;
        let dos = piece(file, 0, DOS)?;
        if !dos.starts_with(b"MZ") {
            return Ok(None);
        }
        let Some(header) = half_pair(&dos, 0x3c) else {
            return Ok(None);
        };
        let head = piece(file, u64::from(header), HEADER_MAX)?;
        Ok(Self::of(&head, u64::from(header), size))
    }

    fn of(head: &[u8], at: u64, size: u64) -> Option<Self> {
        if !head.starts_with(b"PE\0\0") {
            return None;
        }
        let magic = half(head, COFF)?;
        let (_, directories) = WIDTHS.into_iter().find(|(width, _)| *width == magic)?;
        let directories = COFF + directories;
        let entry = directories + 4 * 8;
        let (begin, length) = (half_pair(head, entry)?, half_pair(head, entry + 4)?);
        if half_pair(head, directories - 4)? <= 4 || begin == 0 || length == 0 {
            return None;
        }
        let table = u64::from(begin)..u64::from(begin) + u64::from(length);
        let loaded = loaded(head, at);
        Some(Self {
            checksum: at + (COFF + 64) as u64,
            entry: at + entry as u64,
            is_apart: loaded.is_some_and(|end| end <= table.start) && table.end <= size,
            table,
            size,
        })
    }

    /// The bytes of the table, or none if it is too large.
    pub(crate) fn table(&self, file: &mut (impl Read + Seek)) -> io::Result<Option<Vec<u8>>> {
        let length = self.table.end - self.table.start;
        if length > TABLE_MAX {
            return Ok(None);
        }
        piece(file, self.table.start, length).map(Some)
    }

    /// The hash over everything but the checksum, the table's place, and the table.
    pub(crate) fn hash(
        &self,
        file: &mut (impl Read + Seek),
        algorithm: &'static Algorithm,
    ) -> io::Result<Digest> {
        let mut hash = Context::new(algorithm);
        let parts = [
            0..self.checksum,
            self.checksum + 4..self.entry,
            self.entry + 8..self.table.start,
            self.table.end..self.size,
        ];
        let mut buffer = vec![0; 64 << 10];
        for part in parts {
            file.seek(SeekFrom::Start(part.start))?;
            let mut part = file.take(part.end.saturating_sub(part.start));
            loop {
                match part.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(n) => hash.update(buffer.get(..n).unwrap_or_default()),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(hash.finish())
    }
}

/// Where what Windows loads ends: headers and sections; none if the headers do not say so.
fn loaded(head: &[u8], at: u64) -> Option<u64> {
    let sections = usize::from(half(head, 6)?);
    let first = COFF + usize::from(half(head, 20)?);
    let headers = u64::from(half_pair(head, COFF + 60)?);
    let behind = first + sections * SECTION;
    let table = head.get(first..behind)?;
    let ends = table.chunks_exact(SECTION).map(|section| {
        let (size, begin) = (half_pair(section, 16)?, half_pair(section, 20)?);
        // A section without bytes in the file may point anywhere.
        Some(if size == 0 {
            0
        } else {
            u64::from(begin) + u64::from(size)
        })
    });
    let ends = ends.collect::<Option<Vec<u64>>>()?;
    Some(
        ends.into_iter()
            .fold(headers.max(at + behind as u64), u64::max),
    )
}

/// The first entry of a table, as PKCS #7 and what stands behind it in the table.
pub(crate) fn first_entry(table: &[u8]) -> Option<Entry<'_>> {
    let length = usize::try_from(half_pair(table, 0)?).ok()?;
    Some(Entry {
        is_pkcs7: half(table, 6)? == PKCS_SIGNED_DATA,
        bytes: table.get(ENTRY..length)?,
    })
}

/// An entry of the table.
pub(crate) struct Entry<'a> {
    pub(crate) is_pkcs7: bool,
    pub(crate) bytes: &'a [u8],
}

/// At most so many bytes from this place on.
fn piece(file: &mut (impl Read + Seek), at: u64, most: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn half_pair(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
