//! `records` and `patients`: every reading has a reason and is recorded before it is answered.
//!
//! It must never take an identifier from a path or a query string, or log what it was asked.
//! Carries out 45 CFR 164.312(b) and 164.528.

use std::io::{self, Read as _, Write as _};

use labward_api::Why;
use labward_api::record::{
    AddedDocument, Dispose, Disposed, Earlier, Export, Find, Found, Imported, PatientHit,
    RecordHit, ShowRecord, Shown,
};
use labward_base::id::{EntryIndex, PatientId, PersonId, RecordId};
use labward_base::{hex, problem};
use labward_records::{
    Criteria, Format, IndexedRecord, Override, Part, Recorded, Records, RecordsError, What,
};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::call::{Answer, Call, reason};
use super::failure::{Failure, chain};
use super::glass::lasts;
use crate::malware::imports::{self, Brought, Content};
use crate::malware::keeping;

/// Bytes of an upload that are taken at once.
const COPY_BYTES: usize = 64 * 1024;

/// `POST records/find`
pub(super) fn find(call: &Call) -> Result<Answer, Failure> {
    let (criteria, why) = criteria(call.json()?)?;
    let found = call.opened()?.records.find(&criteria, call.by(), &why)?;
    answer_found(found)
}

/// `POST break-glass/find`
pub(super) fn find_break_glass(call: &Call) -> Result<Answer, Failure> {
    let (criteria, why) = criteria(call.json()?)?;
    let records = &call.opened()?.records;
    let found = call
        .core
        .reserve
        .find(records, &criteria, call.by(), &why, lasts(&call.core))?;
    call.core
        .ledger
        .note(&found.recorded, call.core.clock.now());
    answer_found(found)
}

fn criteria(find: Find) -> Result<(Criteria, String), Failure> {
    let why = reason(&find.why)?.to_owned();
    let criteria = Criteria {
        mrn: find.mrn,
        authority: find.authority,
        name: find.name,
        birth_date: find.birth_date,
        accession: find.accession,
        limit: find.limit,
    };
    Ok((criteria, why))
}

fn answer_found(found: labward_records::Found) -> Result<Answer, Failure> {
    let (entry, reserve) = places(found.recorded);
    Answer::json(&Found {
        patients: found.patients.into_iter().map(patient_hit).collect(),
        loading: found.loading,
        entry,
        reserve,
    })
}

/// The entry, or the number in the reserve.
pub(super) fn places(recorded: Recorded) -> (Option<u64>, Option<u64>) {
    match recorded {
        Recorded::Entry(index) => (Some(index.get()), None),
        Recorded::Reserve(number) => (None, Some(number)),
    }
}

/// `POST records/{record}/show`
pub(super) fn show(call: &Call) -> Result<Answer, Failure> {
    let record: RecordId = call.param("record")?;
    let ShowRecord { why, earlier } = call.json()?;
    let (opened, why) = (call.opened()?, reason(&why)?);
    answer_shown(match earlier {
        true => opened.records.show_with_earlier(record, call.by(), why)?,
        false => opened.records.show(record, call.by(), why)?,
    })
}

/// `POST break-glass/records/{record}`
pub(super) fn show_break_glass(call: &Call) -> Result<Answer, Failure> {
    let record: RecordId = call.param("record")?;
    let Why { why } = call.json()?;
    let (records, why) = (&call.opened()?.records, reason(&why)?);
    let lasts = lasts(&call.core);
    let shown = call
        .core
        .reserve
        .show(records, record, call.by(), why, lasts)?;
    call.core
        .ledger
        .note(&shown.recorded, call.core.clock.now());
    answer_shown(shown)
}

fn answer_shown(shown: labward_records::Shown) -> Result<Answer, Failure> {
    let (entry, reserve) = places(shown.recorded);
    Answer::json(&Shown {
        record: shown.record.get(),
        kind: shown.kind.name().to_owned(),
        patient: shown.patient.map(PatientId::get),
        time: shown.time.to_rfc3339(),
        view: shown.view,
        report: shown.report,
        earlier: shown.earlier.map(|earlier| Earlier {
            tests: earlier.tests,
            read: earlier.read,
            unopened: earlier.unopened.into_iter().map(RecordId::get).collect(),
        }),
        entry,
        reserve,
    })
}

/// `POST records/export`
pub(super) fn export(call: &Call) -> Result<Answer, Failure> {
    let export: Export = call.json()?;
    let why = reason(&export.why)?;
    let what = match (export.record, export.patient) {
        (Some(record), None) => What::Record(RecordId::new(record)),
        (None, Some(patient)) => What::Patient(PatientId::new(patient)),
        _ => return Err(Failure::bad_request("either a record or a patient")),
    };
    let format = match export.format.as_str() {
        "json" => Format::Json,
        "original" => Format::Original,
        _ => return Err(Failure::bad_request("the format is json or original")),
    };
    let records = &call.opened()?.records;
    let part = match (export.first, export.last) {
        (None, None) => None,
        (first, last) => Some(Part {
            first: first.unwrap_or_default(),
            last,
        }),
    };
    match (what, format) {
        (What::Record(record), Format::Original) => {
            let reading = records.read(record, part, call.by(), why)?;
            Ok(Answer::Stream(Box::new(move |out| {
                reading.write_to(out).map_err(broken_off)
            })))
        }
        _ if part.is_some() => Err(Failure::bad_request(
            "a part can be had only of one record in its original form",
        )),
        _ => {
            let exported = records.export(what, format, call.by(), why)?;
            Ok(Answer::Stream(Box::new(move |out| {
                exported.write_to(out).map_err(broken_off)
            })))
        }
    }
}

