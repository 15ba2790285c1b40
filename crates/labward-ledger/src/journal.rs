//! Appending: the tree's head in the writer's memory, and the only door through which an entry
//! comes into being.
//!
//! **Invariant:** no change without an entry: state and its entry are written in the same
//! transaction. The frontier must never move ahead of the commit: what a refused unit or a failed
//! batch has added is taken back.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use labward_base::id::{EntryIndex, NodeId, RecordId};
use labward_base::{Clock, Timestamp};
use labward_store::{Journal, Query, StoreError, Tx};

use crate::action::{Action, Actor, Subject};
use crate::entry::NewEntry;
use crate::error::LedgerError;
use crate::facts::Facts;
use crate::store::{self, Epoch};
use crate::tree::{Digest, Frontier, leaf_digest};

/// How far the clock may lie behind the last entry before this is recorded as a fact.
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(1);

/// Bytes that most leaves stay below.
const LEAF_USUAL_BYTES: usize = 448;

/// The ledger's tree in the memory of the store's writer.
pub struct LedgerJournal {
    node: NodeId,
    clock: Arc<dyn Clock>,
    head: Head,
    /// For each entry since the last commit, what to return to.
    pending: Vec<Clockwork>,
    /// Peaks that pending entries have merged away.
    undo: Vec<Digest>,
}

/// The tree and the time that goes with it.
struct Head {
    frontier: Frontier,
    clockwork: Clockwork,
}

/// The time of the last entry, and whether a clock behind it was recorded already.
#[derive(Clone, Copy)]
struct Clockwork {
    last: Timestamp,
    jump_recorded: bool,
}

impl LedgerJournal {
    /// The journal of the ledger of `node`; hand it to `Store::open`, which loads it.
    pub fn new(node: NodeId, clock: Arc<dyn Clock>) -> Self {
        let clockwork = Clockwork {
            last: Timestamp::from_micros(0),
            jump_recorded: false,
        };
        Self {
            node,
            clock,
            head: Head {
                frontier: Frontier::new(),
                clockwork,
            },
            pending: Vec::new(),
            undo: Vec::new(),
        }
    }

    fn push(&mut self, leaf: &[u8], clockwork: Clockwork) {
        self.pending.push(self.head.clockwork);
        self.head
            .frontier
            .push_undoable(leaf_digest(leaf), &mut self.undo);
        self.head.clockwork = clockwork;
    }

    fn truncate(&mut self, pending: usize) {
        while self.pending.len() > pending {
            let Some(before) = self.pending.pop() else {
                return;
            };
            self.head.frontier.pop(&mut self.undo);
            self.head.clockwork = before;
        }
    }
}

impl Journal for LedgerJournal {
    fn load(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let (last, _) = store::last_ids(tx)?;
        let size = last.map_or(0, |last| last.get() + 1);
        match store::tree_head(tx, self.node)? {
            None if size == 0 => {}
            Some(head) if head.frontier.size() == size && head.frontier.root() == head.root => {
                let clockwork = Clockwork {
                    last: head.time,
                    jump_recorded: false,
                };
                self.head = Head {
                    frontier: head.frontier,
                    clockwork,
                };
            }
            _ => {
                return Err(store::damaged(
                    "the ledger's tree head: it does not fit the entries",
                ));
            }
        }
        self.pending.clear();
        self.undo.clear();
        Ok(())
    }

    fn mark(&self) -> u64 {
        u64::try_from(self.pending.len()).unwrap_or(u64::MAX)
    }

    fn rewind(&mut self, mark: u64) {
        self.truncate(usize::try_from(mark).unwrap_or(usize::MAX));
    }

    fn before_commit(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let Head {
            frontier,
            clockwork,
        } = &self.head;
        store::put_tree_head(tx, self.node, frontier, clockwork.last)
    }

    fn committed(&mut self) {
        self.pending.clear();
        self.undo.clear();
    }

