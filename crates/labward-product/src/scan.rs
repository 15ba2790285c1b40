//! The words and numbers of a short text, with what stands between them.
//!
//! It must never change how long an ASCII text is, so that places in the folded text are places in the given one.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

/// What stands before a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gap {
    /// Nothing: the first word, or a change from digits to letters.
    None,
    /// A dot.
    Dot,
    /// A dash.
    Dash,
    /// A space, alone or beside one of the others, or a line below, which stands for it.
    Space,
    /// A bracket or a plus sign.
    Mark,
}

/// A run of digits or of letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word<'t> {
    pub(crate) text: &'t str,
    pub(crate) gap: Gap,
    pub(crate) is_number: bool,
}

/// Lower case, compatibility forms resolved, dashes and comparison signs written in ASCII.
pub(crate) fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        if text
            .bytes()
            .any(|b| b.is_ascii_uppercase() || b.is_ascii_control())
        {
            return Cow::Owned(
                text.chars()
                    .map(|c| {
                        if c.is_ascii_control() {
                            ' '
                        } else {
                            c.to_ascii_lowercase()
                        }
                    })
                    .collect(),
            );
        }
        return Cow::Borrowed(text);
    }
    let mut folded = String::with_capacity(text.len());
    for c in text.nfkc() {
        match c {
            '\u{2010}'..='\u{2015}' | '\u{2212}' => folded.push('-'),
            '≤' => folded.push_str("<="),
            '≥' => folded.push_str(">="),
            // Marks of the byte order and of width say nothing.
            '\u{feff}' | '\u{200b}'..='\u{200d}' => {}
            c if c.is_control() || c.is_whitespace() => folded.push(' '),
            c => folded.extend(c.to_lowercase()),
        }
    }
    Cow::Owned(folded)
}

/// The words of a folded text, or nothing where it holds a character that no version has.
pub(crate) fn words(plain: &str) -> Option<Vec<Word<'_>>> {
    let mut words = Vec::with_capacity(8);
    let mut gap = Gap::None;
    let bytes = plain.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let kind = |b: u8| (b.is_ascii_digit(), b.is_ascii_lowercase());
        match byte {
            b'0'..=b'9' | b'a'..=b'z' => {
                let same = bytes
                    .get(at..)?
                    .iter()
                    .take_while(|&&b| kind(b) == kind(byte))
                    .count();
                words.push(Word {
                    text: plain.get(at..at + same)?,
                    gap,
                    is_number: byte.is_ascii_digit(),
                });
                gap = Gap::None;
                at += same;
                continue;
            }
            b'.' if gap == Gap::None => gap = Gap::Dot,
            b'-' if gap == Gap::None => gap = Gap::Dash,
            b'(' | b')' | b'+' => gap = Gap::Mark,
            b' ' | b'.' | b'-' | b'_' | b':' | b'#' => {
                gap = if gap == Gap::Mark {
                    Gap::Mark
                } else {
                    Gap::Space
                };
            }
            _ => return None,
        }
        at += 1;
    }
    Some(words)
}
