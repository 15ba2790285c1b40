//! What was done lately, read back from the ledger.
//!
//! It must never decide what an act means, or say of a time that it did not read that nothing
//! happened then.

use std::time::Duration;

use labward_base::Timestamp;
use labward_base::id::EntryIndex;
use labward_ledger::{Action, Actor, Leaf, Outcome, Subject, entries_before};
use labward_records::reserve::BREAK_GLASS;
use labward_store::{Query, StoreError};

use super::{Act, LedgerActs, Sender};

/// How far back the ledger is read: a month, or this many entries.
const BACK: Duration = Duration::from_secs(31 * 86_400);
const MAX_ENTRIES: usize = 50_000;
const PAGE: u32 = 1_000;

/// Sources of revoked peers that are told apart.
const MAX_SOURCES: usize = 100;

impl LedgerActs {
    /// Reads what was done with a ledger of `size` entries lately.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn read<Q: Query>(query: &mut Q, size: u64, now: Timestamp) -> Result<Self, StoreError> {
        let mut acts = Self {
            back_to: now,
            ..Self::default()
        };
        let mut before = EntryIndex::new(size);
        let mut looked_at = 0;
        while looked_at < MAX_ENTRIES {
            let page = entries_before(query, before, PAGE)?;
            for row in &page {
                before = row.index;
                // What does not parse is for `ledger verify` to find, and no act.
                let Ok(leaf) = Leaf::parse(&row.leaf) else {
                    continue;
                };
                acts.back_to = leaf.time;
                acts.note(&leaf);
            }
            looked_at += page.len();
            if page.is_empty() {
                // The whole ledger was read.
                acts.back_to = Timestamp::from_micros(i64::MIN);
                break;
            }
            if now.since(acts.back_to) > BACK {
                break;
            }
        }
        Ok(acts)
    }

    /// Takes an entry in; they come the newest first.
    fn note(&mut self, leaf: &Leaf) {
        let new = Act {
            time: leaf.time,
            entry: leaf.index,
            succeeded: leaf.outcome == Outcome::Success,
            times: 0,
        };
        self.last.entry(leaf.action).or_insert(new).times += 1;
        let seen = match (&leaf.action, &leaf.subject, leaf.actor) {
            (Action::ClockJumped, ..) => &mut self.clock_jumped,
            (Action::LedgerExported, ..) => &mut self.exported,
            (Action::LedgerVerified, ..) => &mut self.verified,
            (Action::RecordSearched | Action::RecordShown, ..)
                if leaf.facts.get(BREAK_GLASS).is_some() =>
            {
                &mut self.broken_glass
            }
            (Action::StrangerRefused, Subject::Source(source), _)
                if leaf.facts.get_number("revoked").is_some() =>
            {
                if self.revoked.len() < MAX_SOURCES {
                    self.revoked.entry(source.to_string()).or_insert(leaf.time);
                }
                return;
            }
            (Action::MessageReceived, _, Actor::Peer(peer)) => {
                let new = Sender {
                    last: leaf.time,
                    first: leaf.time,
                    messages: 0,
                    longest_gap: Duration::ZERO,
                };
                let sender = self.senders.entry(peer).or_insert(new);
                sender.longest_gap = sender.longest_gap.max(sender.first.since(leaf.time));
                sender.first = leaf.time;
                sender.messages += 1;
                return;
            }
            _ => return,
        };
        seen.get_or_insert(leaf.time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_base::id::{NodeId, PeerId, SiteId};
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
        let store = Store::open(options, labward_ledger::MIGRATIONS, Box::new(journal)).unwrap();
        let write = |entry: NewEntry| store.write(move |tx| append(tx, &entry)).unwrap();
        let site = SiteId::new(1);
        let act = |action| write(NewEntry::new(site, Actor::System, action, Subject::Ledger));
        let now = || labward_base::Clock::now(&clock);
        let read = |size| {
            store
                .read(|snapshot| LedgerActs::read(snapshot, size, now()))
                .unwrap()
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
        store.close().unwrap();
    }
}
