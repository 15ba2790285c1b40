//! A message as a borrowed view over its bytes (HL7 v2.5.1 chapter 2.5).
//!
//! It must never build a tree, copy or change the bytes. Segments and fields are found when asked.
//!
//! Senders end segments with CR (the standard), LF or CRLF. The first end in the message decides
//! for all of it: in a CR message an LF is part of a value, and the other way round. Blank segments
//! are passed over.

use std::borrow::Cow;

use labward_base::{Problem, problem};
use memchr::{memchr, memchr_iter, memchr2};

use crate::{Delimiters, Field, Header, MessageType, field::Pieces};

/// More segments than this are refused.
pub const MAX_SEGMENTS: usize = 100_000;

/// Why bytes are not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// MSH-1 and MSH-2 are not a usable set of delimiters.
    #[error("read the delimiters of a message header: they are missing or contradict each other")]
    BadDelimiters,
    /// The bytes do not begin with MSH.
    #[error("read a message: it does not begin with a message header")]
    NotHl7,
    /// More than [`MAX_SEGMENTS`] segments.
    #[error("read a message: it has more than {MAX_SEGMENTS} segments")]
    TooManySegments,
}

impl ParseError {
    /// What a person is told.
    pub fn problem(&self) -> &'static Problem {
        match self {
            Self::BadDelimiters | Self::NotHl7 => &problem::GATEWAY_NOT_HL7,
            Self::TooManySegments => &problem::GATEWAY_TOO_LARGE,
        }
    }
}

/// What ends the segments of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LineEnding {
    /// CR, the standard's.
    Cr,
    /// CR and LF, as Windows files have it.
    CrLf,
    /// LF, as Unix files have it.
    Lf,
    /// Nothing: one segment without an end.
    None,
}

impl LineEnding {
    /// What the first segment of these bytes ends with.
    pub fn of(bytes: &[u8]) -> Self {
        let Some(at) = memchr2(b'\r', b'\n', bytes) else {
            return Self::None;
        };
        match (bytes.get(at), bytes.get(at + 1)) {
            (Some(b'\r'), Some(b'\n')) => Self::CrLf,
            (Some(b'\r'), _) => Self::Cr,
            _ => Self::Lf,
        }
    }

    /// The byte to split at; the other of a pair is trimmed from the pieces.
    fn byte(self) -> u8 {
        if self == Self::Lf { b'\n' } else { b'\r' }
    }
}

/// A message: its bytes, its delimiters, and where to look.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    bytes: &'a [u8],
    header: &'a [u8],
    delimiters: Delimiters,
    line_ending: LineEnding,
}

impl<'a> Message<'a> {
    /// Reads the header's delimiters and counts the segments; the rest is read when asked for.
    ///
    /// **Invariant:** parsers are total; any bytes give a message or a [`ParseError`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let after_id = bytes.strip_prefix(b"MSH").ok_or(ParseError::NotHl7)?;
        let delimiters = Delimiters::from_header(after_id).ok_or(ParseError::BadDelimiters)?;
        let line_ending = LineEnding::of(bytes);
        let ends = memchr_iter(line_ending.byte(), bytes).count();
        if ends > MAX_SEGMENTS {
            return Err(ParseError::TooManySegments);
        }
        let header = lines(bytes, line_ending).next().unwrap_or(bytes);
        Ok(Self {
            bytes,
            header,
            delimiters,
            line_ending,
        })
    }

    /// The whole message as it came.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The delimiters the sender declared.
    pub fn delimiters(&self) -> Delimiters {
        self.delimiters
    }

    /// What ends the segments; anything but [`LineEnding::Cr`] breaks the standard.
    pub fn line_ending(&self) -> LineEnding {
        self.line_ending
    }

    /// True if CR and LF both occur other than as CRLF throughout: another receiver may then see
    /// other segments than we do.
    pub fn has_mixed_line_endings(&self) -> bool {
        match self.line_ending {
            LineEnding::None => false,
            LineEnding::Cr => memchr(b'\n', self.bytes).is_some(),
            LineEnding::Lf => memchr(b'\r', self.bytes).is_some(),
            LineEnding::CrLf => {
                memchr_iter(b'\r', self.bytes).any(|at| self.bytes.get(at + 1) != Some(&b'\n'))
                    || memchr_iter(b'\n', self.bytes).any(|at| {
                        at.checked_sub(1).and_then(|at| self.bytes.get(at)) != Some(&b'\r')
                    })
            }
        }
    }

    /// The header's fields, split once.
    pub fn header(&self) -> Header<'a> {
        Header::new(self.header, self.delimiters)
    }

    /// MSH-9.
    pub fn message_type(&self) -> MessageType<'a> {
        self.header().message_type()
    }

    /// The segments in order, MSH first, without blank ones.
    pub fn segments(&self) -> impl Iterator<Item = Segment<'a>> + use<'a> {
        let delimiters = self.delimiters;
        lines(self.bytes, self.line_ending).map(move |raw| Segment { raw, delimiters })
    }

    /// The first segment with this id.
    pub fn segment(&self, id: &[u8]) -> Option<Segment<'a>> {
        self.segments().find(|segment| segment.id() == id)
    }
}

