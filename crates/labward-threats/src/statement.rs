//! What a person said of products, or of a vulnerability of a device.
//!
//! A statement outlives new releases of the document and, unless it is for one version alone, new versions
//! of the device. It must never be changed, only taken back.

use std::str::FromStr;

use labward_base::Timestamp;
use labward_base::id::{DeviceId, EntryIndex, PersonId, StatementId};
use labward_matching::{VexStatus, VulnerabilityId};

use crate::ThreatsError;

/// Characters of a name at most.
const NAME_MAX_CHARS: usize = 200;

/// How a device stands to a vulnerability, in the words of VEX.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is affected.
    Affected,
    /// It holds a fix.
    Fixed,
    /// It is not affected.
    NotAffected,
}

impl Status {
    /// The name in commands, JSON and the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Affected => "affected",
            Self::Fixed => "fixed",
            Self::NotAffected => "not-affected",
        }
    }
}

impl FromStr for Status {
    type Err = ThreatsError;

    fn from_str(text: &str) -> Result<Self, ThreatsError> {
        let all = [Self::Affected, Self::Fixed, Self::NotAffected];
        let found = all.into_iter().find(|one| one.name() == text);
        found.ok_or(ThreatsError::BadStatement(
            "it is none of affected, fixed and not-affected",
        ))
    }
}

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Two names are one product, or are not.
    Product {
        /// Who makes the device, as the lab writes it.
        manufacturer: String,
        /// What the lab calls the model or the software.
        model: String,
        /// The vendor, as publishers write it.
        vendor: String,
        /// The product, as publishers write it.
        product: String,
        /// Whether both are one.
        same: bool,
    },
    /// How a device stands to a vulnerability.
    Status {
        /// The device.
        device: DeviceId,
        /// The vulnerability, in whatever document.
        vulnerability: VulnerabilityId,
        /// How it stands.
        status: Status,
        /// The only version of the device that is meant; every one if there is none.
        version: Option<String>,
    },
}

/// A statement that a person makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewStatement {
    /// What is said.
    pub said: Said,
    /// Why, sealed under the site's audit key.
    pub why: Vec<u8>,
}

impl NewStatement {
    /// A statement.
    ///
    /// # Errors
    /// [`ThreatsError::BadStatement`] if a name is missing or longer than 200 characters.
    pub fn new(said: Said, why: Vec<u8>) -> Result<Self, ThreatsError> {
        let too_long = |text: &str| text.chars().count() > NAME_MAX_CHARS;
        let (needed, others): (Vec<&str>, Vec<&str>) = match &said {
            Said::Product {
                manufacturer,
                model,
                vendor,
                product,
                ..
            } => (vec![model, product], vec![manufacturer, vendor]),
            Said::Status { version, .. } => {
                (Vec::new(), vec![version.as_deref().unwrap_or_default()])
            }
        };
        if needed.iter().any(|text| text.trim().is_empty()) {
            return Err(ThreatsError::BadStatement("a name is missing"));
        }
        if needed.iter().chain(&others).any(|text| too_long(text)) {
            let what = "a name is longer than 200 characters";
            return Err(ThreatsError::BadStatement(what));
        }
        Ok(Self { said, why })
    }
}

/// A statement that a person made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Its number.
    pub id: StatementId,
    /// What is said.
    pub said: Said,
    /// Who said it.
    pub person: PersonId,
    /// When.
    pub at: Timestamp,
    /// Why, sealed under the site's audit key.
    pub why: Vec<u8>,
    /// When it was taken back.
    pub withdrawn: Option<Timestamp>,
    /// The entry that recorded the last change.
    pub entry: EntryIndex,
}

impl Statement {
    /// The statement in the terms in which devices are matched, with these words of why; `None` of one about products.
    pub fn vex(&self, words: String) -> Option<labward_matching::Statement> {
        let Said::Status {
            device,
            vulnerability,
            status,
            version,
        } = &self.said
        else {
            return None;
        };
        Some(labward_matching::Statement {
            id: self.id.get(),
            said: self.at,
            device: device.get(),
            version: version.clone(),
            vulnerability: vulnerability.clone(),
            status: match status {
                Status::Affected => VexStatus::Affected,
                Status::Fixed => VexStatus::Fixed,
                Status::NotAffected => VexStatus::NotAffected,
            },
            justification: None,
            words,
        })
    }
}
