//! The parent: as many children as it may have, started when they are needed, killed when they are late.
//!
//! Whoever asks writes and reads the pipes itself, against its deadline: a message costs no thread and no wakeup but the
//! child's. What is not in memory is read by a thread of its own, so that whoever asks can walk away from a disk that hangs,
//! too. A request whose child died is tried once more in a new one; bytes that kill two children are told as such.
//!
//! One thread of the pool starts all children and lasts as long as the pool: a child that asked for its parent's death
//! (`PR_SET_PDEATHSIG`) dies with the thread that started it. A child that is slow to load is not lost because the request
//! for which it was started gave up: the next one finds it.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use labward_os::TimedPipe;

use super::protocol::{Ask, BYTES_MAX, Frame, Hello, ProtocolError, write_bytes};
use crate::engine::Deadline;
use crate::report::Report;

/// How children are started.
#[derive(Clone, Debug)]
pub struct PoolOptions {
    /// The program; it must call [`serve`](super::serve()).
    pub program: PathBuf,
    /// What it is given, such as the hidden command and where the rules are.
    pub arguments: Vec<OsString>,
    /// The most children at a time, at least 1.
    pub children: usize,
    /// How long a child may take to load its rules.
    pub start_limit: Duration,
    /// Starts the prepared command: [`Command::spawn`], or what confines the child from outside.
    pub spawn: fn(&mut Command) -> io::Result<Child>,
}

/// Opens bytes to read them once, from their beginning.
pub type Source = Arc<dyn Fn() -> io::Result<Box<dyn Read + Send>> + Send + Sync>;

/// The bytes that are asked about.
#[derive(Clone)]
pub enum Bytes {
    /// In memory.
    Memory(Arc<Vec<u8>>),
    /// An open file, read from its beginning wherever it stands.
    File(Arc<File>),
    /// Opened for each try.
    Source(Source),
}

struct FromStart {
    file: Arc<File>,
    at: u64,
}

impl Read for FromStart {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read_at(buffer, self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}

/// Children that scan.
pub struct Pool {
    inner: Arc<Inner>,
}

struct Inner {
    options: PoolOptions,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<Worker>,
    /// Children that exist or are being started, busy ones too.
    alive: usize,
    /// Rises with each reload: children of an older one take no new request.
    generation: u64,
    /// Starts that failed until now, and why the last one did.
    failed: (u64, String),
    stopped: bool,
    /// The thread that starts children; each order is a generation.
    starter: Option<Sender<u64>>,
}

/// What became of one try.
enum Tried {
    Report(Box<Report>),
    /// The bytes could not be read; the child is well.
    Unreadable(String),
    Late,
    Died(String),
}

impl Pool {
    /// A pool without any child yet.
    #[must_use]
    pub fn new(options: PoolOptions) -> Self {
        Self {
            inner: Arc::new(Inner {
                options,
                state: Mutex::new(State::default()),
                changed: Condvar::new(),
            }),
        }
    }

    /// Asks a child about bytes and waits at most `limit`; the child is given a little less. Whatever goes wrong is the
    /// report of a scanner error that says what.
    #[must_use]
    pub fn scan(&self, ask: &Ask, bytes: &Bytes, limit: Duration) -> Report {
        let deadline = Deadline::after(limit);
        let mut died: Option<String> = None;
        loop {
            let mut worker = match self.inner.take(&deadline) {
                Ok(worker) => worker,
                Err((code, why)) => return Report::failed(code, &why),
            };
            let left = deadline.left();
            let soft = left.saturating_sub(left / 10);
            let ask = Ask {
                limit_ms: u64::try_from(soft.as_millis()).unwrap_or(u64::MAX).max(1),
                ..ask.clone()
            };
            match worker.scan(&ask, bytes, left) {
                Tried::Report(report) => {
                    self.inner.give_back(worker);
                    return *report;
                }
                Tried::Unreadable(why) => {
                    self.inner.give_back(worker);
                    return Report::failed("unreadable", &why);
                }
                Tried::Late => {
                    self.inner.bury(worker);
                    return Report::failed("late", "the scanner's process was late and was killed");
                }
                Tried::Died(how) => {
                    let how = format!("{how}{}", self.inner.bury(worker));
                    if let Some(before) = died {
                        return Report::failed(
                            "died-twice",
                            &format!("these bytes ended two processes: {before}; {how}"),
                        );
                    }
                    if deadline.is_over() {
                        return Report::failed("died", &how);
                    }
                    died = Some(how);
                }
            }
        }
    }

