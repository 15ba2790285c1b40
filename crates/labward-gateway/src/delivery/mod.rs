//! From the commit to the destinations.
//!
//! It must never slow the writer down, send the next message of a lane before the outcome of the
//! last is durable, let a message overtake an earlier one of the same patient, take an
//! acknowledgement for another message's, or change a byte of what came in.
//!
//! Each destination has a low-water cursor: every entry before it is done, or stands in a row of
//! exceptions. After a crash it goes on from there, so that at most the message that was in flight
//! on a connection goes out twice.
//!
//! | Module | Holds |
//! |---|---|
//! | `inbox` | what the writer hands over, as long as delivery keeps up |
//! | `feed` | the same read from the ledger, at start and when delivery fell behind |
//! | `schedule` | which message may go next: first in first out per ordering key |
//! | `lane` | one connection: one message in flight, its outcome, the next |
//! | `settle` | what follows an outcome, and the unit that makes it durable |
//! | `dial`, `mllp`, `answer`, `file_drop` | the ways out |
//! | `worker` | the thread that all of it runs on |
//! | `orders` | what a person decides: go on, send again, give up |
//! | `reload` | other destinations in the place of the present ones |
//! | `store` | the tables |

mod answer;
mod check;
mod destination;
mod dial;
mod error;
mod feed;
mod file_drop;
mod inbox;
mod lane;
mod mllp;
mod orders;
mod reload;
mod schedule;
mod settle;
mod status;
mod store;
#[cfg(test)]
mod tests;
mod worker;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use labward_base::id::{EntryIndex, PersonId, RecordId, SiteId};
use labward_base::{Clock, Secret};
use labward_identity::Peers;
use labward_store::Store;

pub use check::check_routes;
pub use dial::Tls as OutboundTls;
pub use error::DeliveryError;
pub use reload::PreparedDelivery;
pub use status::{
    DestinationState, DestinationStatus, ExceptionState, WaitingFilter, WaitingMessage,
};
pub use store::{MIGRATIONS, hold_all};

use crate::config::{DestinationConfig, DestinationName, PlainException};
use crate::events::Events;
use crate::keep::Keep;
use crate::tls::ServerIdentity;
use destination::Destination;
use inbox::Arrived;
use worker::Worker;

/// A message that was durably kept and now goes to its destinations.
pub struct Outgoing {
    /// The entry that recorded its arrival (or its release by a person).
    pub entry: EntryIndex,
    /// The record that holds it.
    pub record: RecordId,
    /// Where it goes, as decided at receipt.
    pub destinations: Vec<DestinationName>,
    /// What it must stay in order with: patients (two for a merge); empty means its link.
    pub ordering: Vec<u64>,
    /// The message itself while it is still in memory, else it is opened from its record.
    pub bytes: Option<Arc<Secret<Vec<u8>>>>,
}

/// Takes messages over for delivery.
pub trait Dispatch: Send + Sync {
    /// Takes over one message; called on the writer's thread in ledger order, so it only queues.
    fn committed(&self, outgoing: Outgoing);
}

/// What delivery works with.
pub struct DeliveryParts {
    /// Where cursors, exceptions and the ledger are.
    pub store: Store,
    /// Opens records, and knows what merges must stay in order with.
    pub keep: Arc<dyn Keep>,
    /// The time of entries, of expiry and of TLS.
    pub clock: Arc<dyn Clock>,
    /// Labward's own certificate for mutual TLS; without it no destination over TLS starts.
    pub identity: Option<ServerIdentity>,
    /// Receivers that are known by their public key.
    pub peers: Peers,
    /// Where deliveries are counted.
    pub events: Events,
    /// The site of entries and rows.
    pub site: SiteId,
}

/// Delivery to every destination, on a thread of its own; dropped, it stops at once.
pub struct Delivery {
    shared: Arc<Shared>,
    worker: Worker,
}

/// What orders, the writer and the lanes share.
struct Shared {
    /// Those that are configured, and those that leave, as long as anything may be on its way there.
    destinations: RwLock<Arc<Vec<Arc<Destination>>>>,
    store: Store,
    keep: Arc<dyn Keep>,
    clock: Arc<dyn Clock>,
    peers: Peers,
    events: Events,
    site: SiteId,
}

