//! A small lab: a real store with its ledger, peers, an authority, and a gateway in front.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use labward_base::id::{EntryIndex, NodeId, PersonId, RecordId, SiteId};
use labward_base::{Clock, Timestamp};
use labward_identity::{Authority, NewPeer, PeerKind, PeerRules, Peers};
use labward_ledger::{Actor, Leaf, LedgerError, LedgerJournal, NewEntry, RecordIds, Subject};
use labward_seal::{Context, IndexKey, SealKey};
use labward_store::{Migration, Options, Store, StoreError, Tx};
use labward_testkit::{FakeClock, TempDir};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::{Client, Inspector};
use crate::config::{GatewayConfig, LinkConfig, RouteConfig, Transport};
use crate::delivery::{Dispatch, Outgoing};
use crate::events::Events;
use crate::gateway::{Gateway, GatewayParts, StartError};
use crate::inspect::Inspect;
use crate::keep::{Intake, Keep, KeepDone, KeepError, Kept, MessageKind, Opened, Recalled};
use crate::messages::{HeldFilter, HeldMessage};
use crate::tls::ServerIdentity;
use crate::watch::{Accepted, Watch};

/// The peer that every lab knows.
pub(crate) const PEER: &str = "chem-1";

const SITE: SiteId = SiteId::new(1);

/// How a lab is set up.
pub(crate) struct LabOptions {
    pub(crate) rules: PeerRules,
    pub(crate) plain: bool,
    pub(crate) link: Box<dyn Fn(&mut LinkConfig)>,
    pub(crate) inspector: Option<Arc<Inspector>>,
}

/// A message that was handed to delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) entry: EntryIndex,
    pub(crate) record: RecordId,
    pub(crate) bytes: Vec<u8>,
}

/// What was told of accepted messages.
#[derive(Default)]
pub(crate) struct Watched(Mutex<Vec<Accepted>>);

impl Watched {
    pub(crate) fn all(&self) -> Vec<Accepted> {
        self.0.lock().unwrap().clone()
    }
}

impl Watch for Watched {
    fn accepted(&self, accepted: Accepted) {
        self.0.lock().unwrap().push(accepted);
    }
}

pub(crate) struct Lab {
    options: LabOptions,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) store: Store,
    pub(crate) peers: Peers,
    pub(crate) authority: Authority,
    pub(crate) keep: Arc<LabKeep>,
    pub(crate) sent: Arc<Post>,
    pub(crate) told: Arc<Watched>,
    pub(crate) gateway: Option<Gateway>,
    bundle: (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>),
    key: SealKey,
    index_key: Arc<IndexKey>,
    folder: TempDir,
}

impl Default for LabOptions {
    fn default() -> Self {
        Self {
            rules: PeerRules::admit_all(),
            plain: false,
            link: Box::new(|_| {}),
            inspector: None,
        }
    }
}

impl Lab {
    /// A lab with one mutual-TLS link and a route for everything.
    pub(crate) fn start() -> Self {
        Self::with(LabOptions::default())
    }

    /// A lab whose one link is plain, on loopback.
    pub(crate) fn plain() -> Self {
        Self::with(LabOptions {
            plain: true,
            ..LabOptions::default()
        })
    }

    pub(crate) fn with_link(link: impl Fn(&mut LinkConfig) + 'static) -> Self {
        Self::with(LabOptions {
            link: Box::new(link),
            ..LabOptions::default()
        })
    }

    pub(crate) fn with(options: LabOptions) -> Self {
        let clock = Arc::new(FakeClock::new(Timestamp::from_seconds(1_800_000_000)));
        let folder = TempDir::new();
        let store = open_store(&folder, &clock);
        let authority = Authority::create("Lab", clock.now()).unwrap().authority;
        let peers = Peers::load(store.clone()).unwrap();
        let issued = authority
            .issue_peer(PEER, PeerKind::Analyzer, clock.now(), 30)
            .unwrap();
        let new = NewPeer {
            name: PEER.to_owned(),
            kind: PeerKind::Analyzer,
            site: SITE,
            rules: options.rules.clone(),
            authority: None,
            addresses: Vec::new(),
            identification: issued.identification,
        };
        peers.add(new, Actor::System).unwrap();
        let key = SealKey::generate().unwrap();
        let keep = Arc::new(LabKeep::new(store.clone(), &clock, key.clone()));
        let bundle = read_bundle(&issued.bundle.cert_pem, issued.bundle.key_pem.expose());
        let mut lab = Self {
            options,
            clock,
            store,
            peers,
            authority,
            keep,
            sent: Arc::default(),
            told: Arc::default(),
            gateway: None,
            bundle,
            key,
            index_key: Arc::new(IndexKey::from_bytes([7; 32])),
            folder,
        };
        lab.open();
        lab
    }

