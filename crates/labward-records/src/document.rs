//! Documents: any bytes of a patient, of any size, in as they come and out in any part.
//!
//! It must never hold more of a large document in memory than a chunk, write a byte of it to disk
//! unsealed, or give a byte out before that was recorded.

use std::io::{self, Read as _, Write};
use std::sync::Arc;

use labward_base::Secret;
use labward_base::id::{EntryIndex, PatientId, PersonId, RecordId};
use labward_ledger::{Action, Actor, Facts, NewEntry, Subject, append};
use labward_seal::{Context, SealKey};
use serde_json::json;
use zeroize::Zeroizing;

use crate::blob::{self, FileWriter, INLINE_MAX_BYTES, Reader};
use crate::error::RecordsError;
use crate::hints;
use crate::kind::RecordKind;
use crate::records::{Opener, Records, Shared, context};
use crate::retention::RetentionClass;
use crate::store;

/// Bytes copied at once while a document is read.
const COPY_BYTES: usize = 64 * 1024;

/// A document that is coming in; dropped unfinished, nothing of it stays.
pub struct Arriving {
    shared: Arc<Shared>,
    patient: PatientId,
    record: RecordId,
    key: Arc<SealKey>,
    epoch: u32,
    context: Context,
    length: u64,
    /// What there is of it, until it is too large for its entry.
    small: Zeroizing<Vec<u8>>,
    file: Option<FileWriter>,
}

/// A document that is sealed on the disk and not kept yet; dropped, nothing of it stays.
pub struct Written {
    shared: Arc<Shared>,
    patient: PatientId,
    record: RecordId,
    key: Arc<SealKey>,
    epoch: u32,
    context: Context,
    length: u64,
    /// What is to be sealed into its entry.
    plain: Secret<Vec<u8>>,
    /// Whether a file would be left behind.
    is_file: bool,
}

/// A document that was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptDocument {
    /// The record.
    pub record: RecordId,
    /// Its length in bytes.
    pub size_bytes: u64,
    /// The entry that keeps it.
    pub entry: EntryIndex,
}

/// Bytes of a record, from the first to the last one, both counted from 0 and included; without a
/// last one to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// The first byte.
    pub first: u64,
    /// The last byte.
    pub last: Option<u64>,
}

/// A record, or a part of it, whose reading was recorded.
pub struct Reading {
    /// The length of the whole record in bytes.
    pub length_bytes: u64,
    /// The entry that records the reading.
    pub entry: EntryIndex,
    reader: Reader,
    left: u64,
}

impl Records {
    /// Begins to keep a document of `patient`; its bytes are written into what is returned.
    ///
    /// # Errors
    /// [`RecordsError::NoPatient`] if there is no such patient, or no more.
    pub fn receive_document(&self, patient: PatientId) -> Result<Arriving, RecordsError> {
        self.known(patient)?;
        let shared = Arc::clone(&self.shared);
        let (key, epoch) = shared.key_of(Some(patient))?;
        let record = shared.ids.next();
        let kind = RecordKind::Document.code();
        Ok(Arriving {
            context: context(shared.site, Some(patient), kind, record),
            shared,
            patient,
            record,
            key,
            epoch,
            length: 0,
            // Never outgrown, so that no copy is left unwiped; memory is taken as it is used.
            small: Zeroizing::new(Vec::with_capacity(INLINE_MAX_BYTES)),
            file: None,
        })
    }

    /// Reads a record, or a part of it, as it came, after that was recorded.
    ///
    /// # Errors
    /// [`RecordsError::NotFound`], [`RecordsError::Damaged`], and [`RecordsError::Beyond`] if the
    /// part begins behind the record's end or ends before its beginning.
    pub fn read(
        &self,
        record: RecordId,
        part: Option<Part>,
        by: PersonId,
        why: &str,
    ) -> Result<Reading, RecordsError> {
        let stored = self.entry_of(record)?;
        let mut reader = self.reader(record, &stored)?;
        let length_bytes = reader.length_bytes();
        let mut facts = Facts::new().text("format", "original").number("records", 1);
        let mut left = length_bytes;
        if let Some(Part { first, last }) = part {
            let last = last.unwrap_or(u64::MAX).min(length_bytes.saturating_sub(1));
            if first > last || first >= length_bytes {
                return Err(RecordsError::Beyond { length_bytes });
            }
            left = last - first + 1;
            reader.seek(first).map_err(RecordsError::Blob)?;
            facts = facts.number("first", first).number("last", last);
        }
        let detail = self.shared.seal_detail(&json!({ "why": why }))?;
        let mut entry = NewEntry::new(
            self.shared.site,
            Actor::Person(by),
            Action::RecordExported,
            Subject::Record(record),
        );
        entry.patient = stored.patient;
        let entry = self.record(entry.facts(facts).detail(detail))?;
        Ok(Reading {
            length_bytes,
            entry,
            reader,
            left,
        })
    }
}

