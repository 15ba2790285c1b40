//! What was done lately, read back from the ledger.
//!
//! It must never decide what an act means, or say of a time that it did not read that nothing
//! happened then.

use std::time::Duration;

use labward_base::Timestamp;
use labward_base::id::{EntryIndex, PeerId};
use labward_ledger::{
    Action, Actor, Leaf, Outcome, StoredEntry, Subject, TRAFFIC, acts_before, entries,
    entries_before,
};
use labward_store::{Query, StoreError};

use super::{Act, LedgerActs, Sender};

/// How far back acts are read: a month, or this many.
const BACK: Duration = Duration::from_secs(31 * 86_400);
const MAX_ACTS: usize = 50_000;
/// How many messages on their way are read, to see how peers send.
const MAX_TRAFFIC: usize = 20_000;
const PAGE: u32 = 1_000;

/// After so long everything is read again, so that what is older than a month is forgotten.
const AGAIN: Duration = Duration::from_secs(3_600);

/// Sources of revoked peers that are told apart.
const MAX_SOURCES: usize = 100;

/// What was read of the ledger, to which only what is new is added.
#[derive(Debug, Default)]
pub(crate) struct KnownActs(Option<Known>);

#[derive(Debug)]
struct Known {
    /// Entries that were read.
    size: u64,
    /// When all of it was read.
    read: Timestamp,
    acts: LedgerActs,
}

/// From which end entries are taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// Each is older than those before it.
    Back,
    /// Each is newer.
    Forth,
}

impl KnownActs {
    /// What was done with a ledger of `size` entries lately.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) fn read<Q: Query>(
        &mut self,
        query: &mut Q,
        size: u64,
        now: Timestamp,
    ) -> Result<LedgerActs, StoreError> {
        let is_fresh = |known: &&mut Known| {
            let new = size.checked_sub(known.size);
            let few = new.is_some_and(|new| usize::try_from(new).is_ok_and(|n| n <= MAX_TRAFFIC));
            few && now.since(known.read) < AGAIN && known.read <= now
        };
        if let Some(known) = self.0.as_mut().filter(is_fresh) {
            known.go_on(query, size)?;
            return Ok(known.acts.clone());
        }
        let acts = LedgerActs::read(query, size, now)?;
        self.0 = Some(Known {
            size,
            read: now,
            acts: acts.clone(),
        });
        Ok(acts)
    }
}

impl Known {
    /// Takes the entries in that are new.
    fn go_on<Q: Query>(&mut self, query: &mut Q, size: u64) -> Result<(), StoreError> {
        while self.size < size {
            let page = entries(query, EntryIndex::new(self.size), PAGE)?;
            let page = page.iter().filter(|row| row.index.get() < size);
            let before = self.size;
            for row in page {
                self.size = row.index.get().saturating_add(1);
                if let Ok(leaf) = Leaf::parse(&row.leaf) {
                    self.acts.note(&leaf, Order::Forth);
                }
            }
            if self.size == before {
                break;
            }
        }
        Ok(())
    }
}

