//! Whether a version is among those that a reading speaks of, and what decided it.

use std::cmp::Ordering;

use super::{Bound, Condition, ConditionKind, Confidence, DateOf, How, Interval, Reading, Unit};
use crate::version::{Apart, Extra, Relation, Scheme, Version};

/// Whether a version is meant; both `Yes` and `No` are claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// It cannot be told from the version alone.
    CannotTell(Doubt, Trail),
    /// The version is not among them.
    No(Trail),
    /// The version is among them.
    Yes(Trail),
}

/// What decided, or left undecided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trail {
    /// Which alternative of the reading, counted from 0; none where all of them together did.
    pub alternative: Option<usize>,
    /// The rule by which it was read; none where no alternative was asked.
    pub how: Option<How>,
}

/// Why it cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The version stands between two branches of a list.
    BetweenBranches,
    /// The device says less than the bound: `4.8` against `4.8.1`.
    Coarser,
    /// The version is among them, if a condition holds that the version does not tell.
    Condition(ConditionKind),
    /// The bounds are days of another kind than versions.
    Date(DateOf),
    /// The device says more than the bound: `2.7.1` against `≤ 2.7`.
    Finer,
    /// The bound may be a model as well as a version.
    MayBeModel,
    /// A number with zeros before it may be meant as a fraction: `1.003` against `1.2`.
    Padding,
    /// The text may be meant otherwise than it was read.
    Reading,
    /// The bounds are serial numbers.
    Serial,
    /// The text speaks of models, and not of versions.
    SpeaksOfModels,
    /// The two versions have no order.
    Versions(Apart),
    /// The device's version is no version that can be read, or `0.0`, which says that it knows none.
    VersionUnread,
}

impl Doubt {
    /// The stable code of the doubt.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::BetweenBranches => "between-branches",
            Self::Coarser => "coarser",
            Self::Condition(_) => "condition",
            Self::Date(_) => "date",
            Self::Finer => "finer",
            Self::MayBeModel => "may-be-model",
            Self::Padding => "padding",
            Self::Reading => "reading",
            Self::Serial => "serial",
            Self::SpeaksOfModels => "speaks-of-models",
            Self::Versions(_) => "no-order",
            Self::VersionUnread => "version-unread",
        }
    }
}

/// Where a version stands to an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Inside,
    Outside,
    Unclear(Doubt),
}

impl Reading {
    /// Whether `version` is among the versions that the text speaks of.
    #[must_use]
    pub fn holds(&self, version: &Version) -> Holds {
        self.holds_for(version, None)
    }

    /// The same for one vulnerability: a condition that names CVE numbers is then decided.
    #[must_use]
    pub fn holds_for(&self, version: &Version, cve: Option<&str>) -> Holds {
        let whole = Trail {
            alternative: None,
            how: None,
        };
        if self.confidence == Confidence::Doubtful {
            return Holds::CannotTell(Doubt::Reading, whole);
        }
        let asks = self
            .alternatives
            .iter()
            .any(|interval| interval.how != How::All);
        if (version.scheme() == Scheme::Unread || version.is_placeholder()) && asks {
            return Holds::CannotTell(Doubt::VersionUnread, whole);
        }
        let mut unclear: Option<(Doubt, Trail)> = None;
        let mut outside: Option<Trail> = None;
        let mut outside_its_series = false;
        let mut other_series_only = true;
        for (at, interval) in self.alternatives.iter().enumerate() {
            let trail = Trail {
                alternative: Some(at),
                how: Some(interval.how),
            };
            match interval.place(version) {
                Place::Inside if self.may_be_another(version, interval) => {
                    return Holds::CannotTell(Doubt::Coarser, trail);
                }
                Place::Inside => return self.conditioned(trail, cve),
                Place::Outside => {
                    outside.get_or_insert(trail);
                    outside_its_series |=
                        version.begins_with_letters() || interval.unit == Unit::Part;
                }
                Place::Unclear(doubt) => {
                    other_series_only &= doubt == Doubt::Versions(Apart::Series);
                    unclear.get_or_insert((doubt, trail));
                }
            }
        }
        if self.branches {
            return self.beside_branches(version, unclear);
        }
        match (unclear, outside) {
            // U62 is decided by the bound of the U series, whatever the L series says.
            (Some(_), Some(trail)) if outside_its_series && other_series_only => Holds::No(trail),
            (Some((doubt, trail)), _) => Holds::CannotTell(doubt, trail),
            (None, trail) => Holds::No(match trail {
                Some(trail) if self.alternatives.len() == 1 => trail,
                _ => whole,
            }),
        }
    }

