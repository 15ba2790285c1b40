//! `labward edge run`: the edge in the foreground until it is told to stop.
//!
//! It must never open a line before what comes in can be kept, leave a core dump, or end without its
//! last entry when it is told to stop by SIGTERM or SIGINT. It needs nobody at its start.

use std::fs::File;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use labward_base::id::{NodeId, SiteId};
use labward_base::{Clock, Timestamp};
use labward_gateway::events::Events;
use labward_gateway::{Gateway, GatewayParts};
use labward_identity::{Identification, NewPeer, Origin, PeerKind, PeerRules, Peers};
use labward_ledger::{
    Action, Actor, Facts, LedgerJournal, NewEntry, Publisher, RecordIds, Subject, append,
};
use labward_os::SystemClock;
use labward_seal::{IndexKey, random_bytes, sha256};
use labward_store::{Options, Store};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::config::{DeviceConfig, EdgeConfig};
use crate::error::EdgeError;
use crate::folder::{EdgeFolder, Identity};
use crate::keep::{EdgeKeep, NoDispatch, Space};
use crate::queue::Queue;
use crate::renewal::Renewal;
use crate::serial::SerialLine;
use crate::status::{DeviceState, EdgeState, write_status};
use crate::store::migrations;
use crate::uplink::{EdgeLedger, Standing, Uplink};

/// The site of the edge's own entries; the server keeps its messages under the server's site.
pub(crate) const SITE: SiteId = SiteId::new(1);
/// The node of the edge's own ledger.
pub(crate) const NODE: NodeId = NodeId::new(1);

/// A running edge.
pub struct Edge {
    store: Store,
    gateway: Arc<Gateway>,
    ledger: EdgeLedger,
    stop: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
    _lock: File,
}

impl Edge {
    /// Starts the edge in `folder`; when this returns, its lines are open.
    ///
    /// # Errors
    /// [`EdgeError`]; nothing runs then.
    pub fn start(folder: &EdgeFolder, clock: Arc<dyn Clock>) -> Result<Self, EdgeError> {
        let not_enrolled = || EdgeError::NotEnrolled(folder.root().to_owned());
        let identity = Identity::load(folder)?.ok_or_else(not_enrolled)?;
        let config = EdgeConfig::load(&folder.config())?;
        folder.create()?;
        let lock = folder.take_lock()?;
        let store = open(folder, &clock)?;
        let peers = Peers::load(store.clone())?;
        add_devices(&config, &peers, &clock)?;
        record(
            &store,
            Action::ServerStarted,
            Facts::new().text("version", env!("CARGO_PKG_VERSION")),
        )?;
        let wake = Arc::new(Notify::new());
        let keep = Arc::new(EdgeKeep {
            store: store.clone(),
            clock: Arc::clone(&clock),
            queue: identity.roots.queue,
            seal_key: identity.seal_key.clone(),
            space: Space::new(folder.root().to_owned(), config.queue.min_free_mib),
            wake: Arc::clone(&wake),
            ids: Mutex::new(store.read(|snapshot| RecordIds::load(snapshot))?),
        });
        let gateway = Gateway::start(
            config.gateway(),
            GatewayParts {
                store: store.clone(),
                keep: keep.clone(),
                peers: peers.clone(),
                // New at every start: what it tags never leaves memory.
                index_key: Arc::new(IndexKey::from_bytes(random_bytes()?)),
                clock: Arc::clone(&clock),
                dispatch: Arc::new(NoDispatch),
                identity: None,
                events: Events::default(),
                edges: None,
                notice: None,
                watch: None,
                inspect: None,
                site: SITE,
            },
        )?;
        let (stop, stopped) = watch::channel(false);
        let mut edge = Self {
            ledger: ledger_of(folder, &store, &identity)?,
            store: store.clone(),
            gateway: Arc::new(gateway),
            stop,
            threads: Vec::new(),
            _lock: lock,
        };
        let renewal = Renewal::new(folder.clone(), store.clone());
        if let Err(error) = renewal.clear_away(&identity) {
            tracing::warn!(error = %error, "a key that was waited with before is still there");
        }
        let lines = edge.serial_lines(&config);
        let uplink = Uplink {
            report: edge.reporter(folder, &config, &identity.name, &clock, keep),
            ledger: ledger_of(folder, &store, &identity)?,
            renewal,
            queue: Queue::load(store, SITE)?,
            config,
            identity,
            peers,
            clock,
            wake,
            stop: stopped.clone(),
        };
        edge.spawn("edge-uplink", uplink.run())?;
        if !lines.is_empty() {
            edge.spawn("edge-serial", async move {
                let mut running = JoinSet::new();
                for line in lines {
                    running.spawn(line.run(stopped.clone()));
                }
                running.join_all().await;
            })?;
        }
        Ok(edge)
    }

