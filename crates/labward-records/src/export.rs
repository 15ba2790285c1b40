//! Exports: a record, or all of a patient, written out after that was recorded.
//!
//! It must never hand out a byte before the entry that says so is durable, begin what it cannot open,
//! or hold more of a large document in memory than a chunk.
//! Carries out 45 CFR 164.312(b) and 164.528 (accounting of disclosures).

use std::io::{self, Write};

use labward_base::id::{EntryIndex, PatientId, PersonId, RecordId};
use labward_base::{Secret, Timestamp};
use labward_ledger::{Action, Facts, StoredEntry, Subject};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::blob::Reader;
use crate::document::copy_out;
use crate::error::RecordsError;
use crate::kind::RecordKind;
use crate::records::{Records, entry_in};
use crate::show::leaf_of;

/// Bytes of small records that are kept while the others are looked at, so that most exports open
/// each record once.
const HELD_MAX_BYTES: usize = 8 << 20;

/// Records that are looked at in one snapshot: to begin one costs as much as to read one.
const PAGE: usize = 64;

/// What is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Everything of a patient and of all that were merged into one.
    Patient(PatientId),
    /// One record.
    Record(RecordId),
}

/// How it is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line, each with the record's number, kind, time and view; a document above
    /// 1 MiB by its size.
    Json,
    /// The bytes as they came, one record behind the other, the oldest first.
    Original,
}

/// An export that was recorded, and is written out next.
pub struct Exported {
    /// How many records it holds.
    pub records: u64,
    /// The entry that records it.
    pub entry: EntryIndex,
    from: Records,
    format: Format,
    leaving: Vec<Leaving>,
}

/// One record of an export.
struct Leaving {
    record: RecordId,
    kind: RecordKind,
    time: Timestamp,
    /// Its bytes, unless it lies in a file or there was no more room to hold it.
    held: Option<Secret<Vec<u8>>>,
}

impl Records {
    /// Exports a record or a patient, after that was recorded.
    ///
    /// # Errors
    /// [`RecordsError::NotFound`], [`RecordsError::NoPatient`], [`RecordsError::Damaged`] if a record
    /// does not open: nothing is recorded and nothing leaves then.
    pub fn export(
        &self,
        what: What,
        format: Format,
        by: PersonId,
        why: &str,
    ) -> Result<Exported, RecordsError> {
        let (subject, patient, records) = self.selected(what)?;
        let mut leaving = Vec::new();
        let mut room = HELD_MAX_BYTES;
        for page in records.chunks(PAGE) {
            self.shared.store.read(|snapshot| {
                for record in page {
                    let stored = entry_in(snapshot, *record);
                    match stored.and_then(|stored| self.look_at(*record, &stored, &mut room)) {
                        Ok(one) => leaving.push(one),
                        // Its payload has reached the end of its retention.
                        Err(RecordsError::NotFound) if records.len() > 1 => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(())
            })?;
        }
        let count = u64::try_from(leaving.len()).unwrap_or(u64::MAX);
        let name = match format {
            Format::Json => "json",
            Format::Original => "original",
        };
        let mut entry = self.reading(Action::RecordExported, subject, by, why)?;
        entry.patient = patient;
        entry.facts = Facts::new().text("format", name).number("records", count);
        let entry = self.record(entry)?;
        Ok(Exported {
            records: count,
            entry,
            from: self.clone(),
            format,
            leaving,
        })
    }

    /// Opens a record, and holds it if it is small and there is `room`.
    fn look_at(
        &self,
        record: RecordId,
        stored: &StoredEntry,
        room: &mut usize,
    ) -> Result<Leaving, RecordsError> {
        let held = match self.reader(record, stored)? {
            Reader::Whole { bytes, .. } if bytes.expose().len() <= *room => {
                *room -= bytes.expose().len();
                Some(bytes)
            }
            _ => None,
        };
        Ok(Leaving {
            record,
            kind: RecordKind::from_code(stored.kind).ok_or(RecordsError::Damaged)?,
            time: leaf_of(stored)?.time,
            held,
        })
    }

    fn selected(
        &self,
        what: What,
    ) -> Result<(Subject, Option<PatientId>, Vec<RecordId>), RecordsError> {
        match what {
            What::Record(record) => {
                let patient = self.entry_of(record)?.patient;
                Ok((Subject::Record(record), patient, vec![record]))
            }
            What::Patient(patient) => {
                self.known(patient)?;
                self.catch_up()?;
                let mut records = Vec::new();
                for member in self.group(patient) {
                    records.extend(self.records_of(member)?);
                }
                records.sort();
                Ok((Subject::Patient(patient), Some(patient), records))
            }
        }
    }
}

impl Exported {
    /// Writes the records to `out`.
    ///
    /// # Errors
    /// Those of `out`; one of kind `InvalidData` if a record was damaged, and another if one has gone
    /// meanwhile: what was written before it is whole.
    pub fn write_to(self, out: &mut dyn Write) -> io::Result<()> {
        let mut out = Joined { out, last: None };
        for one in self.leaving {
            match self.format {
                Format::Original => {
                    out.part()?;
                    one.write_original(&self.from, &mut out)?;
                }
                Format::Json => {
                    let view = one.view(&self.from).map_err(broken)?;
                    let line = json!({
                        "record": one.record.get(),
                        "kind": one.kind.name(),
                        "time": one.time.to_rfc3339(),
                        "view": view,
                    });
                    out.write_all(Zeroizing::new(format!("{line}\n")).as_bytes())?;
                }
            }
        }
        Ok(())
    }
}

impl Leaving {
    fn write_original(&self, from: &Records, out: &mut dyn Write) -> io::Result<()> {
        if let Some(held) = &self.held {
            return out.write_all(held.expose());
        }
        let mut reader = self.reader(from).map_err(broken)?;
        let length_bytes = reader.length_bytes();
        copy_out(&mut reader, length_bytes, out)
    }

    fn view(&self, from: &Records) -> Result<Value, RecordsError> {
        match &self.held {
            Some(held) => Ok(crate::show::view(self.kind, held.expose())),
            None => Ok(from.viewed(self.record, &from.entry_of(self.record)?)?.view),
        }
    }

    fn reader(&self, from: &Records) -> Result<Reader, RecordsError> {
        from.reader(self.record, &from.entry_of(self.record)?)
    }
}

fn broken(error: RecordsError) -> io::Error {
    match error {
        RecordsError::Damaged => io::Error::new(io::ErrorKind::InvalidData, error),
        error => io::Error::other(error),
    }
}

/// Knows how what was written ends.
struct Joined<'a> {
    out: &'a mut dyn Write,
    last: Option<u8>,
}

impl Joined<'_> {
    /// Begins one more record. Only between two: one alone leaves byte for byte as it came.
    fn part(&mut self) -> io::Result<()> {
        match self.last {
            None | Some(b'\r' | b'\n') => Ok(()),
            Some(_) => self.write_all(b"\n"),
        }
    }
}

impl Write for Joined<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.out.write(bytes)?;
        if let Some(last) = bytes.get(..taken).and_then(<[u8]>::last) {
            self.last = Some(*last);
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
