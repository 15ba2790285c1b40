//! An entry: what a caller hands in, and the leaf that is hashed: one line of canonical JSON.
//!
//! The leaf has a fixed order of keys, no white space and one way to write each value, so that any
//! JSON tool reads it and no two leaves mean the same. A leaf in any other form must be refused.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labward_base::Timestamp;
use labward_base::id::{EntryIndex, NodeId, PatientId, RecordId, SiteId};

use crate::action::{Action, Actor, Outcome, Subject, SubjectKey};
use crate::facts::{FACTS_MAX_BYTES, Fact, Facts};
use crate::parse::Cursor;
use crate::tree::{Digest, leaf_digest};

/// Bytes a leaf may have; entry bundles write the length in 16 bits.
pub const LEAF_MAX_BYTES: usize = 65_535;

/// Bytes of sealed detail an entry may have.
pub const DETAIL_MAX_BYTES: usize = 24 * 1024;

/// Bytes a name in a subject may have.
pub const NAME_MAX_BYTES: usize = 255;

/// What a caller wants recorded; index and time are given by the ledger.
#[derive(Clone, Debug)]
pub struct NewEntry {
    /// The site at which it happened.
    pub site: SiteId,
    /// Who acted.
    pub actor: Actor,
    /// What was done.
    pub action: Action,
    /// What it was done to.
    pub subject: Subject,
    /// How it ended.
    pub outcome: Outcome,
    /// Facts in clear, never about a patient.
    pub facts: Facts,
    /// Who, why and what was asked for, sealed under the site's audit key.
    pub detail: Option<Vec<u8>>,
    /// The record that this entry keeps, if it keeps one.
    pub record: Option<RecordId>,
    /// The patient of that record or act.
    pub patient: Option<PatientId>,
    /// The kind of record; 0 if there is none.
    pub kind: u16,
    /// The sealed record; the leaf covers its digest only.
    pub payload: Option<Vec<u8>>,
    /// Bytes of the room that wrote the entry, kept beside it and not covered by the leaf.
    pub hints: Option<Vec<u8>>,
}

/// A leaf that was read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Its place in the ledger.
    pub index: EntryIndex,
    /// The node whose ledger it is.
    pub node: NodeId,
    /// The site at which it happened.
    pub site: SiteId,
    /// When it was recorded; never before the entry in front of it.
    pub time: Timestamp,
    /// Who acted.
    pub actor: Actor,
    /// What was done.
    pub action: Action,
    /// What it was done to.
    pub subject: Subject,
    /// How it ended.
    pub outcome: Outcome<String>,
    /// Facts in clear.
    pub facts: Facts,
    /// The sealed detail.
    pub detail: Option<Vec<u8>>,
    /// The record that this entry keeps.
    pub record: Option<RecordId>,
    /// The patient of that record or act.
    pub patient: Option<PatientId>,
    /// The kind of record; 0 if there is none.
    pub kind: u16,
    /// What the sealed record was when it was kept.
    pub payload: Option<PayloadDigest>,
}

/// SHA-256 and length of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PayloadDigest {
    /// The SHA-256 of the sealed bytes.
    pub sha256: Digest,
    /// How many sealed bytes there are.
    pub size_bytes: u64,
}

/// Why bytes are not a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read a leaf: it is not canonical at byte {offset}")]
pub struct LeafError {
    /// The first byte at which the bytes leave the canonical form.
    pub offset: usize,
}

/// What of a new entry is larger than an entry may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The sealed detail: [`DETAIL_MAX_BYTES`].
    Detail,
    /// The facts: [`FACTS_MAX_BYTES`].
    Facts,
    /// A name in the subject, or the code of the outcome: [`NAME_MAX_BYTES`].
    Name,
    /// The payload: SQL stores at most `i64::MAX` bytes.
    Payload,
}

impl NewEntry {
    /// An entry by the system about `subject` that succeeded, at this site, with nothing else.
    pub fn new(site: SiteId, actor: Actor, action: Action, subject: Subject) -> Self {
        Self {
            site,
            actor,
            action,
            subject,
            outcome: Outcome::Success,
            facts: Facts::new(),
            detail: None,
            record: None,
            patient: None,
            kind: 0,
            payload: None,
            hints: None,
        }
    }

