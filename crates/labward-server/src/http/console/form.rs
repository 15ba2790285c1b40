//! The fields of a form, or of the part of an address behind its `?`.
//!
//! It must never fail: what is no field is none. Its text is wiped when it goes.

use axum::body::Bytes;
use zeroize::Zeroizing;

use super::multipart;

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
    pub(super) fn with_files(content_type: &str, body: &Bytes) -> Self {
        let Some(boundary) = multipart::boundary(content_type) else {
            return Self::parse(body);
        };
        let mut form = Self::default();
        for part in multipart::parts(body, boundary) {
            match part.file {
                // A field for files of which none was chosen is sent without a name.
                Some(name) if name.is_empty() && part.bytes.is_empty() => {}
                Some(name) => form.1.push(File {
                    name,
                    bytes: part.bytes,
                }),
                None => {
                    let text = String::from_utf8_lossy(&part.bytes).into_owned();
                    form.0.push((part.name, Zeroizing::new(text)));
                }
            }
        }
        form
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
        fn any_bytes_are_some_form(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            Form::parse(&bytes).text("a");
        }
    }
}
