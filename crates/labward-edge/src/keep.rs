//! What the gateway's sessions keep with at an edge: sealed to the server, one commit, acknowledge.
//!
//! **Invariant:** no acknowledgement before durability: `done` is called after the synced commit. It
//! must never write a message or anything a message could be guessed from; the plaintext lives from
//! the frame to the envelope and no longer. When the disk is nearly full it takes nothing, so that
//! the device keeps what it has.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use labward_base::id::{RecordId, SiteId};
use labward_base::{Clock, Secret, Timestamp};
use labward_gateway::edge::parcel::Parcel;
use labward_gateway::keep::{
    Intake, Keep, KeepDone, KeepError, Kept, MessageKind, Opened, Recalled,
};
use labward_ledger::{Appended, LedgerError, NewEntry, RecordIds, Subject, append_timed};
use labward_seal::envelope::seal_envelope;
use labward_store::{Store, StoreError, Tx};
use tokio::sync::Notify;

/// How long a measured disk is taken to be as it was.
const MEASURED_FOR: Duration = Duration::from_secs(1);

/// Seals and queues what the devices send.
pub(crate) struct EdgeKeep {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) queue: [u8; 16],
    pub(crate) seal_key: Vec<u8>,
    pub(crate) space: Space,
    /// Wakes the uplink.
    pub(crate) wake: Arc<Notify>,
    /// Held from a number to its unit, so that numbers stand in the order of their entries.
    pub(crate) ids: Mutex<RecordIds>,
}

/// How much room the disk has left.
pub(crate) struct Space {
    folder: PathBuf,
    least_bytes: u64,
    measured: Mutex<Option<(Timestamp, bool)>>,
}

impl Space {
    /// The room on the disk of `folder`, of which `least_mib` are to stay free.
    pub(crate) fn new(folder: PathBuf, least_mib: u64) -> Self {
        Self {
            folder,
            least_bytes: least_mib.saturating_mul(1024 * 1024),
            measured: Mutex::default(),
        }
    }

    /// Whether there is room for more; what cannot be measured is no room.
    pub(crate) fn is_left(&self, now: Timestamp) -> bool {
        let mut measured = self.measured.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, left)) = *measured
            && at <= now
            && now.since(at) < MEASURED_FOR
        {
            return left;
        }
        let space = labward_os::disk_space(&self.folder);
        let left = space.is_ok_and(|space| space.free_bytes >= self.least_bytes);
        if !left && measured.is_none_or(|(_, before)| before) {
            tracing::error!(
                code = labward_base::problem::EDGE_DISK_LOW.code,
                "the disk is nearly full: the devices keep their results until there is room"
            );
        }
        *measured = Some((now, left));
        left
    }
}

impl Keep for EdgeKeep {
    fn keep(&self, intake: Intake, done: KeepDone) {
        let now = self.clock.now();
        if !self.space.is_left(now) {
            return done(Err(KeepError::Unwritable));
        }
        let parcel = Parcel {
            kind: intake.kind,
            received: now,
            device: intake.facts.get_text("link").unwrap_or_default().to_owned(),
            reason: intake
                .facts
                .get_text("reason")
                .unwrap_or_default()
                .to_owned(),
            bytes: intake.bytes,
        };
        let packed = Secret::new(parcel.to_bytes());
        let ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        let record = ids.next();
        let place = Parcel::place(&self.queue, record.get());
        let Ok(envelope) = seal_envelope(&self.seal_key, &place, packed.expose()) else {
            drop(ids);
            return done(Err(KeepError::Internal));
        };
        let subject = Subject::Record(record);
        let mut entry =
            NewEntry::new(intake.site, intake.actor, intake.action, subject).facts(intake.facts);
        entry.record = Some(record);
        entry.kind = kind_number(parcel.kind);
        // No hints: they would be keyed with a key that lies beside them. The server's window, which
        // has its key elsewhere, knows what a device repeats after a restart of the edge.
        entry.payload = Some(envelope);
        let wake = Arc::clone(&self.wake);
        let unit = move |tx: &mut Tx<'_>| append_timed(tx, &entry);
        let bytes = parcel.bytes;
        self.store
            .submit(unit, move |written: Result<Appended, LedgerError>| {
                let kept = written.map(|Appended { index, time }| Kept {
                    record,
                    entry: index,
                    time,
                    patient: None,
                    ordering: Vec::new(),
                    bytes,
                });
                done(kept.map_err(|error| keep_error(&error)));
                wake.notify_one();
            });
        drop(ids);
    }

    /// An edge cannot open what it sealed, and nobody decides about messages here.
    fn open(&self, _: RecordId) -> Result<Opened, KeepError> {
        Err(KeepError::NotFound)
    }

    fn seal_detail(&self, _: SiteId, _: &[u8]) -> Result<Vec<u8>, KeepError> {
        Err(KeepError::Internal)
    }

    fn recall(
        &self,
        _: Timestamp,
        _: &mut dyn FnMut(Recalled<'_>) -> ControlFlow<()>,
    ) -> Result<(), KeepError> {
        Ok(())
    }

    fn is_ready(&self) -> bool {
        true
    }
}

/// The number of a kind in the leaf, as on the server's records.
const fn kind_number(kind: MessageKind) -> u16 {
    match kind {
        MessageKind::Hl7V2 => 1,
        MessageKind::Astm => 2,
        MessageKind::Other => 4,
    }
}

fn keep_error(error: &LedgerError) -> KeepError {
    match error {
        LedgerError::Store(StoreError::Overloaded) => KeepError::Overloaded,
        LedgerError::Store(
            StoreError::Busy | StoreError::Closed | StoreError::Unwritable { .. },
        ) => KeepError::Unwritable,
        _ => KeepError::Internal,
    }
}

/// Delivery of the gateway, of which an edge has none: the uplink reads the ledger.
pub(crate) struct NoDispatch;

impl labward_gateway::delivery::Dispatch for NoDispatch {
    fn committed(&self, _: labward_gateway::delivery::Outgoing) {}
}
