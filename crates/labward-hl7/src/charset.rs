//! Bytes to text, for display and checks only (MSH-18, table HL70211).
//!
//! It must never change what is stored or delivered: text goes to a screen, never back into a
//! message. Decoding is lossy and never fails.

use std::borrow::Cow;

use encoding_rs::Encoding;

use crate::Field;

/// A character set of table HL70211.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Charset {
    /// 7-bit ASCII, also ISO IR6, and the default when MSH-18 is empty.
    Ascii,
    /// Big5, traditional Chinese.
    Big5,
    /// GB 18030-2000, simplified Chinese.
    Gb18030,
    /// ISO 8859, part 1 to 16.
    Iso8859(u8),
    /// ISO IR14 (JIS X 0201) without code extension.
    JisX0201,
    /// ISO IR87 or IR159: Japanese with ISO 2022 code extension.
    Iso2022Jp,
    /// KS X 1001, Korean.
    KsX1001,
    /// A name that table HL70211 does not have, or one that cannot be decoded here.
    Unknown,
    /// UTF-8.
    Utf8,
    /// UTF-16, big-endian.
    Utf16,
}

impl Charset {
    /// The charset with this name; tolerates case, blanks and punctuation (`utf8`, `ISO-8859-1`).
    pub fn from_name(name: &[u8]) -> Self {
        let plain: Vec<u8> = name
            .iter()
            .filter(|byte| byte.is_ascii_alphanumeric())
            .map(u8::to_ascii_uppercase)
            .take(24)
            .collect();
        let plain = plain
            .strip_prefix(b"UNICODE")
            .filter(|rest| !rest.is_empty())
            .unwrap_or(&plain);
        match plain {
            b"" | b"ASCII" | b"USASCII" | b"ISOIR6" | b"7BITASCII" => Self::Ascii,
            b"UTF8" | b"UNICODE" => Self::Utf8,
            b"UTF16" => Self::Utf16,
            b"GB18030" | b"GB180302000" | b"GB2312" | b"GBK" => Self::Gb18030,
            b"BIG5" => Self::Big5,
            b"KSX1001" => Self::KsX1001,
            b"ISOIR14" => Self::JisX0201,
            b"ISOIR87" | b"ISOIR159" => Self::Iso2022Jp,
            other => Self::iso8859(other),
        }
    }

    /// The charset that MSH-18 declares: its first value, or the code extension of a later one.
    pub fn from_field(field: &Field<'_>) -> Self {
        let mut first = None;
        for repetition in field.repetitions() {
            let charset = Self::from_name(repetition.component(1).raw());
            if charset == Self::Iso2022Jp {
                return charset;
            }
            if first.is_none() && !repetition.is_empty() {
                first = Some(charset);
            }
        }
        first.unwrap_or(Self::Ascii)
    }

    /// The text of these bytes; what cannot be decoded becomes U+FFFD.
    ///
    /// Senders that declare nothing, ASCII or an unknown name often send UTF-8 or Latin-1 all the
    /// same: those are tried in that order.
    pub fn decode<'a>(self, bytes: &'a [u8]) -> Cow<'a, str> {
        let encoding = match self {
            Self::Ascii | Self::Unknown => match std::str::from_utf8(bytes) {
                Ok(text) => return Cow::Borrowed(text),
                Err(_) => encoding_rs::WINDOWS_1252,
            },
            Self::Big5 => encoding_rs::BIG5,
            Self::Gb18030 => encoding_rs::GB18030,
            Self::Iso8859(part) => iso8859_encoding(part),
            Self::JisX0201 => encoding_rs::SHIFT_JIS,
            Self::Iso2022Jp => encoding_rs::ISO_2022_JP,
            Self::KsX1001 => encoding_rs::EUC_KR,
            Self::Utf8 => encoding_rs::UTF_8,
            Self::Utf16 => encoding_rs::UTF_16BE,
        };
        encoding.decode_without_bom_handling(bytes).0
    }

    fn iso8859(plain: &[u8]) -> Self {
        let plain = plain.strip_prefix(b"ISO").unwrap_or(plain);
        let part = plain
            .strip_prefix(b"8859")
            .and_then(|part| std::str::from_utf8(part).ok())
            .and_then(|part| part.parse::<u8>().ok());
        match part {
            Some(part @ (1..=11 | 13..=16)) => Self::Iso8859(part),
            _ => Self::Unknown,
        }
    }
}

