//! The peers of this installation: in memory for every connection, in a table for good.
//!
//! Looking one up must never wait for a change that is being written.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use labward_base::Timestamp;
use labward_base::id::PeerId;
use labward_ledger::{Action, Actor};
use labward_store::Store;

use crate::peer::check_name;
use crate::{
    Identification, IdentityError, NewPeer, Peer, PeerChange, PeerRules, PeerState, store,
};

const MAX_TEXT_BYTES: usize = 250;
const MAX_ADDRESSES: usize = 100;

/// All peers; clones share them.
#[derive(Clone)]
pub struct Peers(Arc<Shared>);

struct Shared {
    store: Store,
    table: RwLock<Arc<Table>>,
    generation: AtomicU64,
    changing: Mutex<()>,
    watchers: RwLock<Vec<Watcher>>,
}

type Watcher = Box<dyn Fn(&Arc<Peer>) + Send + Sync>;

#[derive(Clone, Default)]
struct Table {
    by_id: BTreeMap<PeerId, Arc<Peer>>,
    by_name: HashMap<String, PeerId>,
    by_spki: HashMap<[u8; 32], PeerId>,
    by_address: HashMap<IpAddr, PeerId>,
}

impl Peers {
    /// Reads all peers.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Store`].
    pub fn load(store: Store) -> Result<Self, IdentityError> {
        let mut table = Table::default();
        for peer in store.read(|snapshot| store::read_peers(snapshot))? {
            table.put(Arc::new(peer));
        }
        Ok(Self(Arc::new(Shared {
            store,
            table: RwLock::new(Arc::new(table)),
            generation: AtomicU64::new(0),
            changing: Mutex::new(()),
            watchers: RwLock::default(),
        })))
    }

    /// The peer with this number.
    pub fn by_id(&self, id: PeerId) -> Option<Arc<Peer>> {
        self.table().by_id.get(&id).cloned()
    }

    /// The peer with this name.
    pub fn by_name(&self, name: &str) -> Option<Arc<Peer>> {
        let table = self.table();
        table.by_id.get(table.by_name.get(name)?).cloned()
    }

    /// The peer with this public key, or with it before its last renewal; active or not.
    pub fn by_spki(&self, spki_sha256: &[u8; 32]) -> Option<Arc<Peer>> {
        let table = self.table();
        table.by_id.get(table.by_spki.get(spki_sha256)?).cloned()
    }

    /// The active peer that may use a plain link from this address.
    pub fn by_address(&self, address: IpAddr) -> Option<Arc<Peer>> {
        let table = self.table();
        table.by_id.get(table.by_address.get(&address)?).cloned()
    }

    /// All peers in the order of their numbers, revoked ones too.
    pub fn list(&self) -> Vec<Arc<Peer>> {
        self.table().by_id.values().cloned().collect()
    }

