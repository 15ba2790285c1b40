//! Escape sequences (HL7 v2.5.1 chapter 2.7): delimiters and control bytes inside values.
//!
//! It must never lose a byte: a sequence that is not known, or not a sequence at all (a lone
//! backslash in a path), stays as it came.

use std::borrow::Cow;

use memchr::memchr;

use crate::Delimiters;

/// A value as it is meant: `\F\ \S\ \T\ \R\ \E\ \P\` become the delimiters, `\X0d0a\` its bytes and
/// `\.br\` a line feed; everything else is kept. Borrows when there is nothing to undo.
pub fn unescape<'a>(raw: &'a [u8], delimiters: &Delimiters) -> Cow<'a, [u8]> {
    let Some(escape) = delimiters.escape else {
        return Cow::Borrowed(raw);
    };
    let Some(first) = memchr(escape, raw) else {
        return Cow::Borrowed(raw);
    };
    let (plain, mut rest) = raw.split_at_checked(first).unwrap_or((raw, &[]));
    let mut out = Vec::with_capacity(raw.len());
    out.extend_from_slice(plain);
    // Here `rest` always begins with the escape character.
    while let Some((_, after)) = rest.split_first() {
        let body_end = memchr(escape, after);
        let body = body_end.and_then(|end| after.get(..end));
        let taken = match body {
            Some(body) if push_meaning(body, delimiters, &mut out) => body.len() + 2,
            Some(body) if is_kept_sequence(body) => {
                out.extend_from_slice(rest.get(..body.len() + 2).unwrap_or(rest));
                body.len() + 2
            }
            _ => {
                out.push(escape);
                1
            }
        };
        rest = rest.get(taken..).unwrap_or(&[]);
        let next = memchr(escape, rest).unwrap_or(rest.len());
        let (plain, later) = rest.split_at_checked(next).unwrap_or((rest, &[]));
        out.extend_from_slice(plain);
        rest = later;
    }
    Cow::Owned(out)
}

/// A value as it may stand in a field: delimiters become sequences, and so do CR, LF and the bytes
/// that frame MLLP. Without an escape character in `delimiters` such bytes become blanks instead,
/// because leaving them would change the message's structure.
pub fn escape<'a>(value: &'a [u8], delimiters: &Delimiters) -> Cow<'a, [u8]> {
    if !value.iter().any(|&byte| must_escape(byte, delimiters)) {
        return Cow::Borrowed(value);
    }
    let mut out = Vec::with_capacity(value.len() + 16);
    escape_into(value, delimiters, &mut out);
    Cow::Owned(out)
}

/// Appends to `out` what [`escape`] would return.
pub fn escape_into(value: &[u8], delimiters: &Delimiters, out: &mut Vec<u8>) {
    for &byte in value {
        if !must_escape(byte, delimiters) {
            out.push(byte);
            continue;
        }
        let Some(escape) = delimiters.escape else {
            out.push(b' ');
            continue;
        };
        let some = Some(byte);
        out.push(escape);
        if byte == delimiters.field {
            out.push(b'F');
        } else if byte == delimiters.component {
            out.push(b'S');
        } else if some == delimiters.subcomponent {
            out.push(b'T');
        } else if some == delimiters.repetition {
            out.push(b'R');
        } else if some == delimiters.escape {
            out.push(b'E');
        } else if some == delimiters.truncation {
            out.push(b'P');
        } else {
            out.extend_from_slice(&[b'X', hex_digit(byte >> 4), hex_digit(byte & 15)]);
        }
        out.push(escape);
    }
}

fn must_escape(byte: u8, delimiters: &Delimiters) -> bool {
    let some = Some(byte);
    byte == delimiters.field
        || byte == delimiters.component
        || some == delimiters.subcomponent
        || some == delimiters.repetition
        || some == delimiters.escape
        || some == delimiters.truncation
        || matches!(byte, b'\r' | b'\n' | 0x0B | 0x1C)
}

/// Appends what the sequence means; false if it has no meaning here.
fn push_meaning(body: &[u8], delimiters: &Delimiters, out: &mut Vec<u8>) -> bool {
    let byte = match body {
        b"F" => Some(delimiters.field),
        b"S" => Some(delimiters.component),
        b"T" => delimiters.subcomponent,
        b"R" => delimiters.repetition,
        b"E" => delimiters.escape,
        b"P" => delimiters.truncation,
        b".br" => Some(b'\n'),
        [b'X', hex @ ..] => return push_hex(hex, out),
        _ => None,
    };
    out.extend(byte);
    byte.is_some()
}

