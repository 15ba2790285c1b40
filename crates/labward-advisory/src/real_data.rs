//! Claims checked over the real advisories and the cases of OASIS; skipped unless
//! `LABWARD_TEST_DATA` names the folder that holds them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use crate::csaf::validate::TESTS;
use crate::csaf::{Advisory, Document};
use crate::{Limits, Weight};

/// The folder of the test data, or `None` and a word about it.
pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    let Some(data) = std::env::var_os("LABWARD_TEST_DATA") else {
        eprintln!("labward-skip: {name}: LABWARD_TEST_DATA is not set");
        return None;
    };
    Some(PathBuf::from(data))
}

/// The files of a `.tar.xz` by their names, unpacked by the program `xz`.
#[expect(
    clippy::disallowed_methods,
    reason = "a test, and no library for it is worth its weight"
)]
pub(crate) fn unpack(path: PathBuf) -> BTreeMap<String, Vec<u8>> {
    let unpacked = Command::new("xz").arg("-dc").arg(&path).output().unwrap();
    assert!(unpacked.status.success(), "{}", path.display());
    let tar = unpacked.stdout;
    let mut files = BTreeMap::new();
    let mut at = 0;
    let text = |bytes: &[u8]| {
        let end = bytes
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(bytes.len());
        String::from_utf8_lossy(&bytes[..end]).trim().to_owned()
    };
    while let Some(header) = tar.get(at..at + 512)
        && header[0] != 0
    {
        let size = usize::from_str_radix(&text(&header[124..136]), 8).unwrap();
        let prefix = text(&header[345..500]);
        let name = text(&header[..100]);
        let name = if prefix.is_empty() {
            name
        } else {
            format!("{prefix}/{name}")
        };
        if matches!(header[156], b'0' | 0) {
            files.insert(name, tar[at + 512..at + 512 + size].to_vec());
        }
        at += 512 + size.div_ceil(512) * 512;
    }
    files
}

fn ends_with<'f>(files: &'f BTreeMap<String, Vec<u8>>, end: &str) -> Vec<(&'f str, &'f [u8])> {
    let named = files.iter().filter(|(name, _)| name.ends_with(end));
    named
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
        .collect()
}

/// Cases of OASIS that are not told as their file says, with the reason.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("6.3.6", "asks the network"),
    ("6.3.7", "asks the network"),
    ("6.3.8", "needs dictionaries"),
    (
        "6-2-08-02.json",
        "told, but not valid: two MD5 of one file also break 6.1.25",
    ),
    (
        "6-2-09-02.json",
        "told, but not valid: two SHA-1 of one file also break 6.1.25",
    ),
];

