//! `advisory import`, `list` and `show`: what the server holds.
//!
//! It must never leave out in silence a file that it could not send.

use std::fs;
use std::io::{self, Cursor, Write};
use std::path::{Path, PathBuf};

use labward_api::advisory::{
    Advisories, Advisory, AdvisoryShown, AdvisorySource, ImportedAdvisories,
};
use labward_base::problem;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{files, plain};
use crate::commands::hit::{cell, days, table_of};
use crate::commands::{Context, read};
use crate::failure::Failure;
use crate::output::{or_dash, show, table};

/// Files of a folder are sent together, up to so many bytes.
const TOGETHER_BYTES: usize = 128 << 20;

/// `labward advisory import`
pub(super) fn import(
    context: &Context,
    paths: &[PathBuf],
    source: &str,
    preview: bool,
) -> Result<(), Failure> {
    let mut all = ImportedAdvisories {
        source: source.to_owned(),
        ..ImportedAdvisories::default()
    };
    for path in paths {
        if path.is_dir() {
            let mut pack = Pack::default();
            for found in files::every_file(path) {
                let found = found.map_err(|(path, why)| unsent(&path, &why))?;
                pack.add(path, &found)?;
                if pack.bytes > TOGETHER_BYTES {
                    let packed = std::mem::take(&mut pack).finish(path)?;
                    add(
                        &mut all,
                        send(context, source, preview, "folder.zip", &packed)?,
                    );
                }
            }
            if pack.bytes > 0 {
                let packed = pack.finish(path)?;
                add(
                    &mut all,
                    send(context, source, preview, "folder.zip", &packed)?,
                );
            }
        } else {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let bytes = with_beside(path, &name)?;
            let (name, bytes) = match &bytes {
                Some(packed) => ("file.zip", packed.clone()),
                None => (name.as_ref(), read(path)?),
            };
            add(&mut all, send(context, source, preview, name, &bytes)?);
        }
    }
    show(context.json, &all, |out| imported(out, &all, preview))?;
    if all.refused > 0 {
        let detail = format!("{} files could not be taken over", all.refused);
        return Err(Failure::new(&problem::ADVISORY_BAD_FILE, detail));
    }
    Ok(())
}

fn unsent(path: &Path, why: &str) -> Failure {
    Failure::new(&problem::CLI_FILE, format!("{}: {why}", path.display()))
}

fn send(
    context: &Context,
    source: &str,
    preview: bool,
    file: &str,
    bytes: &[u8],
) -> Result<ImportedAdvisories, Failure> {
    let query = [
        ("source", source.to_owned()),
        ("file", file.to_owned()),
        ("preview", preview.to_string()),
    ];
    context.client.upload("advisories/import", &query, bytes)
}

/// A file with the hashes and the signature that lie beside it, packed; `None` where nothing does.
fn with_beside(path: &Path, name: &str) -> Result<Option<Vec<u8>>, Failure> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let beside =
        ["sha512", "sha256", "asc", "minisig"].map(|end| folder.join(format!("{name}.{end}")));
    let beside: Vec<&PathBuf> = beside.iter().filter(|path| path.is_file()).collect();
    if beside.is_empty() {
        return Ok(None);
    }
    let mut pack = Pack::default();
    pack.add(folder, path)?;
    for one in beside {
        pack.add(folder, one)?;
    }
    pack.finish(path).map(Some)
}

/// Files on their way, in a zip that is not compressed.
struct Pack {
    zip: ZipWriter<Cursor<Vec<u8>>>,
    bytes: usize,
}

impl Default for Pack {
    fn default() -> Self {
        Self {
            zip: ZipWriter::new(Cursor::new(Vec::new())),
            bytes: 0,
        }
    }
}

