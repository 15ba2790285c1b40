//! Whether bytes hold any of many words, in one pass that looks at every third byte.
//!
//! Of each word a stretch of six bytes is chosen. Wherever it stands, one of the three times four bytes in it begins at a
//! place that is a multiple of three: only those are looked up, in a table of bits that says of nearly all that no word has
//! them. It must never pass over a word; one that is met by chance is compared whole.

use std::collections::HashSet;

use super::words::SHORTEST;

/// How far from each other the places are that are looked at: the four bytes at one of them lie whole in any stretch of
/// [`SHORTEST`].
const STEP: usize = SHORTEST - 3;

/// How many bits of the table there are for each four bytes.
const BITS_EACH: usize = 32;
/// The smallest and the largest table, as powers of two of its bits: the largest fits into the cache of one core.
const TABLE_LOG: (u32, u32) = (12, 22);
/// How many lists the fours are parted into, as a power of two.
const LISTS_LOG: u32 = 14;

/// Looks for any of some words.
pub(super) struct Finder {
    /// Two bits of one number are set for each four.
    bits: Vec<u64>,
    /// By how much what [`spread`] says is shifted to be a place in `bits`.
    shift: u32,
    /// Where in `fours` each list begins; one more than there are lists.
    begins: Vec<u32>,
    fours: Vec<Four>,
    words: Vec<Box<[u8]>>,
}

/// Four bytes of a word.
struct Four {
    folded: u32,
    /// How many bytes of the word stand before them.
    before: u32,
    /// The word.
    word: u32,
}

/// Without the bit that parts upper from lower case; what else becomes alike is told apart later.
const fn folded(four: [u8; 4]) -> u32 {
    u32::from_le_bytes(four) | 0x2020_2020
}

/// Spreads four bytes over all numbers.
const fn spread(folded: u32) -> u32 {
    folded.wrapping_mul(0x9e37_79b1)
}

/// The two bits in their number.
const fn mask(spread: u32) -> u64 {
    1 << (spread >> 12 & 63) | 1 << (spread >> 6 & 63)
}

const fn list(spread: u32) -> usize {
    (spread >> (32 - LISTS_LOG)) as usize
}

