//! `labward scan`: files and folders through the scanner's processes, without any server.
//!
//! It must never call a file clean that no process looked at to the end, and never change one.

mod child;
mod files;
mod show;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use labward_base::problem;
use labward_carrier::Declared;
use labward_scan::process::protocol::{Ask, Hello};
use labward_scan::process::{Bytes, Pool, PoolOptions};
use labward_scan::{Report, Setting};

pub(super) use child::child;

use self::files::Shown;
use self::show::Screen;
use super::absolute;
use crate::args::{ScanArgs, ScanRulesArgs, ScanSetting};
use crate::failure::Failure;

/// How long loading the rules may take.
const START: Duration = Duration::from_secs(300);
/// How many files wait for a process at a time.
const WAITING: usize = 256;
/// The most processes if nobody says how many.
const JOBS_MAX: usize = 8;

/// What became of one path.
enum Outcome {
    Scanned(PathBuf, Box<Report>),
    Skipped,
    Unread(PathBuf, String),
}

/// `labward scan`
pub(super) fn run(json: bool, arguments: &ScanArgs) -> Result<ExitCode, Failure> {
    let jobs = arguments.jobs.map_or_else(
        || thread::available_parallelism().map_or(1, |n| n.get().min(JOBS_MAX)),
        usize::from,
    );
    let pool = pool(&arguments.rules, jobs)?;
    let hello = pool
        .hello(START)
        .map_err(|(_, why)| Failure::new(&problem::SCAN_PROCESS, why))?;
    all_loaded(&hello)?;
    let mut screen = Screen::new(json, arguments.all, hello);
    thread::scope(|scope| {
        let (tell, told) = channel();
        let (give, take) = sync_channel(WAITING);
        let take = Arc::new(Mutex::new(take));
        for _ in 0..jobs {
            let (take, tell) = (Arc::clone(&take), tell.clone());
            scope.spawn(|| look(take, tell, &pool, arguments));
        }
        scope.spawn(move || {
            files::each(
                &arguments.paths,
                arguments.cross_file_systems,
                &mut |shown| match shown {
                    Shown::File(path) => give.send(path).is_ok(),
                    Shown::Skipped => tell.send(Outcome::Skipped).is_ok(),
                    Shown::Unread(path, why) => tell.send(Outcome::Unread(path, why)).is_ok(),
                },
            );
        });
        for outcome in told {
            screen.take(outcome);
        }
    });
    pool.stop();
    screen.finish()
}

/// One of the threads that hand files to the processes.
fn look(
    take: Arc<Mutex<Receiver<PathBuf>>>,
    tell: Sender<Outcome>,
    pool: &Pool,
    arguments: &ScanArgs,
) {
    loop {
        let next = take.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(path) = next else { return };
        let outcome = match files::open(&path) {
            Ok(file) => {
                let ask = Ask::of(setting(arguments.setting), &declared(&path));
                let limit = Duration::from_secs(arguments.timeout);
                let report = pool.scan(&ask, &Bytes::File(Arc::new(file)), limit);
                Outcome::Scanned(path, Box::new(report))
            }
            Err(why) => Outcome::Unread(path, why),
        };
        if tell.send(outcome).is_err() {
            return;
        }
    }
}

fn declared(path: &Path) -> Declared {
    path.file_name().map_or_else(Declared::nothing, |name| {
        Declared::named(&name.to_string_lossy())
    })
}

fn setting(setting: ScanSetting) -> Setting {
    match setting {
        ScanSetting::File => Setting::File,
        ScanSetting::Mail => Setting::Mail,
        ScanSetting::Message => Setting::Message,
    }
}

fn pool(rules: &ScanRulesArgs, children: usize) -> Result<Pool, Failure> {
    let mut words = vec!["scan-child".into()];
    let clamd = rules.clamd.as_slice();
    for (option, paths) in [
        ("--rules", rules.rules.as_slice()),
        ("--hashes", &rules.hashes),
        ("--allow", &rules.allow),
        ("--clamd", clamd),
    ] {
        for path in paths {
            words.push(format!("{option}={}", absolute(path)?).into());
        }
    }
    Ok(Pool::new(PoolOptions {
        // This very file, even if an update has put another in its place.
        program: "/proc/self/exe".into(),
        arguments: words,
        children,
        start_limit: START,
        spawn: Command::spawn,
    }))
}

/// A path of which nothing at all could be loaded is an error before anything is scanned; single bad rules are told.
fn all_loaded(hello: &Hello) -> Result<(), Failure> {
    let empty = hello.sets.iter().find(|set| set.rules == 0);
    let why = empty.map(|set| {
        let first = set
            .refused
            .first()
            .map_or(String::new(), |one| format!(": {}", one.why));
        format!("{}: no rule of it could be loaded{first}", set.source)
    });
    let refused_list = hello
        .refused
        .iter()
        .find(|why| !why.contains("clear nothing"));
    match why.or_else(|| refused_list.cloned()) {
        Some(why) => Err(Failure::new(&problem::SCAN_RULES, why)),
        None => Ok(()),
    }
}
