//! Held messages: what was kept but not accepted, and what a person decides about it.
//!
//! **Invariant:** no change without an entry. A decision, its entry and its sealed reason commit
//! together; only then is a released message handed to delivery.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock, mpsc};

use labward_base::id::{EntryIndex, PersonId, RecordId, SiteId};
use labward_base::{Problem, Remark, Timestamp, problem, remark};
use labward_ledger::{Action, Actor, Facts, LedgerError, NewEntry, Subject, append};
use labward_store::{Store, StoreError, Tx};

use crate::config::DestinationName;
use crate::delivery::{Dispatch, Outgoing};
use crate::duplicate::Window;
use crate::keep::{Keep, KeepError};
use crate::store;

/// Messages that wait, or waited, for a person.
#[derive(Clone)]
pub struct Messages {
    store: Store,
    keep: Arc<dyn Keep>,
    dispatch: Arc<dyn Dispatch>,
    site: SiteId,
    windows: Windows,
}

/// The duplicate windows of the links that are open.
pub(crate) type Windows = Arc<RwLock<Vec<Arc<Window>>>>;

/// A message that was kept but not accepted; holds no patient data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldMessage {
    /// The record that holds it.
    pub record: RecordId,
    /// The entry that recorded why it is held.
    pub entry: EntryIndex,
    /// Why: a code of the table of problems.
    pub reason: String,
    /// The link it came through.
    pub link: String,
    /// The peer that sent it.
    pub peer: String,
    /// `ORU^R01`, `ASTM`; empty if it has none.
    pub message_type: String,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// Where it goes if released, as the routes said at receipt.
    pub destinations: Vec<DestinationName>,
    /// When it came.
    pub since: Timestamp,
    /// Whether it still waits.
    pub state: HeldState,
    /// The entry of the decision.
    pub decided: Option<EntryIndex>,
}

/// Whether a held message still waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldState {
    /// It waits for a person.
    Held,
    /// A person had it delivered.
    Released,
    /// A person decided that it goes nowhere.
    Rejected,
}

/// Which held messages to list, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldFilter {
    /// Only in this state.
    pub state: Option<HeldState>,
    /// Only of this link.
    pub link: Option<String>,
    /// Only of this peer.
    pub peer: Option<String>,
    /// Only since this moment.
    pub since: Option<Timestamp>,
    /// Only older than this record.
    pub before: Option<RecordId>,
    /// How many at most, 1 to 1,000.
    pub limit: u32,
}

/// Why held messages could not be listed or decided.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// There is no such held message.
    #[error("find held message {0}: there is none")]
    NotFound(RecordId),
    /// The message does not wait any more.
    #[error("decide about message {0}: it does not wait for a person")]
    NotWaiting(RecordId),
    /// Its record or the reason given cannot be sealed or opened.
    #[error("seal or open what belongs to a held message")]
    Keep(#[from] KeepError),
    /// The decision's entry could not be written.
    #[error("record the decision about a held message")]
    Ledger(#[from] LedgerError),
    /// The database could not be read or written.
    #[error("read or write held messages")]
    Store(#[from] StoreError),
}

impl MessageError {
    /// What a person sees.
    pub fn problem(&self) -> &'static Problem {
        match self {
            Self::NotFound(_) => &problem::GATEWAY_NO_MESSAGE,
            Self::NotWaiting(_) => &problem::GATEWAY_NOT_WAITING,
            Self::Keep(error) => error.problem(),
            Self::Ledger(error) => error.problem(),
            Self::Store(error) => error.problem(),
        }
    }

    /// What varies, to be said beside [`Self::problem`] in the reader's language.
    pub fn remark(&self) -> Option<Remark> {
        match self {
            Self::NotFound(record) | Self::NotWaiting(record) => {
                Some(remark::message(record.get()))
            }
            _ => None,
        }
    }
}

impl Default for HeldFilter {
    fn default() -> Self {
        Self {
            state: None,
            link: None,
            peer: None,
            since: None,
            before: None,
            limit: 50,
        }
    }
}

impl HeldState {
    /// The name of this state in JSON and documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Released => "released",
            Self::Rejected => "rejected",
        }
    }

    /// The state with this name.
    pub fn by_name(name: &str) -> Option<Self> {
        [Self::Held, Self::Released, Self::Rejected]
            .into_iter()
            .find(|one| one.name() == name)
    }

    pub(crate) const fn stored(self) -> u8 {
        match self {
            Self::Held => 0,
            Self::Released => 1,
            Self::Rejected => 2,
        }
    }

    pub(crate) fn from_stored(number: i64) -> Option<Self> {
        [Self::Held, Self::Released, Self::Rejected]
            .into_iter()
            .find(|one| i64::from(one.stored()) == number)
    }
}

impl Messages {
    /// The held messages of this store; `windows` are those of the links that are open.
    pub(crate) fn new(
        store: Store,
        keep: Arc<dyn Keep>,
        dispatch: Arc<dyn Dispatch>,
        site: SiteId,
        windows: Windows,
    ) -> Self {
        Self {
            store,
            keep,
            dispatch,
            site,
            windows,
        }
    }

