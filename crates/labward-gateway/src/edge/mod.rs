//! The hop from an edge: sealed messages over mutual TLS, once, in order, against its checkpoints.
//!
//! An edge stands beside devices without TLS. It answers them after its own durable commit and holds
//! no key that opens what it queued, so what travels is the sealed item, which is opened here. It
//! must never be acknowledged before the server's own commit, be taken twice, or be taken from an
//! edge whose ledger does not continue what was seen of it.
//!
//! | Module | Holds |
//! |---|---|
//! | [`wire`] | what the two sides say to each other |
//! | [`parcel`] | what an edge seals: a message and what is known of its arrival |
//! | `session` | one connection of an edge, from hello to the ordinary path of a message |
//! | `intake` | an opened parcel on that path: its sender's rules, its place in the window |
//! | `store` | what is known of each edge |
//! | `renewal` | an edge asks for its next certificate |
//!
//! # Once and in order
//!
//! Items are numbered by the edge's queue, and each names the one before. The server takes them one
//! by one, keeps each like any message, and writes how far it came before it answers `Taken`; the
//! edge lets an item go only then. After a crash between the message's commit and that row the edge
//! sends it again, and the duplicate window knows it: by its control id and device, by its body for
//! ASTM, else by queue and envelope.
//!
//! # The edge's ledger
//!
//! Every connection begins with the edge's newest signed checkpoint, the proof that it continues the
//! one kept here, and the digest of the last item taken. A ledger that is shorter, another, or holds
//! another item under that number is refused until somebody enrols the edge again.
//!
//! # The edge's certificate
//!
//! An edge whose ledger was found to continue may ask for its next certificate, for itself and for a
//! key that it made. Whether it gets one is for whoever plugs in [`RenewCertificate`]; a refusal is
//! recorded, and nothing of the queue depends on it.

mod intake;
pub mod parcel;
mod renewal;
mod session;
mod store;
pub mod wire;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use labward_base::id::{PeerId, SiteId};
use labward_base::{Problem, Secret, Timestamp};
use labward_identity::RenewalRequest;
use labward_ledger::VerifierKey;
use labward_store::{Store, StoreError, Tx};
use tokio::sync::Notify;

use self::renewal::Asked;
use self::store::Known;
use self::wire::State;

pub(crate) use self::session::serve;
pub use self::store::MIGRATIONS;

/// Opens what edges sealed; the server plugs it in.
pub trait OpenEnvelope: Send + Sync + 'static {
    /// The beginning of the SHA-256 of the public key that edges seal to.
    fn key_id(&self) -> [u8; 8];

    /// Opens an envelope that was sealed for `place`; `None` if it does not open.
    fn open(&self, place: &[u8], envelope: &[u8]) -> Option<Secret<Vec<u8>>>;
}

/// Issues edges their next certificate; the server plugs it in.
pub trait RenewCertificate: Send + Sync + 'static {
    /// The next certificate (PEM) of the peer that asks, durably known before this returns; asked
    /// again for the same key, the same one. It may take as long as a commit does.
    ///
    /// # Errors
    /// Why it is refused, or could not be issued.
    fn renew(&self, asked: &RenewalRequest) -> Result<String, &'static Problem>;
}

/// The edges of this installation; clones share them.
#[derive(Clone)]
pub struct Edges(Arc<Inner>);

struct Inner {
    store: Store,
    opener: Arc<dyn OpenEnvelope>,
    renewer: Arc<dyn RenewCertificate>,
    live: Mutex<HashMap<PeerId, Live>>,
}

/// What an edge said last, and its present connection.
#[derive(Default)]
struct Live {
    state: State,
    seen: Option<Timestamp>,
    /// Ends the present connection; of two the newer one stays.
    present: Option<Arc<Notify>>,
    turn: Arc<tokio::sync::Mutex<()>>,
    asked: Asked,
}

