//! The wiring: where the rooms of one installation meet, and in which order they start and stop.
//!
//! It must never open a listener before what comes in can be kept, delivered and recorded, or
//! close the store before the last of it is. While the root key is sealed only the admin socket
//! is up.

mod certificate;
mod change;
pub(crate) mod ground;
mod opened;
mod reload;

use std::collections::VecDeque;
use std::fs::{self, File};
use std::net::{IpAddr, SocketAddr};
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, Weak};
use std::time::Duration;

use labward_base::{Clock, Timestamp};
use labward_conduits::{Behaviours, Conduits};
use labward_devices::Devices;
use labward_disclosures::Disclosures;
use labward_gateway::tls::ServerIdentity;
use labward_identity::{
    Invitations, Passkeys, Passwords, Peers, People, ProviderAccounts, RelyingParty, Sessions,
    SignIn, Tokens,
};
use labward_keys::{Keys, SlotOpener};
use labward_ledger::{Action, Actor, Facts, LedgerJournal, NewEntry, Outcome, Subject, append};
use labward_malware::Malware;
use labward_malware::integrity::Integrity;
use labward_records::{Reserve, ReserveSetup};
use labward_seal::sha256;
use labward_store::{Options, Store};
use labward_threats::Threats;
use rustls::ServerConfig;

pub(crate) use self::certificate::{SERVER_DAYS, authority};
use self::change::Past;
pub(crate) use self::change::{ChangeError, Changing};
pub(crate) use self::ground::signer;
use self::ground::{group_id, let_through, server_identity, take_lock};
pub(crate) use self::opened::Opened;
use self::opened::open;
pub use self::reload::{ReloadError, Reloaded};
use crate::behaviour::Watching;
use crate::config::Config;
use crate::enrolment::Enrolments;
use crate::error::ServerError;
use crate::findings::{self, Finding};
use crate::folder::{DataFolder, NODE, SITE};
use crate::http::console::{ConsoleServer, console_config};
use crate::http::idempotency::Running;
use crate::http::{HttpServer, chain};
use crate::mail::Mails;
use crate::malware::{Scanner, ScannerParts};
use crate::migrations::migrations;
use crate::resume::LedgerWatch;
use crate::setup::server_names;
use crate::sign_on::SignOn;
use crate::threat::SourceFaults;
use crate::upkeep::Upkeep;
use crate::webhook::{self, Webhooks};

/// What a server is built from.
pub struct Parts {
    /// The configuration.
    pub config: Config,
    /// The file that it was read from; without one it cannot be reloaded.
    pub source: Option<ConfigSource>,
    /// The data folder.
    pub data: DataFolder,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The program that looks for malware when it is called with `scan-child`: `labward` itself. Without one nothing
    /// is looked at.
    pub program: Option<PathBuf>,
}

/// The file that a configuration was read from.
#[derive(Clone, Debug)]
pub struct ConfigSource {
    /// Where it lies.
    pub path: PathBuf,
    /// What stood in it.
    pub text: String,
}

/// A server of one data folder.
pub struct App {
    pub(crate) core: Arc<Core>,
    http: Option<HttpServer>,
    console: Option<ConsoleServer>,
}

