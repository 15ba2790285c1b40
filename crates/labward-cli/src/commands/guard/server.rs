//! What the server is asked, and whether it is well.
//!
//! It must never hold a file in memory: its bytes are read while they are sent. It looks at none of
//! them.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use labward_api::Done;
use labward_api::malware::{FileOutcome, InspectAbout, Inspected, RestoreFilter, RestoreOrders};
use labward_base::problem;
use labward_os::Stopwatch;
use labward_seal::Sha256;

use super::config::ServerConfig;
use super::tell::Tell;
use crate::client::{Client, Remote};
use crate::failure::Failure;

/// How long a question without a file may take.
const QUICK: Duration = Duration::from_secs(10);
/// How much longer than the server is given is waited for its answer.
const MARGIN: Duration = Duration::from_secs(5);

/// The server, over its socket or over TLS.
pub(super) struct Server {
    files: Client,
    quick: Client,
    answer: Duration,
}

impl Server {
    pub(super) fn new(config: &ServerConfig) -> Result<Self, Failure> {
        let answer = config.answer();
        let client = |limit| client(config, limit);
        Ok(Self {
            files: client(answer + MARGIN)?,
            quick: client(QUICK)?,
            answer,
        })
    }

    /// Has a file looked at; answers what was found and the SHA-256 of what was sent.
    pub(super) fn inspect(
        &self,
        mut about: InspectAbout,
        file: &File,
        size_bytes: u64,
    ) -> Result<(Inspected, [u8; 32]), Failure> {
        about.limit_ms = u64::try_from(self.answer.as_millis()).ok();
        let mut content = Hashed {
            file,
            at: 0,
            sha256: Sha256::new(),
        };
        let found = self.files.inspect(&about, &mut content, size_bytes)?;
        Ok((found, content.sha256.finish()))
    }

    /// What is to be given back, of what it is not known that it was removed, and by which rules is looked.
    pub(super) fn restores(&self, of: &RestoreFilter) -> Result<RestoreOrders, Failure> {
        let query = [("place", of.place.clone()), ("host", of.host.clone())];
        self.quick.get("malware/restores", &query)
    }

    /// Says what became of a file.
    pub(super) fn say(&self, outcome: &FileOutcome) -> Result<(), Failure> {
        let done: Result<Done, Failure> = self.quick.post("malware/outcomes", outcome);
        done.map(drop)
    }

    /// The bytes of what is to be given back.
    pub(super) fn take(
        &self,
        item: u64,
        of: &RestoreFilter,
        out: &mut impl Write,
    ) -> Result<u64, Failure> {
        self.files
            .download(&format!("malware/restores/{item}"), of, out)
    }
}

fn client(config: &ServerConfig, limit: Duration) -> Result<Client, Failure> {
    if let Some(socket) = &config.socket {
        // The server knows by the account who asks: as whom it runs itself.
        return Ok(Client::of_service(socket, limit));
    }
    let missing = || Failure::new(&problem::GUARD_CONFIG, "[server] is not whole".to_owned());
    let url = config.url.as_deref().ok_or_else(missing)?;
    let ca_file = config.ca_file.as_deref().ok_or_else(missing)?;
    let token_file = config.token_file.as_deref().ok_or_else(missing)?;
    Ok(Client::remote(
        Remote::new(url, ca_file, token_file)?,
        limit,
    ))
}

/// A file, and the SHA-256 of what was read of it.
struct Hashed<'a> {
    file: &'a File,
    at: u64,
    sha256: Sha256,
}

impl Read for Hashed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let done = self.file.read_at(buffer, self.at)?;
        self.sha256.update(buffer.get(..done).unwrap_or_default());
        self.at += u64::try_from(done).unwrap_or(u64::MAX);
        Ok(done)
    }
}

/// Whether the server answers.
pub(super) struct Health {
    state: Mutex<State>,
}

struct State {
    is_well: bool,
    answered: Stopwatch,
}

impl Health {
    pub(super) fn new() -> Self {
        let state = State {
            is_well: true,
            answered: Stopwatch::start(),
        };
        Self {
            state: Mutex::new(state),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_well(&self) -> bool {
        self.state().is_well
    }

    /// It answered.
    pub(super) fn answered(&self, tell: &Tell) {
        let mut state = self.state();
        state.answered = Stopwatch::start();
        if !std::mem::replace(&mut state.is_well, true) {
            tell.say("guard.server-well", "-", &[]);
        }
    }

    /// It could not be asked.
    pub(super) fn failed(&self, tell: &Tell, why: &str) {
        if std::mem::replace(&mut self.state().is_well, false) {
            tell.say("guard.server-unwell", "-", &[("why", why.to_owned())]);
        }
    }

    /// Somebody waited for longer than `deadline`. That alone may be one large file; if nothing at all
    /// was answered since, nobody else is made to wait until it answers again.
    pub(super) fn late(&self, tell: &Tell, deadline: Duration) {
        let silent = self.state().answered.elapsed();
        if silent >= deadline {
            self.failed(tell, "no answer within the deadline");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_late_file_makes_nobody_else_go_unseen() {
        let (health, tell) = (Health::new(), Tell::new(false));
        health.late(&tell, Duration::from_secs(3_600));
        assert!(health.is_well());
        health.late(&tell, Duration::ZERO);
        assert!(!health.is_well());
        health.answered(&tell);
        assert!(health.is_well());
    }
}
