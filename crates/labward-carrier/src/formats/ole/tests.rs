//! Macros, packages and encryption in compound files that the `cfb` crate writes.

use std::io::{Cursor, Write as _};

use crate::testing::seen;

fn compound(streams: &[(&str, &[u8])]) -> Vec<u8> {
    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).unwrap();
    for (path, content) in streams {
        if let Some((storage, _)) = path.rsplit_once('/') {
            file.create_storage_all(storage).unwrap();
        }
        file.create_stream(path)
            .unwrap()
            .write_all(content)
            .unwrap();
    }
    file.into_inner().into_inner()
}

/// A container of literals only, as MS-OVBA 2.4.1 allows.
fn container(text: &[u8]) -> Vec<u8> {
    let mut chunk = Vec::new();
    for group in text.chunks(8) {
        chunk.push(0);
        chunk.extend(group);
    }
    let header = 0xb000 | u16::try_from(chunk.len() - 1).unwrap();
    let mut out = vec![1];
    out.extend(header.to_le_bytes());
    out.extend(chunk);
    out
}

fn dir(module: &str, offset: u32) -> Vec<u8> {
    let mut out = Vec::new();
    // The version, whose length does not count all of it.
    out.extend(b"\x09\0\x04\0\0\0\x01\0\0\0\x02\0");
    out.extend(b"\x1a\0");
    out.extend(u32::try_from(module.len()).unwrap().to_le_bytes());
    out.extend(module.as_bytes());
    out.extend(b"\x31\0\x04\0\0\0");
    out.extend(offset.to_le_bytes());
    container(&out)
}

#[test]
fn a_macro_that_runs_by_itself_is_shown_as_text() {
    let source = b"Attribute VB_Name = \"M\"\r\nSub AutoOpen()\r\nEnd Sub\r\n";
    let module = [b"compiled".to_vec(), container(source)].concat();
    for dir in [dir("M", 8), dir("M", 3), dir("other", 0)] {
        let file = compound(&[("/Macros/VBA/dir", &dir), ("/Macros/VBA/M", &module)]);
        let lines = seen(&file);
        assert!(lines.contains(&" ! macro".to_owned()), "{lines:?}");
        assert!(lines.contains(&"vba : M = text".to_owned()), "{lines:?}");
        assert!(lines.contains(&" ! macro-auto-run".to_owned()), "{lines:?}");
    }
}

#[test]
fn a_macro_without_its_source_is_a_macro() {
    let file = compound(&[("/VBA/_VBA_PROJECT", b"\xcc\x61"), ("/VBA/M", b"compiled")]);
    assert!(seen(&file).contains(&" ! macro".to_owned()));
}

#[test]
fn a_package_gives_its_file_by_name() {
    let mut package = vec![2, 0];
    package.extend(b"run.sh\0C:\\run.sh\0\0\0\x03\0\x04\0\0\0tmp\0");
    package.extend(10_u32.to_le_bytes());
    package.extend(b"#!/bin/sh\n");
    let mut native = u32::try_from(package.len()).unwrap().to_le_bytes().to_vec();
    native.extend(package);
    let lines = seen(&compound(&[("/ObjectPool/_1/\u{1}Ole10Native", &native)]));
    assert!(
        lines.iter().any(|line| line.ends_with(": run.sh = script")),
        "{lines:?}"
    );
    assert!(
        lines
            .iter()
            .any(|line| line.ends_with(": run.sh ! embedded-object"))
    );
}

#[test]
fn macro_sheets_links_and_encryption_of_workbooks_are_told() {
    let record = |id: u16, content: &[u8]| {
        let mut out = id.to_le_bytes().to_vec();
        out.extend(u16::try_from(content.len()).unwrap().to_le_bytes());
        out.extend(content);
        out
    };
    let sheet = record(0x85, b"\0\0\0\0\0\x01\x01\0M");
    let link = record(0x1ae, b"\0\0\x07\0\0cmd\x03/c calc");
    let lines = seen(&compound(&[("/Workbook", &[sheet, link].concat())]));
    assert!(
        lines.iter().any(|line| line.ends_with(" ! xlm")),
        "{lines:?}"
    );
    assert!(
        lines.iter().any(|line| line.ends_with(" ! dde")),
        "{lines:?}"
    );
    let pass = record(0x2f, &[0; 6]);
    let lines = seen(&compound(&[("/Workbook", &pass)]));
    assert!(
        lines.iter().any(|line| line.ends_with(" ? encrypted")),
        "{lines:?}"
    );
    let lines = seen(&compound(&[
        ("/EncryptedPackage", b"x"),
        ("/EncryptionInfo", b"x"),
    ]));
    assert_eq!(lines, [" = ole", " ? encrypted"]);
}

#[test]
fn fields_of_word_that_start_programs_are_told() {
    let mut document = vec![0; 512];
    document.extend(b"\x13 DDEAUTO c:\\\\x \x14");
    let lines = seen(&compound(&[("/WordDocument", &document)]));
    assert!(
        lines.iter().any(|line| line.ends_with(" ! dde")),
        "{lines:?}"
    );
    let mut page = vec![0; 512];
    page.extend(b"\x13 PAGE \x14 \x13\0 \0D\0A\0T\0E\0");
    let lines = seen(&compound(&[("/WordDocument", &page)]));
    assert!(
        !lines.iter().any(|line| line.ends_with(" ! dde")),
        "{lines:?}"
    );
}

#[test]
fn a_packed_object_of_a_document_in_xml_is_shown() {
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    zlib.write_all(b"#!/bin/sh\n").unwrap();
    let object = [10_u32.to_le_bytes().to_vec(), zlib.finish().unwrap()].concat();
    let lines = seen(&compound(&[("/_1577691300", &object)]));
    assert!(
        lines.iter().any(|line| line.ends_with("/ object = script")),
        "{lines:?}"
    );
}
