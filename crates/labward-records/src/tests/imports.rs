//! Importing files, and that nothing of them rests unsealed.

use super::*;
use std::io::Read;

#[test]
fn a_file_of_several_messages_is_imported_whatever_its_line_ends() {
    let open = Lab::new().start();
    let mut file = result("12^^^A^MR", "Doe");
    file.extend(result("34^^^A^MR", "Roe"));
    let unix: Vec<u8> = file
        .iter()
        .map(|b| if *b == b'\r' { b'\n' } else { *b })
        .collect();
    let windows = String::from_utf8(file.clone())
        .unwrap()
        .replace('\r', "\r\n")
        .into_bytes();
    for (n, bytes) in [file, unix, windows].iter().enumerate() {
        let imported = open.records.import(bytes, Some("LAB"), ME, WHY).unwrap();
        assert_eq!((imported.records, imported.kind), (2, RecordKind::Hl7V2));
        assert_eq!(imported.new_patients, if n == 0 { 2 } else { 0 });
        let leaf = open.leaves().pop().unwrap();
        assert_eq!(
            (leaf.index, leaf.action),
            (imported.entry, Action::RecordImported)
        );
        assert_eq!(leaf.facts.get_number("records"), Some(2));
        assert_eq!(leaf.facts.get_text("sha256").map(str::len), Some(64));
    }
    let kept = open
        .leaves()
        .into_iter()
        .filter(|leaf| leaf.record.is_some());
    assert!(
        kept.clone()
            .all(|leaf| leaf.action == Action::RecordImported)
    );
    assert_eq!(kept.count(), 6, "each record is an entry");
}

#[test]
fn a_file_that_cannot_be_read_as_a_whole_leaves_nothing() {
    let open = Lab::new().start();
    let before = open.leaves().len();
    let mut half = result("12^^^A^MR", "Doe");
    half.extend(b"MSH|||\r");
    let files: [&[u8]; 6] = [
        b"",
        b"%PDF-1.4",
        b"{\"resourceType\":\"Patient\"}",
        b"BZh9junk",
        &half,
        b"{",
    ];
    for bytes in files {
        let refused = open.records.import(bytes, None, ME, WHY);
        assert!(
            matches!(refused, Err(RecordsError::Unreadable)),
            "{bytes:?}"
        );
    }
    assert_eq!((open.leaves().len(), open.count("patient")), (before, 0));
}

/// Name, birth date, identifiers of the patient in a bundle.
struct Known {
    family: String,
    given: String,
    born: String,
    identifiers: Vec<String>,
}

fn known(bundle: &[u8]) -> Option<Known> {
    let mut text = String::new();
    bzip2::read::BzDecoder::new(bundle)
        .read_to_string(&mut text)
        .unwrap();
    let bundle: serde_json::Value = serde_json::from_str(&text).unwrap();
    let entries = bundle["entry"].as_array().unwrap();
    let patient = entries
        .iter()
        .map(|entry| &entry["resource"])
        .find(|resource| resource["resourceType"] == "Patient")?;
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let identifiers = patient["identifier"].as_array().unwrap().iter();
    Some(Known {
        family: text(&patient["name"][0]["family"]),
        given: text(&patient["name"][0]["given"][0]),
        born: text(&patient["birthDate"]),
        identifiers: identifiers
            .map(|identifier| text(&identifier["value"]))
            .collect(),
    })
}

#[test]
fn every_synthea_bundle_is_imported_found_again_and_nowhere_legible() {
    let Some(data) = labward_testkit::test_data("every_synthea_bundle") else {
        return;
    };
    let lab = Lab::new();
    let open = lab.start();
    let (mut people, mut records, mut nobody) = (Vec::new(), 0, 0);
    for file in std::fs::read_dir(data.join("fhir")).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let imported = open.records.import(&bytes, None, ME, WHY).unwrap();
        records += imported.records;
        let known = known(&bytes);
        assert_eq!(imported.new_patients, u64::from(known.is_some()));
        nobody += u64::from(known.is_none());
        people.extend(known);
    }
    assert_eq!((people.len(), nobody, records), (15, 2, 13_308));
    assert_eq!(open.records.patient_count(), 15);
    open.store.close().unwrap();
    let open = lab.start();
    for person in &people {
        // One letter of the family name is mistyped.
        let mut typed: Vec<char> = person
            .family
            .chars()
            .filter(|c| c.is_alphabetic())
            .collect();
        typed[2] = if typed[2] == 'x' { 'y' } else { 'x' };
        let typed: String = typed.into_iter().collect();
        let criteria = by_name(&format!("{} {typed}", person.given));
        let found = open.find(&criteria);
        assert_eq!(found.len(), 1, "one patient");
        for identifier in &person.identifiers {
            assert_eq!(open.find(&by_mrn(identifier)), found);
        }
        let born = Criteria {
            birth_date: Some(person.born.clone()),
            ..criteria
        };
        assert_eq!(open.find(&born), found);
    }
    open.store.close().unwrap();
    drop(open);
    let mut secrets = Vec::new();
    for person in &people {
        secrets.extend([person.family.clone(), person.born.clone()]);
        secrets.push(person.born.replace('-', ""));
        secrets.extend(person.identifiers.iter().cloned());
    }
    assert_eq!(resting(lab.data.path(), &secrets), [""; 0]);
}

/// Those of the secrets that stand in a file of the folder, in either case.
fn resting(folder: &Path, secrets: &[String]) -> Vec<String> {
    let secrets: Vec<String> = secrets.iter().map(|secret| secret.to_lowercase()).collect();
    let mut by_start = vec![Vec::new(); 1 << 16];
    let pair = |bytes: &[u8]| usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
    for secret in &secrets {
        by_start[pair(secret.as_bytes())].push(secret);
    }
    let mut found = Vec::new();
    for content in everything(folder) {
        for at in 0..content.len().saturating_sub(1) {
            for secret in &by_start[pair(&content[at..])] {
                if content[at..].starts_with(secret.as_bytes()) {
                    found.push((*secret).clone());
                }
            }
        }
    }
    found
}

#[test]
fn the_search_for_resting_secrets_finds_one() {
    let folder = TempDir::new();
    std::fs::create_dir(folder.join("db")).unwrap();
    std::fs::write(folder.join("db/wal"), b"\xff\x00GusiKowski974").unwrap();
    let secrets = ["Gusikowski974".to_owned(), "Beier".to_owned()];
    assert_eq!(resting(folder.path(), &secrets), ["gusikowski974"]);
}

/// Every file of a folder, in small letters.
fn everything(folder: &Path) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(everything(&path));
        } else {
            all.push(std::fs::read(path).unwrap().to_ascii_lowercase());
        }
    }
    all
}
