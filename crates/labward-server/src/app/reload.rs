//! Another configuration in force while the server runs: all of it or nothing.
//!
//! Everything that can fail is done first; then one unit records it, and only then everything is
//! switched, which cannot fail. It must never close a connection that may go on, change something
//! without its entry (**Invariant:** no change without an entry), or half apply a file.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, PoisonError};

use labward_base::{Clock, Problem, problem};
use labward_gateway::PreparedGateway;
use labward_gateway::config::{DestinationConfig, DestinationName, Framing};
use labward_gateway::delivery::PreparedDelivery;
use labward_gateway::tls::ServerIdentity;
use labward_ledger::{Action, Actor, Facts, LedgerError, NewEntry, Outcome, append};
use labward_seal::sha256;
use rustls::ServerConfig;

use super::change::{ConfigFile, NotWritten};
use super::ground::server_identity;
use super::{ConfigSource, Core, Loaded, Opened, entry};
use crate::config::{Change, Config, ConfigError, changes};
use crate::error::ServerError;
use crate::findings::{self, Finding};
use crate::folder::SITE;
use crate::http::console::console_config;
use crate::log;
use crate::webhook;

/// Changes that an entry names one by one.
const CHANGES_NAMED: usize = 64;

/// What a reload did, or would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reloaded {
    /// SHA-256 of the file.
    pub sha256: [u8; 32],
    /// What is otherwise, in the order of the file's definition.
    pub changes: Vec<Change>,
}

/// Why a reload changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// Operator: the file is refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Operator: a destination is missing to which a held message would go if it were released.
    #[error("remove destination {0}: a held message would go there")]
    Held(DestinationName),
    /// Operator: something changed that only a start reads.
    #[error("change without a restart: {0}")]
    NeedsRestart(String),
    /// Operator: the server was not started from a file.
    #[error("find the configuration file of this server")]
    NoFile,
    /// Operator: the file cannot be written.
    #[error("write the configuration {}", .0.path.display())]
    NotWritten(#[source] NotWritten),
    /// The root key is sealed: nothing runs that could be reloaded.
    #[error("reload a sealed server")]
    Sealed,
    /// What would keep a server from starting with it, or the entry from being written.
    #[error(transparent)]
    Server(#[from] ServerError),
}

impl ReloadError {
    /// What a person is told about it.
    pub fn problem(&self) -> &'static Problem {
        match self {
            Self::Config(error) => error.problem(),
            Self::Held(_) => &problem::CONFIG_DESTINATION_WAITS,
            Self::NeedsRestart(_) => &problem::CONFIG_NEEDS_RESTART,
            Self::NotWritten(_) => &problem::CONFIG_NOT_WRITTEN,
            Self::NoFile => &problem::CONFIG_NO_FILE,
            Self::Sealed => &problem::KEYS_SEALED,
            Self::Server(error) => error.problem(),
        }
    }

    /// What varies, to be shown beside [`ReloadError::problem`].
    pub fn detail(&self) -> String {
        match self {
            Self::Config(error) => error.detail(),
            Self::Held(name) => format!("destination {name}: a held message would go there"),
            Self::NeedsRestart(keys) => keys.clone(),
            Self::NotWritten(_) => crate::http::chain(self),
            Self::NoFile | Self::Sealed => String::new(),
            Self::Server(error) => crate::http::chain(error),
        }
    }
}

/// A file that was read and may be put in force.
pub(super) struct Candidate {
    pub(super) loaded: Loaded,
    pub(super) sha256: [u8; 32],
    pub(super) changes: Vec<Change>,
}

/// A file that is ready to be put in force.
struct Prepared {
    gateway: PreparedGateway,
    delivery: PreparedDelivery,
    console: Option<Arc<ServerConfig>>,
}

impl Core {
    /// What a reload would change now, and why it would be refused, if it would; changes nothing.
    ///
    /// # Errors
    /// [`ReloadError`] if the file itself is refused.
    pub(crate) fn preview(&self) -> Result<(Reloaded, Option<ReloadError>), ReloadError> {
        let opened = self.opened().ok_or(ReloadError::Sealed)?;
        let candidate = self.read_candidate()?;
        let refusal = may_run(&candidate, &opened).err();
        Ok((
            Reloaded {
                sha256: candidate.sha256,
                changes: candidate.changes,
            },
            refusal,
        ))
    }