/// What is there from the start on, the root key open or not.
pub(crate) struct Core {
    /// The configuration in force.
    config: RwLock<Arc<Loaded>>,
    pub(crate) data: DataFolder,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) store: Store,
    pub(crate) keys: Keys,
    pub(crate) people: People,
    pub(crate) peers: Peers,
    pub(crate) sessions: Sessions,
    pub(crate) invitations: Invitations,
    pub(crate) tokens: Tokens,
    pub(crate) passkeys: Passkeys,
    pub(crate) sign_in: SignIn,
    pub(crate) sign_on: SignOn,
    pub(crate) devices: Devices,
    pub(crate) threats: Threats,
    pub(crate) source_faults: SourceFaults,
    pub(crate) conduits: Conduits,
    pub(crate) behaviours: Behaviours,
    pub(crate) integrity: Integrity,
    /// The accepted messages that wait to be looked at.
    pub(crate) watching: Arc<Watching>,
    pub(crate) disclosures: Disclosures,
    pub(crate) malware: Malware,
    /// Looks for it.
    pub(crate) scanner: Scanner,
    pub(crate) reserve: Reserve,
    pub(crate) ledger: Arc<LedgerWatch>,
    pub(crate) started: Timestamp,
    /// Held while a backup is made or a restore is tried.
    pub(crate) backups: Mutex<()>,
    pub(crate) enrolments: Enrolments,
    pub(crate) idempotency: Running,
    opened: RwLock<Option<Arc<Opened>>>,
    /// Where the console listens, if there is one.
    console_at: OnceLock<SocketAddr>,
    /// What the console shows in the next handshake; none while the root key is sealed.
    console_tls: RwLock<Option<Arc<ServerConfig>>>,
    phase: Mutex<Phase>,
    /// Held while a reload or the upkeep changes what runs: one at a time.
    changing: Mutex<()>,
    /// The files that were in force before, the oldest first.
    past: Mutex<VecDeque<Past>>,
    /// What the upkeep has seen.
    pub(crate) upkeep: Upkeep,
    pub(crate) webhooks: Arc<Webhooks>,
    pub(crate) mails: Arc<Mails>,
    /// What a thread of its own is given.
    pub(crate) me: Weak<Self>,
    /// Held while the server lives; the system frees it when the process ends, however it does.
    _lock: File,
}

/// A configuration and the file that it was read from.
pub(crate) struct Loaded {
    pub(crate) config: Config,
    pub(crate) source: Option<ConfigSource>,
}

impl Loaded {
    /// SHA-256 of the file.
    pub(crate) fn sha256(&self) -> Option<[u8; 32]> {
        let source = self.source.as_ref()?;
        Some(sha256(source.text.as_bytes()))
    }
}

/// The configuration at one moment; a reload does not change it under who holds it.
pub(crate) struct ConfigInForce(Arc<Loaded>);

impl Deref for ConfigInForce {
    type Target = Config;

    fn deref(&self) -> &Config {
        &self.0.config
    }
}

/// How far the server is; changes of it are done one at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Sealed,
    Open,
    Stopped,
}

/// Takes the lock of the data folder and wires everything that needs no open root key.
///
/// # Errors
/// [`ServerError::Busy`] if another Labward runs on the folder, [`ServerError::NoInstallation`] if
/// there is none in it; what a room reports.
pub fn build(parts: Parts) -> Result<App, ServerError> {
    build_on(parts, None)
}

