//! A ruleset on trial: loaded at once, kept if it is confirmed, undone if it is not.
//!
//! Two things undo it, and neither needs the other. A process of ourselves, which left the terminal and the session,
//! waits and loads the former rules; it is ready before the new ones are loaded. And the kernel lets the guarded
//! addresses go a little later by itself, so that even when that process is killed nobody stays cut off. A timer of
//! systemd would be no sturdier than the kernel's, and is not there in a container or a network namespace.
//!
//! It must never load what it could not undo, nor two trials at once.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use labward_base::{Clock as _, Timestamp, problem};
use labward_os::Stopwatch;
use labward_segmentation::{Hash, Liveness, Loaded};
use serde::{Deserialize, Serialize};

use super::{about, guarded, nft, plan, ruleset};
use crate::args::SegmentApplyArgs;
use crate::commands::Context;
use crate::failure::Failure;
use crate::output::show;

/// So much later the kernel ends a trial by itself, whatever became of the process that was to.
const MARGIN: Duration = Duration::from_secs(30);
/// How often the waiting process looks whether the trial was confirmed.
const LOOK: Duration = Duration::from_millis(200);
/// A file of the folder is no longer, in bytes.
const FILE_BYTES_MAX: u64 = 4_096;
/// What the waiting process says when it waits.
const READY: &str = "waiting";

/// Where a trial is kept.
pub(super) struct Folder(PathBuf);

/// A ruleset that waits for a confirmation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trial {
    /// What is tried.
    pub(super) hash: Hash,
    /// When it began, in microseconds since 1970: its name, too.
    began: i64,
    /// How long it lasts, in seconds.
    seconds: u64,
}

/// What was put in force last.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InForce {
    /// Its hash.
    pub(super) hash: Hash,
    /// Since when, in microseconds since 1970.
    pub(super) since: i64,
}

/// What was done.
#[derive(Serialize)]
struct Answer {
    /// `on-trial`, `in-force` or `rolled-back`.
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    guarded: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends: Option<String>,
}

impl Trial {
    /// When it is over.
    pub(super) fn ends(&self) -> Timestamp {
        Timestamp::from_micros(self.began).plus(Duration::from_secs(self.seconds))
    }
}

impl Folder {
    pub(super) fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Makes it, for root alone.
    fn make(&self) -> Result<(), Failure> {
        let made = DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.0);
        made.map_err(|error| about(&problem::CLI_FILE, &self.0, &error))?;
        let access = labward_os::access_of(&self.0)
            .map_err(|error| about(&problem::CLI_FILE, &self.0, &error))?;
        // What stands in it is loaded by root.
        match access.owner_uid == labward_os::current_uid() && access.mode & 0o022 == 0 {
            true => Ok(()),
            false => Err(about(
                &problem::CLI_FILE,
                &self.0,
                &"others may write in it",
            )),
        }
    }

    /// Opens a file that is only there to be locked.
    fn lock_file(&self, name: &str) -> Result<File, Failure> {
        let path = self.path(name);
        let opened = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path);
        opened.map_err(|error| about(&problem::CLI_FILE, &path, &error))
    }

    /// Waits until nobody else changes anything.
    fn lock(&self) -> Result<File, Failure> {
        self.make()?;
        let file = self.lock_file("lock")?;
        file.lock()
            .map_err(|error| about(&problem::CLI_FILE, &self.path("lock"), &error))?;
        Ok(file)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.path(name);
        labward_os::write_durably(&path, bytes, 0o600)
            .map_err(|error| about(&problem::CLI_FILE, &path, &error))
    }

    fn read<T: for<'de> Deserialize<'de>>(&self, name: &str) -> Result<Option<T>, Failure> {
        let path = self.path(name);
        let failed = |error: &dyn std::fmt::Display| about(&problem::CLI_FILE, &path, error);
        let length = match fs::metadata(&path) {
            Ok(facts) => facts.len(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(&error)),
        };
        if length > FILE_BYTES_MAX {
            return Err(failed(&"it is too long"));
        }
        let bytes = fs::read(&path).map_err(|error| failed(&error))?;
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| failed(&error))
    }

    fn read_rules(&self, name: &str) -> Result<String, Failure> {
        let path = self.path(name);
        fs::read_to_string(&path).map_err(|error| about(&problem::CLI_FILE, &path, &error))
    }

    /// The trial that is not ended yet.
    pub(super) fn trial(&self) -> Result<Option<Trial>, Failure> {
        self.read("trial.json")
    }

    /// What was put in force last.
    pub(super) fn in_force(&self) -> Result<Option<InForce>, Failure> {
        self.read("in-force.json")
    }

    /// Whether a process waits for the end of the trial.
    pub(super) fn is_waited_for(&self) -> bool {
        let held = |file: File| matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock));
        self.path("waiting").exists() && self.lock_file("waiting").is_ok_and(held)
    }

    fn end_trial(&self) -> Result<(), Failure> {
        let path = self.path("trial.json");
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(about(&problem::CLI_FILE, &path, &error))
            }
            _ => Ok(()),
        }
    }

    fn put_in_force(&self, hash: Hash) -> Result<(), Failure> {
        let since = labward_os::SystemClock.now().as_micros();
        self.write("in-force.json", &json(&InForce { hash, since })?)
    }
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(value)
        .map_err(|error| Failure::new(&problem::SERVER_INTERNAL, error.to_string()))
}

