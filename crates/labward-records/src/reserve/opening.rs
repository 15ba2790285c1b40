//! Emergency access as a thing of its own: opened with a reason, for a bounded time, and reviewed by
//! a second person.
//!
//! **Invariant:** no change without an entry: each row is written in the unit that appends its entry;
//! only while the ledger cannot be written an opening waits in the reserve. It must never let
//! somebody review what they opened themselves, or what is still open.
//! 45 CFR 164.312(a)(2)(ii) and 164.308(a)(1)(ii)(D).

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use labward_base::id::{EntryIndex, PatientId, PersonId, RecordId};
use labward_base::{Secret, Timestamp};
use labward_ledger::{
    Action, Actor, Facts, Leaf, NewEntry, Subject, append, entries, open_detail, seal_detail,
};
use labward_seal::Scope;
use labward_store::{Store, Tx};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::store::{self, Row};
use super::{READ_AT, Reserve, What, time_of_reading};
use crate::error::RecordsError;
use crate::show::{Recorded, leaf_of};

/// The fact that says under which opening a record was read.
pub const OPENING: &str = "opening";

/// Readings that one opening lists at most.
const READINGS_MAX: u32 = 1_000;

/// An emergency access that is open now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    pub(super) opened_us: i64,
    pub(super) until_us: i64,
    pub(super) why: String,
}

/// What a second person found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was right to read.
    Appropriate,
    /// It was not.
    NotAppropriate,
}

/// An emergency access, open or over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The index of the entry that records it.
    pub number: EntryIndex,
    /// Who opened it.
    pub person: PersonId,
    /// When.
    pub opened: Timestamp,
    /// When it ends, or ended.
    pub until: Timestamp,
    /// Whether the person ended it before its time was over.
    pub is_ended_early: bool,
    /// What a second person found; none until they did.
    pub review: Option<Review>,
}

/// What a second person found about an emergency access, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Review {
    /// What.
    pub verdict: Verdict,
    /// Who.
    pub by: PersonId,
    /// When.
    pub time: Timestamp,
    /// The entry that records it.
    pub entry: EntryIndex,
}

/// An emergency access with everything that a second person needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpeningShown {
    /// The emergency access.
    pub opening: Opening,
    /// Why, as the person said; none if the entry does not open.
    pub why: Option<String>,
    /// What was read, the oldest first.
    pub readings: Vec<ReadUnder>,
    /// What the second person noted.
    pub note: Option<String>,
}

/// One reading under an emergency access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadUnder {
    /// The entry that records it.
    pub entry: EntryIndex,
    /// When it was read.
    pub time: Timestamp,
    /// A search, or a showing.
    pub action: Action,
    /// The record, if it was one.
    pub record: Option<RecordId>,
    /// The patient, if it was about one.
    pub patient: Option<PatientId>,
}

impl Verdict {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Appropriate, Self::NotAppropriate];

    /// The name in commands, JSON and entries.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Appropriate => "appropriate",
            Self::NotAppropriate => "not-appropriate",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Verdict {
    type Err = RecordsError;

    fn from_str(text: &str) -> Result<Self, RecordsError> {
        let found = Self::ALL.into_iter().find(|one| one.name() == text);
        found.ok_or(RecordsError::BadVerdict)
    }
}

impl Standing {
    /// When it was opened.
    pub const fn opened(&self) -> Timestamp {
        Timestamp::from_micros(self.opened_us)
    }

    /// When it ends by itself.
    pub const fn until(&self) -> Timestamp {
        Timestamp::from_micros(self.until_us)
    }

    /// Why, as the person said.
    pub fn why(&self) -> &str {
        &self.why
    }
}

impl Opening {
    /// Whether it is over.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.is_ended_early || self.until <= now
    }
}

impl Reserve {
    /// The emergency access that this person has open now.
    pub fn standing_of(&self, person: PersonId) -> Option<Standing> {
        let now = self.0.clock.now();
        let standing = self.standing();
        let found = standing.get(&person);
        found.filter(|one| one.until() > now).cloned()
    }

    /// Opens an emergency access for `lasts`; in the reserve if the ledger cannot be written.
    ///
    /// # Errors
    /// [`RecordsError::AlreadyOpen`]; [`RecordsError::ReserveFull`] and
    /// [`RecordsError::ReserveUnusable`] if neither can be written.
    pub fn open_glass(
        &self,
        by: PersonId,
        why: &str,
        lasts: Duration,
    ) -> Result<(Standing, Recorded), RecordsError> {
        let _turn = self.turn();
        if self.standing_of(by).is_some() {
            return Err(RecordsError::AlreadyOpen);
        }
        let glass = self.new_standing(why, lasts);
        let entry = self.opened_entry(by, &glass)?;
        let (site, written) = (self.0.site, glass.clone());
        let unit = move |tx: &mut Tx<'_>| ensure(tx, site, by, &written, &entry);
        let recorded = self.or_in_reserve(unit, by, why, &glass, What::Opened)?;
        self.standing().insert(by, glass.clone());
        Ok((glass, recorded))
    }

