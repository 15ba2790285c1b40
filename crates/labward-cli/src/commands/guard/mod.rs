//! `labward guard`: folders in which nobody opens a file before the server looked at it, or in which
//! what was written is looked at afterwards; what is malicious goes into quarantine, and comes back
//! from there.
//!
//! It must never read what is in a file, remove one of which the server has no durable copy, or keep
//! work from going on longer than the deadline. 45 CFR 164.308(a)(5)(ii)(B).
//!
//! | Module | Holds |
//! |---|---|
//! | `cache` | what is known of files |
//! | `check` | what would be watched |
//! | `config` | the configuration |
//! | `gate` | who waits for a file, and the answer |
//! | `given` | what was given back, which stays |
//! | `keeper` | walks, and what was written or moved in |
//! | `known` | what is known of files, over a restart |
//! | `restore` | giving back |
//! | `server` | what the server is asked |
//! | `settle` | what became of files, told to the server |
//! | `tell` | lines for the journal |
//! | `treat` | removing, and what a crash left |
//! | `watched` | a folder, and a look at a file of it |

mod cache;
mod check;
mod config;
mod gate;
mod given;
mod keeper;
mod known;
mod restore;
mod server;
mod settle;
mod tell;
mod treat;
mod watched;

use std::fs;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, RwLock};
use std::thread;
use std::time::Duration;

use labward_base::problem;
use labward_os::fanotify::{FOLDERS_MAX, Fanotify, FanotifyError, Settings, Tree, Verdict, Watch};
use labward_os::held::HeldFolder;
use labward_os::{
    FileSystem, OsError, forbid_core_dumps, is_stopped, keep_rights_over_files, note_stop_signals,
};

use self::cache::Cache;
use self::config::{Choice, FolderConfig, GuardConfig, Mode};
use self::gate::Waiting;
use self::given::Given;
use self::keeper::Keeper;
use self::known::Memory;
use self::server::{Health, Server};
use self::settle::Ledger;
use self::tell::Tell;
use self::watched::{Shared, Watched};
use crate::args::GuardArgs;
use crate::failure::Failure;

/// A folder that is not there is looked for again after so long.
const ABSENT: Duration = Duration::from_secs(2);
/// So many questions of a folder wait at most; further ones are answered as for a server that is
/// unwell.
const OUTSTANDING_MAX: usize = 256;
/// So much that is to be done is noted of a folder; beyond, everything is walked through.
const JOBS_MAX: usize = 16_384;

/// `labward guard`
pub(super) fn run(json: bool, arguments: &GuardArgs) -> Result<(), Failure> {
    let config = GuardConfig::load(&arguments.config)?;
    let exempt: Vec<Vec<u32>> = config
        .folders
        .iter()
        .map(exempt)
        .collect::<Result<_, _>>()?;
    if arguments.check {
        return check::run(json, &config);
    }
    // Before the first thread: each has rights of its own.
    keep_rights_over_files()
        .and_then(|()| forbid_core_dumps())
        .and_then(|()| note_stop_signals())
        .map_err(|error| refused(&error))?;
    let shared = Arc::new(Shared {
        host: config.host.clone(),
        state: config.state.clone(),
        server: Server::new(&config.server)?,
        health: Health::new(),
        given: Given::open(&config.state)?,
        tell: Tell::new(json),
    });
    // What would be refused for each folder is refused now.
    drop(Fanotify::open(Settings::default()).map_err(|error| unwatched(&error))?);
    let (pool, waiting) = sync_channel(OUTSTANDING_MAX);
    let waiting = Arc::new(Mutex::new(waiting));
    for number in 0..config.workers {
        let waiting = Arc::clone(&waiting);
        // These end with the process: one may wait for the server.
        start(format!("labward-look-{number}"), move || {
            gate::work(&waiting)
        })?;
    }
    thread::scope(|scope| {
        for (folder, exempt) in config.folders.iter().zip(&exempt) {
            let (shared, pool, poll) = (&shared, &pool, config.poll());
            scope.spawn(move || supervise(shared, folder, exempt, pool, poll));
        }
    });
    Ok(())
}

/// Watches a folder whenever it is there.
fn supervise(
    shared: &Arc<Shared>,
    config: &FolderConfig,
    exempt: &[u32],
    pool: &SyncSender<Waiting>,
    poll: Duration,
) {
    let mut said = String::new();
    while !is_stopped() {
        let watched = watch(shared, config, exempt, pool, poll);
        let why = watched.err().unwrap_or_else(|| "it went away".to_owned());
        if !is_stopped() && said != why {
            shared
                .tell
                .say("guard.not-watching", &config.name, &[("why", why.clone())]);
            said = why;
        }
        pause(ABSENT);
    }
}

