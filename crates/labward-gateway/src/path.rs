//! The path of one message: duplicate? → inspect → keep (admitted or held) → one durable commit → outcome.
//!
//! Framing and parsing come before, the acknowledgement after; both are the session's.
//! **Invariant:** no acknowledgement before durability: an [`Outcome`] exists only after the commit.

mod inspected;

use std::net::IpAddr;
use std::sync::Arc;

use labward_base::id::{PeerId, SiteId};
use labward_base::{Clock, Secret, Timestamp};
use labward_identity::{Identification, Peer, Peers};
use labward_ledger::{Action, Actor, Facts, LedgerError, NewEntry, Subject, append};
use labward_seal::IndexKey;
use labward_store::{Store, Tx};
use tokio::sync::oneshot;

use crate::ack::AckWriter;
use crate::completions::{Completions, Waiter};
use crate::config::{DestinationName, DuplicatePolicy};
use crate::delivery::{Dispatch, Outgoing};
use crate::duplicate::{Lookup, Reservation, Tag};
use crate::edge::Edges;
use crate::events::{Counters, Events, OpenConnection};
use crate::hints::Hint;
use crate::inspect::{Inspect, Treatment};
use crate::keep::{Also, Intake, Keep, KeepDone, MessageKind};
use crate::link::Link;
use crate::messages::{HeldMessage, HeldState};
use crate::notice::{Notice, Noticed, SelfDescription, Told};
use crate::outcome::{Outcome, Settled};
use crate::policy::Admission;
use crate::reason::Reason;
use crate::routes::Routes;
use crate::store;
use crate::stranger::Strangers;
use crate::tls::Protection;
use crate::watch::{Behind, Outline, Watch};

/// What every connection shares.
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) keep: Arc<dyn Keep>,
    pub(crate) peers: Peers,
    pub(crate) index_key: Arc<IndexKey>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) dispatch: Arc<dyn Dispatch>,
    pub(crate) routes: Routes,
    pub(crate) acks: AckWriter,
    pub(crate) strangers: Strangers,
    pub(crate) events: Events,
    pub(crate) edges: Option<Edges>,
    pub(crate) notice: Option<Arc<dyn Notice>>,
    pub(crate) watch: Option<Arc<dyn Watch>>,
    pub(crate) inspect: Option<Arc<dyn Inspect>>,
    pub(crate) site: SiteId,
}

/// One connection of a known peer.
pub(crate) struct Caller {
    pub(crate) link: Arc<Link>,
    pub(crate) peer: Arc<Peer>,
    pub(crate) address: IpAddr,
    /// Of a message that an edge received: where and when.
    pub(crate) via: Option<Via>,
    /// The certificate that opened the connection, on a link for edges.
    pub(crate) certificate: Option<Box<Identification>>,
    /// What it said of itself already.
    pub(crate) told: Told,
    protection: Protection,
    completions: Arc<Completions<Outcome>>,
    peer_counters: Arc<Counters>,
    generation: u64,
    _counted: [OpenConnection; 2],
}

/// Where and when an edge received a message.
pub(crate) struct Via {
    pub(crate) device: String,
    pub(crate) item: u64,
    pub(crate) received: Timestamp,
}

/// A message that was framed and read.
pub(crate) struct Incoming {
    /// What its bytes are.
    pub(crate) kind: MessageKind,
    /// The message.
    pub(crate) bytes: Vec<u8>,
    /// `ORU^R01`, `ASTM`; empty if it has none.
    pub(crate) message_type: String,
    /// Whether it is accepted or held.
    pub(crate) admission: Admission,
    /// The keyed tag of its sender and control id; without one there is no duplicate check.
    pub(crate) id: Option<Tag>,
    /// The device, where patient ids are known per device (ASTM).
    pub(crate) device: Option<String>,
    /// What was outside the standard, by stable names.
    pub(crate) deviations: Vec<&'static str>,
    /// What is told of it once it is accepted, where somebody watches.
    pub(crate) outline: Option<Outline>,
}

/// A message on its way to the disk.
pub(crate) struct Pending {
    size_bytes: usize,
    /// The first copy is still being kept: this one's entry is written after it.
    is_copy: bool,
    /// Something was taken out of it.
    is_replaced: bool,
    answer: oneshot::Receiver<Outcome>,
}

/// The place of a message that is new, and who waits for it.
struct OwnPlace {
    reservation: Option<Reservation>,
    waiter: Option<Waiter<Outcome>>,
}

/// Who is told of a message once it is durable.
struct Teller {
    watch: Arc<dyn Watch>,
    outline: Outline,
    peer: PeerId,
    behind: Option<Behind>,
    received: Option<Timestamp>,
}

