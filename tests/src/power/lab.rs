//! The rooms assembled by hand on a file layer whose power can be cut.
//!
//! The wiring is the server's, without its admin socket: the server takes no file layer, so that
//! nobody can give it one that lies.

use std::error::Error;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use labward_base::id::{RecordId, SiteId};
use labward_base::{Clock, Timestamp};
use labward_gateway::config::LinkConfig;
use labward_gateway::delivery::{Dispatch, Outgoing};
use labward_gateway::events::Events;
use labward_gateway::keep::{
    Intake, Keep, KeepDone, KeepError, Kept, MessageKind, Opened as OpenedMessage, Recalled,
};
use labward_gateway::tls::ServerIdentity;
use labward_gateway::{Gateway, GatewayConfig, GatewayParts};
use labward_identity::{Authority, Bundle, NewPeer, PeerKind, PeerRules, Peers};
use labward_keys::{Keys, NewSlot, Scope};
use labward_ledger::{Actor, verify};
use labward_os::SystemClock;
use labward_records::{RecordKind, Records};
use labward_store::{Durability, Options, Store, StoreError};
use labward_testkit::TempDir;
use labward_testkit::vfs::FaultVfs;

use crate::support::{Identity, NODE, Opened, SITE, eventually, open_rooms, open_store};

const DATABASE: &str = "labward.sqlite";
/// An installation on the disk: the database that is cut, and what lies elsewhere.
pub(crate) struct Lab {
    database: TempDir,
    /// The key file and the sealed files of large records, which these tests do not cut.
    elsewhere: TempDir,
    authority: Authority,
    server: Bundle,
    peer: Identity,
}

/// The rooms at work.
pub(crate) struct Running {
    store: Store,
    gateway: Gateway,
    peer: Identity,
}

impl Lab {
    /// Makes the root key and the first peer, durably.
    pub(crate) fn create() -> Self {
        let now = SystemClock.now();
        let authority = Authority::create("Lab", now).unwrap().authority;
        let names = ["localhost".to_owned()];
        let server = authority.issue_server(&names, now, 30).unwrap().bundle;
        let issued = authority
            .issue_peer("xn550", PeerKind::Analyzer, now, 30)
            .unwrap();
        let lab = Self {
            database: TempDir::new(),
            elsewhere: TempDir::new(),
            authority,
            server,
            peer: Identity::from_pem(issued.bundle.to_pem().expose().as_bytes()),
        };
        let store = open_store(Options::new(lab.database.join(DATABASE))).unwrap();
        let clock = Arc::new(SystemClock);
        let keys = Keys::load(store.clone(), SITE, lab.database.path(), clock).unwrap();
        let slot = NewSlot::KeyFile {
            label: "stick".to_owned(),
            path: lab.key_file(),
        };
        keys.create(&[slot], Actor::System).unwrap();
        let new = NewPeer {
            name: "xn550".to_owned(),
            kind: PeerKind::Analyzer,
            site: SITE,
            rules: PeerRules::admit_all(),
            authority: None,
            addresses: Vec::new(),
            identification: issued.identification,
        };
        let peers = Peers::load(store.clone()).unwrap();
        peers.add(new, Actor::System).unwrap();
        store.close().unwrap();
        lab
    }

    /// The folder in which the database lies.
    pub(crate) fn database_folder(&self) -> &Path {
        self.database.path()
    }

    /// Starts everything on the file layer `vfs`.
    pub(crate) fn open(&self, vfs: &FaultVfs, durability: Durability) -> Running {
        let options = Options {
            // Small, so that cuts also hit the move from the log into the database.
            autocheckpoint_bytes: 256 << 10,
            durability,
            vfs: Some(vfs.name().to_owned()),
            ..Options::new(self.database.join(DATABASE))
        };
        let Opened {
            store,
            keys,
            records,
        } = eventually("the database to be let go of", || {
            // What makes the lab may still be reading names when it is through.
            match self.rooms(options.clone()) {
                Err(error) if is_busy(error.as_ref()) => None,
                opened => Some(opened.unwrap()),
            }
        });
        let link = LinkConfig::new("hl7".parse().unwrap(), "127.0.0.1:0".parse().unwrap());
        let config = GatewayConfig {
            links: vec![link],
            ..GatewayConfig::default()
        };
        let (chain, key) = Identity::from_pem(self.server.to_pem().expose().as_bytes()).shown();
        let parts = GatewayParts {
            store: store.clone(),
            keep: Arc::new(Keeper {
                records,
                keys: keys.clone(),
            }),
            peers: Peers::load(store.clone()).unwrap(),
            index_key: keys.index_key().unwrap(),
            clock: Arc::new(SystemClock),
            dispatch: Arc::new(Nowhere),
            identity: Some(ServerIdentity {
                chain,
                key,
                authority: self.authority.certificate().clone(),
            }),
            events: Events::default(),
            edges: None,
            notice: None,
            watch: None,
            inspect: None,
            site: SITE,
        };
        Running {
            gateway: Gateway::start(config, parts).unwrap(),
            store,
            peer: self.peer.clone(),
        }
    }

