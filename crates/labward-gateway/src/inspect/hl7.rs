//! HL7 v2: another value in a field, and a comment behind its segment (chapters 2.5 and 2.15, NTE).
//!
//! CR and LF both end a segment, where a segment's id and the field separator follow, as in `labward-carrier`. It
//! must never put a notice where a receiver reads whose or what a result is.

use std::ops::Range;

use labward_hl7::escape::escape_into;
use labward_hl7::{Delimiters, Message};
use memchr::memchr2_iter;

use super::Place;
use super::lines::{Changes, Lines, Written};
use super::rewrite::Notice;

/// Fields that say which observation, order or specimen something belongs to.
const IDENTIFYING: &[(&[u8], u32)] = &[
    (b"OBX", 3),
    (b"OBR", 2),
    (b"OBR", 3),
    (b"OBR", 4),
    (b"ORC", 2),
    (b"ORC", 3),
    (b"SPM", 2),
];

/// Segments behind which a comment may stand.
const COMMENTED: &[&[u8]] = &[b"NTE", b"OBR", b"OBX"];

/// Value types in which a notice is a valid value.
const TEXTUAL: &[&[u8]] = &[b"FT", b"ST", b"TX"];

impl Written for Delimiters {
    const COMMENT: &'static [u8] = b"NTE";
    const BEHIND_TEXT: &'static [&'static str] = &[];

    fn separator(self) -> u8 {
        self.field
    }

    fn escape(self, text: &str, out: &mut Vec<u8>) {
        escape_into(text.as_bytes(), &self, out);
    }
}

/// The message with the notice in these fields.
pub(super) fn rewrite(bytes: &[u8], places: &[Place], notice: &Notice) -> Option<Vec<u8>> {
    let segments = segments(bytes)?;
    let mut changes = Changes::of(&segments, notice);
    for place in places {
        if !may_change(place) {
            return None;
        }
        replace(&segments, place, &mut changes)?;
    }
    let out = changes.made()?;
    Message::parse(&out).is_ok().then_some(out)
}

/// The header and a comment.
pub(super) fn skeleton(bytes: &[u8], places: &[Place], notice: &Notice) -> Option<Vec<u8>> {
    if places.iter().any(|place| place.segment == "MSH") {
        return None;
    }
    let out = segments(bytes)?.header_and(notice.skeleton)?;
    Message::parse(&out).is_ok().then_some(out)
}

/// A header that says nothing, and a comment.
pub(super) fn bare(notice: &Notice) -> Vec<u8> {
    let comment = Delimiters::STANDARD.comment(1, notice.skeleton);
    [b"MSH|^~\\&\r", comment.as_slice(), b"\r"].concat()
}

/// Whether a notice may stand there.
fn may_change(place: &Place) -> bool {
    let id = place.segment.as_bytes();
    let identifies = IDENTIFYING.contains(&(id, place.field));
    !is_header(id) && !matches!(id, b"PID" | b"MRG") && !identifies && place.field > 0
}

fn replace(
    segments: &Lines<'_, Delimiters>,
    place: &Place,
    changes: &mut Changes<'_, Delimiters>,
) -> Option<()> {
    let at = segments.find(place)?;
    let id = segments.name(at);
    let whole = field(segments, at, place.field)?;
    match (id, place.field) {
        (b"OBX", 2) => changes.put(whole, b"ST"),
        (b"OBX", 5) => {
            changes.notice(whole);
            let value_type = field(segments, at, 2)?;
            if !TEXTUAL.contains(&segments.bytes.get(value_type.clone())?) {
                changes.put(value_type, b"ST");
            }
        }
        _ => changes.notice(whole),
    }
    if COMMENTED.contains(&id) {
        changes.comment(at);
    }
    Some(())
}

/// Where a field stands; `None` if a line break in it stands before a field that identifies: who ends a segment there
/// would take another one for it once the break is gone.
fn field(segments: &Lines<'_, Delimiters>, at: usize, number: u32) -> Option<Range<usize>> {
    let found = segments.piece(at, number)?;
    let id = segments.name(at);
    let before = |(of, field): &(&[u8], u32)| *of == id && *field > number;
    let is_broken = segments
        .bytes
        .get(found.clone())?
        .iter()
        .any(|byte| is_break(*byte));
    (!is_broken || !IDENTIFYING.iter().any(before)).then_some(found)
}

/// `None` if it is no message, or more than one.
fn segments(bytes: &[u8]) -> Option<Lines<'_, Delimiters>> {
    let delimiters = Message::parse(bytes).ok()?.delimiters();
    let breaks = memchr2_iter(b'\r', b'\n', bytes).map(|at| at + 1);
    let begins = |at: &usize| {
        let rest = bytes.get(*at..).unwrap_or_default();
        begins(rest, delimiters.field)
    };
    let starts: Vec<usize> = std::iter::once(0).chain(breaks.filter(begins)).collect();
    let ends = starts.iter().skip(1).copied().chain([bytes.len()]);
    let line = |(start, end): (&usize, usize)| {
        let whole = bytes.get(*start..end)?;
        let ending = whole.iter().rev().take_while(|byte| is_break(**byte));
        Some(*start..end - ending.count())
    };
    let segments = Lines {
        bytes,
        written: delimiters,
        lines: starts.iter().zip(ends).map(line).collect::<Option<_>>()?,
    };
    let headers = (0..segments.lines.len()).filter(|at| is_header(segments.name(*at)));
    (headers.count() == 1).then_some(segments)
}

fn is_break(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

fn is_header(id: &[u8]) -> bool {
    matches!(id, b"MSH" | b"FHS" | b"BHS")
}

/// Whether a segment begins here, with this separator; a header brings its own.
fn begins(rest: &[u8], field: u8) -> bool {
    let Some((id @ [first, second, third], after)) = rest.split_first_chunk::<3>() else {
        return false;
    };
    let is_letter = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let separator = after.first().copied();
    if is_header(id) {
        return separator.is_some_and(|c| !c.is_ascii_alphanumeric() && !c.is_ascii_whitespace());
    }
    first.is_ascii_uppercase()
        && is_letter(second)
        && is_letter(third)
        && (separator == Some(field) || matches!(id, b"BTS" | b"FTS") && separator.is_none())
}

#[cfg(test)]
mod tests;
