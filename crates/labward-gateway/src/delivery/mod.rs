//! From the commit to the destinations: what the inbound half hands over.
//!
//! Nothing here may slow the writer down: [`Dispatch::committed`] runs on its thread, in ledger
//! order, once for each message that was durably kept and goes somewhere.

use std::sync::Arc;

use labward_base::Secret;
use labward_base::id::{EntryIndex, RecordId};

use crate::config::DestinationName;

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
