//! Messages that people give back from quarantine: each is kept and delivered as one that comes through its link.
//!
//! **Invariant:** what says that it is given back commits with its record, or neither does. It must never have it looked
//! at for malware once more, or change anything of it but the number that a receiver knows the replaced one by.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, mpsc};

use labward_base::id::{EntryIndex, PeerId, RecordId};
use labward_base::{Problem, Remark, Secret, problem, remark};
use labward_identity::Peer;
use labward_ledger::{
    Action, Actor, Facts, Leaf, LedgerError, NewEntry, StoredEntry, Subject, append,
    entry_of_record,
};
use labward_store::{StoreError, Tx};

use crate::config::DestinationName;
use crate::delivery::{Dispatch, Outgoing};
use crate::gateway::Gateway;
use crate::hints::Hint;
use crate::inspect::renumbered;
use crate::keep::{Also, Intake, KeepDone, KeepError, Kept, MessageKind};
use crate::link::Link;
use crate::messages::{HeldMessage, HeldState};
use crate::path::Shared;
use crate::store;

/// A message that people give back.
pub struct GivenBack {
    /// The link that it came through.
    pub link: String,
    /// Who sent it.
    pub peer: Option<PeerId>,
    /// The record that stands in its place: the message without what was found in it.
    pub in_place: RecordId,
    /// The message, as it came.
    pub bytes: Vec<u8>,
    /// Its control id (MSH-10) if the one in its place was delivered: a receiver may drop a second message with the
    /// number of one that it has. Letters, digits and `-`.
    pub control_id: String,
    /// Who has it delivered.
    pub by: Actor,
    /// What the entry says beside what it says of every message.
    pub facts: Facts,
    /// What commits with it; if it fails nothing is kept or delivered.
    pub also: Also,
}

/// A message that was given back; durable, and handed to delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GaveBack {
    /// The record that holds it.
    pub record: RecordId,
    /// The entry that recorded it.
    pub entry: EntryIndex,
    /// Where it goes.
    pub to: Vec<DestinationName>,
}

/// Why a message was not given back; nothing was kept or delivered.
#[derive(Debug, thiserror::Error)]
pub enum GiveBackError {
    /// Operator: the link is not configured any more.
    #[error("deliver a message of link {0}: the link is not configured")]
    NoLink(String),
    /// Operator: no route leads such a message anywhere any more.
    #[error("deliver a message of link {0}: no route leads it to a destination")]
    NoRoute(String),
    /// What stands in its place is no message that came.
    #[error("find message {0}")]
    NoMessage(RecordId),
    /// It could not be kept, or what stands in its place not be opened.
    #[error("keep a message that is given back")]
    Keep(#[from] KeepError),
    /// The database could not be read.
    #[error("read what stands in the place of a message")]
    Store(#[from] StoreError),
}

impl GiveBackError {
    /// What a person sees.
    pub fn problem(&self) -> &'static Problem {
        match self {
            Self::NoLink(_) => &problem::QUARANTINE_NO_LINK,
            Self::NoRoute(_) => &problem::QUARANTINE_NO_ROUTE,
            Self::NoMessage(_) => &problem::GATEWAY_NO_MESSAGE,
            Self::Keep(error) => error.problem(),
            Self::Store(error) => error.problem(),
        }
    }

    /// What varies, to be said beside [`Self::problem`] in the reader's language.
    pub fn remark(&self) -> Option<Remark> {
        match self {
            Self::NoLink(link) | Self::NoRoute(link) => Some(remark::technical(link.clone())),
            Self::NoMessage(record) => Some(remark::message(record.get())),
            Self::Keep(_) | Self::Store(_) => None,
        }
    }
}

/// What is known of the message that stands in the place of one.
struct InPlace {
    leaf: Leaf,
    hints: Option<Vec<u8>>,
    /// If it was held, how that stands.
    held: Option<HeldMessage>,
    kind: MessageKind,
}

impl InPlace {
    fn text(&self, name: &str) -> &str {
        self.leaf.facts.get_text(name).unwrap_or_default()
    }