impl LedgerActs {
    /// Reads what was done with a ledger of `size` entries lately.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn read<Q: Query>(query: &mut Q, size: u64, now: Timestamp) -> Result<Self, StoreError> {
        let mut acts = Self::default();
        acts.back_to = acts.take(MAX_ACTS, size, now, |before| {
            acts_before(query, before, PAGE)
        })?;
        let is_traffic = |row: &StoredEntry| TRAFFIC.iter().any(|one| one.name() == row.action);
        acts.take(MAX_TRAFFIC, size, now, |before| {
            let mut page = entries_before(query, before, PAGE)?;
            // An act stands for its place, so that the walk goes on behind it.
            for row in page.iter_mut().filter(|row| !is_traffic(row)) {
                row.leaf.clear();
            }
            Ok(page)
        })?;
        Ok(acts)
    }

    /// Takes up to `most` entries in, the newest first, as `page` gives those in front of one; says how
    /// far back that goes.
    fn take(
        &mut self,
        most: usize,
        size: u64,
        now: Timestamp,
        mut page: impl FnMut(EntryIndex) -> Result<Vec<StoredEntry>, StoreError>,
    ) -> Result<Timestamp, StoreError> {
        let (mut before, mut back_to, mut taken) = (EntryIndex::new(size), now, 0);
        while taken < most {
            let page = page(before)?;
            if page.is_empty() {
                // The whole ledger was read.
                return Ok(Timestamp::from_micros(i64::MIN));
            }
            taken += page.len();
            for row in &page {
                before = row.index;
                // What does not parse is for `ledger verify` to find, and no act.
                let Ok(leaf) = Leaf::parse(&row.leaf) else {
                    continue;
                };
                back_to = leaf.time;
                self.note(&leaf, Order::Back);
            }
            if now.since(back_to) > BACK {
                break;
            }
        }
        Ok(back_to)
    }

    /// Takes an entry in.
    fn note(&mut self, leaf: &Leaf, order: Order) {
        let new = Act {
            time: leaf.time,
            entry: leaf.index,
            succeeded: leaf.outcome == Outcome::Success,
            times: 0,
        };
        let act = self.last.entry(leaf.action).or_insert(new);
        if order == Order::Forth {
            *act = Act {
                times: act.times,
                ..new
            };
        }
        act.times += 1;
        let seen = match (&leaf.action, &leaf.subject, leaf.actor) {
            (Action::ClockJumped, ..) => &mut self.clock_jumped,
            (Action::LedgerExported, ..) => &mut self.exported,
            (Action::LedgerVerified, ..) => &mut self.verified,
            (Action::StrangerRefused, Subject::Source(source), _)
                if leaf.facts.get_number("revoked").is_some() =>
            {
                let source = source.to_string();
                if self.revoked.len() < MAX_SOURCES || self.revoked.contains_key(&source) {
                    let time = self.revoked.entry(source).or_insert(leaf.time);
                    *time = leaf.time.max(*time);
                }
                return;
            }
            (Action::MessageReceived, _, Actor::Peer(peer)) => {
                self.sent(peer, leaf.time);
                return;
            }
            _ => return,
        };
        *seen = (*seen).max(Some(leaf.time));
    }

    /// Takes a message of `peer` in.
    fn sent(&mut self, peer: PeerId, time: Timestamp) {
        let new = Sender {
            last: time,
            first: time,
            messages: 0,
            longest_gap: Duration::ZERO,
        };
        let sender = self.senders.entry(peer).or_insert(new);
        let gap = sender.first.since(time).max(time.since(sender.last));
        sender.longest_gap = sender.longest_gap.max(gap);
        sender.first = sender.first.min(time);
        sender.last = sender.last.max(time);
        sender.messages += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_base::id::{NodeId, SiteId};
    use labward_ledger::{Facts, LedgerJournal, NewEntry, append};
    use labward_store::{Options, Store};
    use labward_testkit::TempDir;
    use std::sync::Arc;

    #[test]
    fn the_last_acts_are_read_from_the_ledger() {
        let folder = TempDir::new();
        let start = Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap();
        let clock = labward_testkit::FakeClock::new(start);
        let journal = LedgerJournal::new(NodeId::new(1), Arc::new(clock.clone()));
        let options = Options::new(folder.join("db.sqlite"));
        let migrations = [labward_ledger::MIGRATIONS, labward_ledger::ACT_MIGRATIONS].concat();
        let store = Store::open(options, &migrations, Box::new(journal)).unwrap();
        let write = |entry: NewEntry| store.write(move |tx| append(tx, &entry)).unwrap();
        let site = SiteId::new(1);
        let act = |action| write(NewEntry::new(site, Actor::System, action, Subject::Ledger));
        let now = || labward_base::Clock::now(&clock);
        let known = std::cell::RefCell::new(KnownActs::default());
        // What goes on from before knows the same as what reads everything.
        let read = |size| {
            let read = store.read(|snapshot| {
                let whole = LedgerActs::read(snapshot, size, now())?;
                let known = known.borrow_mut().read(snapshot, size, now())?;
                Ok::<_, StoreError>((whole, known))
            });
            let (whole, known) = read.unwrap();
            assert_eq!(known, whole);
            known
        };
        assert_eq!(read(0).verified, None);
        act(Action::LedgerVerified);
        let verified = now();
        clock.advance(Duration::from_secs(86_400));
        act(Action::LedgerExported);
        let exported = now();
        let acts = read(2);
        assert_eq!(
            (acts.verified, acts.exported),
            (Some(verified), Some(exported))
        );
        assert_eq!(acts.clock_jumped, None);
        let last = acts.last[&Action::LedgerVerified];
        assert_eq!((last.time, last.entry.get()), (verified, 0));
        assert!(last.succeeded && last.times == 1);
        assert_eq!(acts.back_to, Timestamp::from_micros(i64::MIN), "all of it");

        let source = Subject::Source("192.0.2.7".into());
        let refused = NewEntry::new(site, Actor::System, Action::StrangerRefused, source);
        write(
            refused
                .clone()
                .facts(Facts::new().number("unknown-key", 3u64)),
        );
        assert!(read(3).revoked.is_empty());
        write(refused.facts(Facts::new().number("revoked", 2u64)));
        let peer = Actor::Peer(PeerId::new(4));
        let received = NewEntry::new(site, peer, Action::MessageReceived, Subject::Ledger);
        let hour = Duration::from_secs(3_600);
        for gap in [0, 2, 5, 1] {
            clock.advance(hour * gap);
            write(received.clone());
        }
        let acts = read(8);
        assert_eq!(acts.revoked.keys().collect::<Vec<_>>(), ["192.0.2.7"]);
        let sender = acts.senders[&PeerId::new(4)];
        assert_eq!((sender.messages, sender.longest_gap), (4, hour * 5));
        assert_eq!(
            (sender.last, sender.last.since(sender.first)),
            (now(), hour * 8)
        );
        clock.advance(Duration::from_secs(60));
        act(Action::LedgerVerified);
        write(received);
        let acts = read(10);
        assert_eq!(
            (acts.verified, acts.exported),
            (Some(now()), Some(exported))
        );
        assert_eq!(acts.senders[&PeerId::new(4)].messages, 5);
        store.close().unwrap();
    }
}
