//! Which rules can only hit bytes that begin in a certain way, so that a message need not be held against rules for programs.
//!
//! Two in three public rules demand a mark at offset 0 (`uint16(0) == 0x5A4D and …`). Where such a comparison is one of the
//! operands of a condition that is nothing but `and`, the rule is false for all other bytes, whatever else stands in it.
//! Everything that is not seen to be so is asked always: this must never leave a rule out that could hit.

use std::collections::HashSet;

use super::split::{Piece, PieceKind, Tokens};

/// The first bytes that a rule demands, one of several.
pub(super) type Marks = Vec<Vec<u8>>;

/// Whether rules of a file speak of each other or bind all others: then they must stay together.
pub(super) fn are_linked(pieces: &[Piece<'_>]) -> bool {
    let rules = || pieces.iter().filter(|piece| piece.kind == PieceKind::Rule);
    let names: HashSet<&str> = rules().map(|rule| rule.name).collect();
    rules().any(|rule| {
        let first_words = Tokens::of(rule.text).take_while(|token| token.text != "rule");
        if first_words.into_iter().any(|token| token.text == "global") {
            return true;
        }
        // `$a` and `$a*` are strings, not rules.
        let (mut before, mut is_string) = ("", false);
        condition(rule.text).iter().any(|word| {
            let set =
                *word == "*" && !is_string && names.iter().any(|name| name.starts_with(before));
            is_string = matches!(before, "$" | "#" | "@" | "!" | ".") && *word != "*";
            before = word;
            set || !is_string && names.contains(word)
        })
    })
}

/// The marks one of which the rule demands; none if it may hit without any.
pub(super) fn demanded(rule: &str) -> Option<Marks> {
    let words = condition(rule);
    let operands = and_operands(&words)?;
    operands.into_iter().find_map(marks)
}

/// The tokens of the condition, without the brace behind it.
pub(super) fn condition(rule: &str) -> Vec<&str> {
    let words: Vec<&str> = Tokens::of(rule).map(|token| token.text).collect();
    // `condition` is a keyword: nothing else can be so called, and it comes last.
    let at = words.windows(2).rposition(|two| two == ["condition", ":"]);
    let body = at.and_then(|at| words.get(at + 2..)).unwrap_or_default();
    body.split_last()
        .map_or_else(Vec::new, |(_, body)| body.to_vec())
}

/// The operands if the condition is one of `and` alone.
fn and_operands<'w>(words: &'w [&'w str]) -> Option<Vec<&'w [&'w str]>> {
    operands(words, "and", "or")
}

/// What stands between the words `by` outside any bracket; none if `never` stands there, too.
fn operands<'w>(words: &'w [&'w str], by: &str, never: &str) -> Option<Vec<&'w [&'w str]>> {
    let mut depth = 0_i32;
    let mut from = 0;
    let mut all = Vec::new();
    for (at, word) in words.iter().enumerate() {
        match *word {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            word if depth == 0 && word == never => return None,
            word if depth == 0 && word == by => {
                all.push(words.get(from..at)?);
                from = at + 1;
            }
            _ => {}
        }
        if depth < 0 {
            return None;
        }
    }
    all.push(words.get(from..)?);
    (depth == 0).then_some(all)
}

/// The marks that an operand demands: a comparison, or several in brackets between which `or` stands.
fn marks(operand: &[&str]) -> Option<Marks> {
    if let ["(", inner @ .., ")"] = operand
        && let Some(either) = operands(inner, "or", "and")
    {
        return either.into_iter().map(mark).collect();
    }
    mark(operand).map(|mark| vec![mark])
}

/// `uintN(0) == NUMBER`
fn mark(words: &[&str]) -> Option<Vec<u8>> {
    let [function, "(", "0" | "0x0" | "0x00", ")", "=", "=", number] = words else {
        return None;
    };
    let number = match number.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
        None => number.parse().ok()?,
    };
    let short = || u16::try_from(number).ok();
    Some(match *function {
        "uint8" => vec![u8::try_from(number).ok()?],
        "uint16" => short()?.to_le_bytes().to_vec(),
        "uint16be" => short()?.to_be_bytes().to_vec(),
        "uint32" => number.to_le_bytes().to_vec(),
        "uint32be" => number.to_be_bytes().to_vec(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::split::split;
    use super::*;

    fn of(condition: &str) -> Option<Marks> {
        demanded(&format!(
            "rule a {{ strings: $a = \"condition: x\" condition: {condition} }}"
        ))
    }

    #[test]
    fn a_mark_is_demanded_only_where_nothing_else_can_be_true() {
        let mz = Some(vec![b"MZ".to_vec()]);
        assert_eq!(of("uint16(0) == 0x5A4D and all of them"), mz);
        assert_eq!(
            of("filesize < 3KB and (uint16(0)==0x5a4d) and ($a or $b)"),
            mz
        );
        assert_eq!(of("uint16be(0) == 0x4d5a"), mz);
        assert_eq!(
            of("(uint16(0) == 0x5a4d or uint32(0) == 0x464c457f) and $a"),
            Some(vec![b"MZ".to_vec(), b"\x7fELF".to_vec()])
        );
        for open in [
            "uint16(0) == 0x5A4D or all of them",
            "$a and uint16(0) == 0x5A4D or $b",
            "not uint16(0) == 0x5A4D and $a",
            "uint16(0) != 0x5A4D and $a",
            "uint16(0x3c) == 0x5A4D and $a",
            "uint16(0) == 0x5A4D + 1 and $a",
            "(uint16(0) == 0x5A4D or $a) and $b",
            "(uint16(0) == 0x5A4D and $a) or $b",
            "for any i in (1..2) : (uint16(0) == 0x5A4D and $a)",
            "not (uint16(0) == 0x5A4D and $a)",
            "uint16(0) == 0x15A4D and $a",
            "$a",
        ] {
            assert_eq!(of(open), None, "{open}");
        }
    }

    #[test]
    fn rules_that_speak_of_each_other_stay_together() {
        let linked = |text: &str| are_linked(&split(text).unwrap());
        assert!(!linked(
            "rule a { condition: true } rule b { strings: $a = \"x\" condition: $a or #a > 1 or any of ($a*) }"
        ));
        assert!(linked("rule a { condition: true } rule b { condition: a }"));
        assert!(linked(
            "rule ab { condition: true } rule b { condition: any of (a*) }"
        ));
        assert!(linked(
            "global rule a { condition: true } rule b { condition: true }"
        ));
    }
}
