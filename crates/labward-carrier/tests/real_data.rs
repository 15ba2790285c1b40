//! Claims checked over real messages, captures and bundles; skipped unless `LABWARD_TEST_DATA` names the
//! folder that holds them.

#![expect(clippy::unwrap_used, reason = "helpers of a test file")]

use std::io::Read as _;

use labward_carrier::{Budget, Declared, Obstacle, Path, Seen, Sign, walk};
use labward_testkit::test_data;

/// What a walk over one file showed.
#[derive(Debug, Default)]
struct Shown {
    parts: Vec<(String, usize)>,
    signs: Vec<(String, Sign)>,
    obstacles: Vec<(String, Obstacle)>,
}

fn shown(bytes: &[u8]) -> Shown {
    let mut out = Shown::default();
    let mut look = |path: &Path, seen: Seen<'_>| {
        let path = path.to_string();
        match seen {
            Seen::Part(part) => out.parts.push((path, part.bytes.len())),
            Seen::Sign(sign) => out.signs.push((path, sign)),
            Seen::Obstacle(obstacle) => out.obstacles.push((path, obstacle)),
        }
    };
    walk(
        bytes,
        &Declared::nothing(),
        &Budget::default(),
        &|| true,
        &mut look,
    );
    out
}

/// The files of a folder of the test data by their names.
fn files(folder: &str) -> Option<Vec<(String, Vec<u8>)>> {
    let folder = test_data("carrier real data")?.join(folder);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read(path).unwrap())
        })
        .collect();
    files.sort();
    Some(files)
}

#[test]
fn real_messages_have_one_document_and_no_false_alarm() {
    let Some(files) = files("hl7") else { return };
    assert_eq!(files.len(), 194);
    let mut inside = Vec::new();
    for (name, bytes) in &files {
        let found = shown(bytes);
        assert_eq!((found.signs, found.obstacles), (vec![], vec![]), "{name}");
        inside.extend(found.parts.into_iter().skip(1));
    }
    assert_eq!(inside, [("OBX[1].5.5 / base64".to_owned(), 6)]);
}

#[test]
fn captures_of_real_instruments_hold_nothing_and_give_no_false_alarm() {
    let Some(files) = files("astm") else { return };
    assert_eq!(files.len(), 7);
    for (name, bytes) in &files {
        let found = shown(bytes);
        assert_eq!((found.signs, found.obstacles), (vec![], vec![]), "{name}");
        assert_eq!(found.parts.len(), 1, "{name}");
    }
}

#[test]
fn every_attachment_of_real_bundles_comes_out() {
    let Some(files) = files("fhir") else { return };
    let (mut attachments, mut bytes) = (0, 0);
    for (name, packed) in &files {
        let mut text = Vec::new();
        bzip2::read::BzDecoder::new(&packed[..])
            .read_to_end(&mut text)
            .unwrap();
        let found = shown(&text);
        assert_eq!((found.signs, found.obstacles), (vec![], vec![]), "{name}");
        for (path, len) in found.parts.iter().skip(1) {
            assert!(path.ends_with("data / base64"), "{path}");
            attachments += 1;
            bytes += len;
        }
    }
    assert_eq!((attachments, bytes), (1_184, 939_008));
}
