//! Imports: what was brought in is found again by name and number, and rests nowhere in clear.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use labward_testkit::{TempDir, test_data};
use memchr::memmem::Finder;
use serde_json::Value;

use crate::support::{Installation, eventually};

/// What identifies a patient of a bundle.
struct Known {
    given: String,
    family: String,
    born: String,
    mrn: String,
    /// Every name and identifier that stands in the bundle's patient.
    secrets: Vec<String>,
}

#[test]
fn every_bundle_is_imported_found_by_a_mistyped_name_and_by_mrn_and_rests_nowhere_in_clear() {
    let Some(data) = test_data("every_bundle_is_imported") else {
        return;
    };
    let lab = Installation::create("");
    let server = lab.serve();
    let files = bundles(&data.join("fhir"));
    let paths: Vec<&str> = files.iter().map(|file| file.to_str().unwrap()).collect();
    let words = [
        &["record", "import"],
        &paths[..],
        &["--why", "the move to Labward"],
    ]
    .concat();
    let imported = lab.json(&words);
    let imported = imported.as_array().unwrap();
    assert_eq!(imported.len(), files.len());
    let sum = |name: &str| -> u64 { imported.iter().map(|one| one[name].as_u64().unwrap()).sum() };
    let people: Vec<Known> = files.iter().filter_map(|file| known(file)).collect();
    assert_eq!(sum("new_patients"), people.len() as u64);
    assert_eq!(
        (files.len(), people.len(), sum("records")),
        (17, 15, 13_308)
    );

    server.stop();
    let server = lab.serve();
    eventually("the names to be loaded", || {
        (lab.json(&["status"])["search_ready"] == true).then_some(())
    });
    for person in &people {
        let typed = format!("{} {}", person.given, mistyped(&person.family));
        let by_name = find(&lab, &format!("name: {typed}"));
        let by_mrn = find(&lab, &format!("mrn: {}", person.mrn));
        assert_eq!(by_mrn.len(), 1);
        assert_eq!(by_name, by_mrn);
        let born = format!("name: {typed}\nbirth-date: {}", person.born);
        assert_eq!(find(&lab, &born), by_mrn);
    }
    let verified = lab.run(&["ledger", "verify"]).ok();
    assert!(verified.contains("the ledger is whole"), "{verified}");

    let secrets: Vec<String> = people.iter().flat_map(Known::all).collect();
    // While it runs, with its log and its socket's folder, and again after it ended.
    nothing_rests(&lab, &secrets);
    server.stop();
    nothing_rests(&lab, &secrets);
}

/// Panics if one of the secrets stands in a file of the data folder or in the server's log.
fn nothing_rests(lab: &Installation, secrets: &[String]) {
    let mut files = Vec::new();
    walk(lab.data(), &mut files);
    assert!(files.len() > 5, "{files:?}");
    files.push(lab.beside("server.log"));
    assert_eq!(resting(&files, secrets), [""; 0]);
}

/// Those of the secrets, in small letters, that stand in one of the files in any letters.
fn resting(files: &[PathBuf], secrets: &[String]) -> Vec<String> {
    let finders: Vec<Finder<'_>> = secrets.iter().map(Finder::new).collect();
    let mut found = Vec::new();
    for file in files {
        let content = fs::read(file).unwrap().to_ascii_lowercase();
        let here = finders
            .iter()
            .filter(|finder| finder.find(&content).is_some());
        found.extend(here.map(|finder| {
            let secret = String::from_utf8_lossy(finder.needle());
            format!("{secret} in {}", file.display())
        }));
    }
    found
}

#[test]
fn the_search_for_what_rests_finds_it_in_the_depth_of_a_file() {
    let folder = TempDir::new();
    fs::create_dir(folder.join("db")).unwrap();
    let file = folder.join("db/wal");
    fs::write(&file, b"\xff\x00GusiKowski974\x00").unwrap();
    let mut files = Vec::new();
    walk(folder.path(), &mut files);
    let secrets = ["gusikowski974".to_owned(), "beier427".to_owned()];
    let found = format!("gusikowski974 in {}", file.display());
    assert_eq!(resting(&files, &secrets), [found]);
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            walk(&entry.path(), files);
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
}

fn bundles(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The opaque numbers of the patients that fit.
fn find(lab: &Installation, criteria: &str) -> Vec<u64> {
    let input = format!("{criteria}\nwhy: a test\n");
    let found = lab.run_with(&["--json", "record", "find"], &input).json();
    let patients = found["patients"].as_array().unwrap().iter();
    patients
        .map(|hit| hit["patient"].as_u64().unwrap())
        .collect()
}

fn known(file: &Path) -> Option<Known> {
    let mut text = String::new();
    bzip2::read::BzDecoder::new(fs::File::open(file).unwrap())
        .read_to_string(&mut text)
        .unwrap();
    let bundle: Value = serde_json::from_str(&text).unwrap();
    let resources = bundle["entry"].as_array().unwrap().iter();
    let patient = resources
        .map(|entry| &entry["resource"])
        .find(|resource| resource["resourceType"] == "Patient")?;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let identifiers = patient["identifier"].as_array().unwrap();
    let mrn = identifiers
        .iter()
        .find(|one| one["type"]["coding"][0]["code"] == "MR")?;
    let mut secrets: Vec<String> = identifiers.iter().map(|one| text(&one["value"])).collect();
    for name in patient["name"].as_array().unwrap() {
        secrets.push(text(&name["family"]));
        secrets.extend(name["given"].as_array().unwrap().iter().map(text));
    }
    Some(Known {
        given: text(&patient["name"][0]["given"][0]),
        family: text(&patient["name"][0]["family"]),
        born: text(&patient["birthDate"]),
        mrn: text(&mrn["value"]),
        secrets,
    })
}

impl Known {
    /// Everything that must not rest in clear, in small letters as the search has them.
    fn all(&self) -> Vec<String> {
        let born = [self.born.clone(), self.born.replace('-', "")];
        let all = self.secrets.iter().chain(&born);
        all.map(|secret| secret.to_ascii_lowercase()).collect()
    }
}

/// The letters of a name with one of them wrong.
fn mistyped(name: &str) -> String {
    let mut letters: Vec<char> = name.chars().filter(|c| c.is_alphabetic()).collect();
    letters[2] = if letters[2] == 'x' { 'y' } else { 'x' };
    letters.into_iter().collect()
}
