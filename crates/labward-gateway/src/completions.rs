//! From the writer's thread back to the connections: one wake per runtime per commit.
//!
//! Waking a runtime costs a system call, so what the writer's callbacks bring is queued and the
//! store's batch hook wakes each runtime once; there a local task answers everyone who waits.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

/// How long an answer may lie here unnoticed if its batch had no hook: the store was closing.
const WATCH: Duration = Duration::from_millis(500);

/// What the writer's thread hands back to one runtime.
pub(crate) struct Completions<T> {
    home: OnceLock<ThreadId>,
    queue: Mutex<Vec<(oneshot::Sender<T>, T)>>,
    wake: Notify,
}

/// Someone who waits on a runtime for a `T`.
pub(crate) struct Waiter<T> {
    sender: oneshot::Sender<T>,
    completions: Arc<Completions<T>>,
}

impl<T> Waiter<T> {
    /// A waiter on this runtime, and where it waits.
    pub(crate) fn new(completions: &Arc<Completions<T>>) -> (Self, oneshot::Receiver<T>) {
        let (sender, receiver) = oneshot::channel();
        (
            Self {
                sender,
                completions: Arc::clone(completions),
            },
            receiver,
        )
    }

    /// Answers it, from any thread.
    pub(crate) fn complete(self, value: T) {
        if self.completions.home.get() == Some(&thread::current().id()) {
            // Who waits may be gone; the message is kept all the same.
            let _ = self.sender.send(value);
            return;
        }
        let mut queue = self
            .completions
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        queue.push((self.sender, value));
    }
}

impl<T> Completions<T> {
    /// The completions of one runtime.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            home: OnceLock::new(),
            queue: Mutex::default(),
            wake: Notify::new(),
        })
    }

    /// Wakes the runtime if something waits for it.
    pub(crate) fn wake(&self) {
        if !self
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_empty()
        {
            self.wake.notify_one();
        }
    }

    /// Answers everyone, until the runtime ends; runs on the runtime's own thread.
    pub(crate) async fn run(&self) {
        self.home.get_or_init(|| thread::current().id());
        let mut taken = Vec::new();
        loop {
            // A timeout only means that nothing came; the queue is looked at either way.
            let _ = tokio::time::timeout(WATCH, self.wake.notified()).await;
            std::mem::swap(
                &mut taken,
                &mut *self.queue.lock().unwrap_or_else(PoisonError::into_inner),
            );
            for (sender, value) in taken.drain(..) {
                let _ = sender.send(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_thread_completes_is_answered_after_one_wake() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let local = tokio::task::LocalSet::new();
        let completions = Completions::new();
        local.block_on(&runtime, async {
            let task = Arc::clone(&completions);
            tokio::task::spawn_local(async move { task.run().await });
            let (waiters, receivers): (Vec<_>, Vec<_>) =
                (0..100).map(|_| Waiter::new(&completions)).unzip();
            let writer = Arc::clone(&completions);
            thread::spawn(move || {
                for (number, waiter) in waiters.into_iter().enumerate() {
                    waiter.complete(number);
                }
                writer.wake();
            });
            for (number, receiver) in receivers.into_iter().enumerate() {
                assert_eq!(receiver.await.unwrap(), number);
            }
        });
    }

    #[test]
    fn what_the_runtime_completes_itself_needs_no_wake() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let local = tokio::task::LocalSet::new();
        let completions = Completions::new();
        local.block_on(&runtime, async {
            let task = Arc::clone(&completions);
            tokio::task::spawn_local(async move { task.run().await });
            tokio::task::yield_now().await;
            let (waiter, mut receiver) = Waiter::new(&completions);
            waiter.complete("refused");
            assert_eq!(receiver.try_recv().unwrap(), "refused");
        });
    }
}
