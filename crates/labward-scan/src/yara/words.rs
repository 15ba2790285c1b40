//! Which rules can only hit bytes that hold certain words, so that a message that holds none need not be held against them.
//!
//! What a condition demands is read from the tree of boreal's own parser. A word is a run of bytes without which a string
//! cannot match, in lower case, as both sides are compared. Everything that is not seen to demand one is asked always: this
//! must never leave a rule out that could hit.

use boreal_parser::expression::{Expression, ExpressionKind, ForSelection, VariableSet};
use boreal_parser::file::YaraFileComponent;
use boreal_parser::hex_string::Token;
use boreal_parser::regex::Node;
use boreal_parser::rule::{Rule, VariableDeclaration, VariableDeclarationValue};

/// Fewer bytes stand by chance in the Base64 of a document.
pub(super) const SHORTEST: usize = 6;
/// How deep a condition is followed.
const DEPTH_MAX: usize = 32;

/// Words of which one must be there.
type Words = Vec<Vec<u8>>;

/// The words of which the bytes must hold one if the rule is to hit; none if it may hit without.
pub(super) fn needed(rule: &str) -> Option<Words> {
    let file = boreal_parser::parse(rule).ok()?;
    let [YaraFileComponent::Rule(rule)] = file.components.as_slice() else {
        return None;
    };
    let strings = Strings::of(rule);
    strings.of_condition(&rule.condition, 0)
}

/// The strings of a rule, each with the words that it demands.
struct Strings<'r>(Vec<(&'r str, Option<Words>)>);

impl<'r> Strings<'r> {
    fn of(rule: &'r Rule) -> Self {
        let strings = rule.variables.iter();
        Self(
            strings
                .map(|one| (one.name.as_str(), of_string(one)))
                .collect(),
        )
    }

    fn named(&self, name: &str) -> Option<Words> {
        // `$` within a `for` is another one each time, and strings without a name have none of their own.
        if name.is_empty() {
            return None;
        }
        let found = self.0.iter().find(|(other, _)| *other == name)?;
        found.1.clone()
    }

    fn of_condition(&self, condition: &Expression, depth: usize) -> Option<Words> {
        use ExpressionKind as E;
        if depth > DEPTH_MAX {
            return None;
        }
        match &condition.expr {
            E::Variable(name)
            | E::VariableAt {
                variable_name: name,
                ..
            }
            | E::VariableIn {
                variable_name: name,
                ..
            } => self.named(name),
            E::And(all) => all
                .iter()
                .filter_map(|one| self.of_condition(one, depth + 1))
                .min_by_key(cost),
            E::Or(any) => union(any.iter().map(|one| self.of_condition(one, depth + 1))),
            E::For {
                selection,
                set,
                body: None,
            }
            | E::ForIn { selection, set, .. }
            | E::ForAt { selection, set, .. } => self.of_selection(selection, set),
            E::Cmp {
                left,
                right,
                less_than,
                can_be_equal,
            } => {
                let (more, less) = match less_than {
                    true => (right, left),
                    false => (left, right),
                };
                self.of_count(more, less, if *can_be_equal { 1 } else { 0 })
            }
            E::Eq(one, other) => {
                let (one, other) = (one, other);
                self.of_count(one, other, 1)
                    .or_else(|| self.of_count(other, one, 1))
            }
            _ => None,
        }
    }

    /// A count that is to be more than, or as much as, a number of at least `least`.
    fn of_count(&self, count: &Expression, number: &Expression, least: i64) -> Option<Words> {
        match (&count.expr, &number.expr) {
            (
                ExpressionKind::Count(name)
                | ExpressionKind::CountInRange {
                    variable_name: name,
                    ..
                },
                ExpressionKind::Integer(number),
            ) if *number >= least => self.named(name),
            _ => None,
        }
    }

    /// Of m strings of which n must match, any m − n + 1 hold one that does.
    fn of_selection(&self, selection: &ForSelection, set: &VariableSet) -> Option<Words> {
        let chosen = self.chosen(set);
        let many = match selection {
            ForSelection::Any => 1,
            ForSelection::All => chosen.len(),
            ForSelection::None => return None,
            ForSelection::Expr { expr, as_percent } => match expr.expr {
                ExpressionKind::Integer(number) if number >= 1 && *as_percent => 1,
                ExpressionKind::Integer(number) if number >= 1 => usize::try_from(number).ok()?,
                _ => return None,
            },
        };
        let enough = (chosen.len() + 1).saturating_sub(many).max(1);
        let mut known: Vec<&Words> = chosen.into_iter().flatten().collect();
        if known.len() < enough {
            return None;
        }
        known.sort_by_key(|words| cost(words));
        Some(known.into_iter().take(enough).flatten().cloned().collect())
    }

    /// The strings of a set, each once.
    fn chosen(&self, set: &VariableSet) -> Vec<Option<&Words>> {
        let is_in = |name: &str| {
            set.elements.is_empty()
                || set
                    .elements
                    .iter()
                    .any(|element| match element.is_wildcard {
                        true => name.starts_with(&element.name),
                        false => name == element.name,
                    })
        };
        let strings = self.0.iter().filter(|(name, _)| is_in(name));
        strings.map(|(_, words)| words.as_ref()).collect()
    }
}

