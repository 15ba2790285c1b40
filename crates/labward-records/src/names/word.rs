//! Words of names: folded, and how like one is to another.
//!
//! It must never take memory beyond a word's own, or find two words like that are further apart than
//! what is tolerated.

/// Longer words are cut; no name of a person has a longer word.
const WORD_MAX: usize = 32;

/// Distances from the beginning of one word to each beginning of another.
type Row = [usize; WORD_MAX + 1];

/// How many typing errors a word of this length may hold.
pub(super) const fn tolerated(length: usize) -> u8 {
    match length {
        0..=2 => 0,
        3..=4 => 1,
        _ => 2,
    }
}

/// How like `word` is to what is wanted, or `None` if it is another word.
pub(super) fn likeness(wanted: &[char], word: &str, most: u8) -> Option<f32> {
    let mut chars = ['\0'; WORD_MAX];
    let mut length = 0;
    for (place, c) in chars.iter_mut().zip(word.chars()) {
        *place = c;
        length += 1;
    }
    let distance = distance_up_to(wanted, chars.get(..length)?, usize::from(most))?;
    let length = u8::try_from(wanted.len().max(length)).ok()?;
    Some(1.0 - f32::from(u8::try_from(distance).ok()?) / f32::from(length))
}

/// Insertions, deletions, replacements and swaps of neighbours from `a` to `b`, if at most `most`;
/// neither is longer than [`WORD_MAX`].
fn distance_up_to(a: &[char], b: &[char], most: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > most {
        return None;
    }
    let at = |row: &Row, j: usize| row.get(j).copied().unwrap_or(usize::MAX / 2);
    let mut before_last: Row = [0; WORD_MAX + 1];
    let mut last: Row = std::array::from_fn(|j| j);
    let mut row: Row = before_last;
    let mut a_before = None;
    for (i, &x) in a.iter().enumerate() {
        let (mut b_before, mut least, mut left) = (None, i + 1, i + 1);
        row[0] = left;
        for (j, (&y, place)) in b.iter().zip(row.iter_mut().skip(1)).enumerate() {
            let mut best = (at(&last, j) + usize::from(x != y))
                .min(at(&last, j + 1) + 1)
                .min(left + 1);
            if a_before == Some(y) && b_before == Some(x) && j > 0 {
                best = best.min(at(&before_last, j - 1) + 1);
            }
            *place = best;
            (left, least) = (best, least.min(best));
            b_before = Some(y);
        }
        if least > most {
            return None;
        }
        (before_last, last) = (last, row);
        a_before = Some(x);
    }
    last.get(b.len())
        .copied()
        .filter(|distance| *distance <= most)
}

/// The set of letters of a word; letters beyond a–z share places.
pub(super) fn letters_of(word: &str) -> u64 {
    word.chars().fold(0, |set, c| {
        let place = match c {
            'a'..='z' => u32::from(c) - u32::from('a'),
            _ => 26 + u32::from(c) % 38,
        };
        set | 1u64 << place
    })
}

/// Whether words with these sets of letters may be within so many typing errors: each takes at most
/// one letter away and brings at most one.
pub(super) const fn are_near(letters: u64, others: u64, most: u8) -> bool {
    let (gone, new) = (letters & !others, others & !letters);
    gone.count_ones() <= most as u32 && new.count_ones() <= most as u32
}

/// The words of a name, folded: small letters without accents, digits and marks.
pub(super) fn words_of(name: &str, into: &mut Vec<String>) {
    let mut word = String::new();
    for c in name.chars().chain([' ']) {
        if c.is_whitespace() || matches!(c, '-' | ',' | '.' | '/' | '_') {
            if !word.is_empty() {
                into.push(word.chars().take(WORD_MAX).collect());
                word.clear();
            }
        } else if c.is_alphabetic() {
            fold_into(c, &mut word);
        }
    }
}

/// One letter without case and accent; Latin letters with marks become their base letters.
fn fold_into(c: char, word: &mut String) {
    for c in c.to_lowercase() {
        let base = match c {
            'à'..='å' | 'ā' | 'ă' | 'ą' | 'ǎ' => "a",
            'æ' => "ae",
            'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
            'ď' | 'đ' | 'ð' => "d",
            'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
            'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
            'ĥ' | 'ħ' => "h",
            'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => "i",
            'ĵ' => "j",
            'ķ' => "k",
            'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' => "l",
            'ñ' | 'ń' | 'ņ' | 'ň' => "n",
            'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' => "o",
            'œ' => "oe",
            'ŕ' | 'ŗ' | 'ř' => "r",
            'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => "s",
            'ß' => "ss",
            'ţ' | 'ť' | 'ŧ' | 'ț' => "t",
            'þ' => "th",
            'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => "u",
            'ŵ' => "w",
            'ý' | 'ÿ' | 'ŷ' => "y",
            'ź' | 'ż' | 'ž' => "z",
            // Combining marks of decomposed letters.
            '\u{300}'..='\u{36f}' => "",
            other => {
                word.push(other);
                continue;
            }
        };
        word.push_str(base);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, without a limit and without any care for speed.
    fn distance(a: &[char], b: &[char]) -> usize {
        let (Some((x, rest)), Some((y, other))) = (a.split_last(), b.split_last()) else {
            return a.len() + b.len();
        };
        let mut best = (distance(rest, other) + usize::from(x != y))
            .min(distance(rest, b) + 1)
            .min(distance(a, other) + 1);
        if let (Some((before, rest)), Some((above, other))) =
            (rest.split_last(), other.split_last())
            && (x, before) == (above, y)
        {
            best = best.min(distance(rest, other) + 1);
        }
        best
    }

    proptest! {
        #[test]
        fn what_is_within_the_limit_is_found_with_its_distance_and_nothing_else(
            a in "[a-d]{0,7}", b in "[a-d]{0,7}", most in 0usize..4
        ) {
            let (x, y): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            let exact = distance(&x, &y);
            prop_assert_eq!(distance_up_to(&x, &y, most), (exact <= most).then_some(exact));
            let near = are_near(letters_of(&a), letters_of(&b), u8::try_from(exact).unwrap());
            prop_assert!(near, "no word that is like is passed over");
        }
    }
}
