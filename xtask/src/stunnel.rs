//! `stunnel` of Debian: mutual TLS that is not ours, on either side of a connection.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::guard::{Guarded, Workplace, answers};

/// How long it may take to listen.
const START: Duration = Duration::from_secs(10);

/// Takes plain connections on `accept` and carries them over mutual TLS to `connect`.
///
/// `bundle` holds certificate, private key and CA, as `labward peer add` writes it.
pub(crate) fn client(
    place: &Workplace,
    name: &str,
    accept: u16,
    connect: u16,
    bundle: &Path,
) -> Result<Guarded> {
    let bundle = bundle.display();
    let service = format!(
        "client = yes\naccept = 127.0.0.1:{accept}\nconnect = 127.0.0.1:{connect}\n\
         cert = {bundle}\nCAfile = {bundle}\nverifyChain = yes\ncheckHost = localhost\n"
    );
    start(place, name, accept, &service)
}

/// Takes connections over mutual TLS on `accept` and carries them in plain to `connect`.
pub(crate) fn server(
    place: &Workplace,
    name: &str,
    accept: u16,
    connect: u16,
    bundle: &Path,
) -> Result<Guarded> {
    let bundle = bundle.display();
    let service = format!(
        "accept = 127.0.0.1:{accept}\nconnect = 127.0.0.1:{connect}\n\
         cert = {bundle}\nCAfile = {bundle}\nverifyChain = yes\nrequireCert = yes\n"
    );
    start(place, name, accept, &service)
}

/// What `stunnel -version` says of itself in its first line.
pub(crate) fn version() -> Result<String> {
    let output = Command::new("stunnel")
        .arg("-version")
        .output()
        .context("start stunnel")?;
    // It prints its version to standard error.
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = text.lines().find(|line| line.starts_with("stunnel "));
    let words = line.unwrap_or("stunnel").split_whitespace().take(2);
    Ok(words.collect::<Vec<_>>().join(" "))
}

fn start(place: &Workplace, name: &str, accept: u16, service: &str) -> Result<Guarded> {
    let file = place.join(&format!("{name}.conf"));
    // Its own defaults hold where a user's would: only Nagle is off, as on our side.
    let text = format!(
        "foreground = yes\npid =\ndebug = err\nsocket = l:TCP_NODELAY=1\nsocket = r:TCP_NODELAY=1\n\
         [{name}]\nsslVersionMin = TLSv1.2\n{service}"
    );
    fs::write(&file, text).with_context(|| format!("write {}", file.display()))?;
    let log = place.join(&format!("{name}.log"));
    let mut guard = Guarded::start("stunnel", Command::new("stunnel").arg(&file), &log)?;
    guard.wait_until(START, || answers(accept))?;
    Ok(guard)
}
