//! The answer about one device and one vulnerability, with the way to it.
//!
//! It must never hold a verdict without the product, the name and the version that led to it.

use labward_advisory::Text;
use labward_advisory::csaf::{ProductIndex, Status};
use labward_product::Match;
use labward_product::name::MaybeWhy;
use labward_product::range::{Doubt, How, WhyUnreadable};

use crate::people::{Justification, Statement, VexStatus, weigh};

/// Whether a device is hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The publisher says that this version of this product is not affected, or its range leaves the
    /// version out; or a person says that it is not, or that the device is none of the products.
    NotAffected,
    /// A person has to look; [`Answer::reasons`] say at what.
    CannotTell,
    /// The publisher says that this version of this product is affected, or a person says so.
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
    /// The publisher, or a person, does not know yet.
    UnderInvestigation,
    /// No release is named, neither by the catalogue of what is exploited nor by the table of fixes.
    NoRelease,
    /// A fix was published, and whether the device has it is not known.
    PatchState,
    /// Only devices in some role are hit, such as domain controllers.
    Role,
    /// The system was past its end of life when the vulnerability was found to be exploited.
    PastEndOfLife,
    /// The updates of the system are newer than the entry, and each holds those before it.
    UpdatedSince,
    /// How the ecosystem orders these versions is not known here.
    VersionOrder,
    /// The range is one of commits.
    Commits,
    /// Whether the component is of the distribution's release is not known.
    Distribution,
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
            Self::NoRelease => "no-release",
            Self::PatchState => "patch-state",
            Self::Role => "role",
            Self::PastEndOfLife => "past-end-of-life",
            Self::UpdatedSince => "updated-since",
            Self::VersionOrder => "version-order",
            Self::Commits => "commits",
            Self::Distribution => "distribution",
        }
    }
}

/// The way from the device to what the publisher says of one product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trail {
    /// The product in its advisory.
    pub product: ProductIndex,
    /// How the names stand to each other; [`Match::No`] where a person says that the device is not this
    /// product.
    pub name: Match,
    /// By which of the device's names it was found.
    pub found_by: String,
    /// By which name of the product: its own, or a model that stands where the version should.
    pub named: Text,
    /// By which rule the versions were read; `None` if they were not read.
    pub how: Option<How>,
    /// What the publisher says of the product.
    pub status: Status,
    /// The number of the alias by which a person decided how the names stand to each other.
    pub person: Option<u64>,
}

/// What a person said of this vulnerability in this device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stated {
    /// The number of the statement.
    pub id: u64,
    /// What it says.
    pub status: VexStatus,
    /// Why the device is not affected.
    pub justification: Option<Justification>,
}

/// What would be answered if no person had said anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Without {
    /// The verdict; `None` if no advisory would speak of the device.
    pub verdict: Option<Verdict>,
    /// Why it could not be told.
    pub reasons: Vec<Reason>,
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
    /// What led to the verdict, the surest name first, then what a person set aside; empty only where
    /// nothing but a person's statement speaks of the device.
    pub trails: Vec<Trail>,
    /// The statement of a person that counts here.
    pub stated: Option<Stated>,
    /// What would be answered without people; `None` where no answer of a person counts.
    pub without: Option<Without>,
}

impl Answer {
    /// Takes in what a person said.
    pub(crate) fn state(&mut self, statement: &Statement) {
        let (without, stated) = weigh(statement, &mut self.verdict, &mut self.reasons);
        // What aliases changed before is known already.
        self.without.get_or_insert(without);
        self.stated = Some(stated);
    }
}
