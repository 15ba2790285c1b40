//! A file layer for the store whose power can be cut and whose disk can be full.
//!
//! Reads, locks and shared memory go to the platform's own layer. Beside it `disk` keeps what a
//! disk would hold: only bytes and folder entries that were synced, or a seeded part of the rest.
//! The real file is never synced: a sync here is an event of the model, not of the machine. What
//! changes a file behind the layer's back once it was opened is unknown to the model.
//!
//! It must never tell the engine that bytes are synced that a power cut would lose.

mod disk;
mod shim;

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use disk::Disk;

/// A registered file layer; clones name the same one. It stays registered until the process ends.
#[derive(Clone)]
pub struct FaultVfs {
    name: String,
    state: Arc<Mutex<State>>,
}

/// How a write fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The device reports an error (`EIO`), for syncs too.
    Io,
    /// There is no room (`ENOSPC`).
    NoSpace,
}

/// What survives a power cut besides the synced bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survivors {
    /// Nothing.
    None,
    /// A part of the unsynced 512-byte sectors, lengths and folder entries, chosen by this seed.
    Some(u64),
}

/// What the file layer keeps under its one lock.
#[derive(Default)]
struct State {
    disk: Disk,
    fault: Option<Fault>,
    room_bytes: u64,
    armed: Option<Armed>,
    cut: Option<disk::Frozen>,
}

/// A power cut that waits for its change.
struct Armed {
    operations_left: u64,
    survivors: Survivors,
    before: Box<dyn FnOnce() + Send>,
}

impl FaultVfs {
    /// Registers a file layer under `name`, which no other test of the process may use.
    ///
    /// # Panics
    ///
    /// When the engine refuses the registration.
    pub fn register(name: &str) -> Self {
        let state = Arc::default();
        shim::register(name, Arc::clone(&state));
        Self {
            name: name.to_owned(),
            state,
        }
    }

    /// The name under which the store finds this layer.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Cuts the power now: writes what the disk would hold of the folder `of` into the folder
    /// `into`, while the running store goes on as if nothing had happened.
    pub fn power_cut(&self, of: &Path, into: &Path, survivors: Survivors) -> io::Result<()> {
        let frozen = self.state().disk.freeze(survivors);
        frozen.write_into(of, into)
    }

    /// Cuts the power just before the `operations`-th change from now (write, truncation, sync or
    /// deletion) and after calling `before`; [`FaultVfs::take_cut`] then has the disk.
    pub fn arm_power_cut(
        &self,
        operations: u64,
        survivors: Survivors,
        before: impl FnOnce() + Send + 'static,
    ) {
        let mut state = self.state();
        state.cut = None;
        state.armed = Some(Armed {
            operations_left: operations,
            survivors,
            before: Box::new(before),
        });
    }

    /// Writes what the disk of the armed cut holds of the folder `of` into the folder `into`;
    /// `false` if the cut has not happened yet.
    pub fn take_cut(&self, of: &Path, into: &Path) -> io::Result<bool> {
        let Some(frozen) = self.state().cut.take() else {
            return Ok(false);
        };
        frozen.write_into(of, into)?;
        Ok(true)
    }

    /// Fails every write from now on, or none.
    pub fn fail_writes_with(&self, fault: Option<Fault>) {
        self.fail_writes_after(0, fault);
    }

    /// Fails writes once `room_bytes` more bytes were written.
    pub fn fail_writes_after(&self, room_bytes: u64, fault: Option<Fault>) {
        let mut state = self.state();
        state.room_bytes = room_bytes;
        state.fault = fault;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl State {
    /// Counts one change and cuts the power if it is the armed one; comes before the change itself.
    fn count_operation(&mut self) {
        if let Some(armed) = &mut self.armed
            && armed.operations_left > 1
        {
            armed.operations_left -= 1;
            return;
        }
        let Some(armed) = self.armed.take() else {
            return;
        };
        (armed.before)();
        self.cut = Some(self.disk.freeze(armed.survivors));
    }

    /// How a write of `size` bytes fails, if it does.
    fn write_fault(&mut self, size: u64) -> Option<Fault> {
        self.fault?;
        match self.room_bytes.checked_sub(size) {
            Some(left) => {
                self.room_bytes = left;
                None
            }
            None => {
                self.room_bytes = 0;
                self.fault
            }
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
