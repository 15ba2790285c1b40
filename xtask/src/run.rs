//! Starting programs: one place that prints what is run and turns a bad exit into an error.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// The root of the checkout.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// The cargo that runs this.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Whether this runs under continuous integration, where nothing may be skipped.
pub(crate) fn under_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}

/// Runs `command`, showing its output; an exit other than 0 is an error.
pub(crate) fn run(name: &str, command: &mut Command) -> Result<()> {
    // Not to standard output: what a tool finds stands there alone.
    eprintln!("── {name}");
    let start = Instant::now();
    let status = command.status().with_context(|| format!("start {name}"))?;
    eprintln!("── {name}: {:.1} s", start.elapsed().as_secs_f64());
    ensure!(status.success(), "{name} failed ({status})");
    Ok(())
}

/// Runs `command` and gives its standard output; an exit other than 0 is an error.
pub(crate) fn capture(name: &str, command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("start {name}"))?;
    ensure!(
        output.status.success(),
        "{name} failed ({}): {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).with_context(|| format!("read what {name} printed"))
}

/// `command`, ended after `limit` by coreutils' `timeout`, which then fails for it.
pub(crate) fn in_time(limit: Duration, command: &Command) -> Command {
    let mut timed = Command::new("timeout");
    timed
        .arg("--kill-after=5")
        .arg(limit.as_secs().to_string())
        .arg(command.get_program())
        .args(command.get_args());
    timed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_hangs_is_ended_and_fails() {
        let mut sleeper = Command::new("sleep");
        sleeper.arg("60");
        let limit = Duration::from_secs(1);
        assert!(capture("sleep", &mut in_time(limit, &sleeper)).is_err());
        let mut echo = Command::new("echo");
        echo.arg("done");
        assert_eq!(
            capture("echo", &mut in_time(limit, &echo)).unwrap(),
            "done\n"
        );
    }
}
