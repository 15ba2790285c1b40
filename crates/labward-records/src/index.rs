//! The record and accession indexes: merged in bulk behind the commits, so that no message waits
//! for a random index.
//!
//! It must never be the only place where something stands: both are rebuilt from the ledger by
//! setting the cursor back.

use std::sync::PoisonError;

use labward_base::id::{EntryIndex, SiteId};
use labward_ledger::{Leaf, StoredEntry, entries};
use labward_store::{StoreError, Tx};

use crate::error::RecordsError;
use crate::hints;
use crate::kind::RecordKind;
use crate::records::Records;
use crate::retention::RetentionClass;
use crate::store::{self, IndexedRecord};

/// Entries merged in one unit.
const ENTRIES_MAX: u32 = 1000;

/// What one entry adds to the indexes.
struct Addition {
    site: SiteId,
    row: Option<IndexedRecord>,
    entry: StoredEntry,
}

impl Records {
    /// Takes up to 1,000 entries into the indexes; `true` if more may wait. To be called every
    /// second or so; searching calls it too.
    pub fn merge_behind(&self) -> Result<bool, RecordsError> {
        let shared = &self.shared;
        shared.take_up_names();
        // One at a time.
        let mut passed = shared
            .merging
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let found: Vec<StoredEntry> = shared.store.read(|snapshot| {
            let from = store::cursor(snapshot, shared.node)?.max(*passed);
            entries(snapshot, from, ENTRIES_MAX)
        })?;
        let Some(last) = found.last() else {
            return Ok(false);
        };
        let next = EntryIndex::new(last.index.get().saturating_add(1));
        let more = u32::try_from(found.len()).is_ok_and(|count| count >= ENTRIES_MAX);
        let additions = found.into_iter().filter(|entry| entry.record.is_some());
        let additions = additions.map(Addition::of).collect::<Result<Vec<_>, _>>()?;
        // A cursor that only passes entries without records waits in memory for one that brings some:
        // otherwise the entry of each search would cause a write by itself.
        if additions.is_empty() && !more {
            *passed = next;
            return Ok(false);
        }
        let node = shared.node;
        shared.store.write(move |tx| -> Result<(), StoreError> {
            for addition in &additions {
                addition.write(tx)?;
            }
            store::set_cursor(tx, node, next)
        })?;
        Ok(more)
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

    /// Brings the indexes up to the last commit.
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
