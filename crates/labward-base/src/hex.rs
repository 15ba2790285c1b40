//! Bytes as lower-case hexadecimal digits, two each.
//!
//! It must never read what it would not have written, so that equal bytes have equal texts, or leave copies of a
//! secret behind: what is written or read in place is nowhere else.

/// The digits of these bytes.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    encode_into(bytes, &mut text);
    text
}

/// Appends the digits of these bytes; a text with room for them is not moved.
pub fn encode_into(bytes: &[u8], text: &mut String) {
    for byte in bytes {
        for digit in pair(*byte) {
            text.push(char::from(digit));
        }
    }
}

/// The two digits of a byte.
#[must_use]
pub const fn pair(byte: u8) -> [u8; 2] {
    [digit(byte >> 4), digit(byte & 15)]
}

/// The bytes of exactly `2 * N` lower-case digits.
#[must_use]
pub fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    decode_into(text, &mut bytes).then_some(bytes)
}

/// Fills `bytes` from exactly as many pairs of lower-case digits; false, with any of it written, if the text is
/// anything else.
#[must_use]
pub fn decode_into(text: &str, bytes: &mut [u8]) -> bool {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return false;
    };
    pairs.len() == bytes.len()
        && bytes.iter_mut().zip(pairs).all(|(byte, [high, low])| {
            let read = value(*high).zip(value(*low));
            *byte = read.map_or(0, |(high, low)| high << 4 | low);
            read.is_some()
        })
}

const fn digit(nibble: u8) -> u8 {
    match nibble {
        0..=9 => b'0' + nibble,
        _ => b'a' + (nibble & 15) - 10,
    }
}

const fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_the_two_digits_that_the_formatter_gives_and_is_read_back() {
        for byte in 0..=u8::MAX {
            let text = encode(&[byte]);
            assert_eq!(text, format!("{byte:02x}"));
            assert_eq!(decode(&text), Some([byte]));
        }
    }

    #[test]
    fn bytes_have_one_form() {
        assert_eq!(encode(&[0, 0xAB, 0xFF]), "00abff");
        assert_eq!(decode("00abff"), Some([0, 0xAB, 0xFF]));
        assert_eq!(decode(""), Some([]));
        for bad in [
            "00ABff", "00abf", "00abfff", "00abffff", "00abf ", "00ab+f", "00abé", "",
        ] {
            assert_eq!(decode::<3>(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_has_room_is_written_in_place() {
        let mut text = String::with_capacity(70);
        text.push_str("key ");
        let before = text.as_ptr();
        encode_into(&[0xC3; 32], &mut text);
        assert_eq!((text.as_ptr(), text.len()), (before, 68));
        let mut bytes = [0; 32];
        assert!(decode_into(&text[4..], &mut bytes));
        assert_eq!(bytes, [0xC3; 32]);
    }
}
