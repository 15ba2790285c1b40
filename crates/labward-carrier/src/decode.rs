//! Bytes written as text: Base64, hex, percent and quoted-printable, read as leniently as receivers do.
//!
//! It must never write more than it reads, and never guess: who asks says which writing it is.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Reads sound Base64 fast; what it refuses is read byte by byte.
const SOUND: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// What was read, and how far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decoded {
    /// The bytes.
    pub(crate) bytes: Vec<u8>,
    /// How many bytes of the text belong to it; behind them stands something else.
    pub(crate) used: usize,
}

/// The value of a digit of Base64, of the usual or the url-safe alphabet.
pub(crate) fn base64_digit(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

/// Whether a byte is a digit of Base64: as [`base64_digit`], without a branch.
fn is_base64_digit(byte: u8) -> bool {
    let is_letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let is_number = byte.wrapping_sub(b'0') < 10;
    is_letter | is_number | (byte == b'+') | (byte == b'-') | (byte == b'/') | (byte == b'_')
}

/// Where the first byte stands that is none of those. They are asked a stretch at a time and without a branch, which lets
/// the compiler ask many at once: documents of megabytes pass here.
fn first_other(text: &[u8], is: impl Fn(u8) -> bool) -> Option<usize> {
    const STRETCH: usize = 64;
    let mut stretches = text.chunks(STRETCH).enumerate();
    stretches.find_map(|(number, stretch)| {
        if stretch.iter().fold(true, |all, byte| all & is(*byte)) {
            return None;
        }
        let at = stretch.iter().position(|byte| !is(*byte))?;
        Some(number * STRETCH + at)
    })
}

/// Whether all of the text is digits of Base64 and its padding.
pub(crate) fn is_sound_base64(text: &[u8]) -> bool {
    let end = text.trim_ascii_end().iter().rposition(|byte| *byte != b'=');
    let digits = end.and_then(|end| text.get(..=end)).unwrap_or_default();
    first_other(digits, is_base64_digit).is_none()
}

/// Base64 up to its padding or the first byte that is none of it: both alphabets, white space, line breaks
/// that are written out (`\n`, `\.br\`), no padding.
pub(crate) fn base64(text: &[u8]) -> Decoded {
    // What lies behind is not even measured: a text may hold very many blocks.
    let may_belong = |byte: u8| {
        let is_blank =
            (byte == b' ') | (byte == b'\t') | (byte == b'\n') | (byte == 0x0c) | (byte == b'\r');
        is_base64_digit(byte) | is_blank | (byte == b'=') | (byte == b'\\') | (byte == b'.')
    };
    let end = first_other(text, may_belong);
    let text = end.and_then(|end| text.get(..end)).unwrap_or(text);
    if let Ok(bytes) = SOUND.decode(text) {
        return Decoded {
            bytes,
            used: text.len(),
        };
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut at, mut bits, mut count) = (0, 0_u32, 0);
    while let Some(&byte) = text.get(at) {
        if let Some(digit) = base64_digit(byte) {
            bits = bits << 6 | u32::from(digit);
            count += 1;
            if count == 4 {
                let [_, first, second, third] = bits.to_be_bytes();
                bytes.extend_from_slice(&[first, second, third]);
                (bits, count) = (0, 0);
            }
            at += 1;
        } else if byte.is_ascii_whitespace() {
            at += 1;
        } else if byte == b'\\' && break_len(text, at) > 0 {
            at += break_len(text, at);
        } else {
            break;
        }
    }
    match count {
        2 => bytes.extend((bits << 12).to_be_bytes().get(1..2).unwrap_or_default()),
        3 => bytes.extend((bits << 6).to_be_bytes().get(1..3).unwrap_or_default()),
        _ => {}
    }
    let padding = |byte: &&u8| matches!(byte, b'=' | b'\r' | b'\n');
    let rest = text.get(at..).unwrap_or_default();
    let used = at + rest.iter().take_while(padding).count();
    Decoded { bytes, used }
}

/// How long the written-out line break at `at` is: `\n`, `\r`, `\t`, `\.br\` and the like; 0 for none.
fn break_len(text: &[u8], at: usize) -> usize {
    match text.get(at + 1) {
        Some(b'n' | b'r' | b't') => 2,
        Some(b'.') => text
            .get(at + 2..)
            .unwrap_or_default()
            .iter()
            .take(8)
            .position(|byte| *byte == b'\\')
            .map_or(0, |end| end + 3),
        _ => 0,
    }
}

/// The value of a hex digit.
pub(crate) fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// Pairs of hex digits, with white space, `-` and `:` between them, up to the first byte that is none of it.
pub(crate) fn hex(text: &[u8]) -> Decoded {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut high = None;
    let mut used = 0;
    for byte in text {
        match (hex_digit(*byte), high) {
            (Some(digit), None) => high = Some(digit),
            (Some(digit), Some(first)) => {
                bytes.push(first << 4 | digit);
                high = None;
            }
            (None, None) if byte.is_ascii_whitespace() || matches!(byte, b'-' | b':') => {}
            _ => break,
        }
        used += 1;
    }
    Decoded { bytes, used }
}

/// Text in which bytes are written as `%4D`.
pub(crate) fn percent(text: &[u8]) -> Cow<'_, [u8]> {
    marked(text, b'%')
}

/// Quoted-printable: `=4D`, and lines that go on behind a `=` at their end.
pub(crate) fn quoted_printable(text: &[u8]) -> Cow<'_, [u8]> {
    marked(text, b'=')
}

