//! Records and patients: finding, showing, exporting, importing, disposing.

use labward_report::{Report, TestLine};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `POST records/find`: what to search by; never in a URL or on a command line.
#[derive(Clone, Default, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Find {
    /// An identifier of the patient, exact.
    pub mrn: Option<String>,
    /// The authority that assigned it, if several do.
    pub authority: Option<String>,
    /// A name, typing errors tolerated.
    pub name: Option<String>,
    /// A birth date, `YYYY-MM-DD`, `YYYY-MM` or `YYYY`.
    pub birth_date: Option<String>,
    /// An accession number, exact.
    pub accession: Option<String>,
    /// Why; recorded.
    #[schemars(length(min = 1, max = 1000), regex(pattern = r"\S"))]
    pub why: String,
    /// How many patients at most, 1 to 100 (default 20).
    pub limit: Option<u32>,
}

/// The answer to a search: masked hits.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Found {
    /// The patients, the best first.
    pub patients: Vec<PatientHit>,
    /// Whether an index is still being built or far behind the ledger, so that hits may be missing.
    pub loading: bool,
    /// The index of the entry that records this search.
    pub entry: Option<u64>,
    /// Its number in the reserve instead, until it is merged into the ledger; by break-glass only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserve: Option<u64>,
}

/// One patient, masked.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct PatientHit {
    /// The opaque number to go on with.
    pub patient: u64,
    /// The name, masked.
    pub name: String,
    /// The year of birth.
    pub birth_year: Option<String>,
    /// How well it fits, 0 to 1.
    pub score: f64,
    /// The records, the newest first, at most 100.
    pub records: Vec<RecordHit>,
    /// How many there are in all.
    pub record_count: u64,
}

/// One record of a patient, without its content.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct RecordHit {
    /// The record's number.
    pub record: u64,
    /// `hl7-v2`, `astm`, `fhir-resource` or `document`.
    pub kind: String,
    /// When it was kept, RFC 3339.
    pub time: String,
    /// Its length in bytes as it came, or sealed if it came in a file with others.
    pub size_bytes: u64,
}

/// `POST records/{record}/show`: what is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShowRecord {
    /// Why the record is read.
    pub why: String,
    /// Whether the values that its tests had before are to be shown, too.
    #[serde(default)]
    pub earlier: bool,
}

/// The values that the tests of one report had before.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Earlier {
    /// The tests that the patient had before, each with this report's values and the earlier ones.
    pub tests: Vec<TestLine>,
    /// How many earlier records were read: the newest of them, at most 20.
    pub read: u64,
    /// Earlier records that could not be opened.
    pub unopened: Vec<u64>,
}

/// `POST records/{record}/show`: the record itself.
#[derive(Clone, JsonSchema, Serialize, Deserialize)]
pub struct Shown {
    /// The record's number.
    pub record: u64,
    /// `hl7-v2`, `astm`, `fhir-resource` or `document`.
    pub kind: String,
    /// The patient's opaque number, if it belongs to one.
    pub patient: Option<u64>,
    /// When it was kept, RFC 3339.
    pub time: String,
    /// Segments and fields for display (HL7, ASTM) or the resource itself (FHIR).
    pub view: Value,
    /// The laboratory report in it, if it holds results.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Report>,
    /// The values that its tests had before, if they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<Earlier>,
    /// The index of the entry that records this reading.
    pub entry: Option<u64>,
    /// Its number in the reserve instead, until it is merged into the ledger; by break-glass only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserve: Option<u64>,
}

/// `POST patients/{patient}/results`: all results of the patient's merge group.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Results {
    /// The opaque number of the patient by which the group goes.
    pub patient: u64,
    /// Family and given names, the newest first.
    pub names: Vec<String>,
    /// The birth date: `YYYY-MM-DD`, `YYYY-MM` or `YYYY`.
    pub birth_date: Option<String>,
    /// The sex as the newest report has it.
    pub sex: String,
    /// The identifiers.
    pub identifiers: Vec<PatientIdentifier>,
    /// Every test in each of its units, with its values, the newest first.
    pub tests: Vec<TestLine>,
    /// How many records were read: the newest, at most 200, and none behind the 10,000th result.
    pub read: u64,
    /// How many records there are.
    pub record_count: u64,
    /// Records that could not be opened: damaged, or their time of retention is over.
    pub unopened: Vec<u64>,
    /// The index of the entry that records this reading.
    pub entry: Option<u64>,
    /// Its number in the reserve instead, until it is merged into the ledger; by break-glass only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserve: Option<u64>,
}

