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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn field(bytes: &[u8]) -> Field<'_> {
        Field::new(bytes, Delimiters::USUAL)
    }

    fn check_unescape(bytes: &[u8], expect: &[u8]) {
        assert_eq!(field(bytes).unescape(), expect, "{}", bytes.escape_ascii());
    }

    #[test]
    fn escapes_are_replaced_and_what_is_none_stays() {
        check_unescape(b"plain", b"plain");
        check_unescape(b"a&F&b&S&c&R&d&E&e", b"a|b^c\\d&e");
        check_unescape(b"&X0D0a&", b"\r\n");
        check_unescape(b"&E&F&E&", b"&F&");
        check_unescape(b"Smith & Sons", b"Smith & Sons");
        check_unescape(b"&&F&", b"&|");
        check_unescape(b"&X0&&X&&XGG&", b"&X0&&X&&XGG&");
        check_unescape(b"&H&bold&N&", b"&H&bold&N&");
        check_unescape(b"&", b"&");
    }

    #[test]
    fn delimiters_must_be_four_different_signs() {
        let check = |header: &[u8], expect: Result<Delimiters, ParseError>| {
            assert_eq!(
                Delimiters::of_header(header),
                expect,
                "{}",
                header.escape_ascii()
            );
        };
        let other = Delimiters {
            field: b'|',
            repeat: b'@',
            component: b'^',
            escape: b'\\',
        };
        check(b"H|\\^&|||X", Ok(Delimiters::USUAL));
        check(b"H|\\^&", Ok(Delimiters::USUAL));
        check(b"H|@^\\|||X", Ok(other));
        for header in [
            &b"H|\\^||X"[..],
            b"H|\\^&~|X",
            b"H|\\\\&|X",
            b"H|a^&|X",
            b"H||X",
            b"H|",
        ] {
            check(header, Err(ParseError::Delimiters));
        }
        for header in [&b"H"[..], b"", b"P|1", b"HELLO", b"H \\^&"] {
            check(header, Err(ParseError::NotE1394));
        }
    }

    #[test]
    fn components_are_those_of_the_first_repeat() {
        let field = field(b"a^b&S&c\\d^e");
        let parts: Vec<_> = field.components().map(|part| part.bytes()).collect();
        assert_eq!(parts, [&b"a"[..], b"b&S&c"]);
        assert_eq!(field.component(2).unescape(), &b"b^c"[..]);
        assert!(field.component(3).is_empty() && field.component(0).is_empty());
        let second = field.repeats().nth(1).expect("it repeats");
        assert_eq!(second.component(1).bytes(), b"d");
    }

    proptest! {
        #[test]
        fn unescaping_is_total_and_never_lengthens(bytes: Vec<u8>, escapes in "[&FSREX0-9a-f]{0,40}") {
            for bytes in [&bytes[..], escapes.as_bytes()] {
                prop_assert!(field(bytes).unescape().len() <= bytes.len());
            }
        }
    }
}
