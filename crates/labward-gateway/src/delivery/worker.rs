//! The thread of delivery: one runtime for the lanes of every destination.
//!
//! It must never be waited for longer than was asked: what is in flight when the time is over is
//! sent again after the next start.

use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::{Notify, mpsc as tasks};
use tokio::task::JoinSet;

use super::destination::Destination;
use super::error::DeliveryError;
use super::{feed, lane};

/// Threads for opening records, reading the ledger and writing files.
const BLOCKING_THREADS: usize = 4;

pub(super) struct Worker {
    kill: Arc<Notify>,
    running: Mutex<Option<Running>>,
}

/// The thread, how it says that it has ended, and what it is given to do.
struct Running {
    thread: JoinHandle<()>,
    is_done: Receiver<()>,
    work: tasks::UnboundedSender<Work>,
}

/// What is to run.
enum Work {
    /// The feed of a destination.
    Feed(Arc<Destination>),
    /// So many more lanes of it.
    Lanes(Arc<Destination>, usize),
}

impl Worker {
    /// Starts the lanes and feeds of these destinations.
    pub(super) fn start(destinations: &[Arc<Destination>]) -> Result<Self, DeliveryError> {
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .max_blocking_threads(BLOCKING_THREADS)
            .thread_name("delivery-io")
            .build()
            .map_err(DeliveryError::Thread)?;
        let kill = Arc::new(Notify::new());
        let killed = Arc::clone(&kill);
        let (done, is_done) = mpsc::sync_channel(1);
        let (work, given) = tasks::unbounded_channel();
        for destination in destinations {
            open_on(&work, Arc::clone(destination));
        }
        let thread = thread::Builder::new()
            .name("delivery".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = killed.notified() => {}
                        () = run_all(given) => {}
                    }
                });
                runtime.shutdown_background();
                // Whoever waits may have gone on.
                let _ = done.try_send(());
            })
            .map_err(DeliveryError::Thread)?;
        Ok(Self {
            kill,
            running: Mutex::new(Some(Running {
                thread,
                is_done,
                work,
            })),
        })
    }

    /// Starts the feed and the lanes of another destination.
    pub(super) fn open(&self, destination: Arc<Destination>) {
        self.with_work(|work| open_on(work, destination));
    }

    /// Starts so many more lanes of a destination.
    pub(super) fn open_lanes(&self, destination: Arc<Destination>, count: usize) {
        self.with_work(|work| {
            // A thread that has ended does nothing more.
            let _ = work.send(Work::Lanes(destination, count));
        });
    }

    fn with_work(&self, give: impl FnOnce(&tasks::UnboundedSender<Work>)) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = &*running {
            give(&running.work);
        }
    }

    /// Waits until the lanes have ended, for `drain` at most, then ends them.
    pub(super) fn end(&self, drain: Duration) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Running {
            thread,
            is_done,
            work,
        }) = running.take()
        else {
            return;
        };
        // With nothing more to come it ends as soon as the lanes do.
        drop(work);
        let _ = is_done.recv_timeout(drain);
        self.kill.notify_one();
        if thread.join().is_err() {
            tracing::error!("the thread of delivery ended by a fault");
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.end(Duration::ZERO);
    }
}

async fn run_all(mut given: tasks::UnboundedReceiver<Work>) {
    let mut running = JoinSet::new();
    let mut is_open = true;
    while is_open || !running.is_empty() {
        tokio::select! {
            work = given.recv(), if is_open => match work {
                Some(Work::Feed(destination)) => {
                    running.spawn(feed::run(destination));
                }
                Some(Work::Lanes(destination, count)) => for _ in 0..count {
                    running.spawn(lane::run(Arc::clone(&destination)));
                },
                None => is_open = false,
            },
            Some(ended) = running.join_next() => if ended.is_err() {
                tracing::error!("a lane of delivery ended by a fault");
            },
        }
    }
}

fn open_on(work: &tasks::UnboundedSender<Work>, destination: Arc<Destination>) {
    let lanes = destination.config().connections;
    // A thread that has ended does nothing more.
    let _ = work.send(Work::Feed(Arc::clone(&destination)));
    let _ = work.send(Work::Lanes(destination, lanes));
}
