//! The writer thread: one batch, one transaction, one sync.
//!
//! A batch first runs without savepoints. If a unit is refused after it wrote something, the batch
//! is rolled back and run again with a savepoint for each unit; that is why units are re-runnable.
//!
//! It must never answer a unit before the batch is durable or rolled back, wait to fill a batch, or
//! lose a callback. **Invariant:** no acknowledgement before durability.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use rusqlite::Connection;

use crate::error::{Misuse, from_engine};
use crate::open::truncate_log;
use crate::query::run_execute;
use crate::store::Shared;
use crate::{Journal, StoreError, Tx};

/// A batch ends after so many units, so that the first of them does not wait for ever.
pub(crate) const MAX_BATCH_UNITS: usize = 1024;
/// A batch ends after so many bytes of content.
const MAX_BATCH_BYTES: usize = 8 << 20;

/// A unit and its callback, without their types.
pub(crate) trait Job: Send {
    /// Runs the unit; whether its changes are to be kept.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;
    /// Calls back with the unit's own result, or with what befell its batch.
    fn answer(self: Box<Self>, failure: Option<&StoreError>);
}

/// A unit that waits with its callback; dropped unanswered it answers [`StoreError::Closed`].
pub(crate) struct Unit<T, E, U, D>
where
    E: From<StoreError>,
    D: FnOnce(Result<T, E>),
{
    unit: U,
    done: Option<D>,
    result: Option<Result<T, E>>,
}

/// Where the writer asks to empty the log, and where the answer goes.
pub(crate) type Truncation = SyncSender<Result<bool, StoreError>>;

/// The writer thread's own state.
pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) journal: Box<dyn Journal>,
    pub(crate) shared: Arc<Shared>,
}

/// How the run of a batch without savepoints ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attempt {
    /// Whoever was refused had written nothing.
    Sound,
    /// A unit was refused after it had written: all are to be run again, each apart.
    Spoiled,
}

/// How far rows and journal are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Extent {
    rows: u64,
    mark: u64,
}

impl<T, E, U, D> Unit<T, E, U, D>
where
    E: From<StoreError>,
    D: FnOnce(Result<T, E>),
{
    pub(crate) fn new(unit: U, done: D) -> Self {
        Self {
            unit,
            done: Some(done),
            result: None,
        }
    }

    fn call_back(&mut self, result: Result<T, E>) {
        if let Some(done) = self.done.take()
            && catch_unwind(AssertUnwindSafe(|| done(result))).is_err()
        {
            tracing::error!("the callback of a unit of work panicked");
        }
    }
}

impl<T, E, U, D> Job for Unit<T, E, U, D>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    U: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    D: FnOnce(Result<T, E>) + Send + 'static,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        let ran = catch_unwind(AssertUnwindSafe(|| (self.unit)(tx)));
        let result = ran.unwrap_or_else(|_| Err(StoreError::Panicked.into()));
        self.result.insert(result).is_ok()
    }

    fn answer(mut self: Box<Self>, failure: Option<&StoreError>) {
        // A refusal may rest on rows of the same batch, so it too is void when the batch failed.
        let own = self.result.take();
        let result = match failure {
            Some(failure) => Err(failure.clone().into()),
            None => own.unwrap_or_else(|| Err(StoreError::Closed.into())),
        };
        self.call_back(result);
    }
}

impl<T, E, U, D> Drop for Unit<T, E, U, D>
where
    E: From<StoreError>,
    D: FnOnce(Result<T, E>),
{
    fn drop(&mut self) {
        if self.done.is_some() {
            self.call_back(Err(StoreError::Closed.into()));
        }
    }
}

impl Writer {
    /// Works until the store closes; the log is then emptied and the connection closed.
    pub(crate) fn run(mut self) -> Result<(), StoreError> {
        let mut pending = VecDeque::new();
        while let Some(truncations) = self.shared.wait_for_work(&mut pending) {
            while !pending.is_empty() {
                self.run_batch(&mut pending)?;
            }
            for truncation in truncations {
                // Nobody waits any more if this fails.
                let _ = truncation.send(truncate_log(&self.connection));
            }
        }
        self.shared.readers.close();
        let emptied = truncate_log(&self.connection);
        let closed = self.connection.close().map_err(|(_, e)| from_engine(e));
        emptied.and(closed)
    }

