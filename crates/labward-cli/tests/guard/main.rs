//! `labward guard` as root: what other processes can open, what ends in quarantine, and that nothing is ever lost.
//!
//! This binary is the program when its first word is one of its commands, so that the guard that is started and
//! killed is the real one. Skipped where the account or the kernel cannot watch files.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test program: it says what happened, starts processes, waits and measures time"
)]

mod back;
mod file_systems;
mod lost;
mod server;
mod watching;

use std::fs;
use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser as _;
use labward_cli::Arguments;
use labward_os::fanotify::{Fanotify, Settings};
use labward_testkit::TempDir;
use labward_testkit::carrier::eicar;

use self::server::Server;

/// How long is waited for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A claim and what shows it.
type Test = (&'static str, fn());

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words
        .first()
        .is_some_and(|word| word == "guard" || word == "--json")
    {
        let arguments = Arguments::parse();
        return labward_cli::run(&arguments, &arguments.command);
    }
    if let Err(error) = Fanotify::open(Settings::default()) {
        eprintln!("labward-skip: guard: {error}");
        return ExitCode::SUCCESS;
    }
    let named: Vec<&String> = words.iter().filter(|word| !word.starts_with('-')).collect();
    let mut failed = 0;
    let all = [
        watching::TESTS,
        lost::TESTS,
        back::TESTS,
        file_systems::TESTS,
    ];
    for (name, test) in all.concat() {
        if !named.is_empty() && !named.iter().any(|part| name.contains(part.as_str())) {
            continue;
        }
        let began = Instant::now();
        let passed = catch_unwind(test).is_ok();
        failed += usize::from(!passed);
        let word = if passed { "ok" } else { "FAILED" };
        println!("test {name} ... {word} ({:.1?})", began.elapsed());
    }
    println!("guard: {failed} failed");
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// A folder to be guarded, the server, and the guard's own place.
struct Lab {
    server: Server,
    folder: TempDir,
    own: TempDir,
}

/// A guard that runs; killed when dropped.
struct Guard {
    child: Child,
    out: PathBuf,
}

impl Lab {
    fn new() -> Self {
        Self {
            server: Server::start(),
            folder: TempDir::new(),
            own: TempDir::new(),
        }
    }

    /// The configuration of one folder, with these lines beside.
    fn config(&self, mode: &str, more: &str) -> PathBuf {
        let path = self.folder.path().display();
        let folder = format!(
            "[[folder]]\nname = \"intake\"\npath = \"{path}\"\nmode = \"{mode}\"\n{more}\n"
        );
        self.config_of(
            &format!("socket = \"{}\"", self.server.socket().display()),
            &folder,
        )
    }

    fn config_of(&self, server: &str, folders: &str) -> PathBuf {
        let path = self.own.join("guard.toml");
        let state = self.own.join("state");
        let text = format!(
            "version = 1\nhost = \"bench\"\nstate = \"{}\"\npoll_seconds = 1\n[server]\n{server}\n{folders}",
            state.display()
        );
        fs::write(&path, text).unwrap();
        path
    }

    fn guard(&self, mode: &str, more: &str) -> Guard {
        Guard::start(&self.config(mode, more), &self.own.join("out"))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes a malicious file of its own content.
    fn write_bad(&self, name: &str) -> Vec<u8> {
        let content = bad(name);
        fs::write(self.file(name), &content).unwrap();
        content
    }

    fn is_kept(&self, content: &[u8]) -> bool {
        self.server.items().iter().any(|item| item == content)
    }
}

impl Guard {
    /// Starts it, and waits until it watches.
    fn start(config: &Path, out: &Path) -> Self {
        let guard = Self::begin(config, out);
        guard.says("guard.watching");
        guard
    }

    fn begin(config: &Path, out: &Path) -> Self {
        let file = fs::File::create(out).unwrap();
        let child = Command::new("/proc/self/exe")
            .args(["guard", "--config"])
            .arg(config)
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        let out = out.to_owned();
        Self { child, out }
    }

    fn said(&self) -> String {
        let mut said = String::new();
        fs::File::open(&self.out)
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        said
    }

    fn says(&self, what: &str) {
        until(
            || self.said().contains(what),
            &format!("{what}; it said {}", self.said()),
        );
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("{}", self.said());
        }
    }
}

fn until(is_so: impl FnMut() -> bool, what: &str) {
    until_within(PATIENCE, is_so, what);
}

fn until_within(patience: Duration, mut is_so: impl FnMut() -> bool, what: &str) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < patience, "not in time: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Malicious bytes that no other file of a test has.
fn bad(name: &str) -> Vec<u8> {
    [&eicar()[..], b" ", name.as_bytes()].concat()
}

/// Another process that reads a file, as this account.
fn cat_as(account: u32, path: &Path) -> Output {
    Command::new("cat")
        .arg(path)
        .uid(account)
        .stderr(Stdio::piped())
        .output()
        .unwrap()
}

fn cat(path: &Path) -> Output {
    cat_as(0, path)
}

fn was_denied(output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("Operation not permitted"), "{output:?}");
    assert!(output.stdout.is_empty());
}

fn was_read(output: &Output, content: &[u8]) {
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stdout, content);
}
