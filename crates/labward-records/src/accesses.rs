//! Who received a patient's records, saw them and was given them, when and why.
//!
//! Entries are found by the indexes of records and accesses and then read from the ledger. It must never
//! answer before it is recorded that this was asked, or call a list complete that ends where it
//! stopped looking: a page says where the next one begins.
//! Carries out 45 CFR 164.528 (accounting of disclosures) and 164.312(b). More than 164.528 asks for is
//! listed: also what was done for treatment, payment and operations.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use labward_base::Timestamp;
use labward_base::id::{EntryIndex, PatientId, PersonId, RecordId, SiteId};
use labward_keys::Keys;
use labward_ledger::{
    Action, Actor, Fact, Facts, Leaf, Outcome, StoredEntry, Subject, entry, entry_since,
    open_detail,
};
use labward_seal::Scope;
use serde_json::Value;

use crate::error::RecordsError;
use crate::records::Records;
use crate::reserve::{BREAK_GLASS, time_of_reading};
use crate::show::leaf_of;
use crate::store::{self, IndexedRecord};

/// Records of a patient read at once.
const PAGE: u32 = 256;
/// Entries about one patient that are taken from the index at once.
const INDEX_PAGE: u32 = 1_000;
/// Accesses on one page if it is not said how many.
const LIMIT_DEFAULT: usize = 100;
/// Accesses on one page at most.
const LIMIT_MAX: usize = 1_000;
/// Record numbers that one access names at most.
const RECORDS_MAX: usize = 200;

/// What counts as an access.
const ACCESSES: [Action; 11] = [
    Action::ListExported,
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
    /// Their records, each with the entry that keeps it.
    records: BTreeMap<RecordId, EntryIndex>,
    /// Entries about them that keep no record and are not in the index yet.
    behind: Vec<EntryIndex>,
}