    /// Opens what a cut left in `folder`, as after a real one: ledger, keys and every message.
    pub(crate) fn reopen(&self, folder: &Path) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
        let rooms = self.rooms(Options::new(folder.join(DATABASE)))?;
        let report = verify(&rooms.store, NODE, None)?;
        if !report.is_sound() {
            return Err(format!("the ledger is not sound: {:?}", report.faults).into());
        }
        let messages = rooms.messages()?;
        rooms.store.close()?;
        Ok(messages)
    }

    fn key_file(&self) -> PathBuf {
        self.elsewhere.join("root.key")
    }

    fn rooms(&self, options: Options) -> Result<Opened, Box<dyn Error>> {
        let data = options.path.parent().unwrap().to_owned();
        open_rooms(
            options,
            &data,
            &self.key_file(),
            &self.elsewhere.join("blob"),
        )
    }
}

fn is_busy(error: &(dyn Error + 'static)) -> bool {
    matches!(error.downcast_ref(), Some(StoreError::Busy))
}

impl Running {
    /// Where the link listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.gateway.local_addresses()[0].1
    }

    /// The peer that is known.
    pub(crate) fn peer(&self) -> &Identity {
        &self.peer
    }

    /// Stops everything.
    pub(crate) fn close(self) {
        self.gateway.shutdown();
        self.store.close().unwrap();
    }
}

/// Delivery is no part of these tests.
struct Nowhere;

impl Dispatch for Nowhere {
    fn committed(&self, outgoing: Outgoing) {
        drop(outgoing);
    }
}

/// The gateway's messages as records; what the server's adapter does, as far as it is needed here.
struct Keeper {
    records: Records,
    keys: Keys,
}

impl Keep for Keeper {
    fn keep(&self, intake: Intake, done: KeepDone) {
        assert_eq!(
            intake.kind,
            MessageKind::Hl7V2,
            "only good messages are sent"
        );
        let intake = labward_records::Intake {
            kind: RecordKind::Hl7V2,
            action: intake.action,
            actor: intake.actor,
            site: intake.site,
            authority: intake.authority,
            device: intake.device,
            facts: intake.facts,
            hints: intake.hints,
            bytes: intake.bytes,
            also: intake.also,
        };
        self.records.keep(
            intake,
            Box::new(move |kept| {
                let kept = kept.map(|kept| Kept {
                    record: kept.record,
                    entry: kept.entry,
                    time: kept.time,
                    patient: kept.patient,
                    ordering: kept.ordering,
                    bytes: kept.bytes,
                });
                done(kept.map_err(|_| KeepError::Unwritable));
            }),
        );
    }

    fn open(&self, record: RecordId) -> Result<OpenedMessage, KeepError> {
        let opened = self.records.open(record).map_err(|_| KeepError::Damaged)?;
        Ok(OpenedMessage {
            kind: MessageKind::Hl7V2,
            patient: opened.patient,
            bytes: opened.bytes,
        })
    }

    fn seal_detail(&self, site: SiteId, detail: &[u8]) -> Result<Vec<u8>, KeepError> {
        let (key, epoch) = self
            .keys
            .site_key(Scope::Audit)
            .map_err(|_| KeepError::Sealed)?;
        labward_ledger::seal_detail(&key, epoch, site, detail).map_err(|_| KeepError::Internal)
    }

    fn recall(
        &self,
        _oldest: Timestamp,
        _each: &mut dyn FnMut(Recalled<'_>) -> ControlFlow<()>,
    ) -> Result<(), KeepError> {
        // Every run begins with an empty installation.
        Ok(())
    }

    fn is_ready(&self) -> bool {
        self.keys.is_open()
    }
}