    /// Whether a device that says `1.4` may be meant by another one of a list that holds `1.4.0` and `1.4.1`.
    fn may_be_another(&self, version: &Version, listed: &Interval) -> bool {
        listed.how == How::Listed
            && listed.low.as_ref().is_some_and(|low| !low.whole)
            && self.alternatives.iter().any(|other| {
                other.how == How::Listed
                    && other.low.as_ref().is_some_and(|low| {
                        matches!(
                            version.relation(&low.version),
                            Relation::Coarser(Extra::Number)
                        )
                    })
            })
    }

    /// A version that is inside no branch is outside only where its own branch, or every branch, ends below it.
    fn beside_branches(&self, version: &Version, unclear: Option<(Doubt, Trail)>) -> Holds {
        let ended = |interval: &Interval| {
            interval
                .high
                .as_ref()
                .is_some_and(|high| high.against_high(version) == Place::Outside)
        };
        for (at, interval) in self.alternatives.iter().enumerate() {
            let own = interval
                .high
                .as_ref()
                .is_some_and(|high| version.same_branch(&high.version));
            if own && ended(interval) {
                return Holds::No(Trail {
                    alternative: Some(at),
                    how: Some(interval.how),
                });
            }
        }
        let whole = Trail {
            alternative: None,
            how: Some(How::Branch),
        };
        if self.alternatives.iter().all(ended) {
            return Holds::No(whole);
        }
        let (doubt, trail) = unclear.unwrap_or((Doubt::BetweenBranches, whole));
        Holds::CannotTell(doubt, trail)
    }

    /// The answer for a version that is inside: yes, if nothing else must hold.
    fn conditioned(&self, trail: Trail, cve: Option<&str>) -> Holds {
        for condition in self
            .conditions
            .iter()
            .filter(|condition| condition.must_hold())
        {
            let met = condition.kind == ConditionKind::Cve
                && cve.is_some_and(|cve| condition.names_cve(cve));
            if !met {
                return Holds::CannotTell(Doubt::Condition(condition.kind), trail);
            }
        }
        Holds::Yes(trail)
    }

    /// The conditions that name vulnerabilities.
    pub fn cves(&self) -> impl Iterator<Item = &Condition> {
        self.conditions
            .iter()
            .filter(|condition| condition.kind == ConditionKind::Cve)
    }

    /// The models and other names that the text speaks of, as they are written there.
    pub fn models(&self) -> impl Iterator<Item = &str> {
        let named = self
            .alternatives
            .iter()
            .filter(|interval| matches!(interval.unit, Unit::Model | Unit::Mark))
            .filter_map(|interval| interval.low.as_ref())
            .map(|bound| bound.version.text());
        let conditions = self
            .conditions
            .iter()
            .filter(|condition| condition.kind == ConditionKind::Model)
            .map(|condition| condition.text.as_str());
        named.chain(conditions)
    }
}

