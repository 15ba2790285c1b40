//! A device and a published vulnerability that may concern it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use labward_advisory::{Score, Text};
use labward_base::Timestamp;
use labward_base::id::{DeviceId, DocumentId, EntryIndex, HitId, StatementId};
use labward_matching::{Justification, Verdict, VexStatus, VulnerabilityId};

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
    /// The device's bill of materials is another, or is there no more.
    Sbom,
    /// A person's statement says so.
    Statement,
    /// The device's maker says so in a VEX document.
    Vex,
}

impl ClosedBy {
    /// The name in JSON and the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Advisory => "advisory",
            Self::DeviceRemoved => "device-removed",
            Self::Retest => "retest",
            Self::Sbom => "sbom",
            Self::Statement => "statement",
            Self::Vex => "vex",
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
            Self::Sbom,
            Self::Statement,
            Self::Vex,
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
    /// The version of the device when the verdict changed last, empty if it was not known; of a hit that comes from its bill
    /// of materials the SHA-256 of that.
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
    /// What would be said without any person's statement and any VEX document; `None` where none of them counts, or
    /// where nothing would be said.
    pub without: Option<Verdict>,
    /// The codes of the reasons why it cannot be told.
    pub reasons: Vec<&'static str>,
    /// The way to the verdict.
    pub steps: Vec<Step>,
    /// The statements of people that count here.
    pub statements: Vec<StatementId>,
    /// Whether one of them says how the device stands to it.
    pub is_stated: bool,
    /// Whether it is told in another hit: one that stands for several vulnerabilities of an operating system of which it
    /// cannot be told, or one of an advisory about the device that names the same vulnerability.
    pub is_summed: bool,
    /// The components of the device's bill of materials that decide, by their places.
    pub components: Vec<usize>,
    /// What is told of the vulnerability itself, where no advisory of [`Judged::document`] does.
    pub told: Option<Arc<Told>>,
    /// What publishers said of it in VEX documents, the newest first.
    pub published: Vec<PublishedAnswer>,
}

impl Judged {
    /// Of this device, about nothing yet.
    pub(crate) fn of(device: DeviceId) -> Self {
        Self {
            device,
            key: HitKey {
                publisher: String::new(),
                advisory: String::new(),
                vulnerability: String::new(),
            },
            document: DocumentId::new(0),
            place: usize::MAX,
            verdict: Verdict::CannotTell,
            without: None,
            reasons: Vec::new(),
            steps: Vec::new(),
            statements: Vec::new(),
            is_stated: false,
            is_summed: false,
            components: Vec::new(),
            told: None,
            published: Vec::new(),
        }
    }
}

/// What is told of a vulnerability of a package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The ids under which it is known.
    pub names: Vec<VulnerabilityId>,
    /// One line about it.
    pub title: Text,
    /// Its scores.
    pub scores: Vec<Score>,
    /// Where more stands.
    pub references: Vec<Text>,
}

/// What a publisher said of a vulnerability in a device, or in a component of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedAnswer {
    /// The document that says it.
    pub document: DocumentId,
    /// What it says.
    pub status: VexStatus,
    /// Why the device is not affected, by a word of VEX.
    pub justification: Option<Justification>,
    /// Why, or what to do, in the publisher's words.
    pub words: Option<Text>,
    /// The component that it is said of, by its place; `None` where it is said of the device.
    pub component: Option<usize>,
    /// When it was said.
    pub said: Option<Timestamp>,
    /// Whether the publisher makes the device; nobody else's word decides.
    pub is_by_maker: bool,
    /// Whether it decides here.
    pub counts: bool,
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
