//! Reading: one record in full, and who has seen what.
//!
//! It must never hand out a byte before the entry that says so is durable, and never change what it
//! shows: the view is for the eye, the original is as it came.
//! Carries out 45 CFR 164.312(b) and 164.528 (accounting of disclosures).

use std::collections::BTreeSet;

use labward_astm::record as astm;
use labward_base::Timestamp;
use labward_base::id::{EntryIndex, PatientId, PersonId, RecordId};
use labward_hl7::{Charset, Message, Segment};
use labward_ledger::{
    Action, Actor, Fact, Facts, Leaf, NewEntry, StoredEntry, Subject, entries, open_detail,
};
use labward_seal::Scope;
use serde_json::{Value, json};

use crate::error::RecordsError;
use crate::kind::RecordKind;
use crate::records::Records;
use crate::reserve::time_of_reading;
use crate::store;

/// Records of a patient read at once.
const PAGE: u32 = 256;
/// A document above this is not shown as text.
const SHOWN_MAX_BYTES: u64 = 1 << 20;
/// Entries read at once when the ledger is walked.
const LEDGER_PAGE: u32 = 2000;

/// One record in full.
pub struct Shown {
    /// The record.
    pub record: RecordId,
    /// What it is.
    pub kind: RecordKind,
    /// Under whose key it is sealed.
    pub patient: Option<PatientId>,
    /// When it was kept.
    pub time: Timestamp,
    /// Segments and fields (HL7 v2), records and fields (ASTM), the resource (FHIR), or the text.
    pub view: Value,
    /// What records this reading.
    pub recorded: Recorded,
}

/// Where a reading was recorded before it was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// This entry of the ledger.
    Entry(EntryIndex),
    /// This reading of the reserve, until it is merged into the ledger.
    Reserve(u64),
}

/// One record read and not yet recorded, so not to be shown.
pub(crate) struct Read {
    record: RecordId,
    kind: RecordKind,
    pub(crate) patient: Option<PatientId>,
    time: Timestamp,
    view: Value,
}

/// One time that a patient's records were seen or left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The entry.
    pub entry: EntryIndex,
    /// When.
    pub time: Timestamp,
    /// Who, as the ledger names actors: `person:3`, `peer:2`, `system`.
    pub actor: String,
    /// What was done.
    pub action: Action,
    /// The destination, if it left to one.
    pub to: Option<String>,
    /// Why, as the person said.
    pub why: Option<String>,
}

impl Records {
    /// Shows one record to a person, after that was recorded.
    pub fn show(&self, record: RecordId, by: PersonId, why: &str) -> Result<Shown, RecordsError> {
        let read = self.read_one(record)?;
        let mut entry = self.reading(Action::RecordShown, Subject::Record(record), by, why)?;
        entry.patient = read.patient;
        let entry = self.record(entry).map_err(RecordsError::of_reading)?;
        Ok(read.shown(Recorded::Entry(entry)))
    }

    /// Reads one record for a view that the caller records before it hands it out.
    pub(crate) fn read_one(&self, record: RecordId) -> Result<Read, RecordsError> {
        let stored = self.entry_of(record)?;
        let (kind, view) = self.viewed(record, &stored)?;
        Ok(Read {
            record,
            kind,
            patient: stored.patient,
            time: leaf_of(&stored)?.time,
            view,
        })
    }

    /// What a record is, and its view; of a large document its size.
    pub(crate) fn viewed(
        &self,
        record: RecordId,
        stored: &StoredEntry,
    ) -> Result<(RecordKind, Value), RecordsError> {
        let length_bytes = self.reader(record, stored)?.length_bytes();
        if stored.kind == RecordKind::Document.code() && length_bytes > SHOWN_MAX_BYTES {
            let view = json!({ "size_bytes": length_bytes });
            return Ok((RecordKind::Document, view));
        }
        let opened = self.open_entry(record, stored)?;
        Ok((opened.kind, view(opened.kind, opened.bytes.expose())))
    }

    /// Everyone who saw a patient's records or received them, the newest last; asking is recorded
    /// too.
    pub fn accounting(
        &self,
        patient: PatientId,
        by: PersonId,
        why: &str,
    ) -> Result<Vec<Access>, RecordsError> {
        let group = self.group(patient);
        if group.is_empty() {
            return Err(RecordsError::NoPatient);
        }
        self.catch_up()?;
        let accesses = self.accesses(&group)?;
        let subject = Subject::Patient(patient);
        let mut entry = self.reading(Action::RecordShown, subject, by, why)?;
        entry.patient = Some(patient);
        entry.facts = Facts::new().text("what", "accounting of disclosures");
        self.record(entry)?;
        Ok(accesses)
    }

