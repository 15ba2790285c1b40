//! Entries as FHIR R4 AuditEvent resources, shaped after IHE BALP 1.1.
//!
//! They hold what the leaf holds and nothing more: the sealed detail stays sealed. No resource
//! claims a profile in `meta.profile`, because agents' network addresses, which the profiles demand,
//! are not in the ledger.

use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labward_base::id::EntryIndex;
use labward_store::Store;
use serde_json::{Map, Value, json};

use crate::action::{Actor, Outcome, Subject};
use crate::entry::Leaf;
use crate::error::LedgerError;
use crate::facts::Fact;
use crate::store;

const DICOM: &str = "http://dicom.nema.org/resources/ontology/DCM";
const LIFECYCLE: &str = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle";
const EVENT_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-event-type";
const INTERACTION: &str = "http://hl7.org/fhir/restful-interaction";
const ENTITY_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
const OBJECT_ROLE: &str = "http://terminology.hl7.org/CodeSystem/object-role";
const SOURCE_TYPE: &str = "http://terminology.hl7.org/CodeSystem/security-source-type";
/// Entries read from the store at a time.
const PAGE: u32 = 512;
/// Names of Labward's own that FHIR has no code for.
const LABWARD: &str = "https://labward.local/fhir";

/// Writes the entries from `first` on, up to one behind the last (`end`), as NDJSON: an AuditEvent
/// a line; how many there were.
///
/// # Errors
/// [`LedgerError::Tampered`] if a leaf is not canonical, and whatever store and `out` report.
pub fn export_audit_events(
    store: &Store,
    first: EntryIndex,
    end: EntryIndex,
    wanted: impl Fn(&Leaf) -> bool,
    mut out: impl Write,
) -> Result<u64, LedgerError> {
    let (mut at, mut count) = (first, 0);
    while at < end {
        let rows = store.read(|snapshot| store::entries(snapshot, at, PAGE))?;
        let Some(last) = rows.last() else { break };
        at = EntryIndex::new(last.index.get() + 1);
        for row in rows.iter().filter(|row| row.index < end) {
            let leaf = Leaf::parse(&row.leaf).map_err(|_| {
                LedgerError::tampered(format!("entry {}: its leaf is not canonical", row.index))
            })?;
            if !wanted(&leaf) {
                continue;
            }
            writeln!(out, "{}", to_audit_event(&leaf))
                .map_err(LedgerError::file("the audit events"))?;
            count += 1;
        }
    }
    out.flush().map_err(LedgerError::file("the audit events"))?;
    Ok(count)
}

/// The leaf as an AuditEvent.
pub fn to_audit_event(leaf: &Leaf) -> Value {
    let mut event = json!({
        "resourceType": "AuditEvent",
        "id": format!("labward-{}-{}", leaf.node, leaf.index),
        "type": event_type(leaf),
        "subtype": subtypes(leaf),
        "action": leaf.action.letter().code(),
        "recorded": leaf.time.to_rfc3339(),
        "outcome": outcome_code(&leaf.outcome),
        "agent": agents(leaf),
        "source": {
            "site": format!("site {}", leaf.site),
            "observer": observer(leaf),
            "type": [{ "system": SOURCE_TYPE, "code": "4", "display": "Application Server" }],
        },
        "entity": entities(leaf),
    });
    if let (Outcome::Refused(code) | Outcome::Failed(code), Some(event)) =
        (&leaf.outcome, event.as_object_mut())
    {
        event.insert("outcomeDesc".to_owned(), json!(code));
    }
    event
}

/// The RESTful interaction as which BALP's patient patterns see the act.
fn interaction(leaf: &Leaf) -> Option<&'static str> {
    match leaf.action.balp_profile()? {
        "PatientRead" => Some("read"),
        "PatientUpdate" => Some("update"),
        "PatientDelete" => Some("delete"),
        _ => None,
    }
}

fn event_type(leaf: &Leaf) -> Value {
    match interaction(leaf) {
        Some(_) => json!({ "system": EVENT_TYPE, "code": "rest", "display": "Restful Operation" }),
        None => json!({ "system": DICOM, "code": leaf.action.dicom_code() }),
    }
}

