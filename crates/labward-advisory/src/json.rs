//! A JSON text as a flat list of nodes that borrow from it: one allocation a document, bounded.
//!
//! Every reader of this crate walks such a [`Document`], because publishers' files break their own
//! schemas: one field of a wrong type must cost that field, not the file. It must never recurse
//! deeper than [`Limits::max_depth`] or keep more nodes than [`Limits::max_values`].

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::Limits;
use crate::lenient::{Ground, Lenient as _};

/// Why bytes are not a document that can be read at all.
///
/// It holds no text of the document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes are no JSON: what was wrong, and where.
    #[error("no JSON: {what} at line {line}, column {column}")]
    NotJson {
        /// Which kind of fault: `syntax`, `end of file` or `data`.
        what: &'static str,
        /// The line, counted from 1.
        line: usize,
        /// The column in bytes, counted from 1.
        column: usize,
    },
    /// The document is larger than the limit, in bytes.
    #[error("{bytes} bytes, more than the limit of {limit}")]
    TooLarge {
        /// How many bytes came.
        bytes: usize,
        /// [`Limits::max_bytes`].
        limit: usize,
    },
    /// The document nests deeper than the limit.
    #[error("nested deeper than {limit} levels")]
    TooDeep {
        /// [`Limits::max_depth`].
        limit: usize,
    },
    /// The document holds more values than the limit.
    #[error("more than {limit} values")]
    TooManyValues {
        /// [`Limits::max_values`].
        limit: usize,
    },
    /// The document is JSON, but not of the kind that was asked for.
    #[error("no {0} document")]
    NotA(&'static str),
}

/// One node of the list; a container knows where its content ends.
#[derive(Debug)]
enum Node<'a> {
    Null,
    Bool(bool),
    Number(f64),
    Text(&'a str),
    Unescaped(Box<str>),
    Array(usize),
    Object(usize),
}

/// Text as UTF-8, and whether bytes had to be replaced.
///
/// A byte order mark is no part of the text.
pub fn to_text(bytes: &[u8]) -> (Cow<'_, str>, bool) {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => (Cow::Borrowed(text), false),
        Err(_) => (String::from_utf8_lossy(bytes), true),
    }
}

/// A document that was read.
#[derive(Debug)]
pub struct Document<'a> {
    nodes: Vec<Node<'a>>,
}

impl<'a> Document<'a> {
    /// Reads a whole JSON text.
    ///
    /// # Errors
    /// If it is no JSON or passes a limit.
    pub fn parse(text: &'a str, limits: &Limits) -> Result<Self, Error> {
        if text.len() > limits.max_bytes {
            return Err(Error::TooLarge {
                bytes: text.len(),
                limit: limits.max_bytes,
            });
        }
        let mut reading = Reading {
            // Room for a usual document; what is not touched costs nothing.
            nodes: Vec::with_capacity(text.len() / 24 + 16),
            limits,
            depth: 0,
            passed: None,
        };
        let mut json = serde_json::Deserializer::from_str(text);
        let done = Seed(&mut reading)
            .deserialize(&mut json)
            .and_then(|()| json.end());
        if let Some(passed) = reading.passed {
            return Err(passed);
        }
        match done {
            Ok(()) => Ok(Self {
                nodes: reading.nodes,
            }),
            Err(error) => Err(Error::NotJson {
                what: match error.classify() {
                    serde_json::error::Category::Eof => "end of file",
                    serde_json::error::Category::Syntax => "syntax",
                    _ => "data",
                },
                line: error.line(),
                column: error.column(),
            }),
        }
    }

    /// The value of the whole document.
    pub fn root(&self) -> Value<'_> {
        Value {
            nodes: &self.nodes,
            at: 0,
        }
    }

    /// How many nodes it holds: one a value, one a key.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether it holds nothing; a document never does.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }
}

