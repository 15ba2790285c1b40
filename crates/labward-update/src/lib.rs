#![doc = include_str!("../README.md")]

use aws_lc_rs::digest::{SHA256, digest};
use labward_advisory::integrity::{MinisignKey, SignatureFault, verify_minisign};
use labward_base::{Timestamp, hex};
use semver::Version;
use serde::{Deserialize, Serialize};

/// A list is small; what is larger is none.
const MOST_BYTES: usize = 4 << 20;
const MOST_RELEASES: usize = 1_000;
const FORMAT: &str = "labward-releases";

/// The list of releases, whose signature held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseList {
    /// The number of the list: each one that is issued has a higher one.
    pub number: u64,
    /// When it was issued.
    pub issued: Timestamp,
    /// Until when it may be believed.
    pub expires: Timestamp,
    /// The id of the key that signed it.
    pub key: String,
    /// The releases, the newest version first.
    pub releases: Vec<Release>,
    sha256: String,
}

/// One release.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Release {
    /// Its version.
    pub version: Version,
    /// Its day, `YYYY-MM-DD`.
    pub date: String,
    /// What it fixes.
    #[serde(default)]
    pub fixes: Vec<Fix>,
    /// The files of it.
    #[serde(default)]
    pub targets: Vec<Target>,
}

/// Something that a release fixes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Fix {
    /// The number of an advisory or a fault: `CVE-…`, `RUSTSEC-…`, `LABWARD-…`.
    pub id: String,
    /// Whether it is one of security.
    #[serde(default)]
    pub security: bool,
    /// What was wrong, in a sentence.
    #[serde(default)]
    pub what: String,
}

/// A file of a release.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Target {
    /// For which machines, such as `x86_64-unknown-linux-gnu`.
    pub target: String,
    /// The name of the file.
    pub file: String,
    /// The SHA-256 of its bytes, in hexadecimal digits.
    pub sha256: String,
    /// Its size in bytes.
    pub bytes: u64,
}

/// The newest list that was seen, to be kept between two looks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Seen {
    /// Its number.
    pub number: u64,
    /// The SHA-256 of its bytes.
    pub sha256: String,
}

/// Why there is no list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListFault {
    /// The signature is signed and the content is none that this program reads.
    #[error("no list of releases in a form that this version reads: {0}")]
    NotAList(&'static str),
    /// The signature does not hold.
    #[error("{0}")]
    Signature(SignatureFault),
}

/// Why a list that is signed is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Another list of the same number was seen.
    #[error("another list with the same number {number} was seen before")]
    Changed {
        /// The number of both.
        number: u64,
    },
    /// Its time is over.
    #[error("the list may be believed until {expires}")]
    Expired {
        /// When it ended.
        expires: Timestamp,
    },
    /// A newer list was seen.
    #[error("list {number} is older than list {seen}, which was seen before")]
    RolledBack {
        /// The number of the list.
        number: u64,
        /// The number of the one that was seen.
        seen: u64,
    },
}

/// The file.
#[derive(Deserialize)]
struct File {
    format: String,
    version: u32,
    number: u64,
    issued: String,
    expires: String,
    releases: Vec<Release>,
}

impl ReleaseList {
    /// Verifies the signature with any of some keys, and then reads the list.
    ///
    /// # Errors
    /// If no given key signed these bytes, or they are no list of version 1.
    pub fn open(bytes: &[u8], signature: &[u8], keys: &[MinisignKey]) -> Result<Self, ListFault> {
        if bytes.len() > MOST_BYTES {
            return Err(ListFault::NotAList("too large"));
        }
        let verified = verify_minisign(signature, bytes, keys).map_err(ListFault::Signature)?;
        let file: File =
            serde_json::from_slice(bytes).map_err(|_| ListFault::NotAList("its JSON"))?;
        if file.format != FORMAT {
            return Err(ListFault::NotAList("its format"));
        }
        if file.version != 1 {
            return Err(ListFault::NotAList("its version"));
        }
        let time =
            |text: &str| Timestamp::parse_rfc3339(text).ok_or(ListFault::NotAList("a time in it"));
        let mut releases = file.releases;
        if releases.len() > MOST_RELEASES {
            return Err(ListFault::NotAList("too many releases"));
        }
        if !releases.iter().all(Release::is_whole) {
            return Err(ListFault::NotAList("a release in it"));
        }
        releases.sort_by(|one, two| two.version.cmp(&one.version));
        let is_twice = |pair: &[Release]| matches!(pair, [a, b] if a.version == b.version);
        if releases.windows(2).any(is_twice) {
            return Err(ListFault::NotAList("a version stands in it twice"));
        }
        Ok(Self {
            number: file.number,
            issued: time(&file.issued)?,
            expires: time(&file.expires)?,
            key: verified.key_id,
            releases,
            sha256: hex::encode(digest(&SHA256, bytes).as_ref()),
        })
    }

    /// Whether the list may be believed now, and after what was seen before.
    ///
    /// # Errors
    /// If it has run out, or is not the one that must come.
    pub fn judge(&self, now: Timestamp, seen: Option<&Seen>) -> Result<(), Refusal> {
        if let Some(seen) = seen {
            if self.number < seen.number {
                return Err(Refusal::RolledBack {
                    number: self.number,
                    seen: seen.number,
                });
            }
            if self.number == seen.number && self.sha256 != seen.sha256 {
                return Err(Refusal::Changed {
                    number: self.number,
                });
            }
        }
        match self.expires <= now {
            true => Err(Refusal::Expired {
                expires: self.expires,
            }),
            false => Ok(()),
        }
    }

    /// What is to be kept once the list was believed.
    pub fn seen(&self) -> Seen {
        Seen {
            number: self.number,
            sha256: self.sha256.clone(),
        }
    }

    /// The releases that are newer than a version, the newest first.
    pub fn newer_than<'l>(&'l self, own: &Version) -> impl Iterator<Item = &'l Release> {
        let own = own.clone();
        self.releases.iter().filter(move |one| one.version > own)
    }
}

impl Release {
    /// Whether it fixes something of security.
    pub fn is_security(&self) -> bool {
        self.fixes.iter().any(|fix| fix.security)
    }

    fn is_whole(&self) -> bool {
        let is_hash =
            |text: &str| text.len() == 64 && text.bytes().all(|it| it.is_ascii_hexdigit());
        self.targets.iter().all(|target| is_hash(&target.sha256))
    }
}

#[cfg(test)]
mod tests;
