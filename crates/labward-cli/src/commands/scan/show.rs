//! What a person or a machine sees of a scan. Names come from files of others: nothing in them reaches a terminal as it is.

use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use labward_base::problem;
use labward_os::Stopwatch;
use labward_scan::process::protocol::Hello;
use labward_scan::{Report, Verdict};
use serde::Serialize;

use super::Outcome;
use crate::commands::advisory::plain;
use crate::failure::Failure;

/// How often the line of progress is written anew.
const EVERY: Duration = Duration::from_millis(200);
/// The most files that JSON lists; those beyond are in the sums.
const LISTED_MAX: usize = 100_000;

/// How many files had which verdict.
#[derive(Default, Serialize)]
struct Sums {
    files: u64,
    bytes: u64,
    parts: u64,
    clean: u64,
    suspicious: u64,
    malicious: u64,
    unscannable: u64,
    scanner_errors: u64,
    unread: u64,
    skipped: u64,
}

#[derive(Serialize)]
struct Listed {
    path: String,
    #[serde(flatten)]
    report: Report,
}

#[derive(Serialize)]
struct Unread {
    path: String,
    why: String,
}

/// Everything that a machine is told.
#[derive(Serialize)]
struct Answer<'a> {
    files: &'a [Listed],
    unread: &'a [Unread],
    /// Whether `files` and `unread` are complete.
    complete: bool,
    sums: &'a Sums,
    loaded: &'a Hello,
}

/// Where the outcomes go.
pub(super) struct Screen {
    json: bool,
    all: bool,
    hello: Hello,
    sums: Sums,
    listed: Vec<Listed>,
    unread: Vec<Unread>,
    complete: bool,
    progress: Option<Progress>,
    broken: Option<io::Error>,
}

struct Progress {
    since: Stopwatch,
    written: Option<Duration>,
}

impl Screen {
    pub(super) fn new(json: bool, all: bool, hello: Hello) -> Self {
        let progress = io::stderr().is_terminal().then(|| Progress {
            since: Stopwatch::start(),
            written: None,
        });
        Self {
            json,
            all,
            hello,
            sums: Sums::default(),
            listed: Vec::new(),
            unread: Vec::new(),
            complete: true,
            progress,
            broken: None,
        }
    }

    /// Counts one outcome and shows it, if a person reads.
    pub(super) fn take(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Scanned(path, report) => self.scanned(&path, *report),
            Outcome::Skipped => self.sums.skipped += 1,
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
        } else if self.listed.len() < LISTED_MAX {
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
        } else if self.unread.len() < LISTED_MAX {
            let path = path.to_string_lossy().into_owned();
            self.unread.push(Unread { path, why });
        } else {
            self.complete = false;
        }
    }

    fn print(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        self.clear_progress();
        if let Err(error) = write(&mut io::stdout().lock()) {
            self.broken.get_or_insert(error);
        }
    }

    fn show_progress(&mut self) {
        let Some(progress) = &mut self.progress else {
            return;
        };
        let now = progress.since.elapsed();
        if progress.written.is_some_and(|before| now < before + EVERY) {
            return;
        }
        progress.written = Some(now);
        let found = self.sums.suspicious + self.sums.malicious;
        // Nobody can be told that standard error is gone.
        let _ = write!(
            io::stderr().lock(),
            "\r\x1b[K{} files, {}, {found} found",
            self.sums.files,
            size(self.sums.bytes)
        );
    }

    fn clear_progress(&mut self) {
        let written = self
            .progress
            .as_mut()
            .and_then(|progress| progress.written.take());
        if written.is_some() {
            let _ = write!(io::stderr().lock(), "\r\x1b[K");
        }
    }

    /// Shows the sums and gives the exit code.
    pub(super) fn finish(mut self) -> Result<ExitCode, Failure> {
        self.clear_progress();
        let mut out = io::stdout().lock();
        let written = if self.json {
            self.write_json(&mut out)
        } else {
            self.write_sums(&mut out)
        };
        match self.broken.map_or(written, Err) {
            // `labward scan … | head` is no fault.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                let why = format!("write the answer: {error}");
                Err(Failure::new(&problem::SERVER_INTERNAL, why))
            }
            _ => Ok(self.sums.exit_code()),
        }
    }

    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        let answer = Answer {
            files: &self.listed,
            unread: &self.unread,
            complete: self.complete,
            sums: &self.sums,
            loaded: &self.hello,
        };
        serde_json::to_writer_pretty(&mut *out, &answer)?;
        writeln!(out)
    }

    fn write_sums(&self, out: &mut dyn Write) -> io::Result<()> {
        let sums = &self.sums;
        if sums.files > sums.clean || sums.unread > 0 || self.all {
            writeln!(out)?;
        }
        writeln!(
            out,
            "{} files, {} in {} parts: {} clean, {} suspicious, {} malicious, {} unscannable, {} scanner errors; {} not read, {} skipped (links, pipes, other file systems)",
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
        )?;
        loaded(out, &self.hello)
    }
}

impl Sums {
    /// 1 if something was found, else 2 if not everything was looked into.
    fn exit_code(&self) -> ExitCode {
        if self.suspicious + self.malicious > 0 {
            ExitCode::from(1)
        } else if self.unscannable + self.scanner_errors + self.unread > 0 {
            ExitCode::from(2)
        } else {
            ExitCode::SUCCESS
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
fn size(bytes: u64) -> String {
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