impl Arriving {
    /// Seals what was written, durably; nothing knows of it before [`Written::keep`].
    ///
    /// # Errors
    /// What the disk says; nothing stays then.
    pub fn seal(self) -> Result<Written, RecordsError> {
        let is_file = self.file.is_some();
        let plain = match self.file {
            Some(file) => file.finish()?,
            None => {
                let kind = RecordKind::Document;
                blob::encode(
                    &self.shared.blobs,
                    &self.key,
                    &self.context,
                    kind,
                    &self.small,
                )?
            }
        };
        Ok(Written {
            shared: self.shared,
            patient: self.patient,
            record: self.record,
            key: self.key,
            epoch: self.epoch,
            context: self.context,
            length: self.length,
            plain,
            is_file,
        })
    }

    /// Seals what was written and keeps it.
    ///
    /// # Errors
    /// As [`Arriving::seal`] and [`Written::keep`].
    pub fn finish(self, by: PersonId, why: &str) -> Result<KeptDocument, RecordsError> {
        self.seal()?.keep(by, why)
    }
}

impl Written {
    /// Its length in bytes.
    pub const fn length_bytes(&self) -> u64 {
        self.length
    }

    /// What opens it to be read, chunk by chunk, by program alone: nobody is shown it, so nothing is recorded. It must
    /// not be asked once this is dropped or disposed of.
    pub fn opener(&self) -> Opener {
        let (shared, key, context) = (
            Arc::clone(&self.shared),
            Arc::clone(&self.key),
            self.context,
        );
        let plain = Secret::new(self.plain.expose().clone());
        Box::new(move || {
            let plain = Secret::new(plain.expose().clone());
            let reader = Reader::open(&shared.blobs, &key, &context, plain);
            Ok(Box::new(reader.map_err(io::Error::other)?))
        })
    }

    /// Keeps it, with its entry; when this returns it is durable.
    ///
    /// # Errors
    /// [`RecordsError::NoPatient`] if the patient was disposed of meanwhile; nothing stays then.
    pub fn keep(mut self, by: PersonId, why: &str) -> Result<KeptDocument, RecordsError> {
        let (shared, record, patient) = (Arc::clone(&self.shared), self.record, self.patient);
        let mut entry = NewEntry::new(
            shared.site,
            Actor::Person(by),
            Action::RecordImported,
            Subject::Record(record),
        );
        let mut beside = Vec::new();
        hints::put(
            &mut beside,
            hints::RETENTION,
            &[RetentionClass::default().code()],
        );
        entry.hints = Some(beside);
        entry.record = Some(record);
        entry.patient = Some(patient);
        entry.kind = RecordKind::Document.code();
        let plain = self.plain.expose();
        let sealed = labward_seal::seal(&self.key, self.epoch, &self.context, plain)?;
        entry.payload = Some(sealed);
        let facts = Facts::new().text("kind", RecordKind::Document.name());
        let detail = shared.seal_detail(&json!({ "why": why }))?;
        let facts = facts.number("size", self.length);
        let entry = entry.facts(facts).detail(detail);
        let entry = shared.store.write(move |tx| -> Result<_, RecordsError> {
            // A disposal may have come between: nothing may be kept under a destroyed key.
            if store::is_active(tx, patient)? != Some(true) {
                return Err(RecordsError::NoPatient);
            }
            Ok(append(tx, &entry)?)
        })?;
        // It stays.
        self.is_file = false;
        Ok(KeptDocument {
            record,
            size_bytes: self.length,
            entry,
        })
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        if self.is_file {
            self.shared.blobs.remove(self.record);
        }
    }
}

impl Write for Arriving {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.file.is_none() && self.small.len() + bytes.len() > INLINE_MAX_BYTES {
            let begun = FileWriter::begin(&self.shared.blobs, &self.key, &self.context);
            let mut file = begun.map_err(io::Error::other)?;
            file.write_all(&self.small)?;
            self.small = Zeroizing::default();
            self.file = Some(file);
        }
        let taken = match &mut self.file {
            Some(file) => file.write(bytes)?,
            None => {
                self.small.extend_from_slice(bytes);
                bytes.len()
            }
        };
        self.length += u64::try_from(taken).map_err(io::Error::other)?;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Reading {
    /// Writes the bytes that were asked for to `out`.
    ///
    /// # Errors
    /// Those of `out`; one of kind `InvalidData` if a chunk of the record was damaged: what was
    /// written before it is whole.
    pub fn write_to(mut self, out: &mut dyn Write) -> io::Result<()> {
        copy_out(&mut self.reader, self.left, out)
    }
}

/// Writes `left` bytes of a record to `out`, a chunk at a time.
pub(crate) fn copy_out(reader: &mut Reader, mut left: u64, out: &mut dyn Write) -> io::Result<()> {
    let mut chunk = Zeroizing::new(vec![0; COPY_BYTES]);
    while left > 0 {
        let wanted = COPY_BYTES.min(usize::try_from(left).unwrap_or(COPY_BYTES));
        let room = chunk.get_mut(..wanted).unwrap_or_default();
        let read = reader.read(room)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        out.write_all(room.get(..read).unwrap_or_default())?;
        left -= u64::try_from(read).map_err(io::Error::other)?;
    }
    Ok(())
}
