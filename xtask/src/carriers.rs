//! `cargo xtask carriers`: what laboratories move, and the test files of ClamAV, through Labward, ClamAV and YARA.
//!
//! It must never call found what a scanner did not name, or leave a carrier out that one of them cannot open.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use labward_base::hex;
use labward_testkit::carrier::{self, Carrier};
use serde::Deserialize;

use crate::guard::Workplace;
use crate::run::root;
use crate::{installation, tools};

/// The page that is written or compared.
const PAGE: &str = "docs/ref/malware.md";
/// Where Debian puts the test files.
const CLAMAV: &str = "/usr/share/clamav-testfiles";

/// What one scanner says of one file: nothing if it found nothing.
type Said = BTreeMap<String, String>;

/// What all of them say of the files of a folder.
struct All {
    labward: BTreeMap<String, File>,
    clamscan: Said,
    yara: Said,
    coded: Said,
}

#[derive(Deserialize)]
struct Answer {
    files: Vec<File>,
}

#[derive(Clone, Deserialize)]
struct File {
    path: String,
    verdict: String,
    findings: Vec<Finding>,
    obstacles: Vec<Obstacle>,
}

#[derive(Clone, Deserialize)]
struct Finding {
    path: String,
    kind: String,
}

#[derive(Clone, Deserialize)]
struct Obstacle {
    path: String,
    why: String,
}

/// Scans everything, and writes the page or compares it with what stands there.
pub(crate) fn carriers(write: bool) -> Result<()> {
    tools::ensure_for_scanners()?;
    let program = installation::build_for_tests()?;
    let place = Workplace::create("carriers")?;
    let test_program = fs::read(Path::new(CLAMAV).join("clam.exe"))?;
    let payloads = [carrier::eicar(), test_program];
    let scanners = Scanners::prepare(&program, &place, &payloads)?;
    let mut page = String::from(INTRODUCTION);
    let [eicar, other] = payloads.map(|payload| carrier::all(&payload));
    let eicar_said = scanners.look(&put(&place.join("eicar"), &eicar)?)?;
    let other_said = scanners.look(&put(&place.join("program"), &other)?)?;
    carriers_table(&mut page, &eicar, &[eicar_said, other_said])?;
    files_table(&mut page, &scanners.look(Path::new(CLAMAV))?)?;
    page.push_str(NOTES);
    let path = root().join(PAGE);
    if write {
        return fs::write(&path, page).with_context(|| format!("write {PAGE}"));
    }
    let stands = fs::read_to_string(&path).unwrap_or_default();
    let differs = stands.lines().zip(page.lines()).find(|(a, b)| a != b);
    ensure!(
        stands == page,
        "{PAGE} does not say what was found ({differs:?}); run cargo xtask carriers --write"
    );
    Ok(())
}

/// Writes each carrier into a file whose name says nothing.
fn put(folder: &Path, carriers: &[Carrier]) -> Result<std::path::PathBuf> {
    fs::create_dir(folder)?;
    for (number, carrier) in carriers.iter().enumerate() {
        fs::write(folder.join(name(number)), &carrier.bytes)?;
    }
    Ok(folder.to_path_buf())
}

fn name(number: usize) -> String {
    format!("{number:02}")
}

/// The scanners, each told of the two payloads.
struct Scanners<'a> {
    program: &'a Path,
    list: std::path::PathBuf,
    database: std::path::PathBuf,
    plain: std::path::PathBuf,
    coded: std::path::PathBuf,
}

