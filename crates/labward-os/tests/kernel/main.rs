//! What the kernel does with what this crate asks of it, in processes of their own.
//!
//! Without the usual runner of tests: its threads and its catching of output are in the way of a
//! process that is confined, killed or listened to.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test program: it says what happened, starts processes and measures time"
)]

use std::os::unix::process::CommandExt as _;
use std::panic::catch_unwind;
use std::process::{Command, ExitCode};

mod confined;
mod holding;
mod watched;

/// This very program.
const SELF: &str = "/proc/self/exe";
/// An argument that makes this program play a part in a test.
const PART: &str = "part";
/// An argument that says that the tests run as an ordinary account.
const ORDINARY: &str = "--ordinary";

/// A claim and the test of it.
type Test = (&'static str, fn());

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let [PART, part, rest @ ..] = &words[..] {
        return play(part, rest);
    }
    let named: Vec<&str> = words
        .iter()
        .copied()
        .filter(|word| !word.starts_with('-'))
        .collect();
    let watched = if is_root() {
        watched::TESTS
    } else {
        watched::ORDINARY
    };
    let mut failed = run(&[confined::TESTS, holding::TESTS, watched].concat(), &named);
    if is_root() && !words.contains(&ORDINARY) {
        failed += usize::from(!as_nobody(&named));
    }
    println!("kernel: {failed} failed");
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn play(part: &str, arguments: &[&str]) -> ExitCode {
    match part {
        "confined" => confined::child(arguments),
        "full-disk" => holding::part(),
        "listener" => watched::listener(arguments),
        "mount" => watched::mount(arguments),
        "parent" => confined::parent(),
        "remover" => holding::remover(arguments),
        "restorer" => holding::restorer(arguments),
        other => panic!("there is no part {other}"),
    }
}

/// Runs what is named, or everything; answers how many failed.
fn run(tests: &[Test], named: &[&str]) -> usize {
    let mut failed = 0;
    for (name, test) in tests {
        if !named.is_empty() && !named.iter().any(|part| name.contains(part)) {
            continue;
        }
        let passed = catch_unwind(test).is_ok();
        failed += usize::from(!passed);
        println!("test {name} ... {}", if passed { "ok" } else { "FAILED" });
    }
    failed
}

fn is_root() -> bool {
    labward_os::current_uid() == 0
}

/// What an ordinary account can do is tested as one.
fn as_nobody(named: &[&str]) -> bool {
    let (user, group) = labward_os::NOBODY;
    let mut again = Command::new(SELF);
    again.arg(ORDINARY).args(named).uid(user).gid(group);
    again.current_dir("/");
    match again.status() {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("labward-skip: kernel as an ordinary account: {error}");
            true
        }
    }
}