impl Teller {
    fn accepted(self, kept: Timestamp) {
        let received = self.received.unwrap_or(kept);
        let accepted = self.outline.accepted(self.peer, self.behind, received);
        self.watch.accepted(accepted);
    }
}

/// What becomes of a message if it is kept.
struct Plan {
    settled: Settled,
    destinations: Vec<DestinationName>,
    facts: Facts,
}

impl Shared {
    /// The keyed tag of the control id `parts` (sender and id) of this connection's peer and link.
    pub(crate) fn id_tag(&self, caller: &Caller, parts: [&[u8]; 3]) -> Tag {
        let peer = caller.peer.id.get().to_be_bytes();
        let link = caller.link.config.name.as_str().as_bytes();
        let [first, second, third] = parts;
        self.index_key
            .tag("gateway.message-id", &[&peer, link, first, second, third])
    }

    /// Sends a message on its way, once it was looked at where somebody looks at messages; what becomes of it is
    /// learnt from [`Shared::settle`].
    pub(crate) async fn receive(&self, caller: &Caller, mut message: Incoming) -> Pending {
        caller.link.bucket.take(self.clock.now());
        let (mut pending, place) = self.enter(caller, &mut message);
        let Some(place) = place else { return pending };
        match &self.inspect {
            None => self.keep_message(caller, message, None, place),
            Some(inspect) => {
                let inspect = inspect.as_ref();
                pending.is_replaced = self.inspect(inspect, caller, message, place).await;
            }
        }
        pending
    }

    /// The place of a message among those that come; without one it came before, and is answered as then.
    fn enter(&self, caller: &Caller, message: &mut Incoming) -> (Pending, Option<OwnPlace>) {
        let (waiter, answer) = Waiter::new(&caller.completions);
        let mut pending = Pending {
            size_bytes: message.bytes.len(),
            is_copy: false,
            is_replaced: false,
            answer,
        };
        let mut waiter = Some(waiter);
        let mut reservation = None;
        if let Some(id) = message.id {
            // Of the bytes as they came, whatever is taken out of them later.
            let body = self
                .index_key
                .tag("gateway.message-body", &[&message.bytes]);
            let admitted = message.admission == Admission::Admit;
            let policy = caller.link.config.same_id_other_content;
            let deliver = policy == DuplicatePolicy::Deliver;
            let window = &caller.link.window;
            match window.look_up((id, body), admitted, deliver, &mut waiter) {
                Lookup::New(place) => reservation = Some(place),
                Lookup::Other(place) => {
                    reservation = Some(place);
                    mark_other_body(message, policy);
                }
                Lookup::Repeat(outcome) => {
                    self.record_repeat(caller, outcome, pending.size_bytes, waiter);
                    return (pending, None);
                }
                Lookup::Wait => {
                    pending.is_copy = true;
                    return (pending, None);
                }
            }
        }
        let place = OwnPlace {
            reservation,
            waiter,
        };
        (pending, Some(place))
    }

    /// What became of a message, once that is durable.
    pub(crate) async fn settle(&self, caller: &Caller, pending: Pending) -> Outcome {
        let Pending {
            size_bytes,
            is_copy,
            is_replaced,
            answer,
        } = pending;
        let mut outcome = answer.await.unwrap_or(Outcome::NOT_KEPT);
        if is_copy && outcome.record.is_some() {
            let (waiter, answer) = Waiter::new(&caller.completions);
            self.record_repeat(caller, outcome, size_bytes, Some(waiter));
            outcome = answer.await.unwrap_or(Outcome::NOT_KEPT);
        }
        self.count(caller, outcome, size_bytes);
        if is_replaced && outcome.record.is_some() {
            caller.link.counters.count_replaced();
            caller.peer_counters.count_replaced();
        }
        outcome
    }

    /// Writes an entry for what was refused without being kept, and waits until it is durable.
    pub(crate) async fn record_refusal(&self, caller: &Caller, reason: Reason, facts: Facts) {
        let (waiter, answer) = Waiter::new(&caller.completions);
        let link = caller.link.config.name.to_string();
        let entry = NewEntry::new(
            self.site,
            Actor::Peer(caller.peer.id),
            Action::MessageRefused,
            Subject::Link(link.into()),
        )
        .outcome(labward_ledger::Outcome::Refused(reason.problem().code))
        .facts(caller.facts(facts));
        self.write_entry(entry, Outcome::NOT_KEPT, Some(waiter));
        // Whether it was written changes nothing for the peer: its message is refused.
        let _ = answer.await;
        caller.link.counters.count_refused();
        caller.peer_counters.count_refused();
    }