    /// Stops everything and starts it again over the same data.
    pub(crate) fn restart(&mut self) {
        self.close();
        self.store = open_store(&self.folder, &self.clock);
        self.peers = Peers::load(self.store.clone()).unwrap();
        let keep = LabKeep::new(self.store.clone(), &self.clock, self.key.clone());
        self.keep = Arc::new(keep);
        self.open();
    }

    /// Stops the gateway and closes the store.
    pub(crate) fn close(&mut self) {
        self.gateway = None;
        self.store.close().unwrap();
    }

    pub(crate) fn open(&mut self) {
        self.gateway = Some(self.try_open().unwrap());
    }

    pub(crate) fn try_open(&self) -> Result<Gateway, StartError> {
        Gateway::start(self.config(), self.parts())
    }

    /// Puts another configuration in force while everything runs.
    pub(crate) fn reload(&self, change: impl FnOnce(&mut GatewayConfig)) -> Result<(), StartError> {
        let mut config = self.config();
        change(&mut config);
        let identity = self.parts().identity;
        let prepared = self.gateway().prepare(&config, identity.as_ref())?;
        self.gateway().apply(prepared);
        Ok(())
    }

    /// The configuration that the lab was opened with.
    pub(crate) fn config(&self) -> GatewayConfig {
        let listen = "127.0.0.1:0".parse().unwrap();
        let mut link = LinkConfig::new("hl7".parse().unwrap(), listen);
        if self.options.plain {
            link.peer = Some(PEER.to_owned());
            link.transport = Transport::Plain {
                reason: None,
                owner: None,
                expires: None,
                from_addresses: Vec::new(),
            };
        }
        (self.options.link)(&mut link);
        let target = "[[destinations]]\nname = \"ehr\"\n[destinations.target]\nkind = \"mllp\"\n\
                      address = \"127.0.0.1:1\"\n";
        GatewayConfig {
            links: vec![link],
            routes: vec![RouteConfig {
                types: vec!["*".to_owned()],
                from: vec!["*".to_owned()],
                links: Vec::new(),
                to: vec!["ehr".parse().unwrap()],
            }],
            drain_seconds: 2,
            ..toml::from_str(target).unwrap()
        }
    }

    pub(crate) fn parts(&self) -> GatewayParts {
        let names = ["localhost".to_owned()];
        let server = self
            .authority
            .issue_server(&names, self.clock.now(), 30)
            .unwrap()
            .bundle;
        let (chain, key) = read_bundle(&server.cert_pem, server.key_pem.expose());
        GatewayParts {
            store: self.store.clone(),
            keep: Arc::clone(&self.keep) as Arc<dyn Keep>,
            peers: self.peers.clone(),
            index_key: Arc::clone(&self.index_key),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            dispatch: Arc::clone(&self.sent) as Arc<dyn Dispatch>,
            identity: Some(ServerIdentity {
                chain,
                key,
                authority: self.authority.certificate().clone(),
            }),
            events: Events::default(),
            edges: None,
            notice: None,
            watch: Some(Arc::clone(&self.told) as Arc<dyn Watch>),
            inspect: self
                .options
                .inspector
                .clone()
                .map(|inspector| inspector as Arc<dyn Inspect>),
            site: SITE,
        }
    }

    /// Certificate and key of [`PEER`].
    pub(crate) fn bundle(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        (self.bundle.0.clone(), self.bundle.1.clone_key())
    }

    pub(crate) fn gateway(&self) -> &Gateway {
        self.gateway.as_ref().unwrap()
    }

