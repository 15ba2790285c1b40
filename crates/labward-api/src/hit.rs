//! `hits`: which published vulnerabilities concern which devices, and what people said and decided about it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::disclosure::PatchApproval;

/// Which hits are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HitFilter {
    /// Only those of which the device, the advisory, its title or the CVE holds this, in any case of letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// Only those of this device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<u64>,
    /// Only those of this document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advisory: Option<u64>,
    /// `open` (without it, too), `due` (untreated, due within a week or late), `overdue`, `untreated`,
    /// `treated`, `closed` or `all`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Only `affected` or only `cannot-tell`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// Leaves out so many from the front; 0 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip: Option<u32>,
    /// So many at most, 1 to 1,000; 100 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A page of hits: what is open by due day and urgency, then what is closed, the newest first.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Hits {
    /// The hits.
    pub hits: Vec<Hit>,
    /// How many the filter fits, on all pages.
    pub total: u64,
    /// `skip` of the next page; nothing on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u32>,
    /// How many of all open hits there are in which state.
    pub counts: HitCounts,
    /// When the devices were matched last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched: Option<String>,
    /// How many advisories they were matched with.
    pub advisories: u64,
}

/// How many open hits there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct HitCounts {
    /// All of them.
    pub open: u64,
    /// Of those, the ones that affect their device.
    pub affected: u64,
    /// Those of which it cannot be told.
    pub cannot_tell: u64,
    /// Those that are late and not treated.
    pub overdue: u64,
    /// Those that are due soon and not treated.
    pub due_soon: u64,
    /// Those with a treatment that counts.
    pub treated: u64,
    /// Devices with any.
    pub devices: u64,
}

/// A device, by number and name.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct HitDevice {
    /// Its number.
    pub id: u64,
    /// What it is called.
    pub name: String,
    /// The version of its software.
    pub version: String,
}

/// A device and a vulnerability that affects it, or of which that cannot be told.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Hit {
    /// Its number.
    pub id: u64,
    /// The device.
    pub device: HitDevice,
    /// The number of the document; nothing if it is held no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<u64>,
    /// The publisher's id of the document.
    pub advisory: String,
    /// The document's title.
    pub title: String,
    /// The CVE, or the advisory with its title or place there.
    pub vulnerability: String,
    /// `affected` or `cannot-tell`; of a closed hit what it was last.
    pub verdict: String,
    /// The codes of the reasons why it cannot be told.
    pub reasons: Vec<String>,
    /// `critical`, `high`, `medium` or `low`.
    pub band: String,
    /// What SSVC decides: `immediate`, `out-of-cycle`, `scheduled` or `defer`.
    pub decision: String,
    /// The highest base score, 0.0 to 10.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cvss: Option<f64>,
    /// Whether it is known to be exploited.
    pub exploited: bool,
    /// Whether ransomware is known to use it.
    pub ransomware: bool,
    /// How probable its exploitation within 30 days is, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epss: Option<f64>,
    /// `open`, `due-soon`, `overdue`, `acceptance-expired`, `treated` or `closed`.
    pub state: String,
    /// The last day on which it is in time.
    pub due: String,
    /// Days from today to it; below 0 once it has passed.
    pub days_left: i64,
    /// How it is treated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub treatment: Option<HitTreatment>,
    /// When it was found first, and when it opened last.
    pub found: String,
    /// When it opened last.
    pub opened: String,
    /// When it closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<String>,
    /// Why it closed: `retest`, `sbom`, `statement`, `vex`, `advisory` or `device-removed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_by: Option<String>,
    /// The entry that recorded the last change.
    pub entry: u64,
}

/// How a hit is treated.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct HitTreatment {
    /// `patch`, `control`, `accept` or `replace`.
    pub kind: String,
    /// Its last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Whether the vendor approves the patch for this device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<bool>,
    /// Whether it counts today.
    pub counts: bool,
    /// Who decided.
    pub person: u64,
    /// Their name, for who may see people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person_name: Option<String>,
    /// When.
    pub decided: String,
    /// Why; nothing while the root key is sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The entry that recorded it.
    pub entry: u64,
}

/// Something that is said as a code, the values of its places and an English sentence.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Saying {
    /// The code.
    pub code: String,
    /// The values of its places.
    pub values: BTreeMap<String, String>,
    /// The sentence.
    pub text: String,
}

