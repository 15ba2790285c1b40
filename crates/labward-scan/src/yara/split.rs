//! Where one rule of a file ends and the next begins, so that a bad rule costs only itself.
//!
//! It must never decide what a rule means: that is the compiler's. Text that it cannot part is compiled whole.

/// A stretch of a rule file that is compiled by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    /// What it is.
    pub(super) kind: PieceKind,
    /// The rule's or module's name; empty for an include.
    pub(super) name: &'a str,
    /// The text.
    pub(super) text: &'a str,
    /// The line of the file at which it begins, from 1.
    pub(super) line: usize,
}

/// What a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PieceKind {
    /// `import "…"`.
    Import,
    /// `include "…"`.
    Include,
    /// `rule … { … }` with the words before it.
    Rule,
}

/// The pieces of a file in their order; none if the text does not follow the grammar.
pub(super) fn split(text: &str) -> Option<Vec<Piece<'_>>> {
    let mut tokens = Tokens::of(text);
    let mut pieces = Vec::new();
    let mut lines = Lines {
        text,
        at: 0,
        line: 1,
    };
    while let Some(first) = tokens.next() {
        let start = first.start;
        let line = lines.of(start);
        let (kind, name) = match first.text {
            "import" | "include" => {
                let what = tokens.next()?;
                let name = what.text.strip_prefix('"')?.strip_suffix('"')?;
                if first.text == "import" {
                    (PieceKind::Import, name)
                } else {
                    (PieceKind::Include, "")
                }
            }
            "private" | "global" | "rule" => (PieceKind::Rule, rule(&mut tokens, first)?),
            _ => return None,
        };
        pieces.push(Piece {
            kind,
            name,
            text: text.get(start..tokens.at)?,
            line,
        });
    }
    (tokens.at == text.len()).then_some(pieces)
}

/// Goes behind the rule whose first word is `first`; its name.
fn rule<'a>(tokens: &mut Tokens<'a>, first: Token<'a>) -> Option<&'a str> {
    let mut word = first;
    while word.text != "rule" {
        if !matches!(word.text, "private" | "global") {
            return None;
        }
        word = tokens.next()?;
    }
    let name = tokens.next()?.text;
    let mut depth = 0_usize;
    loop {
        match tokens.next()?.text {
            "{" => depth += 1,
            "}" => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(name);
                }
            }
            _ => {}
        }
    }
}

/// Counts lines forwards only.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl Lines<'_> {
    fn of(&mut self, at: usize) -> usize {
        let between = self.text.as_bytes().get(self.at..at).unwrap_or_default();
        self.line += memchr::memchr_iter(b'\n', between).count();
        self.at = at;
        self.line
    }
}

/// A word, a string, a regular expression or one other character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    /// Where it begins, in bytes.
    start: usize,
    /// The token as written.
    pub(super) text: &'a str,
}

/// The tokens of a text of rules; it ends where a string or a comment does not.
pub(super) struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    /// Those of `text`.
    pub(super) fn of(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// Goes behind blanks and comments; none if a comment does not end.
    fn skip(&mut self) -> Option<()> {
        loop {
            let rest = self.rest();
            let blanks = rest
                .iter()
                .take_while(|c| c.is_ascii_whitespace() || **c == 0x0b)
                .count();
            let rest = rest.get(blanks..).unwrap_or_default();
            self.at += blanks;
            if rest.starts_with(b"\xef\xbb\xbf") && self.at == 0 {
                self.at = 3;
            } else if rest.starts_with(b"//") {
                self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            } else if rest.starts_with(b"/*") {
                let body = rest.get(2..).unwrap_or_default();
                self.at += 2 + memchr::memmem::find(body, b"*/")? + 2;
            } else {
                return Some(());
            }
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.skip()?;
        let rest = self.rest();
        let first = *rest.first()?;
        let len = match first {
            b'"' => quoted(rest, b'"')?,
            // YARA divides with a backslash: outside comments a slash always begins a regular expression.
            b'/' => quoted(rest, b'/')?,
            c if is_word(c) => rest.iter().take_while(|c| is_word(**c)).count(),
            c if c.is_ascii() => 1,
            _ => self.text.get(self.at..)?.chars().next()?.len_utf8(),
        };
        let start = self.at;
        self.at += len;
        Some(Token {
            start,
            text: self.text.get(start..self.at)?,
        })
    }
}

fn is_word(c: u8) -> bool {
    c.is_ascii_alphanumeric() || c == b'_'
}

/// The length of what `mark` begins and ends, on one line; a backslash takes the character behind it.
fn quoted(rest: &[u8], mark: u8) -> Option<usize> {
    let mut at = 1;
    loop {
        match rest.get(at)? {
            b'\\' => at += 2,
            b'\n' => return None,
            c if *c == mark => return Some(at + 1),
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_stands_by_itself_whatever_its_strings_hold() {
        let text = "import \"pe\"\n// rule no {\n/* rule no2 { */\nprivate rule a : t { meta: x = \"}\" strings: $r = /a\\/}/ \
                    $h = { 4D 5A [2-4] // }\n 00 } condition: all of them }\nrule b { condition: 1 \\ 1 == 1 }\n";
        let pieces = split(text).unwrap();
        let got: Vec<_> = pieces.iter().map(|p| (p.kind, p.name, p.line)).collect();
        assert_eq!(
            got,
            [
                (PieceKind::Import, "pe", 1),
                (PieceKind::Rule, "a", 4),
                (PieceKind::Rule, "b", 6)
            ]
        );
        assert!(pieces[1].text.starts_with("private rule a"));
        assert!(pieces[2].text.ends_with('}'));
    }

    #[test]
    fn what_does_not_follow_the_grammar_is_not_parted() {
        assert_eq!(split("rule a {"), None);
        assert_eq!(split("hello"), None);
        assert_eq!(split("rule a { /* }"), None);
        assert_eq!(split("rule a { condition: \"x }"), None);
        assert_eq!(split("  \n// only words\n").unwrap(), []);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_parted_or_refused(text in "[rule a{}\"/\\\\\n*$]{0,80}|\\PC{0,80}") {
            let _ = split(&text);
        }
    }
}
