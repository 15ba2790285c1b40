//! The parts of a form that holds files (RFC 7578).
//!
//! It must never copy a file, or fail on bytes that are no form: what is no part is none.

use axum::body::Bytes;
use memchr::memmem;

/// Parts that are read.
const PARTS_MAX: usize = 1_000;
/// The longest head of a part, in bytes.
const HEAD_MAX_BYTES: usize = 8 << 10;
/// The longest boundary (RFC 2046, 5.1.1).
const BOUNDARY_MAX_BYTES: usize = 70;

/// One part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// The field.
    pub(super) name: String,
    /// What its sender calls the file; `None` where it is a text.
    pub(super) file: Option<String>,
    /// The bytes.
    pub(super) bytes: Bytes,
}

/// What stands between the parts, by the type of the body; `None` if it is of another type.
pub(super) fn boundary(content_type: &str) -> Option<&str> {
    let (kind, rest) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let mut parameters = rest.split(';').filter_map(|one| one.split_once('='));
    let found = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"));
    let boundary = found?.1.trim().trim_matches('"');
    (1..=BOUNDARY_MAX_BYTES)
        .contains(&boundary.len())
        .then_some(boundary)
}

/// The parts of a body, up to the first that is none.
pub(super) fn parts(body: &Bytes, boundary: &str) -> Vec<Part> {
    let delimiter = format!("\r\n--{boundary}");
    let finder = memmem::Finder::new(delimiter.as_bytes());
    let mut all = Vec::new();
    // The first delimiter stands at the front, without an end of line before it.
    let first = delimiter.as_bytes().get(2..).unwrap_or_default();
    let mut rest = match body.starts_with(first) {
        true => body.slice(first.len()..),
        false => match finder.find(body) {
            Some(at) => body.slice(at + delimiter.len()..),
            None => return all,
        },
    };
    while all.len() < PARTS_MAX && rest.starts_with(b"\r\n") {
        let Some(end) = finder.find(&rest) else { break };
        // Between the two ends of lines stands the head, which may be empty.
        let part = rest.slice(..end);
        all.extend(one(&part));
        rest = rest.slice(end + delimiter.len()..);
    }
    all
}

fn one(part: &Bytes) -> Option<Part> {
    let near = part.get(..part.len().min(HEAD_MAX_BYTES))?;
    let end = memmem::find(near, b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(near.get(..end)?);
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    let disposition =
        lines.find(|(name, _)| name.trim().eq_ignore_ascii_case("content-disposition"));
    let mut said = Disposition::default();
    said.read(disposition?.1);
    Some(Part {
        name: said.name?,
        file: said.file,
        bytes: part.slice(end + 4..),
    })
}

/// The parameters of a part's disposition that are used.
#[derive(Default)]
struct Disposition {
    name: Option<String>,
    file: Option<String>,
}

impl Disposition {
    /// Reads `form-data; name="a"; filename="b; c"`: quotes hold semicolons, and browsers write `"` as `%22`.
    fn read(&mut self, text: &str) {
        let mut is_quoted = false;
        let parameters = text.split(|c: char| {
            is_quoted ^= c == '"';
            c == ';' && !is_quoted
        });
        for (name, value) in parameters.filter_map(|one| one.split_once('=')) {
            let value = value.trim().trim_matches('"').replace("%22", "\"");
            match name.trim() {
                "name" => self.name = Some(value),
                "filename" => self.file = Some(value),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(body: &str) -> Vec<(String, Option<String>, Bytes)> {
        let all = parts(&Bytes::copy_from_slice(body.as_bytes()), "XX");
        let all = all.into_iter();
        all.map(|part| (part.name, part.file, part.bytes)).collect()
    }

    #[test]
    fn texts_and_files_of_a_form_are_read() {
        let body = "--XX\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\nabc\r\n\
            --XX\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a; %22b%22.json\"\r\n\
            Content-Type: application/json\r\n\r\n{\r\n--X\r\n}\r\n--XX\r\n\
            Content-Disposition: form-data; name=\"file\"; filename=\"\"\r\n\r\n\r\n--XX--\r\n";
        let file = (
            "file".to_owned(),
            Some("a; \"b\".json".to_owned()),
            Bytes::from_static(b"{\r\n--X\r\n}"),
        );
        let none = ("file".to_owned(), Some(String::new()), Bytes::new());
        let text = ("csrf".to_owned(), None, Bytes::from_static(b"abc"));
        assert_eq!(read(body), [text, file, none]);
    }

    #[test]
    fn what_breaks_off_or_is_no_form_gives_only_whole_parts() {
        for none in [
            "",
            "--XX",
            "--XX--",
            "--XX\r\n\r\nabc\r\n--XX--",
            "a=b",
            "\r\n--XX",
        ] {
            assert!(read(none).is_empty(), "{none:?}");
        }
        let part = "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n";
        assert_eq!(
            read(&format!("{part}{part}")).len(),
            1,
            "the second has no end"
        );
        assert_eq!(read(&format!("before\r\n{part}--XX--")).len(), 1);
    }

    #[test]
    fn a_boundary_stands_in_the_type_of_a_body() {
        for (text, expect) in [
            ("multipart/form-data; boundary=XX", Some("XX")),
            (
                "Multipart/Form-Data; charset=utf-8; Boundary=\"X X\"",
                Some("X X"),
            ),
            ("multipart/form-data", None),
            ("multipart/form-data; boundary=", None),
            ("multipart/mixed; boundary=XX", None),
            ("application/x-www-form-urlencoded", None),
        ] {
            assert_eq!(boundary(text), expect, "{text}");
        }
        let long = format!("multipart/form-data; boundary={}", "x".repeat(71));
        assert_eq!(boundary(&long), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_some_parts(text in "(--XX|\r\n|Content-Disposition: form-data; name=\"a\"|[a;\"=-]|\\PC){0,20}") {
            for part in parts(&Bytes::from(text.clone().into_bytes()), "XX") {
                prop_assert!(part.bytes.len() <= text.len());
            }
        }

        #[test]
        fn what_is_sent_is_what_is_read(bytes: Vec<u8>) {
            prop_assume!(memmem::find(&bytes, b"\r\n--XX").is_none());
            let mut body = b"--XX\r\nContent-Disposition: form-data; name=\"a\"; filename=\"b\"\r\n\r\n".to_vec();
            body.extend(&bytes);
            body.extend(b"\r\n--XX--\r\n");
            let all = parts(&Bytes::from(body), "XX");
            prop_assert_eq!(all.len(), 1);
            prop_assert_eq!(all[0].bytes.as_ref(), &bytes[..]);
        }
    }
}
