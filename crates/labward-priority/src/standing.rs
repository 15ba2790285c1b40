//! Where a hit stands today: open, due soon, overdue, treated, or accepted up to a day that has passed.
//!
//! **Invariant:** a missing measurement is never a pass: a control counts only while it is measured.

use labward_base::Saying;
use time::Date;

use crate::clocks::{Clocks, Due};

/// What was done about a hit, or decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// The patch was applied.
    Patch {
        /// Whether the vendor approves it for this device; `None` if nobody asked.
        approved_by_vendor: Option<bool>,
    },
    /// Something holds attacks off.
    Control {
        /// Whether it is measured now to do so.
        measured: bool,
    },
    /// The risk is accepted up to and including a day.
    Accept {
        /// That day.
        until: Date,
    },
    /// The device goes, or was to go, by a day.
    Replace {
        /// That day.
        until: Date,
    },
}

/// The state of a hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Something counts that was done or decided.
    Treated,
    /// Nothing counts, and there is time.
    Open,
    /// Nothing counts, and the day is near.
    DueSoon,
    /// The risk was accepted up to a day that has passed: somebody has to decide anew.
    AcceptanceExpired,
    /// Nothing counts, and the day has passed.
    Overdue,
}

impl State {
    /// Its name in JSON and in sentences.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Treated => "treated",
            Self::Open => "open",
            Self::DueSoon => "due-soon",
            Self::AcceptanceExpired => "acceptance-expired",
            Self::Overdue => "overdue",
        }
    }
}

/// What has to be said of the treatments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Note {
    /// The vendor does not approve the patch.
    PatchRefused,
    /// Nobody asked whether the vendor approves the patch.
    PatchUnasked,
    /// A control does not count, because it is not measured.
    ControlUnmeasured,
    /// An acceptance ended on that day.
    AcceptanceEnded(Date),
    /// The device was to be replaced by that day.
    ReplacementLate(Date),
}

impl Note {
    /// Its code, the values of its places and its sentence.
    pub fn saying(&self) -> Saying {
        let of_day = |day: &Date| vec![("day", day.to_string())];
        match self {
            Self::PatchRefused => Saying::new(
                "patch-refused",
                "The vendor does not approve this patch for the device; ask before it is used for results.",
                vec![],
            ),
            Self::PatchUnasked => Saying::new(
                "patch-unasked",
                "Nobody noted whether the vendor approves this patch for the device.",
                vec![],
            ),
            Self::ControlUnmeasured => Saying::new(
                "control-unmeasured",
                "A control is noted, but not measured now; it does not count.",
                vec![],
            ),
            Self::AcceptanceEnded(day) => Saying::new(
                "acceptance-ended",
                "The risk was accepted until {day}; decide anew.",
                of_day(day),
            ),
            Self::ReplacementLate(day) => Saying::new(
                "replacement-late",
                "The device was to be replaced by {day} and still counts as hit.",
                of_day(day),
            ),
        }
    }
}

/// Where a hit stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its state.
    pub state: State,
    /// The treatments that count today, in the order given.
    pub counts: Vec<Treatment>,
    /// The last day of an acceptance or a replacement, if only such a treatment counts.
    pub until: Option<Date>,
    /// Days from today to the due day; negative once it has passed.
    pub days_left: i64,
    /// What has to be said of the treatments, each once.
    pub notes: Vec<Note>,
}

impl Standing {
    /// Whether nothing counts and the due day has passed, whatever was accepted before.
    pub fn is_late(&self) -> bool {
        self.state != State::Treated && self.days_left < 0
    }
}

/// Says where a hit stands on a day.
pub fn standing(due: &Due, treatments: &[Treatment], clocks: &Clocks, today: Date) -> Standing {
    let counts: Vec<Treatment> = treatments
        .iter()
        .copied()
        .filter(|treatment| treatment.counts(today))
        .collect();
    let mut notes: Vec<Note> = treatments
        .iter()
        .filter_map(|treatment| treatment.note(today))
        .collect();
    notes.sort_unstable();
    notes.dedup();
    // What ends is no news while something else counts that does not.
    let ends = counts.iter().map(|treatment| treatment.until());
    let until = ends.reduce(|a, b| Some(a?.max(b?))).flatten();
    let days_left = (due.day - today).whole_days();
    let has_expired = treatments
        .iter()
        .any(|one| matches!(one, Treatment::Accept { .. }) && !one.counts(today));
    let state = match days_left {
        _ if !counts.is_empty() => State::Treated,
        _ if has_expired => State::AcceptanceExpired,
        ..0 => State::Overdue,
        left if left <= i64::from(clocks.soon_days) => State::DueSoon,
        _ => State::Open,
    };
    Standing {
        state,
        counts,
        until,
        days_left,
        notes,
    }
}

impl Treatment {
    /// Whether it counts on a day.
    pub fn counts(&self, today: Date) -> bool {
        match self {
            Self::Patch { .. } => true,
            Self::Control { measured } => *measured,
            Self::Accept { until } | Self::Replace { until } => *until >= today,
        }
    }

    const fn until(&self) -> Option<Date> {
        match self {
            Self::Accept { until } | Self::Replace { until } => Some(*until),
            Self::Patch { .. } | Self::Control { .. } => None,
        }
    }

