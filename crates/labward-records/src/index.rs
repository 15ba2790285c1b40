//! The indexes of records, accessions and accesses: merged in bulk behind the commits, so that no
//! message waits for a random index.
//!
//! It must never be the only place where something stands: all are rebuilt from the ledger by
//! setting the cursor back.

use std::collections::HashMap;
use std::sync::PoisonError;

use labward_base::id::{EntryIndex, PatientId, RecordId, SiteId};
use labward_ledger::{Leaf, StoredEntry, entries, tree_head};
use labward_store::{StoreError, Tx};

use crate::accesses::named_by;
use crate::error::RecordsError;
use crate::hints;
use crate::kind::RecordKind;
use crate::records::Records;
use crate::retention::RetentionClass;
use crate::store::{self, IndexedRecord};

/// Entries merged in one unit.
const ENTRIES_MAX: u32 = 1000;
/// Steps that a search waits for at most; each takes some 10 ms, and 100 ms on a slow disk.
const STEPS_MAX: usize = 20;
/// Accesses that wait in memory at most.
const ACCESSES_MAX: usize = 10_000;

/// What was read of the ledger and is not in the indexes yet.
#[derive(Debug, Default)]
pub(crate) struct Behind {
    /// The first entry that was not looked at, as far as that goes beyond the cursor.
    passed: Option<EntryIndex>,
    /// Entries about a patient that keep no record, in order.
    pub(crate) accesses: Vec<(PatientId, EntryIndex)>,
}

/// What one entry adds to the indexes.
struct Addition {
    site: SiteId,
    row: Option<IndexedRecord>,
    entry: StoredEntry,
}

impl Records {
    /// Takes up to 1,000 entries into the indexes; `true` if more may wait. To be called again and
    /// again, every second when nothing waits: what is left, a search has to do first.
    pub fn merge_behind(&self) -> Result<bool, RecordsError> {
        let shared = &self.shared;
        shared.take_up_names();
        // One at a time.
        let mut behind = shared.behind.lock().unwrap_or_else(PoisonError::into_inner);
        let found: Vec<StoredEntry> = shared.store.read(|snapshot| {
            let from = store::cursor(snapshot, shared.node)?;
            entries(
                snapshot,
                behind.passed.unwrap_or(from).max(from),
                ENTRIES_MAX,
            )
        })?;
        let Some(last) = found.last() else {
            return Ok(false);
        };
        let next = EntryIndex::new(last.index.get().saturating_add(1));
        let more = u32::try_from(found.len()).is_ok_and(|count| count >= ENTRIES_MAX);
        let accesses = self.accesses_in(&found)?;
        let additions = found.into_iter().filter(|entry| entry.record.is_some());
        let additions = additions.map(Addition::of).collect::<Result<Vec<_>, _>>()?;
        // A cursor that only passes entries without records waits in memory for one that brings some:
        // otherwise the entry of each search would cause a write by itself.
        let is_full = behind.accesses.len() >= ACCESSES_MAX;
        if additions.is_empty() && !more && !is_full {
            behind.accesses.extend(accesses);
            behind.passed = Some(next);
            return Ok(false);
        }
        let node = shared.node;
        let mut rows = [behind.accesses.as_slice(), accesses.as_slice()].concat();
        // Neighbours on a page are written together.
        rows.sort_unstable();
        shared.store.write(move |tx| -> Result<(), StoreError> {
            for addition in &additions {
                addition.write(tx)?;
            }
            for (patient, entry) in &rows {
                store::index_access(tx, *patient, *entry)?;
            }
            store::set_cursor(tx, node, next)
        })?;
        *behind = Behind::default();
        Ok(more)
    }

    /// Which patients these entries are about, as far as they keep no record themselves.
    fn accesses_in(
        &self,
        found: &[StoredEntry],
    ) -> Result<Vec<(PatientId, EntryIndex)>, RecordsError> {
        let mut of_record: HashMap<RecordId, Option<PatientId>> = HashMap::new();
        for entry in found {
            if let Some(record) = entry.record {
                of_record.insert(record, entry.patient);
            }
        }
        let mut accesses = Vec::new();
        for entry in found.iter().filter(|entry| entry.record.is_none()) {
            // What does not parse is for `ledger verify` to find.
            let Ok(leaf) = Leaf::parse(&entry.leaf) else {
                continue;
            };
            let named = named_by(&leaf);
            let mut patients = named.patients;
            for record in named.records {
                let patient = match of_record.get(&record) {
                    Some(known) => *known,
                    None => {
                        let patient = self
                            .shared
                            .store
                            .read(|snapshot| store::patient_of_record(snapshot, record))?;
                        of_record.insert(record, patient);
                        patient
                    }
                };
                patients.extend(patient);
            }
            patients.sort_unstable();
            patients.dedup();
            accesses.extend(patients.into_iter().map(|patient| (patient, entry.index)));
        }
        Ok(accesses)
    }