    /// Puts the file in force as it is now; `how` says by which way it was asked for, `why` in whose
    /// words. What is refused is recorded, too.
    ///
    /// # Errors
    /// [`ReloadError`]; nothing has changed then.
    pub(crate) fn reload(
        &self,
        actor: Actor,
        how: &'static str,
        why: &str,
    ) -> Result<Reloaded, ReloadError> {
        let _one = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(opened) = self.opened() else {
            tracing::error!("a sealed server has nothing to reload; open it first");
            return Err(ReloadError::Sealed);
        };
        let loaded = loaded_entry(&opened, actor, why)?;
        let facts = Facts::new().text("how", how);
        let candidate = self.read_candidate();
        let done = candidate.and_then(|candidate| {
            self.put(candidate, &opened, loaded.clone(), facts.clone(), None)
        });
        match &done {
            Ok(done) => tracing::info!(
                changes = done.changes.len(),
                "the configuration was reloaded"
            ),
            Err(error) => {
                let problem = error.problem();
                tracing::error!(
                    code = problem.code,
                    detail = %error.detail(),
                    "the configuration was not reloaded: {}",
                    problem.what
                );
                let facts = match self.file_sha256() {
                    Some(digest) => facts.hex("sha256", &digest),
                    None => facts,
                };
                let refused = loaded.facts(facts).outcome(Outcome::Refused(problem.code));
                self.store
                    .write(move |tx| append(tx, &refused))
                    .map_err(|error: LedgerError| ServerError::from(error))?;
            }
        }
        done
    }

    /// Puts a file in force. `write` is the file to be written for it, just before it is recorded:
    /// where that fails, or the entry cannot be written, the old one stands again.
    pub(super) fn put(
        &self,
        candidate: Candidate,
        opened: &Opened,
        entry: NewEntry,
        facts: Facts,
        write: Option<&ConfigFile>,
    ) -> Result<Reloaded, ReloadError> {
        may_run(&candidate, opened)?;
        let config = &candidate.loaded.config;
        let identity = match self.names_differ(config) {
            true => Some(self.new_certificate(&config.tls.names, "other names were configured")?),
            false => None,
        };
        let shown = match &identity {
            Some(new) => Some(new.identity()?),
            None => server_identity(self)?,
        };
        let prepared = prepare(config, opened, shown, &self.clock)?;
        let named = candidate.changes.iter().take(CHANGES_NAMED);
        let named = named.map(|change| format!("{} {}", change.table, change.key));
        let entry = entry.facts(
            facts
                .hex("sha256", &candidate.sha256)
                .number("changes", candidate.changes.len())
                .texts("changed", named),
        );
        let plain = prepared.gateway.plain_exceptions();
        let plain: Vec<Finding> = plain.iter().map(Finding::of_plain_line).collect();
        let now = self.clock.now();
        let keys = self.keys.clone();
        let webhooks = config.webhooks.clone();
        let renewed = identity.clone();
        let past = self.past_of(entry.actor);
        if let Some(write) = write {
            write.replace()?;
        }
        let recorded = self
            .store
            .write(move |tx| -> Result<(), ServerError> {
                let last = append(tx, &entry)?;
                webhook::settle(tx, &keys, &webhooks, last, now)?;
                findings::reconcile(tx, SITE, findings::PLAIN_LINE, &plain, now)?;
                if let Some(renewed) = &renewed {
                    renewed.write(tx, &keys)?;
                }
                Ok(())
            })
            .map_err(ReloadError::Server);
        if let (Err(_), Some(write)) = (&recorded, write) {
            write.put_back();
        }
        recorded?;
        self.remember(past, &candidate);
        self.switch(candidate, opened, prepared, identity.is_some())
    }

    /// Nothing here can fail.
    fn switch(
        &self,
        candidate: Candidate,
        opened: &Opened,
        prepared: Prepared,
        is_renewed: bool,
    ) -> Result<Reloaded, ReloadError> {
        // The destinations first: what a route names is then there.
        opened.delivery.apply(prepared.delivery);
        opened.gateway.apply(prepared.gateway);
        self.set_console_tls(prepared.console);
        let config = &candidate.loaded.config;
        opened.records.set_retention(config.retention());
        self.scanner.reconfigure(&config.malware);
        log::set_level(config.log.level);
        let publish_loop = opened
            .publish_loop
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(publish_loop) = &*publish_loop {
            publish_loop.set_interval(config.ledger.publish_interval());
        }
        drop(publish_loop);
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(candidate.loaded);
        if is_renewed {
            self.show_certificate_file();
        }
        for (link, address) in opened.gateway.local_addresses() {
            tracing::debug!(link = %link, address = %address, "link {link} listens on {address}");
        }
        Ok(Reloaded {
            sha256: candidate.sha256,
            changes: candidate.changes,
        })
    }

