//! Rules that no compiler checks: arrows between rooms go down only, every file says what it is,
//! every crate has a front page and the workspace's lints, no file grows without end, and no link of a
//! document leads nowhere.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use cargo_metadata::{DependencyKind, MetadataCommand};

use crate::links;
use crate::run::root;

/// The level of every room; an arrow goes to a lower level only.
const LEVELS: &[(&str, u8)] = &[
    ("labward-base", 0),
    ("labward-hl7", 1),
    ("labward-astm", 1),
    ("labward-advisory", 1),
    ("labward-authenticode", 1),
    ("labward-mds2", 1),
    ("labward-milter", 1),
    ("labward-product", 1),
    ("labward-capture", 2),
    ("labward-report", 2),
    ("labward-matching", 2),
    ("labward-priority", 2),
    ("labward-behaviour", 2),
    ("labward-carrier", 2),
    ("labward-store", 2),
    ("labward-update", 2),
    ("labward-seal", 2),
    ("labward-os", 2),
    ("labward-ledger", 3),
    ("labward-scan", 3),
    ("labward-segmentation", 3),
    ("labward-keys", 4),
    ("labward-identity", 4),
    ("labward-records", 5),
    ("labward-gateway", 5),
    ("labward-backup", 5),
    ("labward-assess", 5),
    ("labward-devices", 5),
    ("labward-disclosures", 5),
    ("labward-threats", 5),
    ("labward-conduits", 5),
    ("labward-malware", 5),
    ("labward-api", 6),
    ("labward-console", 7),
    ("labward-server", 8),
    ("labward-edge", 8),
    ("labward-cli", 8),
    ("labward-demo", 8),
    ("labward", 9),
];

/// Arrows on one level that are allowed, each with its reason.
const SIDEWAYS: &[(&str, &str, &str)] = &[
    (
        "labward-demo",
        "labward-server",
        "the demo shows the real server, not a copy of its wiring",
    ),
    (
        "labward-demo",
        "labward-cli",
        "the demo asks the server as the command line does",
    ),
];

/// Where tokio may appear.
const TOKIO: &[&str] = &[
    "labward-gateway",
    "labward-server",
    "labward-edge",
    "labward-demo",
];

/// A file longer than this is to be split; the longest ones are printed.
const LONGEST_FILE_LINES: usize = 1_000;

/// Checks every rule and prints the sizes of the house.
pub(crate) fn tidy() -> Result<()> {
    let mut faults = layering()?;
    let files = rust_files()?;
    for file in &files {
        faults.extend(check_file(file)?);
    }
    faults.extend(check_crates()?);
    faults.extend(named_tests(&files)?);
    faults.extend(links::faults()?);
    print_sizes(&files)?;
    for fault in &faults {
        eprintln!("tidy: {fault}");
    }
    ensure!(faults.is_empty(), "{} rules are broken", faults.len());
    Ok(())
}

/// Every arrow between rooms that does not go down.
fn layering() -> Result<Vec<String>> {
    let levels: BTreeMap<&str, u8> = LEVELS.iter().copied().collect();
    let metadata = MetadataCommand::new()
        .current_dir(root())
        .no_deps()
        .exec()
        .context("read cargo metadata")?;
    let mut faults = Vec::new();
    for package in &metadata.packages {
        let name = package.name.as_str();
        let Some(&level) = levels.get(name) else {
            if package.manifest_path.starts_with(root().join("crates")) {
                faults.push(format!("{name} has no level in xtask/src/tidy.rs"));
            }
            continue;
        };
        for dependency in &package.dependencies {
            // What a test leans on does not reach the user.
            if dependency.kind != DependencyKind::Normal {
                continue;
            }
            let to = dependency.name.as_str();
            if to == "tokio" && !TOKIO.contains(&name) {
                faults.push(format!("{name} leans on tokio; only {TOKIO:?} may"));
            }
            let allowed = SIDEWAYS.iter().any(|(a, b, _)| *a == name && *b == to);
            if levels.get(to).is_some_and(|&below| below >= level) && !allowed {
                faults.push(format!(
                    "{name} (level {level}) leans on {to}, which is not below it"
                ));
            }
        }
    }
    Ok(faults)
}

