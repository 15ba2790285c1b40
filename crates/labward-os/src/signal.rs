//! A wish to stop (SIGINT, SIGTERM, SIGHUP), noted instead of obeyed at once.
//!
//! It must never be heard twice: the second signal of a kind ends the process.

use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::OsError;

static STOP: AtomicBool = AtomicBool::new(false);

/// What asks a process to end.
const SIGNALS: [libc::c_int; 3] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP];

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
    for signal in SIGNALS {
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

/// Does something during which this thread hears of no wish to stop, so that none of its calls is broken off; what comes
/// meanwhile is heard when it is done.
///
/// # Errors
/// [`OsError`] if the system refuses; nothing was done then.
pub fn undisturbed<T>(work: impl FnOnce() -> T) -> Result<T, OsError> {
    let before = Mask::put(libc::SIG_BLOCK, None)?;
    let done = work();
    // It is the mask that this thread had a moment ago.
    let _ = Mask::put(libc::SIG_SETMASK, Some(before));
    Ok(done)
}

/// Which signals a thread does not hear.
struct Mask(libc::sigset_t);

impl Mask {
    /// Changes this thread's with `mask`, or with all that ask it to end; gives the one before.
    fn put(how: libc::c_int, mask: Option<Self>) -> Result<Self, OsError> {
        let (mask, mut before) = (mask.unwrap_or_else(Self::all), Self::none());
        // SAFETY: both sets live until the call returns.
        match unsafe { libc::pthread_sigmask(how, &raw const mask.0, &raw mut before.0) } {
            0 => Ok(before),
            error => {
                let error = std::io::Error::from_raw_os_error(error);
                Err(OsError::new("hold signals back", "to stop", error))
            }
        }
    }

    fn none() -> Self {
        // SAFETY: a set of signals is bits, for which zero is a value.
        Self(unsafe { std::mem::zeroed() })
    }

    fn all() -> Self {
        let mut all = Self::none();
        for signal in SIGNALS {
            // SAFETY: the set lives until the call returns, and the signal is one of the system's.
            unsafe { libc::sigaddset(&raw mut all.0, signal) };
        }
        all
    }
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

    #[test]
    fn what_is_not_to_be_disturbed_is_not_and_the_thread_hears_again_afterwards() {
        let held = || {
            let now = Mask::put(libc::SIG_BLOCK, Some(Mask::none())).unwrap();
            // SAFETY: the set lives until the call returns.
            SIGNALS.map(|signal| unsafe { libc::sigismember(&raw const now.0, signal) } == 1)
        };
        assert_eq!(undisturbed(held).unwrap(), [true; 3]);
        assert_eq!(held(), [false; 3]);
    }
}
