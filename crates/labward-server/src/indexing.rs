//! Takes what was committed into the indexes of the records, behind the commits, so that a search
//! finds little that is left to do.
//!
//! It must never keep the writer from messages: after each step it waits as long as the step took.

use std::sync::Weak;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use labward_base::Clock as _;
use labward_records::RecordsError;

use crate::app::Core;
use crate::error::ServerError;
use crate::http::chain;

/// How often it looks for more.
const INTERVAL: Duration = Duration::from_secs(1);
/// The least and the longest that it waits between two steps.
const PAUSE: (Duration, Duration) = (Duration::from_millis(2), INTERVAL);
/// How long it waits after a step that failed.
const AFTER_FAILURE: Duration = Duration::from_secs(10);

/// The thread that does it; dropped, it ends.
pub(crate) struct IndexLoop {
    stop: mpsc::Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl IndexLoop {
    /// Starts for a server whose root key is open, as long as that is there.
    pub(crate) fn start(core: Weak<Core>) -> Result<Self, ServerError> {
        let (stop, stopped) = mpsc::channel();
        let run = move || {
            let (mut wait, mut is_failing) = (INTERVAL, false);
            while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                let Some(core) = core.upgrade() else { return };
                wait = match step(&core) {
                    Ok(pause) => {
                        is_failing = false;
                        pause
                    }
                    Err(error) => {
                        if !is_failing {
                            tracing::warn!(error = %chain(&error), "the indexes fall behind the ledger");
                        }
                        is_failing = true;
                        AFTER_FAILURE
                    }
                };
            }
        };
        let thread = std::thread::Builder::new()
            .name("indexing".to_owned())
            .spawn(run)
            .map_err(ServerError::Threads)?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

/// One step, and how long to wait for the next.
fn step(core: &Core) -> Result<Duration, RecordsError> {
    let Some(opened) = core.opened() else {
        return Ok(INTERVAL);
    };
    let begin = core.clock.now();
    let more = opened.records.merge_behind()?;
    let took = core.clock.now().since(begin);
    Ok(match more {
        true => took.clamp(PAUSE.0, PAUSE.1),
        false => INTERVAL,
    })
}

impl Drop for IndexLoop {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.stop.send(());
        let Some(thread) = self.thread.take() else {
            return;
        };
        // The last one to hold the server may be that thread itself.
        let is_own = thread.thread().id() == std::thread::current().id();
        if !is_own && thread.join().is_err() {
            tracing::error!("the thread of the indexes panicked");
        }
    }
}