/// What is known of an edge at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeStatus {
    /// The peer that it is.
    pub peer: PeerId,
    /// Whether it is connected.
    pub is_connected: bool,
    /// When it was last heard of; `None`: never.
    pub seen: Option<Timestamp>,
    /// Its program's version; empty before the first connection.
    pub version: String,
    /// The last item taken from it.
    pub taken: u64,
    /// Messages that waited at it when it was last heard of; `None` since the server's start.
    pub waiting: Option<u64>,
    /// Since when the oldest of them waited.
    pub oldest: Option<Timestamp>,
    /// Messages that were damaged in its queue.
    pub damaged: u64,
    /// Entries of its ledger as of the newest checkpoint kept.
    pub ledger_size: u64,
    /// Why it is refused, as a code.
    pub fault: Option<String>,
}

impl Edges {
    /// The edges in `store`.
    pub fn new(
        store: Store,
        opener: Arc<dyn OpenEnvelope>,
        renewer: Arc<dyn RenewCertificate>,
    ) -> Self {
        Self(Arc::new(Inner {
            store,
            opener,
            renewer,
            live: Mutex::default(),
        }))
    }

    /// Writes, in the caller's unit, that `peer` is the edge with this queue and ledger from now on.
    ///
    /// Its next checkpoint is taken as the first, and what it then knows to be taken holds.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn enrol(
        tx: &mut Tx<'_>,
        site: SiteId,
        peer: PeerId,
        queue: [u8; 16],
        ledger_key: &VerifierKey,
    ) -> Result<(), StoreError> {
        let before = store::known(tx, peer)?;
        let known = Known {
            peer,
            site,
            queue,
            ledger_key: ledger_key.to_string(),
            taken: 0,
            taken_sha256: None,
            checkpoint: None,
            fault: None,
            version: String::new(),
            seen: before.map_or(Timestamp::default(), |before| before.seen),
        };
        store::put(tx, &known)
    }

    /// What is known of every edge.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn status(&self) -> Result<Vec<EdgeStatus>, StoreError> {
        let known = self.0.store.read(|snapshot| store::all(snapshot))?;
        let live = self.live();
        let status = |known: Known| {
            let now = live.get(&known.peer);
            let stored = (known.seen != Timestamp::default()).then_some(known.seen);
            let state = now.filter(|now| now.seen.is_some()).map(|now| now.state);
            EdgeStatus {
                peer: known.peer,
                is_connected: now.is_some_and(|now| now.present.is_some()),
                seen: now.and_then(|now| now.seen).or(stored),
                ledger_size: known.kept().map_or(0, |kept| kept.size),
                version: known.version,
                taken: known.taken,
                waiting: state.map(|state| state.waiting),
                oldest: state
                    .filter(|state| state.waiting > 0)
                    .map(|state| Timestamp::from_micros(state.oldest_us)),
                damaged: state.map_or(0, |state| state.damaged),
                fault: known.fault,
            }
        };
        Ok(known.into_iter().map(status).collect())
    }

    fn live(&self) -> MutexGuard<'_, HashMap<PeerId, Live>> {
        self.0.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Becomes the one connection of `peer`; the one before is told to end.
    fn enter(&self, peer: PeerId) -> (Present, Arc<tokio::sync::Mutex<()>>) {
        let mut live = self.live();
        let own = live.entry(peer).or_default();
        let ended = Arc::new(Notify::new());
        if let Some(before) = own.present.replace(Arc::clone(&ended)) {
            before.notify_one();
        }
        let turn = Arc::clone(&own.turn);
        let present = Present {
            edges: self.clone(),
            peer,
            replaced: ended,
        };
        (present, turn)
    }

    fn heard(&self, peer: PeerId, state: Option<State>, now: Timestamp) {
        let mut live = self.live();
        let own = live.entry(peer).or_default();
        own.seen = Some(now);
        if let Some(state) = state {
            own.state = state;
        }
    }
}

/// The present connection of an edge; gives its place back when dropped.
struct Present {
    edges: Edges,
    peer: PeerId,
    replaced: Arc<Notify>,
}

impl Drop for Present {
    fn drop(&mut self) {
        let mut live = self.edges.live();
        if let Some(own) = live.get_mut(&self.peer)
            && own
                .present
                .as_ref()
                .is_some_and(|present| Arc::ptr_eq(present, &self.replaced))
        {
            own.present = None;
        }
    }
}