/// `labward segment apply`
pub(super) fn apply(
    context: &Context,
    folder: &Folder,
    arguments: &SegmentApplyArgs,
) -> Result<(), Failure> {
    let plan = plan(&arguments.plan)?;
    let ruleset = ruleset(&plan)?;
    nft::require_root()?;
    let _lock = folder.lock()?;
    if let Some(trial) = folder.trial()? {
        let detail = format!("until {}", trial.ends());
        return Err(Failure::new(&problem::SEGMENTATION_ON_TRIAL, detail));
    }
    let rules = plan.legend() + &ruleset.nft(None);
    let hash = ruleset.hash();
    let mut answer = Answer {
        outcome: "in-force",
        hash: Some(hash.to_string()),
        guarded: Some(guarded(&plan)),
        ends: None,
    };
    if arguments.without_trial {
        nft::load(&rules)?;
        folder.put_in_force(hash)?;
    } else {
        let trial = Trial {
            hash,
            began: labward_os::SystemClock.now().as_micros(),
            seconds: arguments.roll_back_after.as_secs(),
        };
        let on_trial = ruleset.nft(Some(arguments.roll_back_after.saturating_add(MARGIN)));
        begin(folder, &trial, &rules, &on_trial)?;
        answer.outcome = "on-trial";
        answer.ends = Some(trial.ends().to_string());
    }
    tell(context, &answer)
}

/// Loads rules on trial, with everything ready that undoes it.
fn begin(folder: &Folder, trial: &Trial, rules: &str, on_trial: &str) -> Result<(), Failure> {
    nft::check(on_trial)?;
    let former = nft::former()?;
    // What could not be loaded again could not be undone.
    nft::check(&former)?;
    folder.write("former.nft", former.as_bytes())?;
    folder.write("tried.nft", rules.as_bytes())?;
    folder.write("trial.json", &json(trial)?)?;
    let begun = start_waiting(folder).and_then(|()| nft::load(on_trial));
    if begun.is_err() {
        // The waiting process sees it and ends; nothing was loaded.
        folder.end_trial()?;
    }
    begun
}

/// Starts the process that undoes the trial, and waits until it waits.
#[expect(
    clippy::disallowed_methods,
    reason = "it is this program itself, and has to outlive this process"
)]
fn start_waiting(folder: &Folder) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        let why = format!("start the process that ends the trial: {error}");
        Failure::new(&problem::SERVER_INTERNAL, why)
    };
    // This very file, even if an update has put another in its place.
    let mut child = Command::new("/proc/self/exe")
        .args(["segment", "rollback", "--when-due", "--run-folder"])
        .arg(&folder.0)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| failed(&error))?;
    let mut said = String::new();
    let stdout = child
        .stdout
        .take()
        .ok_or_else(|| failed(&"it has no output"))?;
    BufReader::new(stdout)
        .read_line(&mut said)
        .map_err(|error| failed(&error))?;
    match said.trim() == READY {
        true => Ok(()),
        false => Err(failed(&"it ended at once")),
    }
}