impl Delivery {
    /// Starts delivery where the cursors stand; start it before the gateway.
    ///
    /// # Errors
    ///
    /// [`DeliveryError::Config`] if a destination cannot run as configured;
    /// [`DeliveryError::Store`]; [`DeliveryError::Thread`].
    pub fn start(
        destinations: Vec<DestinationConfig>,
        parts: DeliveryParts,
    ) -> Result<Self, DeliveryError> {
        let destinations: Vec<_> = destinations
            .into_iter()
            .map(|config| Destination::load(config, &parts).map(Arc::new))
            .collect::<Result<_, _>>()?;
        let shared = Arc::new(Shared {
            destinations: RwLock::new(Arc::new(destinations)),
            store: parts.store,
            keep: parts.keep,
            clock: parts.clock,
            peers: parts.peers,
            events: parts.events,
            site: parts.site,
        });
        // One wake a commit, however many messages it held; the store may outlive delivery.
        let woken = Arc::downgrade(&shared);
        shared.store.on_batch(move || {
            if let Some(shared) = woken.upgrade() {
                for destination in shared.destinations().iter() {
                    destination.inbox.wake();
                }
            }
        });
        let worker = Worker::start(&shared.destinations())?;
        Ok(Self { shared, worker })
    }

    /// Every destination: those of the configuration in its order, then those that leave and still
    /// have something to deliver.
    pub fn status(&self) -> Vec<DestinationStatus> {
        self.shared
            .destinations()
            .iter()
            .filter(|destination| !(destination.is_leaving() && destination.is_idle()))
            .map(|destination| destination.status())
            .collect()
    }

    /// The destinations whose line is unencrypted; each is a finding.
    pub fn findings(&self) -> Vec<PlainException> {
        self.shared
            .destinations()
            .iter()
            .filter_map(|destination| check::plain_exception(&destination.config()))
            .collect()
    }

    /// The messages that were not delivered in turn.
    pub fn waiting(&self, filter: &WaitingFilter) -> Result<Vec<WaitingMessage>, DeliveryError> {
        let site = self.shared.site;
        self.shared
            .store
            .read(|snapshot| Ok(store::list(snapshot, site, filter)?))
    }

    /// Where one message was not delivered in turn, by destination; those configured now.
    pub fn waiting_of(&self, record: RecordId) -> Result<Vec<WaitingMessage>, DeliveryError> {
        self.shared.waiting_of(record)
    }

    /// Lets a stopped destination go on; blocks until this is durable.
    ///
    /// # Errors
    ///
    /// [`DeliveryError::NoDestination`], [`DeliveryError::NotStopped`], or what kept it from being
    /// written.
    pub fn resume(
        &self,
        destination: &DestinationName,
        person: PersonId,
        why: &str,
    ) -> Result<EntryIndex, DeliveryError> {
        self.shared.resume(destination, person, why)
    }

    /// Sends a message again: one that is held or retrying in its place, any other anew behind all
    /// others; `None` means every destination it went to. Blocks until this is durable.
    ///
    /// # Errors
    ///
    /// [`DeliveryError::NoMessage`] if it never went there; [`DeliveryError::NotWaiting`] if it is
    /// on its way anyway; or what kept it from being written.
    pub fn resend(
        &self,
        record: RecordId,
        destination: Option<&DestinationName>,
        person: PersonId,
        why: &str,
    ) -> Result<EntryIndex, DeliveryError> {
        self.shared.resend(record, destination, person, why)
    }

    /// Gives a held or retrying message up, so that what waits behind it goes on; it stays kept
    /// as a dead letter. Blocks until this is durable.
    ///
    /// # Errors
    ///
    /// [`DeliveryError::NotWaiting`] if it is neither, or being sent at this moment; or what kept
    /// it from being written.
    pub fn give_up(
        &self,
        record: RecordId,
        destination: &DestinationName,
        person: PersonId,
        why: &str,
    ) -> Result<EntryIndex, DeliveryError> {
        self.shared.give_up(record, destination, person, why)
    }

    /// Finishes what is in flight, for `drain` at most, and stops.
    pub fn shutdown(&self, drain: Duration) {
        for destination in self.shared.destinations().iter() {
            destination.close();
        }
        self.worker.end(drain);
    }
}

impl Dispatch for Delivery {
    fn committed(&self, outgoing: Outgoing) {
        self.shared.committed(outgoing);
    }
}

impl Shared {
    fn committed(&self, outgoing: Outgoing) {
        let at = self.clock.now();
        for destination in self.destinations().iter() {
            if !outgoing.destinations.contains(destination.name()) {
                destination.inbox.pass(outgoing.entry);
                continue;
            }
            destination.inbox.push(Arrived {
                entry: outgoing.entry,
                record: outgoing.record,
                ordering: outgoing.ordering.clone(),
                at,
                bytes: outgoing.bytes.clone(),
            });
        }
    }

    fn destination(&self, name: &DestinationName) -> Result<Arc<Destination>, DeliveryError> {
        self.destinations()
            .iter()
            .find(|destination| destination.name() == name)
            .cloned()
            .ok_or_else(|| DeliveryError::NoDestination(name.clone()))
    }

    fn destinations(&self) -> Arc<Vec<Arc<Destination>>> {
        let destinations = self.destinations.read();
        Arc::clone(&destinations.unwrap_or_else(PoisonError::into_inner))
    }
}
