//! The reserve's file by itself, for the fuzz target; nothing else uses it.
//!
//! It must never be a way to a reading: what stands in the file is sealed.

use std::io;
use std::path::Path;

use super::journal::Journal;

/// The file of a reserve.
pub struct RawReserve(Journal);

impl RawReserve {
    /// Opens the file; readings up to the number `merged` are in the ledger already.
    ///
    /// # Errors
    /// The file's.
    pub fn open(path: &Path, merged: u64) -> io::Result<Self> {
        Journal::open(path, merged).map(Self)
    }

    /// Number and sealed bytes of each reading behind the number `merged`.
    ///
    /// # Errors
    /// The file's.
    pub fn readings(&self, merged: u64) -> io::Result<Vec<(u64, Vec<u8>)>> {
        Ok(self.0.scan(merged)?.readings)
    }

    /// Writes a reading; its number, or `None` if there is no room.
    pub fn append(&mut self, sealed: &[u8]) -> Option<u64> {
        self.0.append(sealed).ok()
    }

    /// Writes zeros over everything.
    ///
    /// # Errors
    /// The file's.
    pub fn wipe(&mut self) -> io::Result<()> {
        self.0.wipe()
    }
}
