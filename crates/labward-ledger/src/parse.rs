//! Reading a leaf: a cursor over the JSON that leaves are written in; total on any bytes.
//!
//! It must never recurse, nor allocate more than its input is long. It takes a few values in more
//! than one form, so what it read is written again and compared by the caller.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labward_base::id::{EntryIndex, NodeId, PatientId, RecordId, SiteId};
use labward_base::{Timestamp, hex};

use crate::action::{Action, Actor, Outcome, Subject};
use crate::entry::{Leaf, PayloadDigest};
use crate::facts::{Fact, Facts};
use crate::tree::Digest;

/// A place in bytes that are being read.
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    pub(crate) const fn offset(&self) -> usize {
        self.offset
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.rest().is_empty()
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    /// Goes over `text` if it stands here.
    pub(crate) fn take(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text.as_bytes());
        if found {
            self.offset += text.len();
        }
        found
    }

    /// Goes over `text`, which must stand here.
    pub(crate) fn expect(&mut self, text: &str) -> Option<()> {
        self.take(text).then_some(())
    }

    /// Reads decimal digits.
    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut number = 0u64;
        let mut digits = 0;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            number = number
                .checked_mul(10)?
                .checked_add(u64::from(digit - b'0'))?;
            self.offset += 1;
            digits += 1;
        }
        (digits > 0).then_some(number)
    }

    /// Reads a JSON string with the escapes that canonical leaves use.
    pub(crate) fn string(&mut self) -> Option<Cow<'a, str>> {
        self.expect("\"")?;
        let plain = self.plain()?;
        if self.take("\"") {
            return Some(Cow::Borrowed(plain));
        }
        let mut text = plain.to_owned();
        while !self.take("\"") {
            text.push(self.escape()?);
            text.push_str(self.plain()?);
        }
        Some(Cow::Owned(text))
    }

    /// The text up to the next quote, backslash or control character.
    fn plain(&mut self) -> Option<&'a str> {
        let special = |byte: &u8| *byte < b' ' || *byte == b'"' || *byte == b'\\';
        let rest = self.rest();
        let length = rest.iter().position(special)?;
        let plain = std::str::from_utf8(rest.get(..length)?).ok()?;
        self.offset += length;
        Some(plain)
    }

    fn escape(&mut self) -> Option<char> {
        self.expect("\\")?;
        let letter = self.peek()?;
        self.offset += 1;
        match letter {
            b'"' => Some('"'),
            b'\\' => Some('\\'),
            b'b' => Some('\u{8}'),
            b't' => Some('\t'),
            b'n' => Some('\n'),
            b'f' => Some('\u{c}'),
            b'r' => Some('\r'),
            b'u' => {
                let digits = std::str::from_utf8(self.rest().get(..4)?).ok()?;
                let code = u8::from_str_radix(digits.strip_prefix("00")?, 16).ok()?;
                self.offset += 4;
                Some(code.into())
            }
            _ => None,
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.offset..).unwrap_or(&[])
    }
}

/// Reads a whole leaf.
pub(crate) fn read_leaf(cursor: &mut Cursor<'_>) -> Option<Leaf> {
    cursor.expect("{\"v\":1,\"n\":")?;
    let index = EntryIndex::new(cursor.number()?);
    cursor.expect(",\"node\":")?;
    let node = NodeId::new(cursor.number()?.try_into().ok()?);
    cursor.expect(",\"site\":")?;
    let site = SiteId::new(cursor.number()?.try_into().ok()?);
    cursor.expect(",\"time\":")?;
    let time = Timestamp::parse_rfc3339(&cursor.string()?)?;
    cursor.expect(",\"actor\":")?;
    let actor = Actor::parse(&cursor.string()?)?;
    cursor.expect(",\"action\":")?;
    let action = Action::by_name(&cursor.string()?)?;
    cursor.expect(",\"subject\":")?;
    let subject = Subject::parse(&cursor.string()?)?;
    cursor.expect(",\"outcome\":")?;
    let outcome = Outcome::parse(&cursor.string()?)?;
    let facts = read_facts(cursor)?;
    let detail = match cursor.take(",\"detail\":") {
        true => Some(STANDARD.decode(cursor.string()?.as_bytes()).ok()?),
        false => None,
    };
    let optional = |cursor: &mut Cursor<'_>, key: &str| match cursor.take(key) {
        true => cursor.number().map(Some),
        false => Some(None),
    };
    let record = optional(cursor, ",\"record\":")?.map(RecordId::new);
    let patient = optional(cursor, ",\"patient\":")?.map(PatientId::new);
    let kind = optional(cursor, ",\"kind\":")?
        .unwrap_or(0)
        .try_into()
        .ok()?;
    let payload = read_payload(cursor)?;
    cursor.expect("}")?;
    cursor.is_at_end().then_some(Leaf {
        index,
        node,
        site,
        time,
        actor,
        action,
        subject,
        outcome,
        facts,
        detail,
        record,
        patient,
        kind,
        payload,
    })
}

fn read_facts(cursor: &mut Cursor<'_>) -> Option<Facts> {
    let mut facts = Facts::new();
    if cursor.take(",\"facts\":{") {
        loop {
            let name = cursor.string()?.into_owned();
            cursor.expect(":")?;
            let fact = read_fact(cursor)?;
            if !facts.push_read(name, fact) {
                return None;
            }
            if !cursor.take(",") {
                break;
            }
        }
        cursor.expect("}")?;
    }
    Some(facts)
}

fn read_fact(cursor: &mut Cursor<'_>) -> Option<Fact> {
    if !cursor.take("[") {
        return read_scalar(cursor);
    }
    let mut items = Vec::new();
    if cursor.take("]") {
        return Some(Fact::List(items));
    }
    loop {
        items.push(read_scalar(cursor)?);
        if !cursor.take(",") {
            break;
        }
    }
    cursor.expect("]")?;
    Some(Fact::List(items))
}

fn read_scalar(cursor: &mut Cursor<'_>) -> Option<Fact> {
    if cursor.peek() == Some(b'"') {
        return Some(Fact::Text(cursor.string()?.into_owned()));
    }
    let negative = cursor.take("-");
    let size = i128::from(cursor.number()?);
    i64::try_from(if negative { -size } else { size })
        .ok()
        .map(Fact::Number)
}

fn read_payload(cursor: &mut Cursor<'_>) -> Option<Option<PayloadDigest>> {
    if !cursor.take(",\"payload\":{\"sha256\":") {
        return Some(None);
    }
    let bytes = hex::decode(&cursor.string()?)?;
    cursor.expect(",\"bytes\":")?;
    let size_bytes = cursor.number()?;
    cursor.expect("}")?;
    Some(Some(PayloadDigest {
        sha256: Digest::new(bytes),
        size_bytes,
    }))
}
