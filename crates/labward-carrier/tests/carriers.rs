//! The payload comes out of every carrier that a laboratory moves, whole and at its place, and no carrier
//! that is cut or changed makes the walk panic or leave its budget.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "helpers of a test file; dcmtk writes the real DICOM documents"
)]

use std::path::Path as File;
use std::process::Command;

use labward_carrier::{Budget, Declared, Obstacle, Path, Seen, Sign, Summary, walk};
use labward_testkit::TempDir;
use labward_testkit::carrier::{self, Carrier};
use proptest::prelude::*;

/// Everything that a walk shows, in owned form.
#[derive(Debug, Default)]
struct Shown {
    parts: Vec<(String, Vec<u8>)>,
    signs: Vec<(String, Sign)>,
    obstacles: Vec<(String, Obstacle)>,
    summary: Summary,
}

fn shown(bytes: &[u8], budget: &Budget) -> Shown {
    let mut out = Shown::default();
    let mut look = |path: &Path, seen: Seen<'_>| {
        let path = path.to_string();
        match seen {
            Seen::Part(part) => out.parts.push((path, part.bytes.to_vec())),
            Seen::Sign(sign) => out.signs.push((path, sign)),
            Seen::Obstacle(obstacle) => out.obstacles.push((path, obstacle)),
        }
    };
    let summary = walk(bytes, &Declared::nothing(), budget, &|| true, &mut look);
    out.summary = summary;
    out
}

/// Harmless payloads: a text that scanners know, and a program if it is installed.
fn payloads() -> Vec<Vec<u8>> {
    let mut out = vec![carrier::eicar()];
    match std::fs::read("/usr/share/clamav-testfiles/clam.exe") {
        Ok(program) => out.push(program),
        Err(_) => eprintln!("labward-skip: carriers: clamav-testfiles is not installed"),
    }
    out
}

/// What must come out: a preamble has room for 128 bytes and is shown as far as it is filled.
fn expected(carrier: &Carrier, payload: &[u8]) -> Vec<u8> {
    if carrier.name != "DICOM preamble" {
        return payload.to_vec();
    }
    let mut head = payload.get(..128).unwrap_or(payload).to_vec();
    let end = head.iter().rposition(|byte| *byte != 0).unwrap();
    head.truncate(end + 1);
    head
}

#[test]
fn the_payload_comes_out_of_every_carrier_at_its_place() {
    for payload in payloads() {
        let all = carrier::all(&payload);
        assert_eq!(all.len(), 26);
        for carrier in &all {
            let found = shown(&carrier.bytes, &Budget::message());
            let expected = (carrier.path.clone(), expected(carrier, &payload));
            let places: Vec<_> = found.parts.iter().map(|(path, _)| path).collect();
            assert!(
                found.parts.contains(&expected),
                "{}: {} is not in {places:?}",
                carrier.name,
                carrier.path
            );
            assert_eq!(found.obstacles, [], "{}", carrier.name);
            assert!(found.summary.complete);
        }
    }
}

#[test]
fn a_program_in_a_clinical_carrier_is_told() {
    for payload in payloads().iter().skip(1) {
        for carrier in carrier::all(payload) {
            let found = shown(&carrier.bytes, &Budget::message());
            let clinical = ["HL7", "MLLP", "ASTM", "FHIR", "CDA", "DICOM", "zip"];
            if clinical.iter().any(|word| carrier.name.starts_with(word)) {
                let told = found
                    .signs
                    .iter()
                    .any(|(_, sign)| *sign == Sign::ProgramInClinical);
                assert!(told, "{}", carrier.name);
            }
        }
    }
}

#[test]
fn real_dicom_documents_give_what_was_put_in() {
    let folder = TempDir::new();
    let pdf = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n\
        trailer<</Root 1 0 R>>\nstartxref\n0\n%%EOF\n";
    let cda = carrier::all(pdf.as_bytes())
        .into_iter()
        .find(|carrier| carrier.name.starts_with("CDA"))
        .unwrap();
    for (program, source, inside) in [
        ("pdf2dcm", pdf.as_bytes(), "(0042,0011)".to_owned()),
        ("cda2dcm", &cda.bytes, format!("(0042,0011) / {}", cda.path)),
    ] {
        let (from, to) = (folder.join("in"), folder.join("out.dcm"));
        std::fs::write(&from, source).unwrap();
        if !written(program, &from, &to) {
            continue;
        }
        let bytes = std::fs::read(&to).unwrap();
        let found = shown(&bytes, &Budget::message());
        let whole = ("(0042,0011)".to_owned(), source.to_vec());
        assert!(found.parts.contains(&whole), "{program}: {:?}", found.signs);
        assert!(
            found.parts.iter().any(|(path, _)| *path == inside),
            "{program}"
        );
        assert_eq!(
            (found.obstacles, found.signs),
            (vec![], vec![]),
            "{program}"
        );
    }
}

/// Lets a program of dcmtk write `to`; false if it is not installed.
fn written(program: &str, from: &File, to: &File) -> bool {
    let Ok(run) = Command::new(program).arg(from).arg(to).output() else {
        eprintln!("labward-skip: carriers: {program} is not installed");
        return false;
    };
    assert!(
        run.status.success(),
        "{program}: {}",
        String::from_utf8_lossy(&run.stderr)
    );
    true
}

/// Parts, bytes and depth are within this budget.
fn keeps(found: &Shown, budget: &Budget) -> bool {
    found.summary.parts == found.parts.len()
        && found.parts.len() <= budget.parts
        && found.summary.bytes
            == found
                .parts
                .iter()
                .map(|(_, bytes)| bytes.len() as u64)
                .sum::<u64>()
        && found.summary.complete == found.obstacles.is_empty()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_cut_or_changed_stays_within_the_budget(
        which in 0_usize..26,
        cut in 0_usize..3_000,
        changes in proptest::collection::vec((0_usize..3_000, any::<u8>()), 0..12),
        parts in 1_usize..40,
        total_bytes in 1_u64..4_000,
    ) {
        let payload = [b"MZ\x50\0\x02\0\0\0\x04\0".to_vec(), vec![0x5a; 600]].concat();
        let mut bytes = carrier::all(&payload).swap_remove(which).bytes;
        bytes.truncate(bytes.len().saturating_sub(cut / 4).max(1));
        for (at, to) in changes {
            let len = bytes.len();
            *bytes.get_mut(at % len).expect("it is within the length") = to;
        }
        let budget = Budget { parts, total_bytes, depth: 4, ..Budget::message() };
        let found = shown(&bytes, &budget);
        prop_assert!(keeps(&found, &budget), "{:?}", found.summary);
        let found = shown(&bytes, &Budget::message());
        prop_assert!(keeps(&found, &Budget::message()), "{:?}", found.summary);
    }
}