impl<'a> Scanners<'a> {
    fn prepare(program: &'a Path, place: &Workplace, payloads: &[Vec<u8>]) -> Result<Self> {
        let (mut list, mut signatures) = (String::new(), String::new());
        let (mut plain, mut coded) = (String::new(), String::new());
        for (number, payload) in payloads.iter().enumerate() {
            let digest = sha256(payload);
            writeln!(list, "{digest}")?;
            writeln!(signatures, "{digest}:{}:payload{number}", payload.len())?;
            let text: String = payload
                .iter()
                .map(|byte| format!("\\x{byte:02x}"))
                .collect();
            writeln!(
                plain,
                "rule payload{number} {{ strings: $a = \"{text}\" condition: $a }}"
            )?;
            writeln!(
                coded,
                "rule payload{number} {{ strings: $a = \"{text}\" $b = \"{text}\" base64 condition: any of them }}"
            )?;
        }
        let scanners = Self {
            program,
            list: place.join("hashes.txt"),
            database: place.join("db"),
            plain: place.join("plain.yar"),
            coded: place.join("coded.yar"),
        };
        fs::create_dir(&scanners.database)?;
        fs::write(&scanners.list, list)?;
        fs::write(scanners.database.join("payloads.hsb"), signatures)?;
        fs::write(&scanners.plain, plain)?;
        fs::write(&scanners.coded, coded)?;
        Ok(scanners)
    }

    fn look(&self, folder: &Path) -> Result<All> {
        let mut labward = Command::new(self.program);
        labward
            .args(["scan", "--json", "--all", "--as=message"])
            .arg(format!("--hashes={}", self.list.display()))
            .arg(folder);
        let answer: Answer = serde_json::from_str(&said("labward", &mut labward)?)?;
        let files = answer.files.into_iter();
        let mut clamscan = Command::new("clamscan");
        clamscan
            .args(["--no-summary", "--infected", "-d"])
            .arg(&self.database)
            .arg(folder);
        let found = said("clamscan", &mut clamscan)?;
        let found = found.lines().filter_map(|line| line.split_once(": "));
        Ok(All {
            labward: files.map(|file| (last(&file.path), file)).collect(),
            clamscan: found
                .map(|(path, name)| (last(path), name.to_owned()))
                .collect(),
            yara: yara(&self.plain, folder)?,
            coded: yara(&self.coded, folder)?,
        })
    }
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(&labward_seal::sha256(bytes))
}

fn yara(rules: &Path, folder: &Path) -> Result<Said> {
    let mut yara = Command::new("yara");
    yara.arg("-w").arg(rules).arg(folder);
    let found = said("yara", &mut yara)?;
    let found = found.lines().filter_map(|line| line.split_once(' '));
    Ok(found
        .map(|(rule, path)| (last(path), rule.to_owned()))
        .collect())
}

/// What a scanner prints; that something was found, or could not be looked into, is no failure of its.
fn said(name: &str, command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("start {name}"))?;
    ensure!(
        matches!(output.status.code(), Some(0..=2)),
        "{name} failed ({}): {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).with_context(|| format!("read what {name} printed"))
}

fn last(path: &str) -> String {
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

fn tick(said: &Said, file: &str) -> &'static str {
    match said.contains_key(file) {
        true => "found",
        false => "–",
    }
}

impl File {
    /// Where the payload lies, by the hash or as EICAR; else where it is suspicious.
    fn place(&self) -> String {
        let known = |one: &&Finding| matches!(one.kind.as_str(), "hash" | "eicar");
        let finding = self.findings.iter().find(known).or(self.findings.first());
        match (finding, self.obstacles.first()) {
            (Some(one), _) => shown(&one.path),
            (None, Some(one)) => match one.path.as_str() {
                "" => one.why.clone(),
                path => format!("{}: {}", shown(path), one.why),
            },
            (None, None) => String::new(),
        }
    }
}

fn shown(path: &str) -> String {
    match path {
        "" => "the file itself".to_owned(),
        path => format!("`{path}`"),
    }
}

