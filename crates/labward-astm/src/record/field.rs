//! Fields, repeats and components, and their escapes (E1394 / LIS02-A2 section 5.4).
//!
//! It must never drop bytes: an escape that cannot be read stays as it is.

use std::borrow::Cow;

use super::ParseError;
use crate::frame::hex_pair;

/// The delimiters that an H record declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Delimiters {
    /// Between fields, usually `|`.
    pub field: u8,
    /// Between repeats of a field, usually `\`.
    pub repeat: u8,
    /// Between components, usually `^`.
    pub component: u8,
    /// Around an escape, usually `&`.
    pub escape: u8,
}

/// A field of a record, as sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    bytes: &'a [u8],
    delimiters: Delimiters,
}

/// One component of one repeat of a field, as sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Component<'a> {
    bytes: &'a [u8],
    delimiters: Delimiters,
}

impl Delimiters {
    /// The delimiters of nearly every device: `|\^&`.
    pub const USUAL: Self = Self {
        field: b'|',
        repeat: b'\\',
        component: b'^',
        escape: b'&',
    };

    /// What an H record declares.
    pub(super) fn of_header(header: &[u8]) -> Result<Self, ParseError> {
        let [b'H', field, rest @ ..] = header else {
            return Err(ParseError::NotE1394);
        };
        if !field.is_ascii_punctuation() {
            return Err(ParseError::NotE1394);
        }
        let declared = rest.split(|byte| byte == field).next().unwrap_or_default();
        let &[repeat, component, escape] = declared else {
            return Err(ParseError::Delimiters);
        };
        let this = Self {
            field: *field,
            repeat,
            component,
            escape,
        };
        this.is_usable()
            .then_some(this)
            .ok_or(ParseError::Delimiters)
    }

    /// Whether they are four different signs, none a letter, digit, space or control character.
    pub fn is_usable(self) -> bool {
        let all = [self.field, self.repeat, self.component, self.escape];
        all.iter().all(u8::is_ascii_punctuation)
            && all
                .iter()
                .enumerate()
                .all(|(at, sign)| !all.iter().skip(at + 1).any(|b| b == sign))
    }
}

impl<'a> Field<'a> {
    pub(super) const fn new(bytes: &'a [u8], delimiters: Delimiters) -> Self {
        Self { bytes, delimiters }
    }

    /// Its bytes, as sent.
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Whether nothing stands in it.
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Its repeats; one if it does not repeat.
    pub fn repeats(&self) -> impl Iterator<Item = Field<'a>> + use<'a> {
        let delimiters = self.delimiters;
        let parts = self.bytes.split(move |byte| *byte == delimiters.repeat);
        parts.map(move |bytes| Self { bytes, delimiters })
    }

    /// The components of its first repeat.
    pub fn components(&self) -> impl Iterator<Item = Component<'a>> + use<'a> {
        let delimiters = self.delimiters;
        let first = self
            .bytes
            .split(|byte| *byte == delimiters.repeat)
            .next()
            .unwrap_or_default();
        let parts = first.split(move |byte| *byte == delimiters.component);
        parts.map(move |bytes| Component { bytes, delimiters })
    }

    /// The component with this number of its first repeat, from 1; empty if it is not there.
    pub fn component(&self, number: usize) -> Component<'a> {
        let index = number.checked_sub(1);
        let found = index.and_then(|index| self.components().nth(index));
        found.unwrap_or(Component {
            bytes: b"",
            delimiters: self.delimiters,
        })
    }

    /// Its text with escapes replaced; delimiters stay.
    pub fn unescape(&self) -> Cow<'a, [u8]> {
        unescape(self.bytes, self.delimiters)
    }
}

impl<'a> Component<'a> {
    /// Its bytes, as sent.
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Whether nothing stands in it.
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Its text with escapes replaced.
    pub fn unescape(&self) -> Cow<'a, [u8]> {
        unescape(self.bytes, self.delimiters)
    }
}

fn unescape(bytes: &[u8], delimiters: Delimiters) -> Cow<'_, [u8]> {
    let is_escape = |byte: &u8| *byte == delimiters.escape;
    if !bytes.iter().any(is_escape) {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(is_escape) {
        let (plain, from_escape) = rest.split_at(at);
        out.extend_from_slice(plain);
        let after = from_escape.get(1..).unwrap_or_default();
        let end = after.iter().position(is_escape);
        let inside = end.and_then(|end| after.get(..end));
        if inside.is_some_and(|inside| append_escape(inside, delimiters, &mut out)) {
            rest = end.and_then(|end| after.get(end + 1..)).unwrap_or_default();
        } else {
            out.push(delimiters.escape);
            rest = after;
        }
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

/// Appends what stands for the escape with these letters, if it is one.
fn append_escape(inside: &[u8], delimiters: Delimiters, out: &mut Vec<u8>) -> bool {
    match inside {
        b"F" => out.push(delimiters.field),
        b"S" => out.push(delimiters.component),
        b"R" => out.push(delimiters.repeat),
        b"E" => out.push(delimiters.escape),
        [b'X', digits @ ..] if !digits.is_empty() => {
            let (pairs, odd) = digits.as_chunks::<2>();
            let bytes: Option<Vec<u8>> = pairs.iter().map(|[h, l]| hex_pair(*h, *l)).collect();
            match bytes {
                Some(bytes) if odd.is_empty() => out.extend(bytes),
                _ => return false,
            }
        }
        _ => return false,
    }
    true
}
