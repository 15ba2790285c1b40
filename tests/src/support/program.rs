//! The program itself, as a person would start it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// Where the program is; it is built first, which is nothing if it is new enough.
pub(crate) fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(build)
}

fn build() -> PathBuf {
    // <target>/<profile>/deps/integration-<hash>
    let test = std::env::current_exe().unwrap();
    let profile = test.ancestors().nth(2).expect("the profile's folder");
    let target = profile.parent().expect("the target folder");
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .args(["build", "--quiet", "--workspace", "--bin", "labward"])
        .arg("--target-dir")
        .arg(target);
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    let built = cargo.output().unwrap();
    let said = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "the program does not build: {said}");
    profile.join("labward")
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The exit code; none if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs a command to its end, with `input` on its standard input.
pub(crate) fn run(command: &mut Command, input: &[u8]) -> Outcome {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A command that does not read its input is no fault.
    let _ = stdin.write_all(input);
    drop(stdin);
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().unwrap();
    Outcome {
        code: status.code(),
        out: String::from_utf8(stdout).unwrap(),
        err: String::from_utf8(stderr).unwrap(),
    }
}

/// A command that runs `program` under another account; none if this machine cannot.
pub(crate) fn as_account(account: u32, program: &Path) -> Option<Command> {
    let mut command = Command::new("setpriv");
    command.env_clear().env("PATH", "/usr/bin:/bin");
    let (user, group) = (format!("--reuid={account}"), format!("--regid={account}"));
    let account = [user.as_str(), &group, "--clear-groups"];
    let can = Command::new("setpriv").args(account).arg("true").output();
    if !can.is_ok_and(|output| output.status.success()) {
        return None;
    }
    command.args(account).arg(program);
    Some(command)
}

impl Outcome {
    /// What it printed; panics unless it did what it was asked.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
        self.out
    }

    /// What it printed, as JSON.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        let out = self.ok();
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error} in {out}"))
    }

    /// Panics unless it failed with this exit code and named this problem.
    #[track_caller]
    pub(crate) fn fails(self, exit_code: i32, problem: &str) -> Self {
        assert_eq!(self.code, Some(exit_code), "{}{}", self.out, self.err);
        assert!(
            self.err.contains(&format!("[{problem}]")),
            "not {problem}: {}",
            self.err
        );
        self
    }
}
