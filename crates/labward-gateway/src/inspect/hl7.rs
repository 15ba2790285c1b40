//! HL7 v2: another value in a field, and a comment behind its segment (chapters 2.5 and 2.15, NTE).
//!
//! Segments are told apart as `labward-carrier` does, because its numbers are the places: CR and LF both end one,
//! where a segment's id and the field separator follow. It must never put a notice where a receiver reads whose or
//! what a result is.

use std::collections::BTreeSet;

use labward_hl7::escape::escape_into;
use labward_hl7::{Delimiters, Message};
use memchr::memchr2_iter;

use super::Place;
use super::rewrite::Notice;
use super::splice::{Edit, Line, end_of, piece, splice};

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

/// The message with the notice in these fields.
pub(super) fn rewrite(bytes: &[u8], places: &[Place], notice: &Notice) -> Option<Vec<u8>> {
    let view = View::of(bytes)?;
    let mut edits = Vec::new();
    let mut commented = BTreeSet::new();
    for place in places {
        let at = view.find(place)?;
        view.replace(at, place, notice, &mut edits)?;
        if COMMENTED.contains(&view.id(at)) {
            commented.insert(view.last_comment(at));
        }
    }
    for at in commented {
        edits.push(view.comment_behind(at, notice)?);
    }
    let out = splice(bytes, edits)?;
    Message::parse(&out).is_ok().then_some(out)
}

/// The header and a comment.
pub(super) fn skeleton(bytes: &[u8], places: &[Place], notice: &Notice) -> Option<Vec<u8>> {
    if places.iter().any(|place| place.segment == "MSH") {
        return None;
    }
    let view = View::of(bytes)?;
    let header = view.lines.first()?;
    let end = view.end();
    let mut out = bytes.get(header.clone())?.to_vec();
    out.extend_from_slice(end);
    out.extend(comment(1, notice.skeleton, view.delimiters));
    out.extend_from_slice(end);
    Message::parse(&out).is_ok().then_some(out)
}

/// A header that says nothing, and a comment.
pub(super) fn bare(notice: &Notice) -> Vec<u8> {
    let comment = comment(1, notice.skeleton, Delimiters::STANDARD);
    [b"MSH|^~\\&\r", comment.as_slice(), b"\r"].concat()
}

/// `NTE|1|L|text`, without its end.
fn comment(number: u32, text: &str, delimiters: Delimiters) -> Vec<u8> {
    let field = delimiters.field;
    let mut out = b"NTE".to_vec();
    for value in [&number.to_string(), "L", text] {
        out.push(field);
        escape_into(value.as_bytes(), &delimiters, &mut out);
    }
    out
}

/// One message and where its segments stand.
struct View<'a> {
    bytes: &'a [u8],
    delimiters: Delimiters,
    lines: Vec<Line>,
}

impl<'a> View<'a> {
    /// `None` if it is no message, or more than one.
    fn of(bytes: &'a [u8]) -> Option<Self> {
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
        let lines = starts.iter().zip(ends).map(line);
        let view = Self {
            bytes,
            delimiters,
            lines: lines.collect::<Option<Vec<_>>>()?,
        };
        let headers = (0..view.lines.len()).filter(|at| is_header(view.id(*at)));
        (headers.count() == 1).then_some(view)
    }

    fn id(&self, at: usize) -> &'a [u8] {
        let start = self.lines.get(at).map_or(0, |line| line.start);
        self.bytes.get(start..start + 3).unwrap_or_default()
    }

    fn field(&self, at: usize, number: u32) -> Option<std::ops::Range<usize>> {
        let index = usize::try_from(number).ok()?;
        piece(
            self.bytes,
            self.lines.get(at)?,
            self.delimiters.field,
            index,
        )
    }

    /// The segment of this place, if a notice may stand there.
    fn find(&self, place: &Place) -> Option<usize> {
        let id = place.segment.as_bytes();
        let identifies = IDENTIFYING.contains(&(id, place.field));
        if is_header(id) || matches!(id, b"PID" | b"MRG") || identifies || place.field == 0 {
            return None;
        }
        let nth = usize::try_from(place.number.checked_sub(1)?).ok()?;
        let mut named = (0..self.lines.len()).filter(|at| self.id(*at) == id);
        named.nth(nth)
    }

    fn replace(
        &self,
        at: usize,
        place: &Place,
        notice: &Notice,
        edits: &mut Vec<Edit>,
    ) -> Option<()> {
        let whole = self.field(at, place.field)?;
        let observes = self.id(at) == b"OBX";
        if observes && place.field == 2 {
            let with = b"ST".to_vec();
            edits.retain(|edit| edit.at != whole);
            edits.push(Edit { at: whole, with });
            return Some(());
        }
        let mut with = Vec::with_capacity(notice.value.len());
        escape_into(notice.value.as_bytes(), &self.delimiters, &mut with);
        edits.push(Edit { at: whole, with });
        if observes && place.field == 5 {
            let value_type = self.field(at, 2)?;
            let is_textual = TEXTUAL.contains(&self.bytes.get(value_type.clone())?);
            let is_done = edits.iter().any(|edit| edit.at == value_type);
            if !is_textual && !is_done {
                let with = b"ST".to_vec();
                edits.push(Edit {
                    at: value_type,
                    with,
                });
            }
        }
        Some(())
    }

    /// The last of the comments that follow this segment, or the segment itself.
    fn last_comment(&self, at: usize) -> usize {
        let following = at + 1..self.lines.len();
        at + following.take_while(|at| self.id(*at) == b"NTE").count()
    }

    fn comment_behind(&self, at: usize, notice: &Notice) -> Option<Edit> {
        let line = self.lines.get(at)?;
        let end = end_of(self.bytes, line).unwrap_or_else(|| self.end());
        let text = comment(self.next_number(at), notice.comment, self.delimiters);
        Some(Edit {
            at: line.end..line.end,
            with: [end, text.as_slice()].concat(),
        })
    }

    /// NTE-1 of a comment behind this segment.
    fn next_number(&self, at: usize) -> u32 {
        if self.id(at) != b"NTE" {
            return 1;
        }
        let number = self.field(at, 1).and_then(|field| self.bytes.get(field));
        let number =
            number.and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<u32>().ok());
        number.map_or(1, |number| number.saturating_add(1))
    }

    /// What ends the header, and so every segment that is added where nothing ended the one before.
    fn end(&self) -> &'a [u8] {
        let header = self.lines.first();
        header
            .and_then(|header| end_of(self.bytes, header))
            .unwrap_or(b"\r")
    }
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