    /// Runs one batch of what is pending and answers it; an error ends the writer.
    fn run_batch(&mut self, pending: &mut VecDeque<Box<dyn Job>>) -> Result<(), StoreError> {
        let mut ran = Vec::with_capacity(pending.len().min(MAX_BATCH_UNITS));
        let work = AssertUnwindSafe(|| self.commit_batch(pending, &mut ran));
        let mut outcome = catch_unwind(work).unwrap_or(Err(StoreError::Panicked));
        if outcome.is_ok() {
            self.journal.committed();
        } else {
            if let Err(error) = self.roll_back() {
                outcome = Err(error);
            }
            self.journal.aborted();
            // The transaction did not even begin: without this they would be tried for ever.
            if ran.is_empty() {
                ran.extend(pending.drain(..));
            }
        }
        self.shared.count_batch(ran.len(), outcome.is_ok());
        if let Err(error) = &outcome {
            tracing::error!(error = %error, units = ran.len(), "a batch was rolled back");
        }
        for job in ran {
            job.answer(outcome.as_ref().err());
        }
        self.shared.call_hooks();
        if self.connection.is_autocommit() {
            Ok(())
        } else {
            Err(StoreError::Closed)
        }
    }

    fn commit_batch(
        &mut self,
        pending: &mut VecDeque<Box<dyn Job>>,
        ran: &mut Vec<Box<dyn Job>>,
    ) -> Result<(), StoreError> {
        let mut before = self.begin()?;
        if self.run_freely(pending, ran)? == Attempt::Spoiled {
            self.roll_back()?;
            self.journal.aborted();
            before = self.begin()?;
            for job in ran.iter_mut() {
                self.run_apart(job.as_mut())?;
            }
        }
        if self.extent() != before {
            self.journal
                .before_commit(&mut Tx::new(&self.connection, None))?;
        }
        run_execute(&self.connection, "COMMIT", &[])?;
        Ok(())
    }

    fn begin(&self) -> Result<Extent, StoreError> {
        run_execute(&self.connection, "BEGIN IMMEDIATE", &[])?;
        Ok(self.extent())
    }

    /// Takes what is pending and runs it without savepoints: they would cost each unit two
    /// statements and a copy of every page it touches, for the sake of the few that are refused.
    fn run_freely(
        &mut self,
        pending: &mut VecDeque<Box<dyn Job>>,
        ran: &mut Vec<Box<dyn Job>>,
    ) -> Result<Attempt, StoreError> {
        let mut size_bytes = 0;
        while ran.len() < MAX_BATCH_UNITS
            && size_bytes < MAX_BATCH_BYTES
            && let Some(job) = pending.pop_front()
        {
            ran.push(job);
            if let Some(job) = ran.last_mut() {
                let before = self.extent();
                let (kept, size) = self.run_unit(job.as_mut())?;
                if !kept && self.extent() != before {
                    return Ok(Attempt::Spoiled);
                }
                size_bytes += size;
            }
        }
        Ok(Attempt::Sound)
    }

    /// Runs one unit in its own savepoint, so that a refusal takes back what it alone wrote.
    fn run_apart(&mut self, job: &mut dyn Job) -> Result<(), StoreError> {
        run_execute(&self.connection, "SAVEPOINT unit", &[])?;
        let mark = self.journal.mark();
        let (kept, _) = self.run_unit(job)?;
        if !kept {
            run_execute(&self.connection, "ROLLBACK TO unit", &[])?;
            self.journal.rewind(mark);
        }
        run_execute(&self.connection, "RELEASE unit", &[])?;
        Ok(())
    }

    /// Runs one unit; whether its changes are to be kept, and how many bytes of content it brought.
    fn run_unit(&mut self, job: &mut dyn Job) -> Result<(bool, usize), StoreError> {
        let mut tx = Tx::new(&self.connection, Some(self.journal.as_mut()));
        let kept = job.run(&mut tx);
        let size_bytes = tx.size_bytes();
        if let Some(failure) = tx.failure() {
            return Err(failure);
        }
        if self.connection.is_autocommit() {
            return Err(Misuse::TransactionEnded.into());
        }
        Ok((kept, size_bytes))
    }

    /// How much was written on this connection; equal only if nothing was written in between.
    fn extent(&self) -> Extent {
        Extent {
            rows: self.connection.total_changes(),
            mark: self.journal.mark(),
        }
    }

    fn roll_back(&self) -> Result<(), StoreError> {
        // The engine itself rolls back after some failures.
        if !self.connection.is_autocommit() {
            run_execute(&self.connection, "ROLLBACK", &[])?;
        }
        Ok(())
    }
}
