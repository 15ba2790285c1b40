//! DICOM files (PS3.10): the preamble, encapsulated documents, private elements and overlays that hold
//! something, and what stands behind the last element. Pixels are passed over unless a program begins
//! there.
//!
//! A preamble is zero or the header of a TIFF (PS3.10 section 7.1); anything else is told and shown
//! (CVE-2019-11687). A place is `(0042,0011)`, in sequences `(0040,a730)[1].(0040,a160)`. Sequences are
//! read without recursion.

mod reader;

use std::io::Read as _;

use flate2::read::DeflateDecoder;

use crate::find;
use crate::formats::text;
use crate::kind::{Claims, Kind};
use crate::path::Step;
use crate::seen::{Declared, Part, Sign};
use crate::walk::Walker;

use reader::{Element, Event, Reader, Syntax, Tag};

const PREAMBLE: usize = 128;
const TRANSFER_SYNTAX: Tag = Tag(0x0002, 0x0010);
const TITLE: Tag = Tag(0x0042, 0x0010);
const DOCUMENT: Tag = Tag(0x0042, 0x0011);
const MEDIA_TYPE: Tag = Tag(0x0042, 0x0012);
const DOCUMENT_LENGTH: Tag = Tag(0x0042, 0x0015);
const PIXELS: Tag = Tag(0x7fe0, 0x0010);

const DEFLATED: &[u8] = b"1.2.840.10008.1.2.1.99";

pub(crate) fn open(walker: &mut Walker<'_>, part: &Part<'_>) {
    let bytes = part.bytes;
    let start = if bytes.get(PREAMBLE..PREAMBLE + 4) == Some(b"DICM") {
        open_preamble(walker, bytes.get(..PREAMBLE).unwrap_or_default());
        PREAMBLE + 4
    } else {
        0
    };
    let meta = meta_end(bytes, start);
    let syntax = meta.syntax.unwrap_or_default();
    let data = bytes.get(meta.end..).unwrap_or_default();
    if syntax == DEFLATED {
        open_deflated(walker, data);
        return;
    }
    let mut found = Found::default();
    let mut reader = Reader::new(bytes, meta.end, Syntax::of(syntax, data));
    while walker.goes_on() {
        match reader.next_event() {
            Event::Element(element) => found.take(walker, &element),
            Event::ItemEnd => found.end(walker),
            Event::End => break,
            Event::Rest(rest) => {
                found.end(walker);
                open_rest(walker, rest);
                return;
            }
            Event::Fault(obstacle, rest) => {
                found.end(walker);
                if Claims::of(rest).all().any(Kind::is_program) {
                    let place = Step::Place("behind the damage".to_owned());
                    walker.enter([place], &Declared::nothing(), rest);
                }
                walker.obstacle(obstacle);
                return;
            }
        }
    }
    found.end(walker);
}

/// Tells and shows a preamble that is neither zero nor a TIFF header.
fn open_preamble(walker: &mut Walker<'_>, preamble: &[u8]) {
    let is_tiff = preamble.starts_with(b"II*\0") || preamble.starts_with(b"MM\0*");
    if is_tiff || preamble.iter().all(|byte| *byte == 0) {
        return;
    }
    walker.sign(Sign::DicomPreamble);
    let end = preamble.iter().rposition(|byte| *byte != 0);
    let filled = end.and_then(|end| preamble.get(..=end)).unwrap_or_default();
    let place = Step::Place("preamble".to_owned());
    walker.enter([place], &Declared::nothing(), filled);
}

struct Meta<'a> {
    end: usize,
    syntax: Option<&'a [u8]>,
}

/// Reads group 2, which is explicit and little-endian always.
fn meta_end(bytes: &[u8], start: usize) -> Meta<'_> {
    let mut meta = Meta {
        end: start,
        syntax: None,
    };
    let mut reader = Reader::new(bytes, start, Syntax::EXPLICIT);
    while bytes.get(meta.end..meta.end + 2) == Some(&[2, 0]) {
        let Event::Element(element) = reader.next_event() else {
            break;
        };
        meta.end = reader.at();
        if element.tag == TRANSFER_SYNTAX {
            let is_padding = |byte: &u8| *byte == 0 || *byte == b' ';
            let value = element.value;
            let end = value.iter().rposition(|byte| !is_padding(byte));
            meta.syntax = end.and_then(|end| value.get(..=end));
        }
    }
    meta
}

