//! The one participant that lives in the writer thread's memory beside the database.
//!
//! It must never move ahead of the disk: what it takes up in a batch is given back when the batch
//! is rolled back. The ledger's tree head is the one real implementation.

use std::any::Any;

use crate::{StoreError, Tx};

/// State in memory that follows the database's transactions exactly.
///
/// Calls come from one thread at a time. For each batch: the units, then `before_commit` if anything
/// changed, then exactly one of `committed` and `aborted`. If a unit is refused after it wrote,
/// `aborted` comes at once and the units run again: `mark` before each, `rewind` to that mark if it
/// is refused.
pub trait Journal: Send + 'static {
    /// Reads the state from the database; called once, after the migrations, in their own transaction.
    fn load(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError>;

    /// The present state's mark, to which [`Journal::rewind`] can return within this batch; another
    /// one after each change.
    fn mark(&self) -> u64;

    /// Returns to `mark`: the unit that came after it was rolled back.
    fn rewind(&mut self, mark: u64);

    /// Writes the state's own rows once for the whole batch; an error gives the batch up.
    fn before_commit(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError>;

    /// The batch is durable.
    fn committed(&mut self);

    /// The batch was rolled back: returns to the state of the last [`Journal::committed`].
    fn aborted(&mut self);

    /// This value as `Any`, so that [`Tx::journal`] can hand it out by its own type.
    fn as_any_mut(&mut self) -> &mut dyn Any;
}

/// The journal of a store that has none.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoJournal;

impl Journal for NoJournal {
    fn load(&mut self, _tx: &mut Tx<'_>) -> Result<(), StoreError> {
        Ok(())
    }

    fn mark(&self) -> u64 {
        0
    }

    fn rewind(&mut self, _mark: u64) {}

    fn before_commit(&mut self, _tx: &mut Tx<'_>) -> Result<(), StoreError> {
        Ok(())
    }

    fn committed(&mut self) {}

    fn aborted(&mut self) {}

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}
