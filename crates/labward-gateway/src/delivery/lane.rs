//! A lane: one connection, one message in flight, its outcome made durable, then the next.

use std::sync::Arc;
use std::time::Duration;

use labward_base::{Secret, problem};
use labward_hl7::AckCode;
use tokio::task::spawn_blocking;

use super::answer::Expected;
use super::destination::{Destination, Settings};
use super::dial::{Dial, Way};
use super::file_drop::FileDrop;
use super::mllp::{Ended, Line};
use super::schedule::Job;
use super::settle::Outcome;
use crate::config::DestinationConfig;
use crate::keep::KeepError;

type Bytes = Arc<Secret<Vec<u8>>>;

/// A connection that is kept for the next message, and under which configuration it was opened.
type KeptLine = Option<(Arc<DestinationConfig>, Line)>;

/// Delivers until the destination closes.
pub(super) async fn run(destination: Arc<Destination>) {
    let mut line = None;
    while let Some(job) = destination.next_job().await {
        let outcome = match open(&destination, &job).await {
            Ok(bytes) => send(&destination, &mut line, &job, bytes).await,
            Err(outcome) => outcome,
        };
        if destination.settle(&job, outcome).await.is_err() {
            return;
        }
    }
}

/// The message's bytes, opened away from the sockets if they are not in memory.
async fn open(destination: &Destination, job: &Job) -> Result<Bytes, Outcome> {
    if let Some(bytes) = &job.bytes {
        return Ok(Arc::clone(bytes));
    }
    let (keep, record) = (Arc::clone(&destination.keep), job.record);
    match spawn_blocking(move || keep.open(record)).await {
        Ok(Ok(opened)) => Ok(Arc::new(opened.bytes)),
        Ok(Err(error @ (KeepError::Damaged | KeepError::Disposed | KeepError::NotFound))) => {
            Err(Outcome::Impossible(error.problem()))
        }
        Ok(Err(error)) => Err(Outcome::NotSent(error.problem())),
        Err(_) => Err(Outcome::NotSent(&problem::SERVER_INTERNAL)),
    }
}

async fn send(destination: &Destination, line: &mut KeptLine, job: &Job, bytes: Bytes) -> Outcome {
    let settings = destination.settings();
    // Another place or another protection: what is open leads to the old one.
    if line
        .as_ref()
        .is_some_and(|(config, _)| !Arc::ptr_eq(config, &settings.config))
    {
        *line = None;
    }
    match &settings.way {
        Way::Drop(drop) => write_file(drop.clone(), job, bytes).await,
        Way::Mllp(dial) => {
            let wait = settings.config.wait_for_application_ack;
            let Some(expected) = Expected::of(bytes.expose(), wait) else {
                return Outcome::Impossible(&problem::GATEWAY_NOT_FOR_HL7);
            };
            send_hl7(&settings, dial, line, &bytes, &expected).await
        }
    }
}

async fn write_file(drop: FileDrop, job: &Job, bytes: Bytes) -> Outcome {
    let (record, size) = (job.record, bytes.expose().len());
    match spawn_blocking(move || drop.write(record, bytes.expose())).await {
        Ok(Ok(())) => Outcome::Delivered {
            answer: "written",
            line: "age".to_owned(),
            size,
        },
        _ => Outcome::NotSent(&problem::GATEWAY_DROP_FAILED),
    }
}

async fn send_hl7(
    settings: &Settings,
    dial: &Dial,
    kept: &mut KeptLine,
    bytes: &Bytes,
    expected: &Expected,
) -> Outcome {
    let config = &settings.config;
    let connect = Duration::from_secs(config.connect_seconds);
    let within = Duration::from_secs(config.ack_seconds);
    loop {
        let mut reused = None;
        if let Some((_, mut line)) = kept.take()
            && dial.check().is_ok()
            && line.is_clean().await
        {
            reused = Some(line);
        }
        let is_reused = reused.is_some();
        let mut line = match reused {
            Some(line) => line,
            None => match Line::open(dial, connect).await {
                Ok(line) => line,
                Err(problem) => return Outcome::NotSent(problem),
            },
        };
        let ended = line.exchange(bytes.expose(), expected, dial, within).await;
        let protection = line.protection.clone();
        match ended {
            Ended::Answered(code) => {
                *kept = Some((Arc::clone(config), line));
                return judge(code, protection, bytes.expose().len());
            }
            // The receiver had closed the idle connection: a new one gets the message at once.
            Ended::NotSent(_) if is_reused => {}
            Ended::NotSent(problem) => return Outcome::NotSent(problem),
            Ended::Unknown(problem) => return Outcome::Unknown(problem),
        }
    }
}

fn judge(code: Option<AckCode>, line: String, size: usize) -> Outcome {
    match code {
        Some(code) if !code.is_accept() => Outcome::Refused { code, line },
        code => Outcome::Delivered {
            answer: code.map_or("none-asked", AckCode::as_str),
            line,
            size,
        },
    }
}
