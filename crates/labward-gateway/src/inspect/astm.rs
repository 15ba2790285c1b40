//! ASTM E1394 / LIS02-A2: another value in a field, and a C record behind its record.
//!
//! Records are told apart as `labward-carrier` does, because its numbers are the places: CR ends one, in a text
//! without any CR LF does. It must never put a notice where a receiver reads whose or what a result is.

use std::collections::BTreeSet;

use labward_astm::record::{Delimiters, Message, MessageWriter, RecordType, escape_into};

use super::Place;
use super::rewrite::Notice;
use super::splice::{Edit, Line, end_of, piece, splice};

/// Fields that say which specimen or test something belongs to.
const IDENTIFYING: &[(u8, u32)] = &[(b'O', 3), (b'O', 4), (b'O', 5), (b'R', 3)];

/// Records out of which nothing is taken: sender, patient, the end, and what is asked for.
const WHOLE: &[u8] = b"HLPQ";

/// The message with the notice in these fields.
pub(super) fn rewrite(bytes: &[u8], places: &[Place], notice: &Notice) -> Option<Vec<u8>> {
    let view = View::of(bytes)?;
    let mut edits = Vec::new();
    let mut commented = BTreeSet::new();
    for place in places {
        let at = view.find(place)?;
        let index = usize::try_from(place.field.checked_sub(1)?).ok()?;
        let field = view.delimiters.field;
        let whole = piece(bytes, view.lines.get(at)?, field, index)?;
        let mut with = Vec::with_capacity(notice.value.len());
        escape_into(notice.value.as_bytes(), view.delimiters, &mut with);
        edits.push(Edit { at: whole, with });
        commented.insert(view.last_comment(at));
    }
    for at in commented {
        edits.push(view.comment_behind(at, notice)?);
    }
    let out = splice(bytes, edits)?;
    View::of(&out).is_some().then_some(out)
}

/// The header, a comment and the end.
pub(super) fn skeleton(bytes: &[u8], places: &[Place], notice: &Notice) -> Option<Vec<u8>> {
    if places.iter().any(|place| place.segment == "H") {
        return None;
    }
    let view = View::of(bytes)?;
    let header = bytes.get(view.lines.first()?.clone())?;
    let end = view.end();
    let comment = comment(1, notice.skeleton, view.delimiters);
    let field = view.delimiters.field;
    let last = [b'L', field, b'1', field, b'N'];
    let out = [header, end, &comment, end, &last, end].concat();
    View::of(&out).is_some().then_some(out)
}

/// A header that says nothing, a comment and the end.
pub(super) fn bare(notice: &Notice) -> Vec<u8> {
    let text: &[&[&str]] = &[&["1"], &["L"], &[notice.skeleton], &["G"]];
    MessageWriter::new(Delimiters::USUAL, &[])
        .record(RecordType::Comment, text)
        .finish()
}

/// `C|1|L|text|G`, without its end: L is the information system, G a generic comment.
fn comment(number: u32, text: &str, delimiters: Delimiters) -> Vec<u8> {
    let mut out = b"C".to_vec();
    for value in [&number.to_string(), "L", text, "G"] {
        out.push(delimiters.field);
        escape_into(value.as_bytes(), delimiters, &mut out);
    }
    out
}

/// One message and where its records stand.
struct View<'a> {
    bytes: &'a [u8],
    delimiters: Delimiters,
    lines: Vec<Line>,
}

impl<'a> View<'a> {
    /// `None` if it is no message, or more than one.
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let separator = if bytes.contains(&b'\r') { b'\r' } else { b'\n' };
        let mut lines = Vec::new();
        let mut from = 0;
        for line in bytes.split(|byte| *byte == separator) {
            let is_break = |byte: &&u8| matches!(**byte, b'\r' | b'\n');
            let skipped = line.iter().take_while(is_break).count();
            if skipped < line.len() {
                lines.push(from + skipped..from + line.len());
            }
            from += line.len() + 1;
        }
        let header = bytes.get(lines.first()?.clone())?;
        let delimiters = Message::parse(header).ok()?.delimiters();
        let view = Self {
            bytes,
            delimiters,
            lines,
        };
        let begins = |at: usize| view.letter(at) == b'H' && view.second(at) == delimiters.field;
        let headers = (0..view.lines.len()).filter(|at| begins(*at));
        (headers.count() == 1).then_some(view)
    }

    fn byte(&self, at: usize, nth: usize) -> u8 {
        let line = self.lines.get(at);
        let byte = line.and_then(|line| self.bytes.get(line.clone())?.get(nth));
        byte.copied().unwrap_or_default()
    }

    fn letter(&self, at: usize) -> u8 {
        self.byte(at, 0)
    }

    fn second(&self, at: usize) -> u8 {
        self.byte(at, 1)
    }

    /// The record of this place, if a notice may stand there.
    fn find(&self, place: &Place) -> Option<usize> {
        let &[letter] = place.segment.as_bytes() else {
            return None;
        };
        let identifies = IDENTIFYING.contains(&(letter, place.field));
        if WHOLE.contains(&letter) || identifies || place.field < 2 {
            return None;
        }
        let nth = usize::try_from(place.number.checked_sub(1)?).ok()?;
        let mut named = (0..self.lines.len()).filter(|at| self.letter(*at) == letter);
        named.nth(nth)
    }

    /// The last of the comments that follow this record, or the record itself.
    fn last_comment(&self, at: usize) -> usize {
        let following = at + 1..self.lines.len();
        at + following.take_while(|at| self.letter(*at) == b'C').count()
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

    /// C-2 of a comment behind this record.
    fn next_number(&self, at: usize) -> u32 {
        if self.letter(at) != b'C' {
            return 1;
        }
        let line = self.lines.get(at);
        let field = line.and_then(|line| piece(self.bytes, line, self.delimiters.field, 1));
        let digits = field.and_then(|field| std::str::from_utf8(self.bytes.get(field)?).ok());
        let number = digits.and_then(|digits| digits.parse::<u32>().ok());
        number.map_or(1, |number| number.saturating_add(1))
    }

    /// What ends the header.
    fn end(&self) -> &'a [u8] {
        let header = self.lines.first();
        header
            .and_then(|header| end_of(self.bytes, header))
            .unwrap_or(b"\r")
    }
}

#[cfg(test)]
mod tests;