    /// Where each device is really listened for; a configured port 0 is shown as the one given.
    pub fn addresses(&self) -> Vec<(String, SocketAddr)> {
        let addresses = self.gateway.local_addresses().into_iter();
        addresses
            .map(|(name, address)| (name.to_string(), address))
            .collect()
    }

    /// Stops in order: lines, uplink; then the last entry, the last checkpoint and the store.
    ///
    /// # Errors
    /// [`EdgeError::Store`] if the database could not be closed in order.
    pub fn stop(self) -> Result<(), EdgeError> {
        self.gateway.shutdown();
        self.stop.send_replace(true);
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the edge panicked");
            }
        }
        if let Err(error) = record(&self.store, Action::ServerStopped, Facts::new()) {
            tracing::error!(error = %error, "the stop was not recorded");
        }
        if let Err(error) = self.ledger.publisher.publish(&self.store, &self.ledger.key) {
            tracing::error!(error = %error, "the last checkpoint was not published");
        }
        Ok(self.store.close()?)
    }

    fn spawn(
        &mut self,
        name: &str,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), EdgeError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(EdgeError::Threads)?;
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || runtime.block_on(task))
            .map_err(EdgeError::Threads)?;
        self.threads.push(thread);
        Ok(())
    }

    fn serial_lines(&self, config: &EdgeConfig) -> Vec<SerialLine> {
        let addresses = self.gateway.local_addresses();
        let line = |device: &DeviceConfig| {
            let path = device.serial.clone()?;
            let (_, link) = addresses.iter().find(|(name, _)| *name == device.name)?;
            Some(SerialLine {
                path,
                line: device.line.clone(),
                link: *link,
            })
        };
        config.devices.iter().filter_map(line).collect()
    }

    /// Writes the edge's state whenever the uplink says how it stands.
    fn reporter(
        &self,
        folder: &EdgeFolder,
        config: &EdgeConfig,
        name: &str,
        clock: &Arc<dyn Clock>,
        keep: Arc<EdgeKeep>,
    ) -> Box<dyn Fn(&Standing) + Send + Sync> {
        let serial = |device: &DeviceConfig| {
            let path = device.serial.as_ref()?;
            Some((device.name.clone(), path.display().to_string()))
        };
        let serial: Vec<_> = config.devices.iter().filter_map(serial).collect();
        let (folder, name) = (folder.clone(), name.to_owned());
        let (clock, gateway) = (Arc::clone(clock), Arc::clone(&self.gateway));
        Box::new(move |standing| {
            let now = clock.now();
            let device = |link: labward_gateway::LinkStatus| DeviceState {
                line: serial
                    .iter()
                    .find(|(name, _)| *name == link.name)
                    .map_or_else(|| link.address.to_string(), |(_, path)| path.clone()),
                name: link.name.to_string(),
                accepted: link.counts.accepted,
                held: link.counts.held,
                connections: link.counts.connections,
            };
            let oldest = Timestamp::from_micros(standing.state.oldest_us);
            let state = EdgeState {
                name: name.clone(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                running: true,
                connected: standing.connected,
                time: now.to_rfc3339(),
                answered: standing.answered.map(Timestamp::to_rfc3339),
                waiting: standing.state.waiting,
                oldest: (standing.state.waiting > 0).then(|| oldest.to_rfc3339()),
                sent: standing.sent,
                damaged: standing.state.damaged,
                ledger_size: standing.ledger_size,
                has_room: keep.space.is_left(now),
                fault: standing.fault.map(|fault| fault.code.to_owned()),
                certificate_until: standing.certificate_until.map(Timestamp::to_rfc3339),
                renewal_fault: standing.renewal_fault.map(|fault| fault.code.to_owned()),
                devices: gateway.status().into_iter().map(device).collect(),
            };
            write_status(&folder, &state);
        })
    }
}

/// Opens the edge's database.
pub(crate) fn open(folder: &EdgeFolder, clock: &Arc<dyn Clock>) -> Result<Store, EdgeError> {
    let journal = LedgerJournal::new(NODE, Arc::clone(clock));
    let mut options = Options::new(folder.database());
    // Two readers are the uplink and the status.
    options.readers = 2;
    Ok(Store::open(options, &migrations(), Box::new(journal))?)
}

