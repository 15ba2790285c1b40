//! A device and a published vulnerability that may concern it.

use std::fmt;
use std::str::FromStr;

use labward_base::Timestamp;
use labward_base::id::{DeviceId, DocumentId, EntryIndex, HitId, StatementId};
use labward_matching::Verdict;

/// Which vulnerability of which document, however often the document is released.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HitKey {
    /// The publisher's namespace.
    pub publisher: String,
    /// The publisher's id of the document.
    pub advisory: String,
    /// The vulnerability, as [`VulnerabilityId`](labward_matching::VulnerabilityId) writes it.
    pub vulnerability: String,
}

impl fmt::Display for HitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.vulnerability.starts_with(&self.advisory) {
            true => f.write_str(&self.vulnerability),
            false => write!(f, "{} {}", self.advisory, self.vulnerability),
        }
    }
}

/// Why a hit closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClosedBy {
    /// The document changed, or is there no more.
    Advisory,
    /// The device was removed, or is merged into another.
    DeviceRemoved,
    /// What the device says of itself now is not affected.
    Retest,
    /// A person's statement says so.
    Statement,
}

impl ClosedBy {
    /// The name in JSON and the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Advisory => "advisory",
            Self::DeviceRemoved => "device-removed",
            Self::Retest => "retest",
            Self::Statement => "statement",
        }
    }
}

impl FromStr for ClosedBy {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let all = [
            Self::Advisory,
            Self::DeviceRemoved,
            Self::Retest,
            Self::Statement,
        ];
        all.into_iter().find(|one| one.name() == text).ok_or(())
    }
}

/// One device and one vulnerability that affects it, or of which that could not be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Its number.
    pub id: HitId,
    /// The device.
    pub device: DeviceId,
    /// The vulnerability.
    pub key: HitKey,
    /// What the last matching said while it was open; never [`Verdict::NotAffected`].
    pub verdict: Verdict,
    /// The version of the device when the verdict changed last; empty if it was not known.
    pub version: String,
    /// When it was found first; clocks run from here.
    pub found: Timestamp,
    /// When it opened last.
    pub opened: Timestamp,
    /// When it closed, and why; `None` while it is open.
    pub closed: Option<(Timestamp, ClosedBy)>,
    /// The entry that recorded the last change.
    pub entry: EntryIndex,
}

/// What the last matching said of a device and a vulnerability, with the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The device.
    pub device: DeviceId,
    /// The vulnerability.
    pub key: HitKey,
    /// The document that speaks of it.
    pub document: DocumentId,
    /// The vulnerability's place in the document, from 0.
    pub place: usize,
    /// Whether the device is hit.
    pub verdict: Verdict,
    /// What would be said without any person's statement; `None` where no statement counts, or where
    /// nothing would be said.
    pub without: Option<Verdict>,
    /// The codes of the reasons why it cannot be told.
    pub reasons: Vec<&'static str>,
    /// The way to the verdict.
    pub steps: Vec<Step>,
    /// The statements of people that count here.
    pub statements: Vec<StatementId>,
    /// Whether it is told in a hit that stands for several: vulnerabilities of an operating system of which
    /// it cannot be told.
    pub is_summed: bool,
}

/// One product as its publisher wrote it, and how it was compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The vendor, as the publisher wrote it.
    pub vendor: String,
    /// The product, as the publisher wrote it.
    pub product: String,
    /// The versions, as the publisher wrote them.
    pub versions: Option<String>,
    /// By which of the device's names it was found.
    pub found_by: String,
    /// How the names stand to each other, as a code.
    pub name: &'static str,
    /// By which rule the versions were read.
    pub read_as: Option<&'static str>,
    /// What the publisher says of the product.
    pub status: &'static str,
}
