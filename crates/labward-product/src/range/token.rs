//! The tokens of a folded text: operators, the words that stand for them, and what is between.

use Operator::{Above, AtLeast, AtMost, Below};

use super::DateOf;

/// An operator with the version that follows it, or that it follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Above,
    AtLeast,
    AtMost,
    Below,
    Equal,
    /// `!=`, which no rule reads.
    Not,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// `all`, `any`, `*`.
    All,
    Bar,
    Between,
    /// A CVE number alone.
    Cve(&'t str),
    Except,
    Excluding,
    Including,
    Join,
    /// What is said to have happened on a day.
    Date(DateOf),
    /// An operator as a sign.
    Sign(Operator),
    /// An operator in words, before its version.
    Word(Operator),
    /// An operator in words, behind its version.
    Behind(Operator),
    /// A text in brackets.
    Paren(&'t str),
    Span,
    /// What must hold besides, up to the next `|`.
    Tail(&'t str),
    Text(&'t str),
}

/// Words that stand for something; longer ones first where one begins another.
const PHRASES: &[(&[&str], Token<'static>)] = &[
    (&["up", "to", "and", "including"], Token::Word(AtMost)),
    (&["and", "all", "prior"], Token::Behind(AtMost)),
    (&["and", "all", "earlier"], Token::Behind(AtMost)),
    (&["and", "below"], Token::Behind(AtMost)),
    (&["and", "prior"], Token::Behind(AtMost)),
    (&["and", "earlier"], Token::Behind(AtMost)),
    (&["and", "older"], Token::Behind(AtMost)),
    (&["and", "lower"], Token::Behind(AtMost)),
    (&["and", "previous"], Token::Behind(AtMost)),
    (&["and", "before"], Token::Behind(AtMost)),
    (&["and", "under"], Token::Behind(AtMost)),
    (&["or", "below"], Token::Behind(AtMost)),
    (&["or", "prior"], Token::Behind(AtMost)),
    (&["or", "earlier"], Token::Behind(AtMost)),
    (&["or", "older"], Token::Behind(AtMost)),
    (&["or", "lower"], Token::Behind(AtMost)),
    (&["or", "previous"], Token::Behind(AtMost)),
    (&["and", "above"], Token::Behind(AtLeast)),
    (&["and", "later"], Token::Behind(AtLeast)),
    (&["and", "newer"], Token::Behind(AtLeast)),
    (&["and", "higher"], Token::Behind(AtLeast)),
    (&["and", "onwards"], Token::Behind(AtLeast)),
    (&["or", "above"], Token::Behind(AtLeast)),
    (&["or", "later"], Token::Behind(AtLeast)),
    (&["or", "newer"], Token::Behind(AtLeast)),
    (&["or", "higher"], Token::Behind(AtLeast)),
    (&["onwards"], Token::Behind(AtLeast)),
    (&["prior", "to"], Token::Word(Below)),
    (&["previous", "to"], Token::Word(Below)),
    (&["earlier", "than"], Token::Word(Below)),
    (&["lower", "than"], Token::Word(Below)),
    (&["less", "than"], Token::Word(Below)),
    (&["older", "than"], Token::Word(Below)),
    (&["before"], Token::Word(Below)),
    (&["below"], Token::Word(Below)),
    (&["up", "to"], Token::Word(AtMost)),
    (&["later", "than"], Token::Word(Above)),
    (&["newer", "than"], Token::Word(Above)),
    (&["higher", "than"], Token::Word(Above)),
    (&["greater", "than"], Token::Word(Above)),
    (&["above"], Token::Word(Above)),
    (&["starting", "with"], Token::Word(AtLeast)),
    (&["from"], Token::Word(AtLeast)),
    (&["between"], Token::Between),
    (&["through"], Token::Span),
    (&["thru"], Token::Span),
    (&["to"], Token::Span),
    (&["-"], Token::Span),
    (&["and"], Token::Join),
    (&["or"], Token::Join),
    (&["&"], Token::Join),
    (&["/"], Token::Join),
    (&["all"], Token::All),
    (&["any"], Token::All),
    (&["*"], Token::All),
    (&["except"], Token::Except),
    (&["but"], Token::Except),
    (&["not"], Token::Except),
    (&["without"], Token::Except),
    (&["inclusive"], Token::Including),
    (&["exclusive"], Token::Excluding),
    (&["distributed"], Token::Date(DateOf::Distributed)),
    (&["shipped"], Token::Date(DateOf::Shipped)),
    (&["manufactured"], Token::Date(DateOf::Made)),
    (&["production", "date"], Token::Date(DateOf::Made)),
];

/// Words with which a condition begins.
const TAILS: &[&str] = &[
    "as",
    "based",
    "for",
    "if",
    "in",
    "including",
    "model",
    "models",
    "on",
    "only",
    "running",
    "used",
    "using",
    "when",
    "where",
    "with",
];

/// Reads the tokens of a folded text; every byte that is no space ends in one of them.
pub(super) fn tokens(plain: &str) -> Vec<Token<'_>> {
    let mut reader = Reader {
        plain,
        at: 0,
        tokens: Vec::new(),
        text: None,
    };
    while reader.step() {}
    reader.end_text();
    reader.tokens
}

struct Reader<'t> {
    plain: &'t str,
    at: usize,
    tokens: Vec<Token<'t>>,
    /// Where the text that is being gathered begins and ends.
    text: Option<(usize, usize)>,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.plain.get(self.at..).unwrap_or("")
    }

    fn end_text(&mut self) {
        if let Some(text) = self.gathered() {
            self.tokens.push(Token::Text(text));
        }
        self.text = None;
    }

    fn gathered(&self) -> Option<&'t str> {
        let (start, end) = self.text?;
        self.plain.get(start..end).filter(|text| !text.is_empty())
    }

    fn push(&mut self, token: Token<'t>, bytes: usize) -> bool {
        self.end_text();
        self.tokens.push(token);
        self.at += bytes;
        true
    }

    fn gather(&mut self, bytes: usize) -> bool {
        let start = self.text.map_or(self.at, |(start, _)| start);
        self.at += bytes;
        self.text = Some((start, self.at));
        true
    }

    /// Reads one token or one word; false at the end.
    fn step(&mut self) -> bool {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return false;
        };
        if first.is_whitespace() {
            self.at += first.len_utf8();
            return true;
        }
        match first {
            '|' | ';' => return self.push(Token::Bar, 1),
            ',' => return self.comma(rest),
            '(' => return self.paren(rest),
            '<' | '>' | '=' | '!' => {
                let (operator, bytes) = sign(rest);
                return self.push(Token::Sign(operator), bytes);
            }
            _ => {}
        }
        let word = word(rest);
        if word.starts_with("cve-") {
            return self.push(Token::Cve(word), word.len());
        }
        for (phrase, token) in PHRASES {
            if phrase.first() == Some(&word)
                && let Some(bytes) = matches(rest, phrase)
            {
                return self.push(*token, bytes);
            }
        }
        if TAILS.contains(&word) {
            let tail = rest.get(..tail_end(rest)).unwrap_or(rest);
            return self.push(Token::Tail(tail), tail.len());
        }
        self.gather(word.len().max(first.len_utf8()))
    }

    /// A comma parts versions, and belongs to `april 1, 2018`.
    fn comma(&mut self, rest: &'t str) -> bool {
        let year = word(rest.get(1..).unwrap_or("").trim_start());
        let in_date = year.len() == 4
            && year.bytes().all(|b| b.is_ascii_digit())
            && self.gathered().is_some_and(|text| {
                text.bytes().any(|b| b.is_ascii_digit())
                    && text.bytes().filter(u8::is_ascii_lowercase).count() > 2
                    && !text.contains('.')
            });
        if in_date {
            self.gather(1)
        } else {
            self.push(Token::Join, 1)
        }
    }

    /// Brackets inside a version, as in `02.07.07(10)`, belong to it.
    fn paren(&mut self, rest: &'t str) -> bool {
        let mut depth = 0_u32;
        let mut end = rest.len();
        for (at, c) in rest.char_indices() {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                end = at;
                break;
            }
        }
        let inner = rest.get(1..end).unwrap_or("");
        let attached = self.text.is_some_and(|(_, text_end)| text_end == self.at);
        let whole = rest.len().min(end + 1);
        if attached && inner.len() <= 6 && inner.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return self.gather(whole);
        }
        match inner.trim() {
            "including" => self.push(Token::Including, whole),
            "excluding" => self.push(Token::Excluding, whole),
            inner => self.push(Token::Paren(inner), whole),
        }
    }
}

