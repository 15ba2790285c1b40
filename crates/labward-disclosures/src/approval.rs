//! Whether a vendor approves a patch for its devices, as people keep it.
//!
//! It must never take a patch for approved that nobody said so of.

use std::str::FromStr;

use labward_base::Timestamp;
use labward_base::id::{ApprovalId, EntryIndex, PersonId};

use crate::DisclosuresError;
use crate::scope::Scope;

/// Characters of a patch's name, and of where it is said, at most.
const TEXT_MAX_CHARS: usize = 300;

/// What the vendor says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Approved {
    /// It may be put in.
    Approved,
    /// The vendor has not said yet.
    Pending,
    /// It must not be put in.
    Rejected,
}

impl Approved {
    /// The name in commands, JSON and the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Pending => "pending",
            Self::Rejected => "rejected",
        }
    }
}

impl FromStr for Approved {
    type Err = DisclosuresError;

    fn from_str(text: &str) -> Result<Self, DisclosuresError> {
        let all = [Self::Approved, Self::Pending, Self::Rejected];
        let found = all.into_iter().find(|one| one.name() == text);
        found.ok_or(DisclosuresError::BadApproval(
            "it is none of approved, rejected and pending",
        ))
    }
}

/// What a person takes down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewApproval {
    /// The model.
    pub scope: Scope,
    /// The patch: a version, the number of an update such as KB5034441, a CVE, or words.
    pub patch: String,
    /// What the vendor says of it.
    pub approved: Approved,
    /// Where the vendor says so: a document, a mail, an address; may be empty.
    pub document: String,
    /// Why or how it is known, sealed under the site's audit key.
    pub why: Vec<u8>,
}

impl NewApproval {
    /// Tidies and looks at what was typed.
    ///
    /// # Errors
    /// [`DisclosuresError::BadApproval`] if the patch is missing or a text is too long, or if it is not of a model.
    pub fn new(
        scope: Scope,
        patch: &str,
        approved: Approved,
        document: &str,
        why: Vec<u8>,
    ) -> Result<Self, DisclosuresError> {
        if matches!(scope, Scope::Device(_)) {
            return Err(DisclosuresError::BadApproval("the model is missing"));
        }
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let (patch, document) = (words(patch), words(document));
        if patch.is_empty() {
            return Err(DisclosuresError::BadApproval("the patch is missing"));
        }
        let is_too_long = |text: &str| text.chars().count() > TEXT_MAX_CHARS;
        if is_too_long(&patch) || is_too_long(&document) {
            let what = "a text is longer than 300 characters";
            return Err(DisclosuresError::BadApproval(what));
        }
        Ok(Self {
            scope,
            patch,
            approved,
            document,
            why,
        })
    }
}

/// What a person took down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Its number.
    pub id: ApprovalId,
    /// The model.
    pub scope: Scope,
    /// The patch.
    pub patch: String,
    /// What the vendor says of it.
    pub approved: Approved,
    /// Where the vendor says so; may be empty.
    pub document: String,
    /// Who took it down.
    pub person: PersonId,
    /// When.
    pub stated: Timestamp,
    /// Why, sealed under the site's audit key.
    pub why: Vec<u8>,
    /// When it was taken back or replaced.
    pub withdrawn: Option<Timestamp>,
    /// The entry that recorded the last change.
    pub entry: EntryIndex,
}

impl Approval {
    /// Whether its patch is named in a text, as a word of it: `KB5034441`, `CVE-2023-1968`, `2.1`.
    pub fn is_named_in(&self, text: &str) -> bool {
        let (text, patch) = (text.to_lowercase(), self.patch.to_lowercase());
        let is_part = |c: char| c.is_alphanumeric() || c == '.' || c == '-';
        text.match_indices(&patch).any(|(at, found)| {
            let before = text.get(..at).and_then(|text| text.chars().next_back());
            let mut after = text.get(at + found.len()..).unwrap_or_default().chars();
            let goes_on = match (after.next(), after.next()) {
                // A point that ends a sentence ends the name, too.
                (Some('.'), next) => next.is_some_and(is_part),
                (Some(c), _) => is_part(c),
                (None, _) => false,
            };
            !before.is_some_and(is_part) && !goes_on
        })
    }
}
