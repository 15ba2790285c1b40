//! [`Keep`]: what the gateway needs of whoever keeps records; the server plugs it in.
//!
//! **Invariant:** no acknowledgement before durability. The gateway answers positively only after
//! `done` was called with `Ok`, and `done` is called after the commit was synced.

use std::ops::ControlFlow;

use labward_base::id::{EntryIndex, PatientId, RecordId, SiteId};
use labward_base::{Problem, Secret, Timestamp, problem};
use labward_ledger::{Action, Actor, Facts};
use labward_store::{StoreError, Tx};

/// Keeps messages sealed, and opens them again for delivery.
pub trait Keep: Send + Sync + 'static {
    /// Seals `intake` on the caller's thread and hands it to the writer; `done` is called once,
    /// on the writer's thread and in ledger order, after the commit (or with the reason why not;
    /// then possibly on the caller's thread, before this returns).
    fn keep(&self, intake: Intake, done: KeepDone);

    /// Opens a record for delivery; writes no entry.
    fn open(&self, record: RecordId) -> Result<Opened, KeepError>;

    /// What this record must stay in order with: the same keys as [`Kept::ordering`]; empty means
    /// its own patient alone. Asked only for what a person releases and for ADT messages that are
    /// read back from the ledger: one of them may be a merge. A keeper that merges nobody need not
    /// answer.
    fn ordering(&self, record: RecordId) -> Vec<u64> {
        let _ = record;
        Vec::new()
    }

    /// The hints that came with a record; a keeper that gives nothing back need not answer.
    fn hints(&self, record: RecordId) -> Result<Option<Vec<u8>>, KeepError> {
        let _ = record;
        Ok(None)
    }

    /// Seals who, why and what was asked for under the site's audit key, for an entry's detail.
    fn seal_detail(&self, site: SiteId, detail: &[u8]) -> Result<Vec<u8>, KeepError>;

    /// Hands out the hints that came with messages since `oldest`, the newest first, until `each`
    /// says to stop.
    fn recall(
        &self,
        oldest: Timestamp,
        each: &mut dyn FnMut(Recalled<'_>) -> ControlFlow<()>,
    ) -> Result<(), KeepError>;

    /// Whether messages can be kept now: the root key is open.
    fn is_ready(&self) -> bool;
}

/// What stood in [`Intake::hints`] of a message that was kept.
#[derive(Clone, Copy, Debug)]
pub struct Recalled<'a> {
    /// The record that holds it.
    pub record: RecordId,
    /// When it was kept, as the entry says it.
    pub time: Timestamp,
    /// The hints, as they were handed over.
    pub hints: &'a [u8],
}

/// What is called when a message was kept, or could not be.
pub type KeepDone = Box<dyn FnOnce(Result<Kept, KeepError>) + Send>;

/// Work that is to commit with the message or not at all; re-runnable.
pub type Also = Box<dyn FnMut(&mut Tx<'_>, RecordId, EntryIndex) -> Result<(), StoreError> + Send>;

/// A message to keep.
pub struct Intake {
    /// What its bytes are.
    pub kind: MessageKind,
    /// What the entry says was done.
    pub action: Action,
    /// Who did it.
    pub actor: Actor,
    /// The site it belongs to.
    pub site: SiteId,
    /// The assigning authority of patient ids that name none.
    pub authority: Option<String>,
    /// The device, where patient ids are known per device (ASTM).
    pub device: Option<String>,
    /// What else the entry says, without patient data.
    pub facts: Facts,
    /// Bytes beside the entry, outside its leaf, that rebuild memory at start.
    pub hints: Option<Vec<u8>>,
    /// The message.
    pub bytes: Vec<u8>,
    /// What commits with it.
    pub also: Option<Also>,
}

/// A message that was kept durably.
pub struct Kept {
    /// The record that holds it.
    pub record: RecordId,
    /// The entry that recorded it.
    pub entry: EntryIndex,
    /// When, as the entry says it.
    pub time: Timestamp,
    /// Whose it is, if it is a patient's.
    pub patient: Option<PatientId>,
    /// What it must stay in order with: patients (two for a merge); empty means its link.
    pub ordering: Vec<u64>,
    /// The message, handed back.
    pub bytes: Vec<u8>,
}

/// A record that was opened.
pub struct Opened {
    /// What its bytes are.
    pub kind: MessageKind,
    /// Whose it is, if it is a patient's.
    pub patient: Option<PatientId>,
    /// The message.
    pub bytes: Secret<Vec<u8>>,
}

/// What the bytes of a message are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// The records of one ASTM E1394 / LIS02 message.
    Astm,
    /// One HL7 v2 message.
    Hl7V2,
    /// What came in a message's place: a cut frame, noise, a batch that does not add up.
    Other,
}

/// Why a message was not kept or not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeepError {
    /// The record's stored bytes are not what they were.
    #[error("open a record: it is damaged")]
    Damaged,
    /// The patient's key was destroyed.
    #[error("open a record: its patient's key was destroyed")]
    Disposed,
    /// A fault of the program.
    #[error("keep a message: a fault of the program")]
    Internal,
    /// There is no such record.
    #[error("open a record: there is none with this number")]
    NotFound,
    /// More waits than the disk can write; nothing was kept.
    #[error("keep a message: the queue is full")]
    Overloaded,
    /// The root key is not open; nothing was kept.
    #[error("keep a message: the root key is sealed")]
    Sealed,
    /// The disk refused the commit; nothing was kept.
    #[error("keep a message: the database could not be written")]
    Unwritable,
}

impl KeepError {
    /// What a person sees.
    pub const fn problem(self) -> &'static Problem {
        match self {
            Self::Damaged => &problem::RECORDS_DAMAGED,
            Self::Disposed => &problem::KEYS_DISPOSED,
            Self::Internal => &problem::SERVER_INTERNAL,
            Self::NotFound => &problem::RECORDS_NOT_FOUND,
            Self::Overloaded => &problem::STORE_OVERLOADED,
            Self::Sealed => &problem::KEYS_SEALED,
            Self::Unwritable => &problem::STORE_UNWRITABLE,
        }
    }
}
