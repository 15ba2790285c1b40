//! Has the server look at bytes (`malware/inspect`), read while they are sent.
//!
//! It must never look into them, hold them, or take an answer for one about other bytes than were announced.

use std::io::{self, Cursor, Read};

use labward_api::malware::{InspectAbout, Inspected};
use labward_base::problem;
use labward_seal::random_bytes;

use super::Client;
use crate::failure::Failure;

impl Client {
    /// What the server finds in `content`, which has `size_bytes`.
    pub(crate) fn inspect(
        &self,
        about: &InspectAbout,
        content: &mut dyn Read,
        size_bytes: u64,
    ) -> Result<Inspected, Failure> {
        let mut form = Form::new(about, content, size_bytes)?;
        let (kind, length) = (form.content_type.clone(), form.length());
        self.send("malware/inspect", &kind, length, &mut form)
    }
}

/// A form of two parts (RFC 7578).
struct Form<'a> {
    content_type: String,
    head: Cursor<Vec<u8>>,
    content: &'a mut dyn Read,
    /// What of it is still to come.
    left: u64,
    tail: Cursor<Vec<u8>>,
}

impl<'a> Form<'a> {
    fn new(
        about: &InspectAbout,
        content: &'a mut dyn Read,
        size_bytes: u64,
    ) -> Result<Self, Failure> {
        let internal = |why: String| Failure::new(&problem::SERVER_INTERNAL, why);
        let about = serde_json::to_string(about).map_err(|error| internal(error.to_string()))?;
        // By chance it stands in no content.
        let random: [u8; 16] = random_bytes().map_err(|error| internal(error.to_string()))?;
        let boundary = format!("labward{:032x}", u128::from_ne_bytes(random));
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"about\"\r\nContent-Type: application/json\r\n\r\n\
             {about}\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"content\"; filename=\"content\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        Ok(Self {
            content_type: format!("multipart/form-data; boundary={boundary}"),
            head: Cursor::new(head.into_bytes()),
            content,
            left: size_bytes,
            tail: Cursor::new(format!("\r\n--{boundary}--\r\n").into_bytes()),
        })
    }

    /// How long the whole form is, before any of it was read.
    fn length(&self) -> u64 {
        let ends = self.head.get_ref().len() + self.tail.get_ref().len();
        self.left
            .saturating_add(u64::try_from(ends).unwrap_or(u64::MAX))
    }
}

impl Read for Form<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let done = self.head.read(buffer)?;
        if done > 0 || buffer.is_empty() {
            return Ok(done);
        }
        if self.left == 0 {
            return self.tail.read(buffer);
        }
        let done = (&mut *self.content).take(self.left).read(buffer)?;
        if done == 0 {
            // There is less than was announced: the request breaks off, and nothing is known of it.
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= u64::try_from(done).unwrap_or(self.left);
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(content: &[u8], size_bytes: u64) -> io::Result<(Vec<u8>, String, u64)> {
        let mut content = content;
        let mut form = Form::new(&InspectAbout::default(), &mut content, size_bytes).unwrap();
        let (kind, length) = (form.content_type.clone(), form.length());
        let mut bytes = Vec::new();
        form.read_to_end(&mut bytes)?;
        Ok((bytes, kind, length))
    }

    #[test]
    fn a_form_has_two_parts_and_the_length_that_it_says() {
        let (bytes, kind, length) = whole(&vec![7; 100_000], 100_000).unwrap();
        assert_eq!(u64::try_from(bytes.len()).unwrap(), length);
        let text = String::from_utf8(bytes).unwrap();
        let boundary = kind.split_once('=').unwrap().1;
        assert_eq!(text.matches(boundary).count(), 3);
        assert_eq!(text.matches('\u{7}').count(), 100_000);
        assert!(text.ends_with(&format!("--{boundary}--\r\n")));
    }

    #[test]
    fn content_that_became_shorter_breaks_the_request_off() {
        let error = whole(b"short", 6).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        // What it grew by was not announced.
        let (bytes, _, length) = whole(b"longer", 5).unwrap();
        assert_eq!(u64::try_from(bytes.len()).unwrap(), length);
    }
}