    fn note(&self, today: Date) -> Option<Note> {
        match *self {
            Self::Patch {
                approved_by_vendor: Some(true),
            } => None,
            Self::Patch {
                approved_by_vendor: Some(false),
            } => Some(Note::PatchRefused),
            Self::Patch {
                approved_by_vendor: None,
            } => Some(Note::PatchUnasked),
            Self::Control { measured } => (!measured).then_some(Note::ControlUnmeasured),
            Self::Accept { until } => (until < today).then_some(Note::AcceptanceEnded(until)),
            Self::Replace { until } => (until < today).then_some(Note::ReplacementLate(until)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::date;

    use super::*;
    use crate::{Band, Days};

    const TODAY: Date = date!(2026 - 03 - 01);

    fn due(found: Date) -> Due {
        let days = Days {
            found,
            patch_available: Some(found),
            kev_due: None,
        };
        Clocks::default().due(Band::Critical, &days, TODAY)
    }

    #[track_caller]
    fn check(found: Date, treatments: &[Treatment], state: State, notes: &[Note]) -> Standing {
        let standing = standing(&due(found), treatments, &Clocks::default(), TODAY);
        assert_eq!(
            (standing.state, &*standing.notes),
            (state, notes),
            "{treatments:?}"
        );
        for note in &standing.notes {
            assert!(note.saying().is_whole());
        }
        standing
    }

    const LONG_AGO: Date = date!(2026 - 01 - 01);
    const PATCH: Treatment = Treatment::Patch {
        approved_by_vendor: Some(true),
    };
    const PAST: Date = date!(2026 - 02 - 28);

    #[test]
    fn without_a_treatment_the_day_decides() {
        assert_eq!(
            check(date!(2026 - 02 - 22), &[], State::Open, &[]).days_left,
            8
        );
        assert_eq!(
            check(date!(2026 - 02 - 21), &[], State::DueSoon, &[]).days_left,
            7
        );
        assert_eq!(
            check(date!(2026 - 02 - 14), &[], State::DueSoon, &[]).days_left,
            0
        );
        let late = check(date!(2026 - 02 - 13), &[], State::Overdue, &[]);
        assert!(late.is_late() && late.days_left == -1);
    }

    #[test]
    fn a_control_counts_only_while_it_is_measured() {
        let control = |measured| [Treatment::Control { measured }];
        check(LONG_AGO, &control(true), State::Treated, &[]);
        check(
            LONG_AGO,
            &control(false),
            State::Overdue,
            &[Note::ControlUnmeasured],
        );
    }

    #[test]
    fn an_acceptance_counts_up_to_its_day() {
        let accept = |until| [Treatment::Accept { until }];
        let standing = check(LONG_AGO, &accept(TODAY), State::Treated, &[]);
        assert_eq!(standing.until, Some(TODAY));
        let ended = [Note::AcceptanceEnded(PAST)];
        let standing = check(LONG_AGO, &accept(PAST), State::AcceptanceExpired, &ended);
        assert!(standing.is_late());
        let in_time = check(TODAY, &accept(PAST), State::AcceptanceExpired, &ended);
        assert!(!in_time.is_late());
        let replace = [Treatment::Replace { until: PAST }];
        check(
            LONG_AGO,
            &replace,
            State::Overdue,
            &[Note::ReplacementLate(PAST)],
        );
    }

    #[test]
    fn a_patch_treats_and_the_vendor_is_asked() {
        check(LONG_AGO, &[PATCH], State::Treated, &[]);
        for (approved_by_vendor, note) in [
            (None, Note::PatchUnasked),
            (Some(false), Note::PatchRefused),
        ] {
            let patch = [Treatment::Patch { approved_by_vendor }];
            check(LONG_AGO, &patch, State::Treated, &[note]);
        }
        let both = [Treatment::Accept { until: TODAY }, PATCH];
        assert_eq!(check(LONG_AGO, &both, State::Treated, &[]).until, None);
    }

    fn treatment() -> impl Strategy<Value = Treatment> {
        let day = (0..4_000_i64)
            .prop_map(|days| LONG_AGO.saturating_add(time::Duration::days(days - 2_000)));
        prop_oneof![
            any::<Option<bool>>()
                .prop_map(|approved_by_vendor| Treatment::Patch { approved_by_vendor }),
            any::<bool>().prop_map(|measured| Treatment::Control { measured }),
            day.clone().prop_map(|until| Treatment::Accept { until }),
            day.prop_map(|until| Treatment::Replace { until }),
        ]
    }

    proptest! {
        #[test]
        fn treated_is_what_counts_and_nothing_else(treatments in prop::collection::vec(treatment(), 0..6)) {
            let standing = standing(&due(LONG_AGO), &treatments, &Clocks::default(), TODAY);
            let counts = treatments.iter().any(|one| one.counts(TODAY));
            prop_assert_eq!(standing.state == State::Treated, counts);
            let mut turned = treatments;
            turned.reverse();
            let again = super::standing(&due(LONG_AGO), &turned, &Clocks::default(), TODAY);
            prop_assert_eq!((again.state, again.until, again.notes), (standing.state, standing.until, standing.notes));
        }
    }
}