fn subtypes(leaf: &Leaf) -> Vec<Value> {
    let interaction = interaction(leaf).map(|code| json!({ "system": INTERACTION, "code": code }));
    let lifecycle = leaf
        .action
        .lifecycle_code()
        .map(|code| json!({ "system": LIFECYCLE, "code": code }));
    let own = json!({ "system": format!("{LABWARD}/action"), "code": leaf.action.name() });
    interaction
        .into_iter()
        .chain(lifecycle)
        .chain([own])
        .collect()
}

/// The codes of FHIR R4 `AuditEvent.outcome`: a refusal is a minor failure, a failure a serious one.
fn outcome_code(outcome: &Outcome<String>) -> &'static str {
    match outcome {
        Outcome::Success => "0",
        Outcome::Refused(_) => "4",
        Outcome::Failed(_) => "8",
    }
}

fn observer(leaf: &Leaf) -> Value {
    json!({ "identifier": identifier("node", leaf.node) , "display": "Labward" })
}

fn identifier(kind: &str, value: impl ToString) -> Value {
    json!({ "system": format!("{LABWARD}/{kind}"), "value": value.to_string() })
}

/// Labward itself, and who acted. DICOM 110153 is the source role, 110152 the destination role.
fn agents(leaf: &Leaf) -> Vec<Value> {
    let role = |code: &str, display: &str| json!({ "coding": [{ "system": DICOM, "code": code, "display": display }] });
    let (source, destination) = (
        role("110153", "Source Role ID"),
        role("110152", "Destination Role ID"),
    );
    // What comes in flows from the peer to Labward, everything else the other way.
    let incoming = leaf.action.dicom_code() == "110107" && matches!(leaf.actor, Actor::Peer(_));
    let (ours, theirs) = if incoming {
        (destination, source)
    } else {
        (source, destination)
    };
    let labward =
        |requestor: bool| json!({ "type": ours, "who": observer(leaf), "requestor": requestor });
    let other = match leaf.actor {
        Actor::System => return vec![labward(true)],
        Actor::Peer(peer) => json!({
            "type": theirs,
            "who": { "identifier": identifier("peer", peer) },
            "requestor": true,
        }),
        Actor::Person(person) => json!({
            "type": { "coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/extra-security-role-type",
                "code": "humanuser",
                "display": "human user",
            }] },
            "who": { "identifier": identifier("person", person) },
            "requestor": true,
        }),
    };
    vec![labward(false), other]
}

fn entities(leaf: &Leaf) -> Vec<Value> {
    let mut entities = Vec::new();
    if let Some(patient) = leaf.patient {
        entities.push(json!({
            "what": { "type": "Patient", "identifier": identifier("patient", patient) },
            "type": { "system": ENTITY_TYPE, "code": "1", "display": "Person" },
            "role": { "system": OBJECT_ROLE, "code": "1", "display": "Patient" },
        }));
    }
    // The patient stands there already; the installation as a whole is the source.
    let named = leaf.subject == Subject::Installation
        || leaf
            .patient
            .is_some_and(|patient| leaf.subject == Subject::Patient(patient));
    let what = match named {
        true => identifier("entry", leaf.index),
        false => identifier("subject", &leaf.subject),
    };
    let mut entity = json!({
        "what": { "identifier": what },
        "type": { "system": ENTITY_TYPE, "code": "2", "display": "System Object" },
    });
    put_details(leaf, &mut entity);
    entities.push(entity);
    entities
}

/// Facts, payload digest and sealed detail as `entity.detail`.
fn put_details(leaf: &Leaf, entity: &mut Value) {
    let text = |kind: &str, value: String| json!({ "type": kind, "valueString": value });
    let mut details: Vec<_> = leaf
        .facts
        .iter()
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, fact)| text(name, fact_text(fact)))
        // FHIR knows no empty string.
        .filter(|detail| detail.get("valueString") != Some(&json!("")))
        .collect();
    if let Some(payload) = &leaf.payload {
        details.push(text("payload.sha256", payload.sha256.to_string()));
        details.push(text("payload.bytes", payload.size_bytes.to_string()));
    }
    if let Some(sealed) = leaf.detail.as_ref().filter(|sealed| !sealed.is_empty()) {
        let sealed = STANDARD.encode(sealed);
        details.push(json!({ "type": "detail.sealed", "valueBase64Binary": sealed }));
    }
    if let Some(entity) = entity
        .as_object_mut()
        .filter(|_: &&mut Map<_, _>| !details.is_empty())
    {
        entity.insert("detail".to_owned(), Value::Array(details));
    }
}