/// Parts 1, 9 and 11 by the Windows code pages that contain them.
fn iso8859_encoding(part: u8) -> &'static Encoding {
    match part {
        2 => encoding_rs::ISO_8859_2,
        3 => encoding_rs::ISO_8859_3,
        4 => encoding_rs::ISO_8859_4,
        5 => encoding_rs::ISO_8859_5,
        6 => encoding_rs::ISO_8859_6,
        7 => encoding_rs::ISO_8859_7,
        8 => encoding_rs::ISO_8859_8,
        9 => encoding_rs::WINDOWS_1254,
        10 => encoding_rs::ISO_8859_10,
        11 => encoding_rs::WINDOWS_874,
        13 => encoding_rs::ISO_8859_13,
        14 => encoding_rs::ISO_8859_14,
        15 => encoding_rs::ISO_8859_15,
        16 => encoding_rs::ISO_8859_16,
        _ => encoding_rs::WINDOWS_1252,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Message;
    use proptest::prelude::*;

    fn check(name: &str, bytes: &[u8], expect: &str) {
        assert_eq!(
            Charset::from_name(name.as_bytes()).decode(bytes),
            expect,
            "{name}"
        );
    }

    #[test]
    fn table_names_and_common_misspellings_decode() {
        check("8859/1", b"M\xfcller", "Müller");
        check("ISO-8859-1", b"M\xfcller", "Müller");
        check("8859/2", b"\xb3\xf3d\xbc", "łódź");
        check("8859/5", b"\xbc\xd8\xe0", "Мир");
        check("8859/15", b"5 \xa4", "5 €");
        check("UNICODE UTF-8", "Zoë".as_bytes(), "Zoë");
        check("utf8", "Zoë".as_bytes(), "Zoë");
        check("UNICODE", "Zoë".as_bytes(), "Zoë");
        check("UNICODE UTF-16", b"\0A\0B", "AB");
        check("GB 18030-2000", b"\xcd\xf5", "王");
        check("BIG-5", b"\xa4\xfd", "王");
        check("KS X 1001", b"\xb1\xe8", "김");
        check("ISO IR87", b"\x1b$B;3ED\x1b(B", "山田");
        check("ISO IR14", b"\xd4\xcf\xc0\xde", "ﾔﾏﾀﾞ");
    }

    #[test]
    fn undeclared_text_is_shown_as_utf8_or_latin_1() {
        check("", "Zoë".as_bytes(), "Zoë");
        check("", b"M\xfcller", "Müller");
        check("ASCII", b"M\xfcller", "Müller");
        check("EBCDIC", b"M\xfcller", "Müller");
        assert_eq!(Charset::from_name(b"EBCDIC"), Charset::Unknown);
        assert_eq!(Charset::from_name(b"8859/12"), Charset::Unknown);
    }

    #[test]
    fn wrong_bytes_become_replacement_characters() {
        check("UNICODE UTF-8", b"a\xffb", "a\u{fffd}b");
    }

    #[test]
    fn a_code_extension_in_a_later_repetition_counts() {
        let bytes = b"MSH|^~\\&|||||||ORU^R01|1|P|2.5||||||ISO IR14~ISO IR87\r";
        let message = Message::parse(bytes).unwrap();
        assert_eq!(message.header().charset(), Charset::Iso2022Jp);
    }

    proptest! {
        #[test]
        fn any_bytes_under_any_name_decode(name: Vec<u8>, bytes: Vec<u8>) {
            let _ = Charset::from_name(&name).decode(&bytes);
            for part in 0..=u8::MAX {
                let _ = Charset::Iso8859(part).decode(&bytes);
            }
        }
    }
}
