//! `record`.

use std::fs::File;
use std::path::Path;

use labward_api::Why;
use labward_api::record::{AddedDocument, Export, Found, Imported, Shown};
use labward_base::problem;

use super::{Context, create_private, read};
use crate::args::{ExportArgs, RecordCommand};
use crate::failure::Failure;
use crate::output::{or_dash, show, table};
use crate::{prompt, view};

/// `labward record …`
pub(super) fn run(context: &Context, command: &RecordCommand) -> Result<(), Failure> {
    match command {
        RecordCommand::Find { limit, break_glass } => find(context, *limit, *break_glass),
        RecordCommand::Show {
            record,
            why,
            break_glass,
        } => {
            let why = Why {
                why: prompt::why(why.as_deref())?,
            };
            let path = match break_glass {
                true => format!("break-glass/records/{record}"),
                false => format!("records/{record}/show"),
            };
            let shown: Shown = context.client.post(&path, &why)?;
            show(context.json, &shown, |out| {
                writeln!(out, "record {record}, {}, kept {}", shown.kind, shown.time)?;
                if *break_glass {
                    writeln!(out, "break-glass: {}", place(shown.entry, shown.reserve))?;
                }
                view::write(out, &shown.view)
            })
        }
        RecordCommand::Add { file, patient, why } => add(context, file, *patient, why.as_deref()),
        RecordCommand::Export(arguments) => export(context, arguments),
        RecordCommand::Import { files, why } => {
            let why = prompt::why(why.as_deref())?;
            let mut all = Vec::new();
            for file in files {
                let bytes = read(file)?;
                // Only the ending is told: a file's name may hold a patient's.
                let ending = file
                    .extension()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                let query = [("ending", ending), ("why", why.clone())];
                let imported: Imported = context.client.upload("records/import", &query, &bytes)?;
                if !context.json {
                    show(false, &imported, |out| {
                        let Imported {
                            records,
                            new_patients,
                            kind,
                            ..
                        } = &imported;
                        writeln!(
                            out,
                            "{}: {kind}, {records} records, {new_patients} new patients",
                            file.display()
                        )
                    })?;
                }
                all.push(imported);
            }
            if context.json {
                show(true, &all, |_| Ok(()))
            } else {
                Ok(())
            }
        }
    }
}

/// Where a reading is recorded.
pub(super) fn place(entry: Option<u64>, reserve: Option<u64>) -> String {
    match (entry, reserve) {
        (Some(entry), _) => format!("entry {entry}"),
        (None, Some(number)) => format!(
            "number {number} of the reserve, which goes into the ledger when that can be written"
        ),
        (None, None) => "nowhere".to_owned(),
    }
}

fn find(context: &Context, limit: u32, break_glass: bool) -> Result<(), Failure> {
    let mut criteria = prompt::criteria()?;
    criteria.limit = Some(limit);
    let path = match break_glass {
        true => "break-glass/find",
        false => "records/find",
    };
    let found: Found = context.client.post(path, &criteria)?;
    show(context.json, &found, |out| {
        if found.loading {
            writeln!(
                out,
                "not everything can be found yet: some patients may be missing"
            )?;
        }
        for hit in &found.patients {
            writeln!(
                out,
                "patient {}: {}, born {}, {} records (fits {:.0} %)",
                hit.patient,
                hit.name,
                or_dash(hit.birth_year.as_deref()),
                hit.record_count,
                hit.score * 100.0
            )?;
            let rows: Vec<Vec<String>> = hit
                .records
                .iter()
                .map(|r| {
                    vec![
                        r.record.to_string(),
                        r.kind.clone(),
                        r.time.clone(),
                        r.size_bytes.to_string(),
                    ]
                })
                .collect();
            table(out, &["record", "kind", "kept", "bytes"], &rows)?;
        }
        writeln!(
            out,
            "{} patients; this search is {}",
            found.patients.len(),
            place(found.entry, found.reserve)
        )
    })
}

fn add(context: &Context, file: &Path, patient: u64, why: Option<&str>) -> Result<(), Failure> {
    let why = prompt::why(why)?;
    let opened = File::open(file).map_err(|error| {
        let what = format!("{}: {error}", file.display());
        Failure::new(&problem::SERVER_BAD_REQUEST, what)
    })?;
    let path = format!("patients/{patient}/documents");
    let added: AddedDocument = context.client.stream(&path, &[("why", why)], opened)?;
    show(context.json, &added, |out| {
        let AddedDocument {
            record, size_bytes, ..
        } = added;
        writeln!(
            out,
            "record {record} of patient {patient}, {size_bytes} bytes"
        )
    })
}

fn export(context: &Context, arguments: &ExportArgs) -> Result<(), Failure> {
    if arguments.record.is_none() && arguments.patient.is_none() {
        let detail = "give --record or --patient".to_owned();
        return Err(Failure::new(&problem::SERVER_BAD_REQUEST, detail));
    }
    let request = Export {
        record: arguments.record,
        patient: arguments.patient,
        format: arguments.format.clone(),
        first: arguments.bytes.map(|(first, _)| first),
        last: arguments.bytes.and_then(|(_, last)| last),
        why: prompt::why(arguments.why.as_deref())?,
    };
    let mut file = create_private(&arguments.out)?;
    let outcome = context
        .client
        .download("records/export", &request, &mut file);
    if outcome.is_err() {
        // Half an export is worse than none; if it cannot be removed the error still tells.
        let _ = std::fs::remove_file(&arguments.out);
    }
    let bytes = outcome?;
    let place = arguments.out.display();
    show(
        context.json,
        &serde_json::json!({ "bytes": bytes }),
        |out| {
            writeln!(
                out,
                "{bytes} bytes, NOT encrypted, in {place}: delete it when it is used"
            )
        },
    )
}
