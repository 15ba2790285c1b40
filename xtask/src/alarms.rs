//! `cargo xtask alarms`: what Labward says of files that are not malware: those of this machine and the test data.
//!
//! It must never leave out a file that was not clean, or count one that was not read as clean.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use crate::bench::process::{children_cpu_us, machine, tick_us};
use crate::installation;
use crate::run::root;

/// The page that is written.
const PAGE: &str = "docs/ref/false-alarms.md";
/// Of one tree so many files that are not clean are named.
const NAMED: usize = 40;

/// Files that are good, and where they are said to come from.
struct Tree {
    /// As the page names it.
    name: &'static str,
    path: PathBuf,
    setting: &'static str,
}

#[derive(Deserialize)]
struct Answer {
    files: Vec<File>,
    unread: Vec<serde_json::Value>,
    sums: Sums,
    complete: bool,
}

#[derive(Deserialize)]
struct Sums {
    files: u64,
    bytes: u64,
    parts: u64,
    clean: u64,
    suspicious: u64,
    malicious: u64,
    unscannable: u64,
    scanner_errors: u64,
}

#[derive(Deserialize)]
struct File {
    path: String,
    verdict: String,
    findings: Vec<Finding>,
    obstacles: Vec<Obstacle>,
}

#[derive(Deserialize)]
struct Finding {
    path: String,
    kind: String,
    rule: Option<String>,
}

#[derive(Deserialize)]
struct Obstacle {
    path: String,
    why: String,
}

/// Scans every tree with the rules that ship; fails if one file is called suspicious or malicious.
pub(crate) fn alarms(write: bool) -> Result<()> {
    let program = installation::build()?;
    let (mut table, mut named) = (String::new(), String::new());
    let mut alarms = 0;
    for tree in trees()? {
        let (answer, seconds) = scan(&program, &tree)?;
        alarms += answer.sums.suspicious + answer.sums.malicious;
        row(&mut table, &tree, &answer, seconds)?;
        list(&mut named, &tree, &answer)?;
    }
    let page = format!(
        "{INTRODUCTION}\nOn {}.\n\n{HEADER}{table}\n## What was not clean\n\n{named}",
        machine()
    );
    print!("{page}");
    if write {
        fs::write(root().join(PAGE), page).with_context(|| format!("write {PAGE}"))?;
    }
    ensure!(
        alarms == 0,
        "{alarms} files are called suspicious or malicious"
    );
    Ok(())
}

fn trees() -> Result<Vec<Tree>> {
    let data = std::env::var_os("LABWARD_TEST_DATA").context("LABWARD_TEST_DATA is not set")?;
    let tree = |name, path: &str, setting| Tree {
        name,
        path: path.into(),
        setting,
    };
    let shared = |setting| Tree {
        name: "the test data",
        path: data.clone().into(),
        setting,
    };
    Ok(vec![
        shared("file"),
        shared("message"),
        tree("/usr/share/doc", "/usr/share/doc", "file"),
        tree("/usr/bin", "/usr/bin", "file"),
        tree("/usr/lib", "/usr/lib", "file"),
    ])
}

/// What is said of a tree, and the processor time of it, in seconds.
fn scan(program: &Path, tree: &Tree) -> Result<(Answer, f64)> {
    let tick_us = tick_us()?;
    let before = children_cpu_us(tick_us)?;
    let output = Command::new(program)
        .args(["scan", "--json", "--as", tree.setting])
        .arg(&tree.path)
        .output()
        .context("start labward")?;
    let used = children_cpu_us(tick_us)?.saturating_sub(before);
    ensure!(
        matches!(output.status.code(), Some(0..=2)),
        "labward scan {} failed ({}): {}",
        tree.path.display(),
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    let answer: Answer = serde_json::from_slice(&output.stdout)?;
    ensure!(answer.complete, "not all of {} was read", tree.name);
    #[expect(clippy::cast_precision_loss, reason = "it is shown with one digit")]
    let seconds = used as f64 / 1e6;
    Ok((answer, seconds))
}

fn row(table: &mut String, tree: &Tree, answer: &Answer, seconds: f64) -> Result<()> {
    let sums = &answer.sums;
    writeln!(
        table,
        "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {seconds:.1} |",
        tree.name,
        tree.setting,
        sums.files,
        sums.bytes / 1_000_000,
        sums.parts,
        sums.clean,
        sums.suspicious,
        sums.malicious,
        sums.unscannable,
        sums.scanner_errors + answer.unread.len() as u64,
    )?;
    Ok(())
}

fn list(page: &mut String, tree: &Tree, answer: &Answer) -> Result<()> {
    let files = answer.files.iter().filter(|file| file.verdict != "clean");
    let files: Vec<_> = files.collect();
    if files.is_empty() {
        return Ok(());
    }
    writeln!(page, "{}, as {}:\n", tree.name, tree.setting)?;
    for file in files.iter().take(NAMED) {
        let path = Path::new(&file.path);
        let path = path.strip_prefix(&tree.path).unwrap_or(path);
        writeln!(
            page,
            "- `{}`: {}, {}",
            path.display(),
            file.verdict,
            file.reasons()
        )?;
    }
    if let Some(more) = files.len().checked_sub(NAMED).filter(|more| *more > 0) {
        writeln!(page, "- and {more} more")?;
    }
    page.push('\n');
    Ok(())
}

impl File {
    fn reasons(&self) -> String {
        let found = self.findings.iter().map(|one| {
            let rule = one.rule.as_deref().unwrap_or(&one.kind);
            told(rule, &one.path)
        });
        let kept = self.obstacles.iter().map(|one| told(&one.why, &one.path));
        found.chain(kept).take(2).collect::<Vec<_>>().join("; ")
    }
}

/// What was said, and where within the file.
fn told(what: &str, path: &str) -> String {
    match path {
        "" => what.to_owned(),
        path => format!("{what} at `{path}`"),
    }
}

const INTRODUCTION: &str = "\
# False alarms

Written by `cargo xtask alarms --write`; `cargo xtask alarms` scans everything again and fails if one file is called
suspicious or malicious. What is scanned is good: the test data of Labward (`LABWARD_TEST_DATA`) and the programs,
libraries and documents of a Debian machine as its packages put them there, together with what a developer has
installed. Each goes through `labward scan` with the rules that ship, everything that is packed in it unwrapped.

*Unscannable* is no alarm: it says that something could not be looked into, and is never clean. *MB* counts what was
unwrapped, too; *errors* counts what the scanner did not get done and what could not be read.
";

const HEADER: &str = "\
| Files | As | Number | MB | Parts | Clean | Suspicious | Malicious | Unscannable | Errors | CPU s |
|---|---|---|---|---|---|---|---|---|---|---|
";