fn push_hex(hex: &[u8], out: &mut Vec<u8>) -> bool {
    let (pairs, odd) = hex.as_chunks::<2>();
    if pairs.is_empty() || !odd.is_empty() || !hex.iter().all(u8::is_ascii_hexdigit) {
        return false;
    }
    out.extend(
        pairs
            .iter()
            .map(|[high, low]| (hex_value(*high) << 4) | hex_value(*low)),
    );
    true
}

/// Highlighting, formatting, charset and local sequences: they have both their escape characters.
fn is_kept_sequence(body: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-');
    match body {
        [b'H' | b'N'] => true,
        [b'.' | b'C' | b'M' | b'X' | b'Z', rest @ ..] => rest.iter().all(plain),
        _ => false,
    }
}

fn hex_digit(nibble: u8) -> u8 {
    match nibble {
        0..=9 => b'0' + nibble,
        _ => b'A' + (nibble & 15) - 10,
    }
}

fn hex_value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(raw: &str, expect: &str) {
        let found = unescape(raw.as_bytes(), &Delimiters::STANDARD);
        assert_eq!(
            found.escape_ascii().to_string(),
            expect.as_bytes().escape_ascii().to_string()
        );
    }

    #[test]
    fn every_delimiter_has_its_sequence() {
        check("a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f", "a|b^c&d~e\\f");
        check("one\\.br\\two\\X0d0A\\", "one\ntwo\r\n");
        check("plain", "plain");
    }

    #[test]
    fn unknown_sequences_and_lone_backslashes_stay() {
        for kept in [
            "\\H\\loud\\N\\",
            "\\Zlocal\\",
            "\\.sp+3\\",
            "\\C2842\\",
            "\\X0\\",
            "\\Xzz\\",
            "\\X\\",
            "C:\\dir\\file",
            "end\\",
            "\\\\",
            "5\\6 of 10",
            "\\P\\",
        ] {
            check(kept, kept);
        }
        check("C:\\dir \\F\\ x", "C:\\dir | x");
        check("\\Zabc\\F\\", "\\Zabc\\F\\");
    }

    #[test]
    fn without_an_escape_character_nothing_can_break_the_structure() {
        let set = Delimiters {
            escape: None,
            subcomponent: None,
            ..Delimiters::STANDARD
        };
        assert_eq!(escape(b"a|b^c\rd&e", &set).as_ref(), b"a b c d&e");
        assert_eq!(unescape(b"\\F\\", &set).as_ref(), b"\\F\\");
    }

    #[test]
    fn the_truncation_character_is_escaped_where_it_is_declared() {
        let set = Delimiters {
            truncation: Some(b'#'),
            ..Delimiters::STANDARD
        };
        assert_eq!(escape(b"no. #1", &set).as_ref(), b"no. \\P\\1");
        assert_eq!(escape(b"no. #1", &Delimiters::STANDARD).as_ref(), b"no. #1");
        assert_eq!(unescape(b"no. \\P\\1", &set).as_ref(), b"no. #1");
    }

    proptest! {
        #[test]
        fn unescape_undoes_escape(value in prop::collection::vec(any::<u8>(), 0..200)) {
            for set in [
                Delimiters::STANDARD,
                Delimiters { truncation: Some(b'#'), ..Delimiters::STANDARD },
                Delimiters::from_header(b"#*%\\!#").unwrap(),
            ] {
                let escaped = escape(&value, &set);
                let structural = [set.field, set.component, b'\r', b'\n', 0x0B, 0x1C];
                prop_assert!(!escaped.iter().any(|byte| structural.contains(byte)));
                prop_assert_eq!(unescape(&escaped, &set).into_owned(), &value[..]);
            }
        }

        #[test]
        fn unescape_never_grows_a_value(raw in "[\\\\FSX0a.brZ |]{0,60}") {
            let found = unescape(raw.as_bytes(), &Delimiters::STANDARD);
            prop_assert!(found.len() <= raw.len());
        }
    }
}
