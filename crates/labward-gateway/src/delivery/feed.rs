//! Where a destination's messages come from: the ledger at start and whenever it fell behind, else
//! the inbox.
//!
//! **Invariant:** nothing acknowledged is lost. The index of the entry decides: a message is taken
//! once, in ledger order, whichever way it came. The change to the inbox happens in this order:
//! read the ledger to its end, let the inbox collect, read to the end once more; what stands in
//! both is known by its index.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use labward_base::id::{EntryIndex, RecordId};
use labward_ledger::store::entry;
use labward_ledger::{Action, Fact, Facts, Leaf, StoredEntry, Subject, entries, entry_of_record};
use labward_store::{Store, StoreError};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::destination::{Destination, after};
use super::inbox::{Arrived, Taken};
use super::schedule::Item;
use crate::keep::Keep;

/// Entries read at once.
const CHUNK: u32 = 512;

/// Entries of others after which an idle destination moves its cursor.
const IDLE_STEP: u64 = 4_096;

/// How long to wait before the ledger is read again after it could not be.
const UNREADABLE: Duration = Duration::from_millis(500);

/// How long to wait for a change at most.
const WATCH: Duration = Duration::from_secs(1);

/// Messages without a patient stay in the order of their link; patients' numbers never reach this.
const LINK: u64 = 1 << 63;

/// Feeds the destination until it closes.
pub(super) async fn run(destination: Arc<Destination>) {
    let (mut live, mut collecting) = (false, false);
    while !destination.is_closing() {
        let changed = destination.changed.notified();
        tokio::pin!(changed);
        changed.as_mut().enable();
        let room = destination.room();
        if room == 0 {
            // Whether it could be written or not, only a change makes room.
            let parked = destination.park_blocked().await.is_ok();
            destination.state().room_is_wanted = true;
            if !parked || destination.room() == 0 {
                let _ = timeout(WATCH, changed).await;
            }
            continue;
        }
        if !live {
            match read_ledger(&destination).await {
                Ok(false) => {}
                Ok(true) if collecting => live = true,
                Ok(true) => {
                    destination.inbox.go_live();
                    collecting = true;
                }
                Err(error) => {
                    tracing::error!(destination = %destination.name(), error = %error, "the ledger could not be read for delivery; trying again");
                    tokio::time::sleep(UNREADABLE).await;
                }
            }
            destination.state().catching_up = !live;
            continue;
        }
        match destination.inbox.take(room) {
            Taken::Some(messages) => take(&destination, messages).await,
            Taken::Overflowed => (live, collecting) = (false, false),
            Taken::Nothing(latest) => {
                if let Some(latest) = latest {
                    pass_to(&destination, after(latest), IDLE_STEP).await;
                }
                let _ = timeout(WATCH, destination.inbox.woken()).await;
            }
        }
    }
    let seen = destination.state().seen;
    pass_to(&destination, seen, 1).await;
}

async fn pass_to(destination: &Destination, seen: EntryIndex, least: u64) {
    // If it fails, the same entries are only looked at once more.
    let _ = destination.pass_to(seen, least).await;
}

/// Takes one more piece of the ledger; true if it was the last.
async fn read_ledger(destination: &Arc<Destination>) -> Result<bool, StoreError> {
    let from = destination.state().seen;
    let reader = Arc::clone(destination);
    let read = spawn_blocking(move || read_chunk(&reader, from)).await;
    let (items, next, is_end) = read.map_err(|_| StoreError::Closed)??;
    push(destination, items);
    pass_to(destination, next, IDLE_STEP).await;
    Ok(is_end)
}

fn read_chunk(
    destination: &Destination,
    from: EntryIndex,
) -> Result<(Vec<Item>, EntryIndex, bool), StoreError> {
    let store = &destination.store;
    let rows = store.read(|snapshot| entries(snapshot, from, CHUNK))?;
    let next = rows.last().map_or(from, |last| after(last.index));
    let is_end = rows.len() < usize::try_from(CHUNK).unwrap_or(usize::MAX);
    let mut items = Vec::new();
    for row in rows {
        if !sends(&row.action) {
            continue;
        }
        // A leaf that cannot be read is found and named by the ledger's verification.
        let Ok(leaf) = Leaf::parse(&row.leaf) else {
            tracing::error!(
                entry = row.index.get(),
                "an entry cannot be read for delivery"
            );
            continue;
        };
        let Some(record) = record_of(&leaf) else {
            continue;
        };
        if !names(&leaf.facts, destination.name().as_str()) {
            continue;
        }
        items.push(Item {
            entry: row.index,
            record,
            keys: keys_of(store, destination.keep.as_ref(), &row, &leaf)?,
            at: leaf.time,
            bytes: None,
            attempts: 0,
            answers: 0,
            since: None,
            reason: String::new(),
        });
    }
    Ok((items, next, is_end))
}