    fn keep_message(
        &self,
        caller: &Caller,
        mut message: Incoming,
        treatment: Option<Treatment>,
        OwnPlace {
            reservation,
            waiter,
        }: OwnPlace,
    ) {
        let mut plan = self.plan(caller, &message);
        if let Some(treatment) = &treatment {
            plan.facts = treatment.facts(plan.facts);
        }
        let tell = self.teller(caller, message.outline.take(), plan.settled);
        let hints = reservation
            .as_ref()
            .map(|place| Hint::of(caller.link.tag, place.tags(), plan.settled).to_bytes());
        let held = match plan.settled {
            Settled::Refused(reason) => Some(self.hold(caller, &message, reason, &plan)),
            Settled::Accepted => None,
        };
        let action = if held.is_some() {
            Action::MessageHeld
        } else {
            Action::MessageReceived
        };
        let config = &caller.link.config;
        let intake = Intake {
            kind: message.kind,
            action,
            actor: Actor::Peer(caller.peer.id),
            site: self.site,
            authority: config
                .authority
                .clone()
                .or_else(|| caller.peer.authority.clone()),
            device: message.device,
            facts: plan.facts,
            hints,
            bytes: message.bytes,
            also: both(held, treatment.and_then(|treatment| treatment.also)),
        };
        self.keep.keep(
            intake,
            self.done(plan.settled, plan.destinations, reservation, waiter, tell),
        );
    }

    /// What runs on the writer's thread after the commit.
    fn done(
        &self,
        settled: Settled,
        destinations: Vec<DestinationName>,
        reservation: Option<Reservation>,
        waiter: Option<Waiter<Outcome>>,
        tell: Option<Teller>,
    ) -> KeepDone {
        let dispatch = Arc::clone(&self.dispatch);
        Box::new(move |result| {
            let outcome = match result {
                Ok(kept) => {
                    if let Some(place) = reservation {
                        place.settle(settled, kept.record, kept.time);
                    }
                    if let Some(tell) = tell {
                        tell.accepted(kept.time);
                    }
                    let bytes = Secret::new(kept.bytes);
                    if settled == Settled::Accepted && !destinations.is_empty() {
                        dispatch.committed(Outgoing {
                            entry: kept.entry,
                            record: kept.record,
                            destinations,
                            ordering: kept.ordering,
                            bytes: Some(Arc::new(bytes)),
                        });
                    }
                    Outcome {
                        settled,
                        record: Some(kept.record),
                        is_repeat: false,
                    }
                }
                Err(error) => {
                    tracing::error!(error = %error, "a message was not kept");
                    // Whoever sends it again at once must not find it still being kept.
                    drop(reservation);
                    Outcome::NOT_KEPT
                }
            };
            if let Some(waiter) = waiter {
                waiter.complete(outcome);
            }
        })
    }

    /// Who is told of a message that is accepted, and what.
    fn teller(
        &self,
        caller: &Caller,
        outline: Option<Outline>,
        settled: Settled,
    ) -> Option<Teller> {
        let watch = self
            .watch
            .as_ref()
            .filter(|_| settled == Settled::Accepted)?;
        Some(Teller {
            watch: Arc::clone(watch),
            outline: outline?,
            peer: caller.peer.id,
            behind: caller.behind(),
            received: caller.via.as_ref().map(|via| via.received),
        })
    }

    fn plan(&self, caller: &Caller, message: &Incoming) -> Plan {
        let config = &caller.link.config;
        let destinations = self
            .routes
            .of(&config.name, &caller.peer.name, &message.message_type);
        let mut facts = caller.facts(Facts::new().text("type", message.message_type.as_str()));
        if let Some((control, _)) = message
            .id
            .as_ref()
            .and_then(|id| id.split_first_chunk::<8>())
        {
            facts = facts.hex("control", control);
        }
        facts = facts.number("size", message.bytes.len());
        if !message.deviations.is_empty() {
            facts = facts.texts("deviations", message.deviations.iter().copied());
        }
        let settled = match message.admission {
            Admission::Admit => Settled::Accepted,
            Admission::Refuse(reason) => Settled::Refused(reason),
        };
        if let Settled::Refused(reason) = settled {
            facts = facts.text("reason", reason.problem().code);
            if let Some(field) = reason.field() {
                facts = facts.text("field", field);
            }
        } else if !destinations.is_empty() {
            facts = facts.texts("to", destinations.iter().map(DestinationName::as_str));
        }
        Plan {
            settled,
            destinations,
            facts,
        }
    }

    fn hold(&self, caller: &Caller, message: &Incoming, reason: Reason, plan: &Plan) -> Also {
        let template = HeldMessage {
            record: labward_base::id::RecordId::new(0),
            entry: labward_base::id::EntryIndex::new(0),
            reason: reason.problem().code.to_owned(),
            link: caller.link.config.name.to_string(),
            peer: caller.peer.name.clone(),
            message_type: message.message_type.clone(),
            size_bytes: u64::try_from(message.bytes.len()).unwrap_or(u64::MAX),
            destinations: plan.destinations.clone(),
            since: self.clock.now(),
            state: HeldState::Held,
            decided: None,
        };
        let site = self.site;
        Box::new(move |tx, record, entry| {
            store::insert_held(
                tx,
                site,
                &HeldMessage {
                    record,
                    entry,
                    ..template.clone()
                },
            )
        })
    }