fn fact_text(fact: &Fact) -> String {
    match fact {
        Fact::Text(text) => text.clone(),
        Fact::Number(number) => number.to_string(),
        Fact::List(items) => items.iter().map(fact_text).collect::<Vec<_>>().join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::tests::full_entry;
    use crate::{Action, NewEntry};
    use labward_base::Timestamp;
    use labward_base::id::{NodeId, PatientId, PersonId, SiteId};

    fn leaf_of(entry: &NewEntry) -> Leaf {
        let mut bytes = Vec::new();
        entry
            .encode(
                17,
                NodeId::new(1),
                Timestamp::from_seconds(1_000),
                &mut bytes,
            )
            .unwrap();
        Leaf::parse(&bytes).unwrap()
    }

    #[test]
    fn a_record_that_was_shown_is_a_patient_read_by_a_person() {
        let patient = PatientId::new(7);
        let actor = Actor::Person(PersonId::new(3));
        let shown = NewEntry::new(
            SiteId::new(1),
            actor,
            Action::RecordShown,
            Subject::Patient(patient),
        )
        .patient(patient)
        .detail(vec![1, 2, 3]);
        let event = to_audit_event(&leaf_of(&shown));
        assert_eq!(event["type"]["code"], "rest");
        assert_eq!(event["subtype"][0]["code"], "read");
        assert_eq!(event["action"], "R");
        assert_eq!(event["outcome"], "0");
        assert_eq!(event["recorded"], "1970-01-01T00:16:40.000000Z");
        assert_eq!(event["agent"][1]["who"]["identifier"]["value"], "3");
        assert_eq!(event["entity"][0]["what"]["identifier"]["value"], "7");
        assert_eq!(event["entity"][1]["detail"][0]["valueBase64Binary"], "AQID");
    }

    #[test]
    fn an_export_has_one_event_a_line() {
        let ledger = crate::testing::TestLedger::new();
        ledger.fill(0, 5);
        let mut out = Vec::new();
        let (first, end) = (EntryIndex::new(1), EntryIndex::new(4));
        assert_eq!(
            export_audit_events(ledger.store(), first, end, |_| true, &mut out).unwrap(),
            3
        );
        let text = String::from_utf8(out).unwrap();
        let ids: Vec<_> = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].clone())
            .collect();
        assert_eq!(ids, ["labward-1-1", "labward-1-2", "labward-1-3"]);
    }

    #[test]
    fn a_refusal_says_its_code() {
        let mut entry = full_entry();
        entry.outcome = Outcome::Refused("gateway.not-allowed");
        let event = to_audit_event(&leaf_of(&entry));
        assert_eq!(event["agent"][0]["type"]["coding"][0]["code"], "110152");
        assert_eq!(event["agent"][1]["type"]["coding"][0]["code"], "110153");
        assert_eq!(
            (&event["outcome"], &event["outcomeDesc"]),
            (&json!("4"), &json!("gateway.not-allowed"))
        );
    }

    /// Elements with a minimum of one in FHIR R4 AuditEvent, and its rule that nothing is empty.
    #[test]
    fn every_action_gives_the_elements_that_fhir_demands() {
        for action in Action::ALL {
            let entry = NewEntry {
                action: *action,
                ..full_entry()
            };
            let event = to_audit_event(&leaf_of(&entry));
            for path in [
                "/type/system",
                "/type/code",
                "/recorded",
                "/source/observer",
                "/agent/0/requestor",
            ] {
                assert!(event.pointer(path).is_some(), "{action}: {path}");
            }
            assert!(!event.to_string().contains("\"\""), "{action}");
            assert!(!event.to_string().contains("null"), "{action}");
        }
    }
}