/// Takes what came through the inbox; only messages without a patient need the ledger.
async fn take(destination: &Arc<Destination>, messages: Vec<Arrived>) {
    let of_links: Vec<_> = messages
        .iter()
        .filter(|message| message.ordering.is_empty())
        .map(|message| message.entry)
        .collect();
    let mut links = BTreeMap::new();
    while !of_links.is_empty() {
        let (store, of_links) = (destination.store.clone(), of_links.clone());
        match spawn_blocking(move || read_links(&store, &of_links)).await {
            Ok(Ok(found)) => {
                links = found;
                break;
            }
            _ if destination.is_closing() => return,
            _ => tokio::time::sleep(UNREADABLE).await,
        }
    }
    let items = messages.into_iter().map(|message| Item {
        entry: message.entry,
        record: message.record,
        keys: if message.ordering.is_empty() {
            vec![links.get(&message.entry).copied().unwrap_or(LINK)]
        } else {
            message.ordering
        },
        at: message.at,
        bytes: message.bytes,
        attempts: 0,
        answers: 0,
        since: None,
        reason: String::new(),
    });
    push(destination, items);
}

fn push(destination: &Destination, items: impl IntoIterator<Item = Item>) {
    let mut state = destination.state();
    for item in items {
        if item.entry >= state.seen {
            state.seen = after(item.entry);
            state.schedule.push(item);
        }
    }
    drop(state);
    destination.ready.notify_one();
}

fn read_links(store: &Store, of: &[EntryIndex]) -> Result<BTreeMap<EntryIndex, u64>, StoreError> {
    store.read(|snapshot| {
        let mut links = BTreeMap::new();
        for index in of {
            let row = entry(snapshot, *index)?;
            if let Some(leaf) = row.and_then(|row| Leaf::parse(&row.leaf).ok()) {
                links.insert(*index, link_key(&leaf.facts));
            }
        }
        Ok(links)
    })
}

fn sends(action: &str) -> bool {
    [
        Action::MessageReceived,
        Action::MessageReleased,
        Action::MessageResent,
    ]
    .iter()
    .any(|known| known.name() == action)
}

/// The record that an entry keeps or is about.
pub(super) fn record_of(leaf: &Leaf) -> Option<RecordId> {
    match (leaf.record, &leaf.subject) {
        (Some(record), _) => Some(record),
        (None, Subject::Record(record)) => Some(*record),
        _ => None,
    }
}

/// Whether the routes of an entry lead to this destination.
pub(super) fn names(facts: &Facts, destination: &str) -> bool {
    let Some(Fact::List(to)) = facts.get("to") else {
        return false;
    };
    to.iter()
        .any(|name| matches!(name, Fact::Text(name) if name == destination))
}

/// What a message stays in order with, as the entry that kept it says.
pub(super) fn keys_of(
    store: &Store,
    keep: &dyn Keep,
    row: &StoredEntry,
    leaf: &Leaf,
) -> Result<Vec<u64>, StoreError> {
    if row.record.is_none()
        && let Some(record) = record_of(leaf)
    {
        // Released or resent: the entry that kept it knows more.
        let kept = store.read(|snapshot| entry_of_record(snapshot, record))?;
        if let Some(kept) = kept
            && kept.record.is_some()
            && let Ok(leaf) = Leaf::parse(&kept.leaf)
        {
            return keys_of(store, keep, &kept, &leaf);
        }
    }
    let record = record_of(leaf);
    // Only these move identifiers between patients.
    let may_merge = leaf
        .facts
        .get_text("type")
        .is_some_and(|name| name.starts_with("ADT"));
    let mut keys = match record {
        Some(record) if may_merge => keep.ordering(record),
        _ => Vec::new(),
    };
    if keys.is_empty() {
        keys.extend(row.patient.map(|patient| patient.get()));
    }
    if keys.is_empty() {
        keys.push(link_key(&leaf.facts));
    }
    Ok(keys)
}

/// FNV-1a of the link's name: the same after every restart.
fn link_key(facts: &Facts) -> u64 {
    let name = facts.get_text("link").unwrap_or_default();
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    hash | LINK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_have_keys_that_no_patient_has() {
        let key = |link: &str| link_key(&Facts::new().text("link", link));
        assert_eq!(key("a"), 0xaf63_dc4c_8601_ec8c | LINK);
        assert_ne!(key("a"), key("b"));
        assert!(key("a") >= LINK && link_key(&Facts::new()) >= LINK);
    }

    #[test]
    fn only_the_destinations_of_an_entry_are_named() {
        let facts = Facts::new().texts("to", ["ehr", "lis"]);
        assert!(names(&facts, "ehr") && names(&facts, "lis"));
        assert!(!names(&facts, "eh") && !names(&Facts::new(), "ehr"));
        assert!(!names(&Facts::new().text("to", "ehr"), "ehr"));
    }
}
