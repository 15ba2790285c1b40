//! `labward integrity`: how the files of a machine, a disk or a share were, and what is otherwise now.
//!
//! It must never tell the server the name of a file, or change a file that it looks at.

mod collect;
mod compare;
mod manifest;
mod program;
mod signing;

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use labward_api::Done;
use labward_api::integrity::{
    DecideIntegrity, IntegrityAlarm, IntegrityBaseline, IntegrityCompared, IntegrityCounts,
};
use labward_base::{Clock as _, problem};
use labward_carrier::Declared;
use labward_os::held::HeldFolder;
use labward_os::{NewFile, SystemClock};
use labward_scan::Setting;
use labward_scan::process::Bytes;
use labward_scan::process::protocol::Ask;
use serde::Serialize;

use self::compare::{Change, Merge};
use self::manifest::{BadManifest, End, Head, Reader, Writer};
use super::advisory::plain;
use super::progress::Progress;
use super::{Context, scan};
use crate::args::{IntegrityBaselineArgs, IntegrityCommand, IntegrityCompareArgs};
use crate::failure::{Failure, chain};
use crate::output::{or_dash, show, table};
use crate::prompt;

/// How long the scanner may look at one file.
const SCAN: Duration = Duration::from_secs(120);
/// A manifest names files, which may name patients: its owner alone may read it.
const MODE: u32 = 0o600;
/// The longest name of a baseline, in characters.
const NAME_MAX: usize = 100;