    /// Ends the person's emergency access now.
    ///
    /// # Errors
    /// [`RecordsError::NoOpening`] if none is open; as [`Reserve::open_glass`].
    pub fn end_glass(&self, by: PersonId) -> Result<Recorded, RecordsError> {
        let _turn = self.turn();
        let glass = self.standing_of(by).ok_or(RecordsError::NoOpening)?;
        let (opened, entry) = (self.opened_entry(by, &glass)?, self.ended_entry(by));
        let (site, written, now) = (self.0.site, glass.clone(), self.0.clock.now());
        let unit = move |tx: &mut Tx<'_>| {
            let number = ensure(tx, site, by, &written, &opened)?;
            end(tx, number, now, &entry)
        };
        let recorded = self.or_in_reserve(unit, by, &glass.why, &glass, What::Ended)?;
        self.standing().remove(&by);
        Ok(recorded)
    }

    /// Emergency accesses, the newest first; `waiting`: only those that nobody reviewed yet.
    ///
    /// # Errors
    /// [`RecordsError::Store`].
    pub fn openings(
        &self,
        waiting: bool,
        before: Option<EntryIndex>,
        limit: u32,
    ) -> Result<Vec<Opening>, RecordsError> {
        let site = self.0.site;
        let rows = self
            .0
            .store
            .read(|snapshot| store::openings(snapshot, site, waiting, before, limit))?;
        Ok(rows.into_iter().map(Row::opening).collect())
    }

    /// One emergency access with what was read under it.
    ///
    /// # Errors
    /// [`RecordsError::NoOpening`].
    pub fn opening(&self, number: EntryIndex) -> Result<OpeningShown, RecordsError> {
        let site = self.0.site;
        let (row, read) = self.0.store.read(|snapshot| {
            let row = store::opening(snapshot, site, number)?;
            let read = store::readings(snapshot, number, READINGS_MAX)?;
            Ok::<_, RecordsError>((row.ok_or(RecordsError::NoOpening)?, read))
        })?;
        let opening = row.opening();
        let readings = read.into_iter().map(|entry| self.read_under(entry));
        Ok(OpeningShown {
            why: self.said_in(number, "why")?,
            note: match &opening.review {
                Some(review) => self.said_in(review.entry, "note")?,
                None => None,
            },
            readings: readings.collect::<Result<_, _>>()?,
            opening,
        })
    }

    /// Records what a second person found about an emergency access that is over.
    ///
    /// # Errors
    /// [`RecordsError::NoOpening`]; [`RecordsError::OwnOpening`] for the one who opened it;
    /// [`RecordsError::StillOpen`], [`RecordsError::Reviewed`]; [`RecordsError::NotMerged`] while
    /// readings wait in the reserve.
    pub fn review(
        &self,
        number: EntryIndex,
        by: PersonId,
        verdict: Verdict,
        note: &str,
    ) -> Result<EntryIndex, RecordsError> {
        let (site, now) = (self.0.site, self.0.clock.now());
        let detail = self.detail(&json!({ "note": note }))?;
        let entry = NewEntry::new(
            site,
            Actor::Person(by),
            Action::BreakGlassReviewed,
            Subject::Entry(number),
        );
        let facts = Facts::new().text("verdict", verdict.name());
        let entry = entry.facts(facts).detail(detail);
        let nothing_waits = self.state().waiting == 0;
        self.0.store.write(move |tx| {
            let row = store::opening(tx, site, number)?.ok_or(RecordsError::NoOpening)?;
            let opening = row.opening();
            if opening.person == by {
                return Err(RecordsError::OwnOpening);
            }
            if opening.review.is_some() {
                return Err(RecordsError::Reviewed);
            }
            if !opening.is_over(now) {
                return Err(RecordsError::StillOpen);
            }
            if !nothing_waits {
                return Err(RecordsError::NotMerged);
            }
            let index = append(tx, &entry)?;
            store::set_review(tx, number, by, verdict, now, index)?;
            Ok(index)
        })
    }

    /// A standing that begins now.
    pub(super) fn new_standing(&self, why: &str, lasts: Duration) -> Standing {
        let now = self.0.clock.now();
        Standing {
            opened_us: now.as_micros(),
            until_us: now.plus(lasts).as_micros(),
            why: why.to_owned(),
        }
    }

    /// Takes up what the rows say is open and memory does not know: after a start, or a merge.
    pub(super) fn take_up_standing(&self) -> Result<(), RecordsError> {
        let (site, now) = (self.0.site, self.0.clock.now());
        let rows = self
            .0
            .store
            .read(|snapshot| store::standing(snapshot, site, now))?;
        let mut standing = self.standing();
        for (person, number, opened_us, until_us) in rows {
            // Sealed keys: the reason stays where it is, and the time is known all the same.
            let why = self.said_in(number, "why").ok().flatten();
            standing.entry(person).or_insert_with(|| Standing {
                opened_us,
                until_us,
                why: why.unwrap_or_default(),
            });
        }
        Ok(())
    }

    /// The entry of an opening.
    pub(super) fn opened_entry(
        &self,
        by: PersonId,
        glass: &Standing,
    ) -> Result<NewEntry, RecordsError> {
        let facts = Facts::new().text("until", glass.until().to_rfc3339());
        // One that was opened while the ledger could not be written says when that was.
        let facts = match self.0.clock.now() == glass.opened() {
            true => facts,
            false => facts.text(READ_AT, glass.opened().to_rfc3339()),
        };
        let (actor, action) = (Actor::Person(by), Action::BreakGlassOpened);
        let entry = NewEntry::new(self.0.site, actor, action, Subject::Records);
        let detail = self.detail(&json!({ "why": glass.why }))?;
        Ok(entry.facts(facts).detail(detail))
    }

    /// The entry of an early end, but for which one.
    pub(super) fn ended_entry(&self, by: PersonId) -> NewEntry {
        let (actor, action) = (Actor::Person(by), Action::BreakGlassEnded);
        NewEntry::new(self.0.site, actor, action, Subject::Records)
    }

    /// Runs a unit, or writes the act into the reserve if the ledger cannot be written.
    fn or_in_reserve(
        &self,
        unit: impl FnMut(&mut Tx<'_>) -> Result<EntryIndex, RecordsError> + Send + 'static,
        by: PersonId,
        why: &str,
        glass: &Standing,
        what: What,
    ) -> Result<Recorded, RecordsError> {
        match self.0.store.write(unit) {
            Err(error) if error.is_unwritable() => {
                let reading = self.reading(by, why, what, glass);
                self.put(&reading).map(Recorded::Reserve)
            }
            result => result.map(Recorded::Entry),
        }
    }

    fn detail(&self, detail: &Value) -> Result<Vec<u8>, RecordsError> {
        let (key, epoch) = self.0.keys.site_key(Scope::Audit)?;
        let text = Secret::new(detail.to_string());
        let sealed = seal_detail(&key, epoch, self.0.site, text.expose().as_bytes())?;
        Ok(sealed)
    }

    fn leaf(&self, index: EntryIndex) -> Result<Leaf, RecordsError> {
        let read = |store: &Store| store.read(|snapshot| entries(snapshot, index, 1));
        let stored = read(&self.0.store)?;
        let stored = stored.first().filter(|one| one.index == index);
        leaf_of(stored.ok_or(RecordsError::Damaged)?)
    }

    /// What a person said in the sealed detail of an entry.
    fn said_in(&self, index: EntryIndex, member: &str) -> Result<Option<String>, RecordsError> {
        let leaf = self.leaf(index)?;
        let (key, _) = self.0.keys.site_key(Scope::Audit)?;
        let said = leaf.detail.as_ref().and_then(|detail| {
            let opened = open_detail(&key, leaf.site, detail).ok()?;
            let detail: Value = serde_json::from_slice(opened.expose()).ok()?;
            Some(detail.get(member)?.as_str()?.to_owned())
        });
        Ok(said)
    }

    fn read_under(&self, entry: EntryIndex) -> Result<ReadUnder, RecordsError> {
        let leaf = self.leaf(entry)?;
        Ok(ReadUnder {
            entry,
            time: time_of_reading(leaf.time, &leaf.facts),
            action: leaf.action,
            record: match leaf.subject {
                Subject::Record(record) => Some(record),
                _ => leaf.record,
            },
            patient: leaf.patient,
        })
    }

    /// Held while a person's emergency access is opened, used or ended.
    pub(super) fn turn(&self) -> MutexGuard<'_, ()> {
        self.0.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn standing(&self) -> MutexGuard<'_, HashMap<PersonId, Standing>> {
        let standing = &self.0.standing;
        standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The number of this opening; it is appended, with its row, if it is not in the ledger yet.
pub(super) fn ensure(
    tx: &mut Tx<'_>,
    site: labward_base::id::SiteId,
    by: PersonId,
    glass: &Standing,
    entry: &NewEntry,
) -> Result<EntryIndex, RecordsError> {
    if let Some(number) = store::find(tx, site, by, glass.opened_us)? {
        return Ok(number);
    }
    let number = append(tx, entry)?;
    store::insert(tx, site, number, by, glass)?;
    Ok(number)
}

/// Appends the reading `entry` of an opening.
pub(super) fn read(
    tx: &mut Tx<'_>,
    number: EntryIndex,
    mut entry: NewEntry,
) -> Result<EntryIndex, RecordsError> {
    entry.facts = entry.facts.number(OPENING, number.get());
    let site = entry.site;
    let index = append(tx, &entry)?;
    store::insert_reading(tx, site, number, index)?;
    Ok(index)
}

/// Ends an opening at `time`.
pub(super) fn end(
    tx: &mut Tx<'_>,
    number: EntryIndex,
    time: Timestamp,
    entry: &NewEntry,
) -> Result<EntryIndex, RecordsError> {
    let mut entry = entry.clone();
    entry.subject = Subject::Entry(number);
    let index = append(tx, &entry)?;
    store::set_ended(tx, number, time)?;
    Ok(index)
}
