//! The advisories of CISA for `matching`, and the validator that ours is measured beside.
//!
//! It must never measure a validator that judges other documents, or fewer of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use labward_advisory::csaf::Document;
use labward_advisory::json::to_text;
use labward_advisory::{Limits, Weight};
use serde::Deserialize;

use super::process::Cost;
use crate::interop::TEST_DATA;
use crate::run::{capture, root, run};
use crate::tools;

/// The archive, in the test data.
const ARCHIVE: &str = "csaf/cisa-ot-2017-2023.tar.xz";

/// The peer and its version, from npm.
pub(super) const PEER: &str = "@secvisogram/csaf-validator-lib@2.0.10";

const SCRIPT: &str = include_str!("../../node/validate_csaf.mjs");

/// What a validator says of each document, and what that took.
pub(super) struct Validated {
    /// Whether it is valid, in the order of the documents.
    pub(super) valid: Vec<bool>,
    /// Processor time in µs.
    pub(super) cpu_us: f64,
}

impl Validated {
    /// Documents in one second of processor time.
    pub(super) fn a_second(&self) -> f64 {
        let documents = u32::try_from(self.valid.len()).map_or(f64::NAN, f64::from);
        documents / self.cpu_us * 1e6
    }
}

/// Where the test data lies.
pub(super) fn test_data() -> Result<PathBuf> {
    let data = std::env::var_os(TEST_DATA).map(PathBuf::from);
    data.with_context(|| format!("set {TEST_DATA} to the folder of the test data"))
}

/// Unpacks the advisories into `folder`; at most `most` of them, sorted by name.
pub(super) fn unpack(folder: &Path, most: usize) -> Result<Vec<PathBuf>> {
    let archive = test_data()?.join(ARCHIVE);
    fs::create_dir_all(folder)?;
    let mut tar = Command::new("tar");
    tar.arg("-xJf").arg(&archive).arg("-C").arg(folder);
    capture("tar", &mut tar).with_context(|| format!("unpack {}", archive.display()))?;
    let mut files = Vec::new();
    walk(folder, &mut files)?;
    files.sort();
    files.truncate(most);
    Ok(files)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, files)?;
        } else if path.extension().is_some_and(|end| end == "json") {
            files.push(path);
        }
    }
    Ok(())
}

/// The bytes of each file.
pub(super) fn read_all(files: &[PathBuf]) -> Result<Vec<Vec<u8>>> {
    let read = |path: &PathBuf| fs::read(path).with_context(|| format!("read {}", path.display()));
    files.iter().map(read).collect()
}

/// Validates each document with ours, one after the other.
pub(super) fn validate(documents: &[Vec<u8>]) -> Result<Validated> {
    let limits = Limits::default();
    let (valid, cost) = Cost::of(|| {
        Ok(documents
            .iter()
            .map(|bytes| is_valid(bytes, &limits))
            .collect())
    })?;
    Ok(Validated {
        valid,
        cpu_us: cost.cpu_us,
    })
}

fn is_valid(bytes: &[u8], limits: &Limits) -> bool {
    let (text, _) = to_text(bytes);
    Document::parse(&text, limits).is_ok_and(|document| {
        let flaws = document.validate();
        flaws
            .listed()
            .iter()
            .all(|flaw| flaw.weight() != Weight::Error)
    })
}

/// The peer, installed.
pub(super) struct Peer {
    folder: PathBuf,
    list: PathBuf,
}

#[derive(Deserialize)]
struct PeerLine {
    valid: String,
    cpu_us: f64,
}

impl Peer {
    /// Installs it below `target/bench`, once, to judge the files that `list` names, one a line; `None` where
    /// node or npm is not there.
    pub(super) fn prepare(list: &Path) -> Result<Option<Self>> {
        if !tools::on_path("node") || !tools::on_path("npm") {
            return Ok(None);
        }
        let folder = root().join("target/bench/csaf-validator");
        fs::create_dir_all(&folder)?;
        // Written last, so that an installation that was interrupted is made anew.
        let made = folder.join("installed");
        if !fs::read_to_string(&made).is_ok_and(|there| there == PEER) {
            let mut npm = Command::new("npm");
            npm.current_dir(&folder).args([
                "install",
                "--silent",
                "--no-audit",
                "--no-fund",
                "--ignore-scripts",
                "--prefix",
                ".",
                PEER,
            ]);
            run(&format!("npm install {PEER}"), &mut npm)?;
            fs::write(&made, PEER)?;
        }
        // Node looks for packages beside the script.
        fs::write(folder.join("validate_csaf.mjs"), SCRIPT)?;
        let list = list.to_path_buf();
        Ok(Some(Self { folder, list }))
    }

    /// One run over every file.
    pub(super) fn validate(&self) -> Result<Validated> {
        let mut node = Command::new("node");
        node.arg(self.folder.join("validate_csaf.mjs"))
            .arg(&self.list);
        let line: PeerLine = serde_json::from_str(&capture("node", &mut node)?)?;
        Ok(Validated {
            valid: line.valid.bytes().map(|byte| byte == b'1').collect(),
            cpu_us: line.cpu_us,
        })
    }
}

/// How many documents two validators judge differently; both must have judged each.
pub(super) fn differences(ours: &Validated, peer: &Validated) -> Result<usize> {
    ensure!(
        ours.valid.len() == peer.valid.len(),
        "the peer judged {} documents of {}",
        peer.valid.len(),
        ours.valid.len()
    );
    let both = ours.valid.iter().zip(&peer.valid);
    Ok(both.filter(|(ours, peer)| ours != peer).count())
}