/// As [`build`], on the engine's file layer of this name; `None` is the platform's own.
pub(crate) fn build_on(parts: Parts, file_layer: Option<String>) -> Result<App, ServerError> {
    let Parts {
        config,
        source,
        data,
        clock,
        program,
    } = parts;
    if !data.database().is_file() || data.unfinished_config().exists() {
        return Err(ServerError::NoInstallation(data.root().to_owned()));
    }
    let lock = take_lock(&data)?;
    let mut options = Options::new(data.database());
    options.readers = config.store.readers;
    options.queue = config.store.queue_units;
    options.autocheckpoint_bytes = config.store.autocheckpoint_bytes();
    options.vfs = file_layer;
    let journal = LedgerJournal::new(NODE, Arc::clone(&clock));
    let store = Store::open(options, &migrations(), Box::new(journal))?;
    let keys = Keys::load(store.clone(), SITE, data.root(), Arc::clone(&clock))?;
    if !keys.exists() {
        return Err(ServerError::NoInstallation(data.root().to_owned()));
    }
    let people = People::load(store.clone(), SITE)?;
    let peers = Peers::load(store.clone())?;
    let limits = config.console.session_limits();
    let sessions = Sessions::load(store.clone(), SITE, people.clone(), limits)?;
    let devices = Devices::load(store.clone(), SITE)?;
    let conduits = Conduits::load(store.clone(), SITE)?;
    let settings = labward_behaviour::Settings::default();
    let behaviours = Behaviours::load(store.clone(), SITE, settings, clock.now())?;
    let (disclosures, damaged) = Disclosures::load(store.clone(), SITE)?;
    for one in damaged {
        tracing::error!(disclosure = %one.id, "what a manufacturer disclosed cannot be read any more: attach it again");
    }
    let (threats, damaged) = Threats::load(store.clone(), SITE)?;
    for document in damaged {
        tracing::error!(advisory = %document.id, "an advisory cannot be read any more: import it again");
    }
    let tokens = Tokens::load(store.clone(), SITE, people.clone())?;
    let passwords = Passwords::new()?;
    let sign_in = SignIn::new(
        store.clone(),
        SITE,
        sessions.clone(),
        people.clone(),
        passwords.clone(),
    );
    let integrity = Integrity::load(store.clone(), SITE)?;
    let malware = Malware::load(labward_malware::Setup {
        store: store.clone(),
        keys: keys.clone(),
        site: SITE,
        folder: data.quarantine(),
        retention: config.malware.retention(),
        largest: config.malware.max_item_bytes,
    })?;
    let scanner = Scanner::new(ScannerParts {
        malware: malware.clone(),
        store: store.clone(),
        clock: Arc::clone(&clock),
        folder: data.malware(),
        program,
        config: config.malware.clone(),
    });
    let reserve = Reserve::open(ReserveSetup {
        path: data.reserve(),
        store: store.clone(),
        keys: keys.clone(),
        clock: Arc::clone(&clock),
        site: SITE,
        node: NODE,
    })?;
    let core = Arc::new_cyclic(|me| Core {
        started: clock.now(),
        invitations: Invitations::new(
            store.clone(),
            SITE,
            sessions.clone(),
            people.clone(),
            passwords,
            &config.site.name,
        ),
        sign_on: SignOn::new(
            Arc::clone(&clock),
            ProviderAccounts::new(
                store.clone(),
                SITE,
                people.clone(),
                sessions.clone(),
                sign_in.clone(),
            ),
        ),
        sign_in,
        devices,
        threats,
        source_faults: SourceFaults::default(),
        conduits,
        behaviours,
        integrity,
        watching: Arc::default(),
        disclosures,
        malware,
        scanner,
        sessions,
        tokens,
        passkeys: Passkeys::new(store.clone(), SITE),
        config: RwLock::new(Arc::new(Loaded { config, source })),
        data,
        clock,
        store,
        keys,
        people,
        peers,
        backups: Mutex::default(),
        reserve,
        ledger: Arc::default(),
        enrolments: Enrolments::default(),
        idempotency: Running::default(),
        opened: RwLock::new(None),
        console_at: OnceLock::new(),
        console_tls: RwLock::new(None),
        phase: Mutex::new(Phase::Sealed),
        changing: Mutex::new(()),
        past: Mutex::default(),
        upkeep: Upkeep::default(),
        webhooks: Arc::default(),
        mails: Arc::default(),
        me: me.clone(),
        _lock: lock,
    });
    Ok(App {
        core,
        http: None,
        console: None,
    })
}

impl App {
    /// Opens the admin socket, opens the root key with whatever key file is there, and then the
    /// listeners. Without one the server stays sealed and says so.
    ///
    /// # Errors
    /// What keeps the admin socket or, with the root key open, the listeners from opening.
    pub fn start(&mut self) -> Result<(), ServerError> {
        let core = &self.core;
        let config = core.config();
        let group = config.http.socket_group.as_deref();
        let group = group.map(group_id).transpose()?;
        let run = core.data.run();
        fs::create_dir_all(&run).map_err(ServerError::file(&run))?;
        if let Some(group) = group {
            let_through(&[core.data.root(), &run], group)?;
        }
        // First, so that a server that stays sealed can be opened.
        let http = HttpServer::start(Arc::clone(core), &core.data.socket(), group)?;
        self.http = Some(http);
        if let Some(address) = config.console.listen {
            let console = ConsoleServer::start(Arc::clone(core), address)?;
            let address = console.address();
            tracing::info!(address = %address, "the console listens on https://{address}");
            // Started once.
            let _ = core.console_at.set(address);
            self.console = Some(console);
        }
        if core.try_key_files() {
            core.open_rest()?;
        } else {
            tracing::error!(
                code = labward_base::problem::KEYS_SEALED.code,
                "the root key is sealed: nothing is received or delivered until it is opened with \
                 labward key unseal"
            );
        }
        Ok(())
    }

    /// Opens the root key of a sealed server with `opener`, and then the listeners.
    pub(crate) fn unseal(&self, opener: &SlotOpener) -> Result<(), ServerError> {
        self.core.keys.unseal(opener, Actor::System)?;
        self.core.open_rest()
    }

