//! The delimiters that a sender declares in MSH-1 and MSH-2 (HL7 v2.5.1 chapter 2.5.4).
//!
//! It must never assume the usual `|^~\&`: every message says what it uses. A set in which two
//! delimiters are the same, or one could be part of a value, is refused.

/// The delimiters of one message; those missing from a short MSH-2 are `None` and never split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Delimiters {
    /// MSH-1, between fields.
    pub field: u8,
    /// First character of MSH-2, between components.
    pub component: u8,
    /// Second character of MSH-2, between repetitions.
    pub repetition: Option<u8>,
    /// Third character of MSH-2, around escape sequences.
    pub escape: Option<u8>,
    /// Fourth character of MSH-2, between subcomponents.
    pub subcomponent: Option<u8>,
    /// Fifth character of MSH-2, the end of a truncated value (HL7 v2.7).
    pub truncation: Option<u8>,
}

impl Delimiters {
    /// The recommended set `|^~\&`.
    pub const STANDARD: Self = Self {
        field: b'|',
        component: b'^',
        repetition: Some(b'~'),
        escape: Some(b'\\'),
        subcomponent: Some(b'&'),
        truncation: None,
    };

    /// Reads the set from what follows a header segment's three-letter id, or `None` if it cannot
    /// be used: no component delimiter, more than five characters, a duplicate, or a character that
    /// can be part of a value or of the framing.
    pub fn from_header(after_id: &[u8]) -> Option<Self> {
        let (&field, rest) = after_id.split_first()?;
        let end = rest
            .iter()
            .take(6)
            .position(|&byte| byte == field || matches!(byte, b'\r' | b'\n'))
            .unwrap_or(rest.len());
        let encoding = rest.get(..end)?;
        let mut seen = [field, 0, 0, 0, 0, 0];
        if encoding.is_empty() || encoding.len() > 5 {
            return None;
        }
        for (slot, &byte) in seen.iter_mut().skip(1).zip(encoding) {
            *slot = byte;
        }
        let used = seen.get(..=encoding.len())?;
        let duplicate = used
            .iter()
            .enumerate()
            .any(|(at, byte)| used.iter().skip(at + 1).any(|other| other == byte));
        if duplicate || !used.iter().copied().all(may_delimit) {
            return None;
        }
        Some(Self {
            field,
            component: *encoding.first()?,
            repetition: encoding.get(1).copied(),
            escape: encoding.get(2).copied(),
            subcomponent: encoding.get(3).copied(),
            truncation: encoding.get(4).copied(),
        })
    }

    /// MSH-2 as these delimiters would be declared.
    pub fn encoding_characters(&self) -> impl Iterator<Item = u8> {
        let rest = [
            self.repetition,
            self.escape,
            self.subcomponent,
            self.truncation,
        ];
        std::iter::once(self.component).chain(rest.into_iter().map_while(|byte| byte))
    }
}

impl Default for Delimiters {
    fn default() -> Self {
        Self::STANDARD
    }
}

/// Bytes above 0x7F may be half of a character, so they never delimit.
fn may_delimit(byte: u8) -> bool {
    byte.is_ascii()
        && !byte.is_ascii_alphanumeric()
        && !matches!(byte, 0 | b'\r' | b'\n' | b' ' | 0x0B | 0x1C)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(after_id: &[u8], expect: Option<&[u8]>) {
        let found = Delimiters::from_header(after_id)
            .map(|set| [vec![set.field], set.encoding_characters().collect()].concat());
        assert_eq!(found.as_deref(), expect, "{}", after_id.escape_ascii());
    }

    #[test]
    fn four_and_five_encoding_characters_are_read() {
        check(b"|^~\\&|LAB|", Some(b"|^~\\&"));
        check(b"|^~\\&#|LAB|", Some(b"|^~\\&#"));
        assert_eq!(
            Delimiters::from_header(b"|^~\\&|"),
            Some(Delimiters::STANDARD)
        );
    }

    #[test]
    fn unusual_delimiters_work() {
        check(b"#*%\\!#LAB#", Some(b"#*%\\!"));
        check(
            b"\x1d\x1e\x1f\x02\x03\x1dLAB",
            Some(b"\x1d\x1e\x1f\x02\x03"),
        );
    }

    #[test]
    fn a_short_set_leaves_the_rest_undeclared() {
        check(b"|^|LAB", Some(b"|^"));
        check(b"|^~\r", Some(b"|^~"));
        check(b"|^", Some(b"|^"));
    }

    #[test]
    fn duplicates_letters_and_framing_bytes_are_refused() {
        for refused in [
            &b""[..],
            b"|",
            b"||LAB",
            b"|\r",
            b"|^^\\&|",
            b"|^~^&|",
            b"A^~\\&A",
            b"|^~x&|",
            b"|^~\\&#+|",
            b"\r^~\\&\r",
            b"\0^~\\&\0",
            b"|^\0\\&|",
            b"|^~\\& |",
            b"|\x0b~\\&|",
            b"|^\x1c\\&|",
            b"|^~\xa7&|",
        ] {
            check(refused, None);
        }
    }
}
