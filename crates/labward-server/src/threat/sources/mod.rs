//! Reads and fetches the configured sources of advisories when their time has come.
//!
//! It must never follow a link out of a folder, fetch without TLS, or take a source that failed for one that
//! brought nothing.
//!
//! | Module | Holds |
//! |---|---|
//! | `client` | HTTPS to the machines of one source |
//! | `faults` | which sources could not be looked into the last time |
//! | `folder` | the files of a folder |
//! | `follow` | what a url stands for, and what is new of it |
//! | `gathered` | what its lists name |
//! | `reach` | which machines a source may lead to |

mod client;
mod faults;
mod folder;
mod follow;
mod gathered;
mod reach;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::time::Duration;

use labward_advisory::bundle::{Beside, Bounds, Checks, walk};
use labward_base::{Clock as _, Timestamp};
use labward_ledger::Actor;
use labward_threats::{Fetched as Known, Imported, Intake, Progress, ThreatsError};
use url::Url;

use self::client::SourceClient;
use self::follow::{Batch, Document, Fetched, Look};
use super::intake::{Keys, take};
use super::matching::rematch;
use crate::app::Core;
use crate::config::AdvisorySourceConfig;
use crate::http::chain;

pub(crate) use self::faults::SourceFaults;

/// How long a source that failed is let alone, and one of which more waits.
const AFTER_FAILURE: Duration = Duration::from_secs(3_600);
const SOON: Duration = Duration::from_secs(60);

/// When each source is looked into next.
#[derive(Default)]
pub(crate) struct Sources(BTreeMap<String, State>);

/// What is known of one source.
struct State {
    /// As it was configured when that was decided: another configuration is tried at once.
    config: AdvisorySourceConfig,
    next: Timestamp,
    /// Whether the last look left something over.
    goes_on: bool,
    /// What is being fetched, by a thread that nobody waits for.
    fetching: Option<Receiver<Fetched>>,
}

impl Sources {
    /// Looks into every source whose time has come.
    pub(crate) fn look(&mut self, core: &Core) {
        let configs = core.config().advisory_sources.clone();
        let is_configured = |name: &str| configs.iter().any(|one| one.name == name);
        self.0.retain(|name, _| is_configured(name));
        core.source_faults.retain(is_configured);
        for config in configs {
            let name = config.name.clone();
            let state = self.0.remove(&name);
            let state = match state {
                Some(state) if state.config == config => state,
                Some(_) => State::new(config, Timestamp::from_micros(0)),
                None => {
                    let first = first(core, &config);
                    State::new(config, first)
                }
            };
            self.0.insert(name, state.looked(core));
        }
    }
}

impl State {
    const fn new(config: AdvisorySourceConfig, next: Timestamp) -> Self {
        Self {
            config,
            next,
            goes_on: false,
            fetching: None,
        }
    }

    fn looked(mut self, core: &Core) -> Self {
        if core.clock.now() < self.next {
            return self;
        }
        let Some(ended) = self.look_into(core) else {
            return self;
        };
        self.fetching = None;
        let every = Duration::from_secs(self.config.every_hours.saturating_mul(3_600));
        let name = &self.config.name;
        self.goes_on = matches!(ended, Ok(true));
        let wait = match ended {
            Ok(true) => SOON,
            Ok(false) => every,
            Err(_) => every.min(AFTER_FAILURE),
        };
        match ended {
            Ok(_) => core.source_faults.clear(name),
            Err(why) => {
                tracing::warn!(source = %name, error = %why, "a source of advisories could not be read");
                core.source_faults.set(name, why);
            }
        }
        self.next = core.clock.now().plus(wait);
        self
    }

    /// Reads a source and takes over what is in it, and says whether more waits; `None` while it is still being
    /// fetched.
    fn look_into(&mut self, core: &Core) -> Option<Result<bool, String>> {
        let config = &self.config;
        if let Some(folder) = &config.folder {
            return Some(take_folder(core, config, folder).map(|()| false));
        }
        let receiver = match &self.fetching {
            Some(receiver) => receiver,
            None => match begin_fetch(core, config, self.goes_on) {
                Ok(receiver) => self.fetching.insert(receiver),
                Err(why) => return Some(Err(why)),
            },
        };
        loop {
            let taken = match receiver.try_recv() {
                Err(TryRecvError::Empty) => return None,
                Err(TryRecvError::Disconnected) => Err("its thread ended".to_owned()),
                Ok(Fetched::End(ended)) => return Some(ended),
                Ok(Fetched::Batch(batch)) => take_batch(core, config, batch),
                Ok(Fetched::File { name, bytes }) => take_fetched(core, config, &name, &bytes),
            };
            if let Err(why) = taken {
                return Some(Err(why));
            }
        }
    }
}