/// `labward integrity …`
pub(super) fn run(context: &Context, command: &IntegrityCommand) -> Result<ExitCode, Failure> {
    match command {
        IntegrityCommand::Baseline(arguments) => baseline(context, arguments)?,
        IntegrityCommand::Compare(arguments) => return compared(context, arguments),
        IntegrityCommand::Show { baseline } => shown(context, baseline)?,
        IntegrityCommand::List => list(context)?,
        IntegrityCommand::Decide { name, answer, why } => {
            let asked = DecideIntegrity {
                name: name.clone(),
                answer: answer.name().to_owned(),
                why: prompt::why(why.as_deref())?,
            };
            let done: Done = context.client.post("integrity/decide", &asked)?;
            show(context.json, &done, |out| {
                writeln!(out, "{} is {}", plain(name), answer.name())
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What a manifest says of itself.
#[derive(Serialize)]
struct Told<'a> {
    head: &'a Head,
    end: &'a End,
    /// The entry, if a server was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<u64>,
}

fn baseline(context: &Context, arguments: &IntegrityBaselineArgs) -> Result<(), Failure> {
    let name = arguments.name.trim();
    if name.is_empty() || name.chars().count() > NAME_MAX || name.contains(char::is_control) {
        let why = format!("a name has 1 to {NAME_MAX} characters");
        return Err(Failure::new(&problem::SERVER_BAD_REQUEST, why));
    }
    let folder = hold(&arguments.folder)?;
    let head = head(name, &arguments.folder);
    let mut manifest = begin(&arguments.to, &head)?;
    collect::collect(&folder, &mut |line| {
        manifest
            .add(&line)
            .map_err(|error| unwritten(&arguments.to, &error))
    })?;
    let end = finish(manifest, &arguments.to)?;
    let told = IntegrityCompared {
        name: name.to_owned(),
        baseline: end.sha256.clone(),
        made: true,
        changes: None,
        counts: IntegrityCounts {
            files: end.files,
            unread: end.unread,
            ..IntegrityCounts::default()
        },
        alarms: Vec::new(),
        signers: Vec::new(),
    };
    let entry = tell(context, &told);
    let said = Told {
        head: &head,
        end: &end,
        entry: entry.as_ref().ok().copied(),
    };
    show(context.json, &said, |out| {
        write_head(out, &head, &end)?;
        write_told(out, &entry)
    })
}

fn shown(context: &Context, path: &Path) -> Result<(), Failure> {
    let (head, end) = check(path)?;
    let said = Told {
        head: &head,
        end: &end,
        entry: None,
    };
    show(context.json, &said, |out| write_head(out, &head, &end))
}

fn write_head(out: &mut dyn Write, head: &Head, end: &End) -> io::Result<()> {
    let text = format!("{}: {} as of {}", head.name, head.folder, head.made);
    writeln!(out, "{}", plain(&text))?;
    let (files, unread) = (end.files, end.unread);
    writeln!(
        out,
        "{files} files, {}, {unread} not read",
        scan::size(end.bytes)
    )?;
    writeln!(out, "SHA-256 {}: keep it apart from the file", end.sha256)
}

/// What came of a comparison.
#[derive(Serialize)]
struct Answer<'a> {
    baseline: &'a Head,
    sha256: &'a str,
    compared: String,
    counts: &'a IntegrityCounts,
    alarms: &'a [IntegrityAlarm],
    changes: &'a [Change],
    complete: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<u64>,
}

fn compared(context: &Context, arguments: &IntegrityCompareArgs) -> Result<ExitCode, Failure> {
    let path = &arguments.baseline;
    // Nothing of it is believed before all of it was checked.
    let (head, end) = check(path)?;
    let folder = hold(&arguments.folder)?;
    let mut merge = merged(arguments, &folder)?;
    if !arguments.no_scan {
        scanned(arguments, &folder, &mut merge.changes)?;
    }
    let alarms = compare::explain(&mut merge.changes, &mut merge.counts, merge.complete);
    let told = IntegrityCompared {
        name: head.name.clone(),
        baseline: end.sha256.clone(),
        made: false,
        changes: compare::digest(&merge.changes),
        counts: merge.counts,
        alarms,
        signers: compare::signers(&merge.changes),
    };
    let entry = (!arguments.no_tell).then(|| tell(context, &told));
    let answer = Answer {
        baseline: &head,
        sha256: &end.sha256,
        compared: SystemClock.now().to_rfc3339(),
        counts: &merge.counts,
        alarms: &told.alarms,
        changes: &merge.changes,
        complete: merge.complete,
        entry: entry
            .as_ref()
            .and_then(|entry| entry.as_ref().ok().copied()),
    };
    show(context.json, &answer, |out| {
        for change in answer.changes {
            write_change(out, change)?;
        }
        write_counts(out, &told)?;
        entry
            .as_ref()
            .map_or(Ok(()), |entry| write_told(out, entry))
    })?;
    Ok(exit_code(&told))
}

fn exit_code(told: &IntegrityCompared) -> ExitCode {
    let counts = &told.counts;
    let other = counts.added + counts.changed + counts.moved + counts.removed + counts.rights;
    if other > 0 || !told.alarms.is_empty() {
        ExitCode::from(1)
    } else if counts.unread > 0 {
        ExitCode::from(2)
    } else {
        ExitCode::SUCCESS
    }
}

/// Walks the folder and the baseline beside each other.
fn merged(
    arguments: &IntegrityCompareArgs,
    folder: &HeldFolder,
) -> Result<Merge<BufReader<File>>, Failure> {
    let path = &arguments.baseline;
    let bad = |error: BadManifest| bad(path, &error);
    let mut merge = Merge::begin(open(path)?).map_err(bad)?;
    collect::collect(folder, &mut |line| {
        let below = line.path();
        below.map_or(Ok(()), |below| merge.take(&below, &line).map_err(bad))
    })?;
    merge.finish().map_err(bad)?;
    Ok(merge)
}

/// Lets the scanner look at what is new or changed.
fn scanned(
    arguments: &IntegrityCompareArgs,
    folder: &HeldFolder,
    changes: &mut [Change],
) -> Result<(), Failure> {
    if !changes.iter().any(Change::is_new_content) {
        return Ok(());
    }
    let pool = scan::ready(&arguments.rules)?;
    let mut progress = Progress::on_terminal();
    let meant = changes.iter_mut().filter(|change| change.is_new_content());
    for (number, change) in meant.enumerate() {
        progress.show(|| format!("{number} changed files scanned"));
        let name = change.path.file_name();
        let name = name.map_or_else(Declared::nothing, |name| {
            Declared::named(&name.to_string_lossy())
        });
        let verdict = match collect::again(folder, &change.path) {
            Ok(file) => {
                let ask = Ask::of(Setting::File, &name);
                pool.scan(&ask, &Bytes::File(Arc::new(file)), SCAN)
                    .verdict
                    .code()
            }
            Err(_) => "scanner-error",
        };
        change.verdict = Some(verdict);
    }
    progress.clear();
    pool.stop();
    Ok(())
}

fn write_change(out: &mut dyn Write, change: &Change) -> io::Result<()> {
    let path = |path: &Path| plain(&path.to_string_lossy());
    write!(out, "{} {}", change.kind.word(), path(&change.path))?;
    if let Some(from) = &change.from {
        write!(out, " from {}", path(from))?;
    }
    let version = change
        .is
        .as_ref()
        .and_then(|is| is.program.as_ref()?.version.as_ref());
    if let Some(version) = version {
        write!(out, ", version {}", plain(version))?;
    }
    for word in change.verdict.iter().chain(&change.explained) {
        write!(out, ", {word}")?;
    }
    if let (Some(signing), (was, Some(is))) = (change.signing, change.programs()) {
        write!(out, "; {}", plain(&signing.sentence(was, is)))?;
    }
    if !change.alarms.is_empty() {
        write!(out, "; alarm: {}", change.alarms.join(", "))?;
    }
    writeln!(out)
}

fn write_counts(out: &mut dyn Write, told: &IntegrityCompared) -> io::Result<()> {
    let c = &told.counts;
    writeln!(
        out,
        "{} files: {} added, {} changed, {} moved, {} removed, {} with other rights, {} not read; {} explained as updates",
        c.files, c.added, c.changed, c.moved, c.removed, c.rights, c.unread, c.updates
    )?;
    for alarm in &told.alarms {
        writeln!(out, "alarm: {} ({})", alarm.code, alarm.count)?;
    }
    Ok(())
}

fn write_told(out: &mut dyn Write, entry: &Result<u64, Failure>) -> io::Result<()> {
    match entry {
        Ok(entry) => writeln!(out, "the server was told: entry {entry}"),
        Err(failure) => writeln!(out, "no server was told: {failure}"),
    }
}

fn tell(context: &Context, told: &IntegrityCompared) -> Result<u64, Failure> {
    let done: IntegrityBaseline = context.client.post("integrity/compared", told)?;
    Ok(done.entry)
}

fn list(context: &Context) -> Result<(), Failure> {
    let all: Vec<IntegrityBaseline> = context.client.get("integrity", &[])?;
    show(context.json, &all, |out| {
        let rows: Vec<Vec<String>> = all
            .iter()
            .map(|one| {
                let alarms: Vec<&str> =
                    one.alarms.iter().map(|alarm| alarm.code.as_str()).collect();
                vec![
                    plain(&one.name),
                    one.state.clone(),
                    or_dash(one.compared.as_deref()),
                    alarms.join(", "),
                ]
            })
            .collect();
        table(out, &["name", "state", "compared", "alarms"], &rows)
    })
}

fn head(name: &str, folder: &Path) -> Head {
    Head::new(name, folder, SystemClock.now().to_rfc3339())
}

fn hold(folder: &Path) -> Result<HeldFolder, Failure> {
    HeldFolder::open(folder).map_err(|error| {
        let why = format!("{}: {}", folder.display(), chain(&error));
        Failure::new(&problem::CLI_FILE, why)
    })
}

fn open(path: &Path) -> Result<Reader<BufReader<File>>, Failure> {
    let file = File::open(path).map_err(|error| unwritten(path, &error))?;
    Reader::begin(BufReader::new(file)).map_err(|error| bad(path, &error))
}

fn check(path: &Path) -> Result<(Head, End), Failure> {
    let reader = open(path)?;
    reader.check().map_err(|error| bad(path, &error))
}

fn bad(path: &Path, error: &BadManifest) -> Failure {
    let why = format!("{}: {error}", path.display());
    Failure::new(&problem::INTEGRITY_BAD_BASELINE, why)
}

fn begin(to: &Path, head: &Head) -> Result<Writer<BufWriter<NewFile>>, Failure> {
    if to.symlink_metadata().is_ok() {
        return Err(unwritten(to, &io::ErrorKind::AlreadyExists.into()));
    }
    let file = NewFile::begin(to, MODE);
    let file = file.map_err(|error| Failure::new(&problem::CLI_FILE, chain(&error)))?;
    Writer::begin(BufWriter::new(file), head).map_err(|error| unwritten(to, &error))
}

fn finish(manifest: Writer<BufWriter<NewFile>>, to: &Path) -> Result<End, Failure> {
    let (out, end) = manifest.finish().map_err(|error| unwritten(to, &error))?;
    let file = out
        .into_inner()
        .map_err(|error| unwritten(to, error.error()))?;
    let done = file.finish();
    done.map_err(|error| Failure::new(&problem::CLI_FILE, chain(&error)))?;
    Ok(end)
}

fn unwritten(path: &Path, error: &io::Error) -> Failure {
    Failure::new(&problem::CLI_FILE, format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests;
