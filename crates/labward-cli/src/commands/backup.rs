//! `backup` and `key archive`: with the server, and where none runs any more.

use std::path::Path;

use labward_api::Done;
use labward_api::backup::{
    Backup, Drill, Drilled, ExpiredArchives, KeyArchive, NewBackup, NewKeyArchive, VerifiedBackup,
    VerifyBackup,
};
use labward_backup::{BackupError, Folder, Trust};
use labward_base::{Problem, problem};
use labward_ledger::VerifierKey;
use serde_json::json;

use super::{Context, absolute, read};
use crate::args::{ArchiveCommand, BackupCommand, BackupVerifyArgs};
use crate::failure::Failure;
use crate::output::{show, table};
use crate::prompt;

/// `labward backup …`
pub(super) fn run(context: &Context, command: &BackupCommand) -> Result<(), Failure> {
    match command {
        BackupCommand::Create { to, keep, why } => create(context, to, *keep, why.as_deref()),
        BackupCommand::List { from } => list(context, from),
        BackupCommand::Verify(arguments) => match &arguments.key {
            Some(key) => offline(context, arguments, key),
            None if arguments.drill => drill(context, arguments),
            None => online(context, arguments),
        },
        BackupCommand::Confirm { why } => {
            let why = prompt::why(why.as_deref())?;
            let done: Done = context
                .client
                .post("backups/confirm", &json!({ "why": why }))?;
            show(context.json, &done, |out| writeln!(out, "delivery goes on"))
        }
        // It needs more than a client; the program runs it itself.
        BackupCommand::Restore(_) => Err(Failure::new(
            &problem::SERVER_BAD_REQUEST,
            "this command is not one of the client's".to_owned(),
        )),
    }
}

/// `labward key archive …`
pub(super) fn archive(context: &Context, command: &ArchiveCommand) -> Result<(), Failure> {
    match command {
        ArchiveCommand::Create { to, days, why } => {
            let request = NewKeyArchive {
                to: absolute(to)?,
                days: *days,
                why: prompt::why(why.as_deref())?,
            };
            let made: KeyArchive = context.client.post("key/archives", &request)?;
            show(context.json, &made, |out| {
                writeln!(
                    out,
                    "key archive {} is kept until {}",
                    made.id, made.expires
                )?;
                writeln!(
                    out,
                    "Keep it apart from the backups: together they open every record a slot opens."
                )
            })
        }
        ArchiveCommand::List => {
            let archives: Vec<KeyArchive> = context.client.get("key/archives", &[])?;
            show(context.json, &archives, |out| {
                let row = |one: &KeyArchive| {
                    let id = one.id.to_string();
                    [&id, &one.state, &one.created, &one.expires, &one.folder].map(Clone::clone)
                };
                let rows: Vec<Vec<String>> = archives.iter().map(|one| row(one).to_vec()).collect();
                table(
                    out,
                    &["archive", "state", "made", "expires", "folder"],
                    &rows,
                )
            })
        }
        ArchiveCommand::Expire => {
            let expired: ExpiredArchives =
                context.client.post("key/archives/expire", &json!({}))?;
            show(context.json, &expired, |out| {
                writeln!(out, "{} key archives are deleted", expired.deleted.len())?;
                for id in &expired.overdue {
                    writeln!(out, "OVERDUE  archive {id}: its folder cannot be reached")?;
                }
                Ok(())
            })
        }
    }
}

fn create(context: &Context, to: &Path, keep: u32, why: Option<&str>) -> Result<(), Failure> {
    let request = NewBackup {
        to: absolute(to)?,
        keep,
        why: prompt::why(why)?,
    };
    let made: Backup = context.client.post("backups/create", &request)?;
    show(context.json, &made, |out| {
        let Backup {
            generation,
            parts,
            written_parts,
            generations,
            ..
        } = &made;
        writeln!(
            out,
            "backup {generation}: {written_parts} of {parts} parts, {} of {} written in {}; {generations} kept",
            mebibytes(made.written_bytes),
            mebibytes(made.total_bytes),
            seconds(made.duration_ms),
        )?;
        writeln!(
            out,
            "It holds no keys: make a key archive too, with labward key archive create."
        )?;
        if !made.swept {
            writeln!(
                out,
                "Older parts stay: a kept generation is damaged; see labward backup verify."
            )?;
        }
        Ok(())
    })
}

