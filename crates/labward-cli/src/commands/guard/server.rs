//! What the server is asked, and whether it is well.
//!
//! It must never hold a file in memory: its bytes are read while they are sent. It looks at none of
//! them.

use std::fs::File;
use std::io::{self, Cursor, Read, Write};
use std::os::unix::fs::FileExt as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use labward_api::Done;
use labward_api::malware::{FileOutcome, InspectAbout, Inspected, RestoreFilter, RestoreOrders};
use labward_base::{Secret, problem};
use labward_os::Stopwatch;
use labward_seal::{Sha256, random_bytes};

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
        let mut form = Form::new(&about, file, size_bytes)?;
        let (kind, length) = (form.content_type.clone(), form.length());
        let found = self
            .files
            .send("malware/inspect", &kind, length, &mut form)?;
        Ok((found, form.sha256.finish()))
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
    let token = std::fs::read_to_string(token_file).map(Secret::new);
    let token = token.map_err(|error| {
        let place = token_file.display();
        Failure::new(&problem::CLI_FILE, format!("{place}: {error}"))
    })?;
    Ok(Client::remote(
        Remote::new(url, ca_file, token.expose())?,
        limit,
    ))
}

/// A form of two parts (RFC 7578), read while it is sent.
struct Form<'a> {
    content_type: String,
    head: Cursor<Vec<u8>>,
    tail: Cursor<Vec<u8>>,
    file: &'a File,
    at: u64,
    size_bytes: u64,
    sha256: Sha256,
}

impl<'a> Form<'a> {
    fn new(about: &InspectAbout, file: &'a File, size_bytes: u64) -> Result<Self, Failure> {
        let internal = |why: String| Failure::new(&problem::SERVER_INTERNAL, why);
        let about = serde_json::to_string(about).map_err(|error| internal(error.to_string()))?;
        // By chance it stands in no file.
        let random: [u8; 16] = random_bytes().map_err(|error| internal(error.to_string()))?;
        let boundary = format!("labward{:032x}", u128::from_ne_bytes(random));
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"about\"\r\nContent-Type: application/json\r\n\r\n\
             {about}\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"content\"; filename=\"content\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        Ok(Self {
            content_type: format!("multipart/form-data; boundary={boundary}"),
            head: Cursor::new(head.into_bytes()),
            tail: Cursor::new(format!("\r\n--{boundary}--\r\n").into_bytes()),
            file,
            at: 0,
            size_bytes,
            sha256: Sha256::new(),
        })
    }

    fn length(&self) -> u64 {
        let ends = self.head.get_ref().len() + self.tail.get_ref().len();
        self.size_bytes + u64::try_from(ends).unwrap_or(u64::MAX)
    }
}

impl Read for Form<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let done = self.head.read(buffer)?;
        if done > 0 {
            return Ok(done);
        }
        let left = usize::try_from(self.size_bytes - self.at).unwrap_or(usize::MAX);
        if left == 0 {
            return self.tail.read(buffer);
        }
        let most = buffer.len().min(left);
        let piece = buffer.get_mut(..most).unwrap_or_default();
        let done = self.file.read_at(piece, self.at)?;
        if done == 0 && most > 0 {
            // It became shorter: the request breaks off, and nothing is known of it.
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.sha256.update(piece.get(..done).unwrap_or_default());
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
    use labward_testkit::TempDir;

    #[test]
    fn a_form_has_two_parts_and_the_length_that_it_says() {
        let folder = TempDir::new();
        std::fs::write(folder.join("file"), vec![7; 100_000]).unwrap();
        let file = File::open(folder.join("file")).unwrap();
        let mut form = Form::new(&InspectAbout::default(), &file, 100_000).unwrap();
        let mut bytes = Vec::new();
        form.read_to_end(&mut bytes).unwrap();
        assert_eq!(u64::try_from(bytes.len()).unwrap(), form.length());
        assert_eq!(
            form.sha256.finish(),
            labward_seal::sha256(&vec![7; 100_000])
        );
        let text = String::from_utf8(bytes).unwrap();
        let boundary = form.content_type.split_once('=').unwrap().1;
        assert_eq!(text.matches(boundary).count(), 3);
        assert!(text.ends_with(&format!("--{boundary}--\r\n")));
    }

    #[test]
    fn a_file_that_became_shorter_breaks_the_request_off() {
        let folder = TempDir::new();
        std::fs::write(folder.join("file"), b"short").unwrap();
        let file = File::open(folder.join("file")).unwrap();
        let mut form = Form::new(&InspectAbout::default(), &file, 6).unwrap();
        let error = form.read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }

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