/// The words of all; none if one has none.
fn union(all: impl Iterator<Item = Option<Words>>) -> Option<Words> {
    let all: Option<Vec<Words>> = all.collect();
    all.filter(|all| !all.is_empty()).map(|all| all.concat())
}

/// Long words first, then few.
fn cost(words: &Words) -> (usize, usize) {
    let shortest = words.iter().map(Vec::len).min().unwrap_or(0).min(12);
    (usize::MAX - shortest, words.len())
}

/// The words of which the bytes must hold one if the string is to match.
fn of_string(string: &VariableDeclaration) -> Option<Words> {
    let modifiers = &string.modifiers;
    if modifiers.xor.is_some() || modifiers.base64.is_some() {
        return None;
    }
    let plain = match &string.value {
        VariableDeclarationValue::Bytes(bytes) => vec![bytes.clone()],
        VariableDeclarationValue::HexString(tokens) => {
            vec![longest(tokens.iter().map(|token| match token {
                Token::Byte(byte) => Some(*byte),
                _ => None,
            }))]
        }
        VariableDeclarationValue::Regex(regex) => of_branch(&regex.ast, 0)?,
    };
    let mut words = Words::new();
    for word in plain {
        if modifiers.ascii || !modifiers.wide {
            words.push(word.to_ascii_lowercase());
        }
        if modifiers.wide {
            let wide = word.iter().flat_map(|byte| [byte.to_ascii_lowercase(), 0]);
            words.push(wide.collect());
        }
    }
    words
        .iter()
        .all(|word| word.len() >= SHORTEST)
        .then_some(words)
}

/// The longest run of letters of each branch of an expression.
fn of_branch(node: &Node, depth: usize) -> Option<Words> {
    if depth > DEPTH_MAX {
        return None;
    }
    match node {
        Node::Alternation(branches) => {
            union(branches.iter().map(|branch| of_branch(branch, depth + 1)))
        }
        Node::Group(inner) => of_branch(inner, depth + 1),
        Node::Concat(nodes) => Some(vec![longest(nodes.iter().map(|node| match node {
            Node::Literal(literal) => Some(literal.byte),
            _ => None,
        }))]),
        _ => None,
    }
}

/// The longest run of known bytes; empty if none is known.
fn longest(bytes: impl Iterator<Item = Option<u8>>) -> Vec<u8> {
    let (mut best, mut run) = (Vec::new(), Vec::new());
    for byte in bytes.chain([None]) {
        match byte {
            Some(byte) => run.push(byte),
            None if run.len() > best.len() => best = std::mem::take(&mut run),
            None => run.clear(),
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRINGS: &str = "$a = \"Alphabet\" $b = \"beta\" wide $c = { 01 02 03 04 05 06 ?? 41 42 } $d = /x[0-9]+Delta_(e|f)/i \
        $s = \"abcde\" $x = \"gamma_\" xor $e = \"epsilon\" base64 $r = /one|(twotwo)/ $w = \"abcdef\" ascii wide";

    fn of(condition: &str) -> Option<Vec<String>> {
        let words = needed(&format!(
            "rule r {{ strings: {STRINGS} condition: {condition} }}"
        ))?;
        Some(
            words
                .iter()
                .map(|word| word.escape_ascii().to_string())
                .collect(),
        )
    }

    fn some(words: &[&str]) -> Option<Vec<String>> {
        Some(words.iter().map(|word| (*word).to_owned()).collect())
    }

    #[test]
    fn a_word_is_needed_only_where_no_hit_is_without() {
        let hex = "\\x01\\x02\\x03\\x04\\x05\\x06";
        assert_eq!(of("$a"), some(&["alphabet"]));
        assert_eq!(of("$b at 0"), some(&["b\\x00e\\x00t\\x00a\\x00"]));
        assert_eq!(
            of("$w"),
            some(&["abcdef", "a\\x00b\\x00c\\x00d\\x00e\\x00f\\x00"])
        );
        assert_eq!(of("$c in (0..10)"), some(&[hex]));
        assert_eq!(of("$d and filesize < 5KB"), some(&["delta_"]));
        assert_eq!(of("$a or $d"), some(&["alphabet", "delta_"]));
        assert_eq!(of("$s and $a and $c"), some(&["alphabet"]));
        assert_eq!(of("any of ($a, $d)"), some(&["alphabet", "delta_"]));
        assert_eq!(of("2 of ($a, $c, $s)"), some(&["alphabet", hex]));
        assert_eq!(of("all of them"), some(&["alphabet"]));
        assert_eq!(of("#a > 0 and uint16(0) == 1"), some(&["alphabet"]));
        assert_eq!(of("3 <= #a"), some(&["alphabet"]));
        assert_eq!(of("#a == 2"), some(&["alphabet"]));
        for open in [
            "true",
            "$s",
            "$x",
            "$e",
            "$r",
            "not $a",
            "$a or filesize < 5",
            "any of them",
            "none of them",
            "#a >= 0",
            "#a < 2",
            "#a == 0",
            "2 of ($a, $s, $x)",
            "for any of ($a) : (not $)",
            "0 of ($a)",
            "$a == false",
            "for all i in (1..#a) : (@a[i] < 3)",
            "$a or not $d",
            "#a > -1",
            "1 < 2",
        ] {
            assert_eq!(of(open), None, "{open}");
        }
    }
}
