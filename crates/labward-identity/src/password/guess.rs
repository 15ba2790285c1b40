//! What others would guess: the block list of SP 800-63B-4, 3.1.1.2, as a short text and by rule.
//!
//! It must never ask for kinds of characters, and never refuse a password for what is only a part of
//! it. Lists of leaked passwords hold few of 15 characters and more; what those have in common is
//! here: something said again and again, a walk over the keyboard, a famous phrase, and the words
//! that everybody knows of the person and the lab.

use std::fmt;

use labward_base::{Remark, remark};
use zeroize::Zeroizing;

use super::{MAX_PASSWORD_BYTES, MIN_PASSWORD_CHARS};

/// Phrases that many people choose: lower case, letters and digits only, in order.
const COMMON: &str = include_str!("common.txt");

/// Words that everybody knows, besides those of the person and the lab.
const KNOWN_WORDS: &[&str] = &[
    "administrator",
    "labward",
    "laboratory",
    "passphrase",
    "password",
    "phlebotomy",
    "secret",
    "welcome",
];

/// Characters that must be left when every known word is taken away.
const OWN_CHARS: usize = 8;
/// The longest piece whose repetition is no password of its own.
const MAX_PIECE: usize = 8;
/// One step in so many may lead away from the walk.
const STRAY: usize = 4;

/// Neighbours on the keyboards of English, German and French, by row and by column.
const ROWS: &[&str] = &[
    "1234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "yxcvbnm",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn",
    "1qaz",
    "2wsx",
    "3edc",
    "4rfv",
    "5tgb",
    "6yhn",
    "7ujm",
];

/// Why a password is one that others would guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// It is on the list of phrases that many people choose.
    Common,
    /// It is little more than the person's name or login, the lab's name, or "Labward".
    KnownWords,
    /// It is one short piece again and again.
    Repeated,
    /// It goes along the alphabet, the digits or a row of the keyboard.
    Sequence,
    /// It is longer than [`MAX_PASSWORD_BYTES`].
    TooLong,
    /// It is shorter than [`MIN_PASSWORD_CHARS`].
    TooShort,
}

impl Weakness {
    /// Why, in words that each language has.
    pub fn remark(self) -> Remark {
        match self {
            Self::Common => remark::password_common(),
            Self::KnownWords => remark::password_known_words(),
            Self::Repeated => remark::password_repeated(),
            Self::Sequence => remark::password_sequence(),
            Self::TooLong => remark::password_too_long(MAX_PASSWORD_BYTES),
            Self::TooShort => remark::password_too_short(MIN_PASSWORD_CHARS),
        }
    }
}

impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.remark().fmt(f)
    }
}

impl std::error::Error for Weakness {}

/// Whether others would guess `password` (in NFKC), who know `words`.
pub(super) fn check(password: &str, words: &[&str]) -> Result<(), Weakness> {
    if password.len() > MAX_PASSWORD_BYTES {
        return Err(Weakness::TooLong);
    }
    if password.chars().count() < MIN_PASSWORD_CHARS {
        return Err(Weakness::TooShort);
    }
    let chars: Zeroizing<Vec<char>> = Zeroizing::new(lower(password).collect());
    if is_repeated(&chars) {
        return Err(Weakness::Repeated);
    }
    if is_walk(&chars) {
        return Err(Weakness::Sequence);
    }
    let folded = folded(password);
    let phrase = folded.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_common = |text: &str| COMMON.lines().any(|line| line == text);
    if is_common(&folded) || is_common(phrase) {
        return Err(Weakness::Common);
    }
    if is_known(&folded, words) {
        return Err(Weakness::KnownWords);
    }
    Ok(())
}

/// The whole of it is one piece of at most [`MAX_PIECE`] characters, repeated.
fn is_repeated(chars: &[char]) -> bool {
    (1..=MAX_PIECE).any(|piece| {
        let again = chars.iter().skip(piece);
        chars.len() >= 2 * piece && again.zip(chars).all(|(one, other)| one == other)
    })
}

/// Nearly every character is the neighbour of the one before it.
fn is_walk(chars: &[char]) -> bool {
    let steps = chars.iter().zip(chars.iter().skip(1));
    let stray = steps.filter(|(from, to)| !are_neighbours(**from, **to));
    stray.count() * STRAY <= chars.len().saturating_sub(1)
}

fn are_neighbours(one: char, other: char) -> bool {
    let along_the_alphabet = u32::from(one).abs_diff(u32::from(other)) <= 1;
    let along_a_row = |row: &&str| {
        let mut pairs = row.chars().zip(row.chars().skip(1));
        pairs.any(|pair| pair == (one, other) || pair == (other, one))
    };
    along_the_alphabet || ROWS.iter().any(along_a_row)
}

