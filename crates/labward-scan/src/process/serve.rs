//! The child: load the rules, give up every right, then answer one request after the other.
//!
//! It must never open a file after it was confined, nor print anything: its standard output is the protocol.

use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use labward_carrier::{Budget, Limit, Obstacle};

use super::protocol::{Ask, Frame, Hello, ProtocolError};
use crate::engine::Deadline;
use crate::policy::Setting;
use crate::report::{FoundObstacle, Report};
use crate::scanner::Scanner;
use crate::verdict::Verdict;

/// Gives up the rights of this process and names what confines it from then on. It is called once, when everything is
/// loaded and before the first foreign byte is read.
pub type Confine = fn() -> Result<Vec<&'static str>, String>;

/// Confines nothing, and says so.
///
/// # Errors
/// None.
pub fn unconfined() -> Result<Vec<&'static str>, String> {
    Ok(Vec::new())
}

/// A scanner that is loaded, and what a child says of it.
pub struct Started {
    /// The scanner.
    pub scanner: Scanner,
    /// What is in it; engines, rules and confinement are filled in by [`serve`].
    pub hello: Hello,
}

/// Serves requests until the parent ends.
///
/// # Errors
/// [`ProtocolError`] if the parent sent what it must not, or a pipe failed: the process is to end then.
pub fn serve(
    input: &mut impl Read,
    output: &mut impl Write,
    start: impl FnOnce() -> Result<Started, String>,
    confine: Confine,
) -> Result<(), ProtocolError> {
    let started = catch_unwind(AssertUnwindSafe(start))
        .unwrap_or_else(|_| Err("loading the rules panicked".to_owned()));
    let ready = started.and_then(|mut started| {
        started.hello.confined = confine()?.into_iter().map(str::to_owned).collect();
        started.hello.engines = started.scanner.engines();
        started.hello.rules = started.scanner.rules().to_owned();
        Ok(started)
    });
    let started = match ready {
        Ok(started) => started,
        Err(why) => {
            let why = crate::bounded(&why).into_bytes();
            return send(output, &Frame::Failed(why));
        }
    };
    let hello = serde_json::to_vec(&started.hello).map_err(|_| ProtocolError::Malformed(1))?;
    send(output, &Frame::Hello(hello))?;
    loop {
        match Frame::read(input) {
            Err(ProtocolError::Ended) => return Ok(()),
            Err(error) => return Err(error),
            Ok(Frame::Ask(ask)) => answer(input, output, &started.scanner, &ask)?,
            Ok(other) => return Err(ProtocolError::Unexpected(other.kind())),
        }
    }
}

fn answer(
    input: &mut impl Read,
    output: &mut impl Write,
    scanner: &Scanner,
    ask: &[u8],
) -> Result<(), ProtocolError> {
    let ask: Ask = serde_json::from_slice(ask).map_err(|_| ProtocolError::Malformed(3))?;
    let deadline = Deadline::after(Duration::from_millis(ask.limit_ms));
    let budget = match ask.setting {
        Setting::Message | Setting::Mail => Budget::message(),
        Setting::File => Budget::default(),
    };
    let Some(received) = receive(input, budget.part_bytes)? else {
        return Ok(());
    };
    let report = match received {
        Some(bytes) => {
            scanner.scan_within(ask.setting, &budget, &bytes, &ask.declared(), &deadline)
        }
        None => too_large(scanner),
    };
    let report = serde_json::to_vec(&report).map_err(|_| ProtocolError::Malformed(7))?;
    send(output, &Frame::Report(report))
}

/// The bytes of a request; none within if they are more than `most`, none at all if it was taken back.
fn receive(input: &mut impl Read, most: u64) -> Result<Option<Option<Vec<u8>>>, ProtocolError> {
    let mut bytes = Some(Vec::new());
    loop {
        match Frame::read(input)? {
            Frame::Bytes(more) => {
                if let Some(all) = &mut bytes {
                    if (all.len() + more.len()) as u64 > most {
                        bytes = None;
                    } else if all.is_empty() {
                        *all = more;
                    } else {
                        all.extend_from_slice(&more);
                    }
                }
            }
            Frame::End => return Ok(Some(bytes)),
            Frame::Abort => return Ok(None),
            other => return Err(ProtocolError::Unexpected(other.kind())),
        }
    }
}

fn too_large(scanner: &Scanner) -> Report {
    let mut report = Report::failed("", "");
    report.faults.clear();
    report.rules = scanner.rules().to_owned();
    report.obstacles.push(FoundObstacle {
        path: String::new(),
        plain_path: String::new(),
        place: String::new(),
        why: Obstacle::OverBudget(Limit::PartBytes).code(),
    });
    report.verdict = Verdict::Unscannable;
    report
}

fn send(output: &mut impl Write, frame: &Frame) -> Result<(), ProtocolError> {
    frame.write(output)?;
    output.flush().map_err(ProtocolError::Io)
}