    fn record_repeat(
        &self,
        caller: &Caller,
        outcome: Outcome,
        size_bytes: usize,
        waiter: Option<Waiter<Outcome>>,
    ) {
        let Some(record) = outcome.record else { return };
        let entry = NewEntry::new(
            self.site,
            Actor::Peer(caller.peer.id),
            Action::MessageDuplicate,
            Subject::Record(record),
        )
        .facts(caller.facts(Facts::new().number("size", size_bytes)));
        self.write_entry(
            entry,
            Outcome {
                is_repeat: true,
                ..outcome
            },
            waiter,
        );
    }

    fn write_entry(&self, entry: NewEntry, then: Outcome, waiter: Option<Waiter<Outcome>>) {
        let unit = move |tx: &mut Tx<'_>| append(tx, &entry);
        self.store
            .submit(unit, move |result: Result<_, LedgerError>| {
                let outcome = result.map_or(Outcome::NOT_KEPT, |_| then);
                if let Some(waiter) = waiter {
                    waiter.complete(outcome);
                }
            });
    }

    fn count(&self, caller: &Caller, outcome: Outcome, size_bytes: usize) {
        let now = self.clock.now();
        for counters in [&caller.link.counters, &caller.peer_counters] {
            match outcome.settled {
                _ if outcome.is_repeat => counters.count_duplicate(size_bytes, now),
                Settled::Accepted => counters.count_accepted(size_bytes, now),
                Settled::Refused(Reason::CannotKeep) => counters.count_refused(),
                Settled::Refused(_) => counters.count_held(size_bytes, now),
            }
        }
    }
}

impl Caller {
    /// A connection whose peer is known.
    pub(crate) fn new(
        shared: &Shared,
        link: Arc<Link>,
        peer: Arc<Peer>,
        address: IpAddr,
        protection: Protection,
        completions: Arc<Completions<Outcome>>,
    ) -> Self {
        let peer_counters = shared.events.peer(&peer.name.as_str().into());
        let counted = [
            link.counters.count_connection(),
            peer_counters.count_connection(),
        ];
        Self {
            generation: shared.peers.generation(),
            link,
            peer,
            address,
            via: None,
            certificate: None,
            told: Told::default(),
            protection,
            completions,
            peer_counters,
            _counted: counted,
        }
    }

    /// Takes over what was changed about peer and link; `false` if it may not be connected any more.
    pub(crate) fn refresh(&mut self, peers: &Peers) -> bool {
        let newer = self.link.newer();
        let generation = peers.generation();
        if newer.is_none() && generation == self.generation {
            return self.peer.is_active();
        }
        self.link = newer.unwrap_or_else(|| Arc::clone(&self.link));
        self.generation = generation;
        let Some(peer) = peers.by_id(self.peer.id) else {
            return false;
        };
        self.peer = peer;
        self.link.still_serves(&self.peer, self.address)
    }

    /// What the peer said of itself.
    pub(crate) fn noticed(&self, said: SelfDescription) -> Noticed {
        Noticed {
            peer: self.peer.id,
            peer_name: self.peer.name.clone(),
            link: self.link.config.name.to_string(),
            said,
        }
    }

    /// The device behind an edge.
    fn behind(&self) -> Option<Behind> {
        self.via.as_ref().map(|via| Behind {
            edge: self.peer.name.clone(),
            link: self.link.config.name.to_string(),
            device: via.device.clone(),
        })
    }

    fn facts(&self, facts: Facts) -> Facts {
        let facts = facts
            .text("link", self.link.config.name.as_str())
            .text("peer", self.peer.name.as_str())
            .text("line", self.protection.as_str());
        match &self.via {
            None => facts,
            Some(via) => facts
                .text("device", via.device.as_str())
                .number("item", via.item)
                .text("received", via.received.to_rfc3339()),
        }
    }
}

/// Both in one unit with the message, or neither.
fn both(first: Option<Also>, second: Option<Also>) -> Option<Also> {
    match (first, second) {
        (Some(mut first), Some(mut second)) => Some(Box::new(move |tx, record, entry| {
            first(tx, record, entry)?;
            second(tx, record, entry)
        })),
        (first, second) => first.or(second),
    }
}

fn mark_other_body(message: &mut Incoming, policy: DuplicatePolicy) {
    message.deviations.push("control-id-reused");
    if message.admission == Admission::Admit && policy == DuplicatePolicy::Hold {
        message.admission = Admission::Refuse(Reason::IdReused);
    }
}