impl Pack {
    fn add(&mut self, folder: &Path, path: &Path) -> Result<(), Failure> {
        let name = path.strip_prefix(folder).unwrap_or(path).to_string_lossy();
        let bytes = fs::read(path).map_err(|error| unsent(path, &error.to_string()))?;
        let options =
            SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        let packed = self
            .zip
            .start_file(name.as_ref(), options)
            .map_err(io::Error::from)
            .and_then(|()| self.zip.write_all(&bytes));
        packed.map_err(|error| unsent(path, &error.to_string()))?;
        self.bytes += bytes.len() + name.len();
        Ok(())
    }

    fn finish(self, of: &Path) -> Result<Vec<u8>, Failure> {
        let packed = self.zip.finish();
        packed
            .map(Cursor::into_inner)
            .map_err(|error| unsent(of, &error.to_string()))
    }
}

fn add(all: &mut ImportedAdvisories, one: ImportedAdvisories) {
    all.added += one.added;
    all.updated += one.updated;
    all.known += one.known;
    all.older += one.older;
    all.refused += one.refused;
    all.others += one.others;
    all.opened += one.opened;
    all.closed += one.closed;
    all.lines.extend(one.lines);
    all.entry = one.entry.or(all.entry);
}

fn imported(out: &mut dyn Write, all: &ImportedAdvisories, preview: bool) -> io::Result<()> {
    for line in &all.lines {
        let why = line.why.as_deref().unwrap_or("a later release is there");
        writeln!(out, "{}: {}: {}", line.state, plain(&line.file), plain(why))?;
    }
    let would = if preview { "would be " } else { "" };
    writeln!(
        out,
        "{}: {} {would}added, {} {would}updated, {} known, {} older, {} refused, {} of other kinds",
        all.source, all.added, all.updated, all.known, all.older, all.refused, all.others
    )?;
    match preview {
        true => Ok(()),
        false => writeln!(out, "{} hits opened, {} closed", all.opened, all.closed),
    }
}

/// `labward advisory list`
pub(super) fn list(context: &Context, find: Option<&str>, hits: bool) -> Result<(), Failure> {
    let all = every(context, find, hits)?;
    show(context.json, &all, |out| listed(out, &all))
}

fn every(context: &Context, find: Option<&str>, hits: bool) -> Result<Advisories, Failure> {
    let mut all = Advisories::default();
    let mut skip = Some(0);
    while let Some(from) = skip {
        let mut query = vec![("limit", "1000".to_owned()), ("skip", from.to_string())];
        query.extend(find.map(|find| ("q", find.to_owned())));
        query.extend(hits.then(|| ("state", "hit".to_owned())));
        let page: Advisories = context.client.get("advisories", &query)?;
        let before = std::mem::take(&mut all.advisories);
        skip = page.next;
        all = page;
        all.advisories.splice(0..0, before);
    }
    Ok(all)
}

fn listed(out: &mut dyn Write, all: &Advisories) -> io::Result<()> {
    let head = [
        "number",
        "kind",
        "advisory",
        "release",
        "title",
        "cvss",
        "exploited",
        "affected",
        "cannot tell",
    ];
    let row = |one: &Advisory| {
        vec![
            one.id.to_string(),
            one.kind.clone(),
            plain(&one.name),
            or_dash(
                one.released
                    .as_deref()
                    .map(|day| day.get(..10).unwrap_or(day)),
            ),
            cell(&one.title, 60),
            or_dash(one.cvss.map(|score| format!("{score:.1}")).as_deref()),
            one.exploited.to_string(),
            one.affected.to_string(),
            one.cannot_tell.to_string(),
        ]
    };
    let rows: Vec<Vec<String>> = all.advisories.iter().map(row).collect();
    table(out, &head, &rows)?;
    writeln!(out)?;
    let head = [
        "source",
        "documents",
        "looked into",
        "newest release",
        "refused",
        "",
    ];
    let rows: Vec<Vec<String>> = all
        .sources
        .iter()
        .map(|one| {
            vec![
                one.name.clone(),
                one.documents.to_string(),
                one.age_seconds.map_or_else(|| "never".to_owned(), days),
                or_dash(one.newest.as_deref()),
                one.refused.to_string(),
                state_of(one).to_owned(),
            ]
        })
        .collect();
    table(out, &head, &rows)?;
    for source in &all.sources {
        said_of(out, source)?;
    }
    writeln!(
        out,
        "{} documents; devices matched {}",
        all.total,
        or_dash(all.matched.as_deref())
    )
}

