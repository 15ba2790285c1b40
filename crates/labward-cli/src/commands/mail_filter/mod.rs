//! `labward mail-filter`: mails of the lab's mail server are shown to Labward's server before they are taken.
//!
//! It must never parse what stands in a mail, keep any of it on disk, let a mail vanish, or hold the mail server up without end.

mod ask;
mod line;
mod mail;
mod notice;
mod places;
mod session;
mod verdict;

use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use labward_base::problem;
use labward_milter::Reply;
use labward_os::{hostname, is_stopped, note_stop_signals};
use serde::Serialize;

use self::ask::Server;
use self::line::{Patience, Stream};
use self::mail::{Mail, Memory};
use self::places::Places;
use self::session::Session;
use self::verdict::{Decision, Policy};
use crate::args::{MailFilterArgs, MailFilterPlace, MaliciousMail};
use crate::client::{Client, Remote};
use crate::failure::Failure;

/// A signal to stop is noticed after so long at most.
const TICK: Duration = Duration::from_millis(200);
/// How long mails that have begun may take to end once it is to stop.
const DRAIN: Duration = Duration::from_secs(60);
/// The stack of a line's thread, in bytes.
const STACK_BYTES: usize = 1 << 20;
/// Who may connect to the socket: its account, and the group that its folder gives it.
const SOCKET_MODE: u32 = 0o660;

/// `labward mail-filter`
pub(super) fn run(data: &Path, json: bool, arguments: &MailFilterArgs) -> Result<(), Failure> {
    let internal = |why: String| Failure::new(&problem::SERVER_INTERNAL, why);
    note_stop_signals().map_err(|error| internal(error.to_string()))?;
    let filter = Arc::new(Filter::new(data, json, arguments)?);
    if arguments.check {
        return filter.server.check(json);
    }
    let listener = Listener::at(&arguments.listen)?;
    let takes = {
        let filter = Arc::clone(&filter);
        move || filter.take_lines(&listener)
    };
    let taker = thread::Builder::new().name("lines".to_owned());
    let taker = taker
        .spawn(takes)
        .map_err(|error| internal(error.to_string()))?;
    filter.tell(&Told::of("listening"));
    while !is_stopped() && !taker.is_finished() {
        thread::park_timeout(TICK);
    }
    filter.stop.store(true, Ordering::SeqCst);
    filter.lines.wait_for_all(DRAIN);
    if let MailFilterPlace::Unix(path) = &arguments.listen {
        // Whoever starts it next finds out that nobody listens there.
        let _ = std::fs::remove_file(path);
    }
    filter.tell(&Told::of("ended"));
    Ok(())
}

/// The server on another machine if one is named, and else the one of the data folder.
fn client(data: &Path, arguments: &MailFilterArgs) -> Result<Client, Failure> {
    let named = (&arguments.server, &arguments.ca_file, &arguments.token_file);
    let (Some(url), Some(ca_file), Some(token_file)) = named else {
        return Ok(Client::within(data, ask::ANSWER));
    };
    let remote = Remote::new(url, ca_file, token_file)?;
    Ok(Client::remote(remote, ask::ANSWER))
}

/// Where the mail server connects.
enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    fn at(place: &MailFilterPlace) -> Result<Self, Failure> {
        let failed = |place: String, error: std::io::Error| {
            Failure::new(&problem::CLI_FILE, format!("listen at {place}: {error}"))
        };
        match place {
            MailFilterPlace::Inet(address) => TcpListener::bind(address)
                .map(Self::Tcp)
                .map_err(|error| failed(address.to_string(), error)),
            MailFilterPlace::Unix(path) => {
                let shown = path.display().to_string();
                bind(path)
                    .map(Self::Unix)
                    .map_err(|error| failed(shown, error))
            }
        }
    }

    fn accept(&self) -> std::io::Result<Stream> {
        match self {
            Self::Tcp(listener) => listener.accept().map(|(stream, _)| Stream::Tcp(stream)),
            Self::Unix(listener) => listener.accept().map(|(stream, _)| Stream::Unix(stream)),
        }
    }
}

/// A socket that another one left is replaced; one at which somebody listens is not.
fn bind(path: &Path) -> std::io::Result<UnixListener> {
    let is_socket =
        |path| std::fs::symlink_metadata(path).is_ok_and(|it| it.file_type().is_socket());
    if is_socket(path) && UnixStream::connect(path).is_err() {
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(SOCKET_MODE))?;
    Ok(listener)
}