    /// Whether receivers got it.
    fn went_out(&self) -> bool {
        self.held
            .as_ref()
            .is_none_or(|held| held.state == HeldState::Released)
    }
}

impl Gateway {
    /// Keeps a message as one that comes through its link now and hands it to delivery, to where the routes lead;
    /// if the one in its place still waits for a person, it is rejected. Blocks until this is durable.
    ///
    /// # Errors
    /// [`GiveBackError`]; nothing is changed then.
    pub fn give_back(&self, given: GivenBack) -> Result<GaveBack, GiveBackError> {
        let shared = self.shared();
        let link = self.link_named(&given.link);
        let link = link.ok_or_else(|| GiveBackError::NoLink(given.link.clone()))?;
        let in_place = in_place(shared, given.in_place)?;
        let routes = &shared.routes;
        let name = &link.config.name;
        let to = routes.of(name, in_place.text("peer"), in_place.text("type"));
        if to.is_empty() {
            return Err(GiveBackError::NoRoute(given.link));
        }
        let record = given.in_place;
        let intake = intake(shared, &link, &in_place, &to, given);
        let kept = keep(shared, intake, to.clone())?;
        // A copy that its sender sends is answered as one that was delivered.
        let windows = self.windows().read();
        let windows = windows.unwrap_or_else(PoisonError::into_inner);
        let accepted = HashSet::from([record]);
        windows.iter().for_each(|window| window.accept(&accepted));
        Ok(GaveBack { to, ..kept })
    }
}

fn in_place(shared: &Shared, record: RecordId) -> Result<InPlace, GiveBackError> {
    let read = shared.store.read(|snapshot| -> Result<_, StoreError> {
        let entry = entry_of_record(snapshot, record)?;
        Ok((entry, store::held(snapshot, record)?))
    });
    let (entry, held): (Option<StoredEntry>, _) = read?;
    let none = || GiveBackError::NoMessage(record);
    let entry = entry.ok_or_else(none)?;
    let leaf = Leaf::parse(&entry.leaf).map_err(|_| none())?;
    if !matches!(leaf.action, Action::MessageReceived | Action::MessageHeld) {
        return Err(none());
    }
    Ok(InPlace {
        leaf,
        hints: shared.keep.hints(record)?,
        held,
        kind: shared.keep.open(record)?.kind,
    })
}

fn intake(
    shared: &Shared,
    link: &Link,
    in_place: &InPlace,
    to: &[DestinationName],
    given: GivenBack,
) -> Intake {
    let peer = given.peer.and_then(|id| shared.peers.by_id(id));
    let authority = authority(link, peer.as_deref());
    let facts = given
        .facts
        .text("type", in_place.text("type"))
        .text("link", link.config.name.as_str())
        .text("peer", in_place.text("peer"))
        .number("in_place_of", given.in_place.get())
        .texts("to", to.iter().map(DestinationName::as_str));
    let other = in_place.went_out() && in_place.kind == MessageKind::Hl7V2;
    let other = other.then(|| renumbered(&given.bytes, &given.control_id));
    let (bytes, facts) = match other.flatten() {
        Some(bytes) => (bytes, facts.text("control_id", given.control_id)),
        None => (given.bytes, facts),
    };
    let hints = in_place.hints.as_deref().and_then(Hint::parse);
    Intake {
        kind: in_place.kind,
        action: Action::MessageReceived,
        device: device(in_place, authority.is_some()),
        site: shared.site,
        authority,
        facts: facts.number("size", bytes.len()),
        // After a restart, too, its sender's copies are answered so.
        hints: hints.map(|hint| hint.accepted().to_bytes()),
        bytes,
        also: Some(also(shared, in_place, given.by, given.also)),
        actor: given.by,
    }
}

fn authority(link: &Link, peer: Option<&Peer>) -> Option<String> {
    let own = link.config.authority.clone();
    own.or_else(|| peer?.authority.clone())
}

/// The device that patient ids are known by, as when the message came.
fn device(in_place: &InPlace, has_authority: bool) -> Option<String> {
    if in_place.kind == MessageKind::Hl7V2 || has_authority {
        return None;
    }
    let peer = in_place.text("peer");
    match in_place.leaf.facts.get_text("device") {
        Some(behind) => Some(format!("{peer}/{behind}")),
        None => Some(peer.to_owned()),
    }
}

/// What commits with the message: what the caller says, and that the one in its place goes nowhere if it still waits.
fn also(shared: &Shared, in_place: &InPlace, by: Actor, mut also: Also) -> Also {
    let Some(held) = in_place.held.clone() else {
        return also;
    };
    let facts = Facts::new()
        .text("link", held.link.as_str())
        .text("peer", held.peer.as_str())
        .text("reason", held.reason.as_str())
        .number("held", held.entry.get());
    let subject = Subject::Record(held.record);
    let rejected = NewEntry::new(shared.site, by, Action::MessageRejected, subject);
    Box::new(move |tx: &mut Tx<'_>, record, entry| {
        also(tx, record, entry)?;
        let waits = store::held(tx, held.record)?;
        if waits.is_some_and(|held| held.state == HeldState::Held) {
            let facts = facts.clone().number("given_back", record.get());
            let entry = append(tx, &rejected.clone().facts(facts)).map_err(of_ledger)?;
            store::decide_held(tx, held.record, HeldState::Rejected, entry)?;
        }
        Ok(())
    })
}

/// Of the ledger, what a unit of the keeper can say.
fn of_ledger(error: LedgerError) -> StoreError {
    match error {
        LedgerError::Store(error) => error,
        error => StoreError::Statement {
            source: Arc::new(error),
        },
    }
}

/// The hand-over runs in the writer's callback, which keeps it in the order of the ledger.
fn keep(
    shared: &Shared,
    intake: Intake,
    destinations: Vec<DestinationName>,
) -> Result<GaveBack, GiveBackError> {
    let (send, receive) = mpsc::sync_channel(1);
    let dispatch: Arc<dyn Dispatch> = Arc::clone(&shared.dispatch);
    let done: KeepDone = Box::new(move |kept: Result<Kept, KeepError>| {
        let gave = kept.map(|kept| {
            dispatch.committed(Outgoing {
                entry: kept.entry,
                record: kept.record,
                destinations,
                ordering: kept.ordering,
                bytes: Some(Arc::new(Secret::new(kept.bytes))),
            });
            GaveBack {
                record: kept.record,
                entry: kept.entry,
                to: Vec::new(),
            }
        });
        // The receiver waits below, so it is there.
        let _ = send.send(gave);
    });
    shared.keep.keep(intake, done);
    let gave = receive.recv().unwrap_or(Err(KeepError::Internal));
    Ok(gave?)
}