    /// With these facts.
    #[must_use]
    pub fn facts(mut self, facts: Facts) -> Self {
        self.facts = facts;
        self
    }

    /// With this outcome.
    #[must_use]
    pub fn outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    /// With this sealed detail.
    #[must_use]
    pub fn detail(mut self, sealed: Vec<u8>) -> Self {
        self.detail = Some(sealed);
        self
    }

    /// Of this patient.
    #[must_use]
    pub fn patient(mut self, patient: PatientId) -> Self {
        self.patient = Some(patient);
        self
    }

    /// With the leaf of this entry at `index`, recorded at `time`, appended to `out`.
    pub(crate) fn encode(
        &self,
        index: u64,
        node: NodeId,
        time: Timestamp,
        out: &mut Vec<u8>,
    ) -> Result<(), Part> {
        let payload = self.payload.as_deref().map(PayloadDigest::of).transpose()?;
        let fields = Fields {
            index,
            node,
            site: self.site,
            time,
            actor: self.actor,
            action: self.action,
            subject: &self.subject,
            outcome: self.outcome.as_str(),
            facts: &self.facts,
            detail: self.detail.as_deref(),
            record: self.record,
            patient: self.patient,
            kind: self.kind,
            payload,
        };
        fields.encode(out)
    }
}

impl PayloadDigest {
    /// Digest and length of these sealed bytes.
    pub(crate) fn of(payload: &[u8]) -> Result<Self, Part> {
        let size_bytes = u64::try_from(payload.len()).map_err(|_| Part::Payload)?;
        Ok(Self {
            sha256: Digest::of(payload),
            size_bytes,
        })
    }
}

impl Leaf {
    /// Reads a leaf; anything but the canonical form is refused.
    pub fn parse(bytes: &[u8]) -> Result<Self, LeafError> {
        if bytes.len() > LEAF_MAX_BYTES {
            return Err(LeafError {
                offset: LEAF_MAX_BYTES,
            });
        }
        let mut cursor = Cursor::new(bytes);
        let leaf = read(&mut cursor).ok_or(LeafError {
            offset: cursor.offset(),
        })?;
        // The reader takes a few values in more than one form; only this one is canonical.
        let mut canonical = Vec::with_capacity(bytes.len());
        let encoded = leaf.fields().encode(&mut canonical);
        if encoded.is_err() || canonical != bytes {
            let same = canonical
                .iter()
                .zip(bytes)
                .take_while(|(a, b)| a == b)
                .count();
            return Err(LeafError { offset: same });
        }
        Ok(leaf)
    }

    /// The canonical form of this leaf.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Part> {
        let mut out = Vec::new();
        self.fields().encode(&mut out)?;
        Ok(out)
    }

    /// The digest of this leaf in the tree.
    pub fn digest(&self) -> Result<Digest, Part> {
        self.to_bytes().map(|bytes| leaf_digest(&bytes))
    }

    fn fields(&self) -> Fields<'_> {
        Fields {
            index: self.index.get(),
            node: self.node,
            site: self.site,
            time: self.time,
            actor: self.actor,
            action: self.action,
            subject: &self.subject,
            outcome: self.outcome.as_str(),
            facts: &self.facts,
            detail: self.detail.as_deref(),
            record: self.record,
            patient: self.patient,
            kind: self.kind,
            payload: self.payload,
        }
    }
}

/// Everything that a leaf holds, borrowed.
struct Fields<'a> {
    index: u64,
    node: NodeId,
    site: SiteId,
    time: Timestamp,
    actor: Actor,
    action: Action,
    subject: &'a Subject,
    outcome: Outcome<&'a str>,
    facts: &'a Facts,
    detail: Option<&'a [u8]>,
    record: Option<RecordId>,
    patient: Option<PatientId>,
    kind: u16,
    payload: Option<PayloadDigest>,
}