    fn aborted(&mut self) {
        self.truncate(0);
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

/// Records `entry` in the transaction of the act itself and returns its place.
///
/// Its time is the clock's, or the last entry's if that is later; a clock more than
/// [`CLOCK_TOLERANCE`] behind is recorded once as `clock.jumped`, in front of the entry.
///
/// # Errors
/// [`LedgerError::TooLarge`] if a part of the entry is larger than it may be, and whatever the
/// store reports; the unit must then be given up.
pub fn append(tx: &mut Tx<'_>, entry: &NewEntry) -> Result<EntryIndex, LedgerError> {
    let journal = tx.journal::<LedgerJournal>().ok_or(LedgerError::NoLedger)?;
    let (now, clockwork) = (journal.clock.now(), journal.head.clockwork);
    let time = now.max(clockwork.last);
    let behind = time.since(now);
    if behind > CLOCK_TOLERANCE && !clockwork.jump_recorded {
        let jump = clock_jump(entry, now, behind);
        write(
            tx,
            &jump,
            Clockwork {
                last: time,
                jump_recorded: true,
            },
        )?;
    }
    // The record of a jump holds until the clock has caught up.
    write(
        tx,
        entry,
        Clockwork {
            last: time,
            jump_recorded: behind > CLOCK_TOLERANCE,
        },
    )
}

/// Drops the sealed bytes of `record` at the end of their retention, recorded by `entry`, whose
/// subject is that record or its patient. The leaf and every proof over it stay.
///
/// # Errors
/// As [`append`]; a record without sealed bytes is [`LedgerError::NoPayload`].
pub fn drop_payload(
    tx: &mut Tx<'_>,
    record: RecordId,
    entry: &NewEntry,
) -> Result<EntryIndex, LedgerError> {
    let index = append(tx, entry)?;
    if !store::clear_payload(tx, record, index)? {
        return Err(LedgerError::NoPayload { record });
    }
    Ok(index)
}

/// Begins a new epoch under `origin` with `entry`; `cites` is the last checkpoint known of the
/// epoch before, as a signed note, and `None` for the first epoch.
pub fn open_epoch(
    tx: &mut Tx<'_>,
    origin: &str,
    cites: Option<&str>,
    entry: &NewEntry,
) -> Result<Epoch, LedgerError> {
    let number = store::epochs(tx)?
        .last()
        .map_or(1, |epoch| epoch.number.saturating_add(1));
    let mut entry = entry.clone();
    entry.facts = entry.facts.number("epoch", number).text("origin", origin);
    if let Some(note) = cites {
        entry.facts = entry.facts.text("cites", note);
    }
    let epoch = Epoch {
        number,
        origin: origin.to_owned(),
        first: append(tx, &entry)?,
        cites: cites.map(str::to_owned),
    };
    store::insert_epoch(tx, &epoch)?;
    Ok(epoch)
}

fn write(
    tx: &mut Tx<'_>,
    entry: &NewEntry,
    clockwork: Clockwork,
) -> Result<EntryIndex, LedgerError> {
    let journal = tx.journal::<LedgerJournal>().ok_or(LedgerError::NoLedger)?;
    let index = journal.head.frontier.size();
    let mut leaf = Vec::with_capacity(LEAF_USUAL_BYTES);
    entry.encode(index, journal.node, clockwork.last, &mut leaf)?;
    store::insert_entry(tx, index, entry, &leaf)?;
    // Only now: a row that was refused must not be in the tree.
    tx.journal::<LedgerJournal>()
        .ok_or(LedgerError::NoLedger)?
        .push(&leaf, clockwork);
    Ok(EntryIndex::new(index))
}

fn clock_jump(entry: &NewEntry, now: Timestamp, behind: Duration) -> NewEntry {
    let facts = Facts::new()
        .text("clock", now.to_rfc3339())
        .number("behind_us", behind.as_micros());
    NewEntry::new(
        entry.site,
        Actor::System,
        Action::ClockJumped,
        Subject::Installation,
    )
    .facts(facts)
}

/// Gives out record ids, each once; they are taken before sealing, which binds them.
#[derive(Debug)]
pub struct RecordIds(AtomicU64);

impl RecordIds {
    /// Goes on behind the largest id in the ledger.
    pub fn load<Q: Query>(query: &mut Q) -> Result<Self, StoreError> {
        let (_, record) = store::last_ids(query)?;
        Ok(Self(AtomicU64::new(
            record.map_or(1, |record| record.get() + 1),
        )))
    }

    /// The next id; ids of records that were never kept are not given out again until a restart.
    pub fn next(&self) -> RecordId {
        RecordId::new(self.0.fetch_add(1, Ordering::Relaxed))
    }
}