/// One segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    raw: &'a [u8],
    delimiters: Delimiters,
}

impl<'a> Segment<'a> {
    pub(crate) fn new(raw: &'a [u8], delimiters: Delimiters) -> Self {
        Self { raw, delimiters }
    }

    /// The segment's bytes without its end.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// What stands before the first field separator, in valid segments three characters.
    pub fn id(&self) -> &'a [u8] {
        if self.is_header() {
            return self.raw.get(..3).unwrap_or(self.raw);
        }
        Pieces::new(self.raw, Some(self.delimiters.field))
            .next()
            .unwrap_or(self.raw)
    }

    /// True if the id is three capital letters or digits, the first a letter.
    pub fn has_valid_id(&self) -> bool {
        let [first, rest @ ..] = self.id() else {
            return false;
        };
        first.is_ascii_uppercase()
            && rest.len() == 2
            && rest
                .iter()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    }

    /// Field `n` (from 1), numbered as the standard does: in MSH, FHS and BHS field 1 is the field
    /// separator and field 2 the encoding characters. Empty if it is not there.
    pub fn field(&self, n: usize) -> Field<'a> {
        let header = self.is_header();
        if header && n == 1 {
            return Field::literal(self.raw.get(3..4).unwrap_or(&[]), self.delimiters);
        }
        let skip = if header { n.saturating_sub(1) } else { n };
        if skip == 0 {
            return Field::new(&[], self.delimiters);
        }
        let raw = Pieces::new(self.raw, Some(self.delimiters.field))
            .nth(skip)
            .unwrap_or(&[]);
        if header && n == 2 {
            return Field::literal(raw, self.delimiters);
        }
        Field::new(raw, self.delimiters)
    }

    fn is_header(&self) -> bool {
        matches!(self.raw, [b'M', b'S', b'H', separator, ..]
            | [b'F' | b'B', b'H', b'S', separator, ..] if *separator == self.delimiters.field)
    }
}

/// The non-blank segments of these bytes, each without its end.
pub(crate) fn lines(bytes: &[u8], ending: LineEnding) -> impl Iterator<Item = &[u8]> {
    let other = if ending == LineEnding::Lf {
        b'\r'
    } else {
        b'\n'
    };
    let piece = move |line| trim_other(line, other);
    Pieces::new(bytes, Some(ending.byte()))
        .map(piece)
        .filter(|line| !line.is_empty())
}

/// Takes off what a CRLF leaves: a leading LF in CR messages, a trailing CR in LF messages.
fn trim_other(mut line: &[u8], other: u8) -> &[u8] {
    if other == b'\n' {
        while let [b'\n', rest @ ..] = line {
            line = rest;
        }
    } else {
        while let [rest @ .., b'\r'] = line {
            line = rest;
        }
    }
    line
}

/// The same segments with every end a CR, as MLLP wants them; borrowed if they are so already.
///
/// This is for files that are to be sent. What was received is kept and delivered as it came.
pub fn to_cr(bytes: &[u8]) -> Cow<'_, [u8]> {
    let ending = LineEnding::of(bytes);
    let blank = |pair: &[u8]| matches!(pair, [b'\r', b'\r' | b'\n']);
    let is_done = ending == LineEnding::Cr && bytes.ends_with(b"\r") && !bytes.starts_with(b"\r");
    if bytes.is_empty() || is_done && !bytes.windows(2).any(blank) {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len() + 1);
    // A CR inside a line of an LF message would end a segment from now on.
    let parts = lines(bytes, ending).flat_map(|line| Pieces::new(line, Some(b'\r')));
    for part in parts.filter(|part| !part.is_empty()) {
        out.extend_from_slice(part);
        out.push(b'\r');
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests;
