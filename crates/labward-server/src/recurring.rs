//! Work that the server does again and again by itself, each on a thread of its own.
//!
//! It must never begin a turn after it was told to end, or keep what it serves alive between two turns.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::error::ServerError;

/// A thread that takes a turn now and then; dropped, it ends behind the turn that it takes.
pub(crate) struct Recurring {
    name: &'static str,
    stop: mpsc::Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Recurring {
    /// Takes a turn after `first`, and another each time after as long as the last one says; it ends when one says
    /// nothing, because what it serves is gone.
    ///
    /// # Errors
    /// [`ServerError::Threads`] if there is no thread for it.
    pub(crate) fn start(
        name: &'static str,
        first: Duration,
        mut turn: impl FnMut() -> Option<Duration> + Send + 'static,
    ) -> Result<Self, ServerError> {
        let (stop, stopped) = mpsc::channel();
        let run = move || {
            let mut wait = first;
            while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                let Some(next) = turn() else { return };
                wait = next;
            }
        };
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(run)
            .map_err(ServerError::Threads)?;
        Ok(Self {
            name,
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Recurring {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.stop.send(());
        let Some(thread) = self.thread.take() else {
            return;
        };
        // The last one to hold the server may be that thread itself.
        let is_own = thread.thread().id() == std::thread::current().id();
        if !is_own && thread.join().is_err() {
            tracing::error!(thread = self.name, "a thread of the server panicked");
        }
    }
}

/// Whether something that recurs failed the last time: it is said once, and again when it has worked in between.
#[derive(Debug, Default)]
pub(crate) struct Failing(bool);

impl Failing {
    /// What was done, if it was; a failure is said if it is the first.
    pub(crate) fn told<T, E>(&mut self, done: Result<T, E>, say: impl FnOnce(&E)) -> Option<T> {
        match done {
            Ok(done) => {
                self.0 = false;
                Some(done)
            }
            Err(error) => {
                if !std::mem::replace(&mut self.0, true) {
                    say(&error);
                }
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;
