//! The thread of delivery: one runtime for the lanes of every destination.
//!
//! It must never be waited for longer than was asked: what is in flight when the time is over is
//! sent again after the next start.

use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::destination::Destination;
use super::error::DeliveryError;
use super::{feed, lane};

/// Threads for opening records, reading the ledger and writing files.
const BLOCKING_THREADS: usize = 4;

pub(super) struct Worker {
    kill: Arc<Notify>,
    running: Mutex<Option<(JoinHandle<()>, Receiver<()>)>>,
}

impl Worker {
    /// Starts the lanes and feeds of these destinations.
    pub(super) fn start(destinations: Vec<Arc<Destination>>) -> Result<Self, DeliveryError> {
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
        let thread = thread::Builder::new()
            .name("delivery".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = killed.notified() => {}
                        () = run_all(destinations) => {}
                    }
                });
                runtime.shutdown_background();
                // Whoever waits may have gone on.
                let _ = done.try_send(());
            })
            .map_err(DeliveryError::Thread)?;
        Ok(Self {
            kill,
            running: Mutex::new(Some((thread, is_done))),
        })
    }

    /// Waits until the lanes have ended, for `drain` at most, then ends them.
    pub(super) fn end(&self, drain: Duration) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((thread, is_done)) = running.take() else {
            return;
        };
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

async fn run_all(destinations: Vec<Arc<Destination>>) {
    let mut tasks = JoinSet::new();
    for destination in destinations {
        tasks.spawn(feed::run(Arc::clone(&destination)));
        for _ in 0..destination.config.connections {
            tasks.spawn(lane::run(Arc::clone(&destination)));
        }
    }
    while let Some(ended) = tasks.join_next().await {
        if ended.is_err() {
            tracing::error!("a lane of delivery ended by a fault");
        }
    }
}