    /// Every entry by which records of these patients were seen or left.
    pub(crate) fn accesses(&self, group: &[PatientId]) -> Result<Vec<Access>, RecordsError> {
        let mut records = BTreeSet::new();
        for patient in group {
            records.extend(self.records_of(*patient)?);
        }
        let mut accesses = Vec::new();
        let mut from = EntryIndex::new(0);
        loop {
            let page: Vec<StoredEntry> = self
                .shared
                .store
                .read(|snapshot| entries(snapshot, from, LEDGER_PAGE))?;
            let Some(last) = page.last() else {
                return Ok(accesses);
            };
            from = EntryIndex::new(last.index.get().saturating_add(1));
            for stored in page.iter().filter(|stored| is_access(&stored.action)) {
                let leaf = leaf_of(stored)?;
                if concerns(&leaf, group, &records) {
                    accesses.push(self.access(leaf));
                }
            }
        }
    }

    /// The records of one patient, the oldest first.
    pub(crate) fn records_of(&self, patient: PatientId) -> Result<Vec<RecordId>, RecordsError> {
        let mut all = Vec::new();
        let mut before = i64::MAX;
        loop {
            let page: Vec<_> = self
                .shared
                .store
                .read(|snapshot| store::records_of(snapshot, patient, before, PAGE))?;
            let Some(last) = page.last() else {
                all.reverse();
                return Ok(all);
            };
            before = last.record.as_sql();
            all.extend(page.iter().map(|row| row.record));
        }
    }

    pub(crate) fn reading(
        &self,
        action: Action,
        subject: Subject,
        by: PersonId,
        why: &str,
    ) -> Result<NewEntry, RecordsError> {
        let detail = self.shared.seal_detail(&json!({ "why": why }))?;
        let entry = NewEntry::new(self.shared.site, Actor::Person(by), action, subject);
        Ok(entry.detail(detail))
    }

    fn access(&self, leaf: Leaf) -> Access {
        let to = match &leaf.subject {
            Subject::Destination(name) => Some(name.to_string()),
            _ => ["destination", "to"]
                .iter()
                .find_map(|name| fact_text(&leaf.facts, name)),
        };
        Access {
            entry: leaf.index,
            time: time_of_reading(leaf.time, &leaf.facts),
            actor: leaf.actor.to_string(),
            action: leaf.action,
            to,
            why: leaf
                .detail
                .as_deref()
                .and_then(|detail| self.why_of(&leaf, detail)),
        }
    }

    fn why_of(&self, leaf: &Leaf, detail: &[u8]) -> Option<String> {
        let (key, _) = self.shared.keys.site_key(Scope::Audit).ok()?;
        let opened = open_detail(&key, leaf.site, detail).ok()?;
        let detail: Value = serde_json::from_slice(opened.expose()).ok()?;
        Some(detail.get("why")?.as_str()?.to_owned())
    }
}

impl Read {
    /// What is shown, now that it is recorded.
    pub(crate) fn shown(self, recorded: Recorded) -> Shown {
        Shown {
            record: self.record,
            kind: self.kind,
            patient: self.patient,
            time: self.time,
            view: self.view,
            recorded,
        }
    }
}

pub(crate) fn leaf_of(stored: &StoredEntry) -> Result<Leaf, RecordsError> {
    Leaf::parse(&stored.leaf).map_err(|_| RecordsError::Damaged)
}

fn is_access(action: &str) -> bool {
    let accesses = [
        Action::MessageDelivered,
        Action::MessageResent,
        Action::RecordExported,
        Action::RecordSearched,
        Action::RecordShown,
    ];
    accesses.iter().any(|access| access.name() == action)
}

/// Whether an entry is about one of these patients or of their records, wherever it says so.
fn concerns(leaf: &Leaf, group: &[PatientId], records: &BTreeSet<RecordId>) -> bool {
    let numbered = |name: &str, wanted: &dyn Fn(u64) -> bool| match leaf.facts.get(name) {
        Some(Fact::Number(number)) => u64::try_from(*number).is_ok_and(wanted),
        Some(Fact::List(list)) => list
            .iter()
            .any(|fact| matches!(fact, Fact::Number(n) if u64::try_from(*n).is_ok_and(wanted))),
        _ => false,
    };
    let is_patient = |number: u64| group.contains(&PatientId::new(number));
    let is_record = |number: u64| records.contains(&RecordId::new(number));
    leaf.patient.is_some_and(|patient| group.contains(&patient))
        || leaf.record.is_some_and(|record| records.contains(&record))
        || matches!(leaf.subject, Subject::Record(record) if records.contains(&record))
        || matches!(leaf.subject, Subject::Patient(patient) if group.contains(&patient))
        || numbered("patients", &is_patient)
        || numbered("record", &is_record)
        || numbered("records", &is_record) && leaf.action == Action::MessageDelivered
}

