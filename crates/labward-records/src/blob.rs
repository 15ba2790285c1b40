//! Records over 1 MiB: sealed files in `blob/aa/<record>`, of which the entry keeps the digest.
//!
//! It must never leave a file's name to anything but the record's number, take a file whose digest
//! is not the entry's, or write the row before the file is durable.

use std::fs::{self, File};
use std::io::{self, Read, Seek as _, SeekFrom, Write};
use std::path::PathBuf;

use labward_base::Secret;
use labward_base::id::RecordId;
use labward_os::{NewFile, sync_folder};
use labward_seal::chunked::{Opener, Sealer};
use labward_seal::{Context, SealKey, Sha256, constant_time_eq, sha256};
use labward_store::StoreError;

use crate::error::RecordsError;
use crate::kind::RecordKind;
use crate::pack;

/// Larger records become files.
pub(crate) const INLINE_MAX_BYTES: usize = 1 << 20;
/// Who may read the files: the server alone.
const FILE_MODE: u32 = 0o600;

/// First byte of a sealed payload: the record follows as it is.
const AS_IS: u8 = 0;
/// First byte of a sealed payload: the record follows packed, as [`crate::pack`] says.
const PACKED: u8 = 1;
/// First byte of a sealed payload: digest (32 bytes) and plain length (8 bytes) of a file follow.
const IN_FILE: u8 = 2;

/// The folder of sealed files.
pub(crate) struct BlobFolder {
    root: PathBuf,
}

impl BlobFolder {
    pub(crate) fn open(root: PathBuf) -> Result<Self, RecordsError> {
        fs::create_dir_all(&root).map_err(RecordsError::Blob)?;
        Ok(Self { root })
    }

    /// Removes the files of records that were never committed, as a crash leaves them.
    pub(crate) fn sweep(
        &self,
        is_kept: &mut dyn FnMut(RecordId) -> Result<bool, StoreError>,
    ) -> Result<(), RecordsError> {
        for folder in fs::read_dir(&self.root).map_err(RecordsError::Blob)? {
            let folder = folder.map_err(RecordsError::Blob)?.path();
            if !folder.is_dir() {
                continue;
            }
            for file in fs::read_dir(&folder).map_err(RecordsError::Blob)? {
                let file = file.map_err(RecordsError::Blob)?.path();
                let name = file.file_name().and_then(|name| name.to_str());
                let record = name.and_then(|name| u64::from_str_radix(name, 16).ok());
                let kept = record
                    .map(|record| is_kept(RecordId::new(record)))
                    .transpose()?;
                // A name that is no number is a half-written file: names are given at the end.
                if kept != Some(true) {
                    fs::remove_file(&file).map_err(RecordsError::Blob)?;
                }
            }
        }
        Ok(())
    }

    /// Removes the file of a record whose unit was rolled back; the next sweep would too.
    pub(crate) fn remove(&self, record: RecordId) {
        let _ = fs::remove_file(self.path(record));
    }

    fn path(&self, record: RecordId) -> PathBuf {
        let folder = format!("{:02x}", record.get() & 0xff);
        self.root
            .join(folder)
            .join(format!("{:016x}", record.get()))
    }

    /// Begins the file of a record.
    fn begin(&self, record: RecordId) -> Result<NewFile, RecordsError> {
        let path = self.path(record);
        if let Some(folder) = path.parent()
            && !folder.is_dir()
        {
            fs::create_dir_all(folder).map_err(RecordsError::Blob)?;
            sync_folder(&self.root).map_err(other)?;
        }
        NewFile::begin(&path, FILE_MODE).map_err(other)
    }
}

/// A record's file that is sealed while it is written; dropped unfinished it is gone.
pub(crate) struct FileWriter {
    sealer: Sealer<Digesting>,
    length: u64,
}

/// Knows the digest of what went through.
struct Digesting {
    file: NewFile,
    digest: Sha256,
}

impl FileWriter {
    pub(crate) fn begin(
        folder: &BlobFolder,
        key: &SealKey,
        context: &Context,
    ) -> Result<Self, RecordsError> {
        let to = Digesting {
            file: folder.begin(context.record)?,
            digest: Sha256::new(),
        };
        let sealer = Sealer::new(to, key, &context.to_bytes()).map_err(RecordsError::Blob)?;
        Ok(Self { sealer, length: 0 })
    }

    /// Puts the file in place, durable; what is to be sealed into its entry.
    pub(crate) fn finish(self) -> Result<Secret<Vec<u8>>, RecordsError> {
        let Digesting { file, digest } = self.sealer.finish().map_err(RecordsError::Blob)?;
        file.finish().map_err(other)?;
        let mut plain = vec![IN_FILE];
        plain.extend_from_slice(&digest.finish());
        plain.extend_from_slice(&self.length.to_be_bytes());
        Ok(Secret::new(plain))
    }
}

impl Write for FileWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.sealer.write(bytes)?;
        self.length += u64::try_from(taken).map_err(io::Error::other)?;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sealer.flush()
    }
}

