//! How a store is opened, and the steps of its schema.

use std::path::PathBuf;

/// How a store is opened; [`Options::new`] gives the values that were measured to be best.
#[derive(Clone, Debug)]
pub struct Options {
    /// The database's file; its folder must exist. `<path>.lock` is held while the store is open.
    pub path: PathBuf,
    /// Bytes of a page of a new database: a power of two from 512 to 65536. Default 4096: a lone message
    /// then writes half as much.
    pub page_size: u32,
    /// Bytes of log after which a commit also moves the log into the database. Default 8 MiB.
    pub autocheckpoint_bytes: u64,
    /// How many snapshots can be read at the same time, at least 1. Default 2.
    pub readers: usize,
    /// How many units may wait; one more is refused as overloaded. Default 65536.
    pub queue: usize,
    /// What a commit waits for. Default [`Durability::Full`].
    pub durability: Durability,
    /// The engine's file layer by its registered name; `None` is the platform's own.
    pub vfs: Option<String>,
}

/// What a commit waits for before its units are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// The disk's confirmation that the bytes are synced. **Invariant:** no acknowledgement before
    /// durability.
    Full,
    /// Nothing: loses acknowledged units when the power fails. Only for proving that a test can
    /// find such a loss.
    #[cfg(feature = "fault-injection")]
    UnsafeOff,
}

/// One step of the schema; its place in the list, counted from 1, is the version it leads to.
///
/// A step once published is never changed: the next one is added behind it.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// What the step brings, for the log.
    pub name: &'static str,
    /// The statements, run in one transaction together with every other step that is due.
    pub sql: &'static str,
}

impl Options {
    /// The recommended options for the database at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            page_size: 4096,
            autocheckpoint_bytes: 8 << 20,
            readers: 2,
            queue: 65_536,
            durability: Durability::Full,
            vfs: None,
        }
    }
}
