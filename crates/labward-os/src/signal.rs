//! A wish to stop (SIGINT, SIGTERM, SIGHUP), noted instead of obeyed at once.
//!
//! It must never be heard twice: the second signal of a kind ends the process.

use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::OsError;

static STOP: AtomicBool = AtomicBool::new(false);

extern "C" fn note(_: libc::c_int) {
    STOP.store(true, Ordering::Relaxed);
}

/// From now on the first signal of each kind that asks the process to end is only noted.
///
/// # Errors
/// [`OsError`] if the system refuses.
pub fn note_stop_signals() -> Result<(), OsError> {
    // SAFETY: every field of `sigaction` is a number, a set of bits or an optional pointer, for
    // which zero is a value.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = note as *const () as libc::sighandler_t;
    action.sa_flags = libc::SA_RESETHAND;
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        // SAFETY: the handler does nothing but store into an atomic, which a handler may do, and
        // `action` lives until the call returns.
        if unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) } != 0 {
            let error = std::io::Error::last_os_error();
            return Err(OsError::new("note signals", "to stop", error));
        }
    }
    Ok(())
}

/// Whether a signal asked this process to end since [`note_stop_signals`].
pub fn is_stopped() -> bool {
    STOP.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{Signal, getpid, kill_process};

    #[test]
    fn a_signal_to_end_is_noted_and_the_process_goes_on() {
        note_stop_signals().unwrap();
        assert!(!is_stopped());
        kill_process(getpid(), Signal::HUP).unwrap();
        // Another thread of the test runner may be the one that takes it.
        while !is_stopped() {
            std::hint::spin_loop();
        }
    }
}
