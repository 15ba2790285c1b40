//! Who received a patient's records, saw them and was given them, when and why.
//!
//! It must never answer before it is recorded that this was asked, or call a list complete that ends
//! where it stopped looking: a page says where the next one begins.
//! Carries out 45 CFR 164.528 (accounting of disclosures) and 164.312(b). More than 164.528 asks for is
//! listed: also what was done for treatment, payment and operations.

use std::collections::BTreeSet;

use labward_base::Timestamp;
use labward_base::id::{EntryIndex, PatientId, PersonId, RecordId};
use labward_ledger::{
    Action, Actor, Fact, Facts, Leaf, Outcome, StoredEntry, Subject, entries_before, entry_since,
    open_detail,
};
use labward_seal::Scope;
use serde_json::Value;

use crate::error::RecordsError;
use crate::records::Records;
use crate::reserve::{BREAK_GLASS, time_of_reading};
use crate::show::leaf_of;
use crate::store;

/// Records of a patient read at once.
const PAGE: u32 = 256;
/// Entries read at once when the ledger is walked.
const LEDGER_PAGE: u32 = 2_000;
/// Entries looked at for one page.
const WALK_MAX: u64 = 200_000;
/// Accesses on one page if it is not said how many.
const LIMIT_DEFAULT: usize = 100;
/// Accesses on one page at most.
const LIMIT_MAX: usize = 1_000;
/// Record numbers that one access names at most.
const RECORDS_MAX: usize = 200;

/// What counts as an access.
const ACCESSES: [Action; 10] = [
    Action::MessageDelivered,
    Action::MessageHeld,
    Action::MessageReceived,
    Action::MessageResent,
    Action::PatientAccounted,
    Action::PatientDisposed,
    Action::RecordExported,
    Action::RecordImported,
    Action::RecordSearched,
    Action::RecordShown,
];

/// Which accesses are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskedAccesses {
    /// Recorded at this time or later.
    pub since: Timestamp,
    /// And before this time.
    pub until: Timestamp,
    /// And in front of this entry: where the page before this one ended.
    pub before: Option<EntryIndex>,
    /// How many at most, 1 to 1,000; 100 if not given.
    pub limit: Option<u32>,
}

/// A page of who received, saw and was given a patient's records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accounting {
    /// Every patient of the merge group.
    pub patients: Vec<PatientId>,
    /// The accesses, the newest first.
    pub accesses: Vec<Access>,
    /// Where the next page goes on: there may be more in front of this entry.
    pub next: Option<EntryIndex>,
    /// The entry that records that this was asked.
    pub entry: EntryIndex,
}

/// One time that a patient's records came, were seen or left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The entry.
    pub entry: EntryIndex,
    /// When.
    pub time: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What was done.
    pub action: Action,
    /// How it ended.
    pub outcome: Outcome<String>,
    /// Which of the patient's records, as far as the entry names them: opaque numbers.
    pub records: Vec<RecordId>,
    /// The peer or link it came from.
    pub from: Option<String>,
    /// The destination, if it left to one.
    pub to: Option<String>,
    /// Whether it was by break-glass.
    pub is_break_glass: bool,
    /// Why, as the person said.
    pub why: Option<String>,
}

/// Whom it is about.
struct About<'a> {
    group: &'a [PatientId],
    records: BTreeSet<RecordId>,
}

/// What a walk found.
struct Walked {
    accesses: Vec<Access>,
    next: Option<EntryIndex>,
}