impl Write for Digesting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.file.write(bytes)?;
        self.digest.update(bytes.get(..taken).unwrap_or(bytes));
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// What is to be sealed into the entry for these bytes; large ones go into a file first.
pub(crate) fn encode(
    folder: &BlobFolder,
    key: &SealKey,
    context: &Context,
    kind: RecordKind,
    bytes: &[u8],
) -> Result<Secret<Vec<u8>>, RecordsError> {
    if bytes.len() <= INLINE_MAX_BYTES {
        let packed = pack::pack(kind, bytes);
        let (form, bytes) = match &packed {
            Some(packed) => (PACKED, packed.expose().as_slice()),
            None => (AS_IS, bytes),
        };
        let mut plain = Vec::with_capacity(bytes.len() + 1);
        plain.push(form);
        plain.extend_from_slice(bytes);
        return Ok(Secret::new(plain));
    }
    let mut file = FileWriter::begin(folder, key, context)?;
    file.write_all(bytes).map_err(RecordsError::Blob)?;
    file.finish()
}

/// A record opened to be read from any place: chunk by chunk if it lies in a file.
pub(crate) enum Reader {
    /// It was small.
    Whole { bytes: Secret<Vec<u8>>, at: u64 },
    /// It lies in a file; each chunk is authenticated before a byte of it is given out.
    Chunks(Box<Opener<File>>),
}

impl Reader {
    /// Opens the record behind what was sealed into its entry; of a file, its beginning and its end.
    pub(crate) fn open(
        folder: &BlobFolder,
        key: &SealKey,
        context: &Context,
        plain: Secret<Vec<u8>>,
    ) -> Result<Self, RecordsError> {
        let Some((&IN_FILE, place)) = plain.expose().split_first() else {
            let bytes = decode(folder, key, context, plain)?;
            return Ok(Self::Whole { bytes, at: 0 });
        };
        let (_, length) = split_place(place)?;
        let file = File::open(folder.path(context.record)).map_err(RecordsError::Blob)?;
        let opener =
            Opener::new(file, key, &context.to_bytes()).map_err(|_| RecordsError::Damaged)?;
        if opener.length_bytes() != length {
            return Err(RecordsError::Damaged);
        }
        Ok(Self::Chunks(Box::new(opener)))
    }

    /// Its length in bytes.
    pub(crate) fn length_bytes(&self) -> u64 {
        match self {
            Self::Whole { bytes, .. } => u64::try_from(bytes.expose().len()).unwrap_or(u64::MAX),
            Self::Chunks(opener) => opener.length_bytes(),
        }
    }

    /// Goes on reading at byte `to`.
    pub(crate) fn seek(&mut self, to: u64) -> io::Result<()> {
        match self {
            Self::Whole { at, .. } => *at = to,
            Self::Chunks(opener) => {
                opener.seek(SeekFrom::Start(to))?;
            }
        }
        Ok(())
    }
}

impl Read for Reader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Whole { bytes, at } => {
                let from = usize::try_from(*at).unwrap_or(usize::MAX);
                let read = bytes.expose().get(from..).unwrap_or_default().read(out)?;
                *at += u64::try_from(read).map_err(io::Error::other)?;
                Ok(read)
            }
            Self::Chunks(opener) => opener.read(out),
        }
    }
}

/// Digest and plain length of a file.
fn split_place(place: &[u8]) -> Result<(&[u8; 32], u64), RecordsError> {
    let (digest, length) = place
        .split_first_chunk::<32>()
        .ok_or(RecordsError::Damaged)?;
    let length = length.try_into().map_err(|_| RecordsError::Damaged)?;
    Ok((digest, u64::from_be_bytes(length)))
}

/// The record behind what was sealed into its entry.
pub(crate) fn decode(
    folder: &BlobFolder,
    key: &SealKey,
    context: &Context,
    plain: Secret<Vec<u8>>,
) -> Result<Secret<Vec<u8>>, RecordsError> {
    match plain.expose().split_first() {
        Some((&AS_IS, bytes)) => Ok(Secret::new(bytes.to_vec())),
        Some((&PACKED, bytes)) => {
            pack::unpack(bytes, INLINE_MAX_BYTES).ok_or(RecordsError::Damaged)
        }
        Some((&IN_FILE, place)) => read_file(folder, key, context, place),
        _ => Err(RecordsError::Damaged),
    }
}

fn read_file(
    folder: &BlobFolder,
    key: &SealKey,
    context: &Context,
    place: &[u8],
) -> Result<Secret<Vec<u8>>, RecordsError> {
    let (digest, length) = split_place(place)?;
    let mut sealed = Vec::new();
    File::open(folder.path(context.record))
        .and_then(|mut file| file.read_to_end(&mut sealed))
        .map_err(RecordsError::Blob)?;
    if !constant_time_eq(&sha256(&sealed), digest) {
        return Err(RecordsError::Damaged);
    }
    let open = || -> io::Result<Vec<u8>> {
        let from = io::Cursor::new(&sealed);
        let mut opener = Opener::new(from, key, &context.to_bytes())?;
        let mut bytes = Vec::new();
        opener.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = open().map_err(|_| RecordsError::Damaged)?;
    if u64::try_from(bytes.len()).ok() != Some(length) {
        return Err(RecordsError::Damaged);
    }
    Ok(Secret::new(bytes))
}

fn other(error: labward_os::OsError) -> RecordsError {
    RecordsError::Blob(io::Error::other(error))
}
