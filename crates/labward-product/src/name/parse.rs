//! From a text to the words of each model that it packs.

use super::{Excluded, MAX_VARIANTS, ModelRange, Name, NameBook};
use crate::vendor::{repaired, without_accents};

/// A longer text is no name; its beginning is read.
const MAX_BYTES: usize = 400;

/// Words that tell no product from another.
const GENERIC: &[&str] = &[
    "all",
    "analyser",
    "analysers",
    "analyzer",
    "analyzers",
    "and",
    "device",
    "devices",
    "family",
    "for",
    "instrument",
    "instruments",
    "line",
    "model",
    "models",
    "of",
    "only",
    "product",
    "products",
    "series",
    "system",
    "systems",
    "the",
    "with",
];

/// Words that say that a name is one of software.
const SOFTWARE: &[&str] = &["app", "application", "operating", "software"];

/// With these a name leaves something out.
const EXCLUSIONS: &[&str] = &[
    ", not including ",
    " not including ",
    ", excluding ",
    " excluding ",
    " except ",
];

/// A name as a key: its words in their order, in lower case, without accents and marks; letters and digits are words
/// of their own, and a `+` counts, so that `XN-550` and `XN550` are one and `Plum A+` and `Plum A` are two.
#[must_use]
pub fn normal_form(text: &str) -> String {
    let mut form = String::with_capacity(text.len());
    let mut before = None;
    for c in without_accents(&repaired(text)).chars() {
        let kind = match c {
            '+' => Some('+'),
            _ if c.is_numeric() => Some('0'),
            _ if c.is_alphanumeric() => Some('a'),
            _ => None,
        };
        if kind.is_some() {
            if kind != before && !form.is_empty() {
                form.push(' ');
            }
            form.push(c);
        }
        before = kind;
    }
    form
}

pub(super) fn parse(text: &str, vendor: &[&str], book: &NameBook) -> Name {
    let folded = without_accents(&repaired(beginning(text)));
    let (head, left_out) = EXCLUSIONS
        .iter()
        .find_map(|words| folded.split_once(words))
        .unwrap_or((&folded, ""));
    let (plain, brackets) = split_brackets(head);
    let plain = without_vendor(&plain, vendor);
    let mut ranges = Vec::new();
    let (variants, software) = variants(plain, &mut ranges, book);
    let mut aliases = Vec::new();
    let mut remark = false;
    for inner in &brackets {
        // What is meant by a longer text in brackets is a remark.
        if inner.split_whitespace().count() > 3
            || inner.contains("only")
            || inner.contains("turnkey")
        {
            remark = true;
            continue;
        }
        for alias in self::variants(inner, &mut ranges, book).0 {
            if !alias.is_empty() && !variants.contains(&alias) {
                aliases.push(alias);
            }
        }
    }
    let excluded = left_out
        .split([',', ';'])
        .flat_map(|part| part.split(" and "))
        .flat_map(|part| {
            let mut ranges = Vec::new();
            let words = self::variants(without_vendor(part, vendor), &mut ranges, book).0;
            words.into_iter().map(move |words| Excluded {
                words,
                ranges: ranges.clone(),
            })
        })
        .filter(|excluded| !excluded.words.is_empty())
        .collect();
    Name {
        text: text.to_owned(),
        variants,
        aliases,
        excluded,
        ranges,
        software,
        remark,
    }
}

fn beginning(text: &str) -> &str {
    let mut end = text.len().min(MAX_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or("")
}

/// The text outside brackets, and the texts inside.
fn split_brackets(text: &str) -> (String, Vec<String>) {
    let (mut plain, mut brackets, mut inner) = (String::new(), Vec::new(), String::new());
    let mut depth = 0_u32;
    for c in text.chars() {
        match c {
            '(' => {
                depth += 1;
                plain.push(' ');
            }
            ')' if depth > 0 => {
                depth = depth.saturating_sub(1);
                // Every bracket that was opened too often ends here, too.
                if !inner.trim().is_empty() {
                    brackets.push(std::mem::take(&mut inner));
                    depth = 0;
                }
            }
            ')' => {}
            c if depth > 0 => inner.push(c),
            c => plain.push(c),
        }
    }
    if !inner.trim().is_empty() {
        brackets.push(inner);
    }
    (plain, brackets)
}

/// The name without its vendor in front, unless nothing else is there.
fn without_vendor<'t>(text: &'t str, vendor: &[&str]) -> &'t str {
    let text = text.trim();
    for form in vendor {
        if let Some(rest) = text.strip_prefix(form)
            && rest.starts_with(|c: char| c.is_whitespace() || c == '-')
            && rest.chars().any(char::is_alphanumeric)
        {
            return rest;
        }
    }
    text
}