/// Watches a folder until it is not there any more or the guard is to end.
fn watch(
    shared: &Arc<Shared>,
    config: &FolderConfig,
    exempt: &[u32],
    pool: &SyncSender<Waiting>,
    poll: Duration,
) -> Result<(), String> {
    let held = |error: labward_os::held::HeldError| error.to_string();
    let root = HeldFolder::open(&config.path).map_err(held)?;
    let real = fs::canonicalize(&config.path).map_err(|error| error.to_string())?;
    let fanotify = Fanotify::open(settings(config)).map_err(|error| error.to_string())?;
    let folders = if config.recursive { FOLDERS_MAX } else { 1 };
    let tree = Tree::begin(&fanotify, &root, marks(config), folders);
    let mut tree = tree.map_err(|error| error.to_string())?;
    let (jobs, taken) = sync_channel(JOBS_MAX);
    let kind = FileSystem::of(&root).map_err(|error| error.to_string())?;
    let is_polled = config.changes.are_polled(kind.is_told);
    let (memory, cache) = remembered(shared, config, &kind, &root)?;
    let watched = Arc::new(Watched {
        shared: Arc::clone(shared),
        config: config.clone(),
        root,
        real,
        exempt: exempt.to_vec(),
        cache,
        memory,
        is_polled,
        has_inodes: kind.keeps_times,
        ledger: Ledger::new(),
        jobs,
        overflowed: AtomicBool::new(false),
        missed: AtomicBool::new(false),
        ended: AtomicBool::new(false),
        rooms: RwLock::new(()),
        said: Mutex::default(),
    });
    let changes = if is_polled { "polled" } else { "told" };
    let facts = [
        ("folders", tree.watched().to_string()),
        ("file-system", kind.name),
        ("changes", changes.to_owned()),
    ];
    watched.say("guard.watching", &facts);
    thread::scope(|scope| {
        scope.spawn(|| gate::listen(&watched, &fanotify, pool));
        scope.spawn(|| keeper::follow(&watched, &fanotify, &mut tree));
        Keeper::new(&watched, &taken, poll).run();
    });
    Ok(())
}

/// Where what is known of a folder is kept, and what is known of it.
fn remembered(
    shared: &Shared,
    config: &FolderConfig,
    kind: &FileSystem,
    root: &HeldFolder,
) -> Result<(Option<Memory>, Cache), String> {
    let identity = root.identity().map_err(|error| error.to_string())?;
    let memory = Memory::of(&shared.state, &config.name, kind, &identity);
    let memory = memory.filter(|_| config.remember);
    let cache = Cache::default();
    if let Some(known) = memory.as_ref().and_then(Memory::read) {
        cache.learn(&known, cache::now());
    }
    Ok((memory, cache))
}

fn settings(config: &FolderConfig) -> Settings {
    Settings {
        default_verdict: match config.unwell {
            Choice::Allow => Verdict::Allow,
            Choice::Deny => Verdict::Deny,
        },
        deadline: config.deadline(),
        outstanding_max: OUTSTANDING_MAX,
    }
}

/// What of a folder is asked and told; to run a file is to open it.
fn marks(config: &FolderConfig) -> Watch {
    Watch {
        open: config.mode == Mode::Block,
        execute: false,
        written: true,
    }
}

fn start(name: String, run: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    let started = thread::Builder::new().name(name).spawn(run);
    started.map(drop).map_err(|error| {
        Failure::new(
            &problem::SERVER_INTERNAL,
            format!("start a thread: {error}"),
        )
    })
}

/// The numbers of the accounts that are exempt in a folder.
fn exempt(folder: &FolderConfig) -> Result<Vec<u32>, Failure> {
    let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
    folder
        .exempt
        .iter()
        .map(|name| {
            let number = name.parse().ok().or_else(|| number_of(&accounts, name));
            number.ok_or_else(|| {
                let why = format!("folder {}: there is no account {name}", folder.name);
                Failure::new(&problem::GUARD_CONFIG, why)
            })
        })
        .collect()
}

/// The number of an account of this machine (passwd(5)); accounts of a directory are named by their number.
fn number_of(accounts: &str, name: &str) -> Option<u32> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let is_it = fields.next() == Some(name);
        is_it.then(|| fields.nth(1)?.parse().ok()).flatten()
    })
}

/// Waits, while there is nothing to wait for.
fn pause(time: Duration) {
    let (_never, told) = channel::<()>();
    let _ = told.recv_timeout(time);
}

fn refused(error: &OsError) -> Failure {
    Failure::new(error.problem(), error.to_string())
}

fn unwatched(error: &FanotifyError) -> Failure {
    Failure::new(&problem::GUARD_DENIED, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_found_by_their_name() {
        let accounts = "root:x:0:0:root:/root:/bin/sh\nsamba:x:991:990::/:/bin/false\nbad\n";
        assert_eq!(number_of(accounts, "samba"), Some(991));
        assert_eq!(number_of(accounts, "root"), Some(0));
        assert_eq!(number_of(accounts, "x"), None);
        assert_eq!(number_of(accounts, "bad"), None);
    }
}
