//! What archives hold, one file after the other, while the bytes that come out are counted.
//!
//! It must never unpack more than the [`Meter`] allows, whatever an archive says of its sizes.

use std::cell::Cell;
use std::io::{self, Cursor, Read};
use std::rc::Rc;

use super::tar::{self, BLOCK, Entry};
use super::{Bounds, FaultKind};

/// Smaller archives may unpack to this much, whatever the ratio is.
const ALWAYS_ALLOWED: u64 = 32 << 20;
/// Decoders may keep this much of what they wrote.
const XZ_MEMORY_KIB: u32 = 128 << 10;
const ZSTD_WINDOW_LOG: u32 = 27;

/// Counts what comes out of decoders, and stops them.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    bytes: Rc<Cell<u64>>,
    entries: Rc<Cell<usize>>,
    passed: Rc<Cell<Option<FaultKind>>>,
    max_bytes: u64,
    max_entries: usize,
    on_bytes: FaultKind,
}

impl Meter {
    pub(super) fn new(packed: usize, bounds: &Bounds) -> Self {
        let by_ratio = (packed as u64).saturating_mul(bounds.max_ratio);
        let by_ratio = by_ratio.max(ALWAYS_ALLOWED);
        Self {
            bytes: Rc::default(),
            entries: Rc::default(),
            passed: Rc::default(),
            max_bytes: by_ratio.min(bounds.max_total_bytes),
            max_entries: bounds.max_entries,
            on_bytes: match by_ratio < bounds.max_total_bytes {
                true => FaultKind::Ratio,
                false => FaultKind::TooMuch,
            },
        }
    }

    /// Another meter that goes on from where this one is.
    pub(super) fn fork(&self) -> Self {
        let copy = |cell: &Cell<u64>| Rc::new(Cell::new(cell.get()));
        Self {
            bytes: copy(&self.bytes),
            entries: Rc::new(Cell::new(self.entries.get())),
            passed: Rc::new(Cell::new(self.passed.get())),
            ..self.clone()
        }
    }

    /// The bound that was passed, if one was.
    pub(super) fn passed(&self) -> Option<FaultKind> {
        self.passed.get()
    }

    pub(super) fn entry(&self) -> Result<(), FaultKind> {
        self.entries.set(self.entries.get() + 1);
        if self.entries.get() > self.max_entries {
            self.passed.set(Some(FaultKind::TooManyEntries));
        }
        self.passed().map_or(Ok(()), Err)
    }

    fn count(&self, read: usize) -> io::Result<usize> {
        self.bytes.set(self.bytes.get().saturating_add(read as u64));
        if self.bytes.get() > self.max_bytes {
            self.passed.set(Some(self.on_bytes));
            return Err(io::Error::other("more than the bound"));
        }
        Ok(read)
    }
}

struct Metered<R> {
    inner: R,
    meter: Meter,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.meter.count(read)
    }
}

/// What some bytes turn out to be.
pub(super) enum Opened<'b> {
    /// No archive.
    Plain,
    /// One file that was compressed.
    Packed(Box<dyn Read + 'b>),
    Tar(Box<dyn Read + 'b>),
    Zip(&'b [u8]),
}

/// Looks at the first bytes.
pub(super) fn open<'b>(bytes: &'b [u8], meter: &Meter) -> Result<Opened<'b>, FaultKind> {
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return Ok(Opened::Zip(bytes));
    }
    let Some(decoder) = decoder(bytes)? else {
        return Ok(match tar::is_header(bytes) {
            true => Opened::Tar(Box::new(metered(bytes, meter))),
            false => Opened::Plain,
        });
    };
    let mut stream = metered(decoder, meter);
    let mut start = Vec::with_capacity(BLOCK);
    let read = stream.by_ref().take(BLOCK as u64).read_to_end(&mut start);
    read.map_err(|_| meter.passed().unwrap_or(FaultKind::Damaged))?;
    let is_tar = tar::is_header(&start);
    let whole = Box::new(Cursor::new(start).chain(stream));
    Ok(match is_tar {
        true => Opened::Tar(whole),
        false => Opened::Packed(whole),
    })
}

fn metered<R: Read>(inner: R, meter: &Meter) -> Metered<R> {
    Metered {
        inner,
        meter: meter.clone(),
    }
}

fn decoder(bytes: &[u8]) -> Result<Option<Box<dyn Read + '_>>, FaultKind> {
    Ok(Some(match bytes {
        [0x1f, 0x8b, ..] => Box::new(flate2::read::MultiGzDecoder::new(bytes)),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
            let xz = lzma_rust2::XzReader::new_mem_limit(bytes, true, XZ_MEMORY_KIB);
            Box::new(xz)
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            let zstd = zstd::stream::read::Decoder::with_buffer(bytes).and_then(|mut decoder| {
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                Ok(decoder)
            });
            Box::new(zstd.map_err(|_| FaultKind::Damaged)?)
        }
        _ => return Ok(None),
    }))
}

/// Goes through the files of a zip archive in the order of its directory.
pub(super) fn zip_entries(
    bytes: &[u8],
    meter: &Meter,
    mut visit: impl FnMut(&str, Entry<'_>) -> Result<(), FaultKind>,
) -> Result<(), FaultKind> {
    let archive = zip::ZipArchive::new(Cursor::new(bytes));
    let mut archive = archive.map_err(|_| FaultKind::Damaged)?;
    for index in 0..archive.len() {
        let Ok(name) = archive
            .by_index_raw(index)
            .map(|file| name_of(file.name_raw()))
        else {
            visit(&format!("#{}", index + 1), Entry::Other)?;
            continue;
        };
        match archive.by_index(index) {
            Ok(file) if file.is_dir() => visit(&name, Entry::Folder)?,
            Ok(file) if file.is_file() => visit(&name, Entry::File(&mut metered(file, meter)))?,
            Ok(_) | Err(_) => visit(&name, Entry::Other)?,
        }
    }
    Ok(())
}

fn name_of(raw: &[u8]) -> String {
    String::from_utf8_lossy(raw).into_owned()
}
