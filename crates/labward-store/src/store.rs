//! The store: a queue in front of the writer thread and a pool of readers beside it.
//!
//! It must never block a caller of [`Store::submit`], and never lose a callback.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, mpsc};
use std::thread::{self, JoinHandle, ThreadId};

use crate::error::Misuse;
use crate::readers::Readers;
use crate::writer::{Job, MAX_BATCH_UNITS, Truncation, Unit, Writer};
use crate::{Journal, Migration, Options, Snapshot, StoreError, Tx, open};

/// An open database; clones share it, and the last one dropped closes it.
#[derive(Clone)]
pub struct Store {
    owner: Arc<Owner>,
}

/// What the store has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Batches committed, each with one sync.
    pub batches: u64,
    /// Batches given up and rolled back.
    pub failed_batches: u64,
    /// Units answered after a commit, refused ones included.
    pub units: u64,
    /// The most units that ever shared one sync.
    pub largest_batch: u64,
    /// Units that wait now.
    pub waiting: u64,
}

/// Ends the writer when the last [`Store`] is dropped.
struct Owner {
    shared: Arc<Shared>,
    writer: Mutex<Option<JoinHandle<Result<(), StoreError>>>>,
    writer_id: ThreadId,
    after_crash: bool,
}

/// What callers and the writer thread share.
pub(crate) struct Shared {
    queue: Mutex<Queue>,
    arrived: Condvar,
    capacity: usize,
    hooks: RwLock<Vec<Hook>>,
    counters: Counters,
    pub(crate) readers: Readers,
}

type Hook = Arc<dyn Fn() + Send + Sync>;

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Box<dyn Job>>,
    truncations: Vec<Truncation>,
    closing: bool,
}

#[derive(Default)]
struct Counters {
    batches: AtomicU64,
    failed_batches: AtomicU64,
    units: AtomicU64,
    largest_batch: AtomicU64,
}