    /// A connection of [`PEER`], or over the plain link.
    pub(crate) async fn connect(&self) -> Client {
        let (_, address) = self.gateway().local_addresses().remove(0);
        if self.options.plain {
            return Client::plain(address).await;
        }
        Client::tls(address, self.authority.certificate(), Some(self.bundle()))
            .await
            .unwrap()
    }

    /// Every entry of the ledger, as leaves.
    pub(crate) fn leaves(&self) -> Vec<Leaf> {
        let entries = self
            .store
            .read(|snapshot| labward_ledger::entries(snapshot, EntryIndex::new(0), 10_000));
        let entries: Vec<_> = Result::<_, StoreError>::unwrap(entries);
        entries
            .iter()
            .map(|entry| Leaf::parse(&entry.leaf).unwrap())
            .collect()
    }

    /// The entries of messages and strangers, by the names of their actions.
    pub(crate) fn actions(&self) -> Vec<&'static str> {
        let leaves = self.leaves();
        let names = leaves.iter().map(|leaf| leaf.action.name());
        names
            .filter(|name| name.starts_with("message.") || name.starts_with("stranger."))
            .collect()
    }

    pub(crate) fn held(&self) -> Vec<HeldMessage> {
        self.gateway()
            .messages()
            .list(&HeldFilter::default())
            .unwrap()
    }

    /// What a held message holds.
    pub(crate) fn content(&self, held: &HeldMessage) -> Vec<u8> {
        self.keep.open(held.record).unwrap().bytes.expose().clone()
    }

    /// What is kept under a record.
    pub(crate) fn keep_of(&self, record: RecordId) -> Vec<u8> {
        self.keep.open(record).unwrap().bytes.expose().clone()
    }

    pub(crate) fn release(&self, held: &HeldMessage) {
        let messages = self.gateway().messages();
        messages
            .release(held.record, PersonId::new(1), "looks right")
            .unwrap();
    }

    /// Who looks at its messages.
    pub(crate) fn inspector(&self) -> &Inspector {
        self.options.inspector.as_ref().unwrap()
    }

    /// Waits for what the stopping gateway left to the store.
    pub(crate) fn wait_for_entry(&self, action: &str) {
        // Units run in their order: when this one is durable, so is what was handed over before.
        self.store.write(|_| Ok::<_, StoreError>(())).unwrap();
        assert!(
            self.actions().contains(&action),
            "{action}: {:?}",
            self.actions()
        );
    }

    /// Waits until the link counted what `done` asks for.
    pub(crate) async fn wait(&self, done: impl Fn(&Self) -> bool) {
        for _ in 0..500 {
            if done(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!(
            "what was waited for did not come: {:?}",
            self.gateway().status()
        );
    }
}

fn open_store(folder: &TempDir, clock: &Arc<FakeClock>) -> Store {
    let migrations: Vec<Migration> = [
        labward_ledger::MIGRATIONS,
        labward_identity::MIGRATIONS,
        labward_identity::RENEWAL_MIGRATIONS,
        crate::MIGRATIONS,
    ]
    .concat();
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    let journal = Box::new(LedgerJournal::new(NodeId::new(1), clock));
    Store::open(Options::new(folder.join("db.sqlite")), &migrations, journal).unwrap()
}

/// Certificates and key of what the authority issued.
pub(crate) fn bundle_of(
    bundle: &labward_identity::Bundle,
) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    read_bundle(&bundle.cert_pem, bundle.key_pem.expose())
}

fn read_bundle(cert: &str, key: &str) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let chain = CertificateDer::pem_slice_iter(cert.as_bytes())
        .map(Result::unwrap)
        .collect();
    (
        chain,
        PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
    )
}

/// Delivery that only remembers.
#[derive(Default)]
pub(crate) struct Post(Mutex<Vec<Sent>>);

impl Post {
    pub(crate) fn all(&self) -> Vec<Sent> {
        self.0.lock().unwrap().clone()
    }
}

impl Dispatch for Post {
    fn committed(&self, outgoing: Outgoing) {
        let bytes = outgoing
            .bytes
            .map(|bytes| bytes.expose().clone())
            .unwrap_or_default();
        let Outgoing { entry, record, .. } = outgoing;
        self.0.lock().unwrap().push(Sent {
            entry,
            record,
            bytes,
        });
    }
}

