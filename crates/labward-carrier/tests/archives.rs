//! Files that other programs made: the 44 harmless carriers of ClamAV, and own ones by other writers.
//!
//! The carriers are read where Debian's package `clamav-testfiles` puts them.
#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be"
)]

#[path = "common/mod.rs"]
mod common;

use std::io::{Cursor, Write as _};
use std::path::Path;

use common::{lines, payload_seen};
use labward_carrier::Budget;

const CARRIERS: &str = "/usr/share/clamav-testfiles";

/// Programs whose own packing is told and not undone.
const PACKED: &[&str] = &[
    "clam-aspack.exe",
    "clam-mew.exe",
    "clam-nsis.exe",
    "clam-pespin.exe",
    "clam-petite.exe",
    "clam-upack.exe",
    "clam-upx.exe",
    "clam-wwpack.exe",
    "clam-yc.exe",
    "clam.ea05.exe",
    "clam.ea06.exe",
    // Its payload is in a cabinet of InstallShield's own format.
    "clam_IScab_int.exe",
];

/// Mail and pages: opened by modules of their own.
const MAIL: &[&str] = &[
    "clam.exe.binhex",
    "clam.exe.html",
    "clam.exe.mbox.base64",
    "clam.exe.mbox.uu",
    "clam.mail",
    "clam.tnef",
];

#[test]
fn the_program_comes_out_of_every_carrier_or_an_obstacle_is_told() {
    let folder = Path::new(CARRIERS);
    let Ok(payload) = std::fs::read(folder.join("clam.exe")) else {
        eprintln!(
            "labward-skip: carriers of ClamAV: the package clamav-testfiles is not installed"
        );
        return;
    };
    assert_eq!(payload.len(), 544);
    // `clam_cache_emax.tgz` packs it 33 times, deeper than any message is looked into.
    let budget = Budget {
        depth: 64,
        ..Budget::default()
    };
    let mut opened = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        if MAIL.contains(&name.as_str()) {
            continue;
        }
        let bytes = std::fs::read(file.path()).unwrap();
        let (found, summary) = payload_seen(&bytes, &payload, &budget);
        if PACKED.contains(&name.as_str()) {
            assert!(!found && !summary.complete, "{name}: {summary:?}");
        } else {
            assert!(found, "{name}: {summary:?}");
            opened += 1;
        }
    }
    assert_eq!(opened, 26);
}

#[test]
fn too_deep_for_the_budget_is_told() {
    let Ok(bytes) = std::fs::read(Path::new(CARRIERS).join("clam_cache_emax.tgz")) else {
        eprintln!(
            "labward-skip: carriers of ClamAV: the package clamav-testfiles is not installed"
        );
        return;
    };
    let lines = lines(&bytes, &Budget::message());
    assert!(
        lines.last().unwrap().ends_with("over-budget-depth"),
        "{lines:?}"
    );
}

#[test]
fn cabinets_of_many_blocks_are_unpacked_with_what_they_look_back_to() {
    let text: Vec<u8> = (0..200_000_u32)
        .flat_map(|i| (i / 7).to_le_bytes())
        .collect();
    for packing in [cab::CompressionType::None, cab::CompressionType::MsZip] {
        let mut builder = cab::CabinetBuilder::new();
        let folder = builder.add_folder(packing);
        folder.add_file("text.bin");
        folder.add_file("run.sh");
        let mut writer = builder.build(Cursor::new(Vec::new())).unwrap();
        for content in [&text[..], b"#!/bin/sh\n"] {
            let mut file = writer.next_file().unwrap().unwrap();
            file.write_all(content).unwrap();
        }
        let bytes = writer.finish().unwrap().into_inner();
        let budget = Budget::default();
        assert!(payload_seen(&bytes, &text, &budget).0);
        assert!(payload_seen(&bytes, b"#!/bin/sh\n", &budget).0);
    }
}

fn crc(bytes: &[u8]) -> [u8; 4] {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum().to_le_bytes()
}

/// Two files in one folder of one coder, as 7zFormat.txt lays them out.
fn seven_zip(coder: &[u8]) -> Vec<u8> {
    let files = [&b"#!/bin/sh\n"[..], b"#!/bin/bash\n"];
    let packed = files.concat();
    let mut header = vec![0x01, 0x04];
    header.extend([0x06, 0, 1, 0x09, 22, 0]);
    header.extend([0x07, 0x0b, 1, 0, 1]);
    header.extend(coder);
    header.extend([0x0c, 22, 0]);
    header.extend([0x08, 0x0d, 2, 0x09, 10, 0x0a, 1]);
    for file in files {
        header.extend(crc(file));
    }
    header.extend([0, 0]);
    header.extend([0x05, 2, 0x11, 21, 0]);
    for name in ["a.sh", "b.sh"] {
        header.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
        header.extend([0, 0]);
    }
    header.extend([0, 0]);
    let mut start = (packed.len() as u64).to_le_bytes().to_vec();
    start.extend((header.len() as u64).to_le_bytes());
    start.extend(crc(&header));
    let mut out = b"7z\xbc\xaf\x27\x1c\0\x04".to_vec();
    out.extend(crc(&start));
    out.extend(start);
    out.extend(packed);
    out.extend(header);
    out
}

