//! `labward scan`: files and folders through the scanner's processes, without any server.
//!
//! It must never call a file clean that no process looked at to the end, and never change one.

mod child;
mod device;
mod report;
mod show;
mod walked;

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use labward_base::{Clock as _, problem};
use labward_carrier::Declared;
use labward_os::held::HeldFolder;
use labward_os::{SystemClock, confine};
use labward_scan::process::protocol::{Ask, Hello};
use labward_scan::process::{Bytes, Pool, PoolOptions};
use labward_scan::{Report, Setting};

pub(super) use child::child;
pub(super) use device::{start as read_start, version_of};
pub(super) use show::size;
pub(super) use walked::{BOUNDS, why as left_out_why};

use self::show::Screen;
use self::walked::{Shown, Skip};
use super::absolute;
use crate::args::{ScanArgs, ScanRulesArgs, ScanSetting};
use crate::failure::Failure;

/// How long loading the rules may take.
const START: Duration = Duration::from_secs(300);
/// How many files wait for a process at a time, each open.
const WAITING: usize = 64;
/// The most processes if nobody says how many.
const JOBS_MAX: usize = 8;

/// What became of one path.
enum Outcome {
    Scanned(PathBuf, Box<Report>),
    Skipped(Skip),
    /// An operating system that was found.
    System(String),
    Unread(PathBuf, String),
}

/// `labward scan`
pub(super) fn run(json: bool, arguments: &ScanArgs) -> Result<ExitCode, Failure> {
    let device = &arguments.disk.device;
    let disk = device
        .as_deref()
        .map(|point| device::hold(point, &arguments.disk))
        .transpose()?;
    let begun = disk
        .as_ref()
        .zip(arguments.disk.report.as_deref())
        .map(|((folder, _), path)| report::begin(path, folder))
        .transpose()?;
    let jobs = arguments.jobs.map_or_else(
        || thread::available_parallelism().map_or(1, |n| n.get().min(JOBS_MAX)),
        usize::from,
    );
    let pool = pool(&arguments.rules, jobs)?;
    let hello = pool
        .hello(START)
        .map_err(|(_, why)| Failure::new(&problem::SCAN_PROCESS, why))?;
    all_loaded(&hello)?;
    let mut screen = Screen::new(json, arguments.all, begun.is_some(), hello);
    let started = SystemClock.now();
    let (folder, disk) = disk.unzip();
    look_at_all(folder, arguments, &pool, jobs, &mut screen);
    pool.stop();
    let seen = screen.end(disk, started, SystemClock.now());
    let written = begun
        .map(|begun| begun.finish(&seen, arguments.disk.language))
        .transpose();
    // What was found is told even if it could not be written down.
    let code = seen.show(json, arguments.all)?;
    if let Some(written) = written? {
        written.tell(json)?;
    }
    Ok(code)
}

/// Walks on one thread, looks on as many as there are processes, and shows on this one.
fn look_at_all(
    folder: Option<HeldFolder>,
    arguments: &ScanArgs,
    pool: &Pool,
    jobs: usize,
    screen: &mut Screen,
) {
    thread::scope(|scope| {
        let (tell, told) = channel();
        let (give, take) = sync_channel(WAITING);
        let take = Arc::new(Mutex::new(take));
        for _ in 0..jobs {
            let (take, tell) = (Arc::clone(&take), tell.clone());
            scope.spawn(|| look(take, tell, pool, arguments));
        }
        scope.spawn(move || {
            let mut show = |shown| match shown {
                Shown::File(path, file) => give.send((path, file)).is_ok(),
                Shown::Skipped(skip) => tell.send(Outcome::Skipped(skip)).is_ok(),
                Shown::Unread(path, why) => tell.send(Outcome::Unread(path, why)).is_ok(),
            };
            match folder {
                None => walked::each(&arguments.paths, arguments.cross_file_systems, &mut show),
                Some(folder) => {
                    // On a disk, paths are told as they are there.
                    let mut show = |shown| {
                        if let Shown::File(path, file) = &shown
                            && let Some(system) = device::system(path, file)
                        {
                            // Nobody is there to be told if this fails.
                            let _ = tell.send(Outcome::System(system));
                        }
                        show(shown)
                    };
                    walked::below(folder, Path::new(""), false, &mut show);
                }
            }
        });
        for outcome in told {
            screen.take(outcome);
        }
    });
}

/// A file that waits for a process.
type Waiting = (PathBuf, Arc<File>);

/// One of the threads that hand files to the processes.
fn look(
    take: Arc<Mutex<Receiver<Waiting>>>,
    tell: Sender<Outcome>,
    pool: &Pool,
    arguments: &ScanArgs,
) {
    loop {
        let next = take.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((path, file)) = next else { return };
        let ask = Ask::of(setting(arguments.setting), &declared(&path));
        let limit = Duration::from_secs(arguments.timeout);
        let report = pool.scan(&ask, &Bytes::File(file), limit);
        if tell.send(Outcome::Scanned(path, Box::new(report))).is_err() {
            return;
        }
    }
}

/// One process that has loaded the rules, for files that somebody else found.
pub(super) fn ready(rules: &ScanRulesArgs) -> Result<Pool, Failure> {
    let pool = pool(rules, 1)?;
    let hello = pool.hello(START);
    let hello = hello.map_err(|(_, why)| Failure::new(&problem::SCAN_PROCESS, why))?;
    all_loaded(&hello)?;
    Ok(pool)
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
        ("--approved", &rules.approved),
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
        spawn: start,
    }))
}

/// Starts the process with its limits, without a descriptor of ours, and so that it ends when this program does.
fn start(command: &mut Command) -> io::Result<Child> {
    let words: Vec<&OsStr> = command.get_args().collect();
    let program = Path::new(command.get_program());
    confine::start(program, &words, &child::limits()).map_err(io::Error::other)
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
