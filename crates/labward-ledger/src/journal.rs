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
const LEAF_USUAL_BYTES: usize = 640;

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

/// Where and when an entry was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Its place in the ledger.
    pub index: EntryIndex,
    /// The time that its leaf holds.
    pub time: Timestamp,
}

/// Records `entry` in the transaction of the act itself and returns its place.
///
/// # Errors
/// As [`append_timed`].
pub fn append(tx: &mut Tx<'_>, entry: &NewEntry) -> Result<EntryIndex, LedgerError> {
    append_timed(tx, entry).map(|appended| appended.index)
}

/// Records `entry` in the transaction of the act itself and returns its place and time.
///
/// Its time is the clock's, or the last entry's if that is later; a clock more than
/// [`CLOCK_TOLERANCE`] behind is recorded once as `clock.jumped`, in front of the entry.
///
/// # Errors
/// [`LedgerError::TooLarge`] if a part of the entry is larger than it may be, and whatever the
/// store reports; the unit must then be given up.
pub fn append_timed(tx: &mut Tx<'_>, entry: &NewEntry) -> Result<Appended, LedgerError> {
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
    let index = write(
        tx,
        entry,
        Clockwork {
            last: time,
            jump_recorded: behind > CLOCK_TOLERANCE,
        },
    )?;
    Ok(Appended { index, time })
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
/// epoch before, as a signed note, and `None` for the first epoch. A
/// ledger with entries that never opened an epoch is in its first.
///
/// # Errors
/// As [`append`].
pub fn open_epoch(
    tx: &mut Tx<'_>,
    origin: &str,
    cites: Option<&str>,
    entry: &NewEntry,
) -> Result<Epoch, LedgerError> {
    let journal = tx.journal::<LedgerJournal>().ok_or(LedgerError::NoLedger)?;
    let first = if journal.head.frontier.size() == 0 {
        1
    } else {
        2
    };
    let number = store::epochs(tx)?
        .last()
        .map_or(first, |epoch| epoch.number.saturating_add(1));
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

/// Ids that each epoch of the ledger may give out, far more than any does.
const IDS_PER_EPOCH_LOG2: u32 = 40;

impl RecordIds {
    /// Goes on behind the largest id in the ledger; a new epoch begins in a range of its own, so
    /// that no id of the time that a restore has lost is ever given out again.
    pub fn load<Q: Query>(query: &mut Q) -> Result<Self, StoreError> {
        let (_, record) = store::last_ids(query)?;
        let epoch = store::epochs(query)?.last().map_or(1, |epoch| epoch.number);
        let first = u64::from(epoch.saturating_sub(1)) << IDS_PER_EPOCH_LOG2;
        let next = record.map_or(1, |record| record.get() + 1);
        Ok(Self(AtomicU64::new(next.max(first))))
    }

    /// The next id; ids of records that were never kept are not given out again until a restart.
    pub fn next(&self) -> RecordId {
        RecordId::new(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Leaf;
    use crate::testing::{NODE, TestLedger, message};
    use crate::tree::tests::reference_root;
    use labward_store::{NoJournal, Options, Store};

    fn leaves(ledger: &TestLedger) -> Vec<Leaf> {
        let all = |s: &mut labward_store::Snapshot<'_>| store::entries(s, EntryIndex::new(0), 1000);
        let rows = ledger.store().read(all).unwrap();
        rows.iter()
            .map(|row| Leaf::parse(&row.leaf).unwrap())
            .collect()
    }

    fn root(ledger: &TestLedger) -> (u64, Digest) {
        let head = ledger.store().read(|s| store::tree_head(s, NODE)).unwrap();
        head.map_or_else(|| (0, reference_root(&[])), |h| (h.frontier.size(), h.root))
    }

    fn root_of_rows(ledger: &TestLedger) -> (u64, Digest) {
        let digests: Vec<_> = leaves(ledger)
            .iter()
            .map(|leaf| leaf.digest().unwrap())
            .collect();
        (digests.len() as u64, reference_root(&digests))
    }

    #[test]
    fn a_refused_unit_leaves_no_leaf() {
        let ledger = TestLedger::new();
        ledger.fill(0, 3);
        let refused = ledger.store().write(|tx| {
            for number in 3..9 {
                append(tx, &message(number))?;
            }
            Err::<(), _>(LedgerError::NoEntry { index: 0 })
        });
        assert!(refused.is_err());
        assert_eq!(
            (leaves(&ledger).len(), root(&ledger)),
            (3, root_of_rows(&ledger))
        );
        ledger.fill(3, 5);
        assert_eq!(root(&ledger), root_of_rows(&ledger));
        assert!(ledger.verify().is_sound());
    }

    #[test]
    fn a_row_that_was_refused_is_not_in_the_tree_even_if_the_unit_goes_on() {
        let ledger = TestLedger::new();
        ledger
            .store()
            .write(|tx| {
                append(tx, &message(0))?;
                // The record is kept already, so the index refuses the row.
                assert!(append(tx, &message(0)).is_err());
                append(tx, &message(1))
            })
            .unwrap();
        assert_eq!(root(&ledger), root_of_rows(&ledger));
        assert_eq!(leaves(&ledger).len(), 2);
    }

    #[test]
    fn an_aborted_batch_and_a_rewound_unit_leave_the_tree_as_it_was() {
        let clock = TestLedger::new().clock.clone();
        let mut journal = LedgerJournal::new(NODE, clock);
        let clockwork = |micros| Clockwork {
            last: Timestamp::from_micros(micros),
            jump_recorded: false,
        };
        journal.push(b"a", clockwork(1));
        journal.committed();
        let before = journal.head.frontier.clone();
        journal.push(b"b", clockwork(2));
        let mark = journal.mark();
        let marked = journal.head.frontier.clone();
        journal.push(b"c", clockwork(3));
        journal.push(b"d", clockwork(4));
        journal.rewind(mark);
        assert_eq!(journal.head.frontier, marked);
        assert_eq!(journal.head.clockwork.last, Timestamp::from_micros(2));
        journal.aborted();
        assert_eq!(journal.head.frontier, before);
        assert_eq!(journal.head.clockwork.last, Timestamp::from_micros(1));
    }

    #[test]
    fn a_restart_continues_the_same_tree() {
        let mut ledger = TestLedger::new();
        ledger.fill(0, 300);
        ledger.restart();
        ledger.fill(300, 305);
        assert_eq!(root(&ledger), root_of_rows(&ledger));
        let ids = ledger.store().read(|s| RecordIds::load(s)).unwrap();
        assert_eq!(
            (ids.next(), ids.next()),
            (RecordId::new(306), RecordId::new(307))
        );
    }

    #[test]
    fn a_tree_head_that_does_not_fit_keeps_the_store_from_opening() {
        let ledger = TestLedger::new();
        ledger.fill(0, 3);
        ledger.tamper("DELETE FROM entry WHERE idx = 2", vec![]);
        ledger.store().close().unwrap();
        let journal = LedgerJournal::new(NODE, ledger.clock.clone());
        let options = Options::new(ledger.folder.join("db.sqlite"));
        let migrations = [store::MIGRATIONS, store::ACT_MIGRATIONS].concat();
        let opened = Store::open(options, &migrations, Box::new(journal));
        assert!(
            matches!(opened.err(), Some(StoreError::Damaged { place }) if place.contains("tree head"))
        );
    }

    #[test]
    fn time_never_goes_back_and_a_jump_is_recorded_once() {
        let ledger = TestLedger::new();
        ledger.clock.set(10_000_000);
        ledger.fill(0, 1);
        ledger.clock.set(9_500_000); // within the tolerance
        ledger.fill(1, 2);
        ledger.clock.set(5_000_000);
        ledger.fill(2, 4);
        ledger.clock.set(11_000_000); // caught up
        ledger.fill(4, 5);
        ledger.clock.set(1_000_000);
        ledger.fill(5, 6);
        let leaves = leaves(&ledger);
        let jumps: Vec<_> = leaves
            .iter()
            .filter(|leaf| leaf.action == Action::ClockJumped)
            .map(|leaf| (leaf.index.get(), leaf.facts.get_number("behind_us")))
            .collect();
        assert_eq!(jumps, [(2, Some(5_000_000)), (6, Some(10_000_000))]);
        let times: Vec<_> = leaves
            .iter()
            .map(|leaf| leaf.time.as_micros() / 1_000_000)
            .collect();
        assert_eq!(times, [10, 10, 10, 10, 10, 11, 11, 11]);
        assert!(ledger.verify().is_sound());
    }

    #[test]
    fn an_append_tells_the_place_and_time_of_its_leaf_even_if_the_clock_jumped() {
        let ledger = TestLedger::new();
        ledger.clock.set(10_000_000);
        let first = ledger.store().write(|tx| append_timed(tx, &message(0)));
        ledger.clock.set(1_000_000);
        let behind = ledger.store().write(|tx| append_timed(tx, &message(1)));
        let told = [first.unwrap(), behind.unwrap()].map(|a| (a.index, a.time));
        let leaves = leaves(&ledger).into_iter();
        let messages = leaves.filter(|leaf| leaf.action != Action::ClockJumped);
        let stored: Vec<_> = messages.map(|leaf| (leaf.index, leaf.time)).collect();
        assert_eq!(told.as_slice(), stored);
        assert_eq!(told.map(|(index, _)| index.get()), [0, 2]);
    }

    #[test]
    fn a_payload_goes_only_with_an_entry_and_every_proof_still_holds() {
        let ledger = TestLedger::new();
        ledger.fill(0, 4);
        let record = RecordId::new(2);
        let expired = NewEntry::new(
            crate::testing::SITE,
            Actor::System,
            Action::RecordExpired,
            Subject::Record(record),
        );
        let again = expired.clone();
        let index = ledger
            .store()
            .write(move |tx| drop_payload(tx, record, &expired))
            .unwrap();
        assert_eq!(index, EntryIndex::new(4));
        let payload = ledger
            .store()
            .read(|s| store::payload_of(s, record))
            .unwrap();
        assert_eq!(payload, None);
        let refused = ledger
            .store()
            .write(move |tx| drop_payload(tx, record, &again));
        assert!(matches!(refused, Err(LedgerError::NoPayload { .. })));
        let report = ledger.verify();
        assert!(report.is_sound(), "{report:?}");
        assert_eq!((report.payloads, report.dropped, report.entries), (3, 1, 5));
    }

    #[test]
    fn a_new_epoch_cites_the_checkpoint_of_the_one_before() {
        let ledger = TestLedger::new();
        let entry = NewEntry::new(
            crate::testing::SITE,
            Actor::System,
            Action::LedgerEpochOpened,
            Subject::Ledger,
        );
        let again = entry.clone();
        ledger
            .store()
            .write(move |tx| open_epoch(tx, "labward.local/x", None, &entry))
            .unwrap();
        ledger
            .store()
            .write(move |tx| open_epoch(tx, "labward.local/x/2", Some("the note"), &again))
            .unwrap();
        let epochs = ledger.store().read(|s| store::epochs(s)).unwrap();
        assert_eq!(epochs[1].number, 2);
        assert_eq!(epochs[1].cites.as_deref(), Some("the note"));
        let leaf = &leaves(&ledger)[1];
        assert_eq!(leaf.facts.get_text("cites"), Some("the note"));
        assert_eq!(epochs[1].first, leaf.index);
    }

    #[test]
    fn the_first_epoch_that_a_ledger_opens_behind_entries_is_its_second() {
        let ledger = TestLedger::new();
        ledger.fill(0, 3);
        let (site, action) = (crate::testing::SITE, Action::LedgerEpochOpened);
        let entry = NewEntry::new(site, Actor::System, action, Subject::Ledger);
        let opened = ledger
            .store()
            .write(move |tx| open_epoch(tx, "labward.local/x/2", Some("the note"), &entry))
            .unwrap();
        assert_eq!((opened.number, opened.first.get()), (2, 3));
    }

    #[test]
    fn a_new_epoch_gives_out_no_record_id_of_the_one_before() {
        let ledger = TestLedger::new();
        ledger.fill(0, 3);
        let ids = |ledger: &TestLedger| ledger.store().read(|s| RecordIds::load(s)).unwrap().next();
        assert_eq!(ids(&ledger), RecordId::new(4));
        let action = Action::LedgerEpochOpened;
        let site = crate::testing::SITE;
        let entry = NewEntry::new(site, Actor::System, action, Subject::Ledger);
        let opened = ledger
            .store()
            .write(move |tx| open_epoch(tx, "labward.local/x/2", Some("the note"), &entry));
        let number = opened.unwrap().number;
        assert_eq!(ids(&ledger).get(), u64::from(number - 1) << 40);
        assert!(number > 1);
    }

    #[test]
    fn nothing_is_appended_to_a_store_without_a_ledger() {
        let ledger = TestLedger::new();
        let options = Options::new(ledger.folder.join("other.sqlite"));
        let other = Store::open(options, store::MIGRATIONS, Box::new(NoJournal)).unwrap();
        let refused = other.write(|tx| append(tx, &message(0)));
        assert!(matches!(refused, Err(LedgerError::NoLedger)));
    }
}
