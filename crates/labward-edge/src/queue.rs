//! The sealed items that wait: the payloads of the ledger's own entries, in its order.
//!
//! It must never let an item go that the server has not taken, give out one whose bytes are not what
//! its entry says, or stop the others for one that is damaged.

use labward_base::Timestamp;
use labward_base::id::{EntryIndex, RecordId, SiteId};
use labward_base::problem;
use labward_gateway::edge::wire::{FromEdge, Item, Lost, State};
use labward_ledger::{
    Action, Actor, Facts, Leaf, LedgerError, NewEntry, Outcome, StoredEntry, Subject, append,
    count_records_after, drop_payload, entries_with_payload, entry_of_record,
    entry_of_record_after,
};
use labward_seal::sha256;
use labward_store::{Store, StoreError, Tx};

use crate::store::{self, Progress};

/// Entries that are read at once.
const PAGE: u32 = 32;

/// Bytes after which a batch is sent.
const BATCH_BYTES: usize = 1 << 20;

/// The queue of one edge.
pub(crate) struct Queue {
    store: Store,
    site: SiteId,
    progress: Progress,
}

/// One item that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    index: EntryIndex,
    number: u64,
    content: Content,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Content {
    Whole {
        envelope: Vec<u8>,
    },
    Damaged {
        sha256: [u8; 32],
        device: String,
        received: Option<Timestamp>,
    },
}

/// Items to be sent together.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) items: Vec<Waiting>,
    /// The entry behind the last one that was looked at.
    next: Option<EntryIndex>,
}

impl Queue {
    /// The queue in `store`.
    pub(crate) fn load(store: Store, site: SiteId) -> Result<Self, StoreError> {
        let progress = store.read(|snapshot| store::progress(snapshot))?;
        Ok(Self {
            store,
            site,
            progress,
        })
    }

    /// The last item that the server took.
    pub(crate) const fn sent(&self) -> u64 {
        self.progress.sent
    }

    /// What still waits.
    pub(crate) fn state(&self) -> Result<State, StoreError> {
        let sent = RecordId::new(self.progress.sent);
        self.store.read(|snapshot| {
            let oldest = entry_of_record_after(snapshot, sent)?;
            let leaf = oldest.and_then(|oldest| Leaf::parse(&oldest.leaf).ok());
            Ok(State {
                waiting: count_records_after(snapshot, sent)?,
                oldest_us: leaf.map_or(0, |leaf| leaf.time.as_micros()),
                damaged: self.progress.damaged,
            })
        })
    }

    /// The next items that wait; none if nothing does.
    pub(crate) fn next_batch(&self) -> Result<Batch, StoreError> {
        let mut batch = Batch::default();
        let mut from = self.progress.next;
        let mut bytes = 0;
        while batch.items.is_empty() {
            let page = self
                .store
                .read(|snapshot| entries_with_payload(snapshot, from, PAGE))?;
            let Some(last) = page.last() else { break };
            from = EntryIndex::new(last.index.get().saturating_add(1));
            for entry in page {
                if bytes >= BATCH_BYTES {
                    return Ok(batch);
                }
                bytes += entry.payload.as_ref().map_or(0, Vec::len);
                batch.next = Some(EntryIndex::new(entry.index.get().saturating_add(1)));
                batch.items.extend(waiting(entry, self.progress.sent));
            }
        }
        Ok(batch)
    }

    /// Records that the server took what of `batch` is not behind `cursor`, and lets it go.
    pub(crate) fn settle(&mut self, batch: Batch, cursor: u64) -> Result<(), LedgerError> {
        let Batch { items, next } = batch;
        let is_whole = items.iter().all(|item| item.number <= cursor);
        let taken: Vec<Waiting> = items
            .into_iter()
            .take_while(|item| item.number <= cursor)
            .collect();
        let mut progress = self.progress;
        if let Some(last) = taken.last() {
            progress.sent = last.number;
            progress.next = EntryIndex::new(last.index.get().saturating_add(1));
        }
        if let (true, Some(next)) = (is_whole, next) {
            progress.next = next;
        }
        if progress == self.progress {
            return Ok(());
        }
        let damaged = taken.iter().filter(|item| !item.is_whole()).count();
        progress.damaged = progress
            .damaged
            .saturating_add(u64::try_from(damaged).unwrap_or(0));
        let site = self.site;
        self.store.write(move |tx| {
            for item in &taken {
                item.settle(tx, site)?;
            }
            store::put_progress(tx, &progress)?;
            Ok::<_, LedgerError>(())
        })?;
        self.progress = progress;
        Ok(())
    }

    /// What the server took although we did not learn of it, before a crash or a cut line.
    pub(crate) fn catch_up(&mut self, cursor: u64) -> Result<(), LedgerError> {
        while self.progress.sent < cursor {
            let before = self.progress;
            let batch = self.next_batch()?;
            self.settle(batch, cursor)?;
            if self.progress == before {
                // The server has seen more than there is: its check of our ledger says so.
                return Ok(());
            }
        }
        Ok(())
    }