/// Fewer than [`OWN_CHARS`] characters are left when the known words are taken away.
fn is_known(folded: &str, words: &[&str]) -> bool {
    let parts = words.iter().flat_map(|word| {
        let whole = std::iter::once(*word);
        whole.chain(word.split(|c: char| !c.is_alphanumeric()))
    });
    let parts = parts.chain(KNOWN_WORDS.iter().copied());
    let mut known: Vec<String> = parts.map(folded_open).collect();
    known.retain(|word| word.chars().count() >= 3);
    // The longest first, so that a part of it does not leave the rest behind.
    known.sort_by_key(|word| std::cmp::Reverse(word.len()));
    let mut left = Zeroizing::new(folded.to_owned());
    for word in known {
        left = Zeroizing::new(left.replace(&word, ""));
    }
    left.len() < folded.len() && left.chars().count() < OWN_CHARS
}

fn lower(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase)
}

/// Letters and digits in lower case: how a phrase is written apart does not make it another.
fn folded(text: &str) -> Zeroizing<String> {
    // Lower case may take more room, and growing would leave copies behind.
    let mut folded = Zeroizing::new(String::with_capacity(3 * text.len()));
    folded.extend(lower(text).filter(|c| c.is_alphanumeric()));
    folded
}

fn folded_open(text: &str) -> String {
    folded(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: &[&str] = &["m.garcia", "María García-López", "Riverside Clinical Lab"];

    fn check(password: &str, expect: Result<(), Weakness>) {
        assert_eq!(super::check(password, WORDS), expect, "{password}");
    }

    #[test]
    fn what_is_long_and_nobodys_phrase_is_taken_whatever_it_is_made_of() {
        for good in [
            "violet tram eats harbour",
            "kjhwertzoiualemnq",
            "843901776205318",
            "Tr0ub4dor&3 and the moon",
            "el tren lila come puerto",
            "\u{7d2b}\u{8272}\u{7684}\u{706b}\u{8f66}\u{5403}\u{6e2f}\u{53e3}\u{5728}\u{6d77}\u{8fb9}\u{65e9}\u{4e0a}\u{516b}\u{70b9}",
            "my welcome mat is orange",
            "garcia bakes nine green hats",
        ] {
            check(good, Ok(()));
        }
    }

    #[test]
    fn fewer_than_fifteen_characters_are_too_few_and_each_code_point_is_one() {
        check("violet tram ea", Err(Weakness::TooShort));
        check("violet tram eat", Ok(()));
        let wide = "\u{f1}\u{e9}io let tram \u{fc}";
        assert_eq!(wide.chars().count(), 15);
        check(wide, Ok(()));
        check(&wide[..wide.len() - 2], Err(Weakness::TooShort));
        check("", Err(Weakness::TooShort));
    }

    #[test]
    fn what_says_one_thing_again_and_again_is_refused() {
        for weak in [
            "aaaaaaaaaaaaaaa",
            "abcabcabcabcabc",
            "PasswordpassworD",
            "2024!2024!2024!2024!",
            "               ",
        ] {
            check(weak, Err(Weakness::Repeated));
        }
    }

    #[test]
    fn a_walk_over_alphabet_or_keyboard_is_refused() {
        for weak in [
            "abcdefghijklmnop",
            "zyxwvutsrqponml",
            "123456789012345",
            "qwertyuiopasdfgh",
            "QWERTZUIOPasdfgh",
            "1qaz2wsx3edc4rfv",
            "1234567890qwerty",
            "abcdefgh12345678",
        ] {
            check(weak, Err(Weakness::Sequence));
        }
    }

    #[test]
    fn a_famous_phrase_is_refused_however_it_is_written() {
        for weak in [
            "correct horse battery staple",
            "CorrectHorseBatteryStaple!",
            "to be or not to be",
            "I love you so much 2024",
        ] {
            check(weak, Err(Weakness::Common));
        }
    }

    #[test]
    fn names_and_words_that_everybody_knows_are_no_password() {
        for weak in [
            "m.garcia-m.garcia1",
            "Mar\u{ed}aGarc\u{ed}aL\u{f3}pez",
            "labward-labward-2",
            "Riverside Clinical Lab",
            "Riverside password 99",
            "Welcome Laboratory 7",
        ] {
            check(weak, Err(Weakness::KnownWords));
        }
    }

    #[test]
    fn the_list_is_in_order_and_each_line_can_be_met() {
        let lines: Vec<&str> = COMMON.lines().collect();
        assert!(lines.len() > 100);
        for pair in lines.windows(2) {
            assert!(pair[0] < pair[1], "{pair:?}");
        }
        for line in lines {
            assert_eq!(folded_open(line), line);
            assert!(line.len() >= 10, "{line}");
        }
    }
}