#[test]
fn every_case_of_oasis_is_told_as_its_file_says() {
    let Some(data) = folder("OASIS cases") else {
        return;
    };
    let files = unpack(data.join("csaf/oasis-validator-data.tar.xz"));
    let index = files
        .iter()
        .find(|(name, _)| name.ends_with("testcases.json"))
        .unwrap()
        .1;
    let index: serde_json::Value = serde_json::from_slice(index).unwrap();
    let limits = Limits::default();
    let (mut cases, mut wrong) = (0, Vec::new());
    for test in index["tests"].as_array().unwrap() {
        let id = test["id"].as_str().unwrap();
        assert!(
            TESTS.contains(&id) || EXCEPTIONS.iter().any(|(rule, _)| *rule == id),
            "{id} is neither run nor excepted"
        );
        for (kind, must_fail) in [("failures", true), ("valid", false)] {
            for case in test[kind].as_array().into_iter().flatten() {
                let name = case["name"].as_str().unwrap();
                let bytes = files
                    .iter()
                    .find(|(path, _)| path.ends_with(name))
                    .unwrap()
                    .1;
                cases += 1;
                let text = std::str::from_utf8(bytes).unwrap();
                let document = Document::parse(text, &limits).unwrap();
                assert!(!document.advisory().id.is_empty(), "{name}");
                let flaws = document.validate();
                if EXCEPTIONS.iter().any(|(rule, _)| *rule == id) {
                    continue;
                }
                let told = flaws.listed().iter().any(|flaw| flaw.rule == id);
                let is_valid = !flaws
                    .listed()
                    .iter()
                    .any(|flaw| flaw.weight() == Weight::Error)
                    || EXCEPTIONS.iter().any(|(end, _)| name.ends_with(end));
                if told != must_fail || is_valid != case["valid"].as_bool().unwrap() {
                    let listed: Vec<String> = flaws
                        .listed()
                        .iter()
                        .filter(|flaw| flaw.weight() == Weight::Error || flaw.rule == id)
                        .map(ToString::to_string)
                        .collect();
                    wrong.push(format!("{id} {name} must_fail {must_fail}: {listed:#?}"));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {cases}: {}",
        wrong.len(),
        wrong.join("\n")
    );
    assert_eq!(cases, 239);
}

#[test]
fn every_advisory_of_cisa_loads_and_is_counted() {
    let Some(data) = folder("CISA advisories") else {
        return;
    };
    let files = unpack(data.join("csaf/cisa-ot-2017-2023.tar.xz"));
    let documents = ends_with(&files, ".json");
    let advisories: Vec<Advisory> = documents
        .iter()
        .map(|(name, bytes)| {
            let advisory = Advisory::parse(bytes, &Limits::default());
            advisory.unwrap_or_else(|error| panic!("{name}: {error}"))
        })
        .collect();
    let sum = |count: fn(&Advisory) -> usize| advisories.iter().map(count).sum::<usize>();
    assert_eq!(
        [
            advisories.len(),
            sum(|one| one.products.len()),
            sum(|one| one.vulnerabilities.len()),
            sum(|one| one
                .vulnerabilities
                .iter()
                .map(|one| one.statuses.len())
                .sum()),
        ],
        [2_035, 13_541, 6_454, 34_768]
    );
    for (advisory, (name, _)) in advisories.iter().zip(&documents) {
        for flaw in advisory.flaws.listed() {
            assert!(matches!(flaw.rule, "6.1.9"), "{name}: {flaw}");
        }
        assert!(!advisory.publisher.name.is_empty(), "{name}");
    }
}

#[test]
fn every_medical_advisory_loads_and_passes() {
    let Some(data) = folder("medical advisories") else {
        return;
    };
    let (mut documents, mut products, mut vulnerabilities, mut statuses) = (0, 0, 0, 0);
    let mut errors = BTreeMap::new();
    for entry in std::fs::read_dir(data.join("csaf/medical")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let text = std::str::from_utf8(&bytes).unwrap();
        let document = Document::parse(text, &Limits::default()).unwrap();
        let advisory = document.advisory();
        documents += 1;
        products += advisory.products.len();
        vulnerabilities += advisory.vulnerabilities.len();
        statuses += advisory
            .vulnerabilities
            .iter()
            .map(|one| one.statuses.len())
            .sum::<usize>();
        for flaw in document.validate().listed() {
            if flaw.weight() == Weight::Error {
                *errors.entry(flaw.rule).or_insert(0) += 1;
            }
        }
    }
    assert_eq!(
        [documents, products, vulnerabilities, statuses],
        [134, 596, 408, 1_564]
    );
    // `vers:all/*` under `product_version` is a range.
    assert_eq!(errors, BTreeMap::from([("6.1.31", 209)]));
}

/// Errors that the tests find in all advisories of CISA, by rule.
#[test]
fn the_errors_of_cisa_are_few_and_known() {
    let Some(data) = folder("CISA advisories") else {
        return;
    };
    let files = unpack(data.join("csaf/cisa-ot-2017-2023.tar.xz"));
    let mut errors = BTreeMap::new();
    for (_, bytes) in ends_with(&files, ".json") {
        let text = std::str::from_utf8(bytes).unwrap();
        let document = Document::parse(text, &Limits::default()).unwrap();
        for flaw in document.validate().listed() {
            if flaw.weight() == Weight::Error {
                *errors.entry(flaw.rule).or_insert(0) += 1;
            }
        }
    }
    assert_eq!(errors, BTreeMap::from([("6.1.31", 873)]));
}
