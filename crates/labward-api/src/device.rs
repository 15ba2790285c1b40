//! `devices`: what devices the lab has, and where what is said of them comes from.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::disclosure::{DeviceDisclosure, PatchApproval};

/// Which devices are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceFilter {
    /// Only those of which a value holds this, in any case of letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// `present` (without it, too), `conflict`, `removed` or `all`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Only those with a smaller number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// So many at most, 1 to 1,000; 100 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A page of devices, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Devices {
    /// The devices.
    pub devices: Vec<Device>,
    /// How many the filter fits, on all pages.
    pub total: u64,
    /// `before` of the next page; nothing on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// A device, with the values that count.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Device {
    /// Its number.
    pub id: u64,
    /// How often it was changed; who changes it says which one they saw.
    pub revision: u64,
    /// The values that count, by attribute; several joined by `; `.
    pub values: BTreeMap<String, String>,
    /// The peers that are bound to it, by name.
    pub peers: Vec<String>,
    /// The links over which it was heard.
    pub links: Vec<String>,
    /// The numbers of the devices that are merged into it.
    pub merged: Vec<u64>,
    /// What contradicts what.
    pub conflicts: Vec<DeviceConflict>,
    /// When it became known.
    pub added: String,
    /// When it was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<String>,
    /// When anything of it was said last; of peers, when it was last new.
    pub last: String,
    /// The entry that recorded the last change.
    pub entry: u64,
}

/// Something that contradicts something else.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct DeviceConflict {
    /// `values` (sources say different things), `claim` (another device has the same key) or
    /// `seen-after-removal`.
    pub kind: String,
    /// The attribute about which sources disagree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,
    /// The kind of key that other devices claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The other devices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<u64>,
}

/// A device and everything that was observed of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct DeviceShown {
    /// The device.
    pub device: Device,
    /// What was observed, by attribute.
    pub attributes: Vec<DeviceAttribute>,
    /// The bill of materials that counts for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sbom: Option<DeviceDisclosure>,
    /// The manufacturer's disclosure that counts for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mds2: Option<DeviceDisclosure>,
    /// What its vendor says of patches for its model, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<PatchApproval>,
}

/// What was observed of one attribute.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct DeviceAttribute {
    /// The attribute.
    pub attribute: String,
    /// The values that count; none where a person took their word back and nobody else says anything.
    pub values: Vec<String>,
    /// Whether sources disagree about it.
    pub conflict: bool,
    /// Every value, what is said now first.
    pub observed: Vec<DeviceObservation>,
}

/// One value, and who said it.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct DeviceObservation {
    /// The value; empty where a person took their word back.
    pub value: String,
    /// Whether its source says it now.
    pub current: bool,
    /// `person`, `link`, `capture` or `file`.
    pub source: String,
    /// The link or the file by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// The kind of file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// SHA-256 of the file, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The peer by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// The number of the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<u64>,
    /// The person by name, for who may see people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person_name: Option<String>,
    /// `low`, `medium` or `high`.
    pub confidence: String,
    /// When it was observed first.
    pub first: String,
    /// When it was said last; of peers, when it was last new.
    pub last: String,
    /// Seconds since then.
    pub age_seconds: u64,
    /// The entry that recorded it.
    pub entry: u64,
}

/// A device to be added.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewDevice {
    /// What is known of it, by attribute.
    pub values: BTreeMap<String, String>,
    /// The peers that are bound to it, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peers: Option<Vec<String>>,
}

/// What a person says of a device from now on.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceChange {
    /// The revision of the device that they saw.
    pub revision: u64,
    /// What it is, by attribute; what is not named stays, an empty text takes the person's word back.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
    /// The peers that are bound to it from now on, by name; without it they stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peers: Option<Vec<String>>,
}

/// That another device is the same one.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MergeDevices {
    /// The number of the other, which belongs to this one from now on.
    pub other: u64,
    /// Why, in the person's own words; recorded, sealed under the site's audit key.
    #[schemars(length(min = 1, max = 1000), regex(pattern = r"\S"))]
    pub why: String,
}

/// A list of devices, to be looked at or taken over.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportDevices {
    /// `csv`, `snipe-it`, `glpi`, `netbox` or `nmap`; without it the list is looked at for what it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// What the file is called.
    #[serde(default)]
    pub name: String,
    /// What stands in it; with the rest of the request at most 1 MiB.
    pub list: String,
    /// Only says what would happen.
    #[serde(default)]
    pub preview: bool,
}

/// What became of a list of devices, or would become of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct ImportedDevices {
    /// What kind of list it is.
    pub format: String,
    /// SHA-256 of the list, in hex.
    pub sha256: String,
    /// Lines that name a device which was not known.
    pub added: u64,
    /// Lines that say something new of a device.
    pub changed: u64,
    /// Lines that say what is known.
    pub known: u64,
    /// Lines that are not taken.
    pub refused: u64,
    /// Each line.
    pub lines: Vec<ImportedDevice>,
    /// The entry that records it; none if it was only looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<u64>,
}

/// What becomes of one line of a list of devices.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct ImportedDevice {
    /// Its number in the file, from 1.
    pub line: u64,
    /// What it calls the device.
    pub name: String,
    /// `added`, `changed`, `known` or `refused`.
    pub state: String,
    /// Why it is refused: `ambiguous`, `bad-value`, `no-key`, `not-read`, `removed` or `twice`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// The attribute whose value cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,
    /// The devices that it is about.
    pub devices: Vec<u64>,
}