    /// The file as it is now, read and checked.
    fn read_candidate(&self) -> Result<Candidate, ReloadError> {
        let present = self.loaded();
        let source = present.source.as_ref().ok_or(ReloadError::NoFile)?;
        self.candidate(read_text(&source.path)?)
    }

    /// A text for the file, checked.
    pub(super) fn candidate(&self, text: String) -> Result<Candidate, ReloadError> {
        let present = self.loaded();
        let source = present.source.as_ref().ok_or(ReloadError::NoFile)?;
        let config = Config::parse(&text)?;
        let checked = config.check(self.data.root(), self.clock.now());
        checked.map_err(|error| error.in_text(&text))?;
        Ok(Candidate {
            sha256: sha256(text.as_bytes()),
            changes: changes(&source.text, &text),
            loaded: Loaded {
                config,
                source: Some(ConfigSource {
                    path: source.path.clone(),
                    text,
                }),
            },
        })
    }

    /// SHA-256 of the file as it is now, if it can be read.
    pub(crate) fn file_sha256(&self) -> Option<[u8; 32]> {
        let present = self.loaded();
        let text = read_text(&present.source.as_ref()?.path).ok()?;
        Some(sha256(text.as_bytes()))
    }

    fn names_differ(&self, config: &Config) -> bool {
        self.config().tls.names != config.tls.names
    }
}

/// Refuses what cannot be put in force while the server runs, as far as it is known beforehand.
pub(super) fn may_run(candidate: &Candidate, opened: &Opened) -> Result<(), ReloadError> {
    let at_start = candidate.changes.iter().filter(|one| one.needs_restart);
    let mut at_start: Vec<String> = at_start
        .map(|one| format!("{} {}", one.table, one.key))
        .collect();
    // The key that edges seal to is made when the server starts with a link for them.
    let mut links = candidate.loaded.config.gateway.links.iter();
    let first = links.find(|link| link.framing == Framing::Edge);
    at_start.extend(
        first
            .filter(|_| opened.edges.is_none())
            .map(|link| format!("[[link]] {} framing", link.name)),
    );
    if !at_start.is_empty() {
        return Err(ReloadError::NeedsRestart(at_start.join(", ")));
    }
    let destinations = &candidate.loaded.config.gateway.destinations;
    let names: Vec<&DestinationName> = destinations.iter().map(|one| &one.name).collect();
    let may_leave = opened.delivery.may_leave(&names);
    may_leave.map_err(ServerError::from)?;
    let leaving = |name: &DestinationName| !names.contains(&name);
    let running = opened.delivery.status().into_iter().map(|one| one.name);
    let leaving: Vec<DestinationName> = running.filter(leaving).collect();
    if leaving.is_empty() {
        return Ok(());
    }
    let waits = opened.messages.would_go_to(&leaving);
    let waits = waits.map_err(ServerError::from)?;
    waits
        .into_iter()
        .next()
        .map_or(Ok(()), |name| Err(ReloadError::Held(name)))
}

/// Does everything that can fail; nothing is in force yet.
fn prepare(
    config: &Config,
    opened: &Opened,
    identity: Option<ServerIdentity>,
    clock: &Arc<dyn Clock>,
) -> Result<Prepared, ReloadError> {
    let gateway = &config.gateway;
    let links = opened.gateway.prepare(gateway, identity.as_ref());
    let links = links.map_err(ServerError::from)?;
    let console = identity.as_ref();
    let console = console.map(|identity| console_config(identity, Arc::clone(clock)));
    let console = console.transpose().map_err(ServerError::from)?;
    let destinations: &[DestinationConfig] = &gateway.destinations;
    let delivery = opened.delivery.prepare(destinations, identity);
    Ok(Prepared {
        gateway: links,
        delivery: delivery.map_err(ServerError::from)?,
        console,
    })
}

/// The entry of a configuration in force, with who and why.
pub(super) fn loaded_entry(
    opened: &Opened,
    actor: Actor,
    why: &str,
) -> Result<NewEntry, ReloadError> {
    let detail = opened.seal_why(why);
    let detail = detail.map_err(|error| ServerError::Gateway(error.into()))?;
    let mut loaded = entry(Action::ConfigLoaded).detail(detail);
    loaded.actor = actor;
    Ok(loaded)
}

/// The file's text, if it is not longer than one that is parsed.
pub(super) fn read_text(path: &Path) -> Result<String, ConfigError> {
    let read = |source| ConfigError::Read {
        path: path.to_owned(),
        source,
    };
    let mut text = String::new();
    let file = File::open(path).map_err(read)?;
    file.take(crate::config::MAX_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(read)?;
    Ok(text)
}