fn marked(text: &[u8], mark: u8) -> Cow<'_, [u8]> {
    if !text.contains(&mark) {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [byte, after @ ..] = rest {
        let pair = match after {
            [high, low, ..] => hex_digit(*high).zip(hex_digit(*low)),
            _ => None,
        };
        rest = match (pair, after) {
            _ if *byte != mark => {
                out.push(*byte);
                after
            }
            (Some((high, low)), [_, _, after @ ..]) => {
                out.push(high << 4 | low);
                after
            }
            (_, [b'\r', b'\n', after @ ..] | [b'\n', after @ ..]) if mark == b'=' => after,
            _ => {
                out.push(*byte);
                after
            }
        };
    }
    Cow::Owned(out)
}

/// The most zeros that are put in place of blanks which a line has lost, in bytes: two characters may claim 63.
const UUENCODE_PADDED_MAX: usize = 16 << 20;

/// The lines of a uuencoded file, behind its `begin` line and up to its `end`; how far it was read.
pub(crate) fn uuencoded(text: &[u8]) -> Decoded {
    let mut bytes = Vec::new();
    let mut padded = 0;
    let mut used = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let content = line.trim_ascii_end();
        let Some((length, digits)) = content.split_first() else {
            if line.is_empty() {
                break;
            }
            used += line.len();
            continue;
        };
        if content == b"end" {
            used += line.len();
            break;
        }
        let length = usize::from(length.wrapping_sub(b' ') & 0x3f);
        let is_line = |byte: &u8| (b' '..=b'`').contains(byte);
        if !content.iter().all(is_line) || digits.len() > 4 * length.div_ceil(3) + 4 {
            break;
        }
        used += line.len();
        let start = bytes.len();
        for group in digits.chunks(4) {
            let digit = |n: usize| {
                let byte = group.get(n).copied().unwrap_or(b' ');
                u32::from(byte.wrapping_sub(b' ') & 0x3f)
            };
            let bits = digit(0) << 18 | digit(1) << 12 | digit(2) << 6 | digit(3);
            bytes.extend_from_slice(bits.to_be_bytes().get(1..).unwrap_or_default());
        }
        // Blanks at the end of a line are zeros that a mail program cut off.
        padded += (start + length).saturating_sub(bytes.len());
        if padded > UUENCODE_PADDED_MAX {
            bytes.truncate(start);
            break;
        }
        bytes.resize(start + length, 0);
    }
    Decoded { bytes, used }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_byte_is_a_digit_either_way_of_asking() {
        for byte in 0..=255 {
            assert_eq!(
                is_base64_digit(byte),
                base64_digit(byte).is_some(),
                "{byte}"
            );
        }
        let mut text = vec![b'A'; 200];
        assert_eq!(first_other(&text, is_base64_digit), None);
        for at in [199, 128, 64, 63, 0] {
            text[at] = b'.';
            assert_eq!(first_other(&text, is_base64_digit), Some(at));
        }
    }

    use super::*;
    use proptest::prelude::*;

    fn check_base64(text: &[u8], expect: &[u8], rest: &[u8]) {
        let found = base64(text);
        assert_eq!(found.bytes, expect, "{}", text.escape_ascii());
        assert_eq!(text.get(found.used..).unwrap(), rest);
    }

    #[test]
    fn base64_is_read_as_receivers_do() {
        check_base64(b"TVqQAAM=", b"MZ\x90\0\x03", b"");
        check_base64(b"TVqQAAM", b"MZ\x90\0\x03", b"");
        check_base64(b"TVqQ\r\n AAM=", b"MZ\x90\0\x03", b"");
        check_base64(b"TVqQ\\.br\\AAM=", b"MZ\x90\0\x03", b"");
        check_base64(b"TVqQ\\nAAM=", b"MZ\x90\0\x03", b"");
        check_base64(b"TVqQAAM=|F|", b"MZ\x90\0\x03", b"|F|");
        check_base64(b"TVqQAAM=TVqQ", b"MZ\x90\0\x03", b"TVqQ");
        check_base64(b"_-8", b"\xff\xef", b"");
        check_base64(b"", b"", b"");
        check_base64(b"!TVqQ", b"", b"!TVqQ");
    }

    #[test]
    fn hex_and_percent_and_quoted_printable_are_read() {
        assert_eq!(hex(b"4D 5a-90:00x").bytes, b"MZ\x90\0");
        assert_eq!(hex(b"4D5a9").bytes, b"MZ");
        assert_eq!(&*percent(b"a%4d%5A%zz%"), b"aMZ%zz%");
        assert_eq!(&*quoted_printable(b"a=4D=\r\nZ=\nb=3D="), b"aMZb==");
    }

    #[test]
    fn uuencode_ends_where_it_ends() {
        let found = uuencoded(b"#0V%T\n`\nend\nmore");
        assert_eq!(found.bytes, b"Cat");
        assert_eq!(found.used, 12);
    }

    proptest! {
        #[test]
        fn nothing_grows(text: Vec<u8>, digits in "[A-Za-z0-9+/=\\\\.br \n-]{0,80}") {
            for text in [&text[..], digits.as_bytes()] {
                prop_assert!(base64(text).bytes.len() <= text.len());
                prop_assert!(base64(text).used <= text.len());
                prop_assert!(hex(text).bytes.len() <= text.len());
                prop_assert!(percent(text).len() <= text.len());
                prop_assert!(quoted_printable(text).len() <= text.len());
                prop_assert!(uuencoded(text).used <= text.len());
            }
        }

        #[test]
        fn what_is_encoded_is_decoded(bytes: Vec<u8>) {
            let text = base64::engine::general_purpose::STANDARD.encode(&bytes);
            prop_assert_eq!(base64(text.as_bytes()).bytes, bytes);
        }
    }
}
