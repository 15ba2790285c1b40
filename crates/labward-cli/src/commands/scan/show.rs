//! What a person or a machine sees of a scan. Names come from files of others: nothing in them reaches a terminal as it is.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use labward_base::{Timestamp, problem};
use labward_scan::process::protocol::Hello;
use labward_scan::{Report, Verdict};
use serde::Serialize;

use super::Outcome;
use super::device::Disk;
use super::walked::Skip;
use crate::commands::advisory::plain;
use crate::commands::progress::Progress;
use crate::failure::Failure;

/// The most files that JSON lists; those beyond are in the sums.
const LISTED_MAX: usize = 100_000;
/// The most operating systems that one disk is said to hold.
const SYSTEMS_MAX: usize = 16;

/// How many files had which verdict.
#[derive(Default, Serialize)]
pub(super) struct Sums {
    pub(super) files: u64,
    pub(super) bytes: u64,
    pub(super) parts: u64,
    pub(super) clean: u64,
    pub(super) suspicious: u64,
    pub(super) malicious: u64,
    pub(super) unscannable: u64,
    pub(super) scanner_errors: u64,
    pub(super) unread: u64,
    /// Links, special files and other file systems together.
    pub(super) skipped: u64,
    pub(super) links: u64,
    pub(super) special: u64,
    pub(super) other_file_systems: u64,
}

#[derive(Serialize)]
pub(super) struct Listed {
    pub(super) path: String,
    #[serde(flatten)]
    pub(super) report: Report,
}

#[derive(Serialize)]
pub(super) struct Unread {
    pub(super) path: String,
    pub(super) why: String,
}

/// Everything that was seen; what a machine is told, and what a report holds.
#[derive(Serialize)]
pub(super) struct Seen {
    /// Labward's version.
    pub(super) labward: &'static str,
    /// RFC 3339.
    pub(super) started: String,
    /// RFC 3339.
    pub(super) ended: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) disk: Option<Disk>,
    /// `found`, `incomplete` or `clean`.
    pub(super) verdict: &'static str,
    pub(super) files: Vec<Listed>,
    pub(super) unread: Vec<Unread>,
    /// Whether `files` and `unread` are complete.
    pub(super) complete: bool,
    pub(super) sums: Sums,
    pub(super) loaded: Hello,
    #[serde(skip)]
    broken: Option<io::Error>,
}

/// Where the outcomes go.
pub(super) struct Screen {
    json: bool,
    all: bool,
    /// Whether what is found is kept.
    keeps: bool,
    hello: Hello,
    sums: Sums,
    listed: Vec<Listed>,
    unread: Vec<Unread>,
    systems: Vec<String>,
    complete: bool,
    progress: Progress,
    broken: Option<io::Error>,
}

impl Screen {
    pub(super) fn new(json: bool, all: bool, is_reported: bool, hello: Hello) -> Self {
        Self {
            json,
            all,
            keeps: json || is_reported,
            hello,
            sums: Sums::default(),
            listed: Vec::new(),
            unread: Vec::new(),
            systems: Vec::new(),
            complete: true,
            progress: Progress::on_terminal(),
            broken: None,
        }
    }