    /// SHA-256 of the item with this number as the ledger holds it; zeros if it holds none.
    pub(crate) fn digest_of(&self, number: u64) -> Result<[u8; 32], StoreError> {
        let record = RecordId::new(number);
        let entry: Option<StoredEntry> = self
            .store
            .read(|snapshot| entry_of_record(snapshot, record))?;
        let leaf = entry.and_then(|entry| Leaf::parse(&entry.leaf).ok());
        let payload = leaf.and_then(|leaf| leaf.payload);
        Ok(payload.map_or([0; 32], |payload| *payload.sha256.as_bytes()))
    }
}

/// The item of this entry, if it is one behind `sent`.
fn waiting(entry: StoredEntry, sent: u64) -> Option<Waiting> {
    let number = entry.record?.get();
    if number <= sent || entry.dropped_by.is_some() {
        return None;
    }
    let leaf = Leaf::parse(&entry.leaf).ok();
    let digest = leaf.as_ref().and_then(|leaf| leaf.payload);
    let content = match (entry.payload, &digest) {
        (Some(envelope), Some(digest)) if sha256(&envelope) == *digest.sha256.as_bytes() => {
            Content::Whole { envelope }
        }
        _ => Content::Damaged {
            sha256: digest.map_or([0; 32], |digest| *digest.sha256.as_bytes()),
            device: leaf
                .as_ref()
                .and_then(|leaf| leaf.facts.get_text("link"))
                .unwrap_or_default()
                .to_owned(),
            received: leaf.map(|leaf| leaf.time),
        },
    };
    Some(Waiting {
        index: entry.index,
        number,
        content,
    })
}

impl Waiting {
    /// Its number.
    pub(crate) const fn number(&self) -> u64 {
        self.number
    }

    const fn is_whole(&self) -> bool {
        matches!(self.content, Content::Whole { .. })
    }

    /// As it goes over the wire, behind the item `before`.
    pub(crate) fn frame(&self, before: u64) -> FromEdge {
        let number = self.number;
        match &self.content {
            Content::Whole { envelope } => FromEdge::Item(Item {
                before,
                number,
                envelope: envelope.clone(),
            }),
            Content::Damaged {
                sha256,
                device,
                received,
            } => FromEdge::Lost(Lost {
                before,
                number,
                sha256: *sha256,
                device: device.clone(),
                received_us: received.map_or(0, Timestamp::as_micros),
            }),
        }
    }

