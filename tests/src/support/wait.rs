//! Waiting for something, never for a time.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long anything may take before a test says that it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// How often something that is waited for is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// Waits until `look` gives something; panics with `what` if it never does.
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited in vain for {what}");
        sleep(LOOK);
    }
}

/// A number that the environment sets for a longer run, or else `usual`.
pub(crate) fn from_environment<T: std::str::FromStr>(name: &str, usual: T) -> T {
    let Ok(text) = std::env::var(name) else {
        return usual;
    };
    text.parse()
        .unwrap_or_else(|_| panic!("{name} is not a number: {text}"))
}