/// All that the lines share.
struct Filter {
    server: Server,
    policy: Policy,
    patience: Patience,
    memory: Arc<Memory>,
    most_bytes: usize,
    lines: Arc<Places>,
    stop: AtomicBool,
    json: bool,
}

impl Filter {
    fn new(data: &Path, json: bool, arguments: &MailFilterArgs) -> Result<Self, Failure> {
        Ok(Self {
            server: Server::new(
                client(data, arguments)?,
                arguments.name.clone(),
                hostname(),
                arguments.malicious == MaliciousMail::Notice,
            ),
            policy: Policy {
                malicious: arguments.malicious,
                unwell: arguments.unwell,
            },
            patience: Patience::default(),
            memory: Memory::of(usize::from(arguments.memory_mib) << 20),
            most_bytes: usize::from(arguments.max_mib) << 20,
            lines: Places::of(arguments.connections),
            stop: AtomicBool::new(false),
            json,
        })
    }

    fn take_lines(self: &Arc<Self>, listener: &Listener) {
        loop {
            self.lines.wait_for_room();
            let Ok(stream) = listener.accept() else {
                // It has too many files open; other lines end meanwhile.
                thread::park_timeout(TICK);
                continue;
            };
            if self.stop.load(Ordering::SeqCst) {
                return;
            }
            let served = self.lines.begin();
            let filter = Arc::clone(self);
            let line = thread::Builder::new().stack_size(STACK_BYTES);
            // Without a thread the line is closed, and the mail server does what it does without a filter.
            let _ = line.spawn(move || {
                filter.serve(stream);
                drop(served);
            });
        }
    }

    fn serve(&self, stream: Stream) {
        let session = Session::new(&self.memory, self.most_bytes);
        let judge = |mail: &Mail, leading_space: bool| self.judge(mail, leading_space);
        let is_stopped = || self.stop.load(Ordering::SeqCst);
        if let Err(error) = line::serve(stream, session, self.patience, &judge, &is_stopped) {
            let why = error.to_string();
            self.tell(&Told {
                why: Some(&why),
                ..Told::of("line-broken")
            });
        }
    }

    fn judge(&self, mail: &Mail, leading_space: bool) -> Vec<Reply> {
        let known = self.server.look(mail);
        let decision = verdict::decide(self.policy, &known, mail);
        let (replies, done) = verdict::replies(&decision, mail, leading_space);
        if decision != Decision::Pass(None) {
            let queue_id = shown(&mail.queue_id);
            self.tell(&Told {
                mail: Some(&queue_id),
                found: Some(known.word()),
                quarantine: decision.item(),
                ..Told::of(done)
            });
        }
        replies
    }

    /// A line for the log of the system.
    fn tell(&self, told: &Told<'_>) {
        let mut err = std::io::stderr().lock();
        // Nobody can be told that standard error is gone.
        let _ = match self.json {
            true => serde_json::to_writer(&mut err, told)
                .map_err(std::io::Error::from)
                .and_then(|()| writeln!(err)),
            false => told.write(&mut err),
        };
    }
}

/// What the log says: never an address, a subject or the name of a file.
#[derive(Serialize)]
struct Told<'a> {
    what: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    mail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quarantine: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
}

impl<'a> Told<'a> {
    fn of(what: &'a str) -> Self {
        Self {
            what,
            mail: None,
            found: None,
            quarantine: None,
            why: None,
        }
    }

    fn write(&self, out: &mut impl std::io::Write) -> std::io::Result<()> {
        write!(out, "labward mail-filter: {}", self.what)?;
        for (name, value) in [
            ("mail", self.mail),
            ("found", self.found),
            ("why", self.why),
        ] {
            if let Some(value) = value {
                write!(out, ", {name} {value}")?;
            }
        }
        if let Some(item) = self.quarantine {
            write!(out, ", quarantine {item}")?;
        }
        writeln!(out)
    }
}

/// What the mail server calls a mail, as a log may show it.
fn shown(queue_id: &[u8]) -> String {
    let letters = queue_id.iter().filter(|byte| byte.is_ascii_alphanumeric());
    letters.map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests;
