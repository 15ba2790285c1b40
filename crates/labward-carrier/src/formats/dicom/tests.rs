//! DICOM files written here, whole, cut and changed.

use std::io::Write as _;

use proptest::prelude::*;

use crate::testing::{parts, seen};

fn program() -> Vec<u8> {
    let mut bytes = b"MZ\x50\0\x02\0\0\0\x04\0".to_vec();
    bytes.resize(301, 0xa5);
    bytes
}

fn element(group: u16, element: u16, vr: &[u8; 2], value: &[u8]) -> Vec<u8> {
    let mut out = [group.to_le_bytes(), element.to_le_bytes()].concat();
    out.extend_from_slice(vr);
    let len = u32::try_from(value.len().next_multiple_of(2)).unwrap();
    if matches!(vr, b"OB" | b"UN" | b"OW" | b"SQ" | b"UT") {
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(&len.to_le_bytes());
    } else {
        out.extend_from_slice(&u16::try_from(len).unwrap().to_le_bytes());
    }
    out.extend_from_slice(value);
    out.resize(out.len() + value.len() % 2, 0);
    out
}

fn implicit(group: u16, element: u16, value: &[u8]) -> Vec<u8> {
    let mut out = [group.to_le_bytes(), element.to_le_bytes()].concat();
    out.extend_from_slice(
        &u32::try_from(value.len().next_multiple_of(2))
            .unwrap()
            .to_le_bytes(),
    );
    out.extend_from_slice(value);
    out.resize(out.len() + value.len() % 2, 0);
    out
}

fn item(content: &[u8]) -> Vec<u8> {
    implicit(0xfffe, 0xe000, content)
}

fn file(preamble: &[u8], syntax: &[u8], data: &[u8]) -> Vec<u8> {
    let mut out = preamble.to_vec();
    out.resize(128, 0);
    out.extend_from_slice(b"DICM");
    out.extend_from_slice(&element(2, 0x10, b"UI", syntax));
    out.extend_from_slice(data);
    out
}

const EXPLICIT: &[u8] = b"1.2.840.10008.1.2.1";
const IMPLICIT: &[u8] = b"1.2.840.10008.1.2";

fn places(bytes: &[u8]) -> Vec<String> {
    parts(bytes)
        .into_iter()
        .filter(|(_, bytes)| *bytes == program())
        .map(|(path, _)| path)
        .collect()
}

#[test]
fn a_preamble_that_is_a_program_is_told_and_the_lawful_ones_are_not() {
    let name = element(0x10, 0x10, b"PN", b"A^B");
    assert_eq!(seen(&file(b"", EXPLICIT, &name)), [" = dicom"]);
    for tiff in [&b"II*\0\x08\0\0\0"[..], b"MM\0*\0\0\0\x08"] {
        assert_eq!(seen(&file(tiff, EXPLICIT, &name)), [" = tiff"]);
    }
    assert_eq!(
        seen(&file(b"\x7fELF", EXPLICIT, &name)),
        [
            " = elf",
            " ! polyglot",
            " ! dicom-preamble",
            "preamble = elf",
            "preamble ! program-in-clinical"
        ]
    );
    assert!(seen(&file(b"MZ", EXPLICIT, &name)).contains(&" ! dicom-preamble".to_owned()));
    assert!(seen(&file(b"anything", EXPLICIT, &name)).contains(&" ! dicom-preamble".to_owned()));
}

fn document(write: fn(u16, u16, &[u8; 2], &[u8]) -> Vec<u8>) -> Vec<u8> {
    [
        write(0x0042, 0x0010, b"ST", b"report"),
        write(0x0042, 0x0011, b"OB", &program()),
        write(0x0042, 0x0012, b"LO", b"application/pdf"),
        write(0x0042, 0x0015, b"UL", &301_u32.to_le_bytes()),
    ]
    .concat()
}

#[test]
fn an_encapsulated_document_comes_out_in_every_syntax() {
    let deflated = {
        let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), Default::default());
        packer.write_all(&document(element)).unwrap();
        packer.finish().unwrap()
    };
    for (bytes, path) in [
        (file(b"", EXPLICIT, &document(element)), "(0042,0011)"),
        (
            file(b"", IMPLICIT, &document(|g, e, _, v| implicit(g, e, v))),
            "(0042,0011)",
        ),
        (
            file(b"", super::DEFLATED, &deflated),
            "deflate / (0042,0011)",
        ),
        (
            file(b"", b"1.2.840.10008.1.2.2", &big(&document(element))),
            "(0042,0011)",
        ),
    ] {
        assert_eq!(places(&bytes), [path]);
        let found = seen(&bytes);
        assert!(
            found.contains(&format!("{path} ! type-mismatch")),
            "{found:?}"
        );
        assert!(found.iter().all(|line| !line.contains(" ? ")), "{found:?}");
    }
}