    /// Puts the configuration file in force as it is now, as a signal asks for; `how` names it.
    ///
    /// # Errors
    /// [`ReloadError`]; nothing has changed then. It is in the log already.
    pub fn reload(&self, how: &'static str) -> Result<(), ReloadError> {
        let why = "asked for by the operating system";
        self.core.reload(Actor::System, how, why).map(drop)
    }

    /// Whether the root key and the listeners are open.
    pub fn is_open(&self) -> bool {
        self.core.opened().is_some()
    }

    /// Where each link really listens, by its name; a configured port 0 is shown as the one given.
    pub fn addresses(&self) -> Vec<(String, SocketAddr)> {
        let opened = self.core.opened();
        let addresses = opened
            .iter()
            .flat_map(|open| open.gateway.local_addresses());
        addresses
            .map(|(name, address)| (name.to_string(), address))
            .collect()
    }

    /// Where the console really listens.
    pub fn console_address(&self) -> Option<SocketAddr> {
        self.console.as_ref().map(ConsoleServer::address)
    }

    /// The admin socket.
    pub fn socket(&self) -> PathBuf {
        self.core.data.socket()
    }

    /// Stops in order: requests, listeners, delivery; then the last entry, the last checkpoint and
    /// the store. Nothing acknowledged is lost if it never comes to this.
    ///
    /// # Errors
    /// [`ServerError::Store`] if the database could not be closed in order.
    pub fn shutdown(mut self) -> Result<(), ServerError> {
        self.core.mails.stop();
        if let Some(console) = self.console.take() {
            console.stop();
        }
        if let Some(http) = self.http.take() {
            http.stop();
        }
        let core = &self.core;
        core.enrolments.stop();
        if let Some(opened) = core.opened() {
            drop(take(&opened.recurring));
            drop(take(&opened.webhook_loop));
            drop(take(&opened.mail_loop));
        }
        let _last = core.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut phase = core.phase.lock().unwrap_or_else(PoisonError::into_inner);
        *phase = Phase::Stopped;
        if let Some(opened) = core.take_opened() {
            let drain = Duration::from_secs(core.config().gateway.drain_seconds);
            opened.gateway.shutdown();
            drop(take(&opened.behaviour_loop));
            drop(take(&opened.scanner_loop));
            opened.delivery.shutdown(drain);
            drop(take(&opened.resume_loop));
            drop(take(&opened.publish_loop));
            core.sign_in.settle(core.clock.now(), true);
            core.record_stop(Outcome::Success);
            // After the entry, so that the last checkpoint covers it.
            if let Err(error) = opened.publishing.publish() {
                tracing::error!(error = %chain(&error), "the last checkpoint was not published");
            }
        }
        drop(phase);
        // What is left of it harms nothing: the next start removes it.
        let _ = fs::remove_file(core.data.socket());
        core.store.close()?;
        tracing::info!("Labward has stopped");
        Ok(())
    }
}

impl Core {
    /// The configuration in force.
    pub(crate) fn config(&self) -> ConfigInForce {
        ConfigInForce(self.loaded())
    }

