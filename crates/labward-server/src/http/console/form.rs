//! The fields of a form, or of the part of an address behind its `?`.
//!
//! It must never fail: what is no field is none, and of a form that breaks off only whole fields are. Its text is wiped
//! when it goes.

use axum::body::{Body, Bytes};
use multer::{Field, Multipart};
use zeroize::Zeroizing;

/// Parts of a form with files (RFC 7578) that are read.
const PARTS_MAX: usize = 1_000;
/// The longest boundary between them (RFC 2046, 5.1.1).
const BOUNDARY_MAX_BYTES: usize = 70;

/// Fields in their order; a name may stand several times.
#[derive(Clone, Default)]
pub(in crate::http) struct Form(Vec<(String, Zeroizing<String>)>, Vec<File>);

/// A file that was chosen in a form.
#[derive(Clone)]
pub(super) struct File {
    /// What its sender calls it; never a path to be used.
    pub(super) name: String,
    pub(super) bytes: Bytes,
}

impl Form {
    /// The fields of `application/x-www-form-urlencoded` bytes.
    pub(in crate::http) fn parse(bytes: &[u8]) -> Self {
        let fields = form_urlencoded::parse(bytes);
        Self(
            fields
                .map(|(name, value)| (name.into_owned(), Zeroizing::new(value.into_owned())))
                .collect(),
            Vec::new(),
        )
    }

    /// The fields and files of a body of this type; one of another type is read as [`Form::parse`] does.
    pub(super) async fn with_files(content_type: &str, body: Bytes) -> Self {
        let Some(boundary) = boundary(content_type) else {
            return Self::parse(&body);
        };
        let mut form = Self::default();
        let mut parts = Multipart::new(Body::from(body).into_data_stream(), boundary);
        for _ in 0..PARTS_MAX {
            let Ok(Some(part)) = parts.next_field().await else {
                break;
            };
            if form.take(part).await.is_none() {
                break;
            }
        }
        form
    }

    /// Takes a part; nothing if it is not whole.
    async fn take(&mut self, part: Field<'_>) -> Option<()> {
        let name = part.name().unwrap_or_default().to_owned();
        // Browsers write a quote in a name as `%22`.
        let file = part.file_name().map(|name| name.replace("%22", "\""));
        let bytes = part.bytes().await.ok()?;
        match file {
            // A field for files of which none was chosen is sent without a name.
            Some(name) if name.is_empty() && bytes.is_empty() => {}
            Some(name) => self.1.push(File { name, bytes }),
            None => {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                self.0.push((name, Zeroizing::new(text)));
            }
        }
        Some(())
    }

    /// The files.
    pub(super) fn files(&self) -> &[File] {
        &self.1
    }

    /// The first field of this name; empty if there is none.
    pub(in crate::http) fn text(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// The first field of this name, trimmed, unless it is empty.
    pub(in crate::http) fn some(&self, name: &str) -> Option<String> {
        let text = self.text(name).trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// Every field and its name.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Every field of this name.
    pub(in crate::http) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let fits = self.0.iter().filter(move |(known, _)| known == name);
        fits.map(|(_, value)| value.as_str())
    }
}

/// What stands between the parts, by the type of the body; nothing if it is of another type.
fn boundary(content_type: &str) -> Option<String> {
    let boundary = multer::parse_boundary(content_type).ok()?;
    (1..=BOUNDARY_MAX_BYTES)
        .contains(&boundary.len())
        .then_some(boundary)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(bytes: &[u8]) -> Form {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let body = Bytes::copy_from_slice(bytes);
        runtime.block_on(Form::with_files("multipart/form-data; boundary=XX", body))
    }

    #[test]
    fn texts_and_files_of_a_form_are_read() {
        let body = "--XX\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\nabc\r\n\
            --XX\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a; %22b%22.json\"\r\n\
            Content-Type: application/json\r\n\r\n{\r\n--X\r\n}\r\n--XX\r\n\
            Content-Disposition: form-data; name=\"file\"; filename=\"\"\r\n\r\n\r\n--XX--\r\n";
        let form = read(body.as_bytes());
        assert_eq!(form.pairs().collect::<Vec<_>>(), [("csrf", "abc")]);
        let [file] = form.files() else {
            panic!("one file was chosen");
        };
        assert_eq!(file.name, "a; \"b\".json");
        assert_eq!(file.bytes, Bytes::from_static(b"{\r\n--X\r\n}"));
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
            let form = read(none.as_bytes());
            assert!(
                form.text("a").is_empty() && form.files().is_empty(),
                "{none:?}"
            );
        }
        let part =
            |name| format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n1\r\n");
        let form = read(format!("{}{}", part("a"), part("b")).as_bytes());
        assert_eq!(
            form.pairs().collect::<Vec<_>>(),
            [("a", "1")],
            "the second has no end"
        );
        let many = part("a").repeat(PARTS_MAX + 10) + "--XX--";
        assert_eq!(read(many.as_bytes()).pairs().count(), PARTS_MAX);
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
            assert_eq!(boundary(text).as_deref(), expect, "{text}");
        }
        let long = format!("multipart/form-data; boundary={}", "x".repeat(71));
        assert_eq!(boundary(&long), None);
    }

    #[test]
    fn fields_are_found_by_name() {
        let form = Form::parse(b"role=it&why=a+b%20c&role=expert&empty=&%ff=1");
        assert_eq!(form.text("why"), "a b c");
        assert_eq!(form.all("role").collect::<Vec<_>>(), ["it", "expert"]);
        assert_eq!(form.some("empty"), None);
        assert_eq!(form.some("missing"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_some_parts(text in "(--XX|\r\n|Content-Disposition: form-data; name=\"a\"|[a;\"=-]|\\PC){0,20}") {
            for (_, value) in read(text.as_bytes()).pairs() {
                prop_assert!(value.len() <= text.len());
            }
        }

        #[test]
        fn what_is_sent_is_what_is_read(bytes: Vec<u8>) {
            prop_assume!(!bytes.windows(6).any(|part| part == b"\r\n--XX"));
            let mut body = b"--XX\r\nContent-Disposition: form-data; name=\"a\"; filename=\"b\"\r\n\r\n".to_vec();
            body.extend(&bytes);
            body.extend(b"\r\n--XX--\r\n");
            let form = read(&body);
            prop_assert_eq!(form.files().len(), 1);
            prop_assert_eq!(form.files()[0].bytes.as_ref(), &bytes[..]);
        }

        #[test]
        fn any_bytes_are_some_form(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            Form::parse(&bytes).text("a");
        }
    }
}