    /// The records of patients that the indexes do not have yet.
    pub(crate) fn unindexed(&self) -> Result<Vec<IndexedRecord>, RecordsError> {
        let shared = &self.shared;
        let mut rows = Vec::new();
        let mut from = shared
            .store
            .read(|snapshot| store::cursor(snapshot, shared.node))?;
        loop {
            let page: Vec<StoredEntry> = shared
                .store
                .read(|snapshot| entries(snapshot, from, ENTRIES_MAX))?;
            let Some(last) = page.last() else {
                return Ok(rows);
            };
            from = EntryIndex::new(last.index.get().saturating_add(1));
            for entry in page.into_iter().filter(|entry| entry.record.is_some()) {
                rows.extend(Addition::of(entry)?.row);
            }
        }
    }

    /// Brings the indexes up to the last commit; if they cannot be written, what is behind them.
    pub(crate) fn unindexed_if_unwritable(&self) -> Result<Vec<IndexedRecord>, RecordsError> {
        match self.catch_up() {
            Ok(()) => Ok(Vec::new()),
            Err(error) if error.is_unwritable() => self.unindexed(),
            Err(error) => Err(error),
        }
    }

    /// Brings the indexes nearer to the last commit, in a bounded time; whether nothing is left. After an
    /// import of a million records there may be minutes of work.
    pub(crate) fn come_near(&self) -> Result<bool, RecordsError> {
        self.come_nearer(STEPS_MAX)
    }

    pub(crate) fn come_nearer(&self, steps: usize) -> Result<bool, RecordsError> {
        for _ in 0..steps {
            if !self.merge_behind()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a search finds everything: names are loaded, and the indexes are no further behind than
    /// what a search does first.
    pub fn finds_all(&self) -> Result<bool, RecordsError> {
        let steps = u64::try_from(STEPS_MAX).unwrap_or(u64::MAX);
        let near = steps.saturating_mul(u64::from(ENTRIES_MAX));
        Ok(!self.is_loading() && self.entries_behind()? < near)
    }

    /// How many entries the indexes have not taken yet.
    pub fn entries_behind(&self) -> Result<u64, RecordsError> {
        let shared = &self.shared;
        let behind = shared.behind.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = behind.passed.map_or(0, EntryIndex::get);
        drop(behind);
        let (size, cursor) = shared.store.read(|snapshot| {
            let head = tree_head(snapshot, shared.node)?;
            let size = head.map_or(0, |head| head.frontier.size());
            Ok::<_, StoreError>((size, store::cursor(snapshot, shared.node)?))
        })?;
        Ok(size.saturating_sub(passed.max(cursor.get())))
    }

    /// Brings the indexes up to the last commit, however long that takes.
    pub(crate) fn catch_up(&self) -> Result<(), RecordsError> {
        while self.merge_behind()? {}
        Ok(())
    }
}

impl Addition {
    fn of(entry: StoredEntry) -> Result<Self, RecordsError> {
        let leaf = Leaf::parse(&entry.leaf).map_err(|_| RecordsError::Damaged)?;
        let hint = entry.hints.as_deref();
        let class = hint.and_then(|hint| hints::get(hint, hints::RETENTION)?.first().copied());
        let row = match (
            entry.patient,
            entry.record,
            RecordKind::from_code(entry.kind),
        ) {
            (Some(patient), Some(record), Some(kind)) => Some(IndexedRecord {
                record,
                patient,
                entry: entry.index,
                kind,
                class: class.map_or(RetentionClass::Results, RetentionClass::from_code),
                time: leaf.time,
                size_bytes: size_of(&leaf),
            }),
            _ => None,
        };
        let site = entry.site;
        Ok(Self { site, row, entry })
    }

    fn write(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        if let Some(row) = &self.row {
            store::index_record(tx, self.site, row)?;
        }
        let hint = self.entry.hints.as_deref();
        let tags = hint.and_then(|hint| hints::get(hint, hints::ACCESSIONS));
        let (tags, _) = tags.unwrap_or_default().as_chunks::<16>();
        for tag in tags {
            if let Some(record) = self.entry.record {
                store::index_accession(tx, self.site, tag, record, self.entry.patient)?;
            }
        }
        Ok(())
    }
}

/// Its length as it came; what was imported from a file has only its sealed one.
fn size_of(leaf: &Leaf) -> u64 {
    let came = leaf.facts.get_number("size");
    let came = came.and_then(|size| u64::try_from(size).ok());
    came.or(leaf.payload.map(|payload| payload.size_bytes))
        .unwrap_or_default()
}
