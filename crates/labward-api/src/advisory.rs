//! `advisories`: what publishers say that the lab holds, where it comes from and how old it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which documents are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdvisoryFilter {
    /// Only those of which the id, the title, the publisher, a product or a CVE holds this, in any case of
    /// letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// Only those of this source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// `hit`: only those that an open hit comes from. `all` without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Leaves out so many from the front; 0 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip: Option<u32>,
    /// So many at most, 1 to 1,000; 100 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A page of documents, the release made last first, and every source.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Advisories {
    /// The documents.
    pub advisories: Vec<Advisory>,
    /// How many the filter fits, on all pages.
    pub total: u64,
    /// `skip` of the next page; nothing on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u32>,
    /// Where documents come from.
    pub sources: Vec<AdvisorySource>,
    /// When the devices were matched with them last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched: Option<String>,
}

/// Where documents come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct AdvisorySource {
    /// Its name.
    pub name: String,
    /// Documents of it that are held.
    pub documents: u64,
    /// When it was looked into last; nothing for a configured one that never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked: Option<String>,
    /// When it brought anything new last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<String>,
    /// The newest release that it brought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<String>,
    /// Seconds since it was looked into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_seconds: Option<u64>,
    /// Whether that is longer ago than `advisories.max_age_days`.
    pub stale: bool,
    /// Documents that could not be taken over when it was looked into last.
    pub refused: u64,
    /// Why it could not be looked into at all the last time; nothing if it could.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// What it is, if it is a list of documents: `provider`, `feed` or `directory`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    /// Who publishes it, as the provider says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publisher: Option<String>,
    /// Documents of the list that were not fetched yet.
    pub waiting: u64,
    /// The keys that the provider says it has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<AnnouncedKey>,
    /// Documents of the list that could not be taken over, 100 at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<SourceFault>,
    /// The entry of the last import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<u64>,
}

/// A key that a provider says it has.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct AnnouncedKey {
    /// Its fingerprint.
    pub fingerprint: String,
    /// Whether it stands in `advisories.signing_keys`; only then signatures by it count.
    pub trusted: bool,
}

/// A document of a list that could not be taken over.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct SourceFault {
    /// Its address.
    pub address: String,
    /// Why, in English.
    pub why: String,
}

/// A document in a list.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Advisory {
    /// Its number.
    pub id: u64,
    /// `csaf`, `cyclonedx`, `epss`, `kev`, `openvex` or `osv`.
    pub kind: String,
    /// The publisher's id of it; empty where there is only one.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Who published it.
    pub publisher: String,
    /// The release.
    pub version: String,
    /// When the release was made, as it says itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<String>,
    /// When it was taken over.
    pub imported: String,
    /// The source and the file that it came from.
    pub source: String,
    /// The file.
    pub file: String,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// Whether a hash beside it was checked and good.
    pub hash_checked: bool,
    /// The fingerprint of the key by which it is signed, if that was checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    /// How many vulnerabilities it speaks of; of the other kinds, of how many it says something.
    pub vulnerabilities: u64,
    /// How many of them are known to be exploited.
    pub exploited: u64,
    /// The highest base score, 0.0 to 10.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cvss: Option<f64>,
    /// Devices that it affects.
    pub affected: u64,
    /// Devices of which it cannot be told.
    pub cannot_tell: u64,
    /// The entry that recorded it.
    pub entry: u64,
}

/// An advisory, all of it.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct AdvisoryShown {
    /// The document.
    pub advisory: Advisory,
    /// What it says in words: summary, description and the like; publishers write English.
    pub notes: Vec<AdvisoryNote>,
    /// Each vulnerability.
    pub vulnerabilities: Vec<AdvisoryVulnerability>,
    /// The products, as the publisher wrote them.
    pub products: Vec<AdvisoryProduct>,
    /// Where more stands.
    pub references: Vec<String>,
    /// The hits that come from it, closed ones too, as `hits` gives them.
    pub hits: Vec<crate::hit::Hit>,
    /// Devices of which it speaks and that it does not affect.
    pub not_affected: Vec<crate::hit::HitDevice>,
}

/// A text of an advisory.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct AdvisoryNote {
    /// Its title, or what kind of note it is.
    pub title: String,
    /// The text.
    pub text: String,
}

/// A vulnerability of an advisory.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct AdvisoryVulnerability {
    /// The CVE, or the advisory with its title or place there.
    pub vulnerability: String,
    /// Its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The weakness, such as `CWE-522`, with its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwe: Option<String>,
    /// The highest base score, 0.0 to 10.0, and its vector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cvss: Option<f64>,
    /// The vector of that score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vector: Option<String>,
    /// Since when CISA's catalog lists it as exploited; the empty text if it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exploited: Option<String>,
    /// Whether ransomware is known to use it.
    pub ransomware: bool,
    /// How probable its exploitation within 30 days is, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epss: Option<f64>,
    /// What can be done.
    pub remediations: Vec<AdvisoryRemediation>,
}

/// What can be done about a vulnerability.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct AdvisoryRemediation {
    /// `vendor_fix`, `mitigation`, `workaround`, `none_available`, `no_fix_planned` or another word.
    pub kind: String,
    /// The text.
    pub text: String,
    /// Where to get it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A product, as its publisher wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct AdvisoryProduct {
    /// The vendor.
    pub vendor: String,
    /// The product.
    pub product: String,
    /// The versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<String>,
}

/// How a file is taken over.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportAdvisories {
    /// The source that it is of: 1 to 40 letters, digits, hyphens and dots.
    pub source: String,
    /// The name of the file, without folders.
    #[serde(default)]
    pub file: String,
    /// Only says what would become of it.
    #[serde(default)]
    pub preview: bool,
}

/// What became of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct ImportedAdvisories {
    /// The source.
    pub source: String,
    /// Documents that were not there.
    pub added: u64,
    /// Documents that took the place of an earlier release.
    pub updated: u64,
    /// Documents that were there.
    pub known: u64,
    /// Documents of which a later release was there.
    pub older: u64,
    /// Files that could not be taken over.
    pub refused: u64,
    /// Documents of kinds that are read and not kept, such as bills of materials.
    pub others: u64,
    /// What could not be taken over, 1,000 at most.
    pub lines: Vec<ImportedAdvisory>,
    /// Hits that opened by it.
    pub opened: u64,
    /// Hits that closed by it.
    pub closed: u64,
    /// The entry, if it was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<u64>,
}

/// A file that was not taken over.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct ImportedAdvisory {
    /// The file.
    pub file: String,
    /// The publisher's id, if it was read.
    pub name: String,
    /// `older`, `refused` or `other`.
    pub state: String,
    /// Why, in English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}
