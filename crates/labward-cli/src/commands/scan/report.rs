//! The report of a disk: JSON with everything, and a page to print and file.
//!
//! It must never replace a file, stand on the disk that is looked at, or show a name of others as anything but text.

use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

use askama::Template;
use aws_lc_rs::digest::{SHA256, digest};
use labward_base::{Timestamp, hex, problem};
use labward_os::NewFile;
use labward_os::held::HeldFolder;
use labward_os::mount::mount_of;
use labward_scan::Report;

use super::device::page_of;
use super::show::{Seen, size};
use crate::args::ReportLanguage;
use crate::failure::{Failure, chain};

mod words;

use words::{EN, ES, Words};

/// The most rows of a table of the page; the JSON holds those beyond.
const ROWS_MAX: usize = 2_000;
/// Only its owner may read a report: names of files may name patients.
const MODE: u32 = 0o600;

/// A report whose files are begun, so that a long scan is not in vain.
pub(super) struct Begun {
    json: (PathBuf, NewFile),
    page: (PathBuf, NewFile),
}

/// A report that is written.
pub(super) struct Written {
    json: PathBuf,
    page: PathBuf,
    sha256: String,
}

fn refused(path: &Path, why: &str) -> Failure {
    Failure::new(&problem::SCAN_REPORT, format!("{}: {why}", path.display()))
}

/// Begins the two files of a report about the disk of which `disk` is the first folder.
pub(super) fn begin(path: &Path, disk: &HeldFolder) -> Result<Begun, Failure> {
    let page = page_of(path);
    if page == path {
        return Err(refused(
            path,
            "the JSON cannot end in .html, for the page to print does",
        ));
    }
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let parent = HeldFolder::open(parent.unwrap_or(Path::new(".")));
    let parent = parent.map_err(|error| refused(path, &chain(&error)))?;
    let device = |folder: &HeldFolder| mount_of(folder.as_fd()).map(|mount| mount.device);
    match (device(&parent), device(disk)) {
        (Ok(here), Ok(there)) if here != there => {}
        (Ok(_), Ok(_)) => return Err(refused(path, "it is on the disk that is looked at")),
        (Err(error), _) | (_, Err(error)) => return Err(refused(path, &chain(&error))),
    }
    let begin = |path: &Path| {
        if path.symlink_metadata().is_ok() {
            return Err(refused(path, "there is one already"));
        }
        let file = NewFile::begin(path, MODE).map_err(|error| refused(path, &chain(&error)))?;
        Ok((path.to_owned(), file))
    };
    Ok(Begun {
        json: begin(path)?,
        page: begin(&page)?,
    })
}

impl Begun {
    /// Writes both, the page with the hash of the JSON.
    pub(super) fn finish(self, seen: &Seen, language: ReportLanguage) -> Result<Written, Failure> {
        let (json, page) = (self.json.0.clone(), self.page.0.clone());
        let failed = |error: io::Error| refused(&json, &error.to_string());
        let mut text = Vec::new();
        seen.write_json(&mut text).map_err(failed)?;
        let sha256 = hex::encode(digest(&SHA256, &text).as_ref());
        let printed = printed(seen, language, &json, &sha256).map_err(failed)?;
        put(self.json, &text)?;
        put(self.page, printed.as_bytes())?;
        Ok(Written { json, page, sha256 })
    }
}

fn put((path, mut file): (PathBuf, NewFile), bytes: &[u8]) -> Result<(), Failure> {
    file.write_all(bytes)
        .map_err(|error| refused(&path, &error.to_string()))?;
    file.finish()
        .map_err(|error| refused(&path, &chain(&error)))
}

impl Written {
    /// Says where the report is.
    pub(super) fn tell(&self, json: bool) -> Result<(), Failure> {
        if json {
            return Ok(());
        }
        let told = writeln!(
            io::stdout().lock(),
            "report: {} (SHA-256 {}); to print: {}",
            self.json.display(),
            self.sha256,
            self.page.display()
        );
        match told {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                let why = format!("write the answer: {error}");
                Err(Failure::new(&problem::SERVER_INTERNAL, why))
            }
            _ => Ok(()),
        }
    }
}

