//! Documents: kept as they come, read in any part, and never in memory as a whole.

use std::io::Write as _;

use super::*;
use crate::Part;
use labward_keys::KeysError;
use std::time::Duration;

/// Bytes that say where they stand.
fn image(length: usize) -> Vec<u8> {
    (0..length.div_ceil(8))
        .flat_map(|at| u64::try_from(at).unwrap().to_be_bytes())
        .take(length)
        .collect()
}

fn keep(open: &Open, patient: PatientId, bytes: &[u8]) -> crate::KeptDocument {
    let mut arriving = open.records.receive_document(patient).unwrap();
    bytes
        .chunks(50_000)
        .for_each(|chunk| arriving.write_all(chunk).unwrap());
    arriving.finish(ME, WHY).unwrap()
}

fn read(open: &Open, record: labward_base::id::RecordId, part: Option<Part>) -> Vec<u8> {
    let reading = open.records.read(record, part, ME, WHY).unwrap();
    let mut bytes = Vec::new();
    reading.write_to(&mut bytes).unwrap();
    bytes
}

fn lab_with_patient() -> (Lab, Open, PatientId) {
    let lab = Lab::new();
    let open = lab.start();
    let kept = open.keep(&result("4711^^^A^MR", "Gusikowski"));
    (lab, open, kept.patient.unwrap())
}

#[test]
fn a_document_of_any_size_comes_back_as_it_was_also_after_a_restart() {
    let (lab, open, patient) = lab_with_patient();
    let sizes = [
        0,
        1,
        16_384,
        (1 << 20) - 1,
        1 << 20,
        (1 << 20) + 1,
        3_000_000,
    ];
    let kept: Vec<_> = sizes
        .iter()
        .map(|size| keep(&open, patient, &image(*size)))
        .collect();
    drop(open);
    let open = lab.start();
    for (size, kept) in sizes.iter().zip(&kept) {
        assert_eq!(kept.size_bytes, u64::try_from(*size).unwrap());
        assert!(read(&open, kept.record, None) == image(*size), "{size}");
    }
    assert!(!lab.holds(&image(3_000_000)[2_000_000..2_000_064]));
    let hit = open.records.find(&by_mrn("4711"), ME, WHY).unwrap();
    let listed = &hit.patients[0].records[0];
    assert_eq!(
        (listed.kind, listed.size_bytes),
        (RecordKind::Document, 3_000_000)
    );
}

#[test]
fn a_part_is_read_without_the_rest_and_says_so_in_its_entry() {
    let (lab, open, patient) = lab_with_patient();
    let whole = image(3_000_000);
    let kept = keep(&open, patient, &whole);
    for (first, last) in [
        (0, 0),
        (16_380, 16_390),
        (2_999_990, 2_999_999),
        (1_000_000, 1_200_000),
    ] {
        let part = Some(Part {
            first,
            last: Some(last),
        });
        let (from, to) = (
            usize::try_from(first).unwrap(),
            usize::try_from(last).unwrap(),
        );
        assert!(read(&open, kept.record, part) == whole[from..=to]);
        let leaf = open.leaves().pop().unwrap();
        let number = |name| u64::try_from(leaf.facts.get_number(name).unwrap()).unwrap();
        assert_eq!(leaf.action, Action::RecordExported);
        assert_eq!((number("first"), number("last")), (first, last));
    }
    let to_the_end = Part {
        first: 2_500_000,
        last: None,
    };
    assert!(read(&open, kept.record, Some(to_the_end)) == whole[2_500_000..]);
    for part in [
        Part {
            first: 3_000_000,
            last: None,
        },
        Part {
            first: 5,
            last: Some(4),
        },
    ] {
        let refused = open.records.read(kept.record, Some(part), ME, WHY).err();
        assert!(matches!(
            refused,
            Some(RecordsError::Beyond {
                length_bytes: 3_000_000
            })
        ));
    }
    // A byte far from the part is damaged: the part is still whole, the rest is not given out.
    let file = only_file(&lab.data.join("blob"));
    let mut sealed = std::fs::read(&file).unwrap();
    sealed[2_000_000] ^= 1;
    std::fs::write(&file, sealed).unwrap();
    let part = Part {
        first: 0,
        last: Some(999_999),
    };
    assert!(read(&open, kept.record, Some(part)) == whole[..1_000_000]);
    let reading = open.records.read(kept.record, None, ME, WHY).unwrap();
    let mut given = Vec::new();
    let error = reading.write_to(&mut given).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    assert!(given.len() < 2_000_000 && whole.starts_with(&given));
}