impl Records {
    /// A page of who received, saw and was given the records of a patient's merge group; asking is
    /// recorded first. It works for a patient who was disposed of, too.
    ///
    /// # Errors
    /// [`RecordsError::NoPatient`] if there never was one.
    pub fn accounting(
        &self,
        patient: PatientId,
        asked: &AskedAccesses,
        by: PersonId,
        why: &str,
    ) -> Result<Accounting, RecordsError> {
        let patients = self.group(patient);
        if patients.is_empty() {
            return Err(RecordsError::NoPatient);
        }
        self.catch_up().map_err(RecordsError::of_reading)?;
        let about = self.about(&patients)?;
        let size = self.size()?;
        let (first, end) = self.shared.store.read(|snapshot| {
            let first = entry_since(snapshot, size, asked.since)?;
            Ok::<_, RecordsError>((first, entry_since(snapshot, size, asked.until)?))
        })?;
        let end = asked.before.map_or(end, |before| before.min(end));
        let limit = asked.limit.and_then(|limit| usize::try_from(limit).ok());
        let limit = limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX);
        let walked = self.walk(&about, first, end, limit, WALK_MAX)?;
        let action = Action::PatientAccounted;
        let mut entry = self.reading(action, Subject::Patient(patient), by, why)?;
        entry.patient = Some(patient);
        entry.facts = Facts::new()
            .text("since", asked.since.to_rfc3339())
            .text("until", asked.until.to_rfc3339())
            .number("listed", walked.accesses.len());
        let entry = self.record(entry).map_err(RecordsError::of_reading)?;
        Ok(Accounting {
            patients,
            accesses: walked.accesses,
            next: walked.next,
            entry,
        })
    }

    /// Every access to the records of these patients, the oldest first.
    pub(crate) fn every_access(&self, group: &[PatientId]) -> Result<Vec<Access>, RecordsError> {
        let about = self.about(group)?;
        let (first, end) = (EntryIndex::new(0), EntryIndex::new(self.size()?));
        let walked = self.walk(&about, first, end, usize::MAX, u64::MAX)?;
        let mut accesses = walked.accesses;
        accesses.reverse();
        Ok(accesses)
    }

    /// How many entries there are.
    fn size(&self) -> Result<u64, RecordsError> {
        let node = self.shared.node;
        let head = self
            .shared
            .store
            .read(|snapshot| labward_ledger::tree_head(snapshot, node))?;
        Ok(head.map_or(0, |head| head.frontier.size()))
    }

    fn about<'a>(&self, group: &'a [PatientId]) -> Result<About<'a>, RecordsError> {
        let mut records = BTreeSet::new();
        for patient in group {
            records.extend(self.records_of(*patient)?);
        }
        Ok(About { group, records })
    }

    /// Looks for accesses from the entry in front of `end` back to `first`.
    fn walk(
        &self,
        about: &About<'_>,
        first: EntryIndex,
        end: EntryIndex,
        limit: usize,
        walk_max: u64,
    ) -> Result<Walked, RecordsError> {
        let mut accesses = Vec::new();
        let mut before = end;
        let stop = EntryIndex::new(end.get().saturating_sub(walk_max)).max(first);
        while before > stop {
            let page: Vec<StoredEntry> = self
                .shared
                .store
                .read(|snapshot| entries_before(snapshot, before, LEDGER_PAGE))?;
            if page.is_empty() {
                return Ok(Walked {
                    accesses,
                    next: None,
                });
            }
            for stored in page.iter().take_while(|stored| stored.index >= stop) {
                before = stored.index;
                if let Some(leaf) = about.leaf(stored)? {
                    accesses.push(self.access(about, leaf));
                }
                if accesses.len() >= limit {
                    return Ok(Walked {
                        accesses,
                        next: (before > first).then_some(before),
                    });
                }
            }
        }
        Ok(Walked {
            accesses,
            next: (stop > first).then_some(stop),
        })
    }

    /// The records of one patient, the oldest first.
    pub(crate) fn records_of(&self, patient: PatientId) -> Result<Vec<RecordId>, RecordsError> {
        let mut all = Vec::new();
        let mut before = i64::MAX;
        loop {
            let page: Vec<_> = self
                .shared
                .store
                .read(|snapshot| store::records_of(snapshot, patient, before, PAGE))?;
            let Some(last) = page.last() else {
                all.reverse();
                return Ok(all);
            };
            before = last.record.as_sql();
            all.extend(page.iter().map(|row| row.record));
        }
    }

    fn access(&self, about: &About<'_>, leaf: Leaf) -> Access {
        let why = match &leaf.detail {
            Some(detail) => self.why_of(&leaf, detail),
            None => None,
        };
        let to = match (&leaf.subject, leaf.action) {
            (Subject::Destination(name), _) => Some(name.to_string()),
            (_, Action::MessageReceived | Action::MessageHeld) => None,
            _ => ["destination", "to"]
                .iter()
                .find_map(|name| fact_text(&leaf.facts, name)),
        };
        Access {
            entry: leaf.index,
            time: time_of_reading(leaf.time, &leaf.facts),
            actor: leaf.actor,
            action: leaf.action,
            records: about.named(&leaf),
            from: ["peer", "link"]
                .iter()
                .find_map(|name| fact_text(&leaf.facts, name)),
            to,
            is_break_glass: leaf.facts.get(BREAK_GLASS).is_some(),
            outcome: leaf.outcome,
            why,
        }
    }

    fn why_of(&self, leaf: &Leaf, detail: &[u8]) -> Option<String> {
        let (key, _) = self.shared.keys.site_key(Scope::Audit).ok()?;
        let opened = open_detail(&key, leaf.site, detail).ok()?;
        let detail: Value = serde_json::from_slice(opened.expose()).ok()?;
        Some(detail.get("why")?.as_str()?.to_owned())
    }
}