#[test]
fn solid_archives_of_7z_are_opened_and_encrypted_ones_told() {
    let budget = Budget::default();
    let stored = seven_zip(&[0x01, 0x00]);
    assert_eq!(
        lines(&stored, &budget),
        [" = 7z", "7z : a.sh = script", "7z : b.sh = script"]
    );
    let cut = stored.get(..stored.len() - 10).unwrap();
    assert_eq!(lines(cut, &budget), [" = 7z", " ? damaged"]);
    let aes = [0x24, 0x06, 0xf1, 0x07, 0x01, 2, 0x13, 0];
    assert_eq!(lines(&seven_zip(&aes), &budget), [" = 7z", " ? encrypted"]);
    let unknown = seven_zip(&[0x03, 0x7f, 0x7f, 0x7f]);
    assert_eq!(lines(&unknown, &budget), [" = 7z", " ? unknown-packing"]);
}

/// A member of RAR 4 that is stored, packed (0x33) or encrypted.
fn rar4(method: u8, flags: u16) -> Vec<u8> {
    let content = b"#!/bin/sh\n";
    let mut out = b"Rar!\x1a\x07\0\0\0\x73\0\0\x0d\0\0\0\0\0\0\0\0\0\x74".to_vec();
    out.extend((0x8000 | flags).to_le_bytes());
    out.extend(36_u16.to_le_bytes());
    for len in [content.len(), content.len()] {
        out.extend(u32::try_from(len).unwrap().to_le_bytes());
    }
    out.extend([0; 9]);
    out.extend([29, method, 4, 0]);
    out.extend([0; 4]);
    out.extend(b"a.sh");
    out.extend(content);
    out.extend(b"\0\0\x7b\0\x40\x07\0");
    out
}

#[test]
fn rar_is_never_silent() {
    let budget = Budget::default();
    assert_eq!(
        lines(&rar4(0x30, 0), &budget),
        [" = rar", "rar : a.sh = script"]
    );
    assert_eq!(
        lines(&rar4(0x33, 0), &budget),
        [" = rar", "rar : a.sh ? unknown-packing"]
    );
    assert_eq!(
        lines(&rar4(0x30, 4), &budget),
        [" = rar", "rar : a.sh ? encrypted"]
    );
    let mut rar5 = b"Rar!\x1a\x07\x01\0".to_vec();
    // Main header, a stored file of 10 bytes, the end.
    rar5.extend(b"\0\0\0\0\x03\x01\0\0");
    rar5.extend(b"\0\0\0\0\x0d\x02\x02\x0a\0\x0a\0\0\0\x04a.sh");
    rar5.extend(b"#!/bin/sh\n\0\0\0\0\x03\x05\0\0");
    let seen = lines(&rar5, &budget);
    assert_eq!(seen.get(1).unwrap(), "rar : a.sh = script", "{seen:?}");
}

#[test]
fn files_of_a_disc_are_shown_and_a_folder_in_itself_ends() {
    let mut disc = vec![0; 24 * 2_048];
    let record = |extent: u32, len: u32, flags: u8, name: &[u8]| {
        let mut out = vec![0; 33];
        out[0] = u8::try_from((33 + name.len()).next_multiple_of(2)).unwrap();
        out[2..6].copy_from_slice(&extent.to_le_bytes());
        out[10..14].copy_from_slice(&len.to_le_bytes());
        out[25] = flags;
        out[32] = u8::try_from(name.len()).unwrap();
        out.extend(name);
        out.resize(out.len().next_multiple_of(2), 0);
        out
    };
    let mut put = |sector: usize, at: usize, bytes: &[u8]| {
        let at = sector * 2_048 + at;
        disc[at..at + bytes.len()].copy_from_slice(bytes);
    };
    put(16, 0, b"\x01CD001");
    put(16, 156, &record(18, 2_048, 2, &[0]));
    put(17, 0, b"\xffCD001");
    let folder = [
        record(18, 2_048, 2, &[0]),
        record(18, 2_048, 2, b"LOOP"),
        record(20, 10, 0, b"RUN.SH;1"),
        record(900, 10, 0, b"GONE.SH;1"),
    ];
    put(18, 0, &folder.concat());
    put(20, 0, b"#!/bin/sh\n");
    let lines = lines(&disc, &Budget::default());
    assert_eq!(
        lines,
        [
            " = iso",
            "iso : RUN.SH = script",
            "iso : GONE.SH = text",
            "iso : GONE.SH ? damaged"
        ]
    );
}
