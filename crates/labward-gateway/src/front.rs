//! The threads of the gateway: a few current-thread runtimes for sockets, TLS, parsing and sealing.
//!
//! One runtime accepts and hands the sockets out in turn; a connection stays where it was put, so
//! nothing of it is ever shared or locked. It must never start a thread or task per message.

use std::io;
use std::net::TcpListener;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc as std_mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{sleep, timeout};

use crate::completions::Completions;
use crate::link::Link;
use crate::outcome::Outcome;
use crate::path::Shared;
use crate::session::{Accepted, Home, serve};

/// How often refused strangers are looked through.
const STRANGERS_EVERY: Duration = Duration::from_secs(5);

/// How long a listener may take to stop accepting.
const STOPS_WITHIN: Duration = Duration::from_secs(5);

/// How long accepting rests after the system refused it, out of descriptors for example.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// Quiet time after which the system asks whether the other side is still there, and how often.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// The running threads.
pub(crate) struct Front {
    senders: Vec<mpsc::UnboundedSender<Task>>,
    completions: Vec<Arc<Completions<Outcome>>>,
    stop: watch::Sender<bool>,
    drain_seconds: Arc<AtomicU64>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// A listener that accepts; dropped, it goes on.
pub(crate) struct Accepting {
    stop: watch::Sender<bool>,
    ended: std_mpsc::Receiver<()>,
}

/// What a runtime is given to do.
enum Task {
    Serve(Accepted, std::net::TcpStream),
    Spawn(Box<dyn FnOnce() -> LocalTask + Send>),
}

type LocalTask = Pin<Box<dyn Future<Output = ()>>>;

/// Hands accepted sockets to the runtimes in turn.
struct Spread {
    senders: Vec<mpsc::UnboundedSender<Task>>,
    next: AtomicUsize,
}

impl Front {
    /// Starts `count` runtimes; messages in flight get `drain_seconds` when they stop.
    pub(crate) fn start(
        count: usize,
        shared: &Arc<Shared>,
        drain_seconds: u64,
    ) -> io::Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let drain_seconds = Arc::new(AtomicU64::new(drain_seconds));
        let mut front = Self {
            senders: Vec::new(),
            completions: Vec::new(),
            drain_seconds: Arc::clone(&drain_seconds),
            stop,
            threads: Mutex::default(),
        };
        let mut threads = Vec::new();
        for number in 0..count {
            let (sender, tasks) = mpsc::unbounded_channel();
            let home = Home {
                shared: Arc::clone(shared),
                completions: Completions::new(),
                stop: stopped.clone(),
            };
            front.senders.push(sender);
            front.completions.push(Arc::clone(&home.completions));
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            let thread = thread::Builder::new().name(format!("gateway-{number}"));
            let drain_seconds = Arc::clone(&drain_seconds);
            threads.push(thread.spawn(move || {
                let local = LocalSet::new();
                local.block_on(&runtime, run(home, tasks, &drain_seconds));
            })?);
        }
        front.threads = Mutex::new(threads);
        front.wake_on_commit(shared);
        front.watch_strangers(shared);
        Ok(front)
    }

    /// Accepts what connects to `listener` until it or the gateway is stopped.
    pub(crate) fn listen(
        &self,
        link: Arc<Link>,
        listener: TcpListener,
        shared: &Arc<Shared>,
    ) -> Accepting {
        let spread = Spread {
            senders: self.senders.clone(),
            next: AtomicUsize::new(0),
        };
        let shared = Arc::clone(shared);
        let mut stop = self.stop.subscribe();
        let (own_stop, mut own_stopped) = watch::channel(false);
        let (end, ended) = std_mpsc::sync_channel(1);
        self.spawn(move || {
            Box::pin(async move {
                tokio::select! {
                    () = accept(link, listener, &shared, &spread) => {}
                    _ = stop.wait_for(|stop| *stop) => {}
                    Ok(_) = own_stopped.wait_for(|stop| *stop) => {}
                }
                // Nobody may wait for it.
                let _ = end.try_send(());
            })
        });
        Accepting {
            stop: own_stop,
            ended,
        }
    }

    /// Gives messages in flight so long when the gateway stops.
    pub(crate) fn set_drain(&self, seconds: u64) {
        self.drain_seconds.store(seconds, Ordering::Relaxed);
    }