/// Writes one entry about the edge itself.
pub(crate) fn record(store: &Store, action: Action, facts: Facts) -> Result<(), EdgeError> {
    let entry = NewEntry::new(SITE, Actor::System, action, Subject::Installation).facts(facts);
    store.write(move |tx| append(tx, &entry).map(|_| ()))?;
    Ok(())
}

fn ledger_of(
    folder: &EdgeFolder,
    store: &Store,
    identity: &Identity,
) -> Result<EdgeLedger, EdgeError> {
    Ok(EdgeLedger {
        publisher: Publisher::new(folder.ledger(), NODE, identity.roots.origin()),
        key: identity.roots.signing_key()?,
        folder: folder.ledger(),
        store: store.clone(),
    })
}

/// Makes a peer of every device that is not one yet, with an entry each: on a plain line it is known
/// by the line, and what it may send is for the server to say.
fn add_devices(
    config: &EdgeConfig,
    peers: &Peers,
    clock: &Arc<dyn Clock>,
) -> Result<(), EdgeError> {
    let now = clock.now();
    for device in &config.devices {
        let name = device.name.to_string();
        if peers.by_name(&name).is_some() {
            continue;
        }
        let new = NewPeer {
            kind: PeerKind::Analyzer,
            site: SITE,
            rules: PeerRules::admit_all(),
            authority: None,
            addresses: Vec::new(),
            identification: Identification {
                // It holds no key; this is a number that no key has.
                spki_sha256: sha256(format!("labward/edge-device1 {name}").as_bytes()),
                serial: String::new(),
                not_before: now,
                not_after: now,
                origin: Origin::Foreign,
            },
            name,
        };
        peers.add(new, Actor::System)?;
    }
    Ok(())
}

/// Runs the edge in `folder` until SIGTERM or SIGINT.
///
/// # Errors
/// [`EdgeError`]; what was started is stopped again first.
pub fn run(folder: &EdgeFolder) -> Result<(), EdgeError> {
    labward_os::restrict_umask();
    labward_os::forbid_core_dumps()?;
    let log = tracing_subscriber::fmt()
        .with_target(false)
        .with_writer(std::io::stderr);
    // A program around the edge may have set up a log of its own.
    let _ = log.try_init();
    let edge = Edge::start(folder, Arc::new(SystemClock))?;
    for (name, address) in edge.addresses() {
        tracing::info!(device = %name, address = %address, "device {name} is listened for on {address}");
    }
    let waited = wait_for_signal();
    tracing::info!("the edge stops");
    let stopped = edge.stop();
    waited.and(stopped)
}

fn wait_for_signal() -> Result<(), EdgeError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(EdgeError::Threads)?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).map_err(EdgeError::Threads)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(EdgeError::Threads)?;
        tracing::info!("the edge runs");
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        Ok(())
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    pub(crate) use super::{NODE, SITE};
    use labward_gateway::keep::{Intake, Keep as _, KeepError, Kept, MessageKind};
    use labward_testkit::{FakeClock, TempDir};
    use std::sync::mpsc;

    /// A database of an edge.
    pub(crate) fn open_store(folder: &TempDir, clock: &Arc<FakeClock>) -> Store {
        let clock = Arc::clone(clock) as Arc<dyn Clock>;
        let journal = LedgerJournal::new(NODE, clock);
        let options = Options::new(folder.join("edge.sqlite"));
        Store::open(options, &migrations(), Box::new(journal)).unwrap()
    }

    /// Keeps one message of a device.
    pub(crate) fn keep_message(keep: &EdgeKeep, message: &str) -> Result<Kept, KeepError> {
        let (send, receive) = mpsc::channel();
        let intake = Intake {
            kind: MessageKind::Hl7V2,
            action: Action::MessageReceived,
            actor: Actor::Peer(labward_base::id::PeerId::new(1)),
            site: SITE,
            authority: None,
            device: None,
            facts: Facts::new().text("link", "cobas-1"),
            hints: Some(b"hint".to_vec()),
            bytes: message.as_bytes().to_vec(),
            also: None,
        };
        keep.keep(intake, Box::new(move |kept| send.send(kept).unwrap()));
        receive.recv().unwrap()
    }

    #[test]
    fn a_folder_without_an_edge_is_left_untouched() {
        let place = TempDir::new();
        let folder = EdgeFolder::new(place.join("edge"));
        let refused = Edge::start(&folder, Arc::new(FakeClock::default()));
        assert!(matches!(refused.err(), Some(EdgeError::NotEnrolled(_))));
        assert!(!folder.root().exists());
    }
}
