//! ASTM E1394 / LIS02-A2: another value in a field, and a C record behind its record.
//!
//! CR ends a record, in a text without any CR LF does, as in `labward-carrier`. It must never put a notice where a
//! receiver reads whose or what a result is.

use labward_astm::record::{Delimiters, Message, MessageWriter, RecordType, escape_into};

use super::Place;
use super::lines::{Changes, Lines, Written};
use super::rewrite::Notice;

/// Fields that say which specimen or test something belongs to.
const IDENTIFYING: &[(u8, u32)] = &[(b'O', 3), (b'O', 4), (b'O', 5), (b'R', 3)];

/// Records out of which nothing is taken: sender, patient, the end, and what is asked for.
const WHOLE: &[u8] = b"HLPQ";

impl Written for Delimiters {
    const COMMENT: &'static [u8] = b"C";
    // A generic comment.
    const BEHIND_TEXT: &'static [&'static str] = &["G"];

    fn separator(self) -> u8 {
        self.field
    }

    fn escape(self, text: &str, out: &mut Vec<u8>) {
        escape_into(text.as_bytes(), self, out);
    }
}

/// The message with the notice in these fields.
pub(super) fn rewrite(bytes: &[u8], places: &[Place], notice: &Notice) -> Option<Vec<u8>> {
    let records = records(bytes)?;
    let mut changes = Changes::of(&records, notice);
    for place in places {
        if !may_change(place) {
            return None;
        }
        let at = records.find(place)?;
        // The letter is field 1.
        changes.notice(records.piece(at, place.field.checked_sub(1)?)?);
        changes.comment(at);
    }
    readable(changes.made()?)
}

/// The header, a comment and the end.
pub(super) fn skeleton(bytes: &[u8], places: &[Place], notice: &Notice) -> Option<Vec<u8>> {
    if places.iter().any(|place| place.segment == "H") {
        return None;
    }
    let records = records(bytes)?;
    let field = records.written.separator();
    let mut out = records.header_and(notice.skeleton)?;
    out.extend_from_slice(&[b'L', field, b'1', field, b'N']);
    out.extend_from_slice(records.end());
    readable(out)
}

/// A header that says nothing, a comment and the end.
pub(super) fn bare(notice: &Notice) -> Vec<u8> {
    let text: &[&[&str]] = &[&["1"], &["L"], &[notice.skeleton], &["G"]];
    MessageWriter::new(Delimiters::USUAL, &[])
        .record(RecordType::Comment, text)
        .finish()
}

/// Whether a notice may stand there.
fn may_change(place: &Place) -> bool {
    let &[letter] = place.segment.as_bytes() else {
        return false;
    };
    let identifies = IDENTIFYING.contains(&(letter, place.field));
    !WHOLE.contains(&letter) && !identifies && place.field > 1
}

fn readable(out: Vec<u8>) -> Option<Vec<u8>> {
    records(&out).is_some().then_some(out)
}

/// `None` if it is no message, or more than one.
fn records(bytes: &[u8]) -> Option<Lines<'_, Delimiters>> {
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
    let written = Message::parse(header).ok()?.delimiters();
    let is_header = |line: &&std::ops::Range<usize>| {
        bytes
            .get((*line).clone())
            .is_some_and(|line| line.starts_with(&[b'H', written.field]))
    };
    let headers = lines.iter().filter(is_header).count();
    let records = Lines {
        bytes,
        written,
        lines,
    };
    (headers == 1).then_some(records)
}

#[cfg(test)]
mod tests;