    /// Stops accepting, lets what is in flight end, and waits for the threads.
    pub(crate) fn stop(&self) {
        self.stop.send_replace(true);
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for thread in threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the gateway panicked");
            }
        }
    }

    fn wake_on_commit(&self, shared: &Shared) {
        let completions: Vec<_> = self.completions.iter().map(Arc::downgrade).collect();
        shared.store.on_batch(move || {
            for runtime in completions.iter().filter_map(std::sync::Weak::upgrade) {
                runtime.wake();
            }
        });
    }

    fn watch_strangers(&self, shared: &Arc<Shared>) {
        let shared = Arc::clone(shared);
        let mut stop = self.stop.subscribe();
        self.spawn(move || {
            Box::pin(async move {
                loop {
                    let stops = tokio::select! {
                        () = sleep(STRANGERS_EVERY) => false,
                        _ = stop.wait_for(|stop| *stop) => true,
                    };
                    let now = shared.clock.now();
                    shared
                        .strangers
                        .record(&shared.store, shared.site, now, stops);
                    if stops {
                        return;
                    }
                }
            })
        });
    }

    fn spawn(&self, task: impl FnOnce() -> LocalTask + Send + 'static) {
        // The first runtime accepts; it is there as long as the front is.
        if let Some(first) = self.senders.first() {
            let _ = first.send(Task::Spawn(Box::new(task)));
        }
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Accepting {
    /// Stops accepting; when this returns, nothing more is accepted here.
    pub(crate) fn stop(self) {
        self.stop.send_replace(true);
        // It is looked at as soon as its runtime has a moment; a runtime that has stopped accepts
        // nothing either.
        let _ = self.ended.recv_timeout(STOPS_WITHIN);
    }
}

impl Spread {
    fn hand_out(&self, accepted: Accepted, stream: std::net::TcpStream) {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let chosen = turn
            .checked_rem(self.senders.len())
            .and_then(|at| self.senders.get(at));
        if let Some(runtime) = chosen {
            // A runtime that has stopped closes the socket by dropping it.
            let _ = runtime.send(Task::Serve(accepted, stream));
        }
    }
}

/// One runtime: serves what it is given until the gateway stops, then drains.
async fn run(home: Home, mut tasks: mpsc::UnboundedReceiver<Task>, drain_seconds: &AtomicU64) {
    let completions = Arc::clone(&home.completions);
    let answers = tokio::task::spawn_local(async move { completions.run().await });
    let mut running = JoinSet::new();
    let mut stop = home.stop.clone();
    loop {
        tokio::select! {
            task = tasks.recv() => match task {
                Some(Task::Serve(accepted, stream)) => {
                    if let Ok(stream) = TcpStream::from_std(stream) {
                        running.spawn_local(serve(home.clone(), accepted, stream));
                    }
                }
                Some(Task::Spawn(task)) => {
                    running.spawn_local(task());
                }
                None => break,
            },
            _ = stop.wait_for(|stop| *stop) => break,
            Some(ended) = running.join_next() => report(ended),
        }
    }
    let drain = Duration::from_secs(drain_seconds.load(Ordering::Relaxed));
    let ended = timeout(drain, async {
        while let Some(ended) = running.join_next().await {
            report(ended);
        }
    });
    if ended.await.is_err() {
        tracing::warn!(
            connections = running.len(),
            "connections were cut when the gateway stopped"
        );
    }
    answers.abort();
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if ended.is_err_and(|error| error.is_panic()) {
        tracing::error!("a connection's task panicked; its connection was closed");
    }
}

async fn accept(mut link: Arc<Link>, listener: TcpListener, shared: &Shared, spread: &Spread) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(link = %link.config.name, error = %error, "a listener could not start");
            return;
        }
    };
    loop {
        let (stream, source) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(link = %link.config.name, error = %error, "accepting failed");
                sleep(ACCEPT_REST).await;
                continue;
            }
        };
        if let Some(newer) = link.newer() {
            link = newer;
        }
        let address = source.ip().to_canonical();
        let now = shared.clock.now();
        match link.admit(address, now) {
            Ok(place) => {
                let accepted = Accepted {
                    link: Arc::clone(&link),
                    address,
                    place,
                };
                if let Ok(stream) = prepare(stream) {
                    spread.hand_out(accepted, stream);
                }
            }
            Err(reason) => {
                link.counters.count_refused();
                shared
                    .strangers
                    .note(address, &link.config.name, reason, now);
            }
        }
    }
}

/// Small answers go out at once, and a device that was switched off is noticed some day.
fn prepare(stream: TcpStream) -> io::Result<std::net::TcpStream> {
    stream.set_nodelay(true)?;
    let stream = stream.into_std()?;
    rustix::net::sockopt::set_socket_keepalive(&stream, true)?;
    rustix::net::sockopt::set_tcp_keepidle(&stream, KEEPALIVE)?;
    rustix::net::sockopt::set_tcp_keepintvl(&stream, KEEPALIVE)?;
    Ok(stream)
}
