//! The pool of connections that only read.
//!
//! It must never keep a transaction open once its reader has returned, even by a panic.

use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use crate::query::run_execute;
use crate::{Migration, Options, Snapshot, StoreError, open};

/// Idle connections and how many exist.
pub(crate) struct Readers {
    pool: Mutex<Pool>,
    returned: Condvar,
    options: Options,
    migrations: Vec<Migration>,
}

struct Pool {
    idle: Vec<Connection>,
    lent: usize,
    closed: bool,
}

/// A connection that goes back to its pool when dropped.
struct Lent<'a> {
    readers: &'a Readers,
    connection: Option<Connection>,
}

/// A read transaction, whose two statements stay prepared; it ends when dropped.
struct Reading<'a>(&'a Connection);

impl Readers {
    pub(crate) fn open(options: &Options, migrations: &[Migration]) -> Result<Self, StoreError> {
        let idle = (0..options.readers.max(1))
            .map(|_| open::open_reader(options))
            .collect::<Result<_, _>>()?;
        let (lent, closed) = (0, false);
        Ok(Self {
            pool: Mutex::new(Pool { idle, lent, closed }),
            returned: Condvar::new(),
            options: options.clone(),
            migrations: migrations.to_vec(),
        })
    }

    /// Runs `f` on a snapshot of a connection that nobody else waits for.
    pub(crate) fn read_apart<T, E: From<StoreError>>(
        &self,
        f: impl FnOnce(&mut Snapshot<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        if self.pool().closed {
            return Err(StoreError::Closed.into());
        }
        let connection = open::open_reader(&self.options)?;
        let _reading = Reading::begin(&connection)?;
        f(&mut Snapshot::new(&connection))
    }

    /// Runs `f` on a snapshot, waiting for an idle connection first.
    pub(crate) fn read<T, E: From<StoreError>>(
        &self,
        f: impl FnOnce(&mut Snapshot<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let lent = self.lend()?;
        let connection = lent.connection()?;
        let _reading = Reading::begin(connection)?;
        f(&mut Snapshot::new(connection))
    }

    /// Writes a copy of the database as it is now to `copy`.
    pub(crate) fn copy_into(&self, copy: &Path) -> Result<(), StoreError> {
        open::copy_into(self.lend()?.connection()?, copy)
    }

    /// Every place of the file that is not sound.
    pub(crate) fn unsound_places(&self) -> Result<Vec<String>, StoreError> {
        open::unsound_places(self.lend()?.connection()?, &self.migrations)
    }

    /// Waits until every reader has returned, then closes all connections.
    pub(crate) fn close(&self) {
        let mut pool = self.pool();
        pool.closed = true;
        self.returned.notify_all();
        while pool.lent > 0 {
            pool = self
                .returned
                .wait(pool)
                .unwrap_or_else(PoisonError::into_inner);
        }
        pool.idle.clear();
    }

    fn lend(&self) -> Result<Lent<'_>, StoreError> {
        let mut pool = self.pool();
        loop {
            if pool.closed {
                return Err(StoreError::Closed);
            }
            if let Some(connection) = pool.idle.pop() {
                pool.lent += 1;
                return Ok(Lent {
                    readers: self,
                    connection: Some(connection),
                });
            }
            pool = self
                .returned
                .wait(pool)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> Reading<'a> {
    fn begin(connection: &'a Connection) -> Result<Self, StoreError> {
        run_execute(connection, "BEGIN", &[])?;
        Ok(Self(connection))
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        // The engine itself ends the transaction after some failures.
        if !self.0.is_autocommit()
            && let Err(error) = run_execute(self.0, "ROLLBACK", &[])
        {
            tracing::error!(error = %error, "the transaction of a reader could not be ended");
        }
    }
}

impl Lent<'_> {
    fn connection(&self) -> Result<&Connection, StoreError> {
        self.connection.as_ref().ok_or(StoreError::Closed)
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut pool = self.readers.pool();
        pool.lent -= 1;
        pool.idle.extend(self.connection.take());
        self.readers.returned.notify_all();
    }
}