fn carriers_table(page: &mut String, carriers: &[Carrier], all: &[All; 2]) -> Result<()> {
    page.push_str(CARRIERS);
    let mut sums = [[0; 2]; 4];
    for (number, carrier) in carriers.iter().enumerate() {
        let file = name(number);
        write!(page, "| {} | ", carrier.name)?;
        for (which, said) in all.iter().enumerate() {
            let ours = said
                .labward
                .get(&file)
                .context("Labward passed over a file")?;
            if which == 0 {
                write!(page, "{} | ", ours.place())?;
            }
            let found = [
                ours.verdict == "malicious",
                said.clamscan.contains_key(&file),
                said.yara.contains_key(&file),
                said.coded.contains_key(&file),
            ];
            for (sums, found) in sums.iter_mut().zip(found) {
                if let Some(sum) = sums.get_mut(which) {
                    *sum += usize::from(found);
                }
            }
            let peers = [&said.clamscan, &said.yara, &said.coded].map(|one| tick(one, &file));
            write!(page, "{} | {} | ", ours.verdict, peers.join(" | "))?;
        }
        page.truncate(page.trim_end().len());
        page.push('\n');
    }
    let many = carriers.len();
    let [ours, clamscan, yara, coded] =
        sums.map(|[eicar, program]| format!("{eicar} and {program}"));
    writeln!(
        page,
        "\nOf {many} carriers with EICAR and {many} with the program, Labward finds the payload itself in {ours}, clamscan in \
         {clamscan}, YARA in {yara}, and with its modifier `base64` in {coded}."
    )?;
    Ok(())
}

fn files_table(page: &mut String, all: &All) -> Result<()> {
    page.push_str(FILES);
    let mut sums = [0; 3];
    for (file, ours) in &all.labward {
        let found = [
            ours.verdict == "malicious",
            all.clamscan.contains_key(file),
            all.coded.contains_key(file),
        ];
        for (sum, found) in sums.iter_mut().zip(found) {
            *sum += usize::from(found);
        }
        writeln!(
            page,
            "| {file} | {} | {} | {} | {} |",
            ours.verdict,
            ours.place(),
            tick(&all.clamscan, file),
            tick(&all.coded, file)
        )?;
    }
    let [ours, clamscan, yara] = sums;
    writeln!(
        page,
        "\nOf {} files, Labward finds the program in {ours}, clamscan in {clamscan}, YARA with `base64` in {yara}.",
        all.labward.len()
    )?;
    Ok(())
}

const INTRODUCTION: &str = "\
# Malware: what is opened

Written by `cargo xtask carriers --write`; `cargo xtask carriers` scans everything again and fails if anything else is
found than stands here.

Two harmless payloads: the test string of EICAR, and `clam.exe`, the program of 544 bytes of Debian's `clamav-testfiles`.
Each scanner is told of exactly these two:

- **Labward**: `labward scan --as=message` in its confined process, with its own rules and a list of the two SHA-256;
- **clamscan**: Debian's ClamAV with a database of the two SHA-256 and nothing else;
- **YARA**: Debian's `yara` with a rule that holds the payload, and *base64*: with one that holds it with the modifier
  `base64`, too.
";

const CARRIERS: &str = "
## What laboratories move

Made by `labward-testkit`. *Path* is where Labward finds EICAR.

| Carrier | Path | EICAR: Labward | clamscan | yara | base64 | Program: Labward | clamscan | yara | base64 |
|---|---|---|---|---|---|---|---|---|---|
";

const FILES: &str = "
## The test files of ClamAV

Each holds the program. *Where* is the path of what was found, or why it could not be looked into.

| File | Labward | Where | clamscan | base64 |
|---|---|---|---|---|
";

const NOTES: &str = "
## What it does not say

- A SHA-256 needs the payload whole. YARA finds one that stands plain in what it looks at, and in Base64 only where no line
  break or escape cuts it; ClamAV opens far more kinds of archives and packers than mail and DICOM, but no HL7, FHIR, CDA or
  ASTM.
- The preamble of DICOM has room for 128 bytes: of the program only its beginning is there, which no hash knows. Labward
  says `suspicious`, since a preamble that is neither zero nor a TIFF header is one of the signs of the structure.
- With its official database ClamAV has a signature of its own for EICAR, which finds it in more places than a hash does.
- Programs that unpack themselves are not run or unpacked: they are `unscannable`, never clean, where their packer left
  its mark in the names of the sections. One that left none is looked at as it is.
";