/// The words of every model that a text packs, sorted, and whether it names software.
fn variants(text: &str, ranges: &mut Vec<ModelRange>, book: &NameBook) -> (Vec<Vec<String>>, bool) {
    let mut software = false;
    let mut found: Vec<Vec<String>> = vec![Vec::new()];
    let mut series: Option<(String, Vec<String>)> = None;
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c == ',')
        .filter(|w| !w.is_empty())
        .collect();
    for (at, word) in words.iter().enumerate() {
        let corrected = book.typos.get(*word).map_or(*word, String::as_str);
        if SOFTWARE.contains(&corrected)
            || (corrected == "control" && words.get(at + 1) == Some(&"software"))
        {
            software = true;
            continue;
        }
        if GENERIC.contains(&corrected) {
            continue;
        }
        if let Some(range) = range(corrected) {
            found = times(found, &[vec![range.letters.clone()]]);
            ranges.push(range);
            continue;
        }
        // TC10 TC20 TC30: one of them each.
        if let (Some((letters, _)), true) = (letters_and_digits(corrected), corrected.is_ascii()) {
            match &mut series {
                Some((same, models)) if same == letters => models.push(corrected.to_owned()),
                _ => {
                    found = close(found, series.take(), book);
                    series = Some((letters.to_owned(), vec![corrected.to_owned()]));
                }
            }
            continue;
        }
        found = close(found, series.take(), book);
        let pieces = alternatives(corrected, book);
        found = times(found, &pieces);
    }
    found = close(found, series, book);
    for words in &mut found {
        words.sort_unstable();
        words.dedup();
    }
    found.sort_unstable();
    found.dedup();
    (found, software)
}

fn close(
    found: Vec<Vec<String>>,
    series: Option<(String, Vec<String>)>,
    book: &NameBook,
) -> Vec<Vec<String>> {
    match series {
        Some((_, models)) => {
            let pieces: Vec<Vec<String>> = models.iter().map(|model| tokens(model, book)).collect();
            times(found, &pieces)
        }
        None => found,
    }
}

/// Every variant with every piece, as long as they are not too many; then all pieces go into each.
fn times(found: Vec<Vec<String>>, pieces: &[Vec<String>]) -> Vec<Vec<String>> {
    match pieces {
        [] => found,
        [piece] => found
            .into_iter()
            .map(|mut words| {
                words.extend(piece.iter().cloned());
                words
            })
            .collect(),
        pieces if found.len() * pieces.len() > MAX_VARIANTS => found
            .into_iter()
            .map(|mut words| {
                words.extend(pieces.iter().flatten().cloned());
                words
            })
            .collect(),
        pieces => found
            .iter()
            .flat_map(|words| {
                pieces
                    .iter()
                    .map(move |piece| words.iter().chain(piece).cloned().collect())
            })
            .collect(),
    }
}

/// `mx400-mx850`, `mx400-550`; the `s7-300` is one model.
fn range(word: &str) -> Option<ModelRange> {
    let (low, high) = word.split_once('-')?;
    let (letters, from) = letters_and_digits(low)?;
    let to = match letters_and_digits(high) {
        Some((same, to)) if same == letters => to,
        Some(_) => return None,
        None if high.len() == from.len() => high,
        None => return None,
    };
    let (from, to) = (from.parse::<u64>().ok()?, to.parse::<u64>().ok()?);
    (from < to).then(|| ModelRange {
        letters: letters.to_owned(),
        from,
        to,
    })
}

/// `tc10` as `tc` and `10`; nothing else.
fn letters_and_digits(word: &str) -> Option<(&str, &str)> {
    let at = word.find(|c: char| c.is_ascii_digit())?;
    let (letters, digits) = word.split_at_checked(at)?;
    let plain = !letters.is_empty()
        && letters.bytes().all(|b| b.is_ascii_lowercase())
        && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then_some((letters, digits))
}

/// What a word with slashes stands for: `500/550`, `mx800/700/600`, `865240/41/42`, `m8105a/5as`.
fn alternatives(word: &str, book: &NameBook) -> Vec<Vec<String>> {
    let pieces: Vec<&str> = word
        .split('/')
        .filter(|piece| !piece.is_empty())
        .take(MAX_VARIANTS)
        .collect();
    let [first, rest @ ..] = pieces.as_slice() else {
        return Vec::new();
    };
    if rest.is_empty() {
        return vec![tokens(word, book)];
    }
    let has_digit = |piece: &&str| piece.bytes().any(|b| b.is_ascii_digit());
    if !pieces.iter().all(has_digit) {
        // `pet/ct` is one word, `epiq/affiniti` are two products.
        if pieces.iter().any(|piece| piece.len() < 4) {
            return vec![tokens(word, book)];
        }
        return pieces.iter().map(|piece| tokens(piece, book)).collect();
    }
    let start = first.find(|c: char| c.is_ascii_digit()).unwrap_or(0);
    let (letters, numbered) = first.split_at_checked(start).unwrap_or(("", first));
    let digits = numbered.bytes().take_while(u8::is_ascii_digit).count();
    let number = numbered.get(..digits).unwrap_or("");
    let mut found = vec![tokens(first, book)];
    for piece in rest {
        let own = piece.bytes().take_while(u8::is_ascii_digit).count();
        // A shorter number takes the place of the end of the first one.
        let kept = match own {
            0 => "",
            own => digits
                .checked_sub(own)
                .and_then(|kept| number.get(..kept))
                .unwrap_or(""),
        };
        let letters = if own == 0 { "" } else { letters };
        found.push(tokens(&[letters, kept, piece].concat(), book));
    }
    found
}

/// The runs of letters and of digits of a word; `xr656+` says `plus`.
fn tokens(word: &str, book: &NameBook) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut last: Option<bool> = None;
    for c in word.chars() {
        if c == '+' && last.is_some() {
            tokens.push("plus".to_owned());
            last = None;
        } else if c.is_alphanumeric() {
            let digit = c.is_ascii_digit();
            match tokens.last_mut() {
                Some(token) if last == Some(digit) => token.push(c),
                _ => tokens.push(c.to_string()),
            }
            last = Some(digit);
        } else {
            last = None;
        }
    }
    for token in &mut tokens {
        if let Some(right) = book.typos.get(token) {
            token.clone_from(right);
        }
    }
    tokens
}
