//! Reads and fetches the configured sources of advisories when their time has come.
//!
//! It must never follow a link out of a folder, fetch without TLS, or take a source that failed for one that
//! brought nothing.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::time::Duration;

use labward_advisory::bundle::{Beside, Bounds, Checks, is_beside, walk};
use labward_base::{Clock as _, Timestamp};
use labward_ledger::Actor;
use labward_threats::Intake;

use super::intake::{Keys, take};
use super::matching::rematch;
use crate::app::Core;
use crate::config::AdvisorySourceConfig;
use crate::http::chain;

/// The largest file that is read or fetched.
const FILE_MAX_BYTES: u64 = 256 << 20;
/// How deep folders are gone into, and how many files are read.
const DEEPEST: usize = 8;
const FILES_MAX: usize = 50_000;
/// How long a fetch may take, and how long a source that failed is let alone.
const PATIENCE: Duration = Duration::from_secs(300);
const AFTER_FAILURE: Duration = Duration::from_secs(3_600);

/// When each source is looked into next.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    next: BTreeMap<String, Timestamp>,
    /// What is being fetched, by threads that nobody waits for.
    fetching: BTreeMap<String, Receiver<Fetched>>,
}

type Fetched = Result<Vec<u8>, String>;

impl Sources {
    /// Looks into every source whose time has come.
    pub(crate) fn look(&mut self, core: &Core) {
        let configs = core.config().advisory_sources.clone();
        self.next
            .retain(|name, _| configs.iter().any(|one| one.name == *name));
        for config in configs {
            let now = core.clock.now();
            let every = Duration::from_secs(config.every_hours.saturating_mul(3_600));
            let known = self.next.get(&config.name).copied();
            let due = known.unwrap_or_else(|| first(core, &config.name, every));
            if now < due {
                self.next.insert(config.name.clone(), due);
                continue;
            }
            let wait = match self.look_into(core, &config) {
                None => continue,
                Some(Ok(())) => every,
                Some(Err(why)) => {
                    tracing::warn!(source = %config.name, error = %why, "a source of advisories could not be read");
                    every.min(AFTER_FAILURE)
                }
            };
            self.next.insert(config.name.clone(), now.plus(wait));
        }
    }
}

impl Sources {
    /// Reads a source and takes over what is in it; `None` while it is still being fetched.
    fn look_into(
        &mut self,
        core: &Core,
        config: &AdvisorySourceConfig,
    ) -> Option<Result<(), String>> {
        let fetched = match (&config.folder, &config.url) {
            (Some(_), _) => None,
            (None, Some(url)) => {
                let begin = || begin_fetch(url);
                let name = config.name.clone();
                let receiver = self.fetching.entry(name).or_insert_with(begin);
                let fetched = match receiver.try_recv() {
                    Err(TryRecvError::Empty) => return None,
                    Err(TryRecvError::Disconnected) => Err("its thread ended".to_owned()),
                    Ok(fetched) => fetched,
                };
                self.fetching.remove(&config.name);
                Some(fetched)
            }
            (None, None) => return Some(Err("it has neither folder nor url".to_owned())),
        };
        let fetched = fetched.transpose();
        Some(fetched.and_then(|fetched| take_source(core, config, fetched)))
    }
}

/// Fetches on a thread of its own, so that a server that ends need not wait for another machine.
fn begin_fetch(url: &str) -> Receiver<Fetched> {
    let (sender, receiver) = sync_channel(1);
    let url = url.to_owned();
    let run = move || {
        // Nobody may want it any more.
        let _ = sender.send(fetch(&url));
    };
    // Without a thread the channel is closed, which is told.
    let _ = std::thread::Builder::new()
        .name("advisories".to_owned())
        .spawn(run);
    receiver
}

/// After a start a source is looked into when it would have been without it.
fn first(core: &Core, name: &str, every: Duration) -> Timestamp {
    let library = core.threats.library();
    let known = library.sources().find(|one| one.name == name);
    known.map_or(Timestamp::from_micros(0), |one| one.checked.plus(every))
}

fn take_source(
    core: &Core,
    config: &AdvisorySourceConfig,
    fetched: Option<Vec<u8>>,
) -> Result<(), String> {
    let keys = Keys::read(core)?;
    let checks = keys.checks(core.clock.now());
    let mut intake = Intake::default();
    if let Some(folder) = &config.folder {
        read_folder(folder, &checks, &mut intake)?;
    }
    if let Some(bytes) = fetched {
        let url = config.url.as_deref().unwrap_or_default();
        let name = url.rsplit('/').next().unwrap_or_default();
        take_file(name, &bytes, Beside::default(), &checks, &mut intake);
    }
    if intake.is_empty() {
        return Err("there is no document in it".to_owned());
    }
    let now = core.clock.now();
    let imported = core
        .threats
        .import(&config.name, intake, false, Actor::System, now);
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

fn read_folder(folder: &Path, checks: &Checks<'_>, intake: &mut Intake) -> Result<(), String> {
    let mut files = Vec::new();
    find(folder, 0, &mut files)?;
    files.sort();
    for path in &files {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if is_beside(&name) {
            continue;
        }
        let beside = |ending: &str| {
            let path = path.with_file_name(format!("{name}.{ending}"));
            files
                .binary_search(&path)
                .ok()
                .and_then(|_| read(&path).ok())
        };
        let (sha512, sha256, signature) = (beside("sha512"), beside("sha256"), beside("asc"));
        match read(path) {
            Ok(bytes) => {
                let beside = Beside {
                    sha512: sha512.as_deref(),
                    sha256: sha256.as_deref(),
                    signature: signature.as_deref(),
                };
                take_file(&name, &bytes, beside, checks, intake);
            }
            Err(why) => intake.refuse(&name, why),
        }
    }
    Ok(())
}

fn find(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let said = |error: std::io::Error| format!("{}: {error}", folder.display());
    if depth > DEEPEST {
        return Err(format!("{}: too deep", folder.display()));
    }
    for entry in fs::read_dir(folder).map_err(said)? {
        let entry = entry.map_err(said)?;
        let kind = entry.file_type().map_err(said)?;
        if kind.is_dir() {
            find(&entry.path(), depth + 1, files)?;
        } else if kind.is_file() {
            files.push(entry.path());
        }
        if files.len() > FILES_MAX {
            return Err(format!("{}: more than 50,000 files", folder.display()));
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let said = |error: std::io::Error| error.to_string();
    let file = fs::File::open(path).map_err(said)?;
    let mut bytes = Vec::new();
    let read = file.take(FILE_MAX_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(said)?;
    match u64::try_from(bytes.len()).is_ok_and(|length| length <= FILE_MAX_BYTES) {
        true => Ok(bytes),
        false => Err("larger than 256 MiB".to_owned()),
    }
}

fn fetch(url: &str) -> Result<Vec<u8>, String> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .https_only(true)
        .max_redirects(0)
        .timeout_global(Some(PATIENCE))
        .build()
        .into();
    let said = |error: ureq::Error| error.to_string();
    let mut answer = agent.get(url).call().map_err(said)?;
    let body = answer.body_mut().with_config().limit(FILE_MAX_BYTES);
    body.read_to_vec().map_err(said)
}