fn fact_text(facts: &Facts, name: &str) -> Option<String> {
    match facts.get(name)? {
        Fact::Text(text) => Some(text.clone()),
        Fact::List(list) => {
            let texts = list.iter().filter_map(|fact| match fact {
                Fact::Text(text) => Some(text.as_str()),
                _ => None,
            });
            Some(texts.collect::<Vec<_>>().join(", "))
        }
        Fact::Number(_) => None,
    }
}

/// A record for the eye: text is decoded and unescaped, nothing is left out.
pub(crate) fn view(kind: RecordKind, bytes: &[u8]) -> Value {
    let parsed = match kind {
        RecordKind::Hl7V2 => Message::parse(bytes).ok().map(|message| hl7_view(&message)),
        RecordKind::Astm => astm::Message::parse(bytes)
            .ok()
            .map(|message| astm_view(&message)),
        RecordKind::FhirResource => serde_json::from_slice(bytes).ok(),
        RecordKind::Document => None,
    };
    parsed.unwrap_or_else(|| json!({ "text": Charset::Unknown.decode(bytes) }))
}

fn hl7_view(message: &Message<'_>) -> Value {
    let charset = message.header().charset();
    let segments = message
        .segments()
        .map(|segment| segment_view(&segment, message, charset));
    json!({ "segments": segments.collect::<Vec<_>>() })
}

fn segment_view(segment: &Segment<'_>, message: &Message<'_>, charset: Charset) -> Value {
    let separator = message.delimiters().field;
    let separators = segment
        .raw()
        .iter()
        .filter(|byte| **byte == separator)
        .count();
    let is_header = matches!(segment.id(), b"MSH" | b"FHS" | b"BHS");
    let last = separators + usize::from(is_header);
    let fields = (1..=last).map(|n| field_view(&segment.field(n), charset));
    json!({
        "id": charset.decode(segment.id()),
        "fields": fields.collect::<Vec<_>>(),
    })
}

/// A plain field is a text; one with parts is a list of repetitions, each a list of components.
fn field_view(field: &labward_hl7::Field<'_>, charset: Charset) -> Value {
    let repetitions: Vec<Vec<Value>> = field
        .repetitions()
        .map(|repetition| {
            repetition
                .components()
                .map(|c| json!(c.text(charset)))
                .collect()
        })
        .collect();
    match repetitions.as_slice() {
        [only] if only.len() == 1 => json!(field.text(charset)),
        _ => json!(repetitions),
    }
}

fn astm_view(message: &astm::Message<'_>) -> Value {
    let text = |bytes: &[u8]| Charset::Unknown.decode(bytes).into_owned();
    let records = message.records().iter().map(|record| {
        let fields = record.fields().map(|field| text(field.bytes()));
        json!({
            "type": char::from(record.record_type().letter()).to_string(),
            "fields": fields.collect::<Vec<_>>(),
        })
    });
    json!({ "records": records.collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_view_decodes_unescapes_and_leaves_nothing_out() {
        let message = b"MSH|^~\\&|A\\T\\B|||||||||2.5.1\rPID|1||12^^^A~34||M\xfcller^Eva\r";
        let shown = view(RecordKind::Hl7V2, message);
        let pid = &shown["segments"][1];
        assert_eq!(pid["id"], "PID");
        assert_eq!(pid["fields"][2], json!([["12", "", "", "A"], ["34"]]));
        assert_eq!(pid["fields"][4], json!([["Müller", "Eva"]]));
        let msh = &shown["segments"][0]["fields"];
        assert_eq!(
            (&msh[0], &msh[1], &msh[2]),
            (&json!("|"), &json!("^~\\&"), &json!("A&B"))
        );
        assert_eq!(msh[11], "2.5.1");
    }

    #[test]
    fn what_does_not_parse_is_shown_as_text() {
        assert_eq!(
            view(RecordKind::Hl7V2, b"noise"),
            json!({ "text": "noise" })
        );
        assert_eq!(view(RecordKind::FhirResource, b"{"), json!({ "text": "{" }));
    }

    proptest! {
        #[test]
        fn any_bytes_are_shown_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), kind in 1u16..5) {
            let _ = view(RecordKind::from_code(kind).unwrap(), &bytes);
            let mut message = b"MSH|^~\\&|".to_vec();
            message.extend_from_slice(&bytes);
            let _ = view(RecordKind::Hl7V2, &message);
        }
    }
}