/// The page to print.
#[derive(Template)]
#[template(path = "scan_report.html")]
struct Page<'a> {
    w: &'static Words,
    verdict: (&'static str, &'static str),
    facts: Vec<(&'static str, String)>,
    counts: Vec<(&'static str, u64)>,
    rules: Vec<Rules>,
    found: Vec<Row>,
    not_looked: Vec<Row>,
    /// How many rows both tables leave out.
    left_out: u64,
    json: String,
    sha256: &'a str,
}

struct Rules {
    name: String,
    licence: String,
    age: String,
    rules: usize,
    refused: usize,
    sha256: String,
}

struct Row {
    path: String,
    verdict: String,
    lines: Vec<String>,
}

fn printed(seen: &Seen, language: ReportLanguage, json: &Path, sha256: &str) -> io::Result<String> {
    let w = match language {
        ReportLanguage::En => &EN,
        ReportLanguage::Es => &ES,
    };
    let (mut found, mut not_looked) = (Vec::new(), Vec::new());
    for one in &seen.files {
        let row = Row {
            path: visible(&one.path),
            verdict: w.verdict(one.report.verdict.code()).to_owned(),
            lines: lines(w, &one.report),
        };
        match one.report.verdict.code() {
            "malicious" | "suspicious" => found.push(row),
            "clean" => {}
            _ => not_looked.push(row),
        }
    }
    not_looked.extend(seen.unread.iter().map(|one| Row {
        path: visible(&one.path),
        verdict: w.unread.to_owned(),
        lines: vec![visible(&one.why)],
    }));
    found.truncate(ROWS_MAX);
    not_looked.truncate(ROWS_MAX);
    let sums = &seen.sums;
    let told = (found.len() + not_looked.len()) as u64;
    let all =
        sums.suspicious + sums.malicious + sums.unscannable + sums.scanner_errors + sums.unread;
    let page = Page {
        w,
        verdict: match seen.verdict {
            "found" => ("bad", w.verdict_found),
            "incomplete" => ("open", w.verdict_incomplete),
            _ => ("good", w.verdict_clean),
        },
        facts: facts(w, seen),
        counts: counts(w, seen),
        rules: rules(w, seen),
        found,
        not_looked,
        left_out: all.saturating_sub(told),
        json: json
            .file_name()
            .map_or_else(String::new, |name| visible(&name.to_string_lossy())),
        sha256,
    };
    page.render().map_err(io::Error::other)
}

fn facts(w: &'static Words, seen: &Seen) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    if let Some(disk) = &seen.disk {
        let writable = if disk.read_only { w.yes } else { w.no };
        facts.extend([
            (w.name, visible(&disk.name)),
            (w.label, visible(disk.label.as_deref().unwrap_or_default())),
            (w.file_system, visible(&disk.file_system)),
            (w.uuid, visible(disk.uuid.as_deref().unwrap_or_default())),
            (w.source, visible(&disk.source)),
            (w.mount_point, visible(&disk.mount_point)),
            (w.options, visible(&disk.options)),
            (w.read_only, writable.to_owned()),
            (w.disk_size, size(disk.size_bytes)),
            (w.system, visible(&disk.systems.join("; "))),
        ]);
    }
    facts.extend([
        (w.started, second(&seen.started)),
        (w.ended, second(&seen.ended)),
        (w.version, seen.labward.to_owned()),
        (w.confined, seen.loaded.confined.join(", ")),
    ]);
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

/// A time to the second, for a person.
fn second(time: &str) -> String {
    let second = time.get(..19).unwrap_or(time);
    format!("{} UTC", second.replace('T', " "))
}

fn counts(w: &'static Words, seen: &Seen) -> Vec<(&'static str, u64)> {
    let sums = &seen.sums;
    vec![
        (w.files, sums.files),
        (w.bytes, sums.bytes),
        (w.parts, sums.parts),
        (w.clean, sums.clean),
        (w.suspicious, sums.suspicious),
        (w.malicious, sums.malicious),
        (w.unscannable, sums.unscannable),
        (w.scanner_errors, sums.scanner_errors),
        (w.unread, sums.unread),
        (w.links, sums.links),
        (w.special, sums.special),
        (w.other_file_systems, sums.other_file_systems),
    ]
}

fn rules(w: &'static Words, seen: &Seen) -> Vec<Rules> {
    let ended = Timestamp::parse_rfc3339(&seen.ended);
    let age = |since: Option<i64>| match (ended, since) {
        (Some(ended), Some(since)) => {
            let days = (ended.as_seconds() - since).max(0) / 86_400;
            format!("{days} {}", w.days)
        }
        _ => String::new(),
    };
    let sets = seen.loaded.sets.iter().map(|set| Rules {
        name: visible(&set.name),
        licence: visible(&set.licence),
        age: age(set.imported),
        rules: set.rules,
        refused: set.refused.len() + set.refused_more,
        sha256: set.sha256.clone(),
    });
    let lists = seen.loaded.lists.iter().chain(&seen.loaded.allowed);
    let lists = lists.map(|list| Rules {
        name: visible(&list.name),
        licence: String::new(),
        age: String::new(),
        rules: list.hashes,
        refused: list.unread,
        sha256: list.sha256.clone(),
    });
    sets.chain(lists).collect()
}

fn lines(w: &'static Words, report: &Report) -> Vec<String> {
    let at = |path: &str| match path {
        "" => String::new(),
        path => format!("{path}: "),
    };
    let found = report.findings.iter().map(|one| {
        let (code, sha256) = (one.severity.code(), &one.sha256);
        format!(
            "{}{} {} [{code}] SHA-256 {sha256}",
            at(&one.path),
            one.rule,
            one.description
        )
    });
    let obstacles = report.obstacles.iter();
    let obstacles = obstacles.map(|one| format!("{}{}: {}", at(&one.path), w.not_looked, one.why));
    let faults = report.faults.iter();
    let faults = faults.map(|one| format!("{}: {} ({})", one.engine, one.code, one.detail));
    let mut lines: Vec<String> = found.chain(obstacles).chain(faults).collect();
    lines.iter_mut().for_each(|line| *line = visible(line));
    if report.left_out > 0 {
        lines.push(format!("+ {}", report.left_out));
    }
    lines
}

/// A text of others without what would turn the direction of writing or is no character to be seen.
fn visible(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                '\u{fffd}'
            }
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::scan::Outcome;
    use crate::commands::scan::show::Screen;
    use labward_scan::process::protocol::Hello;
    use labward_testkit::TempDir;

    fn seen(path: &str, why: &str) -> Seen {
        let mut screen = Screen::new(true, false, true, Hello::default());
        let report = Report::failed("died", why);
        screen.take(Outcome::Scanned(path.into(), Box::new(report)));
        screen.end(
            None,
            Timestamp::from_seconds(0),
            Timestamp::from_seconds(60),
        )
    }

    #[test]
    fn names_of_others_are_text_in_both_languages() {
        let seen = seen(
            "<script>alert(1)</script>/\u{202e}fdp.exe",
            "\"><img src=x>",
        );
        for (language, title) in [
            (ReportLanguage::En, "<html lang=\"en\">"),
            (ReportLanguage::Es, "<html lang=\"es\">"),
        ] {
            let page = printed(&seen, language, Path::new("r.json"), "00").unwrap();
            assert!(page.contains(title), "{page}");
            assert!(
                !page.contains("<script") && !page.contains("<img"),
                "{page}"
            );
            assert!(!page.contains('\u{202e}'), "{page}");
            assert!(page.contains("fdp.exe"), "{page}");
            assert!(!page.contains("://"), "nothing is fetched: {page}");
        }
    }

    #[test]
    fn a_report_replaces_nothing_and_keeps_off_the_disk() {
        let folder = TempDir::new();
        let path = folder.join("report.json");
        let proc = HeldFolder::open(Path::new("/proc")).unwrap();
        let here = HeldFolder::open(folder.path()).unwrap();
        let code = |begun: Result<Begun, Failure>| begun.err().unwrap().code().to_owned();
        assert_eq!(code(begin(&path, &here)), "scan.report");
        assert_eq!(code(begin(&folder.join("a.html"), &proc)), "scan.report");
        let begun = begin(&path, &proc).unwrap();
        let written = begun.finish(&seen("a", "b"), ReportLanguage::En).unwrap();
        let json = std::fs::read(&path).unwrap();
        assert_eq!(hex::encode(digest(&SHA256, &json).as_ref()), written.sha256);
        let page = std::fs::read_to_string(folder.join("report.html")).unwrap();
        assert!(page.contains(&written.sha256), "{page}");
        assert_eq!(code(begin(&path, &proc)), "scan.report");
    }
}
