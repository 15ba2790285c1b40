//! Reading: one record in full.
//!
//! It must never hand out a byte before the entry that says so is durable, and never change what it
//! shows: the view is for the eye, the original is as it came.
//! Carries out 45 CFR 164.312(b).

use labward_astm::record as astm;
use labward_base::Timestamp;
use labward_base::id::{EntryIndex, PatientId, PersonId, RecordId};
use labward_hl7::{Charset, Message, Segment};
use labward_ledger::{Action, Actor, Facts, Leaf, NewEntry, StoredEntry, Subject};
use labward_report::Report;
use serde_json::{Value, json};

use crate::error::RecordsError;
use crate::kind::RecordKind;
use crate::records::Records;
use crate::results::{Earlier, ReadResults};

/// A document above this is not shown as text.
const SHOWN_MAX_BYTES: u64 = 1 << 20;

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
    /// The laboratory report in it, if it holds results.
    pub report: Option<Report>,
    /// The values that its tests had before, if they were asked for.
    pub earlier: Option<Earlier>,
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
    pub(crate) patient: Option<PatientId>,
    time: Timestamp,
    seen: Seen,
}

/// What is seen of a record.
pub(crate) struct Seen {
    kind: RecordKind,
    pub(crate) view: Value,
    report: Option<Report>,
}

impl Records {
    /// Shows one record to a person, after that was recorded.
    pub fn show(&self, record: RecordId, by: PersonId, why: &str) -> Result<Shown, RecordsError> {
        let read = self.read_one(record)?;
        let entry = self.record_view(&read, None, by, why)?;
        Ok(read.shown(Recorded::Entry(entry)))
    }

    /// The same with the values that its tests had before; the entry names each record read.
    pub fn show_with_earlier(
        &self,
        record: RecordId,
        by: PersonId,
        why: &str,
    ) -> Result<Shown, RecordsError> {
        self.come_near().map_err(RecordsError::of_reading)?;
        let read = self.read_one(record)?;
        let earlier = match (read.patient, &read.seen.report) {
            (Some(patient), Some(_)) => Some(self.read_earlier(patient, record)?),
            _ => None,
        };
        let entry = self.record_view(&read, earlier.as_ref(), by, why)?;
        let mut shown = read.shown(Recorded::Entry(entry));
        if let (Some(earlier), Some(report)) = (earlier, &shown.report) {
            shown.earlier = Some(earlier.earlier_than(report, record, shown.time));
        }
        Ok(shown)
    }

    fn record_view(
        &self,
        read: &Read,
        earlier: Option<&ReadResults>,
        by: PersonId,
        why: &str,
    ) -> Result<EntryIndex, RecordsError> {
        let subject = Subject::Record(read.record);
        let mut entry = self.reading(Action::RecordShown, subject, by, why)?;
        entry.patient = read.patient;
        if let Some(earlier) = earlier.filter(|earlier| earlier.records().next().is_some()) {
            entry.facts = Facts::new().numbers("records", earlier.records());
        }
        self.record(entry).map_err(RecordsError::of_reading)
    }

    /// Reads one record for a view that the caller records before it hands it out.
    pub(crate) fn read_one(&self, record: RecordId) -> Result<Read, RecordsError> {
        let stored = self.entry_of(record)?;
        Ok(Read {
            record,
            patient: stored.patient,
            time: leaf_of(&stored)?.time,
            seen: self.viewed(record, &stored)?,
        })
    }

    /// What is seen of a record; of a large document its size.
    pub(crate) fn viewed(
        &self,
        record: RecordId,
        stored: &StoredEntry,
    ) -> Result<Seen, RecordsError> {
        let length_bytes = self.reader(record, stored)?.length_bytes();
        if stored.kind == RecordKind::Document.code() && length_bytes > SHOWN_MAX_BYTES {
            return Ok(Seen {
                kind: RecordKind::Document,
                view: json!({ "size_bytes": length_bytes }),
                report: None,
            });
        }
        let opened = self.open_entry(record, stored)?;
        let bytes = opened.bytes.expose();
        let format = opened.kind.report_format();
        Ok(Seen {
            kind: opened.kind,
            view: view(opened.kind, bytes),
            report: format.and_then(|format| Report::read(format, bytes)),
        })
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
}

impl Read {
    /// What is shown, now that it is recorded.
    pub(crate) fn shown(self, recorded: Recorded) -> Shown {
        Shown {
            record: self.record,
            kind: self.seen.kind,
            patient: self.patient,
            time: self.time,
            view: self.seen.view,
            report: self.seen.report,
            earlier: None,
            recorded,
        }
    }
}

pub(crate) fn leaf_of(stored: &StoredEntry) -> Result<Leaf, RecordsError> {
    Leaf::parse(&stored.leaf).map_err(|_| RecordsError::Damaged)
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
