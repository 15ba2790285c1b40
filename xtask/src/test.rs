//! `cargo xtask test`: everything that must hold before a change is good.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::run::{cargo, root, run, under_ci};
use crate::{api, browser, fuzz, interop, tidy, tools};

/// What a test prints when it cannot run, followed by its name and the reason.
const SKIP_MARK: &str = "labward-skip: ";

/// Runs every check; `quick` leaves out what takes minutes (release build, fuzzing, licences).
pub(crate) fn test(quick: bool) -> Result<()> {
    match quick {
        true => tools::ensure_debian()?,
        false => tools::ensure_for_browser()?,
    }
    run("format", cargo().args(["fmt", "--all", "--check"]))?;
    tidy::tidy()?;
    run(
        "lints",
        cargo().args([
            "clippy",
            "--quiet",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]),
    )?;
    // The integration tests run the program itself; its build is not their time.
    run(
        "program",
        cargo().args(["build", "--quiet", "--workspace", "--bins"]),
    )?;
    tests()?;
    if quick {
        return Ok(());
    }
    run(
        "documentation",
        cargo()
            .args(["doc", "--quiet", "--workspace", "--no-deps"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )?;
    tools::ensure_cargo_deny()?;
    run(
        "licences and sources",
        cargo().args([
            "deny",
            "--log-level",
            "error",
            "check",
            "bans",
            "licenses",
            "sources",
        ]),
    )?;
    fuzz::fuzz(None, 5)?;
    run(
        "demo",
        cargo().args(["run", "--quiet", "--release", "--", "demo", "--once"]),
    )?;
    api::api()?;
    browser::browser(false)?;
    real_peers()
}

/// The tests of bad days, longer than every change runs them.
pub(crate) fn bad_days() -> Result<()> {
    run(
        "program",
        cargo().args(["build", "--quiet", "--workspace", "--bins"]),
    )?;
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

/// Runs the tests and counts those that could not run; under CI one such is an error.
fn tests() -> Result<()> {
    println!("── tests");
    let mut command: Command = cargo();
    command
        .args(["test", "--quiet", "--workspace", "--no-fail-fast"])
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