    /// Counts one outcome and shows it, if a person reads.
    pub(super) fn take(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Scanned(path, report) => self.scanned(&path, *report),
            Outcome::Skipped(skip) => {
                self.sums.skipped += 1;
                *match skip {
                    Skip::Link => &mut self.sums.links,
                    Skip::OtherFileSystem => &mut self.sums.other_file_systems,
                    Skip::Special => &mut self.sums.special,
                } += 1;
            }
            Outcome::System(system) => {
                if self.systems.len() < SYSTEMS_MAX && !self.systems.contains(&system) {
                    self.systems.push(system);
                }
            }
            Outcome::Unread(path, why) => self.failed(&path, why),
        }
        self.show_progress();
    }

    fn scanned(&mut self, path: &Path, report: Report) {
        self.sums.files += 1;
        self.sums.bytes += report.bytes;
        self.sums.parts += report.parts;
        *match report.verdict {
            Verdict::Clean => &mut self.sums.clean,
            Verdict::Suspicious => &mut self.sums.suspicious,
            Verdict::Malicious => &mut self.sums.malicious,
            Verdict::Unscannable => &mut self.sums.unscannable,
            Verdict::ScannerError => &mut self.sums.scanner_errors,
        } += 1;
        if report.verdict == Verdict::Clean && !self.all {
            return;
        }
        if !self.json {
            self.print(|out| one(out, path, &report));
        }
        if !self.keeps {
            return;
        }
        if self.listed.len() < LISTED_MAX {
            let path = path.to_string_lossy().into_owned();
            self.listed.push(Listed { path, report });
        } else {
            self.complete = false;
        }
    }

    fn failed(&mut self, path: &Path, why: String) {
        self.sums.unread += 1;
        if !self.json {
            self.print(|out| writeln!(out, "{}: not read: {}", shown(path), plain(&why)));
        }
        if !self.keeps {
            return;
        }
        if self.unread.len() < LISTED_MAX {
            let path = path.to_string_lossy().into_owned();
            self.unread.push(Unread { path, why });
        } else {
            self.complete = false;
        }
    }

    fn print(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        self.progress.clear();
        if let Err(error) = write(&mut io::stdout().lock()) {
            self.broken.get_or_insert(error);
        }
    }

    fn show_progress(&mut self) {
        let (sums, found) = (&self.sums, self.sums.suspicious + self.sums.malicious);
        self.progress
            .show(|| format!("{} files, {}, {found} found", sums.files, size(sums.bytes)));
    }

    /// What was seen, when nothing more comes.
    pub(super) fn end(mut self, disk: Option<Disk>, started: Timestamp, ended: Timestamp) -> Seen {
        self.progress.clear();
        let disk = disk.map(|disk| Disk {
            systems: std::mem::take(&mut self.systems),
            ..disk
        });
        // The order in which the processes answered says nothing.
        self.listed.sort_by(|a, b| a.path.cmp(&b.path));
        self.unread.sort_by(|a, b| a.path.cmp(&b.path));
        Seen {
            labward: env!("CARGO_PKG_VERSION"),
            started: started.to_rfc3339(),
            ended: ended.to_rfc3339(),
            disk,
            verdict: self.sums.verdict(),
            files: self.listed,
            unread: self.unread,
            complete: self.complete,
            sums: self.sums,
            loaded: self.hello,
            broken: self.broken,
        }
    }
}

impl Seen {
    /// Shows the sums and gives the exit code.
    pub(super) fn show(mut self, json: bool, all: bool) -> Result<ExitCode, Failure> {
        let broken = self.broken.take();
        let mut out = io::stdout().lock();
        let written = if json {
            self.write_json(&mut out)
        } else {
            self.write_sums(all, &mut out)
        };
        match broken.map_or(written, Err) {
            // `labward scan … | head` is no fault.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                let why = format!("write the answer: {error}");
                Err(Failure::new(&problem::SERVER_INTERNAL, why))
            }
            _ => Ok(self.sums.exit_code()),
        }
    }

    /// As JSON, with a line end.
    pub(super) fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, self)?;
        writeln!(out)
    }

    fn write_sums(&self, all: bool, out: &mut dyn Write) -> io::Result<()> {
        let sums = &self.sums;
        if sums.files > sums.clean || sums.unread > 0 || all {
            writeln!(out)?;
        }
        if let Some(disk) = &self.disk {
            let systems = disk.systems.iter().map(|one| format!(", {one}"));
            let text = format!(
                "{} on {}, {}{}{}",
                disk.source,
                disk.mount_point,
                disk.file_system,
                disk.label
                    .as_ref()
                    .map_or(String::new(), |label| format!(" \"{label}\"")),
                systems.collect::<String>()
            );
            writeln!(out, "{}", plain(&text))?;
        }
        writeln!(
            out,
            "{} files, {} in {} parts: {} clean, {} suspicious, {} malicious, {} unscannable, {} scanner errors; {} not read, {} skipped ({} links, {} special files, {} other file systems)",
            sums.files,
            size(sums.bytes),
            sums.parts,
            sums.clean,
            sums.suspicious,
            sums.malicious,
            sums.unscannable,
            sums.scanner_errors,
            sums.unread,
            sums.skipped,
            sums.links,
            sums.special,
            sums.other_file_systems,
        )?;
        loaded(out, &self.loaded)
    }
}

