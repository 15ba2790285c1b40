//! What a carrier said of a part against what the part is: other types, names that deceive.
//!
//! It must never call foreign what is merely unknown: a type or ending that is not in the table, and bytes
//! of no known kind, say nothing.

use crate::kind::Kind;
use crate::seen::{Declared, Part, Sign};

use Kind::{
    Arj, Astm, BinHex, Bmp, Bzip2, Cab, Cda, Chm, Cpio, Dicom, Dos, Elf, FhirJson, FhirXml, Gif,
    Gzip, Hl7, Html, JavaClass, Jpeg, Json, MachO, Mime, Mllp, Ole, OneNote, Pdf, Pe, Png, Rar,
    Rtf, Script, SevenZip, Shortcut, Tar, Text, Tiff, Tnef, Uuencode, Xml, Xz, Zip, Zstd,
};

/// What may lie in a text: a carrier often says no more than that it is one.
const TEXTS: &[Kind] = &[
    Text, Json, Xml, Html, Hl7, Mllp, Astm, FhirJson, FhirXml, Cda, Mime, Uuencode, BinHex, Rtf,
];
const PICTURES: &[Kind] = &[Jpeg, Png, Gif, Tiff, Bmp];
/// Word, Excel and PowerPoint open all of these under their own names.
const OFFICE: &[Kind] = &[Ole, Zip, Rtf, Html, Xml, Mime, Text];
const OPEN_OFFICE: &[Kind] = &[Zip, Ole];

/// Media types, the words of HL7 table 0291 and file endings, and the kinds that they may name.
const SAID: &[(&[&str], &[Kind])] = &[
    (&["application/pdf", "application/x-pdf", "pdf"], &[Pdf]),
    (
        &["jpeg", "jpg", "jpe", "png", "gif", "tiff", "tif", "bmp"],
        PICTURES,
    ),
    (
        &["text/plain", "text/csv", "text/tab-separated-values"],
        TEXTS,
    ),
    (&["txt", "csv", "tsv", "log", "text/markdown", "md"], TEXTS),
    (
        &["text/html", "application/xhtml+xml", "html", "htm"],
        &[Html, Text, Xml, Cda],
    ),
    (
        &["text/xml", "application/xml", "xml"],
        &[Xml, Cda, FhirXml, Html, Text],
    ),
    (
        &["application/json", "json", "application/fhir+json"],
        &[Json, FhirJson, Text],
    ),
    (&["application/fhir+xml"], &[FhirXml, Xml, Text]),
    (&["application/rtf", "text/rtf", "rtf"], &[Rtf, Text]),
    (
        &["application/msword", "doc", "dot", "xls", "ppt", "pps"],
        OFFICE,
    ),
    (
        &["application/vnd.ms-excel", "application/vnd.ms-powerpoint"],
        OFFICE,
    ),
    (
        &["docx", "docm", "xlsx", "xlsm", "pptx", "pptm", "odt", "ods"],
        OPEN_OFFICE,
    ),
    (&["vnd.openxmlformats-officedocument."], OPEN_OFFICE),
    (&["zip", "x-zip-compressed"], &[Zip]),
    (&["gzip", "x-gzip", "gz", "tgz"], &[Gzip]),
    (&["bz2", "x-bzip2"], &[Bzip2]),
    (&["xz", "x-xz"], &[Xz]),
    (&["zst", "zstd"], &[Zstd]),
    (&["7z", "x-7z-compressed"], &[SevenZip]),
    (&["rar", "vnd.rar", "x-rar-compressed"], &[Rar]),
    (&["tar", "x-tar"], &[Tar]),
    (&["cab", "vnd.ms-cab-compressed"], &[Cab]),
    (&["arj"], &[Arj]),
    (&["cpio"], &[Cpio]),
    (&["chm"], &[Chm]),
    (&["one"], &[OneNote]),
    (&["dicom", "dcm"], &[Dicom, Tiff]),
    (&["hl7", "hl7-v2+er7", "hl7-v2"], &[Hl7, Mllp, Text]),
    (&["message/rfc822", "eml"], &[Mime, Text]),
    (&["ms-tnef", "vnd.ms-tnef"], &[Tnef]),
    (
        &["exe", "dll", "scr", "vnd.microsoft.portable-executable"],
        &[Pe, Dos],
    ),
    (&["jar"], &[Zip]),
    (&["class"], &[JavaClass]),
    (&["lnk"], &[Shortcut]),
    (&["sh"], &[Script, Text, Elf, MachO]),
];

/// Endings that Windows runs at a click.
const RUN: &[&str] = &[
    "exe", "scr", "com", "pif", "bat", "cmd", "js", "jse", "vbs", "vbe", "wsf", "wsh", "hta",
    "lnk", "msi", "jar", "ps1", "cpl", "reg", "iso", "img", "vhd", "url",
];
/// Endings that people take for documents and pictures.
const READ: &[&str] = &[
    "pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "rtf", "txt", "csv", "jpg", "jpeg", "png",
    "gif", "tif", "tiff", "bmp", "html", "htm", "xml", "hl7", "dcm", "zip", "odt",
];

/// So many blanks in a row push an ending out of sight.
const MANY_BLANKS: usize = 8;

/// Whether the part is another kind than was said, and whether its name deceives.
pub(crate) fn signs(part: &Part<'_>) -> impl Iterator<Item = Sign> {
    let mismatch = is_mismatch(part).then_some(Sign::TypeMismatch);
    let name = part.declared.name.as_deref();
    let deceptive = name
        .is_some_and(is_deceptive)
        .then_some(Sign::DeceptiveName);
    mismatch.into_iter().chain(deceptive)
}

