//! Crockford's base 32, for what people write down and type back in.
//!
//! Takes whole groups of 5 bytes alone, 8 characters each, so that there is no padding and one
//! spelling per value. It must never read a character it does not know.

use zeroize::Zeroizing;

/// The 32 characters by value: no I, L, O (taken for 1, 1, 0) and no U.
pub const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The characters of `bytes`, whose length is a multiple of 5; 5 bits each, highest first.
pub fn symbols(bytes: &[u8]) -> impl Iterator<Item = char> {
    bytes.as_chunks::<5>().0.iter().flat_map(|five| {
        let bits = five
            .iter()
            .fold(0u64, |bits, byte| (bits << 8) | u64::from(*byte));
        (0..8).rev().filter_map(move |place| {
            let value = usize::try_from((bits >> (5 * place)) & 31).ok()?;
            ALPHABET.get(value).copied().map(char::from)
        })
    })
}

/// The `N` bytes (a multiple of 5) that were typed, if there are so many and no other characters;
/// case, blanks and hyphens do not count.
pub fn decode<const N: usize>(text: &str) -> Option<Zeroizing<[u8; N]>> {
    // With a blank or line end after every character it is not longer.
    if text.len() > 4 * N {
        return None;
    }
    let mut typed = text.chars().filter(|c| !c.is_whitespace() && *c != '-');
    let mut bytes = Zeroizing::new([0; N]);
    for five in bytes.as_chunks_mut::<5>().0 {
        let mut bits = 0u64;
        for _ in 0..8 {
            bits = (bits << 5) | value_of(typed.next()?)?;
        }
        let [_, _, _, low @ ..] = bits.to_be_bytes();
        *five = low;
    }
    typed.next().is_none().then_some(bytes)
}

fn value_of(typed: char) -> Option<u64> {
    let upper = match typed.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let place = ALPHABET
        .iter()
        .position(|symbol| char::from(*symbol) == upper)?;
    u64::try_from(place).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(bytes: &[u8]) -> String {
        symbols(bytes).collect()
    }

    #[test]
    fn five_bytes_are_eight_characters() {
        assert_eq!(text(&[0; 5]), "00000000");
        assert_eq!(text(&[0xff; 5]), "ZZZZZZZZ");
        assert_eq!(text(&[0, 0, 0, 0, 1]), "00000001");
        assert_eq!(text(&[0x08, 0, 0, 0, 0x1f]), "1000000Z");
        assert_eq!(*decode::<5>("1000-000z").unwrap(), [0x08, 0, 0, 0, 0x1f]);
        assert_eq!(
            *decode::<5>("il oO\t000\nz").unwrap(),
            [0x08, 0x40, 0, 0, 0x1f]
        );
    }

    #[test]
    fn what_is_not_whole_or_not_of_the_alphabet_is_not_read() {
        for typed in [
            "",
            "1000000",
            "100000000",
            "U0000000",
            "é0000000",
            "0000000*",
        ] {
            assert!(decode::<5>(typed).is_none(), "{typed}");
        }
        assert!(decode::<5>(&"-".repeat(1_000_000)).is_none());
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(bytes in any::<[u8; 20]>()) {
            prop_assert_eq!(*decode::<20>(&text(&bytes)).unwrap(), bytes);
        }
    }
}
