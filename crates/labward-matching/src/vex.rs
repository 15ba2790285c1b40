//! What people said of vulnerabilities, as an OpenVEX 0.2 document.
//!
//! It must never say more than a person did: a missing reason is called missing.

use labward_base::Timestamp;
use serde_json::{Map, Value, json};

use crate::people::{Answers, Statement, VexStatus, VulnerabilityId};

/// Who says it, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VexHeading<'a> {
    /// The IRI of the document.
    pub id: &'a str,
    /// Who answers for it.
    pub author: &'a str,
    /// When it was made.
    pub issued: Timestamp,
    /// Its version, from 1.
    pub version: u32,
}

/// A device of which the document speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VexDevice<'a> {
    /// The caller's number for it, as in [`Statement::device`].
    pub key: u64,
    /// The IRI under which others know it, such as a package URL or a `urn:`.
    pub iri: &'a str,
    /// The version of its software now; statements of other versions are left out.
    pub version: &'a str,
}

/// Writes the statements that count for these devices, in the order of the devices and the vulnerabilities.
///
/// Aliases have no place in OpenVEX and are not written.
pub fn to_openvex(
    heading: &VexHeading<'_>,
    answers: &Answers,
    devices: &[VexDevice<'_>],
) -> String {
    let mut statements = Vec::new();
    for device in devices {
        for (id, statement) in answers.statements_of(device.key, device.version) {
            statements.push(written(id, statement, device.iri));
        }
    }
    let document = json!({
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": heading.id,
        "author": heading.author,
        "timestamp": heading.issued.to_rfc3339(),
        "version": heading.version,
        "statements": statements,
    });
    document.to_string()
}

fn written(id: &VulnerabilityId, statement: &Statement, iri: &str) -> Value {
    let mut fields = Map::new();
    let mut put = |key: &str, value: Value| fields.insert(key.to_owned(), value);
    put("vulnerability", json!({ "name": id.to_string() }));
    put("timestamp", json!(statement.said.to_rfc3339()));
    put("products", json!([{ "@id": iri }]));
    put("status", json!(statement.status.as_str()));
    let words = statement.words.trim();
    let or = |missing| match words.is_empty() {
        true => json!(missing),
        false => json!(words),
    };
    match statement.status {
        // The format asks for an action.
        VexStatus::Affected => {
            put("action_statement", or("No action was given."));
        }
        // And here for a justification or words.
        VexStatus::NotAffected => {
            if let Some(why) = statement.justification {
                put("justification", json!(why.as_str()));
            }
            if statement.justification.is_none() || !words.is_empty() {
                put("impact_statement", or("No reason was given."));
            }
        }
        VexStatus::Fixed | VexStatus::UnderInvestigation if !words.is_empty() => {
            put("status_notes", json!(words));
        }
        VexStatus::Fixed | VexStatus::UnderInvestigation => {}
    }
    Value::Object(fields)
}
