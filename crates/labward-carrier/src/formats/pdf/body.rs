//! All objects that stand in the bytes of a PDF, older versions of them and those in object streams too.

use std::collections::HashMap;

use memchr::memmem;

use crate::formats::bytes::up_to;
use crate::walk::Walker;

use super::filter;
use super::object::{Parser, Value, integer};

/// More objects than any report has.
const MOST_OBJECTS: usize = 500_000;

/// An object, and its packed content where it is a stream.
pub(super) struct Object<'b> {
    pub(super) number: u32,
    pub(super) value: Value,
    pub(super) stream: Option<&'b [u8]>,
}

pub(super) struct Body<'b> {
    pub(super) objects: Vec<Object<'b>>,
    by_number: HashMap<u32, usize>,
    /// What a trailer or a table of references says of encryption.
    pub(super) encrypted: bool,
}

impl<'b> Body<'b> {
    pub(super) fn read(walker: &mut Walker<'_>, bytes: &'b [u8]) -> Self {
        let mut body = Self {
            objects: Vec::new(),
            by_number: HashMap::new(),
            encrypted: false,
        };
        let mut from = 0;
        while let Some(found) = bytes
            .get(from..)
            .and_then(|rest| memmem::find(rest, b"obj"))
        {
            let at = from + found;
            from = at + 3;
            if body.objects.len() >= MOST_OBJECTS || !walker.goes_on() {
                break;
            }
            let Some(number) = number_before(bytes, at) else {
                continue;
            };
            let mut parser = Parser::new(bytes, from);
            let Some(value) = parser.value() else {
                continue;
            };
            from = parser.at;
            let stream = parser
                .word(b"stream")
                .then(|| stream(bytes, parser.at, &value));
            from = stream.map_or(from, |stream| parser.at + stream.len());
            body.add(Object {
                number,
                value,
                stream,
            });
        }
        body.read_trailers(bytes);
        body.read_object_streams(walker);
        body
    }

    /// What a reference points to; the last object of a number counts.
    pub(super) fn resolve<'v>(&'v self, value: &'v Value) -> &'v Value {
        let mut value = value;
        // A reference to a reference is none; a few are followed all the same.
        for _ in 0..4 {
            match value {
                Value::Reference(number) => match self.object(*number) {
                    Some(object) => value = &object.value,
                    None => return &Value::Other,
                },
                _ => break,
            }
        }
        value
    }

    pub(super) fn object(&self, number: u32) -> Option<&Object<'b>> {
        self.objects.get(*self.by_number.get(&number)?)
    }

    fn add(&mut self, object: Object<'b>) {
        self.encrypted |= object.value.is("Type", "XRef") && object.value.get("Encrypt").is_some();
        self.by_number.insert(object.number, self.objects.len());
        self.objects.push(object);
    }

    fn read_trailers(&mut self, bytes: &[u8]) {
        let mut from = 0;
        while let Some(at) = bytes.get(from..).and_then(|b| memmem::find(b, b"trailer")) {
            let mut parser = Parser::new(bytes, from + at + 7);
            let trailer = parser.value();
            self.encrypted |= trailer.is_some_and(|t| t.get("Encrypt").is_some());
            from = parser.at;
        }
    }

    /// Objects in streams (7.5.7): pairs of number and offset, then the objects.
    fn read_object_streams(&mut self, walker: &mut Walker<'_>) {
        let mut found = Vec::new();
        for object in &self.objects {
            let Some(stream) = object.stream.filter(|_| object.value.is("Type", "ObjStm")) else {
                continue;
            };
            if self.encrypted || !walker.goes_on() {
                return;
            }
            let (content, obstacle) = filter::unpacked(walker, &object.value, stream);
            if let Some(obstacle) = obstacle {
                walker.obstacle(obstacle);
            }
            let first = object.value.get("First").and_then(Value::size).unwrap_or(0);
            read_packed(&content, first, &mut found);
        }
        for (number, value) in found {
            let stream = None;
            self.add(Object {
                number,
                value,
                stream,
            });
        }
    }
}

fn read_packed(content: &[u8], first: usize, found: &mut Vec<(u32, Value)>) {
    let mut numbers = Parser::new(up_to(content, 0, first), 0);
    // Offsets may all name one long object: as much is read as there is, and once over.
    let mut left = content.len().saturating_mul(2);
    while let (Some(number), Some(offset)) = (numbers.value(), numbers.value()) {
        let number = number.size().and_then(|n| u32::try_from(n).ok());
        let at = offset.size().and_then(|offset| first.checked_add(offset));
        let Some((number, at)) = number.zip(at) else {
            return;
        };
        let mut parser = Parser::new(content, at);
        if let Some(value) = parser.value() {
            found.push((number, value));
        }
        left = left.saturating_sub(parser.at.saturating_sub(at));
        if left == 0 || found.len() > MOST_OBJECTS {
            return;
        }
    }
}

/// The number of an object, in `NUMBER GENERATION obj`, of which `obj` stands at `at`.
fn number_before(bytes: &[u8], at: usize) -> Option<u32> {
    const LONGEST: usize = 40;
    let before = bytes.get(at.saturating_sub(LONGEST)..at)?;
    let before = before.trim_ascii_end();
    let digits = |text: &[u8]| {
        let len = text.iter().rev().take_while(|c| c.is_ascii_digit()).count();
        text.len() - len
    };
    let generation = digits(before);
    let rest = before
        .get(..generation)
        .filter(|r| r.len() < before.len())?;
    let rest = rest.trim_ascii_end();
    let number = rest.get(digits(rest)..)?;
    u32::try_from(integer(number)?).ok()
}

/// The packed content: as long as the dictionary says if the end stands there, else up to the next end.
fn stream<'b>(bytes: &'b [u8], at: usize, dict: &Value) -> &'b [u8] {
    let rest = bytes.get(at..).unwrap_or_default();
    let rest = rest
        .strip_prefix(b"\r\n")
        .or_else(|| rest.strip_prefix(b"\n"))
        .or_else(|| rest.strip_prefix(b"\r"))
        .unwrap_or(rest);
    let told = dict.get("Length").and_then(Value::size);
    let told = told.filter(|len| {
        let behind = rest.get(*len..).unwrap_or_default();
        up_to(behind, 0, 16)
            .trim_ascii_start()
            .starts_with(b"endstream")
    });
    let len = told
        .or_else(|| memmem::find(rest, b"endstream"))
        .unwrap_or(rest.len());
    up_to(rest, 0, len)
}