    /// Goes up with every change; whoever holds connections compares it.
    pub fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::Acquire)
    }

    /// Calls `watcher` after each change with the peer as it then stands, on the changer's thread.
    pub fn watch(&self, watcher: impl Fn(&Arc<Peer>) + Send + Sync + 'static) {
        let mut watchers = self
            .0
            .watchers
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        watchers.push(Box::new(watcher));
    }

    /// Adds a peer, with its entry; it may connect as soon as this returns.
    ///
    /// # Errors
    ///
    /// [`IdentityError::NotAName`], [`IdentityError::PeerExists`], [`IdentityError::Store`].
    pub fn add(&self, new: NewPeer, actor: Actor) -> Result<Arc<Peer>, IdentityError> {
        let peer = checked(new)?;
        self.change(move |tx| {
            let mut peer = peer.clone();
            peer.id = store::next_peer_id(tx)?;
            store::refuse_known_peer(tx, &peer)?;
            store::write_peer(tx, &peer, Action::PeerAdded, actor)?;
            Ok(peer)
        })
    }

    /// Changes what a peer may send and from where, with its entry, which names what is otherwise;
    /// `why` is the sealed detail of it. What changes nothing is no entry.
    ///
    /// From the return on it holds for the peer's next message, on open connections too.
    ///
    /// # Errors
    ///
    /// [`IdentityError::NoPeer`], [`IdentityError::PeerRevoked`], [`IdentityError::NotAName`] if the
    /// rules are too long, [`IdentityError::AddressTaken`], [`IdentityError::Store`].
    pub fn set(
        &self,
        id: PeerId,
        change: PeerChange,
        actor: Actor,
        why: Vec<u8>,
    ) -> Result<Arc<Peer>, IdentityError> {
        let shared = Arc::clone(&self.0);
        self.change(move |tx| {
            let mut peer = store::peer_by_id(tx, id)?;
            if !peer.is_active() {
                return Err(IdentityError::PeerRevoked(id));
            }
            let changed = change.apply(&mut peer);
            check_rest(&peer.rules, peer.authority.as_deref(), &peer.addresses)?;
            let table = shared.table.read().unwrap_or_else(PoisonError::into_inner);
            let others = |address: &&IpAddr| {
                let holder = table.by_address.get(*address);
                holder.is_some_and(|holder| *holder != id)
            };
            if let Some(taken) = peer.addresses.iter().find(others) {
                return Err(IdentityError::AddressTaken(*taken));
            }
            drop(table);
            if !changed.is_empty() {
                store::change_peer(tx, &peer, &changed, actor, why.clone())?;
            }
            Ok(peer)
        })
    }

    /// Gives a peer another certificate, with its entry.
    ///
    /// The key before is accepted until its certificate ends, or [`RENEWAL_OVERLAP`](crate::RENEWAL_OVERLAP) from `now`.
    ///
    /// # Errors
    ///
    /// [`IdentityError::NoPeer`], [`IdentityError::PeerRevoked`], [`IdentityError::PeerExists`] if
    /// the public key is another peer's, [`IdentityError::Store`].
    pub fn renew(
        &self,
        id: PeerId,
        identification: Identification,
        actor: Actor,
        now: Timestamp,
    ) -> Result<Arc<Peer>, IdentityError> {
        self.change(move |tx| {
            let mut peer = store::peer_by_id(tx, id)?;
            if !peer.is_active() {
                return Err(IdentityError::PeerRevoked(id));
            }
            peer.take_over(&identification, now);
            peer.certificate = None;
            store::refuse_known_peer(tx, &peer)?;
            store::write_peer(tx, &peer, Action::PeerRenewed, actor)?;
            Ok(peer)
        })
    }

    /// Revokes a peer for good, with its entry; a revoked one stays as it is, without another.
    ///
    /// From the return on no handshake of it succeeds; watchers close what is open.
    ///
    /// # Errors
    ///
    /// [`IdentityError::NoPeer`], [`IdentityError::Store`].
    pub fn revoke(&self, id: PeerId, actor: Actor) -> Result<Arc<Peer>, IdentityError> {
        self.change(move |tx| {
            let mut peer = store::peer_by_id(tx, id)?;
            if peer.is_active() {
                peer.state = PeerState::Revoked;
                peer.previous = None;
                store::write_peer(tx, &peer, Action::PeerRevoked, actor)?;
            }
            Ok(peer)
        })
    }

    pub(crate) fn change(
        &self,
        unit: impl FnMut(&mut labward_store::Tx<'_>) -> Result<Peer, IdentityError> + Send + 'static,
    ) -> Result<Arc<Peer>, IdentityError> {
        let shared = &self.0;
        // Held across commit and publication, so that memory sees changes in the order of commits.
        let _order = shared
            .changing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let peer = Arc::new(shared.store.write(unit)?);
        let mut next = Table::clone(&self.table());
        next.put(Arc::clone(&peer));
        *shared.table.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        shared.generation.fetch_add(1, Ordering::AcqRel);
        let watchers = shared
            .watchers
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        for watcher in watchers.iter() {
            watcher(&peer);
        }
        Ok(peer)
    }

    fn table(&self) -> Arc<Table> {
        let table = self.0.table.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&table)
    }
}

impl Table {
    fn put(&mut self, peer: Arc<Peer>) {
        if let Some(old) = self.by_id.remove(&peer.id) {
            self.by_spki.retain(|_, id| *id != old.id);
            self.by_address.retain(|_, id| *id != old.id);
        }
        self.by_name.insert(peer.name.clone(), peer.id);
        self.by_spki.insert(peer.spki_sha256, peer.id);
        if let Some(previous) = &peer.previous {
            self.by_spki.insert(previous.spki_sha256, peer.id);
        }
        if peer.is_active() {
            for address in &peer.addresses {
                self.by_address.insert(*address, peer.id);
            }
        }
        self.by_id.insert(peer.id, peer);
    }
}

fn check_rest(
    rules: &PeerRules,
    authority: Option<&str>,
    addresses: &[IpAddr],
) -> Result<(), IdentityError> {
    rules.check()?;
    let authority = authority.unwrap_or_default();
    if authority.len() > MAX_TEXT_BYTES || authority.chars().any(char::is_control) {
        return Err(IdentityError::NotAName { what: "authority" });
    }
    if addresses.len() > MAX_ADDRESSES {
        return Err(IdentityError::NotAName {
            what: "list of addresses",
        });
    }
    Ok(())
}

fn checked(new: NewPeer) -> Result<Peer, IdentityError> {
    check_name(&new.name)?;
    check_rest(&new.rules, new.authority.as_deref(), &new.addresses)?;
    let identification = new.identification;
    Ok(Peer {
        id: PeerId::new(0),
        name: new.name,
        kind: new.kind,
        site: new.site,
        spki_sha256: identification.spki_sha256,
        origin: identification.origin,
        serial: identification.serial,
        not_before: Some(identification.not_before),
        not_after: identification.not_after,
        certificate: None,
        state: PeerState::Active,
        rules: new.rules,
        authority: new.authority,
        addresses: new.addresses,
        previous: None,
    })
}
