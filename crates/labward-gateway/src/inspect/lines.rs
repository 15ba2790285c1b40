//! What rewriting HL7 and ASTM has in common: lines that begin with a name, and comments behind them.
//!
//! It must never change a field that it is not told, or number lines otherwise than `labward-carrier` does: its
//! numbers are the places.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::Place;
use super::rewrite::Notice;
use super::splice::{Edit, Line, end_of, piece, splice};

/// How lines are written with the delimiters that a message declares.
pub(super) trait Written: Copy {
    /// The name of a comment; every other name is as long.
    const COMMENT: &'static [u8];
    /// What stands behind the text of a comment, field by field.
    const BEHIND_TEXT: &'static [&'static str];

    /// What separates fields.
    fn separator(self) -> u8;

    /// Appends a text as it may stand in a field.
    fn escape(self, text: &str, out: &mut Vec<u8>);

    /// A comment of the laboratory (`L`), without its end.
    fn comment(self, number: u32, text: &str) -> Vec<u8> {
        let number = number.to_string();
        let values = [number.as_str(), "L", text];
        let mut out = Self::COMMENT.to_vec();
        for value in values.iter().chain(Self::BEHIND_TEXT) {
            out.push(self.separator());
            self.escape(value, &mut out);
        }
        out
    }
}

/// One message and where its lines stand.
pub(super) struct Lines<'a, W> {
    pub(super) bytes: &'a [u8],
    pub(super) written: W,
    /// Each without what ends it.
    pub(super) lines: Vec<Line>,
}

impl<'a, W: Written> Lines<'a, W> {
    /// The name of a line; empty if there is no such line.
    pub(super) fn name(&self, at: usize) -> &'a [u8] {
        let start = self.lines.get(at).map_or(self.bytes.len(), |l| l.start);
        let end = start + W::COMMENT.len();
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// Where a piece of a line between separators stands; 0 is its name.
    pub(super) fn piece(&self, at: usize, index: u32) -> Option<Range<usize>> {
        let index = usize::try_from(index).ok()?;
        let line = self.lines.get(at)?;
        piece(self.bytes, line, self.written.separator(), index)
    }

    /// The line of this place.
    pub(super) fn find(&self, place: &Place) -> Option<usize> {
        let nth = usize::try_from(place.number.checked_sub(1)?).ok()?;
        let mut named =
            (0..self.lines.len()).filter(|at| self.name(*at) == place.segment.as_bytes());
        named.nth(nth)
    }

    /// The header and a comment, each with its end; `None` if there is no line.
    pub(super) fn header_and(&self, comment: &str) -> Option<Vec<u8>> {
        let header = self.bytes.get(self.lines.first()?.clone())?;
        let comment = self.written.comment(1, comment);
        Some([header, self.end(), &comment, self.end()].concat())
    }

    /// What ends the header, and so every line that is added where nothing ended the one before.
    pub(super) fn end(&self) -> &'a [u8] {
        let header = self.lines.first();
        header
            .and_then(|header| end_of(self.bytes, header))
            .unwrap_or(b"\r")
    }

    /// The last of the comments that follow this line, or the line itself.
    pub(super) fn last_comment(&self, at: usize) -> usize {
        let following = at + 1..self.lines.len();
        let comments = following.take_while(|at| self.name(*at) == W::COMMENT);
        at + comments.count()
    }

    fn comment_behind(&self, at: usize, text: &str) -> Option<Edit> {
        let line = self.lines.get(at)?;
        let end = end_of(self.bytes, line).unwrap_or_else(|| self.end());
        let comment = self.written.comment(self.next_number(at), text);
        Some(Edit {
            at: line.end..line.end,
            with: [end, comment.as_slice()].concat(),
        })
    }

    /// The number of a comment behind this line.
    fn next_number(&self, at: usize) -> u32 {
        if self.name(at) != W::COMMENT {
            return 1;
        }
        let field = self.piece(at, 1).and_then(|field| self.bytes.get(field));
        let digits = field.and_then(|digits| std::str::from_utf8(digits).ok());
        let number = digits.and_then(|digits| digits.parse::<u32>().ok());
        number.map_or(1, |number| number.saturating_add(1))
    }
}

/// What is to change in a message.
pub(super) struct Changes<'a, W> {
    lines: &'a Lines<'a, W>,
    notice: &'a Notice,
    /// By where they begin: no two fields begin together.
    fields: BTreeMap<usize, Edit>,
    commented: BTreeSet<usize>,
}

impl<'a, W: Written> Changes<'a, W> {
    /// Nothing yet.
    pub(super) const fn of(lines: &'a Lines<'a, W>, notice: &'a Notice) -> Self {
        Self {
            lines,
            notice,
            fields: BTreeMap::new(),
            commented: BTreeSet::new(),
        }
    }

    /// The notice stands here; whatever was said of this field before.
    pub(super) fn notice(&mut self, at: Range<usize>) {
        let mut with = Vec::with_capacity(self.notice.value.len());
        self.lines.written.escape(self.notice.value, &mut with);
        self.fields.insert(at.start, Edit { at, with });
    }

    /// This stands here; whatever was said of this field before.
    pub(super) fn put(&mut self, at: Range<usize>, with: &[u8]) {
        let with = with.to_vec();
        self.fields.insert(at.start, Edit { at, with });
    }

    /// A comment stands behind this line and the comments that it has, once for all of them.
    pub(super) fn comment(&mut self, at: usize) {
        self.commented.insert(self.lines.last_comment(at));
    }

    /// The message with all of it.
    pub(super) fn made(self) -> Option<Vec<u8>> {
        let text = self.notice.comment;
        let comments = self.commented.iter();
        let comments = comments.map(|at| self.lines.comment_behind(*at, text));
        let comments = comments.collect::<Option<Vec<_>>>()?;
        // A field and a comment may begin together, where the last field was empty: the field comes first.
        let edits = self.fields.into_values().chain(comments).collect();
        splice(self.lines.bytes, edits)
    }
}
