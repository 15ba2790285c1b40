//! An entry: what a caller hands in, and the leaf that is hashed: one line of canonical JSON.
//!
//! The leaf has a fixed order of keys, no white space and one way to write each value, so that any
//! JSON tool reads it and no two leaves mean the same. A leaf in any other form must be refused.

use labward_base::Timestamp;
use labward_base::id::{EntryIndex, NodeId, PatientId, RecordId, SiteId};

use crate::action::{Action, Actor, Outcome, Subject};
use crate::encode::Fields;
use crate::facts::Facts;
use crate::parse::{Cursor, read_leaf};
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
    /// The facts: more than 16 KiB.
    Facts,
    /// A name in the subject, or the code of the outcome: [`NAME_MAX_BYTES`].
    Name,
    /// The payload: SQL stores at most `i64::MAX` bytes.
    Payload,
}

impl NewEntry {
    /// An entry of an act that succeeded, with nothing else to say.
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
        let leaf = read_leaf(&mut cursor).ok_or(LeafError {
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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::facts::{FACTS_MAX_BYTES, Fact};
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