/// Fetches on a thread of its own, so that a server that ends need not wait for another machine.
fn begin_fetch(
    core: &Core,
    config: &AdvisorySourceConfig,
    goes_on: bool,
) -> Result<Receiver<Fetched>, String> {
    let url = config
        .url
        .as_deref()
        .ok_or("it has neither folder nor url")?;
    let url = Url::parse(url).map_err(|error| format!("its url is no address: {error}"))?;
    let clock = Arc::clone(&core.clock);
    let client = SourceClient::new(config, &url, &clock)?;
    let known = core.threats.library().listing(&config.name).map(Arc::clone);
    let (to, receiver) = sync_channel(1);
    let look = Look {
        client,
        url,
        known: known.unwrap_or_default(),
        goes_on,
        clock,
        to,
    };
    std::thread::Builder::new()
        .name("advisories".to_owned())
        .spawn(move || look.run())
        .map_err(|error| format!("its thread did not start: {error}"))?;
    Ok(receiver)
}

/// After a start a source is looked into when it would have been without it, and at once if more of it waits.
fn first(core: &Core, config: &AdvisorySourceConfig) -> Timestamp {
    let library = core.threats.library();
    let waits = library.listing(&config.name);
    let waits = config.url.is_some() && waits.is_some_and(|one| one.waiting > 0);
    let known = library.sources().find(|one| one.name == config.name);
    let every = Duration::from_secs(config.every_hours.saturating_mul(3_600));
    match known {
        Some(known) if !waits => known.checked.plus(every),
        _ => Timestamp::from_micros(0),
    }
}

fn take_folder(core: &Core, config: &AdvisorySourceConfig, folder: &Path) -> Result<(), String> {
    take_with(core, config, |checks, intake| {
        folder::read(folder, checks, intake)
    })
}

fn take_fetched(
    core: &Core,
    config: &AdvisorySourceConfig,
    name: &str,
    bytes: &[u8],
) -> Result<(), String> {
    take_with(core, config, |checks, intake| {
        take_file(name, bytes, Beside::default(), checks, intake);
        Ok(())
    })
}

fn take_with(
    core: &Core,
    config: &AdvisorySourceConfig,
    read: impl FnOnce(&Checks<'_>, &mut Intake) -> Result<(), String>,
) -> Result<(), String> {
    let keys = Keys::read(core)?;
    let now = core.clock.now();
    let mut intake = Intake::default();
    read(&keys.checks(now), &mut intake)?;
    if intake.is_empty() {
        return Err("there is no document in it".to_owned());
    }
    let imported = core
        .threats
        .import(&config.name, intake, false, Actor::System, now);
    matched(core, imported)
}

/// Takes documents of a list over, and notes of each what became of it.
fn take_batch(core: &Core, config: &AdvisorySourceConfig, batch: Batch) -> Result<(), String> {
    let keys = Keys::read(core)?;
    let now = core.clock.now();
    let checks = keys.checks(now);
    let mut intake = Intake::default();
    let mut progress = Progress {
        kind: batch.kind.to_owned(),
        publisher: batch.publisher,
        keys: batch.keys,
        waiting: batch.waiting,
        fetched: BTreeMap::new(),
        gone: batch.gone,
    };
    for document in batch.documents {
        let one = take_document(&document, &checks);
        let known = Known {
            changed: document.changed,
            at: now,
            fault: one.fault().map(str::to_owned),
        };
        progress.fetched.insert(document.address, known);
        intake.append(one);
    }
    let imported = core
        .threats
        .import_listed(&config.name, intake, progress, now);
    matched(core, imported)
}

fn take_document(document: &Document, checks: &Checks<'_>) -> Intake {
    let mut intake = Intake::default();
    let name = document.address.rsplit('/').next().unwrap_or_default();
    match &document.got {
        Ok(files) => {
            let beside = Beside {
                sha512: files.sha512.as_deref(),
                sha256: files.sha256.as_deref(),
                signature: files.signature.as_deref(),
            };
            take_file(name, &files.bytes, beside, checks, &mut intake);
            if intake.is_empty() {
                intake.refuse(name, "it is no document of a kind that is kept".to_owned());
            }
        }
        Err(why) => intake.refuse(name, why.clone()),
    }
    intake
}

/// Matches again if anything is new.
fn matched(core: &Core, imported: Result<Imported, ThreatsError>) -> Result<(), String> {
    let imported = imported.map_err(|error| chain(&error))?;
    if imported.count("added") + imported.count("updated") > 0 {
        rematch(core).map_err(|error| chain(&error))?;
    }
    Ok(())
}

fn take_file(
    name: &str,
    bytes: &[u8],
    beside: Beside<'_>,
    checks: &Checks<'_>,
    intake: &mut Intake,
) {
    let walked = walk(name, bytes, beside, checks, &Bounds::default(), |item| {
        // What is of another kind is not for here; the folder may serve others, too.
        let _ = take(&item, intake);
    });
    for fault in &walked.faults {
        intake.refuse(&fault.name, fault.kind.to_string());
    }
}
