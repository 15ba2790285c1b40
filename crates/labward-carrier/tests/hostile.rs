//! Truncated and changed files: a walk ends within its budget and nothing panics.
#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be"
)]

#[path = "common/mod.rs"]
mod common;

use std::path::Path;

use labward_carrier::{Budget, Declared, Seen, walk};
use proptest::prelude::*;

/// Small carriers of every format that are read on this machine, if they are there.
fn carriers() -> Vec<Vec<u8>> {
    let folder = Path::new("/usr/share/clamav-testfiles");
    let Ok(files) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let read = files.map(|file| std::fs::read(file.unwrap().path()).unwrap());
    read.filter(|bytes| bytes.len() < 100_000).collect()
}

/// Beginnings of every format, for bytes that no program wrote.
const BEGINNINGS: &[&[u8]] = &[
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"7z\xbc\xaf\x27\x1c\0\x04",
    b"MSCF\0\0\0\0",
    b"Rar!\x1a\x07\0",
    b"Rar!\x1a\x07\x01\0",
    b"\x60\xea\x2c\0",
    b"SZDD\x88\xf0\x27\x33A",
    b"!<arch>\n",
    b"070701",
    b"070707",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    b"{\\rtf1{\\object{\\*\\objdata 0105",
    b"ITSF\x03\0\0\0",
    b"ActiveMime",
    b"L\0\0\0\x01\x14\x02\0",
    b"%PDF-1.7\n1 0 obj<</Filter/LZWDecode>>stream\n",
    b"%PDF-1.7\n1 0 obj<</Type/ObjStm/N 3/First 9>>stream\n",
    b"\xff\xd8\xff",
    b"GIF89a",
    b"\x89PNG\r\n\x1a\n",
    b"<?xml version='1.0'?><w TargetMode='External'><instrText>",
];

fn budget() -> Budget {
    Budget {
        depth: 8,
        parts: 500,
        part_bytes: 4 << 20,
        total_bytes: 16 << 20,
        ratio: 50,
    }
}

fn walked(bytes: &[u8]) {
    let budget = budget();
    let mut obstacles = 0;
    let most = bytes.len().max(4 << 20);
    let nothing = Declared::nothing();
    let summary = walk(
        bytes,
        &nothing,
        &budget,
        &|| true,
        &mut |_, seen| match seen {
            Seen::Part(part) => assert!(part.bytes.len() <= most),
            Seen::Obstacle(_) => obstacles += 1,
            Seen::Sign(_) => {}
        },
    );
    assert!(summary.parts <= budget.parts);
    assert_eq!(summary.complete, obstacles == 0);
}

#[test]
fn carriers_cut_at_any_place_end() {
    let carriers = carriers();
    if carriers.is_empty() {
        eprintln!("labward-skip: cut carriers: the package clamav-testfiles is not installed");
    }
    for bytes in &carriers {
        let step = (bytes.len() / 60).max(1);
        for len in (0..bytes.len()).step_by(step) {
            walked(bytes.get(..len).unwrap());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn changed_carriers_end(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
    ) {
        let carriers = carriers();
        if !carriers.is_empty() {
            let mut bytes = which.get(&carriers).clone();
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            walked(&bytes);
        }
    }

    #[test]
    fn bytes_behind_a_mark_end(
        beginning in prop::sample::select(BEGINNINGS),
        rest in prop::collection::vec(any::<u8>(), 0..2_000),
    ) {
        walked(&[beginning, &rest].concat());
    }

    #[test]
    fn numbers_of_all_ones_and_zeros_end(
        beginning in prop::sample::select(BEGINNINGS),
        rest in prop::collection::vec(prop::sample::select(&[0_u8, 0, 0, 1, 2, 0x7f, 0x80, 0xff][..]), 0..600),
    ) {
        walked(&[beginning, &rest].concat());
    }
}