    /// What a child has loaded; one is started if none waits.
    ///
    /// # Errors
    /// A code and words if no child could be started within `limit`.
    pub fn hello(&self, limit: Duration) -> Result<Hello, (&'static str, String)> {
        let worker = self.inner.take(&Deadline::after(limit))?;
        let hello = worker.hello.clone();
        self.inner.give_back(worker);
        Ok(hello)
    }

    /// Begins to start as many children as there may be, and waits for none.
    pub fn fill(&self) {
        let mut state = self.inner.lock();
        while !state.stopped && state.alive < self.inner.options.children.max(1) {
            if self.inner.begin(&mut state).is_err() {
                return;
            }
        }
    }

    /// Lets new children load the rules anew: those that wait end now, those that work when they have answered.
    pub fn reload(&self) {
        let idle = {
            let mut state = self.inner.lock();
            state.generation += 1;
            let idle = std::mem::take(&mut state.idle);
            state.alive -= idle.len();
            idle
        };
        drop(idle);
        self.inner.changed.notify_all();
    }

    /// Ends the children that wait and takes no more requests; those that work end when they have answered.
    pub fn stop(&self) {
        self.inner.lock().stopped = true;
        self.reload();
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that holds it can leave it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A child that waits, or a new one once it is ready.
    fn take(self: &Arc<Self>, deadline: &Deadline) -> Result<Worker, (&'static str, String)> {
        let mut state = self.lock();
        let failed_before = state.failed.0;
        loop {
            if state.stopped {
                return Err(("stopped", "the scanner is being stopped".to_owned()));
            }
            if let Some(mut worker) = state.idle.pop() {
                if worker.is_there() {
                    return Ok(worker);
                }
                // It was killed while it waited, which says nothing about any bytes.
                state.alive -= 1;
                continue;
            }
            if state.failed.0 > failed_before {
                return Err(("not-started", state.failed.1.clone()));
            }
            if state.alive < self.options.children.max(1) {
                self.begin(&mut state).map_err(|why| ("not-started", why))?;
            }
            let left = deadline.left();
            if left.is_zero() {
                return Err(("busy", "no process was free in time".to_owned()));
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Orders a child.
    fn begin(self: &Arc<Self>, state: &mut State) -> Result<(), String> {
        if state.starter.is_none() {
            let (sender, orders) = channel();
            let pool = Arc::downgrade(self);
            let thread = thread::Builder::new().name("scan-starter".to_owned());
            thread
                .spawn(move || start_all(&pool, &orders))
                .map_err(|error| error.to_string())?;
            state.starter = Some(sender);
        }
        let sent = state.starter.as_ref().map(|to| to.send(state.generation));
        if !matches!(sent, Some(Ok(()))) {
            state.starter = None;
            return Err("the thread that starts processes is gone".to_owned());
        }
        state.alive += 1;
        Ok(())
    }

    /// Takes a new child in, or that there is none.
    fn started(&self, started: Result<Worker, String>) {
        match started {
            Ok(worker) => self.give_back(worker),
            Err(why) => {
                let mut state = self.lock();
                state.alive -= 1;
                state.failed = (state.failed.0 + 1, why);
                drop(state);
                self.changed.notify_all();
            }
        }
    }

    fn give_back(&self, worker: Worker) {
        let mut state = self.lock();
        if worker.generation == state.generation && !state.stopped {
            state.idle.push(worker);
        } else {
            state.alive -= 1;
            drop(state);
            drop(worker);
        }
        self.changed.notify_one();
    }

    /// Kills a child and says how it ended.
    fn bury(&self, worker: Worker) -> String {
        let how = worker.kill();
        self.lock().alive -= 1;
        self.changed.notify_one();
        how
    }
}

/// The thread that starts children. Each is greeted on a thread of its own: loading rules may take long.
fn start_all(pool: &Weak<Inner>, orders: &Receiver<u64>) {
    while let Ok(generation) = orders.recv() {
        let Some(pool) = pool.upgrade() else { return };
        let child = match spawn(&pool.options) {
            Ok(child) => child,
            Err(why) => {
                pool.started(Err(why));
                continue;
            }
        };
        let limit = pool.options.start_limit;
        let back = Arc::clone(&pool);
        let greet = thread::Builder::new().name("scan-greeting".to_owned());
        let spawned = greet.spawn(move || back.started(Worker::greet(child, generation, limit)));
        if let Err(error) = spawned {
            pool.started(Err(error.to_string()));
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the scanner's process is this program or one that an operator named, and gets no foreign word"
)]
fn spawn(options: &PoolOptions) -> Result<Child, String> {
    let mut command = Command::new(&options.program);
    command
        .args(&options.arguments)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // A panic's words may hold what was scanned.
        .stderr(Stdio::null());
    (options.spawn)(&mut command).map_err(|error| error.to_string())
}

/// A child and the pipes to it.
struct Worker {
    child: Child,
    stdin: BufWriter<TimedPipe<ChildStdin>>,
    stdout: BufReader<TimedPipe<ChildStdout>>,
    generation: u64,
    hello: Hello,
}

impl Worker {
    /// A child that has loaded its rules.
    fn greet(mut child: Child, generation: u64, limit: Duration) -> Result<Self, String> {
        let (stdin, stdout) = match pipes(&mut child) {
            Ok(pipes) => pipes,
            Err(why) => return Err(format!("{why}{}", ended(&mut child))),
        };
        let mut worker = Self {
            child,
            stdin: BufWriter::new(stdin),
            stdout: BufReader::new(stdout),
            generation,
            hello: Hello::default(),
        };
        worker.until(limit);
        match greeting(&mut worker.stdout) {
            Ok(hello) => {
                worker.hello = hello;
                Ok(worker)
            }
            Err(why) => Err(format!("{why}{}", worker.kill())),
        }
    }

    /// Puts the deadline of both pipes so far from now.
    fn until(&mut self, limit: Duration) {
        self.stdin.get_mut().until(limit);
        self.stdout.get_mut().until(limit);
    }

    /// Whether the process still runs.
    fn is_there(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    fn scan(&mut self, ask: &Ask, bytes: &Bytes, limit: Duration) -> Tried {
        self.until(limit);
        let deadline = Deadline::after(limit);
        match exchange(&mut self.stdin, &mut self.stdout, ask, bytes, &deadline) {
            Ok(tried) => tried,
            Err(error) if error.is_late() => Tried::Late,
            Err(error) => Tried::Died(words(&error)),
        }
    }

    /// Ends the child whatever it does; how it ended, in brackets.
    fn kill(mut self) -> String {
        ended(&mut self.child)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // An idle child ends by itself when its pipe closes; a kill does not wait for that and loses nothing.
        ended(&mut self.child);
    }
}

/// Kills a child and waits for it; how it ended, in brackets.
fn ended(child: &mut Child) -> String {
    // One that ended by itself cannot be killed, and says how it ended.
    let _ = child.kill();
    match child.wait() {
        Ok(status) => format!(" ({status})"),
        Err(_) => String::new(),
    }
}

fn pipes(child: &mut Child) -> Result<(TimedPipe<ChildStdin>, TimedPipe<ChildStdout>), String> {
    let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err("it has no pipes".to_owned());
    };
    let timed = |error: io::Error| error.to_string();
    Ok((
        TimedPipe::new(stdin).map_err(timed)?,
        TimedPipe::new(stdout).map_err(timed)?,
    ))
}

fn greeting(stdout: &mut impl Read) -> Result<Hello, String> {
    match Frame::read(stdout) {
        Ok(Frame::Hello(hello)) => {
            serde_json::from_slice(&hello).map_err(|_| "its greeting cannot be read".to_owned())
        }
        Ok(Frame::Failed(why)) => Err(crate::bounded(&String::from_utf8_lossy(&why))),
        Ok(other) => Err(words(&ProtocolError::Unexpected(other.kind()))),
        Err(error) if error.is_late() => Err("it was not ready in time".to_owned()),
        Err(error) => Err(words(&error)),
    }
}

fn exchange(
    stdin: &mut impl Write,
    stdout: &mut impl Read,
    ask: &Ask,
    bytes: &Bytes,
    deadline: &Deadline,
) -> Result<Tried, ProtocolError> {
    let ask = serde_json::to_vec(ask).map_err(|_| ProtocolError::Malformed(3))?;
    Frame::Ask(ask).write(stdin)?;
    let unreadable = match bytes {
        Bytes::Memory(bytes) => {
            let mut frames = bytes.chunks(BYTES_MAX);
            frames.try_for_each(|frame| write_bytes(stdin, frame))?;
            None
        }
        Bytes::File(file) => {
            let file = Arc::clone(file);
            stream(stdin, deadline, move || Ok(FromStart { file, at: 0 }))?
        }
        Bytes::Source(open) => {
            let open = Arc::clone(open);
            stream(stdin, deadline, move || open())?
        }
    };
    let last = if unreadable.is_some() {
        Frame::Abort
    } else {
        Frame::End
    };
    last.write(stdin)?;
    stdin.flush().map_err(ProtocolError::Io)?;
    if let Some(why) = unreadable {
        return Ok(Tried::Unreadable(why));
    }
    match Frame::read(stdout)? {
        Frame::Report(report) => {
            let report: Report =
                serde_json::from_slice(&report).map_err(|_| ProtocolError::Malformed(7))?;
            if report.is_plausible() {
                Ok(Tried::Report(Box::new(report)))
            } else {
                Err(ProtocolError::Malformed(7))
            }
        }
        other => Err(ProtocolError::Unexpected(other.kind())),
    }
}

/// Sends all bytes of what is opened; the words of the fault if they cannot be read.
fn stream<R: Read>(
    stdin: &mut impl Write,
    deadline: &Deadline,
    open: impl FnOnce() -> io::Result<R> + Send + 'static,
) -> Result<Option<String>, ProtocolError> {
    let (send, sent) = sync_channel(1);
    let reading = thread::Builder::new().name("scan-reader".to_owned());
    let reading = reading.spawn(move || read(open, &send));
    if let Err(error) = reading {
        return Ok(Some(error.to_string()));
    }
    loop {
        match sent.recv_timeout(deadline.left()) {
            Ok(Ok(bytes)) if bytes.is_empty() => return Ok(None),
            Ok(Ok(bytes)) => write_bytes(stdin, &bytes)?,
            Ok(Err(error)) => return Ok(Some(error.to_string())),
            Err(RecvTimeoutError::Timeout) => {
                return Err(ProtocolError::Io(io::ErrorKind::TimedOut.into()));
            }
            // It panicked.
            Err(RecvTimeoutError::Disconnected) => {
                return Ok(Some("reading it did not come to an end".to_owned()));
            }
        }
    }
}

/// Reads to the end, which is told by no bytes, or as long as anybody takes them.
fn read<R: Read>(open: impl FnOnce() -> io::Result<R>, send: &SyncSender<io::Result<Vec<u8>>>) {
    let mut from = match open() {
        Ok(from) => from.take(0),
        Err(error) => {
            let _ = send.send(Err(error));
            return;
        }
    };
    loop {
        from.set_limit(BYTES_MAX as u64);
        let mut bytes = Vec::with_capacity(BYTES_MAX);
        let read = from.read_to_end(&mut bytes).map(|_| bytes);
        let is_last = !matches!(&read, Ok(bytes) if !bytes.is_empty());
        // Who does not listen any more has walked away.
        if send.send(read).is_err() || is_last {
            return;
        }
    }
}

fn words(error: &ProtocolError) -> String {
    match error {
        ProtocolError::Io(source) => format!("{error}: {source}"),
        _ => error.to_string(),
    }
}