/// `labward segment rollback --when-due`
pub(super) fn wait(folder: &Folder) -> Result<(), Failure> {
    let Some(trial) = folder.trial()? else {
        return Err(Failure::new(&problem::SEGMENTATION_NO_TRIAL, None));
    };
    // One that a shell started leads a group and stays: whoever types this wants to see it end.
    let _ = labward_os::leave_session();
    let watch = Stopwatch::start();
    let waiting = folder.lock_file("waiting")?;
    waiting
        .lock()
        .map_err(|error| about(&problem::CLI_FILE, &folder.path("waiting"), &error))?;
    let mut out = std::io::stdout().lock();
    // Whoever started it may be gone already; it waits all the same.
    let _ = writeln!(out, "{READY}").and_then(|()| out.flush());
    drop(out);
    while !is_over(folder, &trial, &watch)? {
        pause();
    }
    Ok(())
}

/// Whether there is nothing to wait for any more: the trial was ended by somebody, or its time is over and it is undone.
fn is_over(folder: &Folder, trial: &Trial, watch: &Stopwatch) -> Result<bool, Failure> {
    let is_ended = || folder.trial().map(|now| now.as_ref() != Some(trial));
    let limit = Duration::from_secs(trial.seconds);
    if is_ended()? {
        return Ok(true);
    }
    if watch.elapsed() < limit {
        return Ok(false);
    }
    let _lock = folder.lock()?;
    // Confirmed at the last moment.
    if is_ended()? {
        return Ok(true);
    }
    match undo(folder) {
        Ok(()) => Ok(true),
        // Tried again, until the kernel does it.
        Err(_) if watch.elapsed() < limit.saturating_add(MARGIN) => Ok(false),
        Err(failure) => Err(failure),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "that the time is over is what is waited for"
)]
fn pause() {
    thread::sleep(LOOK);
}

fn undo(folder: &Folder) -> Result<(), Failure> {
    nft::load(&folder.read_rules("former.nft")?)?;
    folder.end_trial()
}

/// `labward segment rollback`
pub(super) fn rollback(context: &Context, folder: &Folder) -> Result<(), Failure> {
    nft::require_root()?;
    let _lock = folder.lock()?;
    if folder.trial()?.is_none() {
        return Err(Failure::new(&problem::SEGMENTATION_NO_TRIAL, None));
    }
    undo(folder)?;
    let answer = Answer {
        outcome: "rolled-back",
        hash: None,
        guarded: None,
        ends: None,
    };
    tell(context, &answer)
}

/// `labward segment confirm`
pub(super) fn confirm(context: &Context, folder: &Folder) -> Result<(), Failure> {
    nft::require_root()?;
    let _lock = folder.lock()?;
    let Some(trial) = folder.trial()? else {
        return Err(Failure::new(&problem::SEGMENTATION_NO_TRIAL, None));
    };
    match Loaded::liveness(nft::loaded()?.as_ref(), Some(trial.hash)) {
        Liveness::Live { .. } => {}
        Liveness::Changed { why, .. } => {
            return Err(Failure::new(
                &problem::SEGMENTATION_NOT_LIVE,
                why.join("; "),
            ));
        }
        Liveness::Lapsed { .. } | Liveness::Missing => {
            let why = "the trial is not loaded any more; end it with labward segment rollback";
            return Err(Failure::new(
                &problem::SEGMENTATION_NOT_LIVE,
                why.to_owned(),
            ));
        }
    }
    nft::load(&folder.read_rules("tried.nft")?)?;
    folder.put_in_force(trial.hash)?;
    folder.end_trial()?;
    let answer = Answer {
        outcome: "in-force",
        hash: Some(trial.hash.to_string()),
        guarded: None,
        ends: None,
    };
    tell(context, &answer)
}

fn tell(context: &Context, answer: &Answer) -> Result<(), Failure> {
    show(context.json, answer, |out| {
        if let Some(guarded) = answer.guarded {
            writeln!(out, "guarded devices: {guarded}")?;
        }
        if let Some(hash) = &answer.hash {
            writeln!(out, "hash {hash}")?;
        }
        match (answer.outcome, &answer.ends) {
            ("on-trial", Some(ends)) => {
                writeln!(
                    out,
                    "on trial until {ends}; then the former rules come back"
                )?;
                writeln!(
                    out,
                    "Next: see that the devices work, then labward segment confirm"
                )
            }
            ("rolled-back", _) => writeln!(out, "the former rules are in force again"),
            _ => writeln!(out, "in force"),
        }
    })
}
