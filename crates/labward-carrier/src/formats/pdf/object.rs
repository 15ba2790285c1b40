//! The objects of PDF (ISO 32000-1, 7.3), read wherever they stand: the table that says where is not believed.

/// Objects in objects, at most.
const DEEPEST: usize = 48;
/// A longer comment ends here: what stands in it may be what a table points to.
const LONGEST_COMMENT: usize = 512;
/// More entries of one array or dictionary are passed over.
const MOST_ENTRIES: usize = 100_000;

/// A value; numbers and what is no value are [`Value::Other`].
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Name(String),
    Text(Vec<u8>),
    Number(i64),
    Reference(u32),
    Array(Vec<Value>),
    Dict(Vec<(String, Value)>),
    Other,
}

impl Value {
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Dict(entries) => entries.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            _ => None,
        }
    }

    /// Whether the entry `key` is this name.
    pub(super) fn is(&self, key: &str, name: &str) -> bool {
        self.get(key).and_then(Self::name) == Some(name)
    }

    /// The values of an array, or the value itself.
    pub(super) fn each(&self) -> &[Self] {
        match self {
            Self::Array(values) => values,
            value => std::slice::from_ref(value),
        }
    }

    pub(super) fn size(&self) -> Option<usize> {
        match self {
            Self::Number(n) => usize::try_from(*n).ok(),
            _ => None,
        }
    }
}

/// Reads values one behind the other.
pub(super) struct Parser<'b> {
    bytes: &'b [u8],
    pub(super) at: usize,
}

impl<'b> Parser<'b> {
    pub(super) fn new(bytes: &'b [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    fn rest(&self) -> &'b [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Blanks and comments.
    pub(super) fn skip_blank(&mut self) {
        while let Some(c) = self.peek() {
            match c {
                b'%' => {
                    let line = self.rest();
                    let line = line.get(..LONGEST_COMMENT).unwrap_or(line);
                    let end = line.iter().position(|c| matches!(c, b'\r' | b'\n'));
                    self.at += end.unwrap_or(line.len());
                }
                _ if is_blank(c) => self.at += 1,
                _ => break,
            }
        }
    }

    /// Whether the word stands here; then it is passed over.
    pub(super) fn word(&mut self, word: &[u8]) -> bool {
        self.skip_blank();
        let found = self.rest().starts_with(word);
        self.at += if found { word.len() } else { 0 };
        found
    }

    pub(super) fn value(&mut self) -> Option<Value> {
        self.value_at(0)
    }

    fn value_at(&mut self, depth: usize) -> Option<Value> {
        if depth > DEEPEST {
            return None;
        }
        self.skip_blank();
        match self.rest() {
            [b'<', b'<', ..] => self.dict(depth),
            [b'<', ..] => Some(self.hex()),
            [b'(', ..] => Some(self.literal()),
            [b'/', ..] => Some(Value::Name(self.name())),
            [b'[', ..] => self.array(depth),
            [b'0'..=b'9' | b'+' | b'-' | b'.', ..] => Some(self.number_or_reference()),
            [c, ..] if c.is_ascii_alphabetic() => {
                self.token();
                Some(Value::Other)
            }
            _ => None,
        }
    }

    fn dict(&mut self, depth: usize) -> Option<Value> {
        self.at += 2;
        let mut entries = Vec::new();
        loop {
            if self.word(b">>") {
                return Some(Value::Dict(entries));
            }
            if self.peek() != Some(b'/') || entries.len() > MOST_ENTRIES {
                // Damaged: what was read so far counts.
                return (!entries.is_empty()).then_some(Value::Dict(entries));
            }
            let key = self.name();
            if self.word(b">>") {
                return Some(Value::Dict(entries));
            }
            match self.value_at(depth + 1) {
                Some(value) => entries.push((key, value)),
                None => return (!entries.is_empty()).then_some(Value::Dict(entries)),
            }
        }
    }

    fn array(&mut self, depth: usize) -> Option<Value> {
        self.at += 1;
        let mut values = Vec::new();
        while !self.word(b"]") && values.len() <= MOST_ENTRIES {
            match self.value_at(depth + 1) {
                Some(value) => values.push(value),
                None => break,
            }
        }
        Some(Value::Array(values))
    }

    /// `#xx` in a name is a character, also of `/JavaScript`.
    fn name(&mut self) -> String {
        self.at += 1;
        let mut name = Vec::new();
        while let Some(c) = self.peek().filter(|c| is_regular(*c)) {
            self.at += 1;
            let pair = self.rest().get(..2).filter(|_| c == b'#');
            match pair.and_then(hex_pair) {
                Some(byte) => {
                    name.push(byte);
                    self.at += 2;
                }
                None => name.push(c),
            }
        }
        String::from_utf8_lossy(&name).into_owned()
    }

    fn token(&mut self) -> &'b [u8] {
        let rest = self.rest();
        let len = rest.iter().take_while(|c| is_regular(**c)).count();
        self.at += len.max(1);
        rest.get(..len).unwrap_or_default()
    }

    fn number_or_reference(&mut self) -> Value {
        let number = integer(self.token());
        let behind = self.at;
        let reference = number.and_then(|n| u32::try_from(n).ok()).filter(|_| {
            self.skip_blank();
            self.peek().is_some_and(|c| c.is_ascii_digit())
                && integer(self.token()).is_some()
                && self.word(b"R")
        });
        match (reference, number) {
            (Some(reference), _) => Value::Reference(reference),
            (None, number) => {
                self.at = behind;
                number.map_or(Value::Other, Value::Number)
            }
        }
    }

    fn hex(&mut self) -> Value {
        self.at += 1;
        let rest = self.rest();
        let len = memchr::memchr(b'>', rest).unwrap_or(rest.len());
        self.at += len + 1;
        Value::Text(super::filter::hex(rest.get(..len).unwrap_or_default()))
    }

    fn literal(&mut self) -> Value {
        self.at += 1;
        let mut text = Vec::new();
        let mut open = 0;
        while let Some(c) = self.peek() {
            self.at += 1;
            match c {
                b'(' => open += 1,
                b')' if open == 0 => break,
                b')' => open -= 1,
                b'\\' => {
                    text.extend(self.escaped());
                    continue;
                }
                _ => {}
            }
            text.push(c);
        }
        Value::Text(text)
    }

    fn escaped(&mut self) -> Option<u8> {
        let c = self.peek()?;
        self.at += 1;
        Some(match c {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'b' => 8,
            b'f' => 12,
            b'\n' => return None,
            b'\r' => {
                self.at += usize::from(self.peek() == Some(b'\n'));
                return None;
            }
            b'0'..=b'7' => {
                let mut value = u16::from(c - b'0');
                for _ in 0..2 {
                    let Some(digit) = self.peek().filter(|c| (b'0'..=b'7').contains(c)) else {
                        break;
                    };
                    value = value * 8 + u16::from(digit - b'0');
                    self.at += 1;
                }
                u8::try_from(value & 0xff).unwrap_or(0)
            }
            c => c,
        })
    }
}

pub(super) fn integer(token: &[u8]) -> Option<i64> {
    std::str::from_utf8(token).ok()?.parse().ok()
}

pub(super) fn hex_pair(pair: &[u8]) -> Option<u8> {
    let [high, low] = *pair else {
        return None;
    };
    let digit = |c: u8| char::from(c).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

fn is_blank(c: u8) -> bool {
    matches!(c, 0 | b'\t' | b'\n' | 12 | b'\r' | b' ')
}

fn is_regular(c: u8) -> bool {
    !is_blank(c) && !b"()<>[]{}/%".contains(&c)
}
