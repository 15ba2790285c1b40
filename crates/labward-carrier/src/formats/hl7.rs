//! HL7 v2 messages and batches: encapsulated data (ED, chapter 2A.2.24), and whatever else in a field is
//! long enough and decodes to something. `RP` and other pointers are never followed.
//!
//! A place is `OBX[3].5.5`: the third OBX of its message, field 5, component 5; `.5(2).5` in the second
//! repetition; `OBX[3-7].5` for what is split over several OBX of one observation or several NTE. From the
//! second message on, `message 2` stands before it.
//!
//! Receivers differ in what ends a segment. Here CR and LF both do, where a segment's id and the field
//! separator follow; any other line break is part of a value.

mod ed;
mod joined;

use labward_hl7::Delimiters;
use labward_hl7::escape::unescape;
use memchr::{memchr, memchr2_iter};

use crate::find;
use crate::formats::text;
use crate::path::Step;
use crate::seen::{Declared, Part};
use crate::walk::Walker;

pub(crate) fn open(walker: &mut Walker<'_>, part: &Part<'_>) {
    let bytes = part.bytes;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = Reader::default();
    for raw in segments(bytes.trim_ascii_start()) {
        if !walker.goes_on() {
            return;
        }
        reader.take(walker, raw);
    }
    reader.end_row(walker);
}

/// One segment and where it stands.
#[derive(Clone, Copy)]
struct Segment<'a> {
    raw: &'a [u8],
    id: &'a [u8],
    /// From 1, among those with its id in its message.
    number: usize,
    delimiters: Delimiters,
}

impl<'a> Segment<'a> {
    /// The fields with their numbers as the standard counts them, without MSH-1 and MSH-2.
    fn fields(&self) -> impl Iterator<Item = (usize, &'a [u8])> + use<'a> {
        let separator = self.delimiters.field;
        let (skip, from) = if is_header(self.id) { (2, 3) } else { (1, 1) };
        (from..).zip(split(self.raw, Some(separator)).skip(skip))
    }

    fn field(&self, number: usize) -> &'a [u8] {
        let found = self.fields().find(|(n, _)| *n == number);
        found.map_or(&[][..], |(_, field)| field)
    }
}

/// Splits by a delimiter that may not be declared.
fn split(raw: &[u8], delimiter: Option<u8>) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(raw);
    std::iter::from_fn(move || {
        let raw = rest.take()?;
        let Some(end) = delimiter.and_then(|delimiter| memchr(delimiter, raw)) else {
            return Some(raw);
        };
        rest = raw.get(end + 1..);
        raw.get(..end)
    })
}

fn is_header(id: &[u8]) -> bool {
    matches!(id, b"MSH" | b"FHS" | b"BHS")
}

/// The segments, each with the line breaks that are part of its values and without its own end.
fn segments(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut field = b'|';
    let mut breaks = memchr2_iter(b'\r', b'\n', bytes);
    let mut start = Some(0);
    std::iter::from_fn(move || {
        let from = start?;
        let rest = bytes.get(from..)?;
        if is_header(rest.get(..3)?) {
            field = *rest.get(3)?;
        }
        let next = breaks
            .by_ref()
            .map(|at| at + 1)
            .find(|next| bytes.get(*next..).is_some_and(|rest| begins(rest, field)));
        start = next;
        let segment = bytes.get(from..next.unwrap_or(bytes.len()))?;
        Some(segment.trim_ascii_end())
    })
}

/// Whether a segment begins here.
fn begins(rest: &[u8], field: u8) -> bool {
    let Some((id @ [first, second, third], after)) = rest.split_first_chunk::<3>() else {
        return false;
    };
    let letter = |c: &u8| c.is_ascii_uppercase() || c.is_ascii_digit();
    let separator = after.first().copied();
    if is_header(id) {
        return separator.is_some_and(|c| !c.is_ascii_alphanumeric() && !c.is_ascii_whitespace());
    }
    first.is_ascii_uppercase()
        && letter(second)
        && letter(third)
        && (separator == Some(field) || matches!(id, b"BTS" | b"FTS") && separator.is_none())
}

/// Reads segment after segment, and keeps those that may belong together.
#[derive(Default)]
struct Reader<'a> {
    delimiters: Delimiters,
    messages: usize,
    /// How many of each id the message had so far.
    counts: Vec<(&'a [u8], usize)>,
    /// OBX of one observation, or NTE, that follow each other.
    row: Vec<Segment<'a>>,
}

