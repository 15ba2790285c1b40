//! Attachments, scripts and actions, also where the table of references is wrong and the filters are many.

use std::io::Write as _;

use crate::Budget;
use crate::testing::{part, seen, seen_within};

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    zlib.write_all(bytes).unwrap();
    zlib.finish().unwrap()
}

fn stream(dict: &str, content: &[u8]) -> Vec<u8> {
    let mut out = format!("<< {dict} /Length {} >>\nstream\n", content.len()).into_bytes();
    out.extend(content);
    out.extend(b"\nendstream");
    out
}

/// Objects from 1 on, without any table.
fn pdf(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut out = b"%PDF-1.7\n".to_vec();
    for (i, object) in objects.iter().enumerate() {
        out.extend(format!("{} 0 obj\n", i + 1).bytes());
        out.extend(object);
        out.extend(b"\nendobj\n");
    }
    out.extend(b"trailer << /Root 1 0 R >>\n%%EOF\n");
    out
}

#[test]
fn an_attachment_comes_out_of_many_filters_by_its_name() {
    let script = b"#!/bin/sh\necho\n";
    let hex: String = deflated(script)
        .iter()
        .map(|b| format!("{b:02X} "))
        .collect();
    let file = pdf(&[
        b"<< /Type /Catalog >>".to_vec(),
        b"<< /Type /Filespec /F (run.sh) /UF <FEFF00720075006E002E00730068> /EF << /F 3 0 R >> >>"
            .to_vec(),
        stream(
            "/Type /EmbeddedFile /Filter [/ASCII#48exDecode /FlateDecode]",
            format!("{hex}>").as_bytes(),
        ),
    ]);
    assert_eq!(seen(&file), [" = pdf", "pdf : run.sh = script"]);
    assert_eq!(part(&file, "run.sh"), script);
}

#[test]
fn scripts_and_actions_are_told_and_a_first_page_is_none() {
    let file = pdf(&[
        b"<< /Type /Catalog /OpenAction << /S /JavaScript /J#53 (app.alert\\(1\\)) >> >>".to_vec(),
    ]);
    let lines = seen(&file);
    assert!(lines.contains(&" ! pdf-script".to_owned()), "{lines:?}");
    assert!(lines.contains(&" ! pdf-action".to_owned()), "{lines:?}");
    assert_eq!(part(&file, "script 1"), b"app.alert(1)");
    for plain in ["[3 0 R /Fit]", "<< /S /GoTo /D [3 0 R /Fit] >>"] {
        let file = pdf(&[format!("<< /Type /Catalog /OpenAction {plain} >>").into_bytes()]);
        assert_eq!(seen(&file), [" = pdf"]);
    }
    let launch = pdf(&[b"<< /Type /Annot /A << /S /Launch /F (cmd.exe) >> >>".to_vec()]);
    assert_eq!(seen(&launch), [" = pdf", " ! pdf-action"]);
    let page =
        pdf(&[b"<< /Type /Page /AA << /O << /S /URI /URI (http://a.test) >> >> >>".to_vec()]);
    assert_eq!(seen(&page), [" = pdf", " ! pdf-action"]);
    let field =
        pdf(&[b"<< /FT /Tx /AA << /K << /S /JavaScript /JS (AFNumber\\(\\)) >> >> >>".to_vec()]);
    assert!(!seen(&field).contains(&" ! pdf-action".to_owned()));
}

#[test]
fn objects_in_streams_are_read() {
    let inner = b"5 0 6 45 << /S /JavaScript /JS (run\\(\\)) >>           << /Other /Thing >>";
    let packed = deflated(inner);
    let file = pdf(&[stream(
        "/Type /ObjStm /N 2 /First 9 /Filter /FlateDecode",
        &packed,
    )]);
    assert!(seen(&file).contains(&" ! pdf-script".to_owned()));
}

#[test]
fn a_script_in_a_form_is_told() {
    let form = b"<xdp:xdp xmlns:xdp=\"http://ns.adobe.com/xdp/\"><script \
        contentType=\"application/x-javascript\">run()</script></xdp:xdp>";
    let file = pdf(&[
        b"<< /XFA [(template) 2 0 R] >>".to_vec(),
        stream("/Filter /FlateDecode", &deflated(form)),
    ]);
    let lines = seen(&file);
    assert!(
        lines.contains(&"pdf / form 2 = xml".to_owned()),
        "{lines:?}"
    );
    assert!(lines.contains(&" ! pdf-script".to_owned()), "{lines:?}");
}

#[test]
fn a_length_of_four_gigabytes_costs_nothing() {
    let mut file = b"%PDF-1.4\n1 0 obj << /Length 4294967295 >>\nstream\n".to_vec();
    file.extend(b"#!/bin/sh\n\nendstream endobj\n");
    assert_eq!(seen(&file), [" = pdf", "pdf / stream 1 = script"]);
}

#[test]
fn bombs_in_streams_end_within_the_budget() {
    let zeros = deflated(&deflated(&vec![0; 64 << 20]));
    let objects: Vec<_> = (0..20)
        .map(|_| stream("/Filter [/FlateDecode /FlateDecode]", &zeros))
        .collect();
    let (lines, summary) = seen_within(&pdf(&objects), &Budget::message());
    assert!(!summary.complete);
    assert!(
        lines.iter().any(|line| line.contains("over-budget")),
        "{lines:?}"
    );
    let deep = [b"%PDF-1.4 1 0 obj ".to_vec(), b"[".repeat(1 << 20)].concat();
    assert_eq!(seen(&deep).first().unwrap(), " = pdf");
}

#[test]
fn an_archive_behind_the_end_is_told_and_line_ends_are_not() {
    let file = pdf(&[b"<< /Type /Catalog >>".to_vec()]);
    assert_eq!(
        seen(&[file.clone(), b"\r\n\0\0".to_vec()].concat()),
        [" = pdf"]
    );
    let behind = [file, b"MZ something".to_vec()].concat();
    assert_eq!(
        seen(&behind),
        [" = pdf", " ! trailing-data", "behind the end = dos"]
    );
}

#[test]
fn a_document_with_an_empty_password_is_read_and_one_with_a_password_told() {
    for (user, line) in [("", " ! pdf-script"), ("secret", " ? encrypted")] {
        let file = encrypted(user);
        assert!(memchr::memmem::find(&file, b"app.alert").is_none());
        let lines = seen(&file);
        assert!(lines.contains(&line.to_owned()), "{user}: {lines:?}");
    }
}

/// A document with a script, encrypted by the library.
fn encrypted(user: &str) -> Vec<u8> {
    use lopdf::{Document, EncryptionState, EncryptionVersion, Object, Permissions, dictionary};
    let mut document = Document::with_version("1.5");
    let action = document.add_object(dictionary! {
        "S" => "JavaScript",
        "JS" => Object::string_literal("app.alert(1)"),
    });
    let catalog = document.add_object(dictionary! { "Type" => "Catalog", "OpenAction" => action });
    document.trailer.set("Root", catalog);
    let id = Object::string_literal("0123456789abcdef");
    document
        .trailer
        .set("ID", Object::Array(vec![id.clone(), id]));
    let version = EncryptionVersion::V2 {
        document: &document,
        owner_password: "owner",
        user_password: user,
        key_length: 128,
        permissions: Permissions::all(),
    };
    let state = EncryptionState::try_from(version).unwrap();
    document.encrypt(&state).unwrap();
    let mut out = Vec::new();
    document.save_to(&mut out).unwrap();
    out
}
