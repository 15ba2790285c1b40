//! A cursor over the JSON that leaves are written in; total on any bytes.
//!
//! It must never allocate more than its input is long, nor recurse.

use std::borrow::Cow;

/// A place in bytes that are being read.
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    pub(crate) const fn offset(&self) -> usize {
        self.offset
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.rest().is_empty()
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    /// Goes over `text` if it stands here.
    pub(crate) fn take(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text.as_bytes());
        if found {
            self.offset += text.len();
        }
        found
    }

    /// Goes over `text`, which must stand here.
    pub(crate) fn expect(&mut self, text: &str) -> Option<()> {
        self.take(text).then_some(())
    }

    /// Reads decimal digits.
    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut number = 0u64;
        let mut digits = 0;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            number = number
                .checked_mul(10)?
                .checked_add(u64::from(digit - b'0'))?;
            self.offset += 1;
            digits += 1;
        }
        (digits > 0).then_some(number)
    }

    /// Reads a JSON string with the escapes that canonical leaves use.
    pub(crate) fn string(&mut self) -> Option<Cow<'a, str>> {
        self.expect("\"")?;
        let plain = self.plain()?;
        if self.take("\"") {
            return Some(Cow::Borrowed(plain));
        }
        let mut text = plain.to_owned();
        while !self.take("\"") {
            text.push(self.escape()?);
            text.push_str(self.plain()?);
        }
        Some(Cow::Owned(text))
    }

    /// The text up to the next quote, backslash or control character.
    fn plain(&mut self) -> Option<&'a str> {
        let special = |byte: &u8| *byte < b' ' || *byte == b'"' || *byte == b'\\';
        let rest = self.rest();
        let length = rest.iter().position(special)?;
        let plain = std::str::from_utf8(rest.get(..length)?).ok()?;
        self.offset += length;
        Some(plain)
    }

    fn escape(&mut self) -> Option<char> {
        self.expect("\\")?;
        let letter = self.peek()?;
        self.offset += 1;
        match letter {
            b'"' => Some('"'),
            b'\\' => Some('\\'),
            b'b' => Some('\u{8}'),
            b't' => Some('\t'),
            b'n' => Some('\n'),
            b'f' => Some('\u{c}'),
            b'r' => Some('\r'),
            b'u' => {
                let digits = std::str::from_utf8(self.rest().get(..4)?).ok()?;
                let code = u8::from_str_radix(digits.strip_prefix("00")?, 16).ok()?;
                self.offset += 4;
                Some(code.into())
            }
            _ => None,
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.offset..).unwrap_or(&[])
    }
}