/// A hit and the way to it.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct HitShown {
    /// The hit.
    pub hit: Hit,
    /// The products that led to the verdict, as their publisher wrote them.
    pub steps: Vec<HitStep>,
    /// What would be said without any person's statement and any VEX document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without: Option<String>,
    /// The statements of people that count here.
    pub statements: Vec<HitStatement>,
    /// What publishers say of it in VEX documents, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub published: Vec<HitPublished>,
    /// What the device's vendor says of patches for its model, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<PatchApproval>,
    /// Why it is as urgent as it is, in the order in which it was decided.
    pub urgency: Vec<Saying>,
    /// Which rule set the due day.
    pub due_rule: Saying,
    /// What has to be said of the treatment.
    pub notes: Vec<Saying>,
    /// What can be done.
    pub remediations: Vec<crate::advisory::AdvisoryRemediation>,
    /// Where more stands.
    pub references: Vec<String>,
    /// Whom to call at the device's vendor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// Where the device stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Who answers for the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The device's manufacturer and what it is called there, for a statement about products.
    pub manufacturer: String,
    /// The device's model.
    pub model: String,
}

/// One product as its publisher wrote it, and how it was compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct HitStep {
    /// The vendor.
    pub vendor: String,
    /// The product.
    pub product: String,
    /// The versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<String>,
    /// By which of the device's names it was found.
    pub found_by: String,
    /// How the names stand to each other.
    pub name: String,
    /// By which rule the versions were read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_as: Option<String>,
    /// What the publisher says of the product.
    pub status: String,
}

/// What a publisher says of a vulnerability in a VEX document.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct HitPublished {
    /// The number of the document.
    pub document: u64,
    /// The publisher's id of it.
    pub name: String,
    /// Who published it.
    pub publisher: String,
    /// `affected`, `not_affected`, `fixed` or `under_investigation`.
    pub status: String,
    /// Why the device is not affected, by a word of VEX.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub justification: Option<String>,
    /// Why, or what to do, in the publisher's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
    /// The component that it is said of; nothing where it is said of the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// When it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// Whether the publisher makes the device; nobody else's word decides.
    pub maker: bool,
    /// Whether it decides here.
    pub counts: bool,
}

/// What a person said.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct HitStatement {
    /// Its number.
    pub id: u64,
    /// `same` or `other` of products; `affected`, `fixed` or `not-affected` of a vulnerability.
    pub says: String,
    /// Of products: who makes the device, as the lab writes it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub manufacturer: String,
    /// Of products: what the lab calls it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub model: String,
    /// Of products: the vendor, as publishers write it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub vendor: String,
    /// Of products: what publishers call it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub product: String,
    /// Of a vulnerability: the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<HitDevice>,
    /// Of a vulnerability: which.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub vulnerability: String,
    /// Of a vulnerability: the only version of the device that is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Who said it.
    pub person: u64,
    /// Their name, for who may see people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person_name: Option<String>,
    /// When.
    pub said: String,
    /// Why; nothing while the root key is sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// When it was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<String>,
    /// The entry that recorded the last change.
    pub entry: u64,
}

/// All statements, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct HitStatements {
    /// The statements.
    pub statements: Vec<HitStatement>,
}

/// That hits are patched, or held off by a control.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TreatHits {
    /// The hits, 1 to 500.
    pub hits: Vec<u64>,
    /// `patch` or `control`.
    pub kind: String,
    /// Of a patch, whether the vendor approves it for the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<bool>,
    /// Why, or what is done.
    pub why: String,
}

/// That the risk of hits is accepted, or their devices are replaced, by a day.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptHits {
    /// The hits, 1 to 500.
    pub hits: Vec<u64>,
    /// `accept` or `replace`.
    pub kind: String,
    /// The last day, as `YYYY-MM-DD`, at most two years away.
    pub until: String,
    /// Why.
    pub why: String,
}

/// What was decided about hits.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct TreatedHits {
    /// How many hits.
    pub hits: u64,
    /// The entries, one for each device.
    pub entries: Vec<u64>,
}

/// That two names are one product, or are not.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateProducts {
    /// Who makes the device, as the lab writes it.
    pub manufacturer: String,
    /// What the lab calls the model or the software.
    pub model: String,
    /// The vendor, as publishers write it.
    pub vendor: String,
    /// The product, as publishers write it.
    pub product: String,
    /// Whether both are one.
    pub same: bool,
    /// Why.
    pub why: String,
}

/// How a device stands to a vulnerability.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateVulnerability {
    /// The hit.
    pub hit: u64,
    /// `affected`, `fixed` or `not-affected`.
    pub status: String,
    /// Whether that is said of the version alone that the device has now.
    #[serde(default)]
    pub this_version: bool,
    /// Why.
    pub why: String,
}
