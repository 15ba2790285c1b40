//! One version, date, wildcard or name of a range.

use super::{Bound, DateOf, Source, Unit, WhyUnreadable};
use crate::date;
use crate::version::{Scheme, Version};

/// What a text between operators is.
pub(super) enum Operand {
    /// Something that has an order.
    Bound(Bound, Unit),
    /// A letter to a letter, such as `B-M`, or a year to a year.
    Span(Bound, Bound),
    /// Several versions with nothing but space between them.
    Several(Vec<Bound>),
    /// A model or another name.
    Name(Version),
}

/// Words that say only that a version follows.
const LEAD: &[&str] = &[
    "bios", "builds", "firmware", "release", "releases", "software", "the", "version", "versions",
];

/// Whether a text says nothing but that versions follow, or were named.
pub(super) fn is_lead(plain: &str) -> bool {
    plain
        .split_whitespace()
        .all(|word| LEAD.contains(&word.trim_end_matches(':')))
}

/// Reads the text between operators; `operator` says whether one stands at it.
pub(super) fn read(
    source: Source<'_>,
    plain: &str,
    operator: bool,
) -> Result<Operand, WhyUnreadable> {
    let plain = without_lead(plain);
    match date::read(plain.trim_end_matches('.')) {
        date::Found::Date(date) => {
            let items = date.items();
            let whole = items.len() < 3;
            let version = Version::from_items(source.shown(plain), Scheme::Date, items);
            return Ok(Operand::Bound(
                Bound {
                    version,
                    inclusive: true,
                    whole,
                },
                Unit::Date(DateOf::Unsaid),
            ));
        }
        date::Found::NoYear => return Err(WhyUnreadable::NoYear),
        date::Found::Ambiguous => return Err(WhyUnreadable::AmbiguousDate),
        date::Found::None => {}
    }
    if let Some((low, high)) = span(plain) {
        let bound = |text: &str| Bound {
            version: Version::read(source.shown(text)),
            inclusive: true,
            whole: false,
        };
        return Ok(Operand::Span(bound(low), bound(high)));
    }
    if let Some(several) = several(source, plain) {
        return Ok(Operand::Several(several));
    }
    if let Some(stem) = wildcard(plain) {
        return match wild(source, plain, stem) {
            // Without an operator it may be a name, such as `DH-NVR1XXX`.
            Err(WhyUnreadable::Wildcard) if !operator && !plain.contains('.') => {
                Ok(Operand::Name(Version::read(source.shown(plain))))
            }
            read => read,
        };
    }
    // `Product ID/Reorder number 19191`: what follows the word is the name.
    if !operator && let Some((_, number)) = plain.split_once(" number ") {
        return Ok(Operand::Name(Version::read(source.shown(number.trim()))));
    }
    let version = Version::read(source.shown(plain));
    if version.scheme() == Scheme::Unread {
        return if operator {
            Err(WhyUnreadable::Operand)
        } else {
            Ok(Operand::Name(version))
        };
    }
    if !operator && is_catalogue_number(plain) {
        return Ok(Operand::Name(version));
    }
    let unit = if is_part_number(plain) {
        Unit::Part
    } else if !operator && is_mark(plain) {
        Unit::Mark
    } else {
        Unit::Version
    };
    Ok(Operand::Bound(
        Bound {
            version,
            inclusive: true,
            whole: false,
        },
        unit,
    ))
}

fn without_lead(plain: &str) -> &str {
    let mut rest = plain.trim();
    while let Some((word, after)) = rest.split_once(char::is_whitespace) {
        if !LEAD.contains(&word.trim_end_matches(':')) {
            break;
        }
        rest = after.trim_start();
    }
    rest
}

/// `b-m` behind `rev`, `2009-2010`.
fn span(plain: &str) -> Option<(&str, &str)> {
    let text = plain.strip_prefix("rev ").unwrap_or(plain).trim();
    let (low, high) = text.split_once('-')?;
    let letters = |t: &str| t.len() == 1 && t.bytes().all(|b| b.is_ascii_lowercase());
    let year = |t: &str| {
        t.len() == 4
            && (t.starts_with("19") || t.starts_with("20"))
            && t.bytes().all(|b| b.is_ascii_digit())
    };
    ((letters(low) && letters(high)) || (year(low) && year(high))).then_some((low, high))
}