impl Sums {
    /// What all files together are: `clean` only if everything was looked into.
    fn verdict(&self) -> &'static str {
        if self.suspicious + self.malicious > 0 {
            "found"
        } else if self.unscannable + self.scanner_errors + self.unread > 0 {
            "incomplete"
        } else {
            "clean"
        }
    }

    /// 1 if something was found, else 2 if not everything was looked into.
    fn exit_code(&self) -> ExitCode {
        match self.verdict() {
            "found" => ExitCode::from(1),
            "incomplete" => ExitCode::from(2),
            _ => ExitCode::SUCCESS,
        }
    }
}

/// Rules and lists with what was not taken of them.
fn loaded(out: &mut dyn Write, hello: &Hello) -> io::Result<()> {
    for set in &hello.sets {
        let refused = set.refused.len() + set.refused_more;
        writeln!(
            out,
            "rules: {}, {} rules, {refused} not taken",
            plain(&set.name),
            set.rules
        )?;
        for one in &set.refused {
            let rule = one
                .rule
                .as_ref()
                .map_or(String::new(), |rule| format!(" {rule}"));
            writeln!(
                out,
                "{}",
                plain(&format!(
                    "  not taken: {}:{}{rule}: {}",
                    one.file, one.line, one.why
                ))
            )?;
        }
    }
    for (word, lists) in [("hashes", &hello.lists), ("known good", &hello.allowed)] {
        for list in lists {
            let text = format!(
                "{word}: {}, {} hashes, {} lines not read",
                list.name, list.hashes, list.unread
            );
            writeln!(out, "{}", plain(&text))?;
        }
    }
    for why in &hello.refused {
        writeln!(out, "not taken: {}", plain(why))?;
    }
    Ok(())
}

fn one(out: &mut dyn Write, path: &Path, report: &Report) -> io::Result<()> {
    writeln!(out, "{}: {}", shown(path), report.verdict.code())?;
    let inside = |path: &str| {
        if path.is_empty() {
            String::new()
        } else {
            format!("{path}: ")
        }
    };
    for finding in &report.findings {
        let words = if finding.description.is_empty() {
            ""
        } else {
            ": "
        };
        let text = format!(
            "{}{}{words}{} [{}, {}]",
            inside(&finding.path),
            finding.rule,
            finding.description,
            finding.severity.code(),
            finding.kind.code()
        );
        writeln!(out, "    {}", plain(&text))?;
    }
    for obstacle in &report.obstacles {
        let text = format!(
            "{}not looked into: {}",
            inside(&obstacle.path),
            obstacle.why
        );
        writeln!(out, "    {}", plain(&text))?;
    }
    for fault in &report.faults {
        let text = format!("{} failed: {} ({})", fault.engine, fault.code, fault.detail);
        writeln!(out, "    {}", plain(&text))?;
    }
    match report.left_out {
        0 => Ok(()),
        more => writeln!(out, "    and {more} more"),
    }
}

fn shown(path: &Path) -> String {
    plain(&PathBuf::from(path).to_string_lossy())
}

/// Bytes in a unit that a person reads.
pub(in crate::commands) fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{} kB", bytes / 1_000),
        10_000_000..10_000_000_000 => format!("{} MB", bytes / 1_000_000),
        _ => format!("{} GB", bytes / 1_000_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_looked_into_is_not_success() {
        let code = |sums: Sums| format!("{:?}", sums.exit_code());
        let is = |n: u8| format!("{:?}", ExitCode::from(n));
        assert_eq!(
            code(Sums {
                clean: 3,
                skipped: 1,
                ..Sums::default()
            }),
            is(0)
        );
        for sums in [
            Sums {
                unscannable: 1,
                ..Sums::default()
            },
            Sums {
                scanner_errors: 1,
                ..Sums::default()
            },
            Sums {
                unread: 1,
                ..Sums::default()
            },
        ] {
            assert_eq!(code(sums), is(2));
        }
        assert_eq!(
            code(Sums {
                malicious: 1,
                unread: 1,
                ..Sums::default()
            }),
            is(1)
        );
        assert_eq!(
            code(Sums {
                suspicious: 1,
                ..Sums::default()
            }),
            is(1)
        );
    }

    #[test]
    fn nothing_of_a_name_reaches_the_terminal_as_it_is() {
        let mut out = Vec::new();
        let report = Report::failed("died", "x\x1b[2J");
        one(&mut out, Path::new("a\x1b]0;b\x07"), &report).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(!out.contains('\x1b'), "{out:?}");
        assert!(out.contains("scanner-error"), "{out}");
    }
}