impl Finder {
    /// Of these words, each of at least [`SHORTEST`] bytes and in lower case.
    pub(super) fn new(words: HashSet<Vec<u8>>) -> Self {
        let mut words: Vec<Box<[u8]>> = words.into_iter().map(Vec::into_boxed_slice).collect();
        words.sort();
        let mut fours: Vec<Four> = Vec::with_capacity(words.len() * STEP);
        for (number, word) in (0..).zip(&words) {
            let at = rarest(word);
            let stretch = word.get(at..).unwrap_or_default().windows(4).take(STEP);
            fours.extend((at..).zip(stretch).map(|(at, four)| Four {
                folded: folded(four.first_chunk().copied().unwrap_or_default()),
                before: u32::try_from(at).unwrap_or_default(),
                word: number,
            }));
        }
        fours.sort_by_key(|four| list(spread(four.folded)));
        let table = (fours.len() * BITS_EACH).next_power_of_two();
        let table = table.trailing_zeros().clamp(TABLE_LOG.0, TABLE_LOG.1);
        let shift = 32 - (table - 6);
        let mut bits = vec![0; 1 << (table - 6)];
        let mut begins = vec![0_u32; (1 << LISTS_LOG) + 1];
        for four in &fours {
            let spread = spread(four.folded);
            if let Some(bits) = bits.get_mut((spread >> shift) as usize) {
                *bits |= mask(spread);
            }
            if let Some(count) = begins.get_mut(list(spread) + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for begin in &mut begins {
            sum += *begin;
            *begin = sum;
        }
        Self {
            bits,
            shift,
            begins,
            fours,
            words,
        }
    }

    /// Whether the bytes hold any of the words, in upper or lower case.
    pub(super) fn is_in(&self, bytes: &[u8]) -> bool {
        let mut rest = bytes;
        while let Some(four) = rest.first_chunk() {
            let folded = folded(*four);
            let spread = spread(folded);
            let bits = self.bits.get((spread >> self.shift) as usize);
            let mask = mask(spread);
            if bits.is_some_and(|bits| bits & mask == mask)
                && self.is_one(bytes, bytes.len() - rest.len(), folded)
            {
                return true;
            }
            rest = rest.get(STEP..).unwrap_or_default();
        }
        false
    }

    /// Whether a word stands around the four bytes at `at`.
    #[cold]
    fn is_one(&self, bytes: &[u8], at: usize, folded: u32) -> bool {
        let list = list(spread(folded));
        let begin = |list: usize| self.begins.get(list).map_or(0, |begin| *begin as usize);
        let fours = self.fours.get(begin(list)..begin(list + 1));
        let mut alike = fours.unwrap_or_default().iter();
        alike.any(|four| {
            let word = self.words.get(four.word as usize);
            let start = at.checked_sub(four.before as usize);
            four.folded == folded
                && word.zip(start).is_some_and(|(word, start)| {
                    let there = bytes.get(start..start + word.len());
                    there.is_some_and(|there| there.eq_ignore_ascii_case(word))
                })
        })
    }
}

/// Where in a word the stretch begins whose bytes are seldom in text, and in Base64.
fn rarest(word: &[u8]) -> usize {
    let weight = |byte: &u8| match byte {
        0 | b' ' | b'e' | b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' => 0_u32,
        b'a'..=b'z' | b'0'..=b'9' | 0xff => 1,
        b'+' | b'/' => 2,
        _ => 4,
    };
    let least = |stretch: &[u8]| {
        let fours = stretch.windows(4);
        fours.map(|four| four.iter().map(weight).sum::<u32>()).min()
    };
    let stretches = word.windows(SHORTEST).enumerate();
    let best = stretches.max_by_key(|(_, stretch)| least(stretch));
    best.map_or(0, |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_wherever_they_stand_and_nothing_else_is() {
        let words = ["alphabet", "lphab4", "\0b\0e\0t", "aaaaaaab", "[{\\^~]|}"];
        let words = words.map(|word| word.as_bytes().to_vec());
        let finder = Finder::new(words.into_iter().collect());
        for there in [
            "ALPHABET",
            "alphaBet",
            "LPHab4",
            "\0B\0e\0T",
            "aaaaaaab",
            "[{\\^~]|}",
        ] {
            for before in 0..9 {
                for behind in 0..4 {
                    let text = format!("{}{there}{}", "a".repeat(before), "x".repeat(behind));
                    assert!(finder.is_in(text.as_bytes()), "{text}");
                }
            }
        }
        for not in [
            "",
            "alp",
            "alphabe",
            "lphabet",
            "aaaaaaaaaaaa",
            "\0a\0b\0c",
            "{[|~^}\\]",
            "bravo",
        ] {
            assert!(!finder.is_in(not.as_bytes()), "{not}");
        }
    }

    #[test]
    fn no_word_and_no_bytes_are_nothing() {
        assert!(!Finder::new(HashSet::new()).is_in(b"anything at all"));
        assert!(!Finder::new(HashSet::from([b"anything".to_vec()])).is_in(b""));
    }

    proptest::proptest! {
        #[test]
        fn the_finder_sees_what_a_plain_search_sees(
            words in proptest::collection::hash_set("[abA@` ]{6,9}", 1..6),
            text in "[abAB@` ]{0,60}",
            at in 0_usize..60,
            is_put in proptest::bool::ANY,
        ) {
            let words: HashSet<Vec<u8>> = words.iter().map(|word| word.to_ascii_lowercase().into_bytes()).collect();
            let mut text = text.into_bytes();
            if let Some(word) = words.iter().next().filter(|_| is_put) {
                text.splice(at.min(text.len())..at.min(text.len()), word.iter().copied());
            }
            let low = text.to_ascii_lowercase();
            let plain = words.iter().any(|word| memchr::memmem::find(&low, word).is_some());
            proptest::prop_assert_eq!(Finder::new(words).is_in(&text), plain);
        }
    }
}