/// Reads bytes and gives their root to a reader; what is no UTF-8 is replaced, and a flaw.
pub(crate) fn read<T>(
    bytes: &[u8],
    limits: &Limits,
    reader: impl for<'t> FnOnce(Value<'t>, &mut Ground<'t>) -> Result<T, Error>,
) -> Result<T, Error> {
    // Replacing may make a text longer; what is too large is refused before.
    if bytes.len() > limits.max_bytes {
        return Err(Error::TooLarge {
            bytes: bytes.len(),
            limit: limits.max_bytes,
        });
    }
    let (text, replaced) = to_text(bytes);
    let document = Document::parse(&text, limits)?;
    let mut ground = Ground::new(limits);
    if replaced {
        let what = "bytes that are no UTF-8 were replaced by U+FFFD";
        ground.flaw("text", document.root(), what);
    }
    reader(document.root(), &mut ground)
}

struct Reading<'a, 'l> {
    nodes: Vec<Node<'a>>,
    limits: &'l Limits,
    depth: usize,
    passed: Option<Error>,
}

impl<'a> Reading<'a, '_> {
    fn push<E: de::Error>(&mut self, node: Node<'a>) -> Result<usize, E> {
        let at = self.nodes.len();
        if at >= self.limits.max_values {
            return Err(self.pass(Error::TooManyValues {
                limit: self.limits.max_values,
            }));
        }
        self.nodes.push(node);
        Ok(at)
    }

    #[cold]
    fn pass<E: de::Error>(&mut self, limit: Error) -> E {
        self.passed = Some(limit);
        E::custom("limit")
    }

    fn enter<E: de::Error>(&mut self) -> Result<(), E> {
        self.depth += 1;
        if self.depth > self.limits.max_depth {
            return Err(self.pass(Error::TooDeep {
                limit: self.limits.max_depth,
            }));
        }
        Ok(())
    }

    fn leave(&mut self, at: usize, node: Node<'a>) {
        self.depth -= 1;
        if let Some(slot) = self.nodes.get_mut(at) {
            *slot = node;
        }
    }
}

struct Seed<'r, 'a, 'l>(&'r mut Reading<'a, 'l>);

impl<'de> DeserializeSeed<'de> for Seed<'_, 'de, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_, 'de, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.0.push(Node::Null).map(drop)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        self.0.push(Node::Bool(value)).map(drop)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        self.0.push(Node::Number(value)).map(drop)
    }

    #[expect(clippy::cast_precision_loss, reason = "no number here needs 53 bits")]
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        self.visit_f64(value as f64)
    }

    #[expect(clippy::cast_precision_loss, reason = "no number here needs 53 bits")]
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        self.visit_f64(value as f64)
    }

    fn visit_borrowed_str<E: de::Error>(self, value: &'de str) -> Result<(), E> {
        self.0.push(Node::Text(value)).map(drop)
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<(), E> {
        self.0.push(Node::Unescaped(value.into())).map(drop)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let at = self.0.push(Node::Array(0))?;
        self.0.enter()?;
        while seq.next_element_seed(Seed(self.0))?.is_some() {}
        let end = self.0.nodes.len();
        self.0.leave(at, Node::Array(end));
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let at = self.0.push(Node::Object(0))?;
        self.0.enter()?;
        while map.next_key_seed(Seed(self.0))?.is_some() {
            map.next_value_seed(Seed(self.0))?;
        }
        let end = self.0.nodes.len();
        self.0.leave(at, Node::Object(end));
        Ok(())
    }
}

/// What kind of value one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `[…]`.
    Array,
    /// `true` or `false`.
    Bool,
    /// `null`.
    Null,
    /// A number.
    Number,
    /// `{…}`.
    Object,
    /// A string.
    Text,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Array => "a list",
            Self::Bool => "true or false",
            Self::Null => "null",
            Self::Number => "a number",
            Self::Object => "an object",
            Self::Text => "text",
        })
    }
}

/// One value of a [`Document`].
#[derive(Clone, Copy)]
pub struct Value<'t> {
    nodes: &'t [Node<'t>],
    at: usize,
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {}", self.kind(), self.pointer())
    }
}

impl<'t> Value<'t> {
    fn node(self) -> &'t Node<'t> {
        self.nodes.get(self.at).unwrap_or(&Node::Null)
    }

    /// Which kind of value it is.
    pub fn kind(self) -> Kind {
        match self.node() {
            Node::Null => Kind::Null,
            Node::Bool(_) => Kind::Bool,
            Node::Number(_) => Kind::Number,
            Node::Text(_) | Node::Unescaped(_) => Kind::Text,
            Node::Array(_) => Kind::Array,
            Node::Object(_) => Kind::Object,
        }
    }