/// `1.3.2 1.4.0 1.4.1`.
fn several(source: Source<'_>, plain: &str) -> Option<Vec<Bound>> {
    if !plain.contains(char::is_whitespace) {
        return None;
    }
    let dotted = |word: &str| {
        let word = word.strip_prefix('v').unwrap_or(word);
        word.contains('.')
            && word.split('.').all(|part| {
                !part.is_empty() && (part.bytes().all(|b| b.is_ascii_digit()) || part == "x")
            })
    };
    let words: Vec<&str> = plain.split_whitespace().collect();
    if words.len() < 2 || !words.iter().all(|word| dotted(word)) {
        return None;
    }
    Some(
        words
            .iter()
            .map(|word| {
                let stem = wildcard(word);
                Bound {
                    version: Version::read(source.shown(stem.unwrap_or(word))),
                    inclusive: true,
                    whole: stem.is_some(),
                }
            })
            .collect(),
    )
}

/// What stands before `.x`, `.x.x` or `.*` at the end; the whole text where an `x` stands inside a number.
fn wildcard(plain: &str) -> Option<&str> {
    let mut stem = plain;
    while let Some(shorter) = ["", "x", "xx"]
        .iter()
        .find_map(|more| stem.strip_suffix(more)?.strip_suffix(".x"))
        .or_else(|| stem.strip_suffix(".*"))
    {
        stem = shorter;
    }
    if stem.len() < plain.len() {
        return Some(stem);
    }
    let bytes = plain.as_bytes();
    let inside = bytes
        .windows(2)
        .any(|pair| matches!(pair, [b'0'..=b'9' | b'.', b'x']))
        && !plain.contains(' ');
    inside.then_some(plain)
}

fn wild(source: Source<'_>, plain: &str, stem: &str) -> Result<Operand, WhyUnreadable> {
    if stem.len() < plain.len() && !stem.split('.').any(|part| part == "x") {
        let version = Version::read(source.shown(stem));
        return if version.scheme() == Scheme::Unread {
            Ok(Operand::Name(Version::read(source.shown(plain))))
        } else {
            Ok(Operand::Bound(
                Bound {
                    version,
                    inclusive: true,
                    whole: true,
                },
                Unit::Version,
            ))
        };
    }
    // C.0x is C.00 to C.09: the zero says that two digits stand there.
    if let Some(digits) = plain
        .strip_suffix("0x")
        .filter(|before| before.ends_with('.') && !before.contains('x'))
    {
        let bound = |digit: char, whole| {
            let read = Version::read(&format!("{digits}0{digit}"));
            let version =
                Version::from_items(source.shown(plain), read.scheme(), read.items().to_vec());
            Bound {
                version,
                inclusive: true,
                whole,
            }
        };
        return Ok(Operand::Span(bound('0', false), bound('9', true)));
    }
    Err(WhyUnreadable::Wildcard)
}

/// A number of three digits or more, letters with a number, or `20-33`: a version, or a model, or from one to another.
fn is_mark(plain: &str) -> bool {
    let digits = plain.bytes().take_while(u8::is_ascii_digit).count();
    let letters = plain.bytes().take_while(u8::is_ascii_lowercase).count();
    let two = plain.split_once('-').is_some_and(|(a, b)| {
        [a, b]
            .iter()
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
    });
    // `1.275M-1.280S` may be one version or all from the first to the second.
    let dotted = plain.split_once('-').is_some_and(|(a, b)| {
        [a, b]
            .iter()
            .all(|part| part.contains('.') && part.starts_with(|c: char| c.is_ascii_digit()))
    });
    if dotted {
        return true;
    }
    !plain.contains('.')
        && !plain.starts_with("ver")
        && (two || digits >= 3 || (letters >= 1 && plain.len() > letters && !is_v_number(plain)))
}

fn is_v_number(plain: &str) -> bool {
    plain
        .strip_prefix('v')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// `mmt-1710`, `1sap520200r0001`.
fn is_catalogue_number(plain: &str) -> bool {
    let letters = plain.bytes().take_while(u8::is_ascii_lowercase).count();
    let rest = plain.get(letters..).unwrap_or("");
    letters >= 2
        && rest.strip_prefix('-').is_some_and(|number| {
            number.len() >= 3
                && number.bytes().take(3).all(|b| b.is_ascii_digit())
                && !number.contains('.')
        })
}

/// `012u000061`: three digits, a letter, six digits.
fn is_part_number(plain: &str) -> bool {
    let bytes = plain.as_bytes();
    bytes.len() == 10
        && bytes.iter().enumerate().all(|(at, b)| {
            if at == 3 {
                b.is_ascii_lowercase()
            } else {
                b.is_ascii_digit()
            }
        })
}
