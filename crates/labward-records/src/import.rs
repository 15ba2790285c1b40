//! Importing files: HL7 v2 messages and batches, FHIR R4 bundles.
//!
//! It must never keep a part of a file that cannot be read as a whole: everything is parsed before
//! the first record is kept. Each record is an entry; one more sums the import up.

use std::io::Read;
use std::sync::Arc;

use bzip2::read::BzDecoder;
use labward_base::id::{EntryIndex, PersonId, RecordId};
use labward_hl7::{Batch, Message};
use labward_ledger::{Action, Actor, Facts, NewEntry, Subject};
use labward_seal::sha256;
use serde_json::json;

use crate::error::RecordsError;
use crate::fhir::Bundle;
use crate::identify::{Identity, Origin, read_hl7};
use crate::intake::{Intake, Prepared, Written};
use crate::kind::RecordKind;
use crate::records::Records;

/// Records kept in one unit: they share one sync.
const RECORDS_PER_UNIT: usize = 200;
/// A packed file may unpack to so many bytes.
const UNPACKED_MAX_BYTES: u64 = 512 << 20;
/// How bzip2 files begin.
const BZIP2: &[u8] = b"BZh";

/// What became of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// How many records were kept.
    pub records: u64,
    /// How many patients were met for the first time.
    pub new_patients: u64,
    /// What they are.
    pub kind: RecordKind,
    /// SHA-256 of the file as it was given.
    pub sha256: [u8; 32],
    /// The entry that sums the import up.
    pub entry: EntryIndex,
}

/// The records of a file and whose they are.
struct Source<'a> {
    kind: RecordKind,
    records: Vec<(&'a [u8], Identity)>,
}

impl Records {
    /// Keeps everything in a file: HL7 v2 (one message, several, or batches; any line ends) or a
    /// FHIR R4 bundle, either also packed with bzip2. `authority` is that of identifiers which name
    /// none. Anything else is [`RecordsError::Unreadable`], and nothing is kept then.
    pub fn import(
        &self,
        bytes: &[u8],
        authority: Option<&str>,
        by: PersonId,
        why: &str,
    ) -> Result<Imported, RecordsError> {
        let digest = sha256(bytes);
        let unpacked;
        let plain = if bytes.starts_with(BZIP2) {
            unpacked = unpack(bytes)?;
            unpacked.as_slice()
        } else {
            bytes
        };
        let source = Source::read(plain, authority).ok_or(RecordsError::Unreadable)?;
        let (mut kept, mut new_patients) = (Vec::new(), 0u64);
        for chunk in source.records.chunks(RECORDS_PER_UNIT) {
            let prepared = self.prepare_all(chunk, source.kind, authority, &digest, by)?;
            new_patients += prepared
                .iter()
                .filter(|one| one.brings_patient())
                .map(|_| 1)
                .sum::<u64>();
            kept.extend(prepared.iter().map(|one| one.record));
            self.write_all(prepared)?;
        }
        let entry = self.sum_up(&source, &digest, &kept, new_patients, by, why)?;
        Ok(Imported {
            records: u64::try_from(kept.len()).unwrap_or(u64::MAX),
            new_patients,
            kind: source.kind,
            sha256: digest,
            entry,
        })
    }

    fn prepare_all(
        &self,
        chunk: &[(&[u8], Identity)],
        kind: RecordKind,
        authority: Option<&str>,
        digest: &[u8; 32],
        by: PersonId,
    ) -> Result<Vec<Prepared>, RecordsError> {
        let prepare = |(bytes, identity): &(&[u8], Identity)| {
            let short = digest.first_chunk::<8>().copied().unwrap_or_default();
            let mut intake = Intake {
                kind,
                action: Action::RecordImported,
                actor: Actor::Person(by),
                site: self.shared.site,
                authority: authority.map(str::to_owned),
                device: None,
                facts: Facts::new().hex("source", &short),
                hints: None,
                bytes: bytes.to_vec(),
                also: None,
            };
            self.prepare(&mut intake, identity)
        };
        chunk.iter().map(prepare).collect()
    }

    /// Writes a chunk in one unit.
    fn write_all(&self, prepared: Vec<Prepared>) -> Result<(), RecordsError> {
        let prepared = Arc::new(prepared);
        let in_unit = Arc::clone(&prepared);
        let unit = move |tx: &mut labward_store::Tx<'_>| {
            let written = in_unit.iter().map(|one| one.write(tx));
            written.collect::<Result<Vec<Written>, RecordsError>>()
        };
        let written = self.shared.store.write(unit);
        for (at, one) in prepared.iter().enumerate() {
            one.settle(written.as_ref().ok().and_then(|written| written.get(at)));
        }
        written.map(|_| ())
    }

    fn sum_up(
        &self,
        source: &Source<'_>,
        digest: &[u8; 32],
        kept: &[RecordId],
        new_patients: u64,
        by: PersonId,
        why: &str,
    ) -> Result<EntryIndex, RecordsError> {
        let mut facts = Facts::new()
            .hex("sha256", digest)
            .text("kind", source.kind.name())
            .number("records", kept.len())
            .number("new_patients", new_patients);
        if let (Some(first), Some(last)) = (kept.first(), kept.last()) {
            facts = facts
                .number("first", first.get())
                .number("last", last.get());
        }
        let detail = self.shared.seal_detail(&json!({ "why": why }))?;
        let actor = Actor::Person(by);
        let entry = NewEntry::new(
            self.shared.site,
            actor,
            Action::RecordImported,
            Subject::Records,
        );
        self.record(entry.facts(facts).detail(detail))
    }
}

impl<'a> Source<'a> {
    fn read(bytes: &'a [u8], authority: Option<&str>) -> Option<Self> {
        let origin = Origin {
            authority,
            device: None,
        };
        if bytes.trim_ascii_start().starts_with(b"{") {
            let bundle = Bundle::parse(bytes, authority)?;
            let resources = bundle.resources(authority);
            let records = resources.map(|(text, identity)| (text.as_bytes(), identity));
            return Some(Self {
                kind: RecordKind::FhirResource,
                records: records.collect(),
            });
        }
        let batch = Batch::parse(bytes).ok()?;
        let mut records = Vec::with_capacity(batch.messages().len());
        for message in batch.messages() {
            let read = Message::parse(message).ok()?;
            records.push((message, read_hl7(&read, origin)));
        }
        (!records.is_empty()).then_some(Self {
            kind: RecordKind::Hl7V2,
            records,
        })
    }
}

fn unpack(bytes: &[u8]) -> Result<Vec<u8>, RecordsError> {
    let mut unpacked = Vec::new();
    let mut decoder = BzDecoder::new(bytes).take(UNPACKED_MAX_BYTES + 1);
    decoder
        .read_to_end(&mut unpacked)
        .map_err(|_| RecordsError::Unreadable)?;
    let fits = u64::try_from(unpacked.len()).is_ok_and(|length| length <= UNPACKED_MAX_BYTES);
    if fits {
        Ok(unpacked)
    } else {
        Err(RecordsError::Unreadable)
    }
}