#[test]
fn a_document_that_was_cut_off_or_whose_patient_is_gone_leaves_nothing() {
    let (lab, open, patient) = lab_with_patient();
    let nobody = open.records.receive_document(PatientId::new(999)).err();
    assert!(matches!(nobody, Some(RecordsError::NoPatient)));
    let mut cut = open.records.receive_document(patient).unwrap();
    cut.write_all(&image(2_000_000)).unwrap();
    drop(cut);
    let mut late = open.records.receive_document(patient).unwrap();
    late.write_all(&image(2_000_000)).unwrap();
    lab.clock.advance(Duration::from_secs(8 * 366 * 86_400));
    open.records.dispose(patient, ME, WHY, None).unwrap();
    let refused = late.finish(ME, WHY).unwrap_err();
    assert!(matches!(
        refused,
        RecordsError::NoPatient | RecordsError::Keys(KeysError::Disposed(_))
    ));
    assert!(files(&lab.data.join("blob")).is_empty());
}

#[test]
fn a_large_document_is_shown_by_its_size() {
    let (_lab, open, patient) = lab_with_patient();
    let small = keep(&open, patient, b"a letter");
    let large = keep(&open, patient, &image(2_000_000));
    let shown = |record| open.records.show(record, ME, WHY).unwrap().view;
    assert_eq!(
        shown(small.record),
        serde_json::json!({ "text": "a letter" })
    );
    assert_eq!(
        shown(large.record),
        serde_json::json!({ "size_bytes": 2_000_000 })
    );
}

#[test]
fn all_of_a_patient_leaves_in_its_order_with_documents_that_lie_in_files() {
    let (_lab, open, patient) = lab_with_patient();
    keep(&open, patient, b"a letter");
    let large = [image(2_000_000), image(1_500_000)];
    keep(&open, patient, &large[0]);
    // More small ones than are held while the others are looked at.
    let small: Vec<Vec<u8>> = (0..11).map(|_| image(1 << 20)).collect();
    small.iter().for_each(|bytes| {
        keep(&open, patient, bytes);
    });
    keep(&open, patient, &large[1]);
    let message = result("4711^^^A^MR", "Gusikowski");
    let what = What::Patient(patient);
    let (records, bytes) = export(&open, what, Format::Original).unwrap();
    let mut expected = [&message[..], b"a letter\n", &large[0], b"\n"].concat();
    for bytes in &small {
        expected.extend_from_slice(&[bytes, &b"\n"[..]].concat());
    }
    expected.extend_from_slice(&large[1]);
    assert!(records == 15 && bytes == expected);
    let leaf = open.leaves().pop().unwrap();
    assert_eq!(leaf.action, Action::RecordExported);
    assert_eq!(leaf.facts.get_number("records"), Some(15));
    let (_, json) = export(&open, What::Patient(patient), Format::Json).unwrap();
    let lines = json
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    let views: Vec<serde_json::Value> = lines
        .map(|line| serde_json::from_slice::<serde_json::Value>(line).unwrap()["view"].take())
        .collect();
    assert_eq!(views.len(), 15);
    assert_eq!(views[1], serde_json::json!({ "text": "a letter" }));
    assert_eq!(views[2], serde_json::json!({ "size_bytes": 2_000_000 }));
    assert!(views[3]["text"].is_string());
}

#[test]
fn an_export_ends_at_a_damaged_document_and_never_begins_with_one_that_cannot_be_opened() {
    let (lab, open, patient) = lab_with_patient();
    let whole = image(3_000_000);
    keep(&open, patient, &whole);
    let file = only_file(&lab.data.join("blob"));
    let sealed = std::fs::read(&file).unwrap();
    let damage = |at: usize| {
        let mut sealed = sealed.clone();
        sealed[at] ^= 1;
        std::fs::write(&file, sealed).unwrap();
    };
    let what = What::Patient(patient);
    damage(2_000_000);
    let exported = open
        .records
        .export(what, Format::Original, ME, WHY)
        .unwrap();
    let mut given = Vec::new();
    let error = exported.write_to(&mut given).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    let before = result("4711^^^A^MR", "Gusikowski");
    assert!(given.starts_with(&before) && given.len() < before.len() + 2_000_000);
    let entries = open.leaves().len();
    damage(sealed.len() - 1);
    let refused = open.records.export(what, Format::Original, ME, WHY).err();
    assert!(
        matches!(refused, Some(RecordsError::Damaged)),
        "{refused:?}"
    );
    assert_eq!(open.leaves().len(), entries);
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

fn only_file(folder: &Path) -> std::path::PathBuf {
    let found = files(folder);
    assert_eq!(found.len(), 1);
    found[0].clone()
}
