//! Calls into libraries that may panic on hostile bytes.
//!
//! A panic must be an obstacle of the one part, never a lost walk: the parts behind it, the ledger entry and
//! the delivery of the message all stand behind the walk. The libraries called here hold no state of ours and
//! what they built is thrown away with the panic, so nothing half-changed is seen again (that is what
//! `AssertUnwindSafe` asserts). Own codecs need none of this; an abort (a stack overflow, no memory) is the
//! business of the confined process.

use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What the call gives; nothing if it panicked.
pub(crate) fn guarded<T>(call: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(call)).ok()
}

/// A reader whose panics are faults of what it reads.
pub(crate) struct Guarded<R>(pub(crate) R);

impl<R: Read> Read for Guarded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        guarded(|| self.0.read(into))
            .unwrap_or_else(|| Err(io::Error::from(io::ErrorKind::InvalidData)))
    }
}
