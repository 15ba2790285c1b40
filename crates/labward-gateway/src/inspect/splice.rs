//! Lines of bytes, fields of lines, and other bytes in the place of some of them.
//!
//! It must never change a byte outside the ranges that it is told.

use std::ops::Range;

/// A segment or record: where it stands, without what ends it.
pub(super) type Line = Range<usize>;

/// Other bytes in the place of these.
pub(super) struct Edit {
    pub(super) at: Range<usize>,
    pub(super) with: Vec<u8>,
}

/// Which piece of a line, counted from 0, stands where between separators.
pub(super) fn piece(
    bytes: &[u8],
    line: &Line,
    separator: u8,
    index: usize,
) -> Option<Range<usize>> {
    let mut at = line.start;
    let text = bytes.get(line.clone())?;
    let mut pieces = text.split(|byte| *byte == separator);
    for before in pieces.by_ref().take(index) {
        at += before.len() + 1;
    }
    pieces.next().map(|found| at..at + found.len())
}

/// What ends this line, one CR, LF or CR LF; `None` if nothing does.
pub(super) fn end_of<'a>(bytes: &'a [u8], line: &Line) -> Option<&'a [u8]> {
    let rest = bytes.get(line.end..)?;
    match rest {
        [b'\r', b'\n', ..] => rest.get(..2),
        [b'\r' | b'\n', ..] => rest.get(..1),
        _ => None,
    }
}

/// The bytes with every edit made; of two that begin together the earlier one comes first. `None` if two overlap.
pub(super) fn splice(bytes: &[u8], mut edits: Vec<Edit>) -> Option<Vec<u8>> {
    edits.sort_by_key(|edit| edit.at.start);
    let mut out = Vec::with_capacity(bytes.len());
    let mut from = 0;
    for edit in edits {
        out.extend_from_slice(bytes.get(from..edit.at.start)?);
        out.extend_from_slice(&edit.with);
        from = edit.at.end;
    }
    out.extend_from_slice(bytes.get(from..)?);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_and_ends_are_found_where_they_stand() {
        let bytes = b"AB|c||d\r\nEF|g";
        let at = |line: Line, index| piece(bytes, &line, b'|', index);
        assert_eq!(at(0..7, 0), Some(0..2));
        assert_eq!(at(0..7, 2), Some(5..5));
        assert_eq!(at(0..7, 3), Some(6..7));
        assert_eq!(at(0..7, 4), None);
        assert_eq!(at(9..13, 1), Some(12..13));
        assert_eq!(end_of(bytes, &(0..7)), Some(&b"\r\n"[..]));
        assert_eq!(end_of(bytes, &(9..13)), None);
    }

    #[test]
    fn edits_are_made_in_the_order_of_their_places_and_never_over_each_other() {
        let edit = |at: Range<usize>, with: &[u8]| Edit {
            at,
            with: with.to_vec(),
        };
        let edits = vec![edit(3..3, b"!"), edit(0..1, b"x"), edit(3..3, b"?")];
        assert_eq!(splice(b"abc", edits), Some(b"xbc!?".to_vec()));
        assert_eq!(splice(b"abc", vec![edit(0..2, b""), edit(1..3, b"")]), None);
        assert_eq!(splice(b"abc", vec![edit(2..9, b"")]), None);
    }
}