fn check_file(file: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
    let shown = file
        .strip_prefix(root())
        .unwrap_or(file)
        .display()
        .to_string();
    let mut faults = Vec::new();
    let opens = text
        .lines()
        .find(|line| !line.starts_with("#!["))
        .unwrap_or("");
    if !opens.starts_with("//!") && !text.starts_with("#![doc") {
        faults.push(format!("{shown} does not open with //!"));
    }
    let lines = text.lines().count();
    if lines > LONGEST_FILE_LINES {
        faults.push(format!(
            "{shown} has {lines} lines; split it (at most {LONGEST_FILE_LINES})"
        ));
    }
    for (number, line) in text.lines().enumerate() {
        // Written in two halves, so that this line does not find itself.
        let unfinished = [
            concat!("TO", "DO"),
            concat!("FIX", "ME"),
            concat!("X", "XX:"),
        ];
        if unfinished.iter().any(|word| line.contains(word)) && !line.contains("http") {
            faults.push(format!(
                "{shown}:{} leaves something undone without a link",
                number + 1
            ));
        }
        // A virus scanner would take the file away: `labward_testkit::carrier::eicar` puts it together.
        if line.contains(concat!("EICAR", "-STANDARD")) {
            faults.push(format!(
                "{shown}:{} holds the test string of EICAR",
                number + 1
            ));
        }
    }
    Ok(faults)
}

/// The pages that name a test for each thing they promise.
const PAGES_OF_TESTS: &[&str] = &["SECURITY.md", "docs/ref/failure.md"];

/// Every test that a page names and that does not exist.
fn named_tests(files: &[PathBuf]) -> Result<Vec<String>> {
    let mut code = String::new();
    for file in files {
        code.push_str(&fs::read_to_string(file)?);
    }
    let mut faults = Vec::new();
    for page in PAGES_OF_TESTS {
        let text = fs::read_to_string(root().join(page)).with_context(|| format!("read {page}"))?;
        for name in text
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|span| is_test_name(span))
        {
            if !code.contains(&format!("fn {name}(")) {
                faults.push(format!(
                    "{page} names the test {name}, which does not exist"
                ));
            }
        }
    }
    Ok(faults)
}

/// Whether it reads like a claim: words of lower case joined by at least three underscores.
fn is_test_name(span: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    span.bytes().all(plain) && span.matches('_').count() >= 3
}

fn check_crates() -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for entry in fs::read_dir(root().join("crates"))? {
        let folder = entry?.path();
        let name = folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let manifest = fs::read_to_string(folder.join("Cargo.toml"))?;
        if !manifest.contains(&format!("name = \"{name}\"")) {
            faults.push(format!("{name}: folder and crate have different names"));
        }
        if !folder.join("README.md").exists() {
            faults.push(format!("{name} has no README.md"));
        }
        if name != "labward-os" && !manifest.contains("[lints]\nworkspace = true") {
            faults.push(format!("{name} does not take the workspace's lints"));
        }
    }
    Ok(faults)
}

/// Every Rust file of the project, sorted.
pub(crate) fn rust_files() -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for folder in ["crates", "xtask", "testkit", "tests", "fuzz/src"] {
        walk(&root().join(folder), &mut files)?;
    }
    files.sort();
    Ok(files)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(());
    };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() && path.file_name().is_none_or(|name| name != "target") {
            walk(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// Prints lines, documentation and tests of the whole house in one line, and its longest files.
fn print_sizes(files: &[PathBuf]) -> Result<()> {
    let (mut lines, mut filled, mut doc, mut comment, mut test) = (0, 0, 0, 0, 0);
    let mut lengths = Vec::new();
    for file in files {
        let text = fs::read_to_string(file)?;
        let mut in_tests = file.components().any(|part| {
            let name = part.as_os_str();
            ["tests", "tests.rs", "testing", "testkit"]
                .iter()
                .any(|test| name == *test)
        });
        for line in text.lines().map(str::trim_start) {
            lines += 1;
            in_tests |= line.starts_with("#[cfg(test)]");
            if line.is_empty() {
                continue;
            }
            filled += 1;
            test += usize::from(in_tests);
            let is_doc = line.starts_with("///") || line.starts_with("//!");
            doc += usize::from(is_doc);
            comment += usize::from(line.starts_with("//") && !is_doc);
        }
        lengths.push((text.lines().count(), file));
    }
    lengths.sort();
    let median = lengths
        .get(lengths.len() / 2)
        .map_or(0, |(length, _)| *length);
    println!(
        "tidy: {} files, {lines} lines, median file {median}; doc {} %, comments {} %, tests {} % of filled lines",
        files.len(),
        100 * doc / filled.max(1),
        100 * comment / filled.max(1),
        100 * test / filled.max(1),
    );
    for (length, file) in lengths.iter().rev().take(5) {
        println!(
            "tidy: {length:5} {}",
            file.strip_prefix(root()).unwrap_or(file).display()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_names_a_test_that_does_not_exist_is_found() {
        let files = rust_files().unwrap();
        assert_eq!(named_tests(&files).unwrap(), Vec::<String>::new());
        assert!(
            named_tests(&[]).unwrap().len() > 20,
            "it looks at the pages"
        );
        assert!(is_test_name("a_test_that_claims_something"));
        assert!(!is_test_name("power_cut") && !is_test_name("docs/ref_a_b_c"));
    }

    #[test]
    fn every_arrow_between_rooms_goes_down() {
        assert_eq!(layering().unwrap(), Vec::<String>::new());
    }
}