    /// In the caller's unit: it was taken and is let go, or it was damaged and stays for the expert.
    fn settle(&self, tx: &mut Tx<'_>, site: SiteId) -> Result<(), LedgerError> {
        let record = RecordId::new(self.number);
        let entry = |action| NewEntry::new(site, Actor::System, action, Subject::Record(record));
        match &self.content {
            Content::Whole { .. } => {
                drop_payload(tx, record, &entry(Action::MessageForwarded))?;
            }
            Content::Damaged { sha256, .. } => {
                let lost = entry(Action::EdgeItemLost)
                    .facts(Facts::new().hex("sha256", sha256))
                    .outcome(Outcome::Failed(problem::EDGE_DAMAGED_ITEM.code));
                append(tx, &lost)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keep::{EdgeKeep, Space};
    use crate::run::tests::{SITE, keep_message, open_store};
    use labward_base::Clock;
    use labward_gateway::edge::parcel::Parcel;
    use labward_gateway::keep::KeepError;
    use labward_ledger::RecordIds;
    use labward_seal::envelope::open_envelope;
    use labward_seal::slot::SlotKeyPair;
    use labward_testkit::{FakeClock, TempDir};
    use std::sync::{Arc, Mutex};

    struct Bench {
        folder: TempDir,
        store: Store,
        pair: SlotKeyPair,
        keep: EdgeKeep,
    }

    fn bench(min_free_mib: u64) -> Bench {
        let folder = TempDir::new();
        let clock = Arc::new(FakeClock::new(Timestamp::from_seconds(1_800_000_000)));
        let store = open_store(&folder, &clock);
        let pair = SlotKeyPair::generate().unwrap();
        let keep = EdgeKeep {
            store: store.clone(),
            clock: clock as Arc<dyn Clock>,
            queue: [3; 16],
            seal_key: pair.public().to_vec(),
            space: Space::new(folder.path().to_owned(), min_free_mib),
            wake: Arc::default(),
            ids: Mutex::new(store.read(|snapshot| RecordIds::load(snapshot)).unwrap()),
        };
        Bench {
            folder,
            store,
            pair,
            keep,
        }
    }

    fn numbers(batch: &Batch) -> Vec<u64> {
        batch.items.iter().map(Waiting::number).collect()
    }

    #[test]
    fn items_come_in_order_and_go_only_when_they_were_taken() {
        let bench = bench(0);
        for number in 0..70 {
            keep_message(&bench.keep, &format!("result {number}")).unwrap();
        }
        let mut queue = Queue::load(bench.store.clone(), SITE).unwrap();
        assert_eq!(queue.state().unwrap().waiting, 70);
        let batch = queue.next_batch().unwrap();
        assert_eq!(numbers(&batch), (1..=32).collect::<Vec<_>>());
        // The server stopped in the middle.
        queue.settle(batch, 20).unwrap();
        assert_eq!((queue.sent(), queue.state().unwrap().waiting), (20, 50));
        // It is the same after a restart.
        let mut queue = Queue::load(bench.store.clone(), SITE).unwrap();
        let mut all = Vec::new();
        loop {
            let batch = queue.next_batch().unwrap();
            let Some(last) = batch.items.last().map(Waiting::number) else {
                break;
            };
            all.extend(numbers(&batch));
            queue.settle(batch, last).unwrap();
        }
        assert_eq!(all, (21..=70).collect::<Vec<_>>());
        assert_eq!(queue.state().unwrap().waiting, 0);
        let report = labward_ledger::verify(&bench.store, crate::run::NODE, None).unwrap();
        assert!(report.is_sound(), "{report:?}");
        assert_eq!((report.payloads, report.dropped), (0, 70));
    }

    #[test]
    fn what_the_server_took_before_the_crash_is_not_sent_again() {
        let bench = bench(0);
        for number in 0..40 {
            keep_message(&bench.keep, &format!("result {number}")).unwrap();
        }
        let mut queue = Queue::load(bench.store.clone(), SITE).unwrap();
        queue.catch_up(35).unwrap();
        assert_eq!(numbers(&queue.next_batch().unwrap()), [36, 37, 38, 39, 40]);
        // More than there is cannot have been taken.
        queue.catch_up(99).unwrap();
        assert_eq!(queue.sent(), 40);
        assert_eq!(queue.digest_of(99).unwrap(), [0; 32]);
        assert_ne!(queue.digest_of(35).unwrap(), [0; 32]);
    }

    #[test]
    fn a_flipped_byte_is_found_and_named_and_the_rest_goes_on() {
        let bench = bench(0);
        for number in 0..3 {
            keep_message(&bench.keep, &format!("result {number}")).unwrap();
        }
        bench
            .store
            .write(|tx| {
                let payload: Vec<u8> = labward_store::Query::query_one(
                    tx,
                    "SELECT payload FROM entry WHERE record = 2",
                    &[],
                    |row| Ok(row.bytes(0)?.to_vec()),
                )?;
                let mut changed = payload;
                changed[80] ^= 1;
                tx.execute(
                    "UPDATE entry SET payload = $1 WHERE record = 2",
                    &[labward_store::Value::Bytes(&changed)],
                )?;
                Ok::<_, StoreError>(())
            })
            .unwrap();
        let mut queue = Queue::load(bench.store.clone(), SITE).unwrap();
        let batch = queue.next_batch().unwrap();
        let frames: Vec<FromEdge> = batch.items.iter().map(|item| item.frame(0)).collect();
        let [FromEdge::Item(_), FromEdge::Lost(lost), FromEdge::Item(_)] = frames.as_slice() else {
            panic!("{frames:?}")
        };
        assert_eq!((lost.number, lost.device.as_str()), (2, "cobas-1"));
        assert_eq!(lost.sha256, queue.digest_of(2).unwrap());
        queue.settle(batch, 3).unwrap();
        let state = queue.state().unwrap();
        assert_eq!((state.waiting, state.damaged, queue.sent()), (0, 1, 3));
    }

    #[test]
    fn an_item_opens_with_the_servers_key_only_and_says_where_it_came_from() {
        let bench = bench(0);
        keep_message(&bench.keep, "result").unwrap();
        let queue = Queue::load(bench.store.clone(), SITE).unwrap();
        let batch = queue.next_batch().unwrap();
        let FromEdge::Item(item) = batch.items[0].frame(0) else {
            panic!("{batch:?}")
        };
        let place = Parcel::place(&[3; 16], 1);
        let opened = open_envelope(bench.pair.private(), &place, &item.envelope).unwrap();
        let parcel = Parcel::parse(opened.expose()).unwrap();
        assert_eq!(
            (parcel.device.as_str(), parcel.bytes.as_slice()),
            ("cobas-1", &b"result"[..])
        );
        let other = SlotKeyPair::generate().unwrap();
        assert!(open_envelope(other.private(), &place, &item.envelope).is_err());
        for entry in std::fs::read_dir(bench.folder.path()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap_or_default();
            assert!(!bytes.windows(6).any(|six| six == b"result"));
        }
    }

    #[test]
    fn a_disk_that_is_nearly_full_takes_nothing_and_drops_nothing() {
        let full = bench(u64::MAX);
        assert_eq!(
            keep_message(&full.keep, "result").err(),
            Some(KeepError::Unwritable)
        );
        let queue = Queue::load(full.store.clone(), SITE).unwrap();
        assert_eq!(queue.state().unwrap().waiting, 0);
    }
}