fn list(context: &Context, from: &Path) -> Result<(), Failure> {
    let folder = Folder::open(from).map_err(failure)?;
    let mut rows = Vec::new();
    let mut listed = Vec::new();
    for generation in folder.generations().map_err(failure)? {
        let (created, entries) = match folder.claimed(generation) {
            Ok(manifest) => (manifest.created.to_rfc3339(), manifest.entries.to_string()),
            Err(error) => (error.problem().code.to_owned(), String::new()),
        };
        listed.push(json!({ "generation": generation, "created": created, "entries": entries }));
        rows.push(vec![generation.to_string(), created, entries]);
    }
    show(context.json, &listed, |out| {
        table(out, &["generation", "made", "entries"], &rows)?;
        writeln!(
            out,
            "Nothing of it is verified; labward backup verify reads every part."
        )
    })
}

fn online(context: &Context, arguments: &BackupVerifyArgs) -> Result<(), Failure> {
    let request = VerifyBackup {
        from: absolute(&arguments.from)?,
        generation: arguments.generation,
    };
    let verified: VerifiedBackup = context.client.post("backups/verify", &request)?;
    let code = verified.code.as_deref().and_then(Problem::by_code);
    shown(context, &verified, code)
}

/// Without a server: signatures and digests, against the ledger's public key.
fn offline(context: &Context, arguments: &BackupVerifyArgs, key: &str) -> Result<(), Failure> {
    let text = match Path::new(key).is_file() {
        true => String::from_utf8_lossy(&read(Path::new(key))?).into_owned(),
        false => key.to_owned(),
    };
    let key: VerifierKey = text.trim().parse().map_err(|_| {
        let why = "the key cannot be read".to_owned();
        Failure::new(&problem::LEDGER_BAD_SIGNATURE, why)
    })?;
    let folder = Folder::open(&arguments.from).map_err(failure)?;
    let trust = Trust::Ledger(&key);
    let verified = labward_backup::verify(&folder, arguments.generation, &trust, None);
    let verified = verified.map_err(failure)?;
    let first = verified.faults.first().map(|fault| fault.problem);
    let faults = verified.faults.iter();
    let answer = VerifiedBackup {
        good: verified.is_sound(),
        generations: verified.generations,
        parts: verified.parts,
        bytes: verified.bytes,
        opened: false,
        faults: faults
            .map(|fault| format!("{}: {}", fault.place, fault.what))
            .collect(),
        code: first.map(|problem| problem.code.to_owned()),
    };
    shown(context, &answer, first)
}

fn shown(
    context: &Context,
    verified: &VerifiedBackup,
    first: Option<&Problem>,
) -> Result<(), Failure> {
    show(context.json, verified, |out| {
        for fault in &verified.faults {
            writeln!(out, "FAULT  {fault}")?;
        }
        writeln!(
            out,
            "{} generations, {} parts, {} read{}",
            verified.generations,
            verified.parts,
            mebibytes(verified.bytes),
            if verified.opened { " and opened" } else { "" },
        )?;
        if verified.good {
            writeln!(
                out,
                "every part is what was written; whether it restores, a drill shows"
            )?;
        }
        Ok(())
    })?;
    match (verified.good, first) {
        (true, _) => Ok(()),
        (false, first) => Err(Failure::new(
            first.unwrap_or(&problem::BACKUP_DAMAGED),
            verified.faults.first().cloned(),
        )),
    }
}

fn drill(context: &Context, arguments: &BackupVerifyArgs) -> Result<(), Failure> {
    let keys = arguments.keys.as_deref().unwrap_or(Path::new("."));
    let request = Drill {
        from: absolute(&arguments.from)?,
        keys: absolute(keys)?,
        opener: prompt::opener(arguments.slot.key_file.as_deref(), arguments.slot.shares)?,
        generation: arguments.generation,
        why: prompt::why(arguments.why.as_deref())?,
    };
    let drilled: Drilled = context.client.post("backups/drill", &request)?;
    show(context.json, &drilled, |out| {
        writeln!(
            out,
            "backup {} of {} was restored in {}: {}, {} entries, root as signed, {} records opened",
            drilled.generation,
            drilled.created,
            seconds(drilled.duration_ms),
            mebibytes(drilled.bytes),
            drilled.entries,
            drilled.sampled,
        )
    })
}

fn failure(error: BackupError) -> Failure {
    Failure::new(error.problem(), error.to_string())
}

fn mebibytes(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10) >> 20;
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03} s", milliseconds / 1_000, milliseconds % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_have_a_unit() {
        assert_eq!(mebibytes(1_572_864), "1.5 MiB");
        assert_eq!(seconds(2_045), "2.045 s");
    }
}
