//! `devices/…`: what manufacturers disclose of devices, and which patches they approve.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::hit::HitDevice;

/// A file that is attached to a device.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttachDisclosure {
    /// What the file is called.
    pub file: String,
    /// Whether it is of every device of the same manufacturer and model, in the version of this one's software.
    #[serde(default)]
    pub model: bool,
}

/// A file that a manufacturer disclosed, and of which devices it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct DeviceDisclosure {
    /// Its number.
    pub id: u64,
    /// `sbom` or `mds2`.
    pub kind: String,
    /// The device that it is of; nothing where it is of a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<u64>,
    /// Of a model: who makes it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub manufacturer: String,
    /// Of a model: which.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub model: String,
    /// Of a model: the only version of its software that is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What the file is called.
    pub file: String,
    /// SHA-256 of it, in hex.
    pub sha256: String,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// `cyclonedx` or `spdx`, of a bill of materials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// When the file was made, as it says itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<String>,
    /// How many components a bill of materials names; of MDS2 how many questions are answered.
    pub total: u64,
    /// Of a bill of materials: how many of them can be matched with vulnerabilities.
    pub matchable: u64,
    /// Places of the file that could not be read.
    pub flaws: u64,
    /// Who attached it.
    pub person: u64,
    /// Their name, for who may see people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person_name: Option<String>,
    /// When.
    pub attached: String,
    /// The entry that recorded it.
    pub entry: u64,
}

/// What became of a file that was attached.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct AttachedDisclosure {
    /// The file.
    pub disclosure: DeviceDisclosure,
    /// Hits that opened by it.
    pub opened: u64,
    /// Hits that closed by it.
    pub closed: u64,
    /// Devices of which it says something new.
    pub changed: u64,
}

/// Which components are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComponentFilter {
    /// Only those of this device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<u64>,
    /// Only those of which the name, the version, the supplier or the package URL holds this, in any case of letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// Leaves out so many from the front; 0 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip: Option<u32>,
    /// So many at most, 1 to 1,000; 100 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A page of components, by device and in the order of its bill.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct DeviceComponents {
    /// The components.
    pub components: Vec<DeviceComponent>,
    /// How many the filter fits, on all pages.
    pub total: u64,
    /// `skip` of the next page; nothing on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u32>,
    /// Of one device: its bill of materials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sbom: Option<DeviceDisclosure>,
    /// How many devices have a bill of materials.
    pub devices: u64,
}

/// A component of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct DeviceComponent {
    /// The device.
    pub device: HitDevice,
    /// The component's name, with its group before it.
    pub name: String,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Who supplies it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplier: Option<String>,
    /// Its package URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purl: Option<String>,
    /// Whether it can be matched with vulnerabilities.
    pub matchable: bool,
    /// The vulnerabilities by which it makes an open hit.
    pub vulnerabilities: Vec<String>,
}

/// What a manufacturer answered of a device's security.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct DeviceMds2 {
    /// The workbook.
    pub disclosure: DeviceDisclosure,
    /// What it is of, as it says itself: manufacturer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manufacturer: Option<String>,
    /// The model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The device in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The document's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// When it was released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<String>,
    /// What matters for safeguards.
    pub disclosures: Vec<Mds2Disclosure>,
    /// Every answer, by section.
    pub sections: Vec<Mds2Section>,
    /// Questions of the form that are missing.
    pub missing: u64,
}

/// One thing that matters for safeguards.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Mds2Disclosure {
    /// What it is about, as a code.
    pub capability: String,
    /// `yes`, `no`, `not-applicable`, `unclear` or `unanswered`.
    pub disclosed: String,
    /// The id of the question.
    pub question: String,
    /// What is said besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A section of the form.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Mds2Section {
    /// Its letters, such as `MLDP`.
    pub section: String,
    /// Its answers.
    pub answers: Vec<Mds2Answer>,
}

/// One answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Mds2Answer {
    /// The id of the question.
    pub id: String,
    /// The question, as it stands in the workbook.
    pub question: String,
    /// The answer, as it stands there; empty where there is none.
    pub answer: String,
    /// What is said besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What a vendor says of a patch for a model.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct PatchApproval {
    /// Its number.
    pub id: u64,
    /// Who makes the model.
    pub manufacturer: String,
    /// The model.
    pub model: String,
    /// The only version of its software that is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The patch: a version, the number of an update, a CVE, or words.
    pub patch: String,
    /// `approved`, `rejected` or `pending`.
    pub approved: String,
    /// Where the vendor says so.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub document: String,
    /// Who took it down.
    pub person: u64,
    /// Their name, for who may see people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person_name: Option<String>,
    /// When.
    pub stated: String,
    /// Why; nothing while the root key is sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// When it was taken back, or another took its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<String>,
    /// The entry that recorded the last change.
    pub entry: u64,
}

/// Which approvals are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalFilter {
    /// `holding` (without it, too) or `all`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Only those of which the vendor, the model, the patch or the document holds this, in any case of letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
}

/// The approvals, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct PatchApprovals {
    /// The approvals.
    pub approvals: Vec<PatchApproval>,
}

/// What a person takes down of a vendor's word on a patch.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPatchApproval {
    /// Who makes the model.
    pub manufacturer: String,
    /// The model.
    pub model: String,
    /// The only version of its software that is meant; every one without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The patch: a version, the number of an update such as KB5034441, a CVE, or words.
    pub patch: String,
    /// `approved`, `rejected` or `pending`.
    pub approved: String,
    /// Where the vendor says so; may be empty.
    #[serde(default)]
    pub document: String,
    /// How it is known.
    pub why: String,
}
