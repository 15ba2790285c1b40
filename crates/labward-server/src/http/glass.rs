//! `break-glass`: an emergency access is opened, ended, and reviewed by a second person.
//!
//! It must never let somebody review what they opened, or say what was read to who may not review.
//! The emergency access procedure is 45 CFR 164.312(a)(2)(ii), the review 164.308(a)(1)(ii)(D).

use std::time::Duration;

use labward_api::glass::{
    OpenGlass, OpenedGlass, Opening, OpeningFilter, OpeningReview, OpeningShown, ReadUnder,
    ReviewOpening,
};
use labward_base::id::{EntryIndex, PatientId, RecordId};
use labward_base::problem;
use labward_base::{Clock as _, remark};
use labward_records::Recorded;
use labward_records::reserve::{self, Standing, Verdict};

use super::call::{Answer, Call, reason};
use super::failure::Failure;
use crate::app::Core;

/// Emergency accesses listed if the request does not say how many.
const LIMIT_DEFAULT: u32 = 50;
/// Emergency accesses listed at most.
const LIMIT_MAX: u32 = 1_000;

/// `POST break-glass/open`
pub(super) fn open(call: &Call) -> Result<Answer, Failure> {
    let asked: OpenGlass = call.json()?;
    let why = reason(&asked.why)?;
    // What is opened without keys would end before anything could be read.
    call.opened()?;
    let most = call.core.config().break_glass.minutes;
    let minutes = asked.minutes.unwrap_or(most);
    if !(1..=most).contains(&minutes) {
        return Err(Failure::misunderstood(remark::glass_minutes(most)));
    }
    let lasts = Duration::from_secs(minutes * 60);
    let (standing, recorded) = call.core.reserve.open_glass(call.by(), why, lasts)?;
    call.core.ledger.note(&recorded, call.core.clock.now());
    Answer::json(&opened(&call.core, &standing))
}

/// `GET break-glass/mine`
pub(super) fn mine(call: &Call) -> Result<Answer, Failure> {
    let standing = call.core.reserve.standing_of(call.by());
    let standing = standing.ok_or(Failure::new(&problem::BREAK_GLASS_NONE))?;
    Answer::json(&opened(&call.core, &standing))
}

/// `POST break-glass/end`
pub(super) fn end(call: &Call) -> Result<Answer, Failure> {
    let recorded = call.core.reserve.end_glass(call.by())?;
    call.core.ledger.note(&recorded, call.core.clock.now());
    Answer::done(match recorded {
        Recorded::Entry(index) => Some(index),
        Recorded::Reserve(_) => None,
    })
}

/// `GET break-glass`
pub(super) fn list(call: &Call) -> Result<Answer, Failure> {
    let filter: OpeningFilter = call.query()?;
    let waiting = match filter.state.as_deref() {
        None => false,
        Some("waiting") => true,
        Some(_) => return Err(Failure::bad_request("the state is waiting, or none")),
    };
    let limit = filter.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX);
    let before = filter.before.map(EntryIndex::new);
    let found = call.core.reserve.openings(waiting, before, limit)?;
    let shown = found.iter().map(|one| opening(&call.core, one));
    Answer::json(&shown.collect::<Vec<_>>())
}

/// `GET break-glass/{number}`
pub(super) fn show(call: &Call) -> Result<Answer, Failure> {
    let number: EntryIndex = call.param("number")?;
    call.opened()?;
    let shown = call.core.reserve.opening(number)?;
    let readings = shown.readings.iter().map(|one| ReadUnder {
        entry: one.entry.get(),
        time: one.time.to_rfc3339(),
        action: one.action.name().to_owned(),
        record: one.record.map(RecordId::get),
        patient: one.patient.map(PatientId::get),
    });
    Answer::json(&OpeningShown {
        opening: opening(&call.core, &shown.opening),
        readings: readings.collect(),
        why: shown.why,
        note: shown.note,
    })
}

/// `POST break-glass/{number}/review`
pub(super) fn review(call: &Call) -> Result<Answer, Failure> {
    let number: EntryIndex = call.param("number")?;
    let asked: ReviewOpening = call.json()?;
    let verdict: Verdict = asked.verdict.parse()?;
    let note = reason(&asked.note)?;
    let entry = call.core.reserve.review(number, call.by(), verdict, note)?;
    Answer::done(Some(entry))
}

/// How long a reading without an emergency access opens one for.
pub(super) fn lasts(core: &Core) -> Duration {
    Duration::from_secs(core.config().break_glass.minutes * 60)
}

/// Whether nobody reviewed it for longer than the configuration allows.
fn is_overdue(core: &Core, one: &reserve::Opening) -> bool {
    let allowed = core.config().break_glass.review_time();
    one.review.is_none() && core.clock.now().since(one.until) > allowed
}

fn opened(core: &Core, standing: &Standing) -> OpenedGlass {
    let left = standing.until().since(core.clock.now());
    OpenedGlass {
        opened: standing.opened().to_rfc3339(),
        until: standing.until().to_rfc3339(),
        seconds_left: left.as_secs(),
        why: standing.why().to_owned(),
    }
}

fn opening(core: &Core, one: &reserve::Opening) -> Opening {
    let review = one.review.map(|review| OpeningReview {
        verdict: review.verdict.name().to_owned(),
        person: review.by.get(),
        name: core.people.name_of(review.by),
        time: review.time.to_rfc3339(),
        entry: review.entry.get(),
    });
    Opening {
        number: one.number.get(),
        person: one.person.get(),
        name: core.people.name_of(one.person),
        opened: one.opened.to_rfc3339(),
        until: one.until.to_rfc3339(),
        is_over: one.is_over(core.clock.now()),
        is_overdue: is_overdue(core, one),
        review,
    }
}
