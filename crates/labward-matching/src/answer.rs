//! The answer about one device and one vulnerability, with the way to it.
//!
//! It must never hold a verdict without the product, the name and the version that led to it.

use labward_advisory::csaf::{ProductIndex, Status};
use labward_product::Match;
use labward_product::name::MaybeWhy;
use labward_product::range::{Doubt, How, WhyUnreadable};

/// Whether a device is hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The publisher says that this version of this product is not affected, or its range leaves the
    /// version out.
    NotAffected,
    /// A person has to look; [`Answer::reasons`] say at what.
    CannotTell,
    /// The publisher says that this version of this product is affected.
    Affected,
}

impl Verdict {
    /// Its name in JSON and in commands.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotAffected => "not-affected",
            Self::CannotTell => "cannot-tell",
            Self::Affected => "affected",
        }
    }
}

/// Why it cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The device's name says more than the product's: the product may be a family that it belongs to.
    Family,
    /// The product's name says more than the device's: it may be another member of the family.
    Member,
    /// The names may be of one product.
    Name(MaybeWhy),
    /// The version of the device is not known.
    NoVersion,
    /// Another version is named, and that clears this one not: it may be another product, or the end of a
    /// range.
    OtherVersion,
    /// The publisher says nothing of versions.
    NoRange,
    /// What the publisher wrote about versions cannot be read.
    Unreadable(WhyUnreadable),
    /// Whether the device's version is meant cannot be told.
    Version(Doubt),
    /// The publisher says both, for this very version.
    Contradiction,
    /// The publisher does not know yet.
    UnderInvestigation,
}

impl Reason {
    /// Its stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Family => "family",
            Self::Member => "member",
            Self::Name(why) => Match::Maybe(why).code(),
            Self::NoVersion => "no-version",
            Self::NoRange => "no-range",
            Self::OtherVersion => "other-version",
            Self::Unreadable(why) => why.code(),
            Self::Version(doubt) => doubt.code(),
            Self::Contradiction => "contradiction",
            Self::UnderInvestigation => "under-investigation",
        }
    }
}

/// The way from the device to what the publisher says of one product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trail {
    /// The product in its advisory.
    pub product: ProductIndex,
    /// How the names stand to each other.
    pub name: Match,
    /// By which of the device's names it was found.
    pub found_by: String,
    /// By which rule the versions were read; `None` if they were not read.
    pub how: Option<How>,
    /// What the publisher says of the product.
    pub status: Status,
}

/// What is known of one device and one vulnerability of one advisory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The advisory, by its place among those that were matched.
    pub advisory: usize,
    /// The vulnerability, by its place in the advisory.
    pub vulnerability: usize,
    /// Whether the device is hit.
    pub verdict: Verdict,
    /// Why it cannot be told; empty otherwise.
    pub reasons: Vec<Reason>,
    /// What led to the verdict, the surest name first; never empty.
    pub trails: Vec<Trail>,
}
