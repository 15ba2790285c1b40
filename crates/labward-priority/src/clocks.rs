//! By which day a hit must be dealt with, and which rule set the day.
//!
//! The proposed rule of HHS (notice of 2025-01-06, 45 CFR 164.308(a)(4) as proposed) gives 15 calendar days for a
//! critical risk and 30 for a high one, from the day on which the need is found, or on which a patch becomes
//! available if that is later; for the rest the laboratory sets its own. It must never start a clock without a
//! day that was given to it.

use labward_base::Saying;
use time::{Date, Duration};

use crate::priority::Band;

/// How long each band has, in calendar days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// For critical.
    pub critical_days: u16,
    /// For high.
    pub high_days: u16,
    /// For medium; the laboratory's own policy.
    pub medium_days: u16,
    /// For low; the laboratory's own policy.
    pub low_days: u16,
    /// How many days before its day something is due soon.
    pub soon_days: u16,
    /// Whether CISA's due day counts where it is earlier; it binds federal agencies (BOD 22-01), others follow it
    /// by choice.
    pub follow_kev: bool,
}

impl Default for Clocks {
    fn default() -> Self {
        Self {
            critical_days: 15,
            high_days: 30,
            medium_days: 90,
            low_days: 180,
            soon_days: 7,
            follow_kev: true,
        }
    }
}

impl Clocks {
    /// How long a band has.
    pub const fn days(&self, band: Band) -> u16 {
        match band {
            Band::Critical => self.critical_days,
            Band::High => self.high_days,
            Band::Medium => self.medium_days,
            Band::Low => self.low_days,
        }
    }

    /// By which day a hit of a band must be dealt with.
    ///
    /// The band's clock runs from the later of the day on which the hit was found and that on which a patch became
    /// available; a patch of a day to come counts as none. Without a patch it runs from the day of finding: then
    /// it is the day by which something else must be done. A due day of CISA counts if it is earlier, but no day
    /// before the hit was found.
    pub fn due(&self, band: Band, days: &Days, today: Date) -> Due {
        let length = self.days(band);
        let patch = days.patch_available.filter(|patch| *patch <= today);
        let (start, rule) = match patch {
            Some(patch) if patch > days.found => (
                patch,
                Rule::Patch {
                    band,
                    length,
                    patch,
                },
            ),
            Some(_) => (days.found, found(band, length, days.found)),
            None => (
                days.found,
                Rule::NoPatch {
                    band,
                    length,
                    found: days.found,
                },
            ),
        };
        let clock = Due {
            day: start.saturating_add(Duration::days(i64::from(length))),
            rule,
        };
        let kev = days.kev_due.filter(|_| self.follow_kev);
        match kev {
            Some(kev) if kev.max(days.found) < clock.day => Due {
                day: kev.max(days.found),
                rule: match kev < days.found {
                    true => Rule::KevPassed {
                        kev,
                        found: days.found,
                    },
                    false => Rule::Kev { kev },
                },
            },
            _ => clock,
        }
    }
}

const fn found(band: Band, length: u16, found: Date) -> Rule {
    Rule::Found {
        band,
        length,
        found,
    }
}

/// The days from which a clock runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    /// When the laboratory found the hit.
    pub found: Date,
    /// Since when there is a patch; `None` if none is known.
    pub patch_available: Option<Date>,
    /// The due day in CISA's catalog.
    pub kev_due: Option<Date>,
}

/// A due day with the rule that set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The last day on which it is in time.
    pub day: Date,
    /// Which rule set it.
    pub rule: Rule,
}

/// Which rule set a due day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The band's days from when it was found; a patch was there.
    Found {
        /// The band.
        band: Band,
        /// Its days.
        length: u16,
        /// When it was found.
        found: Date,
    },
    /// The band's days from when the patch became available.
    Patch {
        /// The band.
        band: Band,
        /// Its days.
        length: u16,
        /// Since when there is a patch.
        patch: Date,
    },
    /// The band's days from when it was found; there is no patch, so something else must be done by then.
    NoPatch {
        /// The band.
        band: Band,
        /// Its days.
        length: u16,
        /// When it was found.
        found: Date,
    },
    /// CISA's due day.
    Kev {
        /// That day.
        kev: Date,
    },
    /// CISA's due day had passed when it was found: it was due on that very day.
    KevPassed {
        /// CISA's day.
        kev: Date,
        /// When it was found.
        found: Date,
    },
}