const fn state_of(source: &AdvisorySource) -> &'static str {
    match (source.stale, source.failure.is_some()) {
        (true, _) => "STALE",
        (false, true) => "FAILING",
        (false, false) => "",
    }
}

/// What a table has no room for.
fn said_of(out: &mut dyn Write, source: &AdvisorySource) -> io::Result<()> {
    let name = &source.name;
    if let Some(why) = &source.failure {
        writeln!(out, "{name}: could not be looked into: {}", plain(why))?;
    }
    if let Some(publisher) = &source.publisher {
        writeln!(out, "{name}: published by {}", plain(publisher))?;
    }
    for key in &source.keys {
        let trusted = match key.trusted {
            true => "which is trusted",
            false => "which does not stand in signing_keys, so signatures by it do not count",
        };
        writeln!(
            out,
            "{name}: says that it signs with {}, {trusted}",
            key.fingerprint
        )?;
    }
    if source.waiting > 0 {
        writeln!(
            out,
            "{name}: {} listed documents wait to be fetched",
            source.waiting
        )?;
    }
    for fault in &source.faults {
        writeln!(
            out,
            "{name}: {}: {}",
            plain(&fault.address),
            plain(&fault.why)
        )?;
    }
    Ok(())
}

/// `labward advisory show`
pub(super) fn one(context: &Context, id: &str) -> Result<(), Failure> {
    let number = match id.parse::<u64>() {
        Ok(number) => number,
        Err(_) => {
            let all = every(context, Some(id), false)?;
            let named = |one: &&Advisory| one.name.eq_ignore_ascii_case(id);
            let found = all.advisories.iter().find(named);
            let none = || Failure::new(&problem::ADVISORY_UNKNOWN, id.to_owned());
            found.ok_or_else(none)?.id
        }
    };
    let one: AdvisoryShown = context.client.get(&format!("advisories/{number}"), &[])?;
    show(context.json, &one, |out| shown(out, &one))
}

fn shown(out: &mut dyn Write, one: &AdvisoryShown) -> io::Result<()> {
    let head = &one.advisory;
    writeln!(out, "{} {}", plain(&head.name), plain(&head.title))?;
    writeln!(
        out,
        "{}, release {} of {}, from {} ({}), hash {}, signed by {}",
        plain(&head.publisher),
        plain(&head.version),
        or_dash(head.released.as_deref()),
        head.source,
        plain(&head.file),
        if head.hash_checked {
            "good"
        } else {
            "not checked"
        },
        or_dash(head.signer.as_deref()),
    )?;
    writeln!(
        out,
        "{} devices affected, {} cannot be told, {} not affected",
        head.affected,
        head.cannot_tell,
        one.not_affected.len()
    )?;
    for flaw in &one.vulnerabilities {
        let exploited = flaw.exploited.as_ref().map(|_| ", known to be exploited");
        writeln!(
            out,
            "\n{} {}{}",
            plain(&flaw.vulnerability),
            or_dash(flaw.cvss.map(|score| format!("CVSS {score:.1}")).as_deref()),
            exploited.unwrap_or_default()
        )?;
        for remedy in &flaw.remediations {
            writeln!(out, "  {}: {}", plain(&remedy.kind), plain(&remedy.text))?;
        }
    }
    if !one.hits.is_empty() {
        writeln!(out)?;
        table_of(out, &one.hits)?;
    }
    Ok(())
}