impl Interval {
    fn place(&self, version: &Version) -> Place {
        if self.how == How::All {
            return Place::Inside;
        }
        match self.unit {
            Unit::Model => return Place::Unclear(Doubt::SpeaksOfModels),
            Unit::Serial(_) => return Place::Unclear(Doubt::Serial),
            Unit::Date(of) if of != DateOf::Unsaid || version.scheme() != Scheme::Date => {
                return Place::Unclear(Doubt::Date(of));
            }
            Unit::Mark => return self.marks(version),
            Unit::Part
                if ![&self.low, &self.high]
                    .into_iter()
                    .flatten()
                    .all(|bound| version.same_part_series(&bound.version)) =>
            {
                return Place::Unclear(Doubt::Versions(Apart::Series));
            }
            Unit::Date(_) | Unit::Part | Unit::Version => {}
        }
        let low = self
            .low
            .as_ref()
            .map_or(Place::Inside, |low| low.against_low(version));
        let high = self
            .high
            .as_ref()
            .map_or(Place::Inside, |high| high.against_high(version));
        match (low, high) {
            (Place::Outside, _) | (_, Place::Outside) => Place::Outside,
            (Place::Unclear(doubt), _) | (_, Place::Unclear(doubt)) => Place::Unclear(doubt),
            (Place::Inside, Place::Inside) => Place::Inside,
        }
    }

    /// The very same mark is meant; another one of its series is not, and nothing else can be told.
    fn marks(&self, version: &Version) -> Place {
        let Some(mark) = &self.low else {
            return Place::Unclear(Doubt::MayBeModel);
        };
        match version.relation(&mark.version) {
            Relation::Equal => Place::Inside,
            Relation::Differ(_) if mark.version.has_series() => Place::Outside,
            Relation::Apart(why) if mark.version.has_series() => {
                Place::Unclear(Doubt::Versions(why))
            }
            _ => Place::Unclear(Doubt::MayBeModel),
        }
    }
}

impl Bound {
    /// Where `version` stands, if this is the lower end.
    fn against_low(&self, version: &Version) -> Place {
        let relation = version.relation(&self.version);
        match relation {
            Relation::Apart(why) => Place::Unclear(Doubt::Versions(why)),
            Relation::Differ(_) if version.padding_is_unclear(&self.version) => {
                Place::Unclear(Doubt::Padding)
            }
            Relation::Equal if version.padding_is_unclear(&self.version) => {
                Place::Unclear(Doubt::Padding)
            }
            Relation::Differ(Ordering::Greater) => Place::Inside,
            Relation::Differ(_) => Place::Outside,
            Relation::Equal if self.inclusive => Place::Inside,
            Relation::Equal => Place::Outside,
            Relation::Finer(Extra::Prerelease) => Place::Unclear(Doubt::Finer),
            Relation::Finer(_) if self.inclusive => Place::Inside,
            Relation::Finer(_) if self.whole => Place::Outside,
            Relation::Finer(_) => Place::Unclear(Doubt::Finer),
            Relation::Coarser(Extra::Prerelease) => Place::Inside,
            Relation::Coarser(_) => Place::Unclear(Doubt::Coarser),
        }
    }

    /// Where `version` stands, if this is the upper end.
    fn against_high(&self, version: &Version) -> Place {
        let relation = version.relation(&self.version);
        match relation {
            Relation::Apart(why) => Place::Unclear(Doubt::Versions(why)),
            Relation::Differ(_) if version.padding_is_unclear(&self.version) => {
                Place::Unclear(Doubt::Padding)
            }
            Relation::Equal if version.padding_is_unclear(&self.version) => {
                Place::Unclear(Doubt::Padding)
            }
            Relation::Differ(Ordering::Less) => Place::Inside,
            Relation::Differ(_) => Place::Outside,
            Relation::Equal if self.inclusive => Place::Inside,
            Relation::Equal => Place::Outside,
            Relation::Finer(Extra::Prerelease) => Place::Unclear(Doubt::Finer),
            Relation::Finer(_) if self.inclusive && self.whole => Place::Inside,
            Relation::Finer(_) if self.inclusive => Place::Unclear(Doubt::Finer),
            Relation::Finer(_) => Place::Outside,
            Relation::Coarser(Extra::Number) => Place::Unclear(Doubt::Coarser),
            // A device that names no service pack has none, as far as it says.
            Relation::Coarser(Extra::Letter | Extra::Step) => Place::Inside,
            Relation::Coarser(Extra::Prerelease) => Place::Outside,
        }
    }
}