impl Store {
    /// Opens or creates the database, checks it, brings its schema up to date, loads `journal` and
    /// starts the writer thread.
    pub fn open(
        options: Options,
        migrations: &[Migration],
        mut journal: Box<dyn Journal>,
    ) -> Result<Self, StoreError> {
        let opened = open::open(&options, migrations, journal.as_mut())?;
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            arrived: Condvar::new(),
            capacity: options.queue,
            hooks: RwLock::default(),
            counters: Counters::default(),
            readers: Readers::open(&options, migrations)?,
        });
        let writer = Writer {
            connection: opened.connection,
            journal,
            shared: Arc::clone(&shared),
        };
        let lock = opened.lock;
        let writer = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || {
                let end = CloseQueue(Arc::clone(&writer.shared));
                let result = writer.run();
                drop(end);
                // Only now may another process open the file.
                drop(lock);
                result
            })?;
        let writer_id = writer.thread().id();
        Ok(Self {
            owner: Arc::new(Owner {
                shared,
                writer: Mutex::new(Some(writer)),
                writer_id,
                after_crash: opened.after_crash,
            }),
        })
    }

    /// Hands over a unit of work without blocking.
    ///
    /// `done` is called once, on the writer thread, after the unit is durable or was rolled back;
    /// on the caller's thread if the unit is not taken ([`StoreError::Overloaded`],
    /// [`StoreError::Closed`]). A unit that returns an error leaves no trace. A unit may
    /// be run again before it is answered, if another one was refused after it wrote. Both closures
    /// must be short, since every other unit waits for them.
    pub fn submit<T, E>(
        &self,
        unit: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        done: impl FnOnce(Result<T, E>) + Send + 'static,
    ) where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let job = Box::new(Unit::new(unit, done));
        if let Err((job, error)) = self.owner.shared.enqueue(job) {
            job.answer(Some(&error));
        }
    }

    /// Runs a unit of work and waits until it is durable; never from a unit, callback or hook.
    pub fn write<T, E>(
        &self,
        unit: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.refuse_on_writer()?;
        let (send, receive) = mpsc::sync_channel(1);
        self.submit(unit, move |result| {
            // The receiver waits below, so it is there.
            let _ = send.send(result);
        });
        receive
            .recv()
            .unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }

    /// Reads from a snapshot, waiting while all readers are lent out.
    pub fn read<T, E: From<StoreError>>(
        &self,
        f: impl FnOnce(&mut Snapshot<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.owner.shared.readers.read(f)
    }

    /// As [`Store::read`], on a connection of its own: for a read so long that others would wait for
    /// a reader. The log grows meanwhile, for it is not emptied beyond what this snapshot needs.
    pub fn read_apart<T, E: From<StoreError>>(
        &self,
        f: impl FnOnce(&mut Snapshot<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.owner.shared.readers.read_apart(f)
    }

    /// Calls `hook` once per batch on the writer thread, after the last of its callbacks.
    pub fn on_batch(&self, hook: impl Fn() + Send + Sync + 'static) {
        let mut hooks = write_lock(&self.owner.shared.hooks);
        hooks.push(Arc::new(hook));
    }

    /// Moves the whole log into the database and empties it, so that what was deleted is gone from
    /// both; `false` if a reader still needed the log.
    pub fn checkpoint_truncate(&self) -> Result<bool, StoreError> {
        self.refuse_on_writer()?;
        let (send, receive) = mpsc::sync_channel(1);
        self.owner.shared.order_truncation(send)?;
        receive.recv().unwrap_or(Err(StoreError::Closed))
    }

    /// Writes a compact copy of the database, as it is at one moment, to the file `copy` (mode 0600,
    /// synced, replacing what was there) while writing goes on.
    pub fn copy_into(&self, copy: &Path) -> Result<(), StoreError> {
        self.owner.shared.readers.copy_into(copy)
    }

    /// Looks through the whole file, indexes too, while writing goes on: every place that is not
    /// sound, the first hundred, in the engine's terms (tree, page, table, index) and without
    /// content; and every table and index whose definition is not the one that the migrations make.
    /// What no structure of the engine covers, such as a value's bits, it cannot see.
    pub fn unsound_places(&self) -> Result<Vec<String>, StoreError> {
        self.owner.shared.readers.unsound_places()
    }

    /// Whether the last run ended without closing; the file was then checked and found sound.
    pub fn started_after_crash(&self) -> bool {
        self.owner.after_crash
    }

    /// What the store has done so far.
    pub fn stats(&self) -> Stats {
        self.owner.shared.stats()
    }

    /// Commits what waits, empties the log, closes the file and ends the writer; further units are
    /// answered [`StoreError::Closed`]. Waits for readers; never call it from within one.
    pub fn close(&self) -> Result<(), StoreError> {
        self.refuse_on_writer()?;
        self.owner.close()
    }

    fn refuse_on_writer(&self) -> Result<(), StoreError> {
        if thread::current().id() == self.owner.writer_id {
            return Err(Misuse::BlockingOnWriter.into());
        }
        Ok(())
    }
}

impl Owner {
    fn close(&self) -> Result<(), StoreError> {
        self.shared.queue().closing = true;
        self.shared.arrived.notify_all();
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        match writer.take() {
            Some(thread) => thread.join().unwrap_or(Err(StoreError::Panicked)),
            None => Ok(()),
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        if thread::current().id() == self.writer_id {
            // A callback held the last store; the writer ends by itself once it has returned.
            self.shared.queue().closing = true;
        } else if let Err(error) = self.close() {
            tracing::error!(error = %error, "the database was not closed cleanly");
        }
    }
}

impl Shared {
    /// Waits for units or orders; `None` when the store closes and nothing waits any more.
    pub(crate) fn wait_for_work(
        &self,
        pending: &mut VecDeque<Box<dyn Job>>,
    ) -> Option<Vec<Truncation>> {
        let mut queue = self.queue();
        loop {
            if !queue.jobs.is_empty() || !queue.truncations.is_empty() {
                let taken = queue.jobs.len().min(MAX_BATCH_UNITS);
                pending.extend(queue.jobs.drain(..taken));
                return Some(std::mem::take(&mut queue.truncations));
            }
            if queue.closing {
                return None;
            }
            queue = self
                .arrived
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(crate) fn count_batch(&self, units: usize, committed: bool) {
        let units = u64::try_from(units).unwrap_or(u64::MAX);
        let counters = &self.counters;
        if committed {
            counters.batches.fetch_add(1, Ordering::Relaxed);
            counters.units.fetch_add(units, Ordering::Relaxed);
            counters.largest_batch.fetch_max(units, Ordering::Relaxed);
        } else {
            counters.failed_batches.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn call_hooks(&self) {
        let hooks = self.hooks.read().unwrap_or_else(PoisonError::into_inner);
        for hook in hooks.iter() {
            if catch_unwind(AssertUnwindSafe(|| hook())).is_err() {
                tracing::error!("a hook behind a batch panicked");
            }
        }
    }

    fn enqueue(&self, job: Box<dyn Job>) -> Result<(), (Box<dyn Job>, StoreError)> {
        let mut queue = self.queue();
        if queue.closing {
            return Err((job, StoreError::Closed));
        }
        if queue.jobs.len() >= self.capacity {
            return Err((job, StoreError::Overloaded));
        }
        let is_first = queue.jobs.is_empty();
        queue.jobs.push_back(job);
        drop(queue);
        // The writer sleeps only on an empty queue; waking it costs a call of the system.
        if is_first {
            self.arrived.notify_one();
        }
        Ok(())
    }

    fn order_truncation(&self, truncation: Truncation) -> Result<(), StoreError> {
        let mut queue = self.queue();
        if queue.closing {
            return Err(StoreError::Closed);
        }
        queue.truncations.push(truncation);
        drop(queue);
        self.arrived.notify_one();
        Ok(())
    }

    fn stats(&self) -> Stats {
        let counters = &self.counters;
        Stats {
            batches: counters.batches.load(Ordering::Relaxed),
            failed_batches: counters.failed_batches.load(Ordering::Relaxed),
            units: counters.units.load(Ordering::Relaxed),
            largest_batch: counters.largest_batch.load(Ordering::Relaxed),
            waiting: u64::try_from(self.queue().jobs.len()).unwrap_or(u64::MAX),
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes the queue when the writer ends, however it ends, and answers what still waits.
struct CloseQueue(Arc<Shared>);

impl Drop for CloseQueue {
    fn drop(&mut self) {
        let left = {
            let mut queue = self.0.queue();
            queue.closing = true;
            queue.truncations.clear();
            std::mem::take(&mut queue.jobs)
        };
        for job in left {
            job.answer(Some(&StoreError::Closed));
        }
        self.0.readers.close();
    }
}

fn write_lock<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
