//! What a unit of work and a reader hold in their hands.

use rusqlite::Connection;

use crate::query::{run_execute, run_query};
use crate::{Journal, Pages, Query, Row, StoreError, Value};

/// A unit's share of the batch's transaction.
pub struct Tx<'a> {
    connection: &'a Connection,
    journal: Option<&'a mut dyn Journal>,
    size_bytes: usize,
    failure: Option<StoreError>,
}

/// A reader's view of the database as it was at one moment.
pub struct Snapshot<'a> {
    connection: &'a Connection,
}

impl<'a> Tx<'a> {
    pub(crate) fn new(connection: &'a Connection, journal: Option<&'a mut dyn Journal>) -> Self {
        Self {
            connection,
            journal,
            size_bytes: 0,
            failure: None,
        }
    }

    /// Runs a statement that returns no rows; the number of rows it changed.
    pub fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<usize, StoreError> {
        self.size_bytes += params.iter().map(Value::size).sum::<usize>();
        let result = run_execute(self.connection, sql, params);
        self.watch(result)
    }

    /// The store's journal, if it is a `J`; `None` inside the journal's own calls.
    pub fn journal<J: Journal>(&mut self) -> Option<&mut J> {
        self.journal.as_mut()?.as_any_mut().downcast_mut()
    }

    /// Bytes of content handed to statements so far.
    pub(crate) fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// The error that spoils the whole batch, even if the unit itself passed over it.
    pub(crate) fn failure(self) -> Option<StoreError> {
        self.failure
    }

    fn watch<T>(&mut self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(error) = &result
            && error.ends_batch()
        {
            self.failure.get_or_insert_with(|| error.clone());
        }
        result
    }
}

impl Query for Tx<'_> {
    fn query(
        &mut self,
        sql: &str,
        params: &[Value<'_>],
        each: &mut dyn FnMut(&Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.size_bytes += params.iter().map(Value::size).sum::<usize>();
        let result = run_query(self.connection, sql, params, each);
        self.watch(result)
    }
}

impl<'a> Snapshot<'a> {
    pub(crate) fn new(connection: &'a Connection) -> Self {
        Self { connection }
    }

    /// The pages of the database in this snapshot, in which the tables `emptied` have no rows.
    ///
    /// # Errors
    /// [`StoreError::Statement`] if there is no such table.
    pub fn pages(&mut self, emptied: &[&str]) -> Result<Pages<'_>, StoreError> {
        Pages::open(self.connection, emptied)
    }
}

impl Query for Snapshot<'_> {
    fn query(
        &mut self,
        sql: &str,
        params: &[Value<'_>],
        each: &mut dyn FnMut(&Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        run_query(self.connection, sql, params, each)
    }
}