    /// The configuration in force and its file.
    pub(crate) fn loaded(&self) -> Arc<Loaded> {
        Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What needs the open root key, if it is open.
    pub(crate) fn opened(&self) -> Option<Arc<Opened>> {
        let opened = self.opened.read().unwrap_or_else(PoisonError::into_inner);
        opened.clone()
    }

    /// Where browsers find the console: by the first name in the server's certificate.
    pub(crate) fn console_url(&self) -> Option<String> {
        let port = self.console_at.get()?.port();
        let names = server_names(&self.config().tls.names);
        let host = names.into_iter().next()?;
        Some(match host.parse() {
            Ok(IpAddr::V6(host)) => format!("https://[{host}]:{port}"),
            _ => format!("https://{host}:{port}"),
        })
    }

    /// For whom passkeys are made and used: the console by its name, if it has one.
    pub(crate) fn relying_party(&self) -> Option<RelyingParty> {
        RelyingParty::of(&self.console_url()?, &self.config().site.name)
    }

    /// What the console shows in the next handshake.
    pub(crate) fn console_tls(&self) -> Option<Arc<ServerConfig>> {
        let tls = self.console_tls.read();
        tls.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Has the console show this certificate from the next handshake on.
    fn show_on_console(&self, identity: &ServerIdentity) -> Result<(), ServerError> {
        let tls = console_config(identity, Arc::clone(&self.clock))?;
        self.set_console_tls(Some(tls));
        Ok(())
    }

    fn set_console_tls(&self, tls: Option<Arc<ServerConfig>>) {
        let shown = self.console_tls.write();
        *shown.unwrap_or_else(PoisonError::into_inner) = tls;
    }

    /// Opens everything that waited for the root key; does nothing if it is open or stopping.
    pub(crate) fn open_rest(&self) -> Result<(), ServerError> {
        let mut phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        if *phase != Phase::Sealed {
            return Ok(());
        }
        let opened = Arc::new(open(self)?);
        self.show_certificate_file();
        if let Some(identity) = server_identity(self)? {
            self.show_on_console(&identity)?;
        }
        for (link, address) in opened.gateway.local_addresses() {
            tracing::info!(link = %link, address = %address, "link {link} listens on {address}");
        }
        *self.opened.write().unwrap_or_else(PoisonError::into_inner) = Some(opened);
        *phase = Phase::Open;
        Ok(())
    }

    fn take_opened(&self) -> Option<Arc<Opened>> {
        let mut opened = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        opened.take()
    }

    /// Opens the root key with the first key file that fits.
    fn try_key_files(&self) -> bool {
        let slots = self.keys.slots().into_iter().filter_map(|slot| slot.path);
        for path in slots.chain(self.config().keys.files.iter().cloned()) {
            if !path.is_file() {
                tracing::warn!(path = %path.display(), "a key file is not there");
                continue;
            }
            match self
                .keys
                .unseal(&SlotOpener::KeyFile(path.clone()), Actor::System)
            {
                Ok(slot) => {
                    tracing::info!(slot = %slot, "the root key was opened with slot {slot}");
                    return true;
                }
                Err(error) => tracing::error!(
                    path = %path.display(),
                    error = %chain(&error),
                    "a key file did not open the root key"
                ),
            }
        }
        false
    }

    /// Records the start, the configuration and the unencrypted lines in one unit.
    fn record_start(&self) -> Result<(), ServerError> {
        let now = self.clock.now();
        let lines = self.config().plain_lines(now);
        let lines = lines.map_err(labward_gateway::StartError::from)?;
        for line in lines.iter().filter(|line| !line.loopback) {
            tracing::warn!(place = %line.place, "{} is unencrypted", line.place);
        }
        let plain: Vec<Finding> = lines.iter().map(Finding::of_plain_line).collect();
        let after_crash = self.store.started_after_crash();
        let facts = Facts::new()
            .text("version", env!("CARGO_PKG_VERSION"))
            .number("after_crash", i64::from(after_crash));
        let started = entry(Action::ServerStarted).facts(facts);
        let config = self
            .loaded()
            .sha256()
            .map(|digest| entry(Action::ConfigLoaded).facts(Facts::new().hex("sha256", &digest)));
        let (webhooks, keys) = (self.config().webhooks.clone(), self.keys.clone());
        self.store.write(move |tx| -> Result<(), ServerError> {
            let mut last = append(tx, &started)?;
            if let Some(config) = &config {
                last = append(tx, config)?;
            }
            findings::reconcile(tx, SITE, findings::PLAIN_LINE, &plain, now)?;
            webhook::settle(tx, &keys, &webhooks, last, now)?;
            Ok(())
        })?;
        Ok(())
    }

    fn record_stop(&self, outcome: Outcome) {
        let stopped = entry(Action::ServerStopped).outcome(outcome);
        let written = self.store.write(move |tx| append(tx, &stopped));
        if let Err(error) = written {
            tracing::error!(error = %chain(&error), "the stop was not recorded");
        }
    }
}

fn take<T: Default>(place: &Mutex<T>) -> T {
    std::mem::take(&mut *place.lock().unwrap_or_else(PoisonError::into_inner))
}

fn entry(action: Action) -> NewEntry {
    NewEntry::new(SITE, Actor::System, action, Subject::Installation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_an_installation_is_left_untouched() {
        let folder = labward_testkit::TempDir::new();
        let parts = Parts {
            config: Config::default(),
            source: None,
            data: DataFolder::new(folder.path()),
            clock: Arc::new(labward_testkit::FakeClock::default()),
            program: None,
        };
        let error = build(parts).err().unwrap();
        assert!(matches!(error, ServerError::NoInstallation(_)));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