impl Fields<'_> {
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), Part> {
        put(out, "{\"v\":1,\"n\":");
        put_number(out, self.index);
        put(out, ",\"node\":");
        put_number(out, self.node.get().into());
        put(out, ",\"site\":");
        put_number(out, self.site.get().into());
        put(out, ",\"time\":\"");
        put_time(out, self.time);
        put(out, "\",\"actor\":\"");
        let (kind, id) = self.actor.parts();
        put(out, kind);
        if let Some(id) = id {
            put(out, ":");
            put_number(out, id);
        }
        put(out, "\",\"action\":\"");
        put(out, self.action.name());
        self.encode_subject(out)?;
        self.encode_outcome(out)?;
        self.encode_facts(out)?;
        if let Some(detail) = self.detail {
            if detail.len() > DETAIL_MAX_BYTES {
                return Err(Part::Detail);
            }
            put(out, ",\"detail\":\"");
            put(out, &STANDARD.encode(detail));
            put(out, "\"");
        }
        self.encode_record(out);
        put(out, "}");
        Ok(())
    }

    fn encode_subject(&self, out: &mut Vec<u8>) -> Result<(), Part> {
        put(out, "\",\"subject\":\"");
        let (kind, key) = self.subject.parts();
        put(out, kind);
        match key {
            SubjectKey::None => {}
            SubjectKey::Name(name) if (1..=NAME_MAX_BYTES).contains(&name.len()) => {
                put(out, ":");
                put_escaped(out, name);
            }
            SubjectKey::Name(_) => return Err(Part::Name),
            SubjectKey::Number(number) => {
                put(out, ":");
                put_number(out, number);
            }
        }
        Ok(())
    }

    fn encode_outcome(&self, out: &mut Vec<u8>) -> Result<(), Part> {
        let (word, code) = match self.outcome {
            Outcome::Success => ("\",\"outcome\":\"success", None),
            Outcome::Refused(code) => ("\",\"outcome\":\"refused:", Some(code)),
            Outcome::Failed(code) => ("\",\"outcome\":\"failed:", Some(code)),
        };
        put(out, word);
        if let Some(code) = code {
            if !(1..=NAME_MAX_BYTES).contains(&code.len()) {
                return Err(Part::Name);
            }
            put_escaped(out, code);
        }
        put(out, "\"");
        Ok(())
    }

    fn encode_facts(&self, out: &mut Vec<u8>) -> Result<(), Part> {
        if self.facts.is_empty() {
            return Ok(());
        }
        put(out, ",\"facts\":{");
        let start = out.len();
        for (number, (name, fact)) in self.facts.iter().enumerate() {
            put(out, if number == 0 { "\"" } else { ",\"" });
            put_escaped(out, name);
            put(out, "\":");
            put_fact(out, fact);
            if out.len() - start > FACTS_MAX_BYTES {
                return Err(Part::Facts);
            }
        }
        put(out, "}");
        Ok(())
    }

    fn encode_record(&self, out: &mut Vec<u8>) {
        if let Some(record) = self.record {
            put(out, ",\"record\":");
            put_number(out, record.get());
        }
        if let Some(patient) = self.patient {
            put(out, ",\"patient\":");
            put_number(out, patient.get());
        }
        if self.kind != 0 {
            put(out, ",\"kind\":");
            put_number(out, self.kind.into());
        }
        if let Some(payload) = self.payload {
            put(out, ",\"payload\":{\"sha256\":\"");
            out.extend(
                payload
                    .sha256
                    .as_bytes()
                    .iter()
                    .flat_map(|byte| hex_pair(*byte)),
            );
            put(out, "\",\"bytes\":");
            put_number(out, payload.size_bytes);
            put(out, "}");
        }
    }
}

fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

fn hex_digit(nibble: u8) -> u8 {
    if nibble < 10 {
        b'0' + nibble
    } else {
        b'a' + nibble - 10
    }
}

fn hex_pair(byte: u8) -> [u8; 2] {
    [hex_digit(byte >> 4), hex_digit(byte & 15)]
}

fn put_number(out: &mut Vec<u8>, mut number: u64) {
    let start = out.len();
    loop {
        out.push(b'0' + u8::try_from(number % 10).unwrap_or(0));
        number /= 10;
        if number == 0 {
            break;
        }
    }
    if let Some(digits) = out.get_mut(start..) {
        digits.reverse();
    }
}