/// Shows a deflated data set as the file that it would be if it were not.
fn open_deflated(walker: &mut Walker<'_>, packed: &[u8]) {
    let mut head = vec![0; PREAMBLE];
    head.extend_from_slice(b"DICM\x02\0\x10\0UI\x14\x001.2.840.10008.1.2.1\0");
    let mut data = head.as_slice().chain(DeflateDecoder::new(packed));
    let steps = [Step::Packing("deflate")];
    let len = packed.len() as u64;
    walker.unpack(steps, &Declared::nothing(), Kind::Dicom, len, &mut data);
}

fn open_rest(walker: &mut Walker<'_>, rest: &[u8]) {
    if rest.iter().all(|byte| *byte == 0) {
        return;
    }
    let place = Step::Place("behind the last element".to_owned());
    walker.enter([place], &Declared::nothing(), rest);
    walker.sign(Sign::TrailingData);
}

/// An encapsulated document whose type and length stand behind it.
#[derive(Default)]
struct Found<'a> {
    document: Option<(String, &'a [u8])>,
    media_type: Option<String>,
    title: Option<String>,
    len: Option<usize>,
}

impl<'a> Found<'a> {
    fn take(&mut self, walker: &mut Walker<'_>, element: &Element<'a>) {
        let value = element.value;
        match element.tag {
            DOCUMENT => {
                self.end(walker);
                self.document = Some((element.place.clone(), value));
            }
            MEDIA_TYPE => self.media_type = Some(words(value)),
            TITLE => self.title = Some(words(value)),
            DOCUMENT_LENGTH => {
                let len = value.try_into().ok().map(|bytes| element.u32_of(bytes));
                self.len = len.and_then(|len| usize::try_from(len).ok());
            }
            _ if value.len() < find::SHORTEST => {}
            _ => open_value(walker, element),
        }
    }

    /// Shows the document: everything is known of it.
    fn end(&mut self, walker: &mut Walker<'_>) {
        let found = std::mem::take(self);
        let Some((place, value)) = found.document else {
            // The title stands before it.
            self.title = found.title;
            return;
        };
        let declared = Declared {
            media_type: found.media_type,
            name: None,
        };
        // An odd length is filled up with one byte.
        let len = found
            .len
            .filter(|len| value.len().checked_sub(*len) <= Some(1));
        let document = len.and_then(|len| value.get(..len)).unwrap_or(value);
        walker.enter([Step::Place(place)], &declared, document);
    }
}

fn words(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    let text = text.trim_matches(['\0', ' ']);
    text.chars().take(255).collect()
}

/// Shows what an element holds, if it holds something.
fn open_value(walker: &mut Walker<'_>, element: &Element<'_>) {
    let step = Step::Place(element.place.clone());
    let claims = Claims::of(element.value);
    if element.tag == PIXELS || element.is_fragment {
        let is_program = claims.all().any(Kind::is_program);
        if is_program && find::has_sure_mark(element.value) {
            walker.enter([step], &Declared::nothing(), element.value);
        }
        return;
    }
    let holds_text = matches!(claims.main(), Kind::Text | Kind::Unknown);
    let is_private = element.tag.0 % 2 == 1;
    let holds = find::has_sure_mark(element.value)
        || matches!(claims.main(), Kind::Html | Kind::Hl7 | Kind::Cda)
        || is_private && element.is_bytes && find::is_something(element.value);
    if holds {
        walker.enter([step], &Declared::nothing(), element.value);
    } else if holds_text && !element.is_numbers {
        text::search(walker, &[step], element.value);
    }
}

#[cfg(test)]
mod tests;
