//! Writing a leaf in its one canonical form, by hand: it happens for every message.
//!
//! It must never write a value in two ways; [`Leaf::parse`](crate::Leaf::parse) holds every leaf
//! against what is written here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labward_base::id::{NodeId, PatientId, RecordId, SiteId};
use labward_base::{Timestamp, hex};

use crate::action::{Action, Actor, Outcome, Subject, SubjectKey};
use crate::entry::{DETAIL_MAX_BYTES, NAME_MAX_BYTES, Part, PayloadDigest};
use crate::facts::{FACTS_MAX_BYTES, Fact, Facts};

/// Everything that a leaf holds, borrowed.
pub(crate) struct Fields<'a> {
    pub(crate) index: u64,
    pub(crate) node: NodeId,
    pub(crate) site: SiteId,
    pub(crate) time: Timestamp,
    pub(crate) actor: Actor,
    pub(crate) action: Action,
    pub(crate) subject: &'a Subject,
    pub(crate) outcome: Outcome<&'a str>,
    pub(crate) facts: &'a Facts,
    pub(crate) detail: Option<&'a [u8]>,
    pub(crate) record: Option<RecordId>,
    pub(crate) patient: Option<PatientId>,
    pub(crate) kind: u16,
    pub(crate) payload: Option<PayloadDigest>,
}

impl Fields<'_> {
    /// Appends the canonical form to `out`.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> Result<(), Part> {
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
                    .flat_map(|byte| hex::pair(*byte)),
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
                out.extend_from_slice(&hex::pair(*other));
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