fn is_mismatch(part: &Part<'_>) -> bool {
    let is = part.claims.main();
    if is == Kind::Unknown || part.bytes.trim_ascii().is_empty() {
        return false;
    }
    let by_type = part.declared.media_type.as_deref().and_then(of_media_type);
    let by_name = part.declared.name.as_deref().and_then(of_name);
    by_type.is_some_and(|kinds| !kinds.contains(&is))
        || by_name.is_some_and(|kinds| !kinds.contains(&is))
}

/// Whether it is said to be a mail.
pub(crate) fn is_mail(declared: &Declared) -> bool {
    let is_said = |kinds: Option<&[Kind]>| kinds.is_some_and(|kinds| kinds.first() == Some(&Mime));
    is_said(declared.media_type.as_deref().and_then(of_media_type))
        || is_said(declared.name.as_deref().and_then(of_name))
}

fn of_media_type(said: &str) -> Option<&'static [Kind]> {
    let said = said.split([';', ' ']).next()?.trim().to_ascii_lowercase();
    let (family, subtype) = said.split_once('/').unwrap_or(("", &said));
    of_word(&said).or_else(|| of_word(subtype)).or_else(|| {
        let open_office = subtype.starts_with("vnd.openxmlformats-officedocument.");
        match family {
            _ if open_office => Some(OPEN_OFFICE),
            // What is drawn as text (SVG) or not known by its mark says nothing.
            "text" => Some(TEXTS),
            _ => None,
        }
    })
}

fn of_name(name: &str) -> Option<&'static [Kind]> {
    let (_, ending) = name.rsplit_once('.')?;
    of_word(&ending.trim_end().to_ascii_lowercase())
}

fn of_word(word: &str) -> Option<&'static [Kind]> {
    SAID.iter()
        .find(|(words, _)| words.contains(&word))
        .map(|(_, kinds)| *kinds)
}

/// The writing direction is turned, a program's ending stands behind a document's, or many blanks stand in it.
fn is_deceptive(name: &str) -> bool {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if name.chars().any(turns) {
        return true;
    }
    let is_blank = |c: char| c.is_whitespace() || matches!(c, '\u{200b}' | '\u{2800}' | '\u{3164}');
    let mut row = 0;
    for c in name.trim_matches(is_blank).chars() {
        row = if is_blank(c) { row + 1 } else { 0 };
        if row >= MANY_BLANKS {
            return true;
        }
    }
    let lower = name.to_ascii_lowercase();
    let mut endings = lower.rsplit('.').map(|word| word.trim_matches(is_blank));
    let (last, before) = (endings.next().unwrap_or(""), endings.next().unwrap_or(""));
    endings.next().is_some() && RUN.contains(&last) && READ.contains(&before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Claims;
    use crate::seen::Declared;

    fn check(media_type: Option<&str>, name: Option<&str>, bytes: &[u8], expect: &[Sign]) {
        let declared = Declared {
            media_type: media_type.map(str::to_owned),
            name: name.map(str::to_owned),
        };
        let claims = Claims::of(bytes);
        let part = Part {
            bytes,
            claims: &claims,
            declared: &declared,
        };
        let found: Vec<Sign> = signs(&part).collect();
        assert_eq!(found, expect, "{media_type:?} {name:?}");
    }

    #[test]
    fn another_type_than_was_said_is_told() {
        let mismatch = &[Sign::TypeMismatch][..];
        check(Some("application/pdf"), None, b"MZ program", mismatch);
        check(Some("application/PDF; name=x"), None, b"<html>", mismatch);
        check(Some("AP/PDF"), None, b"PK\x03\x04", mismatch);
        check(Some("image/jpeg"), None, b"#!/bin/sh\n", mismatch);
        check(Some("text/plain"), None, b"\x7fELF", mismatch);
        check(None, Some("scan.jpg"), b"%PDF-1.4", mismatch);
        check(
            Some("application/octet-stream"),
            Some("a.pdf"),
            b"MZ",
            mismatch,
        );
    }

    #[test]
    fn what_is_right_equal_or_unknown_is_not() {
        check(Some("application/pdf"), Some("a.PDF"), b"%PDF-1.4", &[]);
        check(Some("BINARY/JPEG"), None, b"\0\0\0\0\0\0", &[]);
        check(Some("image/jpeg"), None, b"\x89PNG\r\n\x1a\n", &[]);
        check(Some("text/csv"), Some("a.csv"), b"a;b\n1;2\n", &[]);
        check(Some("text/plain; charset=utf-8"), None, b"{\"a\":1}", &[]);
        check(Some("text/x-hl7-ft"), None, b"MSH|^~\\&|A\r", &[]);
        check(
            Some("application/vnd.ms-excel"),
            Some("r.xls"),
            b"a\tb\n",
            &[],
        );
        check(Some("image/svg+xml"), Some("a.svg"), b"<svg>", &[]);
        check(Some("application/octet-stream"), Some("a"), b"MZ", &[]);
        check(Some("what/ever"), Some("x.qqq"), b"MZ", &[]);
        check(Some("application/pdf"), None, b"", &[]);
    }

    #[test]
    fn names_that_hide_an_ending_deceive_and_honest_ones_do_not() {
        for name in [
            "report.pdf.exe",
            "Report.PDF .scr",
            "lab\u{202e}fdp.exe",
            "report.pdf                    .txt",
            "a.b.docx.js",
        ] {
            assert!(is_deceptive(name), "{name}");
        }
        for name in [
            "data.tar.gz",
            "setup.exe",
            "report 2026.01.02.pdf",
            "v1.2.exe",
            "jquery.min.js",
            "letter of the laboratory.pdf",
            "pdf.exe",
            "",
            "   ",
        ] {
            assert!(!is_deceptive(name), "{name}");
        }
    }
}