/// Keeps messages sealed in the real ledger, all under one key.
pub(crate) struct LabKeep {
    store: Store,
    clock: Arc<FakeClock>,
    ids: RecordIds,
    key: SealKey,
    /// Refuses every message, as a full disk would.
    pub(crate) broken: AtomicBool,
    pub(crate) sealed: AtomicBool,
}

impl LabKeep {
    fn new(store: Store, clock: &Arc<FakeClock>, key: SealKey) -> Self {
        let ids = store.read(|snapshot| RecordIds::load(snapshot)).unwrap();
        let clock = Arc::clone(clock);
        Self {
            store,
            clock,
            ids,
            key,
            broken: AtomicBool::default(),
            sealed: AtomicBool::default(),
        }
    }

    fn context(record: RecordId) -> Context {
        let patient = labward_base::id::PatientId::new(0);
        Context {
            site: SITE,
            patient,
            kind: 1,
            record,
            version: 1,
        }
    }
}

impl Keep for LabKeep {
    fn keep(&self, intake: Intake, done: KeepDone) {
        if self.broken.load(Ordering::Relaxed) {
            return done(Err(KeepError::Unwritable));
        }
        let record = self.ids.next();
        let payload =
            labward_seal::seal(&self.key, 1, &Self::context(record), &intake.bytes).unwrap();
        let Intake {
            actor,
            action,
            site,
            facts,
            hints,
            bytes,
            mut also,
            ..
        } = intake;
        let mut entry = NewEntry::new(site, actor, action, Subject::Record(record)).facts(facts);
        entry.record = Some(record);
        entry.kind = 1;
        entry.payload = Some(payload);
        entry.hints = hints;
        let unit = move |tx: &mut Tx<'_>| -> Result<EntryIndex, LedgerError> {
            let index = labward_ledger::append(tx, &entry)?;
            if let Some(also) = &mut also {
                also(tx, record, index)?;
            }
            Ok(index)
        };
        let time = self.clock.now();
        self.store.submit(unit, move |result| {
            done(result.map_err(|_| KeepError::Unwritable).map(|entry| Kept {
                record,
                entry,
                time,
                patient: None,
                ordering: Vec::new(),
                bytes,
            }));
        });
    }

    fn open(&self, record: RecordId) -> Result<Opened, KeepError> {
        let payload = self
            .store
            .read(|snapshot| labward_ledger::payload_of(snapshot, record));
        let payload = payload.map_err(|_: StoreError| KeepError::Internal)?;
        let payload = payload.ok_or(KeepError::NotFound)?;
        let bytes = labward_seal::open(&self.key, &Self::context(record), &payload)
            .map_err(|_| KeepError::Damaged)?;
        Ok(Opened {
            kind: MessageKind::Hl7V2,
            patient: None,
            bytes,
        })
    }

    fn hints(&self, record: RecordId) -> Result<Option<Vec<u8>>, KeepError> {
        let entry = self
            .store
            .read(|snapshot| labward_ledger::entry_of_record(snapshot, record));
        let entry = entry.map_err(|_: StoreError| KeepError::Internal)?;
        Ok(entry.and_then(|entry| entry.hints))
    }

    fn seal_detail(&self, site: SiteId, detail: &[u8]) -> Result<Vec<u8>, KeepError> {
        labward_ledger::seal_detail(&self.key, 1, site, detail).map_err(|_| KeepError::Internal)
    }

    fn recall(
        &self,
        oldest: Timestamp,
        each: &mut dyn FnMut(Recalled<'_>) -> ControlFlow<()>,
    ) -> Result<(), KeepError> {
        let before = EntryIndex::new(u64::MAX >> 1);
        let entries = self
            .store
            .read(|snapshot| labward_ledger::entries_before(snapshot, before, 10_000))
            .map_err(|_: StoreError| KeepError::Internal)?;
        for entry in entries {
            let leaf = Leaf::parse(&entry.leaf).map_err(|_| KeepError::Damaged)?;
            let (Some(record), Some(hints)) = (entry.record, entry.hints) else {
                continue;
            };
            if leaf.time < oldest {
                break;
            }
            let recalled = Recalled {
                record,
                time: leaf.time,
                hints: &hints,
            };
            if each(recalled).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn is_ready(&self) -> bool {
        !self.sealed.load(Ordering::Relaxed)
    }
}