    /// Its text, if it is text.
    pub fn text(self) -> Option<&'t str> {
        match self.node() {
            Node::Text(text) => Some(text),
            Node::Unescaped(text) => Some(text),
            _ => None,
        }
    }

    /// Its number, if it is one.
    pub fn number(self) -> Option<f64> {
        match self.node() {
            Node::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Whether it is true, if it is true or false.
    pub fn bool(self) -> Option<bool> {
        match self.node() {
            Node::Bool(value) => Some(*value),
            _ => None,
        }
    }

    fn end(self) -> usize {
        match self.node() {
            Node::Array(end) | Node::Object(end) => *end,
            _ => self.at + 1,
        }
    }

    /// The values of a list; none if it is no list.
    pub fn items(self) -> Items<'t> {
        let end = match self.node() {
            Node::Array(end) => *end,
            _ => 0,
        };
        Items {
            nodes: self.nodes,
            next: self.at + 1,
            end,
        }
    }

    /// Keys and values of an object in their order; none if it is no object.
    pub fn members(self) -> Members<'t> {
        let end = match self.node() {
            Node::Object(end) => *end,
            _ => 0,
        };
        Members(Items {
            nodes: self.nodes,
            next: self.at + 1,
            end,
        })
    }

    /// The value of a key, the first if the key stands more than once.
    pub fn get(self, key: &str) -> Option<Value<'t>> {
        self.members()
            .find_map(|(name, value)| (name == key).then_some(value))
    }

    /// The text of a key.
    pub fn text_of(self, key: &str) -> Option<&'t str> {
        self.get(key)?.text()
    }

    /// The values of the list under a key; none if there is none.
    pub fn list(self, key: &str) -> Items<'t> {
        self.get(key).map_or_else(Items::default, Value::items)
    }

    /// Where it stands, as an RFC 6901 JSON pointer; empty for the whole document.
    pub fn pointer(self) -> String {
        let mut pointer = String::new();
        let mut here = Value {
            nodes: self.nodes,
            at: 0,
        };
        while here.at < self.at {
            let step = match here.kind() {
                Kind::Array => here
                    .items()
                    .enumerate()
                    .find(|(_, value)| self.at < value.end())
                    .map(|(index, value)| (index.to_string(), value)),
                Kind::Object => here
                    .members()
                    .find(|(_, value)| self.at < value.end())
                    .map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value)),
                _ => None,
            };
            let Some((name, value)) = step else { break };
            pointer.push('/');
            pointer.push_str(&name);
            // A key stands before its value.
            if self.at < value.at {
                break;
            }
            here = value;
        }
        pointer
    }

    /// Whether two values are the same, whatever the order of their keys.
    ///
    /// Objects of more than 64 keys are never the same: comparing them would take too long.
    pub fn same_as(self, other: Self) -> bool {
        match (self.node(), other.node()) {
            (Node::Null, Node::Null) => true,
            (Node::Bool(one), Node::Bool(two)) => one == two,
            (Node::Number(one), Node::Number(two)) => one == two,
            (Node::Array(_), Node::Array(_)) => {
                let (mut one, mut two) = (self.items(), other.items());
                loop {
                    match (one.next(), two.next()) {
                        (None, None) => return true,
                        (Some(one), Some(two)) if one.same_as(two) => {}
                        _ => return false,
                    }
                }
            }
            (Node::Object(_), Node::Object(_)) => {
                const MOST_KEYS: usize = 64;
                let count = self.members().take(MOST_KEYS + 1).count();
                count <= MOST_KEYS
                    && other.members().take(MOST_KEYS + 1).count() == count
                    && self
                        .members()
                        .all(|(key, value)| other.get(key).is_some_and(|o| value.same_as(o)))
            }
            _ => self.text().is_some() && self.text() == other.text(),
        }
    }
}

/// The values of a list.
#[derive(Clone, Debug, Default)]
pub struct Items<'t> {
    nodes: &'t [Node<'t>],
    next: usize,
    end: usize,
}

impl<'t> Iterator for Items<'t> {
    type Item = Value<'t>;