/// Whom and what an entry names.
#[derive(Debug, Default)]
pub(crate) struct Named {
    pub(crate) patients: Vec<PatientId>,
    pub(crate) records: Vec<RecordId>,
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
        let walked = self.walk(&about, first, end, limit)?;
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
        self.catch_up()?;
        let about = self.about(group)?;
        let (first, end) = (EntryIndex::new(0), EntryIndex::new(self.size()?));
        let walked = self.walk(&about, first, end, usize::MAX)?;
        let mut accesses = walked.accesses;
        accesses.reverse();
        Ok(accesses)
    }

    /// The entries about a patient from `first` on that keep no record themselves, the newest first;
    /// `None` if there are more than `most`.
    ///
    /// # Errors
    /// [`RecordsError`] also if the indexes cannot be brought up to date.
    pub fn entries_about(
        &self,
        patient: PatientId,
        first: EntryIndex,
        most: usize,
    ) -> Result<Option<Vec<StoredEntry>>, RecordsError> {
        self.catch_up()?;
        let group = [patient];
        let about = About {
            group: &group,
            records: BTreeMap::new(),
            behind: self.behind(&group),
        };
        let mut before = EntryIndex::new(self.size()?);
        let mut found = Vec::new();
        loop {
            let page = self.newest(&about, first, before)?;
            let Some(last) = page.last() else {
                return Ok(Some(found));
            };
            before = *last;
            if found.len() + page.len() > most {
                return Ok(None);
            }
            for index in page {
                let stored = self.shared.store.read(|snapshot| entry(snapshot, index))?;
                found.push(stored.ok_or(RecordsError::Damaged)?);
            }
        }
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
        let mut records = BTreeMap::new();
        for patient in group {
            let rows = self.rows_of(*patient)?;
            records.extend(rows.into_iter().map(|row| (row.record, row.entry)));
        }
        Ok(About {
            group,
            records,
            behind: self.behind(group),
        })
    }

    /// Entries about these patients that keep no record and are not in the index yet.
    fn behind(&self, group: &[PatientId]) -> Vec<EntryIndex> {
        let behind = self.shared.behind.lock();
        let behind = behind.unwrap_or_else(PoisonError::into_inner);
        let about = behind.accesses.iter();
        let about = about.filter(|(patient, _)| group.contains(patient));
        about.map(|(_, entry)| *entry).collect()
    }

    /// Looks for accesses from the entry in front of `end` back to `first`.
    fn walk(
        &self,
        about: &About<'_>,
        first: EntryIndex,
        end: EntryIndex,
        limit: usize,
    ) -> Result<Walked, RecordsError> {
        let mut accesses = Vec::new();
        let mut before = end;
        loop {
            let page = self.newest(about, first, before)?;
            if page.is_empty() {
                return Ok(Walked {
                    accesses,
                    next: None,
                });
            }
            for index in page {
                before = index;
                let stored = self.shared.store.read(|snapshot| entry(snapshot, index))?;
                let stored = stored.ok_or(RecordsError::Damaged)?;
                if let Some(leaf) = about.leaf(&stored)? {
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
    }

    /// Some of the entries in front of `before`, none left out between the first and the last of
    /// them; none if there is none down to `first`. The newest come first.
    fn newest(
        &self,
        about: &About<'_>,
        first: EntryIndex,
        before: EntryIndex,
    ) -> Result<Vec<EntryIndex>, RecordsError> {
        let mut floor = first;
        let mut found: Vec<EntryIndex> = about.records.values().copied().collect();
        found.extend(&about.behind);
        for patient in about.group {
            let page: Vec<EntryIndex> = self
                .shared
                .store
                .read(|snapshot| store::accesses_of(snapshot, *patient, before, INDEX_PAGE))?;
            if let (Some(last), true) = (page.last(), page.len() >= INDEX_PAGE as usize) {
                floor = floor.max(*last);
            }
            found.extend(page);
        }
        found.retain(|index| (floor..before).contains(index));
        found.sort_unstable_by(|a, b| b.cmp(a));
        found.dedup();
        Ok(found)
    }

    /// The records of one patient, the oldest first.
    pub(crate) fn records_of(&self, patient: PatientId) -> Result<Vec<RecordId>, RecordsError> {
        let rows = self.rows_of(patient)?;
        Ok(rows.into_iter().map(|row| row.record).collect())
    }

    /// The rows of the index of one patient's records, the oldest first.
    fn rows_of(&self, patient: PatientId) -> Result<Vec<IndexedRecord>, RecordsError> {
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
            all.extend(page);
        }
    }

    fn access(&self, about: &About<'_>, leaf: Leaf) -> Access {
        let why = match &leaf.detail {
            Some(detail) => why_in(&self.shared.keys, leaf.site, detail),
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
}

/// The reason that is sealed in the detail of an entry; `None` if the root key is sealed or there is
/// none.
pub fn why_in(keys: &Keys, site: SiteId, detail: &[u8]) -> Option<String> {
    let (key, _) = keys.site_key(Scope::Audit).ok()?;
    let opened = open_detail(&key, site, detail).ok()?;
    let detail: Value = serde_json::from_slice(opened.expose()).ok()?;
    Some(detail.get("why")?.as_str()?.to_owned())
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
        let named = named_by(leaf);
        named.patients.iter().any(|one| self.group.contains(one)) || !self.named(leaf).is_empty()
    }

    /// The patients' records that an entry names.
    fn named(&self, leaf: &Leaf) -> Vec<RecordId> {
        let mut named: Vec<RecordId> = named_by(leaf)
            .records
            .into_iter()
            .filter(|record| self.records.contains_key(record))
            .take(RECORDS_MAX)
            .collect();
        named.sort_unstable();
        named.dedup();
        named
    }
}

/// The numbers under a name. `records` alone is a count, not a record.
/// The patients and records that an entry names, wherever it says so.
pub(crate) fn named_by(leaf: &Leaf) -> Named {
    let (patient, record) = match leaf.subject {
        Subject::Patient(patient) => (Some(patient), None),
        Subject::Record(record) => (None, Some(record)),
        _ => (None, None),
    };
    let patients = numbers(&leaf.facts, "patients").map(PatientId::new);
    let records = numbers(&leaf.facts, "record")
        .chain(numbers(&leaf.facts, "records"))
        .map(RecordId::new);
    Named {
        patients: leaf
            .patient
            .into_iter()
            .chain(patient)
            .chain(patients)
            .collect(),
        records: leaf
            .record
            .into_iter()
            .chain(record)
            .chain(records)
            .collect(),
    }
}

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
