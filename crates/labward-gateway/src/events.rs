//! What is happening now, counted in memory for status: per link, per peer and per destination.
//!
//! Counters start at zero with the program; what must survive it stands in the ledger. They hold
//! no patient data.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use labward_base::Timestamp;

use crate::config::{DestinationName, LinkName};

/// All counters of the gateway; cheap to clone.
#[derive(Clone, Default)]
pub struct Events {
    links: Family<LinkName>,
    peers: Family<Arc<str>>,
    destinations: Family<DestinationName>,
}

/// The counters of one link, peer or destination.
#[derive(Debug, Default)]
pub struct Counters {
    accepted: AtomicU64,
    held: AtomicU64,
    replaced: AtomicU64,
    refused: AtomicU64,
    duplicates: AtomicU64,
    ignored: AtomicU64,
    bytes: AtomicU64,
    connections: AtomicU64,
    last_message: AtomicI64,
}

/// The counters of one link, peer or destination at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages kept (link, peer) or delivered (destination).
    pub accepted: u64,
    /// Messages held for a person.
    pub held: u64,
    /// Of those kept, messages out of which malware was taken.
    pub replaced: u64,
    /// Connections and frames refused, or deliveries refused by the receiver.
    pub refused: u64,
    /// Duplicates answered with the stored acknowledgement.
    pub duplicates: u64,
    /// Empty frames and bits of noise that were passed over.
    pub ignored: u64,
    /// Bytes of messages.
    pub bytes: u64,
    /// Connections open now.
    pub connections: u64,
    /// When the last message came or went.
    pub last_message: Option<Timestamp>,
}

impl Events {
    /// The counters of a link.
    pub fn link(&self, name: &LinkName) -> Arc<Counters> {
        self.links.of(name)
    }

    /// The counters of a peer.
    pub fn peer(&self, name: &Arc<str>) -> Arc<Counters> {
        self.peers.of(name)
    }

    /// The counters of a destination.
    pub fn destination(&self, name: &DestinationName) -> Arc<Counters> {
        self.destinations.of(name)
    }

    /// Every peer that was counted, by name.
    pub fn peers(&self) -> Vec<(Arc<str>, Counts)> {
        self.peers.all()
    }

    /// Every destination that was counted, by name.
    pub fn destinations(&self) -> Vec<(DestinationName, Counts)> {
        self.destinations.all()
    }
}

impl Counters {
    /// Counts a message that was kept or delivered.
    pub fn count_accepted(&self, bytes: usize, now: Timestamp) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
        self.count_bytes(bytes, now);
    }

    /// Counts a message that is held for a person.
    pub fn count_held(&self, bytes: usize, now: Timestamp) {
        self.held.fetch_add(1, Ordering::Relaxed);
        self.count_bytes(bytes, now);
    }

    /// Counts a message out of which malware was taken, beside its being kept.
    pub fn count_replaced(&self) {
        self.replaced.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a connection, frame or delivery that was refused.
    pub fn count_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an empty frame or noise that was passed over.
    pub fn count_ignored(&self) {
        self.ignored.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a duplicate.
    pub fn count_duplicate(&self, bytes: usize, now: Timestamp) {
        self.duplicates.fetch_add(1, Ordering::Relaxed);
        self.count_bytes(bytes, now);
    }

    /// Counts a connection for as long as the answer lives.
    pub fn count_connection(self: &Arc<Self>) -> OpenConnection {
        self.connections.fetch_add(1, Ordering::Relaxed);
        OpenConnection(Arc::clone(self))
    }

    /// The counts at this moment.
    pub fn counts(&self) -> Counts {
        let last = self.last_message.load(Ordering::Relaxed);
        Counts {
            accepted: self.accepted.load(Ordering::Relaxed),
            held: self.held.load(Ordering::Relaxed),
            replaced: self.replaced.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            duplicates: self.duplicates.load(Ordering::Relaxed),
            ignored: self.ignored.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            connections: self.connections.load(Ordering::Relaxed),
            last_message: (last != 0).then(|| Timestamp::from_micros(last)),
        }
    }

    fn count_bytes(&self, bytes: usize, now: Timestamp) {
        self.bytes
            .fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.last_message
            .fetch_max(now.as_micros(), Ordering::Relaxed);
    }
}

/// Counts one connection until it is dropped.
#[derive(Debug)]
pub struct OpenConnection(Arc<Counters>);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Counters by name, made when first asked for.
#[derive(Clone)]
struct Family<K>(Arc<RwLock<HashMap<K, Arc<Counters>>>>);

impl<K> Default for Family<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Clone + Eq + Hash + Ord> Family<K> {
    fn of(&self, name: &K) -> Arc<Counters> {
        let known = self
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned();
        known.unwrap_or_else(|| {
            let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(all.entry(name.clone()).or_default())
        })
    }

    fn all(&self) -> Vec<(K, Counts)> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut counts: Vec<_> = all.iter().map(|(k, c)| (k.clone(), c.counts())).collect();
        counts.sort_by(|a, b| a.0.cmp(&b.0));
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_clone_counts_the_same_link_and_a_closed_connection_is_not_counted() {
        let events = Events::default();
        let name: LinkName = "chem-1".parse().unwrap();
        let open = events.link(&name).count_connection();
        events
            .clone()
            .link(&name)
            .count_accepted(10, Timestamp::from_seconds(5));
        events.link(&name).count_held(1, Timestamp::from_seconds(3));
        let counts = events.link(&name).counts();
        assert_eq!(
            (
                counts.accepted,
                counts.held,
                counts.bytes,
                counts.connections
            ),
            (1, 1, 11, 1)
        );
        assert_eq!(counts.last_message, Some(Timestamp::from_seconds(5)));
        drop(open);
        assert_eq!(events.link(&name).counts().connections, 0);
    }
}