impl<'a> Reader<'a> {
    fn take(&mut self, walker: &mut Walker<'_>, raw: &'a [u8]) {
        let Some(id) = raw.get(..3) else { return };
        if is_header(id) {
            self.end_row(walker);
            let after_id = raw.get(3..).unwrap_or_default();
            self.delimiters = Delimiters::from_header(after_id).unwrap_or_default();
            if id == b"MSH" {
                self.messages += 1;
                self.counts.clear();
            }
        }
        let segment = Segment {
            raw,
            id,
            number: self.count(id),
            delimiters: self.delimiters,
        };
        let joins = match self.row.last() {
            Some(last) => joined::belong_together(last, &segment),
            None => false,
        };
        if !joins {
            self.end_row(walker);
        }
        if matches!(id, b"OBX" | b"NTE") {
            self.row.push(segment);
        } else {
            self.read(walker, &segment, None);
        }
    }

    fn count(&mut self, id: &'a [u8]) -> usize {
        if let Some((_, count)) = self.counts.iter_mut().find(|(other, _)| *other == id) {
            *count += 1;
            return *count;
        }
        // Ids beyond those of any real message are not told apart.
        if self.counts.len() < 200 {
            self.counts.push((id, 1));
        }
        1
    }

    /// Reads the row that has ended: as one, if a value is split over it, and each segment for itself.
    fn end_row(&mut self, walker: &mut Walker<'_>) {
        let row = std::mem::take(&mut self.row);
        let joined = joined::open(walker, self, &row);
        for segment in &row {
            self.read(walker, segment, joined);
        }
        self.row = row;
        self.row.clear();
    }

    /// The steps to a place in a segment.
    fn steps(&self, place: String) -> impl Iterator<Item = Step> + use<> {
        let message = (self.messages > 1).then(|| format!("message {}", self.messages));
        message.into_iter().chain([place]).map(Step::Place)
    }

    fn read(&self, walker: &mut Walker<'_>, segment: &Segment<'_>, but: Option<usize>) {
        if segment.raw.len() < find::SHORTEST && segment.id != b"OBX" {
            return;
        }
        let observes = segment.id == b"OBX";
        let value_type = if observes { segment.field(2) } else { b"" };
        for (number, field) in segment.fields() {
            if field.is_empty() || Some(number) == but || !walker.goes_on() {
                continue;
            }
            let is_ed = value_type == b"ED" && number == 5;
            if !is_ed && field.len() < find::SHORTEST {
                continue;
            }
            let repetitions = split(field, segment.delimiters.repetition);
            for (n, repetition) in repetitions.enumerate() {
                let place = place(segment, number, n);
                if !ed::open(walker, self, segment, &place, repetition, is_ed) {
                    self.read_components(walker, segment, &place, repetition);
                }
            }
        }
    }

    fn read_components(
        &self,
        walker: &mut Walker<'_>,
        segment: &Segment<'_>,
        place: &str,
        repetition: &[u8],
    ) {
        let several = repetition.contains(&segment.delimiters.component);
        let components = split(repetition, Some(segment.delimiters.component));
        for (n, component) in components.enumerate() {
            let place = if several {
                format!("{place}.{}", n + 1)
            } else {
                place.to_owned()
            };
            if component.len() >= find::SHORTEST {
                self.read_value(walker, segment, place, component);
            }
        }
    }

    /// A value that no type declares to hold anything.
    fn read_value(
        &self,
        walker: &mut Walker<'_>,
        segment: &Segment<'_>,
        place: String,
        value: &[u8],
    ) {
        let steps: Vec<Step> = self.steps(place).collect();
        let plain = unescape(value, &segment.delimiters);
        let is_escaped = plain.len() * 2 < value.len() && find::is_something(&plain);
        if is_escaped || joined::is_document(&plain) {
            let writing = is_escaped.then_some(Step::Packing("hex"));
            let steps = steps.into_iter().chain(writing);
            walker.enter(steps, &Declared::nothing(), &plain);
        } else {
            text::search(walker, &steps, &plain);
        }
    }
}

fn place(segment: &Segment<'_>, field: usize, repetition: usize) -> String {
    let id = id_text(segment.id);
    let number = segment.number;
    if repetition == 0 {
        format!("{id}[{number}].{field}")
    } else {
        format!("{id}[{number}].{field}({})", repetition + 1)
    }
}

/// The id as it stands in a path; it was checked to be letters and digits.
fn id_text(id: &[u8]) -> &str {
    std::str::from_utf8(id).unwrap_or("???")
}

#[cfg(test)]
mod tests;