fn sign(rest: &str) -> (Operator, usize) {
    const SIGNS: &[(&str, Operator)] = &[
        ("<=", AtMost),
        ("=<", AtMost),
        (">=", AtLeast),
        ("=>", AtLeast),
        ("!=", Operator::Not),
        ("<>", Operator::Not),
        ("==", Operator::Equal),
        ("<", Below),
        (">", Above),
        ("=", Operator::Equal),
    ];
    SIGNS
        .iter()
        .find(|(text, _)| rest.starts_with(text))
        .map_or((Operator::Not, 1), |(text, operator)| {
            (*operator, text.len())
        })
}

/// The word at the start: up to a space, a comma, a bar, a bracket or an operator.
fn word(rest: &str) -> &str {
    let end = rest
        .find(|c: char| {
            c.is_whitespace() || matches!(c, ',' | '|' | ';' | '(' | '<' | '>' | '=' | '!')
        })
        .unwrap_or(rest.len());
    rest.get(..end).unwrap_or(rest)
}

/// How many bytes the words of `phrase` take at the start of `rest`, if they stand there.
fn matches(rest: &str, phrase: &[&str]) -> Option<usize> {
    let mut at = 0;
    for wanted in phrase {
        let here = rest.get(at..)?;
        let trimmed = here.trim_start();
        if word(trimmed) != *wanted {
            return None;
        }
        at += here.len() - trimmed.len() + wanted.len();
    }
    Some(at)
}

/// Where a condition ends: at a bar outside brackets, or at the brackets that end it.
fn tail_end(rest: &str) -> usize {
    let mut depth = 0_u32;
    let mut opened = None;
    let mut closed = None;
    for (at, c) in rest.char_indices() {
        match c {
            '(' => {
                if depth == 0 {
                    opened = Some(at);
                }
                depth += 1;
            }
            ')' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    closed = opened;
                }
            }
            '|' if depth == 0 => return closed.unwrap_or(at),
            c if c.is_whitespace() => {}
            // What follows the brackets is one sentence with what stands before them.
            _ if depth == 0 => closed = None,
            _ => {}
        }
    }
    closed.unwrap_or(rest.len())
}