/// Why an export did not come to its end.
fn broken_off(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::InvalidData => Failure::new(&problem::RECORDS_DAMAGED),
        _ => Failure::new(&problem::SERVER_BUSY),
    }
}

/// What `patients/{patient}/documents` takes in the query string.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DocumentQuery {
    #[serde(default)]
    why: String,
}

/// `POST patients/{patient}/documents`
pub(super) fn add_document(call: &Call) -> Result<Answer, Failure> {
    let patient: PatientId = call.param("patient")?;
    let query: DocumentQuery = call.query()?;
    let why = reason(&query.why)?;
    let mut arriving = call.opened()?.records.receive_document(patient)?;
    let mut upload = call.upload()?;
    let mut chunk = Zeroizing::new(vec![0; COPY_BYTES]);
    loop {
        let broken = |_| Failure::bad_request("the body broke off; nothing of it was kept");
        let read = upload.read(&mut chunk).map_err(broken)?;
        let Some(bytes) = chunk.get(..read).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        arriving.write_all(bytes).map_err(RecordsError::Blob)?;
    }
    let written = arriving.seal()?;
    let brought = Brought {
        endpoint: "patients/{patient}/documents",
        name: call.file_name(),
        by: call.actor(),
        content: Content::Sealed(written.opener().into(), written.length_bytes()),
    };
    imports::admit(&call.core, &brought)?;
    let kept = written.keep(call.by(), why)?;
    Answer::json(&AddedDocument {
        record: kept.record.get(),
        size_bytes: kept.size_bytes,
        entry: kept.entry.get(),
    })
}

/// What `records/import` takes in the query string.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImportQuery {
    /// The ending of the file's name; what the file is, its bytes say.
    #[serde(default, rename = "ending")]
    _ending: String,
    #[serde(default)]
    why: String,
}

/// `POST records/import`
pub(super) fn import(call: &Call) -> Result<Answer, Failure> {
    let query: ImportQuery = call.query()?;
    let why = reason(&query.why)?;
    let imported = call
        .opened()?
        .records
        .import(&call.body, None, call.by(), why)?;
    let kind = match imported.kind {
        labward_records::RecordKind::FhirResource => "fhir",
        other => other.name(),
    };
    Answer::json(&Imported {
        records: imported.records,
        new_patients: imported.new_patients,
        kind: kind.to_owned(),
        sha256: hex::encode(&imported.sha256),
        entry: imported.entry.get(),
    })
}

/// `POST patients/{patient}/dispose`
pub(super) fn dispose(call: &Call) -> Result<Answer, Failure> {
    let patient: PatientId = call.param("patient")?;
    let request: Dispose = call.json()?;
    let why = reason(&request.why)?;
    let decision = match &request.override_retention {
        Some(text) => Some(Override {
            reason: reason(text)?.to_owned(),
        }),
        None => None,
    };
    let opened = call.opened()?;
    let by = call.by();
    let proof = opened
        .records
        .dispose(patient, by, why, decision.as_ref())?;
    // If it cannot be done now, the upkeep does it.
    if let Err(error) = keeping::destroy_disposed(&call.core, &opened, call.actor()) {
        tracing::error!(cause = %chain(&error), "originals in quarantine are not destroyed yet");
    }
    let proof = serde_json::to_value(&proof)
        .map_err(|_| Failure::from(labward_store::StoreError::Panicked))?;
    Answer::json(&Disposed { proof })
}

/// `POST patients/{patient}/hold`
pub(super) fn hold(call: &Call) -> Result<Answer, Failure> {
    change_hold(call, Records::hold)
}

/// `POST patients/{patient}/lift`
pub(super) fn lift(call: &Call) -> Result<Answer, Failure> {
    change_hold(call, Records::lift_hold)
}

fn change_hold(
    call: &Call,
    change: fn(&Records, PatientId, PersonId, &str) -> Result<EntryIndex, RecordsError>,
) -> Result<Answer, Failure> {
    let patient: PatientId = call.param("patient")?;
    let Why { why } = call.json()?;
    let entry = change(&call.opened()?.records, patient, call.by(), reason(&why)?)?;
    Answer::done(Some(entry))
}

fn patient_hit(hit: labward_records::PatientHit) -> PatientHit {
    PatientHit {
        patient: hit.patient.get(),
        name: hit.name,
        birth_year: hit.birth_year,
        score: f64::from(hit.score),
        records: hit.records.iter().map(record_hit).collect(),
        record_count: hit.record_count,
    }
}

fn record_hit(record: &IndexedRecord) -> RecordHit {
    RecordHit {
        record: record.record.get(),
        kind: record.kind.name().to_owned(),
        time: record.time.to_rfc3339(),
        size_bytes: record.size_bytes,
    }
}