impl About<'_> {
    /// The leaf of an entry, if it is an access to these patients' records.
    fn leaf(&self, stored: &StoredEntry) -> Result<Option<Leaf>, RecordsError> {
        let action = ACCESSES.iter().find(|one| one.name() == stored.action);
        let of_group = || stored.patient.is_some_and(|one| self.group.contains(&one));
        match action {
            None => Ok(None),
            // The row says whose it is, and most entries are these.
            Some(Action::MessageReceived | Action::MessageHeld) if !of_group() => Ok(None),
            Some(_) => {
                let leaf = leaf_of(stored)?;
                Ok(self.concerns(&leaf).then_some(leaf))
            }
        }
    }

    /// Whether an entry is about one of these patients or of their records, wherever it says so.
    fn concerns(&self, leaf: &Leaf) -> bool {
        let is_patient = |number: u64| self.group.contains(&PatientId::new(number));
        leaf.patient
            .is_some_and(|patient| is_patient(patient.get()))
            || matches!(leaf.subject, Subject::Patient(patient) if is_patient(patient.get()))
            || numbers(&leaf.facts, "patients").any(is_patient)
            || !self.named(leaf).is_empty()
    }

    /// The patients' records that an entry names.
    fn named(&self, leaf: &Leaf) -> Vec<RecordId> {
        let subject = match leaf.subject {
            Subject::Record(record) => Some(record),
            _ => None,
        };
        let listed = numbers(&leaf.facts, "record")
            .chain(numbers(&leaf.facts, "records"))
            .map(RecordId::new);
        let mut named: Vec<RecordId> = leaf
            .record
            .into_iter()
            .chain(subject)
            .chain(listed)
            .filter(|record| self.records.contains(record))
            .take(RECORDS_MAX)
            .collect();
        named.sort_unstable();
        named.dedup();
        named
    }
}

/// The numbers under a name. `records` alone is a count, not a record.
fn numbers<'a>(facts: &'a Facts, name: &str) -> impl Iterator<Item = u64> + use<'a> {
    let (one, list) = match facts.get(name) {
        Some(Fact::Number(number)) if name != "records" => (Some(*number), &[][..]),
        Some(Fact::List(list)) => (None, list.as_slice()),
        _ => (None, &[][..]),
    };
    let listed = list.iter().filter_map(|fact| match fact {
        Fact::Number(number) => Some(*number),
        _ => None,
    });
    let all = one.into_iter().chain(listed);
    all.filter_map(|number| u64::try_from(number).ok())
}

fn fact_text(facts: &Facts, name: &str) -> Option<String> {
    match facts.get(name)? {
        Fact::Text(text) => Some(text.clone()),
        Fact::List(list) => {
            let texts = list.iter().filter_map(|fact| match fact {
                Fact::Text(text) => Some(text.as_str()),
                _ => None,
            });
            Some(texts.collect::<Vec<_>>().join(", "))
        }
        Fact::Number(_) => None,
    }
}