/// RFC 3339 with microseconds, as [`Timestamp::to_rfc3339`] writes it but without its formatting
/// machinery, which would take half of the time that an entry may take.
fn put_time(out: &mut Vec<u8>, time: Timestamp) {
    let t = time.to_offset();
    put_padded(out, t.year().unsigned_abs(), 4);
    out.push(b'-');
    put_padded(out, u8::from(t.month()).into(), 2);
    out.push(b'-');
    put_padded(out, t.day().into(), 2);
    out.push(b'T');
    put_padded(out, t.hour().into(), 2);
    out.push(b':');
    put_padded(out, t.minute().into(), 2);
    out.push(b':');
    put_padded(out, t.second().into(), 2);
    out.push(b'.');
    put_padded(out, t.microsecond(), 6);
    out.push(b'Z');
}

fn put_padded(out: &mut Vec<u8>, number: u32, width: usize) {
    let start = out.len();
    let mut rest = number;
    for _ in 0..width {
        out.push(b'0' + u8::try_from(rest % 10).unwrap_or(0));
        rest /= 10;
    }
    if let Some(digits) = out.get_mut(start..) {
        digits.reverse();
    }
}

/// The inside of a JSON string (RFC 8259 §7), only what must be escaped, in its shortest form.
fn put_escaped(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    let special = |byte: &u8| *byte < b' ' || *byte == b'"' || *byte == b'\\';
    while let Some(at) = rest.iter().position(special) {
        let (plain, from_special) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some((byte, after)) = from_special.split_first() else {
            return;
        };
        match byte {
            b'"' => put(out, "\\\""),
            b'\\' => put(out, "\\\\"),
            8 => put(out, "\\b"),
            9 => put(out, "\\t"),
            10 => put(out, "\\n"),
            12 => put(out, "\\f"),
            13 => put(out, "\\r"),
            other => {
                put(out, "\\u00");
                out.extend_from_slice(&hex_pair(*other));
            }
        }
        rest = after;
    }
    out.extend_from_slice(rest);
}

fn put_fact(out: &mut Vec<u8>, fact: &Fact) {
    match fact {
        Fact::Number(number) => {
            if *number < 0 {
                out.push(b'-');
            }
            put_number(out, number.unsigned_abs());
        }
        Fact::Text(text) => {
            put(out, "\"");
            put_escaped(out, text);
            put(out, "\"");
        }
        Fact::List(items) => {
            for (number, item) in items.iter().enumerate() {
                out.push(if number == 0 { b'[' } else { b',' });
                put_fact(out, item);
            }
            put(out, if items.is_empty() { "[]" } else { "]" });
        }
    }
}

fn read(cursor: &mut Cursor<'_>) -> Option<Leaf> {
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
    let text = cursor.string()?;
    let mut bytes = [0; Digest::LEN];
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != Digest::LEN || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = (hex_value(*high)? << 4) | hex_value(*low)?;
    }
    cursor.expect(",\"bytes\":")?;
    let size_bytes = cursor.number()?;
    cursor.expect("}")?;
    Some(Some(PayloadDigest {
        sha256: Digest::new(bytes),
        size_bytes,
    }))
}

fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use labward_base::id::PeerId;
    use proptest::prelude::*;

    pub(crate) fn full_entry() -> NewEntry {
        NewEntry {
            site: SiteId::new(1),
            actor: Actor::Peer(PeerId::new(7)),
            action: Action::MessageReceived,
            subject: Subject::Record(RecordId::new(42)),
            outcome: Outcome::Success,
            facts: Facts::new()
                .text("type", "ORU^R01")
                .number("bytes", 505)
                .numbers("to", [1, 2]),
            detail: Some(vec![0xfb, 0xff]),
            record: Some(RecordId::new(42)),
            patient: Some(PatientId::new(9)),
            kind: 1,
            payload: Some(b"sealed".to_vec()),
            hints: Some(b"hints".to_vec()),
        }
    }

    const FULL: &str = "{\"v\":1,\"n\":17,\"node\":1,\"site\":1,\
        \"time\":\"2026-11-22T20:33:00.000001Z\",\"actor\":\"peer:7\",\
        \"action\":\"message.received\",\"subject\":\"record:42\",\"outcome\":\"success\",\
        \"facts\":{\"type\":\"ORU^R01\",\"bytes\":505,\"to\":[1,2]},\"detail\":\"+/8=\",\
        \"record\":42,\"patient\":9,\"kind\":1,\"payload\":{\"sha256\":\
        \"9cbbc9b47aec52feaed8fac1f8bc4fbaa9d74ade4a71ef91faa23b54acad2ba4\",\"bytes\":6}}";

    fn encode(entry: &NewEntry, index: u64, time: Timestamp) -> Result<Vec<u8>, Part> {
        let mut out = Vec::new();
        entry.encode(index, NodeId::new(1), time, &mut out)?;
        Ok(out)
    }

    #[test]
    fn a_leaf_has_the_documented_form() {
        let time = Timestamp::parse_rfc3339("2026-11-22T20:33:00.000001Z").unwrap();
        let leaf = encode(&full_entry(), 17, time).unwrap();
        let sha256 = Digest::of(b"sealed").to_string();
        let expected = FULL.replace(
            "9cbbc9b47aec52feaed8fac1f8bc4fbaa9d74ade4a71ef91faa23b54acad2ba4",
            &sha256,
        );
        assert_eq!(String::from_utf8(leaf.clone()).unwrap(), expected);
        let read = Leaf::parse(&leaf).unwrap();
        assert_eq!(read.to_bytes(), Ok(leaf.clone()));
        assert_eq!(read.digest(), Ok(leaf_digest(&leaf)));
        assert_eq!(read.payload.unwrap().size_bytes, 6);
    }

    #[test]
    fn leaves_in_any_other_form_are_refused() {
        assert!(Leaf::parse(FULL.as_bytes()).is_ok());
        for (from, to) in [
            ("\"v\":1", "\"v\":2"),
            ("\"n\":17", "\"n\":017"),
            ("\"n\":17", "\"n\":+17"),
            ("\"n\":17", "\"n\": 17"),
            ("\"n\":17", "\"n\":18446744073709551616"),
            (",\"node\":1", ""),
            (".000001Z", ".000001+00:00"),
            (".000001Z", ".0000010Z"),
            ("T20", "t20"),
            ("peer:7", "peer:07"),
            ("peer:7", "device:7"),
            ("message.received", "message.lost"),
            ("record:42", "record:"),
            ("success", "refused:"),
            ("ORU", "\\u004fRU"),
            ("ORU", "O\\/U"),
            ("\"bytes\":505", "\"type\":505"),
            ("505", "-0"),
            ("505", "5.5"),
            ("[1,2]", "[1,[2]]"),
            ("[1,2]", "[1,2,]"),
            ("+/8=", "+/9="),
            ("+/8=", "+/8"),
            (",\"kind\":1", ",\"kind\":0"),
            (",\"kind\":1", ",\"kind\":65536"),
            ("9cbb", "9CBB"),
            ("9cbb", "9cb"),
            ("\"bytes\":6}}", "\"bytes\":6}} "),
        ] {
            let changed = FULL.replacen(from, to, 1);
            assert_ne!(changed, FULL, "{from}");
            assert!(Leaf::parse(changed.as_bytes()).is_err(), "{from} to {to}");
        }
        let empty_facts = FULL.replace("{\"type\":\"ORU^R01\",\"bytes\":505,\"to\":[1,2]}", "{}");
        assert!(Leaf::parse(empty_facts.as_bytes()).is_err());
        assert!(Leaf::parse(&vec![b' '; LEAF_MAX_BYTES + 1]).is_err());
    }

    #[test]
    fn what_is_too_large_is_refused_by_part() {
        let time = Timestamp::from_micros(0);
        let facts = Facts::new().text("long", "x".repeat(FACTS_MAX_BYTES));
        let refused = [
            (full_entry().facts(facts), Part::Facts),
            (
                full_entry().detail(vec![0; DETAIL_MAX_BYTES + 1]),
                Part::Detail,
            ),
            (full_entry().outcome(Outcome::Failed("")), Part::Name),
            (
                NewEntry {
                    subject: Subject::Link("x".repeat(256).into()),
                    ..full_entry()
                },
                Part::Name,
            ),
        ];
        for (entry, part) in refused {
            assert_eq!(encode(&entry, 0, time), Err(part));
        }
        let name = "\u{1}".repeat(NAME_MAX_BYTES);
        let largest = NewEntry {
            subject: Subject::Destination(name.into()),
            facts: Facts::new().text("x", "\u{1}".repeat(FACTS_MAX_BYTES / 6 - 2)),
            detail: Some(vec![0; DETAIL_MAX_BYTES]),
            ..full_entry()
        };
        assert!(encode(&largest, u64::MAX, time).unwrap().len() <= LEAF_MAX_BYTES);
    }

    fn any_fact() -> impl Strategy<Value = Fact> {
        let scalar = prop_oneof![
            any::<i64>().prop_map(Fact::Number),
            any::<String>().prop_map(Fact::Text)
        ];
        prop_oneof![
            scalar.clone(),
            proptest::collection::vec(scalar, 0..4).prop_map(Fact::List)
        ]
    }

    proptest! {
        #[test]
        fn any_entry_is_read_back_and_is_the_json_that_serde_writes(
            index: u64,
            micros in -62_167_219_200_000_000i64..253_402_300_800_000_000,
            name in "(?s).{1,40}",
            facts in proptest::collection::vec((any::<String>(), any_fact()), 0..5),
            detail in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..40)),
            patient in proptest::option::of(any::<u64>()),
            kind: u16,
        ) {
            let mut read_facts = Facts::new();
            for (name, fact) in facts {
                if read_facts.get(&name).is_none() {
                    read_facts.push_read(name, fact);
                }
            }
            let entry = NewEntry {
                subject: Subject::Destination(name.clone().into()),
                facts: read_facts.clone(),
                detail: detail.clone(),
                patient: patient.map(PatientId::new),
                kind,
                ..full_entry()
            };
            let time = Timestamp::from_micros(micros);
            let bytes = encode(&entry, index, time).unwrap();
            let leaf = Leaf::parse(&bytes).unwrap();
            prop_assert_eq!(leaf.index.get(), index);
            prop_assert_eq!(leaf.time, time);
            prop_assert_eq!(&leaf.subject, &entry.subject);
            prop_assert_eq!(&leaf.facts, &read_facts);
            prop_assert_eq!(&leaf.detail, &detail);
            prop_assert_eq!(leaf.patient, entry.patient);
            prop_assert_eq!(leaf.kind, kind);
            // Oracle: serde_json reads the same values and writes each text the same.
            let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            prop_assert_eq!(&json["subject"], &format!("destination:{name}"));
            prop_assert_eq!(&json["time"], &time.to_rfc3339());
            let text = serde_json::to_string(&format!("destination:{name}")).unwrap();
            prop_assert!(String::from_utf8(bytes).unwrap().contains(&text));
            for (name, fact) in read_facts.iter() {
                match fact {
                    Fact::Text(text) => prop_assert_eq!(&json["facts"][name], text),
                    Fact::Number(number) => prop_assert_eq!(&json["facts"][name], number),
                    Fact::List(items) => prop_assert_eq!(
                        json["facts"][name].as_array().unwrap().len(), items.len()
                    ),
                }
            }
        }

        #[test]
        fn a_leaf_with_any_byte_changed_is_another_leaf_or_none(
            place in 0..FULL.len(), flip in 1u8..
        ) {
            let mut bytes = FULL.as_bytes().to_vec();
            bytes[place] ^= flip;
            if let Ok(leaf) = Leaf::parse(&bytes) {
                prop_assert_ne!(leaf, Leaf::parse(FULL.as_bytes()).unwrap());
            }
        }

        #[test]
        fn reading_any_bytes_ends_without_panic(bytes: Vec<u8>) {
            prop_assert!(Leaf::parse(&bytes).is_err());
        }
    }
}
