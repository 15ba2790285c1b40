//! A conversation that nobody expected.

use labward_base::Timestamp;
use labward_base::id::{DeviceId, EntryIndex};
use labward_segmentation::{Direction, Network, Service};

/// The number of an alert, counted from 1.
pub type AlertId = u64;

/// An alert that was raised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raised {
    /// Its number.
    pub id: AlertId,
    /// The device.
    pub device: DeviceId,
    /// What is new: `destination`, `public`, `refused` or `service`.
    pub novelty: String,
    /// Who opened the conversation.
    pub direction: Direction,
    /// The other side.
    pub peer: Network,
    /// What was asked for.
    pub service: Service,
    /// Whether the other side's address is of the public internet.
    pub is_public: bool,
    /// When it was seen first.
    pub seen: Timestamp,
    /// When it was raised.
    pub raised: Timestamp,
    /// When a person decided about its conduit.
    pub settled: Option<Timestamp>,
    /// The entry that recorded the last change.
    pub entry: EntryIndex,
}