    /// Held messages, the newest first.
    pub fn list(&self, filter: &HeldFilter) -> Result<Vec<HeldMessage>, MessageError> {
        self.store
            .read(|snapshot| Ok(store::list_held(snapshot, filter)?))
    }

    /// What is known of one held message, without its content.
    pub fn show(&self, record: RecordId) -> Result<HeldMessage, MessageError> {
        let found = self.store.read(|snapshot| store::held(snapshot, record))?;
        found.ok_or(MessageError::NotFound(record))
    }

    /// How many messages wait for a person.
    pub fn count(&self) -> Result<u64, MessageError> {
        Ok(self.store.read(|snapshot| store::count_held(snapshot))?)
    }

    /// Those of `names` to which a held message would go if a person released it.
    pub fn would_go_to(
        &self,
        names: &[DestinationName],
    ) -> Result<Vec<DestinationName>, MessageError> {
        let mut found = Vec::new();
        let mut filter = HeldFilter {
            state: Some(HeldState::Held),
            limit: 1_000,
            ..HeldFilter::default()
        };
        loop {
            let page = self.list(&filter)?;
            let Some(last) = page.last() else {
                return Ok(found);
            };
            filter.before = Some(last.record);
            for name in page.iter().flat_map(|held| &held.destinations) {
                if names.contains(name) && !found.contains(name) {
                    found.push(name.clone());
                }
            }
        }
    }

    /// Has a held message delivered to where it would have gone; blocks until this is durable.
    pub fn release(
        &self,
        record: RecordId,
        person: PersonId,
        why: &str,
    ) -> Result<EntryIndex, MessageError> {
        let held = self.show(record)?;
        let opened = self.keep.open(record)?;
        let mut ordering = self.keep.ordering(record);
        if ordering.is_empty() {
            ordering.extend(opened.patient.map(|patient| patient.get()));
        }
        let bytes = Some(Arc::new(opened.bytes));
        let dispatch = Arc::clone(&self.dispatch);
        let destinations = held.destinations.clone();
        let entry = self.decide(held, HeldState::Released, person, why, move |entry| {
            if !destinations.is_empty() {
                dispatch.committed(Outgoing {
                    entry,
                    record,
                    destinations,
                    ordering,
                    bytes,
                });
            }
        })?;
        let released = HashSet::from([record]);
        let windows = self.windows.read().unwrap_or_else(PoisonError::into_inner);
        windows.iter().for_each(|window| window.accept(&released));
        Ok(entry)
    }

    /// Decides that a held message goes nowhere; it stays kept. Blocks until this is durable.
    pub fn reject(
        &self,
        record: RecordId,
        person: PersonId,
        why: &str,
    ) -> Result<EntryIndex, MessageError> {
        let held = self.show(record)?;
        self.decide(held, HeldState::Rejected, person, why, |_| {})
    }

    fn decide(
        &self,
        held: HeldMessage,
        state: HeldState,
        person: PersonId,
        why: &str,
        then: impl FnOnce(EntryIndex) + Send + 'static,
    ) -> Result<EntryIndex, MessageError> {
        let entry = self.entry_of(&held, state, person, why)?;
        let record = held.record;
        let unit = move |tx: &mut Tx<'_>| decide_in(tx, record, state, &entry);
        let (send, receive) = mpsc::sync_channel(1);
        // The hand-over runs in the writer's callback, which keeps it in the order of the ledger.
        self.store
            .submit(unit, move |decided: Result<EntryIndex, MessageError>| {
                if let Ok(entry) = &decided {
                    then(*entry);
                }
                let _ = send.send(decided);
            });
        receive
            .recv()
            .unwrap_or(Err(MessageError::Store(StoreError::Closed)))
    }

    fn entry_of(
        &self,
        held: &HeldMessage,
        state: HeldState,
        person: PersonId,
        why: &str,
    ) -> Result<NewEntry, MessageError> {
        let released = state == HeldState::Released;
        let action = if released {
            Action::MessageReleased
        } else {
            Action::MessageRejected
        };
        let mut facts = Facts::new()
            .text("link", held.link.as_str())
            .text("peer", held.peer.as_str())
            .text("reason", held.reason.as_str())
            .number("held", held.entry.get());
        if released {
            facts = facts.texts("to", held.destinations.iter().map(DestinationName::as_str));
        }
        let detail = self.keep.seal_detail(self.site, why.as_bytes())?;
        let actor = Actor::Person(person);
        let entry = NewEntry::new(self.site, actor, action, Subject::Record(held.record));
        Ok(entry.facts(facts).detail(detail))
    }
}

/// Two persons may decide at once: only the row inside the unit says whether it still waits.
fn decide_in(
    tx: &mut Tx<'_>,
    record: RecordId,
    state: HeldState,
    entry: &NewEntry,
) -> Result<EntryIndex, MessageError> {
    let held = store::held(tx, record)?.ok_or(MessageError::NotFound(record))?;
    if held.state != HeldState::Held {
        return Err(MessageError::NotWaiting(record));
    }
    let index = append(tx, entry)?;
    store::decide_held(tx, record, state, index)?;
    Ok(index)
}