impl Rule {
    /// Its code, the values of its places and its sentence.
    pub fn saying(&self) -> Saying {
        let clock = |band: &Band, length: &u16, day: &Date| {
            vec![
                ("band", band.name().to_owned()),
                ("days", length.to_string()),
                ("day", day.to_string()),
            ]
        };
        match self {
            Self::Found {
                band,
                length,
                found,
            } => Saying::new(
                "due-found",
                "{days} days for {band}, from {day}, when it was found.",
                clock(band, length, found),
            ),
            Self::Patch {
                band,
                length,
                patch,
            } => Saying::new(
                "due-patch",
                "{days} days for {band}, from {day}, when the patch became available.",
                clock(band, length, patch),
            ),
            Self::NoPatch {
                band,
                length,
                found,
            } => Saying::new(
                "due-no-patch",
                "{days} days for {band}, from {day}, when it was found; no patch is known, so control, replace or accept it by then.",
                clock(band, length, found),
            ),
            Self::Kev { kev } => Saying::new(
                "due-kev",
                "CISA's catalog asks for it by {day}.",
                vec![("day", kev.to_string())],
            ),
            Self::KevPassed { kev, found } => Saying::new(
                "due-kev-passed",
                "CISA's catalog asked for it by {day}, which had passed when it was found on {found}.",
                vec![("day", kev.to_string()), ("found", found.to_string())],
            ),
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.saying().code
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[track_caller]
    fn check(band: Band, days: Days, day: Date, code: &str) {
        let due = Clocks::default().due(band, &days, date!(2026 - 03 - 01));
        assert_eq!((due.day, due.rule.code()), (day, code), "{days:?}");
        assert!(due.rule.saying().is_whole());
    }

    const FOUND: Days = Days {
        found: date!(2026 - 02 - 01),
        patch_available: None,
        kev_due: None,
    };

    #[test]
    fn the_clock_runs_from_the_later_of_finding_and_patch() {
        let patch = |day| Days {
            patch_available: Some(day),
            ..FOUND
        };
        check(Band::Critical, FOUND, date!(2026 - 02 - 16), "due-no-patch");
        check(
            Band::High,
            patch(date!(2020 - 01 - 01)),
            date!(2026 - 03 - 03),
            "due-found",
        );
        check(
            Band::High,
            patch(date!(2026 - 02 - 20)),
            date!(2026 - 03 - 22),
            "due-patch",
        );
        // A patch that is announced is no patch.
        check(
            Band::High,
            patch(date!(2026 - 03 - 02)),
            date!(2026 - 03 - 03),
            "due-no-patch",
        );
    }

    #[test]
    fn the_earlier_day_counts_but_none_before_it_was_found() {
        let kev = |day| Days {
            kev_due: Some(day),
            ..FOUND
        };
        check(
            Band::Critical,
            kev(date!(2026 - 02 - 10)),
            date!(2026 - 02 - 10),
            "due-kev",
        );
        check(
            Band::Critical,
            kev(date!(2026 - 02 - 17)),
            date!(2026 - 02 - 16),
            "due-no-patch",
        );
        check(
            Band::Low,
            kev(date!(2022 - 08 - 10)),
            date!(2026 - 02 - 01),
            "due-kev-passed",
        );
        let unbound = Clocks {
            follow_kev: false,
            ..Clocks::default()
        };
        let due = unbound.due(
            Band::Low,
            &kev(date!(2022 - 08 - 10)),
            date!(2026 - 03 - 01),
        );
        assert_eq!(due.rule.code(), "due-no-patch");
    }

    #[test]
    fn the_end_of_the_calendar_is_no_panic() {
        let days = Days {
            found: Date::MAX,
            patch_available: Some(Date::MIN),
            kev_due: Some(Date::MAX),
        };
        assert_eq!(
            Clocks::default().due(Band::Low, &days, Date::MAX).day,
            Date::MAX
        );
    }
}