/// The same elements in big-endian.
fn big(mut data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let [g0, g1, e0, e1, v0, v1, rest @ ..] = data {
        out.extend_from_slice(&[*g1, *g0, *e1, *e0, *v0, *v1]);
        let (len, head) = if [*v0, *v1] == *b"OB" {
            out.extend_from_slice(&[0, 0]);
            let len = u32::from_le_bytes(rest[2..6].try_into().unwrap());
            out.extend_from_slice(&len.to_be_bytes());
            (usize::try_from(len).unwrap(), 6)
        } else {
            let len = u16::from_le_bytes(rest[..2].try_into().unwrap());
            out.extend_from_slice(&len.to_be_bytes());
            (usize::from(len), 2)
        };
        let value = &rest[head..head + len];
        if [*v0, *v1] == *b"UL" {
            out.extend(value.iter().rev());
        } else {
            out.extend_from_slice(value);
        }
        data = &rest[head + len..];
    }
    out
}

#[test]
fn private_elements_sequences_and_fragments_are_looked_into() {
    let even = [program(), vec![0]].concat();
    let holder = element(0x0011, 0x1010, b"OB", &program());
    let undefined = |vr: &[u8; 2], group: u16, content: &[u8]| {
        let mut out = element(group, 0x0010, vr, b"");
        let at = out.len() - 4;
        out[at..].copy_from_slice(&[0xff; 4]);
        out.extend_from_slice(content);
        out.extend_from_slice(&implicit(0xfffe, 0xe0dd, b""));
        out
    };
    for (data, path) in [
        (holder.clone(), "(0011,1010)"),
        (element(0x6000, 0x3000, b"OW", &program()), "(6000,3000)"),
        (
            element(0x0040, 0xa730, b"SQ", &[item(b""), item(&holder)].concat()),
            "(0040,a730)[2].(0011,1010)",
        ),
        (
            undefined(b"SQ", 0x0040, &item(&holder)),
            "(0040,0010)[1].(0011,1010)",
        ),
        (
            undefined(b"OB", 0x7fe0, &[item(b""), item(&program())].concat()),
            "(7fe0,0010)[2]",
        ),
        (
            undefined(b"UN", 0x0041, &item(&implicit(0x0011, 0x1010, &program()))),
            "(0041,0010)[1].(0011,1010)",
        ),
    ] {
        let bytes = file(
            b"",
            EXPLICIT,
            &[element(8, 5, b"CS", b"ISO_IR 100"), data].concat(),
        );
        let found: Vec<_> = parts(&bytes)
            .into_iter()
            .filter(|(_, bytes)| *bytes == even)
            .map(|(path, _)| path)
            .collect();
        assert_eq!(found, [path], "{:?}", seen(&bytes));
        assert!(
            seen(&bytes).iter().all(|line| !line.contains(" ? ")),
            "{path}"
        );
    }
    let pixels = element(0x7fe0, 0x0010, b"OW", &vec![0x4d; 4_000]);
    assert_eq!(seen(&file(b"", EXPLICIT, &pixels)), [" = dicom"]);
}

#[test]
fn what_stands_behind_and_what_is_cut_is_told() {
    let data = element(0x10, 0x10, b"PN", b"A^B");
    let behind = [data.clone(), program()].concat();
    assert_eq!(
        seen(&file(b"", EXPLICIT, &behind)),
        [
            " = dicom",
            "behind the last element = dos",
            "behind the last element ! program-in-clinical",
            " ! trailing-data"
        ]
    );
    let cut = file(b"", EXPLICIT, &element(0x11, 0x10, b"OB", &program()));
    let cut = cut.get(..cut.len() - 9).unwrap();
    assert_eq!(seen(cut), [" = dicom", " ? damaged"]);
    let mut deep = Vec::new();
    for _ in 0..100 {
        let mut sequence = element(0x0040, 0xa730, b"SQ", b"");
        let at = sequence.len() - 4;
        sequence[at..].copy_from_slice(&[0xff; 4]);
        deep.extend_from_slice(&sequence);
        deep.extend_from_slice(&[0xfe, 0xff, 0, 0xe0, 0xff, 0xff, 0xff, 0xff]);
    }
    assert_eq!(
        seen(&file(b"", EXPLICIT, &deep)),
        [" = dicom", " ? over-budget-depth"]
    );
}

proptest! {
    #[test]
    fn any_file_ends(rest: Vec<u8>, at in 0_usize..600, to: u8, big: bool) {
        let syntax = if big { &b"1.2.840.10008.1.2.2"[..] } else { EXPLICIT };
        prop_assert!(!seen(&file(b"", syntax, &rest)).is_empty());
        let mut whole = file(b"", EXPLICIT, &element(0x0040, 0xa730, b"SQ", &item(&document(element))));
        if let Some(byte) = whole.get_mut(at) {
            *byte = to;
        }
        prop_assert!(!seen(&whole).is_empty());
        whole.truncate(at);
        prop_assert!(!seen(&whole).is_empty());
    }
}