    fn next(&mut self) -> Option<Value<'t>> {
        if self.next >= self.end {
            return None;
        }
        let value = Value {
            nodes: self.nodes,
            at: self.next,
        };
        self.next = value.end();
        Some(value)
    }

    /// Every value takes one node or more.
    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.end.saturating_sub(self.next)))
    }
}

/// Keys and values of an object.
#[derive(Clone, Debug)]
pub struct Members<'t>(Items<'t>);

impl<'t> Iterator for Members<'t> {
    type Item = (&'t str, Value<'t>);

    fn next(&mut self) -> Option<(&'t str, Value<'t>)> {
        let key = self.0.next()?;
        let value = self.0.next()?;
        Some((key.text().unwrap_or_default(), value))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<Document<'_>, Error> {
        Document::parse(text, &Limits::default())
    }

    #[test]
    fn values_are_found_by_key_and_know_their_place() {
        let text = r#"{"a":[1,{"b/c":"x\ny","d":null}],"e":true}"#;
        let document = parse(text).unwrap();
        let inner = document.root().list("a").nth(1).unwrap();
        let value = inner.get("b/c").unwrap();
        assert_eq!(value.text(), Some("x\ny"));
        assert_eq!(value.pointer(), "/a/1/b~1c");
        assert_eq!(inner.get("d").unwrap().pointer(), "/a/1/d");
        assert_eq!(document.root().get("e").and_then(Value::bool), Some(true));
        assert_eq!(document.root().pointer(), "");
        assert_eq!(
            document.root().list("a").next().and_then(Value::number),
            Some(1.0)
        );
    }

    #[test]
    fn the_first_of_two_equal_keys_counts() {
        let document = parse(r#"{"a":1,"a":2}"#).unwrap();
        assert_eq!(document.root().get("a").and_then(Value::number), Some(1.0));
        assert_eq!(document.root().members().count(), 2);
    }

    #[test]
    fn a_depth_bomb_is_refused_before_the_stack_is_used() {
        let bomb = "[".repeat(1_000_000);
        assert_eq!(parse(&bomb).err(), Some(Error::TooDeep { limit: 100 }));
        let objects = "{\"a\":".repeat(1_000_000);
        assert_eq!(parse(&objects).err(), Some(Error::TooDeep { limit: 100 }));
    }

    #[test]
    fn too_many_values_and_too_many_bytes_are_refused() {
        let limits = Limits {
            max_values: 3,
            max_bytes: 12,
            ..Limits::default()
        };
        assert_eq!(
            Document::parse("[1,2,3]", &limits).err(),
            Some(Error::TooManyValues { limit: 3 })
        );
        assert_eq!(
            Document::parse("[1234567890123]", &limits).err(),
            Some(Error::TooLarge {
                bytes: 15,
                limit: 12
            })
        );
    }

    #[test]
    fn a_fault_is_told_by_its_place_and_not_by_the_text() {
        let error = parse("{\n \"secret\": oops}").err().unwrap();
        assert_eq!(error.to_string(), "no JSON: syntax at line 2, column 12");
        assert_eq!(
            parse("{\"a\":").err().unwrap().to_string(),
            "no JSON: end of file at line 1, column 5"
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced_and_told() {
        assert_eq!(to_text(b"\xef\xbb\xbfab"), (Cow::Borrowed("ab"), false));
        let (text, replaced) = to_text(b"Yhtym\xe4");
        assert_eq!((&*text, replaced), ("Yhtym\u{fffd}", true));
    }

    #[test]
    fn objects_are_the_same_in_any_order() {
        let document =
            parse(r#"[{"a":1,"b":[2,"x"]},{"b":[2,"x"],"a":1},{"a":1,"b":[2]}]"#).unwrap();
        let items: Vec<_> = document.root().items().collect();
        assert!(items[0].same_as(items[1]));
        assert!(!items[0].same_as(items[2]));
    }

    proptest! {
        #[test]
        fn what_serde_json_reads_is_read_the_same(text in r#"[\[\]{}:,"a0-9.e\\ntrufalse -]{0,40}"#) {
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            prop_assert_eq!(parse(&text).is_ok(), theirs.is_ok());
        }
    }
}
