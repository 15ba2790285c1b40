//! `cargo xtask test`: everything that must hold before a change is good.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::run::{cargo, root, run, under_ci};
use crate::{api, browser, fuzz, installation, interop, tidy, tools};

/// What a test prints when it cannot run, followed by its name and the reason.
const SKIP_MARK: &str = "labward-skip: ";

/// Seconds for each fuzz target: that it starts, takes its seeds and has no shallow finding.
const FUZZ_SECONDS: u32 = 5;

/// Runs every check; `quick` leaves out what takes minutes (documentation, licences, fuzzing, browser).
pub(crate) fn test(quick: bool) -> Result<()> {
    let mut steps = Steps::default();
    let outcome = all(&mut steps, quick);
    eprint!("{}", steps.table());
    outcome
}

fn all(steps: &mut Steps, quick: bool) -> Result<()> {
    steps.take("tools", || match quick {
        true => tools::ensure_debian(),
        false => tools::ensure_for_browser(),
    })?;
    steps.take("format", || {
        run("format", cargo().args(["fmt", "--all", "--check"]))
    })?;
    steps.take("tidy", tidy::tidy)?;
    steps.take("lints", lints)?;
    // The integration tests run the program itself; its build is not their time.
    steps.take("program", || installation::build_for_tests().map(drop))?;
    steps.take("tests: build", || {
        run("tests: build", cargo_test().arg("--no-run"))
    })?;
    steps.take("tests", tests)?;
    if quick {
        return Ok(());
    }
    steps.take("documentation", documentation)?;
    steps.take("licences: cargo-deny", tools::ensure_cargo_deny)?;
    steps.take("licences and sources", licences)?;
    steps.take("fuzz: build", || fuzz::build().map(drop))?;
    steps.take("fuzz", || fuzz::fuzz(None, FUZZ_SECONDS))?;
    steps.take("demo", demo)?;
    steps.take("api", api::api)?;
    steps.take("browser", || browser::browser(false))?;
    steps.take("real peers", real_peers)
}

/// The steps that were taken, and how long each took.
#[derive(Default)]
struct Steps(Vec<(&'static str, Duration)>);

impl Steps {
    fn take(&mut self, name: &'static str, work: impl FnOnce() -> Result<()>) -> Result<()> {
        let begin = Instant::now();
        let outcome = work();
        self.0.push((name, begin.elapsed()));
        outcome
    }

    /// A line for each step and one for all of them, in seconds.
    fn table(&self) -> String {
        let all = ("all", self.0.iter().map(|(_, took)| *took).sum());
        let lines = self.0.iter().copied().chain([all]);
        let lines = lines.map(|(name, took)| format!("{:>8.1}  {name}\n", took.as_secs_f64()));
        std::iter::once("── seconds\n".to_owned())
            .chain(lines)
            .collect()
    }
}

fn lints() -> Result<()> {
    let mut clippy = cargo();
    clippy
        .args(["clippy", "--quiet", "--workspace", "--all-targets"])
        .args(["--", "-D", "warnings"]);
    run("lints", &mut clippy)
}

fn documentation() -> Result<()> {
    let mut doc = cargo();
    doc.args(["doc", "--quiet", "--workspace", "--no-deps"])
        .env("RUSTDOCFLAGS", "-D warnings");
    run("documentation", &mut doc)
}

fn licences() -> Result<()> {
    let mut deny = cargo();
    deny.args(["deny", "--log-level", "error", "check"])
        .args(["bans", "licenses", "sources"]);
    run("licences and sources", &mut deny)
}

/// The demo as it is built for tests: the release build that the README asks for takes minutes and shows no more.
fn demo() -> Result<()> {
    let mut demo = Command::new(installation::build_for_tests()?);
    run("demo", demo.args(["demo", "--once"]))
}

/// The tests of bad days, longer than every change runs them.
pub(crate) fn bad_days() -> Result<()> {
    installation::build_for_tests()?;
    let mut command = cargo();
    command
        .args(["test", "--quiet", "--workspace", "--test", "integration"])
        .args([
            "--",
            "--nocapture",
            "kill::",
            "crowd::",
            "disk::",
            "flips::",
            "documents::",
        ])
        .env("LABWARD_KILL_ROUNDS", "200")
        .env("LABWARD_FRAME_MIB", "1024")
        .env("LABWARD_FLIPS", "16")
        .env("LABWARD_DOCUMENT_MIB", "2048");
    run("bad days", &mut command)
}

/// The test data through clients that are not ours; without the data it is skipped.
fn real_peers() -> Result<()> {
    if std::env::var_os(interop::TEST_DATA).is_some() {
        return interop::interop(false);
    }
    let skip = format!("interop: {} is not set", interop::TEST_DATA);
    println!("── {skip}");
    ensure!(!under_ci(), "{SKIP_MARK}{skip}");
    Ok(())
}

fn cargo_test() -> Command {
    let mut command = cargo();
    command.args(["test", "--quiet", "--workspace", "--no-fail-fast"]);
    command
}

/// Runs the tests and counts those that could not run; under CI one such is an error.
fn tests() -> Result<()> {
    println!("── tests");
    let mut command = cargo_test();
    command
        .args(["--", "--nocapture"])
        .current_dir(root())
        .stdout(Stdio::inherit())
        .stderr(Stdio::piped());
    let output = command.output().context("start cargo test")?;
    let text = String::from_utf8_lossy(&output.stderr);
    let mut skipped: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split_once(SKIP_MARK).map(|(_, rest)| rest))
        .collect();
    skipped.sort_unstable();
    skipped.dedup();
    eprint!("{text}");
    ensure!(output.status.success(), "tests failed ({})", output.status);
    println!("── tests: {} could not run here", skipped.len());
    for skip in &skipped {
        println!("   {skip}");
    }
    ensure!(
        skipped.is_empty() || !under_ci(),
        "a test that cannot run fails under CI"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_each_step_and_one_that_failed_too() {
        let mut steps = Steps::default();
        steps.take("one", || Ok(())).unwrap();
        steps.take("two", || anyhow::bail!("no")).unwrap_err();
        let names: Vec<&str> = steps.0.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["one", "two"]);
        steps.0 = vec![
            ("one", Duration::from_millis(1_500)),
            ("two", Duration::from_secs(60)),
        ];
        assert_eq!(
            steps.table(),
            "── seconds\n     1.5  one\n    60.0  two\n    61.5  all\n"
        );
    }
}
