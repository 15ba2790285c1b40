//! The process that looks: loads what was named, is confined, and answers its parent.
//!
//! It must never print a word: its standard output is the protocol.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use labward_os::confine::{Limits, State, enter};
use labward_scan::clamd::Clamd;
use labward_scan::hashes::Collector;
use labward_scan::process::protocol::Hello;
use labward_scan::process::{Confine, Started, serve, unconfined};
use labward_scan::yara::Loader;
use labward_scan::{Engine, Policy, Scanner};

use crate::args::ScanRulesArgs;

/// How long the daemon of ClamAV may take to say its version.
const CLAMD_VERSION: Duration = Duration::from_secs(5);
/// The most memory of the process in bytes, rules and the largest file with everything unpacked in it: 4 GiB.
const MEMORY_MAX: u64 = 4 << 30;

/// `labward scan-child`
pub(in crate::commands) fn child(rules: &ScanRulesArgs) -> ExitCode {
    let mut input = std::io::stdin().lock();
    let mut output = std::io::stdout().lock();
    // The daemon of ClamAV is asked over a socket for each part, which a confined process cannot open.
    let confine: Confine = match rules.clamd {
        Some(_) => unconfined,
        None => confined,
    };
    match serve(&mut input, &mut output, || start(rules), confine) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(70),
    }
}

/// What the process may use, from its start on.
pub(super) fn limits() -> Limits {
    Limits::of(MEMORY_MAX)
}

/// Takes the rights of this process away; what holds it from then on.
fn confined() -> Result<Vec<&'static str>, String> {
    let confinement = enter(&limits()).map_err(|error| error.to_string())?;
    let layers = confinement.layers().iter();
    let held = layers.filter(|(_, state)| *state == State::InForce);
    Ok(held.map(|(layer, _)| layer.code()).collect())
}

fn start(named: &ScanRulesArgs) -> Result<Started, String> {
    let mut hello = Hello::default();
    let mut engines: Vec<Box<dyn Engine>> = Vec::new();
    let mut loader = Loader::default();
    loader.add_own();
    for path in &named.rules {
        loader.add_path(path, "", modified(path));
    }
    for path in &named.approved {
        loader.add_path(path, "", modified(path));
        loader.approve_last();
    }
    let rules = loader.finish();
    hello.sets = rules.sets().to_vec();
    let since = hello.sets.iter().filter_map(|set| set.imported).min();
    engines.push(Box::new(rules));
    let hashes = collect(&named.hashes, &mut hello.refused)?;
    hello.lists = hashes.lists().to_vec();
    if !named.hashes.is_empty() {
        engines.push(Box::new(hashes.finish()));
    }
    if let Some(socket) = &named.clamd {
        engines.push(Box::new(Clamd::at(socket, CLAMD_VERSION)));
    }
    let allowed = collect(&named.allow, &mut hello.refused)?.finish_allow();
    hello.allowed = allowed.lists().to_vec();
    if allowed.ignored() > 0 {
        let ignored = format!(
            "{} MD5 or SHA-1 of known good files: they clear nothing",
            allowed.ignored()
        );
        hello.refused.push(ignored);
    }
    let allowed = (!named.allow.is_empty()).then_some(allowed);
    Ok(Started {
        scanner: Scanner::new(engines, Policy::default(), allowed, since),
        hello,
    })
}

/// The lists; one that is none is named, one that cannot be read is an error.
fn collect(paths: &[std::path::PathBuf], refused: &mut Vec<String>) -> Result<Collector, String> {
    let mut collector = Collector::default();
    for path in paths {
        let shown = path.display();
        let bytes = fs::read(path).map_err(|error| format!("{shown}: {error}"))?;
        let name = path
            .file_name()
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        if let Err(error) = collector.add(&name, &bytes) {
            refused.push(format!("{shown}: {error}"));
        }
    }
    Ok(collector)
}

/// When a file or folder was changed last, in seconds since 1970.
fn modified(path: &Path) -> Option<i64> {
    let changed = fs::metadata(path).and_then(|facts| facts.modified()).ok()?;
    let since = changed
        .duration_since(std::time::SystemTime::UNIX_EPOCH)
        .ok()?;
    i64::try_from(since.as_secs()).ok()
}