/// One identifier of a patient.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct PatientIdentifier {
    /// The identifier itself.
    pub value: String,
    /// Who assigned it; empty if nothing says so.
    pub authority: String,
    /// Its type by HL7 table 0203, such as `MR`; empty if not given.
    pub kind: String,
}

/// `POST patients/{patient}/accesses`: which accesses to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AskedAccesses {
    /// Why it is asked; recorded.
    #[schemars(length(min = 1, max = 1000), regex(pattern = r"\S"))]
    pub why: String,
    /// From this day (`YYYY-MM-DD`, UTC) or moment (RFC 3339) on; the last six years if not given.
    pub since: Option<String>,
    /// To the end of this day, or before this moment; until now if not given.
    pub until: Option<String>,
    /// Only in front of this entry: `next` of the page before.
    pub before: Option<u64>,
    /// How many at most, 1 to 1,000 (default 100).
    pub limit: Option<u32>,
}

/// A page of who received, saw and was given a patient's records.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Accesses {
    /// The opaque numbers of the patient's merge group.
    pub patients: Vec<u64>,
    /// From when on, RFC 3339.
    pub since: String,
    /// Before when.
    pub until: String,
    /// The accesses, the newest first.
    pub accesses: Vec<Access>,
    /// There may be more in front of this entry: ask again with `before`. None: the list is complete.
    pub next: Option<u64>,
    /// The index of the entry that records that this was asked.
    pub entry: u64,
}

/// One time that a patient's records came, were seen or left.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Access {
    /// The index of the entry.
    pub entry: u64,
    /// When, RFC 3339.
    pub time: String,
    /// Who: `person:3`, `peer:7` or `system`.
    pub actor: String,
    /// Their name, where there is one.
    pub name: Option<String>,
    /// What was done, such as `record.shown`.
    pub action: String,
    /// How it ended: `success`, `refused:CODE` or `failed:CODE`.
    pub outcome: String,
    /// Which of the patient's records, as far as the entry names them.
    pub records: Vec<u64>,
    /// The peer or link it came from.
    pub from: Option<String>,
    /// Where it went.
    pub to: Option<String>,
    /// Whether it was by break-glass.
    pub break_glass: bool,
    /// Why, as the person said.
    pub why: Option<String>,
}

/// `POST records/export`: what to export; the answer is the bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Export {
    /// One record, or
    #[serde(default)]
    pub record: Option<u64>,
    /// all records of one patient.
    #[serde(default)]
    pub patient: Option<u64>,
    /// `original` (the bytes as they came) or `json` (one object a line).
    pub format: String,
    /// Of one record in its original form: the first byte, counted from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<u64>,
    /// And the last one, included; without it to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<u64>,
    /// Why; recorded.
    #[schemars(length(min = 1, max = 1000), regex(pattern = r"\S"))]
    pub why: String,
}

/// `POST patients/{patient}/documents`: what became of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct AddedDocument {
    /// The record's number.
    pub record: u64,
    /// Its length in bytes.
    pub size_bytes: u64,
    /// The index of the entry that keeps it.
    pub entry: u64,
}

/// `POST records/import`: what became of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Imported {
    /// How many records were kept.
    pub records: u64,
    /// How many patients were met for the first time.
    pub new_patients: u64,
    /// `hl7-v2` or `fhir`.
    pub kind: String,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
    /// The index of the entry that sums the import up.
    pub entry: u64,
}

/// `POST patients/{patient}/dispose`: destroys the keys of the patient's whole merge group.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dispose {
    /// Why; recorded.
    #[schemars(length(min = 1, max = 1000), regex(pattern = r"\S"))]
    pub why: String,
    /// A decision that overrides the retention time, in words; a legal hold is never overridden.
    #[serde(default)]
    pub override_retention: Option<String>,
}

/// The proof of a disposal.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Disposed {
    /// The proof, one JSON object; it says what it does not cover.
    pub proof: Value,
}
