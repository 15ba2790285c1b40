//! HAProxy of Debian: mutual TLS in front of a plain receiver, the harder peer at many connections.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::certificates::Bundles;
use crate::guard::{Guarded, Workplace, answers};
use crate::run::capture;
use crate::tools;

/// How long it may take to listen.
const START: Duration = Duration::from_secs(10);

/// Takes connections over mutual TLS on `accept` and carries them in plain to `connect`.
pub(super) fn server(
    place: &Workplace,
    accept: u16,
    connect: u16,
    bundles: &Bundles,
) -> Result<Guarded> {
    let file = place.join("haproxy.cfg");
    // Its own defaults hold where a user's would; it refuses to start without the three times.
    let text = format!(
        "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1m\n  timeout server 1m\n\
         listen measured\n  \
         bind 127.0.0.1:{accept} ssl crt {} ca-file {} verify required ssl-min-ver TLSv1.2\n  \
         server receiver 127.0.0.1:{connect}\n",
        bundles.server.display(),
        bundles.authority.display()
    );
    fs::write(&file, text).with_context(|| format!("write {}", file.display()))?;
    let mut command = haproxy()?;
    command.arg("-db").arg("-f").arg(&file);
    let mut guard = Guarded::start("haproxy", &mut command, &place.join("haproxy.log"))?;
    guard.wait_until(START, || answers(accept))?;
    Ok(guard)
}

fn haproxy() -> Result<Command> {
    let program = tools::find("haproxy").context("haproxy is not installed")?;
    Ok(Command::new(program))
}

/// What `haproxy -v` says of itself.
pub(super) fn version() -> Result<String> {
    let text = capture("haproxy -v", haproxy()?.arg("-v"))?;
    let version = text.split_whitespace().nth(2).unwrap_or("of some version");
    Ok(format!("HAProxy {version}"))
}
