//! The program `nft`, which alone speaks to the kernel about its rules.
//!
//! It must never be given words that came from outside: only fixed ones, and rulesets on its standard input.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::thread;

use labward_base::problem;
use labward_segmentation::{Loaded, TABLE, holds_table};

use crate::failure::Failure;

/// Where systems keep what only root starts.
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/run/current-system/sw/bin";
/// So much of what it says is shown, in characters.
const SAID_MAX: usize = 600;

/// Refuses whoever may not change the kernel's rules.
pub(super) fn require_root() -> Result<(), Failure> {
    match labward_os::current_uid() {
        0 => Ok(()),
        _ => Err(Failure::new(&problem::SEGMENTATION_NOT_ROOT, None)),
    }
}

/// Whether it takes these rules; nothing is changed.
pub(super) fn check(rules: &str) -> Result<(), Failure> {
    run(&["-c", "-f", "-"], rules).map(drop)
}

/// Puts these rules in force, all at once or none.
pub(super) fn load(rules: &str) -> Result<(), Failure> {
    run(&["-f", "-"], rules).map(drop)
}

/// What of Labward's is loaded.
pub(super) fn loaded() -> Result<Option<Loaded>, Failure> {
    if !is_there()? {
        return Ok(None);
    }
    let answer = run(&["-j", "-n", "list", "table", "inet", TABLE], "")?;
    Loaded::read(&answer)
        .map_err(|error| Failure::new(&problem::SEGMENTATION_NFT, error.to_string()))
}

/// The rules that bring back what is loaded now, with its counts.
pub(super) fn former() -> Result<String, Failure> {
    let gone = format!("add table inet {TABLE}\ndelete table inet {TABLE}\n");
    if !is_there()? {
        return Ok(gone);
    }
    let listed = run(&["list", "table", "inet", TABLE], "")?;
    let listed = String::from_utf8(listed).map_err(|_| {
        Failure::new(
            &problem::SEGMENTATION_NFT,
            "its answer is not UTF-8".to_owned(),
        )
    })?;
    Ok(gone + &listed)
}

fn is_there() -> Result<bool, Failure> {
    let tables = run(&["list", "tables"], "")?;
    Ok(holds_table(&String::from_utf8_lossy(&tables)))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the rules of the kernel are changed by nft, on this machine and in the foreground"
)]
fn run(words: &[&str], input: &str) -> Result<Vec<u8>, Failure> {
    let failed = |why: String| Failure::new(&problem::SEGMENTATION_NFT, why);
    let mut child = Command::new("nft")
        .args(words)
        .env_clear()
        .env("PATH", PATH)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(format!("start nft: {error}")))?;
    let stdin = child.stdin.take();
    let output = thread::scope(|scope| {
        // Beside reading, so that neither waits for the other.
        scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input.as_bytes())));
        child.wait_with_output()
    })
    .map_err(|error| failed(format!("wait for nft: {error}")))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said: String = said
        .trim()
        .chars()
        .map(|sign| {
            if sign == '\n' || !sign.is_control() {
                sign
            } else {
                ' '
            }
        })
        .take(SAID_MAX)
        .collect();
    Err(failed(format!("nft {}: {said}", words.join(" "))))
}
